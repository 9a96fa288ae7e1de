#!/bin/bash
# Formatting, static analysis, shell scripts, and the rules of this project that no compiler checks.
# Prints every finding and one line per part; ends with 1 when there was any.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
export LC_ALL=C.UTF-8

failed=()
part() { # NAME COMMAND...
  local name=$1
  shift
  if "$@"; then echo "lint: $name: ok"; else
    echo "lint: $name: FAILED"
    failed+=("$name")
  fi
}

tree() { find . \( -path ./.git -o -path ./build \) -prune -o -type f \( "${@:--true}" \) -print; }
cpp_files() { tree -name '*.h' -o -name '*.cpp'; }
# Prints the lines that match, and fails if there are any: none RULE GREP-ARGUMENTS...
none() {
  local rule=$1 found
  shift
  found=$(grep -s "$@")
  [ -n "$found" ] || return 0
  printf '%s\n' "$rule" "$found"
  return 1
}

formatting() {
  local clang_format
  clang_format=$(scripts/dev/clang_tool.sh clang-format) || return 1
  if ! "$clang_format" --version | grep -q 'version 14\.'; then
    echo "the tree is formatted by clang-format 14, other versions disagree with it; here is $("$clang_format" --version): not compared"
    return 0
  fi
  cpp_files | xargs -r "$clang_format" --dry-run -Werror
}

