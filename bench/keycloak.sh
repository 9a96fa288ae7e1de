# shellcheck shell=bash
# Part of bench/run: group sync and event import at scale, in a database of its own.
# MFI_BENCH_GROUPS (100000): groups of the snapshot. MFI_BENCH_EVENTS (1000000): events that are imported, in pages of 5000.
: "${dir:?}" "${runs:?}" "${events:?}"
groups=${MFI_BENCH_GROUPS:-100000}
portal=00000000-0000-0000-0000-0000000000a1

# The snapshot, and the same with 1 % of the groups renamed.
fill_snapshots() {
  as_postgres psql -X -q -v ON_ERROR_STOP=1 -v n="$groups" -v portal=$portal -d "$BENCH_DATABASE" <<'SQL' >/dev/null
INSERT INTO portals (id, name, realm_id, client_id) VALUES (:'portal', 'Ops', 'ops', 'web');
CREATE TABLE snapshot AS
SELECT jsonb_agg(g.body) AS now, jsonb_agg(CASE g.n % 100 WHEN 0 THEN g.body || jsonb_build_object('name', 'renamed ' || g.n) ELSE g.body END) AS changed
  FROM (SELECT n, jsonb_strip_nulls(jsonb_build_object('id', md5('g' || n)::uuid, 'name', 'group ' || n, 'path', '/realm/group ' || n,
                 'parentId', CASE WHEN n > 100 THEN md5('g' || n / 20 + 1)::uuid END)) ||
               '{"subGroups": [], "attributes": {"branch": ["north"]}, "realmRoles": [], "clientRoles": {}, "access": {"view": true}}' AS body
          FROM generate_series(1, :n) n) g;
SQL
}
sync() { sql "SELECT mfi_sync_portal_groups('$portal', $1) -> 'counts' FROM snapshot"; }
# What one would write by hand: no check, no report, nothing deleted, and every row written each time.
upsert() {
  sql "INSERT INTO portal_groups (portal_id, iam_group_id, name, description, group_path, parent_iam_group_id, attributes, realm_roles, client_roles)
       SELECT '$portal', g.id, g.name, g.description, g.path, g.\"parentId\", g.attributes, g.\"realmRoles\", g.\"clientRoles\"
         FROM snapshot, jsonb_to_recordset($1) AS g (id uuid, name text, description text, path text, \"parentId\" uuid, attributes jsonb, \"realmRoles\" jsonb, \"clientRoles\" jsonb)
       ON CONFLICT (iam_group_id) DO UPDATE SET name = excluded.name, description = excluded.description, group_path = excluded.group_path,
         parent_iam_group_id = excluded.parent_iam_group_id, attributes = excluded.attributes, realm_roles = excluded.realm_roles, client_roles = excluded.client_roles"
}
no_groups() { sql 'DELETE FROM portal_groups' >/dev/null; }

bench_sync() {
  local i what
  rm -f "$dir"/{sync,upsert}_{first,again,changed}.s
  for ((i = 0; i < runs; i++)); do
    for what in sync upsert; do
      no_groups
      timed ${what}_first.s $what now
      sql 'VACUUM ANALYZE portal_groups' >/dev/null
      timed ${what}_again.s $what now
      timed ${what}_changed.s $what changed
    done
  done
  for what in first again changed; do
    say "group sync, $groups groups, $what: $(seconds sync_$what.s) s, $(ratio "$(seconds sync_$what.s)" "$(seconds upsert_$what.s)") of an upsert by hand"
  done
}

no_events() { sql 'BEGIN; SET LOCAL session_replication_role = replica; TRUNCATE user_auth_logs; COMMIT' >/dev/null; }
import_columns='iam_event_id, iam_user_id, event_type, client_id, realm_id, session_id, ip_address, ip, event_time, details'

bench_import() {
  local i
  sql "CREATE TABLE page AS SELECT jsonb_agg(jsonb_build_object('id', md5('e' || n)::uuid, 'time', 1000 * extract(epoch FROM date_trunc('month', now(), 'UTC'))::bigint + n, 'type', 'LOGIN',
         'realmId', 'a71af8a7-0df8-5bcf-b431-88d6c3c4db68', 'clientId', 'ops-portal', 'userId', md5('u' || n % 50000)::uuid, 'sessionId', md5('s' || n)::uuid, 'ipAddress', '192.0.2.' || n % 250,
         'details', jsonb_build_object('auth_method', 'openid-connect', 'auth_type', 'code', 'redirect_uri', 'https://ops.example.invalid/cb', 'code_id', md5('s' || n)::uuid,
                                       'username', 'user' || n % 50000)) ORDER BY n) AS events
         FROM generate_series(1, $events) n GROUP BY n / 5000" >/dev/null
  rm -f "$dir"/import.s "$dir"/copy.s "$dir"/known.s
  for ((i = 0; i < runs; i++)); do
    no_events
    timed import.s sql 'SELECT mfi_import_auth_events(events) FROM page'
    timed known.s sql 'SELECT mfi_import_auth_events(events) FROM page'
    sql "COPY (SELECT $import_columns FROM user_auth_logs) TO '$dir/imported'" >/dev/null
    no_events
    timed copy.s sql "COPY user_auth_logs ($import_columns) FROM '$dir/imported'"
  done
  say "event import, $events events in pages of 5000: $(awk -v n="$events" -v s="$(seconds import.s)" 'BEGIN { printf "%d", n / s }') a second, $(ratio "$(seconds import.s)" "$(seconds copy.s)") of the time of COPY of the same rows; the same pages again: $(ratio "$(seconds known.s)" "$(seconds copy.s)")"
}

bench_keycloak() {
  database keycloak
  fill_snapshots
  bench_sync
  bench_import
}
