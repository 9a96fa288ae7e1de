# shellcheck shell=bash
# shellcheck disable=SC2016,SC2034,SC2154 # the runner and lib.sh set and use these
# Up from nothing: the system stands, and both nodes are what they say.
claim "docker compose up -d" compose up -d
claim "everything gets healthy" wait_until 120 "all healthy" all_healthy
is "the replica started after the primary was healthy" yes "$(
  started=$(docker inspect -f '{{.State.StartedAt}}' "$(compose ps -q db-replica)")
  created=$(docker inspect -f '{{.State.StartedAt}}' "$(compose ps -q db-primary)")
  [[ "$started" > "$created" ]] && echo yes)"
is "\\dt shows the 17 tables" 17 "$(client "$PRIMARY_PORT" psql -X -At -c '\dt' | wc -l)"
claim "the replica streams" wait_until 30 "streaming" streaming
is "seeds on the primary" '10|10|5|6' "$(primary "SELECT (SELECT count(*) FROM activity_type), (SELECT count(*) FROM mfi_country), (SELECT count(*) FROM mfi_type), (SELECT count(*) FROM platform_type)")"
is "seeds on the replica" '10|10|5|6' "$(replica "SELECT (SELECT count(*) FROM activity_type), (SELECT count(*) FROM mfi_country), (SELECT count(*) FROM mfi_type), (SELECT count(*) FROM platform_type)")"
is "the replica is a standby" t "$(replica 'SELECT pg_is_in_recovery()')"
matches "the replica refuses writes" 'read-only transaction' "$(replica "INSERT INTO mfi_country (name) VALUES ('Nowhere')" 2>&1 || true)"
claim "a row written on the primary" primary "INSERT INTO portals (name, realm_id, client_id) VALUES ('Hub', 'hub', 'web')"
claim "is read on the replica" wait_until 20 "the row arrives" answers replica "SELECT name FROM portals" Hub
is "through the slot" 'db_replica|t' "$(primary "SELECT slot_name, active FROM pg_replication_slots")"
claim "the first backup is in ./backups" wait_until 30 "a set" sh -c "ls '$stack'/backups/*/manifest.json"
claim "and verified" wait_until 60 "verified" answers primary "SELECT verify_result FROM mfi_backups WHERE trigger = 'start'" ok
is "checksums are on" on "$(primary 'SHOW data_checksums')"
is "readable by the group of the user who has ./backups" '4321 640' "$(stat -c '%g %a' "$stack/backups/latest/mfi_banking.dump")"
is "but not the passwords in it" '600' "$(stat -c '%a' "$stack/backups/latest/globals.sql")"
is "listening on every address of the host" "0.0.0.0:$PRIMARY_PORT 0.0.0.0:$REPLICA_PORT" "$(compose port db-primary 5432) $(compose port db-replica 5432)"
is "by users of the same number in every image" '999:999 999:999' "$(for service in db-primary db-replica; do compose exec -T $service sh -c 'echo $(id -u postgres):$(id -g postgres)'; done | xargs)"
is "no container runs as root" '999 999 999' "$(for service in db-primary db-replica db-backup; do compose exec -T $service stat -c %u /proc/1; done | xargs)"
for service in db-primary db-replica; do
  claim "no compiler in the image of $service" compose exec -T $service sh -c '! command -v cc g++ clang make'
done
for node in primary replica; do
  is "$node: settings" 'replica|10GB|on|mfi|/backups' "$($node "SELECT current_setting('wal_level'), current_setting('max_slot_wal_keep_size'), current_setting('hot_standby_feedback'), current_setting('shared_preload_libraries'), current_setting('mfi.backup_directory')")"
done
is "room in shared memory for parallel restores" '256M 256M' "$(for service in db-primary db-replica; do compose exec -T $service df -h --output=size /dev/shm | tail -n 1; done | xargs)"

claim "a server that dies" compose exec -T db-primary bash -c 'kill -QUIT 1'
claim "starts again by itself" wait_until 60 "one restart, healthy" sh -c "docker inspect -f '{{.RestartCount}} {{.State.Health.Status}}' '$COMPOSE_PROJECT_NAME-db-primary-1' | grep -qx '1 healthy'"
claim "and the replica streams on" wait_until 60 "streaming" streaming
