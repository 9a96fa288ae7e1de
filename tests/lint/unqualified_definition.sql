-- finds: _mfi_one() is made without its schema
SET LOCAL search_path = pg_catalog, pg_temp;
CREATE FUNCTION _mfi_one() RETURNS text LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$ SELECT 'x' $$;
