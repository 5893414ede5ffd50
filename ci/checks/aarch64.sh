#!/usr/bin/env bash
# Runs the tests of formats and recipes on 64-bit ARM in qemu-user, and checks that a wrong result on ARM is detected. A sample
# runs only the tests of formats.
. "$(dirname "$0")/lib.sh"
tests=()
[ -z "$sample" ] || tests=(format_test round_test)
"$root/ci/aarch64" "${tests[@]}" >"$scratch/log" 2>&1
code=$?
[ $code -eq 77 ] && skip "$(tail -n 1 "$scratch/log")"
[ $code -eq 0 ] || fail "exit code $code"$'\n'"$(tail -n 60 "$scratch/log")"
grep '% tests passed' "$scratch/log"

tests=$root/build-aarch64/reference
readelf -h "$tests/round_test" | grep -q 'Machine: *AArch64' || fail "round_test is not built for aarch64"
if [ -n "$sample" ]; then
  echo passed
  exit
fi
nm "$tests/reference_recipe_tests" | grep -q 'kLanes_avx' && fail "reference_recipe_tests, built for aarch64, contains code for x86: kLanes_avx"
# A test that fails on ARM must fail this check. Example: recipe tests on AVX2, which the ARM processor lacks.
expect 1 "ASSAY_ISA is 'avx2'" env ASSAY_ISA=avx2 qemu-aarch64 -L /usr/aarch64-linux-gnu "$tests/reference_recipe_tests" --gtest_filter='Evaluate.*'
echo passed
