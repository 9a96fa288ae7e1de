#!/bin/bash
# Prints the flags that make clang read the headers of the default g++. By itself it takes those of the newest gcc
# on the machine, which may be newer than this clang understands (PostgreSQL's packages bring one along).
set -euo pipefail
printf '%s' '-nostdinc++ -Wno-unused-command-line-argument'
g++ -E -x c++ -v /dev/null 2>&1 >/dev/null | sed -n 's|^ \(/.*/c++/.*\)$|\1|p' | while read -r directory; do
  printf ' -isystem%s' "$(realpath "$directory")"
done
