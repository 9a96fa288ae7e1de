# shellcheck shell=bash
# What the walls around a proof cost: a set proven by mfi_backup_verify, against the same steps without them, by a superuser in
# a server without a sandbox, with the same settings, jobs and checks. Sourced by bench/run.
# shellcheck disable=SC2154 # bench/run sets dir and runs

scratch_without_walls() {
  local set=$dir/backups/latest scratch=$dir/scratch
  as_postgres sha256sum "$set"/*.dir/* "$set"/globals.sql
  as_postgres initdb -D "$scratch" -U postgres -A trust -E UTF8 --locale=C --no-sync --no-instructions
  as_postgres pg_ctl start -s -w -D "$scratch" -l "$dir/scratch.log" -o "-c listen_addresses= -c port=5432 -c unix_socket_directories=$scratch \
    -c max_worker_processes=0 -c max_wal_senders=0 -c wal_level=minimal -c autovacuum=off -c fsync=off -c full_page_writes=off -c synchronous_commit=off \
    -c checkpoint_timeout=1d -c max_wal_size=4GB -c maintenance_work_mem=256MB -c shared_buffers=128MB -c log_min_messages=error"
  as_postgres psql -X -q -h "$scratch" -p 5432 -d postgres -c 'CREATE DATABASE mfi_banking TEMPLATE template0 LOCALE_PROVIDER libc LC_COLLATE "C.UTF-8" LC_CTYPE "C.UTF-8"'
  as_postgres psql -X -q -h "$scratch" -p 5432 -d postgres -c 'CREATE ROLE mfi_sync' -c 'CREATE ROLE mfi_audit_owner'
  as_postgres pg_restore --jobs=2 --exit-on-error --no-tablespaces -h "$scratch" -p 5432 -d mfi_banking "$set"/*.dir 2>/dev/null
  as_postgres psql -X -At -h "$scratch" -p 5432 -d mfi_banking \
    -c "SELECT string_agg(format('SELECT count(*) FROM ONLY %s', oid::regclass), ' UNION ALL ') FROM pg_class WHERE relkind = 'r' AND relnamespace::regnamespace::text !~ '^(pg_|information_schema)'" \
    -c '\gexec'
  as_postgres pg_ctl stop -s -m immediate -D "$scratch"
  as_postgres rm -rf "$scratch"
}

bench_walls() {
  local i id
  configure mfi.backup_directory "$dir/backups" mfi.backup_verify restore mfi.backup_jobs 2 mfi.backup_nice 0
  id=$(backup)
  rm -f "$dir"/without_walls.s "$dir"/walls.s
  for ((i = 0; i < runs; i++)); do
    timed without_walls.s scratch_without_walls
    timed walls.s sql "SELECT mfi_backup_verify('$id')"
  done
  say "a proof with both walls, jobs 2: wall $(ratio "$(seconds walls.s)" "$(seconds without_walls.s)") of the same steps by a superuser without a sandbox ($(seconds without_walls.s) s)"
  configure mfi.backup_nice 19
}
