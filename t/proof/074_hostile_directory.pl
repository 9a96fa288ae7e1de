# A backup directory that others can write to is refused with the command that mends it; and whatever somebody has put into
# one (pipes, links, sockets, giants) is refused at once, holds up nobody and is never proven.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use File::Path qw(rmtree);
use IO::Socket::UNIX;
use JSON::PP qw(decode_json encode_json);
use MfiNode;
use MfiShim qw(install_with replace);
use PostgreSQL::Test::Utils qw(append_to_file run_log slurp_file);
use Socket qw(SOCK_STREAM);
use Test::More;
use Time::HiRes qw(time);

my $path = install_with();
my $node = MfiNode->bank('bank', install_path => $path);
my $backups = $node->backups;
my $id = $node->backup_ok;
my $archive = "$backups/$id/mfi_banking.dump";

# Others may write.
sub unsafe
{
	my ($name, $words, $command) = @_;
	my $error = $node->error('SELECT mfi_backup_now(wait => true)');
	like($error, qr/$words.*HINT:  As root: \Q$command\E/s, "$name: refused with the command");
	my $reasons = $node->sql('SELECT verdict, reasons, next_steps FROM mfi_backup_health');
	like($reasons, qr/^critical\|.*backup-directory-unusable: .*$words/s, "$name: the verdict says so");
	like($reasons, qr/\Q$command\E/, "$name: and names the command");
	like($node->error("SELECT mfi_backup_verify('$id')"), qr/$words/, "$name: nothing is verified there");
	return;
}
for my $mode (0777, 0770, 01777)
{
	chmod $mode, $backups or die;
	unsafe(sprintf('mode %04o', $mode), 'may be written to by others', "chmod 750 $backups");
}
chmod 0700, $backups or die;
chmod 0777, "$backups/.runs" or die;
unsafe('records', 'may be written to by others', "chmod 700 $backups/.runs");
chmod 0700, "$backups/.runs" or die;
my $parent = $node->basedir . '/open';
mkdir $parent or die;
chmod 0777, $parent or die;
mkdir "$parent/backups", 0700 or die;
$node->set('mfi.backup_directory' => "'$parent/backups'");
like($node->error('SELECT mfi_backup_now(wait => true)'), qr/can be renamed by others.*HINT:  As root: chmod go-w \Q$parent\E/s, 'a parent that others may write to');
$node->set('mfi.backup_directory' => "'/'");
like($node->error('SELECT mfi_backup_now(wait => true)'), qr/belongs to the user root, not to .*HINT:  As root: chown \S+ \/ /s, 'a directory of somebody else');
$node->set('mfi.backup_directory' => "'$backups'");
$node->recovers_ok('directories of others');

# What is no ordinary file among a set's.
sub quickly
{
	my ($name, $sql, $expected) = @_;
	my $begin = time;
	my $answer = $node->sql($sql);
	cmp_ok(time - $begin, '<', 20, "$name: at once");
	like($answer, $expected, $name);
	return;
}
my $kept = "$backups/../kept";
my $not_regular = qr/^file mfi_banking.dump is not a regular file$/;
rename $archive, $kept or die;
system('mkfifo', $archive) == 0 or die;
quickly('a pipe in place of the archive', "SELECT mfi_backup_verify('$id')", $not_regular);
unlink $archive or die;
symlink($kept, $archive) or die;
quickly('a link in place of the archive', "SELECT mfi_backup_verify('$id')", $not_regular);
unlink $archive or die;
symlink('/dev/zero', $archive) or die;
quickly('a link to a device', "SELECT mfi_backup_verify('$id')", $not_regular);
unlink $archive or die;
{
	chdir "$backups/$id" or die;
	my $socket = IO::Socket::UNIX->new(Type => SOCK_STREAM, Local => 'mfi_banking.dump', Listen => 1) or die $!;
	chdir $FindBin::RealBin or die;
	quickly('a socket in place of the archive', "SELECT mfi_backup_verify('$id')", $not_regular);
}
unlink $archive or die;
rename $kept, $archive or die;
system('mkfifo', "$backups/$id/more") == 0 or die;
quickly('a pipe beside it', "SELECT mfi_backup_verify('$id')", qr/^file more is not a regular file$/);
my $begin = time;
$node->stop('fast');
cmp_ok(time - $begin, '<', 20, 'a fast shutdown ends');
$node->start;
$node->launcher_ready;
unlink "$backups/$id/more" or die;
rename "$backups/$id/globals.sql", $kept or die;
system('mkfifo', "$backups/$id/globals.sql") == 0 or die;
quickly('a pipe in place of the roles', "SELECT mfi_backup_verify('$id')", qr/^file globals.sql is not a regular file$/);
unlink "$backups/$id/globals.sql" or die;
rename $kept, "$backups/$id/globals.sql" or die;
is($node->sql("SELECT mfi_backup_verify('$id')"), 'ok', 'put back: it is proven again');

