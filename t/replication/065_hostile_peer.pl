# Whoever answers in the place of the other node, by whatever script, gets no password and is not believed: by the probe of
# mfi.peer_conninfo, by the walreceiver with the connection string that the containers write, by a dump from the standby, and by mfi promote, for
# which he is not nobody. Nothing crashes, waits for ever or takes memory without bound for it.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiImpostor;
use MfiNode;
use MfiPair qw(pair);
use MfiCommand qw(command);
use PostgreSQL::Test::Utils qw(append_to_file run_command slurp_file);
use Test::More;
use Time::HiRes qw(time);

my $password = 'geheim-7f3a';
my ($primary, $standby) = pair();
my $passfile = PostgreSQL::Test::Utils::tempdir . '/pgpass';
append_to_file($passfile, "*:*:*:*:$password\n");
chmod 0600, $passfile or die $!;
MfiImpostor::certificate();    # once, for all of them
my ($certificate, $key) = MfiImpostor::certificate('primary');

# The real other node, over TCP with TLS and a password.
$primary->safe_psql('postgres', "SET password_encryption = 'scram-sha-256'; CREATE ROLE mfi_probe LOGIN SUPERUSER REPLICATION PASSWORD '$password'");
$primary->append_conf('postgresql.conf', "ssl = on\nssl_cert_file = '$certificate'\nssl_key_file = '$key'\nlisten_addresses = '127.0.0.1'\n");
unlink $primary->data_dir . '/pg_hba.conf' or die $!;
$primary->append_conf('pg_hba.conf', "local all,replication all trust\nhostssl all,replication mfi_probe 127.0.0.1/32 scram-sha-256\n");
$primary->restart;
my $to = sub { my ($port) = @_; return "host=127.0.0.1 port=$port user=mfi_probe passfile=$passfile" };
$_->set('mfi.silence_warning' => '1', 'mfi.silence_critical' => '600') for $primary, $standby;
my $verdict = sub { return $standby->sql("SELECT coalesce(peer_role, 'none') || ' ' || reasons::text FROM mfi_replication_health") };
my $sees = sub { my ($regex) = @_; $standby->wait_sql("SELECT coalesce(peer_role, 'none') || ' ' || reasons::text ~ '$regex' FROM mfi_replication_health") };
# Memory of the probe's process that no file backs, in MB; it is in no view.
my $memory_of_probe = sub {
	my $postmaster = (split /\n/, slurp_file($standby->data_dir . '/postmaster.pid'))[0];
	for my $pid (split ' ', slurp_file("/proc/$postmaster/task/$postmaster/children"))
	{
		next if MfiNode::command_of($pid) !~ /mfi probe/;
		my $status = eval { slurp_file("/proc/$pid/status") } // '';
		return $1 / 1024 if $status =~ /^RssAnon:\s+(\d+)/m;
	}
	return 0;
};
$standby->set('mfi.peer_conninfo' => "'" . $to->($primary->port) . "'");
$sees->('primary \{');
pass('the real one is believed, with demands that nobody wrote');

my $no_secret = sub {
	my ($name, $impostor) = @_;
	my $received = $impostor->received;
	unlike($received, qr/\Q$password\E|md5[0-9a-f]{32}/, "$name: no password was sent");
	return;
};

