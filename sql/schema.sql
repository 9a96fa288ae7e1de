--
-- What CREATE EXTENSION makes
--
SET client_min_messages = warning;
DROP DATABASE IF EXISTS regression_mfi_schema;
CREATE DATABASE regression_mfi_schema;
\c regression_mfi_schema
SET client_min_messages = warning;

CREATE EXTENSION mfi CASCADE;
SELECT mfi_schema_version(), _mfi_schema_ready();
SELECT version FROM mfi.schema_version ORDER BY version;

-- What \dt shows
SELECT relname FROM pg_class
 WHERE relkind IN ('r', 'p') AND pg_table_is_visible(oid) AND relnamespace <> 'pg_catalog'::regnamespace
 ORDER BY relname COLLATE "C";

SELECT relname AS "table", attname AS "column", format_type(atttypid, atttypmod) AS type,
       attnotnull AS not_null,
       coalesce(pg_get_expr(adbin, adrelid), CASE attidentity WHEN 'd' THEN 'identity' END) AS "default"
  FROM unnest(_mfi_tables()) WITH ORDINALITY AS t (relname, position)
  JOIN pg_attribute ON attrelid = relname::regclass AND attnum > 0
  LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
 ORDER BY position, attnum;

SELECT conrelid::regclass AS "table", contype AS type, pg_get_constraintdef(c.oid) AS definition
  FROM pg_constraint c
  JOIN unnest(_mfi_tables()) WITH ORDINALITY AS t (relname, position) ON conrelid = relname::regclass
 WHERE contype <> 'n'
 ORDER BY position, contype, pg_get_constraintdef(c.oid) COLLATE "C";

SELECT pg_get_indexdef(indexrelid) AS index
  FROM pg_index
  JOIN unnest(_mfi_tables()) WITH ORDINALITY AS t (relname, position) ON indrelid = relname::regclass
 WHERE NOT indisunique
 ORDER BY position, pg_get_indexdef(indexrelid) COLLATE "C";

-- Foreign keys without an index that begins with their column; indexes that repeat the head of another
SELECT conrelid::regclass, conname FROM pg_constraint
 WHERE contype = 'f'
   AND NOT EXISTS (SELECT FROM pg_index WHERE indrelid = conrelid AND indkey[0] = conkey[1]);
SELECT a.indexrelid::regclass FROM pg_index a JOIN pg_index b ON a.indrelid = b.indrelid
 WHERE a.indexrelid <> b.indexrelid AND a.indrelid IN (SELECT unnest(_mfi_tables())::regclass)
   AND b.indkey::text || ' ' LIKE a.indkey::text || ' %' AND NOT a.indisunique;

SELECT tgrelid::regclass AS "table", tgname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
 WHERE NOT tgisinternal AND relnamespace <> 'mfi_audit'::regnamespace ORDER BY tgrelid::regclass::text COLLATE "C";

-- Partitions: the current month, three more, and the rest
SELECT inhparent::regclass AS "table", count(*) AS partitions,
       bool_and(inhrelid::regclass::text = _mfi_partition_name(inhparent::regclass::text, month)) AS named,
       bool_and(pg_get_partkeydef(inhparent) = 'RANGE (event_time)') AS by_time,
       bool_and(EXISTS (SELECT FROM pg_trigger WHERE tgrelid = inhrelid AND tgname = 'append_only')) AS append_only,
       bool_and(obj_description(inhrelid, 'pg_class') IS NOT NULL) AS documented
  FROM unnest(_mfi_audit_tables()) AS name
  JOIN pg_inherits ON inhparent = name::regclass JOIN pg_class ON pg_class.oid = inhrelid
 CROSS JOIN LATERAL (SELECT _mfi_month(substring(pg_get_expr(relpartbound, inhrelid) FROM $$FROM \('([^']*)'$$)::timestamptz)) AS b (month)
 GROUP BY 1 ORDER BY 1;

-- Views
SELECT relname AS view, reloptions, attname AS "column", format_type(atttypid, atttypmod) AS type
  FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0
 WHERE relkind = 'v' AND relname LIKE 'v\_%' AND relnamespace = 'public'::regnamespace
 ORDER BY relname COLLATE "C", attnum;

-- Seeds, and where their sequences stand
SELECT id, name FROM activity_type ORDER BY id;
SELECT id, name, iso_alpha2 FROM mfi_country ORDER BY id;
SELECT id, name FROM mfi_type ORDER BY id;
SELECT id, name FROM platform_type ORDER BY id;
INSERT INTO activity_type (name) VALUES ('NEXT') RETURNING id;
INSERT INTO mfi_country (name) VALUES ('Next') RETURNING id;
INSERT INTO mfi_type (name) VALUES ('Next') RETURNING id;
INSERT INTO platform_type (name) VALUES ('Next') RETURNING id;

-- Released: no relation or schema of the migration belongs to the extension
SELECT m.type, m.identity
  FROM pg_depend d, pg_extension e, pg_identify_object(d.classid, d.objid, 0) m
 WHERE d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND d.deptype = 'e'
   AND e.extname = 'mfi' AND (m.type IN ('table', 'sequence', 'schema') OR m.schema IN ('mfi', 'mfi_audit')
                              OR m.name LIKE 'v\_%');

-- Everything is documented
SELECT pg_describe_object(d.classid, d.objid, 0) AS member_without_comment
  FROM pg_depend d JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
 WHERE e.extname = 'mfi' AND d.deptype = 'e'
   AND obj_description(d.objid, d.classid::regclass::text) IS NULL
   AND d.classid <> 'pg_type'::regclass;
SELECT oid::regclass AS relation_without_comment FROM pg_class
 WHERE relkind IN ('r', 'p', 'v') AND relnamespace IN ('public'::regnamespace, 'mfi'::regnamespace)
   AND obj_description(oid, 'pg_class') IS NULL;
SELECT nspname AS schema_without_comment FROM pg_namespace
 WHERE nspname LIKE 'mfi%' AND obj_description(oid, 'pg_namespace') IS NULL;

\c postgres
DROP DATABASE regression_mfi_schema;
