# Replication is looked at whatever the backup directory does; what was not looked at for long is unknown, never a silent standby; and
# a memory of standbys that cannot be written is told, and ends nothing.

use strict;
use warnings FATAL => 'all';
use Errno qw(EDQUOT ENOSPC EROFS);
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiFileFault;
use MfiPair qw(pair verdict);
use PostgreSQL::Test::Utils qw(slurp_file);
use Test::More;

my ($primary, $standby) = pair();
my $fault = MfiFileFault->new;
for my $node ($primary, $standby)
{
	$node->stop;
	$fault->start($node);
	$node->launcher_ready;
	$node->wait_sql("SELECT verdict = 'ok' FROM mfi_replication_health");
}
$primary->backup_ok;
my $looked = sub {
	my ($node) = @_;
	my $last = $node->sql('SELECT max(sampled_at) FROM mfi_replication_history()');
	$node->wait_sql("SELECT max(sampled_at) > '$last'::timestamptz + interval '1 s' FROM mfi_replication_history()");
	return 1;
};

# The mount of the backups hangs: the launcher hangs in it, the watcher goes on.
$fault->hang($primary->backups);
my $hung = $primary->background_psql('mfi_banking', on_error_stop => 0);
$hung->{stdin} .= "SELECT mfi_backup_now(note => 'hangs');\n";
$hung->{run}->pump_nb;
$primary->wait_sql("SELECT reasons::text ~ 'launcher-stalled: the mfi launcher has not come round for' FROM mfi_health('node')");
pass('a mount that hangs: told');
ok($looked->($primary), 'a mount that hangs: replication is looked at');
$primary->wait_sql("SELECT bool_and(last_message_age < interval '8 s') FROM mfi_replication_status()");
is(verdict($primary), 'ok|', 'a mount that hangs: the standby is not called silent');
like($primary->sql("SELECT verdict, reasons FROM mfi_health('backup')"), qr/^unknown\|.*backup-directory-unknown: the mfi launcher has been waiting for .* was not looked at/,
	'a mount that hangs: the backups are unknown, and whoever asks does not hang');
like($primary->sql('SELECT verdict FROM mfi_health()'), qr/^(?:unknown|critical)$/, 'a mount that hangs: all of the verdict is given');
$standby->stop;
$primary->wait_sql("SELECT reasons::text ~ 'standby-missing' FROM mfi_replication_health");
pass('a mount that hangs: a standby that goes is missed');
$fault->start($standby);
$primary->wait_sql("SELECT verdict = 'ok' FROM mfi_replication_health");
$fault->end;
$hung->quit;
$primary->wait_sql("SELECT reasons::text !~ 'launcher-stalled' FROM mfi_health('node')");
$primary->recovers_ok('the mount is back');

# Nobody looks: unknown on both nodes, for as long as it lasts, although the silence would be critical by then.
for my $node ($primary, $standby)
{
	my $watcher = $node->pid_of('mfi watcher');
	kill 'STOP', $watcher;
	$node->wait_sql("SELECT reasons::text ~ 'watcher-stalled: the mfi watcher has not looked at replication for (1[3-9]|[2-9]\\d) s' FROM mfi_replication_health");
	my $says = verdict($node);
	like($says, qr/^unknown\|/, "${\$node->name}, nobody looks: unknown");
	unlike($says, qr/silent|missing|behind|lost/, "${\$node->name}, nobody looks: nobody is called silent");
	unlike($node->sql(q{SELECT string_agg(reasons::text, ' ') FROM mfi_replication_status()}), qr/silent:/, "${\$node->name}, nobody looks: nor in the rows");
	kill 'CONT', $watcher;
	$node->wait_sql("SELECT verdict = 'ok' FROM mfi_replication_health");
	pass("${\$node->name}, looked at again: ok");
}

# The disk of the data is full, its quota used up, or it is read-only, while standbys come and go.
my $watcher = $primary->pid_of('mfi watcher');
for my $case ([ ENOSPC, 'No space left on device' ], [ EDQUOT, 'Disk quota exceeded' ], [ EROFS, 'Read-only file system' ])
{
	my ($error, $words) = @$case;
	$primary->wait_until('the watcher has seen it', sub { slurp_file($primary->data_dir . '/mfi_standbys.json') !~ /"missing_since":\s*"2/ });
	my $log = -s $primary->logfile;
	$fault->refuse('mfi_standbys.json', $error);
	$standby->stop;
	$primary->wait_sql("SELECT reasons::text ~ 'peers-not-saved: which standbys there are is known, but not on disk: .*$words' FROM mfi_health('node')");
	$primary->wait_sql("SELECT reasons::text ~ 'standby-missing' FROM mfi_replication_health");
	ok($looked->($primary), "$words: replication is looked at");
	is($primary->pid_of('mfi watcher'), $watcher, "$words: the watcher goes on");
	my @told = slurp_file($primary->logfile, $log) =~ /the memory of standbys: .*$words/g;
	is(scalar(@told), 1, "$words: told once in the log");
	$fault->end;
	$primary->wait_sql("SELECT reasons::text !~ 'peers-not-saved' FROM mfi_health('node')");
	like(slurp_file($primary->data_dir . '/mfi_standbys.json'), qr/"missing_since":\s*"2/, "$words: written once it can be");
	$fault->start($standby);
	$primary->wait_sql("SELECT verdict = 'ok' FROM mfi_replication_health");
}

# One that cannot be read is told, too.
$primary->stop;
$fault->refuse('mfi_standbys.json', 5);
$fault->start($primary);
$primary->wait_sql("SELECT reasons::text ~ 'peers-not-saved: .*Input/output error' FROM mfi_health('node')");
$primary->wait_sql("SELECT verdict = 'ok' FROM mfi_replication_health");
pass('a memory that cannot be read: told, and replication is looked at');
$fault->end;
$standby->stop;
$primary->stop;
done_testing();
