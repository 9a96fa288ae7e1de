-- finds: mfi_one() is SECURITY DEFINER, but no ALTER FUNCTION gives it
SET LOCAL search_path = pg_catalog, pg_temp;
CREATE FUNCTION @extschema@.mfi_one() RETURNS text LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$ SELECT 'x' $$;
ALTER FUNCTION @extschema@.mfi_one() OWNER TO postgres;
