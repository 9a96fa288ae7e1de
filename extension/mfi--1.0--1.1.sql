\echo Use "ALTER EXTENSION mfi UPDATE" to load this file. \quit

SET LOCAL search_path = pg_catalog, pg_temp;

-- Schema 1.1: the audit tables become monthly partitions that only grow; columns for group sync.
--
-- Months are those of UTC, whatever the session's time zone. A month that has no partition yet goes
-- to the default partition, so that no event is ever refused; _mfi_audit_arrange moves it out later.

-- Roles
--
-- What others call with rights that are not theirs runs as one of two roles that nobody can log in as or become, and that have just
-- the rights it needs. They are of the cluster: DROP EXTENSION leaves them.

CREATE FUNCTION @extschema@._mfi_role_leavings(role name) RETURNS SETOF text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT format('the owner of %s', CASE WHEN s.dbid = 0 OR d.datname = current_database() THEN pg_describe_object(s.classid, s.objid, s.objsubid)
                                        ELSE format('an object in database %I', d.datname) END)
    FROM pg_shdepend s
    JOIN pg_roles r ON s.refclassid = 'pg_authid'::regclass AND r.oid = s.refobjid AND r.rolname = role
    LEFT JOIN pg_database d ON d.oid = s.dbid
   WHERE s.deptype = 'o'
     AND (role = 'mfi_sync' OR d.datname = current_database() AND NOT EXISTS (
           SELECT FROM pg_depend m JOIN pg_extension e ON m.refclassid = 'pg_extension'::regclass AND m.refobjid = e.oid AND e.extname = 'mfi'
            WHERE m.classid = s.classid AND m.objid = s.objid AND m.deptype = 'e'))
  UNION ALL
  SELECT format('a role with the settings %s', array_to_string(s.setconfig, ', ')) FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole AND r.rolname = role
$$;
COMMENT ON FUNCTION @extschema@._mfi_role_leavings(name) IS
  'What a role of mfi owns, beside members of the extension, and settings that it has: nothing of mfi makes these, so somebody else did, with its rights.';

CREATE FUNCTION @extschema@._mfi_role_faults(role name) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT string_agg(fault, ', ')
    FROM (SELECT CASE WHEN r.rolcanlogin THEN 'LOGIN' END FROM pg_roles r WHERE r.rolname = role
          UNION ALL SELECT CASE WHEN r.rolsuper THEN 'SUPERUSER' END FROM pg_roles r WHERE r.rolname = role
          UNION ALL SELECT CASE WHEN r.rolcreaterole THEN 'CREATEROLE' END FROM pg_roles r WHERE r.rolname = role
          UNION ALL SELECT CASE WHEN r.rolcreatedb THEN 'CREATEDB' END FROM pg_roles r WHERE r.rolname = role
          UNION ALL SELECT CASE WHEN r.rolreplication THEN 'REPLICATION' END FROM pg_roles r WHERE r.rolname = role
          UNION ALL SELECT CASE WHEN r.rolbypassrls THEN 'BYPASSRLS' END FROM pg_roles r WHERE r.rolname = role
          UNION ALL SELECT format('the member %I', pg_get_userbyid(m.member)) FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid AND r.rolname = role
          UNION ALL SELECT format('membership in %I', pg_get_userbyid(m.roleid)) FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member AND r.rolname = role
          UNION ALL SELECT l FROM @extschema@._mfi_role_leavings(role) l
         ) AS f (fault)
$$;
COMMENT ON FUNCTION @extschema@._mfi_role_faults(name) IS
  'What a role has that a role which owns functions of the extension must not have; NULL when there is nothing.';

CREATE FUNCTION @extschema@._mfi_make_role(role name, purpose text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  faults text;
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = role) THEN
    BEGIN
      EXECUTE format('CREATE ROLE %I NOLOGIN NOSUPERUSER NOCREATEROLE NOCREATEDB NOREPLICATION NOBYPASSRLS', role);
      EXECUTE format('COMMENT ON ROLE %I IS %L', role, purpose);
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;  -- another database's CREATE EXTENSION was quicker
    END;
  END IF;
  faults := @extschema@._mfi_role_faults(role);
  IF faults IS NOT NULL THEN
    RAISE EXCEPTION 'role % has rights that mfi cannot give to everybody who calls its functions: %', quote_ident(role), faults
      USING ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = format('Functions that other roles may call run with the rights of %I: whoever is a member of it, or can log in as it, has them without the functions.', role),
            HINT = format('If it is a role of mfi, take them away: ALTER ROLE %1$I NOLOGIN NOSUPERUSER NOCREATEROLE NOCREATEDB NOREPLICATION NOBYPASSRLS, and REVOKE '
                          'for each membership; drop what it owns. If it is another one, rename it: ALTER ROLE %1$I RENAME TO ....', role);
  END IF;
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_make_role(name, text) IS
  'Makes a role that owns functions of the extension, if it is not there; fails when it is there and is more than that.';

SELECT @extschema@._mfi_make_role('mfi_sync'::name,
  'Owns what mfi''s group syncs and event imports run as. What a table''s owner has put on these tables runs as this role, too.'::text);
SELECT @extschema@._mfi_make_role('mfi_audit_owner'::name, 'Owns what mfi counts audit rows as, for the verdict.'::text);

CREATE FUNCTION @extschema@._mfi_execute_unrecorded(command text) RETURNS void
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_execute_unrecorded';
COMMENT ON FUNCTION @extschema@._mfi_execute_unrecorded(text) IS
  'Executes a GRANT as if no extension script were running: else the server notes it as one that CREATE EXTENSION makes, and dumps '
  'leave it out. Only for superusers.';

CREATE FUNCTION @extschema@._mfi_rights() RETURNS TABLE (role text, privilege text, relation regclass, columns name[])
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT 'mfi_sync', r.privilege, @extschema@._mfi_regclass(r.name), r.columns::name[]
    FROM (VALUES
      ('portals', 'SELECT', '{id,realm_id}'), ('mfi_clients', 'SELECT', '{id}'), ('user_groups', 'SELECT', '{user_id,group_id}'),
      ('portal_groups', 'SELECT', NULL), ('portal_groups', 'INSERT', NULL), ('portal_groups', 'UPDATE', NULL),
      ('mfi_groups', 'SELECT', NULL), ('mfi_groups', 'INSERT', NULL), ('mfi_groups', 'UPDATE', NULL),
      ('portal_users', 'SELECT', '{id_iam,id_group,last_login_at}'), ('portal_users', 'UPDATE', '{last_login_at}'),
      ('mfi_users', 'SELECT', '{id_iam,id_group,last_login_at}'), ('mfi_users', 'UPDATE', '{last_login_at}'),
      ('user_auth_logs', 'INSERT', NULL), ('user_auth_logs', 'SELECT', '{iam_event_id,event_time,duplicate}'),
      ('admin_event_logs', 'INSERT', NULL), ('admin_event_logs', 'SELECT', '{event_id,event_time,duplicate}')) AS r (name, privilege, columns)
  UNION ALL
  SELECT r.role, r.privilege, c.oid::regclass, r.columns::name[]
    FROM (VALUES ('mfi_sync', 'SELECT', 'mfi', 'schema_version', NULL), ('mfi_sync', 'SELECT', 'mfi', 'sync_runs', NULL), ('mfi_sync', 'INSERT', 'mfi', 'sync_runs', NULL),
                 ('mfi_sync', 'DELETE', 'mfi', 'sync_runs', NULL), ('mfi_audit_owner', 'SELECT', 'mfi', 'audit_watch', NULL)
          UNION ALL
          SELECT 'mfi_audit_owner', 'SELECT', 'mfi_audit', name || '_default', '{event_time}' FROM unnest(@extschema@._mfi_audit_tables()) AS name
         ) AS r (role, privilege, space, name, columns)
    -- Not by to_regclass(): it fails for a role that lacks the right on the schema, which is what is looked for.
    JOIN pg_namespace n ON n.nspname = r.space
    JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = r.name
$$;
COMMENT ON FUNCTION @extschema@._mfi_rights() IS
  'The rights on the bank''s tables that the extension''s roles have, all that they have; columns: on these alone.';

CREATE OR REPLACE FUNCTION @extschema@._mfi_missing_grants() RETURNS TABLE (step text, command text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT format('%s on %s for %s', g.privileges, g.object, g.role),
         format('SELECT @extschema@._mfi_execute_unrecorded(%L::text)', format('GRANT %s ON %s TO %I', g.privileges, g.object, g.role))
    FROM (SELECT r.role, r.relation::text, string_agg(r.privilege || ' (' || array_to_string(r.columns, ', ') || ')', ', ')
            FROM @extschema@._mfi_rights() r
            JOIN pg_class c ON c.oid = r.relation
            JOIN pg_roles o ON o.rolname = r.role
           WHERE r.columns IS NOT NULL
             AND EXISTS (SELECT FROM pg_attribute a
                          WHERE a.attrelid = c.oid AND a.attname = ANY (r.columns) AND NOT a.attisdropped
                            AND NOT EXISTS (SELECT FROM (SELECT * FROM aclexplode(a.attacl) UNION ALL SELECT * FROM aclexplode(c.relacl)) AS x
                                             WHERE x.grantee = o.oid AND x.privilege_type = r.privilege))
           GROUP BY r.role, r.relation
          UNION ALL
          SELECT r.role, r.relation::text, string_agg(r.privilege, ', ')
            FROM @extschema@._mfi_rights() r
            JOIN pg_class c ON c.oid = r.relation
            JOIN pg_roles o ON o.rolname = r.role
           WHERE r.columns IS NULL
             AND NOT EXISTS (SELECT FROM aclexplode(c.relacl) AS x WHERE x.grantee = o.oid AND x.privilege_type = r.privilege)
           GROUP BY r.role, r.relation
          UNION ALL
          SELECT DISTINCT n.role, 'SCHEMA ' || quote_ident(n.name), 'USAGE'
            FROM (VALUES ('mfi_sync', 'mfi'), ('mfi_audit_owner', 'mfi'), ('mfi_audit_owner', 'mfi_audit')) AS n (role, name)
            JOIN pg_namespace s ON s.nspname = n.name
            JOIN pg_roles o ON o.rolname = n.role
           WHERE NOT EXISTS (SELECT FROM aclexplode(s.nspacl) AS x WHERE x.grantee = o.oid AND x.privilege_type = 'USAGE')
          UNION ALL
          -- Where everybody has them, as a new database and schema public give them, nothing is to be granted.
          SELECT DISTINCT o.rolname::text, 'SCHEMA ' || e.extnamespace::regnamespace, 'USAGE'
            FROM pg_extension e, pg_roles o
           WHERE e.extname IN ('mfi', 'uuid-ossp') AND o.rolname IN ('mfi_sync', 'mfi_audit_owner')
             AND NOT has_schema_privilege(o.oid, e.extnamespace, 'USAGE')
          UNION ALL
          SELECT o.rolname::text, 'DATABASE ' || quote_ident(current_database()), 'TEMPORARY'
            FROM pg_roles o WHERE o.rolname = 'mfi_sync' AND NOT has_database_privilege(o.oid, current_database(), 'TEMPORARY')
         ) AS g (role, object, privileges)
   ORDER BY g.role, g.object, g.privileges
$$;
COMMENT ON FUNCTION @extschema@._mfi_missing_grants() IS
  'Steps that give the extension''s roles the rights they lack: all in a new schema, and after a restore that left privileges out.';

-- Append-only

CREATE FUNCTION @extschema@._mfi_refuse_change() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RAISE EXCEPTION '% on %.% is refused', TG_OP, quote_ident(TG_TABLE_SCHEMA), quote_ident(TG_TABLE_NAME)
    USING ERRCODE = 'object_not_in_prerequisite_state',
          DETAIL = 'Audit tables only grow.',
          HINT = 'Whole months that a verified backup contains go by SELECT * FROM mfi_audit_expire(keep_months => 24).';
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_refuse_change() IS 'Trigger: refuses UPDATE, DELETE and TRUNCATE on audit tables and their partitions.';

CREATE FUNCTION @extschema@._mfi_audit_tables() RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT ARRAY['user_auth_logs', 'admin_event_logs', 'user_activity_logs', 'mfi_user_activity_logs'] $$;
COMMENT ON FUNCTION @extschema@._mfi_audit_tables() IS 'Names of the audit tables.';

CREATE FUNCTION @extschema@._mfi_append_only(relation text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %s '
                'EXECUTE FUNCTION @extschema@._mfi_refuse_change()', relation)
$$;
COMMENT ON FUNCTION @extschema@._mfi_append_only(text) IS
  'Command that makes a relation append-only. Statement triggers are not inherited: each partition has its own.';

CREATE FUNCTION @extschema@._mfi_audit_relations() RETURNS TABLE (name text, parent regclass, relation regclass, month timestamptz, leaf boolean)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
  -- Not by pg_partition_tree(), which waits for whoever holds a lock.
  WITH RECURSIVE part (name, parent, oid, level) AS (
    SELECT t.name, @extschema@._mfi_regclass(t.name)::oid, @extschema@._mfi_regclass(t.name)::oid, 0
      FROM unnest(@extschema@._mfi_audit_tables()) AS t (name) WHERE @extschema@._mfi_regclass(t.name) IS NOT NULL
    UNION ALL
    SELECT p.name, p.parent, i.inhrelid, p.level + 1 FROM part p JOIN pg_inherits i ON i.inhparent = p.oid)
  SELECT p.name, p.parent::regclass, c.oid::regclass,
         CASE WHEN p.level = 1 THEN to_timestamp(substring(c.relname FROM '_([1-9][0-9]{3}(?:0[1-9]|1[0-2]))$'), 'YYYYMM') END, c.relkind = 'r'
    FROM part p JOIN pg_class c ON c.oid = p.oid
$$;
COMMENT ON FUNCTION @extschema@._mfi_audit_relations() IS
  'The audit tables and their partitions, on all levels; month: that of a monthly partition, else NULL; leaf: whether rows are in it.';

CREATE OR REPLACE FUNCTION @extschema@._mfi_triggers() RETURNS TABLE (relation text, trigger_name text, command text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT '@extschema@.' || quote_ident(name), 'touch_updated_at',
         format('CREATE TRIGGER touch_updated_at BEFORE UPDATE ON @extschema@.%I '
                'FOR EACH ROW EXECUTE FUNCTION @extschema@._mfi_touch_updated_at()', name)
    FROM unnest(ARRAY['activity_type', 'mfi_country', 'mfi_type', 'platform_type', 'portals',
                      'portal_groups', 'portal_users', 'mfi_clients', 'mfi_groups', 'mfi_users',
                      'digital_platforms']) AS name
  UNION ALL
  SELECT '@extschema@.' || quote_ident(name), 'append_only',
         @extschema@._mfi_append_only('@extschema@.' || quote_ident(name))
    FROM unnest(@extschema@._mfi_audit_tables()) AS name
  UNION ALL
  SELECT r.relation::text, 'append_only', @extschema@._mfi_append_only(r.relation::text)
    FROM @extschema@._mfi_audit_relations() r WHERE r.relation <> r.parent
  UNION ALL
  SELECT 'mfi.schema_version', 'guard_schema_version',
         'CREATE TRIGGER guard_schema_version BEFORE UPDATE OR DELETE OR TRUNCATE '
         'ON mfi.schema_version EXECUTE FUNCTION @extschema@._mfi_guard_schema_version()'
$$;

-- Partitions

CREATE FUNCTION @extschema@._mfi_month(at timestamptz, further integer DEFAULT 0) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT (date_trunc('month', at AT TIME ZONE 'UTC') + make_interval(months => further)) AT TIME ZONE 'UTC'
$$;
COMMENT ON FUNCTION @extschema@._mfi_month(timestamptz, integer) IS 'Begin, in UTC, of the month of a moment, or of one so many months further.';

CREATE FUNCTION @extschema@._mfi_partition_name(relation text, month timestamptz) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT 'mfi_audit.' || quote_ident(relation || coalesce(to_char(month AT TIME ZONE 'UTC', '_YYYYMM'), '_default'))
$$;
COMMENT ON FUNCTION @extschema@._mfi_partition_name(text, timestamptz) IS
  'Name of the partition of an audit table for a month; of its default partition when the month is NULL.';

CREATE FUNCTION @extschema@._mfi_tablespace(relation regclass) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT format(' TABLESPACE %I', spcname) FROM pg_class c JOIN pg_tablespace t ON t.oid = c.reltablespace WHERE c.oid = relation
$$;
COMMENT ON FUNCTION @extschema@._mfi_tablespace(regclass) IS
  'Clause that puts a new table where this one is; NULL when that is the database''s own tablespace.';

CREATE FUNCTION @extschema@._mfi_give_to_owner(parent regclass, relation text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  owner name := (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = parent);
BEGIN
  EXECUTE format('ALTER TABLE %s OWNER TO %I', relation, owner);
  IF NOT has_schema_privilege(owner, 'mfi_audit', 'USAGE') THEN
    PERFORM @extschema@._mfi_execute_unrecorded(format('GRANT USAGE ON SCHEMA mfi_audit TO %I', owner));
  END IF;
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_give_to_owner(regclass, text) IS
  'Gives a table in mfi_audit the owner of an audit table, who can reach it there: what its rows meet runs with that owner''s rights.';

CREATE FUNCTION @extschema@._mfi_add_partition(relation text, month timestamptz) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
DECLARE
  parent regclass := @extschema@._mfi_regclass(relation);
  name text := @extschema@._mfi_partition_name(relation, month);
  outside regclass := to_regclass(@extschema@._mfi_partition_name(relation, NULL::timestamptz));
  columns text;
BEGIN
  IF to_regclass(name) IS NOT NULL THEN
    RAISE EXCEPTION '% exists but is not a partition of %', name, parent
      USING ERRCODE = 'duplicate_table',
            HINT = format('Rename it, or put it back: ALTER TABLE %s ATTACH PARTITION %s FOR VALUES FROM (%L) TO (%L).',
                          parent, name, month, @extschema@._mfi_month(month, 1));
  END IF;
  -- A table that is attached locks the parent less than one made as a partition.
  EXECUTE format('CREATE TABLE %s (LIKE %s INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED '
                 'INCLUDING STORAGE INCLUDING COMPRESSION)%s', name, parent, @extschema@._mfi_tablespace(parent));
  PERFORM @extschema@._mfi_give_to_owner(parent, name);
  IF month IS NULL THEN
    EXECUTE format('COMMENT ON TABLE %s IS %L', name, format('Rows of %s whose month has no partition.', parent));
    -- Rows without a time may be many; the health check asks for the others every few seconds.
    EXECUTE format('CREATE INDEX ON %s (event_time)', name);
    PERFORM @extschema@._mfi_as_owner(parent, format('ALTER TABLE %s ATTACH PARTITION %s DEFAULT', parent, name));
    EXECUTE format('GRANT SELECT (event_time) ON %s TO mfi_audit_owner', name);
  ELSE
    IF outside IS NOT NULL AND NOT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = outside) THEN
      SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) INTO columns
        FROM pg_attribute WHERE attrelid = outside AND attnum > 0 AND NOT attisdropped AND attgenerated = '';
      PERFORM @extschema@._mfi_as_owner(parent, format(
        'WITH moved AS (DELETE FROM %s WHERE event_time >= %L AND event_time < %L RETURNING %s) '
        'INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE SELECT * FROM moved',
        outside, month, @extschema@._mfi_month(month, 1), columns, name, columns));
    END IF;
    EXECUTE format('COMMENT ON TABLE %s IS %L', name, format('Rows of %s of %s (UTC).', parent, to_char(month, 'YYYY-MM')));
    PERFORM @extschema@._mfi_as_owner(parent, format('ALTER TABLE %s ATTACH PARTITION %s FOR VALUES FROM (%L) TO (%L)', parent, name, month,
                                                     @extschema@._mfi_month(month, 1)));
  END IF;
  EXECUTE @extschema@._mfi_append_only(name);
  -- What was seen of a month of this name that expired is not laid to this one.
  PERFORM @extschema@._mfi_watched(format('DELETE FROM mfi.audit_watch WHERE relation = %L AND expired_at IS NOT NULL', name));
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_add_partition(text, timestamptz) IS
  'Makes and attaches the partition of an audit table for a month, or its default partition when the month is NULL. '
  'While the default partition is detached, the month''s rows move out of it.';

CREATE FUNCTION @extschema@._mfi_count(relation regclass) RETURNS bigint
LANGUAGE c STABLE STRICT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_count';
COMMENT ON FUNCTION @extschema@._mfi_count(regclass) IS
  'Rows of a table. A scan counts them, no query, so nothing that the table''s owner has put on it runs, and no index is believed. The caller needs SELECT on the table.';

CREATE FUNCTION @extschema@._mfi_months(relation regclass, column_name name, before timestamptz) RETURNS timestamptz[]
LANGUAGE c STABLE STRICT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_months';
COMMENT ON FUNCTION @extschema@._mfi_months(regclass, name, timestamptz) IS
  'Months (their first moments, UTC), from 2000 to that time, of which the column has times; in order. Read by a scan, as _mfi_count() does. A time outside of that is a '
  'mistake of the sender.';

CREATE FUNCTION @extschema@._mfi_referrer(relation regclass) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT min(pg_describe_object('pg_constraint'::regclass, k.oid, 0)) FROM pg_constraint k
   WHERE k.contype = 'f' AND k.confrelid IN (SELECT relation UNION SELECT t.relid FROM pg_partition_tree(relation) t)
$$;
COMMENT ON FUNCTION @extschema@._mfi_referrer(regclass) IS
  'A foreign key onto a table or one of its partitions; NULL when there is none. To detach a partition the server reads the table that refers, with the rights of whoever '
  'detaches: so what its owner has put on that table would run.';

CREATE FUNCTION @extschema@._mfi_lock_audit_table(relation text, parent regclass) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  tables oid[] := ARRAY[parent::oid];
  locked oid[] := '{}';
BEGIN
  PERFORM @extschema@._mfi_refuse_old_snapshot();
  -- By oid: a name is looked up again when a lock has been waited for.
  WHILE NOT tables <@ locked LOOP
    PERFORM @extschema@._mfi_lock(t::regclass, true) FROM unnest(tables) AS t WHERE t <> ALL (locked);
    locked := locked || tables;
    tables := ARRAY(SELECT relid::oid FROM pg_partition_tree(parent));
  END LOOP;
  IF @extschema@._mfi_regclass(relation) IS DISTINCT FROM parent THEN
    RAISE EXCEPTION 'table % was renamed or moved while a lock on it was waited for', relation
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Give it its name and schema back, then call it again.';
  END IF;
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_lock_audit_table(text, regclass) IS
  'Locks an audit table and all its partitions for this transaction alone, and fails when it is no longer the one of that name. What is looked up in the next statement stays so.';

CREATE FUNCTION @extschema@._mfi_audit_arrange(relation text, months integer) RETURNS SETOF text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  parent regclass := @extschema@._mfi_regclass(relation);
  outside regclass := to_regclass(@extschema@._mfi_partition_name(relation, NULL::timestamptz));
  first_after timestamptz := @extschema@._mfi_month(now(), months + 1);
  stray timestamptz[];
  month timestamptz;
  rows bigint;
BEGIN
  IF outside IS NULL THEN
    PERFORM @extschema@._mfi_add_partition(relation, NULL::timestamptz);
    outside := @extschema@._mfi_partition_name(relation, NULL::timestamptz)::regclass;
    RETURN NEXT format('partition %s made', outside);
  END IF;
  stray := @extschema@._mfi_months(outside, 'event_time'::name, first_after);
  IF stray <> '{}' THEN
    PERFORM @extschema@._mfi_lock_audit_table(relation, parent);
    IF to_regclass(@extschema@._mfi_partition_name(relation, NULL::timestamptz)) IS DISTINCT FROM outside
       OR NOT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = outside AND inhparent = parent) THEN
      RAISE EXCEPTION 'table % was renamed or detached while a lock on it was waited for', outside
        USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Give it its name and place back, then call it again.';
    END IF;
    IF @extschema@._mfi_referrer(parent) IS NOT NULL THEN
      RETURN NEXT format('rows of %s stay in %s: %s refers to it', relation, outside, @extschema@._mfi_referrer(parent));
      stray := '{}';
    END IF;
  END IF;
  IF stray <> '{}' THEN
    rows := @extschema@._mfi_count(outside);
    EXECUTE format('ALTER TABLE %s DETACH PARTITION %s', parent, outside);
    EXECUTE format('ALTER TABLE %s DISABLE TRIGGER append_only', outside);
    stray := @extschema@._mfi_months(outside, 'event_time'::name, first_after);
  END IF;
  FOR month IN
    SELECT m FROM (SELECT unnest(stray)
                   UNION SELECT @extschema@._mfi_month(now(), further) FROM generate_series(0, months) AS further) AS wanted (m)
     WHERE NOT EXISTS (SELECT FROM pg_inherits i
                        WHERE i.inhparent = parent AND i.inhrelid = to_regclass(@extschema@._mfi_partition_name(relation, m)))
     ORDER BY m
  LOOP
    PERFORM @extschema@._mfi_add_partition(relation, month);
    rows := rows - @extschema@._mfi_count(@extschema@._mfi_partition_name(relation, month)::regclass);
    RETURN NEXT format('partition %s made%s', @extschema@._mfi_partition_name(relation, month),
                       CASE WHEN month = ANY (stray) THEN ', with the rows that were in ' || outside END);
  END LOOP;
  IF stray <> '{}' THEN
    IF rows <> @extschema@._mfi_count(outside) THEN
      RAISE EXCEPTION 'rows of % would be lost on their way to their months', outside
        USING ERRCODE = 'data_exception', DETAIL = format('%s of them would be neither there nor in a month. Nothing was changed.', rows - @extschema@._mfi_count(outside)),
              HINT = 'A trigger ENABLE ALWAYS, or something else that the owner of the table has put on it, changes or swallows them.';
    END IF;
    EXECUTE format('ALTER TABLE %s ENABLE TRIGGER append_only', outside);
    PERFORM @extschema@._mfi_as_owner(parent, format('ALTER TABLE %s ATTACH PARTITION %s DEFAULT', parent, outside));
    PERFORM @extschema@._mfi_watched(format('UPDATE mfi.audit_watch SET rows = NULL, counted_at = NULL WHERE relation = %L', outside));
  END IF;
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_audit_arrange(text, integer) IS
  'Makes the partitions of an audit table that are missing for the current month, so many further, and every month '
  'whose rows are in the default partition; returns one line for each.';

