# shellcheck shell=bash
# shellcheck disable=SC2154 # the runner sets work
# What the tests of the stack share. Each says ok or not ok once per claim.
PASSED=0 FAILED=0
say() { printf '# %s\n' "$*"; }

claim() { # NAME COMMAND...: the command must succeed; its output is shown when it does not
  local name=$1 output
  shift
  if output=$("$@" 2>&1); then
    PASSED=$((PASSED + 1))
    printf 'ok - %s\n' "$name"
  else
    FAILED=$((FAILED + 1))
    printf 'not ok - %s\n' "$name"
    printf '%s\n' "$output" | sed 's/^/#   /' | tail -n 25
  fi
}

is() { # NAME EXPECTED ACTUAL
  claim "$1" test "$2" = "$3"
  [ "$2" = "$3" ] || say "expected: $2; got: $3"
}

matches() { # NAME REGEX TEXT
  claim "$1" grep -qE -- "$2" <<<"$3"
  grep -qE -- "$2" <<<"$3" || printf '%s\n' "$3" | tail -n 12 | sed 's/^/#   /'
}

wait_until() { # SECONDS WHAT COMMAND...
  local end=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    if [ $SECONDS -ge "$end" ]; then
      say "did not happen: $what"
      return 1
    fi
    read -r -t 0.3 <> <(:) || true
  done
}

end_group() { # LEADER: ends a process group, by force after a while
  [ -n "$1" ] && kill -TERM -- "-$1" 2>/dev/null || return 0
  # shellcheck disable=SC2016
  wait_until 30 "the end of process group $1" bash -c '! kill -0 -- "-$1"' - "$1" || kill -KILL -- "-$1"
}

compose() { (cd "$stack" && docker compose "$@"); }
logs() { compose logs --no-color --no-log-prefix "$1" 2>/dev/null; }
set_env() { # NAME VALUE: a line of .env, the value in single quotes
  local quoted=${2//\'/\\\'}
  sed -i "/^#\{0,1\}$1=/d" "$stack/.env"
  printf "%s='%s'\n" "$1" "$quoted" >>"$stack/.env"
}

client() { # PORT PROGRAM ARGUMENT...: a client of the host, through the published port
  local port=$1 program=$2
  shift 2
  PGPASSWORD=$password PGCONNECT_TIMEOUT=5 "$program" -h localhost -p "$port" -U postgres -d mfi_banking "$@"
}
primary() { client "$PRIMARY_PORT" psql -X -At -c "$1"; }
replica() { client "$REPLICA_PORT" psql -X -At -c "$1"; }
answers() { test "$($1 "$2" 2>/dev/null)" = "$3"; }

healthy() { # SERVICE
  test "$(docker inspect -f '{{.State.Health.Status}}' "$(compose ps -aq "$1")")" = healthy
}
all_healthy() { healthy db-primary && healthy db-replica && healthy db-backup; }
streaming() {
  answers primary "SELECT state FROM pg_stat_replication WHERE application_name = 'db-replica'" streaming &&
    answers replica "SELECT verdict FROM mfi_replication_health" ok
}

says() { logs "$1" | grep -qE "$2"; } # SERVICE REGEX: its log does
in_container() { compose exec -T "$@" 2>&1; } # SERVICE COMMAND...
set_on() { # replica|primary SETTING VALUE: of that node alone
  $1 "ALTER SYSTEM SET $2 = $3" >/dev/null && $1 'SELECT pg_reload_conf()' >/dev/null
}
reason() { # replica|primary VERDICT REGEX: as regular expressions, of the verdict on replication and of one of its reasons
  answers "$1" "SELECT verdict ~ '^($2)$' AND EXISTS (SELECT FROM unnest(reasons) r WHERE r ~ '^($3)') FROM mfi_replication_health" t
}

# Writes until it is so: the replica is away, and max_slot_wal_keep_size is small.
slot_lost() {
  primary "SELECT pg_logical_emit_message(false, 'test', repeat('x', 1000)), pg_switch_wal()" && primary 'CHECKPOINT' &&
    answers primary "SELECT wal_status FROM pg_replication_slots WHERE slot_name = 'db_replica'" lost
}

in_volumes() { # COMMAND: of bash, where /primary and /replica are the nodes' volumes
  docker run --rm -v "${COMPOSE_PROJECT_NAME}_pgdata-primary:/primary" -v "${COMPOSE_PROJECT_NAME}_pgdata-replica:/replica" \
    --entrypoint bash mfi-primary -ec "chown postgres /primary /replica; $1"
}

readme() { # LINE [ADDED-TO-THE-COMMAND]: fails when the text lacks the line, or the command does
  grep -qFx -- "$1" "$stack/docs/containers.md" || { echo "docs/containers.md has no line: $1" && return 1; }
  local line=${1//8008/$PRIMARY_PORT}
  line=${line//8009/$REPLICA_PORT}
  (cd "$stack" && PGPASSWORD=$password timeout 120 bash -c "${line//<file>/${2:-}}")
}

# A stack of its own in $work/hub, from the files of this checkout, as a user would have it.
new_stack() {
  stack=$work/hub
  rm -rf "$stack"
  mkdir -p "$stack"
  git ls-files -z | tar --null -cf - -T - | tar -xf - -C "$stack"
  chown 4321:4321 "$stack/backups" # as the user of the host has it who cloned the project
  cp "$stack/.env.example" "$stack/.env"
  password='first one'
  set_env DB_PASSWORD "$password"
  set_env MFI_PRIMARY_PORT "$PRIMARY_PORT"
  set_env MFI_REPLICA_PORT "$REPLICA_PORT"
}
