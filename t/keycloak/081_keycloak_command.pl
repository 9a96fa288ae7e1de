# mfi keycloak sync against a stand-in for Keycloak: all pages, whatever fails on the way, and never a part of the groups taken for all.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use JSON::PP qw(decode_json);
use MfiKeycloak;
use MfiNode;
use MfiTlsServer;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

sub sample { my ($name) = @_; return @{ decode_json(slurp_file("$FindBin::RealBin/$name.json")) } }
sub newest_first { return [ sort { $b->{time} <=> $a->{time} } @_ ] }

my $node = PostgreSQL::Test::Cluster->new('bank');
$node->init(extra => [ '--encoding=UTF8', '--locale=C.UTF-8' ]);
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE mfi_banking');
sub sql { my ($sql) = @_; return $node->safe_psql('mfi_banking', $sql) }
sql('CREATE EXTENSION mfi CASCADE');
my $portal = '00000000-0000-0000-0000-0000000000a1';
sql("INSERT INTO portals (id, name, realm_id, client_id) VALUES ('$portal', 'Ops', 'ops', 'web')");

my $secret = q{s3cret "with\\ $all & + % };
my @groups = sample('snapshot_1_flat');
my $keycloak = MfiKeycloak->new(groups => \@groups, events => newest_first(sample('events')), admin_events => newest_first(sample('admin_events')), secret => $secret, faults => []);
my $secret_file = PostgreSQL::Test::Utils::tempdir . '/secret';
append_to_file($secret_file, "$secret\n");

# Runs the script: its exit code and all it says.
sub run_script
{
	my ($env, @options) = @_;
	local %ENV = environment(%$env);
	delete $ENV{$_} for grep { !defined $env->{$_} && exists $env->{$_} } keys %$env;
	my ($out, $err) = run_command([ 'mfi', 'keycloak', 'sync', @options ]);
	return ($? >> 8, "$out$err");
}
sub environment
{
	my (%more) = @_;
	return ($node->_get_env, PGDATABASE => 'mfi_banking', KEYCLOAK_URL => $keycloak->url . '/', KEYCLOAK_REALM => 'ops', KEYCLOAK_CLIENT_ID => 'group-sync', KEYCLOAK_ALLOW_HTTP => 'yes', KEYCLOAK_CLIENT_SECRET_FILE => $secret_file,
		KEYCLOAK_PAGE => 2, KEYCLOAK_TIMEOUT => 20, KEYCLOAK_TRIES => 3, KEYCLOAK_RETRY_DELAY => 0.05, TMPDIR => PostgreSQL::Test::Utils::tempdir, %more);
}
sub runs
{
	my ($name, $code, $like, $env, @options) = @_;
	my ($got, $said) = run_script($env // {}, @options);
	is($got, $code, "$name: exit code $code") or diag($said);
	like($said, $_, "$name: said") for ref $like eq 'ARRAY' ? @$like : $like;
	unlike($said, qr/s3cret|token\d/, "$name: no secret said");
	return $said;
}
my $live = q{SELECT string_agg(name, ',' ORDER BY name COLLATE "C") FROM portal_groups WHERE deleted_at IS NULL};
sub state { return sql('SELECT md5(string_agg(g::text || xmin, \',\' ORDER BY id)) FROM portal_groups g') . sql('SELECT count(*) FROM user_auth_logs') }

# A dry run, then all of it, then again.
runs('dry run', 0, [ qr/Groups of realm ops, portal $portal: changed \(dry run\)\n  6 created, 6 received\n  created \/auditors/, qr/Auth events of realm ops: 6 read, nothing imported/ ], {}, '--dry-run');
is(sql('SELECT (SELECT count(*) FROM portal_groups) + (SELECT count(*) FROM user_auth_logs) + (SELECT count(*) FROM admin_event_logs)'), 0, 'a dry run writes nothing');
runs('first run', 0, [ qr/: changed\n  6 created, 6 received/, qr/^Auth events of realm ops: 6 new, 0 known, 0 malformed$/m, qr/^Admin events of realm ops: 6 new, 0 known, 0 malformed$/m ]);
is(sql($live), 'auditors,back-office,managers,regional,support,tellers', 'all pages of all levels');
is(sql(q{SELECT attributes FROM portal_groups WHERE name = 'back-office'}), '{"portal": ["ops"]}', 'with attributes');
is((grep { m{/children\?} && !/max=/ } $keycloak->requests), 0, 'no page of the default size');
my $before = state();
runs('second run', 0, [ qr/: noop\n  6 received, 6 unchanged/, qr/^Auth events of realm ops: 0 new, 6 known/m ]);
is(state(), $before, 'a second run changes nothing');

# More groups than a default page has.
my ($parent) = map { $_->{id} } grep { $_->{name} eq 'tellers' } @groups;
my @many = map { { id => sprintf('00000000-0000-0000-0000-%012d', $_), name => "till $_", path => "/back-office/tellers/till $_", parentId => $parent, attributes => {}, realmRoles => [ 'b', 'a' ], clientRoles => {} } } 10 .. 34;
$keycloak->set(groups => [ @groups, @many ]);
runs('many children', 0, qr/25 created, 31 received, 6 unchanged/, { KEYCLOAK_PAGE => undef }, '--groups');
$before = state();

# What fails on the way, and is got over: the token ends, errors, a page that times out, an answer that is cut, a proxy's page.
$keycloak->set(faults => [
	{ match => '/token', nth => 1, do => 503 }, { match => '/groups\?', nth => 1, do => 'cut' }, { match => '/groups\?', nth => 3, do => 500 },
	{ match => '/children', nth => 2, do => 401 }, { match => '/children', nth => 4, do => 429 }, { match => '/children', nth => 6, do => 'html' },
	{ match => '/children', nth => 8, do => 'hang' } ]);
my $patient = { KEYCLOAK_PAGE => 10, KEYCLOAK_TIMEOUT => 4, KEYCLOAK_TRIES => 5 };
runs('trouble on the way', 0, [ qr/: noop\n  31 received, 31 unchanged/, qr/HTTP 500/, qr/HTTP 429/, qr/HTTP 200: <html>/, qr/timed out/i ], $patient, '--groups');
is(state(), $before, 'nothing was taken for deleted');
cmp_ok(scalar(grep { /token/ } $keycloak->requests), '>=', 3, 'a new token was taken');

# And what is not: an error, and nothing is written.
for my $fault (
	[ 'a server that is down', { match => '/children', nth => 2, do => 500, always => 1 }, qr/no answer to \/groups\/.*children.* after 3 tries: HTTP 500/ ],
	[ 'refused for good', { match => '/groups', do => 401, always => 1 }, qr/refuses every token/ ],
	[ 'not allowed', { match => '/groups', do => 403, always => 1 }, qr/group-sync may not read .*\n.*view-users/ ],
	[ 'always a proxy', { match => '/groups', do => 'html', always => 1 }, qr/after 3 tries: HTTP 200: <html>/ ])
{
	my ($name, $what, $like) = @$fault;
	$keycloak->set(faults => [$what]);
	runs($name, 1, $like, { KEYCLOAK_PAGE => 10 }, '--groups');
	is(state(), $before, "$name: nothing written");
}
$keycloak->set(faults => []);

# A group that goes while the pages are read moves the next one to a page that was read: it must not be taken for deleted.
my ($auditors) = map { $_->{id} } grep { $_->{name} eq 'auditors' } @groups;
$keycloak->set(faults => [ { match => '/groups\?', nth => 2, do => 'delete', id => $auditors } ]);
runs('a group deleted between pages', 0, [ qr/the groups changed while they were read/, qr/30 received, 30 unchanged, 1 soft deleted/ ], {}, '--groups');
is(sql(q{SELECT string_agg(name, ',') FROM portal_groups WHERE deleted_at IS NOT NULL}), 'auditors', 'only it is deleted');
$keycloak->set(groups => [ @groups, @many ], faults => [ { match => "$parent/children", nth => 2, do => 'delete', id => $parent }, { match => "$parent/children", nth => 3, do => 'delete', id => $many[0]{id} } ]);
my ($code, $said) = run_script({ KEYCLOAK_PAGE => 10 }, '--groups');
is($code, 1, 'a parent deleted while its children are read: they are many, and its own still name it');
like($said, qr/too_many_deletions|parent_missing|max_delete_ratio/, 'the guard says why');
is(sql('SELECT count(*) FROM portal_groups WHERE deleted_at IS NULL'), 30, 'nothing written');
$keycloak->set(groups => [@groups]);
runs('guarded', 1, [ qr/25 of 30 groups are missing from the snapshot, more than max_delete_ratio 0.5/, qr/HINT: .*max_delete_ratio/ ], {}, '--groups');
runs('let through', 0, qr/25 soft deleted/, {}, '--groups', '--option', 'max_delete_ratio=1');

# Events: only those since the last time, all kinds of them, malformed ones told.
my $now = time() * 1000;
my @stream = map { { id => "event $_", time => $now - $_ * 60_000, type => 'LOGIN', realmId => 'realm-uuid', clientId => 'c' } } 1 .. 300;
$keycloak->set(events => \@stream, admin_events => [], faults => [ { match => '/events', nth => 2, do => 401 }, { match => '/events', nth => 3, do => 500 } ]);
runs('events', 0, qr/^Auth events of realm ops: 300 new, 0 known/m, { KEYCLOAK_PAGE => 50 }, '--events');
unshift @stream, { id => 'newest', time => $now, type => 'LOGOUT', realmId => 'realm-uuid' }, { id => 'bad', time => $now, realmId => 'realm-uuid' };
$keycloak->set(events => \@stream, faults => []);
runs('since the last time', 3, [ qr/^Auth events of realm ops: 1 new, \d+ known, 1 malformed$/m, qr/malformed: type it must be a string that is not blank: .*"id":"bad"/ ], { KEYCLOAK_PAGE => 50 }, '--events');
is((grep { m{/events\?first=100} } $keycloak->requests), 0, 'older pages are not asked for');
$keycloak->set(events => [ reverse @stream ]);
runs('oldest first', 1, qr/do not come newest first/, {}, '--events');
$keycloak->set(events => \@stream, faults => [ { match => '/events', nth => 3, do => 500, always => 1 } ]);
$before = state();
runs('cut short', 1, qr/no answer to \/events/, {}, '--events');
is(state(), $before, 'no gap: nothing of it was imported');

# One part that fails does not stop the others.
$keycloak->set(events => [ { id => 'later', time => $now + 1000, type => 'LOGIN', realmId => 'realm-uuid' } ], faults => [ { match => '/groups', do => 500, always => 1 } ]);
runs('groups fail, events go on', 1, [ qr/no answer to \/groups/, qr/^Auth events of realm ops: 1 new/m ]);
$keycloak->set(faults => []);

# Wrong use, wrong settings.
runs('no url', 2, qr/KEYCLOAK_URL is not set/, { KEYCLOAK_URL => '' });
runs('no secret', 2, qr/KEYCLOAK_CLIENT_SECRET is not set/, { KEYCLOAK_CLIENT_SECRET_FILE => '/nonexistent' });
runs('wrong page', 2, qr/must be whole numbers/, { KEYCLOAK_PAGE => '0' });
runs('unknown option', 2, qr/not expected: --dryrun/, {}, '--dryrun');
runs('wrong option', 2, qr/NAME=JSON/, {}, '--option', 'max_delete_ratio');
runs('help', 0, [ qr/^Usage: mfi keycloak sync \[OPTIONS\]/m, qr/--dry-run/, qr/KEYCLOAK_TOTAL_TIME/, qr/Exit code: 0/ ], {}, '--help');
runs('two scopes', 2, qr/excludes/, {}, '--portal', $portal, '--mfi', $portal);
runs("option $_", 2, qr/NAME=JSON/, {}, '--option', $_) for 'a=', '=1', 'a=nan', 'a=1 2', 'a={"b":1', '';
runs("no $_", 2, qr/$_/, {}, $_, '') for '--realm', '--portal', '--mfi';
runs('unknown option of the function', 1, qr/\$\.force is no option/, {}, '--groups', '--option', 'force=true');
runs('wrong secret', 1, qr/does not let the client group-sync in: HTTP 401: .*unauthorized_client/, { KEYCLOAK_CLIENT_SECRET => 'wrong' }, '--groups');
runs('no Keycloak', 1, qr/no token from http:\/\/127.0.0.1:1 after 3 tries: .*(refused|connect)/, { KEYCLOAK_URL => 'http://127.0.0.1:1' }, '--groups');
runs('wrong realm', 1, qr/no portal and no MFI has the realm_id other/, {}, '--groups', '--realm', 'other');
runs('wrong realm in Keycloak', 1, qr/there is no realm other/, {}, '--groups', '--realm', 'other', '--portal', $portal);
runs('wrong portal', 1, qr/there is no row in portals with the id/, {}, '--groups', '--portal', '00000000-0000-0000-0000-0000000000ff');
runs('no database', 1, qr/could not connect|connection to server/, { PGPORT => 1 }, '--groups', '--portal', $portal);
sql("INSERT INTO mfi_clients (id, name, schema, realm_id, client_id) VALUES ('00000000-0000-0000-0000-0000000000b1', 'Umoja', 'u', 'ops', 'u')");
runs('two with the realm', 1, qr/several portals or MFIs have the realm_id ops\n.*root_group_path/, {}, '--groups');
runs('an MFI, a part of the realm', 0, qr/1 created, 6 received, 5 outside root/, {}, '--groups', '--mfi', '00000000-0000-0000-0000-0000000000b1', '--option', 'root_group_path="/support"');
is(sql('SELECT name, group_path FROM mfi_groups'), 'support|/support', 'in mfi_groups');

# Whoever answers as Keycloak, or is on the way, gets no further than an error.
$before = state();
my $marker = PostgreSQL::Test::Utils::tempdir . '/marker';
append_to_file("$marker.secret", 'of another file');
my $hostile = sub {
	my ($name, $like, $fault, $env, @options) = @_;
	$keycloak->set(faults => [ { always => 1, %$fault } ]);
	my $began = time;
	my $said = runs($name, 1, $like, { KEYCLOAK_TRIES => 2, KEYCLOAK_TIMEOUT => 3, %{ $env // {} } }, @options ? @options : ('--groups', '--portal', $portal));
	cmp_ok(time - $began, '<', 60, "$name: in time");
	unlike($said, qr/[^\n -~]/, "$name: nothing but printable text is said");
	is(state(), $before, "$name: nothing written");
	ok(!-e $marker, "$name: no file made");
	return;
};
my $token = sub { my ($text) = @_; return { match => '/token', do => 'body', body => JSON::PP->new->ascii->allow_nonref->encode({ access_token => $text }) } };
my $n = 0;
for my $text (
	qq(a"\noutput = "$marker"\nurl = "file://$marker.secret"), qq(a\noutput = "$marker"), "a\r\nX-Injected: 1", qq(a"), "a\\", 'a b', "a\x00b", "a\x7f", "a\x{2028}b", "a\n", '=', '',
	'x' x 70_000, { a => 'b' }, ['a'], 5, undef)
{
	$hostile->('token ' . ++$n, qr/gives is no token/, $token->($text));
	is((grep { m{^GET /admin} } $keycloak->requests), 0, "token $n: not used");
}
$hostile->('a token that is no JSON', qr/gives is no token/, { match => '/token', do => 'body', body => qq({"access_token":"a"}\n"output) });
$hostile->('two tokens', qr/gives is no token/, { match => '/token', do => 'body', body => qq({"access_token":"a"}{"access_token":"b"}) });
$hostile->('a redirect of the token to a file', qr/leads elsewhere \(HTTP 302\)/, { match => '/token', do => 'redirect', to => "file://$marker.secret" });
$hostile->('a redirect of a page', qr/leads elsewhere \(HTTP 302\)/, { match => '/groups', do => 'redirect', to => $keycloak->url . '/elsewhere' });
is((grep { /elsewhere/ } $keycloak->requests), 0, 'no redirect is followed');
$hostile->("an endless answer to $_", qr/larger than 2 MB/, { match => $_, do => 'flood' }, { KEYCLOAK_ANSWER_MB => 2, KEYCLOAK_TIMEOUT => 30 }) for '/token', '/groups';
$hostile->("a slow answer to $_", qr/after 2 tries: .*timed out/, { match => $_, do => 'drip' }, { KEYCLOAK_TIMEOUT => 1 }) for '/token', '/groups';
$hostile->('pages without end', qr/sends more than 3 MB/, { match => '/groups', do => 'pages' }, { KEYCLOAK_TOTAL_MB => 3, KEYCLOAK_TIMEOUT => 30 });
$hostile->('events without end', qr/sends more than 3 MB/, { match => '/events', do => 'pages' }, { KEYCLOAK_TOTAL_MB => 3, KEYCLOAK_TIMEOUT => 30 }, '--events');
$hostile->('a page of one group after the other', qr/has not given all within 2 s/, { match => '/groups\?', do => 'small' }, { KEYCLOAK_TOTAL_TIME => 2 });
$hostile->('events one after the other', qr/has not given all within 2 s/, { match => '/events', do => 'small' }, { KEYCLOAK_TOTAL_TIME => 2 }, '--events');
$hostile->('patience without end', qr/has not given all within 2 s/, { match => '/groups', do => 500 }, { KEYCLOAK_TOTAL_TIME => 2, KEYCLOAK_TRIES => 999999, KEYCLOAK_RETRY_DELAY => 9999 });
$hostile->('a slow answer, at last', qr/no answer to .* timed out|has not given all within 2 s/, { match => '/groups', do => 'drip' }, { KEYCLOAK_TOTAL_TIME => 2, KEYCLOAK_TIMEOUT => 300, KEYCLOAK_TRIES => 9 });
$hostile->('children without end', qr/nested deeper than 32 levels/, { match => '/groups', do => 'deep' }, { KEYCLOAK_TIMEOUT => 30 });
my $id = '"id":"a","name":"a","path":"/a"';
for my $body (
	'[' x 200_000, ('[' x 100) . (']' x 100), '[{' . $id . ',"attributes":' . ('{"a":' x 100) . '1' . ('}' x 100) . '}]', '{}', '5', '"a"', 'null', '', '[][]', '[] 5', '[1]', '[[]]', "\x00",
	'[{"id":"../../x","subGroupCount":1}]', '[{"id":"..","subGroupCount":1}]', '[{"id":"a/b","subGroupCount":1}]', '[{"id":"a\nb","subGroupCount":1}]',
	'[{"id":{"a":1},"subGroupCount":1}]', '[{"name":"a","path":"/a"}]', '[{"id":"\\u001b[2J\\u0007\\r\\nLOG: all is well\\u009b31m","name":"a","path":"/a"}]', '[{' . $id . ',"subGroups":[{"id":"\\u202e","name":"b","path":"/a/b"}]}]',
	'[{' . $id . ',"subGroups":{}}]', '[{"subGroupCount":1}]', map { qq([{$id,"subGroupCount":$_}]) } '"1"', '-1', '1e300', '1.5', '"a[$(touch ' . $marker . ')]"', '[1]')
{
	$hostile->('page ' . ++$n, qr/no answer to \/groups.* after 2 tries/, { match => '/groups', do => 'body', body => $body });
}
$hostile->('a page of another type', qr/not of the type application\/json/, { match => '/groups', do => 'body', body => '[]', type => 'text/html' });
$hostile->('words for the terminal', qr/HTTP 200: .\?\[2J/, { match => '/groups', do => 'body', body => qq("\e[2J\x{9b}31m\x07) });
# What psql quotes of it, and the report: letters of all languages, but nothing that moves a cursor, begins a line or turns the direction.
{
	my @odd = ("\e[2J\e]0;owned\a\r\nLOG: all is well", "\x{9b}31m", "a\x{202e}b\x{2028}c\x{2029}d\x{feff}");
	my $groups = sub { return [ map { { id => sprintf('00000000-0000-0000-0000-0000000002%02d', $_), name => $_[0][$_], path => "/$_[0][$_]", attributes => {}, realmRoles => [], clientRoles => {} } } 0 .. $#{ $_[0] } ] };
	for my $case ([ 'twice the same', [ @odd, @odd ] ], [ 'odd names', [ @odd, "\x{41a}\x{430}\x{441}\x{441}\x{430} \x{94f6}\x{884c}" ] ])
	{
		my ($name, $names) = @$case;
		$keycloak->set(groups => $groups->($names), faults => []);
		my ($exit, $words) = run_script({ KEYCLOAK_PAGE => 100 }, '--groups', '--portal', $portal, '--dry-run', '--option', 'max_delete_ratio=1');
		utf8::decode($words) or fail("$name: is UTF-8");
		unlike($words, qr/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}](?<!\n)/, "$name: nothing for a terminal");
		unlike($words, qr/^(?:LOG|owned)/m, "$name: no line of its own");
		like($words, qr/\x{41a}\x{430}\x{441}\x{441}\x{430} \x{94f6}\x{884c}/, "$name: letters stay") if $name eq 'odd names';
	}
	$keycloak->set(groups => [@groups], events => [ { id => 'far', time => 1e300, type => "LOGIN\e[2J\x{202e}", realmId => 'realm-uuid' } ]);
	my ($exit, $words) = run_script({}, '--events');
	is($exit, 3, 'an event of another age is malformed') or diag($words);
	unlike($words, qr/integer expression|\e|\xe2\x80\xae/, 'and told in plain words');

	# What no database can hold, in one event, keeps no other out. A user may have typed it, and Keycloak shows it again and again.
	my $time = (time() - 600) * 1000;
	my @odd_events = map { sprintf('{"id":"odd %s","time":%s,"type":"LOGIN_ERROR","realmId":"realm-uuid","details":{"username":"%s"}}', @$_) }
	  ([ 'zero', $time, 'a\u0000b' ], [ 'half', $time - 1, '\ud83d' ], [ 'low', $time - 2, '\udc00\u00e4' ], [ 'bytes', $time - 3, "\xff" ], [ 'far', '1e400', 'x' ], [ 'long', '1' x 500, 'x' ], [ 'tiny', '1e-20000', 'x' ], [ 'text', '"soon"', 'x' ]);
	$keycloak->set(events => [], faults => [ { match => 'ops/events', nth => 1, do => 'body', body => '[' . join(',', @odd_events) . ']' } ]);
	runs('what no database can hold', 3, qr/^Auth events of realm ops: 4 new, 0 known, 4 malformed$/m, {}, '--events');
	is(sql(q{SELECT string_agg(replace(details ->> 'username', U&'\FFFD', '*'), ' ' ORDER BY event_time DESC) FROM user_auth_logs WHERE iam_event_id LIKE 'odd %'}), "a*b * *\xc3\xa4 *", 'told by a sign in its place');
}
$keycloak->set(faults => []);

# A person who does not want to wait: it ends at once, and the other parts do not begin.
for my $signal (qw(INT TERM))
{
	$keycloak->set(faults => [ { match => '/groups', do => 'hang' } ]);
	local %ENV = environment();
	my $said = '';
	my $run = IPC::Run::start([ 'mfi', 'keycloak', 'sync', '--portal', $portal ], '<', \undef, '>&', \$said);
	MfiNode::wait_until(undef, "$signal: it waits for an answer", sub { grep { m{^GET /admin} } $keycloak->requests });
	$run->signal($signal);
	$run->finish;
	is($run->full_result(0) >> 8, 130, "$signal: exit code 130") or diag($said);
	is((grep { /events/ } $keycloak->requests), 0, "$signal: no other part has begun");
}
$keycloak->set(faults => []);

# TLS: whoever has no certificate that an authority vouches for, and of that name, gets no secret.
{
	my $tls = MfiTlsServer->new(name => 'localhost', post => '{"access_token":"abc"}', get => '[]');
	my %tls = (KEYCLOAK_ALLOW_HTTP => undef, KEYCLOAK_TRIES => 1, KEYCLOAK_URL => $tls->url('localhost'));
	runs('an unknown authority', 1, qr/no token from https:.*: curl: \(60\)/, \%tls, '--events');
	runs('another name', 1, qr/no token from https:.*: curl: \(60\).* subject name/, { %tls, KEYCLOAK_URL => $tls->url('127.0.0.1'), KEYCLOAK_CA_FILE => $tls->certificate }, '--events');
	runs('no such authority', 1, qr/no token from https:.*: curl: \(77\)/, { %tls, KEYCLOAK_CA_FILE => '/nonexistent' }, '--events');
	runs('the authority that is named', 0, qr/^Auth events of realm ops: 0 new, 0 known, 0 malformed$/m, { %tls, KEYCLOAK_CA_FILE => $tls->certificate }, '--events');
}

# By the name that the containers have for it.
{
	my ($program) = grep { -x } map { "$_/mfi" } split /:/, $ENV{PATH};
	my $name = PostgreSQL::Test::Utils::tempdir . '/keycloak-sync.sh';
	symlink($program, $name) or die "could not make $name: $!";
	local %ENV = environment(KEYCLOAK_URL => '');
	my ($out, $err) = run_command([ $name, '--dry-run' ]);
	is($? >> 8, 2, 'called as keycloak-sync.sh: exit code 2');
	like($err, qr/KEYCLOAK_URL is not set/, 'it is the same command');
}

# What is set is looked at before anything is asked.
for my $name (qw(KEYCLOAK_URL KEYCLOAK_REALM KEYCLOAK_CLIENT_ID KEYCLOAK_CLIENT_SECRET KEYCLOAK_TOKEN_REALM KEYCLOAK_CA_FILE))
{
	for my $end ("\noutput = \"$marker\"", "\r", "\t", "\x01", "\x7f", "\n")
	{
		runs("$name with " . unpack('H2', $end), 2, qr/$name has a control character/, { $name => ($name eq 'KEYCLOAK_URL' ? $keycloak->url : 'ops') . $end });
	}
}
runs("no TLS", 2, qr/is not https.*\n.*KEYCLOAK_ALLOW_HTTP=yes/, { KEYCLOAK_ALLOW_HTTP => $_ }) for undef, '', 'no', 'YES';
runs("address $_", 2, qr/must begin with https/, { KEYCLOAK_URL => $_ }) for "file://$marker.secret", 'ftp://127.0.0.1/', 'ops.example', '-K/etc/passwd', 'https://', 'HTTPS://x';
runs("delay $_", 2, qr/must be a number/, { KEYCLOAK_RETRY_DELAY => $_ }) for '-1', '1; system("id")', '1e9';
runs('a limit', 2, qr/must be whole numbers/, { $_ => '0' }) for 'KEYCLOAK_ANSWER_MB', 'KEYCLOAK_TOTAL_TIME';
is_deeply([ $keycloak->requests ], [], 'nothing was asked');
ok(!-e $marker, 'and no file made');
is_deeply([ glob(PostgreSQL::Test::Utils::tempdir . '/tmp.*') ], [], 'no file is left behind');
$node->stop;
done_testing();
