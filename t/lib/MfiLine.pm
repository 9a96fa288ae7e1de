package MfiLine;

# A slow line in a network namespace of the test's own: what goes to one port of the loopback is shaped by the kernel, which
# counts it, too. Servers are reached by their sockets in the file system meanwhile.

use strict;
use warnings FATAL => 'all';
use Exporter qw(import);
use IPC::Run ();

our @EXPORT_OK = qw(in_own_network);

# Starts the test once more, as the same user with all rights over a network that nobody else has.
sub in_own_network
{
	return if $ENV{MFI_OWN_NETWORK};
	$ENV{MFI_OWN_NETWORK} = 1;
	exec 'unshare', '--user', '--map-current-user', '--keep-caps', '--net', $^X, (map { "-I$_" } @INC), $0 or die "unshare: $!";
}

sub command
{
	my (@command) = @_;
	my $said = '';
	IPC::Run::run(\@command, '<', \'', '>&', \$said) or die "@command: $said";
	return $said;
}

# MfiLine->new(PORT, RATE as tc has it): of what is sent to that port.
sub new
{
	my ($class, $port, $rate) = @_;
	my $self = bless { port => $port }, $class;
	command(qw(ip link set lo up mtu 1500));
	command(qw(tc qdisc add dev lo root handle 1: htb));
	command(qw(tc class add dev lo parent 1: classid 1:1 htb burst 16k rate), $rate);
	command(qw(tc qdisc add dev lo parent 1:1 pfifo limit 50));
	command(qw(tc class add dev lo parent 1: classid 1:2 htb burst 1 rate 8bit));
	command(qw(tc qdisc add dev lo parent 1:2 pfifo limit 1));
	command(qw(tc filter add dev lo parent 1: prio 2 protocol ip u32 match ip dport), $port, qw(0xffff flowid 1:1));
	return $self;
}

# Bytes that have been sent over it, with all that makes up packets.
sub sent { return (command(qw(tc -s class show dev lo classid 1:1)) =~ /^ Sent (\d+) bytes/m)[0] }

# It is down, and its connections have broken, at both ends.
sub cut
{
	my ($self) = @_;
	command(qw(ip link set lo down));
	my $port = ":$self->{port}";
	command(qw{ss -K -n -t state established ( dport =}, $port, 'or', 'sport', '=', $port, ')');
	return;
}

sub mend { return command(qw(ip link set lo up)) }

# It is another line from now on, as after a dial-in: what is sent on the connections of the old one gets lost, and nobody is told.
sub change
{
	my ($self) = @_;
	my @ports = command(qw(ss -H -n -t state established dport =), ":$self->{port}") =~ /127\.0\.0\.1:(\d+)\s+127/g;
	command(qw(tc filter add dev lo parent 1: prio 1 protocol ip u32 match ip sport), $_, qw(0xffff flowid 1:2)) for @ports;
	return;
}

1;
