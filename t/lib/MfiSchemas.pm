package MfiSchemas;

# Databases as people make them: schemas by chance, the same for the same seed, with types, partitions and constraints of every sort;
# and faults that leave each table with as many rows as before.

use strict;
use warnings FATAL => 'all';
use Exporter qw(import);

our @EXPORT_OK = qw(schema fault);

# A value of row number i. %s is the schema.
my %types = (
	'int' => 'i', 'bigint' => 'i * 4000000000', 'smallint' => '(i % 30000)::smallint', 'numeric' => '(i::numeric / 8)', 'numeric(12,4)' => 'i / 7.0',
	'float8' => 'sqrt(i)', 'float4' => '(1.0 / (i + 1))::float4', 'money' => 'i::money', 'text' => q{'row ' || i || repeat(' ', i % 3)},
	'varchar(80)' => q{'Zoë ' || md5(i::text)}, 'char(9)' => q{'c' || i}, 'bytea' => q{decode(md5(i::text), 'hex')}, 'bool' => 'i % 3 = 0',
	'date' => q{date '2020-02-29' + i}, 'timestamp' => q{timestamp '2020-01-01' + i * interval '1.000001 s'}, 'timestamptz' => q{timestamptz '2021-03-28 01:59+01' + i * interval '1 min'},
	'time' => q{time '00:00' + i * interval '1 ms'}, 'timetz' => q{timetz '12:00+02'}, 'interval' => q{make_interval(months => i, secs => i)}, 'uuid' => 'md5(i::text)::uuid',
	'jsonb' => q{jsonb_build_object('n', i / 4.0, 't', 'ä' || i, 'a', jsonb_build_array(i, null, true))}, 'json' => q{('{ "n":  ' || i || '}')::json}, 'xml' => q{('<a n="' || i || '"/>')::xml},
	'inet' => q{inet '10.0.0.0/8' + i}, 'cidr' => q{cidr '10.1.0.0/16'}, 'macaddr' => q{macaddr '08:00:2b:01:02:03'}, 'int[]' => 'ARRAY[i, NULL, -i]', 'text[]' => q{ARRAY['a', 'b' || i, '']},
	'numeric[]' => 'ARRAY[[i::numeric, 1.50], [2.0, i / 3.0]]', 'int4range' => 'int4range(i, i + 10)', 'tstzrange' => q{tstzrange('2020-01-01', timestamptz '2020-01-01' + i * interval '1 h', '[]')},
	'nummultirange' => 'nummultirange(numrange(i, i + 1), numrange(i + 5, NULL))', 'point' => 'point(i, -i)', 'box' => 'box(point(0, 0), point(i, i))', 'polygon' => 'polygon(box(point(0, 0), point(i + 1, 1)))',
	'bit(5)' => q{(i % 32)::bit(5)}, 'varbit' => q{(B'1' || (i % 32)::bit(5))}, 'tsvector' => q{to_tsvector('simple', 'one two ' || i)},
	'%s.mood' => q{(ARRAY['sad', 'ok', 'glad'])[1 + i % 3]::%s.mood}, '%s.mood[]' => q{ARRAY['ok', 'sad']::%s.mood[]}, '%s.pair' => q{ROW(i, 'p' || i)::%s.pair}, '%s.code' => q{('K' || i)::%s.code},
	'regclass' => q{'pg_class'::regclass}, 'pg_lsn' => q{('0/' || to_hex(i + 16))::pg_lsn});
my @names = sort keys %types;

