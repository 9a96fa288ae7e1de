# shellcheck shell=bash
# shellcheck disable=SC2016,SC2034,SC2154 # the runner and lib.sh set and use these
# The drill: everything is lost but ./backups, and comes back.
primary "INSERT INTO portals (name, realm_id, client_id) SELECT 'Portal ' || i, 'realm' || i, 'web' FROM generate_series(1, 500) i" >/dev/null
primary 'GRANT SELECT ON portals TO clerk' >/dev/null
rows=$(primary 'SELECT count(*) FROM portals')
before=$(primary "SELECT md5(string_agg(p::text, '|' ORDER BY id)) FROM portals p")
claim "a last backup" compose exec -T db-backup /backup.sh
last=$(primary "SELECT id FROM mfi_backups WHERE state = 'succeeded' LIMIT 1")
# Landlock keeps signals and abstract sockets in since Linux 6.12; an older kernel is named.
walls='(whole$|the kernel)'
printf '%s\n' 6.12 "$(uname -r)" | sort -C -V && walls='whole$'
matches "is proven by a restore, and says which walls stood" "^restore\|ok\|$walls" "$(primary "SELECT verify_method, verify_result, proof_sandbox FROM mfi_backups WHERE id = '$last'")"
sets=$(find "$stack/backups" -mindepth 1 -maxdepth 1 -type d -name 'mfi_banking_*' | wc -l)
claim "docker compose down -v" compose down -v -t 60
claim "docker compose up -d" compose up -d
claim "a fresh system stands" wait_until 120 "all healthy" all_healthy
is "without the rows" 0 "$(primary 'SELECT count(*) FROM portals')"
claim "the old sets are there" test "$(find "$stack/backups" -mindepth 1 -maxdepth 1 -type d -name 'mfi_banking_*' | wc -l)" -ge "$sets"
is "and foreign" t "$(primary "SELECT is_foreign FROM mfi_backups WHERE id = '$last'")"
matches "/restore.sh of the last set, with its roles" 'all equal' "$(compose exec -T db-backup /restore.sh --globals --replace mfi_banking "$last" 2>&1)"
is "the same rows as before" "$before" "$(primary "SELECT md5(string_agg(p::text, '|' ORDER BY id)) FROM portals p")"
claim "the replica has them too" wait_until 30 "rows" answers replica 'SELECT count(*) FROM portals' "$rows"
is "a role of the set logs in with its password, and has its rights" "$rows" "$(PGPASSWORD=clerk psql -X -At -h localhost -p "$PRIMARY_PORT" -U clerk -d mfi_banking -c 'SELECT count(*) FROM portals')"
