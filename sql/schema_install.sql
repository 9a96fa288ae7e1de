--
-- Installing, leaving out, dropping and putting back the schema
--
\set SHOW_CONTEXT never
SET client_min_messages = warning;
DROP DATABASE IF EXISTS regression_mfi_install;
CREATE DATABASE regression_mfi_install;
\c regression_mfi_install
SET client_min_messages = warning;
CREATE EXTENSION "uuid-ossp";
CREATE EXTENSION pgcrypto;

-- Left out on request
SET mfi.install_schema = off;
CREATE EXTENSION mfi;
SELECT mfi_schema_version(), _mfi_schema_ready();
SELECT * FROM mfi_migrate_schema(dry_run => true);
SELECT * FROM mfi_migrate_schema(NULL);
SELECT mfi_schema_version(), to_regclass('portals'), to_regnamespace('mfi');
DROP EXTENSION mfi;
RESET mfi.install_schema;

-- A restore is recognised: archives set row_security = off
SET row_security = off;
CREATE EXTENSION mfi;
SELECT mfi_schema_version(), to_regclass('portals');
-- and if it was none, the hint works
SELECT count(*) FROM mfi_migrate_schema();
SELECT mfi_schema_version(), _mfi_schema_ready();
SELECT * FROM mfi_migrate_schema();
RESET row_security;

-- DROP EXTENSION refuses while triggers use its functions; CASCADE takes no row
INSERT INTO portals (name, realm_id, client_id) VALUES ('Branch', 'branch', 'branch-web');
DELETE FROM mfi_country WHERE id > 5;
UPDATE mfi_type SET name = 'Bank' WHERE id = 1;
\set VERBOSITY terse
DROP EXTENSION mfi;
\set VERBOSITY default
DROP EXTENSION mfi CASCADE;
SELECT count(*) FROM portals;
SELECT (SELECT count(*) FROM mfi_country) AS countries, (SELECT name FROM mfi_type WHERE id = 1) AS type_1,
       (SELECT count(*) FROM v_mfi_platforms_summary) AS summary, version FROM (SELECT max(version) AS version FROM mfi.schema_version) v;
SELECT count(*) AS triggers FROM pg_trigger WHERE NOT tgisinternal;

-- The extension recognises its schema and puts the triggers back, nothing else
CREATE EXTENSION mfi;
SELECT mfi_schema_version(), _mfi_schema_ready();
SELECT (SELECT count(*) FROM mfi_country) AS countries, (SELECT name FROM mfi_type WHERE id = 1) AS type_1,
       (SELECT count(*) FROM portals) AS portals;
SELECT count(*) AS triggers FROM pg_trigger WHERE NOT tgisinternal;
-- a single one, too
DROP TRIGGER touch_updated_at ON portals;
DROP TRIGGER guard_schema_version ON mfi.schema_version;
SELECT _mfi_schema_ready();
SELECT * FROM mfi_migrate_schema(true);
SELECT * FROM mfi_migrate_schema();
SELECT _mfi_schema_ready();

-- Not ready while a table or its unique index has yet to come
BEGIN;
DROP INDEX user_auth_logs_id_event_time_idx, user_auth_logs_iam_event_id_event_time_idx;
SELECT _mfi_schema_ready();
ROLLBACK;

-- A schema made by a newer extension is left alone
BEGIN;
INSERT INTO mfi.schema_version (version) VALUES ('10.0');
SELECT mfi_schema_version(), (_mfi_schema_findings())[2];
SELECT * FROM mfi_migrate_schema();
ROLLBACK;

-- A table that should be there is named
BEGIN;
ALTER TABLE mfi_platforms RENAME TO platforms_of_mfis;
SELECT * FROM mfi_migrate_schema();
ROLLBACK;

-- The same tables, but another schema asked for
CREATE SCHEMA bank;
DROP EXTENSION mfi CASCADE;
CREATE EXTENSION mfi SCHEMA bank;
SELECT count(*) FROM pg_extension WHERE extname = 'mfi';

-- Tables that cannot be adopted are refused with the differences, and nothing is left half done
DROP SCHEMA mfi, mfi_audit CASCADE;
CREATE EXTENSION mfi;
SELECT count(*) FROM pg_extension WHERE extname = 'mfi';
SELECT to_regnamespace('mfi') AS schema_mfi;

-- So is a schema of the extension's name
CREATE SCHEMA mfi;
CREATE EXTENSION mfi SCHEMA bank;
DROP SCHEMA mfi;

-- Another schema than public, with a name that needs quotes; beside the tables in public
CREATE SCHEMA "The Bank";
SET mfi.install_schema = on;
SET row_security = off;
CREATE EXTENSION mfi SCHEMA "The Bank";
RESET row_security;
RESET mfi.install_schema;
SELECT "The Bank".mfi_schema_version(), "The Bank"._mfi_schema_ready();
SELECT relnamespace::regnamespace AS schema, relkind, count(*) FROM pg_class
 WHERE relnamespace IN ('"The Bank"'::regnamespace, 'bank'::regnamespace, 'mfi'::regnamespace)
   AND relkind IN ('r', 'p', 'v', 'S')
   AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e')
 GROUP BY 1, 2 ORDER BY 1, 2;
UPDATE "The Bank".mfi_type SET name = 'Bank' WHERE id = 1;
SELECT updated_at > created_at AS moved FROM "The Bank".mfi_type WHERE id = 1;

\c postgres
DROP DATABASE regression_mfi_install;
