#!/bin/bash
# health.sh [node|replication|backup|all]: the verdict, its reasons and what to do.
# Exit code as Nagios has it: 0 ok, 1 warning, 2 critical, 3 unknown.
set -euo pipefail
# shellcheck source=scripts/client.sh
. "$(dirname "$(readlink -f "$0")")/client.sh"
scope=${1:-all}

ask() {
  query "SELECT verdict, array_to_string(reasons, E'\n  '), array_to_string(next_steps, E'\n  ') FROM mfi_health(:'scope')" -v scope="$scope" -R $'\x1e'
}
# A warning of the connection, such as one of a collation's version, is no part of the answer.
if ! answer=$(ask 2>/dev/null); then
  error=$(ask 2>&1 >/dev/null) || true
  printf 'critical: no verdict (scope %s)\n  %s\n' "$scope" "${error//$'\n'/$'\n'  }"
  exit 2
fi
IFS=$'\x1f' read -r -d $'\x1e' verdict reasons steps <<<"$answer"$'\x1e' || true
echo "$verdict${reasons:+$'\n'  $reasons}${steps:+$'\nTo do:\n'  $steps}"
case "$verdict" in
  ok) exit 0 ;;
  warning) exit 1 ;;
  critical) exit 2 ;;
  *) exit 3 ;;
esac
