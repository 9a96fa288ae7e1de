# mfi.notify_command: what it is told and when, that nothing waits for it, and that its own failure is told.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use JSON::PP qw(decode_json);
use MfiNode;
use PostgreSQL::Test::Utils qw(slurp_file slurp_dir append_to_file);
use Test::More;
use Time::HiRes qw(time);

my $node = MfiNode->bank('bank');
my $dir = $node->basedir . '/told here';
mkdir $dir or die $!;
my $program = $node->basedir . '/tell.sh';

# Messages arrive whole: each is written under a hidden name first.
my $write = sub {
	my ($then) = @_;
	unlink $program;
	append_to_file($program, "#!/bin/bash\nset -e\ncat >\"\$1/.\$\$\"\nmv \"\$1/.\$\$\" \"\$1/\$(date +%s%N)-\$2\"\n$then\n");
	chmod 0755, $program;
};
my $told = sub {
	my ($count) = @_;
	my @files;
	$node->wait_until("$count messages", sub { @files = sort grep { !/^\./ } slurp_dir($dir); @files >= $count });
	my @messages = map { decode_json(slurp_file("$dir/$_")) } @files;
	unlink map { "$dir/$_" } @files;
	return @messages;
};
my $events = sub { join ' ', sort map { $_->{event} } @_ };

