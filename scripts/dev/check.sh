#!/bin/bash
# Every test of the extension: `check.sh`, or only some parts: `check.sh unit tap`.
# Parts: lint unit fuzz regress regress-unloaded isolation tap, and memcheck, which only the long form runs by itself. TESTS="name..." narrows regress, isolation (names) and tap (files).
# The extension is installed into the PostgreSQL it is built for, because a server of version 17 loads extensions from
# nowhere else; nothing else of the machine's servers is touched. Test servers run as the user postgres when started by root.
set -euo pipefail
cd "$(dirname "$0")/../.."
ALL_PARTS="lint unit memcheck fuzz regress regress-unloaded isolation tap"
DEFAULT_PARTS=$ALL_PARTS
[ -n "${MFI_LONG:-}" ] || DEFAULT_PARTS=${ALL_PARTS/memcheck /}
PARTS=" ${*:-$DEFAULT_PARTS} "
export LC_ALL=C.UTF-8

say() { echo "check: $*"; }
die() {
  echo "check: $*" >&2
  exit 1
}

# What the SQL tests need is what the build needs; a pipeline's container starts from nothing each time.
if [[ "$PARTS" =~ \ (lint|unit|memcheck|fuzz|tap)\  ]]; then scripts/dev/setup.sh; else scripts/dev/setup.sh build; fi
PG_CONFIG=$(scripts/dev/find_pg_config.sh)
export PG_CONFIG
bindir=$("$PG_CONFIG" --bindir)
pgxs_top=$(cd "$(dirname "$("$PG_CONFIG" --pgxs)")/../.." && pwd)

run=$(mktemp -d /tmp/mfi-check.XXXXXX)
passed=() failed=() left_out=()
declare -A beside_pid=()
tester=$(id -un)
[ "$tester" != root ] || tester=postgres
small_disk='' # a directory where the tests find a disk of 128 MB that nobody else sees
s3rver=''     # the S3 stand-in

