package MfiRecovery;

# A node that receives its WAL into a store of its own.

use strict;
use warnings FATAL => 'all';
use Exporter qw(import);
use JSON::PP qw(decode_json encode_json);
use PostgreSQL::Test::Utils qw(slurp_file);

our @EXPORT_OK = qw(receive directory_of store_of drills await_drill forget_drills bases await_base path_of_base segment_file rewrite change_record);

sub directory_of { return $_[0]->basedir . '/recovery' }

# The node's own part of it.
sub store_of
{
	my ($node) = @_;
	my ($store) = glob(directory_of($node) . '/*-' . $node->port);
	return $store;
}

# Turns it on; no base or drill begins by the clock, but the first base and its drill.
sub receive
{
	my ($node, %settings) = @_;
	mkdir directory_of($node), 0700;
	my $more = join '', map { "$_ = $settings{$_}\n" } sort keys %settings;
	$node->append_conf('postgresql.conf', <<"CONF");
mfi.recovery_directory = '@{[ directory_of($node) ]}'
mfi.recovery_full_schedule = ''
mfi.recovery_incremental_schedule = ''
$more
CONF
	$node->reload;
	return;
}

sub records
{
	my ($node, $pattern) = @_;
	my $store = store_of($node) // return ();
	return map { decode_json(slurp_file($_)) } sort glob("$store/$pattern");
}

sub drills { return records($_[0], 'drills/*.json') }
sub bases { return records($_[0], 'base/*/base.json') }

# The newest drill, once there are so many.
sub await_drill
{
	my ($node, $count) = @_;
	$node->wait_until('a drill has ended', sub { my @all = drills($node); return @all >= ($count // 1) });
	return (drills($node))[-1];
}

# So that the next drill is due at once; of a node that is down.
sub forget_drills
{
	my ($node) = @_;
	unlink glob(store_of($node) . '/drills/*.json');
	return;
}

# The newest base, once there are so many.
sub await_base
{
	my ($node, $count) = @_;
	$node->wait_until("there are $count bases", sub { my @all = bases($node); return @all >= $count });
	return (bases($node))[-1];
}

sub path_of_base { return store_of($_[0]) . "/base/$_[1]->{id}" }

# The file of a finished segment, undef while there is none.
sub segment_file
{
	my ($node, $segment) = @_;
	my $store = store_of($node);
	my ($file) = grep { -e } map { ("$store/$_/$segment.lz4", "$store/$_/$segment") } qw(wal receiving);
	return $file;
}

sub rewrite
{
	my ($path, $change) = @_;
	my $content = $change->(slurp_file($path));
	open(my $file, '>:raw', $path) or die "$path: $!";
	print {$file} $content;
	close $file or die "$path: $!";
	return;
}

# Fields of a record of the store.
sub change_record
{
	my ($path, %changes) = @_;
	rewrite($path, sub { return encode_json({ %{ decode_json($_[0]) }, %changes }) });
	return;
}

1;
