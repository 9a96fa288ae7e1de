#!/bin/bash
# The tests of the container stack.
set -euo pipefail
cd "$(dirname "$0")/../.."
if [ ! -x tests/compose/run ]; then
  echo "check-compose: this version has no container stack (tests/compose/run does not exist)" >&2
  exit 1
fi
exec tests/compose/run
