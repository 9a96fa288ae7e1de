# shellcheck shell=bash
# Recovery to any second against pgBackRest, as Debian 13 packages it, with its defaults, two processes and start-fast: what a
# writer feels and what it costs (receiving), what would be lost (rpo), how long a recovery takes (rto), and the bytes of a week
# (week). Sourced by bench/run. MFI_BENCH_WAL_MB (20 a unit of scale): WAL that is replayed, standing for a day; MFI_BENCH_SECONDS
# (15): how long a writer is watched at a time, for RPO three times as long.
# shellcheck disable=SC2154 # bench/run sets dir, port, runs and scale
wal_mb=${MFI_BENCH_WAL_MB:-$((scale * 20))}
phase_s=${MFI_BENCH_SECONDS:-15}
pgbackrest=
other=$((port + 1)) # of a server that was recovered

# The package is unpacked into the bench's own directory: nothing of the machine changes.
fetch_pgbackrest() {
  local version
  pgbackrest=$(command -v pgbackrest || true)
  if [ -z "$pgbackrest" ]; then
    mkdir -p "$dir/peer"
    chmod 755 "$dir/peer"
    if (cd "$dir/peer" && apt-get download -q pgbackrest/trixie && dpkg -x pgbackrest_*.deb .) >/dev/null 2>&1; then
      pgbackrest=$dir/peer/usr/bin/pgbackrest
    fi
  fi
  if ! version=$("${pgbackrest:-false}" version 2>/dev/null); then
    pgbackrest=
    say "pgBackRest: not compared, apt's sources have none of Debian 13 that runs here"
    return 0
  fi
  as_postgres mkdir -p pgbackrest spool
  as_postgres tee pgbackrest.conf >/dev/null <<CONF
[global]
repo1-path=$dir/pgbackrest
spool-path=$dir/spool
lock-path=$dir/spool
log-path=$dir/spool
log-level-file=off
log-level-console=error
process-max=2
start-fast=y

[bench]
pg1-path=$dir/primary
pg1-socket-path=$dir
pg1-port=$port
pg1-user=postgres
CONF
  peer stanza-create
  say "peer: $version, process-max=2, start-fast=y, else its defaults; ours: the defaults, on the primary itself, on the same disk"
}
peer() { as_postgres "$pgbackrest" --config="$dir/pgbackrest.conf" --stanza=bench "$@"; }
has_peer() { [ -n "$pgbackrest" ]; }

recovery_begin() {
  configure archive_mode on archive_command /bin/true max_worker_processes 16 summarize_wal on \
    mfi.recovery_full_schedule '' mfi.recovery_incremental_schedule ''
  stop
  start
  sql "SELECT pg_prewarm(oid) FROM pg_class WHERE relkind IN ('r', 'i') AND relpersistence = 'p'" >/dev/null
  [ -d "$dir/recovery" ] || as_postgres mkdir -m 700 recovery
  [ -f "$dir/pgbackrest.conf" ] || fetch_pgbackrest
}
recovery_end() { # PART...: later ones, which go on with the same store
  local later
  archive_by /bin/true
  no_receive
  for later; do ! wanted "$later" || return 0; done
  sql "SELECT pg_drop_replication_slot('mfi_recovery')" >/dev/null
  rm -rf "$dir/recovery" "$dir/pgbackrest" "$dir/pgbackrest.conf"
}

