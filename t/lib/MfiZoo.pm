package MfiZoo;

# What the zoo's databases have in common: the server that keeps them, and how one is made, backed up, proven, restored on another one and
# thrown away.

use strict;
use warnings FATAL => 'all';
use MfiFresh;
use MfiNode;
use MfiShim qw(install_with replace);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils qw(slurp_file);
use Test::More;

my $database = 'zoo';
my $newest = 'FROM mfi_backups ORDER BY queued_at DESC LIMIT 1';
my $path;

sub has_library { my ($name) = @_; return -e (qx(pg_config --pkglibdir) =~ s/\n//r) . "/$name.so" }

# A server with settings that give values their meaning, and the libraries that are there. Beside it another one, which counts who logs in,
# and one where backups are restored: with these libraries and a disk for the tablespace, but with other settings and without any role.
sub keeper
{
	my ($name, $conf) = @_;
	my @libraries = $conf ? qw(pgaudit pg_cron pg_stat_statements auto_explain) : qw(pgaudit pg_cron);
	has_library($_) or die "the library $_ is not there: scripts/dev/setup.sh installs it" for @libraries;
	$path = install_with();
	my $own_database = "cron.database_name = '$database'\ncron.launch_active_jobs = off\n";
	my $node = MfiNode->prepared($name, install_path => $path, database => $database, conf => <<"CONF");
shared_preload_libraries = '@{[ join ', ', 'mfi', @libraries ]}'
mfi.backup_verify = restore
TimeZone = 'Africa/Kigali'
DateStyle = 'ISO, DMY'
IntervalStyle = postgres_verbose
${own_database}quote_all_identifiers = on
@{[ $conf // '' ]}
CONF
	$node->start;
	$node->safe_psql('postgres', 'CREATE EXTENSION mfi CASCADE');
	# Roles have names in the encoding of whatever database they were made in.
	$node->safe_psql('postgres', "CREATE DATABASE neighbour TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'");
	$node->safe_psql('neighbour', "SET client_encoding = 'UTF8'; CREATE ROLE \"B\xc3\xbcrge\"");
	my $fresh = MfiFresh::fresh("$name\_fresh", "shared_preload_libraries = '@{[ join ', ', @libraries ]}'\n$own_database");
	for my $server ($node, $fresh)
	{
		my $directory = PostgreSQL::Test::Utils::tempdir();
		$server->safe_psql('postgres', "CREATE TABLESPACE elsewhere LOCATION '$directory'");
	}
	$node->{fresh} = $fresh;
	$node->{super} = $node->safe_psql('postgres', 'SELECT current_user');
	$node->{far} = remote_server("$name\_remote");
	$node->{remote} = "host '" . $node->{far}->host . "', port '" . $node->{far}->port . "'";
	return $node;
}

sub remote_server
{
	my ($name) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);
	$node->init;
	$node->append_conf('postgresql.conf', "log_connections = on");
	$node->start;
	$node->safe_psql('postgres', 'CREATE TABLE rates (v int); INSERT INTO rates VALUES (7)');
	return $node;
}

sub logins { my ($node) = @_; my @lines = slurp_file($node->logfile) =~ /connection authorized/g; return scalar @lines }

# What stands in a case for names that the test does not choose.
sub filled
{
	my ($node, $sql) = @_;
	$sql =~ s/:super/$node->{super}/g;
	$sql =~ s/:db/$database/g;
	$sql =~ s/:remote/$node->{remote}/g;
	return $sql;
}

# The database anew, by a session with no settings but those of the server.
sub make
{
	my ($node, $options, $sql) = @_;
	$node->safe_psql('postgres', "DROP DATABASE IF EXISTS $database WITH (FORCE)");
	$node->safe_psql('postgres', "CREATE DATABASE $database TEMPLATE template0 $options");
	$node->safe_psql($database, filled($node, ref $sql ? $sql->() : $sql));
	return;
}

# A case: NAME, OPTIONS of CREATE DATABASE, SQL that fills it, { remark => what the proof has to tell, after => SQL when all is done }.
sub proven
{
	my ($node, $name, $options, $sql, $more) = @_;
	local $ENV{PGCLIENTENCODING} = $options =~ /SQL_ASCII|MULE/ ? 'SQL_ASCII' : 'UTF8';
	if (!eval { make($node, $options, $sql); 1 }) { fail($name); diag($@); return }
	my $logins = logins($node->{far});
	my ($status, $out, $err) = $node->psql('postgres', 'SELECT mfi_backup_now(wait => true)');
	is($node->safe_psql('postgres', "SELECT verify_method, verify_result $newest"), 'restore|ok', "$name: proven") or diag($err);
	like($node->safe_psql('postgres', "SELECT error $newest"), $more->{remark} // qr/^$/, "$name: what it tells");
	is(logins($node->{far}), $logins, "$name: no login to the remote server");
	MfiFresh::restored_ok($name, $node->{fresh}, $node, $database, $node->backups . '/' . $node->safe_psql('postgres', "SELECT id $newest"));
	# What holds a database, such as a subscription, goes before it.
	for my $server ($node, $node->{fresh})
	{
		$server->psql($database, filled($node, $more->{after})) if $more && $more->{after};
	}
	MfiFresh::drop($node->{fresh}, $database);
	return;
}

# A case whose rows are changed between the snapshot and a dump that does not use it: the proof says so.
sub differs
{
	my ($node, $name, $case, $change, $expected) = @_;
	my (undef, $options, $sql) = @$case;
	make($node, $options, $sql);
	my $connect = '-X -q -h ' . $node->host . ' -p ' . $node->port . " -d $database";
	replace($path, 'pg_dump', qq{[ "\$1" != --version ] || { real "\$@"; exit 0; }; args=(); for a in "\$@"; do case "\$a" in --snapshot=*) ;; *) args+=("\$a") ;; esac; done; psql $connect -c "$change"; real "\${args[@]}"});
	$node->psql('postgres', 'SELECT mfi_backup_now(wait => true)');
	replace($path, 'pg_dump', undef);
	is($node->safe_psql('postgres', "SELECT state, verify_method $newest"), 'failed|restore', "$name, changed: the proof fails");
	like($node->safe_psql('postgres', "SELECT verify_result $newest"), $expected, "$name, changed: what differs");
	return;
}

sub latin1_bytes { return qq{SET client_encoding = SQL_ASCII; CREATE TABLE "pr\xeat" ("\xe9" text); INSERT INTO "pr\xeat" VALUES ('\xe9')} }
sub many_tables { my $n = $ENV{MFI_LONG} ? 3000 : 300; return "SELECT format('CREATE TABLE t%s (id int PRIMARY KEY, v text UNIQUE); INSERT INTO t%1\$s VALUES (%1\$s, %1\$s)', i) FROM generate_series(1, $n) i \\gexec" }

1;
