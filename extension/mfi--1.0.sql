\echo Use "CREATE EXTENSION mfi CASCADE" to load this file. \quit

-- The function bodies that are read here, and what they name, are the server's and ours, whatever others made.
SET LOCAL search_path = pg_catalog, pg_temp;

-- Schema
--
-- The bank's tables, sequences, views and triggers are made by a migration and then released
-- from the extension, so that stock pg_dump, pg_restore and pg_upgrade treat them as the user's
-- own. The functions stay members; they reach released objects only from late-bound bodies,
-- because a restore makes the members before it makes the tables.
--
-- How a version is added: the next script defines _mfi_migration_<major>_<minor>(), replaces
-- _mfi_triggers() when triggers change, and calls _mfi_install_schema().

CREATE FUNCTION @extschema@._mfi_tables() RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT ARRAY[
    'activity_type', 'mfi_country', 'mfi_type', 'platform_type',
    'portals', 'portal_groups', 'portal_users', 'user_groups',
    'mfi_clients', 'mfi_groups', 'mfi_users', 'digital_platforms', 'mfi_platforms',
    'user_auth_logs', 'admin_event_logs', 'user_activity_logs', 'mfi_user_activity_logs']
$$;
COMMENT ON FUNCTION @extschema@._mfi_tables() IS
  'Names of the bank''s tables, in the order of their foreign keys.';

CREATE FUNCTION @extschema@._mfi_regclass(relation text) RETURNS regclass
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT to_regclass('@extschema@.' || quote_ident(relation)) $$;
COMMENT ON FUNCTION @extschema@._mfi_regclass(text) IS
  'The relation of this name in the extension''s schema; NULL when there is none.';

CREATE FUNCTION @extschema@._mfi_as_owner(relation regclass, command text) RETURNS text
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_as_owner';
COMMENT ON FUNCTION @extschema@._mfi_as_owner(regclass, text) IS
  'Executes a command with the rights of a relation''s owner, in a security-restricted operation as VACUUM and REFRESH do, and with '
  'session_replication_role = replica; returns the first column of its first row. For whatever evaluates what the owner, or somebody '
  'the owner let in, has put on the relation: checks, defaults, generated columns, index expressions, triggers. Only for superusers.';

CREATE FUNCTION @extschema@._mfi_as_role(role name, command text) RETURNS text
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_as_role';
COMMENT ON FUNCTION @extschema@._mfi_as_role(name, text) IS
  'The same with the rights of a role, for a definition that this role wrote. Only for superusers.';

CREATE FUNCTION @extschema@._mfi_lock(relation regclass, exclusive boolean) RETURNS void
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_lock';
COMMENT ON FUNCTION @extschema@._mfi_lock(regclass, boolean) IS
  'Locks a relation: for itself alone (ACCESS EXCLUSIVE), also a view or materialized view and nothing below it; or as whoever writes to it does (ROW EXCLUSIVE), '
  'for a role that may update some of its columns only and so may not LOCK TABLE.';

CREATE FUNCTION @extschema@._mfi_one_at_a_time(kind integer, work text) RETURNS void
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_one_at_a_time';
COMMENT ON FUNCTION @extschema@._mfi_one_at_a_time(integer, text) IS
  'kind: 1 the schema, 2 imports, 3 group syncs. '
  'Waits until no other transaction does this work, and keeps others waiting until the end of this one. It is no advisory lock: those may be taken by anyone who can connect.';

CREATE FUNCTION @extschema@.mfi_schema_version() RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF to_regclass('mfi.schema_version') IS NULL THEN
    RETURN NULL;
  END IF;
  RETURN (SELECT version FROM mfi.schema_version
          ORDER BY string_to_array(version, '.')::int[] DESC LIMIT 1);
END
$$;
COMMENT ON FUNCTION @extschema@.mfi_schema_version() IS
  'Version of the bank''s schema in this database; NULL when the schema is missing.';

-- Triggers

CREATE FUNCTION @extschema@._mfi_touch_updated_at() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  generated text[];
BEGIN
  -- Compared as stored: a user's column may have a type without an equality operator.
  IF NEW *= OLD THEN
    RETURN NEW;
  END IF;
  -- A BEFORE trigger sees the new row's generated columns as NULL: they are left out.
  SELECT array_agg(attname::text) INTO generated
    FROM pg_attribute
   WHERE attrelid = TG_RELID AND attgenerated <> '' AND NOT attisdropped;
  IF generated IS NOT NULL AND to_jsonb(NEW) - generated = to_jsonb(OLD) - generated THEN
    RETURN NEW;
  END IF;
  NEW.updated_at := now();
  RETURN NEW;
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_touch_updated_at() IS
  'Trigger: sets updated_at when an UPDATE really changes the row.';

CREATE FUNCTION @extschema@._mfi_guard_schema_version() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RAISE EXCEPTION '% on mfi.schema_version is refused', TG_OP
    USING ERRCODE = 'object_not_in_prerequisite_state',
          DETAIL = 'Its rows say which migrations this database already has.',
          HINT = 'Rows are added by SELECT mfi_migrate_schema().';
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_guard_schema_version() IS
  'Trigger: keeps the record of migrations as it is. Made last, it also marks a schema as complete.';

CREATE FUNCTION @extschema@._mfi_triggers() RETURNS TABLE (relation text, trigger_name text, command text)
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
  SELECT 'mfi.schema_version', 'guard_schema_version',
         'CREATE TRIGGER guard_schema_version BEFORE UPDATE OR DELETE OR TRUNCATE '
         'ON mfi.schema_version EXECUTE FUNCTION @extschema@._mfi_guard_schema_version()'
$$;
COMMENT ON FUNCTION @extschema@._mfi_triggers() IS
  'Every trigger of the schema and the command that makes it; the marker of completeness is last.';

