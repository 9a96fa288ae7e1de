# Group syncs and imports run as mfi_sync, the count of audit rows as mfi_audit_owner: roles that nobody can be, with just the rights they
# need, which dumps keep. A trigger of somebody who was given ALL on a table gets nothing by it.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiNode;
use MfiPlanted qw(nothing_planted_ran plant_functions ran_as);
use PostgreSQL::Test::Utils qw(slurp_file);
use Test::More;

my $node = MfiNode->bank('bank', conf => "log_statement = none\n");
$node->sql('CREATE ROLE app LOGIN; CREATE ROLE keycloak LOGIN; CREATE ROLE monitor LOGIN IN ROLE pg_monitor');
my $portal = '00000000-0000-0000-0000-000000000001';
my %calls = (
	'sync' => "SELECT mfi_sync_portal_groups('$portal', '[{\"id\": \"00000000-0000-0000-0000-0000000000aa\", \"name\": \"a\"}]', '{\"max_delete_ratio\": 1}') ->> 'outcome'",
	'import' => q{SELECT mfi_import_auth_events('[{"time": 1767225700001, "realmId": "r", "type": "LOGIN", "userId": "00000000-0000-0000-0000-00000000000a"}]') ->> 'received'},
	'admin import' => q{SELECT mfi_import_admin_events('[{"time": 1767225700001, "operationType": "CREATE", "realmId": "r"}]') ->> 'received'});
my $grants = 'GRANT EXECUTE ON FUNCTION mfi_sync_portal_groups, mfi_import_auth_events, mfi_import_admin_events TO keycloak';
sub by { my ($role, $database, $sql) = @_; return $node->safe_psql($database, $sql, extra_params => [ '-U', $role ]) }
sub calls_work
{
	my ($database, $name) = @_;
	$node->safe_psql($database, "$grants; INSERT INTO portals (id, name, realm_id, client_id) VALUES ('$portal', 'p', 'r', 'c') ON CONFLICT DO NOTHING");
	for my $call (sort keys %calls)
	{
		my ($status, $out, $err) = $node->psql($database, $calls{$call}, extra_params => [ '-U', 'keycloak' ]);
		like($out, qr/^(?:1|noop|changed)$/, "$name: $call works for a plain role") or diag($err);
	}
	unlike($node->safe_psql($database, q{SELECT reasons::text FROM mfi_health('node')}), qr/rights-missing|role-too-strong|audit-(?!rows-outside)/, "$name: the verdict has nothing to say of it");
	return;
}
calls_work('mfi_banking', 'new');

# The catalogue: what is SECURITY DEFINER belongs to these roles, and what these roles may do is little.
is($node->sql(<<'SQL'), '', 'no function of the extension runs with the rights of a superuser for others');
SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_depend d ON d.objid = p.oid AND d.deptype = 'e' JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'mfi'
  JOIN pg_roles r ON r.oid = p.proowner
 WHERE p.prosecdef AND (r.rolsuper OR r.rolcanlogin OR r.rolname <> 'mfi_audit_owner')
SQL
is($node->sql("SELECT count(*) FROM pg_shdepend WHERE refclassid = 'pg_authid'::regclass AND refobjid = 'mfi_sync'::regrole AND deptype = 'o'"), '0', 'mfi_sync owns nothing, so nothing that runs as mfi_sync can alter what others call');
is($node->sql(<<'SQL'), '', 'each function has the safe search_path');
SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_depend d ON d.objid = p.oid AND d.deptype = 'e' JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'mfi'
 WHERE NOT coalesce('search_path=pg_catalog, pg_temp' = ANY (p.proconfig), false)
SQL
is($node->sql(<<'SQL'), "f|f|f|f|f|f|0\nf|f|f|f|f|f|0", 'the roles are no more than that');
SELECT rolsuper, rolcanlogin, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls, (SELECT count(*) FROM pg_auth_members WHERE r.oid IN (roleid, member))
  FROM pg_roles r WHERE rolname IN ('mfi_sync', 'mfi_audit_owner')
SQL
is($node->sql(<<'SQL'), 'f|f|f|f|f|f', 'what mfi_sync does not read or write');
SELECT has_column_privilege('mfi_sync', 'portal_users', 'email', 'SELECT'), has_column_privilege('mfi_sync', 'mfi_users', 'id_iam', 'UPDATE'),
       has_table_privilege('mfi_sync', 'user_auth_logs', 'UPDATE'), has_table_privilege('mfi_sync', 'user_auth_logs', 'DELETE'),
       has_column_privilege('mfi_sync', 'portals', 'name', 'SELECT'), has_table_privilege('mfi_sync', 'user_activity_logs', 'SELECT')