# A server that outlived its test is one whose directory is ours.
stop_leftovers() {
  local pidfile pid
  while read -r pidfile; do
    pid=$(head -n 1 "$pidfile")
    [ "$(readlink "/proc/$pid/cwd")" = "$(dirname "$pidfile")" ] && kill -QUIT "$pid"
  done < <(find "$run" -name postmaster.pid 2>/dev/null)
}
finish() {
  local pid
  go_on >/dev/null || true
  stop_leftovers || true
  for pid in "${beside_pid[@]}"; do kill -- "-$pid" 2>/dev/null || as_root kill -- "-$pid" 2>/dev/null || true; done
  wait
  if [ ${#failed[@]} -eq 0 ]; then rm -rf "$run"; else say "the servers' logs and all output are kept in $run"; fi
}
trap finish EXIT
trap 'exit 130' INT TERM

wanted() { [[ "$PARTS" == *" $1 "* ]]; }
part() { # NAME COMMAND...
  local name=$1 start=$SECONDS
  wanted "$name" || return 0
  shift
  say "$name"
  if "$@"; then passed+=("$name $((SECONDS - start)) s"); else failed+=("$name"); fi
}

# The tests on servers wait most of their time: what only computes runs beside them, and gives way. Each in a process group.
beside() { # NAME COMMAND...
  local name=$1
  shift
  setsid nice -n 19 "$@" >"$run/$name.log" 2>&1 &
  beside_pid[$name]=$!
}
join_beside() { # NAME
  local pid=${beside_pid[$1]:-}
  [ -z "$pid" ] || wait "$pid"
}

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }
as_tester() { # a test never sees the caller's PGHOST, PGUSER, ~/.psqlrc ...
  local clean=(env -i "PATH=$bindir:/usr/bin:/bin:/usr/sbin:/sbin" "HOME=$run/tmp" "TMPDIR=$run/tmp" LC_ALL=C.UTF-8
    "MFI_LONG=${MFI_LONG:-}" "PG_TEST_EXTRA=${PG_TEST_EXTRA:-}" "MFI_SMALL_DISK=$small_disk" "MFI_S3RVER=$s3rver")
  if [ -n "$small_disk" ]; then
    # shellcheck disable=SC2016
    as_root unshare --mount sh -c 'mount -t tmpfs -o "size=128m,mode=0700,uid=$1" small "$2" && shift 2 && exec "$@"' sh \
      "$(id -u "$tester")" "$small_disk" runuser -u "$tester" -- "${clean[@]}" "$@"
  elif [ "$(id -un)" != "$tester" ]; then
    runuser -u "$tester" -- "${clean[@]}" "$@"
  else
    "${clean[@]}" "$@"
  fi
}

# The checkout may be out of reach for the user postgres, and tests must not write into it: they get a copy.
prepare_run() {
  [[ "$PARTS" =~ (regress|isolation|tap) ]] || return 0
  mkdir "$run/src" "$run/tmp"
  tar -cf - --exclude=./.git --exclude=./build --exclude='*.o' --exclude='*.d' . | tar -xf - -C "$run/src"
  if [ -d build/s3 ]; then
    cp -r build/s3 "$run/s3"
    s3rver=$run/s3/node_modules/.bin/s3rver
  fi
  printf '%s\n' "shared_preload_libraries = 'mfi'" >"$run/loaded.conf"
  printf '%s\n' "shared_preload_libraries = ''" >"$run/unloaded.conf"
  [ "$(id -u)" != 0 ] || chown -R postgres: "$run"
  chmod 755 "$run"
}

# One build for the fuzzers and the unit tests: the library is compiled once.
sanitized() { # TARGET...
  cmake -S . -B build/sanitized -DMFI_FUZZ=ON -DMFI_SANITIZE=ON -DCMAKE_CXX_COMPILER=clang++ \
    -DCMAKE_CXX_FLAGS="$(scripts/dev/libstdcxx_flags.sh)" >/dev/null &&
    cmake --build build/sanitized -j "$(nproc)" --target "$@"
}
export -f sanitized

# What went wrong in a build beside the others, this one tells. Many tests wait for servers: two for each processor.
unit() {
  join_beside build || true
  sanitized mfi_unit && ctest --test-dir build/sanitized --output-on-failure -j "$((2 * $(nproc)))"
}

lint() {
  if [ -z "${beside_pid[lint]:-}" ]; then
    scripts/dev/lint.sh
  else
    local outcome=0
    join_beside lint || outcome=1
    cat "$run/lint.log"
    return $outcome
  fi
}

# Reads of uninitialised memory, which the sanitizers do not see. Walking every zone would take hours here, and valgrind knows
# neither Landlock nor seccomp, so that no sandbox stands in it.
memcheck() {
  cmake -S . -B build/memcheck >/dev/null &&
    cmake --build build/memcheck -j "$(nproc)" &&
    valgrind -q --error-exitcode=9 --leak-check=full --suppressions=scripts/dev/valgrind.supp \
      build/memcheck/mfi_unit --gtest_brief=1 --gtest_filter='-*EveryZone*:SandboxTest.*'
}

# The fuzzers run side by side, each over its corpus and then for a while with fresh input.
fuzz() {
  local source name corpus seconds=25 outcome=0 running=()
  [ -z "${MFI_LONG:-}" ] || seconds=3600
  join_beside build || true
  sanitized fuzzers || return 1
  for source in tests/fuzz/*_fuzz.cpp; do
    name=$(basename "$source" .cpp)
    corpus=("build/sanitized/corpus/$name")
    mkdir -p "${corpus[0]}"
    [ ! -d "tests/fuzz/corpus/$name" ] || corpus+=("tests/fuzz/corpus/$name")
    "build/sanitized/$name" -max_total_time=$seconds -print_final_stats=1 -artifact_prefix=build/sanitized/ "${corpus[@]}" \
      >"build/sanitized/$name.log" 2>&1 &
    running+=("$name:$!")
  done
  for name in "${running[@]}"; do
    if wait "${name#*:}"; then
      name=${name%:*}
      echo "$name: no finding in $(sed -n 's/stat::number_of_executed_units: *//p' "build/sanitized/$name.log") inputs, $seconds s"
    else
      tail -n 60 "build/sanitized/${name%:*}.log"
      outcome=1
    fi
  done
  return $outcome
}

install_extension() {
  local sudo=
  [ -w "$("$PG_CONFIG" --pkglibdir)" ] || sudo=sudo
  say "building, and installing into $("$PG_CONFIG" --pkglibdir) and $("$PG_CONFIG" --sharedir)/extension"
  # Without debug information, which takes two fifths of the time; the sanitizers' build has what their reports need.
  make -j "$(nproc)" ERROR_ON_WARNING=1 DEBUG_INFO=no >"$run/build.log" 2>&1 || {
    cat "$run/build.log"
    return 1
  }
  $sudo make install PG_CONFIG="$PG_CONFIG" >>"$run/build.log"
}

names() { # FILES...: the names of the tests to run, in a fixed order
  local file
  for file in "$@"; do
    [ ! -f "$file" ] || [[ -n "${TESTS:-}" && " $TESTS " != *" $(basename "${file%.*}") "* ]] || basename "${file%.*}"
  done
}

no_such_test() {
  say "no test is named ${TESTS:-here}"
  return 1
}

sql_tests() { # RUNNER OUTPUT-NAME CONFIGURATION TEST...
  local runner=$1 output=$run/$2 configuration=$run/$3
  shift 3
  [ $# -gt 0 ] || no_such_test || return
  as_tester "$pgxs_top/src/test/$runner" --temp-instance="$output/instance" --temp-config="$configuration" \
    --inputdir="$run/src" --outputdir="$output" --bindir="$bindir" --dbname=contrib_regression --no-locale --encoding=UTF8 "$@" ||
    { [ ! -f "$output/regression.diffs" ] || head -n 300 "$output/regression.diffs"; return 1; }
}

# shellcheck disable=SC2046
regress() {
  sql_tests regress/pg_regress regress loaded.conf $(names sql/*.sql)
}
# shellcheck disable=SC2046
regress_unloaded() {
  sql_tests regress/pg_regress regress-unloaded unloaded.conf $(names sql/*.sql)
}
# shellcheck disable=SC2046
isolation() {
  sql_tests isolation/pg_isolation_regress isolation loaded.conf $(names specs/*.spec)
}

halter='' # what halts them
halt_processes() {
  # shellcheck disable=SC2086
  as_tester perl "$run/src/scripts/dev/halt_processes.pl" "$run" ${MFI_HALT:-} >"$run/halted.log" 2>&1 &
  halter=$!
}
go_on() {
  [ -n "$halter" ] || return 0
  touch "$run/halt-no-more"
  wait "$halter" || true
  halter=''
  cat "$run/halted.log"
  grep -q '^halted [0-9]' "$run/halted.log"
}

tests=()
leave_out() { # WHAT IS WANTING, WORD: the tests that have this word; the last lines name them
  local without
  without=$(grep -l "$2" "${tests[@]}" </dev/null | xargs) || return 0
  left_out+=("$1: $without")
  mapfile -t tests < <(grep -L "$2" "${tests[@]}" </dev/null)
}

tap() {
  local file outcome=0
  # The last ones take the longest: they begin first, so that all end together.
  while read -r file; do
    [[ -n "${TESTS:-}" && " $TESTS " != *" $file "* ]] || tests+=("$file")
  done < <(printf '%s\n' t/*/*.pl | sort -r -t / -k 3)
  [ -f "${tests[0]:-}" ] || no_such_test || return
  # A container may have no right to mount, nor to have a network.
  if as_root unshare --mount true 2>/dev/null; then
    small_disk=$run/small
    mkdir "$small_disk"
  else
    leave_out 'the right to mount a disk' MFI_SMALL_DISK
  fi
  as_tester unshare --user --net true 2>/dev/null || leave_out 'the right to have a network' in_own_network
  [ ${#tests[@]} -gt 0 ] || return 0
  if [ -z "$s3rver" ] && grep -q MFI_S3RVER "${tests[@]}"; then
    left_out+=("npm, the part of S3 in: $(grep -l MFI_S3RVER "${tests[@]}" | xargs)")
  fi
  # In the long form the machine is one that halts processes at any moment; MFI_HALT=<seed> does so in the short one, too.
  [ -z "${MFI_LONG:-}${MFI_HALT:-}" ] || halt_processes
  # shellcheck disable=SC2086
  as_tester env -C "$run/src" PG_REGRESS="$pgxs_top/src/test/regress/pg_regress" TESTDATADIR="$run/tap" TESTLOGDIR="$run/tap/log" \
    PG_TEST_PORT_DIR="$run/portlock" PGPORT=65432 top_builddir="$run" \
    prove -I "$pgxs_top/src/test/perl" -I . --timer -j"$(($(nproc) + 1))" ${PROVE_FLAGS:-} "${tests[@]}" 2>&1 | tee "$run/tap.log" || outcome=1
  go_on || outcome=1
  return $outcome
}

for name in $PARTS; do
  [[ " $ALL_PARTS " == *" $name "* ]] || die "there is no part \"$name\"; the parts are: $ALL_PARTS"
done
# Unit tests prove backups with the real programs, whose servers load the library.
if [[ "$PARTS" =~ (unit|memcheck|regress|isolation|tap) ]]; then
  if install_extension && prepare_run; then
    ! wanted tap || ! wanted unit || beside build bash -c 'sanitized mfi_unit fuzzers'
    # One after the other: each takes every processor.
    # shellcheck disable=SC2016
    ! wanted lint || beside lint bash -c '[ -z "$1" ] || tail --pid="$1" -f /dev/null; exec scripts/dev/lint.sh' - "${beside_pid[build]:-}"
    part memcheck memcheck
    part regress regress
    part regress-unloaded regress_unloaded
    part isolation isolation
    part tap tap
    part unit unit
  else
    failed+=(build)
  fi
fi
part fuzz fuzz
part lint lint
say "passed: $(IFS=,; echo "${passed[*]:-none}")"
for name in "${left_out[@]}"; do say "NOT RUN, for want of $name"; done
[ ${#failed[@]} -eq 0 ] || {
  # Whoever sees only the end of the output sees which test it was, too.
  [ ! -f "$run/tap.log" ] || { grep -A 4 '^#   Failed test' "$run/tap.log" | head -n 40 || true; sed -n '/^Test Summary Report/,$p' "$run/tap.log"; }
  say "FAILED: ${failed[*]}"
  exit 1
}
