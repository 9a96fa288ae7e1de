#!/bin/bash
# The container of the replica: decides by evidence whether to clone, to start, to rewind or to refuse, then starts the
# server as a standby. It never deletes a data directory that is not its own unfinished clone, and never starts as a
# primary because nobody answered.
set -euo pipefail
# shellcheck source=scripts/node.sh
. /usr/local/lib/mfi/node.sh
SLOT=db_replica
CLONE=$VOLUME/pgdata.clone # ours by its name: removed when unfinished
PASSFILE=$RUN/pgpass
SSLMODE=require
[ "${MFI_TLS:-require}" = require ] || SSLMODE=prefer
SERVER="host=db-primary port=5432 passfile=$PASSFILE sslmode=$SSLMODE connect_timeout=5"
UPSTREAM="$SERVER user=replicator application_name=db-replica"

upstream() { psql -X -q -At -w "$UPSTREAM dbname=replication replication=true" -c "$1"; }

# Waits for a replication connection: the temporary server of the primary's first start gives none.
# Sets the upstream's UPSTREAM_SYSTEM and UPSTREAM_TIMELINE.
wait_for_upstream() {
  local answer told=
  until answer=$(upstream IDENTIFY_SYSTEM 2>&1); do
    [ "$answer" = "$told" ] || say "waiting for db-primary: $answer"
    told=$answer
    sleep 2 &
    wait $!
  done
  IFS='|' read -r UPSTREAM_SYSTEM UPSTREAM_TIMELINE _ <<<"$answer"
}

control() { # FIELD: of our own pg_control; fails when that is missing or damaged
  local data
  data=$(pg_controldata -D "$PGDATA" 2>&1) && ! grep -q WARNING <<<"$data" && sed -n "s/^$1: *//p" <<<"$data"
}

# The slot as the upstream has it: kept, missing, or lost (its WAL is gone).
slot_state() {
  local kind lsn
  IFS='|' read -r kind lsn _ <<<"$(upstream "READ_REPLICATION_SLOT $SLOT")"
  if [ "$kind" != physical ]; then echo missing; elif [ -n "$lsn" ]; then echo kept; else echo lost; fi
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
  [ "$PGDATA" != "$VOLUME" ] || die "$1" "It fills the volume itself. Remove the volume of db-replica, then: docker compose up -d"
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

clone() {
  say "cloning db-primary"
  while :; do
    wait_for_upstream
    rm -rf "$CLONE"
    ready_slot
    if run_in_group pg_basebackup -D "$CLONE" -S "$SLOT" -X stream -c fast -w -d "$UPSTREAM"; then break; fi
    say "the clone did not finish: trying again in 5 s"
    sleep 5 &
    wait $!
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
    die "this volume belongs to another database (system $(control 'Database system identifier'), db-primary is $UPSTREAM_SYSTEM); it is left as it is" \
      "If the primary was made anew: remove the volume of db-replica and run docker compose up -d; a new replica is cloned." \
      "If not: find out why db-primary has another volume than before."
}

# A data directory that was a primary's: promoted here, or an old primary.
rejoin() {
  local timeline
  [ "${MFI_PROMOTED:-}" != yes ] || return 0
  wait_for_upstream
  same_system_or_refuse
  timeline=$(control "Latest checkpoint's TimeLineID")
  [ "$timeline" -lt "$UPSTREAM_TIMELINE" ] ||
    die "this node was promoted (timeline $timeline) and db-primary is a primary too (timeline $UPSTREAM_TIMELINE): it is not started" \
      "To keep this node as the primary: stop db-primary, set MFI_PROMOTED=yes in .env, docker compose up -d db-replica." \
      "To keep db-primary: remove the volume of db-replica, then docker compose up -d; a new replica is cloned."
  say "an older primary (timeline $timeline): rewinding it to db-primary (timeline $UPSTREAM_TIMELINE)"
  ready_slot # slots do not follow a promotion
  pg_rewind -D "$PGDATA" --config-file="$CONFIG" --source-server="$SERVER user=postgres dbname=postgres" ||
    die "pg_rewind could not make this volume a standby again" "Remove the volume of db-replica, then: docker compose up -d"
  rm -f "$PGDATA/postmaster.pid"
  as_standby "$PGDATA"
}

# A valid standby starts even when nobody answers: it waits for its upstream by itself.
check_standby() {
  local answer
  answer=$(upstream IDENTIFY_SYSTEM 2>/dev/null) || return 0
  IFS='|' read -r UPSTREAM_SYSTEM UPSTREAM_TIMELINE _ <<<"$answer"
  same_system_or_refuse
  case "$(slot_state)" in
    missing) create_slot ;;
    lost) set_aside "db-primary no longer has the WAL this replica needs" && clone ;;
  esac
}

become_postgres "$@"
check_password
one_server_per_volume
write_passfile "$PASSFILE"
{
  setting primary_conninfo "$UPSTREAM"
  setting primary_slot_name "$SLOT"
} | write_node_settings
rm -rf "$CLONE"
if [ ! -d "$PGDATA" ]; then
  clone
elif ! control 'Database system identifier' >/dev/null; then
  set_aside "this data directory has no valid pg_control"
  clone
elif [ -f "$PGDATA/standby.signal" ]; then
  check_standby
else
  rejoin
fi
check_settings "$PGDATA"
start_server
