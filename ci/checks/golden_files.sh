#!/usr/bin/env bash
# Golden files: damaged files are named, a changed reference or record is detected, and observed bits are compared with predictions.
# checks/regenerate covers the files that need no device.
. "$(dirname "$0")/lib.sh"
[ -n "$sample" ] || expect 0 "golden files agree" "$assay" golden check --sample 1
# Outputs that were recorded on real chips are still accepted, also where predictions cover only a sample.
expect 0 "golden files agree" "$assay" golden check --part observed

# Makes tables with few cases, and their golden files.
few=$scratch/few golden=$scratch/few/golden
data_copy "$few"
few_cases "$few" rms_norm quant_group
export ASSAY_DATA=$few
expect 0 "wrote" "$assay" golden write
expect 0 "wrote" "$assay" golden write --observed cpu
expect 0 "golden files agree" "$assay" golden check
# With one op selected, files of other ops are not read.
expect 0 "golden files agree" "$assay" golden check --part observed --op rms_norm

# Outputs of AMD code objects that were executed on the CPU are in a separate folder.
mkdir "$golden/executed"
cp -r "$golden/observed/cpu" "$golden/executed/gfx942"
expect 1 "belong in golden/executed, outputs of a chip in golden/observed" "$assay" golden check --part observed --op rms_norm
sed -i 's/"device":"[^"]*"/"device":"gfx942 executed on the CPU by assay_gcn 1"/' "$golden/executed/gfx942"/*.json
expect 0 "observed on gfx942 executed on the CPU by assay_gcn 1, 20" "$assay" golden check --part observed --op rms_norm
rm -r "$golden/executed"

# A run uses golden/power records that match the current tables, and prints how many it used.
run=("$assay" run --backend cpu --suite quick)
expect 0 "of 24 data sets: 24 read from golden/power, 0 computed" "${run[@]}"
expect 0 "of 24 data sets: 0 read from golden/power, 24 computed" "${run[@]}" --reckon-power
expect 0 "mutation scores of 0 data sets computed" "$assay" golden write

# A run recomputes the records of changed rows and of files edited by hand. Edits of a comment or an unused contract change nothing.
some_reckoned() {
  "${run[@]}" >"$scratch/run.txt" 2>&1
  grep -q "of 24 data sets: [0-9]* read from golden/power, [1-9][0-9]* computed" "$scratch/run.txt"
}
sed -i '/^vllm.group_fp8,/s/fp32 scales of the CUDA op/scales/; /^aiter.per_tensor,/s/absmax/absmax max(1e-9)/' "$few/reference/contracts/quant.csv"
expect 0 "of 24 data sets: 24 read from golden/power, 0 computed" "${run[@]}"
cp -r "$few/reference/contracts" "$scratch/contracts"
sed -i '/^vllm.group_fp8,/s/max(1e-10)/max(1e-9)/' "$few/reference/contracts/quant.csv"
some_reckoned || fail "after the edit of a contract, the run still reads all mutation scores from golden/power"
expect 1 "has no mutation score for the current tables; try assay golden write" "$assay" golden check --part power --sample 1
cp "$scratch/contracts/quant.csv" "$few/reference/contracts/quant.csv"
cp "$golden/power/rms_norm.json" "$scratch/whole"
sed -i 's/"faults":[0-9]*/"faults":1/' "$golden/power/rms_norm.json"
some_reckoned || fail "the run uses an edited mutation score of golden/power"
expect 1 "has no mutation score for the current tables" "$assay" golden check --part power --sample 1
cp "$scratch/whole" "$golden/power/rms_norm.json"

# damaged FILE CODE TEXT EDIT: replaces a golden file by the output of EDIT; the check must exit with CODE and print TEXT.
damaged() {
  cp "$golden/$1" "$scratch/whole"
  "${@:4}" "$scratch/whole" >"$golden/$1"
  expect "$2" "$3" "$assay" golden check
  cp "$scratch/whole" "$golden/$1"
}
damaged power/rms_norm.json 2 "is truncated or damaged" head -c 200
damaged predicted/rms_norm.json 2 "is truncated or damaged" head -c 200
damaged predicted/rms_norm.json 2 "has version 3" sed 's/"assay_golden":2/"assay_golden":3/'
damaged predicted/rms_norm.json 2 "its header states 1 cases" sed 's/"count":[0-9]*/"count":1/'
damaged predicted/rms_norm.json 2 "holds 1e+106 where an integer" sed 's/\[[0-9]*,"/[1e106,"/'

sed -i 's/^43e80001,7fffffff,7f$/43e80001,7fffffff,7e/' "$golden/casts/cuda.e4m3fn_nosat.csv"
expect 1 "has '43e80001,7fffffff,7e', the reference gives '43e80001,7fffffff,7f'" "$assay" golden check
rm "$golden/casts/cuda.e4m3fn_nosat.csv"
expect 1 "cuda.e4m3fn_nosat.csv: cannot be read" "$assay" golden check

# A changed contract: predicted files disagree, and observed bits are outside the accepted intervals.
sed -i '/^vllm.group_fp8,/s/absmax max(1e-10)/absmax max(10)/' "$few/reference/contracts/quant.csv"
expect 1 "the reference now accepts other codes" "$assay" golden check
expect 1 "quant_group.register: q: the digest differs" "$assay" golden check
echo passed
