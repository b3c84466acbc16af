#!/bin/bash
# Runs every fuzz target of a build folder for some seconds each. What is new
# stays in BUILD/corpus, what crashes in BUILD/<target>-crash-*; both become
# files of tests/fuzz/corpus by hand. usage: run.sh BUILD SECONDS JOBS
set -euo pipefail
build=$(realpath "$1") seconds=$2 jobs=$3
cd "$(dirname "$0")"

one() {
  local target=$1 name=${1##*/fuzz_}
  mkdir -p "$build/corpus/$name" "corpus/$name"
  echo "fuzzing $name for $seconds s"
  if "$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="$build/$name-" "$build/corpus/$name" "corpus/$name" >"$build/$name.log" 2>&1; then
    echo "ok      $name: $(sed -n 's/stat::number_of_executed_units: *//p' "$build/$name.log") runs"
  else
    echo "FAILED  $name"
    tail -40 "$build/$name.log"
    return 1
  fi
}
export build seconds
export -f one
find "$build" -name 'fuzz_*' -type f -executable | sort | xargs -P "$jobs" -I{} bash -c 'one {}'
