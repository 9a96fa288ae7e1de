# Work on an audit table reads others: those that refer to it, those that it refers to, the views over it. What their owners have put on them
# runs with no rights but theirs, also when they change it in the moment in which it is read.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiNode;
use MfiPlanted qw(nothing_planted_ran plant_functions);
use Test::More;

my $node = MfiNode->bank('bank', conf => "log_statement = none\n");
$node->sql('CREATE ROLE app LOGIN; CREATE SCHEMA app AUTHORIZATION app; GRANT USAGE ON SCHEMA app TO PUBLIC');
sub by_app { my ($database, $sql) = @_; return $node->safe_psql($database, $sql, extra_params => [ '-U', 'app' ]) }
by_app('mfi_banking', plant_functions());

# Referring tables: a partition that is detached has the server read them.
$node->sql(q{GRANT REFERENCES ON user_auth_logs, mfi_audit.user_auth_logs_default TO app; GRANT USAGE ON SCHEMA mfi_audit TO app;
	INSERT INTO user_auth_logs (event_type, client_id, realm_id, event_time) VALUES ('LOGIN', 'c', 'r', '2012-03-09'), ('LOGIN', 'c', 'r', '2024-03-09')});
by_app('mfi_banking', 'CREATE TABLE app.refers (id uuid, t timestamptz, FOREIGN KEY (id, t) REFERENCES public.user_auth_logs (id, event_time)); CREATE INDEX ON app.refers (id) WHERE app.says(\'refers\')');
my $from = -s $node->logfile;
is($node->sql('SELECT _mfi_maintain()'), 't', 'maintained');
$node->sql('SELECT mfi_audit_ensure_partitions(4)');
like($node->sql("SELECT * FROM mfi_audit_expire(1)"), qr/^$/, 'no month that could expire');
nothing_planted_ran($node, 'mfi_banking', 'a foreign key onto an audit table', $from, allowed => 1);
$node->sql('ALTER TABLE app.refers OWNER TO postgres; DROP TABLE app.refers; SELECT mfi_audit_ensure_partitions(4)');
by_app('mfi_banking', 'CREATE TABLE app.refers (id uuid, t timestamptz, FOREIGN KEY (id, t) REFERENCES public.user_auth_logs (id, event_time)); CREATE INDEX ON app.refers (id) WHERE app.says(\'refers\')');
$node->set('mfi.backup_verify' => 'restore');
$node->backup_ok;
$from = -s $node->logfile;
like($node->sql('SELECT * FROM mfi_audit_expire(1)'), qr/user_auth_logs_201203\|1\|keep\|constraint refers_id_t_fkey\d* on table app.refers refers to it/, 'a month that something refers to stays');
nothing_planted_ran($node, 'mfi_banking', 'expiry', $from, allowed => 1);
$node->sql('DROP TABLE app.refers');
like($node->sql('SELECT * FROM mfi_audit_expire(1)'), qr/user_auth_logs_201203\|1\|dropped/, 'then it goes');

# The same foreign key, made after the caller's snapshot.
$node->sql(q{INSERT INTO user_auth_logs (event_type, client_id, realm_id, event_time) VALUES ('LOGIN', 'c', 'r', '2011-03-09')});
my $admin = $node->background_psql('mfi_banking', on_error_stop => 0);
$admin->query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1');
by_app('mfi_banking', 'CREATE TABLE app.refers (id uuid, t timestamptz, FOREIGN KEY (id, t) REFERENCES public.user_auth_logs (id, event_time)); CREATE INDEX ON app.refers (id) WHERE app.says(\'refers\')');
$from = -s $node->logfile;
$admin->query('SELECT mfi_audit_ensure_partitions(4)');
like($admin->{stderr}, qr/cannot be moved, dropped or made anew at isolation level repeatable read/, 'no work in a transaction whose snapshot is old');
$admin->quit;
nothing_planted_ran($node, 'mfi_banking', 'an old snapshot', $from, allowed => 1);
$node->sql('DROP TABLE app.refers');

