#!/usr/bin/env bash
# Runs the tests of reference, suites, harness and CPU kernels with the address and undefined-behaviour sanitizers, and the tests of
# harness and ranks with the thread sanitizer. Needs two whole builds (build-asan, build-tsan, kept), so only ci/tables runs it.
. "$(dirname "$0")/lib.sh"
cd "$root" || fail "no $root"
tests() { # tests PRESET CTEST-ARGUMENT...
  local preset=$1
  shift
  cmake --preset "$preset" >"$scratch/log" 2>&1 && cmake --build --preset "$preset" >"$scratch/log" 2>&1 || fail "$preset does not build: $(tail -n 20 "$scratch/log")"
  ctest --preset "$preset" -LE 'tables|checks' "$@" >"$scratch/log" 2>&1 || fail "$preset: $(grep -E 'Failed|\*\*\*|ERROR: AddressSanitizer|WARNING: ThreadSanitizer|runtime error' "$scratch/log" | head -n 40)"
  tail -n 4 "$scratch/log"
}
tests asan
tests tsan
echo passed
