#!/usr/bin/env bash
# Every generated file equals what the program generates now, without any kernel; an outdated file is named. A sample recomputes
# 5 % of each op's golden/power, with a different seed for each commit; ci/tables recomputes everything.
. "$(dirname "$0")/lib.sh"
mkdir "$scratch/alone"
cp "$assay" "$scratch/alone/"          # alone: neither a kernel library nor a measuring program is in its folder
data_copy "$scratch/data"               # no kernels/ in the data
ln -s "$root/golden" "$scratch/data/golden"
how=(--recompute)
[ -z "$sample" ] || how=(--seed "$(git -C "$root" rev-list --count HEAD 2>/dev/null || echo 1)")
ASSAY_DATA=$scratch/data expect 0 "generated files are up to date" "$scratch/alone/assay" regenerate --check "${how[@]}"
nm -C "$assay" | grep -q 'assay_kernels::' && fail "the program contains kernels"

# The rest runs on tables with few cases and one recorded output.
few=$scratch/few golden=$scratch/few/golden
data_copy "$few"
few_cases "$few" rms_norm quant_group
mkdir -p "$golden/witness/quant_group"
cp "$root"/golden/witness/*.{csv,md} "$golden/witness/"
cp "$root"/golden/witness/quant_group/vllm.group_fp8.safetensors "$golden/witness/quant_group/"
export ASSAY_DATA=$few
regenerate=("$assay" regenerate --without-measured)
expect 0 "wrote $golden/power/rms_norm.json" "${regenerate[@]}"
expect 0 " 0 written, 0 removed; mutation scores of 0 data sets computed" "${regenerate[@]}"
expect 0 "suites/DIAGNOSIS.md: not regenerated, because the program" "$scratch/alone/assay" regenerate

# forgotten FILE EDIT: edits a generated file; the check must name it, and `regenerate` must restore it.
forgotten() {
  cp "$few/$1" "$scratch/whole"
  sed "$2" "$scratch/whole" >"$few/$1"
  expect 1 "$few/$1:" "$assay" regenerate --check
  expect 0 "wrote $few/$1" "${regenerate[@]}"
  cmp "$scratch/whole" "$few/$1" || fail "regenerate does not restore $1"
}
first_record='0,/^"rms_norm\//{/^"rms_norm\//d}'
forgotten golden/predicted/rms_norm.json "$first_record"
forgotten golden/power/rms_norm.json "$first_record"
forgotten golden/casts/cuda.e4m3fn_nosat.csv 2d
for table in reference/contracts/SPECIALS.md suites/POWER.md suites/SHARPNESS.md golden/witness/TABLES.md; do
  forgotten $table 's/^<!-- end: /| another row |\n&/'
done
rm "$golden/predicted/quant_group.json"
expect 1 "$golden/predicted/quant_group.json: is missing" "$assay" regenerate --check
echo '{}' >"$golden/power/gone.json"
expect 1 "$golden/power/gone.json: belongs to no op or contract any more" "$assay" regenerate --check
expect 0 "1 written, 1 removed" "${regenerate[@]}"
grep -v '^<!-- end: assay power' "$few/suites/POWER.md" >"$scratch/unmarked"
cp "$scratch/unmarked" "$few/suites/POWER.md"
expect 2 "has no lines '<!-- begin: assay power -->'" "${regenerate[@]}"
echo passed
