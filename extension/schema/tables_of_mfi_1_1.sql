CREATE FUNCTION @extschema@._mfi_tables_of_mfi_1_1() RETURNS TABLE (step text, command text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $migration$
VALUES

('table mfi.sync_runs', $sql$
CREATE TABLE mfi.sync_runs (
  run_id      uuid PRIMARY KEY,
  kind        text NOT NULL CHECK (kind IN ('portal', 'mfi')),
  scope_id    uuid NOT NULL,
  started_at  timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz NOT NULL,
  called_by   text NOT NULL DEFAULT session_user,
  outcome     text NOT NULL,
  report      jsonb NOT NULL
);
CREATE INDEX ON mfi.sync_runs (kind, scope_id, started_at);
COMMENT ON TABLE mfi.sync_runs IS
  'Group syncs that were done, with their reports. Those that changed nothing (noop) go after 30 days, with the '
  'next sync of the same portal or MFI.';
COMMENT ON COLUMN mfi.sync_runs.scope_id IS
  'portals.id or mfi_clients.id, by kind; no foreign key: the record outlives them.';
COMMENT ON COLUMN mfi.sync_runs.outcome IS 'changed or noop.';
GRANT SELECT ON mfi.sync_runs TO pg_monitor;
$sql$),

('table mfi.audit_watch', $sql$
CREATE TABLE mfi.audit_watch (
  relation   text PRIMARY KEY,
  owner      name,
  expected   bigint,
  backup     text,
  rows       bigint,
  file       oid,
  changes    bigint,
  counted_at timestamptz,
  expired_at timestamptz,
  trouble    text,
  tried_at   timestamptz,
  waits_since timestamptz,
  begun_at   timestamptz,
  ended_at   timestamptz
);
COMMENT ON TABLE mfi.audit_watch IS
  'What the worker has seen of the audit tables and their months, so that what is taken away is noticed. A row '
  'that is deleted begins anew.';
COMMENT ON COLUMN mfi.audit_watch.owner IS
  'Owner of an audit table when it was first seen; set it when the owner is meant to be another one.';
COMMENT ON COLUMN mfi.audit_watch.expected IS 'The most rows that a backup proven by a restore had of a month.';
COMMENT ON COLUMN mfi.audit_watch.backup IS 'That backup.';
COMMENT ON COLUMN mfi.audit_watch.rows IS 'Rows of the month when they were last counted.';
COMMENT ON COLUMN mfi.audit_watch.file IS 'File node of the month then: TRUNCATE gives it another one.';
COMMENT ON COLUMN mfi.audit_watch.changes IS
  'Rows that had been updated or deleted there by then, as the statistics have it.';
COMMENT ON COLUMN mfi.audit_watch.expired_at IS 'When mfi_audit_expire() dropped the month.';
COMMENT ON COLUMN mfi.audit_watch.trouble IS 'Why the worker could not do its work on the table, the last time.';
COMMENT ON COLUMN mfi.audit_watch.tried_at IS
  'When the worker last gave up waiting for a lock on the table, or failed to count it.';
COMMENT ON COLUMN mfi.audit_watch.waits_since IS 'Since when it has found the table locked each time.';
COMMENT ON COLUMN mfi.audit_watch.begun_at IS 'When the worker last began to work on it.';
COMMENT ON COLUMN mfi.audit_watch.ended_at IS
  'When that ended; a work that hangs takes the worker with it, and never ends.';
GRANT SELECT ON mfi.audit_watch TO pg_monitor;
$sql$)
$migration$;
COMMENT ON FUNCTION @extschema@._mfi_tables_of_mfi_1_1() IS
  'Steps of schema version 1.1: what mfi keeps for itself of syncs and of the audit tables.';
REVOKE ALL ON FUNCTION @extschema@._mfi_tables_of_mfi_1_1() FROM PUBLIC;
