#!/usr/bin/env bash
# assay golden diff: equal recordings have no differences, one changed bit is named, and for chips with different models the report
# shows an input on which they differ. Also tests that probe's reports agree with its console output.
. "$(dirname "$0")/lib.sh"
export ASSAY_DATA=$scratch/data
data_copy "$ASSAY_DATA"
few_cases "$ASSAY_DATA" rms_norm quant_group
for name in a b; do "$assay" golden write --observed cpu --folder "$scratch/$name" >/dev/null || fail "golden write --observed cpu fails"; done
a=$scratch/a/observed/cpu b=$scratch/b/observed/cpu
expect 0 "SAME BITS: " "$assay" golden diff "$a" "$b"
python3 - "$b/rms_norm.json" <<'END'
import re, sys
text = open(sys.argv[1]).read()
open(sys.argv[1], "w").write(re.sub(r'("cases":.*?)"[0-9a-f]{16}"', r'\1"0123456789abcdef"', text, count=1, flags=re.S))
END
expect 1 "NOT THE SAME: " "$assay" golden diff "$a" "$b" --report json:"$scratch/diff.json" --report html:"$scratch/diff.html"
expect 1 "differs: rms_norm/" "$assay" golden diff "$a" "$b"
python3 - "$scratch/diff.json" <<'END' || fail "the JSON report does not name the changed call"
import json, sys
(pair,) = json.load(open(sys.argv[1]))["recordings"]
assert pair["differ"] == 1 and len(pair["differences"]) == 1 and pair["differences"][0]["case"].startswith("rms_norm/"), pair
END
grep -q '1 of [0-9]* recorded calls differ' "$scratch/diff.html" || fail "the HTML report does not count the changed call"
rm "$b/quant_group.json"
expect 1 "only in $a" "$assay" golden diff "$a" "$b"
unset ASSAY_DATA

expect 0 "SAME BITS: 5" "$assay" golden diff sm_90x2 sm_90x2
# A contract can have variants with different names. Equal bits count as the same, even if they carry another variant's name; other bits do not.
mkdir "$scratch/first" "$scratch/second"
cp "$root/golden/observed/sm_90/gemm_block_scaled.json" "$scratch/first"
sed 's/"d, as many blocks of scales"/"d, one block of scales"/' "$scratch/first/gemm_block_scaled.json" >"$scratch/second/gemm_block_scaled.json"
cmp -s "$scratch/first/gemm_block_scaled.json" "$scratch/second/gemm_block_scaled.json" && fail "the edit did not change a recording, because golden/observed/sm_90 has no output 'd, as many blocks of scales'"
expect 0 "SAME BITS: " "$assay" golden diff "$scratch/first" "$scratch/second"
python3 - "$scratch/first/gemm_block_scaled.json" "$scratch/second/gemm_block_scaled.json" <<'END'
import json, sys
first, second = (json.load(open(file)) for file in sys.argv[1:])
position = first["outputs"].index(["d, as many blocks of scales", "bf16"])
record = next(r for case in second["cases"].values() for r in case.values() if r[0] == position)
record[1] = "0123456789abcdef"
json.dump(second, open(sys.argv[2], "w"))
END
expect 1 "d, as many blocks of scales has other bits than d, one block of scales" "$assay" golden diff "$scratch/first" "$scratch/second"
# Hopper's tensor cores keep fewer bits than Ada's, so their models differ. A chip compared with itself has no differences.
"$assay" golden diff sm_89 gfx942 sm_90 --report html:"$scratch/chips.html" --report json:"$scratch/chips.json" >"$scratch/chips.txt" || fail "golden diff of three chips fails"$'\n'"$(cat "$scratch/chips.txt")"
grep -q 'the smallest input found' "$scratch/chips.html" || fail "the HTML report shows no input on which the models of the chips differ"
python3 - "$scratch/chips.json" <<'END' || fail "the JSON report does not compare the models of the instructions"
import json, sys
models = json.load(open(sys.argv[1]))["models"]
apart = [m for m in models if len(m["classes"]) > 1]
assert apart and all(len(m["apart"]) >= 1 for m in apart)
assert any("sm_90.wgmma.e4m3.f32" in c["instructions"] and "sm_89.mma.e4m3.f32" not in c["instructions"] for m in apart for c in m["classes"])
same = json.load(open(sys.argv[1]))
END
"$assay" golden diff sm_90 sm_90 --report json:"$scratch/same.json" >"$scratch/same.txt"
# Formats that only some of the chips have are listed. A chip compared with itself lists none.
grep -qE '^only gfx942: .*e4m3fnuz \([0-9]+ instructions\)' "$scratch/chips.txt" || fail "the output does not say that only gfx942 has e4m3fnuz; lines with 'only':"$'\n'"$(grep '^only' "$scratch/chips.txt")"
grep -q '^only sm_89 and sm_90: e4m3fn (' "$scratch/chips.txt" || fail "the output does not say that only sm_89 and sm_90 have e4m3fn; lines with 'only':"$'\n'"$(grep '^only' "$scratch/chips.txt")"
grep -q 'Inputs of only gfx942: ' "$scratch/chips.html" || fail "the HTML report does not list the input formats of only gfx942"
grep '^only' "$scratch/same.txt" && fail "sm_90 compared with itself lists formats that only one chip has"
expect 2 "did you mean" "$assay" golden diff sm_90 sm_9
expect 2 "takes two or more" "$assay" golden diff sm_90
expect 2 "expected json:FILE or html:FILE" "$assay" golden diff sm_90 sm_90 --report csv:x

# Reports of probe on a correct and on a wrong instruction.
expect 0 "the model explains all" "$assay" probe --backend cpu --unit sm_90.mma.f16.f32 --elements 256 --report json:"$scratch/right.json" --report html:"$scratch/right.html"
expect 1 "DIFFERS" "$assay" probe --backend faulty --kernel mma_fraction_less --elements 256 --report json:"$scratch/wrong.json" --report html:"$scratch/wrong.html"
expect 0 "conversions probed" "$assay" probe --backend cpu --part conversions --report json:"$scratch/casts.json"
python3 - "$scratch" <<'END' || fail "a JSON report of probe is wrong"
import json, sys
read = lambda name: json.load(open(f"{sys.argv[1]}/{name}.json"))
right, wrong, casts = read("right"), read("wrong"), read("casts")
(one,) = right["instructions"]
assert one["known"] and one["called"]["equal"] and one["nearest"]["row"] == "sm_90.mma.f16.f32" and one["cells"]["order"] == "take(16)", one
assert all(not (i["known"] and i["called"]["equal"]) for i in wrong["instructions"]) and wrong["instructions"], wrong
assert not casts["instructions"] and len(casts["conversions"]) > 10 and all(c["as_called"] and c["called"] in c["obeys"] for c in casts["conversions"])
END
grep -q 'a model was found for 1 of 1 instructions; 1 of them behave as the library states' "$scratch/right.html" || fail "the HTML report does not say that a model explains the correct instruction"
grep -q 'DIFFERS in sum' "$scratch/wrong.html" || fail "the HTML report of the faulty instruction does not contain 'DIFFERS in sum'"
expect 2 "expected json:FILE or html:FILE" "$assay" probe --backend cpu --report csv:x
echo passed
