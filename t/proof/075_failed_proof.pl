# A database that cannot be restored, with a customer's row in the message: everybody is told that nothing is proven and where to look,
# nobody but the server's user reads the row; the set stays, and is none of the good ones. A copy that differs from its source is kept for
# a time, apart from the good sets.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiNode;
use PostgreSQL::Test::Utils qw(slurp_file slurp_dir append_to_file);
use Test::More;

my $node = MfiNode->bank('bank', conf => "mfi.backup_verify = 'restore'\nmfi.backup_min_keep = 2\nmfi.backup_retain_days = 0\n");
my $backups = $node->backups;
my $told = $node->basedir . '/told';
my $program = $node->basedir . '/tell.sh';
append_to_file($program, "#!/bin/sh\ncat >>$told\n");
chmod 0755, $program;
$node->set('mfi.notify_command' => "'$program'");
$node->safe_psql('postgres', 'CREATE ROLE monitor LOGIN; GRANT pg_monitor TO monitor');

my $good = $node->backup_ok;
my $row = 'Uwase 1199080012345678';
my %refused = (
	'raised by a function' => "CREATE FUNCTION f(v text) RETURNS bool LANGUAGE plpgsql AS \$\$BEGIN IF current_setting('cluster_name') <> 'bank' THEN RAISE EXCEPTION E'no customer %\\npg_restore: error: %', v, v; END IF; RETURN true; END\$\$;"
	  . "CREATE TABLE customers (name text CHECK (f(name)))",
	'a cast' => "CREATE FUNCTION f(v text) RETURNS bool LANGUAGE plpgsql AS \$\$BEGIN RETURN current_setting('cluster_name') = 'bank' OR v::int > 0; END\$\$;"
	  . "CREATE TABLE customers (name text CHECK (f(name)))",
	'a check' => "CREATE FUNCTION f(v text) RETURNS bool LANGUAGE sql AS \$\$SELECT current_setting('cluster_name') = 'bank'\$\$; CREATE TABLE customers (name text CHECK (f(name)))",
	'a statement' => "CREATE FUNCTION f(v text) RETURNS bool LANGUAGE plpgsql AS \$\$BEGIN EXECUTE CASE WHEN current_setting('cluster_name') <> 'bank' THEN 'SELECT ' || quote_ident(v) ELSE 'SELECT 1' END; RETURN true; END\$\$;"
	  . "CREATE TABLE customers (name text CHECK (f(name)))",
);
for my $name (sort keys %refused)
{
	my $log_before = -s $node->logfile;
	$node->sql("$refused{$name}; INSERT INTO customers VALUES ('$row')");
	my ($status, $id, $error) = $node->psql('mfi_banking', 'SELECT mfi_backup_now(wait => true)');
	like($error, qr/WARNING:.* is complete, but: the backup could not be proven: .*customers/s, "$name: the caller is told which table");
	unlike($error, qr/Uwase/, "$name: but not the row");
	is($node->run($id, 'state, verify_method, verify_result, path IS NOT NULL'), 'succeeded|restore||t', "$name: not proven, and the set stays");
	my $private = "$backups/.runs/$id.log";
	like($error, qr/all of its words: "\Q$private\E"/, "$name: and where they are");
	like(slurp_file($private), qr/Uwase/, "$name: there is the row");
	is(sprintf('%04o', (stat $private)[2] & 07777), '0600', "$name: for the server's user alone");
	my $shown = $node->safe_psql('mfi_banking',
		"SET ROLE monitor; SELECT (SELECT string_agg(m::text, E'\\n') FROM mfi_backups m), (SELECT string_agg(h::text, E'\\n') FROM mfi_backup_health h), (SELECT string_agg(h::text, E'\\n') FROM mfi_health() h)");
	like($shown, qr/could not be proven: /, "$name: pg_monitor sees it");
	unlike($shown, qr/Uwase/, "$name: pg_monitor sees no row");
	$node->wait_until('the notification', sub { -e $told && slurp_file($told) =~ /\Q$id\E/ });
	unlike(slurp_file($told), qr/Uwase/, "$name: nor does mfi.notify_command");
	my @lines = grep { /mfi backup|mfi runner|mfi_backup/ && !/INSERT INTO/ } split /\n/, substr(slurp_file($node->logfile), $log_before);
	ok((grep { /\Q$id\E.*could not be proven/ } @lines), "$name: the log tells it");
	is(join("\n", grep { /Uwase/ } @lines), '', "$name: without the row");
	unlike(slurp_file("$backups/.runs/$id.json"), qr/Uwase/, "$name: the record has no row");
	$node->sql('DROP TABLE customers; DROP FUNCTION f');
}
is(readlink("$backups/latest"), $good, 'the proven set is the latest');
like($node->sql(q{SELECT reasons FROM mfi_health('backup')}), qr/backup-not-proven/, 'the verdict says so');
$node->backup_ok for 1 .. 3;    # what was not proven goes as it ages
$good = readlink("$backups/latest");

