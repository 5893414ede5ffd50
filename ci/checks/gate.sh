#!/usr/bin/env bash
# assay gate: new failures and missing calls close the gate. Known and fixed failures, changes within the accepted intervals and equal bits
# do not, except with --strict or --same-bits. Every report shows the states. Also tests assay known, flaky kernels, and shards.
. "$(dirname "$0")/lib.sh"
r=$scratch
# A run takes a second, so several texts are searched in one output: `also TEXT...` searches the output of the last expect_all.
expect_all() {
  local code=$1
  shift
  last=$("$@" 2>&1)
  local got=$?
  [ $got -eq "$code" ] || fail "expected exit code $code, got $got: $*"$'\n'"$last"
}
also() {
  local text
  for text in "$@"; do grep -qF -- "$text" <<<"$last" || fail "expected '$text' in"$'\n'"$last"; done
}
some='*/bf16.m4.*'
norm=(--suite rms_norm/quick --warp 32 --case "$some")
"$assay" run --backend cpu "${norm[@]}" --record "$r/before" >/dev/null || fail "the run that is the baseline does not pass"
"$assay" run --backend cpu "${norm[@]}" --record "$r/now" >/dev/null || fail "the run that is compared with the baseline does not pass"
expect 0 "GATE OPEN: 0 new, 0 gone, 0 known, 0 fixed, 0 changed within the budget, " "$assay" gate --baseline "$r/before" "$r/now"

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
expect 1 "GATE CLOSED: " "$assay" gate --same-bits --baseline "$r/turned" "$r/now"
expect_all 0 "$assay" gate --baseline "$r/turned" "$r/now" --report json:"$r/gate.json"
also "1 changed within the budget" "elements changed, by at most 1 ulp; first [0, 0], "
grep -q "since the baseline: y \[" "$r/gate.json" || fail "gate.json does not name the changed element"

# Flips the same bit of today's outputs: they are wrong.
cp -r "$r/now" "$r/wrong"
cp "$r/turned/$one" "$r/wrong/$one"
"$assay" judge "$r/wrong" >/dev/null && fail "judge passes outputs with one wrong bit"
expect_all 1 "$assay" gate --baseline "$r/before" "$r/wrong"
also "1 new, 0 gone, " "gate      new: pass in the baseline"
# A failure that passed in the baseline, with the same bits: its contract or its case must have changed.
expect 1 "new: pass in the baseline, with the same bits; so its contract or its case has changed" "$assay" gate --baseline "$r/wrong" "$r/wrong"

# Cases that --case leaves out are counted as not selected.
expect 0 "cases are not selected" "$assay" gate --baseline "$r/before" "$r/now" --case '*/bf16.m4.n1024.eps*'
# A suite that names its tier and another tier contradict each other.
expect 2 "--suite rms_norm/quick already names a tier, so --tier full has no effect; try --suite rms_norm --tier full" "$assay" run --suite rms_norm/quick --tier full
expect 2 "try --tier full alone" "$assay" run --suite quick --tier full

# A case that no longer runs, a case that the baseline lacks, other inputs, and an invalid baseline.
"$assay" run --backend cpu --suite rms_norm/quick --warp 64 --case "$some" --record "$r/wide" >/dev/null
expect_all 1 "$assay" gate --baseline "$r/before" "$r/wide"
also "GATE CLOSED: 0 new, " "pass in the baseline; no recording has it now" "not in the baseline"
expect 0 "GATE OPEN: " "$assay" gate --baseline "$r/before" "$r/wide" "$r/now"
rm "$r/wrong/index.json"
expect 2 "its run did not finish" "$assay" gate --baseline "$r/wrong" "$r/now"

# A change that breaks some cases of a plug-in: their failures are new. With the known-failures list or a renewed baseline they are known.
# Without the change they are fixed.
plugin() { cc -std=c99 -O2 -ffp-contract=off -fPIC -shared -I"$root/kernels/abi" "$1" -lm -o "$2" || fail "cc cannot compile $1"; }
mine=$root/kernels/example_plugin/my_rms_norm.c
sed 's/double sum = 0;/float sum = 0;/; s/sum += (double)(v \* v);/sum += v * v;/' "$mine" >"$r/chain.c"
cmp -s "$mine" "$r/chain.c" && fail "the edit did not change the kernel"
plugin "$mine" "$r/libmine.so"
plugin "$r/chain.c" "$r/libchain.so"
few=(--suite rms_norm/quick --warp 32 --case '*/bf16.m3.*' --case '*/bf16.m16.n512.*')
record() { "$assay" run --backend "$1" "${few[@]}" --record "$2" "${@:3}" >/dev/null; }
record "$r/libmine.so" "$r/good" || fail "the example plug-in does not pass"
record "$r/libchain.so" "$r/bad" --report json:"$r/bad.json" && fail "the changed plug-in, which adds in one chain, passes"
gate() { "$assay" gate --baseline "$r/$1" "$r/$2" "${@:3}"; }
count() { grep -oE "[0-9]+ $1(,|$)" <<<"$line" | grep -oE '^[0-9]+'; }
line=$(gate good bad | tail -n 1)
new=$(count new)
[[ $line == "GATE CLOSED: "* && $new -gt 0 && $(count 'same bits') -gt 0 ]] || fail "expected GATE CLOSED with new failures and same bits, got: $line"
expect_all 0 gate bad bad --strict
also "GATE OPEN: 0 new, 0 gone, $new known, 0 fixed, " "fail in the baseline too"
export GITHUB_STEP_SUMMARY=$r/summary.md GITHUB_WORKSPACE=$r
expect_all 0 gate bad good --report console --report github
also "GATE OPEN: 0 new, 0 gone, 0 known, $new fixed, " "fixed:" "::notice title=Assay"
expect 1 "GATE CLOSED: 0 new, 0 gone, 0 known, $new fixed, " gate bad good --strict

