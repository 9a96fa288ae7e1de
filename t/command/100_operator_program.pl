# The operator's program mfi: what each subcommand says and its exit code, for people and as JSON.

use strict;
use warnings FATAL => 'all';
use FindBin;
use IPC::Run ();
use JSON::PP qw(decode_json);
use Test::More;
use lib "$FindBin::RealBin/../lib";
use MfiNode;

my $node = MfiNode->bank('operator', conf => "mfi.backup_verify = restore\n");
$node->launcher_ready;

# mfi(WORD...): (exit code, standard output, standard error)
sub mfi
{
	my (@words) = @_;
	local %ENV = $node->_get_env(PGDATABASE => 'mfi_banking');
	my ($out, $error) = ('', '');
	IPC::Run::run([ 'timeout', '120', 'mfi', @words ], '<', \'', '>', \$out, '2>', \$error);
	return ($? >> 8, $out, $error);
}

my ($code, $out, $error) = mfi('--version');
like("$code $out", qr/^0 mfi \d+\.\d+$/, 'the version');
($code, $out, $error) = mfi();
like("$code $out$error", qr/^2 .*subcommand is required/s, 'no subcommand is wrong use');
for my $wrong ([ 'oops' ], [ 'backup', '--oops' ], [ 'verify' ], [ 'hold', 'an_id' ])
{
	($code, $out, $error) = mfi(@$wrong);
	is($code, 2, "wrong use: @$wrong") or diag("$out$error");
}
($code, $out) = mfi('--help');
my @subcommands = $out =~ /^  ([a-z]+) +\S/mg;
cmp_ok(scalar(@subcommands), '>', 10, 'the subcommands have a word each');
for my $name (@subcommands)
{
	($code, $out) = mfi($name, '--help');
	like("$code $out", qr/^0 .*--help/s, "mfi $name --help");
}

# A backup, for people and for programs.
($code, $out, $error) = mfi('backup', 'by hand');
like("$code $out", qr/^0 backup (\S+)\n.*^succeeded: \d+ \S+, \S+, verified: ok$/ms, 'mfi backup') or diag($error);
my ($id) = $out =~ /^backup (\S+)/;
($code, $out, $error) = mfi('backup', '--json', 'second');
my $backup = decode_json($out);
is($code, 0, 'mfi backup --json');
is("$backup->{state} $backup->{verify_method} $backup->{verify_result}", 'succeeded restore ok', 'tells the end');
cmp_ok($backup->{size_bytes}, '>', 1000, 'and the size');

($code, $out) = mfi('backups');
like($out, qr/\Abackup +state .*^\Q$id\E  succeeded  restore .* by hand\n\Q$backup->{id}\E  succeeded /ms, 'mfi backups');
($code, $out) = mfi('backups', '--json');
my @ids = map { $_->{id} } @{ decode_json($out) };
is("@ids", "$id $backup->{id}", 'mfi backups --json');
is_deeply(
	[ sort keys %{ decode_json($out)->[0] } ],
	[ sort split /\n/, $node->sql(q{SELECT attname FROM pg_attribute WHERE attrelid = 'mfi_backups'::regclass AND attnum > 0}) ],
	'with every column');

is_deeply([ mfi('verify', $id) ], [ 0, "ok\n", '' ], 'mfi verify');
($code, $out) = mfi('verify', '--json', $id);
is_deeply([ $code, decode_json($out) ], [ 0, { id => $id, result => 'ok' } ], 'mfi verify --json');
is_deeply([ mfi('hold', $id, 'for the auditor') ], [ 0, "$id is kept until mfi release\n", '' ], 'mfi hold');
($code, $out) = mfi('backups');
like($out, qr/^\Q$id\E .* held +by hand$/m, 'which the list shows');
is_deeply([ mfi('release', $id) ], [ 0, "$id is no longer held\n", '' ], 'mfi release');
for my $refused ([ 'verify', 'nothing' ], [ 'hold', 'nothing', 'why' ], [ 'release', 'nothing' ], [ 'cancel', $id ], [ 'adopt', $id ])
{
	($code, $out, $error) = mfi(@$refused);
	like("$code $out$error", qr/^1 mfi: \S/, "refused, with the reason: @$refused");
	note($error);
}

