# shellcheck shell=bash
# shellcheck disable=SC2016,SC2034,SC2154 # the runner and lib.sh set and use these
# The primary dies, the replica takes over by an operator's word, and the old primary comes back as a standby.
add_portal() { $1 "INSERT INTO portals (name, realm_id, client_id) VALUES ('$2', '$2', 'web')"; }
replica_says() { logs db-replica | grep -qE "$1"; }
start_replica() { compose up -d --no-deps db-replica; }
compose stop db-primary >/dev/null 2>&1
is "the primary stops by itself, and in time" '0 false' "$(docker inspect -f '{{.State.ExitCode}} {{.State.OOMKilled}}' "$(compose ps -aq db-primary)")"
is "the replica is promoted" t "$(compose exec -T -u postgres db-replica psql -X -At -d postgres -c 'SELECT pg_promote()')"
claim "and takes a row" add_portal replica Promoted
compose stop db-replica >/dev/null 2>&1
start_replica >/dev/null 2>&1
claim "it does not start as a primary because nobody answers" wait_until 30 "waiting" replica_says 'waiting for db-primary: .*'
compose start db-primary >/dev/null 2>&1
claim "the old primary takes a row that the other one has not" wait_until 60 "the row" add_portal primary Lost
claim "then the promoted one refuses to start, and says what to do" wait_until 30 "refusal" replica_says 'was promoted \(timeline 2\) and db-primary is a primary too \(timeline 1\)'
compose stop db-primary >/dev/null 2>&1
claim "and waits again when db-primary is gone" wait_until 60 "waiting" sh -c \
  "cd '$stack' && docker compose logs --tail 2 db-replica | grep -q 'waiting for db-primary'"
set_env MFI_PROMOTED yes
asked=$SECONDS
claim "MFI_PROMOTED=yes" start_replica
claim "ends the waiting at once" test $((SECONDS - asked)) -lt 45
claim "makes it the primary" wait_until 60 "a primary" answers replica "SELECT pg_is_in_recovery() OR name <> 'Promoted' FROM portals WHERE name = 'Promoted'" f
claim "/backup.sh backs it up" compose exec -T db-backup /backup.sh 'after the promotion'
is "as the source of the set says" db-replica-5432 "$(replica "SELECT source_node FROM mfi_backups WHERE note = 'after the promotion'")"

set_env MFI_PROMOTED ''
compose stop db-replica >/dev/null 2>&1
in_volumes 'mv /primary/pgdata /replica/old && mv /replica/pgdata /primary/pgdata && mv /replica/old /replica/pgdata'
claim "the volumes change places" compose up -d
claim "the old primary is rewound, and streams" wait_until 120 "streaming" streaming
matches "its log says so" 'an older primary \(timeline 1\): rewinding it to db-primary \(timeline 2\)' "$(logs db-replica)"
is "it has the rows of the new primary" 'Hub,Promoted' "$(replica "SELECT string_agg(name, ',' ORDER BY name) FROM portals")"
claim "all is healthy" wait_until 60 "all healthy" all_healthy
