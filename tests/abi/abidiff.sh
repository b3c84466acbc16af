#!/bin/bash
# The library against the one of the last tag: additions are fine, changes are not.
# usage: abidiff.sh LIBRARY
set -euo pipefail
library=$(realpath "$1")
cd "$(dirname "$0")/../.."

skip() { echo "SKIPPED: $1"; exit 77; }
command -v abidiff >/dev/null || skip "no abidiff (package abigail-tools)"
tag=$(git describe --tags --abbrev=0 --match 'v*' 2>/dev/null) || skip "no tag v* yet"

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
git archive --prefix=old/ "$tag" | tar -x -C "$folder"
cmake -G Ninja -S "$folder/old" -B "$folder/build" -DMW_TESTS=OFF -DMW_PROGRAM=OFF -DMW_EXAMPLES=OFF --log-level=WARNING
cmake --build "$folder/build" --target meshwork
abidiff --no-added-syms --headers-dir1 "$folder/old/include" --headers-dir2 include \
  "$folder/build/libmeshwork.so.1" "$library"
