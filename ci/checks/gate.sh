#!/usr/bin/env bash
# assay gate: equal bits pass; a change within the accepted intervals passes and is reported; a violation and a missing kernel
# fail.
. "$(dirname "$0")/lib.sh"
r=$scratch
some='*/bf16.m4.*'
norm=(--suite rms_norm/quick --warp 32 --case "$some")
"$assay" run --backend cpu "${norm[@]}" --record "$r/before" >/dev/null || fail "the baseline does not pass"
"$assay" run --backend cpu "${norm[@]}" --record "$r/now" >/dev/null || fail "the second run does not pass"
expect 0 "GATE OPEN: " "$assay" gate --baseline "$r/before" "$r/now"
expect 0 ", 0 changed within the budget, 0 not in the baseline, 0 violation, 0 gone" "$assay" gate --baseline "$r/before" "$r/now"

# Flips one bit of the baseline: today's outputs are correct but differ from it.
one=$(cd "$r/before" && find rms_norm -name '*.safetensors' | sort | head -1)
cp -r "$r/before" "$r/turned"
python3 - "$r/turned/$one" <<'PYTHON'
import json, struct, sys
data = bytearray(open(sys.argv[1], "rb").read())
length = struct.unpack_from("<Q", data)[0]
header = json.loads(data[8:8 + length])
begin, end = header["y"]["data_offsets"]
data[8 + length + begin] ^= 1
open(sys.argv[1], "wb").write(data)
PYTHON
expect 0 "1 changed within the budget" "$assay" gate --baseline "$r/turned" "$r/now"
expect 0 "elements changed, by at most 1 ulp; first [0, 0], " "$assay" gate --baseline "$r/turned" "$r/now"
expect 1 "GATE CLOSED: " "$assay" gate --same-bits --baseline "$r/turned" "$r/now"
"$assay" gate --baseline "$r/turned" "$r/now" --report json:"$r/gate.json" >/dev/null
grep -q "since the baseline: y \[" "$r/gate.json" || fail "no report says what changed"

# Flips the same bit of today's outputs: they are wrong.
cp -r "$r/now" "$r/wrong"
cp "$r/turned/$one" "$r/wrong/$one"
"$assay" judge "$r/wrong" >/dev/null && fail "one wrong bit passes"
expect 1 "1 violation" "$assay" gate --baseline "$r/before" "$r/wrong"

# A case that no longer runs, a case that the baseline lacks, other inputs, and an invalid baseline.
"$assay" run --backend cpu --suite rms_norm/quick --warp 64 --case "$some" --record "$r/wide" >/dev/null
expect 1 "gone since the baseline" "$assay" gate --baseline "$r/before" "$r/wide"
expect 1 "not in the baseline" "$assay" gate --baseline "$r/before" "$r/wide"
expect 0 "GATE OPEN: " "$assay" gate --baseline "$r/before" "$r/wide" "$r/now"
rm "$r/wrong/index.json"
expect 2 "its run did not finish" "$assay" gate --baseline "$r/wrong" "$r/now"
