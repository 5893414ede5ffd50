#!/usr/bin/env bash
# Golden files: predictions and records of power are made again from the tables alone, with no kernel in reach, and are the same bytes;
# damaged ones are refused by name; a changed reference is noticed, and a run then reckons power itself.
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
  cmp "$root/golden/power/$name" "$scratch/made/power/$name" || fail "golden/power/$name is not what the data show; assay golden write makes it again"
done
made_of() { grep '"made_of"' "$1/power/index.json"; }
[ "$(made_of "$root/golden")" = "$(made_of "$scratch/made")" ] ||
  fail "golden/power is not of the sources and tables of this tree; assay golden write makes it again"

# Those sources are told by their digest: an edit of what decides an answer changes it, an edit of a test does not.
mkdir -p "$scratch/tree/kernels" "$scratch/tree/ci"
cp -r "$root/reference" "$root/suites" "$root/harness" "$scratch/tree/"
cp -r "$root/kernels/abi" "$scratch/tree/kernels/"
cp -r "$root/ci/cmake" "$scratch/tree/ci/"
digest() {
  cmake -DSOURCE="$scratch/tree" -DOUTPUT="$scratch/digest.cpp" -P "$root/ci/cmake/sources_of_answers.cmake" && grep -o '"[0-9a-f]*"' "$scratch/digest.cpp" | tr -d '"'
}
before=$(digest)
grep -qF "$before" "$assay" || fail "the program holds another digest of its sources than $before"
echo >>"$scratch/tree/reference/formats/formats_test.cpp"
[ "$(digest)" = "$before" ] || fail "an edit of a test changes the digest of the sources of answers"
for file in reference/recipe/eval.cpp suites/rows/row_op.cpp harness/fill/fill.cpp harness/diagnosis/visibility.cpp kernels/abi/assay_abi.h; do
  echo >>"$scratch/tree/$file"
  after=$(digest)
  [ "$after" != "$before" ] || fail "an edit of $file does not change the digest of the sources of answers"
  before=$after
done
diff -r "$root/golden/casts" "$scratch/made/casts" || fail "the runs of a cast are not what the reference gives"
nm -C "$assay" | grep -q 'assay_kernels::' && fail "the program contains kernels"

[ -n "$sample" ] || expect 0 "golden files agree" "$assay" golden check

# The rest on tables of few cases, and golden files of them.
few=$scratch/few golden=$scratch/few/golden
data_copy "$few"
few_cases "$few" rms_norm quant_group
export ASSAY_DATA=$few
expect 0 "wrote" "$assay" golden write
expect 0 "wrote" "$assay" golden write --observed cpu
expect 0 "golden files agree" "$assay" golden check

# A run believes records of its own sources and tables, and says so.
run=("$assay" run --backend cpu --suite quick)
expect 0 "of 24 data sets: 24 recorded, 0 reckoned" "${run[@]}"
expect 0 "of 24 data sets: 0 recorded, 24 reckoned" "${run[@]}" --reckon-power
cp "$golden/power/index.json" "$scratch/index.json"
sed -i 's/"made_of": "./&x/' "$golden/power/index.json"
expect 0 "of 24 data sets: 0 recorded, 24 reckoned" "${run[@]}"
expect 1 "golden/power: is not of the sources and tables of this program" "$assay" golden check
cp "$scratch/index.json" "$golden/power/index.json"

# damaged FILE CODE TEXT EDIT: the file of golden, read from EDIT's output.
damaged() {
  cp "$golden/$1" "$scratch/whole"
  "${@:4}" "$scratch/whole" >"$golden/$1"
  expect "$2" "$3" "$assay" golden check
  cp "$scratch/whole" "$golden/$1"
}
damaged power/rms_norm.json 2 "power/rms_norm.json: is not the file that $golden/power/index.json was written with" sed 's/"faults":[0-9]*/"faults":1/'
damaged power/index.json 2 "power/index.json: is truncated or damaged" head -c 30
damaged predicted/rms_norm.json 2 "rms_norm.json: is truncated or damaged at byte" head -c 200
damaged predicted/rms_norm.json 2 "has version 2" sed 's/"assay_golden":1/"assay_golden":2/'
damaged predicted/rms_norm.json 2 "its head counts 1 cases" sed 's/"count":[0-9]*/"count":1/'
damaged predicted/rms_norm.json 2 "holds 1e+106 where an integer" sed 's/"elements":[0-9]*/"elements":1e106/'

sed -i 's/^43e80001,7fffffff,7f$/43e80001,7fffffff,7e/' "$golden/casts/cuda.e4m3fn_nosat.csv"
expect 1 "has '43e80001,7fffffff,7e', the reference gives '43e80001,7fffffff,7f'" "$assay" golden check
rm "$golden/casts/cuda.e4m3fn_nosat.csv"
expect 1 "cuda.e4m3fn_nosat.csv: cannot be read" "$assay" golden check

# A changed contract: predicted files disagree, and observed bits fall out of their sets.
sed -i '/^vllm.group_fp8,/s/absmax max(1e-10)/absmax max(10)/' "$few/reference/contracts/quant.csv"
expect 1 "the reference now accepts other codes" "$assay" golden check
expect 1 "quant_group.register: q: the digest does not fit" "$assay" golden check
echo passed
