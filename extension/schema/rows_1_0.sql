-- Rows of the lists, in version 1.0; {schema} stands for the schema that they are made in.

CREATE FUNCTION @extschema@._mfi_rows_1_0() RETURNS TABLE (step text, command text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $migration$
VALUES

('rows of activity_type', $sql$
INSERT INTO {schema}.activity_type (name) VALUES
  ('CREATE MFI'), ('ASSIGN GROUP'), ('CREATE USER'), ('UPDATE USER'), ('DELETE USER'),
  ('LOGIN'), ('LOGOUT'), ('ASSIGN PLATFORM'), ('UPDATE PROFILE'), ('CHANGE PASSWORD');
$sql$),

('rows of mfi_country', $sql$
INSERT INTO {schema}.mfi_country (name, iso_alpha2) VALUES
  ('Rwanda', 'RW'), ('Malawi', 'MW'), ('Kenya', 'KE'), ('Uganda', 'UG'), ('Tanzania', 'TZ'),
  ('Zambia', 'ZM'), ('Zimbabwe', 'ZW'), ('Botswana', 'BW'), ('Namibia', 'NA'), ('South Africa', 'ZA');
$sql$),

('rows of mfi_type', $sql$
INSERT INTO {schema}.mfi_type (name) VALUES
  ('Savings & Deposits Only'), ('Microfinance Institution'), ('Non-Deposit Financial Institution'),
  ('Credit Only Institution'), ('Cooperative Society');
$sql$),

('rows of platform_type', $sql$
INSERT INTO {schema}.platform_type (name) VALUES
  ('Mobile App'), ('Web App'), ('USSD Services'), ('API Services'), ('SMS Banking'), ('Agent Banking');
$sql$)
$migration$;
COMMENT ON FUNCTION @extschema@._mfi_rows_1_0() IS 'Steps of schema version 1.0: rows of the lists.';
REVOKE ALL ON FUNCTION @extschema@._mfi_rows_1_0() FROM PUBLIC;
