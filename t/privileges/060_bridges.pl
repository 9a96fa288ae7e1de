# The two bridges between C++ and the server: an exception becomes an ERROR with its SQLSTATE, an ERROR unwinds C++
# objects, and the session lives on after each.

use strict;
use warnings FATAL => 'all';
use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('bridges');
$node->init;
$node->start;

my $root = "$FindBin::RealBin/../..";
my $module = PostgreSQL::Test::Utils::tempdir . '/bridge_test';
my $include = $node->config_data('--includedir-server');
PostgreSQL::Test::Utils::system_or_bail('g++', '-std=c++20', '-O2', '-Wall', '-Wextra', '-fPIC', '-shared',
	'-fvisibility=hidden', "-I$root/src", "-I$include", '-o', "$module.so", "$root/tests/bridge/bridge_test.cpp");
$node->safe_psql('postgres', <<"SQL");
CREATE FUNCTION bridge_throw(text) RETURNS boolean LANGUAGE c STRICT AS '$module';
CREATE FUNCTION bridge_call(text) RETURNS boolean LANGUAGE c STRICT AS '$module';
CREATE FUNCTION bridge_alive() RETURNS integer LANGUAGE c AS '$module';
CREATE FUNCTION caught(call text, OUT state text, OUT message text, OUT detail text, OUT hint text) LANGUAGE plpgsql AS
\$\$ BEGIN
  EXECUTE call;
EXCEPTION WHEN OTHERS OR query_canceled THEN
  GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
END \$\$;
SQL

# All in one session: what one call breaks the next one shows.
my $session = $node->background_psql('postgres', on_error_stop => 0);
my $pid = $session->query_safe('SELECT pg_backend_pid()');

sub caught
{
	my ($call) = @_;
	return $session->query_safe("SELECT * FROM caught(\$call\$SELECT $call\$call\$)");
}

sub lives_on
{
	my ($name) = @_;
	is($session->query_safe('SELECT bridge_alive(), pg_backend_pid()'), "0|$pid", "$name: no object left, the session lives on");
	return;
}

my %exceptions = (
	core => '57014|a message with %s and "quotes"|A detail: %d.|A hint: %n.',
	bare => '58P01|only a message||',
	memory => '53200|out of memory||',
	standard => 'XX000|a standard exception||',
	number => 'XX000|unknown C++ exception||');
for my $what (sort keys %exceptions)
{
	is(caught("bridge_throw('$what')"), $exceptions{$what}, "$what: SQLSTATE, message, detail, hint");
	lives_on($what);
}
like(caught("bridge_throw('long')"), qr/^22023\|x{4095}\|y{2047}\|z{1023}$/, 'what is too long is cut');
lives_on('long');

my %errors = (
	error => '22012|an error of the server|Its detail.|Its hint.',
	cast => '22P02|invalid input syntax for type integer: "no number"||');
for my $what (sort keys %errors)
{
	is(caught("bridge_call('$what')"), $errors{$what}, "$what: the server's own error, unchanged");
	lives_on($what);
}

# Uncaught, in a transaction, and many times over.
$session->query("BEGIN; SELECT bridge_throw('core')");
$session->query('SELECT 1');
like($session->{stderr}, qr/ERROR:  a message with %s.*current transaction is aborted/s, 'uncaught: the transaction is aborted');
$session->{stderr} = '';
$session->query_safe('ROLLBACK');
lives_on('uncaught');
is($session->query_safe(<<'SQL'), '2000', 'two thousand crossings');
SELECT count(*) FROM generate_series(1, 1000), LATERAL (VALUES ($$SELECT bridge_call('error')$$), ($$SELECT bridge_throw('core')$$)) c(call),
       LATERAL caught(c.call) WHERE state IN ('22012', '57014')
SQL
lives_on('many crossings');
is($session->query_safe("SELECT bridge_throw('nothing'), bridge_call('nothing')"), 't|t', 'and nothing thrown is nothing raised');
$session->quit;
$node->stop;
done_testing();