known=("$assay" known write --from "$r/bad.json" --issue https://example.com/12 --owner ada)
expect 0 ", 0 rows kept" "${known[@]}" --output "$r/known.csv"
[[ $("${known[@]}" 2>&1 >/dev/null) == "assay: $new failure"* ]] || fail "assay known does not print the number of failures"
[ "$(wc -l <"$r/known.csv")" -eq $((new + 1)) ] || fail "known.csv does not have one row for each failure: $(cat "$r/known.csv")"
expect 0 "ALL AS EXPECTED" "$assay" run --backend "$r/libchain.so" "${few[@]}" --known-failures "$r/known.csv"
expect 0 "0 new, 0 gone, $new known, 0 fixed, " gate good bad --known-failures "$r/known.csv"
expect_all 0 gate good good --ledger "$r/known.csv"
also "$new fixed, " "the known-failures list expects fail: remove its row"
expect 1 "GATE CLOSED: " gate good good --ledger "$r/known.csv" --strict
sed 's/,fail,/,broken,/' "$r/known.csv" >"$r/other.csv"
expect 1 "new: the known-failures list expects broken" gate good bad --ledger "$r/other.csv"
# A known-failures row that matches no case of its op is named, and fails a strict run. A row whose case exists, but did not run, fails nothing.
{ head -n 2 "$r/known.csv"; echo 'rms_norm/typo*,*,fail,x,https://example.com/14,2026-11-01,bob'; } >"$r/stale.csv"
stale="known-failures list: $r/stale.csv:3 matches no case of its op"
chain=("$assay" run --backend "$r/libchain.so" --suite rms_norm/quick --case "$(sed -n '2s/,.*//p' "$r/known.csv")" --known-failures)
expect_all 0 "${chain[@]}" "$r/stale.csv"
also "$stale" "ALL AS EXPECTED: 1 fail; 1 of them is on the known-failures list"
expect_all 1 "${chain[@]}" "$r/stale.csv" --strict
also "$stale" "NOT AS EXPECTED: 1 fail; 1 of them is on the known-failures list; 1 row of the known-failures list matches no case"
sed '3s/typo/vllm.rms_norm@v0.19.1/' "$r/stale.csv" >"$r/elsewhere.csv"
expect_all 0 "${chain[@]}" "$r/elsewhere.csv" --strict
also "known-failures list: $r/elsewhere.csv:3 matches no case of this run"
expect_all 0 gate bad bad --known-failures "$r/stale.csv"
also "$stale" "GATE OPEN"
expect_all 1 gate bad bad --known-failures "$r/stale.csv" --strict
also "GATE CLOSED: " "; 1 row of the known-failures list matches no case"
expect 0 "GATE OPEN" gate bad bad --known-failures "$r/known.csv" --strict
# Renewing the list from a run without the failures removes their rows; the row of another run stays.
"$assay" run --backend "$r/libmine.so" "${few[@]}" --report json:"$r/good.json" >/dev/null
echo 'gemm*,other,fail,else,https://example.com/13,2026-11-01,bob' >>"$r/known.csv"
expect 0 "0 failures listed, 1 row kept" "$assay" known write --from "$r/good.json" --issue x --keep "$r/known.csv" --output "$r/renewed.csv"
[ "$(tail -n +2 "$r/renewed.csv")" = 'gemm*,other,fail,else,https://example.com/13,2026-11-01,bob' ] || fail "renewed.csv, the list written with --keep: expected only the row of another run, got: $(cat "$r/renewed.csv")"
expect 2 "--issue is required" "$assay" known write --from "$r/bad.json"
expect 2 "expected a report of --report json:FILE" "$assay" known write --from "$r/known.csv" --issue x
expect 2 "since: 'soon': expected a date" "${known[@]}" --since soon
sed 's/^{"version":1,/{"version":7,/' "$r/bad.json" >"$r/seven.json"
expect 2 "version: expected 1, got 7" "$assay" known write --from "$r/seven.json" --issue x

# Every report of the gate shows the states; reports of a run have none.
all=(--report csv:"$r/g.csv" --report json:"$r/g.json" --report junit:"$r/g.xml" --report html:"$r/g.html" --report md:"$r/g.md" --report sarif:"$r/g.sarif" --report github)
rm "$r/summary.md"
expect 1 "::error title=Assay" gate good bad "${all[@]}"
[ "$(cat "$r/summary.md")" = "$(cat "$r/g.md")" ] || fail "the step summary differs from the Markdown report"
expect 1 "" gate good bad --report github
[ "$(wc -c <"$r/summary.md")" -gt "$(wc -c <"$r/g.md")" ] || fail "a second run overwrites the step summary of the first"
GITHUB_STEP_SUMMARY='' expect 1 "GITHUB_STEP_SUMMARY is not set, so only annotations were written" gate good bad --report github
GITHUB_STEP_SUMMARY=$r expect 1 "cannot append to GITHUB_STEP_SUMMARY" gate good bad --report github
python3 -B - "$r" "$new" <<'PYTHON' || fail "a report lacks the states of the gate"
import collections, csv, json, sys, xml.etree.ElementTree as tree
folder, new = sys.argv[1], int(sys.argv[2])
report = json.load(open(folder + "/g.json"))
counts = collections.Counter(v["gate"]["state"] for v in report["verdicts"] if v["gate"])
assert report["gate"]["counts"]["new"] == counts["new"] == new, counts
rows = {(row["case"], row["kernel"]): row["gate"] for row in csv.DictReader(open(folder + "/g.csv"))}
assert collections.Counter(state for state in rows.values() if state) == counts, rows
xml = tree.parse(folder + "/g.xml").getroot()
states = collections.Counter(p.get("value") for p in xml.iter("property") if p.get("name") == "gate")
assert states == counts and int(xml.get("failures")) == new, states
for name, words in (("g.html", f"<td>new</td><td>{new}</td><td>fails</td>"), ("g.md", f"| new | {new} | fails |")):
    assert words in open(f"{folder}/{name}").read(), name
results = json.load(open(folder + "/g.sarif"))["runs"][0]["results"]
assert [r["baselineState"] for r in results] == ["new"] * new, results
plain = json.load(open(folder + "/bad.json"))
assert plain["gate"] is None and all(v["gate"] is None for v in plain["verdicts"])
PYTHON

# A flaky kernel, whose outputs differ from call to call: --rerun-failed finds it. It counts as a failure unless the known-failures list names it.
sed 's/  return ASSAY_OK;/  static int calls; if (m > 0 \&\& n > 0 \&\& calls++ % 3 != 1) *(uint16_t*)y->data ^= 1;\n  return ASSAY_OK;/' "$mine" >"$r/moody.c"
plugin "$r/moody.c" "$r/libmoody.so"
one=(--backend "$r/libmoody.so" --suite rms_norm/quick --warp 32 --case '*/bf16.m16.n512.*/normal.*')
expect 1 "FAIL  rms_norm/" "$assay" run "${one[@]}"
expect_all 1 "$assay" run "${one[@]}" --rerun-failed 3 --record "$r/moody" --report console --report json:"$r/moody.json"
also "FLAKY  rms_norm/" "3 of 4 calls with the same inputs failed, 1 passed"
expect 1 "FLAKY  rms_norm/" "$assay" run "${one[@]}" --repeat 4
expect 1 "1 new, 0 gone, 0 known" "$assay" gate --baseline "$r/good" "$r/moody" --case '*/bf16.m16.n512.*/normal.*'
expect 1 " flaky" "$assay" judge "$r/moody"
"$assay" known write --from "$r/moody.json" --issue x --owner ada --reason race >"$r/moody.csv" 2>/dev/null
grep -q ',flaky,race,x,' "$r/moody.csv" || fail "moody.csv has no row for the flaky kernel: $(cat "$r/moody.csv")"
expect 0 "ALL AS EXPECTED" "$assay" run "${one[@]}" --ledger "$r/moody.csv"
expect 0 "ALL AS EXPECTED" "$assay" run "${one[@]}" --ledger "$r/moody.csv" --rerun-failed 3
expect 1 "FAIL  rms_norm/" "$assay" run --backend "$r/libchain.so" "${few[@]}" --case '*/bf16.m3.*' --rerun-failed 2

# A run with --shard names the files that it wrote.
expect 0 "wrote $r/s.1of2.xml" "$assay" run --backend "$r/libmine.so" "${few[@]}" --shard 1/2 --report junit:"$r/s.xml"
[ -s "$r/s.1of2.xml" ] && [ ! -e "$r/s.xml" ] || fail "the share did not write s.1of2.xml, the file that it named"
echo passed
