#!/bin/bash
# Installs what the build, the tests and the demo need, PostgreSQL 17 included, on Debian 12 or later.
# `setup.sh build` installs only what building the extension needs. Prints each step that changes something;
# a run with nothing to do changes nothing. No server is created or started.
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/dev/apt_archive.sh
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive

BUILD_PACKAGES="g++ make libpq-dev libboost-date-time-dev libseccomp-dev liblz4-dev libxxhash-dev nlohmann-json3-dev libcli11-dev libcurl4-gnutls-dev libssl-dev"
TEST_PACKAGES="cmake pkg-config libgtest-dev libbenchmark-dev libipc-run-perl libio-socket-ssl-perl gcovr valgrind tzdata jq zstd
  clang libclang-rt-dev clang-format clang-tidy shellcheck"
SERVER_PACKAGES="postgresql-17 postgresql-server-dev-17"
EXTENSION_PACKAGES="postgresql-17-pgaudit postgresql-17-cron" # of databases in the tests
# Repositories of the tests and their servers, of which Debian 12 lacks one; npm brings the S3 stand-in, where it is there.
OFFSITE_PACKAGES="restic restic-rest-server openssh-server iproute2"
PGDG_SCRIPT=/usr/share/postgresql-common/pgdg/apt.postgresql.org.sh
PINNED_SOURCES=/etc/apt/sources.list.d/mfi-trixie.sources
PINNED_PREFERENCES=/etc/apt/preferences.d/mfi-trixie
# The C library that the server brings along comes as a family of one version.
PREFERENCES='Package: *
Pin: release n=trixie*
Pin-Priority: 100

Package: src:glibc
Pin: release n=trixie*
Pin-Priority: 600'
NO_CLUSTER=/etc/postgresql-common/createcluster.d/mfi.conf
POLICY=/usr/sbin/policy-rc.d

say() { echo "setup: $*"; }
fail() {
  echo "setup: $1" >&2
  shift
  printf '       %s\n' "$@" >&2
  exit 1
}
installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
apt_install() {
  say "apt-get install $*"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@"
}
apt_update() {
  say "apt-get update"
  as_root apt-get update -q
}

write_file() { # PATH TEXT
  [ -f "$1" ] && [ "$(cat "$1")" = "$2" ] && return
  say "writing $1"
  as_root mkdir -p "$(dirname "$1")"
  printf '%s\n' "$2" | as_root tee "$1" >/dev/null
}

missing_packages() {
  local package
  for package in $BUILD_PACKAGES $([ "${1:-}" = build ] || echo "$TEST_PACKAGES"); do
    installed "$package" || echo "$package"
  done
}

# Those of the tests, for a server that is Debian's own.
missing_extensions() {
  local package
  [ "${1:-}" != build ] || return 0
  for package in $EXTENSION_PACKAGES; do
    installed "$package" || echo "$package"
  done
}

missing_offsite() {
  local package
  [ "${1:-}" != build ] || return 0
  for package in $OFFSITE_PACKAGES; do
    installed "$package" || echo "$package"
  done
}

# The server to build for: a pg_config of 17 or later with PGXS and the programs beside it.
server() {
  local config
  config=$(scripts/dev/find_pg_config.sh)
  [ -n "$config" ] && [ -x "$("$config" --bindir)/initdb" ] &&
    [ "$("$config" --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')" -ge 17 ] && echo "$config"
}

# Installing packages must neither make a cluster nor start one that is stopped.
keep_servers_as_they_are() {
  if ! grep -qrs '^ *create_main_cluster *= *false' /etc/postgresql-common/createcluster.conf "${NO_CLUSTER%/*}"; then
    write_file "$NO_CLUSTER" "create_main_cluster = false"
  fi
  if [ ! -e "$POLICY" ]; then
    trap 'as_root rm -f "$POLICY"' EXIT
    trap 'exit 130' INT TERM
    # shellcheck disable=SC2016
    printf '#!/bin/sh\ncase "$1" in postgresql*|ssh*) exit 101 ;; esac\nexit 0\n' | as_root tee "$POLICY" >/dev/null
    as_root chmod 755 "$POLICY"
  fi
}

server_from_candidate() {
  # shellcheck disable=SC2086
  apt-get install -s --no-install-recommends $SERVER_PACKAGES >/dev/null 2>&1 || return 1
  say "PostgreSQL 17 comes from apt's own sources"
  # shellcheck disable=SC2086
  apt_install $SERVER_PACKAGES
}

server_from_postgresql_project() {
  local host
  [ -x "$PGDG_SCRIPT" ] || return 1
  host=$(sed -n 's/^ *HOST="\([a-z.-]*\)".*/\1/p' "$PGDG_SCRIPT" | head -n 1)
  [ -n "$host" ] && timeout 5 bash -c "exec 3<>/dev/tcp/$host/443" 2>/dev/null || return 1
  say "adding the PostgreSQL project's apt repository by $PGDG_SCRIPT"
  as_root "$PGDG_SCRIPT" -y && server_from_candidate
}

pinned_stanza() { # URI SIGNED-BY SUITES
  printf 'Types: deb\nURIs: %s\nSuites: %s\nComponents: main\n' "$1" "$3"
  [ "$2" = - ] || printf 'Signed-By: %s\n' "$2"
}

