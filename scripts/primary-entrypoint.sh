#!/bin/bash
# The container of the primary: makes the database at the first start, sets the passwords at each, starts the server. After
# a failover it is the standby of db-replica.
set -euo pipefail
# shellcheck source=scripts/node.sh
. /usr/local/lib/mfi/node.sh
# shellcheck source=scripts/standby.sh
. /usr/local/lib/mfi/standby.sh
# shellcheck source=scripts/word.sh
. /usr/local/lib/mfi/word.sh
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
  case "$(peer_role)" in
    primary) clone ;;
    '') if unfinished_clone; then clone; else initialise; fi ;;
    *)
      die "this volume is empty, and $PEER has data but is not known to be the primary: nothing is made here" \
        "$(<"$RUN/peer.error")" \
        "To go on with the data of $PEER: docker compose exec $PEER /promote.sh; then this node is cloned from it." \
        "To begin anew: docker compose down -v, then docker compose up -d"
      ;;
  esac
}

# The other node was promoted: this one's server is not started before an operator says as what. What the other node itself says, being
# authenticated, counts more than a word on it, and no word starts this node beside a newer one.
wait_while_superseded() {
  local timeline newest told=
  timeline=$(control "Latest checkpoint's TimeLineID") || return 0
  derive_secrets
  while :; do
    if [ -e "$REJOIN" ]; then rejoin && return; fi
    read_word
    if [ -e "$RUN/forced" ]; then return; fi
    newest=0
    if find_upstream >"$RUN/upstream.error"; then
      if [ "$UPSTREAM_SYSTEM" != "$(control 'Database system identifier')" ]; then return; fi
      newest=$UPSTREAM_TIMELINE
    elif [ "$CHOSEN" = "$PEER" ]; then
      newest=$CHOSEN_TIMELINE
    fi
    if [ "$newest" -le "$timeline" ]; then return; fi
    [ -n "$told" ] || say "$PEER was promoted (timeline $newest, here it is $timeline): this node's server is not started
    To make it a standby of $PEER, which gives up what only this node has: docker compose exec $NODE /rejoin.sh
    To go on with this node instead: docker compose stop $PEER, then docker compose exec $NODE /promote.sh"
    told=yes
    pause
  done
}

become_postgres "$@"
one_server_per_volume
rm -f "$RUN/forced"
write_passfile
write_node_settings
if [ ! -f "$PGDATA/PG_VERSION" ]; then
  fill_volume
elif [ -f "$PGDATA/standby.signal" ]; then
  check_standby
else
  wait_while_superseded
fi
check_settings "$PGDATA"
set_passwords
start_server
