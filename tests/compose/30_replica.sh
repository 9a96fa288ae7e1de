# shellcheck shell=bash
# shellcheck disable=SC2016,SC2034,SC2154 # the runner and lib.sh set and use these
# A clone killed at any moment is begun anew; a foreign volume is refused and left alone; a lost replica is named.
remove_replica() {
  compose rm -sfv db-replica >/dev/null 2>&1
  docker volume rm "${COMPOSE_PROJECT_NAME}_pgdata-replica" >/dev/null
}
has() { docker cp "$(compose ps -aq db-replica):/var/lib/postgresql/data/$1" - >/dev/null 2>&1; }
# Stops every process of the container but the first in the moment that PATH is there. It says itself when it looks: a second
# process, sent to ask, would be stopped too. Between two programs of the entrypoint there is none to be stopped: then it is the next one.
freeze_at() {
  docker exec "$(compose ps -aq db-replica)" bash -c \
    "echo watching; until [ -e '/var/lib/postgresql/data/$1' ] && kill -STOP -1 2>/dev/null; do ((SECONDS < 60)) || exit 1; done"
}
for moment in mfi.lock pgdata.clone pgdata.clone/PG_VERSION pgdata.clone/base pgdata/standby.signal; do
  remove_replica
  primary 'ALTER ROLE replicator NOLOGIN' >/dev/null
  compose up -d --no-deps db-replica >/dev/null 2>&1
  rm -f "$work/watch"
  freeze_at $moment >"$work/watch" &
  watch=$!
  wait_until 30 "the watch" grep -q watching "$work/watch"
  primary 'ALTER ROLE replicator LOGIN' >/dev/null
  missed=0
  wait $watch || missed=$?
  is "the first clone is caught as $moment comes about" 0 $missed
  docker kill "$(compose ps -aq db-replica)" >/dev/null
  [ $moment = pgdata/standby.signal ] || claim "killed before there is a data directory" eval '! has pgdata'
  compose up -d --no-deps db-replica >/dev/null 2>&1
  claim "started again: it streams" wait_until 90 "streaming" streaming
done
compose stop db-replica >/dev/null 2>&1
claim "the primary stays healthy without its replica" healthy db-primary
claim "and names it" wait_until 30 "missing" answers primary "SELECT state FROM mfi_replication_status() WHERE peer = 'db-replica'" missing
in_volumes \
  'rm -rf /replica/pgdata && setpriv --reuid=postgres --regid=postgres --clear-groups initdb -D /replica/pgdata -U postgres -A peer --no-sync >/dev/null &&
   touch /replica/pgdata/standby.signal /replica/pgdata/marker && chown postgres /replica/pgdata/standby.signal'
compose up -d --no-deps db-replica >/dev/null 2>&1
claim "a foreign data directory is refused" wait_until 60 "refused" sh -c "cd $stack && docker compose logs db-replica | grep -q 'belongs to another database'"
compose stop db-replica >/dev/null 2>&1
claim "and left as it is" has pgdata/marker
remove_replica
compose up -d --no-deps db-replica >/dev/null 2>&1
claim "a new replica joins" wait_until 90 "streaming" streaming

compose stop db-replica >/dev/null 2>&1
primary "ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'" >/dev/null
primary 'SELECT pg_reload_conf()' >/dev/null
claim "the slot loses its WAL while the replica is away" wait_until 30 "lost" slot_lost
primary 'ALTER SYSTEM RESET max_slot_wal_keep_size' >/dev/null
primary 'SELECT pg_reload_conf()' >/dev/null
compose up -d --no-deps db-replica >/dev/null 2>&1
claim "the replica that comes back is cloned anew" wait_until 90 "streaming" streaming
matches "sets its old data aside, and says so" 'no longer has the WAL this standby needs: set aside as .*pgdata.aside' "$(logs db-replica)"
is "and streams through a slot that is whole" reserved "$(primary "SELECT wal_status FROM pg_replication_slots WHERE slot_name = 'db_replica'")"
