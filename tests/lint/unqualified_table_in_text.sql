-- finds: portals is named without its schema
SET LOCAL search_path = pg_catalog, pg_temp;
CREATE FUNCTION @extschema@._mfi_one() RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$ BEGIN EXECUTE 'UPDATE portals SET name = NULL'; END $$;
CREATE TABLE @extschema@.portals (name text);
