#!/bin/bash
# The container of the replica: decides by evidence whether to clone, to start, to rewind or to refuse, then starts the
# server as a standby. It never deletes a data directory that is not its own unfinished clone, and starts as a primary only
# by an operator's word (/promote.sh), never because nobody answered.
set -euo pipefail
# shellcheck source=scripts/node.sh
. /usr/local/lib/mfi/node.sh
# shellcheck source=scripts/standby.sh
. /usr/local/lib/mfi/standby.sh
# shellcheck source=scripts/word.sh
. /usr/local/lib/mfi/word.sh

# A data directory that was a primary's: promoted here, or an old primary. A word starts it as the primary, unless the other node, being
# authenticated, says that it is one.
former_primary() {
  local timeline told='' now
  timeline=$(control "Latest checkpoint's TimeLineID")
  derive_secrets
  while :; do
    read_word
    if [ ! -e "$REJOIN" ] && { [ -e "$RUN/forced" ] || { [ "$CHOSEN" = "$NODE" ] && [ "$(peer_role)" != primary ]; }; }; then return 0; fi
    if find_upstream >"$RUN/upstream.error"; then
      same_system_or_refuse
      if [ "$timeline" -lt "$UPSTREAM_TIMELINE" ]; then rejoin && return; fi
      now="this node was promoted (timeline $timeline) and $PEER is a primary too (timeline $UPSTREAM_TIMELINE): it is not started
    To keep this node as the primary: docker compose stop $PEER, then docker compose exec $NODE /promote.sh
    To keep $PEER: remove the volume of $NODE, then docker compose up -d; a new standby is cloned."
    else
      now="$(why_waiting)
    To start this node, which was promoted, as the primary: docker compose exec $NODE /promote.sh"
    fi
    [ "$now" = "$told" ] || say "$now"
    told=$now
    pause
  done
}

become_postgres "$@"
one_server_per_volume
rm -f "$RUN/forced"
write_passfile
write_node_settings
if [ ! -d "$PGDATA" ]; then
  clone
elif ! control 'Database system identifier' >/dev/null; then
  set_aside "this data directory has no valid pg_control"
  clone
elif [ -f "$PGDATA/standby.signal" ]; then
  check_standby
else
  former_primary
fi
check_settings "$PGDATA"
set_passwords
start_server
