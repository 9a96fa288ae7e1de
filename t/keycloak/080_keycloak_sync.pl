# Group sync as a state machine: after every snapshot of a random tree the tables are what the snapshot says, the classes of
# the report are what changed, a second call touches no row, and a wrong snapshot changes nothing.
# A hash in this file plays Keycloak and another one the table; MFI_TEST_SEED repeats a run, MFI_LONG makes it long.

use strict;
use warnings FATAL => 'all';
use JSON::PP ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seed = $ENV{MFI_TEST_SEED} // int(rand(2**31));
my $steps = $ENV{MFI_LONG} ? 4000 : 120;
note "seed $seed (repeat with MFI_TEST_SEED=$seed), $steps steps";
srand($seed);

my $json = JSON::PP->new->utf8->canonical->allow_nonref;
my @portals = map { "00000000-0000-0000-0000-0000000000a$_" } 1 .. 2;
my @words = ('a', 'b', 'A', 'north', 'branch/north', '100%', 'a_b', q{o'neil}, 'back\\slash', "caf\xe9", 'two words', '"quoted"');
my %keycloak = map { $_ => {} } @portals;    # portal => id => group
my %table;                                   # id => row
my $made = 0;

sub any { return $_[ int rand @_ ] }
sub chance { return rand() < $_[0] }

sub new_id
{
	$made++;
	return sprintf('%08x-%04x-%04x-%04x-%012x', int rand(2**32), int rand(2**16), int rand(2**16), int rand(2**16), $made);
}

sub children
{
	my ($tree, $id) = @_;
	return grep { ($tree->{$_}{parent} // '') eq ($id // '') } sort keys %$tree;
}

sub under
{
	my ($tree, $id) = @_;
	return ($id, map { under($tree, $_) } children($tree, $id));
}

sub free_name
{
	my ($tree, $parent, $but) = @_;
	my %taken = map { $tree->{$_}{name} => 1 } grep { $_ ne ($but // '') } children($tree, $parent);
	my @free = grep { !$taken{$_} } @words;
	return @free ? any(@free) : 'n' . ++$made;
}

sub description { return chance(0.5) ? undef : 'about ' . int rand 3 }
sub attributes { return { map { $_ => [ 'v' . int rand 3 ] } grep { chance(0.3) } 'k', 'l' } }

sub add
{
	my ($tree, $id, $parent, $name) = @_;
	$tree->{$id} = { parent => $parent, name => $name // free_name($tree, $parent), description => description(), attributes => attributes() };
	return;
}

# Each takes the tree and one of its groups.
my %mutations = (
	add => sub { my ($tree, $id) = @_; add($tree, new_id(), chance(0.3) ? undef : $id); },
	rename => sub { my ($tree, $id) = @_; $tree->{$id}{name} = free_name($tree, $tree->{$id}{parent}, $id); },
	describe => sub { my ($tree, $id) = @_; @{ $tree->{$id} }{ 'description', 'attributes' } = (description(), attributes()); },
	move => sub {
		my ($tree, $id) = @_;
		my %own = map { $_ => 1 } under($tree, $id);
		my $parent = any(undef, grep { !$own{$_} } sort keys %$tree);
		$tree->{$id}{name} = free_name($tree, $parent, $id)
		  if grep { $_ ne $id && $tree->{$_}{name} eq $tree->{$id}{name} } children($tree, $parent);
		$tree->{$id}{parent} = $parent;
	},
	swap_names => sub {
		my ($tree, $id) = @_;
		my $other = any(children($tree, $tree->{$id}{parent}));
		@{$tree}{ $id, $other } = ({ %{ $tree->{$id} }, name => $tree->{$other}{name} }, { %{ $tree->{$other} }, name => $tree->{$id}{name} }) if $other ne $id;
	},
	invert => sub {
		my ($tree, $id) = @_;
		my $parent = $tree->{$id}{parent} // return;
		my $above = $tree->{$parent}{parent};
		$tree->{$id}{parent} = $above;
		$tree->{$id}{name} = free_name($tree, $above, $id);
		$tree->{$parent}{parent} = $id;
		$tree->{$parent}{name} = free_name($tree, $id, $parent);
	},
	delete => sub { my ($tree, $id) = @_; delete @{$tree}{ under($tree, $id) }; },
	replace => sub {
		my ($tree, $id) = @_;
		my %old = %{ $tree->{$id} };
		delete @{$tree}{ under($tree, $id) };
		add($tree, new_id(), $old{parent}, $old{name});
	},
	bring_back => sub {
		my ($tree, $id, $portal) = @_;
		my @gone = grep { $table{$_}{deleted} && $table{$_}{portal} eq $portal && !$tree->{$_} } sort keys %table;
		add($tree, any(@gone), chance(0.3) ? undef : $id) if @gone;
	});

sub path_of
{
	my ($tree, $id) = @_;
	my ($parent, $name) = @{ $tree->{$id} }{ 'parent', 'name' };
	return (defined $parent ? path_of($tree, $parent) : '') . '/' . $name =~ s{/}{~/}gr;
}

sub depth_of { my ($tree, $id) = @_; my $parent = $tree->{$id}{parent}; return defined $parent ? 1 + depth_of($tree, $parent) : 0 }

sub representation
{
	my ($tree, $id, $is_nested) = @_;
	my $group = $tree->{$id};
	my @children = children($tree, $id);
	return {
		id => chance(0.05) ? uc $id : $id, name => $group->{name}, path => path_of($tree, $id), attributes => $group->{attributes},
		(defined $group->{description} ? (description => $group->{description}) : ()),
		(defined $group->{parent} && !$is_nested ? (parentId => $group->{parent}) : ()),
		(chance(0.7) ? (subGroupCount => scalar @children) : ()),
		subGroups => [ $is_nested ? map { representation($tree, $_, 1) } @children : () ] };
}

# As it may be sent: flat, nested, or nested below some groups of a flat list; some groups twice.
sub snapshot
{
	my ($tree) = @_;
	my @groups = chance(0.3) ? map { representation($tree, $_, 1) } children($tree, undef) : map { representation($tree, $_, 0) } keys %$tree;
	push @groups, map { { %$_ } } grep { chance(0.1) } @groups;
	return [ sort { rand() <=> 0.5 } @groups ];
}

# Wrong ones: what makes a flat snapshot wrong, and the code of the error.
my %mistakes = (
	id_missing => sub { my ($s) = @_; delete any(@$s)->{id} },
	id_invalid => sub { my ($s) = @_; any(@$s)->{id} .= '0' },
	name_missing => sub { my ($s) = @_; any(@$s)->{name} = "\t " },
	not_an_object => sub { my ($s) = @_; splice @$s, int rand @$s, 0, any(7, 'x', [], undef) },
	field_invalid => sub { my ($s) = @_; any(@$s)->{ any('path', 'description', 'attributes', 'realmRoles', 'clientRoles', 'subGroupCount', 'parentId', 'subGroups') } = $JSON::PP::true },
	id_conflict => sub { my ($s) = @_; push @$s, { %{ any(@$s) }, description => 'another' } },
	two_parents => sub { my ($s) = @_; my $g = any(@$s); push @$s, { %$g, parentId => new_id() } },
	parent_missing => sub { my ($s) = @_; any(@$s)->{parentId} = new_id() },
	sibling_name => sub { my ($s) = @_; push @$s, { %{ any(@$s) }, id => new_id(), subGroupCount => 0 } },
	truncated => sub { my ($s) = @_; my $g = any(@$s); $g->{subGroupCount} = 1 + @$s },
	cycle => sub { my ($s) = @_; my @ids = (new_id(), new_id(), new_id()); push @$s, map { { id => $ids[$_], name => "c$_", parentId => $ids[ $_ - 1 ] } } 0 .. 2 },
	other_scope => sub { my ($s, $theirs) = @_; push @$s, { id => $theirs, name => 'theirs' } },
	empty_snapshot => sub { my ($s) = @_; @$s = () },
	too_many_deletions => sub { my ($s, $theirs, $options) = @_; $options->{max_delete_ratio} = 0; $options->{max_delete_count} = 0; @$s = ({ id => new_id(), name => 'new' }) });

# Row and class that the snapshot of a tree must lead to.
sub expect
{
	my ($portal) = @_;
	my $tree = $keycloak{$portal};
	my %class;
	for my $id (keys %$tree)
	{
		my $old = $table{$id};
		my $new = { %{ $tree->{$id} }, path => path_of($tree, $id), depth => depth_of($tree, $id), portal => $portal, deleted => 0 };
		my $differs = sub { return grep { $json->encode($old->{$_}) ne $json->encode($new->{$_}) } @_ };
		$class{$id} = !$old ? 'created' : $old->{deleted} ? 'restored' : $differs->('name') ? 'renamed' : $differs->('parent') ? 'moved'
		  : $differs->('description', 'attributes') ? 'updated' : $differs->('path', 'depth') ? 'path_changed' : undef;
		$table{$id} = $new;
	}
	for my $id (grep { $table{$_}{portal} eq $portal && !$table{$_}{deleted} && !$tree->{$_} } keys %table)
	{
		$class{$id} = 'soft_deleted';
		$table{$id}{deleted} = 1;
	}
	return join(' ', map { "$_=$class{$_}" } grep { $class{$_} } sort keys %class);
}

sub listing
{
	return map {
		my $row = $table{$_};
		join('|', $_, $row->{portal}, $row->{name}, $row->{path}, $row->{parent} // '', $row->{depth}, $row->{description} // '',
			join(',', map { "$_=$row->{attributes}{$_}[0]" } sort keys %{ $row->{attributes} }), $row->{deleted} ? 't' : 'f')
	} sort keys %table;
}

my $node = PostgreSQL::Test::Cluster->new('bank');
$node->init(extra => [ '--encoding=UTF8', '--locale=C.UTF-8' ]);
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION mfi CASCADE');
$node->safe_psql('postgres', "INSERT INTO portals (id, name, realm_id, client_id) VALUES ('$_', 'P', 'realm', 'c')") for @portals;
$node->safe_psql('postgres', <<'SQL');
-- What a call does, in lines: the outcome and the classes, or the codes of the error; then every row when it was taken.
CREATE FUNCTION state() RETURNS text LANGUAGE sql AS $$
  SELECT md5(string_agg(g::text || xmin || ctid, ',' ORDER BY id) || (SELECT count(*) FROM mfi.sync_runs)) FROM portal_groups g $$;
CREATE FUNCTION try(portal uuid, groups jsonb, options jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  report jsonb;
  detail text;
BEGIN
  report := mfi_sync_portal_groups(portal, groups, options);
  RETURN concat_ws(' ', report ->> 'outcome', (SELECT string_agg((i ->> 'id') || '=' || (i ->> 'class'), ' ' ORDER BY i ->> 'id' COLLATE "C") FROM jsonb_array_elements(report -> 'items') i));
EXCEPTION WHEN invalid_parameter_value OR restrict_violation THEN
  GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
  RETURN 'refused ' || (SELECT string_agg(DISTINCT m[1], ' ' ORDER BY m[1]) FROM regexp_matches(detail, '\((\w+)(?:, id [^)]*)?\)$', 'gn') m);
END $$;
CREATE FUNCTION good(portal uuid, groups jsonb) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  before text;
BEGIN
  RETURN NEXT try(portal, groups, '{"max_delete_ratio": 1, "allow_empty": true}');
  before := md5((SELECT string_agg(g::text || xmin || ctid, ',' ORDER BY id) FROM portal_groups g));
  RETURN NEXT try(portal, groups, '{"max_delete_ratio": 1, "allow_empty": true}') || CASE WHEN before IS NOT DISTINCT FROM
    md5((SELECT string_agg(g::text || xmin || ctid, ',' ORDER BY id) FROM portal_groups g)) THEN ' untouched' ELSE ' touched' END;
  RETURN QUERY SELECT concat_ws('|', iam_group_id, portal_id, name, group_path, coalesce(parent_iam_group_id::text, ''), depth, coalesce(description, ''),
      coalesce((SELECT string_agg(key || '=' || (value ->> 0), ',' ORDER BY key) FROM jsonb_each(attributes)), ''), deleted_at IS NOT NULL)
    FROM portal_groups ORDER BY iam_group_id::text COLLATE "C";
END $$;
CREATE FUNCTION wrong(portal uuid, groups jsonb, options jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  before text := state();
BEGIN
  RETURN try(portal, groups, options) || CASE WHEN before IS NOT DISTINCT FROM state() THEN ' untouched' ELSE ' touched' END;
END $$;
SQL

my (@sql, @expected);
my %tried;    # every mistake comes once before one comes again
sub call
{
	my ($function, $portal, $groups, @more) = @_;
	push @sql, "\\echo step " . @expected, "SELECT $function('$portal', \$json\$" . $json->encode($groups) . "\$json\$" . join('', map { ", '" . $json->encode($_) . "'" } @more) . ');';
	return;
}

for my $step (1 .. $steps)
{
	my $portal = any(@portals);
	my $tree = $keycloak{$portal};
	add($tree, new_id(), undef) if !%$tree;
	if (chance(0.35))
	{
		my ($theirs) = sort grep { $table{$_}{portal} ne $portal && !$table{$_}{deleted} } keys %table;
		my @codes = grep { ($theirs || $_ ne 'other_scope') && ($_ ne 'too_many_deletions' || grep { $_->{portal} eq $portal && !$_->{deleted} } values %table) } sort keys %mistakes;
		my @new = grep { !$tried{$_} } @codes;
		my $code = any(@new ? @new : @codes);
		$tried{$code} = 1;
		my @groups = map { representation($tree, $_, 0) } sort keys %$tree;
		my %options = ($code eq 'empty_snapshot' || $code eq 'too_many_deletions' ? () : (max_delete_ratio => 1));
		$mistakes{$code}->(\@groups, $theirs, \%options);
		call('wrong', $portal, \@groups, \%options);
		push @expected, { wrong => $code };
		next;
	}
	for (0 .. int rand 6)
	{
		add($tree, new_id(), undef) if !%$tree;
		$mutations{ any(sort keys %mutations) }->($tree, any(sort keys %$tree), $portal);
		my @all = sort keys %$tree;
		delete @{$tree}{ under($tree, any(@all)) } if @all > 40;
	}
	call('good', $portal, snapshot($tree));
	my $classes = expect($portal);
	my @rows = listing();
	utf8::encode($_) for @rows;
	push @expected, { classes => $classes, rows => \@rows };
}
my $script = PostgreSQL::Test::Utils::tempdir . '/steps.sql';
PostgreSQL::Test::Utils::append_to_file($script, join("\n", @sql, ''));
my ($out, $err) = run_command([ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres'), '-f', $script ]);
is($err, '', 'no other error');
my @blocks = split /^step \d+\n/m, $out;
shift @blocks;
is(scalar @blocks, scalar @expected, 'every step has answered');

my (%seen, %failed);
for my $step (0 .. $#expected)
{
	my ($expected, @lines) = ($expected[$step], split /\n/, $blocks[$step] // '');
	my $answer = shift @lines;
	my ($what, $right);
	if ($expected->{wrong})
	{
		$what = $expected->{wrong};
		$right = $answer =~ /^refused (?:\w+ )*$what (?:\w+ )*untouched$/;
	}
	else
	{
		my $again = shift @lines;
		$what = 'snapshot';
		$seen{$_}++ for $expected->{classes} =~ /=(\w+)/g;
		$right = $answer eq ($expected->{classes} ne '' ? "changed $expected->{classes}" : 'noop') && $again eq 'noop untouched'
		  && join("\n", @lines) eq join("\n", @{ $expected->{rows} });
	}
	$seen{$what}++;
	next if $right;
	$failed{$what}++
	  or diag("seed $seed, step $step, $what: the answer was\n$blocks[$step]\nexpected was\n" . ($expected->{classes} // '') . "\n" . join("\n", @{ $expected->{rows} // [] })
		  . "\nby\n" . $sql[ 2 * $step + 1 ]);
}
is($failed{$_} // 0, 0, "$_: $seen{$_} times") for sort keys %seen;
ok($seen{$_}, "$_ was tried") for sort keys(%mistakes), 'snapshot', qw(created renamed moved updated path_changed restored soft_deleted);
$node->stop;
done_testing();
