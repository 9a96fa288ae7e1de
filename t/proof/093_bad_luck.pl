# What befalls the scratch server or its programs says nothing about a set: it stays, nothing is proven, and the proof is tried again.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiClock;
use MfiNode;
use MfiShim qw(install_with replace);
use Test::More;

my $path = install_with();
my $clock = MfiClock->new;
my $node = MfiNode->prepared('bank', install_path => $path, conf => "mfi.backup_verify = 'restore'\n");
$clock->start($node);
$node->safe_psql('postgres', 'CREATE DATABASE mfi_banking');
$node->sql('CREATE EXTENSION mfi CASCADE; CREATE TABLE loan AS SELECT i FROM generate_series(1, 1000) i');
my $good = $node->backup_ok;

# A process of the scratch server, as pg_restore finds it: that of its directory.
my $server = q{directory=; for a in "$@"; do case "$a" in --dbname=*) directory=${a#--dbname=host=\'}; directory=${directory%%\'*} ;; esac; done
	postmaster=; for p in /proc/[0-9]*; do case "$(tr '\0' ' ' <$p/cmdline 2>/dev/null)" in *unix_socket_directories=$directory*) postmaster=${p#/proc/} ;; esac; done};
my %luck = (
	'pg_restore killed' => q{case "$*" in *--jobs=*) kill -9 $$ ;; esac; real "$@"},
	'pg_restore that fails' => q{case "$*" in *--jobs=*) exit 1 ;; esac; real "$@"},
	'the scratch server killed' => qq{case "\$*" in *--jobs=*) $server; [ -n "\$postmaster" ] && kill -9 \$postmaster ;; esac; real "\$@"},
	'a backend of it killed' => qq{case "\$*" in *--jobs=*) $server; for p in \$(pgrep -P \$postmaster); do case "\$(tr '\\0' ' ' </proc/\$p/cmdline)" in *checkpointer*) kill -9 \$p ;; esac; done ;; esac; real "\$@"});
# Each befalls a proof; when it is over, the same set is proven.
sub befalls
{
	my (%luck) = @_;
	for my $name (sort keys %luck)
	{
		my $program = $name =~ /^initdb/ ? 'initdb' : 'pg_restore';
		replace($path, $program, $luck{$name});
		my ($status, $id, $error) = $node->psql('mfi_banking', 'SELECT mfi_backup_now(wait => true)');
		is($node->run($id, 'state, verify_method, verify_result, path IS NOT NULL'), 'succeeded|restore||t', "$name: the set stays, not proven");
		like($node->run($id, 'error'), qr/^the backup could not be proven: /, "$name: and the record says so");
		like($error, qr/WARNING: .*could not be proven/, "$name: the caller is told");
		like($node->sql("SELECT mfi_backup_verify('$id')"), qr/not verified \(the backup could not be proven/, "$name: again");
		is(readlink($node->backups . '/latest'), $good, "$name: the newest proven set is the latest");
		note $node->run($id, 'error');
		replace($path, $program, undef);
		is($node->sql("SELECT mfi_backup_verify('$id')"), 'ok', "$name: when it is over, the set is proven");
		$good = $id;
	}
	return;
}
befalls(%luck);

# Without anybody's help: after minutes, then later and later.
replace($path, 'pg_restore', $luck{'pg_restore that fails'});
my ($status, $id) = $node->psql('mfi_banking', 'SELECT mfi_backup_now(wait => true)');
like($node->sql(q{SELECT reasons::text FROM mfi_health('backup')}), qr/backup-not-proven: .*could not be proven/, 'the verdict says it at once');
replace($path, 'pg_restore', undef);
$clock->set(240);
isnt($node->run($id, 'verify_result'), 'ok', 'not yet');
$clock->set(301);
$node->wait_sql("SELECT verify_result = 'ok' FROM mfi_backups WHERE id = '$id'");
is($node->run($id, 'verify_result, error'), 'ok|', 'proven by itself');
unlike($node->sql(q{SELECT reasons FROM mfi_health('backup')}), qr/proven/, 'and the verdict has nothing more to say of it');

# Not for ever.
replace($path, 'pg_restore', $luck{'pg_restore that fails'});
($status, $id) = $node->psql('mfi_banking', 'SELECT mfi_backup_now(wait => true)');
my $manifest = $node->backups . "/$id/manifest.json";
for my $tried (2 .. 4)
{
	$clock->set(400 + 3600 * $tried);
	$node->wait_until("attempt $tried", sub { PostgreSQL::Test::Utils::slurp_file($manifest) =~ /"proof_attempts": $tried/ });
	$node->wait_sql('SELECT count(*) = 0 FROM mfi_backup_progress');
}
$clock->set(400 + 3600 * 9);
is($node->sql('SELECT count(*) FROM mfi_backup_progress'), '0', 'four attempts, and no more');

# Memory too small for one index, for a value that is read, or for a program: of address space beyond what each process has had at its start.
$clock->set(0);
$node->sql(q{CREATE TABLE noise AS SELECT md5(i::text) AS v FROM generate_series(1, 300000) i; CREATE INDEX ON noise (v)});
replace($path, 'pg_restore', undef);
$good = $node->backup_ok;
my $limit = sub { qq{$server; [ -z "\$postmaster" ] || prlimit --pid \$postmaster --as=\$((1024 * \$(sed -n 's/^VmSize:\\s*\\([0-9]*\\).*/\\1/p' /proc/\$postmaster/status) + $_[0] * 1024 * 1024))} };
befalls(
	'no memory for an index' => qq{case "\$*" in *--jobs=*) @{[ $limit->(16) ]} ;; esac; real "\$@"},
	'no memory for a session' => qq{case "\$*" in *--jobs=*) @{[ $limit->(0) ]} ;; esac; real "\$@"},
	'no memory for pg_restore' => qq{case "\$*" in *--jobs=*) ulimit -v 9000 ;; esac; real "\$@"},
	'initdb has no memory' => 'ulimit -v 150000; real "$@"');
$node->sql(q{CREATE TABLE large AS SELECT repeat('x', 60000000) AS v});
befalls('no memory for a value' => qq{real "\$@"; case "\$*" in *--jobs=*) @{[ $limit->(32) ]} ;; esac});
$node->stop;
done_testing();
