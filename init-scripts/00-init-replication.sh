#!/bin/bash
# The roles of the other node: replicator streams, mfi_probe asks for this node's role and may do nothing else. Their
# passwords, DB_PASSWORD and one that is derived from it, are set by the entrypoint at each start of the primary.
# Run at the first start of an empty volume; by hand on a volume of an older stack. Does nothing when they are there.
set -euo pipefail
[ "$(id -u)" != 0 ] || exec setpriv --reuid=postgres --regid=postgres --init-groups "$0"
psql -X -q -v ON_ERROR_STOP=1 -d postgres <<'SQL'
SELECT 'CREATE ROLE replicator LOGIN REPLICATION'
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'replicator') \gexec
SELECT 'CREATE ROLE mfi_probe LOGIN'
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'mfi_probe') \gexec
SQL