# Giants and links in place of manifests, records and whole sets.
for my $day (1 .. 4)
{
	my $set = "mfi_banking_2026010${day}T020000Z";
	mkdir "$backups/$set", 0700 or die;
	for my $file ("$backups/$set/manifest.json", "$backups/.runs/$set.json")
	{
		symlink("$backups/$id/manifest.json", $file) && next if $day == 1;
		system('mkfifo', $file) == 0 && next if $day == 2;
		open(my $out, '>', $file) or die;
		print $out '[' x 40_000_000 if $day == 3;
		truncate($out, 60_000_000) or die if $day == 4;
		close $out;
	}
}
# A whole set of that name, outside of the directory.
my $outside = $node->basedir . '/mfi_banking_20260105T020000Z';
run_log([ 'cp', '-a', "$backups/$id", $outside ]) or die;
my $manifest = slurp_file("$outside/manifest.json") =~ s/\Q$id\E/mfi_banking_20260105T020000Z/gr;
unlink "$outside/manifest.json" or die;
append_to_file("$outside/manifest.json", $manifest);
symlink($outside, "$backups/mfi_banking_20260105T020000Z") or die;
$begin = time;
quickly('giants', "SELECT count(*) FROM mfi_backups WHERE id LIKE 'mfi_banking_202601%'", qr/^0$/);
for my $day (1 .. 5)
{
	like($node->error("SELECT mfi_backup_$_('mfi_banking_2026010${day}T020000Z')"), qr/there is no backup set/, "no set of day $day: $_") for 'verify', 'adopt', 'release';
}
cmp_ok(time - $begin, '<', 30, 'all of these looks: at once');
$node->backup_ok;
ok(-l "$backups/mfi_banking_20260105T020000Z", 'what is not ours is still there');

# Giants and crowds as links to one file, which cost whoever makes them nothing: whoever reads them can be stopped, and does not read on for ever.
my $whole = slurp_file("$backups/$id/manifest.json");
my $giant = $node->basedir . '/giant';
append_to_file($giant, '{"format":1,"x":[' . ('0,' x 7_500_000) . '0]}');
my $record = $node->basedir . '/record';
append_to_file($record, slurp_file("$backups/.runs/$id.json") =~ s/"note": null/sprintf '"note": "%s"', 'x' x 250_000/er);
my @planted;
for my $n (1 .. 40)
{
	my $set = sprintf 'mfi_banking_2025%02d%02dT020000Z', 1 + $n / 28, 1 + $n % 28;
	mkdir "$backups/$set", 0700 or die;
	link($giant, "$backups/$set/manifest.json") or die;
	push @planted, "$backups/$set";
}
for my $n (1 .. 3000)
{
	my $file = sprintf "$backups/.runs/mfi_banking_2024%02d%02dT%02d0000Z.json", 1 + ($n / 24) / 28, 1 + ($n / 24) % 28, $n % 24;
	link($record, $file) or die;
	push @planted, $file;
}
my $looks = 'SELECT count(*) FROM mfi_backups';
for my $limit (200, 1000)
{
	$begin = time;
	like($node->error("SET statement_timeout = '${limit}ms'; $looks"), qr/canceling statement due to statement timeout/, "giants and a crowd: a statement_timeout of $limit ms fires");
	cmp_ok(time - $begin, '<', 15, 'soon');
}
like($node->sql('SELECT verdict, reasons FROM mfi_backup_health'), qr/critical.*the backup directory holds more manifests or records than are read/, 'the verdict says that not all was read');
like($node->error("SELECT mfi_backup_hold('$id', repeat('x', 47 * 1024 * 1024))"), qr/the reason is 49283072 bytes long, at most 511 are kept/, 'nobody makes a giant of a set by the reason to hold it');
is($node->sql("SELECT mfi_backup_hold('$id', repeat('x', 511)) AND mfi_backup_release('$id')"), 't', 'a reason may be as long as a note');
my $looker = $node->background_psql($node->database, on_error_stop => 0);
my $looking = $looker->query_safe('SELECT pg_backend_pid()');
$looker->query_until(qr/going/, "\\echo going\n$looks;\n");
$node->wait_sql("SELECT state = 'active' AND query ~ 'mfi_backups' FROM pg_stat_activity WHERE pid = $looking");
$begin = time;
$node->stop('fast');
cmp_ok(time - $begin, '<', 30, 'a fast shutdown ends while they are read, by a session and by the launcher');
eval { $looker->quit };
rmtree($_) for @planted;
$node->start;
$node->launcher_ready;
is(slurp_file("$backups/$id/manifest.json"), $whole, 'the set is as it was');

