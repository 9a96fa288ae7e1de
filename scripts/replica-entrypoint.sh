#!/bin/bash
# The container of the replica: decides by evidence whether to clone, to start, to rewind or to refuse, then starts the
# server as a standby. It never deletes a data directory that is not its own unfinished clone, and starts as a primary only
# by an operator's word (/promote.sh), never because nobody answered.
set -euo pipefail
# shellcheck source=scripts/node.sh
. /usr/local/lib/mfi/node.sh

become_postgres "$@"
one_server_per_volume
rm -f "$RUN/forced"
write_passfile
write_node_settings
if [ ! -d "$PGDATA" ]; then
  node_command clone
else
  derive_secrets 2>/dev/null || true # of a damaged data directory there are none
  node_command rejoin
fi
check_settings "$PGDATA"
set_passwords
start_server
