#!/usr/bin/env bash
# Golden files: the predicted ones are made again from the tables alone, with no kernel in reach, and are the same bytes; damaged ones
# are refused by name; a changed reference is noticed.
. "$(dirname "$0")/lib.sh"
mkdir "$scratch/alone"
cp "$assay" "$scratch/alone/"          # no kernel library beside the program
data_copy "$scratch/data"               # no kernels/ in the data
ASSAY_DATA=$scratch/data expect 0 "wrote" "$scratch/alone/assay" golden write --folder "$scratch/made"
for file in "$root"/golden/predicted/*.json; do
  cmp "$file" "$scratch/made/predicted/$(basename "$file")" || fail "$(basename "$file") is not what the reference predicts"
done
diff -r "$root/golden/casts" "$scratch/made/casts" || fail "the runs of a cast are not what the reference gives"
nm -C "$assay" | grep -q 'assay_kernels::' && fail "the program contains kernels"

expect 0 "golden files agree" "$assay" golden check
cp -r "$root/golden" "$scratch/golden"
head -c 2000 "$root/golden/predicted/rms_norm.json" > "$scratch/golden/predicted/rms_norm.json"
expect 2 "rms_norm.json: is truncated or damaged at byte" "$assay" golden check --folder "$scratch/golden"
sed 's/"assay_golden":1/"assay_golden":2/' "$root/golden/predicted/rms_norm.json" > "$scratch/golden/predicted/rms_norm.json"
expect 2 "has version 2" "$assay" golden check --folder "$scratch/golden"
sed 's/"count":[0-9]*/"count":1/' "$root/golden/predicted/rms_norm.json" > "$scratch/golden/predicted/rms_norm.json"
expect 2 "its head counts 1 cases" "$assay" golden check --folder "$scratch/golden"
cp "$root/golden/predicted/rms_norm.json" "$scratch/golden/predicted/rms_norm.json"

sed -i 's/^43e80001,7fffffff,7f$/43e80001,7fffffff,7e/' "$scratch/golden/casts/cuda.e4m3fn_nosat.csv"
expect 1 "has '43e80001,7fffffff,7e', the reference gives '43e80001,7fffffff,7f'" "$assay" golden check --folder "$scratch/golden"
rm "$scratch/golden/casts/cuda.e4m3fn_nosat.csv"
expect 1 "cuda.e4m3fn_nosat.csv: cannot be read" "$assay" golden check --folder "$scratch/golden"

# A changed contract: predicted files disagree, and observed bits fall out of their sets.
sed -i '/^vllm.group_fp8,/s/absmax max(1e-10)/absmax max(1e-4)/' "$scratch/data/reference/contracts/quant.csv"
ASSAY_DATA=$scratch/data expect 1 "the reference now accepts other codes" "$assay" golden check --folder "$root/golden"
ASSAY_DATA=$scratch/data expect 1 "quant_group.register: scale" "$assay" golden check --folder "$root/golden"
echo passed
