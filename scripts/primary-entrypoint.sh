#!/bin/bash
# The container of the primary: makes the database at the first start, sets the passwords at each, starts the server.
set -euo pipefail
# shellcheck source=scripts/node.sh
. /usr/local/lib/mfi/node.sh
NEW=$VOLUME/pgdata.new

# Runs SQL, one statement a line, by a server of one process that nobody can connect to and that logs no statement.
single_user() {
  local errors code=0
  errors=$(postgres --single -D "$1" -c config_file="$CONFIG" -c log_min_error_statement=panic \
    -c synchronous_commit=local postgres 2>&1 >/dev/null) || code=$?
  if grep -E '(ERROR|FATAL|PANIC):' <<<"$errors" >&2; then code=1; fi
  return $code
}

set_passwords() { # DATA-DIRECTORY
  local quoted="'${DB_PASSWORD//\'/\'\'}'" tag
  tag="\$mfi_$(od -An -N8 -tx1 /dev/urandom | tr -d ' \n')\$"
  single_user "$1" <<<"SET standard_conforming_strings = on
DO $tag BEGIN ALTER ROLE postgres PASSWORD $quoted; IF to_regrole('replicator') IS NOT NULL THEN ALTER ROLE replicator PASSWORD $quoted; END IF; END $tag" ||
    die "DB_PASSWORD could not be given to the roles postgres and replicator" "The lines above say why."
}

run_init_scripts() {
  local script
  for script in /docker-entrypoint-initdb.d/*; do
    say "running $script"
    case "$script" in
      *.sh) "$script" ;;
      *.sql) psql -X -q -v ON_ERROR_STOP=1 -d mfi_banking -f "$script" ;;
      *) say "ignored: it is neither .sh nor .sql" ;;
    esac
  done
}

# In a folder that becomes the data directory by a rename: an interrupted first start leaves nothing half-made.
initialise() {
  say "making the database, as $VOLUME is empty"
  rm -rf "$NEW"
  initdb -D "$NEW" -U postgres -E UTF8 --locale-provider=builtin --builtin-locale=C.UTF-8 --locale=C.UTF-8 \
    --data-checksums --auth-local=peer --auth-host=reject >/dev/null
  check_settings "$NEW"
  pg_ctl start -s -w -D "$NEW" -o "-c config_file=$CONFIG -c listen_addresses='' -c shared_preload_libraries=''" >&2 ||
    die "the server for the first start failed" "Its lines are above."
  psql -X -q -v ON_ERROR_STOP=1 -d postgres -c 'CREATE DATABASE mfi_banking'
  run_init_scripts
  pg_ctl stop -s -w -m fast -D "$NEW"
  sync -f "$VOLUME"
  mv "$NEW" "$PGDATA"
}

become_postgres "$@"
check_password
one_server_per_volume
write_node_settings </dev/null
[ -f "$PGDATA/PG_VERSION" ] || initialise
check_settings "$PGDATA"
# After a failover this volume may be a standby's: its passwords come with the stream.
[ -f "$PGDATA/standby.signal" ] || set_passwords "$PGDATA"
start_server
