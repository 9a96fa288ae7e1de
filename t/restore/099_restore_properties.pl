# What of a database itself comes back with a restore: its tablespace, that it is a template, its security labels. And a restore that first
# asks whether there is room, and of several servers takes the one that answers.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use IO::Socket::UNIX ();
use IPC::Run ();
use JSON::PP ();
use MfiNode;
use MfiCommand qw(does_ok refuses command);
use PostgreSQL::Test::Utils qw(append_to_file run_log slurp_file);
use Test::More;

# A provider of labels.
my $provider = PostgreSQL::Test::Utils::tempdir . '/keeper';
append_to_file("$provider.c", <<'C');
#include "postgres.h"
#include "commands/seclabel.h"
#include "fmgr.h"
PG_MODULE_MAGIC;
void _PG_init(void);
static void check(const ObjectAddress *object, const char *label) {}
void _PG_init(void) { register_label_provider("Keeper", check); }
C
my $include = qx(pg_config --includedir-server) =~ s/\n//r;
run_log([ 'gcc', '-shared', '-fPIC', "-I$include", '-o', "$provider.so", "$provider.c" ]) or die 'no provider';

my $node = MfiNode->bank('bank', conf => "allow_in_place_tablespaces = on\nshared_preload_libraries = 'mfi, $provider'\n");
my $properties = sub { my ($on, $database) = @_; return $on->safe_psql('postgres', "SELECT t.spcname, d.datistemplate, d.datconnlimit, l.provider, l.label FROM pg_database d
	JOIN pg_tablespace t ON t.oid = d.dattablespace LEFT JOIN pg_shseclabel l ON l.objoid = d.oid AND l.classoid = 'pg_database'::regclass WHERE d.datname = '$database'") };
$node->safe_psql('postgres', q{CREATE TABLESPACE "slow disk" LOCATION ''; CREATE TABLESPACE fast LOCATION ''; CREATE DATABASE other_bank TEMPLATE template0 TABLESPACE "slow disk"});
$node->safe_psql('other_bank', q{CREATE EXTENSION mfi CASCADE; CREATE TABLE quick (i int) TABLESPACE fast; INSERT INTO quick VALUES (1);
	ALTER DATABASE other_bank IS_TEMPLATE true; ALTER DATABASE other_bank CONNECTION LIMIT 7; SECURITY LABEL FOR "Keeper" ON DATABASE other_bank IS 'it''s secret'});
$node->{database} = 'other_bank';
$node->append_conf('postgresql.conf', "mfi.database = 'other_bank'\nmfi.backup_verify = 'restore'");
$node->restart;
my $id = $node->backup_ok;
is($node->run($id, 'verify_result'), 'ok', 'such a database is proven');
my $set = $node->backups . "/$id";
my $all = q{slow disk|t|7|Keeper|it's secret};
is($properties->($node, 'other_bank'), $all, 'what it has');

# Beside its server, and in place of the live one, which is a template that nobody can drop by mistake.
does_ok('beside its server', $node, 'restore', '--into', 'beside', $id);
is($properties->($node, 'beside'), $all, 'all of it is back');
is($node->safe_psql('beside', q{SELECT spcname FROM pg_class c JOIN pg_tablespace t ON t.oid = c.reltablespace WHERE relname = 'quick'}), 'fast', 'objects are where they were');
my $said = does_ok('in place of the live one', $node, 'restore', '--replace', 'other_bank', $id);
is($properties->($node, 'other_bank'), $all, 'again');
my ($drop) = $said =~ /^  (ALTER DATABASE .*; DROP DATABASE .*)$/m;
ok($drop, 'how to drop the old one is said') or diag($said);
$node->safe_psql('postgres', $_) for split /; /, $drop;
is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_database WHERE datname ~ '_before_'}), '0', 'and does it');

# A set of a version that did not know these.
sub with_manifest
{
	my ($name, $change) = @_;
	my $copy = $node->basedir . "/$name";
	system('cp', '-r', $set, $copy) == 0 or die;
	my $manifest = JSON::PP->new->utf8->decode(slurp_file("$copy/manifest.json"));
	$change->($manifest);
	unlink "$copy/manifest.json";
	append_to_file("$copy/manifest.json", JSON::PP->new->utf8->encode($manifest));
	return $copy;
}
does_ok('an older set', $node, 'restore', '--into', 'older', with_manifest('older', sub { delete @{ $_[0]{database} }{qw(tablespace is_template security_labels)} }));
is($properties->($node, 'older'), 'pg_default|f|7||', 'has what it knows');

# Elsewhere, without that tablespace and without the provider.
my $other = PostgreSQL::Test::Cluster->new('other');
$other->init;
$other->append_conf('postgresql.conf', 'allow_in_place_tablespaces = on');
$other->start;
$other->safe_psql('postgres', q{CREATE TABLESPACE fast LOCATION ''});
$said = does_ok('where these are not there', $other, 'restore', '--globals', '--into', 'elsewhere', $set);
like($said, qr/^The database is in the tablespace of every new one: this server has no slow disk$/m, 'its tablespace is missing: said');
like($said, qr/^Its security label 'it''s secret' of Keeper is not restored: security label provider "Keeper" is not loaded$/m, 'the provider is missing: said');
is($properties->($other, 'elsewhere'), 'pg_default|t|7||', 'the rest is back');
is($other->safe_psql('elsewhere', q{SELECT spcname FROM pg_class c JOIN pg_tablespace t ON t.oid = c.reltablespace WHERE relname = 'quick'}), 'fast', 'and objects are where they were');

# Without room nothing is begun; where that cannot be known, nothing is said.
my $large = with_manifest('large', sub { $_[0]{contents}{database_bytes} = 10_000_000_000_000_000 });
my $there = $node->safe_psql('postgres', 'SELECT count(*) FROM pg_database');
refuses('what has no room', '"\S+" has \S+ \S+ free, the database had \S+ \S+ when the set was made', $node, 'restore', '--globals', '--into', 'large', $large);
is($node->safe_psql('postgres', 'SELECT count(*) FROM pg_database'), $there, 'no database was made');
my $data = $node->data_dir;
rename $data, "$data.elsewhere" or die $!;
does_ok('a server whose data cannot be seen', $node, 'restore', '--into', 'large', $large);
mkdir $data or die $!;
append_to_file("$data/postmaster.pid", slurp_file("$data.elsewhere/postmaster.pid") =~ s/\A\d+/1/r);
does_ok('data of another server in the same place', $node, 'restore', '--into', 'larger', $large);
system('rm', '-r', $data) == 0 or die;
rename "$data.elsewhere", $data or die $!;

# Of several servers, one that says nothing and one that is not there are passed over; pg_restore goes where this program went.
my $silent = PostgreSQL::Test::Utils::tempdir_short;
my $listener = IO::Socket::UNIX->new(Listen => 5, Local => "$silent/.s.PGSQL." . $node->port) or die $!;
{
	local %ENV = $node->_get_env(PGDATABASE => 'postgres');
	$ENV{PGHOST} = "$silent,/nonexistent,$ENV{PGHOST}";
	my $begun = time;
	IPC::Run::run([ 'timeout', '120', 'mfi', 'restore', '--into', 'third', $id ], '<', \'', '>&', \$said);
	is($? >> 8, 0, 'the third of three servers answers') or diag($said);
	cmp_ok(time - $begun, '<', 60, 'and the first is not waited for again and again');
	is($node->safe_psql('third', 'SELECT count(*) FROM quick'), '1', 'restored there');
}
$_->stop for $other, $node;
done_testing();
