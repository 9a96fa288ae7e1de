# Each piece of work is broken off while it has the repository locked: its program is killed, the copier is killed, the server
# stops at once. What was begun is done afterwards, nothing is lost, and no lock stays.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use List::Util qw(first);
use MfiNode;
use MfiOffsite qw(restic serve copy_to snapshots);
use MfiProxy;
use MfiRecovery qw(receive bases);
use PostgreSQL::Test::Utils qw(slurp_dir slurp_file);
use Test::More;

my $node = MfiNode->bank('bank', streaming => 1,
	conf => "mfi.backup_verify = restore\nsummarize_wal = on\nmax_worker_processes = 16\nrestart_after_crash = on\n");
my ($server, $direct) = serve($node);
receive($node);
$node->wait_until('there is a base', sub { return scalar bases($node) });
my $id = $node->sql('SELECT mfi_backup_now(wait => true)');
my $network = MfiProxy->http($direct =~ /:(\d+)\//);

# The one that the copier has begun.
sub program
{
	my $copier = $node->pid_of('mfi copier');
	return first { slurp_file("/proc/$_/stat") =~ /^\d+ \(restic\) \S $copier / } grep { -e "/proc/$_/stat" } grep { /^\d+$/ } slurp_dir('/proc');
}
sub locks { return grep { /^[0-9a-f]{64}$/ } slurp_dir("$server->{path}/bank/locks") }
sub answers { return $node->psql('postgres', 'SELECT 1') == 0 }

my %interruption = (
	'its program is killed' => sub { kill 'KILL', program() },
	'the copier is killed' => sub { kill 'KILL', $node->pid_of('mfi copier'); $node->wait_until('the server is back', \&answers) },
	'the server stops at once' => sub { $node->stop('immediate'); $node->start });
my %left = (
	"copying $id" => [ sort keys %interruption ],
	'copying the recovery store' => ['the server stops at once'],
	'trying whether copies can be deleted' => ['the copier is killed'],
	'reading a part of the repository' => ['its program is killed'],
	'letting old copies go' => ['the copier is killed']);

$network->cut_after('POST /bank/locks/');
copy_to($node, 'rest:http://127.0.0.1:' . $network->port . '/bank/', 'mfi.offsite_interval' => '15min', 'mfi.offsite_keep' => "'7d'");
while (%left)
{
	$node->wait_until('something is locked', sub { $node->reload; return $network->is_cut });
	my $doing = $node->sql('SELECT running FROM mfi_offsite');
	if (my $how = shift @{ $left{$doing} // [] })
	{
		$interruption{$how}->();
		is(scalar locks(), 1, "$doing: $how: a lock is left");
	}
	else { delete $left{$doing} }
	$network->cut_after('POST /bank/locks/') if %left;
	$network->mend;
}
$node->wait_until('all is done', sub { $node->reload; return $node->sql('SELECT checked_at IS NOT NULL AND running IS NULL FROM mfi_offsite') eq 't' });
is(join(',', locks()), '', 'no lock stays');
is(scalar(snapshots($node, $direct, 'mfi-set')), 1, 'the set is there once');
is(scalar(snapshots($node, $direct, 'mfi-recovery')), 1, 'the store, too');
is($node->sql(q{SELECT reasons FROM mfi_health('offsite')}), '{}', 'all is well');

# A drill.
$network->cut_after('GET /bank/snapshots/');
my $drill = $node->background_psql($node->database, on_error_stop => 0);
$drill->query_until(qr/asked/, "\\echo asked\nSELECT mfi_offsite_drill();\n");
$node->wait_until('a drill goes on', sub { return $network->is_cut });
kill 'TERM', $node->pid_of('mfi drill');
$network->mend;
$node->wait_sql(q{SELECT count(*) = 1 AND max(error) ~ 'interrupted' FROM mfi_offsite_drills});
$drill->quit;
is($node->sql('SELECT mfi_offsite_drill()'), 'ok', 'after a drill that was broken off the next one is good');
$node->stop;
done_testing();
