CREATE FUNCTION @extschema@._mfi_foreign_keys_in_the_way() RETURNS SETOF text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  WITH retyped AS (SELECT * FROM @extschema@._mfi_retyped())
  SELECT DISTINCT format('%s: %s.%I (%s) and %s.%I (%s) do not widen together: drop it, and make it again afterwards '
                         'where it still makes sense', pg_describe_object('pg_constraint'::regclass, k.oid, 0),
                         k.conrelid::regclass, a.attname, format_type(coalesce(ra.wanted, a.atttypid), -1),
                         k.confrelid::regclass, b.attname, format_type(coalesce(rb.wanted, b.atttypid), -1))
    FROM pg_constraint k
   CROSS JOIN LATERAL unnest(k.conkey, k.confkey) AS p (attnum, refattnum)
    JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = p.attnum
    JOIN pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = p.refattnum
    LEFT JOIN retyped ra ON ra.relation = k.conrelid AND ra.attnum = p.attnum
    LEFT JOIN retyped rb ON rb.relation = k.confrelid AND rb.attnum = p.refattnum
   WHERE k.contype = 'f' AND k.conparentid = 0 AND 'text'::regtype IN (ra.wanted, rb.wanted)
     AND (k.conrelid <> k.confrelid OR ra.wanted IS DISTINCT FROM rb.wanted)
$$;
COMMENT ON FUNCTION @extschema@._mfi_foreign_keys_in_the_way() IS
  'Foreign keys one side of which becomes text: each table widens in a command of its own, and the server refuses a '
  'key between text and uuid.';
REVOKE ALL ON FUNCTION @extschema@._mfi_foreign_keys_in_the_way() FROM PUBLIC;

CREATE FUNCTION @extschema@._mfi_dependents_in_the_way() RETURNS SETOF text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  WITH RECURSIVE
  tables AS (SELECT c.* FROM unnest(@extschema@._mfi_tables()) AS name
               JOIN pg_class c ON c.oid = @extschema@._mfi_regclass(name)),
  views AS (SELECT v.view::oid AS oid FROM @extschema@._mfi_views_over(ARRAY(SELECT oid::regclass FROM tables)) v),
  told AS (SELECT v.view::oid AS oid FROM @extschema@._mfi_views_over(
             ARRAY(SELECT oid::regclass FROM tables WHERE relname = ANY (@extschema@._mfi_audit_tables()))) v),
  row_types (oid) AS (
    SELECT reltype FROM tables WHERE oid IN (SELECT r.relation FROM @extschema@._mfi_retyped() r)
    UNION
    SELECT n.oid FROM row_types u JOIN pg_type t ON t.oid = u.oid
     CROSS JOIN LATERAL (SELECT t.typarray UNION ALL SELECT d.oid FROM pg_type d WHERE d.typbasetype = t.oid
                         UNION ALL SELECT c.reltype FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
                          WHERE a.atttypid = t.oid AND c.relkind = 'c' AND NOT a.attisdropped) AS n (oid)
     WHERE n.oid <> 0)
  -- What depends on a view over an audit table is told by _mfi_audit_obstacles().
  SELECT DISTINCT format('%s depends on %s, which must be made anew: drop it, and make it again afterwards',
                         pg_describe_object(d.classid, d.objid, d.objsubid), c.oid::regclass)
    FROM pg_class c JOIN pg_type y ON y.oid = c.reltype
    JOIN pg_depend d ON d.deptype = 'n'
      AND (d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid
           OR d.refclassid = 'pg_type'::regclass AND d.refobjid IN (y.oid, y.typarray))
   WHERE c.oid IN (SELECT oid FROM views) AND c.oid NOT IN (SELECT oid FROM told)
     AND d.classid <> 'pg_attrdef'::regclass
     AND NOT EXISTS (SELECT FROM pg_rewrite r WHERE d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
                                                AND r.ev_class IN (SELECT oid FROM views))
  UNION ALL
  SELECT format('column %I of table %s has the rows of a table that must widen as its type: drop it, or keep its '
                'values in another type', a.attname, c.oid::regclass)
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
   WHERE a.atttypid IN (SELECT oid FROM row_types) AND NOT a.attisdropped AND c.relkind IN ('r', 'm', 'p')
     AND c.oid NOT IN (SELECT oid FROM views)
  UNION ALL
  SELECT format('%s is a table of a type', oid::regclass) FROM tables WHERE reloftype <> 0
  UNION ALL
  SELECT format('%s is not a plain view', c.oid::regclass)
    FROM unnest(@extschema@._mfi_views()) AS name JOIN pg_class c ON c.oid = @extschema@._mfi_regclass(name)
   WHERE c.relkind <> 'v'
  UNION ALL
  SELECT format('%I, who owns table %s, lacks %s', pg_get_userbyid(t.relowner), t.oid::regclass, p.lacks)
    FROM tables t
   CROSS JOIN LATERAL (
     SELECT 'USAGE on its schema' WHERE NOT has_schema_privilege(t.relowner, t.relnamespace, 'USAGE')
     UNION ALL SELECT 'SELECT on it' WHERE NOT has_table_privilege(t.relowner, t.oid, 'SELECT')
       AND t.relname IN ('mfi_country', 'user_auth_logs', 'admin_event_logs', 'user_activity_logs',
                         'mfi_user_activity_logs')
     UNION ALL SELECT 'UPDATE on it' WHERE NOT has_table_privilege(t.relowner, t.oid, 'UPDATE')
       AND t.relname = 'mfi_country') AS p (lacks)
  UNION ALL
  SELECT format('row-level security of table %s is forced on its owner: ALTER TABLE %1$s NO FORCE ROW LEVEL SECURITY '
                'until the tables are adopted', t.oid::regclass)
    FROM tables t WHERE t.relname = 'mfi_country' AND t.relforcerowsecurity AND t.relrowsecurity
     AND NOT (SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE oid = t.relowner)
