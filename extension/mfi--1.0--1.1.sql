\echo Use "ALTER EXTENSION mfi UPDATE" to load this file. \quit

-- Schema 1.1: the audit tables become monthly partitions that only grow; columns for group sync.
--
-- Months are those of UTC, whatever the session's time zone. A month that has no partition yet goes
-- to the default partition, so that no event is ever refused; _mfi_audit_arrange moves it out later.

-- Append-only

CREATE FUNCTION _mfi_refuse_change() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RAISE EXCEPTION '% on %.% is refused', TG_OP, quote_ident(TG_TABLE_SCHEMA), quote_ident(TG_TABLE_NAME)
    USING ERRCODE = 'object_not_in_prerequisite_state',
          DETAIL = 'Audit tables only grow.',
          HINT = 'Whole months that a verified backup contains go by SELECT * FROM mfi_audit_expire(keep_months => 24).';
END
$$;
COMMENT ON FUNCTION _mfi_refuse_change() IS 'Trigger: refuses UPDATE, DELETE and TRUNCATE on audit tables and their partitions.';

CREATE FUNCTION _mfi_audit_tables() RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT ARRAY['user_auth_logs', 'admin_event_logs', 'user_activity_logs', 'mfi_user_activity_logs'] $$;
COMMENT ON FUNCTION _mfi_audit_tables() IS 'Names of the audit tables.';

CREATE FUNCTION _mfi_append_only(relation text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %s '
                'EXECUTE FUNCTION @extschema@._mfi_refuse_change()', relation)
$$;
COMMENT ON FUNCTION _mfi_append_only(text) IS
  'Command that makes a relation append-only. Statement triggers are not inherited: each partition has its own.';

CREATE OR REPLACE FUNCTION _mfi_triggers() RETURNS TABLE (relation text, trigger_name text, command text)
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
  SELECT '@extschema@.' || quote_ident(name), 'append_only',
         @extschema@._mfi_append_only('@extschema@.' || quote_ident(name))
    FROM unnest(@extschema@._mfi_audit_tables()) AS name
  UNION ALL
  SELECT i.inhrelid::regclass::text, 'append_only', @extschema@._mfi_append_only(i.inhrelid::regclass::text)
    FROM unnest(@extschema@._mfi_audit_tables()) AS name
    JOIN pg_inherits i ON i.inhparent = @extschema@._mfi_regclass(name)
  UNION ALL
  SELECT 'mfi.schema_version', 'guard_schema_version',
         'CREATE TRIGGER guard_schema_version BEFORE UPDATE OR DELETE OR TRUNCATE '
         'ON mfi.schema_version EXECUTE FUNCTION @extschema@._mfi_guard_schema_version()'
$$;

-- Partitions

CREATE FUNCTION _mfi_month(at timestamptz, further integer DEFAULT 0) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT (date_trunc('month', at AT TIME ZONE 'UTC') + make_interval(months => further)) AT TIME ZONE 'UTC'
$$;
COMMENT ON FUNCTION _mfi_month(timestamptz, integer) IS 'Begin, in UTC, of the month of a moment, or of one so many months further.';

CREATE FUNCTION _mfi_partition_name(relation text, month timestamptz) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT 'mfi_audit.' || quote_ident(relation || coalesce(to_char(month AT TIME ZONE 'UTC', '_YYYYMM'), '_default'))
$$;
COMMENT ON FUNCTION _mfi_partition_name(text, timestamptz) IS
  'Name of the partition of an audit table for a month; of its default partition when the month is NULL.';

CREATE FUNCTION _mfi_add_partition(relation text, month timestamptz) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
DECLARE
  parent regclass := @extschema@._mfi_regclass(relation);
  name text := @extschema@._mfi_partition_name(relation, month);
  outside regclass := to_regclass(@extschema@._mfi_partition_name(relation, NULL));
  columns text;
