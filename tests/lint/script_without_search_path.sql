-- finds: the script does not begin with SET LOCAL search_path
\echo Use "CREATE EXTENSION mfi" to load this file. \quit
CREATE VIEW @extschema@.mfi_one AS SELECT 1 AS one;
