# mfi keycloak sync takes the groups for all that there are only when Keycloak's own counts say so, whatever their names hold; and what it makes
# of a realm is what a reader of the realm's export, who knows nothing of it, finds there.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use JSON::PP ();
use MfiKeycloak;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $json = JSON::PP->new->utf8->canonical;
my $node = PostgreSQL::Test::Cluster->new('bank');
$node->init(extra => [ '--encoding=UTF8', '--locale=C.UTF-8' ]);
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE mfi_banking');
sub sql { my ($sql) = @_; return $node->safe_psql('mfi_banking', $sql) }
sql('CREATE EXTENSION mfi CASCADE');
my ($portal, $mfi) = ('00000000-0000-0000-0000-0000000000a1', '00000000-0000-0000-0000-0000000000b1');
sql("INSERT INTO portals (id, name, realm_id, client_id) VALUES ('$portal', 'Ops', 'ops', 'web')");
sql("INSERT INTO mfi_clients (id, name, schema, realm_id, client_id) VALUES ('$mfi', 'Umoja', 'u', 'ops', 'u')");

my $made = 0;
sub id { return sprintf('00000000-0000-0000-0000-%012d', ++$made) }
sub group { my ($name, $parent, %more) = @_; return { id => id(), name => $name, path => ($parent ? $parent->{path} : '') . "/$name", ($parent ? (parentId => $parent->{id}) : ()), attributes => {}, realmRoles => [], clientRoles => {}, %more } }

my @top = map { group("top $_") } 0 .. 9;
my @children = map { group("child $_", $top[0]) } 0 .. 4;
my @groups = (@top, @children, map { group("grandchild $_", $children[2]) } 0 .. 2);
my $keycloak = MfiKeycloak->new(groups => \@groups, events => [], admin_events => [], secret => 's3cret', faults => []);

sub sync
{
	my (@options) = @_;
	local %ENV = ($node->_get_env, PGDATABASE => 'mfi_banking', KEYCLOAK_URL => $keycloak->url, KEYCLOAK_REALM => 'ops', KEYCLOAK_CLIENT_ID => 'group-sync', KEYCLOAK_ALLOW_HTTP => 'yes',
		KEYCLOAK_CLIENT_SECRET => 's3cret', KEYCLOAK_TRIES => 2, KEYCLOAK_RETRY_DELAY => 0.05, KEYCLOAK_PAGE => 100);
	my ($out, $err) = run_command([ 'mfi', 'keycloak', 'sync', @options ]);
	return ($? >> 8, "$out$err");
}
sub syncs
{
	my ($name, $code, $like, @options) = @_;
	my ($got, $said) = sync(@options ? @options : ('--groups', '--portal', $portal));
	is($got, $code, "$name: exit code $code") or diag($said);
	like($said, $_, "$name: said") for ref $like eq 'ARRAY' ? @$like : $like;
	return;
}
sub live { my ($table) = @_; return sql("SELECT count(*) FROM $table WHERE deleted_at IS NULL") }
sub written { return sql('SELECT md5(string_agg(g::text || xmin, \',\' ORDER BY id)) FROM portal_groups g') . sql('SELECT count(*) FROM mfi.sync_runs') }

syncs('all of it', 0, qr/18 created, 18 received/);
my $before = written();