# Asks the impostor until it has done its part so many times, and looks at the verdict all the while. A peer that was believed once would be
# known as seen.
my $hostile = sub {
	my ($name, $count, $impostor) = @_;
	my $began = time;
	my ($memory, %samples) = (0);
	$standby->set('mfi.peer_conninfo' => "''");
	$sees->('none ');
	$standby->set('mfi.peer_conninfo' => "'" . $to->($impostor->port) . "'");
	$standby->wait_until("$name: it did its part $count times", sub {
		$samples{ $verdict->() } = 1;
		my $now = $memory_of_probe->();
		$memory = $now if $now > $memory;
		return $impostor->ended >= $count;
	});
	$sees->('peer-unauthenticated|peer-unreachable');
	my $says = join "\n", sort keys %samples;
	unlike($says, qr/^(?:primary|standby) |two-primaries|peer-foreign|no-primary/m, "$name: never believed");
	is($standby->sql('SELECT peer_seen_ago IS NULL AND peer_timeline IS NULL FROM mfi_replication_health'), 't', "$name: not once");
	unlike($says, qr/[^\n -~]/, "$name: its words are printable");
	cmp_ok((sort { $b <=> $a } map { length } keys %samples)[0], '<', 3000, "$name: and few");
	cmp_ok($memory, '>', 0, "$name: it was looked at");
	cmp_ok($memory, '<', 100, "$name: in bounded memory");
	unlike($impostor->received, qr/\Q$password\E|md5[0-9a-f]{32}/, "$name: no password was sent");
	note("$name: " . (time - $began) . " s, $memory MB\n$says");
	return $says;
};

# Impostors against the probe, in clear and by TLS: a certificate is not what tells.
my @scripts = sort keys %MfiImpostor::scripts;
for my $tls (0, 1)
{
	my $says = $hostile->(scalar(@scripts) . " impostors, TLS: $tls", scalar @scripts, MfiImpostor->new(script => \@scripts, tls => $tls));
	like($says, $tls ? qr/server requested a cleartext password/ : qr/does not support SSL/, 'the verdict says why');
}
$hostile->("in the place of TLS: $_", 2, MfiImpostor->new(script => 'trust', tls => $_)) for 'garbage', 'injected';
for my $script ('cleartext', 'md5', 'trust', 'scram_unbound')
{
	my $impostor = MfiImpostor->new(script => $script, tls => 1);
	$standby->set('mfi.peer_conninfo' => "'" . $to->($impostor->port) . "'");
	$sees->('peer-unauthenticated: a server answers at mfi.peer_conninfo, but for .* could not be shown to be the other node');
	pass("$script: the verdict says in words that it is not authenticated");
}

# In the middle: it ends the TLS of both and passes everything on. Without channel binding it would be given all.
{
	my $middle = MfiImpostor->new(tls => 1, port => $primary->port);
	$standby->set('mfi.peer_conninfo' => "'" . $to->($middle->port) . " channel_binding=disable'");
	$sees->('primary \{');
	pass('with words of its own, which demand no channel binding, a conninfo believes whoever passes all on');
	$standby->set('mfi.peer_conninfo' => "'" . $to->($middle->port) . "'");
	$sees->('peer-unauthenticated');
	unlike($verdict->(), qr/^primary/, 'in the middle: not believed');
	$no_secret->('in the middle', $middle);
}

# TLS forbidden: an error that names the remedy.
$standby->set('mfi.peer_conninfo' => "'" . $to->(1) . " sslmode=disable'");
$sees->('sslmode=disable in the connection string keeps the other node from being authenticated .Leave sslmode out');
pass('a conninfo without TLS is told');

# A service file leads anywhere, and libpq alone reads it: nothing that it names, or leaves out, takes the demands away.
{
	local $ENV{HOME} = PostgreSQL::Test::Utils::tempdir;
	my $services = "$ENV{HOME}/.pg_service.conf";
	my %impostors = map { $_ => MfiImpostor->new(script => 'cleartext', tls => $_ % 2) } 0 .. 4;
	append_to_file($services, join '', map { "[peer$_]\nhost" . ($_ > 1 ? 'addr' : '') . '=127.0.0.1' . "\nport=" . $impostors{$_}->port . "\nuser=mfi_probe\npassfile=$passfile\n" } 0 .. 4);
	append_to_file($services, "[real]\nhost=127.0.0.1\nport=" . $primary->port . "\nuser=mfi_probe\npassfile=$passfile\n");
	$_->restart for $primary, $standby;
	for my $case ([ 0, 'service=peer0' ], [ 1, 'service=peer1' ], [ 2, "service=peer2 host=" . $standby->host ], [ 3, 'postgresql:///postgres?service=peer3' ])
	{
		my ($number, $conninfo) = @$case;
		$standby->set('mfi.peer_conninfo' => "'$conninfo'");
		$standby->wait_until("$conninfo: it is asked", sub { return $impostors{$number}->ended >= 2 });
		$sees->('peer-unauthenticated|peer-unreachable');
		$no_secret->($conninfo, $impostors{$number});
	}
	$standby->set('mfi.peer_conninfo' => "'service=real'");
	$sees->('primary \{');
	pass('the real other node is believed by its service, too');
	$primary->set('mfi.backup_source' => "'standby'", 'mfi.backup_source_conninfo' => "'service=peer4'");
	like($primary->error('SELECT mfi_backup_now(wait => true)'), qr/the standby could not be dumped/, 'dump, by a service: fails');
	cmp_ok(length $impostors{4}->received, '>', 0, 'dump, by a service: it was asked');
	$no_secret->('dump, by a service', $impostors{4});
	$primary->set('mfi.backup_source' => "'primary'", 'mfi.backup_source_conninfo' => "''");
}

