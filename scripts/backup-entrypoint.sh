#!/bin/bash
# The container db-backup, as root and then as postgres: the password becomes a password file, the secrets of copies
# elsewhere files of postgres, and mfi follows the backups.
set -euo pipefail
# shellcheck source=scripts/log.sh
. /usr/local/lib/mfi/log.sh
# shellcheck source=scripts/secret.sh
. /usr/local/lib/mfi/secret.sh

if [ "$(id -u)" = 0 ]; then
  mfi node own --user postgres /run/mfi
  hand_over_password
  hand_over_offsite
  exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
fi
take_password
take_offsite
(umask 077 && passfile_line postgres "$DB_PASSWORD" >/run/mfi/client.pgpass)
unset DB_PASSWORD
exec mfi node follow
