#!/bin/bash
# Formats every C++ file in place by .clang-format.
set -euo pipefail
cd "$(dirname "$0")/../.."
clang_format=$(scripts/dev/clang_tool.sh clang-format)
find . \( -path ./.git -o -path ./build \) -prune -o -type f \( -name '*.h' -o -name '*.cpp' \) -print0 | xargs -0 -r "$clang_format" -i
