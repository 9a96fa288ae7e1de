# shellcheck shell=bash
# shellcheck disable=SC2016,SC2034,SC2154 # the runner and lib.sh set and use these
# The primary dies under load, the replica takes over by /promote.sh, the old primary is started by mistake and comes back by
# /rejoin.sh; then the same the other way round.
add_portal() { $1 "INSERT INTO portals (name, realm_id, client_id) VALUES ('$2', '$2', 'web')"; }
role() { answers "$1" 'SELECT pg_is_in_recovery()' "$2"; } # replica|primary t|f
sees() { answers "$1" "SELECT peer_role FROM mfi_replication_health WHERE peer_seen_ago < '10 s'" "$2"; }
streams_back() {
  answers replica "SELECT state FROM pg_stat_replication WHERE application_name = 'db-primary'" streaming &&
    answers primary "SELECT verdict FROM mfi_replication_health" ok
}
rows() { $1 "SELECT string_agg(name, ',' ORDER BY name) FROM portals WHERE name IN ('Hub', 'Promoted', 'Lost', 'Back')"; }

claim "the primary sees the replica" wait_until 30 "its answer" sees primary standby
claim "the replica sees the primary" wait_until 30 "its answer" sees replica primary
matches "/promote.sh refuses while the primary runs" 'the old primary still answers; nothing was changed' "$(in_container db-replica /promote.sh || true)"
matches "/rejoin.sh refuses on a standby" 'is a standby already; nothing was changed' "$(in_container db-replica /rejoin.sh || true)"
matches "and on the primary" 'db-replica is no primary that answers; nothing was changed' "$(in_container db-primary /rejoin.sh || true)"
matches "and in db-backup" 'is no node; nothing was changed' "$(in_container db-backup /rejoin.sh || true)"

# Each row that was acknowledged while the standby was synchronous.
primary 'CREATE TABLE ledger (id bigserial PRIMARY KEY)' >/dev/null
set_on primary synchronous_standby_names "'*'"
set_on replica mfi.backup_schedule "'* * * * *'"
wait_until 20 "a synchronous standby" answers primary "SELECT sync_state FROM pg_stat_replication" sync
yes 'INSERT INTO ledger DEFAULT VALUES RETURNING id;' | client "$PRIMARY_PORT" psql -X -q -At >"$work/acknowledged" 2>/dev/null &
load=$!
claim "rows are acknowledged" wait_until 20 "200 rows" sh -c "test \$(wc -l <'$work/acknowledged') -gt 200"
docker kill "$(compose ps -q db-primary)" >/dev/null
wait $load || true
claim "docs/containers.md's way: docker compose stop db-primary" readme 'docker compose stop db-primary'
claim "docker compose exec db-replica /promote.sh" readme 'docker compose exec db-replica /promote.sh'
replica 'SELECT id FROM ledger' | sort >"$work/kept"
is "no acknowledged row is lost" '' "$(sed '$d' "$work/acknowledged" | sort | comm -23 - "$work/kept")"
claim "writes go on at the replica's port" add_portal replica Promoted
claim "the missing node is named" wait_until 10 "missing" answers replica "SELECT peer || state FROM mfi_replication_status()" db_primarymissing
claim "docker compose restart db-replica" compose restart db-replica
claim "leaves it the primary, although nobody answers" wait_until 30 "a primary" role replica f
claim "/backup.sh backs it up" compose exec -T db-backup /backup.sh 'after the promotion'
is "as the source of the set says" 'db-replica-5432 ok' "$(replica "SELECT source_node || ' ' || verify_result FROM mfi_backups WHERE note = 'after the promotion'")"
claim "the schedule goes on there, and is proven" wait_until 90 "a scheduled set" answers replica \
  "SELECT DISTINCT source_node || ' ' || verify_result FROM mfi_backups WHERE trigger = 'schedule' AND timeline = 2" 'db-replica-5432 ok'
set_on replica mfi.backup_schedule DEFAULT

