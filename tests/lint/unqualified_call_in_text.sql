-- finds: _mfi_one() is called without its schema
SET LOCAL search_path = pg_catalog, pg_temp;
CREATE FUNCTION @extschema@._mfi_one() RETURNS text LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$ SELECT 'x' $$;
CREATE FUNCTION @extschema@._mfi_two() RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$ BEGIN EXECUTE format('SELECT _mfi_one() WHERE %L', 'x'); END $$;
