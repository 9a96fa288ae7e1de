# shellcheck shell=bash
# What a failed connection to the other node says about it.

# nobody_there ERROR: of psql, in English. Only when no host was found, nothing listens, or no connection came about in time; whoever takes a
# connection is somebody, be it that he says nothing or cannot be authenticated.
nobody_there() {
  local line at='at "([^"]*)"( \(([^)]*)\))?, port ([0-9]+) failed: timeout expired'
  while IFS= read -r line; do
    if [[ "$line" =~ $at ]]; then
      ! takes_connections "${BASH_REMATCH[3]:-${BASH_REMATCH[1]}}" "${BASH_REMATCH[4]}" || return 1
    elif ! grep -qE 'failed: (Connection refused|Connection timed out|timeout expired|No route to host|Host is down|Host is unreachable|Network is unreachable|No such file or directory)|could not translate host name|Is the server running|^[[:space:]]*$' <<<"$line"; then
      return 1
    fi
  done <<<"$1"
}
takes_connections() { # HOST PORT
  # shellcheck disable=SC2016
  timeout 3 bash -c ': <"/dev/tcp/$0/$1"' "$1" "$2" 2>/dev/null
}

# not_authenticated ERROR: somebody answers who cannot be shown to be the other node, or who does not let this one in
not_authenticated() {
  grep -qE 'authentication|channel binding|SCRAM|SSL|certificate|password|pg_hba\.conf|server signature|received invalid|unencrypted data|nonce|protocol negotiation' <<<"$1"
}
