# The sessions of a run are ended by somebody else, or meet limits that are set on the database: a run that is
# ended so has failed, as it is recorded and told. Only mfi_backup_cancel cancels.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use JSON::PP qw(decode_json);
use MfiClock;
use MfiNode;
use MfiShim qw(install_with replace while_there);
use PostgreSQL::Test::Utils qw(append_to_file slurp_dir slurp_file);
use Test::More;

my $path = install_with();
my $node = MfiNode->bank('bank', install_path => $path);
my $gate = $node->basedir . '/gate';
my $told = $node->basedir . '/told';
mkdir $told or die $!;
my $program = $node->basedir . '/tell.sh';
append_to_file($program, "#!/bin/bash\nset -e\ncat >\"\$1/.\$\$\"\nmv \"\$1/.\$\$\" \"\$1/\$\$\"\n");
chmod 0755, $program;
$node->set('mfi.notify_command' => "'$program $told'");

# The run has exported its snapshot and stands still before pg_dump works.
replace($path, 'pg_dump', "case \"\$1\" in --version) ;; *) echo >$gate.there; @{[ while_there($gate) ]} ;; esac\nreal \"\$@\"");
my $held = sub {
	append_to_file($gate, '');
	unlink "$gate.there";
	my $id = $node->backup;
	$node->wait_until('pg_dump stands still', sub { -e "$gate.there" });
	return $id;
};
my $failed = sub {
	my ($name, $id, $expected) = @_;
	unlink $gate;
	$node->wait_sql("SELECT state IN ('failed', 'cancelled', 'succeeded') FROM mfi_backups WHERE id = '$id'");
	like($node->run($id, 'state, error'), qr/^failed\|.*$expected/s, "$name: the run has failed");
	my @files;
	$node->wait_until('it is told', sub { @files = grep { !/^\./ } slurp_dir($told); scalar @files });
	my @messages = map { decode_json(slurp_file("$told/$_")) } @files;
	unlink map { "$told/$_" } @files;
	is(join(' ', map { "$_->{event} $_->{run}{id}" } @messages), "failure $id", "$name: that is told");
};
my $ours = "FROM pg_stat_activity WHERE application_name LIKE 'mfi backup %' AND state LIKE 'idle in transaction%'";

# The session whose snapshot it is.
my $id = $held->();
$node->sql("SELECT pg_terminate_backend(pid) $ours");
$failed->('pg_terminate_backend', $id, qr/terminat|snapshot|connection|pg_dump failed/);

# While it waits for what others have locked.
for my $how ('pg_cancel_backend', 'pg_terminate_backend')
{
	my $session = $node->hold_view;
	$id = $node->backup;
	$node->wait_held($id);
	$node->sql("SELECT $how(pid) FROM pg_stat_activity WHERE application_name LIKE 'mfi backup %' AND wait_event_type = 'Lock'");
	$failed->("$how while it waits", $id, qr/cancel|terminat|pg_dump failed/);
	$session->quit;
}

# Limits of the database do not reach these sessions. The test's own begin without them, not with a first statement that they could end.
my %limits = (idle_in_transaction_session_timeout => '50ms', statement_timeout => '1ms', idle_session_timeout => '50ms', lock_timeout => '1ms');
$limits{transaction_timeout} = '50ms' if $node->pg_version >= 17;
replace($path, 'pg_dump', undef);
unlink $gate;
{
	local $ENV{PGOPTIONS} = join ' ', map { "-c $_=0" } sort keys %limits;
	$node->sql(join ';', map { "ALTER DATABASE mfi_banking SET $_ = '$limits{$_}'" } sort keys %limits);
	$id = $node->backup;
	$node->wait_sql("SELECT state IN ('failed', 'cancelled', 'succeeded') FROM mfi_backups WHERE id = '$id'");
	is($node->run($id, 'state, error'), 'succeeded|', 'limits of the database: the run succeeds');
	$node->sql('ALTER DATABASE mfi_banking RESET ALL');
}
unlink map { "$told/$_" } grep { !/^\./ } slurp_dir($told);

# An operator's cancel is one, and nobody is told.
replace($path, 'pg_dump', "case \"\$1\" in --version) ;; *) echo >$gate.there; @{[ while_there($gate) ]} ;; esac\nreal \"\$@\"");
$id = $held->();
$node->sql("SELECT mfi_backup_cancel('$id')");
$node->wait_state($id, 'cancelled');
unlink $gate;
replace($path, 'pg_dump', undef);

# The session that has exported its snapshot, in the midst of a statement: it waits for a sequence that somebody changes.
sub snapshot_cancelled
{
	my ($begin) = @_;
	my $session = $node->background_psql('mfi_banking');
	$session->query_safe('BEGIN; ALTER SEQUENCE numbers RENAME TO numerals');
	my $run = $begin->();
	my $waiting = "FROM pg_stat_activity WHERE application_name = 'mfi backup $run' AND backend_xmin IS NOT NULL AND wait_event_type = 'Lock'";
	$node->wait_sql("SELECT EXISTS (SELECT $waiting)");
	$node->sql("SELECT pg_cancel_backend(pid) $waiting");
	$session->quit;
	return $run;
}
$node->sql('CREATE SEQUENCE numbers');
$id = snapshot_cancelled(sub { $node->backup });
$failed->('pg_cancel_backend of the snapshot', $id, qr/cancel/);

# A scheduled one counts as failed, too, and is tried again.
$node->stop;
my $clock = MfiClock->new;
$clock->start($node);
$node->set('mfi.backup_timezone' => "'UTC'", 'mfi.backup_schedule' => "'0 * * * *'");
$node->wait_sql('SELECT next_run IS NOT NULL FROM mfi_backup_health');
my $at = 1 + $node->sql('SELECT 3600 - floor(extract(epoch FROM now()))::int % 3600');
$id = snapshot_cancelled(sub {
	$clock->set($at);
	$node->wait_sql("SELECT EXISTS (SELECT FROM mfi_backups WHERE trigger = 'schedule')");
	return $node->sql("SELECT id FROM mfi_backups WHERE trigger = 'schedule'");
});
$failed->('pg_cancel_backend of a scheduled run', $id, qr/cancel/);
$clock->set($at + 310);
$node->wait_sql("SELECT EXISTS (SELECT FROM mfi_backups WHERE trigger = 'retry' AND state = 'succeeded')");
is($node->sql('SELECT string_agg(trigger || state, $$ $$ ORDER BY queued_at) FROM mfi_backups WHERE trigger <> $$manual$$'), 'schedulefailed retrysucceeded', 'it is tried again');
$node->set('mfi.backup_schedule' => "''");
$node->recovers_ok('at the end');
$node->stop;
done_testing();
