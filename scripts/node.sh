# shellcheck shell=bash
# What both database containers do before their server starts. The volume may be one of the official image, which has
# its data directory at the root; otherwise the data directory is a folder in it, so that it can come about by a rename.
# shellcheck source=scripts/log.sh
. /usr/local/lib/mfi/log.sh
# shellcheck source=scripts/secret.sh
. /usr/local/lib/mfi/secret.sh

# Process 1 ignores a signal that it has no handler for: a stop would wait for its whole grace period.
end_on_signal() { trap 'exit 143' TERM INT; }
end_on_signal

VOLUME=/var/lib/postgresql/data
RUN=/run/mfi
BACKUPS=/backups
RECOVERY=/recovery
SCRATCH=/scratch
CONFIG=/etc/mfi/postgresql.conf
PASSFILE=$RUN/pgpass
NODE=$(hostname)
if [ -f "$VOLUME/PG_VERSION" ]; then PGDATA=$VOLUME; else PGDATA=$VOLUME/pgdata; fi
export PGDATA LC_MESSAGES=C HOME=/var/lib/postgresql
# A postmaster.pid that an earlier container left names process 1, which is us: not another server.
export PG_GRANDPARENT_PID=$$

# node_command COMMAND...: of mfi node. A stop ends it, with all that it has started.
node_command() {
  local pid code=0
  mfi node "$@" &
  pid=$!
  trap 'kill -TERM $pid 2>/dev/null; wait $pid; exit 143' TERM INT
  wait $pid || code=$?
  end_on_signal
  return $code
}

# As root: gives the mounted directories to postgres, each of them itself and nothing in it, and runs this script again as postgres before
# anything is read or written where postgres may put a link. The server's group is that of the backup directory, so that the user of
# the host who owns it can read the backups by his group.
become_postgres() {
  local group
  if [ "$(id -u)" != 0 ]; then
    take_password
    take_offsite
    check_owner
    install_certificate
    return
  fi
  hand_over_password
  hand_over_offsite
  open_certificate
  mfi node own --user postgres "$VOLUME" "$SCRATCH" "$RUN" || die "a directory of this container cannot be used" "The line above says which and why."
  if ! mfi node own --user postgres --mode 750 "$BACKUPS" 2>/dev/null; then
    say "warning: $BACKUPS cannot be given to the user postgres (read-only?); backups will say what fails"
  fi
  if ! mfi node own --user postgres "$RECOVERY" 2>/dev/null; then
    say "warning: $RECOVERY cannot be given to the user postgres (read-only?); recovery will say what fails"
  fi
  group=$(stat -c %g "$BACKUPS")
  [ "$group" != 0 ] || group=postgres
  # libpq looks for certificates at home: root's home is closed to postgres.
  export HOME=/var/lib/postgresql
  exec setpriv --reuid=postgres --regid="$group" --groups=postgres,ssl-cert "$0" "$@"
}

# What is in the volume is not given to postgres: a link in it could lead anywhere.
check_owner() {
  if [ ! -e "$PGDATA" ] || [ -O "$PGDATA" ]; then return; fi
  die "$PGDATA belongs to user $(stat -c %u "$PGDATA"), not to postgres ($(id -u)); it is left as it is" \
    "With everything stopped: docker compose run --rm --no-deps --entrypoint chown $NODE -R -h postgres: $VOLUME"
}

# not_for_postgres FILE: no directory on the way to it can be written by postgres, who could put a link to something else there
not_for_postgres() {
  # shellcheck disable=SC2016
  setpriv --reuid=postgres --regid=postgres --groups=postgres,ssl-cert bash -c '
    path=$1
    while [ "$path" != / ]; do
      path=$(dirname "$path")
      [ ! -w "$path" ] || exit 1
    done' - "$(readlink -f "$1")"
}

# As root: a certificate and key mounted at /tls, which only root may be able to read, are opened here and copied by postgres.
open_certificate() {
  local from=/tls file
  if [ ! -f "$from/server.crt" ] || [ ! -f "$from/server.key" ]; then return; fi
  for file in "$from/server.crt" "$from/server.key"; do
    not_for_postgres "$file" || die "the user postgres may write where $file is" "Mount /tls read-only, with files that lie in it: - ./tls:/tls:ro"
  done
  exec 7<"$from/server.crt" 8<"$from/server.key"
}

# The one that was opened, else our own of ten years, kept in the volume.
install_certificate() {
  local own=$VOLUME/mfi-tls
  install -d -m 700 "$RUN/tls"
  if { : <&7 && : <&8; } 2>/dev/null; then
    (umask 077 && cat <&7 >"$RUN/tls/server.crt.new" && cat <&8 >"$RUN/tls/server.key.new")
    exec 7<&- 8<&-
  else
    if [ ! -f "$own/server.crt" ]; then
      mkdir -p "$own"
      openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj "/CN=$(hostname)" -keyout "$own/server.key" \
        -out "$own/server.crt.new" 2>/dev/null || die "no certificate could be made in $own" "Is the volume full?"
      mv "$own/server.crt.new" "$own/server.crt"
    fi
    (umask 077 && cat "$own/server.crt" >"$RUN/tls/server.crt.new" && cat "$own/server.key" >"$RUN/tls/server.key.new")
  fi
  mv "$RUN/tls/server.crt.new" "$RUN/tls/server.crt"
  mv "$RUN/tls/server.key.new" "$RUN/tls/server.key"
}

one_server_per_volume() {
  exec 9>"$VOLUME/mfi.lock"
  flock -n 9 || die "another container uses this volume" "Stop it first: docker ps shows which ones run."
}

