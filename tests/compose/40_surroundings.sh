# shellcheck shell=bash
# shellcheck disable=SC2016,SC2034,SC2154 # the runner and lib.sh set and use these
# Passwords, ports, settings and directories that are wrong, odd or change.
odd='it'"'"'s $a #"p" @ \ wörd:%'
set_env DB_PASSWORD "$odd"
claim "a changed password, with all that is odd in it" compose up -d
password=$odd
claim "takes effect on both nodes" wait_until 120 "streaming" streaming
claim "and for db-backup" wait_until 60 "health" compose exec -T db-backup sh -c '/health.sh node; test $? -le 1'
set_env DB_PASSWORD ''
matches "an empty password is refused with the remedy" 'set DB_PASSWORD' "$(compose up -d 2>&1 || true)"
set_env DB_PASSWORD "$odd"
set_env MFI_TIMEZONE 'Africa/Nowhere'
compose up -d --no-deps db-primary >/dev/null 2>&1 || true
claim "a wrong time zone is refused before the server starts" wait_until 60 "message" sh -c "cd $stack && docker compose logs db-primary | grep -q 'Time zone \"Africa/Nowhere\" is not known'"
set_env MFI_TIMEZONE 'Africa/Kigali'
set_env MFI_BACKUP_SCHEDULE '61 * * * *'
compose up -d --no-deps db-primary >/dev/null 2>&1 || true
claim "so is a wrong schedule" wait_until 60 "message" sh -c "cd $stack && docker compose logs db-primary | grep -q 'invalid minute field'"
set_env MFI_BACKUP_SCHEDULE '30 1 * * *'
claim "corrected" compose up -d
claim "it stands again" wait_until 120 "all healthy" all_healthy
is "with the schedule that was set" '01:30' "$(primary "SELECT to_char(run_at AT TIME ZONE 'Africa/Kigali', 'HH24:MI') FROM mfi_backup_next_runs(1)")"
