#!/usr/bin/env bash
# assay signoff: a killed sign-off continues where it stopped, and a finished one is not written again. A wrong kernel, a missing op, an unlisted deviation and a stale
# known-failures row fail. --verify names every file that was altered, removed or added.
. "$(dirname "$0")/lib.sh"
chip=$scratch/chip
mkdir "$chip"
sources=$root/kernels/example_plugin/my_rms_norm.c
sed 's/double sum = 0;/float sum = 0;/; s/sum += (double)(v \* v);/sum += v * v;/' "$sources" >"$scratch/wrong.c"
cmp -s "$sources" "$scratch/wrong.c" && fail "the edit did not change the example"
for name in right wrong; do
  [ $name = right ] && from=$sources || from=$scratch/wrong.c
  cc -std=c99 -O2 -ffp-contract=off -fPIC -shared -I"$root/kernels/abi" "$from" -lm -o "$chip/lib$name.so" || fail "the example plug-in does not compile"
done

# Uses tables of one op, so that a sign-off takes seconds.
export ASSAY_DATA=$scratch/data
data_copy "$ASSAY_DATA"
only_ops "$ASSAY_DATA" rms_norm
mkdir "$ASSAY_DATA/golden"
cp -r "$root/golden/predicted" "$root/golden/power" "$ASSAY_DATA/golden/"
printf 'need,op,format,why\na norm,rms_norm,bf16,the only op of this chip\n' >"$scratch/scope.csv"
sign() { "$assay" signoff --backend "$chip/lib$1.so" --tier quick --scope "${scope:-$scratch/scope.csv}" --by 'Ada L.' "${@:2}" 2>&1; }

# --minutes, for machines that are available for a short time: this call runs one step. A killed call loses only its current step.
sign right --output "$scratch/a" --minutes 0.0001 >"$scratch/said"
[ $? -eq 3 ] || fail "a sign-off with steps left: expected exit code 3"$'\n'"$(cat "$scratch/said")"
grep -q '^INCOMPLETE: 1 of 3 steps' "$scratch/said" || fail "the sign-off does not print 'INCOMPLETE: 1 of 3 steps'"$'\n'"$(cat "$scratch/said")"
grep -q '^open  Every step ran to its end: 1 of 3; not run yet: reference, golden' "$scratch/said" || fail "the sign-off does not list as open the steps that have not run"$'\n'"$(cat "$scratch/said")"
grep -q '^FAIL' "$scratch/said" && fail "the sign-off prints FAIL for a step that has not run"$'\n'"$(cat "$scratch/said")"
unfinished="unaltered so far, INCOMPLETE: 1 of 3 steps; the same command continues the sign-off"
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
[ "$(stat -c %Y.%s "$scratch/a/rms_norm.quick.json")" = "$first" ] || fail "a finished step ran again"
grep -qi 'all 1 ops' "$scratch/a/signoff.html" && fail "the page of a partial offer contains 'all 1 ops'"
for text in 'Ada L.' 'rms_norm' 'partial scope' 'quick tier only'; do grep -qF "$text" "$scratch/a/signoff.html" || fail "the page lacks '$text'"; done
find "$scratch/a" -name '*.part' | grep -q . && fail "a half-written file is left"
expect 0 "UNALTERED: PASS for a partial scope" "$assay" signoff --verify "$scratch/a"
# A finished sign-off is printed but not written again, unless another person signs or a file was altered.
signed=$(cd "$scratch/a" && sha256sum signoff.json signoff.html digests.csv)
expect 0 "nothing was run or written; signoff.json has the digest xxh3:" sign right --output "$scratch/a"
expect 0 "PASS for a partial scope" sign right --output "$scratch/a"
[ "$(cd "$scratch/a" && sha256sum signoff.json signoff.html digests.csv)" = "$signed" ] || fail "a finished sign-off was written again"
cp -r "$scratch/a" "$scratch/b" && echo >>"$scratch/b/signoff.html"
expect 0 "wrote $scratch/b/signoff.html" sign right --output "$scratch/b"
grace=("$assay" signoff --backend "$chip/libright.so" --tier quick --scope "$scratch/scope.csv" --by Grace --output "$scratch/b")
expect 2 "already signed off by Ada L.; for --by Grace use another folder" "${grace[@]}"
# A step whose result was altered runs again, and the program says so.
echo >>"$scratch/b/rms_norm.quick.json"
expect 0 "[1/3] rms_norm quick: rms_norm.quick.json was altered after the step; the step runs again" sign right --output "$scratch/b"
rm -r "$scratch/b"
expect 2 "use another folder for --output" sign wrong --output "$scratch/a"
mkdir "$scratch/other" && touch "$scratch/other/file"
expect 2 "expected a new folder" sign right --output "$scratch/other"