BEGIN
  IF to_regclass(name) IS NOT NULL THEN
    RAISE EXCEPTION '% exists but is not a partition of %', name, parent
      USING ERRCODE = 'duplicate_table',
            HINT = format('Rename it, or put it back: ALTER TABLE %s ATTACH PARTITION %s FOR VALUES FROM (%L) TO (%L).',
                          parent, name, month, @extschema@._mfi_month(month, 1));
  END IF;
  -- A table that is attached locks the parent less than one made as a partition.
  EXECUTE format('CREATE TABLE %s (LIKE %s INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED '
                 'INCLUDING STORAGE INCLUDING COMPRESSION)', name, parent);
  EXECUTE format('ALTER TABLE %s OWNER TO %I', name,
                 (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = parent));
  IF month IS NULL THEN
    EXECUTE format('COMMENT ON TABLE %s IS %L', name, format('Rows of %s whose month has no partition.', parent));
    -- Rows without a time may be many; the health check asks for the others every few seconds.
    EXECUTE format('CREATE INDEX ON %s (event_time)', name);
    EXECUTE format('ALTER TABLE %s ATTACH PARTITION %s DEFAULT', parent, name);
  ELSE
    IF outside IS NOT NULL AND NOT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = outside) THEN
      SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) INTO columns
        FROM pg_attribute WHERE attrelid = outside AND attnum > 0 AND NOT attisdropped AND attgenerated = '';
      EXECUTE format('WITH moved AS (DELETE FROM %s WHERE event_time >= $1 AND event_time < $2 RETURNING %s) '
                     'INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE SELECT * FROM moved', outside, columns, name, columns)
        USING month, @extschema@._mfi_month(month, 1);
    END IF;
    EXECUTE format('COMMENT ON TABLE %s IS %L', name, format('Rows of %s of %s (UTC).', parent, to_char(month, 'YYYY-MM')));
    EXECUTE format('ALTER TABLE %s ATTACH PARTITION %s FOR VALUES FROM (%L) TO (%L)', parent, name, month,
                   @extschema@._mfi_month(month, 1));
  END IF;
  EXECUTE @extschema@._mfi_append_only(name);
END
$$;
COMMENT ON FUNCTION _mfi_add_partition(text, timestamptz) IS
  'Makes and attaches the partition of an audit table for a month, or its default partition when the month is NULL. '
  'While the default partition is detached, the month''s rows move out of it.';

CREATE FUNCTION _mfi_stray_months(relation regclass, last_month timestamptz) RETURNS SETOF timestamptz
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN QUERY EXECUTE format(
    'SELECT DISTINCT date_trunc(''month'', event_time, ''UTC'') FROM %s WHERE event_time >= $1 AND event_time < $2 ORDER BY 1', relation)
    USING timestamptz '2000-01-01 00:00Z', @extschema@._mfi_month(last_month, 1);
END
$$;
COMMENT ON FUNCTION _mfi_stray_months(regclass, timestamptz) IS
  'Months, from 2000 to the given one, that have rows in this relation. A time outside of that is a mistake of '
  'the sender and gets no partition.';

CREATE FUNCTION _mfi_audit_arrange(relation text, months integer) RETURNS SETOF text
LANGUAGE plpgsql
SET search_path = @extschema@, pg_temp
AS $$
DECLARE
  parent regclass := _mfi_regclass(relation);
  outside regclass := to_regclass(_mfi_partition_name(relation, NULL));
  last_month timestamptz := _mfi_month(now(), months);
  stray timestamptz[];
  month timestamptz;
BEGIN
  IF outside IS NULL THEN
    PERFORM _mfi_add_partition(relation, NULL);
    outside := _mfi_partition_name(relation, NULL)::regclass;
    RETURN NEXT format('partition %s made', outside);
  END IF;
  stray := ARRAY(SELECT _mfi_stray_months(outside, last_month));
  IF stray <> '{}' THEN
    EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', parent);
    EXECUTE format('ALTER TABLE %s DETACH PARTITION %s', parent, outside);
    EXECUTE format('ALTER TABLE %s DISABLE TRIGGER append_only', outside);
    stray := ARRAY(SELECT _mfi_stray_months(outside, last_month));
  END IF;
  FOR month IN
    SELECT m FROM (SELECT unnest(stray)
                   UNION SELECT _mfi_month(now(), further) FROM generate_series(0, months) AS further) AS wanted (m)
     WHERE NOT EXISTS (SELECT FROM pg_inherits i
                        WHERE i.inhparent = parent AND i.inhrelid = to_regclass(_mfi_partition_name(relation, m)))
     ORDER BY m
  LOOP
    PERFORM _mfi_add_partition(relation, month);
    RETURN NEXT format('partition %s made%s', _mfi_partition_name(relation, month),
                       CASE WHEN month = ANY (stray) THEN ', with the rows that were in ' || outside END);
  END LOOP;
  IF stray <> '{}' THEN
    EXECUTE format('ALTER TABLE %s ENABLE TRIGGER append_only', outside);
    EXECUTE format('ALTER TABLE %s ATTACH PARTITION %s DEFAULT', parent, outside);
  END IF;
END
$$;
COMMENT ON FUNCTION _mfi_audit_arrange(text, integer) IS
  'Makes the partitions of an audit table that are missing for the current month, so many further, and every month '
  'whose rows are in the default partition; returns one line for each.';

-- Migration 1.1