-- Migration 1.1

CREATE FUNCTION @extschema@._mfi_audit_obstacles(table_name text) RETURNS SETOF text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  WITH t AS (SELECT c.* FROM pg_class c WHERE c.oid = @extschema@._mfi_regclass(table_name)),
  dropped AS (SELECT oid FROM t UNION SELECT v.view::oid FROM t, @extschema@._mfi_views_over(ARRAY[t.oid::regclass]) v),
  types AS (SELECT y.oid, y.typarray FROM pg_class c JOIN pg_type y ON y.oid = c.reltype WHERE c.oid IN (SELECT oid FROM dropped))
  SELECT format('%s is not a plain table', oid::regclass) FROM t
   WHERE relkind <> 'r' OR relispartition OR relpersistence <> 'p'
      OR EXISTS (SELECT FROM pg_inherits WHERE t.oid IN (inhparent, inhrelid))
  UNION ALL
  SELECT format('%s refers to it', pg_describe_object('pg_constraint'::regclass, k.oid, 0))
    FROM t JOIN pg_constraint k ON k.confrelid = t.oid AND k.contype = 'f'
  UNION ALL
  SELECT format('%s is unique, or excludes, without event_time', i.indexrelid::regclass)
    FROM t JOIN pg_index i ON i.indrelid = t.oid
   WHERE (i.indisunique AND NOT i.indisprimary OR i.indisexclusion)
     AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = t.oid AND a.attname = 'event_time' AND a.attnum = ANY (i.indkey))
  UNION ALL
  SELECT format('%s is not validated', pg_describe_object('pg_constraint'::regclass, k.oid, 0))
    FROM t JOIN pg_constraint k ON k.conrelid = t.oid AND NOT k.convalidated
  UNION ALL
  SELECT format('%s includes it', pg_describe_object('pg_publication_rel'::regclass, p.oid, 0))
    FROM t JOIN pg_publication_rel p ON p.prrelid = t.oid
  UNION ALL
  SELECT DISTINCT format('%s depends on it', pg_describe_object(d.classid, d.objid, d.objsubid))
    FROM pg_depend d
   WHERE d.deptype = 'n'
     AND (d.refclassid = 'pg_class'::regclass AND d.refobjid IN (SELECT oid FROM dropped)
          OR d.refclassid = 'pg_type'::regclass AND d.refobjid IN (SELECT unnest(ARRAY[oid, typarray]) FROM types))
     AND d.classid NOT IN ('pg_trigger'::regclass, 'pg_constraint'::regclass, 'pg_attrdef'::regclass, 'pg_statistic_ext'::regclass)
     AND NOT EXISTS (SELECT FROM pg_policy p WHERE d.classid = 'pg_policy'::regclass AND p.oid = d.objid
                                               AND p.polrelid IN (SELECT oid FROM dropped))
     AND NOT EXISTS (SELECT FROM pg_rewrite r WHERE d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
                                                AND r.ev_class IN (SELECT oid FROM dropped))
$$;
COMMENT ON FUNCTION @extschema@._mfi_audit_obstacles(text) IS
  'What keeps an audit table from being made anew as a partitioned one.';

CREATE FUNCTION @extschema@._mfi_columns_in_the_way(table_name text) RETURNS SETOF text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT format('column %I is there already', attname)
    FROM (VALUES
      ('user_auth_logs', '{ip,duplicate}'::text[]),
      ('admin_event_logs', '{event_time,auth_realm_id,auth_client_uuid,auth_user_id,ip_address,ip,representation_raw,error,duplicate}'),
      ('mfi_user_activity_logs', '{id_mfi}'),
      ('portal_groups', '{portal_id,depth,attributes,realm_roles,client_roles,deleted_at}'),
      ('mfi_groups', '{depth,attributes,realm_roles,client_roles,deleted_at}')) AS v (name, columns)
    JOIN pg_attribute ON attrelid = @extschema@._mfi_regclass(name) AND attname = ANY (columns) AND NOT attisdropped
   WHERE name = table_name
$$;
COMMENT ON FUNCTION @extschema@._mfi_columns_in_the_way(text) IS
  'Columns of a table that have the name of one that version 1.1 adds.';

CREATE FUNCTION @extschema@._mfi_audit_forecast(table_name text) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  relation regclass := @extschema@._mfi_regclass(table_name);
  bytes bigint := pg_table_size(relation);
  row_count numeric := (SELECT reltuples FROM pg_class WHERE oid = relation);
BEGIN
  IF relation IS NULL OR bytes < 30000000 THEN
    RETURN NULL;
  END IF;
  RETURN format('%s rows (%s) move; the table is locked until the end of the transaction, about %s s on two cores',
                coalesce('about ' || nullif(row_count, -1), 'all'), pg_size_pretty(bytes), ceil(bytes / 20e6));
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_audit_forecast(text) IS
  'How much moves when this audit table is partitioned, and for how long it is locked; NULL when it is not worth a word.';

CREATE FUNCTION @extschema@._mfi_mark_duplicates(table_name text, key text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM @extschema@._mfi_as_owner(@extschema@._mfi_regclass(table_name), format(
    'UPDATE @extschema@.%1$I t SET duplicate = true FROM ('
    '  SELECT tableoid AS partition, ctid AS place, row_number() OVER (PARTITION BY %2$I, event_time ORDER BY created_on, id) AS nth'
    '    FROM @extschema@.%1$I WHERE %2$I IS NOT NULL) n '
    'WHERE n.nth > 1 AND t.tableoid = n.partition AND t.ctid = n.place', table_name, key));
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_mark_duplicates(text, text) IS
  'Marks each row that repeats the Keycloak event of another one, except the oldest.';

CREATE FUNCTION @extschema@._mfi_partition_audit_table(table_name text, new_columns text, time_of_row text, event_key text, id_key text)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
DECLARE
  parent text := '@extschema@.' || quote_ident(table_name);
  old text := 'mfi_audit.' || quote_ident(table_name);
  relation oid := parent::regclass;
  forecast text := @extschema@._mfi_audit_forecast(table_name);
  serial regclass := pg_get_serial_sequence(parent, 'id');
  serial_name name := (SELECT relname FROM pg_class WHERE oid = serial);
  serial_type regtype := (SELECT seqtypid FROM pg_sequence WHERE seqrelid = serial);
  serials text[];
  views text[];
  keys text[];
  indexes text[];
  parts text[];
  row_columns text;
  month timestamptz;
BEGIN
  IF forecast IS NOT NULL THEN
    RAISE WARNING '%: %', parent, forecast;  -- inside a script a NOTICE would not be seen
  END IF;
  PERFORM @extschema@._mfi_lock(relation::regclass, true);
  IF @extschema@._mfi_regclass(table_name) IS DISTINCT FROM relation::regclass THEN
    RAISE EXCEPTION 'table % was renamed or moved while a lock on it was waited for', parent
      USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = 'Nothing was changed.', HINT = 'Give it its name and schema back, then call it again.';
  END IF;
  -- What this transaction made itself nobody else has seen.
  IF (SELECT xmin FROM pg_class WHERE oid = relation) <> pg_current_xact_id()::xid THEN
    PERFORM @extschema@._mfi_refuse_old_snapshot();
  END IF;
  views := @extschema@._mfi_set_views_aside(ARRAY[relation::regclass]);
  keys := ARRAY(SELECT format('ALTER TABLE %s ADD CONSTRAINT %I %s', parent, conname, pg_get_constraintdef(oid))
                  FROM pg_constraint WHERE conrelid = relation AND contype = 'f');
  indexes := ARRAY(SELECT @extschema@._mfi_made_by('pg_class'::regclass, indexrelid, relation::regclass, pg_get_indexdef(indexrelid))
                     FROM pg_index WHERE indrelid = relation AND NOT indisprimary);
  parts := ARRAY(SELECT @extschema@._mfi_made_by('pg_statistic_ext'::regclass, oid, relation::regclass, pg_get_statisticsobjdef(oid))
                   FROM pg_statistic_ext WHERE stxrelid = relation)
        || ARRAY(SELECT h FROM @extschema@._mfi_hangers(relation::regclass) h)
        || ARRAY(SELECT c FROM (SELECT relation UNION ALL SELECT serial::oid
                                UNION ALL SELECT indexrelid FROM pg_index WHERE indrelid = relation AND NOT indisprimary) AS r (oid),
                               @extschema@._mfi_comments(r.oid::regclass) c)
        || ARRAY(SELECT g FROM (VALUES (relation), (serial::oid)) AS r (oid), @extschema@._mfi_grants(r.oid::regclass) g);
  SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) INTO row_columns
    FROM pg_attribute WHERE attrelid = relation AND attnum > 0 AND NOT attisdropped AND attgenerated = '';
  SELECT array_agg(format('ALTER SEQUENCE %s OWNED BY %s.%I', d.objid::regclass, parent, a.attname)) INTO serials
    FROM pg_depend d JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
   WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = relation AND d.deptype = 'a'
     AND EXISTS (SELECT FROM pg_sequence WHERE seqrelid = d.objid);
  PERFORM @extschema@._mfi_execute(ARRAY(SELECT regexp_replace(c, ' OWNED BY .*', ' OWNED BY NONE') FROM unnest(serials) c));

  -- In the other schema the old table, its indexes and its sequence are in no name's way.
  EXECUTE format('ALTER TABLE %s SET SCHEMA mfi_audit', parent);
  EXECUTE format('ALTER TABLE %s NO FORCE ROW LEVEL SECURITY', old);  -- its rows move by the hand of their owner
  EXECUTE format('CREATE TABLE %s (LIKE %s INCLUDING ALL EXCLUDING INDEXES EXCLUDING STATISTICS%s) PARTITION BY RANGE (event_time)%s',
                 parent, old, ', ' || nullif(new_columns, ''), @extschema@._mfi_tablespace(relation::regclass));
  PERFORM @extschema@._mfi_give_to_owner(relation::regclass, parent);
  -- While there is no partition nothing is looked at. The rows that move in were looked at by the same keys.
  PERFORM @extschema@._mfi_execute(keys);
  -- Indexes that the owner has to make: in mfi_audit the owner may make none, but a partition that comes gets its own with it.
  PERFORM @extschema@._mfi_execute(ARRAY(SELECT i FROM unnest(indexes) AS i WHERE i LIKE 'SELECT %'));
  PERFORM @extschema@._mfi_add_partition(table_name, NULL::timestamptz);
  -- OFFSET 0 hides the times' statistics: there are few months, so they are hashed, not sorted.
  FOR month IN
    SELECT unnest(@extschema@._mfi_as_owner(relation::regclass, format(
      'SELECT array_agg(m) FROM (SELECT DISTINCT m FROM (SELECT date_trunc(''month'', %1$s, ''UTC'') FROM %2$s WHERE %1$s >= %3$L AND %1$s < %4$L OFFSET 0) AS o (m)) AS d',
      time_of_row, old, timestamptz '2000-01-01 00:00Z', @extschema@._mfi_month(now(), 4)))::timestamptz[])
    UNION SELECT @extschema@._mfi_month(now(), further) FROM generate_series(0, 3) AS further ORDER BY 1
  LOOP
    PERFORM @extschema@._mfi_add_partition(table_name, month);
  END LOOP;
  PERFORM @extschema@._mfi_as_owner(relation::regclass, format(
    'INSERT INTO %1$s (%2$s%3$s) OVERRIDING SYSTEM VALUE SELECT %2$s%4$s FROM %5$s', parent, row_columns,
    CASE WHEN time_of_row <> 'event_time' THEN ', event_time' END,
    CASE WHEN time_of_row <> 'event_time' THEN ', ' || time_of_row END, old));
  IF serial IS NOT NULL THEN
    EXECUTE format('ALTER SEQUENCE %s AS %s', pg_get_serial_sequence(parent, 'id'), serial_type);
    EXECUTE format('SELECT setval(pg_get_serial_sequence(%L, ''id''), last_value, is_called) FROM %s', parent, serial);
  END IF;
  EXECUTE format('DROP TABLE %s', old);
  IF serial_name <> (SELECT relname FROM pg_class WHERE oid = pg_get_serial_sequence(parent, 'id')::regclass) THEN
    EXECUTE format('ALTER SEQUENCE %s RENAME TO %I', pg_get_serial_sequence(parent, 'id'), serial_name);
  END IF;

  EXECUTE id_key;
  IF event_key IS NOT NULL THEN
    BEGIN
      EXECUTE event_key;
    EXCEPTION WHEN unique_violation THEN
      PERFORM @extschema@._mfi_mark_duplicates(table_name, substring(event_key FROM '\((\w+),'));
      EXECUTE event_key;
    END;
  END IF;
  PERFORM @extschema@._mfi_execute(serials || ARRAY(SELECT i FROM unnest(indexes) AS i WHERE i NOT LIKE 'SELECT %') || parts || views);
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_partition_audit_table(text, text, text, text, text) IS
  'Makes an audit table anew, partitioned by event_time and with new columns, and moves its rows and all that hangs on '
  'it. time_of_row: the expression that gives an old row its event_time; event_key and id_key: commands of its unique indexes.';

