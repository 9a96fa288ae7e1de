# What goes wrong with copies elsewhere: each has its reason, changes nothing here, and is over when it is mended.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use IPC::Run ();
use MfiNode;
use MfiOffsite qw(password_file restic directory_repository copy_to snapshots await_copy flip_byte);
use PostgreSQL::Test::Utils qw(append_to_file slurp_dir);
use Test::More;

my $node = MfiNode->bank('bank', conf => "mfi.backup_verify = restore\n");
my $repository = $node->basedir . '/repository';
my $password = password_file($node);
my $id = $node->sql('SELECT mfi_backup_now(wait => true)');

sub reasons { return $node->sql(q{SELECT array_to_string(reasons, E'\n') FROM mfi_health('offsite')}) }

# Tries again at once, and waits until that is told.
sub told
{
	my ($what, $pattern, $next_step) = @_;
	$node->wait_until($what, sub { $node->reload; return reasons() =~ $pattern });
	like(reasons(), $pattern, $what);
	like($node->sql(q{SELECT array_to_string(next_steps, E'\n') FROM mfi_health('offsite')}), $next_step, "$what: what to do");
	return;
}

sub well
{
	my ($what) = @_;
	$node->wait_until($what, sub { $node->reload; return reasons() !~ /offsite-(?!deletable)/ });
	unlike(reasons(), qr/offsite-(?!deletable)/, $what);
	return;
}

# No repository: mfi makes none.
copy_to($node, $repository, 'mfi.offsite_interval' => '1min');
told('no repository', qr/^offsite-unreachable: the repository cannot be used, and never did: .*config/m, qr/restic init/);
ok(!-e $repository, 'none is made');
directory_repository($node);
$node->reload;
await_copy($node, $id);
well('made by hand');
told('a directory', qr/^offsite-deletable: /m, qr/additions only/);

# Secrets.
chmod 0644, $password;
told('a password for everybody', qr/^offsite-unreachable: .*can be read or changed by others/m, qr/chmod 600/);
chmod 0600, $password;
rename $password, "$password.away";
told('no password', qr/^offsite-password-lost: /m, qr/key sheet/);
append_to_file($password, "another\n");
chmod 0600, $password;
told('a wrong password', qr/^offsite-unreachable: .*wrong password or no key found/m, qr/offsite_password_file/);
rename "$password.away", $password;
well('the right one');

# Somebody else's repository in the place of it has none of our copies.
rename $repository, "$repository.away";
directory_repository($node);
$node->wait_until('the set is copied again', sub { $node->reload; return scalar snapshots($node, $repository, 'mfi-set') });
is($node->sql("SELECT count(DISTINCT repository_id) FROM mfi_offsite_copies WHERE id = '$id'"), '2', 'both are known');
system('rm', '-rf', $repository);
rename "$repository.away", $repository;
well('the first one again');

# A lock that a run of ours has left which is not there any more.
{
	# It cannot be compressed, so that it takes its time.
	system('head -c 1000000 /dev/urandom >' . $node->basedir . '/large') == 0 or die;
	local $ENV{RESTIC_REPOSITORY} = $repository;
	local $ENV{RESTIC_PASSWORD_FILE} = $password;
	my $run = IPC::Run::start([ 'restic', 'backup', '--no-cache', '--limit-upload=1', $node->basedir . '/large' ], '<', \'', '>&', \my $said);
	$node->wait_until('it is locked', sub { return grep { /^[0-9a-f]{64}$/ } slurp_dir("$repository/locks") });
	$run->signal('KILL');
	$run->finish;
}
is(scalar(grep { /^[0-9a-f]{64}$/ } slurp_dir("$repository/locks")), 1, 'a lock is left');
is($node->sql('SELECT mfi_offsite_drill()'), 'ok', 'which a drill does not mind');

# Damage.
my @packs = grep { -s $_ > 1000 } glob("$repository/data/*/*");
flip_byte($_) for @packs;
my ($code, undef, $error) = $node->psql('mfi_banking', 'SELECT mfi_offsite_drill()');
like($error, qr/the drill from a copy failed: /, 'a flipped byte in the copies: the drill fails');
like(reasons(), qr/^offsite-drill-failed: /m, 'and the verdict says so');
$node->stop;
done_testing();
