#!/bin/bash
# Prints the pg_config to build with: $PG_CONFIG if set; else that of PostgreSQL 17 (in the PATH, then Debian's own
# place); else the newest later one; else whatever the PATH has. Prints nothing when none comes with PGXS.
set -euo pipefail

has_pgxs() { [ -x "$1" ] && [ -f "$("$1" --pgxs 2>/dev/null)" ]; }
major() { "$1" --version | sed 's/[^0-9]*\([0-9]*\).*/\1/'; }

if [ -n "${PG_CONFIG:-}" ]; then
  echo "$PG_CONFIG"
  exit
fi
in_path=$(command -v pg_config || true)
debian=/usr/lib/postgresql/17/bin/pg_config
if has_pgxs "$in_path" && [ "$(major "$in_path")" = 17 ]; then
  echo "$in_path"
elif has_pgxs "$debian"; then
  echo "$debian"
else
  newest=
  for candidate in /usr/lib/postgresql/*/bin/pg_config; do
    if has_pgxs "$candidate" && [ "$(major "$candidate")" -gt 17 ] &&
      { [ -z "$newest" ] || [ "$(major "$candidate")" -gt "$(major "$newest")" ]; }; then
      newest=$candidate
    fi
  done
  if [ -n "$newest" ]; then
    echo "$newest"
  elif has_pgxs "$in_path"; then
    echo "$in_path"
  fi
fi