# A set of another cluster, whose note would write over the terminal.
my $directory = $node->sql('SHOW mfi.backup_directory');
my $manifest = "$directory/$backup->{id}/manifest.json";
open(my $file, '<', $manifest) or die $!;
my $text = join '', <$file>;
close $file;
$text =~ s/"note": *"second"/"note": "second\\u001b[2J"/ or die 'no note in the manifest';
$text =~ s/("system_identifier": *"?)\d+/${1}123/ or die 'no system identifier in the manifest';
open($file, '>', $manifest) or die $!;
print $file $text;
close $file;
$node->wait_until('a set of another cluster is foreign', sub { ($code, $out) = mfi('backups'); $out =~ /^\Q$backup->{id}\E .*foreign/m });
unlike($out, qr/\e/, 'what it holds cannot write over the terminal');
is_deeply([ mfi('adopt', $backup->{id}) ], [ 0, "$backup->{id} is one of this cluster's own\n", '' ], 'mfi adopt');

# The verdict.
($code, $out) = mfi('health', 'node', '--json');
my $health = decode_json($out);
is($code, { ok => 0, warning => 1, critical => 2 }->{ $health->{verdict} }, 'mfi health --json: the exit code is that of the verdict');
is($health->{verdict}, $node->sql(q{SELECT verdict FROM mfi_health('node')}), 'which is that of mfi_health');
($code, $out) = mfi('health', 'oops');
like("$code $out", qr/^2 critical: no verdict \(scope oops\)\n  \S/, 'a scope that there is not');

# The version of the database's objects.
($code, $out) = mfi('upgrade');
like("$code $out", qr/^0 extension \S+, as before$/, 'mfi upgrade, when nothing is to do');
$node->sql('CREATE DATABASE older');
$node->safe_psql('older', q{CREATE EXTENSION mfi VERSION '1.0' CASCADE});
{
	local %ENV = (%ENV, $node->_get_env(PGDATABASE => 'older'));
	IPC::Run::run([ 'mfi', 'upgrade' ], '>', \$out);
	like($out, qr/^extension \S+, before: 1\.0$/, 'mfi upgrade');
	$ENV{PGDATABASE} = 'postgres';
	IPC::Run::run([ 'mfi', 'upgrade' ], '>&', \$out);
	like($out, qr/^mfi: this database has no extension mfi\n    Set PGDATABASE /, 'a database without the extension');
}

# What the container db-backup does: it asks for a backup when none is fresh, and tells each change.
{
	local %ENV = $node->_get_env(PGDATABASE => 'mfi_banking');
	my $said = '';
	my $run = IPC::Run::start([ 'mfi', 'node', 'follow' ], '<', \'', '>&', \$said);
	$node->wait_until('it tells the backups', sub { $run->pump_nb; $said =~ /UTC mfi: \Q$id\E succeeded \(manual\).*verified by restore: ok$/m });
	(undef, my $third) = mfi('backup', '--json');
	$third = decode_json($third)->{id};
	$node->wait_until('it tells a new one', sub { $run->pump_nb; $said =~ /\Q$third\E succeeded/ });
	my @lines = $said =~ /^(.*\Q$id\E succeeded.*)$/mg;
	is(scalar(@lines), 1, 'each once');
	$run->signal('TERM');
	$run->finish;
	is($run->result(0), 0, 'it ends when it is told to');
}

# The manual and the completion that make install puts in place.
($code, $out) = mfi('manual');
like($out, qr/^\.TH MFI 1 .*^\.SS mfi backup \[note\]/ms, 'the manual page');
($code, $out) = mfi('completion');
like($out, qr/complete .* mfi$/, 'the completion');

$node->stop;
done_testing();