# Lies that are believed because the conninfo demands nothing are read strictly.
my @lies = (
	[ 'f', '99999999999999999999999999', '1', '1' ], [ 'f', '1', '99999999999999', '1' ], [ 'f', '1', '1', '99999999999999999999999999' ], [ 'f', '1', '1', 'x' ],
	[ 'x', '1', '1', '1' ], [ '', '', '', '' ], ['f'], [ 'f', '1', '1', '1', '1' ], [ "f\e[2J", '1', '1', '1' ], [ 'f', '-1', '-1', '-1' ]);
my $log_before = length slurp_file($standby->logfile);
for my $lie (@lies)
{
	local $MfiImpostor::lie = $lie;
	my $impostor = MfiImpostor->new(script => 'trust');
	$standby->set('mfi.peer_conninfo' => "'" . $to->($impostor->port) . " require_auth=none sslmode=disable'");
	$sees->('its answer is not that of a PostgreSQL server');
	pass('a lie is no answer: ' . join('|', map { s/\e/ESC/r } @$lie));
}

# 200 random streams, each time the same ones: messages of random types by TLS, noise by TLS, in clear, and in the place of TLS.
{
	my $messages = sub {
		my ($s) = @_;
		srand(20_000 + $s->{number});
		my $noise = sub { return join '', map { chr int rand 256 } 1 .. int rand $_[0] };
		my @types = split //, 'RRRRESNKZTDCvAG' . chr int rand 256;
		$s->say(map { my $body = $noise->(600); $types[ rand @types ] . pack('N', rand() < 0.8 ? 4 + length $body : int rand 2**32) . $body } 1 .. 15);
		shutdown($s->{client}, 2);
	};
	my $noise = sub {
		my ($s) = @_;
		srand(30_000 + $s->{number});
		$s->say(map { chr int rand 256 } 1 .. 1 + int rand 3000);
		shutdown($s->{client}, 2);
	};
	$hostile->('120 random streams of messages', 120, MfiImpostor->new(script => $messages, tls => 1));
	$hostile->('40 random streams', 40, MfiImpostor->new(script => $noise, tls => 1));
	$hostile->('20 random streams in clear', 20, MfiImpostor->new(script => $noise, tls => 0));
	$hostile->('20 random streams in the place of TLS', 20, MfiImpostor->new(script => $noise, tls => 'noise'));
}
my $log = substr(slurp_file($standby->logfile), $log_before);
unlike($log, qr/terminated by signal|PANIC|server process .* exited with exit code [^01]|out_of_range|std::/, 'no process died of it');

