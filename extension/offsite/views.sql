CREATE FUNCTION @extschema@._mfi_offsite(
  OUT repository text, OUT newest_set text, OUT newest_set_at timestamptz, OUT sets_waiting bigint,
  OUT store_copied_at timestamptz, OUT answered_at timestamptz, OUT deletable boolean, OUT checked_at timestamptz,
  OUT all_read_since timestamptz, OUT drilled_at timestamptz, OUT running text, OUT error text)
RETURNS SETOF record
LANGUAGE c VOLATILE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_offsite';
COMMENT ON FUNCTION @extschema@._mfi_offsite() IS 'Behind the view mfi_offsite.';
REVOKE ALL ON FUNCTION @extschema@._mfi_offsite() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_offsite() TO pg_monitor;

CREATE VIEW @extschema@.mfi_offsite AS SELECT * FROM @extschema@._mfi_offsite();
COMMENT ON VIEW @extschema@.mfi_offsite IS
  'One row: how copies elsewhere stand, as this node knows it. newest_set: the newest proven backup that is in the '
  'repository, of newest_set_at; sets_waiting: proven ones that are not there yet; store_copied_at: when the last copy '
  'of the recovery store was begun; answered_at: when the repository last did what it was asked for; deletable: '
  'whether the credentials of this node can delete there; checked_at: when a part of it was last read; all_read_since: '
  'every byte of it was read since then; drilled_at: when a copy was last restored and proven; running: what is being '
  'done now.';
GRANT SELECT ON @extschema@.mfi_offsite TO pg_monitor;

CREATE FUNCTION @extschema@._mfi_offsite_copies(
  OUT id text, OUT repository_id text, OUT snapshot text, OUT copied_at timestamptz, OUT read_at timestamptz,
  OUT proven_at timestamptz)
RETURNS SETOF record
LANGUAGE c VOLATILE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_offsite_copies';
COMMENT ON FUNCTION @extschema@._mfi_offsite_copies() IS 'Behind the view mfi_offsite_copies.';
REVOKE ALL ON FUNCTION @extschema@._mfi_offsite_copies() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_offsite_copies() TO pg_monitor;

CREATE VIEW @extschema@.mfi_offsite_copies AS SELECT * FROM @extschema@._mfi_offsite_copies();
COMMENT ON VIEW @extschema@.mfi_offsite_copies IS
  'The copies of the backups that are still in the backup directory, newest backup first. read_at: every byte of its '
  'repository was read since it was copied; proven_at: it was fetched from there and proven by a restore.';
GRANT SELECT ON @extschema@.mfi_offsite_copies TO pg_monitor;

CREATE FUNCTION @extschema@._mfi_offsite_drills(
  OUT id text, OUT repository text, OUT started_at timestamptz, OUT finished_at timestamptz, OUT set text,
  OUT snapshot text, OUT store text, OUT newest_time timestamptz, OUT compared_with text, OUT fetched_bytes bigint,
  OUT result text, OUT error text)
RETURNS SETOF record
LANGUAGE c VOLATILE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_offsite_drills';
COMMENT ON FUNCTION @extschema@._mfi_offsite_drills() IS 'Behind the view mfi_offsite_drills.';
REVOKE ALL ON FUNCTION @extschema@._mfi_offsite_drills() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_offsite_drills() TO pg_monitor;

CREATE VIEW @extschema@.mfi_offsite_drills AS SELECT * FROM @extschema@._mfi_offsite_drills();
COMMENT ON VIEW @extschema@.mfi_offsite_drills IS
  'Every drill from a copy, newest first: the newest backup of the repository (set) restored and proven, then the '
  'newest copy of a recovery store (of node store) recovered to its newest commit (newest_time), and to the moment of '
  'that backup, where it is in reach (compared_with). result: ok, or what differs; error: why it did not come to its '
  'end.';
GRANT SELECT ON @extschema@.mfi_offsite_drills TO pg_monitor;
