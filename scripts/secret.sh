# shellcheck shell=bash
# The password of the roles postgres, replicator and mfi_probe, and passfiles.

# Prints DB_PASSWORD, or the content of the secret's file where one is mounted.
db_password() {
  local file=${DB_PASSWORD_FILE:-/run/secrets/db_password}
  if [ -s "$file" ]; then cat "$file"; else printf '%s' "${DB_PASSWORD:-}"; fi
}

check_password() {
  [ -n "$DB_PASSWORD" ] || die "DB_PASSWORD is empty" "Set it in .env (or export it on a server), then: docker compose up -d"
  [[ "$DB_PASSWORD" != *$'\n'* ]] || die "DB_PASSWORD has a line break" "Choose one of a single line, then: docker compose up -d"
}

# write_passfile PATH: for every server and role; 0600, as libpq demands.
write_passfile() {
  local escaped=${DB_PASSWORD//\\/\\\\}
  (umask 077 && printf '*:*:*:*:%s\n' "${escaped//:/\\:}" >"$1")
}
