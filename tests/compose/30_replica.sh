# shellcheck shell=bash
# shellcheck disable=SC2016,SC2034,SC2154 # the runner and lib.sh set and use these
# A clone killed at any moment is begun anew; a foreign volume is refused and left alone; a lost replica is named.
in_replica() { docker exec "$(compose ps -aq db-replica)" test -e "/var/lib/postgresql/data/$1"; }
remove_replica() {
  compose rm -sfv db-replica >/dev/null 2>&1
  docker volume rm "${COMPOSE_PROJECT_NAME}_pgdata-replica" >/dev/null
}
for moment in mfi.lock pgdata.clone pgdata.clone/PG_VERSION pgdata.clone/base pgdata/standby.signal; do
  remove_replica
  compose up -d --no-deps db-replica >/dev/null 2>&1
  wait_until 60 "$moment" in_replica "$moment" || true
  docker kill "$(compose ps -aq db-replica)" >/dev/null 2>&1 || true
  compose up -d --no-deps db-replica >/dev/null 2>&1
  claim "killed when $moment was there, started again: it streams" wait_until 90 "streaming" streaming
done
compose stop db-replica >/dev/null 2>&1
claim "the primary stays healthy without its replica" healthy db-primary
claim "and names it" wait_until 30 "missing" answers primary "SELECT state FROM mfi_replication_status() WHERE peer = 'db-replica'" missing
docker run --rm -v "${COMPOSE_PROJECT_NAME}_pgdata-replica:/v" --entrypoint bash mfi-primary -c \
  'rm -rf /v/pgdata && chown postgres /v && setpriv --reuid=postgres --regid=postgres --clear-groups initdb -D /v/pgdata -U postgres --no-sync >/dev/null && touch /v/pgdata/standby.signal'
compose up -d --no-deps db-replica >/dev/null 2>&1
claim "a foreign data directory is refused" wait_until 60 "refused" sh -c "cd $stack && docker compose logs db-replica | grep -q 'belongs to another database'"
compose stop db-replica >/dev/null 2>&1
claim "and left as it is" docker run --rm -v "${COMPOSE_PROJECT_NAME}_pgdata-replica:/v" --entrypoint test mfi-primary -f /v/pgdata/PG_VERSION
remove_replica
compose up -d --no-deps db-replica >/dev/null 2>&1
claim "a new replica joins" wait_until 90 "streaming" streaming