SQL

# A trigger by whoever was given ALL.
$node->sql('GRANT ALL ON ALL TABLES IN SCHEMA public TO app; CREATE SCHEMA app AUTHORIZATION app; GRANT USAGE ON SCHEMA app TO PUBLIC');
by('app', 'mfi_banking', plant_functions());
my %planted = (
	'sync' => [ 'portal_groups', 'CREATE TRIGGER t BEFORE INSERT OR UPDATE ON portal_groups FOR EACH ROW EXECUTE FUNCTION app.fires()',
		q{CREATE TRIGGER t AFTER INSERT OR UPDATE ON portal_groups FOR EACH STATEMENT EXECUTE FUNCTION app.fires()},
		q{CREATE TRIGGER t BEFORE UPDATE OR INSERT ON portal_groups FOR EACH ROW WHEN (app.says('when')) EXECUTE FUNCTION suppress_redundant_updates_trigger()},
		'CREATE CONSTRAINT TRIGGER t AFTER INSERT OR UPDATE ON portal_groups DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION app.fires()' ],
	'import' => [ 'portal_users', 'CREATE TRIGGER t BEFORE UPDATE ON portal_users EXECUTE FUNCTION app.fires()' ]);
for my $call (sort keys %planted)
{
	my ($table, @triggers) = @{ $planted{$call} };
	for my $trigger (@triggers)
	{
		my $from = -s $node->logfile;
		by('app', 'mfi_banking', $trigger);
		for my $role ('keycloak', 'postgres')
		{
			like($node->error($calls{$call}, extra_params => [ '-U', $role ]), qr/nothing was written: the trigger t of table public.$table calls function app.*DETAIL.*HINT:  Drop the trigger/s,
				"$call as $role is refused: " . substr($trigger, 0, 60));
		}
		nothing_planted_ran($node, 'mfi_banking', $call, $from);
		$node->sql("DROP TRIGGER t ON $table");
	}
}
# What the table's owner or a superuser has made goes on working, and what the owner's functions do, they do as mfi_sync.
$node->sql(q{CREATE FUNCTION harmless() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.description := ''stamped''; RETURN NEW; END';
	CREATE TRIGGER harmless BEFORE INSERT OR UPDATE ON portal_groups FOR EACH ROW EXECUTE FUNCTION harmless(); DELETE FROM portal_groups});
is(by('keycloak', 'mfi_banking', $calls{sync}), 'changed', 'a harmless trigger: synced');
is($node->sql('SELECT description FROM portal_groups'), 'stamped', 'and it worked');
$node->sql('ALTER TABLE portal_groups OWNER TO app; DROP TRIGGER harmless ON portal_groups; DELETE FROM portal_groups');
by('app', 'mfi_banking', 'CREATE TRIGGER t BEFORE INSERT ON portal_groups FOR EACH ROW EXECUTE FUNCTION app.fires()');
my $from = -s $node->logfile;
is(by('keycloak', 'mfi_banking', $calls{sync}), 'changed', 'a trigger of the owner: synced');
is(join(',', map { $_->[1] } ran_as($node, $from)), 'mfi_sync', 'it ran as mfi_sync');
nothing_planted_ran($node, 'mfi_banking', 'owner', $from, allowed => 1);
# One that is deferred would run at the end of the caller's transaction, as the caller.
by('app', 'mfi_banking', "DROP TRIGGER t ON portal_groups; CREATE CONSTRAINT TRIGGER t AFTER INSERT OR UPDATE ON portal_groups DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION app.fires()");
like($node->error($calls{sync}), qr/nothing was written: the trigger t of table public.portal_groups is INITIALLY DEFERRED.*HINT:  Make it INITIALLY IMMEDIATE/s, 'deferred: refused');
by('app', 'mfi_banking', "DROP TRIGGER t ON portal_groups; CREATE CONSTRAINT TRIGGER t AFTER INSERT OR UPDATE ON portal_groups DEFERRABLE INITIALLY IMMEDIATE FOR EACH ROW EXECUTE FUNCTION app.fires()");
$node->sql('DELETE FROM portal_groups');
like($node->error("BEGIN; SET CONSTRAINTS ALL DEFERRED; $calls{sync}; COMMIT"), qr/cannot fire deferred trigger within security-restricted operation/, 'deferred by the caller: refused');
nothing_planted_ran($node, 'mfi_banking', 'deferred', $from, allowed => 1);
$node->sql('DELETE FROM portal_groups');
is(by('keycloak', 'mfi_banking', $calls{sync}), 'changed', 'one that can be deferred, and is not: synced');
$node->sql('DROP TRIGGER t ON portal_groups; DELETE FROM portal_groups; ALTER TABLE portal_groups ADD CONSTRAINT of_portal FOREIGN KEY (portal_id) REFERENCES portals DEFERRABLE INITIALLY DEFERRED');
like($node->error($calls{sync}), qr/nothing was written: the foreign key of_portal of table public.portal_groups is INITIALLY DEFERRED.*ALTER CONSTRAINT of_portal/s, 'a deferred foreign key: refused');
$node->sql('ALTER TABLE portal_groups ALTER CONSTRAINT of_portal DEFERRABLE INITIALLY IMMEDIATE');
is(by('keycloak', 'mfi_banking', $calls{sync}), 'changed', 'as the hint says: synced');
$node->sql('ALTER TABLE portal_groups DROP CONSTRAINT of_portal');
$node->sql('ALTER TABLE portal_groups OWNER TO postgres');

