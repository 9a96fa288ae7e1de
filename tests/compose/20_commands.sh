# shellcheck shell=bash
# shellcheck disable=SC2016,SC2034,SC2154 # the runner and lib.sh set and use these
# The commands that people are told to type.
claim "docker compose ps" compose ps
for service in db-primary db-replica db-backup; do claim "docker compose logs $service" compose logs --tail 5 $service; done
claim "/backup.sh" compose exec -T db-backup /backup.sh
matches "the log of db-backup has its end" 'succeeded \(manual\).*verified by restore: ok' "$(wait_until 15 "logged" sh -c "cd $stack && docker compose logs db-backup | grep -q 'succeeded (manual)'" && logs db-backup)"
matches "/health.sh says warning, by its exit code too" 'backups-on-same-device.*exit 1' "$(compose exec -T db-backup /health.sh 2>&1 | tr '\n' ' '; echo "exit ${PIPESTATUS[0]}")"
matches "/keycloak-sync.sh asks for what it needs" 'KEYCLOAK_URL is not set.*exit 2' "$(compose exec -T db-backup /keycloak-sync.sh 2>&1 | tr '\n' ' '; echo "exit ${PIPESTATUS[0]}")"
matches "SELECT * FROM pg_stat_replication" 'db-replica' "$(primary 'SELECT * FROM pg_stat_replication')"
for table in activity_type mfi_country mfi_type platform_type; do claim "SELECT * FROM $table" primary "SELECT * FROM $table"; done
# At a terminal, while the dump waits for a table that another connection holds.
mkfifo "$work/session" "$work/keys"
client "$PRIMARY_PORT" psql -X -q <"$work/session" >/dev/null 2>&1 &
exec 7>"$work/session"
echo 'BEGIN; LOCK TABLE portals;' >&7
wait_until 20 "the lock" answers primary "SELECT count(*) FROM pg_locks WHERE relation = 'portals'::regclass AND mode = 'AccessExclusiveLock' AND granted" 1
(cd "$stack" && exec script -qefc 'docker compose exec db-backup /backup.sh interrupted' "$work/terminal" <"$work/keys" >/dev/null) &
terminal=$!
exec 8>"$work/keys"
claim "/backup.sh shows its progress on a terminal" wait_until 30 "progress" grep -q 'dumping' "$work/terminal"
printf '\003' >&8
code=0
wait $terminal || code=$?
is "Ctrl-C ends the waiting" 130 $code
is "but not the backup" dumping "$(primary "SELECT state FROM mfi_backups WHERE note = 'interrupted'")"
exec 7>&- 8>&-
claim "which goes on to its good end" wait_until 60 "its end" answers primary "SELECT state FROM mfi_backups WHERE note = 'interrupted'" succeeded

set=$(find "$stack/backups" -maxdepth 1 -name '*.sql.gz' -printf '%f\n' | sort | tail -n 1)
primary 'SELECT pg_sleep(300)' >/dev/null 2>&1 &
session=$!
claim "pg_restore --clean over the live system" client "$PRIMARY_PORT" pg_restore --clean "$stack/backups/$set"
kill $session 2>/dev/null || true
is "the history is complete after it" t "$(primary "SELECT count(*) >= 2 AND bool_and(state = 'succeeded') FROM mfi_backups")"
claim "the replica follows" wait_until 30 "streaming" streaming
matches "/restore.sh into a new database" 'all equal' "$(compose exec -T db-backup /restore.sh 2>&1)"
claim "/restore.sh --replace" compose exec -T db-backup /restore.sh --replace mfi_banking
is "the restored database is the live one" Hub "$(primary 'SELECT name FROM portals')"
claim "docker compose down" compose down -t 60
claim "docker compose up -d again" compose up -d
claim "healthy again" wait_until 120 "all healthy" all_healthy
is "data survives" Hub "$(primary 'SELECT name FROM portals')"
# The file for servers: nothing but REGISTRY_URL and DB_PASSWORD is needed, and each that is missing is named.
for_server() { compose --env-file /dev/null -f compose.yaml "$@"; }
REGISTRY_URL=registry.example/hub DB_PASSWORD=x claim "compose.yaml is valid" for_server config -q
matches "compose.yaml without REGISTRY_URL names the remedy" 'export REGISTRY_URL' "$(DB_PASSWORD=x for_server config -q 2>&1 || true)"
matches "without DB_PASSWORD, too" 'export DB_PASSWORD' "$(REGISTRY_URL=registry.example/hub for_server config -q 2>&1 || true)"
services() { # COMPOSE-OPTION...: what both files have in common
  REGISTRY_URL=registry.example/hub compose "$@" config --format json | jq -S '.services
    | map_values(del(.build, .image, .pull_policy) | .volumes |= map(select(.target | test("^/(etc/mfi|docker-entrypoint-initdb.d)$") | not)))'
}
is "both files have the same services" "$(services -f docker-compose.yml)" "$(services -f compose.yaml)"