# altered FILE EDIT TEXT: --verify names the edited file, and no longer does so after the file is restored.
altered() {
  cp -r "$scratch/a" "$scratch/b"
  (cd "$scratch/b" && eval "$2")
  expect 1 "$1: $3" "$assay" signoff --verify "$scratch/b"
  rm -r "$scratch/b"
}
altered rms_norm.quick.json "sed -i '0,/\"pass\"/s//\"fail\"/' rms_norm.quick.json" "was altered"
altered rms_norm.quick.json "sed -i '0,/\"pass\"/s//\"fail\"/' rms_norm.quick.json" "cannot be read: "
altered rms_norm.quick.json "sed -i '0,/\"outcome\":\"pass\"/s//\"outcome\":\"fail\"/' rms_norm.quick.json" "its counts differ from those in signoff.json"
altered signoff.html "sed -i 's/partial scope/full scope/' signoff.html" "was altered"
altered signoff.html "sed -i 's/partial scope/full scope/' signoff.html" "was not made from this signoff.json"
altered signoff.json "sed -i '0,/partial scope: 1/s//full scope: 1/' signoff.json" "says 'PASS for a full scope"
altered signoff.json "python3 -c 'import json; m = json.load(open(\"signoff.json\")); m[\"steps\"].pop(); json.dump(m, open(\"signoff.json\", \"w\"))'" "step 'golden' is missing"
altered steps/golden.txt "rm steps/golden.txt" "is missing"
altered golden/observed/cpu/rms_norm.json "echo >>golden/observed/cpu/rms_norm.json" "was altered"
altered more.txt "touch more.txt" "was added"
altered digests.csv "rm digests.csv" "is missing"
altered signoff.json "python3 -c 'import json; m = json.load(open(\"signoff.json\")); del m[\"verdict\"]; json.dump(m, open(\"signoff.json\", \"w\"))'" "was altered"
altered inputs.csv "sed -i '\$d' inputs.csv" "its digest differs from that in signoff.json"
cp "$chip/libright.so" "$scratch/kept"
echo >>"$chip/libright.so"
expect 4 "libright.so: changed since the sign-off read it: digest xxh3:" "$assay" signoff --verify "$scratch/a"
cp "$scratch/kept" "$chip/libright.so"
# The folder is unchanged, but the checkout's tables changed. If both changed, --verify prints ALTERED.
echo >>"$ASSAY_DATA/suites/rms_norm/cases/quick.csv"
expect 4 "suites/rms_norm/cases/quick.csv: changed since the sign-off read it: digest xxh3:" "$assay" signoff --verify "$scratch/a"
expect 4 "FOLDER UNALTERED, CHECKOUT DIFFERS: PASS for a partial scope: " "$assay" signoff --verify "$scratch/a"
altered more.txt "touch more.txt" "was added"
expect 2 "files that this sign-off reads changed since it was begun: suites/rms_norm/cases/quick.csv; restore them" sign right --output "$scratch/a"
sed -i '$d' "$ASSAY_DATA/suites/rms_norm/cases/quick.csv"
expect 0 "UNALTERED" "$assay" signoff --verify "$scratch/a"

# A wrong kernel fails. If the known-failures list names its failures, the sign-off passes and reports them as deviations. A row of the list that matches no
# failure fails.
expect 1 "FAIL, partial scope: 1 of 1 ops" sign wrong --output "$scratch/w"
said=$(sign wrong --output "$scratch/w")
for text in 'fail: rms_norm/' 'golden, which follows from the verdicts that are not as expected' 'NO: follows from the verdicts'; do
  grep -qF "$text" <<<"$said" || fail "expected '$text' in the output of a failed sign-off"$'\n'"$said"
done
grep -qF 'verdicts are not as expected; nothing was written; --ledger FILE.csv allows listed failures' "$scratch/w/steps/golden.txt" || fail "the step 'golden' does not say what to do"
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

# With several jobs, the step golden diff waits for the step whose outputs it reads.
at_once=$(sign right --output "$scratch/k" --jobs 4 --golden "$scratch/a/golden/observed/cpu")
[ "$(head -n 3 <<<"$at_once" | grep -c '^\[[123]/4\]')" = 3 ] || fail "the first three steps do not start at once"$'\n'"$at_once"
python3 - "$scratch/k/signoff.json" <<'END'
import json, sys
steps = {step["name"]: step for step in json.load(open(sys.argv[1]))["steps"]}
assert len(steps) == 4 and list(steps).index("golden diff") > list(steps).index("golden"), list(steps)
assert steps["rms_norm quick"]["cpu_seconds"] > 0 and all("cpu_seconds" in step for step in steps.values())
END
[ $? -eq 0 ] || fail "golden diff did not wait for golden, or a step used no CPU"
grep -qE 'golden diff: SAME BITS: [1-9][0-9]* same bits, 0 differ' <<<"$at_once" || fail "golden diff does not print 'SAME BITS: N same bits, 0 differ'"$'\n'"$at_once"
expect 0 "UNALTERED: PASS for a partial scope" "$assay" signoff --verify "$scratch/k"

