# shellcheck shell=bash
# What the containers' scripts say goes to their log, beside the server's own lines.
say() { printf '%s UTC mfi: %s\n' "$(date -u '+%F %T')" "$*" >&2; }
die() { # MESSAGE NEXT-STEP...
  say "$1"
  shift
  printf '    %s\n' "$@" >&2
  exit 1
}