# What the client may not see is not taken for deleted.
sub refused
{
	my ($name, $like, %state) = @_;
	$keycloak->set(groups => \@groups, hidden => [], faults => [], knows_top => 1, %state);
	syncs($name, 1, [ $like, qr/Nothing was written/, qr/--option complete=false/ ]);
	is(written(), $before, "$name: nothing written");
	return;
}
my @six = map { $_->{id} } @top[ 6 .. 9 ];
refused('six of ten top groups', qr/group-sync sees 6 of the 10 top groups, in realm ops\n.*view-users of realm-management.*query-groups/s, hidden => \@six);
syncs('six of ten, a dry run', 1, qr/sees 6 of the 10 top groups/, '--groups', '--portal', $portal, '--dry-run');
refused('no top group', qr/sees 0 of the 10 top groups/, hidden => [ map { $_->{id} } @top ]);
refused('all but one top group', qr/sees 9 of the 10 top groups/, hidden => [ $top[9]{id} ]);
refused('some children', qr{sees 3 of the 5 children of /top 0, in realm}, hidden => [ map { $_->{id} } @children[ 0, 4 ] ]);
refused('no child', qr{sees 0 of the 5 children of /top 0}, hidden => [ map { $_->{id} } @children ]);
refused('a grandchild', qr{sees 2 of the 3 children of /top 0/child 2}, hidden => [ $groups[-1]{id} ]);
refused('some of all levels', qr{sees 9 of the 10 top groups, 4 of the 5 children of /top 0, 2 of the 3 children of /top 0/child 2}, hidden => [ $top[9]{id}, $children[0]{id}, $groups[-1]{id} ]);
refused('no right to count', qr/may not read \/groups\/count.*view-users/s, faults => [ { match => '/count', do => 403, always => 1 } ]);
refused('no count', qr/does not tell how many groups realm ops has/, faults => [ { match => '/count', do => 404, always => 1 } ]);
refused("a count that is $_", qr/no answer to \/groups\/count.* after 2 tries/, faults => [ { match => '/count', do => 'body', body => $_, always => 1 } ])
  for '{"count":"10"}', '{"count":-1}', '{"count":1.5}', '10', '[]', '{}', '{"count":1e30}', '<html>';
refused('one that knows no count of the top groups', qr/sees 17 of the 18 groups/, hidden => [ $groups[-1]{id} ], knows_top => 0, faults => [ { match => 'a/children', do => 403 } ]);
$keycloak->set(hidden => [], knows_top => 0);
syncs('such a one that shows all', 0, qr/: noop\n  18 received/);
$before = written();
# Ten top groups are counted and ten groups of all levels are shown, which is not the same.
$keycloak->set(hidden => [ @six, (map { $_->{id} } @children[ 0, 1, 3, 4 ]) ], knows_top => 1);
syncs('ten shown, of another kind', 1, qr/sees 6 of the 10 top groups, 1 of the 5 children/);
is(written(), $before, 'ten shown: nothing written');

