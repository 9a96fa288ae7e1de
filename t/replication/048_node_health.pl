# What mfi_health('node') finds in the server itself: pages damaged on disk, text sorted by another library, and transaction
# ids that nearly run out.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiNode;
use Test::More;

my $node = MfiNode->bank('bank', initdb => [ '--encoding=UTF8', '--locale=C.UTF-8', '--data-checksums' ], conf => "max_prepared_transactions = 2\n");
my $health = q{SELECT verdict, reasons, next_steps FROM mfi_health('node')};
is($node->sql($health), 'ok|{}|{}', 'a well node');

$node->sql("BEGIN; INSERT INTO mfi_type (name) VALUES ('prepared'); PREPARE TRANSACTION 'just now'");
is($node->sql($health), 'ok|{}|{}', 'a transaction prepared just now is no reason');
$node->sql("ROLLBACK PREPARED 'just now'");

$node->safe_psql('postgres', "CREATE DATABASE sorted TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en'");
is($node->sql($health), 'ok|{}|{}', 'a database sorted by ICU');
$node->safe_psql('postgres', "UPDATE pg_database SET datcollversion = '1' WHERE datname = 'sorted'");
like($node->sql($health), qr/^warning\|\{"?collation-drift: database sorted was made with collation version 1, this machine sorts by .*REINDEX DATABASE sorted/,
	'made with another version of ICU');
$node->safe_psql('postgres', 'DROP DATABASE sorted');

$node->sql('CREATE TABLE damaged AS SELECT generate_series(1, 1000) AS i');
my $file = $node->data_dir . '/' . $node->sql("SELECT pg_relation_filepath('damaged')");
$node->stop;
open(my $page, '+<:raw', $file) or die "$file: $!";
seek($page, 4096, 0);
print $page 'damaged by a test';
close $page;
$node->start;
like($node->error('SELECT count(*) FROM damaged'), qr/invalid page in block 0/, 'a damaged page');
$node->wait_sql("SELECT verdict = 'critical' AND reasons::text ~ 'checksum-failures: database mfi_banking has 1 page' FROM mfi_health('node')");
pass('is critical');
$node->stop;

# The next transaction is the first of a segment of the commit log, so that only that file must be made.
my $old = MfiNode->bank('old', conf => "autovacuum = off\nautovacuum_freeze_max_age = 2000000000\n");
$old->stop;
my $segment = 1239;
open(my $log, '>:raw', sprintf('%s/pg_xact/%04X', $old->data_dir, $segment)) or die $!;
print $log "\0" x (32 * 8192);
close $log;
$old->command_ok([ 'pg_resetwal', '-x', $segment * 32 * 8192 * 4, $old->data_dir ], 'the transaction ids of many years pass');
$old->start;
$old->launcher_ready;
like($old->sql($health), qr/^critical\|\{"wraparound-near: the oldest transaction id is 1299 million old; writes are refused at 2000 million.*VACUUM \(FREEZE\)/s,
	'wraparound is near');
$old->safe_psql($_, 'VACUUM (FREEZE)') for split /\n/, $old->safe_psql('postgres', 'SELECT datname FROM pg_database WHERE datallowconn');
$old->safe_psql('postgres', "ALTER DATABASE template0 ALLOW_CONNECTIONS true");
$old->safe_psql('template0', 'VACUUM (FREEZE)');
is($old->sql($health), 'ok|{}|{}', 'after VACUUM (FREEZE) it is not');
$old->stop;
done_testing();
