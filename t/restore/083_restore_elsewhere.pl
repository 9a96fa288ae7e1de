# A set that is restored on another machine: whose superuser has another name, which has roles of its own, none of the tablespaces,
# other defaults, or no library of mfi.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use Digest::SHA ();
use JSON::PP ();
use MfiNode;
use MfiCommand qw(does_ok refuses command);
use MfiShim qw(install_with);
use PostgreSQL::Test::Utils qw(append_to_file slurp_dir slurp_file);
use Test::More;

my $node = MfiNode->bank('bank', conf => "timezone = 'Africa/Kigali'\nbank.currency = 'RWF'\nallow_in_place_tablespaces = on\n");
$node->safe_psql('postgres', q{CREATE TABLESPACE fast LOCATION ''; CREATE TABLESPACE "slow disk" LOCATION ''; CREATE ROLE replicator LOGIN REPLICATION PASSWORD 'of the set';
	CREATE ROLE "app/web" LOGIN; CREATE ROLE "a;b'c\\d" NOLOGIN; CREATE ROLE teller; CREATE ROLE chief CREATEROLE; GRANT teller TO chief WITH ADMIN OPTION;
	CREATE ROLE old LOGIN PASSWORD 'of the set'; ALTER ROLE old SET work_mem = '7MB'; GRANT teller TO old; GRANT CREATE ON TABLESPACE fast TO teller;
	COMMENT ON ROLE teller IS 'CREATE ROLE fake; it''s'; ALTER ROLE teller SET search_path = 'a;b', public; GRANT SET ON PARAMETER log_statement TO teller;
	SET SESSION AUTHORIZATION chief; GRANT teller TO "app/web"; RESET SESSION AUTHORIZATION;
	ALTER ROLE "app/web" IN DATABASE mfi_banking SET bank.path = 'x=/y'; GRANT CREATE ON DATABASE mfi_banking TO "app/web" WITH GRANT OPTION;
	SET SESSION AUTHORIZATION "app/web"; GRANT CREATE ON DATABASE mfi_banking TO teller});
$node->sql(q{CREATE TABLE quick (i int) TABLESPACE fast; CREATE INDEX ON quick (i) TABLESPACE "slow disk"; INSERT INTO quick VALUES (1);
	CREATE TABLE day (day date, at timestamptz, CHECK (day = at::date)); INSERT INTO day VALUES ('2026-11-24', '2026-11-23 23:30:00+00');
	CREATE TABLE money (amount int CHECK (current_setting('bank.currency') = 'RWF')); INSERT INTO money VALUES (1); ALTER TABLE quick OWNER TO teller});
my $set = $node->backups . '/' . $node->backup_ok;
my $tablespaces = "SELECT relname, spcname FROM pg_class c JOIN pg_tablespace t ON t.oid = c.reltablespace WHERE relname ~ '^quick' ORDER BY 1";

# Beside its server, tablespaces are there.
my $said = does_ok('where the tablespaces are', $node, 'restore', '--into', 'beside');
unlike($said, qr/tablespace|Sessions of/, 'nothing to tell');
is($node->safe_psql('beside', $tablespaces), "quick|fast\nquick_i_idx|slow disk", 'they are used');

# Elsewhere.
my $other = PostgreSQL::Test::Cluster->new('other');
$other->init(extra => [ '-U', 'boss' ]);
$other->append_conf('postgresql.conf', "timezone = 'UTC'\n");
local $ENV{PGUSER} = 'boss';
$other->start;
$other->safe_psql('postgres', q{CREATE ROLE old NOLOGIN; CREATE ROLE replicator NOLOGIN; CREATE DATABASE empty});
my $roles = sub { $other->safe_psql('postgres', q{SELECT rolname, rolsuper, rolcanlogin, rolreplication, rolpassword IS NOT NULL, setconfig, shobj_description(a.oid, 'pg_authid')
	FROM pg_authid a LEFT JOIN pg_db_role_setting s ON s.setrole = a.oid AND setdatabase = 0 WHERE rolname !~ '^(pg|mfi)_' ORDER BY 1}) };
my $before = $roles->();
my ($code, $missing) = command($other, 'restore', '--into', 'without', $set);
like("$code $missing", qr/^1 .*database "without" could not be made.*role "postgres" does not exist; nothing was restored\n +.*--globals/s, 'a role is missing: said, with the way out');
is($other->safe_psql('postgres', "SELECT count(*) FROM pg_database WHERE datname = 'without'"), '0', 'no database was made');

# Roles that cannot be made whole are not made at all.
sub with_globals
{
	my ($name, $change) = @_;
	my $copy = $other->basedir . "/$name";
	system('cp', '-r', $set, $copy) == 0 or die;
	my $globals = slurp_file("$copy/globals.sql");
	$change->($globals) for $globals;
	my $manifest = JSON::PP->new->utf8->decode(slurp_file("$copy/manifest.json"));
	@{$_}{qw(bytes sha256)} = (length $globals, Digest::SHA::sha256_hex($globals)) for grep { $_->{name} eq 'globals.sql' } @{ $manifest->{files} };
	unlink "$copy/globals.sql", "$copy/manifest.json";
	append_to_file("$copy/globals.sql", $globals);
	append_to_file("$copy/manifest.json", JSON::PP->new->utf8->encode($manifest));
	return $copy;
}
my $broken = with_globals('broken', sub { $_[0] .= "ALTER ROLE teller SET no_such_setting TO 'x';\n" });
($code, $said) = command($other, 'restore', '--globals', $broken);
like("$code $said", qr/^1 .*the roles could not be restored: ALTER ROLE teller SET no_such_setting.*; nothing was changed\n +\S/s, 'the statement that fails is named');
is($roles->(), $before, 'and nothing has changed');
my $foreign = with_globals('foreign', sub { $_[0] .= "DROP DATABASE empty;\n" });
($code, $said) = command($other, 'restore', '--globals', $foreign);
like("$code $said", qr/^1 .*a statement that pg_dumpall does not write: DROP DATABASE empty; nothing was changed/s, 'what is none of pg_dumpall is refused');
unlike($said, qr/SCRAM/, 'no password is shown');

