#!/bin/bash
# Line coverage of core and os by their unit tests; fails below 95 %.
set -euo pipefail
cd "$(dirname "$0")/../.."
scripts/dev/setup.sh
cmake -S . -B build/coverage -DMFI_COVERAGE=ON -DCMAKE_BUILD_TYPE=Debug >/dev/null
cmake --build build/coverage -j "$(nproc)"
find build/coverage -name '*.gcda' -delete
# The walk through every zone takes long unoptimised and reaches no line that the other tests do not.
ctest --test-dir build/coverage --output-on-failure -j "$(nproc)" -E EveryZone
gcovr --root . --filter 'src/core/' --filter 'src/os/' --exclude-throw-branches --print-summary --fail-under-line 95 \
  --html-details build/coverage/report.html build/coverage
