#!/usr/bin/env bash
# assay run --history and assay history: runs are added with their verdicts, and the output says since which run bits changed or a case fails. Files that are
# not a history are rejected before anything runs. Simultaneous and killed runs lose nothing.
. "$(dirname "$0")/lib.sh"
r=$scratch h=$scratch/runs.history
unset GITHUB_SHA CI_COMMIT_SHA
few=(--suite rms_norm/quick --case '*/bf16.m4.*' --case '*/bf16.m3.n1024.*')
library() { sed "$1" "$root/kernels/example_plugin/my_rms_norm.c" >"$r/mine.c" && cc -std=c99 -O2 -ffp-contract=off -fPIC -shared -I"$root/kernels/abi" "$r/mine.c" -lm -o "$2" || fail "the example plug-in does not compile"; }
library '' "$r/libmine.so"
run() { "$assay" run --backend "$r/libmine.so" "${few[@]}" --history "$h" "$@"; }
sql() { python3 -c 'import sqlite3, sys; print(*(value for row in sqlite3.connect(sys.argv[1]).execute(sys.argv[2]) for value in row))' "$h" "$1"; }

expect 0 "ALL AS EXPECTED" run --commit first
expect 0 "ALL AS EXPECTED" env GITHUB_SHA=second "$assay" run --backend "$r/libmine.so" "${few[@]}" --history "$h" --report html:"$r/second.html"
grep -q "of run 1, 20" "$r/second.html" || fail "the HTML report does not compare with the newest run"
expect 0 "no case failed, and none changed its bits" "$assay" history "$h"
count=$(sql "SELECT count(*) FROM verdicts WHERE run = 1 AND outcome = 'pass'")
[ "$count" -gt 3 ] || fail "run 1: expected more than 3 passes, got $count"
[ "$(sql "SELECT count(DISTINCT case_id || digest) FROM verdicts WHERE outcome = 'pass' AND digest <> ''")" = "$count" ] || fail "two runs with equal outputs have different digests"
[ "$(sql "SELECT group_concat(commit_id) FROM run")" = first,second ] || fail "expected the commits first,second, got $(sql 'SELECT group_concat(commit_id) FROM run')"

# A recording of the same run has the same digests.
"$assay" run --backend "$r/libmine.so" "${few[@]}" --record "$r/rec" >/dev/null || fail "the recorded run does not pass"
expect 0 "ALL AS EXPECTED" "$assay" judge "$r/rec" --history "$h" --commit judged
[ "$(sql "SELECT count(DISTINCT case_id || digest) FROM verdicts WHERE outcome = 'pass'")" = "$count" ] || fail "the digests of judge differ from the digests of the run"

# The gate's baseline is the newest run other than the compared one; equal digests mean equal bits. Verdicts of `assay judge` on a
# recording count as the recorded run.
gate() { "$assay" gate --baseline "$h" "$@"; }
expect 0 "$count same bits" gate "$r/rec"
expect 0 "note: not used as baseline: run 3: the recorded run itself" gate "$r/rec"
expect 0 "baseline: $h, run 2 of 20" gate "$r/rec"
library 's/double sum = 0;/float sum = 0;/; s/sum += (double)(v \* v);/sum += v * v;/' "$r/libsum.so"
"$assay" run --backend "$r/libsum.so" "${few[@]}" --record "$r/sum" >/dev/null
expect 0 "the bits changed; a history has no outputs" gate "$r/sum" --case '*.n1024.stride1036.*'
expect 1 "GATE CLOSED" gate "$r/sum" --case '*.n1024.stride1036.*' --same-bits
cp "$h" "$r/elsewhere.history"
python3 -c 'import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute("UPDATE run SET chip = ?", ["sm_90"]); c.commit()' "$r/elsewhere.history"
expect 2 "the history has no run on cpu" "$assay" gate --baseline "$r/elsewhere.history" "$r/rec"

