-- Keycloak: secrets, before anything of an event is stored

CREATE OR REPLACE FUNCTION @extschema@._mfi_redact(document jsonb, depth integer DEFAULT 0) RETURNS jsonb
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_redact';
COMMENT ON FUNCTION @extschema@._mfi_redact(jsonb, integer) IS
  'A document with the secrets in it replaced: by any word of their keys (client.secret.rotated, apiKey), by the name '
  'or type beside a value, private members of JSON Web Keys, in JSON inside of strings, and in text, as '
  '_mfi_redact_text() does; and whatever is nested deeper than 30 levels. depth is not used.';

CREATE OR REPLACE FUNCTION @extschema@._mfi_redact_text(document text) RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_redact_text';
COMMENT ON FUNCTION @extschema@._mfi_redact_text(text) IS
  'A text, which may be a piece of JSON, without the secrets in it: private keys in PEM, userinfo of URLs, tokens and '
  'credentials of HTTP, hashes of passwords, name=value; of JSON it ends where the first secret begins.';

CREATE FUNCTION @extschema@._mfi_readable_json(document text) RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_readable_json';
COMMENT ON FUNCTION @extschema@._mfi_readable_json(text) IS
  'A text that is JSON, with U+FFFD for zeros and halves of surrogate pairs, which no jsonb holds; NULL when it is '
  'none, or nested so deeply that reading it would end everything.';
REVOKE ALL ON FUNCTION @extschema@._mfi_readable_json(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_readable_json(text) TO mfi_sync;