# What a column becomes: another value that keeps the row. {c} is the column.
my %changes = (
	'int' => ['{c} + 1'], 'bigint' => ['{c} - 1'], 'smallint' => ['({c} + 1)::smallint'], 'numeric' => ['trim_scale({c}) * 1.0', '{c} + 0.0001'], 'numeric(12,4)' => ['{c} + 0.0001'],
	'float8' => [q{'-0'::float8}, '{c} * (1 + 1e-15)'], 'float4' => ['-{c}'], 'money' => [q{{c} + '0.01'::money}], 'text' => [q{{c} || ' '}, q{rtrim({c}) || E'\t'}, q{upper({c})}, 'NULL', q{''}],
	'varchar(80)' => [q{replace({c}, 'ë', 'Ã«')}, q{{c} || ' '}, q{replace({c}, 'ë', U&'e\0308')}], 'char(9)' => [q{upper({c})}], 'bytea' => [q{set_byte({c}, 15, get_byte({c}, 15) # 1)}, q{{c} || '\x00'}],
	'bool' => ['NOT {c}'], 'date' => ['{c} + 1', q{'infinity'}], 'timestamp' => [q{{c} + interval '1 us'}], 'timestamptz' => [q{{c} + interval '1 us'}, q{{c} - interval '1 h'}], 'time' => [q{{c} + interval '1 us'}],
	'timetz' => [q{'11:00+01'}], 'interval' => [q{{c} + interval '30 days' - interval '1 month'}], 'uuid' => [q{md5({c}::text)::uuid}], 'jsonb' => [q{{c} || '{"n": 1.50}'}, q{{c} - 't'}, q{jsonb_set({c}, '{a}', '[null]')}],
	'json' => [q{replace({c}::text, '  ', ' ')::json}], 'xml' => [q{'<a></a>'::xml}], 'inet' => ['{c} + 1', 'set_masklen({c}, 9)'], 'cidr' => [q{'10.1.0.0/17'}], 'macaddr' => [q{'08:00:2b:01:02:04'}],
	'int[]' => ['array_remove({c}, NULL)', 'array_append({c}, NULL)'], 'text[]' => [q{array_replace({c}, '', NULL)}, q{'[2:4]={a,b,c}'}], 'numeric[]' => [q{'{{1.5,1.5},{2,3}}'}], 'int4range' => ['int4range(lower({c}), upper({c}) + 1)'],
	'tstzrange' => [q{tstzrange(lower({c}), upper({c}), '[)')}], 'nummultirange' => [q{'{}'}], 'point' => ['{c} + point(0, 0.5)'], 'box' => ['{c} + point(1, 0)'], 'polygon' => [q{'((0,0),(0,1))'}], 'bit(5)' => ['~{c}'],
	'varbit' => [q{{c} || B'0'}], 'tsvector' => [q{setweight({c}, 'A')}], '%s.mood' => [q{CASE {c} WHEN 'ok' THEN 'sad' ELSE 'ok' END::%s.mood}], '%s.mood[]' => [q{'{sad,ok}'}], '%s.pair' => [q{ROW(({c}).a, ({c}).b || ' ')::%s.pair}],
	'%s.code' => [q{({c} || 'x')::%s.code}], 'regclass' => [q{'pg_type'::regclass}], 'pg_lsn' => [q{{c} + 1}]);

sub of { my ($name, $text) = @_; return $text =~ s/%s/$name/gr }
sub pick { return $_[int rand @_] }

# schema(NAME, SEED): (SQL that makes it, tables as [name, [[column, type], ...]]).
sub schema
{
	my ($name, $seed) = @_;
	srand $seed;
	my $sql = "CREATE SCHEMA $name; SET search_path = $name; CREATE TYPE mood AS ENUM ('sad', 'ok', 'glad'); CREATE TYPE pair AS (a int, b text); CREATE DOMAIN code AS text CHECK (VALUE <> ''); CREATE SEQUENCE numbers INCREMENT 3;\n";
	my @tables;
	for my $n (1 .. 3 + int rand 3)
	{
		my $table = "t$n";
		my @columns = map { [ "c$_", pick(@names) ] } 1 .. 2 + int rand 5;
		my $defined = join ', ', map { my $type = of($name, $_->[1]); "$_->[0] $type" } @columns;
		my $rows = pick(1, 7, 60, 400);
		my $kind = int rand 8;
		$sql .= "CREATE " . ($kind == 7 ? 'UNLOGGED ' : '') . "TABLE $table (id int, gone text, $defined" . ($kind == 5 ? ', twice int GENERATED ALWAYS AS (id * 2) STORED' : '') . ')'
		  . ($kind == 0 ? ' PARTITION BY RANGE (id)' : $kind == 1 ? ' PARTITION BY HASH (id)' : '') . ";\n";
		$sql .= "CREATE TABLE ${table}_low PARTITION OF $table FOR VALUES FROM (MINVALUE) TO (30); CREATE TABLE ${table}_rest PARTITION OF $table DEFAULT;\n" if $kind == 0;
		$sql .= "CREATE TABLE ${table}_$_ PARTITION OF $table FOR VALUES WITH (MODULUS 3, REMAINDER $_);\n" for $kind == 1 ? (0 .. 2) : ();
		$sql .= "INSERT INTO $table (id, gone, " . join(', ', map { $_->[0] } @columns) . ') SELECT i, repeat(md5(i::text), 99), ' . join(', ', map { my $value = of($name, $types{$_->[1]}); int rand 4 ? $value : "CASE WHEN i % 5 > 0 THEN $value END" } @columns)
		  . " FROM generate_series(1, $rows) i;\n";
		$sql .= "ALTER TABLE $table DROP COLUMN gone;\n" if rand() < 0.6;
		$sql .= "ALTER TABLE $table ADD COLUMN later int DEFAULT 7;\n" if rand() < 0.4;
		$sql .= "ALTER TABLE $table ADD PRIMARY KEY (id);\n" if rand() < 0.6;
		$sql .= "CREATE TABLE ${table}_child () INHERITS ($table); INSERT INTO ${table}_child SELECT * FROM ONLY $table LIMIT 3;\n" if $kind == 2;
		$sql .= "ALTER TABLE $table ADD CHECK (id > 3) NOT VALID;\n" if rand() < 0.2 && $kind != 2;
		$sql .= "ALTER TABLE $table ALTER id SET DEFAULT nextval('numbers'); SELECT nextval('numbers');\n" if rand() < 0.4;
		$sql .= "CREATE MATERIALIZED VIEW ${table}_m AS SELECT id % 4 AS quarter, count(*) FROM $table GROUP BY 1;\n" if rand() < 0.3;
		$sql .= "CREATE INDEX ON $table ((id + 1)) WHERE id > 2;\n" if rand() < 0.4;
		$sql .= "ALTER TABLE $table ENABLE ROW LEVEL SECURITY; CREATE POLICY none ON $table USING (false);\n" if rand() < 0.2;
		$sql .= "CREATE FUNCTION ${table}_f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.id := NEW.id + 1000; RETURN NEW; END'; CREATE TRIGGER x BEFORE INSERT ON $table FOR EACH ROW EXECUTE FUNCTION ${table}_f();\n" if rand() < 0.3;
		push @tables, [ "$name.$table", \@columns ] if $kind > 1;
	}
	return ("$sql SELECT lo_from_bytea(0, convert_to('$name', 'UTF8'));\n", @tables);
}

# A fault of one row of a table, as SQL: a value that is another, or two columns of one type that have each other's.
sub fault
{
	my ($schema, $table, $columns) = @_;
	my ($column, $type) = @{ pick(@$columns) };
	my $value = of($schema, pick(@{ $changes{$type} })) =~ s/\{c\}/$column/gr;
	my @same = grep { $_->[1] eq $type && $_->[0] ne $column } @$columns;
	my $set = @same && rand() < 0.3 ? "$column = $same[0][0], $same[0][0] = $column" : "$column = $value";
	my $differs = $set eq "$column = $value" ? "$column IS NOT NULL AND ($value)::text IS DISTINCT FROM $column\::text" : "$column\::text IS DISTINCT FROM $same[0][0]::text";
	return "UPDATE ONLY $table SET $set WHERE ctid = (SELECT ctid FROM ONLY $table WHERE id > 3 AND $differs LIMIT 1)";
}

1;