# Debian 13's packages at priority 100: nothing is taken from there by itself. What the server depends on may have made the
# machine call itself Debian 13, so an earlier run is known by what it wrote.
pin_next_debian() {
  local archive security text
  [ "$CODENAME" = bookworm ] || [ -f "$PINNED_SOURCES" ] || return 1
  archive=$(apt_archive bookworm)
  [ -n "$archive" ] || fail "the apt sources of this machine name no archive for Debian 12 (bookworm)" \
    "Add one to /etc/apt/sources.list and run this again, or pass PG_CONFIG= of a PostgreSQL 17."
  # shellcheck disable=SC2086
  text=$(pinned_stanza $archive "trixie trixie-updates")
  security=$(apt_archive bookworm-security)
  # shellcheck disable=SC2086
  [ -z "$security" ] || text+=$'\n\n'$(pinned_stanza $security trixie-security)
  write_file "$PINNED_SOURCES" "$text"
  write_file "$PINNED_PREFERENCES" "$PREFERENCES"
  apt_update
}

server_from_next_debian() {
  pin_next_debian || return 1
  say "PostgreSQL 17 comes from Debian 13, pinned below everything else"
  # shellcheck disable=SC2086
  apt_install -t trixie $SERVER_PACKAGES
}

install_offsite() {
  if pin_next_debian; then apt_install -t trixie "$@"; else apt_install "$@"; fi
  [[ " $* " == *" openssh-server "* ]] && command -v systemctl >/dev/null || return 0
  say "openssh-server stays off here: only the tests start one, as their own user"
  as_root systemctl disable ssh.service ssh.socket
}

# Into build/s3, by the registry that npm knows here. Without it a part of the tests is not run, which they say.
install_s3() {
  [ "${1:-}" != build ] && command -v npm >/dev/null || return 0
  cmp -s tests/s3/package-lock.json build/s3/package-lock.json && [ -d build/s3/node_modules ] && return
  say "npm ci in build/s3: the S3 stand-in of the tests"
  rm -rf build/s3
  mkdir -p build/s3
  cp tests/s3/package.json tests/s3/package-lock.json build/s3/
  timeout 120 npm ci --prefix build/s3 --ignore-scripts --no-audit --no-fund --fetch-retries=1 && return
  rm -rf build/s3
  say "npm could not install it: tests of S3 will not run"
}

# Where the next release's libraries are already in, a package of this release may no longer fit: then the next one's.
install_one_by_one() {
  local package
  [ -f "$PINNED_SOURCES" ] || return 1
  say "not all of them fit the packages that are installed; trying each"
  for package in "$@"; do
    apt_install "$package" || apt_install -t trixie "$package" || return 1
  done
}

# From where the server has come.
install_extensions() {
  if ! installed postgresql-17; then
    say "PostgreSQL 17 is not a package here: install pgaudit and pg_cron for it, which some tests need"
  elif apt-get install -s --no-install-recommends "$@" >/dev/null 2>&1; then
    apt_install "$@"
  else
    apt_install -t trixie "$@"
  fi
}

clusters() { if command -v pg_lsclusters >/dev/null; then pg_lsclusters -h | awk '{ print $1, $2, $4 }'; fi; }

install_s3 "${1:-}"
missing=$(missing_packages "${1:-}")
extensions=$(missing_extensions "${1:-}")
offsite=$(missing_offsite "${1:-}")
if [ -z "$missing$extensions$offsite" ] && config=$(server); then
  say "nothing to do: $("$config" --version) ($config) and every package are there"
  exit
fi
command -v apt-get >/dev/null || fail "this is not Debian: apt-get is not there" \
  "Install a PostgreSQL 17 with its server headers and the equivalents of:" \
  "$(echo "$BUILD_PACKAGES" "$TEST_PACKAGES" "$OFFSITE_PACKAGES" | xargs)" "and pass PG_CONFIG=/path/to/pg_config."
[ "$(id -u)" = 0 ] || command -v sudo >/dev/null || fail "packages are missing, and you are neither root nor have sudo" \
  "Ask an administrator to run \`make setup\` here, or to install: $(echo "$missing" | xargs) $SERVER_PACKAGES" "$(echo "$extensions" "$offsite" | xargs)"

CODENAME=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
before=$(clusters)
keep_servers_as_they_are
apt_update
# First the compilers from this release: the newer C library of the next one would refuse them afterwards.
# shellcheck disable=SC2086
[ -z "$missing" ] || apt_install $missing || install_one_by_one $missing
if ! server >/dev/null; then
  server_from_candidate || server_from_postgresql_project || server_from_next_debian ||
    fail "no source of PostgreSQL 17 for ${CODENAME:-this system}" \
      "Install it with its server headers and pass PG_CONFIG=/path/to/pg_config."
fi
# shellcheck disable=SC2086
[ -z "$extensions" ] || install_extensions $extensions
# shellcheck disable=SC2086
[ -z "$offsite" ] || install_offsite $offsite
config=$(server) || fail "the packages are installed, but no pg_config of PostgreSQL 17 was found" \
  "Pass PG_CONFIG=/path/to/pg_config."
[ "$(clusters)" = "$before" ] || fail "the list of database clusters changed while packages were installed" \
  "before: $before" "now: $(clusters)" "Look at it with pg_lsclusters."
say "ready: $("$config" --version) ($config)"