claim "docker compose start db-primary" readme 'docker compose start db-primary'
claim "does not start a second primary, and says what to do" wait_until 30 "refusal" says db-primary 'db-replica was promoted \(timeline 2, here it is 1\): this node.s server is not started'
matches "/promote.sh there refuses, too" 'db-replica is a primary that answers; nothing was changed' "$(in_container db-primary /promote.sh || true)"
claim "it is started by mistake all the same" in_container db-primary /promote.sh --primary-is-down
claim "it runs" wait_until 30 "a primary" role primary f
began=$SECONDS
claim "both are primaries: one says so" wait_until 30 "two-primaries" reason primary critical 'two-primaries: .* this one on timeline 1, the other on timeline 2'
claim "the other one, too" wait_until 30 "two-primaries" reason replica critical 'two-primaries: .* this one on timeline 2, the other on timeline 1'
claim "within two samples" test $((SECONDS - began)) -le 12
set_on primary synchronous_standby_names DEFAULT # with it, nobody acknowledges a commit here
claim "the older one takes a row that the other has not" add_portal primary Lost
is "nothing is deleted" 'Hub,Lost Hub,Promoted' "$(rows primary) $(rows replica)"
matches "/health.sh says it" 'critical.*two-primaries' "$(in_container db-primary /health.sh replication | tr '\n' ' ' || true)"
claim "docker compose exec db-primary /rejoin.sh" readme 'docker compose exec db-primary /rejoin.sh'
claim "the old primary streams from the new one" wait_until 60 "streaming" streams_back
matches "it was rewound" 'an older primary \(timeline 1\): rewinding it to db-replica \(timeline 2\)' "$(logs db-primary)"
is "it has the rows of the new one" 'Hub,Promoted' "$(rows primary)"
is "and its slots of old are gone" 0 "$(primary 'SELECT count(*) FROM pg_replication_slots')"
claim "each sees the other again" wait_until 30 "answers" sees replica standby
claim "db-backup, too" wait_until 60 "healthy" all_healthy

# A volume that is lost while the other node is the primary: cloned, not made anew.
compose rm -sfv db-primary >/dev/null 2>&1
docker volume rm "${COMPOSE_PROJECT_NAME}_pgdata-primary" >/dev/null
compose up -d --no-deps db-primary >/dev/null 2>&1
claim "an empty db-primary is cloned from the primary" wait_until 60 "streaming" streams_back

claim "and back: docker compose stop db-replica" compose stop db-replica
claim "/promote.sh in db-primary" in_container db-primary /promote.sh --within 1
claim "writes go on at its port" add_portal primary Back
claim "docker compose start db-replica" compose start db-replica
claim "the replica is rewound, and streams" wait_until 60 "streaming" streaming
matches "its log says so" 'an older primary \(timeline 2\): rewinding it to db-primary \(timeline 3\)' "$(logs db-replica)"
is "it has the rows" 'Back,Hub,Promoted' "$(rows replica)"

# While the other node is no primary, an empty db-primary is nothing to begin with.
compose rm -sfv db-primary >/dev/null 2>&1
docker volume rm "${COMPOSE_PROJECT_NAME}_pgdata-primary" >/dev/null
compose up -d --no-deps db-primary >/dev/null 2>&1
claim "an empty db-primary beside a standby makes no new database" wait_until 60 "refusal" says db-primary 'this volume is empty, and db-replica has data'
claim "/promote.sh in db-replica" in_container db-replica /promote.sh
compose up -d --no-deps db-primary >/dev/null 2>&1
claim "lets it be cloned" wait_until 90 "streaming" streams_back
compose stop db-replica >/dev/null 2>&1
claim "and promoted" in_container db-primary /promote.sh --within 1
claim "as at the beginning" compose up -d
claim "all is healthy" wait_until 120 "all healthy" all_healthy
claim "the replica streams" wait_until 60 "streaming" streaming
primary 'DROP TABLE ledger' >/dev/null
