#!/bin/bash
# Stops the demo and removes everything it made, also what a half-finished start has left.
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/demo/common.sh

check_directory
check_rights
if ! as_root test -e "$DEMO_DIR"; then
  say "There is no demo in $DEMO_DIR: nothing to do."
  exit
fi
as_root test -f "$MARK" || fail "$DEMO_DIR is not a directory of this demo; it is left alone" "Set MFI_DEMO_DIR to the demo's directory."
remove_demo
say "The demo is gone: both servers stopped, $DEMO_DIR removed."
say "The extension's files stay in PostgreSQL's own directories; \`make uninstall\` removes them."
