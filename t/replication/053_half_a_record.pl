# The primary dies while it writes a record that is longer than a WAL file: half of it has arrived, and never comes whole.
# mfi promote does not wait for the rest.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiPair qw(pair);
use MfiCommand qw(does_ok);
use Test::More;

my ($primary, $standby) = pair();
my $before = $standby->sql('SELECT pg_last_wal_receive_lsn()');
my $writer = $primary->background_psql('mfi_banking', on_error_stop => 0);
my $pid = $writer->query('SELECT pg_backend_pid()');
$writer->query_until(qr/begins/, "\\echo begins\nSELECT pg_logical_emit_message(false, 'mfi', repeat('x', 500000000));\n");
$standby->wait_until('a part of the record has arrived',
	sub { return $standby->sql("SELECT pg_last_wal_receive_lsn() - '$before' > 16 * 1024 * 1024") eq 't' });
kill STOP => $pid;
$primary->stop('immediate');
is($standby->sql('SELECT pg_last_wal_receive_lsn() - pg_last_wal_replay_lsn() > 1024 * 1024'), 't', 'half a record has arrived');
eval { $writer->{run}->kill_kill };
does_ok('mfi promote', $standby, 'promote', '--primary-is-down');    # a socket that is gone proves nothing
is($standby->sql('SELECT pg_is_in_recovery()'), 'f', 'the standby is the primary');
$standby->stop;
done_testing();
