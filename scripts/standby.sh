# shellcheck shell=bash
# shellcheck disable=SC2154 # node.sh sets NODE, PEER, VOLUME, RUN, PASSFILE and CONFIG
# How a node becomes and stays a standby of the other one, through a slot of its own. No data directory is deleted that is
# not our own unfinished clone.
# shellcheck source=scripts/psql.sh
. /usr/local/lib/mfi/psql.sh
SLOT=${NODE//-/_}
CLONE=$VOLUME/pgdata.clone # ours by its name: emptied when unfinished
REJOIN=$VOLUME/mfi.rejoin  # made by /rejoin.sh
# Whoever else answers under the other node's name gets no password, and is not believed: both must prove that they know it, on a
# connection that ends at the very server that proves it. Both always have TLS, whatever MFI_TLS lets others do.
SERVER="host=$PEER port=5432 passfile=$PASSFILE sslmode=require gssencmode=disable require_auth=scram-sha-256 channel_binding=require connect_timeout=5"
UPSTREAM="$SERVER user=replicator application_name=$NODE"

# A name server that does not answer is not waited for longer than the other node.
RESOLVE='timeout:3 attempts:2'
upstream() { RES_OPTIONS=$RESOLVE psql -X -q -At -w "$UPSTREAM dbname=replication replication=true" -c "$1"; }
ask_peer() { RES_OPTIONS=$RESOLVE own_psql -w "$SERVER user=postgres dbname=postgres" -c "$1"; }

# Sets the upstream's UPSTREAM_SYSTEM and UPSTREAM_TIMELINE by a replication connection, which the temporary server of the
# primary's first start does not give. Prints the error when there is none.
find_upstream() {
  local answer
  answer=$(upstream IDENTIFY_SYSTEM 2>&1) || { printf '%s\n' "$answer" && return 1; }
  IFS='|' read -r UPSTREAM_SYSTEM UPSTREAM_TIMELINE _ <<<"$answer"
}

why_waiting() {
  local error
  error=$(<"$RUN/upstream.error")
  if not_authenticated "$error"; then
    printf '%s\n' "waiting for $PEER: a server answers there, but cannot be shown to be the other node, or does not let this one in: $error" \
      "    Have both nodes the same DB_PASSWORD? If so, find out who answers under the name $PEER."
  else
    printf '%s\n' "waiting for $PEER: $error"
  fi
}

wait_for_upstream() {
  local told=
  until find_upstream >"$RUN/upstream.error"; do
    [ "$(<"$RUN/upstream.error")" = "$told" ] || say "$(why_waiting)"
    told=$(<"$RUN/upstream.error")
    pause
  done
}

# primary, standby, or unknown when somebody answers who does not say or cannot be authenticated; nothing when nobody is there.
# The error is in $RUN/peer.error.
peer_role() {
  local answer
  if answer=$(ask_peer 'SELECT pg_is_in_recovery()' 2>"$RUN/peer.error"); then
    case "$answer" in
      f) echo primary ;;
      t) echo standby ;;
      *) echo unknown ;;
    esac
  elif ! nobody_there "$(<"$RUN/peer.error")"; then
    echo unknown
  fi
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

# Settings that would win over this node's own of where its upstream is: those that were cloned speak of the other node's, and others may
# demand less of it.
own_upstream() { # DATA-DIRECTORY
  local names='primary_conninfo|primary_slot_name|cluster_name'
  grep -qE "^ *($names) *=" "$1/postgresql.auto.conf" || return 0
  say "postgresql.auto.conf: ${names//|/, } are removed, this stack sets them"
  sed -i -E "/^ *($names) *=/d" "$1/postgresql.auto.conf"
}
as_standby() { # DATA-DIRECTORY
  own_upstream "$1"
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
  rm -rf "$CLONE/mfi-tls" "$CLONE"/mfi.{lock,word,word.lock} "$CLONE/postmaster.pid"
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
  own_upstream "$PGDATA"
  until find_upstream >"$RUN/upstream.error"; do
    tries=$((tries - 1))
    [ $tries -gt 0 ] || { say "$(why_waiting)" && return 0; }
    pause
  done
  same_system_or_refuse
  case "$(slot_state)" in
    missing) create_slot ;;
    lost) set_aside "$PEER no longer has the WAL this standby needs" && clone ;;
  esac
}
