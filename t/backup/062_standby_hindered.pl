# The standby as source, among servers that do not answer, and of a database that hinders it: one without the extension, by whose functions a standby is read, and one whose
# sessions are serializable by default, which a standby cannot have.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use IO::Socket::UNIX ();
use MfiNode;
use MfiPair qw(pair catch_up);
use PostgreSQL::Test::Utils ();
use Test::More;

my ($primary, $standby) = pair();
my $conninfo = 'host=' . $standby->host . ' port=' . $standby->port . ' user=' . $primary->sql('SELECT current_user');
my $source = sub { $primary->set('mfi.backup_source' => "'$_[0]'", 'mfi.backup_source_conninfo' => "'@{[ $_[1] // $conninfo ]}'") };

# Of several servers one that says nothing and one that is not there are passed over; all sessions of a dump are on the same.
my $silent = PostgreSQL::Test::Utils::tempdir_short;
my $listener = IO::Socket::UNIX->new(Listen => 50, Local => "$silent/.s.PGSQL." . $standby->port) or die $!;
$source->('standby', $conninfo =~ s/^host=/host=$silent,\/nonexistent,/r . ' connect_timeout=2');
my $id = $primary->backup_ok;
is($primary->run($id, 'source_role, source_node, error'), 'standby|' . $standby->host . '-' . $standby->port . '|', 'the third of three servers');

# Serializable by default.
$primary->sql("ALTER DATABASE mfi_banking SET default_transaction_isolation = 'serializable'; ALTER DATABASE mfi_banking SET default_transaction_deferrable = on");
{
	local $ENV{PGOPTIONS} = '-c default_transaction_isolation=read\ committed';
	catch_up($primary, $standby);
}
$source->('standby');
$id = $primary->backup_ok;
is($primary->run($id, 'source_role, verify_result, error'), 'standby|ok|', 'serializable by default: dumped from the standby');
$primary->sql('ALTER DATABASE mfi_banking RESET ALL');

# Without the extension. Backups are asked for from another database, which has it.
$primary->safe_psql('postgres', 'CREATE DATABASE plain');
$primary->safe_psql('plain', 'CREATE TABLE t AS SELECT 1 AS i');
$primary->append_conf('postgresql.conf', "mfi.database = 'plain'");
$primary->restart;
$primary->launcher_ready;
$primary->wait_sql("SELECT state = 'streaming' FROM pg_stat_replication");
catch_up($primary, $standby);
my $asked = sub { return $primary->psql('mfi_banking', 'SELECT mfi_backup_now(wait => true)') };

# Whatever is locked there would hold it up, and is not waited for.
my $holder = $primary->background_psql('plain');
$holder->query_safe('BEGIN; LOCK TABLE t');
catch_up($primary, $standby);
my ($status, undef, $error) = $asked->();
is($status, 3, 'without the extension: fails');
like($error, qr/the standby could not be dumped: database "plain" has no extension mfi, by whose functions a standby is read/, 'says why');
like($error, qr/CREATE EXTENSION mfi CASCADE/, 'and the way out');
$holder->quit;

$source->('prefer-standby');
($status, $id) = $asked->();
is($status, 0, 'without the extension: the primary stands in');
my $facts = sub { return $primary->sql("SELECT state, source_role, error FROM mfi_backups WHERE id = '$id'") };
is($facts->(), 'succeeded|primary|dumped from the primary, because the standby could not be dumped: database "plain" has no extension mfi, by whose functions a standby is read',
	'and it is told');

# By its hint.
$primary->safe_psql('plain', 'CREATE EXTENSION mfi CASCADE');
catch_up($primary, $standby);
($status, $id) = $asked->();
is($facts->(), 'succeeded|standby|', 'with it: from the standby');
$standby->stop;
$primary->stop;
done_testing();
