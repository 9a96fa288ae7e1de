# shellcheck shell=bash
# shellcheck disable=SC2016,SC2034,SC2154 # the runner and lib.sh set and use these
# Packets between the nodes are dropped, one way each and both ways: both say so in time and nothing is restarted; at the end
# for so long that the slot is lost. MFI_LONG keeps the stack's own limits (45 s), else they are short.
at_replica() { # ARGUMENT...: iptables in the replica's network
  nsenter -t "$(docker inspect -f '{{.State.Pid}}' "$(compose ps -q db-replica)")" -n iptables "$@"
}
address() { docker inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' "$(compose ps -q "$1")"; }
drop() { # IN|OUT...: what comes from the primary, what goes to it
  local way
  for way in "$@"; do
    if [ "$way" = IN ]; then at_replica -A INPUT -s "$(address db-primary)" -j DROP; else at_replica -A OUTPUT -d "$(address db-primary)" -j DROP; fi
  done
}
mend() { at_replica -F INPUT && at_replica -F OUTPUT; }
starts() { for service in db-primary db-replica db-backup; do docker inspect -f '{{.State.StartedAt}}' "$(compose ps -q $service)"; done | xargs; }
well() { answers primary 'SELECT verdict FROM mfi_replication_health' ok && streaming; }

silence=45 patience=70
if [ -z "${MFI_LONG:-}" ]; then
  silence=5 patience=20
  for node in primary replica; do
    set_on $node mfi.silence_warning 5
    set_on $node mfi.silence_critical 8
    set_on $node wal_receiver_status_interval "'1s'"
    set_on $node wal_receiver_timeout "'4s'"
    set_on $node tcp_user_timeout "'10s'"
    set_on $node mfi.sample_interval "'1s'"
  done
fi
claim "both nodes are well" wait_until 60 "ok" well
before=$(starts)
for ways in 'IN' 'OUT' 'IN OUT'; do
  began=$SECONDS
  # shellcheck disable=SC2086
  drop $ways
  claim "dropped at the replica: $ways: the primary says so" wait_until $patience "its reason" \
    reason primary 'warning|critical' '(standby-silent|standby-missing): .*db-replica .*(has said nothing|is not connected)'
  claim "the replica says so" wait_until $patience "its reason" reason replica 'warning|critical' 'upstream-silent|upstream-lost'
  claim "in time: silence of $silence s, two samples, and an answer" test $((SECONDS - began)) -le $((silence + 20))
  is "both are healthy containers" 'healthy healthy' "$(for service in db-primary db-replica; do docker inspect -f '{{.State.Health.Status}}' "$(compose ps -q $service)"; done | xargs)"
  mend
  claim "mended, both are well again" wait_until 60 "ok" well
done
is "nothing was restarted for it" "$before" "$(starts)"

drop IN OUT
set_on primary max_slot_wal_keep_size "'1MB'"
claim "cut for too long: the slot loses its WAL, although its walsender cannot say goodbye" wait_until 100 "lost" slot_lost
claim "the primary says so" wait_until 20 "slot-lost" reason primary critical 'slot-lost: slot db_replica has lost WAL that its standby needs'
matches "/promote.sh does not take a cut cable for a death" '(still answers|cannot be reached).*nothing was changed' "$(in_container db-replica /promote.sh || true)"
matches "and what to do" 'The standby must be cloned anew' "$(in_container db-primary /health.sh replication || true)"
mend
claim "the replica that is back cannot go on, and says so" wait_until $patience "upstream-lost" reason replica critical 'upstream-lost'
set_on primary max_slot_wal_keep_size DEFAULT
compose restart db-replica >/dev/null 2>&1
claim "docker compose restart db-replica clones it anew" wait_until 90 "ok" well
for setting in mfi.silence_warning mfi.silence_critical wal_receiver_status_interval wal_receiver_timeout tcp_user_timeout mfi.sample_interval; do
  for node in primary replica; do set_on $node $setting DEFAULT; done
done
