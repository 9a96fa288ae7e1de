-- What a table holds, as a number: the same for the same rows however they were made and wherever they are, another one for any other.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
DROP DATABASE IF EXISTS regression_mfi_contents;
CREATE DATABASE regression_mfi_contents;
\c regression_mfi_contents
SET client_min_messages = warning;
CREATE EXTENSION mfi CASCADE;
CREATE SCHEMA contents;
SET search_path = contents, public;
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE DOMAIN short AS varchar(10) CHECK (value <> '');
CREATE TYPE pair AS (a int, b numeric);
CREATE TYPE span AS RANGE (subtype = float8);
CREATE FUNCTION hash_of(name text) RETURNS text LANGUAGE sql AS $$ SELECT rows || ' ' || hash FROM _mfi_contents(name::regclass) $$;

-- Every type, with values that have more than one image, and each with one changed.
CREATE TABLE samples (type text, good text[]);
INSERT INTO samples VALUES
('bool', '{t,f}'), ('"char"', '{a,b}'), ('int2', '{-1,7}'), ('int4', '{-1,2147483647}'), ('int8', '{-9223372036854775808,1}'), ('oid', '{1,4294967295}'),
('xid', '{3,4}'), ('xid8', '{3,4}'), ('cid', '{1,2}'), ('tid', '{"(0,1)","(2,3)"}'), ('money', '{1.50,-2}'), ('date', '{2024-02-29,infinity}'),
('time', '{00:00,24:00}'), ('timetz', '{00:00+02,12:00-11:30}'), ('timestamp', '{2024-02-29 12:00:00.000001,-infinity}'), ('timestamptz', '{2024-02-29 12:00Z,0044-03-15 00:00Z BC}'),
('interval', '{1 mon -30 days,24:00:00,1 day}'), ('float4', '{1.1,-0,NaN,Infinity}'), ('float8', '{0.1,-0,NaN,-Infinity}'),
('numeric', '{1.0,1.00,NaN,Infinity,0,-0.000001,123456789012345678901234567890.1234567890}'), ('numeric(12,2)', '{1.00,99999999.99}'), ('uuid', '{00000000-0000-0000-0000-00000000000a,00000000-0000-0000-0000-00000000000b}'),
('macaddr', '{08:00:2b:01:02:03,08:00:2b:01:02:04}'), ('macaddr8', '{08:00:2b:01:02:03:04:05,08:00:2b:01:02:03:04:06}'), ('inet', '{10.0.0.1/8,10.0.0.1,::1}'), ('cidr', '{10.0.0.0/8,::/0}'),
('name', '{a,b}'), ('text', '{"",a,"a "}'), ('varchar(9)', '{a,"a "}'), ('bpchar(9)', '{a,b}'), ('bytea', '{"\\x","\\x00ff"}'), ('json', '{"{\"a\": 1}","{\"a\":1}"}'),
('jsonb', '{"null",1,1.0,"\"x\"","{\"a\": [1, {\"b\": null}], \"c\": 1.50}","[]","{}","[[1], 2]","[1, [2]]"}'), ('jsonpath', '{$.a,$.b}'), ('xml', '{<a/>,<b/>}'),
('bit(3)', '{101,110}'), ('varbit', '{1,10}'), ('tsvector', '{"a:1 b:2A","a b"}'), ('tsquery', '{a & b,a | b}'), ('point', '{"(1,2)","(1,-0)"}'), ('line', '{"{1,2,3}","{1,2,4}"}'),
('lseg', '{"[(1,2),(3,4)]","[(1,2),(3,5)]"}'), ('box', '{"(3,4),(1,2)","(3,5),(1,2)"}'), ('path', '{"[(1,2),(3,4)]","((1,2),(3,4))"}'), ('polygon', '{"((1,2),(3,4))","((1,2),(3,5))"}'), ('circle', '{"<(1,2),3>","<(1,2),4>"}'),
('pg_lsn', '{0/1,1/0}'), ('pg_snapshot', '{10:20:,10:20:12}'), ('txid_snapshot', '{10:20:,10:20:12}'), ('int2vector', '{1 2,1}'), ('oidvector', '{1 2,1}'), ('refcursor', '{a,b}'), ('aclitem', '{postgres=r/postgres,postgres=w/postgres}'),
('regclass', '{pg_class,pg_type}'), ('regtype', '{int4,int8}'), ('regproc', '{sin,cos}'), ('regprocedure', '{sin(float8),cos(float8)}'), ('regoper', '{||/,|/}'), ('regoperator', '{"+(int4,int4)","-(int4,int4)"}'),
('regnamespace', '{pg_catalog,public}'), ('regrole', '{pg_monitor,pg_read_all_data}'), ('regconfig', '{simple,english}'), ('regdictionary', '{simple,english_stem}'), ('regcollation', '{"\"C\"","\"POSIX\""}'),
('int4range', '{"[1,3)",empty}'), ('int8range', '{"[1,3)",empty}'), ('numrange', '{"[1.0,2.0]","[1.0,2.00]"}'), ('tsrange', '{"[2024-01-01,2024-01-02)",empty}'), ('tstzrange', '{"[2024-01-01 00:00Z,2024-01-02 00:00Z)",empty}'), ('daterange', '{"[2024-01-01,2024-01-02)",empty}'),
('int4multirange', '{"{[1,3)}","{}"}'), ('nummultirange', '{"{[1.0,2.0]}","{}"}'), ('mood', '{sad,ok}'), ('short', '{a,"a "}'), ('pair', '{"(1,1.0)","(1,1.00)","(,)"}'), ('span', '{"[1,2)","[1,3)"}'),
('int4[]', '{"{1,2}","{{1},{2}}","{}","{1,NULL}","[0:1]={1,2}"}'), ('text[]', '{"{a,\"a \"}","{NULL}","{\"NULL\"}"}'), ('numeric[]', '{"{1.0}","{1.00}"}'), ('mood[]', '{"{sad,ok}","{ok,sad}"}'), ('pair[]', '{"{\"(1,1.0)\"}","{}"}'), ('timestamptz[]', '{"{\"2024-01-01 00:00Z\"}","{}"}');
SET DateStyle = 'ISO, YMD'; SET TimeZone = 'UTC';
DO $$
DECLARE
  s record;
  n int;
  hashes text[];
  h text;