CREATE FUNCTION @extschema@._mfi_migration_1_1() RETURNS TABLE (step text, command text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $migration$
DECLARE
  obstacles text;
BEGIN
  SELECT string_agg(format('%I: %s', name, obstacle), E'\n' ORDER BY name, obstacle) INTO obstacles
    FROM (SELECT name, @extschema@._mfi_audit_obstacles(name) FROM unnest(@extschema@._mfi_audit_tables()) AS name
          UNION ALL SELECT name, @extschema@._mfi_columns_in_the_way(name) FROM unnest(@extschema@._mfi_tables()) AS name) AS o (name, obstacle);
  IF obstacles IS NOT NULL THEN
    RAISE EXCEPTION 'the tables cannot be brought to version 1.1 while other objects are in the way'
      USING ERRCODE = 'dependent_objects_still_exist', DETAIL = obstacles || E'\nNothing was changed.',
            HINT = 'Drop these objects (rename columns), migrate, and make them again where they still make sense.';
  END IF;
  RETURN QUERY

SELECT format('table %s: partitions by month%s', t.name, ' (' || @extschema@._mfi_audit_forecast(t.name) || ')'),
       format('SELECT @extschema@._mfi_partition_audit_table(%L::text, %L::text, %L::text, %L::text, %L::text)', t.name, t.new_columns, t.time_of_row, t.event_key, t.id_key)
         || E';\n' || t.comments
  FROM (VALUES
('user_auth_logs', $sql$ip inet, duplicate boolean NOT NULL DEFAULT false$sql$, 'event_time',
 'CREATE UNIQUE INDEX ON @extschema@.user_auth_logs (iam_event_id, event_time) WHERE NOT duplicate',
 'CREATE UNIQUE INDEX ON @extschema@.user_auth_logs (id, event_time)', $sql$
COMMENT ON COLUMN @extschema@.user_auth_logs.ip IS 'ip_address, when it is an address.';
COMMENT ON COLUMN @extschema@.user_auth_logs.duplicate IS
  'True for a row from before version 1.1 that repeats the event of another row; since then an event is taken once.';
$sql$),
('admin_event_logs', $sql$event_time timestamptz NOT NULL DEFAULT now(), auth_realm_id text, auth_client_uuid text,
  auth_user_id text, ip_address text, ip inet, representation_raw text, error text, duplicate boolean NOT NULL DEFAULT false$sql$,
 'coalesce(created_on, now())',
 'CREATE UNIQUE INDEX ON @extschema@.admin_event_logs (event_id, event_time) WHERE NOT duplicate',
 'CREATE UNIQUE INDEX ON @extschema@.admin_event_logs (id, event_time)', $sql$
COMMENT ON COLUMN @extschema@.admin_event_logs.event_time IS
  'When it happened. Rows from before version 1.1 have the time they were written.';
COMMENT ON COLUMN @extschema@.admin_event_logs.auth_realm_id IS 'Keycloak realm of the administrator.';
COMMENT ON COLUMN @extschema@.admin_event_logs.auth_client_uuid IS 'Keycloak''s id, not the name, of the client the administrator used.';
COMMENT ON COLUMN @extschema@.admin_event_logs.auth_user_id IS 'Keycloak''s id of the administrator.';
COMMENT ON COLUMN @extschema@.admin_event_logs.ip_address IS 'As Keycloak sent it; not always an address.';
COMMENT ON COLUMN @extschema@.admin_event_logs.ip IS 'ip_address, when it is an address.';
COMMENT ON COLUMN @extschema@.admin_event_logs.representation_raw IS 'The representation as sent, when it is not JSON.';
COMMENT ON COLUMN @extschema@.admin_event_logs.duplicate IS
  'True for a row from before version 1.1 that repeats the event of another row; since then an event is taken once.';
$sql$),
('user_activity_logs', '', 'event_time', NULL,
 'CREATE UNIQUE INDEX ON @extschema@.user_activity_logs (id, event_time) NULLS NOT DISTINCT', $sql$
ALTER TABLE @extschema@.user_activity_logs ALTER COLUMN event_time SET DEFAULT now();
COMMENT ON COLUMN @extschema@.user_activity_logs.event_time IS 'When it happened; NULL when nobody knows.';
$sql$),
('mfi_user_activity_logs', 'id_mfi uuid', 'event_time', NULL,
 'CREATE UNIQUE INDEX ON @extschema@.mfi_user_activity_logs (id, event_time) NULLS NOT DISTINCT', $sql$
ALTER TABLE @extschema@.mfi_user_activity_logs ALTER COLUMN event_time SET DEFAULT now();
COMMENT ON COLUMN @extschema@.mfi_user_activity_logs.event_time IS 'When it happened; NULL when nobody knows.';
COMMENT ON COLUMN @extschema@.mfi_user_activity_logs.id_mfi IS 'mfi_clients.id; no foreign key: the log outlives the MFI.';
$sql$)) AS t (name, new_columns, time_of_row, event_key, id_key, comments);

  RETURN QUERY VALUES
('columns of portal_groups for group sync', $sql$
ALTER TABLE @extschema@.portal_groups
  ADD COLUMN portal_id    uuid REFERENCES @extschema@.portals (id) ON DELETE SET NULL,
  ADD COLUMN depth        integer CHECK (depth >= 0),
  ADD COLUMN attributes   jsonb,
  ADD COLUMN realm_roles  jsonb,
  ADD COLUMN client_roles jsonb,
  ADD COLUMN deleted_at   timestamptz;
CREATE INDEX ON @extschema@.portal_groups (portal_id);
CREATE INDEX portal_groups_realm_idx ON @extschema@.portal_groups (split_part(ltrim(group_path, '/'), '/', 1)) WHERE portal_id IS NULL;
COMMENT ON COLUMN @extschema@.portal_groups.portal_id IS
  'The portal of the group. NULL: that of the realm that group_path begins with.';
COMMENT ON COLUMN @extschema@.portal_groups.depth IS 'Depth in Keycloak''s tree, 0 at the top.';
COMMENT ON COLUMN @extschema@.portal_groups.attributes IS 'Keycloak''s attributes of the group.';
COMMENT ON COLUMN @extschema@.portal_groups.realm_roles IS 'Keycloak''s realm roles of the group.';
COMMENT ON COLUMN @extschema@.portal_groups.client_roles IS 'Keycloak''s client roles of the group.';
COMMENT ON COLUMN @extschema@.portal_groups.deleted_at IS
  'When Keycloak was found without the group. Its memberships stay, but no view shows them.';
$sql$),

('user_groups: vacuumed sooner, so that v_active_portals reads its index alone', $sql$
ALTER TABLE @extschema@.user_groups SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_insert_scale_factor = 0.02);
$sql$),

('columns of mfi_groups for group sync', $sql$
ALTER TABLE @extschema@.mfi_groups
  ADD COLUMN depth        integer CHECK (depth >= 0),
  ADD COLUMN attributes   jsonb,
  ADD COLUMN realm_roles  jsonb,
  ADD COLUMN client_roles jsonb,
  ADD COLUMN deleted_at   timestamptz;
COMMENT ON COLUMN @extschema@.mfi_groups.depth IS 'Depth in Keycloak''s tree, 0 at the top.';
COMMENT ON COLUMN @extschema@.mfi_groups.attributes IS 'Keycloak''s attributes of the group.';
COMMENT ON COLUMN @extschema@.mfi_groups.realm_roles IS 'Keycloak''s realm roles of the group.';
COMMENT ON COLUMN @extschema@.mfi_groups.client_roles IS 'Keycloak''s client roles of the group.';
COMMENT ON COLUMN @extschema@.mfi_groups.deleted_at IS 'When Keycloak was found without the group.';
$sql$),

('table mfi.sync_runs', $sql$
CREATE TABLE mfi.sync_runs (
  run_id      uuid PRIMARY KEY,
  kind        text NOT NULL CHECK (kind IN ('portal', 'mfi')),
  scope_id    uuid NOT NULL,
  started_at  timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz NOT NULL,
  called_by   text NOT NULL DEFAULT session_user,
  outcome     text NOT NULL,
  report      jsonb NOT NULL
);
CREATE INDEX ON mfi.sync_runs (kind, scope_id, started_at);
COMMENT ON TABLE mfi.sync_runs IS
  'Group syncs that were done, with their reports. Those that changed nothing (noop) go after 30 days, with the next sync of the same portal or MFI.';
COMMENT ON COLUMN mfi.sync_runs.scope_id IS 'portals.id or mfi_clients.id, by kind; no foreign key: the record outlives them.';
COMMENT ON COLUMN mfi.sync_runs.outcome IS 'changed or noop.';
GRANT SELECT ON mfi.sync_runs TO pg_monitor;
$sql$),

('table mfi.audit_watch', $sql$
CREATE TABLE mfi.audit_watch (
  relation   text PRIMARY KEY,
  owner      name,
  expected   bigint,
  backup     text,
  rows       bigint,
  file       oid,
  changes    bigint,
  counted_at timestamptz,
  expired_at timestamptz,
  trouble    text,
  tried_at   timestamptz,
  waits_since timestamptz,
  begun_at   timestamptz,
  ended_at   timestamptz
);
COMMENT ON TABLE mfi.audit_watch IS
  'What the worker has seen of the audit tables and their months, so that what is taken away is noticed. A row that is deleted begins anew.';
COMMENT ON COLUMN mfi.audit_watch.owner IS 'Owner of an audit table when it was first seen; set it when the owner is meant to be another one.';
COMMENT ON COLUMN mfi.audit_watch.expected IS 'The most rows that a backup proven by a restore had of a month.';
COMMENT ON COLUMN mfi.audit_watch.backup IS 'That backup.';
COMMENT ON COLUMN mfi.audit_watch.rows IS 'Rows of the month when they were last counted.';
COMMENT ON COLUMN mfi.audit_watch.file IS 'File node of the month then: TRUNCATE gives it another one.';
COMMENT ON COLUMN mfi.audit_watch.changes IS 'Rows that had been updated or deleted there by then, as the statistics have it.';
COMMENT ON COLUMN mfi.audit_watch.expired_at IS 'When mfi_audit_expire() dropped the month.';
COMMENT ON COLUMN mfi.audit_watch.trouble IS 'Why the worker could not do its work on the table, the last time.';
COMMENT ON COLUMN mfi.audit_watch.tried_at IS 'When the worker last gave up waiting for a lock on the table, or failed to count it.';
COMMENT ON COLUMN mfi.audit_watch.waits_since IS 'Since when it has found the table locked each time.';
COMMENT ON COLUMN mfi.audit_watch.begun_at IS 'When the worker last began to work on it.';
COMMENT ON COLUMN mfi.audit_watch.ended_at IS 'When that ended; a work that hangs takes the worker with it, and never ends.';
GRANT SELECT ON mfi.audit_watch TO pg_monitor;
$sql$),

('view v_active_portals: by portal_groups.portal_id', $sql$
ALTER EXTENSION mfi ADD VIEW @extschema@.v_active_portals;
CREATE OR REPLACE VIEW @extschema@.v_active_portals WITH (security_invoker = true) AS
SELECT p.id, p.name, p.description, p.realm_id, p.is_active, p.on_prod,
       (SELECT count(DISTINCT ug.user_id)
          FROM @extschema@.user_groups ug
         WHERE ug.group_id = ANY (ARRAY(
               SELECT g.iam_group_id
                 FROM @extschema@.portal_groups g
                WHERE g.portal_id = p.id AND g.deleted_at IS NULL
                UNION ALL
               SELECT g.iam_group_id
                 FROM @extschema@.portal_groups g
                WHERE g.portal_id IS NULL AND split_part(ltrim(g.group_path, '/'), '/', 1) = p.realm_id
                  AND g.deleted_at IS NULL))) AS user_count,
       p.created_on, p.updated_at
  FROM @extschema@.portals p
 WHERE p.is_active;
ALTER EXTENSION mfi DROP VIEW @extschema@.v_active_portals;
COMMENT ON COLUMN @extschema@.v_active_portals.user_count IS
  'Distinct users in groups of the portal (portal_groups.portal_id; where that is NULL, groups whose path begins with '
  'the portal''s realm); 0 when there are none.';
$sql$),

('view v_user_group_assignments: without deleted groups', $sql$
ALTER EXTENSION mfi ADD VIEW @extschema@.v_user_group_assignments;
CREATE OR REPLACE VIEW @extschema@.v_user_group_assignments WITH (security_invoker = true) AS
SELECT u.id AS user_id, u.username, u.email, u.fname, u.lname,
       g.name AS group_name, g.iam_group_id, ug.assigned_by, ug.assigned_on
  FROM @extschema@.user_groups ug
  JOIN @extschema@.portal_users u ON u.id_iam = ug.user_id
  JOIN @extschema@.portal_groups g ON g.iam_group_id = ug.group_id
 WHERE g.deleted_at IS NULL;
ALTER EXTENSION mfi DROP VIEW @extschema@.v_user_group_assignments;
$sql$);
END
$migration$;
COMMENT ON FUNCTION @extschema@._mfi_migration_1_1() IS
  'Steps of schema version 1.1, in order: what each makes and its command. Fails when something keeps an audit table '
  'from being partitioned.';

-- What users call

CREATE FUNCTION @extschema@.mfi_audit_ensure_partitions(months integer DEFAULT 3) RETURNS SETOF text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  name text;
  line text;
BEGIN
  IF months IS NULL OR months NOT BETWEEN 0 AND 120 THEN
    RAISE EXCEPTION 'months must be between 0 and 120, not %', coalesce(months::text, 'NULL')
      USING ERRCODE = 'invalid_parameter_value', HINT = 'It is the number of months after the current one.';
  END IF;
  PERFORM @extschema@._mfi_require_partitions();
  -- One at a time, until the end of the transaction: a second caller waits, then finds nothing to do.
  PERFORM @extschema@._mfi_one_at_a_time(1, 'schema'::text);
  FOREACH name IN ARRAY @extschema@._mfi_audit_tables() LOOP
    RETURN QUERY SELECT @extschema@._mfi_audit_arrange(name, months);
  END LOOP;
END
$$;
COMMENT ON FUNCTION @extschema@.mfi_audit_ensure_partitions(integer) IS
  'Makes the partitions of the audit tables for the current month and so many after it, and those of the months whose '
  'rows are in a default partition; returns one line for each. The worker calls it by itself.';

CREATE FUNCTION @extschema@._mfi_require_partitions() RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF pg_is_in_recovery() THEN
    RAISE EXCEPTION 'this server is a standby'
      USING ERRCODE = 'read_only_sql_transaction', HINT = 'Connect to the primary and call it there.';
  END IF;
  IF NOT @extschema@._mfi_schema_ready() OR string_to_array(@extschema@.mfi_schema_version(), '.')::int[] < ARRAY[1, 1] THEN
    RAISE EXCEPTION 'the audit tables of this database have no partitions yet'
      USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'When a restore is running, wait for its end; else SELECT mfi_migrate_schema().';
  END IF;
  IF @extschema@._mfi_restore_runs() THEN
    RAISE EXCEPTION 'a restore is running in this database'
      USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = format('It is %s.', @extschema@._mfi_restore_sessions()),
            HINT = 'Wait for its end.';
  END IF;
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_require_partitions() IS
  'Fails unless the audit tables of this database are complete, partitioned and writable.';

CREATE FUNCTION @extschema@._mfi_restore_sessions() RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT string_agg(format('process %s of %I', a.pid, r.rolname), ', ' ORDER BY a.pid)
    FROM pg_stat_activity a
    JOIN pg_database d ON d.oid = a.datid
    JOIN pg_roles r ON r.oid = a.usesysid
   WHERE d.datname = current_database() AND a.application_name = 'pg_restore'
     AND (r.rolsuper OR r.oid = d.datdba)
$$;
COMMENT ON FUNCTION @extschema@._mfi_restore_sessions() IS
  'Sessions by which pg_restore works in this database, or NULL. Any session may take its name: it is believed of superusers and of the database''s '
  'owner.';

CREATE FUNCTION @extschema@._mfi_restore_runs() RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT @extschema@._mfi_restore_sessions() IS NOT NULL $$;
COMMENT ON FUNCTION @extschema@._mfi_restore_runs() IS
  'Whether pg_restore works in this database. The index of a partitioned table that is still to come would be invalid '
  'for ever if a partition were made now.';

CREATE FUNCTION @extschema@.mfi_audit_expire(
  keep_months integer, dry_run boolean DEFAULT false, OUT partition text, OUT rows bigint, OUT decision text, OUT reason text)
RETURNS SETOF record
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  backup record;
  old record;
BEGIN
  IF keep_months IS NULL OR keep_months NOT BETWEEN 1 AND 1200 THEN
    RAISE EXCEPTION 'keep_months must be between 1 and 1200, not %', coalesce(keep_months::text, 'NULL')
      USING ERRCODE = 'invalid_parameter_value', HINT = 'It is the number of months before the current one that stay.';
  END IF;
  PERFORM @extschema@._mfi_require_partitions();
  PERFORM @extschema@._mfi_refuse_old_snapshot();
  SELECT b.id, b.held INTO backup FROM @extschema@.mfi_backups b
   WHERE b.database = current_database() AND NOT b.is_foreign AND b.path IS NOT NULL
     AND b.verify_method = 'restore' AND b.verify_result = 'ok'
   ORDER BY b.finished_at DESC LIMIT 1;
  FOR old IN SELECT * FROM @extschema@._mfi_expired_partitions(keep_months) LOOP
    partition := old.relation::text;
    rows := @extschema@._mfi_count(old.relation);
    SELECT * INTO decision, reason FROM @extschema@._mfi_expiry_decision(old.relation, rows, backup.id);
    IF decision = 'drop' AND NOT dry_run THEN
      -- Nothing may be written into it between the last count and its end.
      PERFORM @extschema@._mfi_lock_audit_table(old.name, old.parent);
      CONTINUE WHEN NOT EXISTS (SELECT FROM @extschema@._mfi_expired_partitions(keep_months) e WHERE e.relation = old.relation AND e.parent = old.parent);
      partition := old.relation::text;
      rows := @extschema@._mfi_count(old.relation);
      SELECT * INTO decision, reason FROM @extschema@._mfi_expiry_decision(old.relation, rows, backup.id);
    END IF;
    IF decision = 'drop' AND NOT dry_run THEN
      IF NOT backup.held THEN
        PERFORM @extschema@.mfi_backup_hold(backup.id, 'holds audit months that were dropped from the database');
        backup.held := true;
      END IF;
      EXECUTE format('ALTER TABLE %s DETACH PARTITION %s', old.parent, partition);
      EXECUTE format('DROP TABLE %s', partition);
      PERFORM @extschema@._mfi_as_owner('mfi.audit_watch'::regclass, format(
        'INSERT INTO mfi.audit_watch (relation, expired_at) VALUES (%L, now()) ON CONFLICT (relation) DO UPDATE SET expired_at = now()', partition));
      decision := 'dropped';
    END IF;
    RETURN NEXT;
  END LOOP;
