# shellcheck shell=bash
# shellcheck disable=SC2016,SC2034,SC2154 # the runner and lib.sh set and use these
# What README.md tells people to type, taken from its text and run as it stands there (on this run's ports).
readme() { # LINE [ADDED-TO-THE-COMMAND]: fails when the text lacks the line, or the command does
  grep -qFx -- "$1" "$stack/README.md" || { echo "README.md has no line: $1" && return 1; }
  local line=${1//8008/$PRIMARY_PORT}
  line=${line//8009/$REPLICA_PORT}
  (cd "$stack" && PGPASSWORD=$password timeout 120 bash -c "${line//<file>/${2:-}}")
}
follows() { # LINE: shows what there is, and goes on
  local line=$1 code=0 output
  grep -qFx -- "$line" "$stack/README.md" || { echo "README.md has no line: $line" && return 1; }
  output=$(cd "$stack" && timeout 3 bash -c "$line" 2>&1) || code=$?
  printf '%s\n' "$output" && [ "$code" = 124 ] && [ -n "$output" ]
}
typed() { # PSQL-LINE SQL-LINE
  grep -qFx -- "$2" "$stack/README.md" || { echo "README.md has no line: $2" && return 1; }
  readme "$1" <<<"$2" | grep .
}
on_primary='psql -h localhost -p 8008 -U postgres -d mfi_banking'
on_replica='psql -h localhost -p 8009 -U postgres -d mfi_banking'
claim "cp .env.example .env" grep -qFx 'cp .env.example .env' "$stack/README.md"
for line in 'docker compose up -d' 'docker compose ps' 'docker compose exec db-backup /backup.sh' 'docker compose exec db-backup /restore.sh'; do
  claim "$line" readme "$line"
done
claim "SELECT * FROM pg_stat_replication;" typed "$on_primary" 'SELECT * FROM pg_stat_replication;'
for line in '\dt' 'SELECT * FROM activity_type;' 'SELECT * FROM mfi_country;' 'SELECT * FROM mfi_type;' 'SELECT * FROM platform_type;' \
  'SELECT verdict, summary FROM mfi_replication_status();'; do
  claim "$line" typed "$on_primary" "$line"
done
claim "SELECT pg_is_in_recovery();" typed "$on_replica" 'SELECT pg_is_in_recovery();'
for service in db-primary db-replica db-backup; do claim "docker compose logs -f $service" follows "docker compose logs -f $service"; done
claim "pg_restore --clean" readme 'pg_restore -h localhost -p 8008 -U postgres -d mfi_banking --clean ./backups/<file>.sql.gz' \
  "$(find "$stack/backups" -maxdepth 1 -name '*.sql.gz' -printf '%f\n' | sort | tail -n 1 | sed 's/\.sql\.gz$//')"
for line in 'docker compose pull' 'docker compose -f compose.yaml up -d' 'cd /opt/mfi-hub'; do
  claim "README.md has: $line" grep -qFx -- "$line" "$stack/README.md"
done
claim "docker compose down" readme 'docker compose down'
claim "docker compose down -v" readme 'docker compose down -v'
