# shellcheck shell=bash
# shellcheck disable=SC2016,SC2034,SC2154 # the runner and lib.sh set and use these
# From a volume as the official image leaves it: the data directory at its root, no checksums, the C library's locale,
# the 17 tables without an extension, and a collation version of another C library. docs/containers.md's steps, as they stand.
old_volume() {
  docker volume create --label "com.docker.compose.project=$COMPOSE_PROJECT_NAME" --label com.docker.compose.volume=pgdata-primary \
    "${COMPOSE_PROJECT_NAME}_pgdata-primary" >/dev/null
  docker run --rm -i -u postgres -v "${COMPOSE_PROJECT_NAME}_pgdata-primary:/var/lib/postgresql/data" --entrypoint bash mfi-primary -es <<'OLD'
export PGDATA=/var/lib/postgresql/data
LANG=en_US.utf8 initdb -U postgres -A trust >/dev/null
pg_ctl start -s -w -o "-c listen_addresses='' -c unix_socket_directories=/tmp" >/dev/null
createdb -h /tmp mfi_banking
psql -h /tmp -X -q -v ON_ERROR_STOP=1 -d mfi_banking <<'SQL'
SET client_min_messages = warning;
CREATE EXTENSION mfi VERSION '1.0' CASCADE;
INSERT INTO portals (name, realm_id, client_id) VALUES ('Old', 'old', 'web');
INSERT INTO user_auth_logs (event_type, client_id, realm_id, event_time) VALUES ('LOGIN', 'web', 'old', now());
DROP EXTENSION mfi CASCADE;
DROP SCHEMA mfi, mfi_audit CASCADE;
UPDATE pg_database SET datcollversion = '2.36' WHERE datname = 'mfi_banking';
SQL
pg_ctl stop -s -w
OLD
}
step() { # LINE: of docs/containers.md, in its list
  readme "   $1"
}
compose down -v -t 20 >/dev/null 2>&1
password='of the mover'
set_env DB_PASSWORD "$password"
set_env DB_PASSWORD_FILE ''
claim "a volume of an older stack" old_volume
claim "docs/containers.md: docker compose up -d db-primary" grep -qF '`docker compose up -d db-primary`' "$stack/docs/containers.md"
claim "docker compose up -d db-primary" compose up -d db-primary
claim "its log says when it is ready" wait_until 60 "ready" sh -c "cd '$stack' && docker compose logs db-primary | grep -q 'ready to accept connections'"
for line in 'docker compose exec db-primary /docker-entrypoint-initdb.d/00-init-replication.sh' \
  "docker compose exec -u postgres db-primary psql -d mfi_banking -c 'CREATE EXTENSION mfi CASCADE'" \
  'docker compose restart db-primary' 'docker compose up -d'; do
  claim "$line" step "$line"
done
claim "all is healthy" wait_until 120 "all healthy" all_healthy
claim "the replica streams" wait_until 60 "streaming" streaming
is "the rows are there, on the replica too" 'Old|LOGIN' "$(replica "SELECT name, event_type FROM portals p JOIN user_auth_logs l ON l.realm_id = p.realm_id" 2>/dev/null)"
matches "psql warns of the collation" 'collation version mismatch' "$(primary 'SELECT 1' 2>&1)"
for line in "docker compose exec -u postgres db-primary psql -d mfi_banking -c 'REINDEX DATABASE mfi_banking'" \
  "docker compose exec -u postgres db-primary psql -d mfi_banking -c 'ALTER DATABASE mfi_banking REFRESH COLLATION VERSION'"; do
  claim "$line" step "$line"
done
is "and no more" 1 "$(primary 'SELECT 1' 2>&1)"
claim "a backup of it is verified" compose exec -T db-backup /backup.sh