$$;
COMMENT ON FUNCTION @extschema@._mfi_dependents_in_the_way() IS
  'What depends on the existing tables and the views over them in a way that keeps these from being made anew or '
  'altered, while the schema mfi_reference is there.';
REVOKE ALL ON FUNCTION @extschema@._mfi_dependents_in_the_way() FROM PUBLIC;

CREATE FUNCTION @extschema@._mfi_names_in_the_way() RETURNS SETOF text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT format('%s has the name of an index that is made: rename it',
                pg_describe_object('pg_class'::regclass, c.oid, 0))
    FROM (SELECT x.relname
            FROM unnest(@extschema@._mfi_tables()) AS name
            JOIN pg_index r ON r.indrelid = to_regclass('mfi_reference.' || quote_ident(name)) AND NOT r.indisunique
            JOIN pg_class x ON x.oid = r.indexrelid
           WHERE NOT EXISTS (
             SELECT FROM pg_index f
              WHERE f.indrelid = @extschema@._mfi_regclass(name) AND f.indpred IS NULL AND f.indisvalid
                AND (@extschema@._mfi_index_columns(f.indexrelid::regclass))[1:r.indnkeyatts]
                  = @extschema@._mfi_index_columns(r.indexrelid::regclass))
          UNION ALL SELECT 'portal_groups_realm_idx') AS made (name)
    JOIN pg_class c ON c.oid = @extschema@._mfi_regclass(made.name::text)
  UNION ALL
  SELECT format('%s has the name of a check that is made: rename it',
                pg_describe_object('pg_constraint'::regclass, k.oid, 0))
    FROM @extschema@._mfi_adopted_constraints() a
    JOIN pg_constraint k ON k.conrelid = a.relation AND k.conname = a.wanted_name
   WHERE a.found_name IS NULL AND a.contype = 'c'
$$;
COMMENT ON FUNCTION @extschema@._mfi_names_in_the_way() IS
  'Relations and constraints that have the name of one that the adoption makes, while the schema mfi_reference is '
  'there.';
REVOKE ALL ON FUNCTION @extschema@._mfi_names_in_the_way() FROM PUBLIC;
