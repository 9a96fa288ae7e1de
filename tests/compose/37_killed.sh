# shellcheck shell=bash
# shellcheck disable=SC2016,SC2034,SC2154 # the runner and lib.sh set and use these
# Process 1 of the containers is killed in random order, while rows are written and a backup runs: each comes back by itself,
# no acknowledged row is lost, no half set has a good name. Three times; with MFI_LONG twenty.
services=(db-primary db-replica db-backup)
kill_first() { kill -KILL "$(docker inspect -f '{{.State.Pid}}' "$COMPOSE_PROJECT_NAME-$1-1")"; }
restarts() { docker inspect -f '{{.RestartCount}}' "$COMPOSE_PROJECT_NAME-$1-1"; }
came_back() { test "$(restarts "$1")" -gt "$2" && all_healthy && streaming; } # SERVICE RESTARTS-BEFORE
write_rows() {
  while [ -e "$work/writing" ]; do
    yes 'INSERT INTO ledger DEFAULT VALUES RETURNING id;' | client "$PRIMARY_PORT" psql -X -q -At 2>/dev/null || read -r -t 0.3 <> <(:) || true
  done >>"$work/written"
}
order=$(shuf -e "${services[@]}")
[ -z "${MFI_LONG:-}" ] || order=$(shuf -r -n 20 -e "${services[@]}")
primary 'CREATE TABLE ledger (id bigserial PRIMARY KEY)' >/dev/null
touch "$work/written" "$work/writing"
write_rows &
writer=$!
for service in $order; do
  rows=$(wc -l <"$work/written")
  claim "rows are written" wait_until 30 "200 more" sh -c "test \$(wc -l <'$work/written') -gt $((rows + 200))"
  primary "SELECT mfi_backup_now(note => 'while $service is killed')" >/dev/null
  claim "a backup runs" wait_until 20 "dumping" answers primary "SELECT count(*) FROM mfi_backups WHERE state NOT IN ('queued', 'succeeded', 'failed', 'cancelled')" 1
  before=$(restarts "$service")
  kill_first "$service"
  claim "$service is killed, and everything comes back" wait_until 90 "everything" came_back "$service" "$before"
done
rm "$work/writing"
client "$PRIMARY_PORT" psql -X -q -c "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query ~ '^INSERT INTO ledger'" >/dev/null
wait $writer || true
sort "$work/written" >"$work/expected"
primary 'SELECT id FROM ledger' | sort >"$work/kept"
is "no acknowledged row is lost ($(wc -l <"$work/written"))" '' "$(comm -23 "$work/expected" "$work/kept")"
claim "the replica has them all" wait_until 30 "the same rows" answers replica 'SELECT count(*) FROM ledger' "$(primary 'SELECT count(*) FROM ledger')"
claim "every run has come to its end" wait_until 60 "no run" answers primary "SELECT count(*) FROM mfi_backups WHERE state NOT IN ('succeeded', 'failed', 'cancelled')" 0
is "every name in ./backups is a good set's" '' "$(comm -23 <(find "$stack/backups" -maxdepth 1 -name 'mfi_banking_*' -printf '%f\n' | sed 's/\.sql\.gz$//' | sort -u) \
  <(primary "SELECT id FROM mfi_backups WHERE state = 'succeeded' AND path IS NOT NULL" | sort))"
is "and each set of these minutes is proven again" '' "$(primary "SELECT id || ' ' || mfi_backup_verify(id) FROM mfi_backups WHERE path IS NOT NULL AND note LIKE 'while % is killed'" | grep -v ' ok$')"
primary 'DROP TABLE ledger' >/dev/null
