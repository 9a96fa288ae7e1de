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
      USING ERRCODE = 'object_not_in_prerequisite_state',
        HINT = 'Give it its name and schema back, then call it again.';
  END IF;
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_lock_audit_table(text, regclass) IS
  'Locks an audit table and all its partitions for this transaction alone, and fails when it is no longer the one of '
  'that name. What is looked up in the next statement stays so.';
REVOKE ALL ON FUNCTION @extschema@._mfi_lock_audit_table(text, regclass) FROM PUBLIC;

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
        USING ERRCODE = 'object_not_in_prerequisite_state',
          HINT = 'Give it its name and place back, then call it again.';
    END IF;
    IF @extschema@._mfi_referrer(parent) IS NOT NULL THEN
      RETURN NEXT format('rows of %s stay in %s: %s refers to it', relation, outside,
                         @extschema@._mfi_referrer(parent));
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
                   UNION SELECT @extschema@._mfi_month(now(), further)
                     FROM generate_series(0, months) AS further) AS wanted (m)
     WHERE NOT EXISTS (SELECT FROM pg_inherits i
                        WHERE i.inhparent = parent AND i.inhrelid
                          = to_regclass(@extschema@._mfi_partition_name(relation, m)))
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
        USING ERRCODE = 'data_exception',
          DETAIL = format('%s of them would be neither there nor in a month. Nothing was changed.',
                          rows - @extschema@._mfi_count(outside)),
              HINT = 'A trigger ENABLE ALWAYS, or something else that the owner of the table has put on it, changes '
                     'or swallows them.';
    END IF;
    EXECUTE format('ALTER TABLE %s ENABLE TRIGGER append_only', outside);
    PERFORM @extschema@._mfi_as_owner(parent, format('ALTER TABLE %s ATTACH PARTITION %s DEFAULT', parent, outside));
    PERFORM @extschema@._mfi_watched(
      format('UPDATE mfi.audit_watch SET rows = NULL, counted_at = NULL WHERE relation = %L', outside));
  END IF;
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_audit_arrange(text, integer) IS
  'Makes the partitions of an audit table that are missing for the current month, so many further, and every month '
  'whose rows are in the default partition; returns one line for each.';
REVOKE ALL ON FUNCTION @extschema@._mfi_audit_arrange(text, integer) FROM PUBLIC;