# What such a trigger sets, for the session or the transaction, is gone when the call is over: else the caller, who may be a superuser, goes on with it.
by('app', 'mfi_banking', q{CREATE FUNCTION app.sets() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
	PERFORM set_config('search_path', 'app, pg_catalog, public', current_setting('app.local', true) = 'on');
	PERFORM set_config('TimeZone', 'Asia/Kabul', current_setting('app.local', true) = 'on'), set_config('app.set', 'set', current_setting('app.local', true) = 'on');
	RETURN NEW; END $$});
$node->sql('ALTER TABLE portal_groups OWNER TO app; ALTER TABLE portal_users OWNER TO app');
by('app', 'mfi_banking', "CREATE TRIGGER sets BEFORE INSERT OR UPDATE ON $_ FOR EACH ROW EXECUTE FUNCTION app.sets(); CREATE TRIGGER sets_too AFTER INSERT OR UPDATE ON $_ EXECUTE FUNCTION app.sets()") for 'portal_groups', 'portal_users';
for my $local ('off', 'on')
{
	for my $call (sort keys %calls)
	{
		$node->sql('DELETE FROM portal_groups WHERE NOT EXISTS (SELECT FROM portal_users); UPDATE portal_users SET last_login_at = NULL');
		for my $role ('keycloak', 'postgres')
		{
			like($node->safe_psql('mfi_banking', "SET app.local = $local; BEGIN; $calls{$call}; SELECT current_setting('search_path'), current_setting('TimeZone') <> 'Asia/Kabul', current_setting('app.set', true) = 'set', current_user; COMMIT; SHOW search_path",
					extra_params => [ '-U', $role ]), qr/^"\$user", public\|t\|f?\|$role\n"\$user", public$/m, "$call as $role: settings are as before (local: $local)");
		}
	}
}
$node->sql("DROP TRIGGER sets ON $_; DROP TRIGGER sets_too ON $_; ALTER TABLE $_ OWNER TO postgres") for 'portal_groups', 'portal_users';

# Nor does the owner of a table that is written, or only read, leave anything else in the caller's session, or for the end of its transaction.
by('app', 'mfi_banking', q{GRANT CREATE, USAGE ON SCHEMA app TO mfi_sync; CREATE TABLE app.other (a int); GRANT INSERT ON app.other TO mfi_sync;
	CREATE CONSTRAINT TRIGGER waits AFTER INSERT ON app.other DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION app.fires();
	CREATE FUNCTION app.leaves() RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
	BEGIN
	  RAISE LOG 'planted <leaves> ran as <%>', current_user;
	  PERFORM app.leaves_now();
	  RETURN true;
	END $$;
	CREATE FUNCTION app.leaves_now() RETURNS void LANGUAGE plpgsql AS $$ BEGIN EXECUTE current_setting('app.way', true); EXCEPTION WHEN OTHERS THEN RAISE LOG 'left nothing: %', SQLERRM; END $$;
	CREATE FUNCTION app.leaves_by_trigger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM app.leaves(); RETURN NEW; END $$});
