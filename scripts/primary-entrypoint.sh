#!/bin/bash
# The container of the primary: makes the database at the first start, sets the passwords at each, starts the server. After
# a failover it is the standby of db-replica.
set -euo pipefail
# shellcheck source=scripts/node.sh
. /usr/local/lib/mfi/node.sh
NEW=$VOLUME/pgdata.new

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

# An empty volume is made a new database only where nothing speaks of an old one.
fill_volume() {
  local code=0
  node_command clone --or-new || code=$?
  case $code in
    0) ;;
    3) initialise ;;
    *) exit $code ;;
  esac
}

become_postgres "$@"
one_server_per_volume
rm -f "$RUN/forced"
write_passfile
write_node_settings
if [ ! -f "$PGDATA/PG_VERSION" ]; then
  fill_volume
else
  derive_secrets 2>/dev/null || true # of a damaged data directory there are none
  node_command rejoin --first
fi
check_settings "$PGDATA"
set_passwords
start_server