BEGIN
  FOR s IN SELECT * FROM samples LOOP
    EXECUTE format('CREATE TABLE made (k int, v %s); CREATE TABLE again (k int, v %s); INSERT INTO made SELECT n, t::%s FROM unnest($1) WITH ORDINALITY AS u (t, n)', s.type, s.type, s.type) USING s.good;
    EXECUTE format('INSERT INTO again SELECT k, v::text::%s FROM made ORDER BY k DESC', s.type);
    IF hash_of('made') <> hash_of('again') THEN RAISE WARNING '%: other after its text', s.type; END IF;
    hashes := '{}';
    FOR n IN 1 .. cardinality(s.good) LOOP  -- each value alone, and none
      TRUNCATE again;
      EXECUTE format('INSERT INTO again VALUES (1, $1::%s)', s.type) USING s.good[n];
      hashes := hashes || hash_of('again');
    END LOOP;
    TRUNCATE again;
    INSERT INTO again VALUES (1, NULL);
    hashes := hashes || hash_of('again');
    IF (SELECT count(DISTINCT u) FROM unnest(hashes) u) <> cardinality(hashes) THEN RAISE WARNING '%: two values with one hash', s.type; END IF;
    DROP TABLE made, again;
  END LOOP;
END
$$;
-- Types of the server that no table can hold, or no dump can bring back, beside those above.
SELECT t.typname FROM pg_type t
 WHERE t.typnamespace = 'pg_catalog'::regnamespace AND t.typtype IN ('b', 'r', 'm') AND t.typelem = 0 AND t.typrelid = 0
   AND NOT EXISTS (SELECT FROM samples s WHERE format_type(t.oid, NULL) = format_type(split_part(s.type, '(', 1)::regtype, NULL))
 ORDER BY 1;

