# shellcheck shell=bash
# How the operator's scripts reach a server: in a database container the one beside them, by its socket; in db-backup
# the primary, whichever node that is.
# shellcheck source=scripts/log.sh
. /usr/local/lib/mfi/log.sh
export HOME=/var/lib/postgresql PGUSER=postgres PGDATABASE=mfi_banking PGCONNECT_TIMEOUT=5
if [ -f /run/mfi/client.pgpass ]; then
  export PGHOST=db-primary,db-replica PGTARGETSESSIONATTRS=primary PGPASSFILE=/run/mfi/client.pgpass PGSSLMODE=require
  [ "${MFI_TLS:-require}" = require ] || PGSSLMODE=prefer
fi
export PGAPPNAME="mfi ${0##*/}"

# Again as postgres when started by root: the rights of the server are enough. libpq looks for certificates at home.
export HOME=/var/lib/postgresql
[ "$(id -u)" != 0 ] || exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"

# query SQL [PSQL-OPTION...]: rows, with \x1f between their columns
query() {
  local sql=$1
  shift
  psql -X -q -At -F $'\x1f' -v ON_ERROR_STOP=1 "$@" <<<"$sql"
}