CREATE FUNCTION _mfi_audit_obstacles(table_name text) RETURNS SETOF text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  WITH t AS (SELECT c.* FROM pg_class c WHERE c.oid = @extschema@._mfi_regclass(table_name)),
  dropped AS (SELECT oid FROM t UNION SELECT v.view::oid FROM t, @extschema@._mfi_views_over(ARRAY[t.oid::regclass]) v),
  types AS (SELECT y.oid, y.typarray FROM pg_class c JOIN pg_type y ON y.oid = c.reltype WHERE c.oid IN (SELECT oid FROM dropped))
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
     AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = t.oid AND a.attname = 'event_time' AND a.attnum = ANY (i.indkey))
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
     AND d.classid NOT IN ('pg_trigger'::regclass, 'pg_constraint'::regclass, 'pg_policy'::regclass, 'pg_attrdef'::regclass,
                           'pg_statistic_ext'::regclass)
     AND NOT EXISTS (SELECT FROM pg_rewrite r WHERE d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
                                                AND r.ev_class IN (SELECT oid FROM dropped))
$$;
COMMENT ON FUNCTION _mfi_audit_obstacles(text) IS
  'What keeps an audit table from being made anew as a partitioned one.';

CREATE FUNCTION _mfi_audit_forecast(table_name text) RETURNS text
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
COMMENT ON FUNCTION _mfi_audit_forecast(text) IS
  'How much moves when this audit table is partitioned, and for how long it is locked; NULL when it is not worth a word.';

CREATE FUNCTION _mfi_mark_duplicates(table_name text, key text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  EXECUTE format(
    'UPDATE @extschema@.%1$I t SET duplicate = true FROM ('
    '  SELECT tableoid AS partition, ctid AS place, row_number() OVER (PARTITION BY %2$I, event_time ORDER BY created_on, id) AS nth'
    '    FROM @extschema@.%1$I WHERE %2$I IS NOT NULL) n '
    'WHERE n.nth > 1 AND t.tableoid = n.partition AND t.ctid = n.place', table_name, key);
END
$$;
COMMENT ON FUNCTION _mfi_mark_duplicates(text, text) IS
  'Marks each row that repeats the Keycloak event of another one, except the oldest.';

CREATE FUNCTION _mfi_partition_audit_table(table_name text, new_columns text, time_of_row text, event_key text, id_key text)
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
  parts text[];
  row_columns text;
  month timestamptz;
BEGIN
  IF forecast IS NOT NULL THEN
    RAISE WARNING '%: %', parent, forecast;  -- inside a script a NOTICE would not be seen
  END IF;
  EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', parent);
  views := @extschema@._mfi_set_views_aside(ARRAY[relation::regclass]);
  parts := ARRAY(SELECT format('ALTER TABLE %s ADD CONSTRAINT %I %s', parent, conname, pg_get_constraintdef(oid))
                   FROM pg_constraint WHERE conrelid = relation AND contype = 'f')
        || ARRAY(SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = relation AND NOT indisprimary)
        || ARRAY(SELECT pg_get_statisticsobjdef(oid) FROM pg_statistic_ext WHERE stxrelid = relation)
        || ARRAY(SELECT h FROM @extschema@._mfi_hangers(relation) h)
        || ARRAY(SELECT c FROM (SELECT relation UNION ALL SELECT serial::oid
                                UNION ALL SELECT indexrelid FROM pg_index WHERE indrelid = relation AND NOT indisprimary) AS r (oid),
                               @extschema@._mfi_comments(r.oid) c)
        || ARRAY(SELECT g FROM (VALUES (relation), (serial::oid)) AS r (oid), @extschema@._mfi_grants(r.oid) g);
  SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) INTO row_columns
    FROM pg_attribute WHERE attrelid = relation AND attnum > 0 AND NOT attisdropped AND attgenerated = '';
  SELECT array_agg(format('ALTER SEQUENCE %s OWNED BY %s.%I', d.objid::regclass, parent, a.attname)) INTO serials
    FROM pg_depend d JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
   WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = relation AND d.deptype = 'a'
     AND EXISTS (SELECT FROM pg_sequence WHERE seqrelid = d.objid);
  PERFORM @extschema@._mfi_execute(ARRAY(SELECT regexp_replace(c, ' OWNED BY .*', ' OWNED BY NONE') FROM unnest(serials) c));

  -- In the other schema the old table, its indexes and its sequence are in no name's way.
  EXECUTE format('ALTER TABLE %s SET SCHEMA mfi_audit', parent);
  EXECUTE format('CREATE TABLE %s (LIKE %s INCLUDING ALL EXCLUDING INDEXES EXCLUDING STATISTICS%s) PARTITION BY RANGE (event_time)',
                 parent, old, ', ' || nullif(new_columns, ''));
  PERFORM @extschema@._mfi_add_partition(table_name, NULL);
  -- OFFSET 0 hides the times' statistics: there are few months, so they are hashed, not sorted.
  FOR month IN EXECUTE format(
    'SELECT DISTINCT m FROM (SELECT date_trunc(''month'', %s, ''UTC'') FROM %s WHERE %1$s >= $1 AND %1$s < $2 OFFSET 0) AS o (m) '
    'UNION SELECT @extschema@._mfi_month(now(), further) FROM generate_series(0, 3) AS further ORDER BY 1', time_of_row, old)
    USING timestamptz '2000-01-01 00:00Z', @extschema@._mfi_month(now(), 4)
  LOOP
    PERFORM @extschema@._mfi_add_partition(table_name, month);
  END LOOP;
  EXECUTE format('INSERT INTO %1$s (%2$s%3$s) OVERRIDING SYSTEM VALUE SELECT %2$s%4$s FROM %5$s', parent, row_columns,
                 CASE WHEN time_of_row <> 'event_time' THEN ', event_time' END,
                 CASE WHEN time_of_row <> 'event_time' THEN ', ' || time_of_row END, old);
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
  PERFORM @extschema@._mfi_execute(serials || parts || views);
