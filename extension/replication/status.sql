-- Backups and replication

CREATE FUNCTION @extschema@.mfi_replication_status(
  OUT verdict text, OUT summary text, OUT node_role text, OUT peer text, OUT state text, OUT sync_state text,
  OUT sent_lsn pg_lsn, OUT write_lsn pg_lsn, OUT flush_lsn pg_lsn, OUT replay_lsn pg_lsn, OUT lag_bytes bigint,
  OUT write_lag interval, OUT flush_lag interval, OUT replay_lag interval, OUT last_message_age interval,
  OUT slot_name text, OUT slot_wal_status text, OUT slot_retained_bytes bigint, OUT slot_safe_bytes bigint,
  OUT missing_since timestamptz, OUT catchup_eta interval, OUT reasons text[])
RETURNS SETOF record
LANGUAGE c VOLATILE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_replication_status';
COMMENT ON FUNCTION @extschema@.mfi_replication_status() IS
  'Replication as this node sees it, at least one row: on a primary one per standby, connected or missing; on a '
  'standby its upstream first. verdict: ok, warning, unknown or critical; lag in bytes of WAL; last_message_age: '
  'time since the other node was heard.';
REVOKE ALL ON FUNCTION @extschema@.mfi_replication_status() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@.mfi_replication_status() TO pg_monitor;

CREATE FUNCTION @extschema@._mfi_replication_health(
  OUT verdict text, OUT reasons text[], OUT next_steps text[], OUT node_role text, OUT timeline integer,
  OUT peers_expected integer, OUT peers_connected integer, OUT worst_lag_bytes bigint, OUT peer_role text,
  OUT peer_timeline integer, OUT peer_seen_ago interval)
RETURNS SETOF record
LANGUAGE c VOLATILE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_replication_health';
COMMENT ON FUNCTION @extschema@._mfi_replication_health() IS 'Behind the view mfi_replication_health.';
REVOKE ALL ON FUNCTION @extschema@._mfi_replication_health() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_replication_health() TO pg_monitor;

CREATE VIEW @extschema@.mfi_replication_health AS SELECT * FROM @extschema@._mfi_replication_health();
COMMENT ON VIEW @extschema@.mfi_replication_health IS
  'One row: the verdict on replication of this node, its reasons (code: sentence), and what to do.';
GRANT SELECT ON @extschema@.mfi_replication_health TO pg_monitor;

CREATE FUNCTION @extschema@.mfi_replication_history(
  since interval DEFAULT '1 hour', OUT sampled_at timestamptz, OUT node_role text, OUT timeline integer, OUT peer text,
  OUT connected boolean, OUT wal_lsn pg_lsn, OUT replay_lsn pg_lsn, OUT lag_bytes bigint, OUT last_message_age interval,
  OUT wal_bytes_per_s bigint, OUT replay_bytes_per_s bigint, OUT wal_disk_free_bytes bigint,
  OUT conflicts_tablespace bigint, OUT conflicts_lock bigint, OUT conflicts_snapshot bigint,
  OUT conflicts_bufferpin bigint, OUT conflicts_deadlock bigint)
RETURNS SETOF record
LANGUAGE c VOLATILE STRICT PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_replication_history';
COMMENT ON FUNCTION @extschema@.mfi_replication_history(interval) IS
  'What this node saw of replication, one row per look (mfi.sample_interval) and peer, oldest first; about a day of '
  'one peer, kept in shared memory until the server ends, on a standby too. Rates are since the look before, conflicts '
  'are the queries this standby cancelled since then, by kind.';
REVOKE ALL ON FUNCTION @extschema@.mfi_replication_history(interval) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@.mfi_replication_history(interval) TO pg_monitor;

CREATE FUNCTION @extschema@.mfi_wait_for_replay(lsn pg_lsn, timeout interval) RETURNS boolean
LANGUAGE c VOLATILE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_wait_for_replay';
COMMENT ON FUNCTION @extschema@.mfi_wait_for_replay(pg_lsn, interval) IS
  'Read your writes on a standby: pass what pg_current_wal_insert_lsn() gave on the primary after the commit. True as '
  'soon as this standby has replayed it, so that the next statement sees it; false at the timeout, or when this '
  'standby was promoted without it. On a primary it answers at once: whether its WAL reaches that far.';
