CREATE OR REPLACE FUNCTION @extschema@._mfi_audit_obstacles(table_name text) RETURNS SETOF text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  WITH t AS (SELECT c.* FROM pg_class c WHERE c.oid = @extschema@._mfi_regclass(table_name)),
  dropped AS (SELECT oid FROM t UNION SELECT v.view::oid FROM t, @extschema@._mfi_views_over(ARRAY[t.oid::regclass]) v),
  types AS (SELECT y.oid, y.typarray FROM pg_class c JOIN pg_type y ON y.oid = c.reltype
            WHERE c.oid IN (SELECT oid FROM dropped))
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
     AND NOT EXISTS (SELECT FROM pg_attribute a
                     WHERE a.attrelid = t.oid AND a.attname = 'event_time' AND a.attnum = ANY (i.indkey))
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
     AND d.classid NOT IN ('pg_trigger'::regclass, 'pg_constraint'::regclass, 'pg_attrdef'::regclass,
                           'pg_statistic_ext'::regclass)
     AND NOT EXISTS (SELECT FROM pg_policy p WHERE d.classid = 'pg_policy'::regclass AND p.oid = d.objid
                                               AND p.polrelid IN (SELECT oid FROM dropped))
     AND NOT EXISTS (SELECT FROM pg_rewrite r WHERE d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
                                                AND r.ev_class IN (SELECT oid FROM dropped))
  UNION ALL
  SELECT format('%s is NO INHERIT, which a partitioned table cannot have',
                pg_describe_object('pg_constraint'::regclass, k.oid, 0))
    FROM t JOIN pg_constraint k ON k.conrelid = t.oid AND k.contype = 'c' AND k.connoinherit
  UNION ALL
  SELECT format('%s has transition tables for each row, which a partitioned table cannot have',
                pg_describe_object('pg_trigger'::regclass, g.oid, 0))
    FROM t JOIN pg_trigger g ON g.tgrelid = t.oid
   WHERE g.tgtype::int & 1 = 1 AND (g.tgoldtable IS NOT NULL OR g.tgnewtable IS NOT NULL)
  UNION ALL
  SELECT format('%s excludes, which would be lost', i.indexrelid::regclass)
    FROM t JOIN pg_index i ON i.indrelid = t.oid
   WHERE i.indisexclusion
     AND EXISTS (SELECT FROM pg_attribute a
                  WHERE a.attrelid = t.oid AND a.attname = 'event_time' AND a.attnum = ANY (i.indkey))
$$;
