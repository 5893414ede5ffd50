#!/usr/bin/env bash
# assay signoff: a killed sign-off continues where it stopped, a finished one is not written again, a wrong kernel, a missing op, an unlisted deviation and a stale row of
# the ledger fail, and --verify names every file that was altered, removed or added.
. "$(dirname "$0")/lib.sh"
chip=$scratch/chip
mkdir "$chip"
sources=$root/kernels/example_plugin/my_rms_norm.c
sed 's/double sum = 0;/float sum = 0;/; s/sum += (double)(v \* v);/sum += v * v;/' "$sources" >"$scratch/wrong.c"
cmp -s "$sources" "$scratch/wrong.c" && fail "the edit of the example changes nothing"
for name in right wrong; do
  [ $name = right ] && from=$sources || from=$scratch/wrong.c
  cc -std=c99 -O2 -ffp-contract=off -fPIC -shared -I"$root/kernels/abi" "$from" -lm -o "$chip/lib$name.so" || fail "the example is not compiled"
done

# One op, so that a sign-off takes seconds.
export ASSAY_DATA=$scratch/data
data_copy "$ASSAY_DATA"
only_ops "$ASSAY_DATA" rms_norm
mkdir "$ASSAY_DATA/golden"
cp -r "$root/golden/predicted" "$root/golden/power" "$ASSAY_DATA/golden/"
printf 'need,op,format,why\na norm,rms_norm,bf16,the only op of this chip\n' >"$scratch/scope.csv"
sign() { "$assay" signoff --backend "$chip/lib$1.so" --tier quick --scope "${scope:-$scratch/scope.csv}" --by 'Ada L.' "${@:2}" 2>&1; }

# A machine that is lent for a moment: the first call makes one step, and a killed one loses only the step that it was at.
sign right --output "$scratch/a" --minutes 0.0001 >"$scratch/said"
[ $? -eq 3 ] || fail "a sign-off with steps left is not exit code 3"$'\n'"$(cat "$scratch/said")"
grep -q '^INCOMPLETE: 1 of 3 steps' "$scratch/said" || fail "no INCOMPLETE"$'\n'"$(cat "$scratch/said")"
grep -q '^open  Every step ran to its end: 1 of 3; not run yet: reference, golden' "$scratch/said" || fail "steps to come are not open"$'\n'"$(cat "$scratch/said")"
grep -q '^FAIL' "$scratch/said" && fail "what has not run fails"$'\n'"$(cat "$scratch/said")"
unfinished="unaltered so far, INCOMPLETE: 1 of 3 steps; the same command continues"
expect 3 "$unfinished" "$assay" signoff --verify "$scratch/a"
cp -r "$scratch/a" "$scratch/b" && echo >>"$scratch/b/rms_norm.quick.json"
expect 1 "rms_norm.quick.json: was altered" "$assay" signoff --verify "$scratch/b"
rm -r "$scratch/b"
first=$(stat -c %Y.%s "$scratch/a/rms_norm.quick.json")
sleep 1
"$assay" signoff --backend "$chip/libright.so" --tier quick --scope "$scratch/scope.csv" --by 'Ada L.' --output "$scratch/a" >"$scratch/killed" 2>&1 &
for _ in {1..100}; do [ -s "$scratch/killed" ] && break; sleep 0.05; done
kill -KILL $!
wait $! 2>/dev/null
grep -q 'PASS' "$scratch/killed" && fail "the sign-off was not killed in time"
expect 3 "$unfinished" "$assay" signoff --verify "$scratch/a"
cp -r "$scratch/a" "$scratch/b" && echo >>"$scratch/b/rms_norm.quick.json"
expect 1 "rms_norm.quick.json: is not what step 'rms_norm quick' wrote" "$assay" signoff --verify "$scratch/b"
rm -r "$scratch/b"
expect 0 "PASS for a partial scope: 1 of 1 ops, 1 of " sign right --output "$scratch/a"
[ "$(stat -c %Y.%s "$scratch/a/rms_norm.quick.json")" = "$first" ] || fail "a step that had ended ran again"
grep -qi 'all 1 ops' "$scratch/a/signoff.html" && fail "a partial offer reads all"
for text in 'Ada L.' 'rms_norm' 'partial scope' 'quick tier only'; do grep -qF "$text" "$scratch/a/signoff.html" || fail "the page lacks '$text'"; done
find "$scratch/a" -name '*.part' | grep -q . && fail "a half-written file is left"
expect 0 "UNALTERED: PASS for a partial scope" "$assay" signoff --verify "$scratch/a"
# A finished one is shown and not written, unless another signs or a file was altered.
signed=$(cd "$scratch/a" && sha256sum signoff.json signoff.html digests.csv)
expect 0 "nothing was run or written; its manifest has the digest xxh3:" sign right --output "$scratch/a"
expect 0 "PASS for a partial scope" sign right --output "$scratch/a"
[ "$(cd "$scratch/a" && sha256sum signoff.json signoff.html digests.csv)" = "$signed" ] || fail "a finished sign-off was written again"
cp -r "$scratch/a" "$scratch/b" && echo >>"$scratch/b/signoff.html"
expect 0 "wrote $scratch/b/signoff.html" sign right --output "$scratch/b"
expect 0 "wrote $scratch/b/signoff.html" "$assay" signoff --backend "$chip/libright.so" --tier quick --scope "$scratch/scope.csv" --by Grace --output "$scratch/b"
rm -r "$scratch/b"
expect 2 "use another folder for --output" sign wrong --output "$scratch/a"
mkdir "$scratch/other" && touch "$scratch/other/file"
expect 2 "expected a new folder" sign right --output "$scratch/other"

