CREATE OR REPLACE FUNCTION @extschema@._mfi_maintain_table(name text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET statement_timeout = '60s'
AS $$
DECLARE
  line text;
  failure text;
  failed_hint text;
  context text;
BEGIN
  BEGIN
    PERFORM @extschema@._mfi_require_partitions();
    PERFORM @extschema@._mfi_one_at_a_time(1, 'schema'::text);
    FOR line IN SELECT @extschema@._mfi_audit_arrange(name, 3) LOOP
      RAISE LOG 'mfi: %', line;
    END LOOP;
  EXCEPTION
    WHEN lock_not_available OR deadlock_detected THEN
      RAISE;
    WHEN query_canceled OR OTHERS THEN
      GET STACKED DIAGNOSTICS failed_hint = PG_EXCEPTION_HINT, context = PG_EXCEPTION_CONTEXT;
      failure := left(regexp_replace(SQLERRM || coalesce(' (' || nullif(failed_hint, '') || ')', ''),
                                     '[[:cntrl:]]+', ' ', 'g'), 300) || @extschema@._mfi_raised_by(context);
      RAISE LOG 'mfi: partitions of % could not be arranged: %', name, failure;
  END;
  PERFORM @extschema@._mfi_watched(
    format('INSERT INTO mfi.audit_watch AS w (relation, trouble) VALUES (%1$L, %2$L) ON CONFLICT (relation) '
                                          'DO UPDATE SET trouble = EXCLUDED.trouble WHERE w.trouble IS DISTINCT FROM '
                                          'EXCLUDED.trouble', name, failure));
END
$$;

CREATE FUNCTION @extschema@._mfi_raised_by(context text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT coalesce(
    (SELECT format('; it was raised by event trigger %1$I: ALTER EVENT TRIGGER %1$I DISABLE, or let it pass what %2$I '
                   'does in schema mfi_audit', e.evtname, current_user)
       FROM pg_event_trigger e WHERE e.evtfoid::regprocedure::text = f.raiser ORDER BY e.evtname LIMIT 1),
    (SELECT format('; it was raised in function %s', f.raiser)
      WHERE NOT EXISTS (SELECT FROM @extschema@._mfi_members() m
                         WHERE m.classid = 'pg_proc'::regclass AND m.objid::regprocedure::text = f.raiser)), '')
    FROM (SELECT substring(split_part(context, E'\n', 1)
                           FROM '^(?:PL/pgSQL|SQL) function (.*) (?:line|statement|during) ')) AS f (raiser)
$$;
COMMENT ON FUNCTION @extschema@._mfi_raised_by(text) IS
  'Who raised an error with this context, where it was not a function of the extension: an event trigger, with what to '
  'do, or another function; else nothing.';
REVOKE ALL ON FUNCTION @extschema@._mfi_raised_by(text) FROM PUBLIC;
