CREATE FUNCTION @extschema@._mfi_backup_tables(id text, OUT oid oid, OUT name text, OUT rows bigint)
RETURNS SETOF record
LANGUAGE c VOLATILE STRICT PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_backup_tables';
COMMENT ON FUNCTION @extschema@._mfi_backup_tables(text) IS
  'Tables of a backup set with the rows counted in its own snapshot, as its manifest has them.';
REVOKE ALL ON FUNCTION @extschema@._mfi_backup_tables(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_backup_tables(text) TO pg_monitor;

CREATE FUNCTION @extschema@._mfi_contents(relation oid, OUT rows bigint, OUT hash text)
LANGUAGE c STABLE STRICT PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_contents';
COMMENT ON FUNCTION @extschema@._mfi_contents(oid) IS
  'Rows of a table, and a hash of what they contain, whatever their order: 32 hex digits, the same wherever the same '
  'rows are. A scan reads them, no query, so nothing that the table''s owner has put on it runs. The caller needs '
  'SELECT on the table, and no policy may hide rows of it. Of pg_largeobject: the large objects, each with its number, '
  'bytes and size. A backup keeps both for each table; its proof compares them.';

CREATE FUNCTION @extschema@._mfi_sequence_position(sequence oid) RETURNS bigint
LANGUAGE c VOLATILE STRICT PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_sequence_position';
COMMENT ON FUNCTION @extschema@._mfi_sequence_position(oid) IS
  'The value that the sequence''s next one comes after: its last value, or one step before its first when nobody has '
  'called it. Until the transaction ends, the sequence can be called and not altered. The caller needs SELECT on the '
  'sequence.';