# Run 1 is good, run 2 bad; both are in the history. The gate compares run 2, and later runs of its library or commit, to run 1.
both() { "$assay" run --backend "$r/$1.so" "${few[@]}" --history "$r/both.history" --record "$r/$2" --commit "$3" >/dev/null; }
library 's/(bits + 0x7fffu + (bits >> 16 \& 1u)) >> 16/bits >> 16/' "$r/libbad.so"
both libmine good aaa111 || fail "the good run does not pass"
both libbad bad bbb222 && fail "the bad run passes"
gate_both() { "$assay" gate --baseline "$r/both.history" "$@"; }
closed="GATE CLOSED: $(python3 -c 'import json, sys; print(sum(v["outcome"] == "fail" for v in json.load(open(sys.argv[1]))["verdicts"]))' "$r/bad/index.json") new, 0 gone, 0 known, 0 fixed, "
expect 1 "$closed" gate_both "$r/bad" --report json:"$r/both.json" --report md:"$r/both.md" --report html:"$r/both.html"
for file in both.json both.md both.html; do grep -q 'run 1 of 20.*, commit aaa111: ALL AS EXPECTED' "$r/$file" || fail "$file does not name the baseline"; done
both libbad again ccc333
expect 1 "$closed" gate_both "$r/again"
expect 1 "note: not used as baseline: run 2: not as expected, with the same library file: an earlier attempt at this change" gate_both "$r/again"
cp "$r/libbad.so" "$r/librebuilt.so" && echo >>"$r/librebuilt.so"
both librebuilt retry ccc333
expect 1 "note: not used as baseline: run 3: not as expected, with the same commit: an earlier attempt at this change" gate_both "$r/retry"
expect 1 "note: not used as baseline: run 2: not as expected" gate_both "$r/retry"
expect 1 "$closed" gate_both "$r/retry"
expect 1 ", commit aaa111: ALL AS EXPECTED" gate_both "$r/retry" --commit aaa
expect 1 "$closed" gate_both "$r/retry" --run 1
# A named run is used even if it failed, and the output says so.
both librebuilt yesterday ddd444
expect 0 "commit ccc333: NOT AS EXPECTED" gate_both "$r/yesterday" --run 4
expect 0 "are known only because the baseline has them too" gate_both "$r/yesterday" --commit bbb
expect 2 "run 5 is the recorded run itself" gate_both "$r/yesterday" --run 5
expect 2 "the history has no run 9" gate_both "$r/yesterday" --run 9
expect 2 "no other run on cpu of commit ddd444" gate_both "$r/yesterday" --commit ddd444
expect 2 "names a run of a history file, but --baseline $r/good is a recording" "$assay" gate --baseline "$r/good" "$r/bad" --run 1
expect 0 "$r/bad is a recording of the very run that is compared with it, so no failure can be new" "$assay" gate --baseline "$r/bad" "$r/bad"
rm -r "$r/both.history"; both libbad only eee555
expect 2 "no run on cpu can be the baseline (run 1: the recorded run itself)" gate_both "$r/only"
# If every run failed, the newest run of another commit and library is the baseline.
both librebuilt next fff666
expect 0 "failures are known only because the baseline has them too" gate_both "$r/next"
# A recording of an older Assay does not identify its run, and a history of an older Assay has no column for this identity.
cp -r "$r/only" "$r/old" && sed -i 's/"run":"[0-9a-f]*",//' "$r/old/index.json"
expect 2 "an older Assay recorded this folder without a run id" gate_both "$r/old"
expect 0 "NOT AS EXPECTED" gate_both "$r/old" --run 1
cp "$h" "$r/old.history"
python3 -c 'import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute("ALTER TABLE run DROP COLUMN identity"); c.commit()' "$r/old.history"
expect 0 "3 runs from" "$assay" history "$r/old.history"
expect 0 "baseline: $r/old.history, run 3 of 20" "$assay" gate --baseline "$r/old.history" "$r/rec"
expect 0 "ALL AS EXPECTED" "$assay" run --backend "$r/libmine.so" "${few[@]}" --history "$r/old.history"
expect 0 "4 runs from" "$assay" history "$r/old.history"

