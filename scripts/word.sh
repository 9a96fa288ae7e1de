# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # node.sh and standby.sh set NODE, VOLUME, RUN, BACKUPS and control
# An operator's word on which node is the primary, given by /promote.sh and /rejoin.sh. It is in ./backups, which both
# nodes share: each knows it although the other one does not answer. Others may write there, so it is signed with a key that is derived
# from the password, and each node remembers the last one it believed: an earlier one that is put back changes nothing.
word() { # OPTION...
  mfi node word --directory "$BACKUPS" --state "$VOLUME/mfi.word" --system-identifier "$(control 'Database system identifier')" \
    --key-file "$RUN/word.key" "$@" 2>"$RUN/word.remarks"
}
tell_remarks() {
  local remarks
  remarks=$(<"$RUN/word.remarks")
  [ "$remarks" = "${REMARKS:-}" ] || say "warning: $remarks"
  REMARKS=$remarks
}

# Sets CHOSEN, the node, and CHOSEN_TIMELINE, the timeline it had then; both empty and 0 without a word on this cluster. One for this node that
# is older than its data is none.
read_word() {
  local answer
  answer=$(word) || answer=
  tell_remarks
  IFS=' ' read -r CHOSEN CHOSEN_TIMELINE <<<"$answer"
  CHOSEN_TIMELINE=${CHOSEN_TIMELINE:-0}
  if [ "$CHOSEN" = "$NODE" ] && [ "$CHOSEN_TIMELINE" -lt "$(control "Latest checkpoint's TimeLineID")" ]; then CHOSEN='' CHOSEN_TIMELINE=0; fi
}

write_word() { # NODE TIMELINE
  local code=0
  word --set "$1" --timeline "$2" >/dev/null || code=$?
  tell_remarks
  [ $code = 0 ] || say "warning: this word is not kept: after a restart, run this again"
}
