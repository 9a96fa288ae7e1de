-- Definitions of others
--
-- What a view, an index or a policy says is read again when it is made anew, and to read a literal calls what stands
-- behind its type: the check of a domain, also inside of an array, a range or a row. So whose definition it is makes
-- it, or it is not made.

CREATE FUNCTION @extschema@._mfi_owners_of_types(class regclass, object oid) RETURNS SETOF oid
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  WITH RECURSIVE used (oid) AS (
    SELECT d.refobjid FROM pg_depend d
      WHERE d.classid = class AND d.objid = object AND d.refclassid = 'pg_type'::regclass
    UNION
    SELECT part.oid
      FROM used u JOIN pg_type t ON t.oid = u.oid
     CROSS JOIN LATERAL (
       SELECT t.typelem UNION ALL SELECT t.typbasetype
       UNION ALL SELECT unnest(ARRAY[r.rngtypid, r.rngsubtype]) FROM pg_range r
         WHERE t.oid IN (r.rngtypid, r.rngmultitypid)
       UNION ALL SELECT a.atttypid FROM pg_attribute a
         WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped) AS part (oid)
     WHERE part.oid <> 0)
  SELECT DISTINCT r.oid
    FROM (SELECT unnest(ARRAY[t.typowner, n.nspowner])
          FROM used u JOIN pg_type t ON t.oid = u.oid JOIN pg_namespace n ON n.oid = t.typnamespace
          UNION ALL
          SELECT p.proowner
            FROM used u
            JOIN pg_constraint c ON c.contypid = u.oid
            JOIN pg_depend d ON d.classid = 'pg_constraint'::regclass AND d.objid = c.oid
              AND d.refclassid = 'pg_proc'::regclass
            JOIN pg_proc p ON p.oid = d.refobjid) AS o (owner)
    JOIN pg_roles r ON r.oid = o.owner
   WHERE NOT r.rolsuper
$$;
COMMENT ON FUNCTION @extschema@._mfi_owners_of_types(regclass, oid) IS
  'Roles, other than superusers, whose code may run when the definition of this object is read again: owners of the '
  'types of its literals, of what these are made of, and of their schemas. Also of a type that runs nothing now: until '
  'the definition is read, its owner can put another one in its place.';
REVOKE ALL ON FUNCTION @extschema@._mfi_owners_of_types(regclass, oid) FROM PUBLIC;

CREATE FUNCTION @extschema@._mfi_made_by(class regclass, object oid, relation regclass, command text) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  others oid[] := ARRAY(SELECT o FROM @extschema@._mfi_owners_of_types(class, object) o ORDER BY o);
  maker oid := (SELECT relowner FROM pg_class WHERE oid = relation);
  place oid := (SELECT coalesce((SELECT stxnamespace FROM pg_statistic_ext
                                 WHERE class = 'pg_statistic_ext'::regclass AND oid = object), relnamespace)
                  FROM pg_class WHERE oid = relation);
  makes boolean := class IN ('pg_class'::regclass, 'pg_statistic_ext'::regclass) OR EXISTS (
    SELECT FROM pg_rewrite WHERE class = 'pg_rewrite'::regclass AND oid = object AND rulename = '_RETURN');
  lacks text;
BEGIN
  IF others = '{}' AND class IN ('pg_trigger'::regclass, 'pg_class'::regclass) THEN
    RETURN command;  -- an index is built with the rights of its table's owner, by the server
  ELSIF class = 'pg_trigger'::regclass AND others <> ARRAY[maker] THEN
    -- whoever was given TRIGGER
    lacks := format('others than %I, who owns %s, may have made it', pg_get_userbyid(maker), relation);
  ELSIF (SELECT rolsuper FROM pg_roles WHERE oid = maker) THEN
    lacks := 'its owner is a superuser';
  ELSE
    SELECT string_agg(format('%I lacks %s on schema %I', pg_get_userbyid(maker), s.privilege, s.name), ', '
                      ORDER BY s.name, s.privilege) INTO lacks
      FROM (SELECT DISTINCT i.schema AS name, 'USAGE' AS privilege
              FROM pg_depend d, pg_identify_object(d.refclassid, d.refobjid, 0) i
             WHERE d.classid = class AND d.objid = object AND i.schema IS NOT NULL
            UNION SELECT nspname, p FROM pg_namespace, unnest(ARRAY['USAGE', 'CREATE']) AS p
              WHERE oid = place AND (makes OR p = 'USAGE')) AS s
     WHERE NOT has_schema_privilege(maker, s.name, s.privilege);
  END IF;
  IF lacks IS NULL THEN
    RETURN format('SELECT @extschema@._mfi_as_role(%L::name, %L::text)', pg_get_userbyid(maker), command);
  ELSIF others = '{}' THEN
    RETURN command;
  END IF;
  RAISE EXCEPTION '% cannot be made anew: %', pg_describe_object(class, object, 0), lacks
    USING ERRCODE = 'dependent_objects_still_exist',
          DETAIL = format('Its definition has literals of types that belong to %s; to read them runs code of theirs, '
                          'which must not run with the rights of a superuser. '
                          'Nothing was changed.', (SELECT string_agg(quote_ident(pg_get_userbyid(o)), ', ')
                                                   FROM unnest(others) AS o)),
          HINT = 'Drop it, and make it again afterwards.';
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_made_by(regclass, oid, regclass, text) IS
  'A command that makes this object anew with the rights of whoever wrote its definition: the owner of its relation. '
  'With the rights of a superuser only when nothing of others runs; else it fails, naming the object.';
REVOKE ALL ON FUNCTION @extschema@._mfi_made_by(regclass, oid, regclass, text) FROM PUBLIC;
