package MfiProxy;

# A network that can be cut between two servers without either being told: a process between a client and a server's
# socket that stops carrying bytes in one direction or in both. What is held back arrives when it is mended.
# Also before a server of HTTP, where it is cut by itself after the request that was chosen.

use strict;
use warnings FATAL => 'all';
use parent 'MfiProcess';
use IO::Select;
use IO::Socket::INET;
use IO::Socket::UNIX;
use POSIX ();
use PostgreSQL::Test::Utils qw(append_to_file slurp_file);

# MfiProxy->new(NODE, refuses => SETTING): to that node; the client connects to `host`, at the node's port. A session that begins
# with that setting is refused, as by a server of an earlier version, which does not know it.
sub new
{
	my ($class, $node, %params) = @_;
	my $self = bless { host => PostgreSQL::Test::Utils::tempdir_short }, $class;
	my $name = '.s.PGSQL.' . $node->port;
	my $listener = IO::Socket::UNIX->new(Local => "$self->{host}/$name", Listen => 8) or die "could not listen: $!";
	$self->{pid} = fork // die "could not fork: $!";
	carry($listener, sub { return IO::Socket::UNIX->new(Peer => $node->host . "/$name") }, refused => $params{refuses}) if $self->{pid} == 0;
	return $self;
}

# MfiProxy->http(PORT): before that server of this machine; the client connects to `port`.
sub http
{
	my ($class, $port) = @_;
	my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 32) or die "could not listen: $!";
	my $self = bless { port => $listener->sockport, file => PostgreSQL::Test::Utils::tempdir . '/cut-after' }, $class;
	$self->{pid} = fork // die "could not fork: $!";
	carry($listener, sub { return IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port") }, cut_after => $self->{file}) if $self->{pid} == 0;
	return $self;
}

sub port { return $_[0]{port} }

# The server gets the next request that begins so, its answer is held back, and nothing is carried then.
sub cut_after
{
	my ($self, $request) = @_;
	unlink "$self->{file}.done";
	append_to_file("$self->{file}.new", $request);
	rename "$self->{file}.new", $self->{file} or die $!;
	return;
}
sub is_cut { return -e "$_[0]{file}.done" }

sub host { return $_[0]{host} }
sub cut_replies { return kill 'USR1', $_[0]{pid} }
sub cut_both { return kill 'USR2', $_[0]{pid} }
sub mend { return kill 'HUP', $_[0]{pid} }

# The process between. Only _exit ends it, so that it runs no clean-up of the test.
sub carry
{
	my ($listener, $connect, %params) = @_;
	my ($refused, $cut_after) = @params{qw(refused cut_after)};
	my %cut = (client => 0, server => 0);    # by the side whose bytes are held back
	my (%side, %other);
	local $SIG{USR1} = sub { $cut{client} = 1 };
	local $SIG{USR2} = sub { $cut{client} = $cut{server} = 1 };
	local $SIG{HUP} = sub { $cut{client} = $cut{server} = 0 };
	local $SIG{PIPE} = 'IGNORE';
	my (%socket, $awaited);
	while (getppid() != 1)
	{
		my @readers = ($listener, grep { !$cut{ $side{$_} } } values %socket);
		for my $from (IO::Select->new(@readers)->can_read(0.1))
		{
			if ($from == $listener)
			{
				my $client = $listener->accept or next;
				my $server = $connect->() or close($client), next;
				@socket{ $client, $server } = ($client, $server);
				@side{ $client, $server } = ('client', 'server');
				@other{ $client, $server } = ($server, $client);
				next;
			}
			next unless $socket{$from};
			if ($awaited && $from == $awaited)
			{
				$cut{client} = $cut{server} = 1;
				undef $awaited;
				rename $cut_after, "$cut_after.done";
				last;
			}
			my $to = $other{$from};
			my $got = sysread($from, my $bytes, 65536);
			my $sent = 0;
			if ($got && $refused && $side{$from} eq 'client' && index($bytes, $refused) >= 0)
			{
				my $error = qq(SFATAL\0VFATAL\0C42704\0Munrecognized configuration parameter "$refused"\0\0);
				syswrite($from, 'E' . pack('N', 4 + length $error) . $error);
				$got = 0;
			}
			while ($got && $sent < $got)
			{
				my $more = syswrite($to, $bytes, $got - $sent, $sent);
				last unless $more;
				$sent += $more;
			}
			$awaited = $to if $got && $cut_after && -e $cut_after && $side{$from} eq 'client' && index($bytes, slurp_file($cut_after)) == 0;
			next if $got && $sent == $got;
			for my $socket ($from, $to)
			{
				delete $socket{$socket};
				close($socket);
			}
		}
	}
	POSIX::_exit(0);
}

1;
