# What the pages tell people to type on a server does what they say. What is for the containers is typed by the tests of the stack, where
# each line must stand as it is; so no line of a page is untried.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use IPC::Run ();
use MfiInterface qw(legacy_schema);
use MfiNode;
use PostgreSQL::Test::Utils qw(slurp_file);
use Test::More;

my $top = "$FindBin::RealBin/../..";
my %lines;    # those to be typed, by page
for my $page ('README.md', map { "docs/$_" } map { s{.*/}{}r } glob "$top/docs/*.md")
{
	my ($kind, @open) = ('');
	for my $line (split /\n/, slurp_file("$top/$page"))
	{
		if ($line =~ /^ *```(.*)/)
		{
			$kind = $kind eq '' ? ($1 || 'none') : '';
			is($kind, 'none', "$page: a block says what it is") if $kind eq 'none';
			next;
		}
		push @{ $lines{$page} }, $line =~ s/^\s+|\s+(#|--) .*//gr if $kind =~ /^(sh|sql)$/ && $line =~ /\S/;
	}
}

my $node = MfiNode->bank('bank', conf => "mfi.backup_verify = restore\n");
$node->launcher_ready;
$node->sql(<<'SQL');
INSERT INTO portals (name, realm_id, client_id) VALUES ('Operations', 'ops', 'web');
INSERT INTO mfi_clients (name, schema, realm_id, client_id) VALUES ('Umoja', 'umoja', 'umoja', 'web');
CREATE ROLE keycloak_sync;
SQL
my $id = $node->backup_ok;
my $backups = $node->backups;

# Who runs this is the server's user already, the server has other places, and the set has another name.
sub typed
{
	my ($line) = @_;
	$line =~ s/^sudo -u postgres //;
	$line =~ s{/var/backups/mfi/mfi_banking_\d{8}T\d{6}Z}{$backups/$id};
	$line =~ s/\bID\b/$id/;
	local %ENV = $node->_get_env(PGDATABASE => 'postgres');
	my $said = '';
	IPC::Run::run([ 'bash', '-c', $line ], '<', \'', '>&', \$said);
	return ($? >> 8) . " $said";
}

# The SQL of a block, in one session of a database of its own.
sub block
{
	my ($database, @sql) = @_;
	my ($code, undef, $error) = $node->psql($database, join("\n", @sql), on_error_stop => 1);
	return "$code " . join("\n", grep { !/NOTICE/ } split /\n/, $error);
}

my %tried;
sub try_line { my ($page, $line, $expected) = @_; $tried{$page}{$line} = 1; like(typed($line), $expected, "$page: $line"); return }

try_line('docs/install.md', 'sudo -u postgres env PGDATABASE=mfi_banking mfi health', qr/^[01] (ok|warning)\n/);
try_line('docs/install.md', 'sudo -u postgres env PGDATABASE=mfi_banking mfi backup', qr/^0 .*succeeded: .*verified: ok/s);
try_line('docs/install.md', 'sudo -u postgres env PGDATABASE=mfi_banking mfi backups', qr/^0 .*\Q$id\E  succeeded/s);
try_line('docs/install.md', 'sudo -u postgres env PGDATABASE=mfi_banking mfi upgrade', qr/^0 extension .*as before/);
try_line('docs/restore.md', 'sudo -u postgres mfi restore', qr/^0 .*all equal/s);
try_line('docs/restore.md', 'sudo -u postgres mfi restore --replace mfi_banking ID', qr/^0 .*is the restored one/s);
try_line('docs/restore.md', 'createdb -T template0 mfi_restored', qr/^0 $/);
try_line('docs/restore.md', $_, qr/^0 $/) for grep { /^pg_restore/ } @{ $lines{'docs/restore.md'} };

# schema.md has three blocks: an older version brought along, months that go, and tables that are there already.
my @schema = @{ $lines{'docs/schema.md'} };
$tried{'docs/schema.md'}{$_} = 1 for @schema;
my ($second) = grep { $schema[$_] =~ /mfi_audit_expire/ } 0 .. $#schema;
my ($third) = grep { $_ > $second && $schema[$_] =~ /^SET/ } 0 .. $#schema;
$node->safe_psql('postgres', 'CREATE DATABASE older');
$node->safe_psql('older', q{CREATE EXTENSION mfi VERSION '1.0' CASCADE});
is(block('older', @schema[ 0 .. $second - 1 ]), '0 ', 'docs/schema.md: an older version is brought along');
is($node->safe_psql('older', 'SELECT mfi_schema_version()'), '1.1', 'which it says');
is(block('mfi_banking', @schema[ $second .. $third - 1 ]), '0 ', 'docs/schema.md: months that go');
$node->safe_psql('postgres', 'CREATE DATABASE adopted');
$node->safe_psql('adopted', legacy_schema());
is(block('adopted', @schema[ $third .. $#schema ]), '0 ', 'docs/schema.md: tables that are there already');

for my $sql (grep { /^(SELECT|GRANT)/ } @{ $lines{'docs/keycloak.md'} })
{
	$tried{'docs/keycloak.md'}{$sql} = 1;
	is(block('mfi_banking', $sql), '0 ', 'docs/keycloak.md: ' . substr($sql, 0, 50));
}
is($node->sql('SELECT count(*) FROM user_auth_logs') . $node->sql('SELECT count(*) FROM admin_event_logs'), '11', 'and its events are there');

# All others are typed by other tests.
my $others = join "\n", map { slurp_file($_) } glob("$top/tests/compose/*.sh"), "$FindBin::RealBin/../replication/046_failover.pl",
  "$FindBin::RealBin/../recovery/123_documented.pl", glob("$FindBin::RealBin/../offsite/*.pl"), "$FindBin::RealBin/../lib/MfiOffsite.pm";
for my $page (sort keys %lines)
{
	my @untried = grep { !$tried{$page}{$_} && index($others, $_) < 0 } @{ $lines{$page} };
	is("@untried", '', "$page: no line is untried");
}
$node->stop;
done_testing();
