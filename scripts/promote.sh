#!/bin/bash
# promote.sh [--force]: makes this standby the primary. Step one of a failover; step two is rejoin.sh on the other node.
# It refuses while the old primary answers, waits until all that arrived is replayed, and leaves a slot for the other
# node, so that the WAL it needs to come back is kept. Which server: PGHOST and PGPORT, as for psql; it needs a superuser.
#   --force      promotes although the old primary answers. Both nodes are primaries then: only for a test.
#   --slot NAME  name of the slot for the other node (mfi_rejoin)
set -euo pipefail
# shellcheck source=scripts/log.sh
. "$(dirname "$(readlink -f "$0")")/log.sh"
# shellcheck source=scripts/psql.sh
. "$(dirname "$(readlink -f "$0")")/psql.sh"
# shellcheck source=scripts/peer.sh
. "$(dirname "$(readlink -f "$0")")/peer.sh"
force='' slot=mfi_rejoin

usage() {
  sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"
  exit "$1"
}
while [ $# -gt 0 ]; do
  case "$1" in
    --force) force=yes ;;
    --slot) slot=${2:?--slot needs a name} && shift ;;
    -h | --help) usage 0 ;;
    *) usage 2 >&2 ;;
  esac
  shift
done
export PGDATABASE=${PGDATABASE:-postgres} PGCONNECT_TIMEOUT=5 PGAPPNAME='mfi promote.sh'

sql() { own_psql -w -v slot="$slot" <<<"$1"; }
show() { sql "SELECT current_setting('$1')"; }

check_standby() {
  local answer
  answer=$(sql 'SELECT pg_is_in_recovery()') || die "this node's server cannot be asked" "Start it, or set PGHOST and PGPORT."
  [ "$answer" = t ] || die "this node is a primary already; nothing was changed" "Ask: psql -c 'SELECT * FROM mfi_replication_health'"
  [ "$(sql 'SELECT rolsuper FROM pg_roles WHERE rolname = current_user')" = t ] ||
    die "promoting needs a superuser; nothing was changed" "Run it as the user postgres."
  [ "$(sql 'SELECT pg_get_wal_replay_pause_state()')" = 'not paused' ] ||
    die "replay is paused on this standby; nothing was changed" "SELECT pg_wal_replay_resume(), then run this again."
}

# It answers when a stream is up, when a connection of the same kind can be made, or when somebody is there who refuses it or cannot be
# authenticated: that is not nobody.
old_primary_answers() {
  local upstream error
  [ "$(sql "SELECT count(*) FROM pg_stat_wal_receiver WHERE status = 'streaming'")" = 0 ] || return 0
  upstream=$(show primary_conninfo)
  [ -n "$upstream" ] || return 1
  ! error=$(LC_ALL=C psql -X -q -At -w -d "$upstream dbname=replication replication=true connect_timeout=5" -c IDENTIFY_SYSTEM 2>&1 >/dev/null) || return 0
  ! nobody_there "$error" || return 1
  say "a server answers at the old primary's address, though not as it should: $error"
}

check_standby
if old_primary_answers; then
  [ -n "$force" ] || die "the old primary still answers; nothing was changed" \
    "Stop it first, and make sure that it does not start by itself: two primaries would both take writes."
  say "the old primary still answers, and --force was given: stop it now"
fi
say "promoting; replayed up to $(sql 'SELECT pg_last_wal_replay_lsn()'), arrived $(sql 'SELECT pg_last_wal_receive_lsn()')"
# The server itself first replays all that has arrived, but not half a record, which a look at the positions would wait for.
[ "$(sql 'SELECT pg_promote(true, 3600)')" = t ] ||
  die "the server did not become a primary within an hour; it goes on by itself" "Its log says what it does; then run rejoin.sh on the other node."
sql "SELECT pg_create_physical_replication_slot(:'slot', true)
      WHERE NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = :'slot')" >/dev/null
if [ -n "$(show synchronous_standby_names)" ]; then
  say "synchronous_standby_names is emptied, as no standby is left that commits could wait for; set it again after rejoin.sh: '$(show synchronous_standby_names)'"
  sql "ALTER SYSTEM SET synchronous_standby_names = ''" && sql 'SELECT pg_reload_conf()' >/dev/null
fi
say "this node is the primary, on timeline $(sql "SELECT ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int")"
say "next: point applications here; then rejoin.sh on the other node (slot $slot keeps its WAL, as far as max_slot_wal_keep_size lets it)"
