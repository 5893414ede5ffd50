#!/usr/bin/env bash
# Kernels that attack the program, and signals to its processes: the guilty kernel is named, other kernels keep their verdicts, no
# report is lost or partial, and no process is left. docs/promises.md lists the guarantees.
. "$(dirname "$0")/lib.sh"
bad=$build/misbehaving
data_copy "$scratch/data"
only_ops "$scratch/data" rms_norm
export ASSAY_DATA=$scratch/data

# Lists processes that a run left behind. A variable in their environment identifies them.
left() {
  local process
  for process in $(grep -lszF "STRIKE_LEFT=$scratch" /proc/[0-9]*/environ | cut -d / -f 3); do
    [ "$process" != "$BASHPID" ] && [ "$process" != $$ ] || continue
    grep -q '^State:[[:space:]]*[^ZX]' "/proc/$process/status" 2>/dev/null && echo "$process"
  done
}
# nothing_left WHAT: fails if processes of the run are left after five seconds.
nothing_left() {
  for _ in $(seq 50); do
    [ -n "$(left)" ] || return 0
    sleep 0.1
  done
  fail "$1 left processes: $(for p in $(left); do tr '\0' ' ' <"/proc/$p/cmdline"; done)"
}
few=(--suite rms_norm/quick --case '*2026-06-18/bf16.m3.n8*normal*w32' --case '*2026-06-18/bf16.m4.n1024.eps1e-6/normal*w32')
# strike HOW: runs the striker and an innocent kernel; output in $scratch/out, exit code in $code.
strike() {
  rm -f "$scratch/v.csv"
  code=0
  STRIKE=$1 STRIKE_LEFT=$scratch timeout 120 "$assay" run --backend "$bad/libstrikes_back.so" "${few[@]}" --timeout 20 \
    --report console --report "csv:$scratch/v.csv" >"$scratch/out" 2>&1 || code=$?
  nothing_left "$1"
}
# outcomes: "KERNEL OUTCOME" of each kernel, once.
outcomes() {
  python3 -c 'import csv, sys
print("\n".join(sorted({row["kernel"] + " " + row["outcome"] for row in csv.DictReader(open(sys.argv[1])) if row["kernel"]})))' "$scratch/v.csv"
}
# says HOW CODE OUTCOME WORDS: checks the exit code, the striker's outcome and the output; the innocent kernel must pass.
says() {
  strike "$1"
  [ "$code" = "$2" ] || fail "$1: expected exit code $2, got $code: $(cat "$scratch/out")"
  [ "$(outcomes)" = "innocent pass"$'\n'"striker $3" ] || fail "$1: expected 'innocent pass' and 'striker $3', got '$(outcomes)': $(cat "$scratch/out")"
  grep -qF -- "$4" "$scratch/out" || fail "$1: expected '$4' in the output: $(cat "$scratch/out")"
}
says nothing 0 pass "ALL AS EXPECTED"
says shrinks_memory 0 pass "ALL AS EXPECTED"
says grows_memory 0 pass "ALL AS EXPECTED"
says terms_parent 1 broken "sent SIGTERM to the process that called it"
says usr1_parent 1 broken "sent SIGUSR1 to the process that called it"
says terms_group 1 broken "crashed: SIGTERM"
says leaves_child 0 pass "ALL AS EXPECTED"
says leaves_daemon 0 pass "ALL AS EXPECTED"
says crashes_with_child 1 broken "crashed: SIGABRT"
says stops_parent 0 pass "the run continues"
strike traces_parent
[ "$code" != 124 ] || fail "the run does not end if a kernel traces it with ptrace"
# A killed run leaves marked reports that name only the kernel being called.
strike kills_parent
[ "$code" = 137 ] || fail "a run that was killed: expected exit code 137, got $code: $(cat "$scratch/out")"
grep -qF "its last call was of kernel 'striker', op rms_norm" "$scratch/out" || fail "a run that was killed does not name the kernel that it had called: $(cat "$scratch/out")"
grep -qF "ENDED EARLY by SIGKILL" "$scratch/out" || fail "a run that was killed does not print ENDED EARLY by SIGKILL: $(cat "$scratch/out")"
[ -s "$scratch/v.csv" ] || fail "a run that was killed leaves no report"
# begun RUN: returns once cases run; from then on SIGINT (bit 1 of SigCgt) is caught.
begun() {
  local begin=$SECONDS
  until [ "$(cat "/proc/$1/comm" 2>/dev/null)" = assay ] && (((0x$(awk '/^SigCgt/ { print $2 }' "/proc/$1/status" 2>/dev/null || echo 0) >> 1) & 1)); do
    kill -0 "$1" 2>/dev/null && [ $((SECONDS - begin)) -lt 60 ] || fail "a run ended, or called no kernel for 60 s, before the signal was sent: $(cat "$scratch/out")"
    sleep 0.1
  done
}
# child_of PROCESS: a child of the process.
child_of() { grep -lxs "PPid:[[:space:]]*$1" /proc/[0-9]*/status | cut -d / -f 3 | head -n 1; }
# is_stopped PROCESS WHAT: fails unless the process stops.
is_stopped() { grep -q '^State:[[:space:]]*T' "/proc/$1/status" || fail "Ctrl-Z does not stop $2: $(grep State "/proc/$1/status")"; }
# Ctrl-Z during a call, for longer than its time limit, then fg: workers stop in between, and every verdict is correct. A terminal
# sends SIGTSTP to the supervisor, whose default action is to stop, and to the harness, which stops its workers first.
stopped() {
  STRIKE=takes_its_time STRIKE_LEFT=$scratch "$assay" run --backend "$bad/libstrikes_back.so" "${few[@]}" --kernel striker --timeout 4 --report console \
    >"$scratch/out" 2>&1 &
  local run=$! harness="" worker="" code=0
  begun "$run"
  while [ -z "$worker" ] && kill -0 "$run" 2>/dev/null; do
    harness=$(child_of "$run")
    [ -z "$harness" ] || worker=$(child_of "$harness")
  done
  [ -n "$worker" ] || fail "the run ended before it started a worker: $(cat "$scratch/out")"
  sleep 0.5
  kill -STOP "$run"
  kill -TSTP "$harness"
  sleep 5
  is_stopped "$harness" "a run"
  is_stopped "$worker" "a worker"
  kill -CONT "$harness" "$run"
  wait "$run" || code=$?
  [ "$code" = 0 ] && grep -q "ALL AS EXPECTED" "$scratch/out" || fail "a run stopped for 5 s during a call, with --timeout 4: expected exit code 0 and ALL AS EXPECTED, got $code: $(cat "$scratch/out")"
}
stopped
# Signals to a run while its kernel waits.
# signalled SIGNAL CODE TARGET: TARGET is one of program, group, child.
signalled() {
  rm -f "$scratch/v.csv"
  STRIKE_LEFT=$scratch setsid "$assay" run --backend "$bad/libhangs_in_first.so" "${few[@]}" --timeout 60 --report console --report "csv:$scratch/v.csv" >"$scratch/out" 2>&1 &
  local run=$!
  begun "$run"
  case $3 in
    program) kill -s "$1" "$run" ;;
    group) kill -s "$1" -- "-$run" ;;
    child) kill -s "$1" "$(child_of "$run")" ;;
  esac
  local code=0
  wait "$run" || code=$?
  [ "$code" = "$2" ] || fail "SIG$1 to the $3: expected exit code $2, got $code: $(cat "$scratch/out")"
  grep -qF "ENDED EARLY by SIG$1" "$scratch/out" || fail "SIG$1 to the $3: the run does not print ENDED EARLY by SIG$1: $(cat "$scratch/out")"
  [ -s "$scratch/v.csv" ] || fail "SIG$1 to the $3: the run writes no report"
  ! grep -q ',broken,' "$scratch/v.csv" || fail "SIG$1 to the $3: expected no broken verdict, got: $(grep ',broken,' "$scratch/v.csv")"
  nothing_left "$1 to the $3"
}
for target in program group; do
  signalled INT 130 $target
  signalled TERM 143 $target
  signalled HUP 129 $target
done
signalled KILL 137 child
echo passed