# --suite selects ops. An unknown name, a choice without any case, and another choice in a folder that was begun are errors.
expect 2 "unknown op 'norms'" sign right --output "$scratch/e" --suite norms
expect 2 "NOTHING RAN" sign right --output "$scratch/e" --suite cast
expect 0 "PASS for a partial scope: 1 of 1 ops" sign right --output "$scratch/only" --suite rms_norm
expect 2 'begun with request suites = ["rms_norm"], which is now []' sign right --output "$scratch/only"

# The default scope needs more ops than rms_norm; a scope with another format is not covered either.
sed 's/,bf16,/,e4m3fn,/' "$scratch/scope.csv" >"$scratch/fp8.csv"
scope=$scratch/fp8.csv expect 1 "FAIL  Minimum scope: a norm (rms_norm in e4m3fn): not offered" sign right --output "$scratch/s"
expect 1 "FAIL  Minimum scope: conversions (cast): not offered" "$assay" signoff --backend "$chip/libright.so" --tier quick --output "$scratch/default"
echo need,op,format,why >"$scratch/none.csv"
scope=$scratch/none.csv expect 2 "expected at least one row, which names a need of the minimum scope" sign right --output "$scratch/e"
# Problems that can be detected before the first step are reported before it.
sed 's/,rms_norm,/,rmsnorm,/' "$scratch/scope.csv" >"$scratch/typo.csv"
scope=$scratch/typo.csv expect 2 "typo.csv:2:8: op: 'rmsnorm' matches no op; did you mean 'rms_norm'" sign right --output "$scratch/e"
sed 's/,bf16,/,bf61,/' "$scratch/scope.csv" >"$scratch/typo.csv"
scope=$scratch/typo.csv expect 2 "format: 'bf61' matches no number format; did you mean 'bf16'" sign right --output "$scratch/e"
[ ! -e "$scratch/e" ] || fail "a refused sign-off leaves a folder"
expect 3 "note: minimum scope: conversions: the library offers no op cast, or --suite leaves it out, so this sign-off cannot pass" "$assay" signoff --backend "$chip/libright.so" --tier quick --minutes 0.0001 --output "$scratch/said_first"

# A library that offers only a contract from the user's own table.
sed 's/^vllm.rms_norm@2026-06-18,/acme.rms_norm,/; 1!{/^acme/!d}' "$ASSAY_DATA/reference/contracts/norm.csv" >"$scratch/acme.csv"
sed 's/vllm.rms_norm@2026-06-18/acme.rms_norm/' "$sources" >"$scratch/acme.c"
cc -std=c99 -O2 -ffp-contract=off -fPIC -shared -I"$root/kernels/abi" "$scratch/acme.c" -lm -o "$chip/libacme.so" || fail "the example plug-in does not compile"
"$assay" new case acme.rms_norm --from vllm.rms_norm@2026-06-18 --contracts "$scratch/acme.csv" --output "$scratch/acme_cases.csv" >/dev/null || fail "new case writes no cases for acme.rms_norm"
acme=(sign acme --contracts "$scratch/acme.csv")
expect 2 "NOTHING RAN: back end $chip/libacme.so offers no contract that has a case; --cases FILE.csv adds" "${acme[@]}" --output "$scratch/own"
[ ! -e "$scratch/own" ] || fail "a sign-off without steps leaves a folder"
expect 0 "[1/1] rms_norm own" "${acme[@]}" --cases "$scratch/acme_cases.csv" --output "$scratch/own"
expect 0 "UNALTERED: PASS for a partial scope: 1 of 1 ops, 1 of " "$assay" signoff --verify "$scratch/own"
grep -q '^cases,.*acme_cases.csv,xxh3:' "$scratch/own/inputs.csv" || fail "inputs.csv has no digest of the case table"
expect 2 "needs --output DIR, or --verify DIR" "$assay" signoff --backend cpu
expect 2 "does not use --by" "$assay" signoff --verify "$scratch/a" --by x

# The page prints on few sheets; a page that prints on many sheets is detected.
command -v chromium >/dev/null || skip "chromium is missing; ci/setup tests installs it"
sheets() {
  HOME=$scratch timeout 120 chromium --headless --no-sandbox --disable-gpu --user-data-dir="$scratch/profile" --print-to-pdf="$scratch/page.pdf" "file://$1" >/dev/null 2>&1
  grep -acE '/Type */Page([^s]|$)' "$scratch/page.pdf"
}
[ "$(sheets "$scratch/d/signoff.html")" -le 2 ] || fail "the page of one op: expected at most 2 sheets, got $(sheets "$scratch/d/signoff.html")"
sed 's/<main[^>]*>/&<p style="height:3000px">tall<\/p>/' "$scratch/d/signoff.html" >"$scratch/tall.html"
[ "$(sheets "$scratch/tall.html")" -gt 2 ] || fail "the check accepts a page of more than two sheets"
echo passed
