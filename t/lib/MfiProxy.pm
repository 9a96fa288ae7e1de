package MfiProxy;

# A network that can be cut between two servers without either being told: a process between a client and a server's
# socket that stops carrying bytes in one direction or in both. What is held back arrives when it is mended.

use strict;
use warnings FATAL => 'all';
use parent 'MfiProcess';
use IO::Select;
use IO::Socket::UNIX;
use POSIX ();
use PostgreSQL::Test::Utils;

# MfiProxy->new(NODE, refuses => SETTING): to that node; the client connects to `host`, at the node's port. A session that begins
# with that setting is refused, as by a server of an earlier version, which does not know it.
sub new
{
	my ($class, $node, %params) = @_;
	my $self = bless { host => PostgreSQL::Test::Utils::tempdir_short }, $class;
	my $name = '.s.PGSQL.' . $node->port;
	my $listener = IO::Socket::UNIX->new(Local => "$self->{host}/$name", Listen => 8) or die "could not listen: $!";
	$self->{pid} = fork // die "could not fork: $!";
	carry($listener, $node->host . "/$name", $params{refuses}) if $self->{pid} == 0;
	return $self;
}

sub host { return $_[0]{host} }
sub cut_replies { return kill 'USR1', $_[0]{pid} }
sub cut_both { return kill 'USR2', $_[0]{pid} }
sub mend { return kill 'HUP', $_[0]{pid} }

# The process between. Only _exit ends it, so that it runs no clean-up of the test.
sub carry
{
	my ($listener, $server_path, $refused) = @_;
	my %cut = (client => 0, server => 0);    # by the side whose bytes are held back
	my (%side, %other);
	local $SIG{USR1} = sub { $cut{client} = 1 };
	local $SIG{USR2} = sub { $cut{client} = $cut{server} = 1 };
	local $SIG{HUP} = sub { $cut{client} = $cut{server} = 0 };
	local $SIG{PIPE} = 'IGNORE';
	my %socket;
	while (getppid() != 1)
	{
		my @readers = ($listener, grep { !$cut{ $side{$_} } } values %socket);
		for my $from (IO::Select->new(@readers)->can_read(0.1))
		{
			if ($from == $listener)
			{
				my $client = $listener->accept or next;
				my $server = IO::Socket::UNIX->new(Peer => $server_path) or close($client), next;
				@socket{ $client, $server } = ($client, $server);
				@side{ $client, $server } = ('client', 'server');
				@other{ $client, $server } = ($server, $client);
				next;
			}
			next unless $socket{$from};
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