END
$$;
COMMENT ON FUNCTION _mfi_partition_audit_table(text, text, text, text, text) IS
  'Makes an audit table anew, partitioned by event_time and with new columns, and moves its rows and all that hangs on '
  'it. time_of_row: the expression that gives an old row its event_time; event_key and id_key: commands of its unique indexes.';

CREATE FUNCTION _mfi_migration_1_1() RETURNS TABLE (step text, command text)
LANGUAGE plpgsql STABLE
SET search_path = @extschema@, pg_temp
AS $migration$
DECLARE
  obstacles text;
BEGIN
  SELECT string_agg(format('%I: %s', name, obstacle), E'\n' ORDER BY name, obstacle) INTO obstacles
    FROM unnest(_mfi_audit_tables()) AS name, _mfi_audit_obstacles(name) AS obstacle;
  IF obstacles IS NOT NULL THEN
    RAISE EXCEPTION 'the audit tables cannot be partitioned while other objects are in the way'
      USING ERRCODE = 'dependent_objects_still_exist', DETAIL = obstacles || E'\nNothing was changed.',
            HINT = 'Drop these objects, migrate, and make them again where they still make sense.';
  END IF;
  RETURN QUERY

SELECT format('table %s: partitions by month%s', t.name, ' (' || _mfi_audit_forecast(t.name) || ')'),
       format('SELECT _mfi_partition_audit_table(%L, %L, %L, %L, %L)', t.name, t.new_columns, t.time_of_row, t.event_key, t.id_key)
         || E';\n' || t.comments
  FROM (VALUES
('user_auth_logs', $sql$ip inet, duplicate boolean NOT NULL DEFAULT false$sql$, 'event_time',
 'CREATE UNIQUE INDEX ON @extschema@.user_auth_logs (iam_event_id, event_time) WHERE NOT duplicate',
 'CREATE UNIQUE INDEX ON @extschema@.user_auth_logs (id, event_time)', $sql$
COMMENT ON COLUMN user_auth_logs.ip IS 'ip_address, when it is an address.';
COMMENT ON COLUMN user_auth_logs.duplicate IS
  'True for a row from before version 1.1 that repeats the event of another row; since then an event is taken once.';
$sql$),
('admin_event_logs', $sql$event_time timestamptz NOT NULL DEFAULT now(), auth_realm_id text, auth_client_uuid text,
  auth_user_id text, ip_address text, ip inet, representation_raw text, error text, duplicate boolean NOT NULL DEFAULT false$sql$,
 'coalesce(created_on, now())',
 'CREATE UNIQUE INDEX ON @extschema@.admin_event_logs (event_id, event_time) WHERE NOT duplicate',
 'CREATE UNIQUE INDEX ON @extschema@.admin_event_logs (id, event_time)', $sql$
COMMENT ON COLUMN admin_event_logs.event_time IS
  'When it happened. Rows from before version 1.1 have the time they were written.';
COMMENT ON COLUMN admin_event_logs.auth_realm_id IS 'Keycloak realm of the administrator.';
COMMENT ON COLUMN admin_event_logs.auth_client_uuid IS 'Keycloak''s id, not the name, of the client the administrator used.';
COMMENT ON COLUMN admin_event_logs.auth_user_id IS 'Keycloak''s id of the administrator.';
COMMENT ON COLUMN admin_event_logs.ip_address IS 'As Keycloak sent it; not always an address.';
COMMENT ON COLUMN admin_event_logs.ip IS 'ip_address, when it is an address.';
COMMENT ON COLUMN admin_event_logs.representation_raw IS 'The representation as sent, when it is not JSON.';
COMMENT ON COLUMN admin_event_logs.duplicate IS
  'True for a row from before version 1.1 that repeats the event of another row; since then an event is taken once.';
$sql$),
('user_activity_logs', '', 'event_time', NULL,
 'CREATE UNIQUE INDEX ON @extschema@.user_activity_logs (id, event_time) NULLS NOT DISTINCT', $sql$
ALTER TABLE user_activity_logs ALTER COLUMN event_time SET DEFAULT now();
COMMENT ON COLUMN user_activity_logs.event_time IS 'When it happened; NULL when nobody knows.';
$sql$),
('mfi_user_activity_logs', 'id_mfi uuid', 'event_time', NULL,
 'CREATE UNIQUE INDEX ON @extschema@.mfi_user_activity_logs (id, event_time) NULLS NOT DISTINCT', $sql$
ALTER TABLE mfi_user_activity_logs ALTER COLUMN event_time SET DEFAULT now();
COMMENT ON COLUMN mfi_user_activity_logs.event_time IS 'When it happened; NULL when nobody knows.';
COMMENT ON COLUMN mfi_user_activity_logs.id_mfi IS 'mfi_clients.id; no foreign key: the log outlives the MFI.';
$sql$)) AS t (name, new_columns, time_of_row, event_key, id_key, comments);

  RETURN QUERY VALUES