# altered FILE EDIT TEXT: verify names the file, and does not when it is restored.
altered() {
  cp -r "$scratch/a" "$scratch/b"
  (cd "$scratch/b" && eval "$2")
  expect 1 "$1: $3" "$assay" signoff --verify "$scratch/b"
  rm -r "$scratch/b"
}
altered rms_norm.quick.json "sed -i '0,/\"pass\"/s//\"fail\"/' rms_norm.quick.json" "was altered"
altered rms_norm.quick.json "sed -i '0,/\"pass\"/s//\"fail\"/' rms_norm.quick.json" "cannot be read: "
altered rms_norm.quick.json "sed -i '0,/\"outcome\":\"pass\"/s//\"outcome\":\"fail\"/' rms_norm.quick.json" "has other counts than the manifest says"
altered signoff.html "sed -i 's/partial scope/full scope/' signoff.html" "was altered"
altered signoff.html "sed -i 's/partial scope/full scope/' signoff.html" "was not made from this manifest"
altered signoff.json "sed -i '0,/partial scope: 1/s//full scope: 1/' signoff.json" "says 'PASS for a full scope"
altered signoff.json "python3 -c 'import json; m = json.load(open(\"signoff.json\")); m[\"steps\"].pop(); json.dump(m, open(\"signoff.json\", \"w\"))'" "step 'golden' is missing"
altered steps/golden.txt "rm steps/golden.txt" "is missing"
altered golden/observed/cpu/rms_norm.json "echo >>golden/observed/cpu/rms_norm.json" "was altered"
altered more.txt "touch more.txt" "was added"
altered digests.csv "rm digests.csv" "is missing"
altered signoff.json "python3 -c 'import json; m = json.load(open(\"signoff.json\")); del m[\"verdict\"]; json.dump(m, open(\"signoff.json\", \"w\"))'" "was altered"
altered inputs.csv "sed -i '\$d' inputs.csv" "is not the list that the manifest names"
cp "$chip/libright.so" "$scratch/kept"
echo >>"$chip/libright.so"
expect 1 "is another library than the one that was signed off" "$assay" signoff --verify "$scratch/a"
cp "$scratch/kept" "$chip/libright.so"
echo >>"$ASSAY_DATA/suites/rms_norm/cases/quick.csv"
expect 1 "is another data than the one that was signed off" "$assay" signoff --verify "$scratch/a"
sed -i '$d' "$ASSAY_DATA/suites/rms_norm/cases/quick.csv"
expect 0 "UNALTERED" "$assay" signoff --verify "$scratch/a"

# A wrong kernel fails; with its deviation listed it passes and says so; a row that covers nothing fails.
expect 1 "FAIL for a partial scope" sign wrong --output "$scratch/w"
grep -q 'What is not as expected' "$scratch/w/signoff.html" || fail "the page shows no failure"
python3 - "$scratch/w/rms_norm.quick.json" "$scratch/known.csv" <<'END'
import json, sys
failed = [v["case"] for v in json.load(open(sys.argv[1]))["verdicts"] if v["outcome"] == "fail"]
assert failed
open(sys.argv[2], "w").write("case,kernel,outcome,reason,issue,since,owner\n" + "".join(f"{case},my_rms_norm,fail,sums in one chain,https://example.com/issues/12,2026-11-26,grace\n" for case in failed))
END
expect 0 "deviation" sign wrong --output "$scratch/d" --ledger "$scratch/known.csv"
for text in grace 'sums in one chain' 'issues/12'; do grep -qF "$text" "$scratch/d/signoff.html" || fail "the page lacks '$text'"; done
(head -n 1 "$scratch/known.csv" && sed 1,2d "$scratch/known.csv") >"$scratch/less.csv"
expect 1 "1 neither" sign wrong --output "$scratch/u" --ledger "$scratch/less.csv"
echo 'rms_norm/none,my_rms_norm,fail,x,https://example.com/issues/13,2026-11-26,grace' >>"$scratch/known.csv"
expect 1 "covers no verdict" sign wrong --output "$scratch/i" --ledger "$scratch/known.csv"

# The default scope asks for more than a norm; so does one in another format.
sed 's/,bf16,/,e4m3fn,/' "$scratch/scope.csv" >"$scratch/fp8.csv"
scope=$scratch/fp8.csv expect 1 "FAIL  Minimum scope: a norm (rms_norm in e4m3fn): not offered" sign right --output "$scratch/s"
expect 1 "FAIL  Minimum scope: conversions (cast): not offered" "$assay" signoff --backend "$chip/libright.so" --tier quick --output "$scratch/default"
echo need,op,format,why >"$scratch/none.csv"
scope=$scratch/none.csv expect 2 "needs a minimum scope" sign right --output "$scratch/e"
expect 2 "needs --output DIR, or --verify DIR" "$assay" signoff --backend cpu
expect 2 "does not use --by" "$assay" signoff --verify "$scratch/a" --by x

# The page prints, and a page of many sheets is noticed.
command -v chromium >/dev/null || skip "chromium is missing; ci/setup tests installs it"
sheets() {
  HOME=$scratch timeout 120 chromium --headless --no-sandbox --disable-gpu --user-data-dir="$scratch/profile" --print-to-pdf="$scratch/page.pdf" "file://$1" >/dev/null 2>&1
  grep -acE '/Type */Page([^s]|$)' "$scratch/page.pdf"
}
[ "$(sheets "$scratch/d/signoff.html")" -le 2 ] || fail "the page of one op prints to $(sheets "$scratch/d/signoff.html") sheets"
sed 's/<main[^>]*>/&<p style="height:3000px">tall<\/p>/' "$scratch/d/signoff.html" >"$scratch/tall.html"
[ "$(sheets "$scratch/tall.html")" -gt 2 ] || fail "a tall page passed for one of two sheets"
echo passed
