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
