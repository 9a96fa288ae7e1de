#!/bin/bash
# The whole of mfi on this machine, in a directory of its own: see the closing lines it prints.
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/demo/common.sh
. scripts/demo/servers.sh

STEPS=9
step() { printf '\n%s/%s  %s\n' "$1" "$STEPS" "$2"; }

# A statement and its answer, 80 columns wide, each element of an array on its own line: show PORT SQL [PSQL-OPTION...]
show() {
  local port=$1 query=$2
  shift 2
  printf '\n%s=# %s;\n' "$([ "$port" = "$PRIMARY_PORT" ] && echo primary || echo replica)" "$query" | fold -s -w 80 | sed 's/ *$//'
  as_postgres psql -X -q -h "$DEMO_DIR" -p "$port" -d "$DATABASE" -P format=wrapped -P columns=80 -P footer=off "$@" -c "$query" |
    sed '/^$/d; s/","/",\n  "/g; s/\\"/"/g' | fold -s -w 80 | sed 's/ *$//'
}
show_long() { show "$@" -A -t -F ' | '; }      # rows of long text, broken between words
show_record() { show "$@" -A -t -x -F ': '; } # a line per column

build() {
  if ! make -j "$(nproc)" PG_CONFIG="$PG_CONFIG" >"$NOTES" 2>&1 || ! as_root make install PG_CONFIG="$PG_CONFIG" >>"$NOTES" 2>&1; then
    tail -n 40 "$NOTES"
    fail "the extension could not be built or installed" "The last lines of the build are above."
  fi
}

make_database() {
  sql "$PRIMARY_PORT" postgres "CREATE DATABASE $DATABASE" -q
  sql "$PRIMARY_PORT" "$DATABASE" "SET client_min_messages = warning; CREATE EXTENSION mfi CASCADE" -q
  as_postgres psql -X -q -h "$DEMO_DIR" -p "$PRIMARY_PORT" -d "$DATABASE" <scripts/demo/data.sql
  wait_for 60 "a partition for last month's events, by the worker," "$PRIMARY_PORT" \
    "SELECT reasons::text !~ 'audit-rows-outside' FROM mfi_health('node')"
}

row_counts() { # DBNAME: "table count" of every table of the hub, sorted
  sql "$PRIMARY_PORT" "$1" "SELECT relname, (xpath('//c/text()', query_to_xml(format('SELECT count(*) AS c FROM public.%I', relname),
    false, true, '')))[1] FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') ORDER BY relname COLLATE \"C\"" -F ' '
}

restore_and_compare() { # DUMP
  local counts
  sql "$PRIMARY_PORT" postgres "CREATE DATABASE mfi_restored TEMPLATE template0" -q
  as_postgres pg_restore -h "$DEMO_DIR" -p "$PRIMARY_PORT" -d mfi_restored --exit-on-error "$1" 2>"$NOTES" ||
    { cat "$NOTES"; fail "the backup could not be restored" "pg_restore says why above."; }
  counts=$(join <(row_counts "$DATABASE") <(row_counts mfi_restored))
  printf '%s\n' "$counts" | awk 'BEGIN { printf "     %-26s%12s%12s\n", "table", "original", "restored" }
    { printf "     %-26s%12d%12d\n", $1, $2, $3; a += $2; b += $3; if ($2 != $3) bad = 1 }
    END { printf "     %-26s%12d%12d   %s\n", NR " tables", a, b, bad ? "DIFFERENT" : "all equal"; exit bad }' ||
    fail "the restored rows differ from the original ones" "The databases $DATABASE and mfi_restored are there to compare."
}

