package MfiTlsServer;

# A server that answers each POST and each GET over TLS with one JSON text, with a certificate that no authority vouches for. A
# process of its own.

use strict;
use warnings FATAL => 'all';
use parent 'MfiProcess';
use IO::Select;
use IO::Socket::INET;
use IO::Socket::SSL;
use IO::Socket::SSL::Utils;
use POSIX ();
use PostgreSQL::Test::Utils;

# MfiTlsServer->new(name => HOST in the certificate, post => JSON, get => JSON)
sub new
{
	my ($class, %params) = @_;
	my $files = PostgreSQL::Test::Utils::tempdir;
	my ($certificate, $key) = CERT_create(subject => { commonName => $params{name} }, subjectAltNames => [ [ DNS => $params{name} ] ]);
	PEM_cert2file($certificate, "$files/certificate");
	PEM_key2file($key, "$files/key");
	my $listener = IO::Socket::INET->new(Listen => 8, LocalAddr => '127.0.0.1', Proto => 'tcp') or die "could not listen: $!";
	my $self = bless { port => $listener->sockport, certificate => "$files/certificate" }, $class;
	$self->{pid} = fork // die "could not fork: $!";
	serve($listener, $files, %params) if $self->{pid} == 0;
	return $self;
}

sub url { my ($self, $host) = @_; return "https://$host:$self->{port}" }

sub certificate { return $_[0]{certificate} }

# Only _exit ends the process, so that it runs no clean-up of the test.
sub serve
{
	my ($listener, $files, %params) = @_;
	local $SIG{PIPE} = 'IGNORE';
	while (getppid() != 1)
	{
		IO::Select->new($listener)->can_read(0.2) or next;
		my $client = $listener->accept or next;
		IO::Socket::SSL->start_SSL($client, SSL_server => 1, SSL_cert_file => "$files/certificate", SSL_key_file => "$files/key") or next;
		my $request = '';
		while ($request !~ /\r\n\r\n/) { $client->sysread($request, 65536, length $request) or last }
		my $body = $request =~ /^POST/ ? $params{post} : $params{get};
		$client->print("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " . length($body) . "\r\nConnection: close\r\n\r\n$body");
		$client->close;
	}
	POSIX::_exit(0);
}

1;
