-- finds: nothing
SET LOCAL search_path = pg_catalog, pg_temp;
CREATE FUNCTION @extschema@._mfi_one(relation text, month timestamptz) RETURNS text LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $$ SELECT 'mfi_one() is only spoken of: SELECT mfi_two().' || relation $$; -- _mfi_one() in a comment
CREATE FUNCTION @extschema@.mfi_two() RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$ BEGIN
  EXECUTE format('SELECT @extschema@._mfi_one(%L::text, NULL::timestamptz) FROM @extschema@.portals', 'x');
  RAISE EXCEPTION 'no' USING HINT = 'SELECT mfi_two().';
  RETURN (SELECT @extschema@._mfi_one(name, NULL::timestamptz) FROM @extschema@.portals);
END $$;
ALTER FUNCTION @extschema@.mfi_two() OWNER TO mfi_sync;
CREATE TABLE @extschema@.portals (name text);
