# shellcheck shell=bash
# The sessions in which the scripts ask a server. Nothing that a database, a role, the server's configuration or the caller has set for clients
# ends one of them, gives it another role, or changes what is asked and answered. These stand in the startup packet, where they beat all others.
OWN_SETTINGS='-c search_path=pg_catalog,pg_temp -c role=none -c row_security=on -c default_transaction_read_only=off -c default_transaction_deferrable=off'
OWN_SETTINGS+=' -c default_transaction_isolation=read\ committed -c lock_timeout=0 -c idle_in_transaction_session_timeout=0 -c idle_session_timeout=0'
OWN_SETTINGS+=' -c quote_all_identifiers=off -c standard_conforming_strings=on -c DateStyle=ISO -c IntervalStyle=postgres -c bytea_output=hex'
SETTINGS_OF_17='-c transaction_timeout=0' # which a server of an earlier version refuses

# own_psql [OPTION...]: psql without headers. STATEMENT_LIMIT (none) is how long a statement may take. What it says of errors comes after all rows.
own_psql() {
  local error code=0 settings="$OWN_SETTINGS -c statement_timeout=${STATEMENT_LIMIT:-0}"
  {
    error=$(PGOPTIONS="$settings $SETTINGS_OF_17" psql -X -q -At -v ON_ERROR_STOP=1 "$@" 2>&1 >&3) || code=$?
    if [ $code = 2 ] && [[ $error == *transaction_timeout* ]]; then
      code=0
      error=$(PGOPTIONS=$settings psql -X -q -At -v ON_ERROR_STOP=1 "$@" 2>&1 >&3) || code=$?
    fi
  } 3>&1
  [ -z "$error" ] || printf '%s\n' "$error" >&2
  return "$code"
}
