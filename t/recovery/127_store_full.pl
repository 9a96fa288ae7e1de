# The store's disk is full, in each phase: a real one of 128 MB that check.sh mounts (MFI_SMALL_DISK). The primary goes on.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiNode;
use MfiRecovery qw(change_record);
use MfiShim qw(install_with replace);
use MfiSmallDisk qw(small_disk);
use PostgreSQL::Test::Utils qw(slurp_dir);
use Test::More;

my $disk = small_disk();
my $path = install_with();
my $node = MfiNode->bank('bank', streaming => 1, install_path => $path, initdb => [ '--encoding=UTF8', '--locale=C.UTF-8', '--wal-segsize=1' ], conf => <<'CONF');
summarize_wal = on
max_slot_wal_keep_size = 16MB
max_wal_size = 32MB
min_wal_size = 2MB
wal_keep_size = 0
mfi.recovery_full_schedule = ''
mfi.recovery_incremental_schedule = ''
mfi.recovery_window = '1d'
CONF
my $fill = "dd if=/dev/zero of=$disk/fill bs=64k status=none 2>/dev/null || dd if=/dev/zero of=$disk/fill.rest bs=1 count=65536 status=none 2>/dev/null || true";
my $free = sub { unlink glob("$disk/fill*"); };
my $bases = sub { return $node->sql('SELECT count(*) FROM mfi_recovery_backups') };
my $reasons = sub { return $node->sql(q{SELECT verdict || ' ' || reasons::text FROM mfi_health('recovery')}) };

mkdir "$disk/recovery", 0700 or die $!;
$node->append_conf('postgresql.conf', "mfi.scratch_directory = '@{[ $node->basedir ]}'\nmfi.recovery_directory = '$disk/recovery'\n");
$node->reload;
$node->wait_sql("SELECT drill_result = 'ok' AND running IS NULL FROM mfi_recovery");

# Before it is full: by the WAL since a base that is old enough to tell.
my ($record) = glob("$disk/recovery/*/base/*/base.json");
change_record($record, finished_at => '2020-01-01T00:00:00Z', started_at => '2020-01-01T00:00:00Z');
like($reasons->(), qr/^critical .*recovery-store-full: [^"]*"$disk\/recovery[^"]*" has \d+ MB left.*: receiving stops when it is full/, 'little room: told before it is full');

# While it is received: the slot is given up before pg_wal fills, and all of it goes on when there is room again.
my $segment = $node->sql('SELECT pg_walfile_name(pg_current_wal_lsn())');
system($fill);
$node->sql('CREATE TABLE noise (v bytea)');
my $written = 0;
$node->wait_until('the receiver cannot go on', sub {
	$node->sql("INSERT INTO noise SELECT sha512((i * random())::text::bytea) FROM generate_series(1, 4000) i; SELECT pg_switch_wal()");
	$written++;
	return $node->sql('SELECT error FROM mfi_recovery') =~ /No space left on device/;
});
$node->sql("INSERT INTO noise SELECT sha512((i * random())::text::bytea) FROM generate_series(1, 4000) i; SELECT pg_switch_wal()") for $written .. 60;
$node->safe_psql('postgres', 'CHECKPOINT') for 1 .. 2;
cmp_ok($node->sql('SELECT sum(size) FROM pg_ls_waldir()'), '<', 48 * 1024 * 1024, 'receiving: pg_wal stays bounded, and who writes goes on');
like($reasons->(), qr/^critical .*recovery-store-full/, 'receiving: the verdict says so');
$free->();
$node->wait_sql("SELECT receiver_state = 'receiving' AND gap ~ '^[0-9A-F]{24} to [0-9A-F]{24}' FROM mfi_recovery");
my ($from) = $node->sql('SELECT gap FROM mfi_recovery') =~ /^(\S+)/;
cmp_ok($from, 'ge', $segment, 'receiving: the gap is named, and begins where it was full');
$node->wait_sql('SELECT count(*) = 2 AND bool_and(kind = $$full$$) FROM mfi_recovery_backups');
$node->wait_sql("SELECT drill_result = 'ok' AND last_drill_at > last_base_at AND running IS NULL FROM mfi_recovery");
pass('receiving: a new full base and its drill follow by themselves');

# While a base is made: nothing is left of it.
replace($path, 'pg_basebackup', qq{case " \$* " in *" --version "*) ;; *) $fill ;; esac\nreal "\$@"});
like($node->error('SELECT mfi_recovery_base_now(true)'), qr/the base failed: .*No space left on device/s, 'base: the caller is told');
replace($path, 'pg_basebackup', undef);
$free->();
is($bases->(), '2', 'base: there is none of it');
is(join(' ', grep { /^\.new/ } map { slurp_dir($_) } glob("$disk/recovery/*/base")), '', 'base: and nothing is left');
$node->wait_sql("SELECT receiver_state = 'receiving' FROM mfi_recovery");
my $next = $node->sql('SELECT mfi_recovery_base_now()');
like($next, qr/-incr$/, 'base: the next one is made');
$node->wait_sql("SELECT drilled_at IS NOT NULL AND (SELECT running IS NULL FROM mfi_recovery) FROM mfi_recovery_backups WHERE id = '$next'");

# While a drill replays: what it found cannot be noted. It speaks against no base.
replace($path, 'pg_combinebackup', qq{$fill\nreal "\$@"});
like($node->error('SELECT mfi_recovery_drill()'), qr/No space left on device/, 'drill: the caller is told');
replace($path, 'pg_combinebackup', undef);
$free->();
$node->wait_sql("SELECT receiver_state = 'receiving' FROM mfi_recovery");
is($node->sql('SELECT mfi_recovery_drill()'), 'ok', 'drill: the next one is good');
is($bases->(), '3', 'drill: no base was taken for a bad one');

# The disk of the drill, which is the store's, too: what is written meanwhile cannot be received.
$node->set('mfi.scratch_directory' => "'$disk'");
system($fill);
like($node->error('SELECT mfi_recovery_drill()'), qr/free, a recovery needs|No space left on device|has not written WAL down to/, 'scratch: no room for a drill');
$free->();
$node->set('mfi.scratch_directory' => "'@{[ $node->basedir ]}'");
$node->stop;
done_testing();
