#!/bin/bash
# The container db-backup: asks for a backup at its start and then logs one line per change of state of every backup.
set -euo pipefail
# shellcheck source=scripts/log.sh
. /usr/local/lib/mfi/log.sh
# shellcheck source=scripts/secret.sh
. /usr/local/lib/mfi/secret.sh

if [ "$(id -u)" = 0 ]; then
  mfi node own --user postgres /run/mfi
  hand_over_password
  exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
fi
take_password
(umask 077 && passfile_line postgres "$DB_PASSWORD" >/run/mfi/client.pgpass)
unset DB_PASSWORD
# shellcheck source=scripts/client.sh
. /usr/local/lib/mfi/client.sh
trap 'exit 0' TERM INT

# Not within a minute of the server's own start, which takes one by itself, nor when a good one is fresh.
request_start_backup() {
  query "SELECT mfi_backup_now(note => 'start of db-backup')
   WHERE pg_postmaster_start_time() < now() - interval '1 minute'
     AND NOT EXISTS (SELECT FROM mfi_backups WHERE state IN ('queued', 'dumping', 'publishing', 'verifying')
                        OR (state = 'succeeded' AND NOT is_foreign AND finished_at > now() - interval '1 hour'))"
}

declare -A seen=()
log_changes() {
  local id state text
  while IFS=$'\x1f' read -r id state text; do
    [ "${seen[$id]:-}" = "$state" ] || say "$text"
    seen[$id]=$state
  done < <(query "SELECT id, state || coalesce(verify_result, ''), concat_ws(' ', id, state, '(' || trigger || ')', pg_size_pretty(size_bytes),
      'verified by ' || verify_method || ': ' || verify_result, replace(error, E'\n', ' '))
    FROM mfi_backups WHERE coalesce(finished_at, now()) > now() - interval '10 minutes' ORDER BY queued_at" 2>/dev/null)
}

say "db-backup: docker compose exec db-backup /backup.sh takes a backup, /restore.sh restores one, /health.sh tells the state"
until request_start_backup >/dev/null 2>&1; do pause; done
while :; do
  log_changes
  pause
done
