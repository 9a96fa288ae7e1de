-- A trial of the adoption
--
-- What would fail is found by trying it, on empty tables: each table that is there is made once more, with the types
-- that it would have, and on it whatever reads a column that becomes another. All of it is in schemas named
-- mfi_trial_<oid of the schema>, in a subtransaction that is rolled back. No row is read, and no lock is taken that a
-- reader or writer of the tables would wait for.

CREATE FUNCTION @extschema@._mfi_trial_name(relation regclass) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT format('mfi_trial_%s.%I', relnamespace, relname) FROM pg_class WHERE oid = relation $$;
COMMENT ON FUNCTION @extschema@._mfi_trial_name(regclass) IS 'The name of a relation in the trial of an adoption.';
REVOKE ALL ON FUNCTION @extschema@._mfi_trial_name(regclass) FROM PUBLIC;

CREATE FUNCTION @extschema@._mfi_in_trial(command text, relations regclass[]) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  relation regclass;
  result text := command;
BEGIN
  FOREACH relation IN ARRAY relations LOOP
    IF strpos(result, relation::text) > 0 THEN
      result := regexp_replace(result, '(?<![[:alnum:]_$".])'
          || regexp_replace(relation::text, '([^[:alnum:]_])', '\\\1', 'g') || '(?![[:alnum:]_$"(])',
        replace(@extschema@._mfi_trial_name(relation), '\', '\\'), 'g');
    END IF;
  END LOOP;
  RETURN result;
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_in_trial(text, regclass[]) IS
  'The command with the names that these relations have in the trial. What the server writes down itself names each '
  'relation with its schema.';
REVOKE ALL ON FUNCTION @extschema@._mfi_in_trial(text, regclass[]) FROM PUBLIC;

CREATE FUNCTION @extschema@._mfi_retyped()
RETURNS TABLE (relation regclass, column_name name, attnum smallint, found oid, wanted oid)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT a.relation, a.column_name, (a.found).attnum, (a.found).atttypid, (a.wanted).atttypid
    FROM @extschema@._mfi_adopted_columns() a
   WHERE (a.found).atttypid <> (a.wanted).atttypid
     AND @extschema@._mfi_widens((a.found).atttypid, (a.wanted).atttypid)
$$;
COMMENT ON FUNCTION @extschema@._mfi_retyped() IS
  'Columns of the existing tables whose type widens, while the schema mfi_reference is there.';
REVOKE ALL ON FUNCTION @extschema@._mfi_retyped() FROM PUBLIC;

CREATE FUNCTION @extschema@._mfi_trial_failure(class regclass, object oid, failure text, detail text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE WHEN failure LIKE '% cannot be made anew: %'
         THEN failure || '. ' || replace(detail, 'Nothing was changed.', 'Drop it, and make it again afterwards.')
         ELSE pg_describe_object(CASE WHEN class = 'pg_rewrite'::regclass THEN 'pg_class'::regclass ELSE class END,
                            CASE WHEN class = 'pg_rewrite'::regclass
                              THEN (SELECT ev_class FROM pg_rewrite WHERE oid = object) ELSE object END, 0)
         || ': ' || left(regexp_replace(failure, '[[:cntrl:]]+', ' ', 'g'), 300)
         || coalesce('; ' || coalesce(string_agg(c.change, ', ' ORDER BY c.change) FILTER (WHERE c.in_failure),
                                      string_agg(c.change, ', ' ORDER BY c.change)), '') END
    FROM (SELECT DISTINCT format('column %s.%I (%s) becomes %s', d.refobjid::regclass, a.attname,
                                 format_type(a.atttypid, a.atttypmod), format_type(t.atttypid, t.atttypmod)),
                 strpos(failure, format_type(t.atttypid, -1)) > 0
            FROM pg_depend d
            JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
            JOIN pg_attribute t ON t.attrelid = to_regclass(@extschema@._mfi_trial_name(d.refobjid::regclass))
                               AND t.attname = a.attname AND t.atttypid <> a.atttypid
           WHERE d.classid = class AND d.objid = object AND d.refclassid = 'pg_class'::regclass
         ) AS c (change, in_failure)
$$;
COMMENT ON FUNCTION @extschema@._mfi_trial_failure(regclass, oid, text, text) IS
  'A line that says what could not be made in the trial, why, and which columns that it reads become others: those of '
  'the type that the failure speaks of, when there are any.';
REVOKE ALL ON FUNCTION @extschema@._mfi_trial_failure(regclass, oid, text, text) FROM PUBLIC;
