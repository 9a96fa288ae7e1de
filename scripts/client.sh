# shellcheck shell=bash
# How the operator's scripts reach a server: in a database container the one beside them, by its socket; in db-backup
# the primary, whichever node that is; elsewhere as psql does, by PGHOST, PGPORT, PGUSER and PGDATABASE.
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
# shellcheck source=scripts/log.sh
. "$here/log.sh"
# shellcheck source=scripts/psql.sh
. "$here/psql.sh"
export PGCONNECT_TIMEOUT=5 PGAPPNAME="mfi ${0##*/}"
if [ "$here" = /usr/local/lib/mfi ]; then
  # libpq looks for certificates at home.
  export HOME=/var/lib/postgresql PGUSER=postgres PGDATABASE=mfi_banking
  if [ -f /run/mfi/client.pgpass ]; then
    export PGHOST=db-primary,db-replica PGTARGETSESSIONATTRS=primary PGPASSFILE=/run/mfi/client.pgpass
    # As between the nodes: whoever else answers gets no password.
    export PGSSLMODE=require PGGSSENCMODE=disable PGREQUIREAUTH=scram-sha-256 PGCHANNELBINDING=require
  fi
  # Again as postgres when started by root: the rights of the server are enough.
  [ "$(id -u)" != 0 ] || exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
fi

# What follows it is UTF-8, where the database's encoding has a way to it, and finds mfi's functions and tables where the extension is, and nothing
# that others have put before them.
IN_OWN_SCHEMA="SELECT set_config('client_encoding', CASE WHEN getdatabaseencoding() IN ('SQL_ASCII', 'MULE_INTERNAL') THEN current_setting('client_encoding')
  ELSE 'UTF8' END, false) AS own_encoding, set_config('search_path', format('pg_catalog, %I, pg_temp', coalesce((SELECT n.nspname
  FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'mfi'), 'public')), false) AS own_schema \\gset"

# query SQL [PSQL-OPTION...]: rows, with \x1f between their columns
query() {
  local sql=$1
  shift
  own_psql -F $'\x1f' "$@" <<<"$IN_OWN_SCHEMA"$'\n'"$sql"
}
