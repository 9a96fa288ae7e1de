-- finds: portals is named without its schema
SET LOCAL search_path = pg_catalog, pg_temp;
CREATE FUNCTION @extschema@._mfi_one() RETURNS regclass LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$ SELECT 'portals'::regclass $$;
CREATE TABLE @extschema@.portals (name text);
