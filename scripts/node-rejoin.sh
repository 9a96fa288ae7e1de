#!/bin/bash
# /rejoin.sh: makes this node, which was the primary, a standby of the other one, which was promoted.
#   docker compose start db-primary && docker compose exec db-primary /rejoin.sh
# It gives up what only this node has written since. It rewinds (pg_rewind), or clones anew and sets the old data aside.
set -euo pipefail
# shellcheck source=scripts/client.sh
. /usr/local/lib/mfi/client.sh
# shellcheck source=scripts/node.sh
. /usr/local/lib/mfi/node.sh
# shellcheck source=scripts/standby.sh
. /usr/local/lib/mfi/standby.sh
# shellcheck source=scripts/word.sh
. /usr/local/lib/mfi/word.sh
if [ $# -gt 0 ]; then
  sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"
  exit 2
fi
[ -f "$RUN/node.conf" ] || die "this container is no node; nothing was changed" "Run it in the old primary: docker compose exec db-primary /rejoin.sh"
[ ! -f "$PGDATA/standby.signal" ] || die "this node is a standby already; nothing was changed" "How it does: docker compose exec $NODE /health.sh replication"
[ "$(peer_role)" = primary ] || die "$PEER is no primary that answers; nothing was changed" "$(<"$RUN/peer.error")" "First: docker compose exec $PEER /promote.sh"
find_upstream || die "$PEER gives this node no replication connection; nothing was changed" "The line above says why."
same_system_or_refuse
timeline=$(control "Latest checkpoint's TimeLineID")
[ "$UPSTREAM_TIMELINE" -gt "$timeline" ] ||
  die "$PEER was not promoted after this node (timeline $UPSTREAM_TIMELINE there, $timeline here); nothing was changed" \
    "If this node was promoted last, it is $PEER that rejoins: docker compose exec $PEER /rejoin.sh"
write_word "$PEER" "$UPSTREAM_TIMELINE"
rm -f "$RUN/forced"
touch "$REJOIN"
say "$NODE becomes a standby of $PEER: docker compose logs -f $NODE shows how"
# Process 1 is the entrypoint, which waits for this, or the server: it ends, and the container starts again.
! pg_ctl status -D "$PGDATA" >/dev/null || kill -INT 1