('columns of portal_groups for group sync', $sql$
ALTER TABLE portal_groups
  ADD COLUMN portal_id    uuid REFERENCES portals (id) ON DELETE SET NULL,
  ADD COLUMN depth        integer CHECK (depth >= 0),
  ADD COLUMN attributes   jsonb,
  ADD COLUMN realm_roles  jsonb,
  ADD COLUMN client_roles jsonb,
  ADD COLUMN deleted_at   timestamptz;
CREATE INDEX ON portal_groups (portal_id);
CREATE INDEX portal_groups_realm_idx ON portal_groups (split_part(ltrim(group_path, '/'), '/', 1)) WHERE portal_id IS NULL;
COMMENT ON COLUMN portal_groups.portal_id IS
  'The portal of the group. NULL: that of the realm that group_path begins with.';
COMMENT ON COLUMN portal_groups.depth IS 'Depth in Keycloak''s tree, 0 at the top.';
COMMENT ON COLUMN portal_groups.attributes IS 'Keycloak''s attributes of the group.';
COMMENT ON COLUMN portal_groups.realm_roles IS 'Keycloak''s realm roles of the group.';
COMMENT ON COLUMN portal_groups.client_roles IS 'Keycloak''s client roles of the group.';
COMMENT ON COLUMN portal_groups.deleted_at IS
  'When Keycloak was found without the group. Its memberships stay, but no view shows them.';
$sql$),

('user_groups: vacuumed sooner, so that v_active_portals reads its index alone', $sql$
ALTER TABLE user_groups SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_insert_scale_factor = 0.02);
$sql$),

('columns of mfi_groups for group sync', $sql$
ALTER TABLE mfi_groups
  ADD COLUMN depth        integer CHECK (depth >= 0),
  ADD COLUMN attributes   jsonb,
  ADD COLUMN realm_roles  jsonb,
  ADD COLUMN client_roles jsonb,
  ADD COLUMN deleted_at   timestamptz;
COMMENT ON COLUMN mfi_groups.depth IS 'Depth in Keycloak''s tree, 0 at the top.';
COMMENT ON COLUMN mfi_groups.attributes IS 'Keycloak''s attributes of the group.';
COMMENT ON COLUMN mfi_groups.realm_roles IS 'Keycloak''s realm roles of the group.';
COMMENT ON COLUMN mfi_groups.client_roles IS 'Keycloak''s client roles of the group.';
COMMENT ON COLUMN mfi_groups.deleted_at IS 'When Keycloak was found without the group.';
$sql$),

('view v_active_portals: by portal_groups.portal_id', $sql$
ALTER EXTENSION mfi ADD VIEW v_active_portals;
CREATE OR REPLACE VIEW v_active_portals WITH (security_invoker = true) AS
SELECT p.id, p.name, p.description, p.realm_id, p.is_active, p.on_prod,
       (SELECT count(DISTINCT ug.user_id)
          FROM user_groups ug
         WHERE ug.group_id = ANY (ARRAY(
               SELECT g.iam_group_id
                 FROM portal_groups g
                WHERE g.portal_id = p.id AND g.deleted_at IS NULL
                UNION ALL
               SELECT g.iam_group_id
                 FROM portal_groups g
                WHERE g.portal_id IS NULL AND split_part(ltrim(g.group_path, '/'), '/', 1) = p.realm_id
                  AND g.deleted_at IS NULL))) AS user_count,
       p.created_on, p.updated_at
  FROM portals p
 WHERE p.is_active;
ALTER EXTENSION mfi DROP VIEW v_active_portals;
COMMENT ON COLUMN v_active_portals.user_count IS
  'Distinct users in groups of the portal (portal_groups.portal_id; where that is NULL, groups whose path begins with '
  'the portal''s realm); 0 when there are none.';
$sql$),

