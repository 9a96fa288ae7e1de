# shellcheck shell=bash
# shellcheck disable=SC2034 # restore.sh uses these
# What restore.sh asks the server: JSON and names are read and quoted by PostgreSQL alone.

# manifest SQL [PSQL-OPTION...]: a query over the one row of `manifest (m jsonb)`
manifest() {
  local sql=$1
  shift
  printf '%s\n' "WITH manifest AS (SELECT :'manifest'::jsonb AS m) $sql" |
    psql -X -q -At -v ON_ERROR_STOP=1 -d postgres -v manifest="$MANIFEST" "$@"
}

# A connection string for a database of any name.
dbname() {
  local name=${1//\\/\\\\}
  printf "dbname='%s'" "${name//\'/\\\'}"
}

# As sha256sum escapes names.
FILES_SQL="SELECT '\\' || (f->>'sha256') || '  ' || replace(replace(f->>'name', '\\', '\\\\'), E'\n', '\\n') FROM manifest, jsonb_array_elements(m->'files') f"
ARCHIVE_SQL="SELECT split_part(m->'run'->>'path', '/', 2) FROM manifest"
TABLES_SQL="SELECT (t->>'name') || E'\x1f' || (t->>'rows') FROM manifest, jsonb_array_elements(m->'contents'->'tables') t
  WHERE t->>'rows' IS NOT NULL ORDER BY 1"
# Members of an extension that every database has do not count.
OBJECTS_SQL="SELECT count(*) FROM pg_class WHERE oid >= 16384 AND relkind IN ('r', 'p', 'v', 'm', 'S', 'f')"

CREATE_SQL="SELECT format('CREATE DATABASE %I TEMPLATE template0 OWNER %I ENCODING %L LOCALE_PROVIDER %s LC_COLLATE %L LC_CTYPE %L%s',
    :'target', d->>'owner', d->>'encoding', d->>'locale_provider', d->>'collate', d->>'ctype',
    CASE d->>'locale_provider' WHEN 'icu' THEN format(' ICU_LOCALE %L', d->>'locale')
                               WHEN 'builtin' THEN format(' BUILTIN_LOCALE %L', d->>'locale') ELSE '' END)
  FROM manifest, LATERAL (SELECT m->'database') AS x(d)"

# Privileges, then settings: the value of a list goes as its elements.
PROPERTIES_SQL=", acl AS (
    SELECT a.* FROM manifest, LATERAL aclexplode(nullif(ARRAY(SELECT jsonb_array_elements_text(m->'database'->'acl')), '{}')::aclitem[]) a),
  setting AS (
    SELECT split_part(s, '/', 1) AS role, split_part(substr(s, strpos(s, '/') + 1), '=', 1) AS name,
           substr(s, strpos(s, '=') + 1) AS value
      FROM manifest, jsonb_array_elements_text(m->'database'->'settings') s)
  SELECT string_agg(command, E';\n') FROM (
    SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', :'target') AS command WHERE EXISTS (SELECT FROM acl)
    UNION ALL
    SELECT format('GRANT %s ON DATABASE %I TO %s%s', privilege_type, :'target',
                  CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END, CASE WHEN is_grantable THEN ' WITH GRANT OPTION' END)
      FROM acl
    UNION ALL
    SELECT format('ALTER %s SET %I TO %s',
                  CASE role WHEN '' THEN format('DATABASE %I', :'target') ELSE format('ROLE %s IN DATABASE %I', role, :'target') END, name,
                  CASE WHEN name IN ('search_path', 'temp_tablespaces', 'session_preload_libraries', 'local_preload_libraries')
                       THEN (SELECT string_agg(quote_literal(coalesce(replace(e[1], '\"\"', '\"'), e[2])), ', ')
                               FROM regexp_matches(value, '\"((?:[^\"]|\"\")*)\"|([^\",\s]+)', 'g') e)
                       ELSE quote_literal(value) END)
      FROM setting) c"

# Both renames or none; sessions of the replaced database end.
SWAP_SQL="BEGIN;
ALTER DATABASE :\"old\" ALLOW_CONNECTIONS false;
SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity WHERE datname IN (:'old', :'new') AND pid <> pg_backend_pid() \\g /dev/null
ALTER DATABASE :\"old\" RENAME TO :\"aside\";
ALTER DATABASE :\"new\" RENAME TO :\"old\";
ALTER DATABASE :\"aside\" ALLOW_CONNECTIONS true;
COMMIT"

# filter_globals EXISTING-ROLES: a globals.sql without the statements that create or alter one of the stack's roles, and
# without creating a role that is there already.
filter_globals() {
  awk -v existing="$1" '
    BEGIN { n = split(existing, names, "\n"); for (i = 1; i <= n; i++) there[names[i]] = 1 }
    match($0, /^(CREATE|ALTER) ROLE ("([^"]|"")*"|[^ ;"]+)/) {
      name = substr($0, 1, RLENGTH); sub(/^[A-Z]+ ROLE /, "", name)
      if (name ~ /^(postgres|replicator|mfi_probe)$/ || (/^CREATE/ && name in there)) next
    }
    { print }'
}

count_statements() { # TABLES, "name \x1f rows" each
  local name
  while IFS=$'\x1f' read -r name _; do
    [ -z "$name" ] || printf "SELECT count(*) FROM ONLY %s;\n" "$name"
  done <<<"$1"
}

# A line per table, expected and restored; fails when any differs.
print_counts() { # TABLES COUNTS
  [ -n "$1" ] || { echo "Rows: the manifest of this set has no counts" && return 0; }
  paste -d $'\x1f' <(printf '%s\n' "$1") <(printf '%s\n' "$2") |
    awk -F $'\x1f' 'BEGIN { printf "  %-40s%12s%12s\n", "table", "backup", "restored" }
      { printf "  %-40s%12d%12d%s\n", $1, $2, $3, $2 != $3 ? "   DIFFERENT" : ""; a += $2; b += $3; if ($2 != $3) bad = 1 }
      END { printf "  %-40s%12d%12d   %s\n", NR " tables", a, b, bad ? "DIFFERENT" : "all equal"; exit bad }'
}
