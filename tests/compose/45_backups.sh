# shellcheck shell=bash
# shellcheck disable=SC2016,SC2034,SC2154 # the runner and lib.sh set and use these
# Ports that are taken, and a backup directory that cannot be written: the database runs on, and somebody says so.
compose stop db-primary >/dev/null 2>&1
docker run -d --rm --name "$COMPOSE_PROJECT_NAME-taker" -p "$PRIMARY_PORT:5432" --entrypoint sleep mfi-primary 300 >/dev/null
matches "a taken port is named" "$PRIMARY_PORT.*(already allocated|already in use)" "$(compose up -d db-primary 2>&1 || true)"
docker rm -f "$COMPOSE_PROJECT_NAME-taker" >/dev/null

with_backups() { # MOUNT-OPTIONS: another file system in the place of ./backups
  compose down -t 60 >/dev/null 2>&1
  mount -t tmpfs -o "$1" tmpfs "$stack/backups" && compose up -d
}
without_backups() {
  compose down -t 60 >/dev/null 2>&1
  umount "$stack/backups"
}
claim "up with ./backups read-only" with_backups ro
claim "the primary is healthy" healthy db-primary
matches "its log says what is wrong" 'backups cannot be given to the user postgres' "$(logs db-primary)"
matches "/backup.sh fails and says why" 'belongs to the user root, not to postgres' "$(compose exec -T db-backup /backup.sh 2>&1 && echo SUCCEEDED)"
matches "so does /health.sh" '^critical' "$(compose exec -T db-backup /health.sh backup 2>&1 || true)"
without_backups
claim "up with ./backups full" with_backups size=16k
claim "the primary is healthy" healthy db-primary
matches "/backup.sh fails and says why" 'No space left|free' "$(compose exec -T db-backup /backup.sh 2>&1 && echo SUCCEEDED)"
without_backups
claim "up again as it was" compose up -d
claim "healthy again" wait_until 120 "all healthy" all_healthy