('view v_user_group_assignments: without deleted groups', $sql$
ALTER EXTENSION mfi ADD VIEW v_user_group_assignments;
CREATE OR REPLACE VIEW v_user_group_assignments WITH (security_invoker = true) AS
SELECT u.id AS user_id, u.username, u.email, u.fname, u.lname,
       g.name AS group_name, g.iam_group_id, ug.assigned_by, ug.assigned_on
  FROM user_groups ug
  JOIN portal_users u ON u.id_iam = ug.user_id
  JOIN portal_groups g ON g.iam_group_id = ug.group_id
 WHERE g.deleted_at IS NULL;
ALTER EXTENSION mfi DROP VIEW v_user_group_assignments;
$sql$);
END
$migration$;
COMMENT ON FUNCTION _mfi_migration_1_1() IS
  'Steps of schema version 1.1, in order: what each makes and its command. Fails when something keeps an audit table '
  'from being partitioned.';

-- What users call

CREATE FUNCTION mfi_audit_ensure_partitions(months integer DEFAULT 3) RETURNS SETOF text
LANGUAGE plpgsql
SET search_path = @extschema@, pg_temp
AS $$
DECLARE
  name text;
  line text;
BEGIN
  IF months IS NULL OR months NOT BETWEEN 0 AND 120 THEN
    RAISE EXCEPTION 'months must be between 0 and 120, not %', coalesce(months::text, 'NULL')
      USING ERRCODE = 'invalid_parameter_value', HINT = 'It is the number of months after the current one.';
  END IF;
  PERFORM _mfi_require_partitions();
  -- One at a time, until the end of the transaction: a second caller waits, then finds nothing to do.
  PERFORM pg_advisory_xact_lock('pg_extension'::regclass::oid::int,
                                (SELECT oid::int FROM pg_extension WHERE extname = 'mfi'));
  FOREACH name IN ARRAY _mfi_audit_tables() LOOP
    RETURN QUERY SELECT _mfi_audit_arrange(name, months);
  END LOOP;
END
$$;
COMMENT ON FUNCTION mfi_audit_ensure_partitions(integer) IS
  'Makes the partitions of the audit tables for the current month and so many after it, and those of the months whose '
  'rows are in a default partition; returns one line for each. The worker calls it by itself.';

CREATE FUNCTION _mfi_require_partitions() RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = @extschema@, pg_temp
AS $$
BEGIN
  IF pg_is_in_recovery() THEN
    RAISE EXCEPTION 'this server is a standby'
      USING ERRCODE = 'read_only_sql_transaction', HINT = 'Connect to the primary and call it there.';
  END IF;
  IF NOT _mfi_schema_ready() OR string_to_array(mfi_schema_version(), '.')::int[] < ARRAY[1, 1] THEN
    RAISE EXCEPTION 'the audit tables of this database have no partitions yet'
      USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'When a restore is running, wait for its end; else SELECT mfi_migrate_schema().';
  END IF;
  IF _mfi_restore_runs() THEN
    RAISE EXCEPTION 'a restore is running in this database'
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Wait for its end.';
  END IF;
END
$$;
COMMENT ON FUNCTION _mfi_require_partitions() IS
  'Fails unless the audit tables of this database are complete, partitioned and writable.';

CREATE FUNCTION _mfi_restore_runs() RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'pg_restore')
$$;
COMMENT ON FUNCTION _mfi_restore_runs() IS
  'Whether pg_restore works in this database. The index of a partitioned table that is still to come would be invalid '
  'for ever if a partition were made now.';

CREATE FUNCTION mfi_audit_expire(
  keep_months integer, dry_run boolean DEFAULT false, OUT partition text, OUT rows bigint, OUT decision text, OUT reason text)
RETURNS SETOF record
LANGUAGE plpgsql
SET search_path = @extschema@, pg_temp
AS $$
DECLARE
  backup record;
  old record;
