# shellcheck shell=bash
# The demo's two servers. Needs common.sh and BINDIR.

sql() { # PORT DBNAME SQL [PSQL-OPTION...]: one value or plain rows
  local port=$1 dbname=$2 query=$3
  shift 3
  as_postgres psql -X -h "$DEMO_DIR" -p "$port" -d "$dbname" -v ON_ERROR_STOP=1 -At "$@" -c "$query"
}

# Whether the query answers t within that time: comes_true SECONDS PORT QUERY
comes_true() {
  local end=$((SECONDS + $1))
  until [ "$(sql "$2" "$DATABASE" "$3" 2>/dev/null)" = t ]; do
    [ $SECONDS -lt $end ] || return 1
    sleep 0.2
  done
}

# Waits until the query answers t: wait_for SECONDS WHAT PORT QUERY
wait_for() {
  local verdict
  comes_true "$1" "$3" "$4" && return
  mapfile -t verdict < <(sql "$3" "$DATABASE" "SELECT verdict, reason FROM mfi_health() LEFT JOIN unnest(reasons) reason ON true" -F ': ' 2>&1)
  fail "$2 did not happen within $1 s" "The verdict there now:" "${verdict[@]}" \
    "The servers' logs are in $DEMO_DIR/log; \`make demo-down\` removes the demo."
}

write_as_postgres() { # FILE, text on stdin
  # shellcheck disable=SC2016
  as_postgres sh -c 'umask 077; cat >"$1"' - "$1"
}

check_ports() {
  local port
  for port in "$PRIMARY_PORT" "$REPLICA_PORT"; do
    if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
      fail "port $port on 127.0.0.1 is in use$(as_root ss -Hltnp "sport = :$port" 2>/dev/null | sed -n 's/.*users:((\("[^"]*"\),pid=\([0-9]*\).*/ by \1, process \2/p' | head -n 1)" \
        "Stop what listens there, or choose other ports:" \
        "make demo MFI_DEMO_PRIMARY_PORT=18008 MFI_DEMO_REPLICA_PORT=18009"
    fi
  done
}

start_server() { # primary | replica
  as_postgres pg_ctl start -s -w -t 60 -D "$DEMO_DIR/$1" -l "$DEMO_DIR/log/$1.log" ||
    fail "the $1 did not start" "Its log says why: $DEMO_DIR/log/$1.log"
}
stop_server() { as_postgres pg_ctl stop -s -w -m fast -D "$DEMO_DIR/$1"; }

make_directory() {
  as_root mkdir -p "$DEMO_DIR" || fail "$DEMO_DIR cannot be made" "Choose another place: make demo MFI_DEMO_DIR=/path"
  mark begun
  as_root chown postgres: "$DEMO_DIR"
  as_root chmod 755 "$DEMO_DIR"
  as_postgres test -w "$DEMO_DIR" || fail "the user postgres cannot reach $DEMO_DIR" \
    "Choose a directory below ones that everybody may enter: make demo MFI_DEMO_DIR=/path"
  as_postgres mkdir -m 700 log backups recovery
}

# One password for both roles, in files only their users can read: ours for psql, postgres's for the replica.
make_passwords() {
  PASSWORD=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  printf '%s\n' "$PASSWORD" | write_as_postgres password
  printf '127.0.0.1:%s:*:replicator:%s\n' "$PRIMARY_PORT" "$PASSWORD" | write_as_postgres replica.pgpass
  printf '*:%s:*:postgres:%s\n' "$PRIMARY_PORT" "$PASSWORD" "$REPLICA_PORT" "$PASSWORD" | write_as_postgres pgpass
  as_root chown "$(id -u):$(id -g)" "$DEMO_DIR/pgpass"
}

make_primary() {
  as_postgres initdb -D primary -U postgres --data-checksums --no-sync -E UTF8 --locale=C.UTF-8 \
    --auth-local=peer --auth-host=scram-sha-256 --pwfile=password >/dev/null
  as_postgres rm password
  as_postgres sh -c 'cat >>primary/postgresql.conf' <<CONF

# ---- mfi demo ----
listen_addresses = '127.0.0.1'
port = $PRIMARY_PORT
unix_socket_directories = '$DEMO_DIR'
cluster_name = 'db-primary'
shared_preload_libraries = 'mfi'
mfi.database = '$DATABASE'
mfi.backup_directory = '$DEMO_DIR/backups'
mfi.backup_nice = 0 # somebody waits for them here
wal_level = replica
summarize_wal = on
max_worker_processes = 16
max_slot_wal_keep_size = '1GB'
hot_standby_feedback = on
CONF
  as_postgres sh -c 'cat >primary/pg_hba.conf' <<'HBA'
# mfi demo: this machine only. The first two lines let mfi's own pg_dump and pg_receivewal in, over the unix socket.
local  all          postgres                    peer
local  replication  postgres                    peer
host   all          all           127.0.0.1/32  scram-sha-256
host   replication  replicator    127.0.0.1/32  scram-sha-256
HBA
  start_server primary
  sql "$PRIMARY_PORT" postgres "CREATE ROLE replicator LOGIN REPLICATION PASSWORD '$PASSWORD'" -q
  sql "$PRIMARY_PORT" postgres "SELECT pg_create_physical_replication_slot('db_replica', true)" -q -o /dev/null
}

make_replica() {
  as_postgres pg_basebackup -D replica -S db_replica -X stream -c fast -R \
    -d "host=127.0.0.1 port=$PRIMARY_PORT user=replicator require_auth=scram-sha-256 passfile=$DEMO_DIR/replica.pgpass application_name=db-replica"
  as_postgres sh -c 'cat >>replica/postgresql.conf' <<CONF
port = $REPLICA_PORT
cluster_name = 'db-replica'
mfi.recovery_directory = '$DEMO_DIR/recovery'
CONF
  start_server replica
}