# A table that is moved away while a lock is waited for, with another one in its place.
$node->sql(q{DO $$ DECLARE r regclass; BEGIN FOR r IN SELECT relid FROM pg_partition_tree('user_auth_logs') LOOP EXECUTE format('ALTER TABLE %s OWNER TO app', r); END LOOP; END $$});
for my $work ('SELECT mfi_audit_ensure_partitions(4)', 'SELECT _mfi_audit_arrange(\'user_auth_logs\'::text, 3)')
{
	my $holder = $node->background_psql('mfi_banking', extra_params => [ '-U', 'app' ]);
	$holder->query_safe('BEGIN; LOCK TABLE ONLY mfi_audit.user_auth_logs_default IN ACCESS EXCLUSIVE MODE');
	my $worker = $node->background_psql('mfi_banking', on_error_stop => 0);
	$worker->query_until(qr/go/, "\\echo go\n$work;\n");
	$node->wait_sql("SELECT EXISTS (SELECT FROM pg_locks WHERE relation = 'mfi_audit.user_auth_logs_default'::regclass AND NOT granted)");
	by_app('mfi_banking', 'ALTER TABLE public.user_auth_logs SET SCHEMA app; ALTER TABLE app.user_auth_logs RENAME TO really; CREATE TABLE app.user_auth_logs (a int)');
	$holder->query_safe('COMMIT');
	$holder->quit;
	$worker->query('SELECT 1');
	like($worker->{stderr}, qr/table user_auth_logs was renamed or moved while a lock on it was waited for/, "$work: moved meanwhile");
	$worker->quit;
	nothing_planted_ran($node, 'mfi_banking', $work, $from, allowed => 1);
	by_app('mfi_banking', 'DROP TABLE app.user_auth_logs; ALTER TABLE app.really RENAME TO user_auth_logs');
	$node->sql('ALTER TABLE app.user_auth_logs SET SCHEMA public');
}
$node->sql(q{DO $$ DECLARE r regclass; BEGIN FOR r IN SELECT relid FROM pg_partition_tree('user_auth_logs') LOOP EXECUTE format('ALTER TABLE %s OWNER TO postgres', r); END LOOP; END $$; SELECT mfi_audit_ensure_partitions(4)});

# Referenced tables: a partition that is attached has a foreign key to be checked.
$node->sql(q{INSERT INTO user_activity_logs (user_id, event_type_id, event_time) SELECT 'u', min(id), '2013-03-09' FROM activity_type; ALTER TABLE activity_type OWNER TO app; GRANT CREATE ON SCHEMA public TO app});
by_app('mfi_banking', 'CREATE INDEX ON public.activity_type (id) WHERE app.says(\'referenced\'); CREATE STATISTICS app.s ON (app.says(\'referenced\') OR name IS NULL), id FROM public.activity_type; ANALYZE public.activity_type');
$from = -s $node->logfile;
like($node->sql('SELECT * FROM mfi_audit_ensure_partitions(5)'), qr/user_activity_logs_201303 made, with the rows/, 'partitions');
nothing_planted_ran($node, 'mfi_banking', 'a foreign key of an audit table', $from, allowed => 1);
is($node->sql(q{SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND conrelid = 'mfi_audit.user_activity_logs_201303'::regclass AND convalidated AND conparentid <> 0}), '1', 'the foreign key is there, and checked');
like($node->error(q{INSERT INTO user_activity_logs (user_id, event_type_id, event_time) VALUES ('u', 999999, '2013-03-09')}), qr/violates foreign key/, 'and works');

# Rows on their way to their month: what would swallow them is noticed, and they stay.
$node->sql(q{CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; INSERT INTO user_auth_logs (event_type, client_id, realm_id, event_time) VALUES ('LOGIN', 'c', 'r', '2014-03-09')});
$node->sql(q{CREATE FUNCTION adds() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
	IF to_regclass('mfi_audit.user_auth_logs_201403') IS NOT NULL AND NOT EXISTS (SELECT FROM pg_trigger WHERE tgname = 'swallows') THEN
	  CREATE TRIGGER swallows BEFORE INSERT ON mfi_audit.user_auth_logs_201403 FOR EACH ROW EXECUTE FUNCTION public.swallow(); ALTER TABLE mfi_audit.user_auth_logs_201403 ENABLE ALWAYS TRIGGER swallows;
	END IF; END $$; CREATE EVENT TRIGGER adds ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION adds()});
like($node->error('SELECT mfi_audit_ensure_partitions(5)'), qr/rows of mfi_audit.user_auth_logs_default would be lost on their way.*1 of them/s, 'rows that would be lost');
$node->sql('DROP EVENT TRIGGER adds');
$node->sql('SELECT mfi_audit_ensure_partitions(5)');
is($node->sql('SELECT count(*) FROM mfi_audit.user_auth_logs_201403'), '1', 'and then are not');