BEGIN
  IF keep_months IS NULL OR keep_months NOT BETWEEN 1 AND 1200 THEN
    RAISE EXCEPTION 'keep_months must be between 1 and 1200, not %', coalesce(keep_months::text, 'NULL')
      USING ERRCODE = 'invalid_parameter_value', HINT = 'It is the number of months before the current one that stay.';
  END IF;
  PERFORM _mfi_require_partitions();
  SELECT b.id, b.held INTO backup FROM mfi_backups b
   WHERE b.database = current_database() AND NOT b.is_foreign AND b.path IS NOT NULL
     AND b.verify_method = 'restore' AND b.verify_result = 'ok'
   ORDER BY b.finished_at DESC LIMIT 1;
  FOR old IN SELECT * FROM _mfi_expired_partitions(keep_months) LOOP
    partition := old.relation::text;
    EXECUTE format('SELECT count(*) FROM %s', partition) INTO rows;
    SELECT * INTO decision, reason FROM _mfi_expiry_decision(old.relation, rows, backup.id);
    IF decision = 'drop' AND NOT dry_run THEN
      -- Nothing may be written into it between the last count and its end.
      EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', old.parent);
      EXECUTE format('SELECT count(*) FROM %s', partition) INTO rows;
      SELECT * INTO decision, reason FROM _mfi_expiry_decision(old.relation, rows, backup.id);
    END IF;
    IF decision = 'drop' AND NOT dry_run THEN
      IF NOT backup.held THEN
        PERFORM mfi_backup_hold(backup.id, 'holds audit months that were dropped from the database');
        backup.held := true;
      END IF;
      EXECUTE format('ALTER TABLE %s DETACH PARTITION %s', old.parent, partition);
      EXECUTE format('DROP TABLE %s', partition);
      decision := 'dropped';
    END IF;
    RETURN NEXT;
  END LOOP;
END
$$;
COMMENT ON FUNCTION mfi_audit_expire(integer, boolean) IS
  'Drops the months of the audit tables that are older than keep_months before the current one, each only when the newest '
  'backup proven by a restore holds all of its rows; that backup is held from then on. One row for each such month: dropped, or kept '
  'and why. With dry_run nothing is changed.';

CREATE FUNCTION _mfi_expired_partitions(keep_months integer) RETURNS TABLE (parent regclass, relation regclass)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
  SELECT i.inhparent::regclass, c.oid::regclass
    FROM unnest(@extschema@._mfi_audit_tables()) WITH ORDINALITY AS t (name, position)
    JOIN pg_inherits i ON i.inhparent = @extschema@._mfi_regclass(t.name)
    JOIN pg_class c ON c.oid = i.inhrelid
   CROSS JOIN LATERAL (SELECT to_timestamp(substring(c.relname FROM '_([0-9]{6})$'), 'YYYYMM')) AS m (month)
   WHERE m.month < @extschema@._mfi_month(now(), -keep_months) AND c.oid = to_regclass(@extschema@._mfi_partition_name(t.name, m.month))
   ORDER BY t.position, m.month
$$;
COMMENT ON FUNCTION _mfi_expired_partitions(integer) IS
  'Partitions of whole months before the last keep_months ones, oldest first.';

CREATE FUNCTION _mfi_expiry_decision(relation regclass, row_count bigint, backup text, OUT decision text, OUT reason text)
LANGUAGE plpgsql
SET search_path = @extschema@, pg_temp
AS $$
DECLARE
  held_rows bigint;
BEGIN
  decision := 'keep';
  IF backup IS NULL THEN
    reason := 'no backup of this database was proven by a restore: SELECT mfi_backup_now(wait => true), with mfi.backup_verify = restore';
    RETURN;
  END IF;
  SELECT b.rows INTO held_rows FROM _mfi_backup_tables(backup) b WHERE b.oid = relation::oid;
  IF held_rows IS NULL THEN
    reason := format('backup %s does not have it: take a new one, SELECT mfi_backup_now(wait => true)', backup);
  ELSIF held_rows <> row_count THEN
    reason := format('backup %s has %s of its %s rows: take a new one, SELECT mfi_backup_now(wait => true)', backup, held_rows, row_count);
  ELSE
    decision := 'drop';
    reason := format('backup %s has all of its rows', backup);
  END IF;
END
$$;
COMMENT ON FUNCTION _mfi_expiry_decision(regclass, bigint, text) IS
  'Whether a partition with so many rows may be dropped, and why or why not. A partition is known in a backup by its oid: '
  'one made later under the same name is another one.';

CREATE FUNCTION _mfi_backup_tables(id text, OUT oid oid, OUT name text, OUT rows bigint)
RETURNS SETOF record
LANGUAGE c VOLATILE STRICT PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'mfi_backup_tables';
COMMENT ON FUNCTION _mfi_backup_tables(text) IS
  'Tables of a backup set with the rows counted in its own snapshot, as its manifest has them.';