archive_by() { configure archive_command "$1"; }
pushing() { printf '%s' "$pgbackrest --config=$dir/pgbackrest.conf --stanza=bench archive-push %p"; }
until_true() { until [ "$(sql "$1")" = t ]; do sleep 0.1; done; }
archived() { # everything that is written now
  local last
  last=$(sql "SELECT pg_walfile_name(pg_logical_emit_message(true, 'bench', 'so that there is something to switch from'))")
  sql 'SELECT pg_switch_wal()' >/dev/null
  until_true "SELECT max(last_archived_wal) >= '$last' FROM pg_stat_archiver"
}
received() {
  until_true "SELECT coalesce(bool_or(flush_lsn >= '$(sql 'SELECT pg_current_wal_flush_lsn()')'), false) FROM pg_stat_replication WHERE application_name = 'mfi recovery'"
}
receive() {
  configure mfi.recovery_directory "$dir/recovery"
  until_true "SELECT receiver_state = 'receiving' FROM mfi_recovery"
  received
}
no_receive() {
  configure mfi.recovery_directory ''
  until_true "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE backend_type ~ '^mfi (receiver|base|drill)' OR application_name = 'mfi recovery')"
}
store() { printf '%s\n' "$dir"/recovery/*/; }
rounded() { printf %.1f "$(seconds "$1")"; }
bytes_in() { find "$@" -type f -printf '%s\n' 2>/dev/null | awk '{ sum += $1 } END { printf "%d\n", sum }'; }
wal_position() { sql "SELECT pg_current_wal_lsn() - '0/0'::pg_lsn"; }

base() { # true|false: full
  until_true 'SELECT running IS NULL FROM mfi_recovery'
  sql "SELECT mfi_recovery_base_now($1)"
}
# The one that follows a base by itself is in the way of what is measured next.
end_drill() {
  local i
  for ((i = 0; i < 30; i++)); do
    [ "$(sql "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE backend_type = 'mfi drill'")" = 0 ] || break
    sleep 0.1
  done
  until_true 'SELECT running IS NULL FROM mfi_recovery'
}
# The newest base and the drill that follows it by itself.
drilled() {
  until_true "SELECT running IS NULL AND EXISTS (SELECT FROM mfi_recovery_backups) AND
                (SELECT drill_result IS NOT NULL FROM mfi_recovery_backups ORDER BY started_at DESC LIMIT 1) FROM mfi_recovery"
  [ "$(sql 'SELECT drill_result FROM mfi_recovery')" = ok ] || say "a drill found: $(sql 'SELECT drill_result, error FROM mfi_recovery_drills ORDER BY started_at DESC LIMIT 1')"
}
night() {
  base true
  drilled
}

# What a writer feels. Each phase begins behind a checkpoint, so that each writes as many whole pages into WAL.
phase() { # NAME COMMAND...: of quiet, receiving, archiving, night, backup
  local name=$1
  shift
  case $name in receiving | night) receive ;; *) no_receive ;; esac
  case $name in archiving | backup) archive_by "$(pushing)" ;; *) archive_by /bin/true ;; esac
  sql CHECKPOINT >/dev/null
  rm -f "$dir/$name.now"
  tps_beside "$name.now" "$@"
  cat "$dir/$name.now" >>"$dir/$name.tps"
}
compare_phases() { # NAME: with the quiet one of the same round
  awk -v a="$(<"$dir/$1.now")" -v b="$(<"$dir/quiet.now")" 'BEGIN { print a / b }' >>"$dir/$1.ratios"
}
told() { printf '%.3f (%s)' "$(seconds "$1.ratios")" "$(sort -n "$dir/$1.ratios" | sed -n '1p;$p' | xargs printf '%.2f to %.2f')"; }

receiving_pids() {
  local worker
  worker=$(sql "SELECT pid FROM pg_stat_activity WHERE backend_type = 'mfi receiver'")
  echo "$worker"
  pgrep -P "$worker"
  sql "SELECT pid FROM pg_stat_replication WHERE application_name = 'mfi recovery'"
}
cpu_of() { # PID...: seconds, with those of children that ended
  local pid
  for pid; do cat "/proc/$pid/stat"; done | awk '{ sum += $14 + $15 + $16 + $17 } END { print sum / 100 }'
}
append_cost() { # FILE CPU0 CPU1 BYTES0 BYTES1 WAL0 WAL1: seconds of CPU per GB of WAL, and bytes per byte of WAL
  awk -v a="$2" -v b="$3" -v wal=$(($7 - $6)) 'BEGIN { print (b - a) / (wal / 1e9) }' >>"$dir/$1.cpu"
  awk -v bytes=$(($5 - $4)) -v wal=$(($7 - $6)) 'BEGIN { print bytes / wal }' >>"$dir/$1.bytes"
}
phase_receiving() {
  local pids cpu bytes wal
  receive
  pids=$(receiving_pids)
  # shellcheck disable=SC2086
  cpu=$(cpu_of $pids) bytes=$(bytes_in "$(store)wal" "$(store)receiving") wal=$(wal_position)
  phase receiving sleep "$phase_s"
  received
  # shellcheck disable=SC2086
  append_cost receiving "$cpu" "$(cpu_of $pids)" "$bytes" "$(bytes_in "$(store)wal" "$(store)receiving")" "$wal" "$(wal_position)"
}
phase_archiving() {
  local pid cpu bytes wal
  has_peer || return 0
  archive_by "$(pushing)"
  archived
  pid=$(sql "SELECT pid FROM pg_stat_activity WHERE backend_type = 'archiver'")
  cpu=$(cpu_of "$pid") bytes=$(bytes_in "$dir/pgbackrest/archive") wal=$(wal_position)
  phase archiving sleep "$phase_s"
  archived
  append_cost archiving "$cpu" "$(cpu_of "$pid")" "$bytes" "$(bytes_in "$dir/pgbackrest/archive")" "$wal" "$(wal_position)"
}

bench_receiving() {
  local i name
  recovery_begin
  receive
  drilled
  rm -f "$dir"/*.tps "$dir"/*.ratios "$dir"/{receiving,archiving}.{cpu,bytes}
  for ((i = 0; i < 2 * runs; i++)); do
    if [ $((i % 2)) = 0 ]; then
      phase quiet sleep "$phase_s"
      phase_receiving
      phase_archiving
    else
      phase_archiving
      phase_receiving
      phase quiet sleep "$phase_s"
    fi
    compare_phases receiving
    ! has_peer || compare_phases archiving
  done
  say "pgbench TPS while receiving: $(told receiving) of undisturbed ($(rounded quiet.tps) TPS, $((2 * runs)) rounds)$(! has_peer || printf '; with archive-push: %s' "$(told archiving)")"
  say "receiving, per GB of WAL: $(printf %.1f "$(seconds receiving.cpu)") s of CPU, $(printf %.2f "$(seconds receiving.bytes)") GB stored$(! has_peer || printf '; archive-push: %.1f s, %.2f GB' "$(seconds archiving.cpu)" "$(seconds archiving.bytes)")"
  for ((i = 0; i < runs; i++)); do
    phase quiet sleep "$phase_s"
    phase night night
    compare_phases night
    ! has_peer || {
      phase backup peer backup --type=full
      compare_phases backup
    }
  done
  say "pgbench TPS during a full base and its drill: $(told night) of undisturbed$(! has_peer || printf "; during pgBackRest's full backup, which proves nothing: %s" "$(told backup)")"
  recovery_end rpo rto week
}

# What would be lost if everything but the store were gone now: from the last moment whose commits are all there until now.
rpo_functions() {
  sql "SET client_min_messages = warning;
    DROP TABLE IF EXISTS bench_sample, bench_file;
    CREATE TABLE bench_sample (how text, at timestamptz, flushed pg_lsn, stored pg_lsn);
    CREATE INDEX ON bench_sample (how, flushed, at);
    CREATE TABLE bench_file (how text, at timestamptz, stored pg_lsn);
    CREATE OR REPLACE FUNCTION bench_end_of(segment text) RETURNS pg_lsn LANGUAGE sql AS \$\$
      SELECT '0/0'::pg_lsn + (('x' || substr(segment, 9, 8))::bit(32)::bigint * 4294967296 + (('x' || substr(segment, 17, 8))::bit(32)::bigint + 1) * 16777216) \$\$;
    CREATE OR REPLACE FUNCTION bench_watch(how text, seconds float) RETURNS SETOF bench_sample LANGUAGE plpgsql SET stats_fetch_consistency = none AS \$\$
    DECLARE until timestamptz := clock_timestamp() + seconds * interval '1 s'; s bench_sample; segment text;
    BEGIN
      s.how := how;
      WHILE clock_timestamp() < until LOOP
        s.at := clock_timestamp();
        s.flushed := pg_current_wal_flush_lsn();
        IF how ~ '^mfi' THEN
          SELECT flush_lsn INTO s.stored FROM pg_stat_replication WHERE application_name = 'mfi recovery';
        ELSE
          SELECT last_archived_wal INTO segment FROM pg_stat_archiver;
          IF segment ~ '^[0-9A-F]{24}\$' THEN s.stored := bench_end_of(segment); END IF;
        END IF;
        RETURN NEXT s;
        PERFORM pg_sleep(0.005);
      END LOOP;
    END \$\$" >/dev/null
}
# What the files of the store hold at some hundred moments, read as a recovery reads them.
read_store() { # HOW PID: as long as that watches
  local file segment bytes at
  command -v lz4 >/dev/null || return 0
  while kill -0 "$2" 2>/dev/null; do
    for file in "$(store)"receiving/*.partial; do
      cp "$file" "$dir/partial" 2>/dev/null || continue
      at=$(date +%s.%N)
      bytes=$({ lz4 -dcq <"$dir/partial" || true; } 2>/dev/null | wc -c)
      segment=$(basename "$file")
      printf 'INSERT INTO bench_file SELECT %s, to_timestamp(%s), bench_end_of(%s) - 16777216 + %s;\n' "'$1'" "$at" "'${segment:0:24}'" "$bytes" >>"$dir/files.sql"
    done
    sleep 0.15
  done
}
age() { # TABLE HOW: "p50 p99" in ms; the first third is for coming to a steady state
  sql "WITH began AS (SELECT min(at) AS at, max(at) AS ended FROM bench_sample WHERE how = '$2'),
         age AS (SELECT extract(epoch FROM s.at - coalesce(k.at, b.at)) * 1000 AS ms, k.at IS NULL AS older
                   FROM began b, $1 s LEFT JOIN LATERAL (SELECT at FROM bench_sample WHERE how = '$2' AND flushed <= s.stored AND at <= s.at ORDER BY flushed DESC, at DESC LIMIT 1) k ON true
                  WHERE s.how = '$2' AND s.at > b.at + $phase_s * interval '1 s' AND s.at <= b.ended)
       SELECT CASE WHEN bool_or(older) THEN 'at least ' ELSE '' END || format('p50 %s ms, p99 %s ms (%s moments)', round(percentile_cont(0.5) WITHIN GROUP (ORDER BY ms)), round(percentile_cont(0.99) WITHIN GROUP (ORDER BY ms)), count(*)) FROM age"
}
watch_loss() { # HOW PGBENCH-ARGUMENTS...
  local how=$1 writer watcher
  shift
  setsid -w "$BASH" -c "$(declare -f as_postgres); $(declare -p dir bindir port); as_postgres pgbench -n -T 600 $* 2>&1" >"$dir/progress" &
  writer=$!
  sql "COPY (SELECT * FROM bench_watch('$how', $((3 * phase_s)))) TO STDOUT" >"$dir/watched.copy" &
  watcher=$!
  [[ $how != mfi* ]] || { sleep "$phase_s" && read_store "$how" $watcher; }
  wait $watcher
  as_postgres psql -X -q -c "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pgbench'" >/dev/null
  wait $writer || true
  sql "\\copy bench_sample FROM '$dir/watched.copy'" >/dev/null
}

bench_rpo() {
  local load arguments
  recovery_begin
  receive
  drilled
  rpo_functions
  rm -f "$dir/files.sql"
  for load in 'full speed' '20 TPS'; do
    arguments='-c 4'
    [ "$load" = 'full speed' ] || arguments='-c 2 -R 20'
    receive
    watch_loss "mfi, $load" "$arguments"
    no_receive
    has_peer || continue
    archive_by "$(pushing)"
    watch_loss "archive, $load" "$arguments"
    archive_by /bin/true
  done
  [ ! -f "$dir/files.sql" ] || as_postgres psql -X -q -f "$dir/files.sql"
  sql ANALYZE >/dev/null
  for load in 'full speed' '20 TPS'; do
    say "RPO, pgbench at $load: $(age bench_sample "mfi, $load"); read from the store's files: $(age bench_file "mfi, $load")$(! has_peer || printf '; archive-push: %s' "$(age bench_sample "archive, $load")")"
  done
  recovery_end rto week
}

# From nothing to a server that takes writes and has the newest row.
answers() { # DIRECTORY
  as_postgres pg_ctl start -s -W -D "$1" -l recovered.log -o "-p $other -c archive_mode=off -c mfi.recovery_directory=" >/dev/null
  until [ "$(as_postgres psql -X -At -p "$other" -c 'SELECT max(id) FROM bench_newest WHERE NOT pg_is_in_recovery()' 2>/dev/null)" = 1 ]; do sleep 0.05; done
}
recover_ours() {
  as_postgres mfi recover --to latest --store "$dir/recovery" --cluster "$dir/recovered"
  answers recovered
}
recover_theirs() {
  as_postgres mkdir -m 700 recovered
  peer restore --pg1-path="$dir/recovered"
  answers recovered
}
forget_recovered() {
  stop recovered
  rm -rf "$dir/recovered"
}
write_wal() { # MEGABYTES
  local until
  until=$(($(wal_position) + $1 * 1000000))
  while [ "$(wal_position)" -lt $until ]; do as_postgres pgbench -n -c 4 -T 5 >/dev/null 2>&1; done
}

bench_rto() {
  local i from transactions
  recovery_begin
  receive
  end_drill
  ! has_peer || archive_by "$(pushing)"
  base true >/dev/null
  end_drill
  ! has_peer || peer backup --type=full
  from=$(wal_position)
  transactions=$(sql 'SELECT count(*) FROM pgbench_history')
  write_wal "$wal_mb"
  transactions=$(($(sql 'SELECT count(*) FROM pgbench_history') - transactions))
  sql 'CREATE TABLE bench_newest AS SELECT 1 AS id' >/dev/null
  from=$((($(wal_position) - from) / 1000000))
  archived
  received
  rm -f "$dir"/{ours,theirs}.s
  for ((i = 0; i < runs; i++)); do
    timed ours.s recover_ours
    forget_recovered
    has_peer || continue
    timed theirs.s recover_theirs
    forget_recovered
  done
  say "RTO, a base of $(sql 'SELECT pg_size_pretty(data_bytes) FROM mfi_recovery_backups ORDER BY started_at DESC LIMIT 1') and $from MB of WAL ($transactions transactions of pgbench): $(rounded ours.s) s with every base verified and everything on disk$(! has_peer || printf ', %s of pgbackrest restore and start (%s s)' "$(ratio "$(seconds ours.s)" "$(seconds theirs.s)")" "$(rounded theirs.s)")"
  sql 'DROP TABLE bench_newest' >/dev/null
  recovery_end week
}

# A day: 1 % of the accounts changed, here and there or in one stretch, and 1 % more audit rows.
change() { # scattered|clustered NIGHT
  local condition="abs(hashint8(aid)) % 100 = $2"
  [ "$1" = scattered ] || condition="aid > $scale * 1000 * $2 AND aid <= $scale * 1000 * ($2 + 1)"
  sql "UPDATE pgbench_accounts SET abalance = abalance + 1 WHERE $condition" >/dev/null
  sql "INSERT INTO user_auth_logs (iam_event_id, iam_user_id, event_type, client_id, realm_id, session_id, ip_address, event_time, details)
       SELECT gen_random_uuid()::text, gen_random_uuid(), 'LOGIN', 'mobile-app', 'hub', md5(i::text), '10.0.' || i % 256 || '.' || i % 250, date_trunc('month', now(), 'UTC') + i * interval '0.8 s',
              jsonb_build_object('auth_method', 'openid-connect', 'username', 'user' || i % 50000, 'code_id', gen_random_uuid())
         FROM generate_series(1, $scale * 300) i" >/dev/null
}
blockwise() { peer --repo1-path="$dir/blockwise" "$@"; }
megabytes() { printf '%d MB' $((($1 + 500000) / 1000000)); }
week() { # scattered|clustered
  local night kind=full wal=$1 bases our_wal their_bases=0 their_wal=0 from
  bases=$(bytes_in "$(store)base") our_wal=$(bytes_in "$(store)wal")
  rm -f "$dir"/{ours,theirs,blockwise}.{full,incr}.s
  if has_peer; then
    as_postgres mkdir blockwise
    blockwise stanza-create
    their_bases=$(bytes_in "$dir/pgbackrest/backup") their_wal=$(bytes_in "$dir/pgbackrest/archive")
  fi
  archived
  from=$(wal_position)
  for ((night = 1; night <= 7; night++)); do
    change "$1" "$night"
    until_true 'SELECT running IS NULL FROM mfi_recovery'
    timed ours.$kind.s base "$([ $kind = full ] && echo true || echo false)"
    [ $night != 1 ] || bases="$bases $(($(bytes_in "$(store)base") - bases))"
    end_drill
    if has_peer; then
      timed theirs.$kind.s peer backup --type=$kind
      [ $night != 1 ] || their_bases="$their_bases $(($(bytes_in "$dir/pgbackrest/backup") - their_bases))"
      timed blockwise.$kind.s blockwise backup --type=$kind --repo1-bundle --repo1-block --no-archive-check
    fi
    kind=incr
  done
  archived
  wal=$(($(wal_position) - from))
  our_wal=$(($(bytes_in "$(store)wal") - our_wal))
  say "a week of 1 % a day, $1: full $(megabytes "${bases#* }") and six incremental bases $(megabytes $(($(bytes_in "$(store)base") - ${bases% *} - ${bases#* }))), WAL $(megabytes $our_wal) of $(megabytes $wal) in whole segments; an incremental base takes $(ratio "$(seconds ours.incr.s)" "$(seconds ours.full.s)") of the time of a full one ($(rounded ours.full.s) s, each verified)"
  has_peer || return 0
  say "  pgBackRest: full $(megabytes "${their_bases#* }") and six incr $(megabytes $(($(bytes_in "$dir/pgbackrest/backup") - ${their_bases% *} - ${their_bases#* }))), WAL $(megabytes $(($(bytes_in "$dir/pgbackrest/archive") - their_wal))); full $(rounded theirs.full.s) s, incr $(ratio "$(seconds theirs.incr.s)" "$(seconds theirs.full.s)") of it; with repo1-bundle and repo1-block: all seven $(megabytes "$(bytes_in "$dir/blockwise/backup")"), incr $(ratio "$(seconds blockwise.incr.s)" "$(seconds blockwise.full.s)") of its full"
  rm -rf "$dir/blockwise"
}
bench_week() {
  recovery_begin
  receive
  end_drill
  ! has_peer || archive_by "$(pushing)"
  week scattered
  week clustered
  recovery_end
}
