# Whatever is killed under load, no row is lost that was acknowledged more than a second before. MFI_KILL_SEED repeats a
# run.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use IPC::Run ();
use List::Util qw(shuffle);
use MfiCommand qw(command);
use MfiNode;
use MfiPair qw(pair);
use MfiRecovery qw(receive store_of bases forget_drills);
use PostgreSQL::Test::Utils qw(append_to_file slurp_dir slurp_file);
use Test::More;
use Time::HiRes qw(time usleep);

my ($rounds, $between) = $ENV{MFI_LONG} ? (100, 10) : (20, 5);
my $seed = $ENV{MFI_KILL_SEED} // int(rand(1_000_000));
srand($seed);
note("MFI_KILL_SEED=$seed");

my ($primary, $standby) = pair(
	initdb => [ '--encoding=UTF8', '--locale=C.UTF-8', '--wal-segsize=1' ],
	conf => "summarize_wal = on\nmax_worker_processes = 16\nrestart_after_crash = on\nmax_wal_size = 64MB\nmin_wal_size = 2MB\n");
$primary->sql('CREATE TABLE journal (id bigserial PRIMARY KEY, filler text)');
receive($standby, 'mfi.recovery_full_schedule' => "'0 0 1 1 *'");
$primary->wait_until('there is a base', sub { $primary->sql('CHECKPOINT'); return scalar bases($standby) });

# Clients print each id once it is committed; they end when their server does.
my $script = $primary->basedir . '/load.sql';
append_to_file($script, <<'SQL' x 50_000);
INSERT INTO journal (filler) VALUES (repeat('x', 200 + (random() * 3000)::int)) RETURNING id;
SELECT pg_sleep(0.002);
SQL
my (@clients, %acknowledged);

sub take_acknowledged
{
	my $now = time;
	for my $client (@clients)
	{
		eval { $client->{run}->pump_nb };
		$acknowledged{$_} //= $now for grep { /^\d+\z/ } split /\n/, $client->{said} =~ s/[^\n]*\z//r;
		$client->{said} =~ s/.*\n//s;
	}
	return;
}

sub begin_load
{
	for (@clients + 1 .. 2)
	{
		my $client = { said => '', errors => '' };
		$client->{run} = IPC::Run::start([ 'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-d', $primary->connstr('mfi_banking'), '-f', $script ],
			'<', \'', '>', \$client->{said}, '2>', \$client->{errors});
		push @clients, $client;
	}
	return;
}

sub end_load
{
	take_acknowledged();
	for my $client (@clients)
	{
		eval { $client->{run}->kill_kill(grace => 1) };
	}
	take_acknowledged();
	@clients = ();
	return;
}

sub load_for
{
	my ($seconds) = @_;
	my $end = time + $seconds;
	while (time < $end)
	{
		take_acknowledged();
		usleep(10_000);
	}
	return;
}

# Processes of the node, by the pattern of their command lines.
sub processes
{
	my ($pattern, $mark) = @_;
	return grep { my $line = MfiNode::command_of($_); $line =~ $pattern && index($line, $mark) >= 0 } grep { /^\d+$/ } slurp_dir('/proc');
}

# Kills them as soon as they are there: what was killed before comes again after seconds.
sub kill_processes
{
	my ($pattern, $mark) = @_;
	my $end = time + 30;
	while (time < $end)
	{
		take_acknowledged();
		my $killed = grep { kill('KILL', $_) } processes($pattern, $mark);
		return $killed if $killed;
		usleep(20_000);
	}
	return 0;
}

# What is left of the old one may keep it from starting for a moment.
sub start_again
{
	my ($node) = @_;
	$node->wait_until($node->name . ' starts again', sub { $node->start(fail_ok => 1) });
	return;
}

