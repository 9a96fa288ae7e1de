# Whoever holds, releases or adopts a set while it is being made or verified is heard: a manifest is changed field by field, under a lock.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiNode;
use MfiShim qw(install_with replace while_there);
use Test::More;

my $path = install_with();
my $node = MfiNode->bank('bank', install_path => $path, conf => "mfi.backup_verify = 'restore'\n");
my $id = $node->backup_ok;
my $gate = $node->basedir . '/gate';
replace($path, 'pg_restore', qq{case "\$*" in *--jobs=*) >$gate.reached; @{[ while_there($gate) ]} ;; esac; real "\$@"});
sub at_the_gate
{
	my ($start) = @_;
	unlink "$gate.reached";
	open(my $file, '>', $gate) or die $!;
	close $file;
	my $session = $start->();
	$node->wait_until('the proof stands still', sub { -e "$gate.reached" });
	return $session;
}
sub verification
{
	my $session = $node->background_psql('mfi_banking');
	$session->query_until(qr/sent/, "\\echo sent\nSELECT mfi_backup_verify('$id');\n");
	return $session;
}

# A hold, and its release, while the set is verified.
my $session = at_the_gate(\&verification);
is($node->sql("SELECT mfi_backup_hold('$id', 'the auditor asks')"), 't', 'held while it is verified');
unlink $gate;
$session->quit;
$node->wait_sql("SELECT held FROM mfi_backups WHERE id = '$id'");
is($node->run($id, 'held, verify_result'), 't|ok', 'and afterwards');
like($node->sql("SELECT decision || ' ' || reason FROM mfi_backup_retention_preview() WHERE id = '$id'"), qr/^keep .*the auditor asks/, 'with its reason');
$session = at_the_gate(\&verification);
$node->sql("SELECT mfi_backup_release('$id')");
unlink $gate;
$session->quit;
is($node->run($id, 'held, verify_result'), 'f|ok', 'released while it is verified');

# The same while a run ends.
my $new;
at_the_gate(sub { $new = $node->backup });
$node->sql("SELECT mfi_backup_hold('$new', 'young')");
unlink $gate;
$node->wait_sql("SELECT finished_at IS NOT NULL FROM mfi_backups WHERE id = '$new'");
is($node->run($new, 'state, held, verify_result'), 'succeeded|t|ok', 'held while its run ends');

# A set of another cluster, adopted while it is verified.
my $manifest = $node->backups . "/$id/manifest.json";
my $own = $node->sql('SELECT system_identifier FROM pg_control_system()');
my $text = PostgreSQL::Test::Utils::slurp_file($manifest);
$text =~ s/"$own"/"7400000000000000009"/;
unlink $manifest;
PostgreSQL::Test::Utils::append_to_file($manifest, $text);
chmod 0600, $manifest;
$session = at_the_gate(\&verification);
is($node->run($id, 'is_foreign'), 't', 'a foreign set');
$node->sql("SELECT mfi_backup_adopt('$id')");
unlink $gate;
$session->quit;
is($node->run($id, 'is_foreign, verify_result'), 'f|ok', 'adopted while it is verified');

# Many at once: what each said last is what stands.
replace($path, 'pg_restore', undef);
my @sets = ($id, $new, map { $node->backup_ok } 1 .. 2);
my @workers;
for my $set (@sets)
{
	my $worker = fork;
	if (!$worker)
	{
		srand ord substr $set, -2;
		$node->psql('mfi_banking', join(";\n", map { rand() < 0.5 ? "SELECT mfi_backup_hold('$set', 'step $_')" : "SELECT mfi_backup_release('$set')" } 1 .. 60) . ";\nSELECT mfi_backup_hold('$set', 'last word')");
		require POSIX;
		POSIX::_exit(0);
	}
	push @workers, $worker;
}
for my $round (1 .. 3) { is($node->sql("SELECT mfi_backup_verify('$_')"), 'ok', "verified meanwhile") for @sets }
waitpid $_, 0 for @workers;
is($node->sql(q{SELECT count(*) FROM mfi_backup_retention_preview() WHERE reason LIKE '%last word%'}), scalar @sets, 'the last word of each stands');
is($node->sql(q{SELECT count(*) FROM mfi_backups WHERE verify_result = 'ok' AND held}), scalar @sets, 'and each is proven');
$node->stop;
done_testing();
