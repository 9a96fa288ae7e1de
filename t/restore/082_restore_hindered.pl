# A restore of databases that hinder one: names of any bytes, thousands of objects, settings of the database that give values their
# meaning or stop a session, event triggers, rules of a locale. Each set is restored equal, and its text reaches no command.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use IPC::Run ();
use JSON::PP ();
use MfiNode;
use MfiCommand qw(does_ok command);
use PostgreSQL::Test::Utils qw(append_to_file slurp_dir slurp_file);
use Test::More;

my $node = MfiNode->bank('bank', initdb => [ '--encoding=UTF8', '--locale-provider=icu', '--icu-locale=und', '--locale=C.UTF-8' ]);
my $value = sub { my ($database, $sql) = @_; return $node->safe_psql($database, $sql) };
my $mark = $node->basedir . '/mark';

# Another database becomes the one that is backed up.
sub use_database
{
	my ($name, $create) = @_;
	$node->safe_psql('postgres', "CREATE DATABASE $name " . ($create // ''));
	$node->safe_psql($name, 'CREATE EXTENSION mfi CASCADE');
	$node->{database} = $name;
	$node->append_conf('postgresql.conf', "mfi.database = '$name'");
	$node->restart;
	return;
}

# Names that are commands, lines or separators elsewhere, and more objects than fit into one argument of a program.
my %named = (
	"line\nbreak" => 1, "unit\x1fseparator" => 2, "\\! touch $mark" => 3, 'quo"te' => 4, "apo'strophe" => 5, 'back\\slash' => 6, "`touch $mark`" => 7, '$(touch mark)' => 8);
my $quoted = sub { return '"' . $_[0] =~ s/"/""/gr . '"' };
$node->sql('CREATE TABLE ' . $quoted->($_) . " AS SELECT generate_series(1, $named{$_})") for sort keys %named;
$node->sql("DO \$\$ BEGIN FOR i IN 1..700 LOOP EXECUTE format('CREATE TABLE %I (%s)', repeat('a_long_name_', 4) || i, CASE WHEN i % 2 = 0 THEN 'id serial' ELSE 'id int' END); END LOOP; END \$\$");
$node->sql("ALTER DATABASE mfi_banking SET bank.secret = 'word of the manifest'");
my $id = $node->backup_ok;
my $manifest = slurp_file($node->backups . "/$id/manifest.json");
cmp_ok(length $manifest, '>', 131072, 'the manifest is larger than an argument may be');
{
	local %ENV = $node->_get_env(PGDATABASE => 'postgres');
	my $said = '';
	my $run = IPC::Run::start([ 'mfi', 'restore', '--into', 'many' ], '<', \'', '>&', \$said);
	my %seen;
	while ($run->pumpable)
	{
		$run->pump_nb;
		for my $process (grep { /^\d+$/ } slurp_dir('/proc'))
		{
			my $command = MfiNode::command_of($process);
			$seen{$command} = 1 if $command =~ /dbname='?many/;
			fail("the manifest shows in a command: $command") if $command =~ /word of the manifest|a_long_name/;
		}
	}
	$run->finish;
	is($? >> 8, 0, 'many objects with names of any kind') or diag($said);
	like($said, qr/^  7\d\d tables +\d+ +\d+ +all equal$/m, 'all equal');
	ok(scalar(keys %seen), 'while its programs were looked at');
	is(() = $said =~ /touch|unit|quo"/g, 5, 'each of them is one line of the table');
}
is($value->('many', 'SELECT count(*) FROM ' . $quoted->($_)), $named{$_}, 'rows of ' . s/[^ -~]/?/gr) for sort keys %named;
ok(!-e $mark, 'no name became a command');

# Settings by which values mean what they mean, in a database with rules of its locale; and a view that asks for one.
use_database('meaning', "TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'und' ICU_RULES '&a < g' LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8'");
$node->safe_psql('postgres', q{ALTER DATABASE meaning SET timezone = 'Africa/Kigali'; ALTER DATABASE meaning SET DateStyle = 'SQL, DMY';
	ALTER DATABASE meaning SET IntervalStyle = 'iso_8601'; ALTER DATABASE meaning SET bank.currency = 'RWF'; ALTER DATABASE meaning SET transform_null_equals = on;
	ALTER DATABASE meaning SET array_nulls = off; ALTER DATABASE meaning SET default_text_search_config = 'pg_catalog.french'});
$node->sql(q{CREATE TABLE day (day date, at timestamptz, CHECK (day = at::date)); INSERT INTO day VALUES ('24/11/2026', '23/11/2026 23:30:00 UTC');
	CREATE TABLE worth (amount int CHECK (current_setting('bank.currency') = 'RWF')); INSERT INTO worth VALUES (1);
	CREATE TABLE word (t text, arr text[], CHECK (to_tsvector(t) <> '')); SET array_nulls = on; INSERT INTO word VALUES ('chevaux', '{NULL,a}');
	CREATE MATERIALIZED VIEW currency AS SELECT current_setting('bank.currency') AS c, extract(hour FROM timestamptz '2026-11-24 00:00:00+00') AS hour});
does_ok('settings that give values their meaning', $node, 'restore', '--into', 'meant', $node->backup_ok);
is($value->('meant', 'SELECT c, hour FROM currency'), 'RWF|2', 'a view was made under them');
is($value->('meant', q{SELECT string_agg(x, '' ORDER BY x COLLATE "default") FROM unnest(ARRAY['a','b','g']) x}), 'agb', 'rules of the locale');
is($value->('meant', 'SELECT arr[1] IS NULL FROM word'), 't', 'NULL in an array stays NULL');

# Settings and triggers that stop sessions; in place of the live database, which has them too, and of an older schema.
$node->safe_psql('postgres', 'CREATE ROLE clerk; CREATE DATABASE hindered; CREATE ROLE "app/web"; CREATE ROLE other');
$node->safe_psql('hindered', "CREATE EXTENSION mfi VERSION '1.0' CASCADE; CREATE SCHEMA bank; INSERT INTO portals (name, realm_id, client_id) VALUES ('old', 'r', 'c');
	CREATE TABLE bank.journal (t text); CREATE FUNCTION bank.log() RETURNS event_trigger LANGUAGE plpgsql AS \$\$ BEGIN INSERT INTO bank.journal VALUES (session_user); END \$\$;
	CREATE TABLE bank.big AS SELECT generate_series(1, 200000) i");
$node->{database} = 'hindered';
$node->append_conf('postgresql.conf', "mfi.database = 'hindered'");
$node->restart;
$node->safe_psql('hindered', 'CREATE EVENT TRIGGER note ON login EXECUTE FUNCTION bank.log(); ALTER EVENT TRIGGER note ENABLE ALWAYS;
	CREATE EVENT TRIGGER note_ddl ON ddl_command_end EXECUTE FUNCTION bank.log()');
my @hindering = ("statement_timeout = '5ms'", "lock_timeout = '5ms'", "idle_in_transaction_session_timeout = '1ms'", "transaction_timeout = '5ms'", 'role = clerk',
	'search_path = nowhere', 'default_transaction_read_only = on', 'exit_on_error = on', 'row_security = off', 'default_tablespace = pg_global', 'bytea_output = escape', 'extra_float_digits = -5');
$node->safe_psql('postgres', join '', map { "ALTER DATABASE hindered SET $_;" } @hindering);
$node->safe_psql('postgres', q{ALTER ROLE "app/web" IN DATABASE hindered SET search_path = "a=b/c", "$user"; ALTER ROLE "app/web" IN DATABASE hindered SET bank.path = 'x=/y'; ALTER DATABASE hindered CONNECTION LIMIT 7;
	COMMENT ON DATABASE hindered IS 'it''s the bank'; REVOKE ALL ON DATABASE hindered FROM PUBLIC, postgres});
my $properties = sub {
	my ($database) = @_;
	return $value->('postgres', "SELECT datconnlimit, datacl, shobj_description(oid, 'pg_database'),
		(SELECT array_agg(format('%s %s', setrole::regrole, setconfig) ORDER BY setrole) FROM pg_db_role_setting WHERE setdatabase = d.oid) FROM pg_database d WHERE datname = '$database'");
};
my $before = $properties->('hindered');
like($before, qr/^7\|\{\}\|it's the bank\|/, 'no privileges at all');
$before =~ s/\{\}/{mfi_sync=T\/postgres}/;    # what the newer schema gives
my $hindered = do {
	local $ENV{PGOPTIONS} = '-c role=none -c statement_timeout=0 -c transaction_timeout=0 -c event_triggers=off -c search_path=public -c default_transaction_read_only=off -c idle_in_transaction_session_timeout=0 -c lock_timeout=0';
	$node->backup_ok;
};
does_ok('settings that hinder sessions', $node, 'restore', '--into', 'free', $hindered);
is($properties->('free'), $before, 'settings, limit, comment, privileges');
my $said = does_ok('in place of the live one', $node, 'restore', '--replace', 'hindered', $hindered);
is($properties->('hindered'), $before, 'again');
{
	local $ENV{PGOPTIONS} = '-c role=none -c statement_timeout=0 -c transaction_timeout=0 -c event_triggers=off -c lock_timeout=0';
	is($value->('hindered', 'SELECT public.mfi_schema_version(), (SELECT count(*) FROM bank.journal)'), '1.1|' . $value->('free', 'SELECT count(*) FROM bank.journal'),
		'brought up to date, and no trigger has run');
}
# The other scripts are not hindered either.
{
	local %ENV = $node->_get_env(PGDATABASE => 'hindered');
	for ([ 'backup', qr/\Abackup hindered_\S+\n.*^succeeded/ms ], [ 'health', qr/\A(?:ok|warning|critical)\b(?!: no verdict)/ ])
	{
		my ($script, $expected) = @$_;
		$said = '';
		IPC::Run::run([ 'mfi', $script ], '<', \'', '>&', \$said);
		like($said, $expected, $script);
	}
}
# The user's own variables do not change what values mean.
{
	local $ENV{PGTZ} = 'Asia/Tokyo';
	local $ENV{PGDATESTYLE} = 'ISO, MDY';
	local $ENV{PGOPTIONS} = '-c TimeZone=Asia/Tokyo -c statement_timeout=1';
	my ($meaning) = grep { /^meaning_/ && !/\.sql/ } slurp_dir($node->backups);
	does_ok('under other settings of the user', $node, 'restore', '--into', 'elsewhere', $meaning);
}

# Names that are no UTF-8, of a database without an encoding. The set is made by hand of another with the same rows.
use_database('bytes', "TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE_PROVIDER libc LOCALE 'C'");
$node->sql('CREATE TABLE ascii AS SELECT 1 AS i');
my $plain = $node->backup_ok;
$node->sql(qq(SET client_encoding = 'SQL_ASCII'; ALTER TABLE ascii RENAME TO "caf\xe9 \x80"));
my $copy = $node->basedir . '/latin';
system('cp', '-r', $node->backups . "/$plain", $copy) == 0 or die;
my ($archive) = glob("$copy/*.dump");
$node->command_ok([ 'pg_dump', '-Fc', '-f', $archive, '-d', $node->connstr('bytes') ], 'the dump of names that are no UTF-8');
my $document = JSON::PP->new->utf8->decode(slurp_file("$copy/manifest.json"));
for my $file (grep { $_->{name} =~ /dump$/ } @{ $document->{files} })
{
	$file->{bytes} = -s $archive;
	($file->{sha256}) = split ' ', `sha256sum '$archive'`;
}
# This one the worker goes on writing to.
$document->{contents}{tables} = [ grep { $_->{name} ne 'mfi.audit_watch' } @{ $document->{contents}{tables} } ];
$_->{name} =~ s/^public\.ascii$/public."caf\x{10FFE9} \x{10FF80}"/ for @{ $document->{contents}{tables} };
unlink "$copy/manifest.json";
append_to_file("$copy/manifest.json", JSON::PP->new->utf8->encode($document));
$said = does_ok('names that are no UTF-8', $node, 'restore', '--into', 'latin', $copy);
like($said, qr/^  public\."caf\? \?" +1 +1$/m, 'are compared and shown');

# ^C ends pg_restore and its session, and tells what is left.
use_database('slow');
$node->sql(q{CREATE FUNCTION waits(i int) RETURNS bool LANGUAGE sql AS $$ SELECT CASE WHEN current_database() = 'halted' THEN pg_sleep(3600) IS NULL ELSE true END $$;
	CREATE TABLE waits (i int CHECK (waits(i))); INSERT INTO waits VALUES (1)});
my $slow = $node->backup_ok;
{
	local %ENV = $node->_get_env(PGDATABASE => 'postgres');
	$said = '';
	my $run = IPC::Run::start([ 'mfi', 'restore', '--into', 'halted', $slow ], '<', \'', '>&', \$said);
	$node->poll_query_until('postgres', "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = 'halted' AND wait_event = 'PgSleep')") or die $said;
	$run->pump until $said =~ /^  \S+ \S+ of about \S+ \S+$/m;    # how far it is, is told now and then
	$run->signal('INT');
	$run->finish;
	is($? >> 8, 1, 'an interrupted restore fails');
}
like($said, qr/interrupted; database "halted" is left for you to look at\n.*DROP DATABASE "halted"/s, 'and says what is left');
$node->poll_query_until('postgres', "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = 'halted' AND backend_type = 'client backend')") or die;
is(join(' ', grep { MfiNode::command_of($_) =~ /pg_restore .*halted/ } grep { /^\d+$/ } slurp_dir('/proc')), '', 'no program is left');
$node->safe_psql('postgres', 'DROP DATABASE halted');

# Sets of a version without hashes: numbers of rows are compared, and what has none is told.
sub rewritten
{
	my ($name, $of, $change) = @_;
	my $set = $node->basedir . "/$name";
	system('cp', '-r', $node->backups . "/$of", $set) == 0 or die;
	my $text = JSON::PP->new->utf8->decode(slurp_file("$set/manifest.json"));
	delete $text->{contents}{large_objects_hash};
	delete @{$_}{qw(hash root)} for @{ $text->{contents}{tables} };
	$change->($_) for @{ $text->{contents}{tables} };
	unlink "$set/manifest.json";
	append_to_file("$set/manifest.json", JSON::PP->new->utf8->encode($text));
	return $set;
}
$said = does_ok('a set without hashes', $node, 'restore', rewritten('numbers', $slow, sub { }));
like($said, qr/^  public\.waits +1 +1\n.*all equal\n.*Only numbers of rows are compared/ms, 'says so');
my ($code) = command($node, 'restore', rewritten('one less', $slow, sub { $_[0]{rows}++ if $_[0]{name} eq 'public.waits' }));
is($code, 1, 'and a row that is missing is seen');
$said = does_ok('a set without counts', $node, 'restore', rewritten('bare', $slow, sub { delete $_[0]{rows} }));
like($said, qr/not counted when the set was made: public\.waits\n.*has no counts/s, 'says so');
$node->stop;
done_testing();
