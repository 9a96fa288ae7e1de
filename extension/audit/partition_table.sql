CREATE FUNCTION @extschema@._mfi_partition_audit_table(table_name text, new_columns text, time_of_row text,
  event_key text, id_key text)
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
      USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = 'Nothing was changed.',
        HINT = 'Give it its name and schema back, then call it again.';
  END IF;
  -- What this transaction made itself nobody else has seen.
  IF (SELECT xmin FROM pg_class WHERE oid = relation) <> pg_current_xact_id()::xid THEN
    PERFORM @extschema@._mfi_refuse_old_snapshot();
  END IF;
  views := @extschema@._mfi_set_views_aside(ARRAY[relation::regclass]);
  keys := ARRAY(SELECT format('ALTER TABLE %s ADD CONSTRAINT %I %s', parent, conname, pg_get_constraintdef(oid))
                  FROM pg_constraint WHERE conrelid = relation AND contype = 'f');
  indexes := ARRAY(SELECT @extschema@._mfi_made_by('pg_class'::regclass, indexrelid, relation::regclass,
    pg_get_indexdef(indexrelid))
                     FROM pg_index WHERE indrelid = relation AND NOT indisprimary);
  parts := ARRAY(SELECT @extschema@._mfi_made_by('pg_statistic_ext'::regclass, oid, relation::regclass,
                                                 pg_get_statisticsobjdef(oid))
                   FROM pg_statistic_ext WHERE stxrelid = relation)
        || ARRAY(SELECT h FROM @extschema@._mfi_hangers(relation::regclass) h)
        || ARRAY(SELECT c FROM (SELECT relation UNION ALL SELECT serial::oid
                                UNION ALL SELECT indexrelid FROM pg_index
                                  WHERE indrelid = relation AND NOT indisprimary) AS r (oid),
                               @extschema@._mfi_comments(r.oid::regclass) c)
        || ARRAY(SELECT g
                 FROM (VALUES (relation), (serial::oid)) AS r (oid), @extschema@._mfi_grants(r.oid::regclass) g);
  SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) INTO row_columns
    FROM pg_attribute WHERE attrelid = relation AND attnum > 0 AND NOT attisdropped AND attgenerated = '';
  SELECT array_agg(format('ALTER SEQUENCE %s OWNED BY %s.%I', d.objid::regclass, parent, a.attname)) INTO serials
    FROM pg_depend d JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
   WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
     AND d.refobjid = relation AND d.deptype = 'a'
     AND EXISTS (SELECT FROM pg_sequence WHERE seqrelid = d.objid);
  PERFORM @extschema@._mfi_execute(ARRAY(SELECT regexp_replace(c, ' OWNED BY .*', ' OWNED BY NONE')
                                         FROM unnest(serials) c));

  -- In the other schema the old table, its indexes and its sequence are in no name's way.
  EXECUTE format('ALTER TABLE %s SET SCHEMA mfi_audit', parent);
  EXECUTE format('ALTER TABLE %s NO FORCE ROW LEVEL SECURITY', old);  -- its rows move by the hand of their owner
  EXECUTE format('CREATE TABLE %s (LIKE %s INCLUDING ALL EXCLUDING INDEXES EXCLUDING STATISTICS%s) PARTITION BY RANGE '
                 '(event_time)%s',
                 parent, old, ', ' || nullif(new_columns, ''), @extschema@._mfi_tablespace(relation::regclass));
  PERFORM @extschema@._mfi_give_to_owner(relation::regclass, parent);
  -- While there is no partition nothing is looked at. The rows that move in were looked at by the same keys.
  PERFORM @extschema@._mfi_execute(keys);
  -- Indexes that the owner has to make: in mfi_audit the owner may make none, but a partition that comes gets its own
  -- with it.
  PERFORM @extschema@._mfi_execute(ARRAY(SELECT i FROM unnest(indexes) AS i WHERE i LIKE 'SELECT %'));
  PERFORM @extschema@._mfi_add_partition(table_name, NULL::timestamptz);
  -- OFFSET 0 hides the times' statistics: there are few months, so they are hashed, not sorted.
  FOR month IN
    SELECT unnest(@extschema@._mfi_as_owner(relation::regclass, format(
      'SELECT array_agg(m) FROM (SELECT DISTINCT m FROM (SELECT date_trunc(''month'', %1$s, ''UTC'') FROM %2$s WHERE '
      '%1$s >= %3$L AND %1$s < %4$L OFFSET 0) AS o (m)) AS d',
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
  PERFORM @extschema@._mfi_execute(serials || ARRAY(SELECT i FROM unnest(indexes) AS i WHERE i NOT LIKE 'SELECT %')
                                   || parts || views);
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_partition_audit_table(text, text, text, text, text) IS
  'Makes an audit table anew, partitioned by event_time and with new columns, and moves its rows and all that hangs on '
  'it. time_of_row: the expression that gives an old row its event_time; event_key and id_key: commands of its unique '
  'indexes.';
REVOKE ALL ON FUNCTION @extschema@._mfi_partition_audit_table(text, text, text, text, text) FROM PUBLIC;
