#!/usr/bin/env bash
# Misbehaving kernel libraries: one message names the library, and the rest of the run is unaffected.
. "$(dirname "$0")/lib.sh"
bad=$build/misbehaving

# Uses tables with few cases, since reading all tables dominates a run's time.
data_copy "$scratch/data"
only_ops "$scratch/data" rms_norm
export ASSAY_DATA=$scratch/data
judge() { "$assay" run --backend "$@" --suite rms_norm/quick --case '*bf16*normal*n1024*s1/w32' --case '*2026-06-18/bf16.m4.n1024.eps1e-6/normal*w32' --timeout 3; }

expect 2 "wrong_abi.so" judge "$bad/libwrong_abi.so"
expect 2 "no_symbol.so" judge "$bad/libno_symbol.so"
expect 2 "missing.so" judge "$bad/libmissing.so"
expect 1 "crashed: SIGSEGV at address 0x0" judge "$bad/libcrashes.so"
for text in BROKEN "in-process under a debugger"; do grep -qF "$text" <<<"$expected_in" || fail "expected '$text' in the report of a crashing kernel: $expected_in"; done
expect 1 "BROKEN" judge "$bad/libhangs.so"
expect 1 "BROKEN" judge "$bad/libwrites_past_buffer.so"
expect 1 "BROKEN" judge "$bad/libleaves_outputs_unwritten.so"
expect 1 "BROKEN" judge "$bad/libchanges_input.so"
expect 1 "refused the call" judge "$bad/libreturns_failed.so"
expect 1 "8192 bytes behind the end of 'y'" judge "$bad/libwrites_far_behind.so"
expect 1 "8192 bytes behind the end of 'x'" judge "$bad/libreads_far_behind.so"
expect 1 "wrote into the worker's socket" judge "$bad/libscribbles_on_files.so"
expect 1 "no memory is left" judge "$bad/libtakes_memory.so"

# verdicts LIBRARY OPTION...: prints how many cases each combination of kernel, number of rows (m of the case) and outcome has, a line for each.
verdicts() {
  local library=$1
  shift
  rm -f "$scratch/v.csv"
  "$assay" run --backend "$bad/lib$library.so" --suite rms_norm/quick --case '*/bf16*normal*w32' --timeout 1.5 --diagnose none --report "csv:$scratch/v.csv" "$@" >"$scratch/out" 2>&1
  python3 - "$scratch/v.csv" <<'EOF'
import collections, csv, re, sys
counts = collections.Counter()
for row in csv.DictReader(open(sys.argv[1])):
    if row["kernel"]: counts[row["kernel"], re.search(r"\.m(\d+)\.", row["case"])[1], row["outcome"]] += 1
for key in sorted(counts): print(*key, counts[key])
EOF
}
small() { awk '$2 <= 3'; }
tall() { awk '$2 > 3 { print $3 }' | sort -u; }
healthy=$(verdicts refuses_in_run | small)
[ "$(cut -d' ' -f3 <<<"$healthy" | sort -u)" = pass ] || fail "the healthy kernel does not pass: $healthy"
same() { [ "$2" = "$3" ] || fail "$1 gives"$'\n'"$2"$'\n'"instead of"$'\n'"$3"; }

# If the library's run() rejects a call, the case is skipped. A skip is always as expected.
expect 0 "ALL AS EXPECTED" "$assay" run --backend "$bad/librefuses_in_run.so" --suite rms_norm/quick --case '*/bf16*w32'
same refuses_in_run "$(verdicts refuses_in_run | tall)" skip

# A crash only affects the verdict of its own case. Tested in many runs with several threads.
runs=20
[ -z "$sample" ] || runs=3
for _ in $(seq $runs); do
  all=$(verdicts crashes_when_tall)
  same crashes_when_tall "$(small <<<"$all")" "$healthy"
  same crashes_when_tall "$(tall <<<"$all")" broken
done

# A rounding mode that a kernel sets, or a thread that it starts, does not affect other kernels.
for library in changes_rounding late_thread; do
  same "$library" "$(verdicts "$library" --kernel innocent | cut -d' ' -f1,3 | sort -u)" "innocent pass"
  same "$library" "$(verdicts "$library" | grep innocent | cut -d' ' -f1,3 | sort -u)" "innocent pass"
done
expect 1 "left the floating-point environment changed (it was restored): the thread rounds downward" judge "$bad/libchanges_rounding.so"

# Ending a run does not wait for a hanging kernel, and reports contain the verdicts so far.
"$assay" run --backend "$bad/libhangs.so" --suite rms_norm/quick --case '*/bf16*normal*w32' --timeout 60 \
  --report console --report "csv:$scratch/ended.csv" >"$scratch/out" 2>&1 &
run=$!
# SIGINT (bit 1 of SigCgt) is caught once cases begin; on a busy machine reading the tables takes seconds before that.
catches_sigint() { (((0x$(awk '/^SigCgt/ { print $2 }' "/proc/$run/status") >> 1) & 1)); }
until catches_sigint; do
  kill -0 "$run" 2>/dev/null || fail "a run ended before the signal was sent: $(cat "$scratch/out")"
  sleep 0.1
done
sleep 1
start=$SECONDS
kill -INT "$run"
code=0
wait "$run" || code=$?
[ "$code" = 130 ] || fail "a run ended by SIGINT: expected exit code 130, got $code"
[ $((SECONDS - start)) -lt 20 ] || fail "a run ended by SIGINT waits for the hanging kernel"
grep -q 'ENDED EARLY by SIGINT' "$scratch/out" || fail "a run ended by SIGINT does not print ENDED EARLY by SIGINT"
[ -s "$scratch/ended.csv" ] || fail "a run ended by SIGINT writes no report"

# A kernel that always hangs is called three times, then skipped; the other kernel is checked.
start=$SECONDS
same hangs_in_first "$(verdicts hangs_in_first | cut -d' ' -f1,3 | sort -u)" "$(printf '%s\n' 'hangs broken' 'hangs unjudged' 'innocent pass')"
[ $((SECONDS - start)) -lt 10 ] || fail "three calls of the hanging kernel: expected less than 10 s, got $((SECONDS - start)) s"
same hangs_in_first "$(verdicts hangs_in_first | awk '$3 == "broken" { n += $4 } END { print n }')" 3

# State kept between calls is not reported as a race between lanes.
expect 1 "unsteady: the outputs change from call to call" judge "$bad/libkeeps_state.so"

# A recording that cannot be written is not blamed on a kernel.
expect 2 "--record /proc/none: cannot write" judge "$bad/librefuses_in_run.so" --record /proc/none
mkdir "$scratch/full"
: >"$scratch/full/rms_norm" # a file at the place where the op's folder would be created
expect 3 "the run ended early: cannot record rms_norm/" "$assay" run --backend "$bad/librefuses_in_run.so" --case 'rms_norm/*/bf16.m3*normal*w32' --record "$scratch/full"
echo passed
