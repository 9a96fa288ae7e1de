# shellcheck shell=bash
# shellcheck disable=SC2016,SC2034,SC2154 # the runner and lib.sh set and use these
# Copies elsewhere, tried by the lines of docs/containers.md: they arrive, are proven and restored, cannot be deleted from here; no secret is told.
in_list() { readme 'docker compose exec db-backup mfi offsite list' | grep "$1"; }
repository() { in_container -u postgres db-backup restic -r rest:http://db-offsite:8000/bank/ --password-file /run/mfi/offsite_password --no-cache "$@"; }
secrets='a long password|of-the-server'
told() { # SERVICE: whatever tells a secret there; restic's own environment is where its keys belong
  local container process where=/proc
  container=$(compose --profile offsite ps -q "$1")
  ! docker inspect "$container" | grep -qE "$secrets" || echo "docker inspect of $1"
  ! docker logs "$container" 2>&1 | grep -qE "$secrets" || echo "the log of $1"
  for process in $(docker top "$container" -eo pid | tail -n +2); do
    where=/proc/$process
    ! grep -aqE "$secrets" "$where/cmdline" 2>/dev/null || echo "a command line of $1: $(tr '\0' ' ' <"$where/cmdline")"
    [ "$(cat "$where/comm")" = restic ] || ! grep -aqE "$secrets" "$where/environ" 2>/dev/null || echo "an environment of $1: $(cat "$where/comm")"
  done
}

set_on primary mfi.offsite_drill_schedule "''" # else the first copy is drilled by itself, and then once more
while IFS='=' read -r name value; do set_env "$name" "$value"; done < <(grep '^MFI_OFFSITE_' "$stack/docs/containers.md")
set_env MFI_OFFSITE_ENVIRONMENT_FILE ./offsite_environment
set_env MFI_OFFSITE_INTERVAL 7min
set_env MFI_OFFSITE_LIMIT_UPLOAD 50000
install -o 4321 -m 600 /dev/stdin "$stack/offsite_environment" <<<'RESTIC_REST_PASSWORD=of-the-server'
for line in "install -m 600 /dev/stdin offsite_password <<< 'a long password'" 'docker compose --profile offsite up -d db-offsite' \
  'docker compose run --rm --no-deps --entrypoint restic db-backup -r rest:http://db-offsite:8000/bank/ --password-file /run/secrets/offsite_password init' \
  'docker compose --profile offsite up -d' 'docker compose exec db-backup /backup.sh'; do
  claim "$line" readme "$line"
done
last=$(primary "SELECT id FROM mfi_backups WHERE state = 'succeeded' LIMIT 1")
claim "docker compose exec db-backup mfi offsite list has the backup" wait_until 150 "its copy" in_list "$last"
claim "and the replica's store" wait_until 60 "its copy" in_list db-replica-5432
for node in primary replica; do
  is "$node: settings" '7min 50000 /run/mfi/offsite_password /run/mfi/offsite_environment' "$($node "SELECT concat_ws(' ', current_setting('mfi.offsite_interval'),
    current_setting('mfi.offsite_limit_upload'), current_setting('mfi.offsite_password_file'), current_setting('mfi.offsite_environment_file'))")"
done
for line in "docker compose exec -u postgres db-primary psql -d mfi_banking -c 'SELECT mfi_offsite_drill()'" \
  'docker compose exec db-backup /restore.sh --offsite' 'docker compose exec db-backup /recover.sh --offsite --to latest' \
  'docker compose exec db-backup mfi offsite check' 'docker compose exec db-backup mfi offsite key-sheet' \
  'docker compose exec db-backup /restore.sh --offsite --repository rest:http://db-offsite:8000/bank/ --password-file /run/mfi/offsite_password --environment-file /run/mfi/offsite_environment --globals --replace mfi_banking'; do
  claim "$line" readme "$line"
done
matches "a forget is refused" '403|not allowed|Forbidden' "$(repository forget --keep-last 1 --group-by '' 2>&1)"
claim "every copy is there" in_list "$last"
claim "mfi knows it" wait_until 30 "its try" answers primary 'SELECT deletable FROM mfi_offsite' f
for service in db-primary db-replica db-backup; do
  is "$service: the secrets are files of postgres alone, and nowhere else" '600 postgres 600 postgres ' \
    "$(compose exec -T "$service" stat -c "%a %U" /run/mfi/offsite_password /run/mfi/offsite_environment 2>/dev/null | xargs) $(told "$service")"
done
claim "nothing of them in the server of the copies" test -z "$(told db-offsite)"

for name in REPOSITORY PASSWORD_FILE ENVIRONMENT_FILE INTERVAL LIMIT_UPLOAD; do set_env MFI_OFFSITE_$name ''; done
set_on primary mfi.offsite_drill_schedule DEFAULT
claim "docker compose --profile offsite down" readme 'docker compose --profile offsite down'
docker volume rm "${COMPOSE_PROJECT_NAME}_offsite" >/dev/null
claim "turned off" compose up -d
is "nothing of it is left" '||' "$(primary "SELECT concat_ws('|', current_setting('mfi.offsite_repository'), current_setting('mfi.offsite_password_file'), current_setting('mfi.offsite_environment_file'))")"
claim "the replica streams" wait_until 60 "streaming" streaming
