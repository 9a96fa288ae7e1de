package MfiOffsite;

# Repositories of restic for a node to copy to: a directory, or an append-only server.

use strict;
use warnings FATAL => 'all';
use Digest::SHA qw(sha1_base64);
use Exporter qw(import);
use IO::Socket::INET;
use IPC::Run ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils qw(append_to_file slurp_file);

our @EXPORT_OK = qw(password_file restic directory_repository serve copy_to snapshots await_copy flip_byte);

my @servers;
END { local $?; $_->kill_kill for @servers }

sub password_file
{
	my ($node) = @_;
	my $file = $node->basedir . '/offsite-password';
	return $file if -e $file;
	append_to_file($file, "correct horse\n");
	chmod 0600, $file or die $!;
	return $file;
}

# Runs it as somebody who has the password; returns its exit code and what it prints.
sub restic
{
	my ($node, $repository, @arguments) = @_;
	local $ENV{RESTIC_REPOSITORY} = $repository;
	local $ENV{RESTIC_PASSWORD_FILE} = password_file($node);
	local $ENV{RESTIC_CACHE_DIR} = $node->basedir . '/restic-cache';
	my $said = '';
	IPC::Run::run([ 'restic', @arguments ], '<', \'', '>', \$said, '2>&1');
	return ($? >> 8, $said);
}

sub init
{
	my ($node, $repository) = @_;
	my ($code, $said) = restic($node, $repository, 'init');
	die "restic init: $said" if $code != 0;
	return $repository;
}

sub directory_repository { my ($node, $name) = @_; return init($node, $node->basedir . '/' . ($name // 'repository')) }

# A server that accepts additions only; returns its handle and the repository's address. A port that is given is one that it had before.
sub serve
{
	my ($node, %params) = @_;
	my $port = $params{port} // PostgreSQL::Test::Cluster::get_free_port();
	my $path = $node->basedir . '/served';
	mkdir $path;
	# The line of docs/offsite.md, with a port and a path of the test's own.
	my @command = split / /, 'restic-rest-server --path /srv/copies --append-only --listen 127.0.0.1:8000';
	@command = map { s{/srv/copies}{$path}r =~ s/:8000$/:$port/r } @command;
	if ($params{user})
	{
		append_to_file("$path/.htpasswd", "$params{user}:{SHA}" . sha1_base64($params{password}) . "=\n");
	}
	else { push @command, '--no-auth' }
	my $log = '';
	my $server = { run => IPC::Run::start(\@command, '<', \'', '>', \$log, '2>&1'), command => \@command, path => $path };
	push @servers, $server->{run};
	my $repository = "rest:http://127.0.0.1:$port/bank/";
	$node->wait_until('the repository\'s server listens', sub { return IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port") });
	init($node, $repository) if !-d "$path/bank/keys" && !$params{user};
	return ($server, $repository);
}

sub copy_to
{
	my ($node, $repository, %settings) = @_;
	my $more = join '', map { "$_ = $settings{$_}\n" } sort keys %settings;
	$node->append_conf('postgresql.conf', <<"CONF");
mfi.offsite_repository = '$repository'
mfi.offsite_password_file = '@{[ password_file($node) ]}'
mfi.offsite_drill_schedule = ''
$more
CONF
	$node->reload;
	return;
}

sub snapshots
{
	my ($node, $repository, $tag) = @_;
	my (undef, $said) = restic($node, $repository, 'snapshots', '--json', '--no-lock', '--tag', $tag);
	require JSON::PP;
	return @{ JSON::PP::decode_json($said) // [] };
}

sub await_copy
{
	my ($node, $id) = @_;
	$node->wait_sql("SELECT count(*) = 1 FROM mfi_offsite_copies WHERE id = '$id'");
	return;
}

# Damages a file of a repository: one bit, in its middle.
sub flip_byte
{
	my ($file) = @_;
	my $content = slurp_file($file);
	substr($content, length($content) / 2, 1) ^= "\x01";
	chmod 0600, $file;
	open(my $out, '>', $file) or die "$file: $!";
	print {$out} $content;
	close $out or die $!;
	return;
}

1;
