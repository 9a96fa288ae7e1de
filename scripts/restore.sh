#!/bin/bash
# restore.sh [OPTION...] [SET]: mfi restore, from a container or beside a server; --help shows its options.
set -euo pipefail
# shellcheck source=scripts/client.sh
. "$(dirname "$(readlink -f "$0")")/client.sh"
command -v mfi >/dev/null || PATH=$PATH:$(pg_config --bindir)
MFI_CALLED_AS=$0 exec mfi restore "$@"