# A dump from the standby. What is said has no password, and no dump was made.
$primary->set('mfi.backup_source' => "'standby'");
for my $case ([ 'cleartext', 1 ], [ 'cleartext', 0 ], [ 'md5', 1 ], [ 'trust', 1 ], [ 'trust', 0 ], [ 'scram_unbound', 1 ], [ 'scram_unsigned', 1 ], [ 'ill_words', 1 ], [ 'trust', 'garbage' ])
{
	my ($script, $tls) = @$case;
	my $impostor = MfiImpostor->new(script => $script, tls => $tls);
	$primary->set('mfi.backup_source_conninfo' => "'" . $to->($impostor->port) . "'");
	my $error = $primary->error('SELECT mfi_backup_now(wait => true)');
	like($error, qr/the standby could not be dumped/, "dump, $script, TLS: $tls: fails");
	$no_secret->("dump, $script, TLS: $tls", $impostor);
	cmp_ok(length $impostor->received, '>', 0, "dump, $script, TLS: $tls: it was asked");
}
$primary->set('mfi.backup_source' => "'primary'", 'mfi.backup_source_conninfo' => "''");

# The walreceiver, with the containers' own words; and mfi promote, which takes none of them for nobody.
my ($settings) = run_command([ 'mfi', 'node', 'settings' ]);
my ($stack) = $settings =~ /^primary_conninfo = '(.*) user=replicator application_name=[^ ]*'$/m or die "no connection string in: $settings";
$standby->set('mfi.peer_conninfo' => "''");
my $upstream = sub {
	my ($port) = @_;
	return $stack =~ s/host=db-primary/host=127.0.0.1/r =~ s/port=5432/port=$port/r =~ s{passfile=/run/mfi/pgpass}{passfile=$passfile}r =~ s/connect_timeout=5/connect_timeout=2/r . ' user=mfi_probe application_name=db-replica';
};
$standby->set('primary_conninfo' => "'" . $upstream->($primary->port) . "'");
$standby->wait_sql("SELECT status = 'streaming' AND conninfo ~ 'channel_binding=require' FROM pg_stat_wal_receiver");
pass('the stream of the containers comes up, with TLS and both demands');
for my $case ([ 'cleartext', 1 ], [ 'cleartext', 0 ], [ 'md5', 1 ], [ 'trust', 1 ], [ 'trust', 0 ], [ 'scram_unbound', 1 ], [ 'scram_skipped', 1 ], [ 'scram_unsigned', 1 ], [ 'huge_lengths', 1 ],
	[ 'ill_words', 1 ], [ 'trust', 'garbage' ], [ 'trust', 'injected' ], [ 'endless_parameters', 1 ], [ 'silent', 1 ], [ 'closes', 0 ], [ 'drip', 1 ])
{
	my ($script, $tls) = @$case;
	my $name = "walreceiver, $script, TLS: $tls";
	my $impostor = MfiImpostor->new(script => $script, tls => $tls);
	$standby->set('primary_conninfo' => "'" . $upstream->($impostor->port) . "'");
	$standby->wait_until('it is asked', sub { return length $impostor->received > 0 });
	my ($code, $said) = command($standby, 'promote', '--within', '0.3');
	like("$code $said", qr/^1 .*the old primary still answers; nothing was changed\n.*somebody answers/s, "$name: mfi promote is refused");
	is($standby->sql("SELECT pg_is_in_recovery() AND NOT EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming')"), 't', "$name: not streamed from");
	$no_secret->($name, $impostor);
}
my $middle = MfiImpostor->new(tls => 1, port => $primary->port);
$standby->set('primary_conninfo' => "'" . $upstream->($middle->port) . "'");
$standby->wait_until('it is asked', sub { return length $middle->received > 0 });
$standby->wait_until('the log says why', sub { return slurp_file($standby->logfile) =~ /could not connect to the primary server: .*(?:channel binding|SCRAM)/ });
pass('walreceiver, in the middle: refused, and the log says why');
$no_secret->('walreceiver, in the middle', $middle);

# Nobody: a port where nothing listens.
$primary->stop;
$standby->set('primary_conninfo' => "'" . $upstream->($primary->port) . "'");
my ($code, $said) = command($standby, 'promote', '--within', '0.3');
is($code, 0, 'where nothing listens, mfi promote promotes') or diag($said);
is($standby->sql('SELECT pg_is_in_recovery()'), 'f', 'it is the primary');
$standby->stop;
done_testing();
