CREATE FUNCTION @extschema@.mfi_audit_expire(
  keep_months integer, dry_run boolean DEFAULT false, OUT partition text, OUT rows bigint,
    OUT decision text, OUT reason text)
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
      CONTINUE WHEN NOT EXISTS (SELECT FROM @extschema@._mfi_expired_partitions(keep_months) e
                                WHERE e.relation = old.relation AND e.parent = old.parent);
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
        'INSERT INTO mfi.audit_watch (relation, expired_at) VALUES (%L, now()) ON CONFLICT (relation) DO UPDATE SET '
        'expired_at = now()', partition));
      decision := 'dropped';
    END IF;
    RETURN NEXT;
  END LOOP;
END
$$;
COMMENT ON FUNCTION @extschema@.mfi_audit_expire(integer, boolean) IS
  'Drops the months of the audit tables that are older than keep_months before the current one, each only when the '
  'newest backup proven by a restore holds all of its rows; that backup is held from then on. One row for each such '
  'month: dropped, or kept and why. With dry_run nothing is changed.';
REVOKE ALL ON FUNCTION @extschema@.mfi_audit_expire(integer, boolean) FROM PUBLIC;

CREATE FUNCTION @extschema@._mfi_expired_partitions(keep_months integer) RETURNS TABLE (name text,
  parent regclass, relation regclass)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
  SELECT t.name, i.inhparent::regclass, c.oid::regclass
    FROM unnest(@extschema@._mfi_audit_tables()) WITH ORDINALITY AS t (name, position)
    JOIN pg_inherits i ON i.inhparent = @extschema@._mfi_regclass(t.name)
    JOIN pg_class c ON c.oid = i.inhrelid
   CROSS JOIN LATERAL (SELECT to_timestamp(substring(c.relname FROM '_([1-9][0-9]{3}(?:0[1-9]|1[0-2]))$'),
                                           'YYYYMM')) AS m (month)
   WHERE m.month < @extschema@._mfi_month(now(), -keep_months)
     AND c.oid = to_regclass(@extschema@._mfi_partition_name(t.name, m.month))
   ORDER BY t.position, m.month
$$;
COMMENT ON FUNCTION @extschema@._mfi_expired_partitions(integer) IS
  'Partitions of whole months before the last keep_months ones, oldest first.';
REVOKE ALL ON FUNCTION @extschema@._mfi_expired_partitions(integer) FROM PUBLIC;

CREATE FUNCTION @extschema@._mfi_expiry_decision(relation regclass, row_count bigint, backup text,
  OUT decision text, OUT reason text)
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
    reason := 'no backup of this database was proven by a restore: SELECT mfi_backup_now(wait => true), with '
              'mfi.backup_verify = restore';
    RETURN;
  END IF;
  SELECT b.rows INTO held_rows FROM @extschema@._mfi_backup_tables(backup) b WHERE b.oid = relation::oid;
  IF held_rows IS NULL THEN
    reason := format('backup %s does not have it: take a new one, SELECT mfi_backup_now(wait => true)', backup);
  ELSIF held_rows <> row_count THEN
    reason := format('backup %s has %s of its %s rows: take a new one, SELECT mfi_backup_now(wait => true)',
                     backup, held_rows, row_count);
  ELSE
    decision := 'drop';
    reason := format('backup %s has all of its rows', backup);
  END IF;
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_expiry_decision(regclass, bigint, text) IS
  'Whether a partition with so many rows may be dropped, and why or why not. A partition is known in a backup by its '
  'oid: one made later under the same name is another one.';
REVOKE ALL ON FUNCTION @extschema@._mfi_expiry_decision(regclass, bigint, text) FROM PUBLIC;
