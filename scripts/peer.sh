# shellcheck shell=bash
# What a failed connection to the other node says about it.

# nobody_there ERROR: of psql, in English. Only when no host was found, nothing listens, or nothing was said in time; whoever says anything at
# all, be it that he cannot be authenticated, is somebody.
nobody_there() {
  ! grep -qvE 'failed: (Connection refused|Connection timed out|timeout expired|No route to host|Host is down|Host is unreachable|Network is unreachable|No such file or directory)|could not translate host name|Is the server running|^[[:space:]]*$' <<<"$1"
}

# not_authenticated ERROR: somebody answers who cannot be shown to be the other node, or who does not let this one in
not_authenticated() {
  grep -qE 'authentication|channel binding|SCRAM|SSL|certificate|password|pg_hba\.conf|server signature|received invalid|unencrypted data|nonce|protocol negotiation' <<<"$1"
}