-- What the worker and the verdict call

CREATE FUNCTION _mfi_maintain() RETURNS boolean
LANGUAGE plpgsql
SET search_path = @extschema@, pg_temp
SET lock_timeout = '1s'
AS $$
DECLARE
  line text;
BEGIN
  IF NOT _mfi_schema_ready() OR string_to_array(mfi_schema_version(), '.')::int[] < ARRAY[1, 1] OR _mfi_restore_runs() THEN
    RETURN false;
  END IF;
  FOR line IN SELECT mfi_audit_ensure_partitions(3) LOOP
    RAISE LOG 'mfi: %', line;
  END LOOP;
  RETURN true;
END
$$;
COMMENT ON FUNCTION _mfi_maintain() IS
  'What the maintainer does in mfi.database: keeps the audit partitions three months ahead. False when it is not the time '
  'for it. It does not wait long for a lock that a dump holds, since others would wait behind it.';

CREATE OR REPLACE FUNCTION _mfi_audit_findings() RETURNS text[]
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = @extschema@, pg_temp
AS $$
DECLARE
  name text;
  outside text;
  dated bigint;
  undated bigint;
  findings text[] := '{}';
  missing text;
BEGIN
  FOREACH name IN ARRAY _mfi_audit_tables() LOOP
    outside := _mfi_partition_name(name, NULL);
    CONTINUE WHEN to_regclass(outside) IS NULL;
    EXECUTE format('SELECT (SELECT count(*) FROM (SELECT FROM %1$s WHERE event_time IS NOT NULL LIMIT 1001) d), '
                   '(SELECT count(*) FROM (SELECT FROM %1$s WHERE event_time IS NULL LIMIT 1001) u)', outside) INTO dated, undated;
    IF dated > 0 THEN
      findings := findings || ARRAY['warning', 'audit-rows-outside',
        format('%s has %s of %s whose month has no partition', outside, _mfi_about(dated, 'row'), name),
        'SELECT mfi_audit_ensure_partitions(3) gives months from 2000 on a partition. A time before that, or far ahead, is a '
        'mistake of the sender.'];
    END IF;
    IF undated > 0 THEN
      findings := findings || ARRAY['ok', 'audit-rows-undated',
        format('%s has %s without event_time, which belong to no month and do not expire', name, _mfi_about(undated, 'row')), ''];
    END IF;
  END LOOP;
  SELECT string_agg(_mfi_partition_name(t.name, _mfi_month(now(), further)), ', ' ORDER BY t.position, further) INTO missing
    FROM unnest(_mfi_audit_tables()) WITH ORDINALITY AS t (name, position), generate_series(0, 1) AS further
   WHERE NOT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = to_regclass(_mfi_partition_name(t.name, _mfi_month(now(), further))));
  IF missing IS NOT NULL THEN
    findings := findings || ARRAY['warning', 'audit-partitions-missing', 'these audit partitions are not there: ' || missing,
      'The worker makes them within an hour; now: SELECT mfi_audit_ensure_partitions(3).'];
  END IF;
  RETURN findings;
END
$$;
COMMENT ON FUNCTION _mfi_audit_findings() IS
  'What is to be said of the audit partitions, for _mfi_schema_findings(). It counts rows that monitoring may not read.';

CREATE FUNCTION _mfi_about(count bigint, noun text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE WHEN count > 1000 THEN 'more than 1000 ' || noun || 's' WHEN count = 1 THEN '1 ' || noun ELSE count || ' ' || noun || 's' END
$$;
COMMENT ON FUNCTION _mfi_about(bigint, text) IS 'A count that stops at 1001, in words.';

REVOKE ALL ON FUNCTION
  _mfi_audit_tables(), _mfi_append_only(text), _mfi_month(timestamptz, integer), _mfi_partition_name(text, timestamptz),
  _mfi_add_partition(text, timestamptz), _mfi_stray_months(regclass, timestamptz), _mfi_audit_arrange(text, integer),
  _mfi_audit_obstacles(text), _mfi_audit_forecast(text), _mfi_mark_duplicates(text, text),
  _mfi_partition_audit_table(text, text, text, text, text), _mfi_migration_1_1(), _mfi_require_partitions(),
  _mfi_restore_runs(), _mfi_expired_partitions(integer), _mfi_expiry_decision(regclass, bigint, text), _mfi_backup_tables(text),
  _mfi_maintain(), _mfi_about(bigint, text), mfi_audit_expire(integer, boolean),
  mfi_audit_ensure_partitions(integer)
FROM PUBLIC;
GRANT EXECUTE ON FUNCTION _mfi_backup_tables(text) TO pg_monitor;

SELECT @extschema@._mfi_install_schema();