# A stamp per file: it is analysed again when it, a header or the rules changed since it was last found clean.
analysis() {
  local clang_tidy stamps=build/lint source stamp flag flags='' todo=()
  clang_tidy=$(scripts/dev/clang_tool.sh clang-tidy) || return 1
  mkdir -p "$stamps"
  for source in src/core/*/*.cpp src/os/*/*.cpp; do
    stamp=$stamps/${source//\//_}
    [ -f "$stamp" ] && [ -z "$(find .clang-tidy "$source" src/core/*/*.h src/os/*/*.h -newer "$stamp")" ] || todo+=("$source")
  done
  [ ${#todo[@]} -gt 0 ] || return 0
  cmake -S . -B build/lint -DMFI_SANITIZE=ON -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON >/dev/null || return 1
  for flag in $(scripts/dev/libstdcxx_flags.sh); do flags+=" --extra-arg=$flag"; done
  export clang_tidy stamps flags
  # shellcheck disable=SC2016
  printf '%s\n' "${todo[@]}" | xargs -P "$(nproc)" -I{} bash -c '
    if out=$("$clang_tidy" --quiet -p build/lint $flags "$1" 2>&1); then touch "$stamps/${1//\//_}"; else echo "$out"; exit 1; fi' - {}
}

shell_scripts() {
  tree | xargs awk 'FNR == 1 && (/^#!.*\/(env )?(ba|da)?sh( |$)/ || FILENAME ~ /\.sh$/) { print FILENAME }' | xargs -r shellcheck -x
}

# Which rooms of a layer know which others; every one knows itself.
ROOMS='core/schedule: core/base
core/backup: core/base
core/recovery: core/base core/schedule
core/restore: core/base core/backup
core/replication: core/base
core/node: core/base
core/keycloak: core/base
core/offsite: core/base
core/secrets: core/base
os/process: os/base
os/server: os/base
os/keycloak: os/base
os/restore: os/base os/process os/server
os/node: os/base os/process os/server
os/backup: os/base os/process os/server os/restore
os/recovery: os/base os/process os/server os/restore os/backup
os/offsite: os/base os/process os/backup os/recovery
command/backup: command/base
command/keycloak: command/base
command/node: command/base
command/offsite: command/base
command/recovery: command/base command/offsite command/restore
command/restore: command/base command/offsite'
rooms() {
  local layer found
  for layer in core os command; do
    found=$(grep -rHoE "# *include *\"$layer/[a-z]+/" "src/$layer"/*/ | sed -E 's|^src/([a-z]+/[a-z]+)/.*"([a-z]+/[a-z]+)/$|\1 \2|' | sort -u |
      while read -r room other; do
        [ "$room" = "$other" ] || grep -qE "^$room:.* $other( |$)" <<<"$ROOMS" || echo "$room includes from $other"
      done)
    [ -z "$found" ] || { printf '%s\n' "$found" && return 1; }
  done
}

layers() {
  local bad=0
  rooms || bad=1
  none "postgres.h is for src/pg only:" -rnE '# *include *[<"](postgres|fmgr|miscadmin|utils/|storage/)' \
    --include='*.h' --include='*.cpp' src/core src/os tests/unit tests/fuzz || bad=1
  none "PG_TRY is for src/pg/server/bridge.h only:" -rnE '\bPG_(TRY|CATCH|FINALLY|END_TRY)\b *\(' src --include='*.h' --include='*.cpp' \
    --exclude=bridge.h || bad=1
  none "a worker connects in src/pg/server/worker_session.cpp only:" -rn 'BackgroundWorkerInitializeConnection' src --include='*.h' \
    --include='*.cpp' --exclude=worker_session.cpp || bad=1
  none "a session is opened in src/os/server/connection.cpp only:" -rnE '\bPQ(connect|setdb)' src --include='*.h' --include='*.cpp' \
    --exclude=connection.cpp || bad=1
  if grep -rn --include='*.h' --include='*.cpp' -e '--dbname=' src/os src/pg | grep -v 'conninfo()'; then
    echo "^ a program of PostgreSQL gets the conninfo of a Session, and no other"
    bad=1
  fi
  none "core and os must not reach up into pg:" -rnE '# *include *"pg/' src/core src/os || bad=1
  none "core must not reach up into os, nor do I/O:" -rnE \
    '# *include *("os/|<(libpq-fe\.h|fstream|iostream|filesystem|unistd\.h|fcntl\.h|sys/[a-z]+\.h)>)' src/core || bad=1
  return $bad
}

scripts_of_the_extension() {
  local script part bad=0
  make -s extension-scripts
  for part in extension/*/*.sql; do
    grep -qx '\\include '"${part#extension/}" extension/*.in || { echo "$part is in no script" && bad=1; }
  done
  sha256sum --check --quiet extension/released.sha256 || { echo "^ a released script was edited: what changes belongs to a later version" && bad=1; }
  none "a line of more than 120 columns:" -nHE '^.{121,}' extension/*/*.sql extension/*.in || bad=1
  for script in build/mfi--*.sql; do
    # The guard keeps psql from running the file; it is the first thing that is not a comment.
    # shellcheck disable=SC1003
    grep -m 1 -vE '^ *(--.*)?$' "$script" | grep -qE '^\\echo .*(CREATE|ALTER) EXTENSION mfi.* \\quit$' || {
      printf '%s\n' "$script does not begin with its guard: \\echo Use \"CREATE EXTENSION mfi ...\" to load this file. \\quit"
      bad=1
    }
  done
  return $bad
}

# What the lint of the SQL must find, each in a small script whose first line says so.
sql_lint_finds() {
  local script wanted found bad=0
  for script in tests/lint/*.sql; do
    wanted=$(sed -n '1s/^-- finds: //p' "$script")
    found=$(scripts/dev/lint_sql.pl "$script")
    case $wanted in
      '') echo "$script does not say what is to be found" && bad=1 ;;
      nothing) [ -z "$found" ] || { echo "found where nothing is wrong: $found" && bad=1; } ;;
      *) [[ $found == *"$wanted"* ]] || { echo "$script: not found: $wanted" && bad=1; } ;;
    esac
  done
  return $bad
}

every_test_has_its_answer() {
  local file name bad=0
  for file in sql/*.sql specs/*.spec; do
    [ -f "$file" ] || continue
    name=$(basename "${file%.*}")
    [ -f "expected/$name.out" ] || { echo "$file has no expected/$name.out" && bad=1; }
  done
  for file in expected/*.out; do
    [ -f "$file" ] || continue
    name=$(basename "$file" .out)
    [ -f "sql/$name.sql" ] || [ -f "sql/${name%_[0-9]}.sql" ] || [ -f "specs/$name.spec" ] ||
      [ -f "specs/${name%_[0-9]}.spec" ] || { echo "$file belongs to no test" && bad=1; }
  done
  return $bad
}

no_host_nor_machine_path() {
  local files
  files=$(tree)
  # shellcheck disable=SC2086
  none "the address of a package or image registry:" -nIP \
    '\b(deb\.debian\.org|apt\.postgresql\.org(?!\.sh)|docker\.io/|ghcr\.io|quay\.io|gcr\.io|[a-z0-9-]+\.pkg\.dev|[a-z]+\.amazonaws\.com)' \
    $files &&
    none "a path of one machine:" -nIE '(^|[^a-zA-Z0-9_.}-])/(work|home|Users)/[a-z]' $files
}

part formatting formatting
part clang-tidy analysis
part shellcheck shell_scripts
part layers layers
part "extension scripts" scripts_of_the_extension
part "rights of the SQL" scripts/dev/lint_sql.pl build/mfi--*.sql
part "lint of the SQL" sql_lint_finds
part "expected answers" every_test_has_its_answer
part "hosts and paths" no_host_nor_machine_path
[ ${#failed[@]} -eq 0 ]
