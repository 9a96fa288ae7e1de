package MfiNode;

# A server with mfi loaded, a bank to back up and a backup directory of its own. It starts no backup by
# itself unless a test asks for it, so that no test depends on the hour.

use strict;
use warnings FATAL => 'all';
use parent 'PostgreSQL::Test::Cluster';
use List::Util qw(min);
use PostgreSQL::Test::Utils qw(slurp_file slurp_dir);
use Test::More;
use Time::HiRes qw(time usleep);

# MfiNode->bank(NAME, conf => TEXT, database => NAME, streaming => 0|1, install_path => DIR, initdb => [OPTION]): running, with the
# extension in its database.
sub bank
{
	my ($class, $name, %params) = @_;
	my $node = $class->prepared($name, %params);
	$node->start;
	my $quoted = $node->database =~ s/"/""/gr;
	$node->safe_psql('postgres', qq(CREATE DATABASE "$quoted"));
	$node->safe_psql($node->database, 'CREATE EXTENSION mfi CASCADE');
	return $node;
}

# The same, not yet started and without the database. Its backups are not nice: on a busy machine those of the tests would
# wait for those of others.
sub prepared
{
	my ($class, $name, %params) = @_;
	my $node = $class->new($name, $params{install_path} ? (install_path => $params{install_path}) : ());
	$node->init(
		allows_streaming => $params{streaming} // 0,
		extra => $params{initdb} // [ '--encoding=UTF8', '--locale=C.UTF-8' ]);
	$node->{database} = $params{database} // 'mfi_banking';
	mkdir $node->backups, 0700 or die "could not create the backup directory: $!";
	my $database = $node->database =~ s/(['\\])/$1$1/gr;
	$node->append_conf('postgresql.conf', <<"CONF");
shared_preload_libraries = 'mfi'
mfi.database = '$database'
mfi.backup_directory = '@{[ $node->backups ]}'
mfi.backup_on_start = off
mfi.backup_schedule = ''
mfi.backup_verify = list
mfi.backup_nice = 0
mfi.sample_interval = 200ms
@{[ $params{conf} // '' ]}
CONF
	return $node;
}

sub database { return $_[0]->{database} // 'mfi_banking' }
sub backups { return $_[0]->{backups} // $_[0]->basedir . '/backups' }

# A psql that cannot connect may end before it has read its statement, and the harness then dies of the broken pipe. Here that is
# what it is elsewhere: a psql with status 2, so that a test can ask a server that is down.
sub psql
{
	my ($node, $database, $sql, %params) = @_;
	my @answer = eval { $node->SUPER::psql($database, $sql, %params) };
	if (my $error = $@)
	{
		die $error if $params{on_error_die} || $error !~ /^ack Broken pipe/;
		@answer = (2, '', '');
	}
	return wantarray ? @answer : $answer[0];
}

# True when the query has given what was expected.
sub poll_query_until
{
	my ($node, $database, $query, $expected) = @_;
	my ($status, $out, $err);
	my $gives = sub {
		($status, $out, $err) = $node->psql($database, $query);
		return $status == 0 && $out eq ($expected // 't');
	};
	return 1 if eval { $node->wait_until('it does', $gives) };
	diag("$query\ngave at last, with status $status:\n$out\n$err");
	return 0;
}

# One statement in the bank's database.
sub sql { return $_[0]->safe_psql($_[0]->database, $_[1]) }

# The error of one statement that must fail.
sub error
{
	my ($node, $sql, %params) = @_;
	my ($status, $out, $err) = $node->psql($params{dbname} // $node->database, $sql, %params);
	return $status == 0 ? "no error, but: $out" : $err;
}

sub set
{
	my ($node, %settings) = @_;
	$node->safe_psql('postgres', "ALTER SYSTEM SET $_ = $settings{$_}") for sort keys %settings;
	$node->reload;
	# The launcher takes the new values between two rounds; this session shows when the postmaster has sent them.
	while (my ($name, $value) = each %settings)
	{
		$node->poll_query_until('postgres',
			"SELECT NOT pending_restart AND reset_val = setting FROM pg_settings WHERE name = '$name'")
		  or die "$name is not in force";
	}
	return;
}

# Polls a condition of the test itself, less often the longer it takes: each look costs a psql, of which a machine that runs several
# tests has no time to waste.
sub wait_until
{
	my ($node, $what, $condition) = @_;
	my $begin = time;
	my $pause = 0.05;
	while (time - $begin < 2 * $PostgreSQL::Test::Utils::timeout_default)
	{
		return 1 if $condition->();
		usleep(1_000_000 * $pause);
		$pause = min(0.25, 1.1 * $pause);
	}
	die "timed out waiting until $what";
}

# Polls a query in the bank's database until it gives `t`.
sub wait_sql
{
	my ($node, $query) = @_;
	$node->poll_query_until($node->database, $query) or die "timed out waiting for: $query";
	return;
}

sub launcher_ready
{
	my ($node) = @_;
	$node->wait_sql("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE backend_type = 'mfi launcher')"
		  . " AND EXISTS (SELECT FROM mfi_health('node') WHERE reasons::text !~ 'launcher-down')");
	return;
}

# Queues a backup and returns its id.
sub backup { return $_[0]->sql("SELECT mfi_backup_now(note => '" . ($_[1] // '') . "')") }

# Runs a backup to its end and returns its id; dies when it fails.
sub backup_ok { return $_[0]->sql('SELECT mfi_backup_now(wait => true)') }

# Columns of a run, separated by |.
sub run
{
	my ($node, $id, $columns) = @_;
	my $quoted = $id =~ s/'/''/gr;
	return $node->sql("SELECT $columns FROM mfi_backups WHERE id = '$quoted'");
}

# Waits for a state that the run stays in.
sub wait_state
{
	my ($node, $id, $state) = @_;
	$node->wait_sql("SELECT state = '$state' FROM mfi_backups WHERE id = '$id'");
	return;
}

# In the middle of a dump, for as long as the returned session lives: it locks a view that pg_dump needs. Returns the session and the
# id of the run. A table would not do: the run has locked them all before it starts pg_dump.
sub dump_held
{
	my ($node) = @_;
	my $session = $node->hold_view;
	my $id = $node->backup('held');
	$node->wait_held($id);
	return ($session, $id);
}

sub hold_view
{
	my ($node) = @_;
	my $session = $node->background_psql($node->database);
	$session->query_safe('BEGIN; ALTER VIEW v_active_portals SET (security_barrier);');
	return $session;
}

sub wait_held
{
	my ($node, $id) = @_;
	$node->wait_sql("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = left('mfi backup $id', 63)"
		  . " AND wait_event_type = 'Lock') AND EXISTS (SELECT FROM mfi_backups WHERE id = '$id' AND state = 'dumping')");
	return;
}

sub pid_of
{
	my ($node, $type) = @_;
	return $node->safe_psql('postgres', "SELECT pid FROM pg_stat_activity WHERE backend_type = '$type'");
}

# The command line of a process, empty when it has ended.
sub command_of
{
	my ($process) = @_;
	open(my $file, '<', "/proc/$process/cmdline") or return '';
	local $/;
	return (<$file> // '') =~ tr/\0/ /r;
}

# Client programs that work for this node's backups, by pid.
sub children
{
	my ($node) = @_;
	my %found;
	my $directory = $node->backups;
	for my $process (grep { /^\d+$/ } slurp_dir('/proc'))
	{
		my $command = command_of($process);
		$found{$process} = $command if $command =~ m{/pg_(?:dump|dumpall|restore) } && index($command, $directory) >= 0;
	}
	return %found;
}

# What every fault must leave behind: no process, no half set, truthful records, and a next run that succeeds.
sub recovers_ok
{
	my ($node, $name) = @_;
	$node->launcher_ready;
	$node->wait_until('the children are gone', sub { my %c = $node->children; !%c });
	$node->wait_until('no partial set is left', sub { !grep { /^\.(partial|remove)-/ } slurp_dir($node->backups) })
	  if -d $node->backups;
	$node->wait_sql("SELECT count(*) = 0 FROM mfi_backups WHERE state IN ('queued', 'dumping', 'publishing', 'verifying')"
		  . " OR finished_at IS NULL");
	is($node->sql("SELECT count(*) FROM mfi_backups WHERE path IS NOT NULL AND state <> 'succeeded'"),
		'0', "$name: no set of a run that did not succeed");
	$node->names_are_sets($name);
	my $id = $node->backup_ok;
	is($node->run($id, 'state, verify_result, error IS NULL'), 'succeeded|ok|t', "$name: the next run succeeds");
	return $id;
}

# Every name in the directory is a set that mfi_backups knows, a link to one, or hidden.
sub names_are_sets
{
	my ($node, $name) = @_;
	my %known = map { $_ => 1, "$_.sql.gz" => 1 }
	  split /\n/, $node->sql("SELECT id FROM mfi_backups WHERE state = 'succeeded' AND path IS NOT NULL");
	my @strange = grep { !/^\./ && $_ ne 'latest' && !$known{$_} } slurp_dir($node->backups);
	is(join(' ', @strange), '', "$name: every name in the directory is a good set or its link");
	return;
}

1;