# A mistake on the primary, which the replica repeats at once, and the way back from what the replica has received.
undo_a_mistake() {
  local count="SELECT count(*) FROM mfi_users" before moment after store undone=mfi_before_mistake
  wait_for 120 "the replica's first base backup and its drill" "$REPLICA_PORT" \
    "SELECT count(*) > 0 FROM mfi_recovery_drills WHERE result = 'ok'"
  show_record "$REPLICA_PORT" "SELECT oldest_time, newest_time, drill_result, rpo, rto FROM mfi_recovery"
  before=$(sql "$PRIMARY_PORT" "$DATABASE" "$count")
  moment=$(sql "$PRIMARY_PORT" postgres "SELECT clock_timestamp()")
  sql "$PRIMARY_PORT" "$DATABASE" "SELECT pg_sleep(0.01)" -q -o /dev/null
  show "$PRIMARY_PORT" "DELETE FROM mfi_users WHERE id % 2 = 0"
  after=$(sql "$PRIMARY_PORT" "$DATABASE" "$count")
  wait_for 30 "the DELETE on the replica" "$REPLICA_PORT" "SELECT ($count) = $after"
  store=$(echo "$DEMO_DIR"/recovery/*)
  printf '\n$ mfi recover --to "%s" --into %s\n' "$moment" "$undone"
  as_postgres env PGHOST="$DEMO_DIR" PGPORT="$PRIMARY_PORT" PGDATABASE="$DATABASE" \
    mfi recover --to "$moment" --into "$undone" --store "$store" --scratch "$DEMO_DIR" >"$NOTES" 2>&1 ||
    { cat "$NOTES"; fail "the moment before the mistake could not be recovered" "mfi recover says why above."; }
  sed -n '/^What it held then/,$ { /then  *now$/p; /differs$/p; /^What/p; }' "$NOTES" | sed 's/^/     /'
  # shellcheck disable=SC2016
  as_postgres sh -c 'psql -X -q -h "$1" -p "$2" -d "$3" -c "COPY mfi_users TO STDOUT" |
    psql -X -q -h "$1" -p "$2" -d "$4" -c "CREATE TEMP TABLE before (LIKE mfi_users)" -c "COPY before FROM STDIN" \
      -c "INSERT INTO mfi_users SELECT * FROM before ON CONFLICT DO NOTHING"' - "$DEMO_DIR" "$PRIMARY_PORT" "$undone" "$DATABASE"
  printf '\n     rows of mfi_users: %s, after the mistake %s, and now %s\n' "$before" "$after" "$(sql "$PRIMARY_PORT" "$DATABASE" "$count")"
  [ "$(sql "$PRIMARY_PORT" "$DATABASE" "$count")" = "$before" ] || fail "the rows did not come back" "The databases $DATABASE and $undone are there to compare."
}

verdict_line() { show_long "${1:-$PRIMARY_PORT}" "SELECT verdict, summary FROM mfi_replication_status()"; }

wait_for_ok() { # both nodes know each other, and have nothing to complain about
  wait_for 60 "the verdict ok on the primary" "$PRIMARY_PORT" \
    "SELECT bool_and(verdict = 'ok') AND bool_or(peer = 'db-replica') FROM mfi_replication_status()"
  wait_for 60 "the verdict ok on the replica" "$REPLICA_PORT" \
    "SELECT bool_and(verdict = 'ok') AND bool_or(state = 'streaming') FROM mfi_replication_status()"
}

ONE_REASON="SELECT cardinality(reasons) = 1 AND reasons[1] LIKE 'backups-on-same-device: %' FROM mfi_health()"

closing_lines() {
  say "
This is a demo: two servers on one machine, reachable from this machine only.
\"Keep it\" in README.md says how to install mfi on servers of your own.

  Primary  PGPASSFILE=$DEMO_DIR/pgpass \\
           psql -h localhost -p $PRIMARY_PORT -U postgres -d $DATABASE
  Replica  PGPASSFILE=$DEMO_DIR/pgpass \\
           psql -h localhost -p $REPLICA_PORT -U postgres -d $DATABASE
  Try      SELECT * FROM mfi_health();
           SELECT mfi_backup_now(wait => true);
  Backups  $DEMO_DIR/backups
  Any time mfi_before_mistake holds what was there before the mistake, and
           $DEMO_DIR/recovery what the replica receives
  Remove   make demo-down"
}

report() {
  show_record "$PRIMARY_PORT" "SELECT * FROM mfi_health()"
  if sql "$PRIMARY_PORT" "$DATABASE" "SELECT reasons FROM mfi_health()" | grep -q backups-on-same-device; then
    say "  (Right: this demo keeps its backups on the disk of its data.)"
  fi
  show_long "$PRIMARY_PORT" "SELECT mfi_replication_status()"
  show "$PRIMARY_PORT" "SELECT trigger, state, pg_size_pretty(size_bytes) AS size, verify_method AS proof, verify_result AS result, id FROM mfi_backups"
  closing_lines
}

check_directory
check_rights
scripts/dev/setup.sh build
PG_CONFIG=$(scripts/dev/find_pg_config.sh)
BINDIR=$("$PG_CONFIG" --bindir)

if as_root test -e "$DEMO_DIR"; then
  case "$(progress)" in
    complete)
      say "The demo is there already, in $DEMO_DIR; \`make demo-down\` removes it."
      for server in primary replica; do running "$server" || { say "Starting the $server." && start_server "$server"; }; done
      comes_true 30 "$PRIMARY_PORT" "$ONE_REASON" || true # it may have been used for something else meanwhile
      report
      exit
      ;;
    begun)
      say "An earlier \`make demo\` did not finish: removing what it left in $DEMO_DIR."
      remove_demo
      ;;
    *) as_root rmdir "$DEMO_DIR" 2>/dev/null ||
      fail "$DEMO_DIR exists and is not this demo's" "Choose another place: make demo MFI_DEMO_DIR=/path" ;;
  esac
fi
check_ports
NOTES=$(mktemp)
finish() {
  local code=$?
  rm -f "$NOTES"
  [ $code = 0 ] || say "demo: not finished. \`make demo\` begins anew, \`make demo-down\` removes what is there."
}
trap finish EXIT
trap 'exit 130' INT TERM

say "mfi demo: a primary and a replica on this machine, everything in $DEMO_DIR"
step 1 "Build the extension and install it into PostgreSQL ($("$PG_CONFIG" --pkglibdir))"
build
make_directory
step 2 "Start a primary on 127.0.0.1:$PRIMARY_PORT"
make_passwords
make_primary
step 3 "Create database $DATABASE, extension mfi and a few thousand rows"
make_database
show "$PRIMARY_PORT" "SELECT name, is_active, user_count FROM v_active_portals ORDER BY name"
step 4 "Clone a replica through a replication slot and start it on 127.0.0.1:$REPLICA_PORT"
make_replica
wait_for_ok
verdict_line
verdict_line "$REPLICA_PORT"
step 5 "Take a backup: SELECT mfi_backup_now(wait => true)"
backup=$(sql "$PRIMARY_PORT" "$DATABASE" "SELECT mfi_backup_now(wait => true)")
say "     $DEMO_DIR/backups/$backup"
step 6 "Restore it into a new database and compare the rows"
restore_and_compare "$DEMO_DIR/backups/$backup.sql.gz"
step 7 "Stop the replica: the primary must notice. Start it: the primary must recover"
stop_server replica
wait_for 60 "a verdict other than ok after the replica stopped" "$PRIMARY_PORT" "SELECT bool_or(verdict <> 'ok') FROM mfi_replication_status()"
verdict_line
start_server replica
wait_for_ok
verdict_line
wait_for 120 "a verdict with one reason, backups-on-same-device," "$PRIMARY_PORT" "$ONE_REASON"
step 8 "Delete rows by mistake, and bring them back as they were a moment before"
undo_a_mistake
step 9 "The whole at a glance"
mark complete
report