END
$$;
COMMENT ON FUNCTION @extschema@.mfi_audit_expire(integer, boolean) IS
  'Drops the months of the audit tables that are older than keep_months before the current one, each only when the newest '
  'backup proven by a restore holds all of its rows; that backup is held from then on. One row for each such month: dropped, or kept '
  'and why. With dry_run nothing is changed.';

CREATE FUNCTION @extschema@._mfi_expired_partitions(keep_months integer) RETURNS TABLE (name text, parent regclass, relation regclass)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
  SELECT t.name, i.inhparent::regclass, c.oid::regclass
    FROM unnest(@extschema@._mfi_audit_tables()) WITH ORDINALITY AS t (name, position)
    JOIN pg_inherits i ON i.inhparent = @extschema@._mfi_regclass(t.name)
    JOIN pg_class c ON c.oid = i.inhrelid
   CROSS JOIN LATERAL (SELECT to_timestamp(substring(c.relname FROM '_([1-9][0-9]{3}(?:0[1-9]|1[0-2]))$'), 'YYYYMM')) AS m (month)
   WHERE m.month < @extschema@._mfi_month(now(), -keep_months) AND c.oid = to_regclass(@extschema@._mfi_partition_name(t.name, m.month))
   ORDER BY t.position, m.month
$$;
COMMENT ON FUNCTION @extschema@._mfi_expired_partitions(integer) IS
  'Partitions of whole months before the last keep_months ones, oldest first.';

CREATE FUNCTION @extschema@._mfi_expiry_decision(relation regclass, row_count bigint, backup text, OUT decision text, OUT reason text)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  held_rows bigint;
BEGIN
  decision := 'keep';
  IF @extschema@._mfi_referrer(relation) IS NOT NULL THEN
    reason := format('%s refers to it: ALTER TABLE ... DROP CONSTRAINT ...', @extschema@._mfi_referrer(relation));
    RETURN;
  ELSIF backup IS NULL THEN
    reason := 'no backup of this database was proven by a restore: SELECT mfi_backup_now(wait => true), with mfi.backup_verify = restore';
    RETURN;
  END IF;
  SELECT b.rows INTO held_rows FROM @extschema@._mfi_backup_tables(backup) b WHERE b.oid = relation::oid;
  IF held_rows IS NULL THEN
    reason := format('backup %s does not have it: take a new one, SELECT mfi_backup_now(wait => true)', backup);
  ELSIF held_rows <> row_count THEN
    reason := format('backup %s has %s of its %s rows: take a new one, SELECT mfi_backup_now(wait => true)', backup, held_rows, row_count);
  ELSE
    decision := 'drop';
    reason := format('backup %s has all of its rows', backup);
  END IF;
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_expiry_decision(regclass, bigint, text) IS
  'Whether a partition with so many rows may be dropped, and why or why not. A partition is known in a backup by its oid: '
  'one made later under the same name is another one.';

CREATE FUNCTION @extschema@._mfi_backup_tables(id text, OUT oid oid, OUT name text, OUT rows bigint)
RETURNS SETOF record
LANGUAGE c VOLATILE STRICT PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_backup_tables';
COMMENT ON FUNCTION @extschema@._mfi_backup_tables(text) IS
  'Tables of a backup set with the rows counted in its own snapshot, as its manifest has them.';

CREATE FUNCTION @extschema@._mfi_contents(relation oid, OUT rows bigint, OUT hash text)
LANGUAGE c STABLE STRICT PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_contents';
COMMENT ON FUNCTION @extschema@._mfi_contents(oid) IS
  'Rows of a table, and a hash of what they contain, whatever their order: 32 hex digits, the same wherever the same rows are. A scan reads them, no query, so nothing that the '
  'table''s owner has put on it runs. The caller needs SELECT on the table, and no policy may hide rows of it. Of pg_largeobject: the large objects, each with its number, bytes and '
  'size. A backup keeps both for each table; its proof compares them.';
CREATE FUNCTION @extschema@._mfi_sequence_position(sequence oid) RETURNS bigint
LANGUAGE c VOLATILE STRICT PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_sequence_position';
COMMENT ON FUNCTION @extschema@._mfi_sequence_position(oid) IS
  'The value that the sequence''s next one comes after: its last value, or one step before its first when nobody has called it. Until the transaction ends, the sequence can be '
  'called and not altered. The caller needs SELECT on the sequence.';

-- What the worker and the verdict call

