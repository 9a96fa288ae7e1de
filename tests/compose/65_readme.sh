# shellcheck shell=bash
# shellcheck disable=SC2016,SC2034,SC2154 # the runner and lib.sh set and use these
# What docs/containers.md tells people to type, taken from its text and run as it stands there (on this run's ports).
follows() { # LINE: shows what there is, and goes on
  local line=$1 code=0 output
  grep -qFx -- "$line" "$stack/docs/containers.md" || { echo "docs/containers.md has no line: $line" && return 1; }
  output=$(cd "$stack" && timeout 3 bash -c "$line" 2>&1) || code=$?
  printf '%s\n' "$output" && [ "$code" = 124 ] && [ -n "$output" ]
}
images() { # of the containers, as they run
  for service in db-primary db-replica db-backup; do docker inspect -f '{{.Config.Image}}' "$COMPOSE_PROJECT_NAME-$service-1"; done | xargs
}
typed() { # PSQL-LINE SQL-LINE
  grep -qFx -- "$2" "$stack/docs/containers.md" || { echo "docs/containers.md has no line: $2" && return 1; }
  readme "$1" <<<"$2" | grep .
}
on_primary='psql -h localhost -p 8008 -U postgres -d mfi_banking'
on_replica='psql -h localhost -p 8009 -U postgres -d mfi_banking'
claim "cp .env.example .env" grep -qFx 'cp .env.example .env' "$stack/docs/containers.md"
for line in 'docker compose up -d' 'docker compose ps' 'docker compose exec db-backup /backup.sh' 'docker compose exec db-backup /restore.sh' \
  'docker compose exec db-backup /restore.sh --replace mfi_banking' 'docker compose exec db-backup /recover.sh --list'; do
  claim "$line" readme "$line"
done
matches "docker compose exec db-backup /health.sh" '^(ok|warning)$' "$(readme 'docker compose exec db-backup /health.sh' 2>&1)"
for line in 'docker compose exec db-backup /keycloak-sync.sh --dry-run' 'docker compose exec db-backup /keycloak-sync.sh'; do
  matches "$line" 'KEYCLOAK_URL is not set' "$(cd "$stack" && grep -qE -- "^$line( |$)" docs/keycloak.md && bash -c "$line" 2>&1)"
done
claim "SELECT * FROM pg_stat_replication;" typed "$on_primary" 'SELECT * FROM pg_stat_replication;'
for line in '\dt' 'SELECT * FROM activity_type;' 'SELECT * FROM mfi_country;' 'SELECT * FROM mfi_type;' 'SELECT * FROM platform_type;' \
  'SELECT verdict, summary FROM mfi_replication_status();'; do
  claim "$line" typed "$on_primary" "$line"
done
claim "SELECT pg_is_in_recovery();" typed "$on_replica" 'SELECT pg_is_in_recovery();'
for line in 'docker compose logs -f db-primary' 'docker compose logs -f db-replica' 'docker compose logs -f db-backup'; do claim "$line" follows "$line"; done
newest=$(find "$stack/backups" -maxdepth 1 -name '*.sql.gz' -printf '%f\n' | sort | tail -n 1)
is "pg_restore --clean says nothing, and succeeds" 'exit 0' \
  "$(readme 'pg_restore -h localhost -p 8008 -U postgres -d mfi_banking --clean ./backups/<file>.sql.gz' "${newest%.sql.gz}" 2>&1; echo "exit $?")"
REGISTRY_URL=$REGISTRY_URL claim "docker compose -f compose.yaml up -d" readme 'docker compose -f compose.yaml up -d'
is "runs the registry's images" "$REGISTRY_URL/primary:latest $REGISTRY_URL/replica:latest $REGISTRY_URL/primary:latest" "$(images)"
claim "over the same data" wait_until 60 "the row" answers primary "SELECT count(*) > 500 FROM portals" t
claim "healthy" wait_until 120 "health of all" all_healthy
claim "docker compose down" readme 'docker compose down'
claim "docker compose down -v" readme 'docker compose down -v'