setting() { # NAME VALUE: a line of a configuration file
  local value=${2//\\/\\\\}
  printf "%s = '%s'\n" "$1" "${value//\'/\'\'}"
}

# $RUN/node.conf: where the other node is, and what the environment sets.
write_node_settings() {
  local -A names=([MFI_BACKUP_SCHEDULE]=mfi.backup_schedule [MFI_TIMEZONE]=mfi.backup_timezone
    [BACKUP_RETAIN_DAYS]=mfi.backup_retain_days [MFI_OFFSITE_REPOSITORY]=mfi.offsite_repository
    [MFI_OFFSITE_LIMIT_UPLOAD]=mfi.offsite_limit_upload [MFI_OFFSITE_KEEP]=mfi.offsite_keep
    [MFI_OFFSITE_INTERVAL]=mfi.offsite_interval [MFI_OFFSITE_DRILL_SCHEDULE]=mfi.offsite_drill_schedule)
  local variable
  # The server would refuse it, too, and log it.
  [[ ! "${MFI_OFFSITE_REPOSITORY:-}" =~ ://[^/]*:[^/]*@ ]] || die "MFI_OFFSITE_REPOSITORY has a password in it" \
    "Put it into the file of MFI_OFFSITE_ENVIRONMENT_FILE, such as RESTIC_REST_PASSWORD=..., then: docker compose up -d"
  case "${MFI_TLS:-require}" in
    require) : >"$RUN/pg_hba_plain.conf" ;;
    allow) printf '%s\n' 'host all all all scram-sha-256' >"$RUN/pg_hba_plain.conf" ;;
    *) die "MFI_TLS is \"$MFI_TLS\"" "It may be require (the default) or allow. Change it in .env, then: docker compose up -d" ;;
  esac
  {
    mfi node settings
    for variable in "${!names[@]}"; do
      [[ "${!variable:-}" != *$'\n'* ]] || die "$variable has a line break" "Correct it in .env, then: docker compose up -d"
      [ -z "${!variable:-}" ] || setting "${names[$variable]}" "${!variable}"
    done
    # Without a password the verdict says so.
    [ -z "${MFI_OFFSITE_REPOSITORY:-}" ] || setting mfi.offsite_password_file "$RUN/offsite_password"
    [ ! -f "$RUN/offsite_environment" ] || setting mfi.offsite_environment_file "$RUN/offsite_environment"
  } >"$RUN/node.conf"
}

# Asks the server itself about every setting, the extension's own included: a wrong value would only be a warning
# at its start, and the default would run in its place.
check_settings() { # DATA-DIRECTORY
  local answer
  if ! answer=$(postgres -D "$1" -c config_file="$CONFIG" -C shared_memory_size 2>&1 >/dev/null) ||
    grep -qE 'invalid (value for|configuration) parameter' <<<"$answer"; then
    printf '%s\n' "$answer" >&2
    die "the server does not start with a wrong setting" \
      "The lines above name it. Correct it in .env (or config/), then: docker compose up -d"
  fi
}

# Runs SQL, one statement a line, by a server of one process that nobody can connect to and that logs no statement.
single_user() {
  local errors code=0
  errors=$(postgres --single -D "$1" -c config_file="$CONFIG" -c log_min_error_statement=panic \
    -c synchronous_commit=local postgres 2>&1 >/dev/null) || code=$?
  if grep -E '(ERROR|FATAL|PANIC):' <<<"$errors" >&2; then code=1; fi
  return $code
}

write_passfile() {
  (
    umask 077
    {
      passfile_line postgres "$DB_PASSWORD"
      passfile_line replicator "$DB_PASSWORD"
      [ -z "${PROBE_PASSWORD:-}" ] || passfile_line mfi_probe "$PROBE_PASSWORD"
    } >"$PASSFILE"
  )
}

# What is derived from the password for this database cluster: that of mfi_probe, and the key of the word on which node is the primary.
derive_secrets() {
  local secrets key
  secrets=$(mfi node secret -D "$PGDATA" word mfi_probe <<<"$DB_PASSWORD") || return
  { IFS= read -r key && IFS= read -r PROBE_PASSWORD; } <<<"$secrets"
  (umask 077 && printf '%s\n' "$key" >"$RUN/word.key")
  write_passfile
}

# A standby's passwords come with the stream.
set_passwords() {
  derive_secrets || die "no secret could be derived from DB_PASSWORD" "The line above says why."
  [ ! -f "$PGDATA/standby.signal" ] || return 0
  local quoted="'${DB_PASSWORD//\'/\'\'}'" tag
  tag="\$mfi_$(od -An -N8 -tx1 /dev/urandom | tr -d ' \n')\$"
  single_user "$PGDATA" <<<"SET standard_conforming_strings = on
DO $tag BEGIN ALTER ROLE postgres PASSWORD $quoted; IF to_regrole('replicator') IS NOT NULL THEN ALTER ROLE replicator PASSWORD $quoted; END IF; IF to_regrole('mfi_probe') IS NOT NULL THEN ALTER ROLE mfi_probe PASSWORD '$PROBE_PASSWORD'; END IF; END $tag" ||
    die "the roles postgres, replicator and mfi_probe could not be given their passwords" "The lines above say why."
}

# Without a password in its environment.
start_server() {
  unset DB_PASSWORD PROBE_PASSWORD PG_GRANDPARENT_PID
  # A stop that comes before the server has its handlers waits for them; process 1 would never hear of it.
  exec env --block-signal=INT,TERM postgres -D "$PGDATA" -c config_file="$CONFIG"
}
