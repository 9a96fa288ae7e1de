CREATE FUNCTION @extschema@._mfi_recovery(
  OUT oldest_time timestamptz, OUT newest_time timestamptz, OUT gap text, OUT receiver_state text,
  OUT receiver_lag_bytes bigint, OUT last_base_at timestamptz, OUT last_drill_at timestamptz, OUT drill_result text,
  OUT rpo interval, OUT rto interval, OUT running text, OUT error text)
RETURNS SETOF record
LANGUAGE c VOLATILE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_recovery';
COMMENT ON FUNCTION @extschema@._mfi_recovery() IS 'Behind the view mfi_recovery.';
REVOKE ALL ON FUNCTION @extschema@._mfi_recovery() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_recovery() TO pg_monitor;

CREATE VIEW @extschema@.mfi_recovery AS SELECT * FROM @extschema@._mfi_recovery();
COMMENT ON VIEW @extschema@.mfi_recovery IS
  'One row: from when to when this node''s database can be recovered to any second, and what is missing between (gap: '
  'segments of WAL). receiver_state: off, starting, receiving, or waiting (to try again; error says why). rpo and rto: '
  'how old the newest commit was, and how long a recovery took, in the last drill. running: the base or drill that is '
  'being made, and its phase.';
GRANT SELECT ON @extschema@.mfi_recovery TO pg_monitor;

CREATE FUNCTION @extschema@._mfi_recovery_backups(
  OUT id text, OUT kind text, OUT parent text, OUT started_at timestamptz, OUT finished_at timestamptz,
  OUT stored_bytes bigint, OUT data_bytes bigint, OUT start_lsn pg_lsn, OUT end_lsn pg_lsn, OUT timeline integer,
  OUT verified_at timestamptz, OUT drilled_at timestamptz, OUT drill_result text, OUT remark text)
RETURNS SETOF record
LANGUAGE c VOLATILE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_recovery_backups';
COMMENT ON FUNCTION @extschema@._mfi_recovery_backups() IS 'Behind the view mfi_recovery_backups.';
REVOKE ALL ON FUNCTION @extschema@._mfi_recovery_backups() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_recovery_backups() TO pg_monitor;

CREATE VIEW @extschema@.mfi_recovery_backups AS SELECT * FROM @extschema@._mfi_recovery_backups();
COMMENT ON VIEW @extschema@.mfi_recovery_backups IS
  'Every base that this node has for recovery, newest first. kind: full or incremental (which needs its parent, and '
  'that one''s); stored_bytes: of its files; data_bytes: of the data directory that it holds; start_lsn to end_lsn: '
  'the WAL without which it cannot be used; verified_at: when pg_verifybackup found nothing; drill_result: of the last '
  'drill that recovered from it; remark: why it is not what was wanted.';
GRANT SELECT ON @extschema@.mfi_recovery_backups TO pg_monitor;

CREATE FUNCTION @extschema@._mfi_recovery_drills(
  OUT id text, OUT base text, OUT started_at timestamptz, OUT finished_at timestamptz, OUT reference text,
  OUT reference_lsn pg_lsn, OUT tables integer, OUT result text, OUT error text, OUT rpo interval, OUT rto interval,
  OUT newest_time timestamptz, OUT newest_lsn pg_lsn)
RETURNS SETOF record
LANGUAGE c VOLATILE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_recovery_drills';
COMMENT ON FUNCTION @extschema@._mfi_recovery_drills() IS 'Behind the view mfi_recovery_drills.';
REVOKE ALL ON FUNCTION @extschema@._mfi_recovery_drills() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_recovery_drills() TO pg_monitor;

CREATE VIEW @extschema@.mfi_recovery_drills AS SELECT * FROM @extschema@._mfi_recovery_drills();
COMMENT ON VIEW @extschema@.mfi_recovery_drills IS
  'Every drill, newest first: a recovery from the store into a private server, and a second one to the moment of a '
  'proven backup that none was compared with yet. base: the last of the chain it recovered from; reference: what the '
  'contents of its tables were compared with, the first of it at reference_lsn; result: ok, or what differs; error: '
  'why it did not come to its end; rpo: how old the newest commit was that the store had; rto: how long it took to a '
  'server that takes writes; newest_time, newest_lsn: of that commit.';
GRANT SELECT ON @extschema@.mfi_recovery_drills TO pg_monitor;