-- One value, however it was made.
CREATE TABLE one (v jsonb); CREATE TABLE other (v jsonb);
INSERT INTO one VALUES ('{"a": 1, "b": [1, 2], "c": {"d": 1.0}}'); INSERT INTO other VALUES ('{"c": {"d": 1.0}}'::jsonb || '{"a": 7}' || '{"a": 1}' || jsonb_build_object('b', jsonb_build_array(1, 2)));
SELECT hash_of('one') = hash_of('other') AS jsonb_built;
DROP TABLE one, other;
CREATE TABLE one (v float8, w float4, n numeric, a int[], t text); CREATE TABLE other (LIKE one);
INSERT INTO one VALUES ('NaN', 'NaN', 0.5, '{1,2}', repeat('x', 10)); INSERT INTO other VALUES ('Infinity'::float8 - 'Infinity'::float8, 'Infinity'::float4 - 'Infinity'::float4, 1 - 0.5, array_remove('{1,NULL,2}'::int[], NULL), 'xxxxx' || 'xxxxx');
SELECT hash_of('one') = hash_of('other') AS computed;
DROP TABLE one, other;
-- Compressed, out of line, of any storage.
CREATE TABLE one (v text); CREATE TABLE other (v text);
ALTER TABLE one ALTER v SET STORAGE EXTERNAL; ALTER TABLE other ALTER v SET STORAGE MAIN;
INSERT INTO one SELECT repeat(n::text, 3000) FROM generate_series(1, 20) n; INSERT INTO other SELECT repeat(n::text, 3000) FROM generate_series(20, 1, -1) n;
SELECT hash_of('one') = hash_of('other') AS toasted;
DROP TABLE one, other;
-- Dropped and added columns, another order, generated ones.
CREATE TABLE one (gone int, a int, b text); INSERT INTO one VALUES (1, 1, 'x'); ALTER TABLE one DROP gone, ADD c int DEFAULT 5, ADD d int GENERATED ALWAYS AS (a + 1) STORED;
CREATE TABLE other (d int, c int, b text, a int); INSERT INTO other VALUES (2, 5, 'x', 1);
SELECT hash_of('one') = hash_of('other') AS columns;
UPDATE other SET d = 3;
SELECT hash_of('one') = hash_of('other') AS a_generated_column_differs;
DROP TABLE one, other;
-- What keeps every count: values swapped between rows, between columns, between tables; NULL for an empty text and for 'N'.
CREATE TABLE one (a text, b text); INSERT INTO one VALUES ('x', 'y'), ('p', 'q');
CREATE TABLE hashes AS SELECT hash_of('one') AS h;
UPDATE one SET a = CASE a WHEN 'x' THEN 'p' ELSE 'x' END; INSERT INTO hashes VALUES (hash_of('one'));
TRUNCATE one; INSERT INTO one VALUES ('y', 'x'), ('p', 'q'); INSERT INTO hashes VALUES (hash_of('one'));
TRUNCATE one; INSERT INTO one VALUES ('xy', ''), ('p', 'q'); INSERT INTO hashes VALUES (hash_of('one'));
TRUNCATE one; INSERT INTO one VALUES ('xy', NULL), ('p', 'q'); INSERT INTO hashes VALUES (hash_of('one'));
TRUNCATE one; INSERT INTO one VALUES ('xy', 'N'), ('p', 'q'); INSERT INTO hashes VALUES (hash_of('one'));
TRUNCATE one; INSERT INTO one VALUES ('x', 'y'), ('x', 'y'); INSERT INTO hashes VALUES (hash_of('one'));
TRUNCATE one; INSERT INTO one VALUES ('p', 'q'), ('p', 'q'); INSERT INTO hashes VALUES (hash_of('one'));
SELECT count(DISTINCT h) = count(*) AS all_differ FROM hashes;
-- Settings of the session do not matter.
TRUNCATE one; INSERT INTO one VALUES ('x', 'y');
CREATE TABLE set_so (a timestamptz[], b interval[], c float8[], d bytea[], e regclass); INSERT INTO set_so VALUES ('{2024-02-29 12:00Z}', '{1 mon -3 days}', '{0.1}', '{"\\x00"}', 'one');
CREATE TABLE said AS SELECT hash_of('set_so') AS h;
SET TimeZone = 'Asia/Kabul'; SET DateStyle = 'German'; SET IntervalStyle = 'iso_8601'; SET extra_float_digits = -3; SET bytea_output = 'escape'; SET quote_all_identifiers = on;
SELECT hash_of('set_so') = h AS settings, current_setting('TimeZone') FROM said;
RESET ALL;
-- 1,600 columns; a partitioned table has no rows of its own; a view is none; rights are needed.
SET search_path = contents, public;
DO $$ BEGIN EXECUTE 'CREATE TABLE wide (' || (SELECT string_agg('c' || n || ' bool', ', ') FROM generate_series(1, 1600) n) || ')'; END $$;
INSERT INTO wide (c1, c1600) VALUES (true, false);
SELECT rows FROM _mfi_contents('wide'::regclass);
CREATE VIEW seen AS SELECT 1 AS x;
SELECT * FROM _mfi_contents('seen'::regclass);
CREATE ROLE contents_reader;
GRANT USAGE ON SCHEMA contents TO contents_reader; GRANT EXECUTE ON FUNCTION public._mfi_contents(oid) TO contents_reader; GRANT SELECT (a) ON one TO contents_reader;
SET ROLE contents_reader;
SELECT * FROM _mfi_contents('contents.one'::regclass);
RESET ROLE;
GRANT SELECT (b) ON one TO contents_reader;
SET ROLE contents_reader;
SELECT rows FROM _mfi_contents('contents.one'::regclass);
RESET ROLE;
ALTER TABLE one ENABLE ROW LEVEL SECURITY;
SET ROLE contents_reader;
SELECT * FROM _mfi_contents('contents.one'::regclass);
RESET ROLE;
SELECT * FROM _mfi_contents(0::oid);
DROP OWNED BY contents_reader; DROP ROLE contents_reader;
-- Large objects: their number, bytes and size; not how they lie in pages.
SET search_path = public;
SELECT rows FROM _mfi_contents('pg_largeobject'::regclass);
CREATE FUNCTION objects() RETURNS text LANGUAGE sql VOLATILE AS $$ SELECT rows || ' ' || hash FROM _mfi_contents('pg_largeobject'::regclass) $$;
SELECT lo_create(4711); SELECT objects() AS empty \gset
SELECT objects() = :'empty' AS same, split_part(objects(), ' ', 1) AS rows;
SELECT lo_put(4711, 0, repeat('x', 5000)::bytea); SELECT objects() AS filled \gset
SELECT :'filled' <> :'empty' AS content_counts;
SELECT lo_put(4711, 4999, 'y'); SELECT objects() <> :'filled' AS a_byte_counts; SELECT lo_put(4711, 4999, 'x'); SELECT objects() = :'filled' AS and_back;
SELECT lo_create(4712); SELECT lo_put(4712, 0, repeat('x', 5000)::bytea); SELECT lo_unlink(4711); SELECT objects() <> :'filled' AS the_number_counts; SELECT lo_unlink(4712);
SELECT lo_create(4711); SELECT lo_put(4711, 1000000, 'z'); SELECT count(*) < 10 AS has_holes, objects() AS hole FROM pg_largeobject \gset
SELECT :'has_holes' AS has_holes; SELECT lo_get(4711) AS bytes \gset
SELECT lo_unlink(4711); SELECT lo_from_bytea(4711, :'bytes'); SELECT count(*) > 10 AS has_none, objects() = :'hole' AS the_same_bytes FROM pg_largeobject;
SELECT lo_unlink(4711); SELECT lo_from_bytea(4711, '\x0000'); SELECT objects() AS zeros \gset
SELECT lo_unlink(4711); SELECT lo_from_bytea(4711, '\x000000'); SELECT objects() <> :'zeros' AS the_size_counts, objects() <> :'empty' AS also_of_zeros;
SELECT lo_unlink(4711); SELECT lo_from_bytea(4711, ''); SELECT objects() = :'empty' AS no_bytes_are_empty; SELECT lo_unlink(4711);
-- Where a sequence stands: before its first call one step before its first value.
CREATE SEQUENCE up; CREATE SEQUENCE down INCREMENT -7 MAXVALUE 1000 START 100; CREATE SEQUENCE edge MINVALUE -9223372036854775808 START -9223372036854775808;
SELECT _mfi_sequence_position('up'::regclass) AS up, _mfi_sequence_position('down'::regclass) AS down, _mfi_sequence_position('edge'::regclass) AS edge;
SELECT nextval('up'), nextval('down'), _mfi_sequence_position('up'::regclass) AS up, _mfi_sequence_position('down'::regclass) AS down;
ALTER SEQUENCE up RESTART WITH 500; SELECT _mfi_sequence_position('up'::regclass) AS restarted;
SELECT _mfi_sequence_position('pg_class'::regclass);
SELECT _mfi_sequence_position(0::oid);
\c postgres
DROP DATABASE regression_mfi_contents;
