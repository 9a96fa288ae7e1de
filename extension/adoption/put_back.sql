-- Putting back what hangs on a relation that is made anew

CREATE FUNCTION @extschema@._mfi_grants(relation regclass) RETURNS SETOF text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  WITH acl AS (
    SELECT c.relowner, CASE c.relkind WHEN 'S' THEN 'SEQUENCE ' ELSE '' END AS kind, NULL::name AS column_name, a.*
      FROM pg_class c,
           aclexplode(coalesce(c.relacl,
                               acldefault(CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", c.relowner))) a
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
  SELECT format('REVOKE ALL ON %s%s FROM %s', kind, relation, string_agg(DISTINCT grantee_name, ', '))
    FROM roles GROUP BY kind
  UNION ALL
  (SELECT format('SET LOCAL ROLE %I; GRANT %s%s ON %s%s TO %s%s; SET LOCAL ROLE %s',
                 pg_get_userbyid(grantor), privilege_type,
                 ' (' || quote_ident(column_name) || ')', kind, relation, grantee_name,
                 CASE WHEN is_grantable THEN ' WITH GRANT OPTION' END, current_setting('role'))
     FROM roles ORDER BY grantor <> relowner, grantee, privilege_type)
$$;
COMMENT ON FUNCTION @extschema@._mfi_grants(regclass) IS
  'Commands that give a relation made anew under the same name the owner and the privileges that this one has.';
REVOKE ALL ON FUNCTION @extschema@._mfi_grants(regclass) FROM PUBLIC;

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
            CASE WHEN d.objsubid > 0 THEN relation || '.' || quote_ident(a.attname)
              ELSE relation::text END) AS k (kind, name)
  UNION ALL
  SELECT format('COMMENT ON %s %I ON %s IS %L', kind, name, relation, description)
    FROM (SELECT 'TRIGGER' AS kind, 'pg_trigger'::regclass AS class, oid, tgname AS name FROM pg_trigger
          WHERE tgrelid = relation
          UNION ALL SELECT 'POLICY', 'pg_policy'::regclass, oid, polname FROM pg_policy WHERE polrelid = relation
          UNION ALL SELECT 'CONSTRAINT', 'pg_constraint'::regclass, oid, conname FROM pg_constraint
                     WHERE conrelid = relation AND contype IN ('c', 'f')
          UNION ALL SELECT 'RULE', 'pg_rewrite'::regclass, oid, rulename FROM pg_rewrite
            WHERE ev_class = relation) AS part
    JOIN pg_description d ON d.classoid = part.class AND d.objoid = part.oid
$$;
COMMENT ON FUNCTION @extschema@._mfi_comments(regclass) IS
  'Commands that comment a relation made anew, and its parts, as this one is.';
REVOKE ALL ON FUNCTION @extschema@._mfi_comments(regclass) FROM PUBLIC;

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
  SELECT @extschema@._mfi_made_by('pg_rewrite'::regclass, oid, relation, pg_get_ruledef(oid)) FROM pg_rewrite
    WHERE ev_class = relation AND rulename <> '_RETURN'
  UNION ALL
  SELECT @extschema@._mfi_made_by('pg_policy'::regclass, oid, relation,
                                  format('CREATE POLICY %I ON %s AS %s FOR %s TO %s%s%s', polname, relation,
                CASE WHEN polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
                CASE polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd'
                  THEN 'DELETE' ELSE 'ALL' END,
                (SELECT string_agg(CASE r WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(r)) END, ', ')
                 FROM unnest(polroles) r),
                ' USING (' || pg_get_expr(polqual, polrelid) || ')', ' WITH CHECK ('
                  || pg_get_expr(polwithcheck, polrelid) || ')'))
    FROM pg_policy WHERE polrelid = relation
  UNION ALL
  SELECT format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', relation) FROM pg_class
    WHERE oid = relation AND relrowsecurity
  UNION ALL
  SELECT format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', relation) FROM pg_class
    WHERE oid = relation AND relforcerowsecurity
$$;
COMMENT ON FUNCTION @extschema@._mfi_hangers(regclass) IS
  'Commands that give a relation made anew the triggers, rules and policies that this one has.';
REVOKE ALL ON FUNCTION @extschema@._mfi_hangers(regclass) FROM PUBLIC;
