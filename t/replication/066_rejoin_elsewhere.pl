# mfi rejoin of a data directory whose tablespaces and pg_wal lie elsewhere, one in another, one behind a link: what cannot be rewound is
# cloned and set aside, all of it or nothing. The password in a connection string is in no command line and no environment.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use File::Copy qw(copy);
use File::Find qw(find);
use MfiNode;
use MfiPair qw(base_backup catch_up);
use MfiCommand qw(command does_ok);
use MfiShim qw(install_with replace real_program);
use PostgreSQL::Test::Utils qw(append_to_file slurp_file);
use Test::More;

my ($password, $typed) = ('ge:heim\\7f3a', 'ge:heim\\\\7f3a');
my $dir = PostgreSQL::Test::Utils::tempdir;
my ($calls, $environments) = ("$dir/calls", "$dir/environments");
mkdir "$dir/$_" or die $! for 'one', 'one/a', 'one/a/inner', 'one/real', 'two', 'copy';
symlink("$dir/one/real", "$dir/one/link") or die $!;

# Programs that tell what they were called with; with the file `fail`, pg_basebackup ends before its end.
my $shim = install_with();
unlink "$shim/bin/mfi";
copy(real_program('mfi'), "$shim/bin/mfi") or die $!;
chmod 0755, "$shim/bin/mfi";
replace($shim, $_, "printf '%s\\n' '$_' \"\$@\" >>$calls; env >>$environments; real \"\$@\"; [ $_ != pg_basebackup ] || [ ! -e $dir/fail ] || exit 1") for qw(pg_basebackup pg_rewind pg_controldata);

my $one = MfiNode->bank('db_one', install_path => $shim, streaming => 1, conf => "listen_addresses = '127.0.0.1'\n",
	initdb => [ '--encoding=UTF8', '--locale=C.UTF-8', "--waldir=$dir/one/wal" ]);
$one->safe_psql('postgres', "SET password_encryption = 'scram-sha-256'; CREATE ROLE rejoiner LOGIN SUPERUSER REPLICATION PASSWORD '$password'");
my %at = (top => 'a', deep => 'a/inner', linked => 'link');
for my $name (sort keys %at)
{
	$one->safe_psql('postgres', "CREATE TABLESPACE $name LOCATION '$dir/one/$at{$name}'");
	$one->sql("CREATE TABLE in_$name TABLESPACE $name AS SELECT 1 AS x");
}
{
	my $hba = slurp_file($one->data_dir . '/pg_hba.conf');
	unlink $one->data_dir . '/pg_hba.conf' or die $!;
	$one->append_conf('pg_hba.conf', "host all,replication rejoiner 127.0.0.1/32 scram-sha-256\n$hba");
	$one->reload;
}
my %oid = map { $_ => $one->sql("SELECT oid FROM pg_tablespace WHERE spcname = '$_'") } keys %at;
base_backup($one, 'copy', backup_options => [ map { "--tablespace-mapping=$dir/one/$at{$_}=$dir/copy/$_" } keys %at ]);
my $two = MfiNode->new('db_two', install_path => $shim);
$two->init_from_backup($one, 'copy', has_streaming => 1, tablespace_map => { map { $oid{$_} => "$dir/two/$_" } keys %at });
$two->{database} = $one->database;
mkdir $two->backups or die $!;
my ($to_one, $to_two) = map { "host=127.0.0.1 port=@{[ $_->port ]} user=rejoiner password=$typed" } $one, $two;
$one->safe_psql('postgres', "SELECT pg_create_physical_replication_slot('two')");
$two->append_conf('postgresql.conf', "primary_conninfo = '$to_one'\nprimary_slot_name = 'two'\nmfi.backup_directory = '@{[ $two->backups ]}'\n");
$two->start;
catch_up($one, $two);
$one->stop;
does_ok('mfi promote', $two, 'promote', '--within', '0.3');
$two->sql("INSERT INTO in_$_ VALUES (2)") for keys %at;

# Everything that belongs to the old primary, with what its links lead to.
sub all_of_it
{
	my @found;
	find({ no_chdir => 1, wanted => sub { my $target = readlink; push @found, $_ . (defined $target ? " -> $target" : -f $_ ? ' ' . -s _ : '') } }, $one->data_dir, "$dir/one");
	return join "\n", sort grep { !/postmaster\.(?:opts|pid)/ } @found;
}
my @rejoin = ('rejoin', '-D', $one->data_dir, '-d', $to_two);
my $before = all_of_it();
my $unchanged = sub {
	my ($what, $regex, @more) = @_;
	my ($code, $said) = command($one, @rejoin, @more);
	like("$code $said", qr/^1 .*$regex/s, "$what: refused, and says why");
	is(all_of_it(), $before, "$what: all is as it was");
	return;
};
mkdir "$dir/one/a.clone" or die $!;
$before = all_of_it();
$unchanged->('a clone of before', qr{one/a\.clone is in the way; nothing was changed}, '--clone');
rmdir "$dir/one/a.clone" or die $!;
$before = all_of_it();
chmod 0555, "$dir/one" or die $!;
$unchanged->('a directory that cannot be renamed', qr{one/\w+ cannot be set aside: this user may not write into $dir/one; nothing was changed\n +\S}, '--clone');
chmod 0755, "$dir/one" or die $!;
append_to_file("$dir/fail", '');
$unchanged->('a clone that fails', qr/the clone failed; the old data directory is as it was/);
unlink "$dir/fail" or die $!;

my $links = sub { my ($data) = @_; return map { $_ => readlink("$data/$_") } 'pg_wal', map { "pg_tblspc/$_" } values %oid };
my %links = $links->($one->data_dir);
my $said = does_ok('mfi rejoin by a clone, as there are no checksums', $one, @rejoin);
like($said, qr/pg_rewind could not do it.*what belongs to it elsewhere beside it, too/s, 'it says so');
$one->_update_pid(1);
catch_up($two, $one);
is($one->sql("SELECT string_agg(x::text, ',') FROM in_$_"), '1,2', "it has the rows of the tablespace $_") for sort keys %at;
is_deeply({ $links->($one->data_dir) }, \%links, 'its directories are where they were');
my ($aside) = glob $one->data_dir . '.aside.*';
my ($suffix) = $aside =~ /(\.aside\.[^.]+)$/ or die $aside;
is_deeply({ $links->($aside) }, {
	'pg_wal' => "$dir/one/wal$suffix", "pg_tblspc/$oid{top}" => "$dir/one/a$suffix",
	"pg_tblspc/$oid{deep}" => "$dir/one/a$suffix/inner", "pg_tblspc/$oid{linked}" => "$dir/one/real$suffix" }, 'those set aside are together');
ok(-d "$aside/$_/", "$_ of what was set aside is there") for sort keys %links;
is(join(' ', grep { /\.clone/ } split /\n/, all_of_it()), '', 'nothing is left of the clone');

# What others could see.
my $seen = slurp_file($calls) . slurp_file($environments);
like($seen, qr/pg_rewind\n.*--source-server=.*pg_basebackup\n/s, 'the programs were called');
unlike($seen, qr/heim/, 'no password in a command line, nor in an environment');
unlike($said . slurp_file($one->data_dir . '/rejoin.log'), qr/heim/, 'nor in a log');
like($seen, qr/^PGPASSFILE=(\S+)/m, 'it is in a file');
ok(!-e $1, 'which is gone') if $seen =~ /^PGPASSFILE=(\S+mfi-pass\S+)/m;
$one->stop;
$two->stop;
done_testing();
