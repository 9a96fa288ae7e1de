# mfi restore beside a server: into a new database with all its properties, in place of the live one, and each refusal.

use strict;
use warnings FATAL => 'all';
use utf8;
use FindBin;
use IPC::Run ();
use lib "$FindBin::RealBin/../lib";
use MfiListing qw(listing);
use MfiNode;
use POSIX ();
use MfiCommand qw(does_ok refuses command);
use PostgreSQL::Test::Utils qw(append_to_file slurp_file);
use Test::More;

my $name = q(it's "the" 100%/bank\\ that has a name of many bytes, ümlaut);
utf8::encode($name);
my $node = MfiNode->bank('bank', database => $name, initdb => [ '--encoding=UTF8', '--locale-provider=icu', '--icu-locale=de' ]);
(my $ident = $name) =~ s/"/""/g;
my $databases = sub { $node->safe_psql('postgres', 'SELECT datname FROM pg_database ORDER BY oid DESC') };
my $newest = sub { (split /\n/, $databases->())[0] };
my $properties = sub {
	my ($database) = @_;
	(my $literal = $database) =~ s/(['])/$1$1/g;
	return $node->safe_psql('postgres', "SELECT datdba::regrole, encoding, datlocprovider, datlocale, datcollate, ARRAY(SELECT unnest(datacl)::text ORDER BY 1),
		(SELECT array_agg(setrole::regrole || setconfig::text ORDER BY 1) FROM pg_db_role_setting WHERE setdatabase = d.oid)
		FROM pg_database d WHERE datname = E'" . $literal =~ s/\\/\\\\/gr . "'");
};
$node->safe_psql('postgres', qq{CREATE ROLE "the owner"; CREATE ROLE clerk LOGIN; CREATE ROLE "role of old" NOLOGIN;
	ALTER DATABASE "$ident" OWNER TO "the owner"; GRANT CREATE ON DATABASE "$ident" TO clerk WITH GRANT OPTION;
	ALTER DATABASE "$ident" SET search_path = "\$user", public, "Odd, schema"; ALTER ROLE clerk IN DATABASE "$ident" SET work_mem = '5MB'});
$node->sql("INSERT INTO portals (name, realm_id, client_id) SELECT 'Portal ' || i, 'r' || i, 'c' FROM generate_series(1, 100) i");
$node->sql('CREATE TABLE "Odd ""table" AS SELECT 1 AS one; GRANT SELECT ON "Odd ""table" TO "role of old"');
my $id = $node->backup_ok;
my $before = listing($node, $name);

# Into a new database: equal, and with its properties.
my $said = does_ok('into a new database', $node, 'restore');
like($said, qr/^Checksums: ok\n.*\d+ tables +\d+ +\d+ +all equal\n.*To put it in place of the live one: mfi restore --replace /ms, 'and says so');
my $restored = $newest->();
like($restored, qr/^it's.*_restored_\d{8}T\d{6}$/, 'its name tells');
is(listing($node, $restored), $before, 'the same objects and rows');
is($properties->($restored), $properties->($name), 'owner, encoding, locale, privileges, settings');

# Others that were made in the same second, or by a clock that is ahead, have names of their own.
(my $stem = $restored) =~ s/\d{8}T\d{6}$//;
my @taken = grep { $_ ne $restored } map { $stem . POSIX::strftime('%Y%m%dT%H%M%S', gmtime(time + $_)) } 0 .. 12;
$node->safe_psql('postgres', join('', map { 'CREATE DATABASE "' . s/"/""/gr . '" TEMPLATE template0;' } @taken));
does_ok('when the name of this second is taken', $node, 'restore');
my $free = $newest->();
ok(!grep({ $_ eq $free } @taken), 'it takes another name');
is(listing($node, $free), $before, 'and is whole');
$node->safe_psql('postgres', join('', map { 'DROP DATABASE "' . s/"/""/gr . '";' } @taken, $free));

# Two at the same time.
{
	local %ENV = $node->_get_env(PGDATABASE => 'postgres');
	my @said = ('', '');
	my @runs = map { IPC::Run::start([ 'mfi', 'restore' ], '<', \'', '>&', \$said[$_]) } 0, 1;
	$_->finish for @runs;
	is(join(' ', map { $_->result(0) } @runs), '0 0', 'two at the same time') or diag(@said);
	my @names = map { /^Restoring into database (.*)$/m } @said;
	isnt($names[0], $names[1], 'with names of their own');
	is(listing($node, $_), $before, 'and each is whole') for @names;
	$node->safe_psql('postgres', join('', map { 'DROP DATABASE "' . s/"/""/gr . '";' } @names));
}

# Refusals; nothing comes of them.
my $there = $databases->();
my $set = $node->backups . "/$id";
refuses('a set that is not there', 'there is no backup set', $node, 'restore', 'nothing');
refuses('a directory that is no set', 'is not a backup set', $node, 'restore', '/tmp/');
refuses('a database to replace that is not there', 'there is no database "ghost" to replace', $node, 'restore', '--replace', 'ghost');
refuses('a target that holds something', 'is not empty', $node, 'restore', '--into', $restored);
my ($code) = command($node, 'restore', '--into', 'a', '--replace', 'b');
is($code, 2, 'contradicting options');
($code, $said) = command($node, 'restore', '--oops');
like("$code $said", qr/^2 .*--oops.*--help/s, 'a wrong option, with the way to those there are');
($code, $said) = command($node, 'restore', '--help');
like("$code $said", qr/^0 .*--into.*--replace.*--globals.*--jobs.*PGHOST/s, 'and those are shown');
($code, $said) = command($node, 'restore', $_, '') for qw(--into --replace);
is($code, 2, 'no name is none');

sub tampered
{
	my ($what) = @_;
	my $copy = $node->basedir . "/$what";
	system('cp', '-r', $set, $copy) == 0 or die;
	return $copy;
}
sub rewrite
{
	my ($file, $text) = @_;
	unlink $file or die $!;
	append_to_file($file, $text);
	return;
}
{
	local $ENV{PGUSER} = 'clerk';
	refuses('who is no superuser', 'no session of a superuser', $node, 'restore');
}
my $copy = tampered('one byte');
my ($archive) = glob("\"$copy\"/*.dump");
my $bytes = slurp_file($archive);
substr($bytes, length($bytes) / 2, 1) ^= "\x01";
rewrite($archive, $bytes);
refuses('a set with one wrong byte', 'not those of its manifest', $node, 'restore', $copy);
is($databases->(), $there, 'no database was made by all that');

# What goes wrong later leaves the new database to look at, and the live one alone.
$copy = tampered('one row');
my $manifest = slurp_file("$copy/manifest.json");
$manifest =~ s/("name": "public.portals",[^{}]*"rows": )100/${1}101/ or die $manifest;
rewrite("$copy/manifest.json", $manifest);
($code, $said) = command($node, 'restore', '--replace', $name, $copy);
like("$code $said", qr/^1 .*public\.portals +101 +100 +DIFFERENT.*the restored rows differ from the manifest; nothing was replaced/s, 'one row less than the manifest says');
is(listing($node, $name), $before, 'the live one is as it was');
$node->safe_psql('postgres', 'CREATE DATABASE leftover');
does_ok('into an empty database that is there', $node, 'restore', '--into', 'leftover', $id);
is(listing($node, 'leftover'), $before, 'equal');

# A role is missing: said, and --globals brings it.
$node->safe_psql('postgres', "REASSIGN OWNED BY clerk TO postgres; DROP DATABASE leftover");
$node->safe_psql($_, 'DROP OWNED BY "role of old", clerk') for $name, split /\n/, $databases->() =~ s/^(?:postgres|template.)$//gmr =~ s/^\n//gmr;
$node->safe_psql('postgres', 'DROP ROLE "role of old"');
($code, $said) = command($node, 'restore', '--into', 'without_role', $id);
like("$code $said", qr/^1 .*role "role of old" does not exist.*is left for you to look at/s, 'a role is missing');
$node->safe_psql('postgres', 'DROP DATABASE without_role');
does_ok('with the roles of the set', $node, 'restore', '--globals', '--into', 'with_role', $id);
is($node->safe_psql('with_role', q(SELECT has_table_privilege('role of old', '"Odd ""table"', 'SELECT'))), 't', 'the role is back, with its rights');

# In place of the live one, with sessions open; a mistaken DELETE is undone.
my $session = $node->background_psql($name);
$node->sql('DELETE FROM portals');
my $busy = $node->basedir . '/busy';
append_to_file($busy, '');
my @clients = do {
	local %ENV = $node->_get_env(PGDATABASE => $name);
	map { IPC::Run::start([ 'bash', '-c', "while [ -e '$busy' ]; do psql -X -q -c 'SELECT count(*) FROM portals'; done" ], '<', \'', '>&', \my $ignored) } 1 .. 3;
};
$said = does_ok('in place of the live one, where clients come all the time', $node, 'restore', '--replace', $name, $id);
unlink $busy;
$_->finish for @clients;
is($node->sql('SELECT count(*) FROM portals'), '100', 'the rows are back');
like($said, qr/DROP DATABASE "it's.*_before_\d{8}T\d{6}"/, 'the old one stays, and how to drop it');
eval { $session->quit };
$node->wait_sql("SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'mfi launcher'");
is($node->run($node->backup_ok, 'state, verify_result'), 'succeeded|ok', 'and is backed up');

# From a server that knows no backups, by the set's directory; an older schema is brought up.
my $other = PostgreSQL::Test::Cluster->new('other');
$other->init;
$other->start;
refuses('an id, where the server knows no backups', 'does not tell where its backups are', $other, 'restore', $id);
does_ok('the set of another server, with its roles', $other, 'restore', '--globals', '--into', 'moved', $set);
is($other->safe_psql('moved', 'SELECT count(*), mfi_schema_version() FROM portals'), '100|1.1', 'is there');
$other->stop;
$node->safe_psql('postgres', 'CREATE DATABASE old');
$node->safe_psql('old', "CREATE EXTENSION mfi VERSION '1.0' CASCADE; INSERT INTO portals (name, realm_id, client_id) VALUES ('old', 'r', 'c')");
$node->append_conf('postgresql.conf', "mfi.database = 'old'");
$node->{database} = 'old';
$node->restart;
my $old = $node->backup_ok;
does_ok('a set of schema 1.0', $node, 'restore', '--into', 'upgraded', $old);
is($node->safe_psql('upgraded', 'SELECT mfi_schema_version(), count(*) FROM portals'), '1.1|1', 'is brought up to date');
$node->stop;
done_testing();
