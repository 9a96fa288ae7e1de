# shellcheck shell=bash
# The password of the roles postgres and replicator, what is derived from it, and passfiles.

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
