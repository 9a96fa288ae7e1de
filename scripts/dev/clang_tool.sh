#!/bin/bash
# Prints the program to use for clang-format or clang-tidy: version 14, whose output the tree agrees with, where it is there.
set -euo pipefail
command -v "$1-14" || command -v "$1" || {
  echo "$1 is not installed: run \`make setup\`" >&2
  exit 1
}
