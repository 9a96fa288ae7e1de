# shellcheck shell=bash
# shellcheck disable=SC2016,SC2034,SC2154 # the runner and lib.sh set and use these
# Passwords, ports, settings and directories that are wrong, odd or change.
odd='it'"'"'s $a #"p" @ \ wörd:%'
set_env DB_PASSWORD "$odd"
set_env MFI_TLS allow
mkdir "$stack/tls"
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=hub -addext subjectAltName=DNS:localhost \
  -keyout "$stack/tls/server.key" -out "$stack/tls/server.crt" 2>/dev/null
mount=$(grep -x -- ' *- ./tls:/tls:ro' "$stack/docs/containers.md")
claim "docs/containers.md says how a certificate is mounted" test -n "$mount"
cp "$stack/docker-compose.yml" "$work/docker-compose.yml"
sed -i "s|^      - pgdata-.*:/var/lib/postgresql/data|&\n$mount|" "$stack/docker-compose.yml"
claim "a changed password, with all that is odd in it" compose up -d
password=$odd
claim "takes effect on both nodes" wait_until 120 "streaming" streaming
claim "and for db-backup" wait_until 60 "health" compose exec -T db-backup sh -c '/health.sh node; test $? -le 1'
for port in "$PRIMARY_PORT" "$REPLICA_PORT"; do
  is "MFI_TLS=allow lets a plain connection in at $port" f "$(PGSSLMODE=disable client "$port" psql -X -At -c 'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()')"
  is "the certificate mounted at /tls is checked at $port" t "$(PGSSLMODE=verify-full PGSSLROOTCERT=$stack/tls/server.crt client "$port" psql -X -At -c 'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()')"
done
set_env DB_PASSWORD ''
matches "an empty password is refused with the remedy" 'set DB_PASSWORD' "$(compose up -d 2>&1 || true)"
set_env DB_PASSWORD "$odd"

refused() { # WHAT NAME WRONG RIGHT MESSAGE
  set_env "$2" "$3"
  compose up -d --no-deps db-primary >/dev/null 2>&1 || true
  claim "$1 is refused before the server starts" wait_until 60 "message" sh -c "cd $stack && docker compose logs db-primary | grep -q '$5'"
  set_env "$2" "$4"
}
refused "a wrong time zone" MFI_TIMEZONE Africa/Nowhere Africa/Kigali 'Time zone "Africa/Nowhere" is not known'
refused "a wrong schedule" MFI_BACKUP_SCHEDULE '61 * * * *' '30 1 * * *' 'invalid minute field'
refused "a wrong retention" BACKUP_RETAIN_DAYS -1 7 '"mfi.backup_retain_days"'
refused "a wrong MFI_TLS" MFI_TLS maybe require 'MFI_TLS is "maybe"'
refused "a wrong MFI_RECOVERY" MFI_RECOVERY sometimes replica 'MFI_RECOVERY is "sometimes"'
refused "a repository with a password in its address" MFI_OFFSITE_REPOSITORY rest:https://bank:hidden@copies.example/ '' 'MFI_OFFSITE_REPOSITORY has a password in it'
claim "which its log does not tell" bash -c "cd '$stack' && ! docker compose logs db-primary | grep -q hidden"
# Files that postgres could replace by links are not read by root.
sed -i 's|:/tls:ro$|:/tls|' "$stack/docker-compose.yml"
chown 999 "$stack/tls"
refused "a directory of certificates that postgres may write" MFI_TLS require require 'the user postgres may write where /tls/server.crt is'
chown 0 "$stack/tls"

cp "$work/docker-compose.yml" "$stack/docker-compose.yml"
password="of a file, wörd"
printf '%s\n' "$password" >"$stack/db_password"
set_env DB_PASSWORD_FILE ./db_password
claim "corrected, with DB_PASSWORD_FILE" compose up -d
claim "it stands again" wait_until 120 "all healthy" all_healthy
claim "with the password of the file, on both nodes" wait_until 60 "streaming" streaming
is "with the schedule that was set" '01:30' "$(primary "SELECT to_char(run_at AT TIME ZONE 'Africa/Kigali', 'HH24:MI') FROM mfi_backup_next_runs(1)")"

echo "work_mem = '5MB'" >>"$stack/config/postgresql.conf"
reload=$(sed -n "s/^#   \(docker compose exec .*)'\).*/\1/p" "$stack/config/postgresql.conf")
claim "a reload as config/postgresql.conf says" bash -c "cd '$stack' && ${reload:?} && ${reload/db-primary/db-replica}"
claim "takes an edit of it on the primary" wait_until 10 "work_mem" answers primary 'SHOW work_mem' 5MB
claim "and on the replica" wait_until 10 "work_mem" answers replica 'SHOW work_mem' 5MB
