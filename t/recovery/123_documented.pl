# A person with docs/recovery.md alone turns recovery on, undoes a mistaken DELETE, and builds a node of what is left. Each line of that
# page stands here as it is there, and is typed as it stands but for places and the time.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiDocumented qw(typist);
use MfiNode;
use MfiRecovery qw(directory_of await_drill);
use Test::More;

my $node = MfiNode->bank('bank', streaming => 1, conf => "mfi.recovery_full_schedule = ''\nmfi.recovery_incremental_schedule = ''\nmax_worker_processes = 16\n");
$node->append_conf('postgresql.conf', "mfi.scratch_directory = '@{[ $node->basedir ]}'");
$node->reload;
my $new = MfiNode->new('new_machine');
my $store = directory_of($node);
my $time = '';

my $types = typist($node, 'recovery.md', '/var/lib/mfi-recovery' => $store, '/var/lib/postgresql/17/main' => $new->data_dir,
	'/tmp/mfi_users.copy' => $node->basedir . '/mfi_users.copy', '2026-11-24 13:04:30+02' => \$time);

$types->('the directory', q{sudo install -d -o postgres -g postgres -m 0700 /var/lib/mfi-recovery}, qr/^0 $/);
$types->('recovery is turned on',
	q{sudo -u postgres psql -c "ALTER SYSTEM SET summarize_wal = on" -c "ALTER SYSTEM SET mfi.recovery_directory = '/var/lib/mfi-recovery'" -c "SELECT pg_reload_conf()"},
	qr/^0 /);
$node->command_ok([ 'psql', '-Xq', '-o', '/dev/null', '-f', "$FindBin::RealBin/../../scripts/demo/data.sql", $node->connstr('mfi_banking') ], 'a bank with rows');
my $users = $node->sql('SELECT count(*) FROM mfi_users');
is(await_drill($node)->{result}, 'ok', 'a base and its drill come by themselves');

# One that is younger than the base, and is where the live server has it.
mkdir $node->basedir . '/fast' or die $!;
$node->safe_psql('postgres', "CREATE TABLESPACE fast LOCATION '@{[ $node->basedir ]}/fast'");
$node->sql('CREATE TABLE placed TABLESPACE fast AS SELECT generate_series(1, 1000) AS i');
$node->sql('SELECT pg_sleep(0.01)');
$time = $node->sql('SELECT clock_timestamp()');
$node->sql('DELETE FROM mfi_users WHERE id % 2 = 0');
my $left = $node->sql('SELECT count(*) FROM mfi_users');
$types->('what can be recovered', 'sudo -u postgres mfi recover --list', qr/^0 .*\n  from .* to the newest WAL/);
$types->('the moment before it', q{sudo -u postgres mfi recover --to '2026-11-24 13:04:30+02' --into mfi_before_delete},
	qr/^0 .*public\.mfi_users +$users +$left +differs\n/s);
is($node->safe_psql('mfi_before_delete', 'SELECT count(*) FROM placed'), '1000', 'a tablespace that was made since the base is no hindrance');
$types->('the rows that were', q{sudo -u postgres psql mfi_before_delete -c "COPY mfi_users TO '/tmp/mfi_users.copy'"}, qr/^0 COPY $users$/);
$types->('go back',
	q{sudo -u postgres psql mfi_banking -c "BEGIN" -c "CREATE TEMP TABLE before (LIKE mfi_users INCLUDING ALL EXCLUDING IDENTITY)" -c "COPY before FROM '/tmp/mfi_users.copy'" -c "INSERT INTO mfi_users SELECT * FROM before ON CONFLICT DO NOTHING" -c "COMMIT"},
	qr/^0 BEGIN.*INSERT 0 (\d+)\nCOMMIT$/s);
is($node->sql('SELECT count(*) FROM mfi_users'), $users, 'all rows are there again');
$types->('what was recovered goes', 'sudo -u postgres dropdb mfi_before_delete', qr/^0 $/);

$node->stop('immediate');
$types->('both machines are lost',
	q{sudo -u postgres mfi recover --to latest --store /var/lib/mfi-recovery --cluster /var/lib/postgresql/17/main},
	qr/^0 .*The node is in /s);
$new->append_conf('postgresql.conf', "port = @{[ $new->port ]}\nunix_socket_directories = '@{[ $new->host ]}'\n");
rename $node->basedir . '/fast', $node->basedir . '/lost' or die $!;
$new->start;
is($new->safe_psql('mfi_banking', 'SELECT count(*) FROM placed'), '1000', 'its tablespace is inside of it');
is($new->safe_psql('mfi_banking', 'SELECT count(*) FROM mfi_users'), $users, 'every row is there');
$new->stop;
done_testing();
