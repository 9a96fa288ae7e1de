-- finds: set_config of search_path
SET LOCAL search_path = pg_catalog, pg_temp;
CREATE FUNCTION @extschema@._mfi_one() RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$ BEGIN PERFORM set_config('search_path', 'public', true); END $$;
