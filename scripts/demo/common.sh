# shellcheck shell=bash
# shellcheck disable=SC2034 # the scripts that read this file use these
# What `make demo` and `make demo-down` share: where the demo lives and how it runs things.

DEMO_DIR=${MFI_DEMO_DIR:-/var/lib/mfi-demo}
PRIMARY_PORT=${MFI_DEMO_PRIMARY_PORT:-8008}
REPLICA_PORT=${MFI_DEMO_REPLICA_PORT:-8009}
DATABASE=mfi_banking
MARK=$DEMO_DIR/.mfi-demo # only a directory with this file is ever removed; it says how far the demo came
export LC_ALL=C.UTF-8

say() { printf '%s\n' "$*"; }
fail() { # MESSAGE WAY-ON...
  printf 'demo: %s\n' "$1" >&2
  shift
  printf '      %s\n' "$@" >&2
  exit 1
}

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
as_postgres() { # in the demo's directory, without the caller's environment
  as_root runuser -u postgres -- env -i -C "$DEMO_DIR" "PATH=$BINDIR:/usr/bin:/bin" LC_ALL=C.UTF-8 "HOME=$DEMO_DIR" "$@"
}

check_directory() {
  case "$DEMO_DIR" in
    /*[!a-zA-Z0-9_./-]*) fail "MFI_DEMO_DIR=$DEMO_DIR has a character that a configuration file would need quoted" \
      "Choose a directory named with letters, digits, - and _ only." ;;
    /?*) ;;
    *) fail "MFI_DEMO_DIR=$DEMO_DIR is not an absolute path" "Give one that begins with /." ;;
  esac
  [ ${#DEMO_DIR} -le 80 ] || fail "MFI_DEMO_DIR is too long for the sockets in it (${#DEMO_DIR} characters)" "Choose one of at most 80."
}

check_rights() {
  [ "$(id -u)" = 0 ] || command -v sudo >/dev/null ||
    fail "the demo installs the extension and runs servers as the user postgres: it needs root or sudo" "Run it as root."
}

mark() { printf '%s\n' "$1" | as_root tee "$MARK" >/dev/null; }
progress() { as_root cat "$MARK" 2>/dev/null || true; }

# The demo's servers and what clones or fills them, whichever run started them.
demo_processes() {
  # shellcheck disable=SC2016
  as_root sh -c 'for p in /proc/[0-9]*; do
    case "$(readlink "$p/cwd") $(readlink "$p/exe")" in
      "$1"/primary\ * | "$1"/replica\ * | "$1 "*/initdb | "$1 "*/pg_basebackup | "$1 "*/pg_restore) echo "${p#/proc/}" ;;
    esac
  done' - "$DEMO_DIR"
}

running() { as_postgres pg_ctl status -D "$DEMO_DIR/$1" >/dev/null 2>&1; }

stop_demo() {
  local pid end=$((SECONDS + 20))
  for pid in $(demo_processes); do as_root kill -INT "$pid" 2>/dev/null || true; done
  while [ -n "$(demo_processes)" ]; do
    if [ $SECONDS -ge $end ]; then for pid in $(demo_processes); do as_root kill -KILL "$pid" 2>/dev/null || true; done; fi
    sleep 0.1
  done
}

remove_demo() {
  stop_demo
  as_root rm -rf "$DEMO_DIR"
}
