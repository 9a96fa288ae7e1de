# shellcheck shell=bash
# shellcheck disable=SC2016,SC2034,SC2154 # the runner and lib.sh set and use these
# Both nodes are killed while clients write, and their volumes are gone. What is left is ./recovery: the two lines of docs/containers.md,
# and every commit that was received is there, the replica too, and recovery and backups go on.
primary 'CREATE TABLE paid (id int PRIMARY KEY)' >/dev/null
printf 'INSERT INTO paid VALUES (%d);\n' $(seq 200) >"$work/paid.sql"
client "$PRIMARY_PORT" psql -X -q -d mfi_banking <"$work/paid.sql"
claim "200 rows are acknowledged, and received" wait_until 20 "its WAL" received "$(primary 'SELECT pg_current_wal_flush_lsn()')"
docker kill "$(compose ps -q db-primary)" "$(compose ps -q db-replica)" >/dev/null
compose down -v -t 5 >/dev/null 2>&1
began=$SECONDS
claim "the line of docs/containers.md" readme \
  'docker compose run --rm --no-deps -u postgres --entrypoint /recover.sh db-primary --to latest --store /recovery --cluster /var/lib/postgresql/data/pgdata'
claim "docker compose up -d" readme 'docker compose up -d'
claim "the primary answers" wait_until 60 "the primary" answers primary 'SELECT NOT pg_is_in_recovery()' t
say "a primary again $((SECONDS - began)) s after the first line"
is "every row is there" '200 200' "$(primary "SELECT count(*) || ' ' || max(id) FROM paid")"
claim "all is healthy" wait_until 180 "all healthy" all_healthy
claim "the new replica streams" wait_until 60 "streaming" streaming
is "and has them" '200' "$(replica 'SELECT count(*) FROM paid')"
claim "a backup of it is verified" compose exec -T db-backup /backup.sh
claim "recovery goes on" answers replica "SELECT mfi_recovery_drill()" ok
primary 'DROP TABLE paid' >/dev/null
