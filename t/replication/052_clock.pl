# Clocks that differ are named on both nodes, and taken for nothing else; transactions that have been open for long are named.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiClock;
use MfiPair qw(pair);
use Test::More;

my ($primary, $standby) = pair(conf => "max_prepared_transactions = 2\n");
my $clock = MfiClock->new;

sub both_say
{
	my ($what, %reason) = @_;
	for my $node ($primary, $standby)
	{
		my $wanted = $reason{ $node == $primary ? 'primary' : 'standby' };
		$node->wait_sql($wanted eq 'ok' ? "SELECT verdict = 'ok' AND reasons = '{}' FROM mfi_replication_health"
			: "SELECT verdict = 'warning' AND array_length(reasons, 1) = 1 AND reasons[1] ~ '$wanted' FROM mfi_replication_health");
		pass("$what: the " . $node->name . ' says so, and no more');
	}
	return;
}

# The standby's clock, all four ways round. The primary sees it in the standby's replies, the standby in the primary's messages.
$standby->stop;
$clock->start($standby);
both_say('the same clock', primary => 'ok', standby => 'ok');
$clock->set(7200);
both_say('two hours ahead', primary => '^clock-skew: the clock of db-replica is 2 h ahead', standby => '^clock-skew: .* is 2 h behind');
$clock->set(-7200);
both_say('two hours behind', primary => '^clock-skew: the clock of db-replica is 2 h behind', standby => '^clock-skew: .* is 2 h ahead');
$clock->set(0);
both_say('set right', primary => 'ok', standby => 'ok');
$standby->stop;

# Old transactions, on the primary.
my $health = q{SELECT verdict, reasons, next_steps FROM mfi_health('node')};
$primary->stop;
$clock->start($primary);
$primary->launcher_ready;
my $session = $primary->background_psql('mfi_banking');
$session->query(q{BEGIN; INSERT INTO mfi_type (name) VALUES ('open')});
my $pid = $session->query('SELECT pg_backend_pid()');
$primary->sql(q{BEGIN; INSERT INTO mfi_type (name) VALUES ('prepared'); PREPARE TRANSACTION 'forgotten'});
is($primary->sql($health), 'ok|{}|{}', 'new transactions are no reason');
$clock->set(900);
like($primary->sql($health), qr/^warning\|\{"prepared-transaction-old: 1 prepared transactions, the oldest \(forgotten\) for 15 min.*ROLLBACK PREPARED/s,
	'one prepared a quarter of an hour ago');
unlike($primary->sql($health), qr/transaction-old: process/, 'an open one of that age is none');
$clock->set(7200);
like($primary->sql($health), qr/^warning\|.*transaction-old: process $pid has had a transaction open for 2 h.*pg_terminate_backend/s, 'one open for two hours');
$primary->set('mfi.transaction_warning' => "'3h'");
unlike($primary->sql($health), qr/transaction-old: process/, 'where mfi.transaction_warning lets it be, it is none');
$primary->sql(q{ROLLBACK PREPARED 'forgotten'});
$session->query('COMMIT');
$session->quit;
is($primary->sql($health), 'ok|{}|{}', 'when they have ended, all is well');
$primary->stop;
done_testing();
