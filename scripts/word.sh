# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # node.sh and standby.sh set NODE, BACKUPS and control
# An operator's word on which node is the primary, given by /promote.sh and /rejoin.sh. It is in ./backups, which both
# nodes share: each knows it although the other one does not answer.
WORD=$BACKUPS/.primary

# Sets CHOSEN, the node, and UPSTREAM_TIMELINE, the timeline it had then; both empty and 0 without a word on this cluster.
read_word() {
  local system
  CHOSEN='' UPSTREAM_TIMELINE=0
  [ -s "$WORD" ] || return 0
  IFS=' ' read -r CHOSEN UPSTREAM_TIMELINE system <"$WORD" || true
  [ "$system" = "$(control 'Database system identifier')" ] || CHOSEN='' UPSTREAM_TIMELINE=0
}

write_word() { # NODE TIMELINE
  { printf '%s %s %s\n' "$1" "$2" "$(control 'Database system identifier')" >"$WORD.new" && mv "$WORD.new" "$WORD"; } ||
    say "warning: $WORD cannot be written: after a restart, run this again"
}
