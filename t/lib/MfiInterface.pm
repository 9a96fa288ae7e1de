package MfiInterface;

# The interface that applications rely on, from the tables in t/interface/: a database as it was before mfi, and the
# statements an application would make.

use strict;
use warnings FATAL => 'all';
use Exporter 'import';
use FindBin;
our @EXPORT_OK = qw(interface_columns interface_views interface_tables legacy_schema inserts updates selects deletes interface_rows);

# Rows of a file of t/interface/ as hashes. Only the last field may hold a comma, in quotes.
sub read_csv
{
	my ($name) = @_;
	open(my $file, '<', "$FindBin::RealBin/../interface/$name.csv") or die "could not open $name.csv: $!";
	chomp(my @lines = <$file>);
	my @fields = split /,/, shift @lines;
	return map {
		my @values = split /,/, $_, scalar @fields;
		$values[-1] =~ s/^"(.*)"$/$1/;
		my %row;
		@row{@fields} = @values;
		\%row
	} @lines;
}

sub interface_columns { return read_csv('columns') }
sub interface_views { return read_csv('views') }

my %defaults = (now => ' DEFAULT CURRENT_TIMESTAMP', 'random uuid' => ' DEFAULT gen_random_uuid()');

sub column_definition
{
	my ($c) = @_;
	my $default = $c->{identity_or_default};
	return "$c->{column} serial" if $default eq 'sequence';
	return "$c->{column} $c->{type}" . ($c->{not_null} eq 't' ? ' NOT NULL' : '')
	  . ($defaults{$default} // ($default eq '' ? '' : " DEFAULT $default"));
}

sub constraint_definition
{
	my ($c) = @_;
	my $columns = join(', ', split / /, $c->{columns});
	return "$c->{on_delete_or_check}" if $c->{kind} eq 'check';
	return uc($c->{kind}) . " ($columns)" if $c->{kind} ne 'foreign key';
	return "FOREIGN KEY ($columns) REFERENCES $c->{ref_table} ($c->{ref_columns}) ON DELETE $c->{on_delete_or_check}";
}

my $views = <<'SQL';
CREATE VIEW v_active_portals AS
SELECT p.id, p.name, p.description, p.realm_id, p.is_active, p.on_prod, count(DISTINCT ug.user_id) AS user_count, p.created_on, p.updated_at
  FROM portals p
  LEFT JOIN portal_groups g ON g.group_path LIKE '/' || p.realm_id || '/%'
  LEFT JOIN user_groups ug ON ug.group_id = g.iam_group_id
 WHERE p.is_active GROUP BY p.id;
CREATE VIEW v_mfi_platforms_summary AS
SELECT m.id AS mfi_id, m.name AS mfi_name, m.schema, m.is_active AS mfi_active, c.name AS country, t.name AS mfi_type_name,
       d.name AS platform_name, d.is_active AS platform_active, a.status AS assignment_status, a.assigned_on
  FROM mfi_clients m LEFT JOIN mfi_country c ON c.id = m.id_country LEFT JOIN mfi_type t ON t.id = m.id_type
  LEFT JOIN mfi_platforms a ON a.mfi_id = m.id LEFT JOIN digital_platforms d ON d.id = a.platform_id;
CREATE VIEW v_user_group_assignments AS
SELECT u.id AS user_id, u.username, u.email, u.fname, u.lname, g.name AS group_name, g.iam_group_id, ug.assigned_by, ug.assigned_on
  FROM user_groups ug JOIN portal_users u ON u.id_iam = ug.user_id JOIN portal_groups g ON g.iam_group_id = ug.group_id;
SQL

# Tables in the order in which they can be filled.
sub interface_tables
{
	my %seen;
	return grep { !$seen{$_}++ } map { $_->{table} } interface_columns();
}

my %values = (
	integer => '1', bigint => '12', boolean => 'true', uuid => 'gen_random_uuid()', jsonb => q('{"a": [1, null]}'),
	'timestamp without time zone' => q('2026-05-06 07:08:09'));

# A value that column C may have, different for each N where it must be.
sub value
{
	my ($c, $n) = @_;
	my ($key) = grep { $_->{kind} eq 'foreign key' && $_->{table} eq $c->{table} && $_->{columns} eq $c->{column} } read_csv('constraints');
	return "(SELECT $key->{ref_columns} FROM $key->{ref_table} ORDER BY 1 DESC LIMIT 1)" if $key;
	return 1000 + $n if $c->{identity_or_default} eq 'sequence';
	return $values{ $c->{type} } // "'$c->{column} $n'";
}

sub insert_statement
{
	my ($table, $n, $columns, $null) = @_;
	return "INSERT INTO $table (" . join(', ', map { $_->{column} } @$columns) . ') VALUES ('
	  . join(', ', map { $_->{column} eq ($null // '') ? 'NULL' : value($_, $n) } @$columns) . ')';
}

# INSERTs into one table: all columns, only those that must be given, and each column that may be NULL as NULL. A group and
# a platform once more for each, because a membership is unique.
sub inserts
{
	my ($table) = @_;
	my @columns = grep { $_->{table} eq $table } interface_columns();
	my $n = 0;
	my @lists = ([ \@columns, undef ], [ [ grep { $_->{not_null} eq 't' && $_->{identity_or_default} eq '' } @columns ], undef ],
		map { my $c = $_; $c->{not_null} eq 't' ? () : [ \@columns, $c->{column} ] } @columns);
	return map { $n++; (parents($table, $n), insert_statement($table, $n, @$_)) } @lists;
}

# A parent of its own for a row of a table that pairs two others.
sub parents
{
	my ($table, $n) = @_;
	return "INSERT INTO portal_groups (iam_group_id, name, group_path) VALUES (('ffffffff-ffff-4fff-bfff-' || lpad('$n', 12, '0'))::uuid, 'g', '/r')"
	  if $table eq 'user_groups';
	return "INSERT INTO digital_platforms (id, name) VALUES (('ffffffff-ffff-4fff-bfff-' || lpad('$n', 12, '0'))::uuid, 'own $n')"
	  if $table eq 'mfi_platforms';
	return ();
}

# UPDATEs of each column of one table, in all of its rows or, where it must differ, in one.
sub updates
{
	my ($table) = @_;
	my $n = 5000;
	return map {
		$n++;
		my $one = $_->{type} eq 'boolean' || $_->{type} =~ /^timestamp/ || $_->{type} eq 'jsonb' ? '' : " WHERE id = (SELECT max(id::text) FROM $table)::" . key_type($table);
		my $set = $_->{identity_or_default} eq 'sequence' || is_key($_) ? $_->{column} : value($_, $n);
		"UPDATE $table SET $_->{column} = $set$one"
	} grep { $_->{table} eq $table } interface_columns();
}

sub key_type
{
	my ($table) = @_;
	my ($id) = grep { $_->{table} eq $table && $_->{column} eq 'id' } interface_columns();
	return $id->{type};
}

# Part of a key that other rows refer to, or of a pair.
sub is_key
{
	my ($c) = @_;
	return $c->{column} =~ /^(?:id|id_iam|iam_group_id|user_id|group_id|mfi_id|platform_id)$/;
}

# SELECTs of each column of a table or view, also as a condition.
sub selects
{
	my ($relation) = @_;
	my @columns = grep { ($_->{table} // $_->{view}) eq $relation } interface_columns(), interface_views();
	my $list = join(', ', map { $_->{column} } @columns);
	return ("SELECT $list FROM $relation", "SELECT count(*) FROM $relation",
		map { ("SELECT $_->{column} FROM $relation WHERE $_->{column} IS NULL", "SELECT $list FROM $relation ORDER BY $_->{column} LIMIT 1") } @columns);
}

sub deletes
{
	my ($table) = @_;
	return ("DELETE FROM $table WHERE id = (SELECT max(id::text) FROM $table)::" . key_type($table), "DELETE FROM $table");
}

# Every row of the interface's tables, in the interface's columns but those named, as one text: the same before and after a
# migration.
sub interface_rows
{
	my ($node, $database, %without) = @_;
	my $sql = "SET timezone = 'UTC'; SET client_min_messages = warning;";
	for my $table (interface_tables())
	{
		my $row = join(', ', map {
			$_->{type} =~ /^timestamp/ ? "to_char($_->{column}, 'YYYY-MM-DD HH24:MI:SS.US')" : "$_->{column}::text" }
			grep { $_->{table} eq $table && !$without{"$table.$_->{column}"} } interface_columns());
		$sql .= "SELECT '$table ' || ROW($row)::text FROM $table ORDER BY 1;";
	}
	return $node->safe_psql($database, $sql);
}

# The commands that make the schema as it was before mfi.
sub legacy_schema
{
	my (%columns, @tables, @constraints);
	for my $c (interface_columns())
	{
		push @tables, $c->{table} if !$columns{ $c->{table} };
		push @{ $columns{ $c->{table} } }, column_definition($c);
	}
	# Keys before what refers to them.
	@constraints = sort { ($a->{kind} eq 'foreign key') <=> ($b->{kind} eq 'foreign key') } read_csv('constraints');
	return join('', map { "CREATE TABLE $_ (" . join(', ', @{ $columns{$_} }) . ");\n" } @tables)
	  . join('', map { "ALTER TABLE $_->{table} ADD " . constraint_definition($_) . ";\n" } @constraints)
	  . $views;
}

1;
