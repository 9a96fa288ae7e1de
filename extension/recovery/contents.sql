CREATE FUNCTION @extschema@._mfi_contents(relation oid, snapshot text, subtransactions text, OUT rows bigint,
                                          OUT hash text)
LANGUAGE c STABLE STRICT PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_contents_as_of';
COMMENT ON FUNCTION @extschema@._mfi_contents(oid, text, text) IS
  'The same as of a snapshot that another server had, a text as pg_current_snapshot() gives it, with the numbers of '
  'the subtransactions of those that were going on in it, separated by commas. For a server that was recovered to a '
  'moment after it and has removed no row version since.';
REVOKE ALL ON FUNCTION @extschema@._mfi_contents(oid, text, text) FROM PUBLIC;
