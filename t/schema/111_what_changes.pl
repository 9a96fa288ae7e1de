# What docs/schema.md says under "What changes for your application" is all that differs between the tables as applications have
# them and those of mfi, by the catalogs of both; and each statement of that list does what the list says.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiInterface qw(legacy_schema interface_tables interface_views);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils qw(slurp_file);
use Test::More;

my ($text) = slurp_file("$FindBin::RealBin/../../docs/schema.md") =~ /^## What changes for your application\n(.*?)(?=^## |\z)/ms or die 'docs/schema.md has no such section';
my @cells = map { [ map { s/^\s+|\s+$//gr } split /\|/, s/^\||\|$//gr ] } grep { /^\|/ && !/^\|---/ } split /\n/, $text;
my $code = sub { $_[0] =~ /^`(.*)`$/ ? $1 : undef };

my $node = PostgreSQL::Test::Cluster->new('bank');
$node->init;
$node->start;
my @databases = qw(legacy adopted fresh);
$node->safe_psql('postgres', "CREATE DATABASE $_") for @databases;
$node->safe_psql('legacy', legacy_schema());
# As some hubs have it: with the portals that are not active, and counted by what the path contains.
my $own_view = <<'SQL';
CREATE OR REPLACE VIEW v_active_portals AS
SELECT p.id, p.name, p.description, p.realm_id, p.is_active, p.on_prod, count(DISTINCT ug.user_id) AS user_count, p.created_on, p.updated_at
  FROM portals p LEFT JOIN portal_groups g ON g.group_path LIKE '%' || p.realm_id || '%' LEFT JOIN user_groups ug ON ug.group_id = g.iam_group_id GROUP BY p.id;
INSERT INTO portals (name, realm_id, client_id, is_active) VALUES ('on', 'a', 'c', true), ('off', 'b', 'c', false), ('empty', 'none', 'c', true);
INSERT INTO portal_groups (iam_group_id, name, group_path) VALUES ('00000000-0000-0000-0000-00000000000a', 'g', '/a/g'), ('00000000-0000-0000-0000-00000000000b', 'h', '/x/a/h');
INSERT INTO portal_users (id_iam, username, fname, lname, email, id_group) SELECT ('00000000-0000-0000-0000-00000000000' || n)::uuid, 'u' || n, 'f', 'l', 'e' || n, '00000000-0000-0000-0000-00000000000a' FROM generate_series(1, 2) n;
INSERT INTO user_groups (user_id, group_id) VALUES ('00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-00000000000a'), ('00000000-0000-0000-0000-000000000002', '00000000-0000-0000-0000-00000000000b');
SQL
$node->safe_psql('adopted', legacy_schema() . $own_view);
is($node->safe_psql('adopted', 'SELECT name, user_count FROM v_active_portals ORDER BY name'), "empty|0\noff|0\non|2", 'a view of a hub before');
$node->safe_psql($_, 'CREATE EXTENSION mfi CASCADE') for qw(adopted fresh);
is($node->safe_psql('adopted', 'SELECT name, user_count FROM v_active_portals ORDER BY name'), "empty|0\non|1", 'v_active_portals: active ones alone, by the first part of the path');
like($text, qr/`v_active_portals` shows portals with `is_active` alone.*the \*\*first\*\* part of whose `group_path`/s, 'and the list says so');
is($node->safe_psql($_, "SELECT count(*) FROM pg_class WHERE relname LIKE 'v\\_%' AND relkind = 'v' AND 'security_invoker=true' = ANY (reloptions)"), 3, "$_: the views read with the rights of who asks") for qw(adopted fresh);

# The catalogs. One line for each thing: what it is, and what is said of it.
my $relations = join ', ', map { "'$_'" } interface_tables(), keys %{ { map { $_->{view} => 1 } interface_views() } };
my %queries = (
	type => q{SELECT c.relname || '.' || attname, format_type(atttypid, atttypmod)},
	null => q{SELECT c.relname || '.' || attname, attnotnull},
	default => q{SELECT c.relname || '.' || attname, CASE WHEN attidentity <> '' OR pg_get_expr(adbin, adrelid) LIKE 'nextval(%' THEN 'sequence' ELSE replace(coalesce(pg_get_expr(adbin, adrelid), '-'), 'CURRENT_TIMESTAMP', 'now()') END},
	identity => q{SELECT c.relname || '.' || attname, coalesce(nullif(attidentity::text, ''), '-')});
$_ .= " FROM pg_class c JOIN pg_attribute a ON attrelid = c.oid LEFT JOIN pg_attrdef ON adrelid = c.oid AND adnum = attnum WHERE c.relnamespace = 'public'::regnamespace AND c.relname IN ($relations) AND attnum > 0 AND NOT attisdropped" for values %queries;
my $of_table = "JOIN pg_class c ON c.oid = %s WHERE c.relnamespace = 'public'::regnamespace AND c.relname IN ($relations)";
$queries{constraint} = "SELECT c.relname || ': ' || regexp_replace(pg_get_constraintdef(k.oid), '^CHECK \\(\\((.*?)(::text)?\\)\\)\$', '\\1'), 'is' FROM pg_constraint k " . sprintf($of_table, 'conrelid');
$queries{unique} = "SELECT c.relname || ': ' || regexp_replace(pg_get_indexdef(indexrelid), '^.* USING btree ', ''), 'is' FROM pg_index " . sprintf($of_table, 'indrelid') . ' AND indisunique';
$queries{trigger} = "SELECT c.relname || ': ' || tgname, 'is' FROM pg_trigger " . sprintf($of_table, 'tgrelid') . ' AND NOT tgisinternal';
my %found;
for my $what (keys %queries)
{
	for my $database (@databases)
	{
		%{ $found{$what}{$database} } = map { split /\|(?=[^|]*$)/ } split /\n/, $node->safe_psql($database, $queries{$what});
	}
	is_deeply($found{$what}{adopted}, $found{$what}{fresh}, "$what: adopted is as fresh");
}
sub differing
{
	my ($what) = @_;
	my ($old, $new) = @{ $found{$what} }{qw(legacy fresh)};
	return grep { ($old->{$_} // '') ne ($new->{$_} // '') } sort keys %{ { %$old, %$new } };
}
sub same_list { my ($got, $expected, $name) = @_; return is(join("\n", sort @$got), join("\n", sort @$expected), $name) }

# Types: each retyped column has its line; timestamps and serials all of them one.
my %types = map { $code->($_->[0]) ? ($code->($_->[0]) => $_) : () } grep { @$_ == 5 } @cells;
my ($stamps) = grep { $_->[0] =~ /^each `timestamp` column/ } @cells;
my ($serials) = grep { $_->[0] =~ /^each `serial` column/ } @cells;
ok($stamps && $serials, 'timestamps and serials are in the list');
my (@retyped, @added);
for my $column (differing('type'))
{
	my ($was, $is) = map { $found{type}{$_}{$column} } qw(legacy fresh);
	if (!defined $was) { push @added, $column; next }
	ok(defined $is, "$column is still there");
	next if $was eq 'timestamp without time zone' && $is eq 'timestamp with time zone';
	push @retyped, $column;
	is(join(' ', map { $code->($_) } @{ $types{$column} }[ 1, 2 ]), "$was $is", "$column: the list says from which type to which") if $types{$column};
}
same_list([ keys %types ], \@retyped, 'types: the list has those that change, and no others');
is(scalar(grep { $_ eq 'timestamp without time zone' } values %{ $found{type}{fresh} }), 0, 'no timestamp is left');
my @sequences = grep { $found{default}{legacy}{$_} eq 'sequence' } keys %{ $found{default}{legacy} };
same_list([ grep { $found{identity}{legacy}{$_} } differing('identity') ], \@sequences, 'each serial is an identity');
is(join(',', sort keys %{ { map { $found{identity}{fresh}{$_} => 1 } @sequences } }), 'd', 'BY DEFAULT');
my @listed = map { my $table = $code->($_->[0]); map { "$table.$_" } $_->[1] =~ /`(\w+)`/g } grep { @$_ == 2 && $code->($_->[0]) } @cells;
same_list(\@listed, \@added, 'new columns: the list has them, and no others');
is_deeply([ grep { $found{null}{fresh}{$_} eq 't' && $found{default}{fresh}{$_} eq '-' } @added ], [], 'they are nullable or have a default');

my %added = map { $_ => 1 } @added;
my ($defaults) = $text =~ /^\*\*Defaults and nullability\.\*\* (.*)/m;
same_list([ $defaults =~ /`(\w+\.\w+)`/g ], [ grep { !$added{$_} } differing('default') ], 'defaults: the list has those that change');
is_deeply([ grep { !$added{$_} } differing('null') ], [], 'nullability: as it was');

my ($checks) = $text =~ /^\*\*New checks\.\*\* (.*)/m;
my @checks = map { my ($tables, $list) = @$_; my @c = $list =~ /`([^`]+)`/g; map { my $t = $_; map { "$t: $_" } @c } $tables =~ /`(\w+)`/g } map { [ split /: /, $_, 2 ] } split /\.\s+(?=`)/, $checks;
same_list([ @checks, map({ "$_: PRIMARY KEY (id)" } grep { /_logs$/ } interface_tables()), 'portal_groups: FOREIGN KEY (portal_id) REFERENCES portals(id) ON DELETE SET NULL' ], [ differing('constraint') ],
	'constraints: new checks, a new foreign key, and the primary keys of the audit tables, which are gone');
like($text, qr/`portal_groups.portal_id` refers to `portals`, `ON DELETE SET NULL`/, 'the list has the foreign key');
same_list([ differing('unique') ], [ 'admin_event_logs: (event_id, event_time) WHERE (NOT duplicate)', 'user_auth_logs: (iam_event_id, event_time) WHERE (NOT duplicate)', map { my $t = $_; map { "$t: (id$_" } ')', $t =~ /activity/ ? ', event_time) NULLS NOT DISTINCT' : ', event_time)' } grep { /_logs$/ } interface_tables() ],
	'unique: an event once, and the id with event_time');
like($text, qr/`iam_event_id`, in `admin_event_logs` `event_id`, with `event_time`\) is taken once/, 'the list has the event');
like($text, qr/index on `id` together with `event_time`/, 'and the id');
my @touched = grep { $found{type}{fresh}{"$_.updated_at"} && !/_logs$/ } interface_tables();
same_list([ differing('trigger') ], [ map({ "$_: touch_updated_at" } @touched), map({ "$_: append_only" } grep { /_logs$/ } interface_tables()) ], 'triggers');
like($text, qr/`touch_updated_at` on every table with `updated_at` except the logs.*`append_only` on the four audit tables/, 'the list has them');

# The statements: what was written before works as it was and fails now, where it says so; what is to be written works.
sub fails { my ($database, $sql) = @_; my ($status, $out, $err) = $node->psql($database, $sql); return $status == 0 ? '' : $err }
for my $line (grep { (@$_ == 5 && $code->($_->[3])) || (@$_ >= 2 && ($code->($_->[0]) // '') =~ /^[A-Z]+ /) } @cells)
{
	my ($before, $now) = map { defined $_ ? $code->($_) : undef } @$line == 5 ? @$line[ 3, 4 ] : @$line[ 0, 2 ];
	my $begin = "$before$;" =~ /CONCURRENTLY/ ? '' : 'BEGIN; ';
	is(fails('legacy', "$begin$before"), '', "before: $before");
	if ($line == $serials) { is(fails('adopted', "BEGIN; $before"), '', 'goes on') }
	else { isnt(fails('adopted', "$begin$before"), '', 'not any more') }
	next if !defined $now;
	is(fails('adopted', $now =~ /mfi_audit_expire/ ? "EXPLAIN $now" : "BEGIN; $now"), '', "now: $now");
}

$node->stop;
done_testing();
