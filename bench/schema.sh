# shellcheck shell=bash
# Parts of bench/run that need no backups: the views and the audit tables at scale. Each fills a database of its own.
# MFI_BENCH_USERS (1000000): portal users; a group for 200 of them, a portal for 5000, 3 memberships each.
# MFI_BENCH_EVENTS (1000000): audit rows that are ingested; ten times as many are migrated.
: "${dir:?}" "${runs:?}"
users=${MFI_BENCH_USERS:-1000000}
events=${MFI_BENCH_EVENTS:-1000000}

database() { # NAME [VERSION]: made anew with the extension, and asked from now on
  local version=${2:+"VERSION '$2'"}
  export BENCH_DATABASE=$1
  as_postgres dropdb --if-exists --force "$1"
  as_postgres createdb "$1"
  sql "CREATE EXTENSION mfi $version CASCADE" 2>/dev/null >/dev/null
}

fill_users() { # N
  as_postgres psql -X -q -v ON_ERROR_STOP=1 -v n="$1" -d "$BENCH_DATABASE" <<'SQL' >/dev/null
SELECT :n / 200 AS groups, greatest(:n / 5000, 1) AS portals \gset
INSERT INTO portals (name, realm_id, client_id, is_active) SELECT 'Portal ' || p, 'realm-' || p, 'web', true FROM generate_series(1, :portals) p;
INSERT INTO portal_groups (iam_group_id, name, group_path, portal_id)
SELECT md5('g' || g)::uuid, 'Group ' || g, '/' || p.realm_id || '/group-' || g, CASE WHEN g % 10 > 0 THEN p.id END
  FROM generate_series(1, :groups) g JOIN portals p ON p.name = 'Portal ' || 1 + g % :portals;
INSERT INTO portal_users (id_iam, username, fname, email, id_group)
SELECT md5('u' || u)::uuid, 'user' || u, 'F', 'u@example.com', md5('g' || 1 + u % :groups)::uuid FROM generate_series(1, :n) u;
INSERT INTO user_groups (user_id, group_id)
SELECT md5('u' || u)::uuid, md5('g' || 1 + (u * 7 + k * 1009 + u / 13) % :groups)::uuid
  FROM generate_series(1, :n) u, generate_series(0, 2) k ON CONFLICT DO NOTHING;
INSERT INTO mfi_clients (name, schema, realm_id, client_id, id_country, id_type)
SELECT 'MFI ' || m, 's', 'r', 'c', 1 + m % 10, 1 + m % 5 FROM generate_series(1, :groups) m;
INSERT INTO digital_platforms (name) SELECT 'Platform ' || p FROM generate_series(1, 20) p;
INSERT INTO mfi_platforms (mfi_id, platform_id) SELECT m.id, d.id FROM mfi_clients m, digital_platforms d;
VACUUM ANALYZE portals, portal_groups, portal_users, user_groups, mfi_clients, digital_platforms, mfi_platforms;
SQL
}

# What one would write without the view and its indexes: join, then group.
group_by() { # VIEW
  case $1 in
    v_active_portals) cat <<'SQL' ;;
SELECT p.id, p.name, p.description, p.realm_id, p.is_active, p.on_prod, count(DISTINCT ug.user_id) AS user_count, p.created_on, p.updated_at
  FROM portals p
  LEFT JOIN portal_groups g ON g.portal_id = p.id OR g.portal_id IS NULL AND split_part(ltrim(g.group_path, '/'), '/', 1) = p.realm_id
  LEFT JOIN user_groups ug ON ug.group_id = g.iam_group_id
 WHERE p.is_active GROUP BY p.id
SQL
    v_mfi_platforms_summary) cat <<'SQL' ;;
SELECT m.id, m.name, m.schema, m.is_active, min(c.name), min(t.name), d.name, d.is_active, min(a.status), min(a.assigned_on)
  FROM mfi_clients m LEFT JOIN mfi_country c ON c.id = m.id_country LEFT JOIN mfi_type t ON t.id = m.id_type
  LEFT JOIN mfi_platforms a ON a.mfi_id = m.id LEFT JOIN digital_platforms d ON d.id = a.platform_id
 GROUP BY m.id, d.id
SQL
    v_user_group_assignments) cat <<'SQL' ;;
SELECT u.id, u.username, u.email, u.fname, u.lname, g.name, g.iam_group_id, min(ug.assigned_by::text), min(ug.assigned_on)
  FROM portal_users u JOIN user_groups ug ON u.id_iam = ug.user_id JOIN portal_groups g ON g.iam_group_id = ug.group_id
 GROUP BY u.id, g.id
SQL
  esac
}

into_nothing() { sql "COPY ($1) TO '/dev/null'"; }
plainly() {
  sql "BEGIN; DROP INDEX user_groups_group_id_user_id_idx, portal_groups_portal_id_idx, portal_groups_realm_idx;
       COPY ($(group_by "$1")) TO '/dev/null'; ROLLBACK"
}

compare_views() { # WHAT VIEW...
  local i view what=$1
  shift
  for view in "$@"; do
    rm -f "$dir"/view.s "$dir"/group.s
    for ((i = 0; i < runs; i++)); do
      timed view.s into_nothing "SELECT * FROM $view"
      timed group.s plainly "$view"
    done
    say "$what, $view: $(ratio "$(seconds view.s)" "$(seconds group.s)") of its GROUP BY ($(seconds group.s) s)"
  done
}