CREATE FUNCTION @extschema@._mfi_missing_triggers() RETURNS TABLE (step text, command text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT format('trigger %s on %s', t.trigger_name, t.relation), t.command
    FROM @extschema@._mfi_triggers() WITH ORDINALITY AS t (relation, trigger_name, command, position)
   WHERE NOT EXISTS (SELECT FROM pg_trigger g
                      WHERE g.tgrelid = to_regclass(t.relation) AND g.tgname = t.trigger_name)
   ORDER BY t.position
$$;
COMMENT ON FUNCTION @extschema@._mfi_missing_triggers() IS
  'Steps that make the missing triggers: all in a new schema, and after DROP EXTENSION ... CASCADE.';

-- Readiness. A parallel restore makes a table's unique index only after that table's rows are
-- in, and the marker trigger only after the version row is in; together they say that no row is
-- still to come.
CREATE FUNCTION @extschema@._mfi_schema_ready() RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN @extschema@.mfi_schema_version() IS NOT NULL
     AND EXISTS (SELECT FROM pg_trigger
                  WHERE tgrelid = to_regclass('mfi.schema_version')
                    AND tgname = 'guard_schema_version')
     AND NOT EXISTS (SELECT FROM unnest(@extschema@._mfi_tables()) AS name
                      WHERE NOT EXISTS (SELECT FROM pg_index
                                         WHERE indrelid = @extschema@._mfi_regclass(name)
                                           AND indisunique AND indisvalid));
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_schema_ready() IS
  'True when the schema is complete and no restore is still filling it.';

CREATE FUNCTION @extschema@._mfi_refuse_old_snapshot() RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF current_setting('transaction_isolation') IN ('repeatable read', 'serializable') THEN
    RAISE EXCEPTION 'tables and views cannot be moved, dropped or made anew at isolation level %', current_setting('transaction_isolation')
      USING ERRCODE = 'invalid_transaction_state',
            DETAIL = 'What others committed after the transaction''s snapshot would not be seen: rows would be lost. Nothing was changed.',
            HINT = 'Call it again after SET default_transaction_isolation = ''read committed''.';
  END IF;
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_refuse_old_snapshot() IS
  'Fails in a transaction whose snapshot is older than the locks it takes.';

-- Definitions of others
--
-- What a view, an index or a policy says is read again when it is made anew, and to read a literal calls what stands behind its type: the
-- check of a domain, also inside of an array, a range or a row. So whose definition it is makes it, or it is not made.

CREATE FUNCTION @extschema@._mfi_owners_of_types(class regclass, object oid) RETURNS SETOF oid
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  WITH RECURSIVE used (oid) AS (
    SELECT d.refobjid FROM pg_depend d WHERE d.classid = class AND d.objid = object AND d.refclassid = 'pg_type'::regclass
    UNION
    SELECT part.oid
      FROM used u JOIN pg_type t ON t.oid = u.oid
     CROSS JOIN LATERAL (
       SELECT t.typelem UNION ALL SELECT t.typbasetype
       UNION ALL SELECT unnest(ARRAY[r.rngtypid, r.rngsubtype]) FROM pg_range r WHERE t.oid IN (r.rngtypid, r.rngmultitypid)
       UNION ALL SELECT a.atttypid FROM pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped) AS part (oid)
     WHERE part.oid <> 0)
  SELECT DISTINCT r.oid
    FROM (SELECT unnest(ARRAY[t.typowner, n.nspowner]) FROM used u JOIN pg_type t ON t.oid = u.oid JOIN pg_namespace n ON n.oid = t.typnamespace
          UNION ALL
          SELECT p.proowner
            FROM used u
            JOIN pg_constraint c ON c.contypid = u.oid
            JOIN pg_depend d ON d.classid = 'pg_constraint'::regclass AND d.objid = c.oid AND d.refclassid = 'pg_proc'::regclass
            JOIN pg_proc p ON p.oid = d.refobjid) AS o (owner)
    JOIN pg_roles r ON r.oid = o.owner
   WHERE NOT r.rolsuper
$$;
COMMENT ON FUNCTION @extschema@._mfi_owners_of_types(regclass, oid) IS
  'Roles, other than superusers, whose code may run when the definition of this object is read again: owners of the types of its literals, of what these are made of, and of '
  'their schemas. Also of a type that runs nothing now: until the definition is read, its owner can put another one in its place.';

CREATE FUNCTION @extschema@._mfi_made_by(class regclass, object oid, relation regclass, command text) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  others oid[] := ARRAY(SELECT o FROM @extschema@._mfi_owners_of_types(class, object) o ORDER BY o);
  maker oid := (SELECT relowner FROM pg_class WHERE oid = relation);
  place oid := (SELECT coalesce((SELECT stxnamespace FROM pg_statistic_ext WHERE class = 'pg_statistic_ext'::regclass AND oid = object), relnamespace)
                  FROM pg_class WHERE oid = relation);
  makes boolean := class IN ('pg_class'::regclass, 'pg_statistic_ext'::regclass) OR EXISTS (
    SELECT FROM pg_rewrite WHERE class = 'pg_rewrite'::regclass AND oid = object AND rulename = '_RETURN');
  lacks text;
BEGIN
  IF others = '{}' AND class IN ('pg_trigger'::regclass, 'pg_class'::regclass) THEN
    RETURN command;  -- an index is built with the rights of its table's owner, by the server
  ELSIF class = 'pg_trigger'::regclass AND others <> ARRAY[maker] THEN
    lacks := format('others than %I, who owns %s, may have made it', pg_get_userbyid(maker), relation);  -- whoever was given TRIGGER
  ELSIF (SELECT rolsuper FROM pg_roles WHERE oid = maker) THEN
    lacks := 'its owner is a superuser';
  ELSE
    SELECT string_agg(format('%I lacks %s on schema %I', pg_get_userbyid(maker), s.privilege, s.name), ', ' ORDER BY s.name, s.privilege) INTO lacks
      FROM (SELECT DISTINCT i.schema AS name, 'USAGE' AS privilege
              FROM pg_depend d, pg_identify_object(d.refclassid, d.refobjid, 0) i
             WHERE d.classid = class AND d.objid = object AND i.schema IS NOT NULL
            UNION SELECT nspname, p FROM pg_namespace, unnest(ARRAY['USAGE', 'CREATE']) AS p WHERE oid = place AND (makes OR p = 'USAGE')) AS s
     WHERE NOT has_schema_privilege(maker, s.name, s.privilege);
  END IF;
  IF lacks IS NULL THEN
    RETURN format('SELECT @extschema@._mfi_as_role(%L::name, %L::text)', pg_get_userbyid(maker), command);
  ELSIF others = '{}' THEN
    RETURN command;
  END IF;
  RAISE EXCEPTION '% cannot be made anew: %', pg_describe_object(class, object, 0), lacks
    USING ERRCODE = 'dependent_objects_still_exist',
          DETAIL = format('Its definition has literals of types that belong to %s; to read them runs code of theirs, which must not run with the rights of a superuser. '
                          'Nothing was changed.', (SELECT string_agg(quote_ident(pg_get_userbyid(o)), ', ') FROM unnest(others) AS o)),
          HINT = 'Drop it, and make it again afterwards.';
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_made_by(regclass, oid, regclass, text) IS
  'A command that makes this object anew with the rights of whoever wrote its definition: the owner of its relation. '
  'With the rights of a superuser only when nothing of others runs; else it fails, naming the object.';

-- Putting back what hangs on a relation that is made anew

CREATE FUNCTION @extschema@._mfi_grants(relation regclass) RETURNS SETOF text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  WITH acl AS (
    SELECT c.relowner, CASE c.relkind WHEN 'S' THEN 'SEQUENCE ' ELSE '' END AS kind, NULL::name AS column_name, a.*
      FROM pg_class c,
           aclexplode(coalesce(c.relacl, acldefault(CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", c.relowner))) a
     WHERE c.oid = relation
    UNION ALL
    SELECT c.relowner, '', att.attname, a.*
      FROM pg_class c JOIN pg_attribute att ON att.attrelid = c.oid AND NOT att.attisdropped, aclexplode(att.attacl) a
     WHERE c.oid = relation),
  roles AS (
    SELECT CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END AS grantee_name, acl.*
      FROM acl)
  SELECT format('ALTER %s %s OWNER TO %I', CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW'
                                           ELSE 'TABLE' END, relation, pg_get_userbyid(relowner))
    FROM pg_class WHERE oid = relation AND relkind <> 'S'
  UNION ALL
  SELECT format('REVOKE ALL ON %s%s FROM %s', kind, relation, string_agg(DISTINCT grantee_name, ', ')) FROM roles GROUP BY kind
  UNION ALL
  (SELECT format('SET LOCAL ROLE %I; GRANT %s%s ON %s%s TO %s%s; SET LOCAL ROLE %s', pg_get_userbyid(grantor), privilege_type,
                 ' (' || quote_ident(column_name) || ')', kind, relation, grantee_name,
                 CASE WHEN is_grantable THEN ' WITH GRANT OPTION' END, current_setting('role'))
     FROM roles ORDER BY grantor <> relowner, grantee, privilege_type)
$$;
COMMENT ON FUNCTION @extschema@._mfi_grants(regclass) IS
  'Commands that give a relation made anew under the same name the owner and the privileges that this one has.';

CREATE FUNCTION @extschema@._mfi_comments(relation regclass) RETURNS SETOF text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT format('COMMENT ON %s %s IS %L', kind, name, description)
    FROM pg_description d
    JOIN pg_class c ON c.oid = relation AND d.classoid = 'pg_class'::regclass AND d.objoid = c.oid
    LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.objsubid AND d.objsubid > 0
   CROSS JOIN LATERAL (
     SELECT CASE WHEN d.objsubid > 0 THEN 'COLUMN' WHEN c.relkind = 'v' THEN 'VIEW' WHEN c.relkind = 'S' THEN 'SEQUENCE'
                 WHEN c.relkind = 'm' THEN 'MATERIALIZED VIEW' WHEN c.relkind = 'i' THEN 'INDEX' ELSE 'TABLE' END,
            CASE WHEN d.objsubid > 0 THEN relation || '.' || quote_ident(a.attname) ELSE relation::text END) AS k (kind, name)
  UNION ALL
  SELECT format('COMMENT ON %s %I ON %s IS %L', kind, name, relation, description)
    FROM (SELECT 'TRIGGER' AS kind, 'pg_trigger'::regclass AS class, oid, tgname AS name FROM pg_trigger WHERE tgrelid = relation
          UNION ALL SELECT 'POLICY', 'pg_policy'::regclass, oid, polname FROM pg_policy WHERE polrelid = relation
          UNION ALL SELECT 'CONSTRAINT', 'pg_constraint'::regclass, oid, conname FROM pg_constraint
                     WHERE conrelid = relation AND contype IN ('c', 'f')
          UNION ALL SELECT 'RULE', 'pg_rewrite'::regclass, oid, rulename FROM pg_rewrite WHERE ev_class = relation) AS part
    JOIN pg_description d ON d.classoid = part.class AND d.objoid = part.oid
$$;
COMMENT ON FUNCTION @extschema@._mfi_comments(regclass) IS 'Commands that comment a relation made anew, and its parts, as this one is.';

CREATE FUNCTION @extschema@._mfi_hangers(relation regclass) RETURNS SETOF text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT @extschema@._mfi_made_by('pg_trigger'::regclass, oid, relation, pg_get_triggerdef(oid))
    FROM pg_trigger WHERE tgrelid = relation AND NOT tgisinternal AND tgparentid = 0
  UNION ALL
  SELECT format('ALTER TABLE %s %s TRIGGER %I', relation,
                CASE tgenabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS' END, tgname)
    FROM pg_trigger WHERE tgrelid = relation AND NOT tgisinternal AND tgenabled <> 'O'
  UNION ALL
  SELECT @extschema@._mfi_made_by('pg_rewrite'::regclass, oid, relation, pg_get_ruledef(oid)) FROM pg_rewrite WHERE ev_class = relation AND rulename <> '_RETURN'
  UNION ALL
  SELECT @extschema@._mfi_made_by('pg_policy'::regclass, oid, relation, format('CREATE POLICY %I ON %s AS %s FOR %s TO %s%s%s', polname, relation,
                CASE WHEN polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
                CASE polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
                (SELECT string_agg(CASE r WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(r)) END, ', ') FROM unnest(polroles) r),
                ' USING (' || pg_get_expr(polqual, polrelid) || ')', ' WITH CHECK (' || pg_get_expr(polwithcheck, polrelid) || ')'))
    FROM pg_policy WHERE polrelid = relation
  UNION ALL
  SELECT format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', relation) FROM pg_class WHERE oid = relation AND relrowsecurity
  UNION ALL
  SELECT format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', relation) FROM pg_class WHERE oid = relation AND relforcerowsecurity
$$;
COMMENT ON FUNCTION @extschema@._mfi_hangers(regclass) IS
  'Commands that give a relation made anew the triggers, rules and policies that this one has.';

CREATE FUNCTION @extschema@._mfi_views_over(relations regclass[]) RETURNS TABLE (view regclass, depth integer)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  WITH RECURSIVE over (oid, depth) AS (
    SELECT unnest(relations)::oid, 0
    UNION
    SELECT r.ev_class, o.depth + 1
      FROM over o
      JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = o.oid AND d.classid = 'pg_rewrite'::regclass
      JOIN pg_rewrite r ON r.oid = d.objid AND r.rulename = '_RETURN' AND r.ev_class <> o.oid)
  SELECT oid::regclass, max(over.depth) FROM over WHERE over.depth > 0 GROUP BY oid
$$;
COMMENT ON FUNCTION @extschema@._mfi_views_over(regclass[]) IS
  'Views that read these relations, also through other views; in the order of depth they can be made.';

CREATE FUNCTION @extschema@._mfi_view_commands(view regclass) RETURNS SETOF text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT @extschema@._mfi_made_by('pg_rewrite'::regclass, r.oid, view,
           format('CREATE %sVIEW %s%s AS %s%s', CASE c.relkind WHEN 'm' THEN 'MATERIALIZED ' END, view,
                  ' WITH (' || array_to_string(c.reloptions, ', ') || ')', rtrim(pg_get_viewdef(c.oid), ';'),
                  CASE c.relkind WHEN 'm' THEN ' WITH NO DATA' END))
    FROM pg_class c JOIN pg_rewrite r ON r.ev_class = c.oid AND r.rulename = '_RETURN' WHERE c.oid = view
  UNION ALL
  SELECT g FROM @extschema@._mfi_grants(view) g
  UNION ALL
  SELECT @extschema@._mfi_made_by('pg_attrdef'::regclass, pg_attrdef.oid, view,
           format('ALTER VIEW %s ALTER COLUMN %I SET DEFAULT %s', view, attname, pg_get_expr(adbin, adrelid)))
    FROM pg_attrdef JOIN pg_attribute ON attrelid = adrelid AND attnum = adnum WHERE adrelid = view
  UNION ALL
  SELECT @extschema@._mfi_made_by('pg_class'::regclass, indexrelid, view, pg_get_indexdef(indexrelid)) FROM pg_index WHERE indrelid = view
  UNION ALL
  SELECT h FROM @extschema@._mfi_hangers(view) h
  UNION ALL
  SELECT c FROM @extschema@._mfi_comments(view) c
  UNION ALL
  SELECT format('SELECT @extschema@._mfi_refresh(%L::regclass)', view) FROM pg_class WHERE oid = view AND relkind = 'm' AND relispopulated
$$;
COMMENT ON FUNCTION @extschema@._mfi_view_commands(regclass) IS
  'Commands that make this view anew, with all that hangs on it. Its owner has it before anything is computed: indexes are built, and a '
  'materialized view is filled, with the rights of its owner.';

CREATE FUNCTION @extschema@._mfi_refresh(view regclass) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  EXECUTE format('REFRESH MATERIALIZED VIEW %s', view);
EXCEPTION WHEN OTHERS THEN
  RAISE WARNING 'materialized view % has no rows: its owner cannot fill it: %', view, SQLERRM
    USING HINT = format('Mend that, then REFRESH MATERIALIZED VIEW %s.', view);
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_refresh(regclass) IS
  'Fills a materialized view with the rights of its owner (the server sees to that); a warning when these do not suffice.';

CREATE FUNCTION @extschema@._mfi_set_views_aside(relations regclass[]) RETURNS text[]
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  commands text[];
  each_view record;
  views oid[];
  locked oid[] := '{}';
BEGIN
  -- From here on nobody changes what is read in the next statement, which sees what was there when the locks were had.
  LOOP
    views := ARRAY(SELECT v.view::oid FROM @extschema@._mfi_views_over(relations) v);
    EXIT WHEN views <@ locked;
    PERFORM @extschema@._mfi_refuse_old_snapshot();
    PERFORM @extschema@._mfi_lock(v::regclass, true) FROM unnest(views) AS v WHERE v <> ALL (locked);
    locked := locked || views;
  END LOOP;
  SELECT array_agg(c.command ORDER BY v.depth, v.view::text, c.position) INTO commands
    FROM @extschema@._mfi_views_over(relations) v
   CROSS JOIN LATERAL @extschema@._mfi_view_commands(v.view) WITH ORDINALITY AS c (command, position);
  FOR each_view IN
    SELECT v.view, c.relkind FROM @extschema@._mfi_views_over(relations) v JOIN pg_class c ON c.oid = v.view
     ORDER BY v.depth DESC
  LOOP
    EXECUTE format('DROP %s %s', CASE each_view.relkind WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'VIEW' END, each_view.view);
  END LOOP;
  RETURN coalesce(commands, '{}');
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_set_views_aside(regclass[]) IS
  'Drops the views over these relations and returns the commands that make them anew.';

CREATE FUNCTION @extschema@._mfi_execute(commands text[]) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
DECLARE
  command text;
BEGIN
  FOREACH command IN ARRAY commands LOOP
    EXECUTE command;
  END LOOP;
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_execute(text[]) IS
  'Executes commands one after the other, in the time zone in which a timestamp becomes a timestamptz without a rewrite.';

-- Adoption of a database that already has the tables
--
-- What they should be is not written down a second time: the steps of version 1.0 make the tables in a schema of their
-- own, the catalog tells what differs, and that schema goes away again before anything is touched.

CREATE FUNCTION @extschema@._mfi_refuse_existing() RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  relations text;
  schemas text;
BEGIN
  SELECT string_agg(@extschema@._mfi_regclass(name)::text, ', ' ORDER BY name) INTO relations
    FROM unnest(@extschema@._mfi_views()) AS name
   WHERE @extschema@._mfi_regclass(name) IS NOT NULL
     AND NOT EXISTS (SELECT FROM unnest(@extschema@._mfi_tables()) AS t WHERE @extschema@._mfi_regclass(t) IS NOT NULL);
  IF relations IS NOT NULL THEN
    RAISE EXCEPTION 'cannot create the bank''s schema: these relations already exist in schema @extschema@: %', relations
      USING ERRCODE = 'duplicate_table',
            DETAIL = 'Nothing was changed.',
            HINT = 'Drop or rename them, or put the bank''s tables elsewhere: CREATE EXTENSION mfi CASCADE SCHEMA .... '
                   'If a dump is being restored, let it finish.';
  END IF;
  SELECT string_agg(quote_ident(nspname), ', ' ORDER BY nspname) INTO schemas
    FROM pg_namespace WHERE nspname IN ('mfi', 'mfi_audit', 'mfi_reference');
  IF schemas IS NOT NULL THEN
    RAISE EXCEPTION 'cannot create the bank''s schema: schema already exists: %', schemas
      USING ERRCODE = 'duplicate_schema',
            DETAIL = 'The extension makes the schemas mfi and mfi_audit for itself. Nothing was changed.',
            HINT = 'Rename the existing one: ALTER SCHEMA ... RENAME TO .... '
                   'If a dump is being restored, let it finish.';
  END IF;
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_refuse_existing() IS
  'Fails, naming them, when objects that cannot be adopted are in the place of what the migration makes.';

CREATE FUNCTION @extschema@._mfi_views() RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT ARRAY['v_active_portals', 'v_mfi_platforms_summary', 'v_user_group_assignments'] $$;
COMMENT ON FUNCTION @extschema@._mfi_views() IS 'Names of the bank''s views.';

CREATE FUNCTION @extschema@._mfi_make_reference() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  work record;
BEGIN
  CREATE SCHEMA mfi_reference;
  FOR work IN SELECT s.command FROM @extschema@._mfi_steps_1_0('mfi_reference'::text) s
               WHERE s.step !~ '^schema |^table mfi[.]' LOOP
    EXECUTE work.command;
  END LOOP;
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_make_reference() IS 'Makes tables, views and seeds of version 1.0 in the schema mfi_reference.';

CREATE FUNCTION @extschema@._mfi_adopted_columns()
RETURNS TABLE (name text, relation regclass, column_name name, found pg_attribute, wanted pg_attribute, found_default text,
               wanted_default text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT t.name, c.oid::regclass, r.attname, f, r, pg_get_expr(fd.adbin, fd.adrelid), pg_get_expr(rd.adbin, rd.adrelid)
    FROM unnest(@extschema@._mfi_tables()) WITH ORDINALITY AS t (name, position)
    JOIN pg_class c ON c.oid = @extschema@._mfi_regclass(t.name)
    JOIN pg_attribute r ON r.attrelid = to_regclass('mfi_reference.' || quote_ident(t.name)) AND r.attnum > 0
    LEFT JOIN pg_attribute f ON f.attrelid = c.oid AND f.attname = r.attname AND NOT f.attisdropped
    LEFT JOIN pg_attrdef fd ON fd.adrelid = f.attrelid AND fd.adnum = f.attnum
    LEFT JOIN pg_attrdef rd ON rd.adrelid = r.attrelid AND rd.adnum = r.attnum
   ORDER BY t.position, r.attnum
$$;
COMMENT ON FUNCTION @extschema@._mfi_adopted_columns() IS
  'Each column of version 1.0 with the existing one of its name, while the schema mfi_reference is there.';

CREATE FUNCTION @extschema@._mfi_adopted_constraints()
RETURNS TABLE (relation regclass, contype "char", wanted_name name, definition text, found_name name)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT c.oid::regclass, r.contype, r.conname, d.definition, f.conname
    FROM unnest(@extschema@._mfi_tables()) WITH ORDINALITY AS t (name, position)
    JOIN pg_class c ON c.oid = @extschema@._mfi_regclass(t.name)
    JOIN pg_constraint r ON r.conrelid = to_regclass('mfi_reference.' || quote_ident(t.name)) AND r.contype <> 'n'
   CROSS JOIN LATERAL (SELECT replace(pg_get_constraintdef(r.oid), 'mfi_reference.', '@extschema@.')) AS d (definition)
    LEFT JOIN LATERAL (SELECT k.conname FROM pg_constraint k
                        WHERE k.conrelid = c.oid AND k.contype = r.contype AND pg_get_constraintdef(k.oid) = d.definition
                        ORDER BY k.conname <> r.conname, k.conname LIMIT 1) AS f ON true
   ORDER BY t.position, r.contype, r.conname
$$;
COMMENT ON FUNCTION @extschema@._mfi_adopted_constraints() IS
  'Each constraint of version 1.0 with the existing one that says the same, while the schema mfi_reference is there.';

CREATE FUNCTION @extschema@._mfi_widens(found oid, wanted oid) RETURNS boolean
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT found = 'timestamp'::regtype AND wanted = 'timestamptz'::regtype
      OR found IN ('uuid'::regtype, 'jsonb'::regtype) AND wanted = 'text'::regtype
$$;
COMMENT ON FUNCTION @extschema@._mfi_widens(oid, oid) IS 'Whether adoption may turn a column of the first type into one of the second.';

CREATE FUNCTION @extschema@._mfi_differences() RETURNS SETOF text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT format('table %I is missing', name)
    FROM unnest(@extschema@._mfi_tables()) AS name WHERE @extschema@._mfi_regclass(name) IS NULL
  UNION ALL
  SELECT format('%s is not a plain table', c.oid::regclass)
    FROM unnest(@extschema@._mfi_tables()) AS name JOIN pg_class c ON c.oid = @extschema@._mfi_regclass(name)
   WHERE c.relkind <> 'r' OR c.relpersistence <> 'p' OR EXISTS (SELECT FROM pg_inherits WHERE c.oid IN (inhrelid, inhparent))
  UNION ALL
  SELECT format('column %I of table %s %s', a.column_name, a.relation, problem)
    FROM @extschema@._mfi_adopted_columns() a
   CROSS JOIN LATERAL (
     SELECT CASE
       WHEN (a.found).attname IS NULL THEN CASE WHEN a.column_name <> 'iso_alpha2' THEN 'is missing' END
       WHEN (a.found).atttypid <> (a.wanted).atttypid AND NOT @extschema@._mfi_widens((a.found).atttypid, (a.wanted).atttypid)
         THEN format('is of type %s, not %s', format_type((a.found).atttypid, (a.found).atttypmod),
                     format_type((a.wanted).atttypid, (a.wanted).atttypmod))
       WHEN (a.found).attgenerated <> '' THEN 'is generated'
       WHEN (a.found).attnotnull AND NOT (a.wanted).attnotnull THEN 'is NOT NULL'
       WHEN (a.wanted).attnotnull AND NOT (a.found).attnotnull THEN 'may be NULL'
       WHEN (a.wanted).attidentity <> '' AND (a.found).attidentity = ''
            AND pg_get_serial_sequence(a.relation::text, a.column_name) IS NULL THEN 'has no sequence of its own'
     END) AS p (problem)
   WHERE problem IS NOT NULL
  UNION ALL
  SELECT format('table %s lacks %s', relation, definition)
    FROM @extschema@._mfi_adopted_constraints() WHERE found_name IS NULL AND contype <> 'c'
  UNION ALL
  SELECT format('view %I has other columns than %s', v.name, w.columns)
    FROM unnest(@extschema@._mfi_views()) AS v (name)
   CROSS JOIN LATERAL (
     SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum) AS columns
       FROM pg_attribute WHERE attrelid = to_regclass('mfi_reference.' || quote_ident(v.name)) AND attnum > 0) AS w
   CROSS JOIN LATERAL (
     SELECT string_agg(attname || ' ' || CASE atttypid WHEN 'timestamp'::regtype THEN 'timestamp with time zone'
                                                       ELSE format_type(atttypid, atttypmod) END, ', ' ORDER BY attnum) AS columns
       FROM pg_attribute WHERE attrelid = @extschema@._mfi_regclass(v.name) AND attnum > 0) AS f
   WHERE f.columns <> w.columns
  UNION ALL
  SELECT DISTINCT format('%s uses %s, whose type must widen: drop it, and make it again afterwards',
                         pg_describe_object(d.classid, d.objid, 0), pg_describe_object(d.refclassid, d.refobjid, d.refobjsubid))
    FROM @extschema@._mfi_adopted_columns() a
    JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = a.relation AND d.refobjsubid = (a.found).attnum
   WHERE (a.found).atttypid <> (a.wanted).atttypid AND d.deptype IN ('n', 'a')
     AND (d.classid IN ('pg_policy'::regclass, 'pg_trigger'::regclass, 'pg_proc'::regclass, 'pg_publication_rel'::regclass)
          OR d.classid = 'pg_attrdef'::regclass
             AND EXISTS (SELECT FROM pg_attrdef WHERE oid = d.objid AND adnum <> (a.found).attnum)
          OR d.classid = 'pg_rewrite'::regclass AND EXISTS (SELECT FROM pg_rewrite WHERE oid = d.objid AND rulename <> '_RETURN'))
$$;
COMMENT ON FUNCTION @extschema@._mfi_differences() IS
  'What keeps the existing tables from being adopted, while the schema mfi_reference is there.';

CREATE FUNCTION @extschema@._mfi_serial_commands(relation regclass, column_name name) RETURNS SETOF text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  serial regclass := pg_get_serial_sequence(relation::text, column_name);
  s pg_sequence := (SELECT q FROM pg_sequence q WHERE seqrelid = serial);
  serial_name name := (SELECT relname FROM pg_class WHERE oid = serial);
  aside text := (SELECT format('%I.%I', nspname, 'mfi_old_' || left(relname, 54))
                   FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = serial);
BEGIN
  RETURN NEXT format('ALTER TABLE %s ALTER COLUMN %I DROP DEFAULT', relation, column_name);
  RETURN NEXT format('ALTER SEQUENCE %s RENAME TO %I', serial, 'mfi_old_' || left(serial_name, 54));
  RETURN NEXT format('ALTER TABLE %s ALTER COLUMN %I ADD GENERATED BY DEFAULT AS IDENTITY (SEQUENCE NAME %s INCREMENT %s '
                     'MINVALUE %s MAXVALUE %s START %s CACHE %s%s)', relation, column_name, serial, s.seqincrement, s.seqmin,
                     s.seqmax, s.seqstart, s.seqcache, CASE WHEN s.seqcycle THEN ' CYCLE' END);
  RETURN NEXT format('SELECT setval(%L, last_value, is_called) FROM %s', serial, aside);
  RETURN NEXT format('DROP SEQUENCE %s', aside);
  RETURN QUERY SELECT @extschema@._mfi_comments(serial);
  RETURN QUERY SELECT @extschema@._mfi_grants(serial);
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_serial_commands(regclass, name) IS
  'Commands that turn a serial column into an identity column whose sequence has the same name, position and privileges.';

CREATE FUNCTION @extschema@._mfi_column_commands() RETURNS TABLE (relation regclass, commands text[])
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT a.relation,
         ARRAY['ALTER TABLE ' || a.relation || ' ' || string_agg(
           format('ALTER COLUMN %I DROP DEFAULT', a.column_name), ', ')
             FILTER (WHERE a.retyped AND a.found_default IS NOT NULL)]
      || ARRAY['ALTER TABLE ' || a.relation || ' ' || string_agg(
           format('ALTER COLUMN %I TYPE %s', a.column_name, format_type((a.wanted).atttypid, -1))
             || CASE WHEN (a.wanted).atttypid = 'text'::regtype THEN format(' USING %I::text', a.column_name) ELSE '' END, ', ')
             FILTER (WHERE a.retyped)]
      || ARRAY['ALTER TABLE ' || a.relation || ' ' || string_agg(
           format('ALTER COLUMN %I SET DEFAULT %s', a.column_name, coalesce(a.wanted_default, a.found_default)), ', ')
             FILTER (WHERE (a.found).attname IS NOT NULL AND (a.wanted).attidentity = ''
                       AND CASE WHEN a.wanted_default ~ '\(\)$' THEN a.found_default IS DISTINCT FROM a.wanted_default
                                WHEN a.found_default IS NULL THEN a.wanted_default IS NOT NULL
                                ELSE a.retyped END)]
      || ARRAY['ALTER TABLE ' || a.relation || ' ' || string_agg(
           format('ALTER COLUMN %I SET GENERATED BY DEFAULT', a.column_name), ', ')
             FILTER (WHERE (a.found).attidentity = 'a')]
      || ARRAY['ALTER TABLE ' || a.relation || ' ' || string_agg(
           format('ADD COLUMN %I %s', a.column_name, format_type((a.wanted).atttypid, -1)), ', ')
             FILTER (WHERE (a.found).attname IS NULL)]
    FROM (SELECT c.*, coalesce((c.found).atttypid <> (c.wanted).atttypid, false) AS retyped
            FROM @extschema@._mfi_adopted_columns() c) AS a
   GROUP BY a.relation ORDER BY a.relation::text
$$;
COMMENT ON FUNCTION @extschema@._mfi_column_commands() IS
  'Commands that widen the existing columns, while the schema mfi_reference is there; NULL where there is nothing to do. '
  'Other defaults than version 1.0''s stay, except those that only say now() or a random uuid in other words.';

CREATE FUNCTION @extschema@._mfi_adoption_commands() RETURNS TABLE (command text, owner_of regclass)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT command, c.relation FROM @extschema@._mfi_column_commands() c CROSS JOIN LATERAL unnest(c.commands) AS command
   WHERE command IS NOT NULL
  UNION ALL
  SELECT s, NULL FROM @extschema@._mfi_adopted_columns() a, @extschema@._mfi_serial_commands(a.relation, a.column_name) s
   WHERE (a.wanted).attidentity <> '' AND (a.found).attidentity = ''
  UNION ALL
  SELECT format('UPDATE @extschema@.mfi_country c SET iso_alpha2 = r.iso '
                'FROM (VALUES %s) AS r (country, iso) WHERE c.name = r.country AND c.iso_alpha2 IS NULL',
                (SELECT string_agg(format('(%L, %L)', e->>'name', e->>'iso_alpha2'), ', ')
                   FROM jsonb_array_elements((SELECT r.rows FROM @extschema@._mfi_reference_countries() AS r (rows))) e)),
         @extschema@._mfi_regclass('mfi_country'::text)
  UNION ALL
  SELECT format('ALTER TABLE %s RENAME CONSTRAINT %I TO %I', relation, found_name, wanted_name), NULL
    FROM @extschema@._mfi_adopted_constraints() a
   WHERE found_name <> wanted_name
     AND NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = a.relation AND conname = a.wanted_name)
     AND (contype NOT IN ('p', 'u') OR @extschema@._mfi_regclass(wanted_name) IS NULL)
  UNION ALL
  SELECT format('SELECT @extschema@._mfi_add_check(%L::regclass, %L::name, %L::text)', relation, wanted_name, definition), NULL
    FROM @extschema@._mfi_adopted_constraints() WHERE found_name IS NULL AND contype = 'c'
  UNION ALL
  SELECT replace(pg_get_indexdef(r.indexrelid), 'mfi_reference.', '@extschema@.'), NULL
    FROM unnest(@extschema@._mfi_tables()) AS name
    JOIN pg_index r ON r.indrelid = to_regclass('mfi_reference.' || quote_ident(name))
   WHERE NOT r.indisunique
     AND NOT EXISTS (
       SELECT FROM pg_index f
        WHERE f.indrelid = @extschema@._mfi_regclass(name) AND f.indpred IS NULL AND f.indisvalid
          AND (@extschema@._mfi_index_columns(f.indexrelid::regclass))[1:r.indnkeyatts] = @extschema@._mfi_index_columns(r.indexrelid::regclass))
  UNION ALL
  SELECT replace(command, 'mfi_reference.', '@extschema@.'), NULL
    FROM unnest(@extschema@._mfi_tables()) AS name
   CROSS JOIN LATERAL @extschema@._mfi_comments(to_regclass('mfi_reference.' || quote_ident(name))) AS command
   WHERE NOT EXISTS (SELECT FROM @extschema@._mfi_comments(@extschema@._mfi_regclass(name)) AS own
                      WHERE split_part(own, ' IS ', 1) = split_part(replace(command, 'mfi_reference.', '@extschema@.'), ' IS ', 1))
$$;
COMMENT ON FUNCTION @extschema@._mfi_adoption_commands() IS
  'Commands that make the existing tables those of version 1.0, while the schema mfi_reference is there. Those with owner_of read or '
  'rewrite rows, and so run what the table''s owner has put there; the others only change the catalog, or build an index, which the '
  'server itself does with the owner''s rights.';

CREATE FUNCTION @extschema@._mfi_index_columns(index regclass) RETURNS text[]
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT array_agg(pg_get_indexdef(index, n, true) ORDER BY n) FROM pg_index, generate_series(1, indnkeyatts) AS n
   WHERE indexrelid = index
$$;
COMMENT ON FUNCTION @extschema@._mfi_index_columns(regclass) IS 'Key columns of an index, in order.';

CREATE FUNCTION @extschema@._mfi_reference_countries() RETURNS jsonb
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN (SELECT jsonb_agg(to_jsonb(c) ORDER BY c.id) FROM mfi_reference.mfi_country c);
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_reference_countries() IS 'The seed rows of mfi_country, while the schema mfi_reference is there.';

CREATE FUNCTION @extschema@._mfi_add_check(relation regclass, name name, definition text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM @extschema@._mfi_as_owner(relation, format('ALTER TABLE %s ADD CONSTRAINT %I %s', relation, name, definition));
EXCEPTION WHEN check_violation THEN
  EXECUTE format('ALTER TABLE %s ADD CONSTRAINT %I %s NOT VALID', relation, name, definition);
  RAISE WARNING 'constraint % of table % is not valid: existing rows violate %', name, relation, definition;
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_add_check(regclass, name, text) IS
  'Adds a check; as NOT VALID, with a warning, when existing rows violate it.';

CREATE FUNCTION @extschema@._mfi_adoption(OUT commands text[], OUT said text[])
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  differences text;
BEGIN
  BEGIN
    PERFORM @extschema@._mfi_make_reference();
    SELECT string_agg(d, E'\n' ORDER BY d COLLATE "C") INTO differences FROM @extschema@._mfi_differences() AS d;
    IF differences IS NULL THEN
      SELECT array_agg(CASE WHEN owner_of IS NULL THEN command
                            ELSE format('SELECT @extschema@._mfi_as_owner(%L::regclass, %L::text)', owner_of, command) END),
             array_agg(command) FILTER (WHERE command ~ '^(ALTER TABLE|CREATE INDEX) ')
        INTO commands, said FROM @extschema@._mfi_adoption_commands();
    END IF;
    RAISE SQLSTATE 'MFI00';
  EXCEPTION WHEN SQLSTATE 'MFI00' THEN NULL;  -- the reference is gone; what it told stays
  END;
  IF differences IS NOT NULL THEN
    RAISE EXCEPTION 'cannot adopt the tables in schema @extschema@: they are not what version 1.0 makes'
      USING ERRCODE = 'invalid_schema_definition', DETAIL = differences || E'\nNothing was changed.',
            HINT = 'Change what is named, or move the tables away (ALTER TABLE ... SET SCHEMA ...), or put the bank''s tables '
                   'elsewhere: CREATE EXTENSION mfi CASCADE SCHEMA .... If a dump is being restored, let it finish.';
  END IF;
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_adoption() IS
  'Commands that make the existing tables those of version 1.0, and what is said of them; fails, naming each difference, when they cannot be adopted.';

CREATE FUNCTION @extschema@._mfi_adopt(commands text[]) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  tables regclass[] := ARRAY(SELECT @extschema@._mfi_regclass(name) FROM unnest(@extschema@._mfi_tables()) AS name);
  views text[];
BEGIN
  PERFORM @extschema@._mfi_refuse_old_snapshot();
  PERFORM @extschema@._mfi_lock(t, true) FROM unnest(tables) AS t;
  -- What was found before the locks has to be there still, under the same names.
  IF tables <> ARRAY(SELECT @extschema@._mfi_regclass(name) FROM unnest(@extschema@._mfi_tables()) AS name)
     OR ARRAY(SELECT c FROM unnest(commands) AS c ORDER BY c) <> ARRAY(SELECT c FROM @extschema@._mfi_adoption() a, unnest(a.commands) AS c ORDER BY c) THEN
    RAISE EXCEPTION 'the tables in schema @extschema@ were changed while locks on them were waited for'
      USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = 'Nothing was changed.', HINT = 'Call it again.';
  END IF;
  views := @extschema@._mfi_set_views_aside(tables);
  PERFORM @extschema@._mfi_execute(commands);
  PERFORM @extschema@._mfi_execute(views);
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_adopt(text[]) IS
  'Takes the views over the existing tables aside, executes the commands, and puts the views back.';

-- Migration 1.0

CREATE FUNCTION @extschema@._mfi_migration_1_0() RETURNS TABLE (step text, command text)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  adoption record;
BEGIN
  PERFORM @extschema@._mfi_refuse_existing();
  IF NOT EXISTS (SELECT FROM unnest(@extschema@._mfi_tables()) AS name WHERE @extschema@._mfi_regclass(name) IS NOT NULL) THEN
    RETURN QUERY SELECT s.step, s.command FROM @extschema@._mfi_steps_1_0('@extschema@'::text) s;
    RETURN;
  END IF;
  adoption := @extschema@._mfi_adoption();
  RETURN QUERY SELECT s.step, s.command FROM @extschema@._mfi_steps_1_0('@extschema@'::text) s WHERE s.step ~ '^schema |^table mfi[.]';
  RETURN QUERY VALUES
    (format('existing tables (%s): adopted, and locked until the end of the transaction',
            (SELECT pg_size_pretty(sum(pg_total_relation_size(@extschema@._mfi_regclass(name)))) FROM unnest(@extschema@._mfi_tables()) AS name)),
     format('SELECT @extschema@._mfi_adopt(%L::text[])', adoption.commands));
  -- What the line above does, in so many words.
  RETURN QUERY SELECT c, 'SELECT' FROM unnest(adoption.said) AS c;
  RETURN QUERY SELECT s.step, replace(s.command, 'CREATE VIEW', 'CREATE OR REPLACE VIEW') FROM @extschema@._mfi_steps_1_0('@extschema@'::text) s
                WHERE s.step LIKE 'view %';
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_migration_1_0() IS
  'Steps of schema version 1.0, in order: what each makes and its command. Existing tables are adopted.';

CREATE FUNCTION @extschema@._mfi_steps_1_0(schema text) RETURNS TABLE (step text, command text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $migration$
BEGIN
  RETURN QUERY
  SELECT s.step, replace(s.command, '{schema}', schema) FROM (VALUES

('schema mfi', $sql$
CREATE SCHEMA mfi;
COMMENT ON SCHEMA mfi IS 'The mfi extension''s own tables.';
GRANT USAGE ON SCHEMA mfi TO pg_monitor;
$sql$),

('schema mfi_audit', $sql$
CREATE SCHEMA mfi_audit;
COMMENT ON SCHEMA mfi_audit IS 'Partitions of the audit tables.';
$sql$),

('table mfi.schema_version', $sql$
CREATE TABLE mfi.schema_version (
  version      text PRIMARY KEY CHECK (version ~ '^[0-9]+[.][0-9]+$'),
  installed_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE mfi.schema_version IS 'One row for each migration of the bank''s schema in this database.';
GRANT SELECT ON mfi.schema_version TO pg_monitor;
$sql$),

('table activity_type', $sql$
CREATE TABLE {schema}.activity_type (
  id         integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  name       text NOT NULL UNIQUE,
  created_at timestamptz DEFAULT now(),
  updated_at timestamptz DEFAULT now()
);
COMMENT ON TABLE {schema}.activity_type IS 'What a user can be seen doing in the activity logs.';
$sql$),

('table mfi_country', $sql$
CREATE TABLE {schema}.mfi_country (
  id         integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  name       text NOT NULL UNIQUE,
  created_at timestamptz DEFAULT now(),
  updated_at timestamptz DEFAULT now(),
  iso_alpha2 text CHECK (iso_alpha2 ~ '^[A-Z]{2}$')
);
COMMENT ON TABLE {schema}.mfi_country IS 'Countries in which MFIs work.';
COMMENT ON COLUMN {schema}.mfi_country.iso_alpha2 IS 'ISO 3166-1 alpha-2 code.';
$sql$),

('table mfi_type', $sql$
CREATE TABLE {schema}.mfi_type (
  id         integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  name       text NOT NULL UNIQUE,
  created_at timestamptz DEFAULT now(),
  updated_at timestamptz DEFAULT now()
);
COMMENT ON TABLE {schema}.mfi_type IS 'Kinds of microfinance institution.';
$sql$),

('table platform_type', $sql$
CREATE TABLE {schema}.platform_type (
  id         integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  name       text NOT NULL UNIQUE,
  created_at timestamptz DEFAULT now(),
  updated_at timestamptz DEFAULT now()
);
COMMENT ON TABLE {schema}.platform_type IS 'Kinds of digital platform.';
$sql$),

('table portals', $sql$
CREATE TABLE {schema}.portals (
  id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  name        text NOT NULL,
  description text,
  realm_id    text NOT NULL,
  client_id   text NOT NULL,
  dev_url     text,
  uat_url     text,
  prod_url    text,
  on_prod     boolean DEFAULT false,
  is_active   boolean DEFAULT false,
  created_on  timestamptz DEFAULT now(),
  updated_at  timestamptz DEFAULT now()
);
COMMENT ON TABLE {schema}.portals IS 'Portals of the hub, each behind a Keycloak realm.';
COMMENT ON COLUMN {schema}.portals.realm_id IS 'Keycloak realm; the first segment of the paths of the portal''s groups.';
COMMENT ON COLUMN {schema}.portals.client_id IS 'Keycloak client of the portal.';
$sql$),

('table portal_groups', $sql$
CREATE TABLE {schema}.portal_groups (
  id                  uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  iam_group_id        uuid NOT NULL UNIQUE,
  name                text NOT NULL,
  description         text,
  group_path          text NOT NULL,
  parent_iam_group_id uuid CONSTRAINT portal_groups_not_own_parent CHECK (parent_iam_group_id <> iam_group_id),
  created_on          timestamptz DEFAULT now(),
  updated_at          timestamptz DEFAULT now()
);
COMMENT ON TABLE {schema}.portal_groups IS 'Keycloak groups of the portals'' users.';
COMMENT ON COLUMN {schema}.portal_groups.iam_group_id IS 'Keycloak''s id of the group.';
COMMENT ON COLUMN {schema}.portal_groups.group_path IS 'Keycloak''s path of the group, as sent.';
COMMENT ON COLUMN {schema}.portal_groups.parent_iam_group_id IS
  'Keycloak''s id of the parent group; NULL at the top. No foreign key: a child may arrive first.';
$sql$),

('table portal_users', $sql$
CREATE TABLE {schema}.portal_users (
  id                    integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  id_iam                uuid NOT NULL UNIQUE,
  username              text NOT NULL,
  fname                 text NOT NULL,
  lname                 text,
  email                 text NOT NULL,
  temp_lock             boolean DEFAULT false,
  email_verified        boolean DEFAULT false,
  profile_img_url       text,
  last_password_changed timestamptz,
  last_login_at         timestamptz,
  id_group              uuid NOT NULL REFERENCES {schema}.portal_groups (iam_group_id) ON DELETE RESTRICT,
  created_on            timestamptz DEFAULT now(),
  created_by            uuid REFERENCES {schema}.portal_users (id_iam) ON DELETE SET NULL,
  updated_at            timestamptz DEFAULT now(),
  updated_by            uuid REFERENCES {schema}.portal_users (id_iam) ON DELETE SET NULL
);
CREATE INDEX ON {schema}.portal_users (id_group);
CREATE INDEX ON {schema}.portal_users (created_by);
CREATE INDEX ON {schema}.portal_users (updated_by);
COMMENT ON TABLE {schema}.portal_users IS 'Users of the portals.';
COMMENT ON COLUMN {schema}.portal_users.id_iam IS 'Keycloak''s id of the user.';
COMMENT ON COLUMN {schema}.portal_users.id_group IS 'The user''s main group; every membership is in user_groups.';
$sql$),

('table user_groups', $sql$
CREATE TABLE {schema}.user_groups (
  id          integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  user_id     uuid NOT NULL REFERENCES {schema}.portal_users (id_iam) ON DELETE CASCADE,
  group_id    uuid NOT NULL REFERENCES {schema}.portal_groups (iam_group_id) ON DELETE CASCADE,
  assigned_by uuid REFERENCES {schema}.portal_users (id_iam) ON DELETE SET NULL,
  assigned_on timestamptz DEFAULT now(),
  UNIQUE (user_id, group_id)
);
CREATE INDEX ON {schema}.user_groups (group_id, user_id);
CREATE INDEX ON {schema}.user_groups (assigned_by);
COMMENT ON TABLE {schema}.user_groups IS 'Memberships of portal users in portal groups.';
COMMENT ON COLUMN {schema}.user_groups.user_id IS 'portal_users.id_iam';
COMMENT ON COLUMN {schema}.user_groups.group_id IS 'portal_groups.iam_group_id';
$sql$),

('table mfi_clients', $sql$
CREATE TABLE {schema}.mfi_clients (
  id               uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  name             text NOT NULL,
  schema           text NOT NULL,
  realm_id         text NOT NULL,
  client_id        text NOT NULL,
  id_country       integer REFERENCES {schema}.mfi_country (id) ON DELETE SET NULL,
  location         text,
  address          text,
  expected_clients bigint CHECK (expected_clients >= 0),
  branches         integer CHECK (branches >= 0),
  id_type          integer REFERENCES {schema}.mfi_type (id) ON DELETE SET NULL,
  logo_url         text,
  is_active        boolean DEFAULT true,
  created_at       timestamptz DEFAULT now(),
  created_by       uuid REFERENCES {schema}.portal_users (id_iam) ON DELETE SET NULL,
  updated_at       timestamptz DEFAULT now(),
  updated_by       uuid REFERENCES {schema}.portal_users (id_iam) ON DELETE SET NULL
);
CREATE INDEX ON {schema}.mfi_clients (id_country);
CREATE INDEX ON {schema}.mfi_clients (id_type);
CREATE INDEX ON {schema}.mfi_clients (created_by);
CREATE INDEX ON {schema}.mfi_clients (updated_by);
COMMENT ON TABLE {schema}.mfi_clients IS 'Microfinance institutions, the hub''s clients.';
COMMENT ON COLUMN {schema}.mfi_clients.schema IS 'Name of the institution''s own database schema.';
COMMENT ON COLUMN {schema}.mfi_clients.realm_id IS 'Keycloak realm of the institution''s users.';
COMMENT ON COLUMN {schema}.mfi_clients.client_id IS 'Keycloak client of the institution.';
COMMENT ON COLUMN {schema}.mfi_clients.expected_clients IS 'Customers the institution expects to serve.';
$sql$),

('table mfi_groups', $sql$
CREATE TABLE {schema}.mfi_groups (
  id                  uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  iam_group_id        uuid NOT NULL UNIQUE,
  id_mfi              uuid NOT NULL REFERENCES {schema}.mfi_clients (id) ON DELETE CASCADE,
  name                text NOT NULL,
  description         text,
  group_path          text NOT NULL,
  parent_iam_group_id uuid CONSTRAINT mfi_groups_not_own_parent CHECK (parent_iam_group_id <> iam_group_id),
  created_on          timestamptz DEFAULT now(),
  updated_at          timestamptz DEFAULT now()
);
CREATE INDEX ON {schema}.mfi_groups (id_mfi);
COMMENT ON TABLE {schema}.mfi_groups IS 'Keycloak groups of the MFIs'' users.';
COMMENT ON COLUMN {schema}.mfi_groups.iam_group_id IS 'Keycloak''s id of the group.';
COMMENT ON COLUMN {schema}.mfi_groups.group_path IS 'Keycloak''s path of the group, as sent.';
COMMENT ON COLUMN {schema}.mfi_groups.parent_iam_group_id IS
  'Keycloak''s id of the parent group; NULL at the top. No foreign key: a child may arrive first.';
$sql$),

('table mfi_users', $sql$
CREATE TABLE {schema}.mfi_users (
  id                       integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  id_iam                   uuid NOT NULL UNIQUE,
  id_mfi                   uuid NOT NULL REFERENCES {schema}.mfi_clients (id) ON DELETE CASCADE,
  username                 text NOT NULL,
  fname                    text NOT NULL,
  lname                    text,
  email                    text NOT NULL,
  temp_lock                boolean DEFAULT false,
  email_verified           boolean DEFAULT false,
  profile_img_url          text,
  last_password_changed_at timestamptz,
  last_login_at            timestamptz,
  id_group                 uuid NOT NULL REFERENCES {schema}.mfi_groups (iam_group_id) ON DELETE RESTRICT,
  created_at               timestamptz DEFAULT now(),
  created_by               uuid REFERENCES {schema}.portal_users (id_iam) ON DELETE SET NULL,
  updated_at               timestamptz DEFAULT now(),
  updated_by               uuid REFERENCES {schema}.portal_users (id_iam) ON DELETE SET NULL
);
CREATE INDEX ON {schema}.mfi_users (id_mfi);
CREATE INDEX ON {schema}.mfi_users (id_group);
CREATE INDEX ON {schema}.mfi_users (created_by);
CREATE INDEX ON {schema}.mfi_users (updated_by);
COMMENT ON TABLE {schema}.mfi_users IS 'Users of the MFIs.';
COMMENT ON COLUMN {schema}.mfi_users.id_iam IS 'Keycloak''s id of the user.';
COMMENT ON COLUMN {schema}.mfi_users.created_by IS 'The portal user who created this one.';
COMMENT ON COLUMN {schema}.mfi_users.updated_by IS 'The portal user who last changed this one.';
$sql$),

('table digital_platforms', $sql$
CREATE TABLE {schema}.digital_platforms (
  id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  name            text NOT NULL UNIQUE,
  is_active       boolean DEFAULT true,
  id_type         integer REFERENCES {schema}.platform_type (id) ON DELETE SET NULL,
  current_version text,
  last_app_update timestamptz,
  created_at      timestamptz DEFAULT now(),
  updated_at      timestamptz DEFAULT now()
);
CREATE INDEX ON {schema}.digital_platforms (id_type);
COMMENT ON TABLE {schema}.digital_platforms IS 'Digital platforms the hub offers to MFIs.';
$sql$),

('table mfi_platforms', $sql$
CREATE TABLE {schema}.mfi_platforms (
  id          integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  mfi_id      uuid NOT NULL REFERENCES {schema}.mfi_clients (id) ON DELETE CASCADE,
  platform_id uuid NOT NULL REFERENCES {schema}.digital_platforms (id) ON DELETE CASCADE,
  assigned_by uuid REFERENCES {schema}.portal_users (id_iam) ON DELETE SET NULL,
  assigned_on timestamptz DEFAULT now(),
  status      integer DEFAULT 0 CHECK (status IN (0, 1, 2)),
  UNIQUE (mfi_id, platform_id)
);
CREATE INDEX ON {schema}.mfi_platforms (platform_id);
CREATE INDEX ON {schema}.mfi_platforms (assigned_by);
COMMENT ON TABLE {schema}.mfi_platforms IS 'Platforms assigned to MFIs.';
COMMENT ON COLUMN {schema}.mfi_platforms.status IS 'State of the assignment: 0, 1 or 2; the applications give the meaning.';
$sql$),

('table user_auth_logs', $sql$
CREATE TABLE {schema}.user_auth_logs (
  id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  iam_event_id text,
  iam_user_id  text,
  event_type   text NOT NULL,
  client_id    text NOT NULL,
  realm_id     text NOT NULL,
  session_id   text,
  ip_address   text,
  error        text,
  event_time   timestamptz NOT NULL,
  details      jsonb,
  created_on   timestamptz DEFAULT now()
);
COMMENT ON TABLE {schema}.user_auth_logs IS 'Keycloak''s user events: logins, logouts and their errors.';
COMMENT ON COLUMN {schema}.user_auth_logs.iam_event_id IS 'Keycloak''s id of the event.';
COMMENT ON COLUMN {schema}.user_auth_logs.iam_user_id IS 'Keycloak''s id of the user; not always a uuid.';
COMMENT ON COLUMN {schema}.user_auth_logs.ip_address IS 'As Keycloak sent it; not always an address.';
COMMENT ON COLUMN {schema}.user_auth_logs.created_on IS 'When the row was written.';
$sql$),

('table admin_event_logs', $sql$
CREATE TABLE {schema}.admin_event_logs (
  id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  event_id       text NOT NULL,
  realm_id       text NOT NULL,
  auth_details   jsonb,
  operation_type text,
  resource_type  text,
  resource_path  text,
  representation jsonb,
  details        jsonb,
  created_on     timestamptz DEFAULT now()
);
COMMENT ON TABLE {schema}.admin_event_logs IS 'Keycloak''s admin events: what administrators changed.';
COMMENT ON COLUMN {schema}.admin_event_logs.event_id IS 'Keycloak''s id of the event.';
COMMENT ON COLUMN {schema}.admin_event_logs.created_on IS 'When the row was written.';
$sql$),

('table user_activity_logs', $sql$
CREATE TABLE {schema}.user_activity_logs (
  id            integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  user_id       text NOT NULL,
  event_type_id integer NOT NULL REFERENCES {schema}.activity_type (id) ON DELETE RESTRICT,
  ip_address    text,
  error         text,
  details       jsonb,
  event_time    timestamptz,
  created_on    timestamptz DEFAULT now()
);
CREATE INDEX ON {schema}.user_activity_logs (event_type_id);
COMMENT ON TABLE {schema}.user_activity_logs IS 'What portal users did.';
COMMENT ON COLUMN {schema}.user_activity_logs.user_id IS 'Keycloak''s id of the user; no foreign key: the log outlives the user.';
COMMENT ON COLUMN {schema}.user_activity_logs.created_on IS 'When the row was written.';
$sql$),

('table mfi_user_activity_logs', $sql$
CREATE TABLE {schema}.mfi_user_activity_logs (
  id            integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  user_id       text NOT NULL,
  event_type_id integer NOT NULL REFERENCES {schema}.activity_type (id) ON DELETE RESTRICT,
  ip_address    text,
  error         text,
  details       jsonb,
  event_time    timestamptz,
  created_on    timestamptz DEFAULT now()
);
CREATE INDEX ON {schema}.mfi_user_activity_logs (event_type_id);
COMMENT ON TABLE {schema}.mfi_user_activity_logs IS 'What MFI users did.';
COMMENT ON COLUMN {schema}.mfi_user_activity_logs.user_id IS 'Keycloak''s id of the user; no foreign key: the log outlives the user.';
COMMENT ON COLUMN {schema}.mfi_user_activity_logs.created_on IS 'When the row was written.';
$sql$),

('view v_active_portals', $sql$
CREATE VIEW {schema}.v_active_portals WITH (security_invoker = true) AS
SELECT p.id, p.name, p.description, p.realm_id, p.is_active, p.on_prod,
       (SELECT count(DISTINCT ug.user_id)
          FROM {schema}.portal_groups g
          JOIN {schema}.user_groups ug ON ug.group_id = g.iam_group_id
         WHERE split_part(ltrim(g.group_path, '/'), '/', 1) = p.realm_id) AS user_count,
       p.created_on, p.updated_at
  FROM {schema}.portals p
 WHERE p.is_active;
COMMENT ON VIEW {schema}.v_active_portals IS 'Active portals and how many users each has.';
COMMENT ON COLUMN {schema}.v_active_portals.user_count IS
  'Distinct users in groups whose path begins with the portal''s realm; 0 when there are none.';
$sql$),

('view v_mfi_platforms_summary', $sql$
CREATE VIEW {schema}.v_mfi_platforms_summary WITH (security_invoker = true) AS
SELECT m.id AS mfi_id, m.name AS mfi_name, m.schema, m.is_active AS mfi_active,
       c.name AS country, t.name AS mfi_type_name,
       d.name AS platform_name, d.is_active AS platform_active,
       a.status AS assignment_status, a.assigned_on
  FROM {schema}.mfi_clients m
  LEFT JOIN {schema}.mfi_country c ON c.id = m.id_country
  LEFT JOIN {schema}.mfi_type t ON t.id = m.id_type
  LEFT JOIN {schema}.mfi_platforms a ON a.mfi_id = m.id
  LEFT JOIN {schema}.digital_platforms d ON d.id = a.platform_id;
COMMENT ON VIEW {schema}.v_mfi_platforms_summary IS
  'One row for each MFI and platform; an MFI without platforms has one row with NULLs.';
$sql$),

('view v_user_group_assignments', $sql$
CREATE VIEW {schema}.v_user_group_assignments WITH (security_invoker = true) AS
SELECT u.id AS user_id, u.username, u.email, u.fname, u.lname,
       g.name AS group_name, g.iam_group_id, ug.assigned_by, ug.assigned_on
  FROM {schema}.user_groups ug
  JOIN {schema}.portal_users u ON u.id_iam = ug.user_id
  JOIN {schema}.portal_groups g ON g.iam_group_id = ug.group_id;
COMMENT ON VIEW {schema}.v_user_group_assignments IS 'One row for each portal user and group.';
COMMENT ON COLUMN {schema}.v_user_group_assignments.user_id IS 'portal_users.id';
$sql$),

('rows of activity_type', $sql$
INSERT INTO {schema}.activity_type (name) VALUES
  ('CREATE MFI'), ('ASSIGN GROUP'), ('CREATE USER'), ('UPDATE USER'), ('DELETE USER'),
  ('LOGIN'), ('LOGOUT'), ('ASSIGN PLATFORM'), ('UPDATE PROFILE'), ('CHANGE PASSWORD');
$sql$),

('rows of mfi_country', $sql$
INSERT INTO {schema}.mfi_country (name, iso_alpha2) VALUES
  ('Rwanda', 'RW'), ('Malawi', 'MW'), ('Kenya', 'KE'), ('Uganda', 'UG'), ('Tanzania', 'TZ'),
  ('Zambia', 'ZM'), ('Zimbabwe', 'ZW'), ('Botswana', 'BW'), ('Namibia', 'NA'), ('South Africa', 'ZA');
$sql$),

('rows of mfi_type', $sql$
INSERT INTO {schema}.mfi_type (name) VALUES
  ('Savings & Deposits Only'), ('Microfinance Institution'), ('Non-Deposit Financial Institution'),
  ('Credit Only Institution'), ('Cooperative Society');
$sql$),

('rows of platform_type', $sql$
INSERT INTO {schema}.platform_type (name) VALUES
  ('Mobile App'), ('Web App'), ('USSD Services'), ('API Services'), ('SMS Banking'), ('Agent Banking');
$sql$)) AS s (step, command);
END
$migration$;
COMMENT ON FUNCTION @extschema@._mfi_steps_1_0(text) IS 'Steps that make schema version 1.0 from nothing in a schema, in order.';

-- Driver

CREATE FUNCTION @extschema@._mfi_migrations() RETURNS TABLE (version text, function regprocedure)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT v.version, p.oid::regprocedure
    FROM pg_depend d
    JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
    JOIN pg_proc p ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid
   CROSS JOIN LATERAL (SELECT replace(substring(p.proname FROM '^_mfi_migration_([0-9]+_[0-9]+)$'),
                                      '_', '.')) AS v (version)
   WHERE e.extname = 'mfi' AND d.deptype = 'e' AND v.version IS NOT NULL
   ORDER BY string_to_array(v.version, '.')::int[]
$$;
COMMENT ON FUNCTION @extschema@._mfi_migrations() IS
  'Migrations this extension knows, oldest first: its members named _mfi_migration_<major>_<minor>.';

CREATE FUNCTION @extschema@._mfi_newest_migration() RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT version FROM @extschema@._mfi_migrations() ORDER BY string_to_array(version, '.')::int[] DESC LIMIT 1
$$;
COMMENT ON FUNCTION @extschema@._mfi_newest_migration() IS 'The schema version this extension makes.';

CREATE FUNCTION @extschema@._mfi_members() RETURNS TABLE (classid oid, objid oid)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT d.classid, d.objid
    FROM pg_depend d
    JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
   WHERE e.extname = 'mfi' AND d.deptype = 'e'
$$;
COMMENT ON FUNCTION @extschema@._mfi_members() IS 'Objects that belong to the extension.';

CREATE FUNCTION @extschema@._mfi_missing_grants() RETURNS TABLE (step text, command text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT NULL::text, NULL::text WHERE false $$;
COMMENT ON FUNCTION @extschema@._mfi_missing_grants() IS 'Steps that give the extension''s roles the rights they lack; in this version it has no roles.';

CREATE FUNCTION @extschema@._mfi_release(kept text[]) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  object record;
BEGIN
  FOR object IN
    SELECT i.type, i.identity
      FROM @extschema@._mfi_members() m, pg_identify_object(m.classid, m.objid, 0) i
     WHERE m.classid IN ('pg_class'::regclass, 'pg_namespace'::regclass)
       AND m.classid || '/' || m.objid <> ALL (kept)
  LOOP
    EXECUTE format('ALTER EXTENSION mfi DROP %s %s', object.type, object.identity);
  END LOOP;
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_release(text[]) IS
  'Releases from the extension every relation and schema that is not in the list of "classid/objid".';

CREATE FUNCTION @extschema@._mfi_check_version() RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  current_version text := @extschema@.mfi_schema_version();
  newest text := @extschema@._mfi_newest_migration();
  missing text;
BEGIN
  IF string_to_array(current_version, '.')::int[] > string_to_array(newest, '.')::int[] THEN
    RAISE EXCEPTION 'schema version % is newer than % of this extension', current_version, newest
      USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'Run ALTER EXTENSION mfi UPDATE, or install the newer package of mfi first.';
  END IF;
  SELECT string_agg(name, ', ') INTO missing
    FROM unnest(@extschema@._mfi_tables()) AS name WHERE @extschema@._mfi_regclass(name) IS NULL;
  IF current_version IS NOT NULL AND missing IS NOT NULL THEN
    RAISE EXCEPTION 'tables missing from schema @extschema@: %', missing
      USING ERRCODE = 'undefined_table',
            DETAIL = format('mfi.schema_version says that schema version %s is installed.', current_version),
            HINT = 'Restore them from a backup. If the bank''s tables are in another schema, drop the '
                   'extension and create it there: CREATE EXTENSION mfi CASCADE SCHEMA .... '
                   'To start over without them, drop the schemas mfi and mfi_audit.';
  END IF;
  RETURN current_version;
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_check_version() IS
  'The schema''s version; fails when this extension cannot migrate it.';

CREATE FUNCTION @extschema@.mfi_migrate_schema(dry_run boolean DEFAULT false) RETURNS SETOF text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  current_version text;
  kept text[];
  migration record;
  work record;
BEGIN
  IF dry_run IS NULL THEN
    RAISE EXCEPTION 'dry_run must be true or false, not NULL' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  -- One migration at a time, until the end of the transaction.
  PERFORM @extschema@._mfi_one_at_a_time(1, 'schema'::text);
  current_version := @extschema@._mfi_check_version();
  kept := ARRAY(SELECT m.classid || '/' || m.objid FROM @extschema@._mfi_members() m);

  FOR migration IN
    SELECT m.version, m.function::oid::regproc AS function FROM @extschema@._mfi_migrations() m
     WHERE current_version IS NULL
        OR string_to_array(m.version, '.')::int[] > string_to_array(current_version, '.')::int[]
  LOOP
    FOR work IN EXECUTE format('SELECT step, command FROM %s()', migration.function) LOOP
      IF NOT dry_run THEN
        EXECUTE work.command;
      END IF;
      RETURN NEXT migration.version || ': ' || work.step;
    END LOOP;
    IF NOT dry_run THEN
      PERFORM @extschema@._mfi_as_owner('mfi.schema_version'::regclass,
                                        format('INSERT INTO mfi.schema_version (version) VALUES (%L)', migration.version));
    END IF;
    RETURN NEXT migration.version || ': recorded in mfi.schema_version';
  END LOOP;

  FOR work IN SELECT * FROM @extschema@._mfi_missing_triggers() LOOP
    IF NOT dry_run THEN
      EXECUTE work.command;
    END IF;
    RETURN NEXT work.step;
  END LOOP;
  PERFORM @extschema@._mfi_release(kept);
  FOR work IN SELECT g.step, g.command FROM @extschema@._mfi_missing_grants() g LOOP
    IF NOT dry_run THEN
      EXECUTE work.command;
    END IF;
    -- What a fresh schema needs goes without saying.
    IF current_version IS NOT NULL THEN
      RETURN NEXT work.step;
    END IF;
  END LOOP;
END
$$;
COMMENT ON FUNCTION @extschema@.mfi_migrate_schema(boolean) IS
  'Brings the bank''s schema to the extension''s version, puts back its missing triggers and the missing rights of its roles; returns one line '
  'for each step. With dry_run it changes nothing and returns the steps it would take.';

CREATE FUNCTION @extschema@._mfi_install_schema() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  setting text := lower(coalesce(nullif(current_setting('mfi.install_schema', true), ''), 'auto'));
  schema_version text := @extschema@.mfi_schema_version();
BEGIN
  IF setting NOT IN ('auto', 'on', 'off') THEN
    RAISE EXCEPTION 'invalid value for parameter "mfi.install_schema": "%"', setting
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Available values: auto, on, off.';
  ELSIF setting = 'on' OR setting = 'auto' AND current_setting('row_security') = 'on' THEN
    -- CREATE EXTENSION walks all scripts. A schema that is newer than this one is for a later one to recognise.
    IF schema_version IS NULL OR schema_version NOT IN (SELECT version FROM pg_available_extension_versions WHERE name = 'mfi')
       OR schema_version IN (SELECT version FROM @extschema@._mfi_migrations()) THEN
      PERFORM @extschema@.mfi_migrate_schema();
    END IF;
  ELSIF setting = 'auto' AND (schema_version IS NOT NULL OR @extschema@._mfi_newest_migration() = '1.0') THEN
    -- Every archive of pg_dump sets row_security = off before it creates extensions. Said once, not by each script.
    RAISE WARNING 'the bank''s tables are left to the dump that is being restored (row_security is off)'
      USING HINT = 'If no dump is being restored, run SELECT mfi_migrate_schema(). '
                   'To create the tables whatever row_security is: SET mfi.install_schema = on.';
  END IF;
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_install_schema() IS
  'Called by the extension''s scripts: migrates the schema, unless mfi.install_schema or a running restore says not to.';

REVOKE ALL ON FUNCTION
  @extschema@.mfi_schema_version(), @extschema@.mfi_migrate_schema(boolean),
  @extschema@._mfi_tables(), @extschema@._mfi_regclass(text), @extschema@._mfi_schema_ready(), @extschema@._mfi_triggers(), @extschema@._mfi_missing_triggers(),
  @extschema@._mfi_grants(regclass), @extschema@._mfi_comments(regclass), @extschema@._mfi_hangers(regclass), @extschema@._mfi_views_over(regclass[]),
  @extschema@._mfi_view_commands(regclass), @extschema@._mfi_set_views_aside(regclass[]), @extschema@._mfi_execute(text[]), @extschema@._mfi_refuse_existing(), @extschema@._mfi_views(),
  @extschema@._mfi_make_reference(), @extschema@._mfi_adopted_columns(), @extschema@._mfi_adopted_constraints(), @extschema@._mfi_widens(oid, oid), @extschema@._mfi_differences(),
  @extschema@._mfi_serial_commands(regclass, name), @extschema@._mfi_column_commands(), @extschema@._mfi_adoption_commands(), @extschema@._mfi_index_columns(regclass),
  @extschema@._mfi_reference_countries(), @extschema@._mfi_add_check(regclass, name, text), @extschema@._mfi_adoption(), @extschema@._mfi_adopt(text[]), @extschema@._mfi_steps_1_0(text),
  @extschema@._mfi_migration_1_0(), @extschema@._mfi_migrations(), @extschema@._mfi_newest_migration(), @extschema@._mfi_members(), @extschema@._mfi_release(text[]),
  @extschema@._mfi_missing_grants(), @extschema@._mfi_refresh(regclass), @extschema@._mfi_as_owner(regclass, text),
  @extschema@._mfi_as_role(name, text), @extschema@._mfi_one_at_a_time(integer, text), @extschema@._mfi_lock(regclass, boolean), @extschema@._mfi_refuse_old_snapshot(), @extschema@._mfi_owners_of_types(regclass, oid), @extschema@._mfi_made_by(regclass, oid, regclass, text),
  @extschema@._mfi_check_version(), @extschema@._mfi_install_schema()
FROM PUBLIC;
-- What monitoring asks, and what it calls in turn.
GRANT EXECUTE ON FUNCTION @extschema@.mfi_schema_version(), @extschema@._mfi_schema_ready(), @extschema@._mfi_tables(), @extschema@._mfi_regclass(text)
TO pg_monitor;

SELECT @extschema@._mfi_install_schema();

-- Backups and replication

CREATE FUNCTION @extschema@.mfi_replication_status(
  OUT verdict text, OUT summary text, OUT node_role text, OUT peer text, OUT state text, OUT sync_state text,
  OUT sent_lsn pg_lsn, OUT write_lsn pg_lsn, OUT flush_lsn pg_lsn, OUT replay_lsn pg_lsn, OUT lag_bytes bigint,
  OUT write_lag interval, OUT flush_lag interval, OUT replay_lag interval, OUT last_message_age interval,
  OUT slot_name text, OUT slot_wal_status text, OUT slot_retained_bytes bigint, OUT slot_safe_bytes bigint,
  OUT missing_since timestamptz, OUT catchup_eta interval, OUT reasons text[])
RETURNS SETOF record
LANGUAGE c VOLATILE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_replication_status';
COMMENT ON FUNCTION @extschema@.mfi_replication_status() IS
  'Replication as this node sees it, at least one row: on a primary one per standby, connected or missing; on a '
  'standby its upstream first. verdict: ok, warning, unknown or critical; lag in bytes of WAL; last_message_age: '
  'time since the other node was heard.';

CREATE FUNCTION @extschema@._mfi_replication_health(
  OUT verdict text, OUT reasons text[], OUT next_steps text[], OUT node_role text, OUT timeline integer,
  OUT peers_expected integer, OUT peers_connected integer, OUT worst_lag_bytes bigint, OUT peer_role text,
  OUT peer_timeline integer, OUT peer_seen_ago interval)
RETURNS SETOF record
LANGUAGE c VOLATILE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_replication_health';
COMMENT ON FUNCTION @extschema@._mfi_replication_health() IS 'Behind the view mfi_replication_health.';

CREATE VIEW @extschema@.mfi_replication_health AS SELECT * FROM @extschema@._mfi_replication_health();
COMMENT ON VIEW @extschema@.mfi_replication_health IS
  'One row: the verdict on replication of this node, its reasons (code: sentence), and what to do.';

CREATE FUNCTION @extschema@.mfi_replication_history(
  since interval DEFAULT '1 hour', OUT sampled_at timestamptz, OUT node_role text, OUT timeline integer, OUT peer text,
  OUT connected boolean, OUT wal_lsn pg_lsn, OUT replay_lsn pg_lsn, OUT lag_bytes bigint, OUT last_message_age interval,
  OUT wal_bytes_per_s bigint, OUT replay_bytes_per_s bigint, OUT wal_disk_free_bytes bigint,
  OUT conflicts_tablespace bigint, OUT conflicts_lock bigint, OUT conflicts_snapshot bigint,
  OUT conflicts_bufferpin bigint, OUT conflicts_deadlock bigint)
RETURNS SETOF record
LANGUAGE c VOLATILE STRICT PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_replication_history';
COMMENT ON FUNCTION @extschema@.mfi_replication_history(interval) IS
  'What this node saw of replication, one row per look (mfi.sample_interval) and peer, oldest first; about a day of '
  'one peer, kept in shared memory until the server ends, on a standby too. Rates are since the look before, conflicts '
  'are the queries this standby cancelled since then, by kind.';

CREATE FUNCTION @extschema@.mfi_wait_for_replay(lsn pg_lsn, timeout interval) RETURNS boolean
LANGUAGE c VOLATILE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_wait_for_replay';
COMMENT ON FUNCTION @extschema@.mfi_wait_for_replay(pg_lsn, interval) IS
  'Read your writes on a standby: pass what pg_current_wal_insert_lsn() gave on the primary after the commit. True as '
  'soon as this standby has replayed it, so that the next statement sees it; false at the timeout, or when this '
  'standby was promoted without it. On a primary it answers at once: whether its WAL reaches that far.';

CREATE FUNCTION @extschema@.mfi_backup_now(wait boolean DEFAULT false, note text DEFAULT NULL) RETURNS text
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_backup_now';
COMMENT ON FUNCTION @extschema@.mfi_backup_now(boolean, text) IS
  'Queues a backup of mfi.database and returns its id; with wait it returns when the backup has succeeded and raises '
  'an error when it failed. Not undone by a rollback; cancelling the call does not cancel the backup. When five requests '
  'wait already, one more is refused.';

CREATE FUNCTION @extschema@.mfi_backup_cancel(id text) RETURNS boolean
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_backup_cancel';
COMMENT ON FUNCTION @extschema@.mfi_backup_cancel(text) IS
  'Cancels a queued or running backup. An error when there is no such backup or it is over.';

CREATE FUNCTION @extschema@.mfi_backup_verify(id text) RETURNS text
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_backup_verify';
COMMENT ON FUNCTION @extschema@.mfi_backup_verify(text) IS
  'Verifies a backup set again as mfi.backup_verify says (restore: in a scratch server, compared with the rows counted '
  'when it was made), waits, and returns ''ok'' or what differs.';

CREATE FUNCTION @extschema@.mfi_backup_hold(id text, reason text) RETURNS boolean
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_backup_hold';
COMMENT ON FUNCTION @extschema@.mfi_backup_hold(text, text) IS
  'Keeps a backup set from being deleted by retention, until mfi_backup_release.';

CREATE FUNCTION @extschema@.mfi_backup_release(id text) RETURNS boolean
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_backup_release';
COMMENT ON FUNCTION @extschema@.mfi_backup_release(text) IS 'Ends what mfi_backup_hold began.';

CREATE FUNCTION @extschema@.mfi_backup_adopt(id text) RETURNS boolean
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_backup_adopt';
COMMENT ON FUNCTION @extschema@.mfi_backup_adopt(text) IS
  'Makes a foreign set (of another cluster, such as this one before it was created anew) one of this cluster''s own: '
  'from then on retention deletes it like the others.';

CREATE FUNCTION @extschema@._mfi_backups(
  OUT id text, OUT state text, OUT trigger text, OUT database text, OUT note text, OUT queued_at timestamptz,
  OUT started_at timestamptz, OUT finished_at timestamptz, OUT source_node text, OUT source_role text,
  OUT source_lag_bytes bigint, OUT snapshot_lsn text, OUT timeline integer, OUT size_bytes bigint, OUT path text,
  OUT verify_method text, OUT verify_result text, OUT verified_at timestamptz, OUT held boolean,
  OUT suspicious boolean, OUT system_identifier text, OUT is_foreign boolean, OUT error text,
  OUT extension_version text, OUT schema_version text, OUT proof_sandbox text)
RETURNS SETOF record
LANGUAGE c VOLATILE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_backups';
COMMENT ON FUNCTION @extschema@._mfi_backups() IS 'Behind the view mfi_backups.';

CREATE VIEW @extschema@.mfi_backups AS
  SELECT id, state, trigger, database, note, queued_at, started_at, finished_at, source_node, source_role,
         source_lag_bytes, snapshot_lsn::pg_lsn AS snapshot_lsn, timeline, size_bytes, path, verify_method,
         verify_result, verified_at, held, suspicious, system_identifier, error, extension_version, schema_version,
         is_foreign, proof_sandbox
    FROM @extschema@._mfi_backups();
COMMENT ON VIEW @extschema@.mfi_backups IS
  'Every backup run, good or bad, newest first, read from the backup directory. state: queued, dumping, publishing, '
  'verifying, succeeded, failed, cancelled, expired (deleted by retention) or missing (its set is gone); path: where '
  'the archive is; is_foreign: made by another cluster, never deleted; proof_sandbox: whole, or what the walls around '
  'its proof lacked on this kernel.';

CREATE FUNCTION @extschema@._mfi_backup_progress(
  OUT id text, OUT trigger text, OUT phase text, OUT started_at timestamptz, OUT bytes bigint, OUT percent bigint,
  OUT eta interval)
RETURNS SETOF record
LANGUAGE c VOLATILE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_backup_progress';
COMMENT ON FUNCTION @extschema@._mfi_backup_progress() IS 'Behind the view mfi_backup_progress.';

CREATE VIEW @extschema@.mfi_backup_progress AS
  SELECT p.*, (SELECT max(age(a.backend_xmin)) FROM pg_stat_activity a
                WHERE a.application_name = left('mfi backup ' || p.id, 63)
                  AND a.usesysid IN (SELECT oid FROM pg_roles WHERE rolsuper)) AS xmin_age
    FROM @extschema@._mfi_backup_progress() p;
COMMENT ON VIEW @extschema@.mfi_backup_progress IS
  'The backup that is running now, or no row. percent and eta are estimated by the last good backup; xmin_age: how '
  'many transactions ago the snapshot was taken that keeps VACUUM from cleaning.';

CREATE FUNCTION @extschema@._mfi_backup_health(
  OUT verdict text, OUT reasons text[], OUT next_steps text[], OUT last_verified timestamptz, OUT next_run timestamptz)
RETURNS SETOF record
LANGUAGE c VOLATILE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_backup_health';
COMMENT ON FUNCTION @extschema@._mfi_backup_health() IS 'Behind the view mfi_backup_health.';

CREATE VIEW @extschema@.mfi_backup_health AS SELECT * FROM @extschema@._mfi_backup_health();
COMMENT ON VIEW @extschema@.mfi_backup_health IS
  'One row: the verdict on backups, its reasons, what to do, when the newest verified backup finished and when the '
  'next one starts.';

CREATE FUNCTION @extschema@.mfi_backup_next_runs(
  n integer, schedule text DEFAULT NULL, timezone text DEFAULT NULL, after timestamptz DEFAULT NULL,
  OUT run_at timestamptz, OUT local_time text, OUT zone text, OUT slot text)
RETURNS SETOF record
LANGUAGE c VOLATILE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_backup_next_runs';
COMMENT ON FUNCTION @extschema@.mfi_backup_next_runs(integer, text, text, timestamptz) IS
  'The next n moments of the schedule in force, or of another cron text or time zone before it is set; local_time is '
  'the clock on the wall in that zone. A daily schedule runs once per local day: a time that the spring change skips '
  'runs right after it, one that the autumn change repeats runs the first time only.';

CREATE FUNCTION @extschema@.mfi_backup_retention_preview(OUT id text, OUT decision text, OUT reason text)
RETURNS SETOF record
LANGUAGE c VOLATILE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_backup_retention_preview';
COMMENT ON FUNCTION @extschema@.mfi_backup_retention_preview() IS
  'What retention would do with each backup set now, those set aside after a failed verification included: keep or '
  'delete, and why.';

CREATE FUNCTION @extschema@._mfi_health(scope text, findings text[], OUT verdict text, OUT reasons text[], OUT next_steps text[])
RETURNS SETOF record
LANGUAGE c VOLATILE STRICT PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_health';
COMMENT ON FUNCTION @extschema@._mfi_health(text, text[]) IS 'Behind mfi_health().';

CREATE FUNCTION @extschema@._mfi_schema_findings() RETURNS text[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  schema_version int[] := string_to_array(@extschema@.mfi_schema_version(), '.')::int[];
  extension_version int[] := (SELECT string_to_array(extversion, '.')::int[] FROM pg_extension WHERE extname = 'mfi');
BEGIN
  IF NOT @extschema@._mfi_schema_ready() THEN
    RETURN ARRAY['warning', 'schema-missing', 'the tables of mfi are not complete in this database',
                 'When a restore is running, wait for its end; else SELECT mfi_migrate_schema().'];
  ELSIF schema_version < extension_version THEN
    RETURN ARRAY['warning', 'schema-behind', 'the tables of mfi are of an older version than the extension',
                 'SELECT mfi_migrate_schema().'];
  ELSIF schema_version > extension_version THEN
    RETURN ARRAY['warning', 'schema-ahead', 'the tables of mfi are of a newer version than the extension',
                 'ALTER EXTENSION mfi UPDATE.'];
  END IF;
  RETURN @extschema@._mfi_audit_findings();
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_schema_findings() IS
  'What is to be said of this database''s schema: verdict, code, sentence and next step, one after the other.';

CREATE FUNCTION @extschema@._mfi_audit_findings() RETURNS text[]
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT '{}'::text[] $$;
COMMENT ON FUNCTION @extschema@._mfi_audit_findings() IS 'What is to be said of the audit tables; in this version nothing.';

CREATE FUNCTION @extschema@.mfi_health(
  scope text DEFAULT 'all', OUT verdict text, OUT reasons text[], OUT next_steps text[])
RETURNS SETOF record
LANGUAGE plpgsql VOLATILE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  scope := coalesce(scope, 'all');
  RETURN QUERY SELECT h.verdict, h.reasons, h.next_steps
    FROM @extschema@._mfi_health(scope, CASE WHEN scope IN ('all', 'node') THEN @extschema@._mfi_schema_findings() ELSE '{}' END) h;
END
$$;
COMMENT ON FUNCTION @extschema@.mfi_health(text) IS
  'One row: the verdict on this node (ok, warning, unknown, critical), its reasons and what to do. scope: node, '
  'replication, backup, or all.';

-- Actions are granted one by one; monitoring reads everything.
REVOKE ALL ON FUNCTION
  @extschema@.mfi_replication_status(), @extschema@._mfi_replication_health(), @extschema@.mfi_replication_history(interval), @extschema@.mfi_backup_now(boolean, text), @extschema@.mfi_backup_cancel(text),
  @extschema@.mfi_backup_verify(text), @extschema@.mfi_backup_hold(text, text), @extschema@.mfi_backup_release(text), @extschema@.mfi_backup_adopt(text), @extschema@._mfi_backups(), @extschema@._mfi_backup_progress(),
  @extschema@._mfi_backup_health(), @extschema@.mfi_backup_next_runs(integer, text, text, timestamptz), @extschema@.mfi_backup_retention_preview(),
  @extschema@._mfi_health(text, text[]), @extschema@._mfi_schema_findings(), @extschema@._mfi_audit_findings(), @extschema@.mfi_health(text)
FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
  @extschema@.mfi_replication_status(), @extschema@._mfi_replication_health(), @extschema@.mfi_replication_history(interval), @extschema@._mfi_backups(), @extschema@._mfi_backup_progress(), @extschema@._mfi_backup_health(),
  @extschema@.mfi_backup_next_runs(integer, text, text, timestamptz), @extschema@.mfi_backup_retention_preview(), @extschema@._mfi_health(text, text[]),
  @extschema@._mfi_schema_findings(), @extschema@._mfi_audit_findings(), @extschema@.mfi_health(text)
TO pg_monitor;
GRANT SELECT ON @extschema@.mfi_replication_health, @extschema@.mfi_backups, @extschema@.mfi_backup_progress, @extschema@.mfi_backup_health
TO pg_monitor;
