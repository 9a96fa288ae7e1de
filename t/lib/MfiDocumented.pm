package MfiDocumented;

# Lines of a page, typed as they stand there but for places and times.

use strict;
use warnings FATAL => 'all';
use Exporter qw(import);
use FindBin;
use IPC::Run ();
use PostgreSQL::Test::Utils qw(slurp_file);
use Test::More;

our @EXPORT_OK = qw(typist);

# typist(NODE, PAGE, PLACES): a function types(WHAT, LINES, EXPECTED) that types lines of docs/PAGE beside the node's server, and returns what
# was said. PLACES is a list of pairs: what stands in the page, and what it is here, or a reference to what it will be.
sub typist
{
	my ($node, $page, @places) = @_;
	my $text = slurp_file("$FindBin::RealBin/../../docs/$page");
	return sub {
		my ($what, $lines, $expected) = @_;
		like($text, qr/^\Q$_\E$/m, "$what: it stands in the page") for split /\n/, $lines;
		$lines =~ s/^sudo (?:-u postgres )?//mg;
		$lines =~ s/ -o postgres -g postgres//g;
		my @left = @places;
		while (my ($there, $here) = splice @left, 0, 2) { $lines =~ s/\Q$there\E/ref $here ? $$here : $here/ge }
		local %ENV = $node->_get_env(PGDATABASE => 'postgres');
		my $said = '';
		IPC::Run::run([ 'bash', '-c', $lines ], '<', \'', '>&', \$said);
		$said = ($? >> 8) . " $said";
		like($said, $expected, $what);
		note($said);
		return $said;
	};
}

1;
