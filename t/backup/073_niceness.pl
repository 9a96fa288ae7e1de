# Who works gives way to who serves: every process of a backup and of its proof has mfi.backup_nice, those of the server too,
# and no other has.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiNode;
use MfiShim qw(install_with replace while_there);
use PostgreSQL::Test::Utils qw(slurp_file);
use Test::More;

my $path = install_with();
my $node = MfiNode->bank('bank', install_path => $path, conf => "mfi.backup_verify = 'restore'\n");
my $dir = PostgreSQL::Test::Utils::tempdir;

# pg_dump stands still in the middle of its copying: nobody reads more than its table of contents. pg_restore before it begins.
$node->sql('CREATE TABLE large AS SELECT i, gen_random_bytes(1000) AS noise FROM generate_series(1, 5000) i');
replace($path, 'pg_dump', <<"SHELL");
for a in "\$@"; do case "\$a" in --file=*) file=\${a#--file=} ;; *) [ \$# -gt 1 ] || { real "\$@"; exit; } ;; esac; done
mkfifo "\$file.fifo"
{ exec 3<"\$file.fifo" 4>"\$file"; head -c 1000000 <&3 >&4; @{[ while_there("$dir/dump") ]}; cat <&3 >&4; } &
real "\${@/#--file=*/--file=\$file.fifo}"
wait
rm "\$file.fifo"
SHELL
replace($path, 'pg_restore', qq{case "\$1" in --jobs=*) @{[ while_there("$dir/restore") ]} ;; esac; real "\$@"});

# "niceness policy group's niceness" of a process; the policy 3 is SCHED_BATCH, the group is of its session.
sub scheduling
{
	my ($pid) = @_;
	my @stat = split ' ', slurp_file("/proc/$pid/stat") =~ s/.*\)//sr;
	my $group = -e "/proc/$pid/autogroup" ? slurp_file("/proc/$pid/autogroup") =~ s/.* nice (-?\d+)\n/$1/sr : $stat[16];
	return "$stat[16] $stat[38] $group";
}

sub all_are
{
	my ($what, $expected, $pids) = @_;
	my %seen;
	my $right = eval {
		$node->wait_until($what, sub {
			%seen = map { $_ => eval { scheduling($_) } // $expected } $pids->();
			return keys %seen && !grep { $_ ne $expected } values %seen;
		});
	};
	ok($right, "$what: " . join(', ', map { MfiNode::command_of($_) =~ s{.*/(\w+) .*}{$1}sr . " $seen{$_}" } sort keys %seen));
	return;
}

my $sessions = sub { split /\n/, $node->sql("SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'mfi backup %'") };
my $others = sub { split /\n/, $node->sql("SELECT pid FROM pg_stat_activity WHERE backend_type <> 'mfi runner' AND pid <> pg_backend_pid()") };
my $clients = sub { my %found = $node->children; return keys %found };
my $scratch = sub {
	my ($file) = glob($node->basedir . '/mfi-scratch-*/data/postmaster.pid') or return ();
	my ($postmaster) = slurp_file($file) =~ /^(\d+)/;
	return ($postmaster, split ' ', slurp_file("/proc/$postmaster/task/$postmaster/children"));
};

my $usual = scheduling($node->pid_of('mfi launcher'));
sub look
{
	my ($name, $expected) = @_;
	for my $phase ('dump', 'restore')
	{
		open(my $out, '>', "$dir/$phase") or die $!;
		close $out;
	}
	my $id = $node->backup;
	$node->wait_sql("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'mfi backup $id' AND query LIKE 'COPY %large%')");
	all_are("$name: server processes that are dumped from", $expected, $sessions);
	all_are("$name: pg_dump", $expected, $clients);
	unlink "$dir/dump";
	$node->wait_until('the restore has begun', sub { grep { /pg_restore.*--jobs=/ } values %{ { $node->children } } });
	all_are("$name: the scratch server", $expected, $scratch);
	all_are("$name: pg_restore", $expected, $clients);
	all_are("$name: the server's other processes", $usual, $others);
	unlink "$dir/restore";
	$node->wait_sql("SELECT verify_result = 'ok' FROM mfi_backups WHERE id = '$id'");
	return;
}

look('not nice', $usual);
$node->set('mfi.backup_nice' => '7');
look('nice', '7 3 7');
$node->set('mfi.backup_nice' => $node->sql("SELECT boot_val FROM pg_settings WHERE name = 'mfi.backup_nice'"));
look('as it comes', '19 3 19');

# Two jobs. The rows of an extension's table are copied under a condition, which waits for a lock here.
replace($path, 'pg_dump', undef);
$node->sql("CREATE TABLE held AS SELECT 1 AS i; ALTER EXTENSION pgcrypto ADD TABLE held; UPDATE pg_extension SET"
	  . " extconfig = ARRAY['held'::regclass::oid], extcondition = ARRAY['WHERE pg_advisory_lock_shared(1) IS NOT NULL'] WHERE extname = 'pgcrypto'");
$node->set('mfi.backup_jobs' => '2', 'mfi.backup_verify' => "'list'");
my $holder = $node->background_psql('mfi_banking');
$holder->query_safe('SELECT pg_advisory_lock(1)');
my $id = $node->backup;
$node->wait_sql("SELECT count(*) = 5 AND bool_or(query LIKE '%_mfi_contents(%') AND bool_or(wait_event = 'advisory')"
	  . " FROM pg_stat_activity WHERE application_name = 'mfi backup $id'");
pass('two jobs: rows are read once both have connected');
all_are('two jobs: server processes that are dumped from', '19 3 19', $sessions);
all_are('two jobs: pg_dump', '19 3 19', $clients);
$holder->quit;
$node->wait_state($id, 'succeeded');
$node->stop;
done_testing();
