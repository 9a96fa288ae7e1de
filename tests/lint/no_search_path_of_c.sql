-- finds: mfi_one() does not say SET search_path = pg_catalog, pg_temp
SET LOCAL search_path = pg_catalog, pg_temp;
CREATE FUNCTION @extschema@.mfi_one() RETURNS text LANGUAGE c AS 'MODULE_PATHNAME', 'mfi_one';
