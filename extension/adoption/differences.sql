CREATE FUNCTION @extschema@._mfi_widens(found oid, wanted oid) RETURNS boolean
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT found = 'timestamp'::regtype AND wanted = 'timestamptz'::regtype
      OR found IN ('uuid'::regtype, 'jsonb'::regtype) AND wanted = 'text'::regtype
$$;
COMMENT ON FUNCTION @extschema@._mfi_widens(oid, oid) IS
  'Whether adoption may turn a column of the first type into one of the second.';
REVOKE ALL ON FUNCTION @extschema@._mfi_widens(oid, oid) FROM PUBLIC;

CREATE FUNCTION @extschema@._mfi_differences() RETURNS SETOF text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT format('table %I is missing', name)
    FROM unnest(@extschema@._mfi_tables()) AS name WHERE @extschema@._mfi_regclass(name) IS NULL
  UNION ALL
  SELECT format('%s is not a plain table', c.oid::regclass)
    FROM unnest(@extschema@._mfi_tables()) AS name JOIN pg_class c ON c.oid = @extschema@._mfi_regclass(name)
   WHERE c.relkind <> 'r' OR c.relpersistence <> 'p'
     OR EXISTS (SELECT FROM pg_inherits WHERE c.oid IN (inhrelid, inhparent))
  UNION ALL
  SELECT format('column %I of table %s %s', a.column_name, a.relation, problem)
    FROM @extschema@._mfi_adopted_columns() a
   CROSS JOIN LATERAL (
     SELECT CASE
       WHEN (a.found).attname IS NULL THEN CASE WHEN a.column_name <> 'iso_alpha2' THEN 'is missing' END
       WHEN (a.found).atttypid <> (a.wanted).atttypid
         AND NOT @extschema@._mfi_widens((a.found).atttypid, (a.wanted).atttypid)
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
                                                       ELSE format_type(atttypid, atttypmod) END, ', '
                                                         ORDER BY attnum) AS columns
       FROM pg_attribute WHERE attrelid = @extschema@._mfi_regclass(v.name) AND attnum > 0) AS f
   WHERE f.columns <> w.columns
  UNION ALL
  SELECT DISTINCT format('%s uses %s, whose type must widen: drop it, and make it again afterwards',
                         pg_describe_object(d.classid, d.objid, 0),
                           pg_describe_object(d.refclassid, d.refobjid, d.refobjsubid))
    FROM @extschema@._mfi_adopted_columns() a
    JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = a.relation
      AND d.refobjsubid = (a.found).attnum
   WHERE (a.found).atttypid <> (a.wanted).atttypid AND d.deptype IN ('n', 'a')
     AND (d.classid IN ('pg_policy'::regclass, 'pg_trigger'::regclass, 'pg_proc'::regclass,
                        'pg_publication_rel'::regclass)
          OR d.classid = 'pg_attrdef'::regclass
             AND EXISTS (SELECT FROM pg_attrdef WHERE oid = d.objid AND adnum <> (a.found).attnum)
          OR d.classid = 'pg_rewrite'::regclass
            AND EXISTS (SELECT FROM pg_rewrite WHERE oid = d.objid AND rulename <> '_RETURN'))
$$;
COMMENT ON FUNCTION @extschema@._mfi_differences() IS
  'What keeps the existing tables from being adopted, while the schema mfi_reference is there.';
REVOKE ALL ON FUNCTION @extschema@._mfi_differences() FROM PUBLIC;
