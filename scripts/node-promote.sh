#!/bin/bash
# /promote.sh [--force]: makes this node the primary after the other one was lost, and keeps that for later starts.
#   docker compose stop db-primary && docker compose exec db-replica /promote.sh
# It refuses while the other node is a primary that answers, or while somebody answers in its place; --force does not: both are primaries
# then, until one of the containers starts again.
set -euo pipefail
# shellcheck source=scripts/client.sh
. /usr/local/lib/mfi/client.sh
# shellcheck source=scripts/node.sh
. /usr/local/lib/mfi/node.sh
# shellcheck source=scripts/standby.sh
. /usr/local/lib/mfi/standby.sh
# shellcheck source=scripts/word.sh
. /usr/local/lib/mfi/word.sh
force=${1:-}
if [ $# -gt 1 ] || [[ "$force" != @(|--force) ]]; then
  sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"
  exit 2
fi
[ -f "$RUN/node.conf" ] || die "this container is no node; nothing was changed" "Run it in db-replica (or db-primary): docker compose exec db-replica /promote.sh"

recovering=$(query 'SELECT pg_is_in_recovery()' 2>/dev/null) || recovering=
if [ "$recovering" = t ]; then
  /usr/local/lib/mfi/promote.sh --slot "${PEER//-/_}" ${force:+"$force"}
  query CHECKPOINT # pg_control has the new timeline
elif [ -z "$recovering" ] && [ -f "$PGDATA/standby.signal" ]; then
  die "the server of this node cannot be asked; nothing was changed" "Wait until it runs: docker compose logs $NODE"
elif [ -z "$force" ]; then
  case "$(peer_role)" in
    primary) die "$PEER is a primary that answers; nothing was changed" "docker compose stop $PEER, then run this again." ;;
    unknown)
      die "a server answers at $PEER, but does not say what it is or cannot be shown to be the other node; nothing was changed" "$(<"$RUN/peer.error")" \
        "docker compose stop $PEER, then run this again; find out who answers under its name when that is not enough."
      ;;
  esac
fi
[ -z "$force" ] || touch "$RUN/forced" # until the container's next start, whatever the other node says
write_word "$NODE" "$(control "Latest checkpoint's TimeLineID")"
say "$NODE is the primary, also after a restart. To bring the other node back: docker compose start $PEER, then docker compose exec $PEER /rejoin.sh"