# An older Keycloak does not say how many children a group has, and gives all of them at once.
{
	my $nested = sub { my ($self, $parent, $but) = @_; return [ map { +{ %$_, subGroups => $self->($self, $_->{id}, $but) } } grep { ($_->{parentId} // '') eq $parent && $_->{id} ne $but } @groups ] };
	for my $but ('', $children[4]{id})
	{
		my $body = $json->encode($nested->($nested, '', $but));
		$keycloak->set(hidden => [], faults => [ map { { match => "/groups\\?first=$_&", do => 'body', body => $_ ? '[]' : $body, always => 1 } } 0, 10 ]);
		syncs('without numbers of children, ' . ($but ? 'one hidden' : 'all shown'), $but ? (1, qr/sees 17 of the 18 groups, in realm/) : (0, qr/: noop\n  18 received/));
	}
	is(written() =~ s/\d+$//r, $before =~ s/\d+$//r, 'without numbers of children: no group is touched');
}

# Without deletions, what is seen is synced.
$keycloak->set(groups => [ @groups, my $new = group('new') ], hidden => [ @six, $children[0]{id} ], faults => [ { match => '/count', do => 403, always => 1 } ]);
syncs('a part, said to be one', 0, qr/1 created, 14 received/, '--groups', '--portal', $portal, '--option', 'complete=false');
is(live('portal_groups'), 19, 'nothing is deleted');
is((grep { /count/ } $keycloak->requests), 0, 'nor counted');

# Counts that change while the groups are read are no missing right: it is read again.
push @groups, $new;
my $between = sub { my ($what, $match, $nth, %more) = @_; return { match => $match, nth => $nth, do => $what, %more } };
for my $case (
	[ 'made before the count', 1, $between->('add', 'count\?top', 1, group => group('made %d', undef, id => '00000000-0000-0000-0001-%012d')) ],
	[ 'made before each of two counts', 2, map { $between->('add', 'count\?top', $_, group => group('made %d', undef, id => '00000000-0000-0000-0001-%012d')) } 1, 2 ],
	[ 'a child made before the children are read', 1, $between->('add', "$top[0]{id}/children", 1, group => group('made %d', $top[0], id => '00000000-0000-0000-0001-%012d')) ],
	[ 'deleted before the count', -1, $between->('delete', 'count\?top', 1, id => $top[9]{id}) ],
	[ 'a child deleted before the children are read', -1, $between->('delete', "$top[0]{id}/children", 1, id => $children[4]{id}) ],
	[ 'deleted between the counts', -1, $between->('delete', 'count$', 1, id => $top[9]{id}) ])
{
	my ($name, $more, @faults) = @$case;
	$keycloak->set(groups => \@groups, hidden => [], faults => \@faults);
	syncs("$name, all written", 0, qr/: (?:changed|noop)/);
	is(live('portal_groups'), 19 + $more, "$name: as it is now");
	$keycloak->set(groups => \@groups, faults => []);
	syncs("$name, and back", 0, qr/: changed/);
}
$before = written();
$keycloak->set(groups => \@groups, faults => [ { match => 'count\?top', do => 'add', always => 1, group => group('made', undef, id => '00000000-0000-0000-0002-%012d') } ]);
syncs('made before every count', 1, qr/change all the time/);
is(written(), $before, 'made before every count: nothing written');

# What no database can hold keeps no group out.
{
	my @odd = ('a\u0000b', '\u0000', '\ud83d', '\ude00x', 'x\ud83d\ud83d\ude00', "\xff", 'ok');
	my $n = 0;
	my $groups = join(',', map { sprintf('{"id":"%1$s","name":"%2$s%3$s","path":"/%2$s%3$s","subGroupCount":0,"description":"%3$s","attributes":{"k%3$s":["%3$s",{"deep":[["%3$s"]]}]},"realmRoles":["%3$s"],"clientRoles":{"c%3$s":["%3$s"]}}', id(), ++$n, $_) } @odd);
	$keycloak->set(groups => [], faults => [ { match => '/groups\?first=0', do => 'body', body => "[$groups]", always => 1 }, { match => '/count', do => 'body', body => '{"count":7}', always => 1 } ]);
	syncs('what no database can hold', 0, qr/7 created, 7 received/, '--groups', '--mfi', $mfi);
	my $sign = "\xef\xbf\xbd";
	is(sql('SELECT string_agg(name, \' \' ORDER BY name) FROM mfi_groups'), "1a${sign}b 2$sign 3$sign 4${sign}x 5x$sign\xf0\x9f\x98\x80 6$sign 7ok", 'a sign in its place');
	is(sql("SELECT count(*) FROM mfi_groups WHERE to_jsonb(mfi_groups)::text ~ U&'\\FFFD'"), 6, 'in attributes and roles, too');
	syncs('again', 0, qr/: noop\n  7 received, 7 unchanged/, '--groups', '--mfi', $mfi);
}

{
	my $n = 0;
	my $time = (time() - 600) * 1000 % 1e15;
	my @odd = ('a\u0000b', '\ud83d', '\ude00', '\ud83d\ude00', "\xc3\xa4\xff", '{\"a\":\"b\\\\u0000\"}', '{\"a\":\"\\\\ud83d\", \"client.secret.rotated\":\"xyzzy\"}', '{\"\\\\u0000\":\"{\\\\\"password\\\\\":\\\\\"xyzzy\\\\\\\\u0000\\\\\"}\"}', '[' x 100_000, '{\"secret\":' x 10_000);
	my $events = join(',', map { sprintf('{"id":"odd %d","time":%d,"operationType":"UPDATE","type":"LOGIN_ERROR","realmId":"realm-uuid","resourcePath":"%3$s","error":"%3$s","representation":"%3$s","details":{"k":"%3$s"}}', ++$n, $time - $n, $_) } @odd);
	$keycloak->set(events => [], admin_events => [], faults => [ { match => 'events\?first=0', do => 'body', body => "[$events]", always => 1 } ]);
	syncs('events that no database can hold', 0, [ qr/^Auth events of realm ops: 10 new, 0 known, 0 malformed$/m, qr/^Admin events of realm ops: 10 new, 0 known, 0 malformed$/m ], '--events');
	is(sql("SELECT count(*) FROM admin_event_logs WHERE representation IS NOT NULL"), 3, 'events: representations are JSON all the same');
	is(sql("SELECT count(*) FROM (SELECT a::text AS row FROM admin_event_logs a UNION ALL SELECT u::text FROM user_auth_logs u) r WHERE row LIKE '%xyzzy%'"), 0, 'events: no secret');
}

# A realm's export, read by somebody else, and what became of it.
sub read_export
{
	my ($file) = @_;
	my $tree;
	$tree = sub {
		my ($above, $groups) = @_;
		return map { my @names = (@$above, $_->{name}); ($json->encode(\@names), $tree->(\@names, $_->{subGroups} // [])) } @$groups;
	};
	return sort $tree->([], $json->decode(slurp_file($file))->{groups});
}
sub read_table
{
	my ($table) = @_;
	my @rows = split /\n/, sql("WITH RECURSIVE tree (id, names) AS (SELECT iam_group_id, jsonb_build_array(name) FROM $table WHERE parent_iam_group_id IS NULL AND deleted_at IS NULL
	  UNION ALL SELECT g.iam_group_id, t.names || to_jsonb(g.name) FROM tree t JOIN $table g ON g.parent_iam_group_id = t.id AND g.deleted_at IS NULL) SELECT names FROM tree");
	return sort map { $json->encode($json->decode($_)) } @rows;
}
sub flat
{
	my ($parent, @groups) = @_;
	return map {
		my %group = (%$_, ($parent ? (parentId => $parent) : ()));
		my $below = delete $group{subGroups};
		(\%group, flat($_->{id}, @$below))
	} @groups;
}
my $seed = $ENV{MFI_TEST_SEED} // int(rand(2**31));
note "seed $seed (repeat with MFI_TEST_SEED=$seed)";
srand($seed);
my @names = ('a', 'A', 'b', 'a/b', 'b/c', '~', '~/', "caf\xe9", 'two words', '"quoted"', 'back\\slash', "\x{94f6}\x{884c}", "\x{1f600}", '%', '_', ' x ', 'x');
sub grow
{
	my ($path, $depth) = @_;
	my %free = map { $_ => rand } @names;
	my @here = (sort { $free{$a} <=> $free{$b} } keys %free)[ 0 .. int rand($depth > 4 ? 1 : 5) ];
	return [ map { { id => id(), name => $_, path => "$path/$_", attributes => {}, realmRoles => [], clientRoles => {}, subGroups => $depth < 5 && rand() < 0.6 ? grow("$path/$_", $depth + 1) : [] } } @here ];
}
my $export = PostgreSQL::Test::Utils::tempdir . '/realm-export.json';
for my $round (1 .. ($ENV{MFI_LONG} ? 40 : 3))
{
	# Both a/b and a, with a b in it: one path.
	my $realm = { realm => 'ops', enabled => \1, groups => grow('', 0), users => [] };
	append_to_file("$export.$round", $json->encode($realm));
	$keycloak->set(groups => [ flat('', @{ $realm->{groups} }) ], faults => []);
	my @expected = read_export("$export.$round");
	for my $to ([ 'portal_groups', '--portal', $portal ], [ 'mfi_groups', '--mfi', $mfi ])
	{
		my ($table, @scope) = @$to;
		sql('DELETE FROM mfi_groups; DELETE FROM portal_groups');    # an id is of one portal or MFI
		syncs("$table of export $round", 0, qr/: changed/, '--groups', @scope, '--option', 'max_delete_ratio=1');
		is_deeply([ read_table($table) ], \@expected, "$table of export $round: the same tree of " . @expected . ' groups') or diag("seed $seed");
	}
}

# Very many.
my $root = group('all');
my @parents = map { group("parent $_", $root) } 1 .. 200;
my @many = ($root, @parents, map { my $parent = $_; map { group("child $_", $parent) } 1 .. 99 } @parents);
is(scalar @many, 20_001, 'very many groups');
$keycloak->set(groups => \@many, faults => []);
my $began = time;
syncs('very many', 0, qr/20001 created, 20001 received/, '--groups', '--portal', $portal, '--option', 'max_delete_ratio=1');
note sprintf('%.1f s', time - $began);
is(live('portal_groups'), scalar @many, 'all of them');
$keycloak->set(hidden => [ $many[-1]{id} ]);
syncs('all but one', 1, qr/sees 98 of the 99 children of .all.parent 200, in realm/);
is(live('portal_groups'), scalar @many, 'none of them is deleted');

$node->stop;
done_testing();
