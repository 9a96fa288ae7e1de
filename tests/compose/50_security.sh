# shellcheck shell=bash
# shellcheck disable=SC2016,SC2034,SC2154 # the runner and lib.sh set and use these
# Nobody gets in without TLS, a password and a right; no secret is told.
matches "no plain-text connection" 'no encryption' "$(PGSSLMODE=disable client "$PRIMARY_PORT" psql -X -c 'SELECT 1' 2>&1 || true)"
matches "nor to the replica" 'no encryption' "$(PGSSLMODE=disable client "$REPLICA_PORT" psql -X -c 'SELECT 1' 2>&1 || true)"
matches "a wrong password is refused" 'password authentication failed' "$(password=wrong client "$PRIMARY_PORT" psql -X -c 'SELECT 1' 2>&1 || true)"
matches "replicator reads no table" 'pg_hba.conf rejects' "$(PGPASSWORD=$password psql -X -h localhost -p "$PRIMARY_PORT" -U replicator -d mfi_banking -c 'SELECT 1' 2>&1 || true)"
primary "CREATE ROLE clerk LOGIN PASSWORD 'clerk'" >/dev/null
matches "PUBLIC calls no backup function" 'permission denied for function mfi_backup_now' "$(PGPASSWORD=clerk psql -X -h localhost -p "$PRIMARY_PORT" -U clerk -d mfi_banking -c 'SELECT mfi_backup_now()' 2>&1 || true)"
is "nor any other that acts" 0 "$(primary "SELECT count(*) FROM pg_proc WHERE proname ~ '^mfi_backup_(now|cancel|verify|hold|release|adopt)' AND has_function_privilege('clerk', oid, 'EXECUTE')")"
matches "replicator reads no table of the replica" 'pg_hba.conf rejects' "$(PGPASSWORD=$password psql -X -h localhost -p "$REPLICA_PORT" -U replicator -d mfi_banking -c 'SELECT 1' 2>&1 || true)"

secret=wörd
claim "no secret in the images' history" bash -c "! docker history --no-trunc mfi-primary | grep -q '$secret'"
for service in db-primary db-replica db-backup; do
  claim "none in the log of $service" bash -c "cd '$stack' && ! docker compose logs $service | grep -q '$secret'"
  claim "none in its processes" bash -c "cd '$stack' && ! docker compose exec -T $service sh -c 'cat /proc/[0-9]*/cmdline' | grep -aq '$secret'"
  claim "none of a file in its environment" bash -c "cd '$stack' && ! docker inspect \$(docker compose ps -q $service) | grep -q '$secret'"
done
primary "GRANT pg_monitor TO clerk" >/dev/null
wait_until 20 "the grant on the replica" answers replica "SELECT pg_has_role('clerk', 'pg_monitor', 'MEMBER')" t
for port in "$PRIMARY_PORT" "$REPLICA_PORT"; do
  is "none in what pg_monitor sees at $port" 't|0' "$(PGPASSWORD=clerk psql -X -At -h localhost -p "$port" -U clerk -d mfi_banking -c \
    "SELECT count(*) > 300, count(*) FILTER (WHERE seen LIKE '%$secret%')
       FROM (SELECT concat_ws(' ', setting, boot_val, reset_val) AS seen FROM pg_settings UNION ALL SELECT conninfo FROM pg_stat_wal_receiver
             UNION ALL SELECT query FROM pg_stat_activity WHERE pid <> pg_backend_pid()) AS s")"
done
