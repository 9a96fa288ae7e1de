# A drill that must fail does, and names what: each kind of damage of a store, one after the other. A new full base
# follows at once.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use File::Path qw(remove_tree);
use MfiCommand qw(command);
use MfiPair qw(pair catch_up);
use MfiRecovery qw(receive directory_of await_drill drills forget_drills bases await_base path_of_base store_of segment_file rewrite change_record);
use PostgreSQL::Test::Utils qw(system_or_bail);
use Test::More;

my $segment_bytes = 1024 * 1024;
my ($primary, $standby) = pair(
	initdb => [ '--encoding=UTF8', '--locale=C.UTF-8', '--wal-segsize=1' ],
	conf => "summarize_wal = on\nmax_worker_processes = 16\nwal_keep_size = '256MB'\n");
$primary->sql(q{CREATE TABLE ledger (id int PRIMARY KEY, note text);
	INSERT INTO ledger SELECT i, 'as it was ' || i FROM generate_series(1, 1000) i});
receive($standby);
my $first = await_drill($standby);
is($first->{result}, 'ok', 'the store is good') or diag($first->{error});

# Finishes so many segments; returns their names.
sub write_segments
{
	my ($count) = @_;
	my @names;
	for (1 .. $count)
	{
		push @names, $primary->sql('SELECT pg_walfile_name(pg_current_wal_lsn())');
		$primary->sql("INSERT INTO ledger SELECT max(id) + 1, 'later' FROM ledger");
		$primary->safe_psql('postgres', 'SELECT pg_switch_wal()');
	}
	# Where it stays.
	$standby->wait_until('they are in the store', sub { -e store_of($standby) . "/wal/$names[-1].lz4" });
	return @names;
}

sub flipped
{
	my ($content, $at) = @_;
	substr($content, $at, 1) ^= "\x01";
	return $content;
}

# Damages the store while nobody is there, and lets the next drill begin.
sub drill_after
{
	my ($damage) = @_;
	my $newest = (bases($standby))[-1];
	$standby->stop;
	forget_drills($standby);
	$damage->($newest);
	$standby->start;
	# What is received shows that what was counted is there once something follows it.
	$standby->wait_until('a drill has ended', sub {
		$primary->sql(q{SELECT pg_logical_emit_message(true, 'test', 'goes on')});
		return scalar drills($standby);
	});
	return (drills($standby))[-1];
}