my %ways = (
	'another table\'s deferred trigger' => 'INSERT INTO app.other VALUES (1)',
	'a prepared statement' => 'DEALLOCATE mine; PREPARE mine AS SELECT app.says(\'prepared\')',
	'a temporary table' => 'CREATE TEMP TABLE portals (a int)',
	'a temporary view' => 'CREATE TEMP VIEW portals AS SELECT app.says(\'view\')',
	'a temporary type' => 'CREATE DOMAIN pg_temp.jsonb AS text CHECK (app.says(\'type\'))',
	'one of our temporary tables' => 'ALTER TABLE pg_temp._mfi_change RENAME TO portals',
	'a cursor' => 'DECLARE c CURSOR WITH HOLD FOR SELECT app.says(\'cursor\')',
	'a channel' => 'LISTEN secrets',
	'the caller\'s functions' => 'ALTER FUNCTION public.mfi_sync_portal_groups(uuid, jsonb, jsonb) SET search_path = app',
	'the inner functions' => 'ALTER FUNCTION public._mfi_sync_groups(text, uuid, jsonb, jsonb) SET search_path = app',
	'rights' => 'GRANT EXECUTE ON FUNCTION public._mfi_sync_groups(text, uuid, jsonb, jsonb) TO app',
	'a function of mfi_sync' => 'CREATE FUNCTION app.as_sync(c text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $f$ BEGIN EXECUTE c; END $f$',
	'a temporary function' => 'CREATE FUNCTION pg_temp.left_there() RETURNS int LANGUAGE sql RETURN 1',
	'settings of mfi_sync' => 'ALTER ROLE mfi_sync SET search_path = app',
	'default privileges' => 'ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO app',
	'a role' => 'SET ROLE app');
my %places = (
	'a trigger of a table that is written' => [ 'portal_groups', 'CREATE TRIGGER leaves BEFORE INSERT ON portal_groups FOR EACH ROW EXECUTE FUNCTION app.leaves_by_trigger()', 'DROP TRIGGER leaves ON portal_groups' ],
	'an index of a table that is only read' => [ 'portals', 'CREATE INDEX leaves ON portals (name) WHERE app.leaves()', 'DROP INDEX leaves' ]);
for my $place (sort keys %places)
{
	my ($table, $make, $drop) = @{ $places{$place} };
	$node->sql("ALTER TABLE $table OWNER TO app");
	$node->sql($make);
	for my $way (sort keys %ways)
	{
		$node->sql('DELETE FROM portal_groups');
		my $since = -s $node->logfile;
		my $left = q{SELECT 'left', (SELECT count(*) FROM pg_class WHERE relnamespace = pg_my_temp_schema()) + (SELECT count(*) FROM pg_type WHERE typnamespace = pg_my_temp_schema()), (SELECT string_agg(statement, '') FROM pg_prepared_statements WHERE name = 'mine'),
			(SELECT count(*) FROM pg_cursors), (SELECT count(*) FROM pg_listening_channels()), current_user, (SELECT count(*) FROM pg_proc p WHERE proname ~ '^_?mfi_sync_' AND (proconfig::text ~ 'app' OR proacl::text ~ '[^a-z]app=')),
			(SELECT count(*) FROM pg_shdepend WHERE refobjid = 'mfi_sync'::regrole AND deptype = 'o') + (SELECT count(*) FROM pg_db_role_setting WHERE setrole = 'mfi_sync'::regrole)};
		(my $quoted = $ways{$way}) =~ s/'/''/g;
		my ($status, $out, $err) = $node->psql('mfi_banking', "PREPARE mine AS SELECT 'mine'; SET app.way = '$quoted';\n$calls{sync};\n$left", on_error_stop => 0);
		like($out, qr/^left\|0\|PREPARE mine AS SELECT 'mine';\|0\|0\|postgres\|0\|0$/m, "$place: $way: nothing is left") or diag($err);
		like(slurp_file($node->logfile, $since), qr/planted <leaves> ran as <mfi_sync>/, "$place: $way: it was tried");
		nothing_planted_ran($node, 'mfi_banking', "$place: $way", $since, allowed => 1);
	}
	by('app', 'mfi_banking', $drop);
	$node->sql("ALTER TABLE $table OWNER TO postgres; DELETE FROM portal_groups");
}

