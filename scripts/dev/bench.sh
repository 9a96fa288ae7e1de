#!/bin/bash
# Builds and runs the benchmarks: those of core first, then bench/run, which compares whole runs with other tools.
set -euo pipefail
cd "$(dirname "$0")/../.."
scripts/dev/setup.sh
cmake -S . -B build/bench -DMFI_BENCH=ON -DCMAKE_BUILD_TYPE=Release >/dev/null
cmake --build build/bench -j "$(nproc)"
for source in bench/*.cpp; do
  [ ! -f "$source" ] || "build/bench/$(basename "$source" .cpp)"
done
[ ! -x bench/run ] || bench/run
