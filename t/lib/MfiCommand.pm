package MfiCommand;

# The program mfi as a person runs it beside a node's server.

use strict;
use warnings FATAL => 'all';
use Exporter 'import';
use FindBin;
use IPC::Run ();
use Test::More;
our @EXPORT_OK = qw(command does_ok refuses);

# command(NODE, NAME, ARGUMENT...): (exit code, all it said).
sub command
{
	my ($node, $name, @arguments) = @_;
	local %ENV = $node->_get_env(PGDATABASE => 'postgres');
	my $said = '';
	IPC::Run::run([ 'mfi', $name, @arguments ], '<', \'', '>&', \$said);
	return ($? >> 8, $said);
}

# does_ok(WHAT, NODE, NAME, ARGUMENT...): what it said
sub does_ok
{
	my ($what, $node, @call) = @_;
	my ($code, $said) = command($node, @call);
	is($code, 0, $what) or diag($said);
	note($said);
	return $said;
}

# refuses(WHAT, REASON, NODE, NAME, ARGUMENT...): it names the reason and the way out, and does nothing
sub refuses
{
	my ($what, $reason, $node, @call) = @_;
	my ($code, $said) = command($node, @call);
	like("$code $said", qr/^1 .*$reason.*nothing was (?:changed|restored)\n +\S/s, "$what is refused, with the way out");
	return;
}

1;
