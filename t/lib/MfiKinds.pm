package MfiKinds;

# Servers of repositories of other kinds: SFTP by OpenSSH, as this user, and an S3 stand-in, over TLS as S3 is. Each is an object with
# `repository`, its address, and `environment`, what restic needs for it; start and stop.

use strict;
use warnings FATAL => 'all';
use IO::Socket::INET;
use IO::Socket::SSL::Utils;
use IPC::Run ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils qw(append_to_file slurp_file system_or_bail);

my @servers;
END { local $?; $_->stop for @servers }

# A server of SFTP. As the database's user calls it, `ssh` finds the test's own key and known_hosts: those of the user's home are no
# business of a test. It has to be there before the database starts.
sub sftp
{
	my ($class, $directory) = @_;
	my $port = PostgreSQL::Test::Cluster::get_free_port();
	mkdir $_ for $directory, "$directory/bin", "$directory/files";
	system_or_bail('ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', "$directory/$_") for 'host', 'key';
	append_to_file("$directory/known_hosts", "[127.0.0.1]:$port " . slurp_file("$directory/host.pub"));
	append_to_file("$directory/sshd_config", <<"CONF");
ListenAddress 127.0.0.1:$port
HostKey $directory/host
AuthorizedKeysFile $directory/key.pub
StrictModes no
PidFile none
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
Subsystem sftp internal-sftp
ForceCommand internal-sftp
CONF
	append_to_file("$directory/bin/ssh", <<"SH");
#!/bin/sh
exec /usr/bin/ssh -F none -i $directory/key -o IdentitiesOnly=yes -o UserKnownHostsFile=$directory/known_hosts "\$@"
SH
	chmod 0755, "$directory/bin/ssh";
	$ENV{PATH} = "$directory/bin:$ENV{PATH}";    ## no critic (RequireLocalizedPunctuationVars)
	return made($class, $port, "sftp://127.0.0.1:$port/$directory/files/bank", {}, [ '/usr/sbin/sshd', '-D', '-e', '-f', "$directory/sshd_config" ]);
}

# s3rver, of npm, with its own keys.
sub s3
{
	my ($class, $directory) = @_;
	my $port = PostgreSQL::Test::Cluster::get_free_port();
	mkdir $_ for $directory, "$directory/files";
	my ($certificate, $key) = CERT_create(subject => { commonName => '127.0.0.1' }, subjectAltNames => [ [ IP => '127.0.0.1' ] ]);
	PEM_cert2file($certificate, "$directory/certificate");
	PEM_key2file($key, "$directory/key");
	my @command = ($ENV{MFI_S3RVER}, '--silent', '--address', '127.0.0.1', '--port', $port, '--directory', "$directory/files",
		'--cert', "$directory/certificate", '--key', "$directory/key", '--configure-bucket', 'bank');
	my %keys = (AWS_ACCESS_KEY_ID => 'S3RVER', AWS_SECRET_ACCESS_KEY => 'S3RVER', RESTIC_CACERT => "$directory/certificate");
	my $self = made($class, $port, "s3:https://127.0.0.1:$port/bank", \%keys, \@command);
	@{$self}{qw(key certificate)} = ('S3RVER', "$directory/certificate");
	return $self;
}

sub made
{
	my ($class, $port, $repository, $environment, $command) = @_;
	my $self = bless { port => $port, repository => $repository, environment => $environment, command => $command, log => '' }, $class;
	push @servers, $self;
	return $self;
}

sub start
{
	my ($self, $node) = @_;
	$self->{run} = IPC::Run::start($self->{command}, '<', \'', '>&', \$self->{log});
	$node->wait_until("$self->{command}[0] listens", sub { return IO::Socket::INET->new(PeerAddr => "127.0.0.1:$self->{port}") });
	return;
}

sub stop
{
	my ($self) = @_;
	(delete $self->{run})->kill_kill if $self->{run};
	return;
}

1;