# Only a program by its whole path.
for my $wrong (["tell", qr/"tell" is not an absolute path/], ["/bin/tell 'a", qr/the quote ' is not closed/])
{
	my $quoted = $wrong->[0] =~ s/'/''/gr;
	like($node->error("ALTER SYSTEM SET mfi.notify_command = '$quoted'"), $wrong->[1], "refused: $wrong->[0]");
}
$write->('');
$node->set('mfi.notify_command' => "'$program \"$dir\" ''quo\"ted'''");

my $id = $node->backup_ok;
my ($message) = $told->(1);
is($message->{event}, 'success', 'a success');
is($message->{run}{id}, $id, 'of this run');
like($message->{message}, qr/^backup $id succeeded, \d+(\.\d)? kB, read to its end$/, 'in words');
is("$message->{directory}/$message->{run}{path}", $node->run($id, 'path'), 'where it is');
is("$message->{database} $message->{run}{state}", 'mfi_banking succeeded', 'the record');
like($message->{node}, qr/-@{[ $node->port ]}$/, 'the node');

# Failure, and the first success after it.
my $where = $node->backups;
my ($session, $held) = $node->dump_held;
$node->sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'mfi backup $held'");
$node->wait_state($held, 'failed');
($message) = $told->(1);
like("$message->{event} $message->{run}{id} $message->{run}{error}", qr/^failure $held (pg_dump failed|terminating connection)/, 'a run that fails');
$session->quit;
$node->backup_ok;
is($events->($told->(2)), 'recovery success', 'recovery comes with the next success');
$node->backup_ok;
is($events->($told->(1)), 'success', 'and once');

# A cancelled run is nobody's news; nor is one that is verified again.
($session, $held) = $node->dump_held;
$node->sql("SELECT mfi_backup_cancel('$held')");
$node->wait_state($held, 'cancelled');
$session->quit;
$node->sql("SELECT mfi_backup_verify('$id')");
$id = $node->backup_ok;
is($events->($told->(1)), 'success', 'not of a cancelled run');

# An interrupted run is told when its record is closed.
($session, $held) = $node->dump_held;
$node->stop('immediate');
$node->start;
($message) = $told->(1);
like("$message->{event} $message->{run}{id}", qr/^failure $held$/, 'interrupted');

# Too old: once, until there is a new one. The launcher looks at the directory again at the latest after a run.
my $manifest = "$where/$id/manifest.json";
$node->set('mfi.backup_max_age' => '60');
for my $set (grep { /^mfi_banking_\w+$/ } slurp_dir($where))
{
	for my $file ("$where/$set/manifest.json", "$where/.runs/$set.json")
	{
		my $text = slurp_file($file) =~ s/("finished_at": ")\d{4}/${1}2020/gr;
		unlink $file;
		append_to_file($file, $text);
	}
}
$node->restart;
($message) = $told->(1);
like("$message->{event} $message->{message}", qr/^stale the newest verified backup is \S+ \S+ old, allowed are 60 s$/, 'stale');
$node->backup_ok;
is($events->($told->(2)), 'recovery success', 'recovery of a stale backup');

# One that fails is told in the verdict, and forgotten after it works again.
$write->("echo \"no route to the other site for \$2\" >&2; exit 3");
$node->backup_ok;
$told->(1);
$node->wait_sql("SELECT reasons::text ~ 'notify-failed: mfi.notify_command: .*tell.sh failed with exit code 3: no route to the other site for \\.\\.\\.' FROM mfi_backup_health");
is($node->sql('SELECT verdict FROM mfi_backup_health'), 'warning', 'a warning');
unlink $program;
$node->backup_ok;
$node->wait_sql("SELECT reasons::text ~ 'notify-failed: .*No such file' FROM mfi_backup_health");

# Nothing waits for it: neither the next backup nor a shutdown.
$write->("echo \$\$ >\"\$1/.pid\"; exec tail -f /dev/null");
$node->backup_ok;
$told->(1);
$node->backup_ok;
$told->(1);
$node->wait_until('its pid', sub { -s "$dir/.pid" });
chomp(my $pid = slurp_file("$dir/.pid"));
$node->stop;
ok(!kill(0, $pid), 'the program ended with the server');
$write->('');
$node->start;
$node->backup_ok;
$told->(1);
$node->wait_sql("SELECT reasons::text !~ 'notify-failed' FROM mfi_backup_health");

# One that prints without end, prints nothing and never ends, gives its output away and goes on, leaves a child that prints, or will not
# end when it is asked to: the launcher comes round all the same, and so does the server's stop.
my $rounds = sub {
	my ($what) = @_;
	my $longest = 0;
	# A backup that is asked for is taken up by the launcher's next round.
	for (1 .. 5)
	{
		my $began = time;
		my $cancelled = $node->sql('SELECT id FROM mfi_backup_now() AS id WHERE mfi_backup_cancel(id)');
		$node->wait_sql("SELECT state = 'cancelled' FROM mfi_backups WHERE id = '$cancelled'");
		$longest = time - $began if time - $began > $longest;
	}
	cmp_ok($longest, '<', 1, "$what: the launcher comes round within a second");
	my $resident = slurp_file('/proc/' . $node->pid_of('mfi launcher') . '/status') =~ /^VmHWM:\s+(\d+) kB/m ? $1 : 0;
	cmp_ok($resident, '<', 100 * 1024, "$what: nor does it keep what is printed");
};
for my $case (
	[ 'prints without end', 'exec yes' ],
	[ 'prints errors without end', 'exec yes >&2' ],
	[ 'prints bursts', 'while :; do head -c 50000000 /dev/zero; read -r -t 0.2 <> <(:) || true; done' ],
	[ 'prints nothing', 'exec tail -f /dev/null' ],
	[ 'closes its output and goes on', 'exec >&- 2>&-; while :; do read -r -t 0.2 <> <(:) || true; done' ],
	[ 'leaves a child that prints', 'yes & disown; exit 0' ],
	[ 'will not end', q{trap '' TERM; while :; do read -r -t 0.2 <> <(:) || true; done} ])
{
	my ($what, $then) = @$case;
	$write->($then);
	$node->set('mfi.backup_timeout' => "'1min'");
	$node->backup_ok;
	$told->(1);
	$rounds->($what);
	next if $what eq 'leaves a child that prints';
	# Its time is over: it is ended while others are served.
	$node->set('mfi.backup_timeout' => "'1s'");
	$node->wait_sql("SELECT reasons::text ~ 'notify-failed: .*was stopped after 1 s' FROM mfi_backup_health");
	$rounds->("$what, stopped");
	$node->set('mfi.backup_timeout' => "'1h'");
	$write->('');
	$node->backup_ok;
	$told->(1);
	$node->wait_sql("SELECT reasons::text !~ 'notify-failed' FROM mfi_backup_health");
}

# A run that could not even be recorded.
$node->stop;
rename($where, "$where.away") or die $!;
$node->append_conf('postgresql.conf', 'mfi.backup_on_start = on');
$node->start;
($message) = $told->(1);
like("$message->{event}: $message->{message}", qr/^failure: backup mfi_banking_\S+ failed: the backup directory ".*" does not exist/, 'not recorded');
rename("$where.away", $where) or die $!;
$node->recovers_ok('at the end');
is($events->($told->(2)), 'recovery success', 'recovery');
$node->stop;
done_testing();
