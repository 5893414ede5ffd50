#!/usr/bin/env bash
# Kills the program 1000 times: each output file must then be complete or absent, and leftovers must not disturb the next run or
# golden check. A writer that writes in place must be detected. A sample kills 12 times. ASSAY_KILLS_SEED sets other moments.
. "$(dirname "$0")/lib.sh"
part=1
[ -z "$sample" ] || part=80
kills() { # kills KIND COUNT COMMAND...: @ stands for the folder
  local kind=$1 count=$2
  shift 2
  mkdir -p "$scratch/$kind/whole"
  python3 "$(dirname "$0")/kills.py" "$kind" "$count" "${ASSAY_KILLS_SEED:-1}" "$scratch/$kind/killed" "$scratch/$kind/whole" -- "$@"
}

# Uses small tables, so that writing files dominates the time of a run.
data_copy "$scratch/data"
few_cases "$scratch/data" layer_norm
export ASSAY_DATA=$scratch/data
few=(--suite layer_norm/quick --warp 32)
kills reports $((520 / part)) "$assay" run "${few[@]}" --report csv:@/v.csv --report json:@/v.json --report junit:@/v.xml --report html:@/v.html || fail reports
kills record $((300 / part)) "$assay" run "${few[@]}" --record @ || fail record
expect 0 "ALL AS EXPECTED" "$assay" judge "$scratch/record/killed"
kills golden $((160 / part)) "$assay" golden write --folder @ || fail golden
kills observed $(((20 + part - 1) / part)) "$assay" golden write --observed cpu --folder @ || fail observed

# Temporary files of a killed writer beside golden files are not read as golden files.
golden=$scratch/observed/killed
cp -r "$scratch/golden/killed/." "$golden/"
arch=$(ls "$golden/observed")
for file in predicted/layer_norm.json observed/$arch/layer_norm.json; do head -c 500 "$golden/$file" >"$golden/$file.a1B2c3"; done
expect 0 "golden files agree" "$assay" golden check --folder "$golden"
mv "$golden/observed/$arch/layer_norm.json.a1B2c3" "$golden/observed/$arch/layer_norm.json"
expect 2 "is truncated or damaged" "$assay" golden check --folder "$golden"

cat >"$scratch/slowly.py" <<END
import sys, time
with open(sys.argv[1] + "/v.csv", "w", buffering=1) as file:
    for i in range(200):
        file.write(f"row,{i}\\n")
        time.sleep(0.001)
END
expect 1 "HALF A FILE: v.csv" kills in_place 10 python3 "$scratch/slowly.py" @
echo passed
