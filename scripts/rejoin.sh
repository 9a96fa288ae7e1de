#!/bin/bash
# rejoin.sh -D DATA-DIRECTORY -d PRIMARY [OPTION...]: makes a stopped old primary the standby of the node that was promoted.
# Step two of a failover. It rewinds (pg_rewind), or clones anew when that cannot be done, keeps this node's own
# configuration, and starts it. Run it as the server's user. PRIMARY is the new primary as a connection string of a
# superuser without a password (that belongs into a passfile), such as 'host=db2 port=5432 user=postgres'.
#   --replication CONNINFO  how this node will stream, when not as PRIMARY: 'host=db2 user=replicator passfile=...'
#   --slot NAME             its slot on the new primary (mfi_rejoin)
#   --name NAME             its application_name there (the slot's name)
#   --config-file FILE      when postgresql.conf is not in the data directory
#   --clone                 clones anew without trying pg_rewind
#   --no-start              leaves the start to you (systemctl start ...)
# Its slots are dropped, as those it had as a primary would keep WAL for nobody: make those of its own standbys again.
# Nothing else is deleted: what is replaced by a clone stays beside it as DATA-DIRECTORY.aside.*
set -euo pipefail
# shellcheck source=scripts/log.sh
. "$(dirname "$(readlink -f "$0")")/log.sh"
# shellcheck source=scripts/psql.sh
. "$(dirname "$(readlink -f "$0")")/psql.sh"
PATH=$PATH:/usr/lib/postgresql/17/bin
data='' primary='' stream='' slot=mfi_rejoin name='' config='' clone='' start=yes
OWN_FILES='postgresql.conf postgresql.auto.conf pg_hba.conf pg_ident.conf'

usage() {
  sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"
  exit "$1"
}
while [ $# -gt 0 ]; do
  case "$1" in
    -D) data=${2:?-D needs a directory} && shift ;;
    -d) primary=${2:?-d needs a connection string} && shift ;;
    --replication) stream=${2:?--replication needs a connection string} && shift ;;
    --slot) slot=${2:?--slot needs a name} && shift ;;
    --name) name=${2:?--name needs a name} && shift ;;
    --config-file) config=${2:?--config-file needs a file} && shift ;;
    --clone) clone=yes ;;
    --no-start) start='' ;;
    -h | --help) usage 0 ;;
    *) usage 2 >&2 ;;
  esac
  shift
done
if [ -z "$data" ] || [ -z "$primary" ]; then usage 2 >&2; fi
data=$(readlink -f "$data")
stream=${stream:-$primary}
name=${name:-$slot}
aside=$data.aside.$(date -u +%Y%m%dT%H%M%SZ)
new=$data.clone
export LC_MESSAGES=C PGCONNECT_TIMEOUT=5 PGAPPNAME='mfi rejoin.sh'

