# shellcheck shell=bash
# shellcheck disable=SC2016,SC2034,SC2154 # the runner and lib.sh set and use these
# The replica receives WAL into ./recovery with nothing more to do, proves it, and a mistake on the primary is undone from there.
store=$stack/recovery/db-replica-5432
recover() { compose exec -T db-backup /recover.sh "$@" 2>&1; }
drilled() { grep -lqE '"result": ?"ok"' "$store"/drills/*.json; }
reachable() { recover --list | grep -q 'to the newest WAL'; }
received() { # LSN: the replica's store has it
  answers replica "SELECT flush_lsn >= '$1' FROM pg_stat_replication WHERE application_name = 'mfi recovery'" t
}
receives() { # NODE WORD: by MFI_RECOVERY
  docker run --rm --hostname "$1" -e MFI_RECOVERY="$2" --entrypoint mfi mfi-primary node settings | grep -q "^mfi.recovery_directory = '/recovery'$"
}

is "the replica receives, and the primary does not" '/recovery|t |0' "$(replica "SELECT current_setting('mfi.recovery_directory'), active FROM pg_replication_slots WHERE slot_name = 'mfi_recovery'") \
$(primary "SELECT current_setting('mfi.recovery_directory'), count(*) FROM pg_replication_slots WHERE slot_name = 'mfi_recovery'")"
claim "a first base comes by itself" wait_until 60 "a base with its WAL" reachable
claim "and a drill that proves it" wait_until 60 "a drill" drilled
is "nobody but postgres reads ./recovery" '700 999 0' "$(stat -c '%a %u' "$stack/recovery") $(find "$store" -perm /077 | wc -l)"

primary 'CREATE TABLE till (id int PRIMARY KEY); INSERT INTO till SELECT generate_series(1, 1000)' >/dev/null
moment=$(primary 'SELECT clock_timestamp()')
primary 'DELETE FROM till WHERE id > 10' >/dev/null
claim "what came after a DELETE is in the store, too" wait_until 20 "its WAL" received "$(primary 'SELECT pg_current_wal_flush_lsn()')"
began=$SECONDS
line="docker compose exec db-backup /recover.sh --to '2026-11-24 13:04:30+02'" # of docs/containers.md
said=$(cd "$stack" && bash -c "${line/2026-11-24 13:04:30+02/$moment} --into undone" 2>&1) || true
say "recovered in $((SECONDS - began)) s"
matches "$line tells what the DELETE took" 'public\.till +1000 +10 +differs' "$said"
is "the rows are there, beside the live table" '1000 10' \
  "$(client "$PRIMARY_PORT" psql -X -At -d undone -c 'SELECT count(*) FROM till') $(primary 'SELECT count(*) FROM till')"
primary 'DROP DATABASE IF EXISTS undone' >/dev/null
primary 'DROP TABLE till' >/dev/null

for case in 'db-primary both' 'db-replica both' 'db-replica replica'; do
  # shellcheck disable=SC2086
  claim "MFI_RECOVERY=${case#* }: ${case% *} receives" receives $case
done
for case in 'db-primary replica' 'db-primary off' 'db-replica off'; do
  claim "MFI_RECOVERY=${case#* }: ${case% *} does not" eval "! receives $case"
done
