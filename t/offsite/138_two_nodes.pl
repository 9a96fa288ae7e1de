# Two nodes and one repository: both copy at once; and the standby is promoted while the primary copies.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiOffsite qw(restic serve copy_to snapshots);
use MfiPair qw(pair catch_up);
use MfiProxy;
use MfiRecovery qw(receive bases);
use Test::More;

my ($primary, $standby) = pair(conf => "mfi.backup_verify = restore\nsummarize_wal = on\nmax_worker_processes = 16\n");
my ($server, $repository) = serve($primary);
my $network = MfiProxy->http($repository =~ /:(\d+)\//);
receive($standby);
$standby->wait_until('there is a base', sub { return scalar bases($standby) });
my $id = $primary->sql('SELECT mfi_backup_now(wait => true)');

sub so
{
	my ($node, $condition) = @_;
	$node->wait_until($condition, sub { $node->reload; return $node->sql("SELECT $condition FROM mfi_offsite") eq 't' });
	return pass($node->name . ": $condition");
}

# The primary is in the middle of its copy, and has the repository locked as one that adds.
$network->cut_after('POST /bank/locks/');
copy_to($primary, 'rest:http://127.0.0.1:' . $network->port . '/bank/');
$primary->wait_until('the primary has begun', sub { return $network->is_cut });
copy_to($standby, $repository, 'mfi.offsite_interval' => '10s');
so($standby, 'store_copied_at IS NOT NULL');
is($primary->sql('SELECT running FROM mfi_offsite'), "copying $id", 'meanwhile the primary copies');
$network->mend;
so($primary, "newest_set = '$id' AND checked_at IS NOT NULL AND running IS NULL");
is($primary->sql('SELECT mfi_offsite_drill()'), 'ok', 'a drill from the copies of both');
is($primary->sql('SELECT store IS NOT NULL FROM mfi_offsite_drills'), 't', 'of the set of the one, and the store of the other');

# The primary is lost in the middle of the next copy.
$primary->sql('CREATE TABLE journal (id bigserial PRIMARY KEY, note text); INSERT INTO journal (note) SELECT md5(i::text) FROM generate_series(1, 1000) i');
$network->cut_after('POST /bank/locks/');
my $lost = $primary->sql('SELECT mfi_backup_now(wait => true)');
$primary->wait_until('the next copy has begun', sub { $primary->reload; return $network->is_cut });
is($primary->sql('SELECT running FROM mfi_offsite'), "copying $lost", 'the primary copies');
catch_up($primary, $standby);
$primary->stop('immediate');
$network->mend;
$standby->promote;
$standby->sql(q{INSERT INTO journal (note) VALUES ('after the promotion')});
my $new = $standby->sql('SELECT mfi_backup_now(wait => true)');
so($standby, "newest_set = '$new' AND sets_waiting = 0 AND checked_at IS NOT NULL");
so($standby, "store_copied_at > '" . $standby->sql('SELECT now()') . q{'::timestamptz});
is($standby->sql('SELECT mfi_offsite_drill()'), 'ok', 'the promoted one: a drill');
is($standby->sql('SELECT set, store IS NOT NULL, compared_with IS NOT NULL FROM mfi_offsite_drills'), "$new|t|t", 'of its own set and of the store that went on, which are equal');
is($standby->sql(q{SELECT reasons FROM mfi_health('offsite')}), '{}', 'all is well');
is(join(',', map { $_->{paths}[0] =~ s/.*\///r } snapshots($standby, $repository, 'mfi-set')), "$id,$new", 'both sets are there, once');
$standby->stop;
done_testing();