CREATE FUNCTION @extschema@._mfi_watched(command text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF command IS NOT NULL AND to_regclass('mfi.audit_watch') IS NOT NULL THEN
    PERFORM @extschema@._mfi_as_owner('mfi.audit_watch'::regclass, command);
  END IF;
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_watched(text) IS 'Writes down in mfi.audit_watch what the command says, when that table is there.';

CREATE FUNCTION @extschema@._mfi_can_maintain() RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN @extschema@._mfi_schema_ready() AND string_to_array(@extschema@.mfi_schema_version(), '.')::int[] >= ARRAY[1, 1] AND NOT @extschema@._mfi_restore_runs();
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_can_maintain() IS 'Whether it is the time for what the maintainer does.';

CREATE FUNCTION @extschema@._mfi_maintain_table(name text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET statement_timeout = '60s'
AS $$
DECLARE
  line text;
  failure text;
BEGIN
  BEGIN
    PERFORM @extschema@._mfi_require_partitions();
    PERFORM @extschema@._mfi_one_at_a_time(1, 'schema'::text);
    FOR line IN SELECT @extschema@._mfi_audit_arrange(name, 3) LOOP
      RAISE LOG 'mfi: %', line;
    END LOOP;
  EXCEPTION
    WHEN lock_not_available OR deadlock_detected THEN
      RAISE;
    WHEN query_canceled OR OTHERS THEN
      failure := left(regexp_replace(SQLERRM, '[[:cntrl:]]+', ' ', 'g'), 300);
      RAISE LOG 'mfi: partitions of % could not be arranged: %', name, failure;
  END;
  PERFORM @extschema@._mfi_watched(format('INSERT INTO mfi.audit_watch AS w (relation, trouble) VALUES (%1$L, %2$L) ON CONFLICT (relation) '
                                          'DO UPDATE SET trouble = EXCLUDED.trouble WHERE w.trouble IS DISTINCT FROM EXCLUDED.trouble', name, failure));
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_maintain_table(text) IS
  'Keeps the partitions of an audit table three months ahead. What fails is written down for the verdict, and is no other table''s trouble, unless it is '
  'a lock that somebody holds. In a worker no command that the owner of a table can make long takes more than a minute (statement_timeout).';

CREATE FUNCTION @extschema@._mfi_maintain() RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '500ms'
SET deadlock_timeout = '10ms'
AS $$
DECLARE
  name text;
BEGIN
  IF NOT @extschema@._mfi_can_maintain() THEN
    RETURN false;
  END IF;
  FOREACH name IN ARRAY @extschema@._mfi_audit_tables() LOOP
    PERFORM @extschema@._mfi_maintain_table(name);
  END LOOP;
  RETURN true;
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_maintain() IS
  'What the maintainer does in mfi.database, in one transaction: keeps the audit partitions three months ahead. False when it is not the time for it. '
  'It does not wait long for a lock that a dump holds, since others would wait behind it. In a deadlock it gives way: it looks for one sooner than the others do (deadlock_timeout).';

CREATE FUNCTION @extschema@._mfi_maintain_step() RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '500ms'
SET deadlock_timeout = '10ms'
AS $$
DECLARE
  started timestamptz := (SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid());
  work text;
BEGIN
  SELECT w.relation INTO work FROM mfi.audit_watch w
   WHERE w.relation = ANY (@extschema@._mfi_audit_tables()) AND w.begun_at >= started AND (w.ended_at IS NULL OR w.ended_at < w.begun_at);
  IF FOUND THEN
    BEGIN
      PERFORM @extschema@._mfi_maintain_table(work);
      PERFORM @extschema@._mfi_watched(format('UPDATE mfi.audit_watch SET ended_at = clock_timestamp(), waits_since = NULL WHERE relation = %L', work));
    EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
      RAISE LOG 'mfi: partitions of % wait: %', work, SQLERRM;
      PERFORM @extschema@._mfi_watched(format('UPDATE mfi.audit_watch SET begun_at = NULL, tried_at = clock_timestamp(), waits_since = coalesce(waits_since, now()) WHERE relation = %L', work));
    END;
    RETURN true;
  END IF;
  SELECT t.name INTO work
    FROM unnest(@extschema@._mfi_audit_tables()) WITH ORDINALITY AS t (name, position)
    LEFT JOIN mfi.audit_watch w ON w.relation = t.name
   WHERE (w.begun_at IS NULL OR w.begun_at < started AND (w.ended_at >= w.begun_at OR w.begun_at < now() - interval '10 minutes'))
     AND (w.tried_at IS NULL OR w.tried_at < started)
   ORDER BY t.position LIMIT 1;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  PERFORM @extschema@._mfi_watched(format('INSERT INTO mfi.audit_watch (relation, begun_at) VALUES (%L, clock_timestamp()) '
                                          'ON CONFLICT (relation) DO UPDATE SET begun_at = EXCLUDED.begun_at', work));
  RETURN true;
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_maintain_step() IS
  'What the maintainer calls again and again, each time in a transaction of its own, until it is false: the next table is noted as begun, then it is done. So a table whose owner '
  'makes the work hang, and the worker end, is known, is left alone for ten minutes, and the others are not kept waiting. It gives way to locks as _mfi_maintain() does, goes on with the next table, and is called again a minute later.';

CREATE FUNCTION @extschema@._mfi_is_maintained() RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN (SELECT count(*) FROM mfi.audit_watch w
           WHERE w.relation = ANY (@extschema@._mfi_audit_tables()) AND w.ended_at >= w.begun_at
             AND w.begun_at >= (SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid())) = cardinality(@extschema@._mfi_audit_tables());
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_is_maintained() IS 'Whether this process has done its work on all audit tables.';

CREATE FUNCTION @extschema@._mfi_watch_audit() RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '500ms'
AS $$
DECLARE
  started timestamptz := (SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid());
  newest text;
  command text;
  work record;
  failure text;
BEGIN
  IF to_regclass('mfi.audit_watch') IS NULL OR NOT @extschema@._mfi_schema_ready() OR @extschema@._mfi_restore_runs() THEN
    RETURN false;
  END IF;
  SELECT string_agg(format('(%L, %L)', r.name, pg_get_userbyid(c.relowner)), ', ') INTO command
    FROM @extschema@._mfi_audit_relations() r JOIN pg_class c ON c.oid = r.relation
    LEFT JOIN mfi.audit_watch w ON w.relation = r.name
   WHERE r.relation = r.parent AND w.owner IS NULL;
  PERFORM @extschema@._mfi_watched('INSERT INTO mfi.audit_watch (relation, owner) VALUES ' || command || ' ON CONFLICT (relation) DO UPDATE SET owner = EXCLUDED.owner');
  SELECT string_agg(format('(%L)', r.relation), ', ') INTO command
    FROM @extschema@._mfi_audit_relations() r
   WHERE r.leaf AND NOT EXISTS (SELECT FROM mfi.audit_watch w WHERE w.relation = r.relation::text);
  PERFORM @extschema@._mfi_watched('INSERT INTO mfi.audit_watch (relation) VALUES ' || command || ' ON CONFLICT DO NOTHING');

  newest := (SELECT b.id FROM @extschema@._mfi_backups() b
              WHERE b.database = current_database() AND NOT b.is_foreign AND b.path IS NOT NULL AND b.verify_method = 'restore' AND b.verify_result = 'ok'
              ORDER BY b.finished_at DESC LIMIT 1);
  IF newest IS NOT NULL THEN
    SELECT string_agg(format('(%L, %s, %L)', r.relation, t.rows, newest), ', ') INTO command
      FROM @extschema@._mfi_audit_relations() r
      JOIN @extschema@._mfi_backup_tables(newest) t ON t.name = r.relation::text
      LEFT JOIN mfi.audit_watch w ON w.relation = r.relation::text
     WHERE r.month IS NOT NULL AND t.rows > coalesce(w.expected, 0) AND w.expired_at IS NULL;
    PERFORM @extschema@._mfi_watched('INSERT INTO mfi.audit_watch (relation, expected, backup) VALUES ' || command
      || ' ON CONFLICT (relation) DO UPDATE SET expected = EXCLUDED.expected, backup = EXCLUDED.backup');
  END IF;

  -- Where nothing was taken away since the last count, nor the file is another one, there are not fewer rows: counting again is for what has
  -- changed, and once a week for all.
  SELECT r.relation, c.relfilenode AS file, pg_stat_get_tuples_deleted(c.oid) + pg_stat_get_tuples_updated(c.oid) AS changes INTO work
    FROM mfi.audit_watch w
    JOIN @extschema@._mfi_audit_relations() r ON r.relation::text = w.relation AND r.leaf
    JOIN pg_class c ON c.oid = r.relation
   WHERE w.expired_at IS NULL
     AND (w.rows IS NULL OR w.rows < w.expected OR w.file <> c.relfilenode
          OR w.changes <> pg_stat_get_tuples_deleted(c.oid) + pg_stat_get_tuples_updated(c.oid)
          OR w.trouble IS NOT NULL OR w.counted_at < now() - interval '7 days')
     AND (w.counted_at IS NULL OR w.counted_at < now() - interval '1 minute')
     AND (w.tried_at IS NULL OR w.tried_at < started)
   ORDER BY w.counted_at NULLS FIRST, w.relation LIMIT 1;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  BEGIN
    PERFORM @extschema@._mfi_watched(format(
      'UPDATE mfi.audit_watch SET rows = %s, file = %s, changes = %s, counted_at = now(), trouble = NULL, waits_since = NULL WHERE relation = %L',
      @extschema@._mfi_count(work.relation), work.file, work.changes, work.relation));
  EXCEPTION WHEN OTHERS THEN
    failure := CASE WHEN SQLSTATE <> '55P03' THEN left(regexp_replace(SQLERRM, '[[:cntrl:]]+', ' ', 'g'), 300) END;
    RAISE LOG 'mfi: rows of % could not be counted: %', work.relation, SQLERRM;
    PERFORM @extschema@._mfi_watched(format('UPDATE mfi.audit_watch SET trouble = %L, tried_at = clock_timestamp(), waits_since = %s WHERE relation = %L', failure,
                                            CASE WHEN failure IS NULL THEN 'coalesce(waits_since, now())' ELSE 'NULL' END, work.relation));
  END;
  RETURN true;
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_watch_audit() IS
  'What the maintainer calls again and again until it is false: keeps mfi.audit_watch. Each call counts one partition at most, and only one that may have other rows than before. A '
  'count that fails, or waits for a lock each time, is written down for the verdict.';

CREATE FUNCTION @extschema@._mfi_watch_findings() RETURNS SETOF text[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  guard oid := to_regprocedure('@extschema@._mfi_refuse_change()');
BEGIN
  RETURN QUERY
  SELECT ARRAY['warning', 'audit-unprotected', format('rows of %s can be changed and deleted: its trigger append_only is %s', r.relation,
           CASE WHEN g.oid IS NULL THEN 'missing'
                WHEN g.tgfoid <> guard OR g.tgtype <> 58 OR g.tgqual IS NOT NULL THEN 'not the one that mfi makes'
                WHEN g.tgenabled = 'D' THEN 'disabled' ELSE 'for replicas alone' END),
           CASE WHEN g.oid IS NULL THEN 'SELECT mfi_migrate_schema().'
                WHEN g.tgfoid <> guard OR g.tgtype <> 58 OR g.tgqual IS NOT NULL THEN format('DROP TRIGGER append_only ON %s, then mfi_migrate_schema().', r.relation)
                ELSE format('ALTER TABLE %s ENABLE TRIGGER append_only. Find out who did it: the owner of the table can.', r.relation) END]
    FROM @extschema@._mfi_audit_relations() r
    LEFT JOIN pg_trigger g ON g.tgrelid = r.relation AND g.tgname = 'append_only'
   WHERE g.oid IS NULL OR g.tgenabled NOT IN ('O', 'A') OR g.tgfoid <> guard OR g.tgtype <> 58 OR g.tgqual IS NOT NULL
   ORDER BY r.relation::text COLLATE "C";

  RETURN QUERY
  SELECT ARRAY['warning', 'audit-foreign-trigger', format('%s of %s acts on what is written there, and is not one of mfi', h.hanger, h.relation),
           'It can change or swallow audit rows. Drop it if it is not meant to be there.']
    FROM (SELECT r.relation, format('trigger %I', g.tgname)
            FROM @extschema@._mfi_audit_relations() r JOIN pg_trigger g ON g.tgrelid = r.relation
           WHERE NOT g.tgisinternal AND g.tgname <> 'append_only' AND g.tgenabled <> 'D'
             AND NOT EXISTS (SELECT FROM pg_trigger u JOIN @extschema@._mfi_audit_relations() a ON a.relation = u.tgrelid WHERE u.oid = g.tgparentid)
          UNION ALL
          SELECT r.relation, format('rule %I', w.rulename)
            FROM @extschema@._mfi_audit_relations() r JOIN pg_rewrite w ON w.ev_class = r.relation
           WHERE w.ev_enabled <> 'D') AS h (relation, hanger)
   ORDER BY h.relation::text COLLATE "C", h.hanger COLLATE "C";

  RETURN QUERY
  SELECT ARRAY['warning', 'audit-owner-changed', format('%s belongs to %I, not to %I as %s', r.relation, pg_get_userbyid(c.relowner), o.owner, o.why), o.step]
    FROM @extschema@._mfi_audit_relations() r
    JOIN pg_class c ON c.oid = r.relation
    JOIN pg_class p ON p.oid = r.parent
    LEFT JOIN mfi.audit_watch w ON w.relation = r.name
   CROSS JOIN LATERAL (
     SELECT w.owner, 'before', format('ALTER TABLE %s OWNER TO %I, or, if it is meant: UPDATE mfi.audit_watch SET owner = %L WHERE relation = %L.',
                                      r.relation, w.owner, pg_get_userbyid(c.relowner), r.name)
      WHERE r.relation = r.parent AND w.owner IS NOT NULL
     UNION ALL
     SELECT pg_get_userbyid(p.relowner), format('%s does', r.parent), format('ALTER TABLE %s OWNER TO %I.', r.relation, pg_get_userbyid(p.relowner))
      WHERE r.relation <> r.parent) AS o (owner, why, step)
   WHERE o.owner <> pg_get_userbyid(c.relowner)
   ORDER BY r.relation::text COLLATE "C";

  RETURN QUERY
  SELECT ARRAY['warning', 'audit-rows-missing',
           CASE WHEN r.relation IS NULL AND w.expected IS NULL THEN format('%s is gone; it had %s when they were last counted', w.relation, w.rows || ' rows')
                WHEN r.relation IS NULL THEN format('%s is gone; backup %s has it with %s', w.relation, w.backup, w.expected || ' rows')
                ELSE format('%s has %s of the %s rows that backup %s has', w.relation, w.rows, w.expected, w.backup) END,
           format('Restore them from that backup, and find out who deleted them. If it is right so: DELETE FROM mfi.audit_watch WHERE relation = %L.', w.relation)]
    FROM mfi.audit_watch w
    LEFT JOIN @extschema@._mfi_audit_relations() r ON r.relation::text = w.relation
   WHERE w.expired_at IS NULL AND (r.relation IS NULL AND (w.expected IS NOT NULL OR w.rows > 0) OR w.rows < w.expected)
   ORDER BY w.relation COLLATE "C";

  RETURN QUERY
  SELECT ARRAY['warning', f.code, f.sentence, f.step]
    FROM (SELECT r.relation, 'audit-row-security', format('row-level security of %s hides rows, from the worker that counts them, too', r.relation),
                 format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY. Find out who did it: the owner of the table can.', r.relation)
            FROM @extschema@._mfi_audit_relations() r JOIN pg_class c ON c.oid = r.relation
           WHERE c.relrowsecurity OR c.relforcerowsecurity
          UNION ALL
          SELECT r.relation, 'audit-attached', format('%s is a partition of %s, whose triggers and constraints act on it', r.relation, i.inhparent::regclass),
                 format('ALTER TABLE %s DETACH PARTITION %s.', i.inhparent::regclass, r.relation)
            FROM @extschema@._mfi_audit_relations() r JOIN pg_inherits i ON i.inhrelid = r.relation
           WHERE r.relation = r.parent
          UNION ALL
          SELECT r.relation, 'audit-referenced', format('%s refers to %s, so months cannot be arranged nor expire', pg_describe_object('pg_constraint'::regclass, k.oid, 0), r.relation),
                 format('ALTER TABLE %s DROP CONSTRAINT %I.', k.conrelid::regclass, k.conname)
            FROM @extschema@._mfi_audit_relations() r JOIN pg_constraint k ON k.confrelid = r.relation AND k.contype = 'f'
           WHERE NOT EXISTS (SELECT FROM pg_constraint u WHERE u.oid = k.conparentid)
          UNION ALL
          SELECT to_regclass(w.relation), 'audit-work-failed', format('the worker could not do its work on %s: %s', w.relation,
                   CASE WHEN w.waits_since < now() - interval '1 day' THEN format('it has been locked by others each time since %s', date_trunc('second', w.waits_since))
                        WHEN w.begun_at > w.ended_at OR w.ended_at IS NULL AND w.begun_at IS NOT NULL THEN format('what was begun at %s has not ended', date_trunc('second', w.begun_at))
                        ELSE w.trouble END),
                 'What hinders it is a lock (pg_locks names the session), or what the owner of the table, or somebody the owner let in, has put on it: checks, indexes, triggers. Take it away; the worker tries again within the hour.'
            FROM mfi.audit_watch w
           WHERE w.expired_at IS NULL AND (w.relation = ANY (@extschema@._mfi_audit_tables()) OR to_regclass(w.relation) IS NOT NULL)
             AND (w.trouble IS NOT NULL OR w.waits_since < now() - interval '1 day' OR w.begun_at < now() - interval '3 minutes' AND (w.ended_at IS NULL OR w.ended_at < w.begun_at))
         ) AS f (relation, code, sentence, step)
   ORDER BY f.code, f.relation::text COLLATE "C", f.sentence COLLATE "C";
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_watch_findings() IS
  'What is to be said of audit tables that are not as mfi left them: triggers that do not protect them, triggers and rules of others, other owners, fewer rows than '
  'a proven backup had, row-level security, foreign keys of others, a table above, work that failed or waits. Not noticed: rows that are changed, or replaced by as many.';

CREATE OR REPLACE FUNCTION @extschema@._mfi_audit_findings() RETURNS text[]
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  name text;
  outside text;
  dated bigint;
  undated bigint;
  findings text[] := '{}';
  finding text[];
  missing text;
  hindered text;
  sessions text := @extschema@._mfi_restore_sessions();
BEGIN
  IF sessions IS NOT NULL THEN
    findings := findings || ARRAY['warning', 'restore-running',
      format('audit partitions and imports wait for the end of pg_restore, as which %s runs in this database', sessions),
      'If no restore is running, end that session: its application_name is pg_restore.'];
  END IF;
  SELECT string_agg(DISTINCT format('%s: %s', r.role, coalesce(@extschema@._mfi_role_faults(r.role::name), 'missing')), '; ') INTO missing
    FROM (VALUES ('mfi_sync'), ('mfi_audit_owner')) AS r (role)
   WHERE NOT EXISTS (SELECT FROM pg_roles o WHERE o.rolname = r.role) OR @extschema@._mfi_role_faults(r.role::name) IS NOT NULL;
  IF missing IS NOT NULL THEN
    findings := findings || ARRAY['warning', 'role-too-strong', 'what mfi runs for others has rights, or can be reached, beyond what it needs: ' || missing,
      'ALTER ROLE and REVOKE: these roles are NOLOGIN, have no attribute and no membership.'];
  END IF;
  SELECT string_agg(g.step, '; ') INTO missing FROM @extschema@._mfi_missing_grants() g;
  IF missing IS NOT NULL THEN
    findings := findings || ARRAY['warning', 'rights-missing', 'group syncs, imports or this check lack rights: ' || missing, 'SELECT mfi_migrate_schema().'];
  END IF;
  IF NOT has_schema_privilege('mfi_audit', 'USAGE') OR NOT has_schema_privilege('mfi', 'USAGE') THEN
    RETURN findings;
  END IF;
  FOREACH name IN ARRAY @extschema@._mfi_audit_tables() LOOP
    outside := @extschema@._mfi_partition_name(name, NULL::timestamptz);
    CONTINUE WHEN to_regclass(outside) IS NULL;
    IF NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = to_regclass(outside) AND a.attname = 'event_time' AND NOT a.attisdropped) THEN
      findings := findings || ARRAY['warning', 'audit-column-missing', format('%s has no column event_time, so its rows cannot be looked at', outside),
        'Name or add it again as it was: syncs, imports and partitions need it.'];
      CONTINUE;
    END IF;
    CONTINUE WHEN NOT has_column_privilege(to_regclass(outside), 'event_time', 'SELECT');
    dated := @extschema@._mfi_count_to(to_regclass(outside), 'event_time'::name, false, 1001::bigint);
    undated := @extschema@._mfi_count_to(to_regclass(outside), 'event_time'::name, true, 1001::bigint);
    IF dated IS NULL OR undated IS NULL THEN
      findings := findings || ARRAY['ok', 'audit-locked', format('%s is locked by somebody, so its rows were not looked at', outside), ''];
    END IF;
    IF dated > 0 THEN
      findings := findings || ARRAY['warning', 'audit-rows-outside',
        format('%s has %s of %s whose month has no partition', outside, @extschema@._mfi_about(dated, 'row'), name),
        'SELECT mfi_audit_ensure_partitions(3) gives months from 2000 on a partition. A time before that, or far ahead, is a '
        'mistake of the sender.'];
    END IF;
    IF undated > 0 THEN
      findings := findings || ARRAY['ok', 'audit-rows-undated',
        format('%s has %s without event_time, which belong to no month and do not expire', name, @extschema@._mfi_about(undated, 'row')), ''];
    END IF;
  END LOOP;
  SELECT string_agg(p.name, ', ' ORDER BY t.position, further) INTO missing
    FROM unnest(@extschema@._mfi_audit_tables()) WITH ORDINALITY AS t (name, position), generate_series(-1, 1) AS further,
         LATERAL (SELECT @extschema@._mfi_partition_name(t.name, CASE WHEN further >= 0 THEN @extschema@._mfi_month(now(), further) END)) AS p (name)
   WHERE NOT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = to_regclass(p.name));
  IF missing IS NOT NULL THEN
    IF to_regclass('mfi.audit_watch') IS NOT NULL AND has_table_privilege(to_regclass('mfi.audit_watch'), 'SELECT') THEN
      SELECT string_agg(format('%s: %s', w.relation, coalesce(w.trouble, format('locked by others since %s', date_trunc('second', w.waits_since)))), '; ' ORDER BY w.relation COLLATE "C")
        INTO hindered FROM mfi.audit_watch w
       WHERE w.relation = ANY (@extschema@._mfi_audit_tables()) AND (w.trouble IS NOT NULL OR w.waits_since IS NOT NULL);
    END IF;
    findings := findings || ARRAY['warning', 'audit-partitions-missing', 'these audit partitions are not there: ' || missing || coalesce('; the worker tried, but ' || hindered, ''),
      CASE WHEN hindered IS NULL THEN 'The worker makes them within an hour, unless maintenance-failed says what hinders it; now: SELECT mfi_audit_ensure_partitions(3).'
           ELSE 'Take away what hinders it (pg_locks names the sessions that hold locks); it is tried again within the hour, or now: SELECT mfi_audit_ensure_partitions(3).' END];
  END IF;
  IF to_regclass('mfi.audit_watch') IS NOT NULL AND has_table_privilege(to_regclass('mfi.audit_watch'), 'SELECT') THEN
    FOR finding IN SELECT f FROM @extschema@._mfi_watch_findings() AS f LOOP
      findings := findings || finding;
    END LOOP;
  END IF;
  RETURN findings;
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_audit_findings() IS
  'What is to be said of the audit partitions, for _mfi_schema_findings(). It counts rows that monitoring may not read.';

CREATE FUNCTION @extschema@._mfi_count_to(relation regclass, column_name name, nulls boolean, most bigint) RETURNS bigint
LANGUAGE c STABLE STRICT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_count_to';
COMMENT ON FUNCTION @extschema@._mfi_count_to(regclass, name, boolean, bigint) IS
  'Rows of a table whose column is NULL, or is not, at most so many; NULL when somebody holds a lock that it would wait for. No query does it, so '
  'nothing that the table''s owner has put on it runs. The caller needs SELECT on the column.';

CREATE FUNCTION @extschema@._mfi_about(count bigint, noun text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE WHEN count > 1000 THEN 'more than 1000 ' || noun || 's' WHEN count = 1 THEN '1 ' || noun ELSE count || ' ' || noun || 's' END
$$;
COMMENT ON FUNCTION @extschema@._mfi_about(bigint, text) IS 'A count that stops at 1001, in words.';

REVOKE ALL ON FUNCTION
  @extschema@._mfi_audit_tables(), @extschema@._mfi_append_only(text), @extschema@._mfi_month(timestamptz, integer), @extschema@._mfi_partition_name(text, timestamptz),
  @extschema@._mfi_add_partition(text, timestamptz), @extschema@._mfi_months(regclass, name, timestamptz), @extschema@._mfi_count(regclass), @extschema@._mfi_referrer(regclass), @extschema@._mfi_lock_audit_table(text, regclass), @extschema@._mfi_role_leavings(name), @extschema@._mfi_audit_arrange(text, integer),
  @extschema@._mfi_audit_obstacles(text), @extschema@._mfi_audit_forecast(text), @extschema@._mfi_mark_duplicates(text, text),
  @extschema@._mfi_columns_in_the_way(text), @extschema@._mfi_tablespace(regclass),
  @extschema@._mfi_partition_audit_table(text, text, text, text, text), @extschema@._mfi_migration_1_1(), @extschema@._mfi_require_partitions(),
  @extschema@._mfi_restore_runs(), @extschema@._mfi_expired_partitions(integer), @extschema@._mfi_expiry_decision(regclass, bigint, text), @extschema@._mfi_backup_tables(text),
  @extschema@._mfi_maintain(), @extschema@._mfi_can_maintain(), @extschema@._mfi_maintain_table(text), @extschema@._mfi_maintain_step(),
  @extschema@._mfi_is_maintained(), @extschema@._mfi_watched(text), @extschema@._mfi_about(bigint, text), @extschema@.mfi_audit_expire(integer, boolean),
  @extschema@.mfi_audit_ensure_partitions(integer), @extschema@._mfi_role_faults(name), @extschema@._mfi_make_role(name, text),
  @extschema@._mfi_execute_unrecorded(text), @extschema@._mfi_rights(), @extschema@._mfi_give_to_owner(regclass, text),
  @extschema@._mfi_restore_sessions(), @extschema@._mfi_watch_audit(), @extschema@._mfi_watch_findings(), @extschema@._mfi_audit_relations(),
  @extschema@._mfi_count_to(regclass, name, boolean, bigint)
FROM PUBLIC;
-- Privileges are noted together with who granted them, so they follow the owner.
ALTER FUNCTION @extschema@._mfi_audit_findings() OWNER TO mfi_audit_owner;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_audit_findings() TO pg_monitor;
GRANT EXECUTE ON FUNCTION
  @extschema@._mfi_audit_tables(), @extschema@._mfi_month(timestamptz, integer), @extschema@._mfi_partition_name(text, timestamptz),
  @extschema@._mfi_about(bigint, text), @extschema@._mfi_regclass(text), @extschema@._mfi_restore_sessions(), @extschema@._mfi_role_faults(name), @extschema@._mfi_role_leavings(name),
  @extschema@._mfi_rights(), @extschema@._mfi_missing_grants(), @extschema@._mfi_watch_findings(), @extschema@._mfi_audit_relations(),
  @extschema@._mfi_count_to(regclass, name, boolean, bigint)
TO mfi_audit_owner;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_backup_tables(text) TO pg_monitor;

SELECT @extschema@._mfi_install_schema();

-- What is written with the rights of mfi_sync
--
-- What a table's owner has put on it runs when it is read or written. So syncs and imports run as mfi_sync, a role that owns nothing, in a
-- security-restricted operation, which leaves nothing in the caller's session and nothing for the end of its transaction.
-- A trigger runs with the rights of whoever writes. Whoever was given TRIGGER on one of these tables, which GRANT ALL includes, would get at
-- the others by it, so only what belongs to the table's owner or a superuser is called.

CREATE FUNCTION @extschema@._mfi_foreign_triggers(relations text[])
RETURNS TABLE (fault text, detail text, hint text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  WITH written AS MATERIALIZED (
    SELECT c.oid, c.relowner FROM pg_class c WHERE c.oid IN (SELECT to_regclass(n) FROM unnest(relations) AS n)
    UNION SELECT i.inhrelid, c.relowner FROM pg_class c JOIN pg_inherits i ON i.inhparent = c.oid WHERE c.oid IN (SELECT to_regclass(n) FROM unnest(relations) AS n))
  SELECT format('the trigger %I of table %s calls %s of role %I', g.tgname, g.tgrelid::regclass, pg_describe_object(d.refclassid, d.refobjid, 0), f.rolname),
         'It would run with the rights of mfi_sync, which reads and writes other tables, too.',
         format('Drop the trigger; or, if you trust what it calls, give that to the table''s owner: ALTER ... OWNER TO %I.', pg_get_userbyid(w.relowner))
    FROM written w
    JOIN pg_trigger g ON g.tgrelid = w.oid
    JOIN pg_depend d ON d.classid = 'pg_trigger'::regclass AND d.objid = g.oid
    LEFT JOIN pg_proc p ON d.refclassid = 'pg_proc'::regclass AND p.oid = d.refobjid
    LEFT JOIN pg_operator o ON d.refclassid = 'pg_operator'::regclass AND o.oid = d.refobjid
    LEFT JOIN pg_type y ON d.refclassid = 'pg_type'::regclass AND y.oid = d.refobjid
    JOIN pg_roles f ON f.oid = coalesce(p.proowner, o.oprowner, y.typowner)
   WHERE NOT g.tgisinternal AND g.tgenabled IN ('O', 'A') AND NOT f.rolsuper AND f.oid <> w.relowner
  UNION ALL
  SELECT format('the trigger %I of table %s is INITIALLY DEFERRED', g.tgname, g.tgrelid::regclass),
         'It would run at the end of the transaction, with the rights of whoever called.', 'Make it INITIALLY IMMEDIATE, or drop it.'
    FROM written w JOIN pg_trigger g ON g.tgrelid = w.oid
   WHERE NOT g.tgisinternal AND g.tgenabled IN ('O', 'A') AND g.tginitdeferred
  UNION ALL
  SELECT format('the foreign key %I of table %s is INITIALLY DEFERRED', k.conname, k.conrelid::regclass),
         'It would be looked at when the call is over.', format('ALTER TABLE %s ALTER CONSTRAINT %I DEFERRABLE INITIALLY IMMEDIATE.', k.conrelid::regclass, k.conname)
    FROM written w JOIN pg_constraint k ON k.conrelid = w.oid
   WHERE k.contype = 'f' AND k.condeferred
   ORDER BY 1
$$;
COMMENT ON FUNCTION @extschema@._mfi_foreign_triggers(text[]) IS
  'Triggers on these tables, and on their partitions, that call what belongs neither to the table''s owner nor to a superuser; and what waits there for the end of '
  'the caller''s transaction.';

CREATE FUNCTION @extschema@._mfi_refuse_leavings() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  leavings text := (SELECT string_agg(l, ', ') FROM @extschema@._mfi_role_leavings('mfi_sync'::name) AS l);
BEGIN
  IF leavings IS NOT NULL THEN
    RAISE EXCEPTION 'nothing was written: role mfi_sync would be left as %', leavings
      USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = 'Whoever owns a table that is read or written here could act as mfi_sync by that, from now on.',
            HINT = 'If it was there before: drop it, ALTER ROLE mfi_sync RESET ALL. Else find out what the owners of these tables have put on them.';
  END IF;
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_refuse_leavings() IS
  'Fails when mfi_sync owns something or has settings: what a group sync or an import ran has made it.';

CREATE FUNCTION @extschema@._mfi_check_written(written text[], used text[]) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  wrong record;
  hidden text;
BEGIN
  IF written <> '{}' THEN
    -- From now on nobody makes a trigger on them until the end of the transaction.
    PERFORM @extschema@._mfi_lock(l.relation, false)
       FROM (SELECT to_regclass(n) FROM unnest(written) AS n
             UNION SELECT i.inhrelid::regclass FROM unnest(written) AS n JOIN pg_inherits i ON i.inhparent = to_regclass(n)) AS l (relation);
  END IF;
  SELECT * INTO wrong FROM @extschema@._mfi_foreign_triggers(written) LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'nothing was written: %', wrong.fault USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = wrong.detail, HINT = wrong.hint;
  END IF;
  SELECT string_agg(c.oid::regclass::text, ', ') INTO hidden
    FROM unnest(used) AS name JOIN pg_class c ON c.oid = @extschema@._mfi_regclass(name)
   WHERE c.relrowsecurity
     AND NOT EXISTS (SELECT FROM pg_policy p JOIN pg_roles r ON r.oid = ANY (p.polroles) WHERE p.polrelid = c.oid AND r.rolname = 'mfi_sync');
  IF hidden IS NOT NULL THEN
    RAISE EXCEPTION 'row-level security would hide rows from mfi: %', hidden
      USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = 'Group syncs and imports run as mfi_sync, which no policy of these tables names. Nothing was written.',
            HINT = 'For each of them: CREATE POLICY mfi_sync ON ... TO mfi_sync USING (true).';
  END IF;
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_check_written(text[], text[]) IS
  'Fails when writing to these relations would call what others than their owners or superusers have made, or later than the call, or when policies hide rows of the used '
  'tables from mfi_sync. It locks the relations, so that this stays true.';

-- Keycloak: group sync
--
-- One call takes one snapshot of a realm's groups for one portal or MFI. It is read into temporary tables, checked as a
-- whole, compared with what is there by Keycloak's id alone, and written in one transaction or not at all.

CREATE FUNCTION @extschema@._mfi_sync_options(options jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  wrong text;
BEGIN
  IF jsonb_typeof(options) IS DISTINCT FROM 'object' THEN
    RAISE EXCEPTION 'options must be a JSON object, not %', coalesce(jsonb_typeof(options), 'NULL')
      USING ERRCODE = 'invalid_parameter_value', HINT = 'For example {"dry_run": true}.';
  END IF;
  SELECT string_agg(format('$.%s must be %s, not %s', o.key, r.rule, o.value), E'\n' ORDER BY o.key COLLATE "C") INTO wrong
    FROM jsonb_each(options) o
    LEFT JOIN (VALUES ('complete', 'true or false'), ('dry_run', 'true or false'), ('allow_empty', 'true or false'),
                      ('restore', 'true or false'), ('max_delete_ratio', 'a number from 0 to 1'),
                      ('max_delete_count', 'a whole number from 0, or null'),
                      ('root_group_path', 'a path that begins with a slash, or null')) AS r (key, rule) USING (key)
   WHERE NOT coalesce(CASE o.key
           WHEN 'max_delete_ratio' THEN o.value @@ '$ >= 0 && $ <= 1'
           WHEN 'max_delete_count' THEN o.value = 'null' OR o.value @@ '$ >= 0 && $ == $.floor()'
           WHEN 'root_group_path' THEN o.value = 'null' OR o.value @@ '$ starts with "/"'
           ELSE r.key IS NULL OR jsonb_typeof(o.value) = 'boolean' END, false);
  IF wrong IS NULL THEN
    SELECT string_agg(format('$.%s is no option', key), E'\n' ORDER BY key COLLATE "C") INTO wrong
      FROM jsonb_object_keys(options) AS key
     WHERE key NOT IN ('complete', 'dry_run', 'allow_empty', 'restore', 'max_delete_ratio', 'max_delete_count', 'root_group_path');
  END IF;
  IF wrong IS NOT NULL THEN
    RAISE EXCEPTION 'invalid options of a group sync'
      USING ERRCODE = 'invalid_parameter_value', DETAIL = wrong,
            HINT = 'Options are complete, dry_run, max_delete_ratio, max_delete_count, allow_empty, restore and root_group_path.';
  END IF;
  RETURN '{"complete": true, "dry_run": false, "max_delete_ratio": 0.5, "allow_empty": false, "restore": true}'::jsonb || options;
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_sync_options(jsonb) IS 'The options of a group sync with their defaults; fails on one that is wrong or unknown.';

CREATE FUNCTION @extschema@._mfi_sync_place(nr integer[], field text DEFAULT '') RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT '$[' || array_to_string(nr, '].subGroups[') || ']' || field $$;
COMMENT ON FUNCTION @extschema@._mfi_sync_place(integer[], text) IS 'Where in the input an element is, as a JSON path; nr: its position on each level, from 0.';

CREATE FUNCTION @extschema@._mfi_sync_error(code text, id uuid, place text, message text) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT jsonb_build_object('code', code, 'id', id, 'path_in_input', place, 'message', message) $$;
COMMENT ON FUNCTION @extschema@._mfi_sync_error(text, uuid, text, text) IS 'One entry of the errors or warnings of a group sync.';

CREATE FUNCTION @extschema@._mfi_sync_tables() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM @extschema@._mfi_require_partitions();
  CREATE TEMP TABLE _mfi_element (nr integer[], above jsonb, body jsonb, sub_groups_type text);
  CREATE TEMP TABLE _mfi_snapshot (nr integer[], id uuid, parent uuid, name text, path text, description text, attributes jsonb, realm_roles jsonb,
    client_roles jsonb, sub_group_count integer, depth integer, is_wanted boolean);
  CREATE TEMP TABLE _mfi_present (id uuid, owner uuid, belongs_to uuid, name text, description text, path text, parent uuid, depth integer, attributes jsonb,
    realm_roles jsonb, client_roles jsonb, deleted_at timestamptz);
  CREATE TEMP TABLE _mfi_change (id uuid, nr integer[], class text);
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_sync_tables() IS
  'Makes the temporary tables of a group sync, empty: _mfi_element, the groups of the input; _mfi_snapshot, one row for each id; _mfi_present, what is stored; '
  '_mfi_change, what happens to each. What fills them runs in a security-restricted operation, in which none can be made.';

CREATE FUNCTION @extschema@._mfi_sync_elements(groups jsonb) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  WITH RECURSIVE element (nr, above, body) AS (
    SELECT ARRAY[e.nr::int - 1], NULL::jsonb, e.body FROM jsonb_array_elements(groups) WITH ORDINALITY AS e (body, nr)
    UNION ALL
    SELECT a.nr || (e.nr::int - 1), a.body -> 'id', e.body
      FROM element a
     CROSS JOIN LATERAL jsonb_array_elements(CASE jsonb_typeof(a.body -> 'subGroups') WHEN 'array' THEN a.body -> 'subGroups' ELSE '[]' END)
                        WITH ORDINALITY AS e (body, nr))
  INSERT INTO pg_temp._mfi_element
  SELECT nr, above, CASE jsonb_typeof(body) WHEN 'object' THEN body - '{subGroups,access}'::text[] ELSE body END AS body,
         jsonb_typeof(body -> 'subGroups') AS sub_groups_type
    FROM element;
  RETURN (
    WITH checked AS (
      SELECT e.nr, e.body -> 'id' AS id, c.code, c.field, c.message
        FROM pg_temp._mfi_element e
       CROSS JOIN LATERAL (VALUES
         (jsonb_typeof(body) <> 'object', 'not_an_object', '', 'a group must be an object'),
         (coalesce(body ->> 'id', '') !~ '\S', 'id_missing', '', 'the group has no id'),
         (body ->> 'id' ~ '\S' AND (jsonb_typeof(body -> 'id') <> 'string' OR body ->> 'id' !~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$'),
          'id_invalid', '.id', 'the id is not a UUID'),
         (coalesce(body ->> 'name', '') !~ '\S', 'name_missing', '.name', 'the group has no name'),
         (jsonb_typeof(body -> 'name') NOT IN ('string', 'null'), 'field_invalid', '.name', 'it must be a string'),
         (jsonb_typeof(body -> 'parentId') <> 'null' AND (jsonb_typeof(body -> 'parentId') <> 'string'
            OR body ->> 'parentId' !~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$'),
          'field_invalid', '.parentId', 'it must be a UUID'),
         (jsonb_typeof(body -> 'path') NOT IN ('string', 'null') OR body ->> 'path' = '', 'field_invalid', '.path', 'it must be a string that is not empty'),
         (jsonb_typeof(body -> 'description') NOT IN ('string', 'null'), 'field_invalid', '.description', 'it must be a string'),
         (jsonb_typeof(body -> 'attributes') NOT IN ('object', 'null'), 'field_invalid', '.attributes', 'it must be an object'),
         (jsonb_typeof(body -> 'realmRoles') NOT IN ('array', 'null'), 'field_invalid', '.realmRoles', 'it must be an array'),
         (jsonb_typeof(body -> 'clientRoles') NOT IN ('object', 'null'), 'field_invalid', '.clientRoles', 'it must be an object'),
         (jsonb_typeof(body -> 'subGroupCount') NOT IN ('number', 'null') OR body ->> 'subGroupCount' !~ '^[0-9]{1,9}$',
          'field_invalid', '.subGroupCount', 'it must be a whole number'),
         (sub_groups_type NOT IN ('array', 'null'), 'field_invalid', '.subGroups', 'it must be an array')) AS c (is_wrong, code, field, message)
       WHERE c.is_wrong AND (c.code = 'not_an_object' OR jsonb_typeof(e.body) = 'object'))
    SELECT jsonb_agg(@extschema@._mfi_sync_error(code, NULL::uuid, @extschema@._mfi_sync_place(nr, field), message) || jsonb_build_object('id', id)
                     ORDER BY nr, field)
      FROM checked);
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_sync_elements(jsonb) IS
  'Fills pg_temp._mfi_element: every group of the input, nested ones too, with its place and the id of the group around it. '
  'Returns the errors of single groups, or NULL.';

CREATE FUNCTION @extschema@._mfi_sync_snapshot() RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  errors jsonb;
BEGIN
  INSERT INTO pg_temp._mfi_snapshot
  SELECT DISTINCT ON ((body ->> 'id')::uuid)
         nr, (body ->> 'id')::uuid AS id, coalesce(body ->> 'parentId', above #>> '{}')::uuid AS parent, body ->> 'name' AS name,
         body ->> 'path' AS path, body ->> 'description' AS description, nullif(body -> 'attributes', 'null') AS attributes,
         nullif(body -> 'realmRoles', 'null') AS realm_roles, nullif(body -> 'clientRoles', 'null') AS client_roles,
         (body ->> 'subGroupCount')::int AS sub_group_count, NULL::int AS depth, true AS is_wanted
    FROM pg_temp._mfi_element
   ORDER BY (body ->> 'id')::uuid, nr;
  ALTER TABLE pg_temp._mfi_snapshot ADD PRIMARY KEY (id);
  ANALYZE pg_temp._mfi_element (nr);
  ANALYZE pg_temp._mfi_snapshot (nr);
  WITH again AS MATERIALIZED (
    SELECT e.*, (e.body ->> 'id')::uuid AS id FROM pg_temp._mfi_element e WHERE NOT EXISTS (SELECT FROM pg_temp._mfi_snapshot s WHERE s.nr = e.nr))
  SELECT jsonb_agg(e.error ORDER BY e.nr) INTO errors
    FROM (SELECT o.nr, @extschema@._mfi_sync_error('two_parents', s.id, @extschema@._mfi_sync_place(o.nr),
                   format('the parent of the group is %s here and %s at %s', coalesce(o.body ->> 'parentId', o.above #>> '{}', 'none'),
                          coalesce(s.parent::text, 'none'), @extschema@._mfi_sync_place(s.nr)))
            FROM again o JOIN pg_temp._mfi_snapshot s ON s.id = o.id
           WHERE coalesce(o.body ->> 'parentId', o.above #>> '{}')::uuid IS DISTINCT FROM s.parent
          UNION ALL
          SELECT o.nr, @extschema@._mfi_sync_error('two_parents', (o.body ->> 'id')::uuid, @extschema@._mfi_sync_place(o.nr, '.parentId'),
                   format('the group stands under %s but says its parent is %s', o.above #>> '{}', o.body ->> 'parentId'))
            FROM pg_temp._mfi_element o
           WHERE (o.body ->> 'parentId')::uuid <> (o.above #>> '{}')::uuid
          UNION ALL
          SELECT o.nr, @extschema@._mfi_sync_error('id_conflict', s.id, @extschema@._mfi_sync_place(o.nr),
                   format('the id is also at %s, with other content', @extschema@._mfi_sync_place(s.nr)))
            FROM again o
            JOIN pg_temp._mfi_snapshot s ON s.id = o.id
            JOIN pg_temp._mfi_element f ON f.nr = s.nr
           WHERE o.body - '{id,parentId}'::text[] <> f.body - '{id,parentId}'::text[]) AS e (nr, error);
  RETURN errors;
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_sync_snapshot() IS
  'Fills pg_temp._mfi_snapshot of pg_temp._mfi_element: one row for each id. Returns the errors of ids that are there twice, or NULL.';

CREATE FUNCTION @extschema@._mfi_sync_tree(complete boolean) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  CREATE INDEX ON pg_temp._mfi_snapshot (parent);
  ANALYZE pg_temp._mfi_snapshot (id, parent, name);
  WITH RECURSIVE tree (id, depth, path) AS (
    SELECT id, 0, coalesce(path, '/' || replace(name, '/', '~/')) FROM pg_temp._mfi_snapshot WHERE parent IS NULL
    UNION ALL
    SELECT s.id, t.depth + 1, coalesce(s.path, t.path || '/' || replace(s.name, '/', '~/'))
      FROM tree t JOIN pg_temp._mfi_snapshot s ON s.parent = t.id)
  UPDATE pg_temp._mfi_snapshot s SET depth = t.depth, path = t.path FROM tree t WHERE s.id = t.id;
  RETURN (
    WITH RECURSIVE orphan (id) AS (
      SELECT s.id FROM pg_temp._mfi_snapshot s
       WHERE s.depth IS NULL AND NOT EXISTS (SELECT FROM pg_temp._mfi_snapshot p WHERE p.id = s.parent)
      UNION ALL
      SELECT s.id FROM orphan o JOIN pg_temp._mfi_snapshot s ON s.parent = o.id),
    error (nr, entry) AS (
      SELECT s.nr, @extschema@._mfi_sync_error('parent_missing', s.id, @extschema@._mfi_sync_place(s.nr),
               format('its parent %s is not in the snapshot%s', s.parent, CASE WHEN NOT complete THEN ', nor known from before' END))
        FROM pg_temp._mfi_snapshot s
       WHERE s.depth IS NULL AND s.is_wanted AND NOT EXISTS (SELECT FROM pg_temp._mfi_snapshot p WHERE p.id = s.parent)
      UNION ALL
      SELECT s.nr, @extschema@._mfi_sync_error('cycle', s.id, @extschema@._mfi_sync_place(s.nr), 'the group is, or is under, its own ancestor')
        FROM pg_temp._mfi_snapshot s
       WHERE s.depth IS NULL AND s.is_wanted AND s.id NOT IN (SELECT id FROM orphan)
      UNION ALL
      SELECT t.nr, @extschema@._mfi_sync_error('sibling_name', t.id, @extschema@._mfi_sync_place(t.nr, '.name'),
               format('another group of the same parent is named %s too: %s', to_jsonb(t.name), t.first))
        FROM (SELECT s.nr, s.id, s.name, s.is_wanted, first_value(s.id) OVER same AS first
                FROM pg_temp._mfi_snapshot s
              WINDOW same AS (PARTITION BY s.parent, s.name ORDER BY s.is_wanted, s.nr)) t
       WHERE t.is_wanted AND t.id <> t.first
      UNION ALL
      SELECT s.nr, @extschema@._mfi_sync_error('truncated', s.id, @extschema@._mfi_sync_place(s.nr, '.subGroupCount'),
               format('truncated snapshot: %s of the %s children of the group are missing', s.sub_group_count - coalesce(c.count, 0), s.sub_group_count))
        FROM pg_temp._mfi_snapshot s
        LEFT JOIN (SELECT parent, count(*) FROM pg_temp._mfi_snapshot GROUP BY parent) c ON c.parent = s.id
       WHERE complete AND s.sub_group_count > coalesce(c.count, 0))
    SELECT jsonb_agg(entry ORDER BY nr, entry ->> 'code') FROM error);
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_sync_tree(boolean) IS
  'Gives each group of pg_temp._mfi_snapshot its depth, and its path where Keycloak sent none. Returns the errors of the tree, or NULL.';

CREATE FUNCTION @extschema@._mfi_sync_root(root text) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  WITH RECURSIVE kept (id) AS (
    SELECT id FROM pg_temp._mfi_snapshot WHERE path = root AND is_wanted
    UNION ALL
    SELECT s.id FROM kept k JOIN pg_temp._mfi_snapshot s ON s.parent = k.id)
  UPDATE pg_temp._mfi_snapshot SET is_wanted = false WHERE is_wanted AND id NOT IN (SELECT id FROM kept);
  IF EXISTS (SELECT FROM pg_temp._mfi_snapshot WHERE is_wanted) THEN
    RETURN NULL;
  END IF;
  RETURN jsonb_build_array(@extschema@._mfi_sync_error('root_missing', NULL::uuid, '$', format('no group of the snapshot has the root_group_path %s', to_jsonb(root))));
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_sync_root(text) IS
  'Leaves only the group of this path and what is under it wanted in pg_temp._mfi_snapshot. Returns the error when there is none.';

CREATE FUNCTION @extschema@._mfi_sync_changes(scope uuid, complete boolean) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  ANALYZE pg_temp._mfi_present (id);
  INSERT INTO pg_temp._mfi_change
  SELECT s.id, s.nr,
         CASE WHEN p.id IS NULL THEN 'created'
              WHEN p.deleted_at IS NOT NULL THEN 'restored'
              WHEN s.name <> p.name THEN 'renamed'
              WHEN s.parent IS DISTINCT FROM p.parent THEN 'moved'
              WHEN (s.description, coalesce(s.attributes, p.attributes), coalesce(s.realm_roles, p.realm_roles), coalesce(s.client_roles, p.client_roles), scope)
                   IS DISTINCT FROM (p.description, p.attributes, p.realm_roles, p.client_roles, p.owner) THEN 'updated'
              WHEN (s.path, s.depth) IS DISTINCT FROM (p.path, p.depth) THEN 'path_changed'
              ELSE 'unchanged' END AS class
    FROM pg_temp._mfi_snapshot s LEFT JOIN pg_temp._mfi_present p ON p.id = s.id
   WHERE s.is_wanted
  UNION ALL
  SELECT p.id, NULL, 'soft_deleted'
    FROM pg_temp._mfi_present p
   WHERE complete AND p.owner = scope AND p.deleted_at IS NULL
     AND NOT EXISTS (SELECT FROM pg_temp._mfi_snapshot s WHERE s.id = p.id AND s.is_wanted);
  ALTER TABLE pg_temp._mfi_change ADD PRIMARY KEY (id);
  ANALYZE pg_temp._mfi_change (id, class);
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_sync_changes(uuid, boolean) IS
  'Fills pg_temp._mfi_change: what happens to each group, in the strongest class, by pg_temp._mfi_snapshot (wanted) and _mfi_present (stored). '
  'Attributes and roles that were not sent are not known, so they stay.';

CREATE FUNCTION @extschema@._mfi_sync_refusals(scope uuid, options jsonb) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  errors jsonb;
  live bigint := (SELECT count(*) FROM pg_temp._mfi_present WHERE owner = scope AND deleted_at IS NULL);
  gone bigint := (SELECT count(*) FROM pg_temp._mfi_change WHERE class = 'soft_deleted');
BEGIN
  SELECT jsonb_agg(e.entry ORDER BY e.nr) INTO errors
    FROM (SELECT c.nr, @extschema@._mfi_sync_error('other_scope', c.id, @extschema@._mfi_sync_place(c.nr, '.id'),
                   format('the group is one of %s', p.belongs_to))
            FROM pg_temp._mfi_change c JOIN pg_temp._mfi_present p ON p.id = c.id WHERE p.belongs_to <> scope AND p.deleted_at IS NULL
          UNION ALL
          SELECT c.nr, @extschema@._mfi_sync_error('deleted_id', c.id, @extschema@._mfi_sync_place(c.nr, '.id'), 'the group was deleted, and restore is false')
            FROM pg_temp._mfi_change c WHERE c.class = 'restored' AND NOT (options ->> 'restore')::boolean) AS e (nr, entry);
  IF errors IS NOT NULL OR NOT (options ->> 'complete')::boolean THEN
    RETURN errors;
  ELSIF NOT (options ->> 'allow_empty')::boolean AND NOT EXISTS (SELECT FROM pg_temp._mfi_snapshot) THEN
    RETURN jsonb_build_array(@extschema@._mfi_sync_error('empty_snapshot', NULL::uuid, '$', format('the snapshot is empty, and %s groups are known', live)));
  ELSIF gone > live * (options ->> 'max_delete_ratio')::numeric OR gone > (options ->> 'max_delete_count')::numeric THEN
    RETURN jsonb_build_array(@extschema@._mfi_sync_error('too_many_deletions', NULL::uuid, '$',
      format('%s of %s groups are missing from the snapshot, more than max_delete_ratio %s%s', gone, live, options ->> 'max_delete_ratio',
             coalesce(' or max_delete_count ' || (options ->> 'max_delete_count'), ''))));
  END IF;
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_sync_refusals(uuid, jsonb) IS
  'The errors for which the changes in pg_temp._mfi_change are refused, or NULL: groups of another scope, deletions beyond the limits.';

CREATE FUNCTION @extschema@._mfi_sync_warnings() RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN (
    SELECT coalesce(jsonb_agg(entry ORDER BY nr, entry ->> 'code', entry ->> 'id'), '[]')
      FROM (SELECT s.nr, @extschema@._mfi_sync_error('name_slash', s.id, @extschema@._mfi_sync_place(s.nr, '.name'),
                     format('the name %s has a slash: its path may be read as that of another group', to_jsonb(s.name)))
              FROM pg_temp._mfi_snapshot s WHERE s.is_wanted AND s.name ~ '/'
            UNION ALL
            SELECT t.nr, @extschema@._mfi_sync_error('case_twin', t.id, @extschema@._mfi_sync_place(t.nr, '.name'),
                     format('the name %s differs from that of a sibling, %s, in case only', to_jsonb(t.name), t.first))
              FROM (SELECT s.nr, s.id, s.name, s.is_wanted, first_value(s.id) OVER same AS first
                      FROM pg_temp._mfi_snapshot s
                    WINDOW same AS (PARTITION BY s.parent, lower(s.name) ORDER BY s.is_wanted, s.nr)) t
             WHERE t.is_wanted AND t.id <> t.first
            UNION ALL
            SELECT NULL, @extschema@._mfi_sync_error('unclaimed', p.id, NULL::text,
                     format('the group %s has no portal_id and is not in the snapshot: it was left as it is', to_jsonb(p.path)))
              FROM pg_temp._mfi_present p
             WHERE p.owner IS NULL AND p.deleted_at IS NULL AND NOT EXISTS (SELECT FROM pg_temp._mfi_snapshot s WHERE s.id = p.id)) AS w (nr, entry));
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_sync_warnings() IS 'What is to be said of a snapshot that is good all the same.';

CREATE FUNCTION @extschema@._mfi_sync_items(owner_column text, scope uuid) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN (
    WITH side AS (
      SELECT c.id, c.nr, c.class,
             CASE WHEN p.id IS NOT NULL THEN
               jsonb_build_object('name', p.name, 'path', p.path, 'parent_id', p.parent, 'depth', p.depth, 'description', p.description,
                 'attributes', p.attributes, 'realm_roles', p.realm_roles, 'client_roles', p.client_roles, 'deleted_at', p.deleted_at,
                 owner_column, p.owner) END AS old,
             CASE WHEN c.class <> 'soft_deleted' THEN
               jsonb_build_object('name', s.name, 'path', s.path, 'parent_id', s.parent, 'depth', s.depth, 'description', s.description,
                 'attributes', coalesce(s.attributes, p.attributes), 'realm_roles', coalesce(s.realm_roles, p.realm_roles),
                 'client_roles', coalesce(s.client_roles, p.client_roles), 'deleted_at', NULL,
                 owner_column, scope) END AS new
        FROM pg_temp._mfi_change c
        LEFT JOIN pg_temp._mfi_present p ON p.id = c.id
        LEFT JOIN pg_temp._mfi_snapshot s ON s.id = c.id
       WHERE c.class <> 'unchanged')
    SELECT coalesce(jsonb_agg(jsonb_build_object('id', i.id, 'class', i.class, 'old', d.old, 'new', d.new) ORDER BY i.nr, i.id), '[]')
      FROM side i
     CROSS JOIN LATERAL (
       SELECT jsonb_strip_nulls(i.old), jsonb_strip_nulls(i.new) WHERE i.old IS NULL OR i.new IS NULL
       UNION ALL
       SELECT jsonb_object_agg(k, i.old -> k), jsonb_object_agg(k, i.new -> k) FROM jsonb_object_keys(i.new) k
        WHERE i.old -> k <> i.new -> k
       HAVING i.old IS NOT NULL AND i.new IS NOT NULL) AS d (old, new));
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_sync_items(text, uuid) IS 'Every change of a group sync, with the columns that differ as they were and as they are.';

CREATE FUNCTION @extschema@._mfi_sync_refuse(errors jsonb) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  most CONSTANT integer := 20;
  count integer := jsonb_array_length(errors);
  code text := errors #>> '{0,code}';
BEGIN
  RAISE EXCEPTION 'the groups were not synced: % in the snapshot', count || CASE count WHEN 1 THEN ' error' ELSE ' errors' END
    USING ERRCODE = CASE WHEN code IN ('too_many_deletions', 'empty_snapshot') THEN 'restrict_violation' ELSE 'invalid_parameter_value' END,
          DETAIL = (SELECT string_agg(format('%s: %s (%s%s)', e ->> 'path_in_input', e ->> 'message', e ->> 'code', ', id ' || (e ->> 'id')), E'\n' ORDER BY nr)
                      FROM jsonb_array_elements(errors) WITH ORDINALITY AS t (e, nr) WHERE nr <= most)
                   || CASE WHEN count > most THEN format(E'\nand %s more', count - most) ELSE '' END || E'\nNothing was written.',
          HINT = CASE code
            WHEN 'too_many_deletions' THEN 'If they are really gone from Keycloak, call it again with {"max_delete_ratio": 1} or a greater max_delete_count.'
            WHEN 'empty_snapshot' THEN 'If Keycloak really has no group, call it again with {"allow_empty": true, "max_delete_ratio": 1}.'
            WHEN 'truncated' THEN 'Fetch all pages of /groups and of every /groups/{id}/children, whose page has 10 groups unless max is given.'
            WHEN 'other_scope' THEN 'A group is of one portal or MFI. Give root_group_path when several share a realm.'
            ELSE 'Take the snapshot again. With {"dry_run": true} all errors come as JSON.' END;
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_sync_refuse(jsonb) IS 'Raises the errors of a group sync, the first of them one by one.';

CREATE FUNCTION @extschema@._mfi_sync_load(kind text, scope uuid, complete boolean) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF kind = 'portal' THEN
    -- Without portal_id a group is of the portal whose realm its path begins with.
    INSERT INTO pg_temp._mfi_present
    SELECT t.iam_group_id AS id, t.portal_id AS owner,
           CASE WHEN t.portal_id IS NOT NULL THEN t.portal_id
                WHEN split_part(ltrim(t.group_path, '/'), '/', 1) = own.realm_id THEN own.id
                ELSE (SELECT o.id FROM @extschema@.portals o WHERE o.realm_id = split_part(ltrim(t.group_path, '/'), '/', 1) LIMIT 1) END AS belongs_to,
           t.name, t.description, t.group_path AS path, t.parent_iam_group_id AS parent, t.depth, t.attributes, t.realm_roles, t.client_roles, t.deleted_at
      FROM @extschema@.portals own, @extschema@.portal_groups t
     WHERE own.id = _mfi_sync_load.scope
       AND (t.portal_id = own.id OR t.iam_group_id IN (SELECT s.id FROM pg_temp._mfi_snapshot s)
            OR t.portal_id IS NULL AND split_part(ltrim(t.group_path, '/'), '/', 1) = own.realm_id);
  ELSE
    INSERT INTO pg_temp._mfi_present
    SELECT t.iam_group_id AS id, t.id_mfi AS owner, t.id_mfi AS belongs_to,
           t.name, t.description, t.group_path AS path, t.parent_iam_group_id AS parent, t.depth, t.attributes, t.realm_roles, t.client_roles, t.deleted_at
      FROM @extschema@.mfi_groups t
     WHERE t.id_mfi = _mfi_sync_load.scope OR t.iam_group_id IN (SELECT s.id FROM pg_temp._mfi_snapshot s);
  END IF;
  IF NOT complete THEN
    -- What is known stands beside what was sent, so that parents, cycles and names are looked at in the whole tree.
    INSERT INTO pg_temp._mfi_snapshot (id, parent, name, path, depth, is_wanted)
    SELECT p.id, u.id, p.name, p.path, CASE WHEN u.id IS NULL THEN p.depth END, false
      FROM pg_temp._mfi_present p
      LEFT JOIN (SELECT k.id FROM pg_temp._mfi_present k WHERE k.owner = _mfi_sync_load.scope AND k.deleted_at IS NULL
                 UNION SELECT s.id FROM pg_temp._mfi_snapshot s) u ON u.id = p.parent
     WHERE p.owner = _mfi_sync_load.scope AND p.deleted_at IS NULL
    ON CONFLICT DO NOTHING;
  END IF;
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_sync_load(text, uuid, boolean) IS
  'Fills pg_temp._mfi_present: the stored groups of a portal or MFI, and those of others that the snapshot names.';

CREATE FUNCTION @extschema@._mfi_sync_write(kind text, owner_column text, scope uuid) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  EXECUTE format(
    'UPDATE @extschema@.%I t SET deleted_at = now() FROM pg_temp._mfi_change c WHERE c.id = t.iam_group_id AND c.class = ''soft_deleted''', kind || '_groups');
  EXECUTE format(
    'UPDATE @extschema@.%I t SET %I = $1, name = s.name, description = s.description, group_path = s.path, parent_iam_group_id = s.parent, depth = s.depth, '
    '  attributes = coalesce(s.attributes, t.attributes), realm_roles = coalesce(s.realm_roles, t.realm_roles), '
    '  client_roles = coalesce(s.client_roles, t.client_roles), deleted_at = NULL '
    'FROM pg_temp._mfi_change c JOIN pg_temp._mfi_snapshot s ON s.id = c.id '
    'WHERE c.id = t.iam_group_id AND c.class NOT IN (''created'', ''unchanged'', ''soft_deleted'')', kind || '_groups', owner_column) USING scope;
  EXECUTE format(
    'INSERT INTO @extschema@.%I (iam_group_id, %I, name, description, group_path, parent_iam_group_id, depth, attributes, realm_roles, client_roles) '
    'SELECT s.id, $1, s.name, s.description, s.path, s.parent, s.depth, s.attributes, s.realm_roles, s.client_roles '
    '  FROM pg_temp._mfi_change c JOIN pg_temp._mfi_snapshot s ON s.id = c.id WHERE c.class = ''created'' ORDER BY s.nr',
    kind || '_groups', owner_column) USING scope;
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_sync_write(text, text, uuid) IS 'Does in the table of the groups what pg_temp._mfi_change says; a group that is unchanged is not touched.';

CREATE FUNCTION @extschema@._mfi_sync_report(kind text, owner_column text, scope uuid) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  counts jsonb;
  users bigint;
BEGIN
  SELECT jsonb_object_agg(k.class, coalesce(c.count, 0)) INTO counts
    FROM unnest(ARRAY['created', 'restored', 'renamed', 'moved', 'updated', 'path_changed', 'soft_deleted', 'unchanged']) AS k (class)
    LEFT JOIN (SELECT class, count(*) FROM pg_temp._mfi_change GROUP BY class) c USING (class);
  IF kind = 'portal' THEN
    SELECT count(*) INTO users
      FROM (SELECT m.user_id FROM @extschema@.user_groups m JOIN pg_temp._mfi_change c ON c.id = m.group_id AND c.class = 'soft_deleted'
            UNION SELECT u.id_iam FROM @extschema@.portal_users u JOIN pg_temp._mfi_change c ON c.id = u.id_group AND c.class = 'soft_deleted') AS affected;
  ELSE
    SELECT count(*) INTO users FROM @extschema@.mfi_users u JOIN pg_temp._mfi_change c ON c.id = u.id_group AND c.class = 'soft_deleted';
  END IF;
  RETURN jsonb_build_object(
    'outcome', CASE WHEN EXISTS (SELECT FROM pg_temp._mfi_change WHERE class <> 'unchanged') THEN 'changed' ELSE 'noop' END,
    'counts', counts || (
      SELECT jsonb_build_object('received', e.count, 'duplicates_merged', e.count - s.sent, 'outside_root', s.sent - s.wanted)
        FROM (SELECT count(*) FROM pg_temp._mfi_element) e,
             (SELECT count(*) FILTER (WHERE nr IS NOT NULL) AS sent, count(*) FILTER (WHERE is_wanted) AS wanted FROM pg_temp._mfi_snapshot) s),
    'items', @extschema@._mfi_sync_items(owner_column, scope),
    'replaced', (
      SELECT coalesce(jsonb_agg(jsonb_build_object('old_id', r.old, 'new_id', r.new, 'name', r.name) ORDER BY r.nr), '[]')
        FROM (SELECT p.id AS old, s.id AS new, s.name, s.nr FROM pg_temp._mfi_change gone
                JOIN pg_temp._mfi_present p ON p.id = gone.id
                JOIN pg_temp._mfi_snapshot s ON s.name = p.name AND coalesce(s.parent, s.id) = coalesce(p.parent, s.id)
                JOIN pg_temp._mfi_change new ON new.id = s.id AND new.class = 'created'
               WHERE gone.class = 'soft_deleted'
              UNION
              SELECT p.id, s.id, s.name, s.nr FROM pg_temp._mfi_change gone
                JOIN pg_temp._mfi_present p ON p.id = gone.id
                JOIN pg_temp._mfi_snapshot s ON s.name = p.name AND s.path = p.path
                JOIN pg_temp._mfi_change new ON new.id = s.id AND new.class = 'created'
               WHERE gone.class = 'soft_deleted') AS r),
    'affected_users', users, 'warnings', @extschema@._mfi_sync_warnings(), 'errors', '[]'::jsonb);
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_sync_report(text, text, uuid) IS 'The report of a group sync, from its temporary tables, as they are before it writes.';

CREATE FUNCTION @extschema@._mfi_sync_groups(kind text, scope uuid, groups jsonb, options jsonb) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET client_min_messages = warning
SET jit = off
SET work_mem = '64MB'
AS $$
DECLARE
  run uuid := gen_random_uuid();
  owner_column text := CASE kind WHEN 'portal' THEN 'portal_id' ELSE 'id_mfi' END;
  owners text := CASE kind WHEN 'portal' THEN 'portals' ELSE 'mfi_clients' END;
  errors jsonb;
  report jsonb;
  is_known boolean;
  is_dry boolean;
BEGIN
  options := @extschema@._mfi_sync_options(options);
  is_dry := options -> 'dry_run';
  IF jsonb_typeof(groups) IS DISTINCT FROM 'array' THEN
    RAISE EXCEPTION 'groups must be a JSON array, not %', coalesce(jsonb_typeof(groups), 'NULL')
      USING ERRCODE = 'invalid_parameter_value', HINT = 'It is what GET /admin/realms/{realm}/groups returns, with the children of every group.';
  END IF;
  PERFORM @extschema@._mfi_require_partitions();
  IF current_setting('transaction_isolation') IN ('repeatable read', 'serializable') THEN
    RAISE EXCEPTION 'groups cannot be synced at isolation level %', current_setting('transaction_isolation')
      USING ERRCODE = 'invalid_transaction_state',
            DETAIL = 'What another sync commits while this one waits for it would not be seen.',
            HINT = 'Call it again after SET default_transaction_isolation = ''read committed''.';
  END IF;
  -- One sync of a portal or MFI at a time, until the end of the transaction: a second one waits, then finds nothing to do.
  PERFORM @extschema@._mfi_one_at_a_time(3, kind || ' ' || scope);
  PERFORM @extschema@._mfi_check_written(CASE WHEN is_dry THEN '{}'::text[] ELSE ARRAY['@extschema@.' || kind || '_groups', 'mfi.sync_runs'] END,
    CASE kind WHEN 'portal' THEN ARRAY['portals', 'portal_groups', 'user_groups', 'portal_users'] ELSE ARRAY['mfi_clients', 'mfi_groups', 'mfi_users'] END);
  EXECUTE format('SELECT EXISTS (SELECT FROM @extschema@.%I WHERE id = $1)', owners) INTO is_known USING scope;
  IF NOT is_known THEN
    RAISE EXCEPTION 'there is no row in % with the id %', owners, coalesce(scope::text, 'NULL')
      USING ERRCODE = 'invalid_parameter_value', HINT = format('SELECT id, name, realm_id FROM %s.', owners);
  END IF;

  errors := coalesce(@extschema@._mfi_sync_elements(groups), @extschema@._mfi_sync_snapshot());
  IF errors IS NULL THEN
    PERFORM @extschema@._mfi_sync_load(kind, scope, (options -> 'complete')::boolean);
    errors := @extschema@._mfi_sync_tree((options -> 'complete')::boolean);
  END IF;
  IF errors IS NULL AND options ->> 'root_group_path' IS NOT NULL THEN
    errors := @extschema@._mfi_sync_root(options ->> 'root_group_path');
  END IF;
  IF errors IS NULL THEN
    PERFORM @extschema@._mfi_sync_changes(scope, (options -> 'complete')::boolean);
    errors := @extschema@._mfi_sync_refusals(scope, options);
  END IF;
  IF errors IS NOT NULL AND NOT is_dry THEN
    PERFORM @extschema@._mfi_sync_refuse(errors);
  ELSIF errors IS NOT NULL THEN
    report := jsonb_build_object('outcome', 'refused', 'counts', jsonb_build_object('received', (SELECT count(*) FROM pg_temp._mfi_element)), 'items', '[]'::jsonb,
                                 'replaced', '[]'::jsonb, 'affected_users', 0, 'warnings', '[]'::jsonb, 'errors', errors);
  ELSE
    report := @extschema@._mfi_sync_report(kind, owner_column, scope);
    IF NOT is_dry THEN
      PERFORM @extschema@._mfi_sync_write(kind, owner_column, scope);
    END IF;
  END IF;

  report := jsonb_build_object('run_id', CASE WHEN NOT is_dry THEN run END, 'kind', kind, 'scope_id', scope, 'options', options) || report;
  IF NOT is_dry THEN
    INSERT INTO mfi.sync_runs (run_id, kind, scope_id, finished_at, outcome, report)
    VALUES (run, kind, scope, clock_timestamp(), report ->> 'outcome', report);
    DELETE FROM mfi.sync_runs r
     WHERE r.kind = _mfi_sync_groups.kind AND r.scope_id = scope AND r.outcome = 'noop' AND r.started_at < now() - interval '30 days';
  END IF;
  RETURN report;
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_sync_groups(text, uuid, jsonb, jsonb) IS 'Behind mfi_sync_portal_groups() and mfi_sync_mfi_groups(): kind is portal or mfi.';

CREATE FUNCTION @extschema@._mfi_sync_portal_groups(portal uuid, groups jsonb, options jsonb) RETURNS jsonb
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$ SELECT @extschema@._mfi_sync_groups('portal'::text, portal, groups, options) $$;
COMMENT ON FUNCTION @extschema@._mfi_sync_portal_groups(uuid, jsonb, jsonb) IS 'Behind mfi_sync_portal_groups(), which calls it as mfi_sync.';

CREATE FUNCTION @extschema@.mfi_sync_portal_groups(portal uuid, groups jsonb, options jsonb DEFAULT '{}') RETURNS jsonb
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_group_sync';
COMMENT ON FUNCTION @extschema@.mfi_sync_portal_groups(uuid, jsonb, jsonb) IS
  'Makes portal_groups of one portal what a snapshot of Keycloak''s groups says, and returns a report, which is also kept in mfi.sync_runs. groups: an array '
  'of GroupRepresentation, flat, nested or both. options: complete (true: what is missing gets deleted_at), dry_run, max_delete_ratio (0.5), max_delete_count, '
  'allow_empty, restore (true), root_group_path. Groups are known by Keycloak''s id alone. An error names the place in the input, and nothing is written.';

CREATE FUNCTION @extschema@._mfi_sync_mfi_groups(mfi uuid, groups jsonb, options jsonb) RETURNS jsonb
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$ SELECT @extschema@._mfi_sync_groups('mfi'::text, mfi, groups, options) $$;
COMMENT ON FUNCTION @extschema@._mfi_sync_mfi_groups(uuid, jsonb, jsonb) IS 'Behind mfi_sync_mfi_groups(), which calls it as mfi_sync.';

CREATE FUNCTION @extschema@.mfi_sync_mfi_groups(mfi uuid, groups jsonb, options jsonb DEFAULT '{}') RETURNS jsonb
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_group_sync';
COMMENT ON FUNCTION @extschema@.mfi_sync_mfi_groups(uuid, jsonb, jsonb) IS
  'Makes mfi_groups of one MFI (mfi_clients.id) what a snapshot of Keycloak''s groups says; as mfi_sync_portal_groups().';

REVOKE ALL ON FUNCTION
  @extschema@._mfi_sync_options(jsonb), @extschema@._mfi_sync_place(integer[], text), @extschema@._mfi_sync_error(text, uuid, text, text), @extschema@._mfi_sync_elements(jsonb), @extschema@._mfi_sync_snapshot(),
  @extschema@._mfi_sync_tree(boolean), @extschema@._mfi_sync_root(text), @extschema@._mfi_sync_changes(uuid, boolean), @extschema@._mfi_sync_refusals(uuid, jsonb), @extschema@._mfi_sync_warnings(),
  @extschema@._mfi_sync_items(text, uuid), @extschema@._mfi_sync_refuse(jsonb), @extschema@._mfi_sync_load(text, uuid, boolean), @extschema@._mfi_sync_write(text, text, uuid),
  @extschema@._mfi_sync_report(text, text, uuid), @extschema@._mfi_sync_groups(text, uuid, jsonb, jsonb), @extschema@.mfi_sync_portal_groups(uuid, jsonb, jsonb),
  @extschema@.mfi_sync_mfi_groups(uuid, jsonb, jsonb), @extschema@._mfi_foreign_triggers(text[]), @extschema@._mfi_check_written(text[], text[]),
  @extschema@._mfi_refuse_leavings(), @extschema@._mfi_sync_tables(), @extschema@._mfi_sync_portal_groups(uuid, jsonb, jsonb), @extschema@._mfi_sync_mfi_groups(uuid, jsonb, jsonb)
FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
  @extschema@._mfi_sync_options(jsonb), @extschema@._mfi_sync_place(integer[], text), @extschema@._mfi_sync_error(text, uuid, text, text), @extschema@._mfi_sync_elements(jsonb), @extschema@._mfi_sync_snapshot(),
  @extschema@._mfi_sync_tree(boolean), @extschema@._mfi_sync_root(text), @extschema@._mfi_sync_changes(uuid, boolean), @extschema@._mfi_sync_refusals(uuid, jsonb), @extschema@._mfi_sync_warnings(),
  @extschema@._mfi_sync_items(text, uuid), @extschema@._mfi_sync_refuse(jsonb), @extschema@._mfi_sync_load(text, uuid, boolean), @extschema@._mfi_sync_write(text, text, uuid),
  @extschema@._mfi_sync_report(text, text, uuid), @extschema@._mfi_sync_groups(text, uuid, jsonb, jsonb),
  @extschema@._mfi_foreign_triggers(text[]), @extschema@._mfi_check_written(text[], text[]), @extschema@._mfi_lock(regclass, boolean), @extschema@._mfi_refuse_leavings(), @extschema@._mfi_role_leavings(name),
  @extschema@._mfi_sync_tables(), @extschema@._mfi_sync_portal_groups(uuid, jsonb, jsonb), @extschema@._mfi_sync_mfi_groups(uuid, jsonb, jsonb),
  @extschema@._mfi_one_at_a_time(integer, text), @extschema@._mfi_require_partitions(), @extschema@._mfi_restore_runs(), @extschema@._mfi_restore_sessions(),
  @extschema@.mfi_schema_version(), @extschema@._mfi_schema_ready(), @extschema@._mfi_tables(), @extschema@._mfi_regclass(text)
TO mfi_sync;

-- Keycloak: event import
--
-- Events come in arrays, as the admin API returns them. Each good one is stored once, whatever its neighbours are.

CREATE FUNCTION @extschema@._mfi_redact(document jsonb, depth integer DEFAULT 0) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE CASE WHEN depth < 30 THEN jsonb_typeof(document) ELSE 'deep' END
    WHEN 'deep' THEN '"[redacted]"'
    WHEN 'object' THEN (
      SELECT coalesce(jsonb_object_agg(key, CASE
               WHEN value = 'null' THEN value
               WHEN key ~* '(password|secret|token|credentials?|private[._-]?key|secretdata|credentialdata|^(user_?|device_?|auth_?|authorization_?)?code)$'
                 OR key = 'value' AND document ->> 'type' IN ('password', 'secret', 'otp', 'totp', 'hotp') THEN '"[redacted]"'
               ELSE @extschema@._mfi_redact(value, depth + 1) END), '{}') FROM jsonb_each(document))
    WHEN 'array' THEN (
      SELECT coalesce(jsonb_agg(@extschema@._mfi_redact(value, depth + 1) ORDER BY nr), '[]') FROM jsonb_array_elements(document) WITH ORDINALITY AS e (value, nr))
    ELSE document END
$$;
COMMENT ON FUNCTION @extschema@._mfi_redact(jsonb, integer) IS
  'A document with the values of secret keys replaced: password, secret, token, credentials, code, privateKey, alone or as the end of a longer key; and whatever is nested '
  'deeper than 30 levels.';

CREATE FUNCTION @extschema@._mfi_redact_text(document text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT regexp_replace(document, '((?:password|secret|token|credentials?|private[._-]?key|secretdata|credentialdata|code|\\u[0-9a-f]{4}[^"]*)\\?"\s*:).*$', '\1 [redacted to the end]', 'i')
$$;
COMMENT ON FUNCTION @extschema@._mfi_redact_text(text) IS 'The same for text that should be JSON but is not: it ends where the first secret begins.';

CREATE FUNCTION @extschema@._mfi_events(events jsonb, required text[], texts text[])
RETURNS TABLE (index integer, body jsonb, event_id text, event_time timestamptz, field text, mistake text)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET jit = off
SET work_mem = '64MB'
AS $$
BEGIN
  IF jsonb_typeof(events) IS DISTINCT FROM 'array' THEN
    RAISE EXCEPTION 'events must be a JSON array, not %', coalesce(jsonb_typeof(events), 'NULL')
      USING ERRCODE = 'invalid_parameter_value', HINT = 'It is what GET /admin/realms/{realm}/events or /admin-events returns.';
  END IF;
  PERFORM @extschema@._mfi_require_partitions();
  RETURN QUERY
  WITH sent AS (
    SELECT e.nr::int - 1 AS index, e.body, w.field, w.mistake
      FROM jsonb_array_elements(events) WITH ORDINALITY AS e (body, nr)
     CROSS JOIN LATERAL (
       SELECT CASE WHEN jsonb_typeof(e.body) <> 'object' THEN ''
                   WHEN NOT coalesce(jsonb_typeof(e.body -> 'time') = 'number' AND e.body ->> 'time' ~ '^[1-9][0-9]{11,13}$', false) THEN '.time'
                   ELSE coalesce((SELECT '.' || f FROM unnest(required) f WHERE coalesce(jsonb_typeof(e.body -> f) <> 'string' OR e.body ->> f !~ '\S', true) LIMIT 1),
                                 (SELECT '.' || f FROM unnest(texts) f WHERE jsonb_typeof(e.body -> f) NOT IN ('string', 'null') LIMIT 1),
                                 CASE WHEN length(e.body ->> 'id') > 255 THEN '.id'
                                      WHEN jsonb_typeof(e.body -> 'details') NOT IN ('object', 'null') THEN '.details'
                                      WHEN jsonb_typeof(e.body -> 'authDetails') NOT IN ('object', 'null') THEN '.authDetails' END) END OFFSET 0) AS q (field)
     CROSS JOIN LATERAL (
       SELECT q.field, CASE WHEN q.field = '' THEN 'an event must be an object'
                            WHEN q.field = '.time' THEN format('it must be milliseconds since 1970, not %s', coalesce(left((e.body -> 'time')::text, 40), 'missing'))
                            WHEN q.field = '.id' THEN 'it must be a string of at most 255 characters'
                            WHEN q.field IN ('.details', '.authDetails') THEN 'it must be an object'
                            WHEN substr(q.field, 2) = ANY (required) THEN 'it must be a string that is not blank'
                            WHEN q.field IS NOT NULL THEN 'it must be a string' END) AS w (field, mistake)),
  clean AS MATERIALIZED (
    SELECT s.index, s.field, s.mistake,
           CASE WHEN s.mistake IS NULL AND (s.body - 'representation')::text
                  ~* '(password|secret|token|credentials?|private[._-]?key|secretdata|credentialdata|code)": ' THEN @extschema@._mfi_redact(s.body) ELSE s.body END AS body
      FROM sent s)
  SELECT c.index, c.body,
         CASE WHEN c.mistake IS NULL THEN
           coalesce(CASE WHEN c.body ->> 'id' ~ '\S' THEN c.body ->> 'id' END,
                    @extschema:uuid-ossp@.uuid_generate_v5(@extschema:uuid-ossp@.uuid_ns_url(), 'keycloak event ' || c.body::text)::text) END,
         -- In two parts, each exact: whole seconds, and the milliseconds.
         CASE WHEN c.mistake IS NULL THEN
           timestamptz '1970-01-01 00:00Z' + (c.body ->> 'time')::bigint / 1000 * interval '1 second' + (c.body ->> 'time')::bigint % 1000 * interval '1 millisecond' END,
         c.field, c.mistake
    FROM clean c;
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_events(jsonb, text[], text[]) IS
  'The events of an array with their index, redacted, each with its id (v5 of its content where Keycloak sent none) and time, or with what is wrong with it and where. '
  'required: fields that must be there; texts: fields that are strings when they are.';

CREATE FUNCTION @extschema@._mfi_inet(address text) RETURNS inet
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT CASE WHEN address !~ '/' AND pg_input_is_valid(address, 'inet') THEN address::inet END $$;
COMMENT ON FUNCTION @extschema@._mfi_inet(text) IS 'A text as an address; NULL when it is none, such as unknown or a list.';

CREATE FUNCTION @extschema@._mfi_import_auth_events(events jsonb) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
DECLARE
  report jsonb;
BEGIN
  -- One at a time: a second one waits, then finds nothing to do.
  PERFORM @extschema@._mfi_one_at_a_time(2, 'mfi_import_auth_events'::text);
  PERFORM @extschema@._mfi_check_written(ARRAY['@extschema@.user_auth_logs', '@extschema@.portal_users', '@extschema@.mfi_users'], ARRAY['user_auth_logs', 'portal_users', 'mfi_users']);
  WITH event AS MATERIALIZED (
    SELECT * FROM @extschema@._mfi_events(events, ARRAY['type', 'realmId'], ARRAY['id', 'clientId', 'userId', 'sessionId', 'ipAddress', 'error'])),
  stored AS (
    INSERT INTO @extschema@.user_auth_logs (iam_event_id, iam_user_id, event_type, client_id, realm_id, session_id, ip_address, ip, error, event_time, details)
    SELECT e.event_id, e.body ->> 'userId', e.body ->> 'type', coalesce(e.body ->> 'clientId', ''), e.body ->> 'realmId', e.body ->> 'sessionId',
           e.body ->> 'ipAddress', @extschema@._mfi_inet(e.body ->> 'ipAddress'), e.body ->> 'error', e.event_time, nullif(e.body -> 'details', 'null')
      FROM event e WHERE e.mistake IS NULL
    ON CONFLICT (iam_event_id, event_time) WHERE NOT duplicate DO NOTHING
    RETURNING 1),
  login AS MATERIALIZED (
    SELECT CASE WHEN e.body ->> 'userId' ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN (e.body ->> 'userId')::uuid END AS id, max(e.event_time) AS at
      FROM event e WHERE e.mistake IS NULL AND e.body ->> 'type' = 'LOGIN' AND e.event_time < now() + interval '1 day'
     GROUP BY 1),
  portal_login AS (
    UPDATE @extschema@.portal_users u SET last_login_at = l.at FROM login l WHERE u.id_iam = l.id AND (u.last_login_at < l.at OR u.last_login_at IS NULL) RETURNING 1),
  mfi_login AS (
    UPDATE @extschema@.mfi_users u SET last_login_at = l.at FROM login l WHERE u.id_iam = l.id AND (u.last_login_at < l.at OR u.last_login_at IS NULL) RETURNING 1)
  SELECT jsonb_build_object(
           'received', count(*), 'inserted', (SELECT count(*) FROM stored), 'known', count(*) FILTER (WHERE e.mistake IS NULL) - (SELECT count(*) FROM stored),
           'logins', (SELECT count(*) FROM portal_login) + (SELECT count(*) FROM mfi_login), 'malformed', count(e.mistake),
           'errors', coalesce(jsonb_agg(jsonb_build_object('index', e.index, 'path_in_input', '$[' || e.index || ']' || e.field, 'message', e.mistake) ORDER BY e.index)
                                FILTER (WHERE e.mistake IS NOT NULL), '[]')) INTO report
    FROM event e;
  RETURN report;
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_import_auth_events(jsonb) IS 'Behind mfi_import_auth_events().';

CREATE FUNCTION @extschema@.mfi_import_auth_events(events jsonb) RETURNS jsonb
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_event_import';
COMMENT ON FUNCTION @extschema@.mfi_import_auth_events(jsonb) IS
  'Stores Keycloak''s user events (an array as GET /admin/realms/{realm}/events returns it) in user_auth_logs, each once, and moves last_login_at forward by '
  'LOGIN events that are not of the future. Secrets are redacted; an event without clientId gets an empty client_id. Returns counts, and each malformed event with its place.';

CREATE FUNCTION @extschema@._mfi_import_admin_events(events jsonb) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
DECLARE
  report jsonb;
BEGIN
  -- One at a time: a second one waits, then finds nothing to do.
  PERFORM @extschema@._mfi_one_at_a_time(2, 'mfi_import_admin_events'::text);
  PERFORM @extschema@._mfi_check_written(ARRAY['@extschema@.admin_event_logs'], ARRAY['admin_event_logs']);
  WITH event AS MATERIALIZED (
    SELECT e.*, r.is_json, r.document
      FROM @extschema@._mfi_events(events, ARRAY['operationType', 'realmId'], ARRAY['id', 'resourceType', 'resourcePath', 'error']) e
     CROSS JOIN LATERAL (
       SELECT CASE WHEN e.mistake IS NOT NULL THEN false ELSE jsonb_typeof(e.body -> 'representation') <> 'string' OR pg_input_is_valid(e.body ->> 'representation', 'jsonb') END OFFSET 0) AS j (is_json)
     CROSS JOIN LATERAL (
       SELECT j.is_json, CASE WHEN j.is_json THEN nullif(CASE jsonb_typeof(e.body -> 'representation') WHEN 'string' THEN (e.body ->> 'representation')::jsonb
                                                         ELSE e.body -> 'representation' END, 'null') END OFFSET 0) AS r (is_json, document)),
  stored AS (
    INSERT INTO @extschema@.admin_event_logs (event_id, realm_id, auth_details, operation_type, resource_type, resource_path, representation, representation_raw, details,
                                              event_time, auth_realm_id, auth_client_uuid, auth_user_id, ip_address, ip, error)
    SELECT e.event_id, e.body ->> 'realmId', nullif(e.body -> 'authDetails', 'null'), e.body ->> 'operationType', e.body ->> 'resourceType', e.body ->> 'resourcePath',
           @extschema@._mfi_redact(e.document), CASE WHEN NOT e.is_json THEN @extschema@._mfi_redact_text(e.body ->> 'representation') END, nullif(e.body -> 'details', 'null'),
           e.event_time, e.body #>> '{authDetails,realmId}', e.body #>> '{authDetails,clientId}', e.body #>> '{authDetails,userId}',
           e.body #>> '{authDetails,ipAddress}', @extschema@._mfi_inet(e.body #>> '{authDetails,ipAddress}'), e.body ->> 'error'
      FROM event e WHERE e.mistake IS NULL
    ON CONFLICT (event_id, event_time) WHERE NOT duplicate DO NOTHING
    RETURNING 1)
  SELECT jsonb_build_object(
           'received', count(*), 'inserted', (SELECT count(*) FROM stored), 'known', count(*) FILTER (WHERE e.mistake IS NULL) - (SELECT count(*) FROM stored),
           'malformed', count(e.mistake),
           'errors', coalesce(jsonb_agg(jsonb_build_object('index', e.index, 'path_in_input', '$[' || e.index || ']' || e.field, 'message', e.mistake) ORDER BY e.index)
                                FILTER (WHERE e.mistake IS NOT NULL), '[]')) INTO report
    FROM event e;
  RETURN report;
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_import_admin_events(jsonb) IS 'Behind mfi_import_admin_events().';

CREATE FUNCTION @extschema@.mfi_import_admin_events(events jsonb) RETURNS jsonb
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_event_import';
COMMENT ON FUNCTION @extschema@.mfi_import_admin_events(jsonb) IS
  'Stores Keycloak''s admin events (an array as GET /admin/realms/{realm}/admin-events returns it) in admin_event_logs, each once. A representation that is not JSON goes to '
  'representation_raw. Secrets are redacted. Returns counts, and each malformed event with its place.';

REVOKE ALL ON FUNCTION
  @extschema@._mfi_redact(jsonb, integer), @extschema@._mfi_redact_text(text), @extschema@._mfi_events(jsonb, text[], text[]), @extschema@._mfi_inet(text), @extschema@.mfi_import_auth_events(jsonb), @extschema@.mfi_import_admin_events(jsonb),
  @extschema@._mfi_import_auth_events(jsonb), @extschema@._mfi_import_admin_events(jsonb)
FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
  @extschema@._mfi_redact(jsonb, integer), @extschema@._mfi_redact_text(text), @extschema@._mfi_events(jsonb, text[], text[]), @extschema@._mfi_inet(text),
  @extschema@._mfi_import_auth_events(jsonb), @extschema@._mfi_import_admin_events(jsonb)
TO mfi_sync;