sql() { own_psql -w -v slot="$slot" -d "$primary dbname=postgres" <<<"$1"; }
control() { pg_controldata -D "$data" | sed -n "s/^$1: *//p"; }
setting() { # NAME VALUE: a line of a configuration file
  local value=${2//\\/\\\\}
  printf "%s = '%s'\n" "$1" "${value//\'/\'\'}"
}

check_here() {
  [ "$(id -u)" != 0 ] || die "not as root; nothing was changed" "Run it as the user of the server: runuser -u postgres -- $0 ..."
  [ ! -e "$new" ] || die "$new is in the way; nothing was changed" "It is what an interrupted clone left: remove it."
  pg_controldata -D "$data" >/dev/null || die "$data is no data directory; nothing was changed" "Give that of the old primary."
  if pg_ctl status -D "$data" >/dev/null; then
    die "the server of $data runs; nothing was changed" "Stop it first: pg_ctl stop -D $data (or systemctl stop ...)"
  fi
}

check_there() {
  local answer system timeline
  answer=$(sql "SELECT pg_is_in_recovery(), (SELECT system_identifier FROM pg_control_system()), rolsuper FROM pg_roles WHERE rolname = current_user") ||
    die "the new primary cannot be asked; nothing was changed" "Correct -d, or the other node's pg_hba.conf."
  [[ "$answer" == f\|* ]] || die "the server of -d is a standby, not a primary; nothing was changed" "Run promote.sh there first."
  [[ "$answer" == *\|t ]] || die "the role of -d is no superuser; nothing was changed" "pg_rewind reads files of the other node: use postgres."
  IFS='|' read -r _ system _ <<<"$answer"
  [ "$system" = "$(control 'Database system identifier')" ] ||
    die "the two nodes are different clusters (system $system there, $(control 'Database system identifier') here); nothing was changed" "Correct -D or -d."
  psql -X -q -At -w -d "$stream dbname=replication replication=true" -c IDENTIFY_SYSTEM >/dev/null ||
    die "this node may not stream from the new primary; nothing was changed" "Correct --replication, or 'host replication ...' in the other node's pg_hba.conf."
  timeline=$(sql "SELECT ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int")
  [ "$timeline" -gt "$(control "Latest checkpoint's TimeLineID")" ] ||
    die "the node of -d was not promoted from this one (timeline $timeline there, $(control "Latest checkpoint's TimeLineID") here); nothing was changed" \
      "When this one was promoted last, it is the primary: run rejoin.sh on the other node."
  say "rejoining timeline $timeline; what only this node has written since is given up"
}

# A slot that has lost WAL serves nobody.
make_slot() {
  sql "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = :'slot' AND wal_status = 'lost' AND NOT active" >/dev/null
  sql "SELECT pg_create_physical_replication_slot(:'slot', true)
        WHERE NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = :'slot')" >/dev/null
}

# pg_rewind and pg_basebackup bring the other node's configuration along: this node's own comes back, and says where
# to stream from.
keep_own_files() { # FROM TO
  local file
  for file in $OWN_FILES; do
    [ ! -f "$1/$file" ] || cp -p "$1/$file" "$2/"
  done
}
as_standby() { # DATA-DIRECTORY
  local auto=$1/postgresql.auto.conf
  touch "$auto"
  sed -i -E '/^ *(primary_conninfo|primary_slot_name|recovery_target[a-z_]*|synchronous_standby_names) *=/d' "$auto"
  {
    setting primary_conninfo "$stream application_name=$name"
    setting primary_slot_name "$slot"
  } >>"$auto"
  rm -f "$1/recovery.signal" "$1/postmaster.pid"
  touch "$1/standby.signal"
  sync -f "$1"
}

rewind() {
  local own=$data.own
  [ -z "$clone" ] || return 1
  rm -rf "$own"
  mkdir -m 700 "$own"
  keep_own_files "$data" "$own"
  local code=0
  pg_rewind -D "$data" --source-server="$primary dbname=postgres" ${config:+--config-file="$config"} || code=$?
  keep_own_files "$own" "$data"
  rm -rf "$own"
  return $code
}

clone_anew() {
  say "cloning the new primary; the old data directory stays as $aside"
  pg_basebackup -D "$new" -d "$stream" -S "$slot" -X stream -c fast -w ||
    die "the clone failed; the old data directory is as it was" "The lines above say why. Remove $new, and run this again with --clone."
  keep_own_files "$data" "$new"
  as_standby "$new"
  mv "$data" "$aside"
  mv "$new" "$data"
  sync -f "$(dirname "$data")"
}

wait_until_streaming() {
  local missing="SELECT 1 WHERE NOT EXISTS (SELECT FROM pg_replication_slots s JOIN pg_stat_replication r ON r.pid = s.active_pid WHERE s.slot_name = :'slot' AND r.state = 'streaming')"
  sql "$missing \\watch interval=0.5 count=120 min_rows=1" >/dev/null
  [ -n "$(sql "$missing")" ] || return 0
  die "this node runs, but does not stream yet" "Read its log, and ask the new primary: SELECT * FROM mfi_replication_health"
}

check_here
check_there
make_slot
if rewind; then
  rm -rf "$data"/pg_replslot/* # a primary's slots, which would keep WAL here for nobody; a clone has none either
  as_standby "$data"
else
  [ -n "$clone" ] || say "pg_rewind could not do it (above)"
  clone_anew
fi
if [ -z "$start" ]; then
  say "start this node's server now; it will stream from the new primary through slot $slot"
  exit 0
fi
pg_ctl start -s -w -t 600 -D "$data" -l "$data/rejoin.log" ${config:+-o "-c config_file=$config"} ||
  die "the server did not start" "Read $data/rejoin.log"
wait_until_streaming
say "this node is a standby of the new primary and streams from it"
