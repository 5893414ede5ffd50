#!/usr/bin/env bash
# assay hunt finds no violation in the CPU kernels. In faulty kernels it finds violations, with cases that are in no table, and the
# same seed finds the same violations.
. "$(dirname "$0")/lib.sh"

expect 0 "64 cases of op rms_norm were generated from seed 1; 0 kernels break their contract" "$assay" hunt --op rms_norm --count 64
expect 0 "0 kernels break their contract" "$assay" hunt --op mma --count 64 --seed 9

found=$scratch/found.csv
hunt=("$assay" hunt --op mma --count 128 --backend faulty --kernel mma_half_block --output "$found")
expect 1 "failing elements: order: take(16) -> take(8)" "${hunt[@]}"
[ "$(wc -l <"$found")" -eq 2 ] || fail "$found: expected one case that mma_half_block fails, got $(($(wc -l <"$found") - 1))"
cp "$found" "$scratch/first.csv"
expect 1 "1 kernel breaks its contract" "${hunt[@]}"
cmp "$found" "$scratch/first.csv" || fail "a second hunt with the same seed finds other violations"
expect 1 "take(16) -> take(8)" "$assay" run --backend faulty --cases "$found" --kernel mma_half_block
expect 0 "ALL AS EXPECTED" "$assay" run --cases "$found"

expect 2 "NOTHING RAN" "$assay" hunt --op mma --kernel no_such_kernel
expect 2 "--op is required" "$assay" hunt
expect 2 "did you mean" "$assay" hunt --op rms_nrom
echo "assay hunt finds the violations of a faulty kernel, and assay run repeats them"
