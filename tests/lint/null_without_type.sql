-- finds: _mfi_one() gets a NULL without a type
SET LOCAL search_path = pg_catalog, pg_temp;
CREATE FUNCTION @extschema@._mfi_one(name text, month timestamptz) RETURNS text LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$ SELECT 'x' $$;
CREATE FUNCTION @extschema@._mfi_two() RETURNS text LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$ SELECT @extschema@._mfi_one('x', NULL) $$;