# A lock that anyone may take keeps nothing waiting.
my $locker = $node->background_psql('mfi_banking', extra_params => [ '-U', 'monitor' ]);
$locker->query_safe("BEGIN; SELECT pg_advisory_xact_lock(hashtextextended('mfi_import_auth_events', 0)), pg_advisory_xact_lock(3079, (SELECT oid::int FROM pg_extension WHERE extname = 'mfi')), pg_advisory_xact_lock(hashtextextended('portal $portal', 0))");
by('keycloak', 'mfi_banking', "SET lock_timeout = '5s'; $calls{$_}") for sort keys %calls;
$node->sql("SET lock_timeout = '5s'; SELECT mfi_audit_ensure_partitions(1)");
$locker->quit;

# What the caller has in its own temporary schema is not taken for ours.
$from = -s $node->logfile;
for my $name ('_mfi_element', '_mfi_snapshot', '_mfi_present', '_mfi_change')
{
	like($node->error("CREATE TEMP TABLE $name (nr int[], id uuid, body jsonb, CHECK (app.says('temporary table'))); $calls{sync}", extra_params => [ '-U', 'keycloak' ]),
		qr/relation "$name" already exists/, "a temporary table $name of the caller");
}
$node->sql("DELETE FROM portal_groups");
is(by('keycloak', 'mfi_banking', "CREATE FUNCTION pg_temp._mfi_sync_options(jsonb) RETURNS jsonb LANGUAGE plpgsql AS 'BEGIN PERFORM app.says(''function''); RETURN NULL; END'; SET search_path = pg_temp, app, public; " . $calls{sync} =~ s/mfi_sync_portal/public.mfi_sync_portal/r),
	'changed', 'temporary functions of the caller');
nothing_planted_ran($node, 'mfi_banking', 'temporary objects', $from, allowed => 1);
is(scalar(grep { $_->[1] eq 'mfi_sync' && $_->[0] !~ /^trigger/ } ran_as($node, $from)), 0, 'none of it ran as mfi_sync');

# Row-level security would hide rows: said, not suffered.
$node->sql('ALTER TABLE portal_users ENABLE ROW LEVEL SECURITY');
like($node->error($calls{import}, extra_params => [ '-U', 'keycloak' ]), qr/row-level security would hide rows from mfi: public.portal_users.*CREATE POLICY mfi_sync/s, 'row-level security without a policy is refused');
$node->sql('CREATE POLICY mfi_sync ON portal_users TO mfi_sync USING (true)');
is(by('keycloak', 'mfi_banking', $calls{import}), '1', 'with one it works');
$node->sql('DROP POLICY mfi_sync ON portal_users; ALTER TABLE portal_users DISABLE ROW LEVEL SECURITY');

# Rights that went missing are told, and come back.
$node->sql('REVOKE ALL ON portal_groups, mfi_audit.user_auth_logs_default FROM mfi_sync, mfi_audit_owner; REVOKE USAGE ON SCHEMA mfi FROM mfi_audit_owner; REVOKE SELECT (event_time) ON mfi_audit.user_auth_logs_default FROM mfi_audit_owner');
like(by('monitor', 'mfi_banking', q{SELECT reasons::text, next_steps::text FROM mfi_health('node')}), qr/rights-missing: .*user_auth_logs_default.*portal_groups.*mfi_migrate_schema/, 'the verdict misses rights');
like($node->sql('SELECT mfi_migrate_schema()'), qr/INSERT, SELECT, UPDATE on public.portal_groups for mfi_sync|SELECT, INSERT, UPDATE on public.portal_groups for mfi_sync/, 'they come back');
calls_work('mfi_banking', 'given again');

# No TEMPORARY for everybody, and a schema that not everybody may use.
$node->safe_psql('postgres', 'CREATE DATABASE strict; REVOKE TEMPORARY ON DATABASE strict FROM PUBLIC');
$node->safe_psql('strict', 'CREATE SCHEMA bank; GRANT USAGE ON SCHEMA bank TO keycloak; CREATE EXTENSION "uuid-ossp"; CREATE EXTENSION pgcrypto; CREATE EXTENSION mfi SCHEMA bank; ALTER DATABASE strict SET search_path = bank, public');
calls_work('strict', 'strict');
is($node->safe_psql('strict', "SELECT count(*) FROM pg_init_privs i WHERE privtype = 'e' AND classoid IN ('pg_namespace'::regclass, 'pg_database'::regclass)"), '0', 'no grant is recorded as the extension\'s');

