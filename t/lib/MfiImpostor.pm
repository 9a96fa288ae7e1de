package MfiImpostor;

# Somebody who answers in the place of the other node: a process that speaks, by a script, as much of the protocol as it takes to be given a
# password or to be believed. It keeps every byte that it is sent, what comes by TLS decrypted.

use strict;
use warnings FATAL => 'all';
use parent 'MfiProcess';
use IO::Select;
use IO::Socket::INET;
use IO::Socket::SSL;
use PostgreSQL::Test::Utils qw(slurp_dir slurp_file system_or_bail);
use POSIX ();
use Time::HiRes ();

our $lie = [ 'f', '7437912345678901234', '99', '1795000000000000' ];

sub message { my ($type, $text) = @_; return $type . pack('N', 4 + length $text) . $text }
sub authentication { my ($code, $more) = @_; return message('R', pack('N', $code) . ($more // '')) }
my $ready = message('S', "server_version\0" . "17.0\0") . message('K', pack('NN', 1, 2)) . message('Z', 'I');
sub row { my (@values) = @_; return message('D', pack('n', scalar @values) . join('', map { pack('N', length $_) . $_ } @values)) }
sub table
{
	my (@values) = @_;
	return message('T', pack('n', scalar @values) . join('', map { "c$_\0" . pack('NnNnNn', 0, 0, 25, 65535, 0xffffffff, 0) } 1 .. @values))
	  . row(@values) . message('C', "SELECT 1\0") . message('Z', 'I');
}

# What each says once the client has begun, in the order of the client's own messages; a script that ends goes on listening.
our %scripts = (
	cleartext => sub { my ($s) = @_; $s->say(authentication(3)); $s->hear; $s->say(authentication(0), $ready); $s->lie },
	md5 => sub { my ($s) = @_; $s->say(authentication(5, 'salt')); $s->hear; $s->say(authentication(0), $ready); $s->lie },
	trust => sub { my ($s) = @_; $s->say(authentication(0), $ready); $s->lie },
	gss => sub { my ($s) = @_; $s->say(authentication(7)); $s->hear; $s->say(authentication(0), $ready); $s->lie },
	scram_unbound => sub { my ($s) = @_; $s->say(authentication(10, "SCRAM-SHA-256\0\0")); $s->hear; $s->say(authentication(0), $ready); $s->lie },
	scram_skipped => sub { my ($s) = @_; $s->say(authentication(10, "SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0")); $s->hear; $s->say(authentication(0), $ready); $s->lie },
	scram_garbage => sub { my ($s) = @_; $s->say(authentication(10, "SCRAM-SHA-256-PLUS\0\0")); $s->hear; $s->say(authentication(11, 'r=' . 'x' x 1000 . ',s=,i=0')); $s->hear },
	scram_unsigned => sub {
		my ($s) = @_;
		$s->say(authentication(10, "SCRAM-SHA-256-PLUS\0\0"));
		my ($nonce) = $s->hear =~ /r=([^,]+)/ or return;
		$s->say(authentication(11, "r=${nonce}x,s=c2FsdHNhbHRzYWx0c2FsdA==,i=4096"));
		$s->hear;
		$s->say(authentication(12, 'v=' . 'A' x 43 . '='), authentication(0), $ready);
		$s->lie;
	},
	scram_many_rounds => sub {
		my ($s) = @_;
		$s->say(authentication(10, "SCRAM-SHA-256-PLUS\0\0"));
		my ($nonce) = $s->hear =~ /r=([^,]+)/ or return;
		$s->say(authentication(11, "r=${nonce}x,s=c2FsdA==,i=99999999999999999999"));
		$s->hear;
	},
	two_methods => sub { my ($s) = @_; $s->say(authentication(10, "SCRAM-SHA-256-PLUS\0\0"), authentication(3)); $s->hear; $s->hear },
	huge_lengths => sub { my ($s) = @_; $s->say('R', pack('N', 0x7fffffff), 'x' x 100_000) },
	huge_error => sub { my ($s) = @_; $s->say('E', pack('N', 0x3fffffff), 'x' x 100_000) },
	ill_words => sub { my ($s) = @_; $s->say(message('E', "SFATAL\0C28P01\0Mpassword authentication failed \e[2J\x{9b}31m\xff\xc3\x28\nLOG:  all is well" . 'x' x 5000 . "\0\0")) },
	old_protocol => sub { my ($s) = @_; $s->say("Eit is an old server \e[2J\xff\0") },
	endless_parameters => sub { my ($s) = @_; my $n = 0; while ($s->say(map { message('S', 'p' . $n++ . "\0" . 'x' x 1000 . "\0") } 1 .. 100)) { } },
	endless_notices => sub { my ($s) = @_; while ($s->say(message('N', "SNOTICE\0C00000\0M" . 'x' x 10_000 . "\0\0") x 10)) { } },
	drip => sub { my ($s) = @_; my $text = authentication(3) x 100; for (split //, $text) { $s->say($_) or last; Time::HiRes::sleep(0.3) } },
	silent => sub { },
	closes => sub { my ($s) = @_; shutdown($s->{client}, 2) });

# MfiImpostor->new(script => NAME, CODE, or a list of names for one connection after the other, tls => 0|1|'garbage'|'injected'|'noise', port => of a server to pass everything on to): listens at 127.0.0.1
sub new
{
	my ($class, %params) = @_;
	my $listener = IO::Socket::INET->new(Listen => 64, LocalAddr => '127.0.0.1', Proto => 'tcp') or die "could not listen: $!";
	my $self = bless { %params, port => $listener->sockport, relay => $params{port}, record => PostgreSQL::Test::Utils::tempdir }, $class;
	$self->{pid} = fork // die "could not fork: $!";
	$self->serve($listener) if $self->{pid} == 0;
	close($listener);
	return $self;
}

sub port { return $_[0]{port} }

# How many connections have ended, and all that was received by any.
sub ended { my ($self) = @_; return scalar grep { /\.end$/ } slurp_dir($self->{record}) }
sub received { my ($self) = @_; return join '', map { slurp_file("$self->{record}/$_") } grep { /\.bytes$/ } slurp_dir($self->{record}) }

# A certificate of an owner's: (certificate, key). Without a name, the impostor's.
my %certificates;
sub certificate
{
	my $owner = $_[0] // 'impostor';
	return @{ $certificates{$owner} } if $certificates{$owner};
	my $directory = PostgreSQL::Test::Utils::tempdir;
	my @files = ("$directory/server.crt", "$directory/server.key");
	system_or_bail('openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', "/CN=$owner", '-out', $files[0], '-keyout', $files[1]);
	chmod 0600, $files[1] or die $!;
	$certificates{$owner} = \@files;
	return @files;
}

# Only _exit ends the processes, so that they run no clean-up of the test.
sub serve
{
	my ($self, $listener) = @_;
	certificate() if $self->{tls};
	local $SIG{CHLD} = 'IGNORE';
	for (my $number = 0; getppid() != 1; ++$number)
	{
		IO::Select->new($listener)->can_read(0.2) or --$number, next;
		my $client = $listener->accept or --$number, next;
		my $child = fork // die "could not fork: $!";
		next if $child;
		local $SIG{CHLD} = 'DEFAULT';
		local $SIG{PIPE} = 'IGNORE';
		local $SIG{ALRM} = sub { POSIX::_exit(0) };
		alarm 60;
		open(my $record, '>', "$self->{record}/$number.bytes") or die $!;
		$record->autoflush(1);
		my $session = bless { client => $client, record => $record, number => $number, tls => $self->{tls} }, 'MfiImpostor::Session';
		eval {
			if ($self->{relay}) { $session->relay($self->{relay}) }
			elsif ($session->begin)
			{
				my $script = ref $self->{script} eq 'ARRAY' ? $self->{script}[ $number % @{ $self->{script} } ] : $self->{script};
				(ref $script ? $script : $scripts{$script})->($session);
			}
			1;
		} or print {*STDERR} "# impostor: $@";
		open(my $end, '>', "$self->{record}/$number.end");
		eval { $session->hear_all; 1 } or print {*STDERR} "# impostor: $@";
		POSIX::_exit(0);
	}
	POSIX::_exit(0);
}

package MfiImpostor::Session;

use strict;
use warnings FATAL => 'all';

# False when the client is gone.
sub say
{
	my ($s, @text) = @_;
	my $text = join '', @text;
	my $sent = 0;
	while ($sent < length $text)
	{
		my $more = syswrite($s->{client}, $text, length($text) - $sent, $sent) or return 0;
		$sent += $more;
	}
	return 1;
}

# What comes next; empty when the client is gone.
sub hear
{
	my ($s) = @_;
	my $got = sysread($s->{client}, my $text, 65536);
	return '' if !$got;
	print { $s->{record} } $text;
	return $text;
}

sub hear_all { my ($s) = @_; while (length $s->hear) { } return }

# Answers whatever is asked as a primary of another timeline would.
sub lie { my ($s) = @_; while (length $s->hear) { $s->say(MfiImpostor::table(@$MfiImpostor::lie)) } return }

sub begin
{
	my ($s) = @_;
	my $text = $s->hear;
	my $tls = $s->{tls} // 0;
	if (length $text == 8 && (unpack('NN', $text))[1] == 80877103)
	{
		if ($tls eq 'garbage') { $s->say("\x00\xff\e[2Jgarbage" x 1000); return 0 }
		if ($tls eq 'noise') { return 1 }
		if ($tls eq 'injected') { $s->say('S', MfiImpostor::authentication(3)); return 0 }
		$s->say($tls ? 'S' : 'N');
		if ($tls)
		{
			my ($certificate, $key) = MfiImpostor::certificate();
			IO::Socket::SSL->start_SSL($s->{client}, SSL_server => 1, SSL_cert_file => $certificate, SSL_key_file => $key) or return 0;
		}
		$text = $s->hear;
	}
	return length $text > 0;
}

# Between the client and a server: decrypts what comes and encrypts it anew, so that it reads and could change all.
sub relay
{
	my ($s, $port) = @_;
	my $server = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port, Proto => 'tcp') or die "could not connect: $!";
	my $request = $s->hear;
	syswrite($server, $request);
	sysread($server, my $yes, 1);
	$s->say('S');
	my ($certificate, $key) = MfiImpostor::certificate();
	IO::Socket::SSL->start_SSL($s->{client}, SSL_server => 1, SSL_cert_file => $certificate, SSL_key_file => $key) or return;
	IO::Socket::SSL->start_SSL($server, SSL_verify_mode => 0, SSL_alpn_protocols => ['postgresql']) or die 'no TLS to the server';
	while (1)
	{
		for my $pair ([ $s->{client}, $server ], [ $server, $s->{client} ])
		{
			my ($from, $to) = @$pair;
			next if !$from->pending && !IO::Select->new($from)->can_read(0.05);
			sysread($from, my $text, 65536) or return;
			print { $s->{record} } $text if $from == $s->{client};
			syswrite($to, $text) or return;
		}
	}
	return;
}

1;