one_of_each() { # WHAT
  local i one
  for one in "v_active_portals WHERE name = 'Portal 1'" "v_mfi_platforms_summary WHERE mfi_name = 'MFI 1'" \
    "v_user_group_assignments WHERE username = 'user1'" "v_user_group_assignments WHERE group_name = 'Group 1'"; do
    rm -f "$dir"/one.s
    for ((i = 0; i < runs; i++)); do timed one.s into_nothing "SELECT * FROM $one"; done
    say "$1, $one: $(seconds one.s) s with the connection"
  done
}

bench_views() {
  local n views='v_active_portals v_mfi_platforms_summary v_user_group_assignments'
  for n in $((users / 10)) "$users"; do
    database views
    sql "ALTER TABLE user_groups SET (autovacuum_enabled = off)" >/dev/null
    fill_users "$n"
    # shellcheck disable=SC2086
    compare_views "$n users" $views
    one_of_each "$n users"
    sql "INSERT INTO user_groups (user_id, group_id) SELECT md5('u' || u)::uuid, md5('g' || 1 + (u * 11 + 5) % ($n / 200))::uuid
           FROM generate_series(1, $n, 16) u ON CONFLICT DO NOTHING" >/dev/null
    compare_views "$n users, right after 2 % new memberships" v_active_portals
    sql "UPDATE user_groups SET assigned_on = now() WHERE id % 50 = 0; UPDATE portal_users SET last_login_at = now() WHERE id % 50 = 0" >/dev/null
    # shellcheck disable=SC2086
    compare_views "$n users, right after 2 % of the rows changed" $views
    one_of_each "$n users, right after 2 % of the rows changed"
  done
}

event_rows="SELECT gen_random_uuid() AS id, md5(i::text) AS iam_event_id, gen_random_uuid()::text AS iam_user_id, 'LOGIN' AS event_type, 'web' AS client_id, 'hub' AS realm_id,
  '10.0.0.1' AS ip_address, date_trunc('month', now(), 'UTC') + i * interval '1 ms' AS event_time, '{\"auth_method\": \"openid-connect\"}'::jsonb AS details FROM generate_series(1, %s) i"
event_columns='id, iam_event_id, iam_user_id, event_type, client_id, realm_id, ip_address, event_time, details'

# Into the audit table, and into a plain one with the same keys.
bench_audit() {
  local i table
  database audit
  sql "CREATE TABLE plain (LIKE user_auth_logs INCLUDING ALL)" >/dev/null
  # shellcheck disable=SC2059
  sql "COPY ($(printf "$event_rows" "$events")) TO '$dir/events'" >/dev/null
  rm -f "$dir"/user_auth_logs.s "$dir"/plain.s "$dir"/user_auth_logs.tps "$dir"/plain.tps
  for table in plain user_auth_logs; do
    as_postgres tee "$table.sql" >/dev/null <<SQL
INSERT INTO $table ($event_columns) VALUES (gen_random_uuid(), gen_random_uuid()::text, 'u', 'LOGIN', 'web', 'hub', '10.0.0.1', now(), '{"auth_method": "openid-connect"}');
SQL
  done
  for ((i = 0; i < runs; i++)); do
    for table in plain user_auth_logs; do
      sql "BEGIN; SET LOCAL session_replication_role = replica; TRUNCATE $table; COMMIT" >/dev/null
      timed $table.s sql "COPY $table ($event_columns) FROM '$dir/events'"
      as_postgres pgbench -n -M prepared -f $table.sql -c 2 -T 5 -d "$BENCH_DATABASE" 2>/dev/null | tps >>"$dir/$table.tps"
    done
  done
  say "audit ingest against a plain table with the same keys: COPY $(ratio "$(seconds plain.s)" "$(seconds user_auth_logs.s)"), single-row INSERT $(ratio "$(seconds user_auth_logs.tps)" "$(seconds plain.tps)") of its rows per second ($events rows)"
  rm -f "$dir"/drop.s "$dir"/delete.s
  timed delete.s sql 'DELETE FROM plain'
  timed drop.s sql "DO \$\$ BEGIN EXECUTE 'DROP TABLE ' || _mfi_partition_name('user_auth_logs', _mfi_month(now())); END \$\$"
  say "dropping a month of audit rows: $(ratio "$(seconds drop.s)" "$(seconds delete.s)") of DELETE ($(seconds delete.s) s, which leaves the space to VACUUM)"
}

bench_upgrade() {
  local rows=$((events * 10)) begin end
  database upgrade 1.0
  # shellcheck disable=SC2059
  sql "INSERT INTO user_auth_logs ($event_columns) SELECT id, iam_event_id, iam_user_id, event_type, client_id, realm_id, ip_address,
         event_time - (random() * 700)::int * interval '1 day', details FROM ($(printf "$event_rows" "$rows")) e" >/dev/null
  sql 'ANALYZE user_auth_logs' >/dev/null
  sql 'CHECKPOINT' >/dev/null
  begin=$(date +%s.%N)
  as_postgres psql -X -q -d "$BENCH_DATABASE" -c 'ALTER EXTENSION mfi UPDATE' 2>&1 | sed -n 's/^WARNING: */upgrade, said beforehand: /p'
  end=$(date +%s.%N)
  say "upgrade 1.0 to 1.1: $rows audit rows over 24 months in $(awk -v a="$begin" -v b="$end" 'BEGIN { printf "%.1f", b - a }') s, $(awk -v a="$begin" -v b="$end" -v n="$rows" 'BEGIN { printf "%d", n / (b - a) }') rows per second; the tables are locked for that long"
}
