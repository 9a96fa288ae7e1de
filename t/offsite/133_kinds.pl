# Repositories of the other kinds, each by a real server: SFTP, and S3, where its stand-in is there (MFI_S3RVER).

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiDocumented qw(typist);
use MfiKinds;
use MfiNode;
use MfiOffsite qw(password_file restic copy_to snapshots);
use PostgreSQL::Test::Utils ();
use Test::More;

my $place = PostgreSQL::Test::Utils::tempdir;
my %kind = (sftp => MfiKinds->sftp("$place/sftp"));
$kind{s3} = MfiKinds->s3("$place/s3") if $ENV{MFI_S3RVER};

my $node = MfiNode->bank('bank', conf => "mfi.backup_verify = restore\n");
my @sets = $node->sql('SELECT mfi_backup_now(wait => true)');

# With what is set now, tried again at once, until the verdict says so.
sub told
{
	my ($what, $pattern) = @_;
	my $said = '';
	my $is_told = sub {
		$node->reload;
		$said = $node->sql(q{SELECT array_to_string(reasons, E'\n') FROM mfi_health('offsite')});
		return $said =~ $pattern;
	};
	ok(eval { $node->wait_until($what, $is_told) }, $what) or diag($said);
	return;
}

# A fault is what it is called, what breaks it, what is told then, and what mends it.
sub gone
{
	my ($server) = @_;
	return [ 'the server is gone', sub { $server->stop }, qr/[Cc]onnection refused|sftp session/, sub { $server->start($node) } ];
}

sub unknown_host
{
	my $file = "$place/sftp/known_hosts";
	return [ 'an unknown host', sub { rename $file, "$file.away" or die $! }, qr/Host key verification failed/, sub { rename "$file.away", $file or die $! } ];
}

# As the page says, with places of the test's own. Each returns the environment file.
my %makes = (
	sftp => sub {
		my ($server) = @_;
		my $types = typist($node, 'offsite.md', '/etc/mfi/offsite-password' => password_file($node), 'sftp:bank@copies.example.org:/srv/bank' => $server->{repository});
		$types->('sftp: a repository', 'sudo -u postgres restic -r sftp:bank@copies.example.org:/srv/bank --password-file /etc/mfi/offsite-password init',
			qr/^0 .*created restic repository/s);
		return '';
	},
	s3 => sub {
		my ($server) = @_;
		my $types = typist($node, 'offsite.md', '/etc/mfi/offsite-password' => password_file($node), '/etc/mfi/s3-ca.pem' => $server->{certificate},
			'/etc/mfi' => $place, 'KEY_ID=NAME' => "KEY_ID=$server->{key}", 'KEY=SECRET' => "KEY=$server->{key}", 's3:https://s3.example.org/bank' => $server->{repository});
		$types->('s3: the keys', q{install -o postgres -g postgres -m 0600 /dev/stdin /etc/mfi/offsite-environment <<< 'AWS_ACCESS_KEY_ID=NAME
AWS_SECRET_ACCESS_KEY=SECRET
RESTIC_CACERT=/etc/mfi/s3-ca.pem'}, qr/^0 $/);
		$types->('s3: a repository',
			q{sudo -u postgres sh -c 'set -a; . /etc/mfi/offsite-environment; exec restic -r s3:https://s3.example.org/bank --password-file /etc/mfi/offsite-password init'},
			qr/^0 .*created restic repository/s);
		return "$place/offsite-environment";
	});

sub begin
{
	my ($name) = @_;
	my $server = $kind{$name};
	$server->start($node);
	my $environment = $makes{$name}->($server);
	copy_to($node, $server->{repository}, 'mfi.offsite_environment_file' => "'$environment'");
	my $is_so = "repository = '$server->{repository}' AND newest_set = '$sets[-1]' AND sets_waiting = 0 AND checked_at IS NOT NULL";
	$node->wait_sql("SELECT (SELECT $is_so FROM mfi_offsite)");
	is(scalar snapshots($node, $server->{repository}, 'mfi-set'), scalar @sets, "$name: what was proven is copied");
	told("$name: it can be deleted there, which is told", qr/^offsite-deletable: /m);
	is($node->sql('SELECT mfi_offsite_drill()'), 'ok', "$name: a drill from there");
	return;
}

# A backup waits meanwhile. The next fault is there before the one before it is mended, so that nothing is copied between.
sub faults
{
	my ($name, @faults) = @_;
	my $mend;
	for my $fault (@faults)
	{
		my ($what, $break, $words, $mend_this) = @{$fault};
		$break->();
		if ($mend) { $mend->() } else { push @sets, $node->sql('SELECT mfi_backup_now(wait => true)') }
		told("$name: $what", qr/^offsite-unreachable: .*(?:$words)/m);
		is($node->sql('SELECT sets_waiting FROM mfi_offsite'), '1', "$name: what waits");
		$mend = $mend_this;
	}
	$mend->();
	$node->wait_until("$name: it goes on", sub { $node->reload; return $node->sql('SELECT newest_set FROM mfi_offsite') eq $sets[-1] });
	is(scalar snapshots($node, $kind{$name}{repository}, 'mfi-set'), scalar @sets, "$name: what had waited is there, too");
	return;
}

begin('sftp');
faults('sftp', gone($kind{sftp}), unknown_host());
SKIP:
{
	skip 'MFI_S3RVER names no S3 stand-in', 1 unless $kind{s3};
	local @ENV{ keys %{ $kind{s3}{environment} } } = values %{ $kind{s3}{environment} };
	begin('s3');
	# Of S3, restic tries again what fails, until half a minute is over.
	faults('s3', gone($kind{s3})) if $ENV{MFI_LONG};
}
$node->stop;
done_testing();