# A copy that has more rows than its source.
my @failed;
$node->sql(q{CREATE TABLE more (v int); INSERT INTO more VALUES (1); CREATE FUNCTION add() RETURNS boolean LANGUAGE plpgsql AS $f$ BEGIN
	IF current_setting('cluster_name') <> 'bank' THEN INSERT INTO public.more VALUES (2); END IF; RETURN true; END $f$;
	CREATE MATERIALIZED VIEW adds AS SELECT add() FROM more});
for (1 .. 4)
{
	like($node->error('SELECT mfi_backup_now(wait => true)'), qr/verification failed: table public.more: more rows restored than the 1 in the source/, 'a difference fails the run');
	push @failed, $node->sql("SELECT id FROM mfi_backups WHERE state = 'failed' ORDER BY queued_at DESC LIMIT 1");
}
$node->sql('DROP MATERIALIZED VIEW adds; DROP TABLE more; DROP FUNCTION add()');

# Kept aside: the newest two, whatever the age of good ones, listed, and no floor of theirs.
my %there = map { $_ => 1 } slurp_dir($backups);
my @kept = grep { my $id = $_; grep { /^\.failed-.*-\Q$id\E$/ } keys %there } @failed;
is("@kept", "@failed[2, 3]", 'the newest failed sets are kept, the next run does not delete them');
is($node->sql("SELECT count(*) FROM mfi_backup_retention_preview() WHERE decision = 'keep' AND reason LIKE 'kept: failed its verification, %'"), '2', 'the preview lists them');
is($node->run($good, 'state, verify_result, path IS NOT NULL'), 'succeeded|ok|t', 'the good set is untouched');
is(readlink("$backups/latest"), $good, 'and is the latest');
is($node->sql("SELECT count(*) FROM mfi_backups WHERE path IS NOT NULL AND state <> 'succeeded'"), '0', 'no failed set has a name');
$node->backup_ok;
ok((grep { /^\.failed-.*-\Q$failed[3]\E$/ } slurp_dir($backups)), 'a success keeps them, too');
ok(-s "$backups/$good/mfi_banking.dump", 'and a set that has reached its age stays by the floor of the good ones');

# Code that is restored reads what its owner may not; nothing that it can choose is told: names, figures, the server's words.
$node->sql(q{CREATE TABLE secrets (pin text); INSERT INTO secrets VALUES ('Uwase 119908001234567'); CREATE ROLE writer LOGIN; CREATE SCHEMA app AUTHORIZATION writer});
my %tells = (
	'a refused table' => q{EXECUTE format('CREATE TABLE app.%1$I (v int); REVOKE ALL ON app.%1$I FROM CURRENT_USER', secret)},
	'a constraint' => q{EXECUTE format('ALTER TABLE app.note ADD CONSTRAINT %I CHECK (true) NOT VALID', secret)},
	'an error' => q{RAISE EXCEPTION '%', secret},
	'rows' => q{INSERT INTO app.note SELECT 1 FROM generate_series(1, 1199)},
	'a sequence' => q{PERFORM setval('app.zz', 1199)});
for my $name (sort keys %tells)
{
	$node->safe_psql('mfi_banking', qq{CREATE SEQUENCE app.zz; CREATE TABLE app.note (v int); CREATE FUNCTION app.tell() RETURNS boolean LANGUAGE plpgsql AS \$f\$
		DECLARE secret text;
		BEGIN IF current_setting('port') = '5432' THEN EXECUTE 'SELECT pin FROM public.secrets' INTO secret; $tells{$name}; END IF; RETURN true; END \$f\$;
		CREATE TABLE app.one (v int CHECK (app.tell())); INSERT INTO app.one VALUES (1)}, extra_params => [ '-U', 'writer' ]);
	my ($status, $out, $err) = $node->psql('mfi_banking', 'SELECT mfi_backup_now(wait => true)');
	my $shown = $node->safe_psql('mfi_banking', q{SET ROLE monitor; SELECT string_agg(m::text, E'\n') FROM (SELECT * FROM mfi_backups ORDER BY queued_at DESC LIMIT 1) m; SELECT reasons::text FROM mfi_health('backup')});
	unlike("$out $err $shown", qr/Uwase|1199\D/, "$name: nothing of it is told");
	$node->safe_psql('mfi_banking', 'DROP TABLE app.one, app.note; DROP FUNCTION app.tell(); DROP SEQUENCE app.zz', extra_params => [ '-U', 'writer' ]);
}
$node->stop;
done_testing();
