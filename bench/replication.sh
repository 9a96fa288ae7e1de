# shellcheck shell=bash
# shellcheck disable=SC2154 # dir, port and runs are bench/run's
# Part of bench/run: what replication's functions cost with a standby, and when a client knows that its write is replayed.

# A standby beside the primary.
start_standby() {
  as_postgres pg_basebackup -D standby -R -C -S db_replica -X stream -c fast -d "user=postgres"
  sed -i 's/user=postgres/user=postgres application_name=db-replica/' "$dir/standby/postgresql.auto.conf"
  as_postgres pg_ctl start -s -w -t 60 -D standby -l standby.log -o "-p $((port + 1)) -c hot_standby_feedback=on"
  until [ "$(sql "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'")" = 1 ]; do sleep 0.2; done
}
# Nine more, each with a slot and a walsender of its own: they receive and report as a standby does, and replay nothing.
receivers=()
start_receivers() {
  local i
  for ((i = 1; i < 10; i++)); do
    as_postgres mkdir "received_$i"
    as_postgres pg_receivewal -D "received_$i" -S "slot_$i" --create-slot
    as_postgres pg_receivewal -D "received_$i" -S "slot_$i" --no-loop -d "application_name=receiver-$i" 2>/dev/null &
    receivers+=($!)
  done
  until [ "$(sql "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'")" = 10 ]; do sleep 0.2; done
}
stop_receivers() {
  kill "${receivers[@]}"
  wait "${receivers[@]}" || true
  until [ "$(sql "SELECT count(*) FROM pg_stat_replication")" = 1 ]; do sleep 0.2; done
  sql "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name ~ '^slot_'" >/dev/null
}
on_standby() { as_postgres psql -X -At -v ON_ERROR_STOP=1 -p $((port + 1)) -c "$1"; }

compare_calls() { # WHAT
  local i protocol
  for protocol in simple prepared; do
    rm -f "$dir"/*.ms
    for ((i = 0; i < runs; i++)); do
      latency $protocol 'SELECT 1;' >>"$dir/one.ms"
      latency $protocol 'SELECT * FROM pg_stat_replication;' >>"$dir/view.ms"
      latency $protocol 'SELECT s.slot_name, r.state, pg_wal_lsn_diff(pg_current_wal_lsn(), r.replay_lsn), pg_wal_lsn_diff(pg_current_wal_lsn(), s.restart_lsn), s.wal_status FROM pg_replication_slots s LEFT JOIN pg_stat_replication r ON r.pid = s.active_pid;' >>"$dir/join.ms"
      latency $protocol 'SELECT * FROM mfi_replication_status();' >>"$dir/status.ms"
      latency $protocol "SELECT * FROM mfi_health('replication');" >>"$dir/health.ms"
    done
    say "call, $protocol, $1: mfi_replication_status() $(ratio "$(seconds status.ms)" "$(seconds view.ms)") of pg_stat_replication, $(ratio "$(seconds status.ms)" "$(seconds join.ms)") of the usual lag join, $(ratio "$(seconds status.ms)" "$(seconds one.ms)") of SELECT 1; mfi_health('replication') $(ratio "$(seconds health.ms)" "$(seconds view.ms)") of pg_stat_replication"
  done
}

# How long after the true moment of replay a client knows of it. A session that does nothing but look takes the true
# times; both contestants write a row on the primary, wait for it on the standby and note when they know.
wait_functions() {
  sql "CREATE EXTENSION dblink;
    CREATE TABLE bench_row (id int);
    CREATE TABLE bench_true (lsn pg_lsn, at timestamptz);
    CREATE TABLE bench_known (how text, lsn pg_lsn, asked timestamptz, at timestamptz);
    CREATE FUNCTION bench_look(seconds float) RETURNS TABLE (lsn pg_lsn, at timestamptz) LANGUAGE plpgsql AS \$\$
    DECLARE until timestamptz := clock_timestamp() + seconds * interval '1 s'; last pg_lsn;
    BEGIN
      WHILE clock_timestamp() < until LOOP
        lsn := pg_last_wal_replay_lsn(); at := clock_timestamp();
        IF lsn IS DISTINCT FROM last THEN last := lsn; RETURN NEXT; END IF;
      END LOOP;
    END \$\$;
    CREATE FUNCTION bench_wait(how text, rounds int) RETURNS TABLE (h text, lsn pg_lsn, asked timestamptz, at timestamptz) LANGUAGE plpgsql AS \$\$
    DECLARE seen pg_lsn;
    BEGIN
      PERFORM dblink_connect('primary', 'host=$dir port=$port dbname=mfi_banking user=postgres');
      PERFORM dblink_connect('client', 'host=$dir port=$((port + 1)) dbname=mfi_banking user=postgres');
      h := how;
      FOR i IN 1 .. rounds LOOP
        PERFORM dblink_exec('primary', 'INSERT INTO bench_row VALUES (1)');
        SELECT * INTO lsn FROM dblink('primary', 'SELECT pg_current_wal_insert_lsn()') AS (l pg_lsn);
        asked := clock_timestamp();
        IF how = 'mfi' THEN
          PERFORM * FROM dblink('client', format('SELECT mfi_wait_for_replay(%L, %L)', lsn, '10 s')) AS (reached bool);
        ELSE
          LOOP
            SELECT * INTO seen FROM dblink('client', 'SELECT pg_last_wal_replay_lsn()') AS (l pg_lsn);
            EXIT WHEN seen >= lsn;
            PERFORM pg_sleep(0.001);
          END LOOP;
        END IF;
        at := clock_timestamp();
        RETURN NEXT;
      END LOOP;
    END \$\$" >/dev/null
}
late() { # HOW PERCENTILE: milliseconds
  sql "SELECT round((percentile_cont($2) WITHIN GROUP (ORDER BY extract(epoch FROM k.at - greatest(t.at, k.asked))) * 1000)::numeric, 3)
         FROM bench_known k, LATERAL (SELECT min(at) AS at FROM bench_true t WHERE t.lsn >= k.lsn) t WHERE k.how = '$1' AND t.at > k.asked"
}
bench_wait() {
  local pid i how
  wait_functions
  on_standby "SELECT mfi_wait_for_replay('$(sql 'SELECT pg_current_wal_insert_lsn()')', '1 min')" >/dev/null
  for ((i = 0; i < runs; i++)); do
    for how in mfi poll; do
      on_standby "COPY (SELECT * FROM bench_look(8)) TO STDOUT" >"$dir/true.copy" &
      pid=$!
      on_standby "COPY (SELECT * FROM bench_wait('$how', 1000)) TO STDOUT" >"$dir/known.copy"
      wait $pid
      sql "\\copy bench_true FROM '$dir/true.copy'" >/dev/null
      sql "\\copy bench_known FROM '$dir/known.copy'" >/dev/null
    done
  done
  say "known after the true moment of replay: mfi_wait_for_replay() p50 $(late mfi 0.5) ms, p99 $(late mfi 0.99) ms; polling pg_last_wal_replay_lsn() each ms p50 $(late poll 0.5) ms, p99 $(late poll 0.99) ms"
}

ticks() { awk '{ print $14 + $15 }' "/proc/$1/stat"; }
bench_launcher() {
  local pid before
  pid=$(sql "SELECT pid FROM pg_stat_activity WHERE backend_type = 'mfi launcher'")
  configure mfi.sample_interval 100ms
  before=$(ticks "$pid")
  sleep 60
  say "launcher: $(awk -v t="$(($(ticks "$pid") - before))" 'BEGIN { printf "%.2f", t * 10 / 600 }') ms of CPU per look, 720 looks an hour; shared memory $(sql "SELECT string_agg(name || ' ' || pg_size_pretty(allocated_size), ', ') FROM pg_shmem_allocations WHERE name ~ '^mfi'")"
  configure mfi.sample_interval 5s
}

bench_replication() {
  start_standby
  compare_calls 'one standby'
  bench_launcher
  bench_wait
  start_receivers
  compare_calls 'one standby and nine receivers, ten slots'
  stop_receivers
  as_postgres pg_ctl stop -s -w -m fast -D standby
}
