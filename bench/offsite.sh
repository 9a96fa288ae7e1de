# shellcheck shell=bash
# Copies elsewhere, to restic's own server on this machine: the bytes of a night in which 1 % of the rows have changed, against the
# set's, and against what users have today, pg_dump's archive, or its plain text, given to restic; what the copy takes; and
# what a writer feels meanwhile. Sourced by bench/run.
# shellcheck disable=SC2154 # bench/run sets dir, port and runs
offsite_url=http://127.0.0.1:$((port + 2))

offsite_begin() {
  as_postgres mkdir -p served plain
  # shellcheck disable=SC2016
  as_postgres sh -c 'echo $$ >served.pid; exec restic-rest-server --path served --append-only --no-auth --listen "$0"' \
    "127.0.0.1:$((port + 2))" >"$dir/served.log" 2>&1 &
  echo 'a password of the bench' | as_postgres sh -c 'umask 077; cat >offsite-password'
  until as_postgres curl -s -o offsite.out "$offsite_url/"; do sleep 0.1; done
  local name
  for name in ours plain archive text; do in_repository $name init >/dev/null; done
  configure mfi.backup_directory "$dir/backups" mfi.backup_verify restore mfi.backup_jobs 2 mfi.offsite_drill_schedule '' \
    mfi.offsite_password_file "$dir/offsite-password"
}
in_repository() { # NAME ARGUMENT...
  local name=$1
  shift
  as_postgres restic -q -r "rest:$offsite_url/$name/" --password-file offsite-password --cache-dir offsite-cache "$@"
}
stored() { bytes_in "$dir/served/$1/data"; }

copied() { # ID [REPOSITORY]: turns it on, until the set is there
  configure mfi.offsite_repository "rest:$offsite_url/${2:-ours}/"
  until_true "SELECT EXISTS (SELECT FROM mfi_offsite_copies WHERE id = '$1')"
}
no_copies() {
  configure mfi.offsite_repository ''
  until_true "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE backend_type = 'mfi copier')"
}

# The greatest memory of a program of the copier, until a file is gone.
watch_copier() { # WHILE-THERE
  local pid most=0 now
  while [ -e "$1" ]; do
    for pid in $(pgrep -u "$(stat -c %U "$dir")" -x restic); do
      now=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$pid/status" 2>/dev/null || true)
      [ "${now:-0}" -le "$most" ] || most=$now
    done
    sleep 0.05
  done
  echo "$most"
}
copier_ticks() { awk '{ print $14 + $15 + $16 + $17 }' "/proc/$(sql "SELECT pid FROM pg_stat_activity WHERE backend_type = 'mfi copier'")/stat"; }

changed() { # all over the table | in one stretch
  case $1 in
    all*) sql 'UPDATE pgbench_accounts SET abalance = abalance + 1 WHERE aid % 100 = 0' ;;
    *) sql 'UPDATE pgbench_accounts SET abalance = abalance + 1 WHERE aid <= (SELECT max(aid) / 100 FROM pgbench_accounts)' ;;
  esac >/dev/null
  audit_rows $((scale * 30000 + 1)) $((scale * 30300))
}

bench_offsite() {
  local i id size before what
  offsite_begin
  for ((i = 0; i < runs; i++)); do
    no_copies
    id=$(backup)
    size=$(sql "SELECT size_bytes FROM mfi_backups WHERE id = '$id'")
    tps_beside offsite-quiet.tps sleep 20
    tps_beside offsite-copy.tps copied "$id"
  done
  say "pgbench TPS during the copy of a set of $((size / 1000000)) MB: $(ratio "$(seconds offsite-copy.tps)" "$(seconds offsite-quiet.tps)") of undisturbed"
  no_copies
  id=$(backup)
  touch "$dir/copying"
  watch_copier "$dir/copying" >"$dir/copier.kb" &
  before=$SECONDS
  copied "$id"
  i=$(copier_ticks)
  rm "$dir/copying"
  wait %%
  say "that takes $((SECONDS - before)) s, $(awk -v t="$i" -v hz="$(getconf CLK_TCK)" -v b="$size" 'BEGIN { printf "%.1f", t / hz / b * 1e9 }') s of CPU for a GB of the set, and $(($(<"$dir/copier.kb") / 1024)) MB of memory at most"
  no_copies
  nights
  for what in 'all over the table' 'in one stretch'; do
    changed "$what"
    nights
    say "a night with 1 % changed rows $what, MB sent of MB of the set: $(sent ours), without compression $(sent plain); of pg_dump -Fc -Z6 $(sent archive), of its plain text $(sent text)"
  done
}

# Each way makes its copy of what is there now. FILE.sent has the bytes that came to the repository, FILE.size those that were copied.
nights() {
  local name before
  for name in ours plain archive text; do
    before=$(stored $name)
    case $name in
      ours | plain)
        # A directory of its own: what the one repository has, the other would be given, too.
        [ $name = ours ] || configure mfi.backup_compression none mfi.backup_directory "$dir/plain"
        backup >"$dir/id"
        copied "$(<"$dir/id")" $name
        sql "SELECT size_bytes FROM mfi_backups WHERE id = '$(<"$dir/id")'" >"$dir/$name.size"
        no_copies
        configure mfi.backup_compression zstd:1 mfi.backup_directory "$dir/backups"
        ;;
      archive) incumbent && in_repository archive backup incumbent.dump && stat -c %s "$dir/incumbent.dump" >"$dir/archive.size" ;;
      text) as_postgres pg_dump -f plain.sql mfi_banking && in_repository text backup plain.sql && stat -c %s "$dir/plain.sql" >"$dir/text.size" ;;
    esac
    echo $(($(stored $name) - before)) >"$dir/$name.sent"
  done
}
sent() { awk '{ printf "%.1f", $1 / 1e6; getline; printf " of %.0f", $1 / 1e6 }' "$dir/$1.sent" "$dir/$1.size"; }
