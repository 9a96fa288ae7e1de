-- finds: a function is made SECURITY DEFINER apart from its definition
SET LOCAL search_path = pg_catalog, pg_temp;
CREATE FUNCTION @extschema@.mfi_one() RETURNS text LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$ SELECT 'x' $$;
ALTER FUNCTION @extschema@.mfi_one() SECURITY DEFINER;
