# shellcheck shell=bash
# shellcheck disable=SC2016,SC2034,SC2154 # the runner and lib.sh set and use these
# The nodes prove to each other who they are; each secret is another one; a word on the primary's role is signed; and root touches nothing that
# postgres could have put in its way.
log_in() { # ROLE PASSWORD DATABASE
  PGPASSWORD=$2 PGCONNECT_TIMEOUT=5 psql -X -At -h localhost -p "$PRIMARY_PORT" -U "$1" -d "$3" -c 'SELECT current_user' 2>&1
}
in_node() { compose exec -T -u postgres "$1" bash -c "$2" 2>/dev/null; } # SERVICE COMMAND
system=$(primary 'SELECT system_identifier FROM pg_control_system()')
probe=$(in_node db-primary "sed -n 's/^.*:mfi_probe://p' /run/mfi/pgpass")

# Secrets.
is "both nodes derive the same password of mfi_probe" "$probe" "$(in_node db-replica "sed -n 's/^.*:mfi_probe://p' /run/mfi/pgpass")"
is "as mfi node secret does" "$probe" "$(in_node db-replica 'mfi node secret --system-identifier '"$system"' mfi_probe <<<"$(sed -n "s/^.*:replicator://p" /run/mfi/pgpass | sed "s/\\\\\\(.\\)/\\1/g")"')"
is "mfi_probe logs in with it" mfi_probe "$(log_in mfi_probe "$probe" postgres)"
matches "not with DB_PASSWORD" 'password authentication failed' "$(log_in mfi_probe "$password" postgres || true)"
matches "nor postgres with it" 'password authentication failed' "$(log_in postgres "$probe" postgres || true)"
matches "nor db-backup's passfile" '^\*:\*:\*:postgres:' "$(in_node db-backup 'cat /run/mfi/client.pgpass')"
for service in db-primary db-replica db-backup; do
  claim "no derived secret in what docker inspect shows of $service" bash -c "cd '$stack' && ! docker inspect \$(docker compose ps -q $service) | grep -q '$probe'"
  claim "nor in its log" bash -c "cd '$stack' && ! docker compose logs $service | grep -q '$probe'"
  claim "nor in a command line of its processes" bash -c "cd '$stack' && ! docker compose exec -T $service sh -c 'cat /proc/[0-9]*/cmdline' | grep -aqF '$probe'"
  cat "/proc/$(docker inspect -f '{{.State.Pid}}' "$(compose ps -q $service)")/environ" >"$work/environ"
  claim "no password in the environment of its first process" bash -c "grep -aq PATH= '$work/environ' && ! grep -aqF -e '$probe' -e '$password' '$work/environ'"
done

# Each connection between the nodes demands both.
for word in require_auth=scram-sha-256 channel_binding=require sslmode=require; do
  matches "the stream demands $word" "$word" "$(replica "SELECT conninfo FROM pg_stat_wal_receiver")"
  for node in primary replica; do matches "so does the probe of the $node" "$word" "$($node 'SHOW mfi.peer_conninfo')"; done
done
is "the stream has TLS" t "$(primary "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_replication USING (pid)")"

# In the place of the other node: a server with another certificate that asks for the password in clear, and one that asks for nothing.
impostor() { # METHOD
  docker rm -f "$COMPOSE_PROJECT_NAME-impostor" >/dev/null 2>&1 || true
  docker run -d --name "$COMPOSE_PROJECT_NAME-impostor" --network "${COMPOSE_PROJECT_NAME}_default" --network-alias db-primary -u postgres --entrypoint bash mfi-primary -ec "
    cd /var/lib/postgresql/data && initdb -D i -U postgres -A trust --no-sync >/dev/null
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=db-primary -keyout i/server.key -out i/server.crt 2>/dev/null
    printf '%s\n' 'local all all trust' 'host all all all $1' 'host replication all all $1' >i/pg_hba.conf
    postgres -D i -c unix_socket_directories=/tmp -c listen_addresses='*' -c ssl=on -c log_connections=on -c log_min_messages=debug1" >/dev/null
  wait_until 30 "the impostor" docker exec "$COMPOSE_PROJECT_NAME-impostor" pg_isready -q -h /tmp
}
# With MFI_LONG the stack's own limit of silence.
[ -n "${MFI_LONG:-}" ] || set_on replica mfi.silence_warning 5
compose stop db-primary >/dev/null 2>&1
for method in password trust; do
  impostor $method
  matches "/promote.sh takes one that asks for $method for somebody" 'the old primary still answers; nothing was changed' "$(in_container db-replica /promote.sh || true)"
  claim "the verdict says that it is not authenticated ($method)" wait_until 120 "peer-unauthenticated" reason replica 'warning|critical' 'peer-unauthenticated'
  claim "so does the log of a start" compose restart db-replica
  claim "which waits for the other node, and says why" wait_until 60 "the reason" says db-replica 'waiting for db-primary: a server answers there, but cannot be shown to be the other node'
  claim "it is a standby still" wait_until 60 "a standby" answers replica 'SELECT pg_is_in_recovery()' t
  [ $method = trust ] || is "no password was given to it" 0 "$(docker logs "$COMPOSE_PROJECT_NAME-impostor" 2>&1 | grep -v application_name=pg_isready | grep -cE 'connection authorized|password authentication failed' || true)"
