#!/bin/bash
# backup.sh [NOTE]: takes a backup now and waits for it. Exit code 0 when it is there and verified as mfi.backup_verify wants,
# 1 when it failed, 2 when it is there but could not be proven. Ctrl-C ends the waiting, not the backup.
set -euo pipefail
# shellcheck source=scripts/client.sh
. "$(dirname "$(readlink -f "$0")")/client.sh"
# shellcheck disable=SC2034 # of one question; for the backup's end it waits without
STATEMENT_LIMIT=60s

id=$(query "SELECT mfi_backup_now(note => nullif(:'note', ''))" -v note="${1:-}") ||
  die "no backup was queued" "The line above says why; /health.sh shows more."
echo "backup $id"
trap 'echo; echo "The backup goes on by itself; docker compose logs -f db-backup shows its end."; exit 130' INT TERM

progress() { # on a terminal only: one line, written over
  [ -t 1 ] || return 0
  printf '\r\033[K%s' "$1"
}

while :; do
  # The server may restart meanwhile: its record of the run tells the end.
  row=$(query "SELECT b.state, coalesce(b.error, ''), coalesce(b.verify_result, ''), coalesce(pg_size_pretty(b.size_bytes), ''), coalesce(b.verify_method, ''),
      concat_ws(', ', p.phase, pg_size_pretty(p.bytes), p.percent || ' %', date_trunc('second', p.eta) || ' left')
    FROM mfi_backups b LEFT JOIN mfi_backup_progress p USING (id) WHERE b.id = :'id'" -v id="$id" 2>/dev/null) || row=
  IFS=$'\x1f' read -r state error proof size wanted phase <<<"${row//$'\n'/ }" || true
  case "$state" in
    succeeded)
      progress ''
      echo "succeeded: $size, ./backups/$id, verified: ${proof:-no}"
      [ "$wanted" = none ] || [ "$proof" = ok ] || { echo "not proven: $error" >&2 && exit 2; }
      exit 0
      ;;
    failed | cancelled)
      progress ''
      echo "$state: $error" >&2
      exit 1
      ;;
  esac
  progress "${phase:-${state:-waiting for the server}}"
  sleep 0.5
done
