#!/bin/bash
# health.sh [node|replication|backup|all]: the verdict, its reasons and what to do.
# Exit code as Nagios has it: 0 ok, 1 warning, 2 critical (also when there is none within 8 seconds), 3 unknown.
set -euo pipefail
# shellcheck source=scripts/client.sh
. "$(dirname "$(readlink -f "$0")")/client.sh"
scope=${1:-all}
# shellcheck disable=SC2034 # whoever asks again and again, as Nagios and Docker do, gives up after ten seconds
STATEMENT_LIMIT=8s

ask() {
  query "SELECT verdict, array_to_string(reasons, E'\n  '), array_to_string(next_steps, E'\n  '), '' FROM mfi_health(:'scope')" -v scope="$scope" -R $'\x1e'
}
if ! answer=$(ask 2>&1); then
  printf 'critical: no verdict (scope %s)\n  %s\n' "$scope" "${answer//$'\n'/$'\n'  }"
  exit 2
fi
# A warning of the connection, such as one of a collation's version, comes after the answer and is no part of it.
IFS=$'\x1f' read -r -d $'\x1e' verdict reasons steps _ <<<"$answer"$'\x1e' || true
echo "$verdict${reasons:+$'\n'  $reasons}${steps:+$'\nTo do:\n'  $steps}"
case "$verdict" in
  ok) exit 0 ;;
  warning) exit 1 ;;
  critical) exit 2 ;;
  *) exit 3 ;;
esac
