# What a database, a role or the server has set for its clients stops none of the operator's programs, gives them no other role and changes
# nothing of what they ask and say: the verdict, a backup, a restore, on the standby too, and a promotion.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use IPC::Run ();
use MfiPair qw(pair catch_up);
use MfiProxy;
use Test::More;

my ($primary, $standby) = pair();
my $user = $primary->sql('SELECT quote_ident(current_user)');
my %hostile = (
	statement_timeout => '1ms', lock_timeout => '1ms', idle_in_transaction_session_timeout => '1ms', idle_session_timeout => '1ms', transaction_timeout => '1ms',
	default_transaction_read_only => 'on', default_transaction_isolation => 'serializable', default_transaction_deferrable => 'on', search_path => 'nowhere', role => 'clerk',
	row_security => 'off', quote_all_identifiers => 'on', standard_conforming_strings => 'off', backslash_quote => 'off', escape_string_warning => 'off', DateStyle => 'German', IntervalStyle => 'sql_standard',
	bytea_output => 'escape', extra_float_digits => '-5', client_encoding => 'LATIN1', client_min_messages => 'error', array_nulls => 'off', transform_null_equals => 'on', exit_on_error => 'off');
# The test's own sessions.
my $own = '-c role=none -c search_path=public -c client_encoding=UTF8 -c default_transaction_isolation=read\ committed '
  . join(' ', map { "-c $_=0" } grep { /timeout/ } sort keys %hostile) . ' -c default_transaction_read_only=off';

my %elsewhere;    # in place of the node's own
sub says
{
	my ($node, $database, $name, @arguments) = @_;
	local %ENV = ($node->_get_env(PGDATABASE => $database), %elsewhere);
	delete $ENV{PGOPTIONS};
	my $said = '';
	IPC::Run::run([ 'timeout', '100', 'mfi', $name, @arguments ], '<', \'', '>&', \$said);
	return ($? >> 8) . " $said";
}

local $ENV{PGOPTIONS} = $own;
$primary->sql('CREATE ROLE clerk; CREATE ROLE teller');
$primary->sql("INSERT INTO portals (name, realm_id, client_id) VALUES ('Zürich', 'r', 'c')");
my %places = (
	'the database' => [ 'ALTER DATABASE mfi_banking SET', 'ALTER DATABASE mfi_banking RESET' ],
	'the role' => [ "ALTER ROLE $user SET", "ALTER ROLE $user RESET" ],
	'the role in the database' => [ "ALTER ROLE $user IN DATABASE mfi_banking SET", "ALTER ROLE $user IN DATABASE mfi_banking RESET" ],
	'the server' => [ 'ALTER SYSTEM SET', 'ALTER SYSTEM RESET' ]);
for my $place (sort keys %places)
{
	my ($set, $reset) = @{ $places{$place} };
	my @names = grep { $place ne 'the server' || !/^(?:role|client_encoding)$/ } sort keys %hostile;
	# The server's own counts from the beginning of a connection on, which takes longer than a millisecond.
	local $hostile{transaction_timeout} = '2s' if $place eq 'the server';
	$primary->safe_psql('postgres', "$set $_ = '$hostile{$_}'") for @names;
	$primary->reload;
	catch_up($primary, $standby);
	like(says($primary, 'mfi_banking', 'health', 'node'), qr/^[01] (?:ok|warning)\b/, "set for $place: mfi health");
	like(says($standby, 'mfi_banking', 'health', 'replication'), qr/^[01] (?:ok|warning)\b/, "set for $place: mfi health on the standby");
	my $said = says($primary, 'mfi_banking', 'backup', "für $place \\'");
	like($said, qr/^0 backup \S+\n.*^succeeded: /ms, "set for $place: mfi backup");
	my ($id) = $said =~ /backup (\S+)/;
	is($primary->sql("SELECT note FROM mfi_backups WHERE id = '$id'"), "für $place \\'", "set for $place: its note");
	my $target = "restored_" . $place =~ s/ /_/gr;
	like(says($primary, 'postgres', 'restore', '--globals', '--into', $target, $id), qr/^0 .*Roles: ok.*all equal/s, "set for $place: mfi restore");
	is($primary->safe_psql($target, 'SELECT name FROM portals'), 'Zürich', "set for $place: what it restored");
	$primary->safe_psql('postgres', "$reset $_") for @names;
	$primary->reload;
}

# A question has a limit of the script's own.
my $holder = $primary->background_psql('mfi_banking');
$holder->query_safe('BEGIN; LOCK TABLE pg_catalog.pg_extension');
my $begun = time;
like(says($primary, 'mfi_banking', 'health'), qr/^2 critical: no verdict \(scope all\)\n  .*statement timeout/s, 'a verdict that is not given is told');
cmp_ok(time - $begun, '<', 60, 'and not waited for without end');
$holder->query_safe('COMMIT');
$holder->quit;

# A server of an earlier version refuses what it does not know yet: it is asked without that.
{
	my $earlier = MfiProxy->new($primary, refuses => 'transaction_timeout');
	local $elsewhere{PGHOST} = $earlier->host;
	my $said = says($primary, 'mfi_banking', 'health', 'node');
	like($said, qr/^[01] (?:ok|warning)\b(?!.*unrecognized)/s, 'mfi health on an earlier version');
}

# A promotion, with all of it.
for my $place ('the database', 'the role')
{
	my $set = $places{$place}[0] =~ s/mfi_banking/postgres/r;
	$primary->safe_psql('postgres', "$set $_ = '$hostile{$_}'") for sort keys %hostile;
}
catch_up($primary, $standby);
$primary->stop;
like(says($standby, 'postgres', 'promote', '--primary-is-down'), qr/^0 .*this node is the primary, on timeline 2/s, 'mfi promote');
is($standby->safe_psql('postgres', 'SELECT slot_name FROM pg_replication_slots WHERE slot_type = $$physical$$'), 'mfi_rejoin', 'and the other node has its slot');
$standby->stop;
done_testing();