# An archive that the verification itself would take away, and names that nobody should have to read.
my $false = 'mfi_banking_20260105T030000Z';
run_log([ 'cp', '-a', "$backups/$id", "$backups/$false" ]) or die;
rename "$backups/$false/mfi_banking.dump", "$backups/$false/manifest.json.tmp" or die;
my $lie = decode_json($whole);
@{ $lie->{run} }{qw(id path verify_result)} = ($false, "$false/manifest.json.tmp", undef);
$lie->{files} = [ grep { $_->{name} eq 'globals.sql' } @{ $lie->{files} } ];
unlink "$backups/$false/manifest.json" or die;
append_to_file("$backups/$false/manifest.json", encode_json($lie));
like($node->error("SELECT mfi_backup_verify('$false')"), qr/there is no backup set/, 'a set whose archive is none of its files is none');
ok(-s "$backups/$false/manifest.json.tmp", 'and nothing of it is deleted');
rmtree("$backups/$false");
my $odd = "$backups/$id/a\xff\xfe\e[2J\nLOG:  all is well";
append_to_file($odd, '');
is($node->sql("SELECT mfi_backup_verify('$id')"), 'file a???[2J LOG: all is well was not in the set when it was published', 'a name that is no text is told as one');
unlink $odd or die;
is($node->sql("SELECT mfi_backup_verify('$id')"), 'ok', 'without it the set is proven');

# Written to or replaced while it is verified: never called proven.
replace($path, 'pg_restore', q{for a; do case "$a" in /*.dump) file=$a ;; esac; done; case "$1" in --file=*) touch "$file" ;; esac; real "$@"});
like($node->error("SELECT mfi_backup_verify('$id')"), qr/file mfi_banking.dump was touched while the set was verified, so nothing is proven/, 'touched while it is read');
my $error = $node->error('SELECT mfi_backup_now(wait => true)');
like($error, qr/was touched while the set was verified.*complete but not verified/s, 'so is a new set');
is($node->sql('SELECT verify_result IS NULL FROM mfi_backups ORDER BY queued_at DESC LIMIT 1'), 't', 'and it is not called proven');
replace($path, 'pg_restore', q{[ "$1" != --list ] || { for a; do case "$a" in /*.dump) d=$(dirname "$a") ;; esac; done; mkfifo "$d/pipe"; }; real "$@"});
like($node->error('SELECT mfi_backup_now(wait => true)'), qr{/pipe" is not a regular file}, 'a pipe put into a set that is being made');
replace($path, 'pg_restore', undef);
$node->sql("SELECT mfi_backup_verify('$_')") for split /\n/, $node->sql("SELECT id FROM mfi_backups WHERE path IS NOT NULL AND verify_result IS NULL");

# Directories in the place of links hold up neither a backup nor retention.
unlink "$backups/latest";
mkdir "$backups/latest" or die;
$node->sql('SELECT mfi_backup_now(wait => true)');
my $newest = 'FROM mfi_backups ORDER BY queued_at DESC LIMIT 1';
like($node->sql("SELECT state, verify_result, error $newest"), qr/^succeeded\|ok\|the link "\Q$backups\E\/latest" could not be set, so remove what is there/, 'a directory in the place of latest: the backup is good, with a remark');
like($node->sql('SELECT reasons FROM mfi_backup_health'), qr/backup-remark.*could not be set/, 'which is in the verdict');
rmdir "$backups/latest" or die;
unlink "$backups/$id.sql.gz" or die;
mkdir "$backups/$id.sql.gz" or die;
for my $set (grep { -d "$backups/$_" && !-l "$backups/$_" && -e "$backups/$_/mfi_banking.dump" } split /\n/, $node->sql('SELECT id FROM mfi_backups WHERE path IS NOT NULL'))
{
	my $old = slurp_file("$backups/$set/manifest.json") =~ s/("(?:queued|started|finished|verified)_at": ")20\d\d/${1}2020/gr;
	unlink "$backups/$set/manifest.json" or die;
	append_to_file("$backups/$set/manifest.json", $old);
}
$node->set('mfi.backup_min_keep' => 1, 'mfi.backup_retain_days' => 1);
$node->sql('SELECT mfi_backup_now(wait => true)');
# The new one, and the only one to go back a day.
is($node->sql('SELECT count(*) FROM mfi_backups WHERE path IS NOT NULL'), 2, 'a directory in the place of a link: retention goes on');
ok(-d "$backups/$id.sql.gz" && !-e "$backups/$id", 'which stays, and its set does not');
$node->stop;
done_testing();
