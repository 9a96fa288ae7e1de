-- finds: a search_path that is not pg_catalog, pg_temp
SET LOCAL search_path = pg_catalog, pg_temp;
CREATE FUNCTION @extschema@._mfi_one() RETURNS text LANGUAGE sql SET search_path = @extschema@, pg_temp AS $$ SELECT 'x' $$;
