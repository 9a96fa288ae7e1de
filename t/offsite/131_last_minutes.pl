# Fire, or somebody with root on the machine: everything here is deleted, and what the credentials reach is attempted. A new
# machine with the repository and the password has the bank back, to the last copy of the recovery store.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use File::Path qw(remove_tree);
use MfiCommand qw(command);
use MfiDocumented qw(typist);
use MfiNode;
use MfiOffsite qw(password_file restic serve copy_to snapshots await_copy);
use MfiRecovery qw(receive bases directory_of);
use Test::More;
use Time::HiRes qw(time);

my $node = MfiNode->bank('bank', streaming => 1, initdb => [ '--encoding=UTF8', '--locale=C.UTF-8', '--wal-segsize=1' ],
	conf => "mfi.backup_verify = restore\nsummarize_wal = on\nmax_worker_processes = 16\n");
my ($server, $repository) = serve($node);
receive($node);
$node->wait_until('there is a base', sub { return scalar bases($node) });
$node->sql(q{CREATE TABLE journal (id bigserial PRIMARY KEY, note text); INSERT INTO journal (note) SELECT 'before' FROM generate_series(1, 1000)});
my $id = $node->sql('SELECT mfi_backup_now(wait => true)');
copy_to($node, $repository, 'mfi.offsite_interval' => '10s');
await_copy($node, $id);
$node->wait_sql('SELECT store_copied_at IS NOT NULL FROM mfi_offsite');
is($node->sql('SELECT mfi_offsite_drill()'), 'ok', 'a drill from the copies');
is($node->sql('SELECT set, store IS NOT NULL, newest_time IS NOT NULL, result FROM mfi_offsite_drills'), "$id|t|t|ok", 'of the set and the store');
like($node->sql('SELECT compared_with FROM mfi_offsite_drills'), qr/\Q$id\E/, 'compared at the moment of the set');

my $types = typist($node, 'offsite.md', '2026-11-24 13:04:30+02' => $node->sql('SELECT clock_timestamp()'));
$types->('the copies', 'sudo -u postgres mfi offsite list', qr/^0 Backups.*\Q$id\E.*Recovery stores.*\n  2/s);
$types->('the newest set', 'sudo -u postgres mfi restore --offsite', qr/^0 Fetching \Q$id\E.*all equal/s);

# Later than the set: only the store's copy has it.
$node->sql(q{INSERT INTO journal (note) SELECT 'after' FROM generate_series(1, 500)});
my $rows = $node->sql(q{SELECT count(*), md5(string_agg(id || note, ',' ORDER BY id)) FROM journal});
$node->sql('SELECT pg_switch_wal()');
my $written = $node->sql('SELECT now()');
$node->wait_sql("SELECT store_copied_at > '$written'::timestamptz + interval '1 second' FROM mfi_offsite");

$types->('a moment before', q{sudo -u postgres mfi recover --offsite --to '2026-11-24 13:04:30+02'}, qr/^0 Fetching /);

# The page is printed before anything happens.
my (undef, $sheet) = command($node, 'offsite', 'key-sheet', '--repository', $repository, '--password-file', password_file($node));
like($sheet =~ s/^ +\/.*offsite-password\n//mr, qr/\A(?:[^\n]{0,90}\n){50,64}\z/, 'it is one page');

# The attacker.
my $password = password_file($node);
my $before = snapshots($node, $repository, 'mfi-set,mfi-recovery');
for my $attempt ([ 'forget', '--keep-last=1', '--group-by=', '--prune' ], [ 'unlock', '--remove-all' ], [ 'prune', '--max-unused=0' ])
{
	restic($node, $repository, @$attempt);
}
$node->stop('immediate');
my $new = MfiNode->new('new');
system('cp', '-p', $password, $new->basedir . '/password');
remove_tree($node->data_dir, $node->backups, directory_of($node));

# With the key sheet alone.
my $began = time;
local $ENV{RESTIC_REPOSITORY} = $repository;
local $ENV{RESTIC_PASSWORD_FILE} = $new->basedir . '/password';
my ($code, $said) = command($new, 'recover', '--offsite', '--to', 'latest', '--cluster', $new->data_dir, '--scratch', $new->basedir);
is($code, 0, 'a whole node is recovered from the repository') or diag($said);
$new->append_conf('postgresql.conf', "port = @{[ $new->port ]}\nmfi.recovery_directory = ''\nmfi.offsite_repository = ''\n");
$new->start;
note(sprintf('a node that takes writes after %.1f s', time - $began));
is($new->safe_psql('mfi_banking', q{SELECT count(*), md5(string_agg(id || note, ',' ORDER BY id)) FROM journal}), $rows, 'with the rows of the last minutes');
$new->stop;

# Without mfi: every command of the page as it stands there, but for the machine, the directory and what a person types.
my $stock = MfiNode->new('stock');
$stock->init(extra => [ '--encoding=UTF8', '--locale=C.UTF-8' ]);
$stock->start;
my $back = $stock->basedir . '/back';
mkdir $back or die $!;
my %typed;
{
	my $step = '';
	for (split /\n/, $sheet)
	{
		$step = $1 if /^(\d)\. /;
		$step = $1 if /^   (With mfi|Without it|Other)/;
		push @{ $typed{$step} }, $1 if /^     (.*)/;
	}
}
delete $typed{1};
sub types
{
	my ($what, @lines) = @_;
	s{/srv/back}{$back}g, s{^cat > password .*}{cp @{[ $new->basedir ]}/password password}, s{ start$}{ -o "-p @{[ $new->port ]} -k @{[ $new->host ]}" start}
	  for @lines;
	local %ENV = (%ENV, PGHOST => $stock->host, PGPORT => $stock->port, RESTIC_CACHE_DIR => "$back/cache");
	delete local @ENV{qw(RESTIC_REPOSITORY RESTIC_PASSWORD_FILE PGDATABASE)};
	my $said = '';
	IPC::Run::run([ 'bash', '-c', join("\n", @lines) ], '<', \'', '>&', \$said);
	note("$what: $said");
	return $? >> 8;
}
types('the newest proven backup', @{ $typed{2} }, @{ $typed{3} });
is($stock->safe_psql('mfi_banking', q{SELECT count(*) FROM journal}), '1000', 'stock programs restore the backup');
$stock->stop;
is(types('a whole server', @{ $typed{2} }, $typed{4}[0], @{ $typed{'Without it'} }, @{ $typed{Other} }), 0, 'stock programs recover a server');
$node->wait_until('it is ready', sub { return !system('pg_isready', '-q', '-h', $new->host, '-p', $new->port) });
is($new->safe_psql('mfi_banking', q{SELECT count(*), md5(string_agg(id || note, ',' ORDER BY id)) FROM journal}), $rows, 'to the last minutes');
system('pg_ctl', '-s', '-D', "$back/data", '-m', 'immediate', 'stop');
done_testing();