# Definitions that are changed while they are read, or after the caller's snapshot.
my $trigger = sub { "CREATE OR REPLACE TRIGGER t AFTER INSERT ON $_[0] FOR EACH STATEMENT WHEN ($_[1]) EXECUTE FUNCTION app.fires()" };
my $evil = q{1 = ANY ('{1}'::app.hostile[])};
for my $case ('race', 'snapshot')
{
	$node->safe_psql('postgres', "CREATE DATABASE $case");
	$node->safe_psql($case, q{CREATE EXTENSION mfi VERSION '1.0' CASCADE; CREATE SCHEMA app AUTHORIZATION app; GRANT SELECT, TRIGGER ON user_auth_logs TO app; GRANT USAGE ON SCHEMA app TO PUBLIC});
	by_app($case, plant_functions() . q{CREATE DOMAIN app.hostile AS int CHECK (app.says('literal'))});
	$from = -s $node->logfile;
	if ($case eq 'race')
	{
		by_app($case, join('', map { "CREATE VIEW app.v$_ AS SELECT id FROM public.user_auth_logs;" . $trigger->("app.v$_", '1 = 1') . ';' } 1 .. 200)
			. q{CREATE PROCEDURE app.attack() LANGUAGE plpgsql AS $$ BEGIN
			LOOP EXIT WHEN EXISTS (SELECT FROM pg_locks WHERE relation = 'public.user_auth_logs'::regclass AND mode = 'AccessExclusiveLock' AND granted); PERFORM pg_sleep(0.002); END LOOP;
			PERFORM pg_sleep(0.01);
			FOR n IN 1..200 LOOP BEGIN EXECUTE format('} . $trigger->('app.v%s', $evil) =~ s/'/''/gr . q{', n); EXCEPTION WHEN OTHERS THEN NULL; END; COMMIT; END LOOP; END $$});
		my $attacker = $node->background_psql($case, extra_params => [ '-U', 'app' ], on_error_stop => 0);
		$attacker->query_until(qr/go/, "\\echo go\nSET lock_timeout = '20s';\nCALL app.attack();\n");
		$node->wait_sql("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE query ~ '^CALL app.attack' AND wait_event = 'PgSleep')");
		my ($status, $out, $err) = $node->psql($case, 'ALTER EXTENSION mfi UPDATE');
		is($status, 0, 'updated beside it') or diag($err);
		$attacker->quit;
	}
	else
	{
		by_app($case, $trigger->('public.user_auth_logs', '1 = 1'));
		$admin = $node->background_psql($case, on_error_stop => 0);
		$admin->query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1');
		by_app($case, $trigger->('public.user_auth_logs', $evil));
		$admin->query('ALTER EXTENSION mfi UPDATE; COMMIT');
		$admin->quit;
		is($node->safe_psql($case, 'SELECT mfi_schema_version()'), '1.0', 'not in a transaction whose snapshot is older than the locks');
		is($node->psql($case, 'ALTER EXTENSION mfi UPDATE'), 3, 'nor with that trigger');
		for my $type (q{app.pair AS (a int)}, q{app.mood AS ENUM ('(1)')})
		{
			# Until the definition is read again, its owner can put another type in its place.
			my ($name) = split ' ', $type;
			$node->safe_psql($case, 'DROP TRIGGER t ON user_auth_logs');
			by_app($case, "DROP TYPE IF EXISTS $name; CREATE TYPE $type;" . $trigger->('public.user_auth_logs', "'(1)'::$name IS NOT NULL"));
			like($node->error('ALTER EXTENSION mfi UPDATE', dbname => $case), qr/trigger t on table (?:public\.)?user_auth_logs cannot be made anew: others than postgres.*belong to app/s, "a literal of $type");
		}
		$node->safe_psql('postgres', 'CREATE DATABASE adopted');
		$node->safe_psql('adopted', q{CREATE EXTENSION mfi VERSION '1.0' CASCADE; DROP EXTENSION mfi CASCADE; DROP SCHEMA mfi CASCADE; DROP SCHEMA mfi_audit CASCADE; CREATE SCHEMA app AUTHORIZATION app; GRANT SELECT ON user_auth_logs TO app});
		by_app('adopted', plant_functions() . q{CREATE DOMAIN app.hostile AS int CHECK (app.says('literal')); CREATE VIEW app.v AS SELECT id FROM public.user_auth_logs;} . $trigger->('app.v', '1 = 1'));
		$admin = $node->background_psql('adopted', on_error_stop => 0);
		$admin->query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1');
		by_app('adopted', $trigger->('app.v', $evil));
		$admin->query(q{CREATE EXTENSION mfi VERSION '1.0'; COMMIT});
		like($admin->{stderr}, qr/made anew at isolation level repeatable read/, 'nor is anything adopted in one');
		$admin->quit;
		$node->safe_psql('postgres', 'CREATE DATABASE fresh');
		is($node->psql('fresh', 'BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1; CREATE EXTENSION mfi CASCADE; COMMIT'), 0, 'where everything is new it may be');
	}
	nothing_planted_ran($node, $case, $case, $from, allowed => 1);
	$node->safe_psql('postgres', 'ALTER ROLE app NOSUPERUSER');
}
$node->stop;
done_testing();