done
docker rm -f "$COMPOSE_PROJECT_NAME-impostor" >/dev/null
set_on replica mfi.silence_warning DEFAULT
claim "docker compose start db-primary" compose start db-primary
claim "the replica streams from the real one" wait_until 90 "streaming" streaming

# A word that is not signed, or not with this password, or not in a regular file, changes nothing: neither that db-primary starts, nor that db-replica is no primary.
word=$stack/backups/.primary
# Only a primary whose peer is away looks at it.
before=$(cat "$word" 2>/dev/null || true)
compose stop db-replica >/dev/null 2>&1
restarted() { # NAME REMARK
  compose restart db-primary >/dev/null 2>&1
  claim "$1: db-primary starts" wait_until 60 "a primary" answers primary 'SELECT pg_is_in_recovery()' f
  claim "$1: its log says that it is ignored" wait_until 10 "the remark" says db-primary "$2"
}
echo "db-replica 999 $system" >"$word"
restarted "a word as anybody can write it" 'is ignored: it is not signed'
printf 'mfi1 db-replica 999 %s 99 %064d\n' "$system" 0 >"$word"
restarted "a wrong signature" 'is ignored: its signature is not of this password'
head -c 1000000 /dev/zero >"$word"
restarted "a large file" 'is ignored: it is not what /promote.sh writes'
rm -f "$word" && mkfifo "$word"
restarted "a pipe" 'is no regular file'
rm -f "$word" && ln -s /etc/shadow "$word"
restarted "a link" 'Too many levels of symbolic links'
rm -f "$word" && mkdir "$word"
restarted "a directory" 'is no regular file'
rmdir "$word"
[ -z "$before" ] || printf '%s\n' "$before" >"$word"
compose start db-replica >/dev/null 2>&1
claim "both nodes are well" wait_until 90 "streaming" streaming

# A word of an earlier time, signed as it is, does not start a former primary: there, and back again, then the first word is put back.
compose stop db-primary >/dev/null 2>&1
claim "a failover" in_container db-replica /promote.sh --within 1
cp "$word" "$work/word.replica"
matches "its word is signed" '^mfi1 db-replica [0-9]+ [0-9]+ [0-9]+ [0-9a-f]{64}$' "$(cat "$word")"
compose start db-primary >/dev/null 2>&1
claim "the old primary waits" wait_until 60 "refusal" says db-primary 'was promoted'
in_container db-primary /rejoin.sh >/dev/null
claim "and follows" wait_until 60 "streaming" answers replica "SELECT state FROM pg_stat_replication WHERE application_name = 'db-primary'" streaming
claim "a word that is removed does not stop the node that was promoted" rm -f "$word"
compose restart db-replica >/dev/null 2>&1
claim "it starts as the primary" wait_until 60 "a primary" answers replica 'SELECT pg_is_in_recovery()' f
compose stop db-replica >/dev/null 2>&1
claim "and back" in_container db-primary /promote.sh --within 1
cp "$work/word.replica" "$word"
compose start db-replica >/dev/null 2>&1
claim "with the word of the first failover put back, db-replica is no primary, but rejoins" wait_until 90 "streaming" streaming
claim "db-primary is the primary" answers primary 'SELECT pg_is_in_recovery()' f

# A changed password: the word that was signed with the old one still counts, and is signed anew.
compose stop db-primary >/dev/null 2>&1
claim "another failover" in_container db-replica /promote.sh --within 1
signed=$(cat "$word")
password='another one'
set_env DB_PASSWORD_FILE ''
set_env DB_PASSWORD "$password"
compose up -d --no-deps db-replica >/dev/null 2>&1
claim "after a change of the password the promoted node is the primary" wait_until 60 "a primary" answers replica 'SELECT pg_is_in_recovery()' f
claim "the word is the same, signed anew" bash -c "[ '${signed% *}' = \"\$(sed 's/ [^ ]*\$//' '$word')\" ] && [ '$signed' != \"\$(cat '$word')\" ]"
compose up -d --no-deps db-primary >/dev/null 2>&1
claim "the old primary knows it, too" wait_until 60 "refusal" says db-primary 'was promoted'
claim "it rejoins" in_container db-primary /rejoin.sh
claim "and streams" wait_until 60 "streaming" answers replica "SELECT state FROM pg_stat_replication WHERE application_name = 'db-primary'" streaming
compose stop db-replica >/dev/null 2>&1
claim "back again" in_container db-primary /promote.sh --within 1
claim "as at the beginning" compose up -d
claim "all is healthy" wait_until 120 "all healthy" all_healthy
claim "the replica streams" wait_until 60 "streaming" streaming

