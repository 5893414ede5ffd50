#!/usr/bin/env bash
# assay probe infers the models of the CPU library's instructions. For each faulty instruction it names the cell that differs. It
# writes rows of units.csv that a run can use.
source "$(dirname "$0")/lib.sh"

units='*'
faults=$(awk -F, '$1 ~ /^mma_/ {print $1}' "$root/suites/catches/faults.csv")
if [ -n "$sample" ]; then
  units='sm_90.*mma.f16.f*'
  faults='mma_fraction_less mma_halves_not_interleaved mma_product_dropped mma_negative_zero'
fi

expect 0 'the model explains all' "$assay" probe --backend cpu --unit "$units" --output "$scratch/found.csv"
expect 0 'evidence inferred' "$assay" arch show probed.sm_90.mma.f16.f32 --contracts "$scratch/found.csv"
rows=$(($(wc -l <"$scratch/found.csv") - 1))
offered=$("$assay" arch list | awk -v units="$units" '$2 != "unknown" {print $1}' | while read -r id; do
  # shellcheck disable=SC2053
  [[ $id == $units ]] && echo "$id"
done | wc -l)
[ "$rows" -eq "$offered" ] || fail "expected models of $offered instructions, which the library offers, got $rows"

for fault in $faults; do
  cause=$(awk -v fault="$fault" -F, '$1 == fault {print $3}' "$root/suites/catches/faults.csv" | tr -d '"')
  cell=${cause%%:*}
  [ "$cell" = products ] && cell=order
  "$assay" probe --backend faulty --kernel "$fault" >"$scratch/fault.txt"
  [ $? -eq 1 ] || fail "probe does not find that $fault differs from the instruction with its id"
  grep -qE "^  $cell .*DIFFERS|^    $cell: " "$scratch/fault.txt" || fail "$fault: expected a difference in the cell '$cell', got:"$'\n'"$(cat "$scratch/fault.txt")"
done

# The probe fills in a row without a model, and the suite then uses that row.
data_copy "$scratch/data"
sed -i 's/^sm_90.mma.f16.f32,.*/sm_90.mma.f16.f32,f16,f16,f32,16,,,,,,,,unknown,nobody,nothing is known/' "$scratch/data/reference/contracts/units.csv"
run=("$assay" run --backend cpu --suite mma/quick --case 'mma/sm_90.mma.f16.f32/*/w32')
expect 2 'the arithmetic of instruction sm_90.mma.f16.f32 is unknown, so it can have no cases' env ASSAY_DATA="$scratch/data" "${run[@]}"
expect 0 'found models of 1 instructions' env ASSAY_DATA="$scratch/data" "$assay" probe --backend cpu --unit sm_90.mma.f16.f32 --output "$scratch/filled.csv"
expect 0 'ALL AS EXPECTED' env ASSAY_DATA="$scratch/data" "${run[@]}" --contracts "$scratch/filled.csv"
sed 's/^sm_90.mma.f16.f32,f16/sm_90.mma.f16.f32,bf16/' "$scratch/filled.csv" >"$scratch/other.csv"
expect 2 'is already in' env ASSAY_DATA="$scratch/data" "$assay" arch list --contracts "$scratch/other.csv"
expect 2 'is defined in' "$assay" arch list --contracts "$scratch/filled.csv"

expect 0 'obeys cuda.e5m2_sat' "$assay" probe --backend cpu --kernel cast
expect 2 'NOTHING RAN' "$assay" probe --backend cpu --unit no.such.unit
echo "assay probe finds a model of each instruction, fills in missing table rows, and names planted faults"