$said = does_ok('with the roles of the set', $other, 'restore', '--globals', '--into', 'moved', $set);
like($said, qr/^Tablespaces are not made here.*: fast, slow disk$/m, 'no tablespace is made');
like($said, qr/^Everything goes to the database's own tablespace: this server has no fast, slow disk$/m, 'and where all goes is said');
is($other->safe_psql('moved', $tablespaces), '', 'there it is');
is($roles->(), <<'ROLES' =~ s/\n\z//r, 'roles are made as they were, and those that were here stay as they are');
a;b'c\d|f|f|f|f||
app/web|f|t|f|f||
boss|t|t|t|f||
chief|f|f|f|f||
old|f|f|f|f||
postgres|t|t|t|f||
replicator|f|f|f|f||
teller|f|f|f|f|{"search_path=\"a;b\", public"}|CREATE ROLE fake; it's
ROLES
is($other->safe_psql('postgres', q{SELECT roleid::regrole, member::regrole, admin_option FROM pg_auth_members WHERE roleid = 'teller'::regrole ORDER BY member::regrole::text}),
	qq(teller|"app/web"|f\nteller|chief|t\nteller|old|f), 'with their memberships');
is($other->safe_psql('postgres', q{SELECT has_parameter_privilege('teller', 'log_statement', 'SET')}), 't', 'and what they may set');
is($other->safe_psql('moved', q{SELECT array_agg(a::text ORDER BY 1) FROM pg_database, unnest(datacl) a WHERE datname = 'moved' AND a::text ~ 'app/web'}),
	q({"\"app/web\"=C*/postgres","teller=C/\"app/web\""}), 'privileges come from who gave them');
is($other->safe_psql('moved', 'SELECT (SELECT count(*) FROM day), (SELECT count(*) FROM money)'), '1|1', 'rows that mean something in the source only under its settings');
like($said, qr/^Sessions of the source had TimeZone = Africa\/Kigali, .*\n  ALTER DATABASE "moved" SET TimeZone = 'Africa\/Kigali'$/m, 'and how to keep these is said');
does_ok('again, when all roles are there', $other, 'restore', '--globals', '--into', 'again', $set);

# A set without roles, and one whose text a command line must not show.
my $bare = with_globals('bare', sub { });
my $manifest = JSON::PP->new->utf8->decode(slurp_file("$bare/manifest.json"));
$manifest->{files} = [ grep { $_->{name} ne 'globals.sql' } @{ $manifest->{files} } ];
unlink "$bare/globals.sql", "$bare/manifest.json";
append_to_file("$bare/manifest.json", JSON::PP->new->utf8->encode($manifest));
refuses('--globals of a set without roles', 'has no globals.sql', $other, 'restore', '--globals', $bare);
my $odd = $other->basedir . "/odd\n'\"\\! \$(x)";
rename $bare, $odd or die $!;
does_ok('a set without roles, of any name', $other, 'restore', '--into', 'bare', $odd);

# A server without mfi's library cannot say what it holds.
my $path = install_with();
unlink "$path/lib" or die $!;
mkdir "$path/lib" or die $!;
my $libraries = `pg_config --pkglibdir` =~ s/\n//r;
symlink("$libraries/$_", "$path/lib/$_") or die $! for grep { !/^\.|^mfi\./ } slurp_dir($libraries);
my $plain = PostgreSQL::Test::Cluster->new('plain', install_path => $path);
$plain->init(extra => [ '-U', 'boss' ]);
$plain->start;
$node->safe_psql('postgres', 'CREATE DATABASE plain', extra_params => [ '-U', 'postgres' ]);
$node->safe_psql('plain', 'CREATE TABLE t AS SELECT 1 AS i', extra_params => [ '-U', 'postgres' ]);
my $alone = $plain->basedir . '/alone';
system('cp', '-r', $set, $alone) == 0 or die;
my ($archive) = glob("$alone/*.dump");
system('pg_dump', '-Fc', '-U', 'postgres', '-f', $archive, '-d', $node->connstr('plain')) == 0 or die;
$manifest = JSON::PP->new->utf8->decode(slurp_file("$alone/manifest.json"));
@{$_}{qw(bytes sha256)} = (-s $archive, Digest::SHA->new(256)->addfile($archive)->hexdigest) for grep { $_->{name} =~ /dump$/ } @{ $manifest->{files} };
$manifest->{contents}{tables} = [];
unlink "$alone/manifest.json";
append_to_file("$alone/manifest.json", JSON::PP->new->utf8->encode($manifest));
($code, $said) = command($plain, 'restore', '--globals', '--into', 'unknown', $alone);
like("$code $said", qr/^1 .*the restored contents could not be compared with the manifest.*"unknown" is left.*install mfi/s, 'it is restored, and what is missing is named');
is($plain->safe_psql('unknown', 'SELECT count(*) FROM t'), '1', 'it is there');
$_->stop for $plain, $other, $node;
done_testing();