# Dumps keep the rights, also into a cluster without the roles.
my $dump = PostgreSQL::Test::Utils::tempdir . '/dump';
$node->command_ok([ 'pg_dump', '-Fc', '-f', $dump, 'strict' ], 'dumped');
my $other = MfiNode->prepared('other');
$other->start;
$other->safe_psql('postgres', 'CREATE DATABASE mfi_banking; REVOKE TEMPORARY ON DATABASE mfi_banking FROM PUBLIC; CREATE ROLE app; CREATE ROLE keycloak LOGIN');
$other->command_ok([ 'pg_restore', '-e', '-d', 'mfi_banking', $dump ], 'restored where the roles are missing');
$other->sql('ALTER DATABASE mfi_banking SET search_path = bank, public');
like($other->sql(q{SELECT reasons::text FROM mfi_health('node')}), qr/rights-missing: [^"]*rights: TEMPORARY on DATABASE mfi_banking for mfi_sync"/, 'all rights but that on the database, which pg_dump leaves out');
$other->sql('SELECT mfi_migrate_schema()');
unlike($other->sql(q{SELECT reasons::text FROM mfi_health('node')}), qr/rights-missing/, 'given');
is($other->safe_psql('mfi_banking', $calls{sync}, extra_params => [ '-U', 'keycloak' ]), 'noop', 'the restored one syncs');
$other->sql('DROP SCHEMA mfi, mfi_audit CASCADE; DROP EXTENSION mfi CASCADE');
is($other->sql("SELECT count(*) FROM pg_roles WHERE rolname IN ('mfi_sync', 'mfi_audit_owner')"), '2', 'DROP EXTENSION leaves the roles');

# A role of that name which is more than that.
$other->safe_psql('postgres', 'CREATE DATABASE fresh; CREATE ROLE member; CREATE ROLE strong SUPERUSER');
for my $fault ([ 'ALTER ROLE mfi_sync LOGIN', 'ALTER ROLE mfi_sync NOLOGIN', 'LOGIN' ], [ 'ALTER ROLE mfi_sync SUPERUSER', 'ALTER ROLE mfi_sync NOSUPERUSER', 'SUPERUSER' ],
	[ 'ALTER ROLE mfi_audit_owner CREATEROLE', 'ALTER ROLE mfi_audit_owner NOCREATEROLE', 'CREATEROLE' ], [ 'ALTER ROLE mfi_sync BYPASSRLS', 'ALTER ROLE mfi_sync NOBYPASSRLS', 'BYPASSRLS' ],
	[ 'ALTER ROLE mfi_sync REPLICATION', 'ALTER ROLE mfi_sync NOREPLICATION', 'REPLICATION' ], [ 'GRANT mfi_sync TO member', 'REVOKE mfi_sync FROM member', 'the member member' ],
	[ 'CREATE TABLE owned (a int); ALTER TABLE owned OWNER TO mfi_sync', 'DROP TABLE owned', 'the owner of an object in database postgres' ],
	[ 'ALTER ROLE mfi_sync SET work_mem = \'1MB\'', 'ALTER ROLE mfi_sync RESET ALL', 'a role with the settings work_mem=1MB' ],
	[ 'GRANT strong TO mfi_audit_owner', 'REVOKE strong FROM mfi_audit_owner', 'membership in strong' ], [ 'GRANT pg_execute_server_program TO mfi_sync', 'REVOKE pg_execute_server_program FROM mfi_sync', 'membership in pg_execute_server_program' ])
{
	my ($do, $undo, $what) = @$fault;
	$other->safe_psql('postgres', $do);
	like($other->error('CREATE EXTENSION mfi CASCADE', dbname => 'fresh'), qr/role mfi_\w+ has rights that mfi cannot give to everybody who calls its functions: \Q$what\E.*HINT:.*ALTER ROLE/s, "refused: $do");
	$other->safe_psql('postgres', $undo);
}
is($other->psql('fresh', 'CREATE EXTENSION mfi CASCADE'), 0, 'without any it is taken');
$other->safe_psql('postgres', 'GRANT mfi_sync TO member');
like($other->safe_psql('fresh', q{SELECT reasons::text FROM mfi_health('node')}), qr/role-too-strong: .*mfi_sync: the member member/, 'one that gets a member later is in the verdict');
$_->stop for $node, $other;
done_testing();