# A full base of after the damage. A standby's begins at a checkpoint of its primary.
sub new_full
{
	my ($what, $count, $why) = @_;
	$primary->safe_psql('postgres', 'CHECKPOINT');
	my $base = await_base($standby, $count);
	like($base->{id}, qr/-full$/, "$what: a full base follows at once");
	like($base->{remark} // '', $why, "$what: which says why");
	return;
}

sub fails
{
	my ($what, $damage, $error) = @_;
	my $count = bases($standby);
	my $drill = drill_after($damage);
	like(($drill->{error} // '') . ($drill->{result} // ''), $error, "$what: the drill says so");
	new_full($what, $count + 1, qr/^a full one: the drill of base \S+ failed/);
	return;
}

my @segments = write_segments(3);
fails('a segment that is another one', sub {
	my $file = segment_file($standby, $segments[1]);
	system_or_bail('cp', segment_file($standby, $segments[0]), $file);
}, qr/has as segment $segments[1] is another one/);

@segments = write_segments(3);
fails('a segment that is cut off', sub {
	my $file = segment_file($standby, $segments[1]);
	truncate($file, (-s $file) / 2) or die $!;
}, qr/the WAL segment ".*$segments[1].lz4" is damaged/);

fails('a flipped byte in the archive of a base', sub {
	my $archive = path_of_base($standby, $_[0]) . '/base.tar.zst';
	rewrite($archive, sub { flipped($_[0], length($_[0]) / 2) });
}, qr/base\.tar\.zst" could not be unpacked|pg_verifybackup refuses the base/);

fails('an archive that was packed again with a flipped byte', sub {
	my $archive = path_of_base($standby, $_[0]) . '/base.tar';
	system_or_bail('zstd', '-q', '-d', '--rm', "$archive.zst");
	rewrite($archive, sub { flipped($_[0], index($_[0], 'as it was 500')) });
	system_or_bail('zstd', '-q', '-1', '--rm', $archive);
}, qr/pg_verifybackup refuses the base .*checksum mismatch for file/);

fails('the files of another base', sub {
	my ($other) = map { path_of_base($standby, $_) } grep { $_->{id} ne $_[0]->{id} } bases($standby);
	system_or_bail('cp', "$other/base.tar.zst", "$other/backup_manifest", path_of_base($standby, $_[0]));
}, qr/are those of another base/);

# Where a server is not consistent yet it takes no sessions, and would wait.
write_segments(1);
fails('a damaged record that the base needs', sub {
	my ($base) = @_;
	my $at = hex($base->{start} =~ s{.*/}{}r);
	my $name = sprintf('%08X%08X%08X', $base->{timeline}, hex($base->{start} =~ s{/.*}{}r), $at / $segment_bytes);
	my $packed = segment_file($standby, $name);
	my $plain = $packed =~ s/\.lz4$//r;
	unlink $packed;
	system_or_bail('cp', $primary->data_dir . "/pg_wal/$name", $plain);
	rewrite($plain, sub { flipped($_[0], $at % $segment_bytes + 20) });
}, qr{the WAL that base \S+ needs, from \S+ to \S+, is damaged: .*(?:could not find a valid record after|in record at) [0-9A-F]+/[0-9A-F]+}s);

# A page that was changed past WAL: what the node shows is not what its store gives.
$primary->safe_psql('postgres', 'CHECKPOINT');
catch_up($primary, $standby);
$standby->safe_psql('postgres', 'CHECKPOINT');
my $heap = $standby->data_dir . '/' . $primary->sql("SELECT pg_relation_filepath('ledger')");
fails('rows that differ', sub {
	rewrite($heap, sub { return $_[0] =~ s/as it was 777/as it was 778/r });
}, qr/ledger/);

# WAL that is missing is seen without a drill.
@segments = write_segments(3);
my $count = bases($standby);
unlink segment_file($standby, $segments[1]);
$standby->reload;
new_full('a deleted segment', $count + 1, qr/^a full one: WAL is missing after base/);
my (undef, $list) = command($standby, 'recover', '--list', '--store', store_of($standby));
like($list, qr/then WAL is missing, from segment $segments[1] to $segments[1]\n/, 'a deleted segment: it is named');

# A slot that is lost while nobody receives. Who summarizes WAL would keep it, too.
$standby->set(wal_keep_size => '0', max_slot_wal_keep_size => q('2MB'), summarize_wal => 'off');
$count = bases($standby);
my $last = $primary->sql('SELECT pg_walfile_name(pg_current_wal_lsn())');
my ($place, $away) = (directory_of($standby), directory_of($standby) . '.away');
rename $place, $away or die $!;
$standby->safe_psql('postgres', "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = 'mfi_recovery'");
$primary->sql("INSERT INTO ledger SELECT max(id) + 1, 'later' FROM ledger; SELECT pg_switch_wal();" x 20);
$primary->safe_psql('postgres', 'CHECKPOINT');
catch_up($primary, $standby);
$standby->safe_psql('postgres', 'CHECKPOINT');
$standby->wait_sql("SELECT wal_status = 'lost' FROM pg_replication_slots WHERE slot_name = 'mfi_recovery'");
$standby->set(summarize_wal => 'on');
rename $away, $place or die $!;
new_full('a lost slot', $count + 1, qr/^a full one: WAL is missing after base/);
is($standby->safe_psql('postgres', "SELECT wal_status FROM pg_replication_slots WHERE slot_name = 'mfi_recovery'"), 'reserved', 'a lost slot: another is made');
(undef, $list) = command($standby, 'recover', '--list', '--store', store_of($standby));
my ($lost) = $list =~ /.*then WAL is missing, from segment (\S+) to /s;
cmp_ok($lost, 'ge', $last, 'a lost slot: what is missing is named');
$standby->set(wal_keep_size => q('256MB'), max_slot_wal_keep_size => q('1GB'));

# A base of another cluster is none, however new it claims to be.
$count = bases($standby);
my $drill = drill_after(sub {
	my ($own) = @_;
	my $id = '20990101T000000Z-full';
	system_or_bail('cp', '-r', path_of_base($standby, $own), store_of($standby) . "/base/$id");
	change_record(store_of($standby) . "/base/$id/base.json", id => $id, system_identifier => '7000000000000000001', end => 'FF/0');
});
is($drill->{result} . ($drill->{error} // ''), 'ok', 'a base of another cluster: the drill is good');
isnt($drill->{base}, '20990101T000000Z-full', 'with a base of its own');
remove_tree(store_of($standby) . '/base/20990101T000000Z-full');

# A chain of three, the middle of which goes.
sub incremental
{
	my ($count) = @_;
	$primary->safe_psql('postgres', 'CHECKPOINT');
	catch_up($primary, $standby);
	change_record(path_of_base($standby, $_) . '/base.json', started_at => '2020-01-01T00:00:00Z') for bases($standby);
	$standby->reload;
	return await_base($standby, $count);
}
$standby->append_conf('postgresql.conf', "mfi.recovery_incremental_schedule = '0 0 1 1 *'\n");
my @parts = map { incremental($count + $_) } 1 .. 2;
like("$_->{id}", qr/-incr$/, 'an incremental base') for @parts;
is($parts[1]{parent}, $parts[0]{id}, 'one on the other');
$standby->wait_until('they are drilled', sub {
	$primary->sql(q{SELECT pg_logical_emit_message(true, 'test', 'goes on')});
	return grep { $_->{base} eq $parts[1]{id} } drills($standby);
});
is((drills($standby))[-1]{result}, 'ok', 'a chain is good');
remove_tree(path_of_base($standby, $parts[0]));
$standby->reload;
new_full('a missing part of a chain', $count + 2, qr/^a full one: the chain of base $parts[1]{id} is not whole/);
$standby->wait_until('it is drilled', sub {
	$primary->sql(q{SELECT pg_logical_emit_message(true, 'test', 'goes on')});
	return (drills($standby))[-1]{base} ne $parts[1]{id};
});
is((drills($standby))[-1]{result}, 'ok', 'a missing part of a chain: the drill takes one that is whole');
$standby->stop;
$primary->stop;
done_testing();
