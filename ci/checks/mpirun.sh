#!/usr/bin/env bash
# Runs ranks in four and in two mpirun processes: the verdicts equal those of a single process. A process that dies ends its case, not
# the run. A rank that waits in vain names the rank that it waits for, its own block, and what it waits for. With --shard the processes divide the cases
# instead. A sample only compares the verdicts of bf16 cases with four ranks and two rows.
. "$(dirname "$0")/lib.sh"
command -v mpirun >/dev/null || skip "no mpirun (package openmpi-bin)"
processes() { timeout 300 mpirun --allow-run-as-root --oversubscribe -n "$@"; }

# verdicts FILE: a report in case order, without seconds and provenance.
verdicts() {
  python3 - "$1" <<'END'
import csv, sys
rows = [[cell.replace("\n", " ") for column, cell in row.items() if column != "seconds" and not column.startswith("run_")] for row in csv.DictReader(open(sys.argv[1]))]
print(*sorted(",".join(row) for row in rows), sep="\n")
END
}

some=(--suite all_reduce/quick --suite all_reduce_add_rms_norm/quick --suite all_reduce_add_rms_norm_quant_static/quick --suite all_reduce_rms_norm/quick --warp 32)
plugin=(--suite all_reduce/quick --warp 32)
[ -z "$sample" ] || some+=(--case '*/bf16.r4.m2.*') plugin+=(--case '*/f32.r4.*')
"$assay" run "${some[@]}" --diagnose none --report csv:"$scratch/one.csv" >"$scratch/log" 2>&1 || fail "one process: $(tail -n 5 "$scratch/log")"
processes 4 "$assay" run "${some[@]}" --diagnose none --report csv:"$scratch/four.csv" >"$scratch/log" 2>&1 || fail "four processes: $(grep -hE ',(fail|broken|unjudged),' "$scratch"/four.*.csv | head -n 3; tail -n 9 "$scratch/log")"
grep -qF "the ranks of a case are distributed over all processes of this Open MPI launch" "$scratch/log" || fail "four processes do not report that they share the ranks of a case"
verdicts "$scratch/one.csv" >"$scratch/one"
verdicts "$scratch/four.1of4.csv" >"$scratch/four"
[ "$(wc -l <"$scratch/one")" -gt 150 ] || fail "expected more than 150 rows in the report, got $(wc -l <"$scratch/one")"
cmp "$scratch/one" "$scratch/four" || fail "the verdicts of one process and of four differ: $(diff "$scratch/one" "$scratch/four" | head -n 6)"

# A plug-in for several processes, built outside this tree from one C file: the correct plug-in passes, and a version that does not wait for the other processes
# fails.
example=$root/kernels/example_plugin/my_all_reduce_processes.c
mkdir "$scratch/wrong"
sed 's/const int32_t late = missing(g);/const int32_t late = -1;/' "$example" >"$scratch/wrong/plugin.c"
cmp -s "$example" "$scratch/wrong/plugin.c" && fail "the edit did not change the plug-in"
for source in "$example" "$scratch/wrong/plugin.c"; do
  expect 0 "" cc -std=c99 -O2 -ffp-contract=off -fPIC -shared -I"$root/kernels/abi" "$source" -o "$scratch/plugin.so"
  processes 4 "$assay" run --backend "$scratch/plugin.so" "${plugin[@]}" --diagnose none >"$scratch/log" 2>&1 && ended=0 || ended=$?
  grep -qF "the ranks of a case are distributed over all processes of this Open MPI launch" "$scratch/log" || fail "the processes of the plug-in do not report that they share the ranks of a case: $(tail -n 5 "$scratch/log")"
  if [ "$source" = "$example" ]; then
    [ $ended -eq 0 ] || fail "the correct plug-in: expected exit code 0, got $ended: $(tail -n 9 "$scratch/log")"
  else
    [ $ended -eq 1 ] || fail "the plug-in that does not wait for other processes: expected exit code 1, got $ended: $(tail -n 9 "$scratch/log")"
  fi
done

# A killed process: only its case is broken, and the message names who died and who waited.
dies=("$assay" run --backend "$build/misbehaving/librank_dies.so" --suite all_reduce/quick --case '*/nccl.all_reduce_symmetric/f32.r4.*' --warp 32)
processes 4 "${dies[@]}" --diagnose none --report csv:"$scratch/dies.csv" >"$scratch/log" 2>&1 && fail "a process was killed, but the run passes"
grep -qF "rank 1: killed by SIGKILL" "$scratch/dies.1of4.csv" || fail "no message names the rank whose process was killed: $(cat "$scratch/log")"
grep -qF "waited for rank 1" "$scratch/dies.1of4.csv" || fail "no message names the ranks that waited for it: $(cat "$scratch/log")"
[ "$(grep -c ',broken,' "$scratch/dies.1of4.csv")" -eq 1 ] && [ "$(grep -c ',pass,' "$scratch/dies.1of4.csv")" -ge 1 ] ||
  fail "expected one broken case, and passes in the other cases: $(cat "$scratch/log")"

# A rank that waits forever, because FlashInfer's "nothing received" value is sent as data.
waits=("$assay" run --backend "$build/libassay_faulty.so" --kernel rank_sentinel_sent --suite all_reduce/quick --case '*/flashinfer.all_reduce_oneshot/bf16.r2.m2.n256.*' --warp 32)
processes 2 "${waits[@]}" --diagnose none --report csv:"$scratch/waits.csv" >"$scratch/log" 2>&1 && fail "a rank waited forever, but the run passes"
grep -qE "rank [01]: hung: block [0-9]+ waited in vain for rank [01] for a packet" "$scratch/waits.1of2.csv" ||
  fail "the message does not name the rank, the block and what the block waited for: $(cat "$scratch/log")"

# A rank that stops waiting after a fixed time, in a case with a straggler.
late=("$assay" run --backend "$build/libassay_faulty.so" --kernel rank_gives_up --suite all_reduce/quick --case '*/vllm.all_reduce_2stage/bf16.r4.*.straggler/*' --warp 32)
processes 4 "${late[@]}" --diagnose none >"$scratch/log" 2>&1 && ended=0 || ended=$?
[ $ended -eq 1 ] || fail "a rank that stops waiting: expected exit code 1, got $ended: $(tail -n 5 "$scratch/log")"

# Without mpirun: ci/processes sets the environment variables that mpirun would set.
timeout 300 "$root/ci/processes" 2 "$assay" run --suite all_reduce/quick --case '*/nccl.all_reduce_symmetric/f32.r4.*' --warp 32 >"$scratch/log" 2>&1 || fail "ci/processes: $(cat "$scratch/log")"
grep -qF "the ranks of a case are distributed over all processes of this Open MPI launch" "$scratch/log" || fail "processes of ci/processes do not report that they share the ranks of a case"

# With --shard, ranks are threads.
processes 2 "$assay" run --shard 1/1 --suite all_reduce/quick --case '*/nccl.all_reduce_symmetric/f32.r4.*' --warp 32 >"$scratch/log" 2>&1 || fail "$(cat "$scratch/log")"
! grep -qF "ranks of a case are distributed" "$scratch/log" || fail "with --shard, ranks are still distributed over processes"
echo "$(wc -l <"$scratch/one") rows of the report are the same in one process and in four"
echo passed
