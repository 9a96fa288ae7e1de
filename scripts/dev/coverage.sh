#!/bin/bash
# Line coverage of core and os by their unit tests; fails below 95 %.
set -euo pipefail
cd "$(dirname "$0")/../.."
scripts/dev/setup.sh
cmake -S . -B build/coverage -DMFI_COVERAGE=ON -DCMAKE_BUILD_TYPE=Debug >/dev/null
cmake --build build/coverage -j "$(nproc)"
find build/coverage -name '*.gcda' -delete
ctest --test-dir build/coverage --output-on-failure -j "$(nproc)"
gcovr --root . --filter 'src/core/' --filter 'src/os/' --exclude-throw-branches --print-summary --fail-under-line 95 \
  --html-details build/coverage/report.html build/coverage
