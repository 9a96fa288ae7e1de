-- finds: _mfi_one() does not say SET search_path = pg_catalog, pg_temp
SET LOCAL search_path = pg_catalog, pg_temp;
CREATE FUNCTION @extschema@._mfi_one() RETURNS text LANGUAGE sql AS $$ SELECT 'x' $$;
