-- Keycloak: event import
--
-- Events come in arrays, as the admin API returns them. Each good one is stored once, whatever its neighbours are.

CREATE FUNCTION @extschema@._mfi_redact(document jsonb, depth integer DEFAULT 0) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE CASE WHEN depth < 30 THEN jsonb_typeof(document) ELSE 'deep' END
    WHEN 'deep' THEN '"[redacted]"'
    WHEN 'object' THEN (
      SELECT coalesce(jsonb_object_agg(key, CASE
               WHEN value = 'null' THEN value
               WHEN key ~* '(password|secret|token|credentials?|private[._-]?key|secretdata|credentialdata|'
                           '^(user_?|device_?|auth_?|authorization_?)?code)$'
                 OR key = 'value' AND document ->> 'type' IN ('password', 'secret', 'otp', 'totp', 'hotp')
                   THEN '"[redacted]"'
               ELSE @extschema@._mfi_redact(value, depth + 1) END), '{}') FROM jsonb_each(document))
    WHEN 'array' THEN (
      SELECT coalesce(jsonb_agg(@extschema@._mfi_redact(value, depth + 1) ORDER BY nr), '[]')
        FROM jsonb_array_elements(document) WITH ORDINALITY AS e (value, nr))
    ELSE document END
$$;
COMMENT ON FUNCTION @extschema@._mfi_redact(jsonb, integer) IS
  'A document with the values of secret keys replaced: password, secret, token, credentials, code, privateKey, alone '
  'or as the end of a longer key; and whatever is nested deeper than 30 levels.';
REVOKE ALL ON FUNCTION @extschema@._mfi_redact(jsonb, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_redact(jsonb, integer) TO mfi_sync;

CREATE FUNCTION @extschema@._mfi_redact_text(document text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT regexp_replace(document,
                        '((?:password|secret|token|credentials?|private[._-]?key|secretdata|credentialdata|code|'
                        '\\u[0-9a-f]{4}[^"]*)\\?"\s*:).*$', '\1 [redacted to the end]', 'i')
$$;
COMMENT ON FUNCTION @extschema@._mfi_redact_text(text) IS
  'The same for text that should be JSON but is not: it ends where the first secret begins.';
REVOKE ALL ON FUNCTION @extschema@._mfi_redact_text(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_redact_text(text) TO mfi_sync;