# What postgres may plant, planted: nothing of root's is read, given away or overwritten at a start.
volume_of() { docker volume inspect -f '{{.Mountpoint}}' "${COMPOSE_PROJECT_NAME}_pgdata-$1"; }
start_again() {
  compose up -d --no-deps db-primary >/dev/null 2>&1
  compose start db-primary >/dev/null 2>&1
}
data=$(volume_of primary)
compose stop db-primary >/dev/null 2>&1
printf 'of root\n' >"$data/root_file"
chmod 600 "$data/root_file"
ln "$data/root_file" "$data/pgdata/hard_link"
ln -s /etc/shadow "$data/pgdata/symbolic_link"
mv "$data/mfi-tls/server.key" "$data/mfi-tls/kept.key"
ln -s ../root_file "$data/mfi-tls/server.key"
start_again
claim "a key that is a link to a file of root's is not read" wait_until 60 "the end of its start" says db-primary 'server.key: Permission denied'
is "that file is as it was, and nobody's copy" '600 0 of root' "$(stat -c '%a %u' "$data/root_file") $(cat "$data/root_file")"
is "it is not in the running directory" '' "$(docker cp "$(compose ps -aq db-primary):/run/mfi/tls" - 2>/dev/null | tar -xOf - 2>/dev/null | grep 'of root' || true)"
compose stop db-primary >/dev/null 2>&1
rm "$data/mfi-tls/server.key"
mv "$data/mfi-tls" "$data/tls.kept"
mkdir -m 700 "$data/of_root"
ln -s of_root "$data/mfi-tls"
start_again
claim "a link in the place of the certificate's directory leads nowhere" wait_until 60 "the end of its start" says db-primary 'no certificate could be made in'
is "root's directory is as it was" '700 0 0' "$(stat -c '%a %u' "$data/of_root") $(find "$data/of_root" -mindepth 1 | wc -l)"
compose stop db-primary >/dev/null 2>&1
rm "$data/mfi-tls"
mv "$data/tls.kept" "$data/mfi-tls"
mv "$data/mfi-tls/kept.key" "$data/mfi-tls/server.key"
mv "$data/pgdata" "$data/of_root/pgdata"
ln -s of_root/pgdata "$data/pgdata"
chown 999 "$data/of_root"
start_again
claim "a data directory that is a link of postgres's own is his affair" wait_until 60 "a primary" answers primary 'SELECT pg_is_in_recovery()' f
compose stop db-primary >/dev/null 2>&1
rm "$data/pgdata"
mkdir -m 755 "$data/pgdata"
start_again
claim "one that is not his is refused, with the command that mends it" wait_until 60 "the remedy" says db-primary 'chown db-primary -R -h postgres:'
is "and left" '755 0' "$(stat -c '%a %u' "$data/pgdata")"
compose stop db-primary >/dev/null 2>&1
rmdir "$data/pgdata"
mv "$data/of_root/pgdata" "$data/pgdata"
start_again
claim "put right, it starts" wait_until 60 "a primary" answers primary 'SELECT pg_is_in_recovery()' f
is "no file of root's was given away, by whatever link" '600 0' "$(stat -c '%a %u' "$data/root_file")"
is "nor what a link leads to" '0' "$(compose exec -T db-primary stat -c %u /etc/shadow)"
is "the volume itself is postgres's" '700 999' "$(stat -c '%a %u' "$data")"
claim "a link in the place of a passfile" in_node db-backup 'ln -sf /etc/hostname /run/mfi/client.pgpass'
name=$(compose exec -T db-backup cat /etc/hostname)
compose restart db-backup >/dev/null 2>&1
claim "is not followed by root" wait_until 30 "its end" says db-backup 'client.pgpass: Permission denied'
is "nothing is overwritten" "$name" "$(docker cp "$(compose ps -aq db-backup):/etc/hostname" - 2>/dev/null | tar -xOf - 2>/dev/null || echo "$name")"
compose rm -sf db-backup >/dev/null 2>&1
rm -f "$data/root_file" "$data/pgdata/hard_link" "$data/pgdata/symbolic_link" && rm -rf "$data/of_root"
claim "everything again" compose up -d
claim "healthy" wait_until 120 "all healthy" all_healthy
claim "the replica streams" wait_until 60 "streaming" streaming
