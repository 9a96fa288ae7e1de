# shellcheck shell=bash
# shellcheck disable=SC2154 # node.sh sets NODE, PEER, VOLUME, RUN, PASSFILE and CONFIG
# How a node becomes and stays a standby of the other one, through a slot of its own. No data directory is deleted that is
# not our own unfinished clone.
SLOT=${NODE//-/_}
CLONE=$VOLUME/pgdata.clone # ours by its name: emptied when unfinished
REJOIN=$VOLUME/mfi.rejoin  # made by /rejoin.sh
SSLMODE=require
[ "${MFI_TLS:-require}" = require ] || SSLMODE=prefer
SERVER="host=$PEER port=5432 passfile=$PASSFILE sslmode=$SSLMODE connect_timeout=5"
UPSTREAM="$SERVER user=replicator application_name=$NODE"

# A name server that does not answer is not waited for longer than the other node.
RESOLVE='timeout:3 attempts:2'
upstream() { RES_OPTIONS=$RESOLVE psql -X -q -At -w "$UPSTREAM dbname=replication replication=true" -c "$1"; }
ask_peer() { RES_OPTIONS=$RESOLVE psql -X -q -At -w "$SERVER user=postgres dbname=postgres" -c "$1"; }

# Sets the upstream's UPSTREAM_SYSTEM and UPSTREAM_TIMELINE by a replication connection, which the temporary server of the
# primary's first start does not give. Prints the error when there is none.
find_upstream() {
  local answer
  answer=$(upstream IDENTIFY_SYSTEM 2>&1) || { printf '%s\n' "$answer" && return 1; }
  IFS='|' read -r UPSTREAM_SYSTEM UPSTREAM_TIMELINE _ <<<"$answer"
}

wait_for_upstream() {
  local told=
  until find_upstream >"$RUN/upstream.error"; do
    [ "$(<"$RUN/upstream.error")" = "$told" ] || say "waiting for $PEER: $(<"$RUN/upstream.error")"
    told=$(<"$RUN/upstream.error")
    pause
  done
}

# primary, standby, or unknown when it does not say; nothing when nobody is there.
peer_role() {
  local code=0 answer
  RES_OPTIONS=$RESOLVE pg_isready -q -t 3 -h "$PEER" -p 5432 || code=$?
  [ $code -lt 2 ] || return 0
  answer=$(ask_peer 'SELECT pg_is_in_recovery()' 2>/dev/null) || true
  case "$answer" in
    f) echo primary ;;
    t) echo standby ;;
    *) echo unknown ;;
  esac
}

control() { # FIELD: of our own pg_control; fails when that is missing or damaged
  local data
  data=$(pg_controldata -D "$PGDATA" 2>&1) && ! grep -q WARNING <<<"$data" && sed -n "s/^$1: *//p" <<<"$data"
}

# The slot as the upstream has it: kept, missing, or lost (WAL is gone). Its restart_lsn does not tell: a lost slot gets one again
# when its standby finds the WAL it asks for by chance.
slot_state() {
  local status
  status=$(ask_peer "SELECT wal_status FROM pg_replication_slots WHERE slot_name = '$SLOT'") || status=unknown
  case "$status" in
    '') echo missing ;;
    lost) echo lost ;;
    *) echo kept ;;
  esac
}
create_slot() { upstream "CREATE_REPLICATION_SLOT $SLOT PHYSICAL RESERVE_WAL" >/dev/null; }

# For a node that is about to be made from the upstream: WAL is kept from now on.
ready_slot() {
  case "$(slot_state)" in
    kept) return ;;
    lost) upstream "DROP_REPLICATION_SLOT $SLOT WAIT" >/dev/null ;;
  esac
  create_slot
}

set_aside() { # REASON
  local aside
  aside="$VOLUME/pgdata.aside.$(date -u +%Y%m%dT%H%M%S)"
  [ "$PGDATA" != "$VOLUME" ] || die "$1" "It fills the volume itself. Remove the volume of $NODE, then: docker compose up -d"
  say "$1: set aside as $aside; remove it when nothing in it is missed"
  mv "$PGDATA" "$aside"
}

# pg_basebackup has a child that reads WAL: a signal must end both, or the child keeps the slot.
run_in_group() {
  local pid
  setsid "$@" &
  pid=$!
  trap 'kill -TERM -- -$pid 2>/dev/null; wait $pid; exit 143' TERM INT
  wait $pid
}

# Cloned settings of the other node that would speak of its own upstream.
as_standby() { # DATA-DIRECTORY
  sed -i -E '/^ *(primary_conninfo|primary_slot_name|cluster_name) *=/d' "$1/postgresql.auto.conf"
  rm -f "$1/recovery.signal"
  touch "$1/standby.signal"
  sync -f "$1"
}

# A volume without a data directory that is, or was, being cloned into.
unfinished_clone() { [ -e "$CLONE" ] || compgen -G "$VOLUME/pgdata.aside.*" >/dev/null; }

clone() {
  say "cloning $PEER"
  while :; do
    wait_for_upstream
    [ -d "$CLONE" ] || mkdir -m 700 "$CLONE"
    find "$CLONE" -mindepth 1 -delete
    ready_slot
    if run_in_group pg_basebackup -D "$CLONE" -S "$SLOT" -X stream -c fast -w -d "$UPSTREAM"; then break; fi
    say "the clone did not finish: trying again"
    pause
  done
  end_on_signal
  rm -rf "$CLONE/mfi-tls" "$CLONE/mfi.lock" "$CLONE/postmaster.pid"
  as_standby "$CLONE"
  mv "$CLONE" "$PGDATA"
  sync -f "$VOLUME"
  say "cloned: $(du -sh "$PGDATA" | cut -f 1)"
}

same_system_or_refuse() {
  [ "$(control 'Database system identifier')" = "$UPSTREAM_SYSTEM" ] ||
    die "this volume belongs to another database (system $(control 'Database system identifier'), $PEER is $UPSTREAM_SYSTEM); it is left as it is" \
      "If $PEER was made anew: remove the volume of $NODE and run docker compose up -d; a new standby is cloned." \
      "If not: find out why $PEER has another volume than before."
}

# A data directory that was a primary's becomes a standby of the other node: rewound, or cloned when that cannot be done.
rejoin() {
  wait_for_upstream
  same_system_or_refuse
  say "an older primary (timeline $(control "Latest checkpoint's TimeLineID")): rewinding it to $PEER (timeline $UPSTREAM_TIMELINE)"
  ready_slot # slots do not follow a promotion
  if pg_rewind -D "$PGDATA" --config-file="$CONFIG" --source-server="$SERVER user=postgres dbname=postgres"; then
    rm -rf "$PGDATA/postmaster.pid" "$PGDATA"/pg_replslot/* # those of a primary would keep WAL for nobody
    as_standby "$PGDATA"
  else
    set_aside "pg_rewind could not make this data directory a standby (above)"
    clone
  fi
  rm -f "$REJOIN"
}

# A valid standby starts even when nobody answers: it waits for its upstream by itself. Only its start finds out that its slot
# is lost, so one failed attempt is not the last.
check_standby() {
  local tries=3
  rm -f "$REJOIN"
  until find_upstream >/dev/null; do
    tries=$((tries - 1))
    [ $tries -gt 0 ] || return 0
    pause
  done
  same_system_or_refuse
  case "$(slot_state)" in
    missing) create_slot ;;
    lost) set_aside "$PEER no longer has the WAL this standby needs" && clone ;;
  esac
}
