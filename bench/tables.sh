# shellcheck shell=bash
# What a database of thousands of small tables costs: wall time, locks and the errors of clients, beside stock pg_dump. Sourced by
# bench/run. MFI_BENCH_TABLES (5000 20000): how many.
# shellcheck disable=SC2154 # bench/run sets dir and runs

many_tables() { # COUNT: a key and a row each
  as_postgres psql -X -q -v ON_ERROR_STOP=1 >/dev/null <<SQL
SET client_min_messages = warning;
DROP SCHEMA IF EXISTS many CASCADE;
CREATE SCHEMA many;
SELECT format('CREATE TABLE many.t%s (id int PRIMARY KEY, name text); INSERT INTO many.t%1\$s VALUES (%1\$s, md5(%1\$L))', i)
  FROM generate_series(1, $1) i \gexec
VACUUM ANALYZE;
SQL
}

# A client that opens 50 tables in each transaction, as a report does; what it says in the end, and the most locks that others held.
beside_reports() { # COMMAND...: prints "LOCKS FAILED TPS"
  local reports most=0 locks pid
  setsid -w "$BASH" -c "$(declare -f as_postgres); $(declare -p dir bindir port); as_postgres pgbench -n -c 2 -T 3600 -f reports.sql 2>&1" >"$dir/reports" &
  reports=$!
  "$@" >/dev/null &
  pid=$!
  while kill -0 $pid 2>/dev/null; do
    locks=$(sql "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE l.locktype = 'relation' AND a.application_name <> 'pgbench' AND a.pid <> pg_backend_pid()")
    [ "${locks:-0}" -le "$most" ] || most=$locks
  done
  wait $pid
  as_postgres psql -X -q -c "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pgbench'" >/dev/null
  wait $reports || true
  echo "$most $(grep -c 'shared memory' "$dir/reports" || true)"
}

bench_tables() {
  local count i ours stock
  for count in ${MFI_BENCH_TABLES:-5000 20000}; do
    configure max_locks_per_transaction $((count / 20)) mfi.backup_directory "$dir/backups" mfi.backup_jobs 2 mfi.backup_lock_timeout 60s
    stop
    start
    many_tables "$count"
    { echo 'BEGIN;'; seq 1 50 | sed 's/.*/SELECT name FROM many.t&;/'; echo 'COMMIT;'; } | as_postgres tee reports.sql >/dev/null
    rm -f "$dir"/incumbent.s "$dir"/ours.s "$dir"/proof.s
    for ((i = 0; i < runs; i++)); do
      timed incumbent.s incumbent
      configure mfi.backup_verify none
      timed ours.s backup
      configure mfi.backup_verify restore
      timed proof.s backup
    done
    stock=$(beside_reports incumbent)
    ours=$(beside_reports backup)
    say "$count tables: dump, jobs 2: wall $(ratio "$(seconds ours.s)" "$(seconds incumbent.s)") of pg_dump -Fc -Z6 ($(seconds incumbent.s) s), with its proof $(ratio "$(seconds proof.s)" "$(seconds incumbent.s)"); locks at most ${ours% *} (pg_dump ${stock% *}), clients without room for a lock ${ours#* } (pg_dump ${stock#* }), with max_locks_per_transaction = $((count / 20))"
  done
}
