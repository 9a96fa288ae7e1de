# The reference pages name each setting, function and view that there is, in exactly one row, and none that there is not; the settings with
# the defaults that a server has.

use strict;
use warnings FATAL => 'all';
use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils qw(slurp_file);
use Test::More;

my $docs = "$FindBin::RealBin/../../docs";
my $node = PostgreSQL::Test::Cluster->new('bank');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'mfi'\n");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION mfi CASCADE');

# The first two columns of a page's tables, of which the first names something of mfi.
sub rows
{
	my ($page) = @_;
	return map { /^\| ([^|]*`mfi[._][^|]*) \| ([^|]*) \|/ ? [ $1, $2 ] : () } split /\n/, slurp_file("$docs/$page");
}
sub names { my ($cell) = @_; return $cell =~ /`(mfi[._][a-z_]+)/g }
sub all_names { return join "\n", sort map { names($_->[0]) } rows(@_) }

is(all_names('settings.md'), $node->safe_psql('postgres', q(SELECT name FROM pg_settings WHERE name LIKE 'mfi.%' ORDER BY name COLLATE "C")),
	'docs/settings.md has each setting once');
is(all_names('sql.md'), $node->safe_psql('postgres', <<'SQL'), 'docs/sql.md has each function and view once');
SELECT name FROM (SELECT proname::text FROM pg_proc WHERE proname ~ '^mfi_' UNION SELECT relname FROM pg_class WHERE relkind = 'v' AND relname ~ '^mfi_') AS o (name)
 ORDER BY name COLLATE "C"
SQL
for my $row (rows('settings.md'))
{
	my @defaults = $row->[1] =~ /`(.*?)`/g;
	for my $name (names($row->[0]))
	{
		my $default = shift(@defaults) // '';
		is($node->safe_psql("postgres", "SHOW $name"),
			$default, "$name has the default of the page");
	}
}
$node->stop;
done_testing();