# A kernel that truncates: every case with rounded outputs fails since run 4.
library 's/(bits + 0x7fffu + (bits >> 16 \& 1u)) >> 16/bits >> 16/' "$r/libmine.so"
expect 1 "NOT AS EXPECTED" run --commit third
expect 0 "FAILS since run 4 (20" "$assay" history "$h"
expect 0 ", commit third), right in 3 runs before: " "$assay" history "$h"
expect 0 "...F" "$assay" history "$h"
expect 0 "" "$assay" history "$h" --report html:"$r/history.html"
grep -q "WRONG NOW" "$r/history.html" && grep -q '<svg class="plot"' "$r/history.html" || fail "the HTML page of assay history does not show the failure"
expect 0 "no case failed" "$assay" history "$h" --case '*/zeros*' --last 1
expect 2 "no verdict matches --case, --contract and --kernel" "$assay" history "$h" --kernel nobody
expect 2 "no run on a chip that matches --chip" "$assay" history "$h" --chip sm_90
expect 2 "expected console or html:FILE" "$assay" history "$h" --report csv:"$r/x.csv"

# --trend accepts a history.
"$assay" run --backend "$r/libmine.so" "${few[@]}" --trend "$h" --report html:"$r/trend.html" >/dev/null
grep -q "of run 4, 20" "$r/trend.html" && grep -q ": 0 worse" "$r/trend.html" || fail "the report of run --trend does not compare with the newest run of the history"

# Files that are not a history are rejected before a kernel is called.
head -c 9000 "$h" >"$r/cut.history"
echo hello >"$r/text.history"
for bad in cut text; do
  expect 2 "$bad.history: " "$assay" run --backend "$r/libmine.so" "${few[@]}" --history "$r/$bad.history"
  expect 2 "$bad.history: " "$assay" history "$r/$bad.history"
done
expect 2 "no such history" "$assay" history "$r/none.history"
expect 2 "--commit requires --history" "$assay" run --backend "$r/libmine.so" "${few[@]}" --commit x
expect 2 "does not use --history" "$assay" judge "$r/x.safetensors" --contract vllm.group_fp8 --history "$h"

# Three shares write to one history at the same time. A killed run is marked, and no other run is lost.
rm "$h"
library '' "$r/libmine.so"
for share in 1 2 3; do run --shard $share/3 >"$r/share$share" 2>&1 & done
wait
[ "$(sql "SELECT count(*) FROM run")" = 3 ] || fail "three shares at once: expected 3 runs in the history, got $(sql 'SELECT count(*) FROM run')"
[ "$(sql "SELECT count(*) FROM verdicts WHERE outcome = 'pass'")" = "$count" ] || fail "the shares have $(sql "SELECT count(*) FROM verdicts WHERE outcome = 'pass'") passes, not $count"
# This kernel creates a file when it is called, and runs long enough to be interrupted.
library 's|  double sum = 0;|{ FILE* called = fopen("'"$r"'/called", "w"); if (called) fclose(called); }\n for (volatile long wait = 0; wait < 30000000; ++wait) {}\n double sum = 0;|; 1i #include <stdio.h>' "$r/libmine.so"
"$assay" run --backend "$r/libmine.so" --suite rms_norm/quick --history "$h" >/dev/null 2>&1 &
for ((tenths = 0; tenths < 600; ++tenths)); do [ -e "$r/called" ] && break || sleep 0.1; done
kill -INT $!
wait $!
[ "$(sql "SELECT group_concat(ended_early, '') FROM run")" = SIGINT ] || fail "the run that SIGINT ended is not in the history"
expect 0 "ended early by SIGINT" "$assay" history "$h"
echo passed