# A killed worker has its server start all its processes again.
sub kill_worker
{
	my ($node, $type) = @_;
	my $pid;
	$node->wait_until("there is a $type", sub {
		take_acknowledged();
		(undef, $pid) = $node->psql('postgres', "SELECT pid FROM pg_stat_activity WHERE backend_type = '$type'");
		return ($pid // '') =~ /^\d+\z/;
	});
	kill('KILL', $pid);
	$node->wait_until('the process is gone', sub { take_acknowledged(); return !kill(0, $pid) });
	$node->poll_query_until('postgres', 'SELECT true') or die 'the server does not come again';
	return 1;
}

# Has a base or a drill begin, and waits until it is at work. After a failure it would be tried again only after minutes;
# a server that was started again knows of none.
my $has_failed = 0;
sub at_work
{
	my ($make_due, $pattern) = @_;
	$standby->restart if $has_failed++;
	$primary->sql('CHECKPOINT');
	$make_due->();
	$standby->reload;
	return kill_processes($pattern, $standby->basedir);
}

sub make_base_due
{
	for my $file (glob(store_of($standby) . '/base/*/base.json'))
	{
		my $record = slurp_file($file) =~ s/"started_at": *"[^"]*"/"started_at": "2020-01-01T00:00:00Z"/r;
		open(my $out, '>', "$file.tmp") or die $!;
		print {$out} $record;
		close $out or die $!;
		rename "$file.tmp", $file or die $!;
	}
	return;
}

my %kinds = (
	receiver => sub { return kill_processes(qr{/pg_receivewal }, $standby->basedir) },
	worker => sub { return kill_worker($standby, 'mfi receiver') },
	base => sub { return at_work(\&make_base_due, qr{/pg_basebackup }) },
	drill => sub { return at_work(sub { forget_drills($standby) }, qr{/postgres -D \S*/mfi-scratch-}) },
	server => sub { $standby->stop('immediate'); load_for(0.3); start_again($standby); return 1 },
	both => sub { $_->stop('immediate') for $primary, $standby; end_load(); start_again($_) for $primary, $standby; return 1 },
);

my ($recoveries, %killed) = (0);

# Into a fresh directory, all that was acknowledged a second before this moment.
sub nothing_is_lost
{
	my ($round, $until) = @_;
	my @needed = grep { $acknowledged{$_} < $until - 1 } keys %acknowledged;
	my $new = MfiNode->new("recovered_$round");
	my ($code, $words) = command($standby, 'recover', '--to', 'latest', '--cluster', $new->data_dir, '--store', store_of($standby));
	is($code, 0, "round $round: the node is recovered") or return diag($words);
	$new->append_conf('postgresql.conf', "port = @{[ $new->port ]}\nmfi.recovery_directory = ''\n");
	$new->start;
	my %there = map { $_ => 1 } split /\n/, $new->safe_psql('mfi_banking', 'SELECT id FROM journal');
	my @missing = grep { !$there{$_} } @needed;
	is(scalar @missing, 0, "round $round: " . @needed . ' acknowledged rows are there')
	  or diag('missing: ' . join(' ', map { sprintf('%s (%.1f s)', $_, $until - $acknowledged{$_}) } (sort { $a <=> $b } @missing)[0 .. ($#missing > 20 ? 20 : $#missing)]));
	$new->stop('immediate');
	system('rm', '-rf', $new->data_dir);
	$recoveries++;
	return;
}

my @all = sort keys %kinds;
my @order = shuffle(map { $all[ $_ % @all ] } 1 .. $rounds);
for my $round (1 .. $rounds)
{
	begin_load();
	load_for(0.1 + rand(0.4));
	my $kind = $order[ $round - 1 ];
	my $at = time;
	my $hit = $kinds{$kind}->();
	note(sprintf('round %d: %s%s', $round, $kind, $hit ? '' : ', which was not there'));
	$killed{$kind}++ if $hit;
	next if $round % $between;

	# Nothing but the store is left of this moment.
	load_for(1.1);
	end_load();
	nothing_is_lost($round, $at);
}
note(sprintf('%d rows acknowledged, %d recoveries, killed: %s', scalar keys %acknowledged, $recoveries, join(', ', map { "$_ $killed{$_}" } sort keys %killed)));
cmp_ok(scalar keys %acknowledged, '>', 500, 'there was load');
is(join(' ', grep { !$killed{$_} } @all), '', 'each kind was hit');
$_->stop('immediate') for $standby, $primary;
done_testing();
