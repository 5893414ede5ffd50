#!/usr/bin/env bash
# Golden files: the predicted ones are made again from the tables alone, with no kernel in reach, and are the same bytes; damaged ones
# are refused by name; a changed reference is noticed.
. "$(dirname "$0")/lib.sh"
mkdir "$scratch/alone"
cp "$assay" "$scratch/alone/"          # no kernel library beside the program
data_copy "$scratch/data"               # no kernels/ in the data
[ -z "$sample" ] || only_ops "$scratch/data" rms_norm pack_scales
ASSAY_DATA=$scratch/data expect 0 "wrote" "$scratch/alone/assay" golden write --folder "$scratch/made"
made=("$root"/golden/predicted/*.json)
[ -z "$sample" ] || made=("$scratch"/made/predicted/*.json)
[ ${#made[@]} -ge 2 ] || fail "only ${#made[@]} golden files"
for file in "${made[@]}"; do
  name=$(basename "$file")
  cmp "$root/golden/predicted/$name" "$scratch/made/predicted/$name" || fail "$name is not what the reference predicts"
done
diff -r "$root/golden/casts" "$scratch/made/casts" || fail "the runs of a cast are not what the reference gives"
nm -C "$assay" | grep -q 'assay_kernels::' && fail "the program contains kernels"

[ -n "$sample" ] || expect 0 "golden files agree" "$assay" golden check

# The rest on tables of few cases, and golden files of them.
few=$scratch/few golden=$scratch/golden
data_copy "$few"
few_cases "$few" rms_norm quant_group
export ASSAY_DATA=$few
expect 0 "wrote" "$assay" golden write --folder "$golden"
expect 0 "wrote" "$assay" golden write --observed cpu --folder "$golden"
expect 0 "golden files agree" "$assay" golden check --folder "$golden"

# damaged CODE TEXT EDIT: rms_norm.json, read from EDIT's output.
damaged() {
  cp "$golden/predicted/rms_norm.json" "$scratch/whole"
  "${@:3}" "$scratch/whole" >"$golden/predicted/rms_norm.json"
  expect "$1" "$2" "$assay" golden check --folder "$golden"
  cp "$scratch/whole" "$golden/predicted/rms_norm.json"
}
damaged 2 "rms_norm.json: is truncated or damaged at byte" head -c 200
damaged 2 "has version 2" sed 's/"assay_golden":1/"assay_golden":2/'
damaged 2 "its head counts 1 cases" sed 's/"count":[0-9]*/"count":1/'
damaged 2 "holds 1e+106 where an integer" sed 's/"elements":[0-9]*/"elements":1e106/'

sed -i 's/^43e80001,7fffffff,7f$/43e80001,7fffffff,7e/' "$golden/casts/cuda.e4m3fn_nosat.csv"
expect 1 "has '43e80001,7fffffff,7e', the reference gives '43e80001,7fffffff,7f'" "$assay" golden check --folder "$golden"
rm "$golden/casts/cuda.e4m3fn_nosat.csv"
expect 1 "cuda.e4m3fn_nosat.csv: cannot be read" "$assay" golden check --folder "$golden"

# A changed contract: predicted files disagree, and observed bits fall out of their sets.
sed -i '/^vllm.group_fp8,/s/absmax max(1e-10)/absmax max(10)/' "$few/reference/contracts/quant.csv"
expect 1 "the reference now accepts other codes" "$assay" golden check --folder "$golden"
expect 1 "quant_group.register: q: the digest does not fit" "$assay" golden check --folder "$golden"
echo passed
