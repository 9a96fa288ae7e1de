# shellcheck shell=bash
# The password of the roles postgres and replicator, what is derived from it, and passfiles; and the secrets of copies elsewhere.

# Prints DB_PASSWORD, or the content of the secret's file where one is mounted.
db_password() {
  local file=${DB_PASSWORD_FILE:-/run/secrets/db_password}
  if [ -s "$file" ]; then cat "$file"; else printf '%s' "${DB_PASSWORD:-}"; fi
}

check_password() {
  [ -n "$DB_PASSWORD" ] || die "DB_PASSWORD is empty" "Set it in .env (or export it on a server), then: docker compose up -d"
  [[ "$DB_PASSWORD" != *$'\n'* ]] || die "DB_PASSWORD has a line break" "Choose one of a single line, then: docker compose up -d"
}

# From root to this script as postgres: the password goes by a pipe, so that no environment keeps it.
hand_over_password() {
  DB_PASSWORD=$(db_password)
  check_password
  exec 6<<<"$DB_PASSWORD"
  unset DB_PASSWORD
}
take_password() {
  if { : <&6; } 2>/dev/null; then
    IFS= read -r DB_PASSWORD <&6
    exec 6<&-
  else
    DB_PASSWORD=$(db_password)
  fi
  check_password
}

# passfile_line ROLE PASSWORD: for every server, but for no role that has another password
passfile_line() {
  local escaped=${2//\\/\\\\}
  printf '*:*:*:%s:%s\n' "$1" "${escaped//:/\\:}"
}

# The two secrets of copies elsewhere, which on the host may be anybody's: root opens them, and postgres keeps copies in /run/mfi that
# are his alone. One that is not set is mounted as /dev/null.
hand_over_offsite() {
  [ ! -s /run/secrets/offsite_password ] || exec 4</run/secrets/offsite_password
  [ ! -s /run/secrets/offsite_environment ] || exec 5</run/secrets/offsite_environment
}
take_offsite() {
  [ -e /proc/self/fd/4 ] || [ -e /proc/self/fd/5 ] || hand_over_offsite
  keep_secret 4 /run/mfi/offsite_password
  keep_secret 5 /run/mfi/offsite_environment
}
keep_secret() { # DESCRIPTOR FILE
  local from=$1
  rm -f "$2"
  { : <&"$from"; } 2>/dev/null || return 0
  (umask 077 && cat <&"$from" >"$2.new")
  exec {from}<&-
  mv "$2.new" "$2"
}
