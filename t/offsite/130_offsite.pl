# Copies elsewhere, from a proven backup to the machine that has nothing but the repository.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use IO::Socket::INET;
use MfiCommand qw(command);
use MfiDocumented qw(typist);
use MfiNode;
use MfiOffsite qw(password_file restic serve snapshots await_copy);
use PostgreSQL::Test::Utils qw(slurp_file slurp_dir);
use Test::More;

my $node = MfiNode->bank('bank', conf => "mfi.backup_verify = restore\n");
like($node->sql(q{SELECT reasons[1] FROM mfi_health('offsite')}), qr/^offsite-off: /, 'off: told to who asks');
unlike($node->sql('SELECT reasons FROM mfi_health()'), qr/offsite-/, 'and to nobody else');
like($node->error('SELECT mfi_offsite_drill()'), qr/copies elsewhere are off/, 'off: no drill');

# As the page says, with places of the test's own.
my ($server, $repository) = serve($node, user => 'bank', password => 'of the server');
my $etc = $node->basedir . '/etc';
my $types = typist($node, 'offsite.md', '/etc/mfi' => $etc, 'a long password' => 'correct horse', 'rest:https://copies.example.org/bank/' => $repository, '| lp' => '');
$types->('a directory', q{install -d -o postgres -g postgres -m 0700 /etc/mfi}, qr/^0 $/);
$types->('the password', q{install -o postgres -g postgres -m 0600 /dev/stdin /etc/mfi/offsite-password <<< 'a long password'}, qr/^0 $/);
$types->('the keys', q{install -o postgres -g postgres -m 0600 /dev/stdin /etc/mfi/offsite-environment <<< 'RESTIC_REST_USERNAME=bank
RESTIC_REST_PASSWORD=of the server'}, qr/^0 $/);
$types->('the repository',
	q{sudo -u postgres env RESTIC_REST_USERNAME=bank RESTIC_REST_PASSWORD='of the server' restic -r rest:https://copies.example.org/bank/ --password-file /etc/mfi/offsite-password init},
	qr/^0 created restic repository/);
{
	my @sql = (q{ALTER SYSTEM SET mfi.offsite_password_file = '/etc/mfi/offsite-password';}, q{ALTER SYSTEM SET mfi.offsite_environment_file = '/etc/mfi/offsite-environment';},
		q{ALTER SYSTEM SET mfi.offsite_repository = 'rest:https://copies.example.org/bank/';}, q{SELECT pg_reload_conf();});
	s{/etc/mfi}{$etc}, s{rest:https://copies.example.org/bank/}{$repository} for @sql;
	$node->sql($_) for @sql;
}
$node->append_conf('postgresql.conf', q{mfi.offsite_drill_schedule = ''});
$node->reload;
local @ENV{qw(RESTIC_REST_USERNAME RESTIC_REST_PASSWORD)} = ('bank', 'of the server');
my $id = $node->sql('SELECT mfi_backup_now(wait => true)');
await_copy($node, $id);
my @copies = snapshots($node, $repository, 'mfi-set');
is(scalar @copies, 1, 'a proven set is copied');
is($copies[0]{hostname}, $node->sql('SELECT source_node FROM mfi_backups'), 'under the name of its node');
is($node->sql("SELECT snapshot = '$copies[0]{id}' AND copied_at > now() - interval '5 minutes' FROM mfi_offsite_copies"), 't', 'which its record has');
$node->wait_sql('SELECT NOT deletable FROM mfi_offsite');
$node->wait_sql('SELECT checked_at IS NOT NULL FROM mfi_offsite');
is($node->sql(q{SELECT verdict, reasons FROM mfi_health('offsite')}), 'ok|{}', 'all is well');
is($node->sql('SELECT newest_set, sets_waiting, error IS NULL FROM mfi_offsite'), "$id|0|t", 'one row of it');
is($node->sql('SELECT mfi_offsite_drill()'), 'ok', 'a drill from the copy');
is($node->sql('SELECT set, result, error IS NULL, fetched_bytes > 1000 FROM mfi_offsite_drills'), "$id|ok|t|t", 'its record');
is($node->sql('SELECT proven_at IS NOT NULL FROM mfi_offsite_copies'), 't', 'the copy is proven');

# The line is cut, and comes again.
$server->{run}->kill_kill;
my $later = $node->sql('SELECT mfi_backup_now(wait => true)');
$node->wait_sql(q{SELECT array_to_string(reasons, ' ') ~ 'offsite-unreachable: the repository cannot be used.*connection refused' FROM mfi_health('offsite')});
is($node->sql('SELECT sets_waiting, error IS NOT NULL FROM mfi_offsite'), '1|t', 'what waits is told');

(undef, my $again) = serve($node, user => 'bank', password => 'of the server', port => $repository =~ /:(\d+)\//);
$node->reload;
await_copy($node, $later);
$node->wait_sql(q{SELECT verdict = 'ok' FROM mfi_health('offsite')});

# Nobody is told the password.
my $password = 'correct horse|of the server';
for my $place ($node->logfile, "@{[ $node->backups ]}/.offsite", $node->backups)
{
	is(system('grep', '-rqsE', $password, $place) >> 8, 1, "no password in $place");
}

# The attacker has this machine: what the credentials reach stays.
my ($code, $said) = restic($node, $repository, 'forget', '--keep-last=1', '--group-by=', '--prune');
is(scalar(snapshots($node, $repository, 'mfi-set')), 2, 'nothing can be deleted') or diag($said);

# A new machine, with nothing but the page.
my $sheet = $types->('the page', 'sudo -u postgres mfi offsite key-sheet | lp', qr/^0 KEY SHEET/);
note($sheet);
like($sheet, qr/^Repository +\Q$repository\E$/m, 'the page names the repository');
unlike($sheet, qr/correct horse/, 'and not the password');
$node->stop;
my $new = MfiNode->prepared('new');
$new->start;
like($sheet, qr/^Key +RESTIC_REST_PASSWORD=_+$/m, 'and has a line for each key');
my ($restored, $words) = command($new, 'restore', '--offsite', '--globals', '--into', 'mfi_banking', '--repository', $repository, '--password-file', password_file($node), '--scratch', $new->basedir);
is($restored, 0, 'the newest set is restored from the repository') or diag($words);
like($words, qr/^Fetching \Q$later\E/, 'which it says');
is($new->sql('SELECT count(*) FROM activity_type'), '10', 'its rows are there');
$new->stop;
done_testing();
