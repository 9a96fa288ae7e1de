-- Migration 1.1

CREATE FUNCTION @extschema@._mfi_audit_obstacles(table_name text) RETURNS SETOF text
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
$$;
COMMENT ON FUNCTION @extschema@._mfi_audit_obstacles(text) IS
  'What keeps an audit table from being made anew as a partitioned one.';
REVOKE ALL ON FUNCTION @extschema@._mfi_audit_obstacles(text) FROM PUBLIC;

CREATE FUNCTION @extschema@._mfi_columns_in_the_way(table_name text) RETURNS SETOF text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT format('column %I is there already', attname)
    FROM (VALUES
      ('user_auth_logs', '{ip,duplicate}'::text[]),
      ('admin_event_logs', '{event_time,auth_realm_id,auth_client_uuid,auth_user_id,ip_address,ip,representation_raw,'
                           'error,duplicate}'),
      ('mfi_user_activity_logs', '{id_mfi}'),
      ('portal_groups', '{portal_id,depth,attributes,realm_roles,client_roles,deleted_at}'),
      ('mfi_groups', '{depth,attributes,realm_roles,client_roles,deleted_at}')) AS v (name, columns)
    JOIN pg_attribute ON attrelid = @extschema@._mfi_regclass(name) AND attname = ANY (columns) AND NOT attisdropped
   WHERE name = table_name
$$;
COMMENT ON FUNCTION @extschema@._mfi_columns_in_the_way(text) IS
  'Columns of a table that have the name of one that version 1.1 adds.';
REVOKE ALL ON FUNCTION @extschema@._mfi_columns_in_the_way(text) FROM PUBLIC;

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
  'How much moves when this audit table is partitioned, and for how long it is locked; NULL when it is not worth a '
  'word.';
REVOKE ALL ON FUNCTION @extschema@._mfi_audit_forecast(text) FROM PUBLIC;

CREATE FUNCTION @extschema@._mfi_mark_duplicates(table_name text, key text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM @extschema@._mfi_as_owner(@extschema@._mfi_regclass(table_name), format(
    'UPDATE @extschema@.%1$I t SET duplicate = true FROM (  SELECT tableoid AS partition, ctid AS place, row_number() '
    'OVER (PARTITION BY %2$I, event_time ORDER BY created_on, id) AS nth    FROM @extschema@.%1$I WHERE %2$I IS NOT '
    'NULL) n '
    'WHERE n.nth > 1 AND t.tableoid = n.partition AND t.ctid = n.place', table_name, key));
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_mark_duplicates(text, text) IS
  'Marks each row that repeats the Keycloak event of another one, except the oldest.';
REVOKE ALL ON FUNCTION @extschema@._mfi_mark_duplicates(text, text) FROM PUBLIC;
