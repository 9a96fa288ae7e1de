# shellcheck shell=bash
# What a table's hash costs, with its count: against count(*) alone, each by one process. Sourced by bench/run.
# shellcheck disable=SC2154 # bench/run sets dir and runs

bench_contents() {
  local i table told=
  sql "ALTER DATABASE mfi_banking SET max_parallel_workers_per_gather = 0" >/dev/null
  for table in pgbench_accounts $(sql "SELECT relid FROM pg_partition_tree('user_auth_logs') WHERE isleaf ORDER BY pg_relation_size(relid) DESC LIMIT 1"); do
    rm -f "$dir"/count.s "$dir"/hash.s
    for ((i = 0; i < runs; i++)); do
      timed count.s sql "SELECT count(*) FROM ONLY $table"
      timed hash.s sql "SELECT rows, hash FROM _mfi_contents('$table'::regclass)"
    done
    told+="${told:+, }${table##*.} $(ratio "$(seconds hash.s)" "$(seconds count.s)") ($(seconds count.s) s)"
  done
  sql "ALTER DATABASE mfi_banking RESET max_parallel_workers_per_gather" >/dev/null
  say "rows and hash of a table, of count(*) alone: $told"
}
