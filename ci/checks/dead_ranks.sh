#!/usr/bin/env bash
# Kills or stops one process of a launch at a random moment: the other processes must report it, check the remaining cases, and
# end. A sample runs 4 trials, the whole check 200. ASSAY_FIRST_TRIAL sets the number of the first trial.
. "$(dirname "$0")/lib.sh"
data_copy "$scratch/data"
only_ops "$scratch/data" all_reduce
export ASSAY_DATA=$scratch/data
expect 0 "" cc -std=c99 -O2 -ffp-contract=off -fPIC -shared -I"$root/kernels/abi" "$root/kernels/example_plugin/my_all_reduce_processes.c" -o "$scratch/plugin.so"
trials=200
[ -z "$sample" ] || trials=4
mkdir "$scratch/runs"
{
  echo "op,contract,ranks,x,m,n,fill,before,seed,warp,why,blind_to"
  echo "all_reduce,vllm.all_reduce_1stage,4,f32,3,344,rank_cancel,1,$(seq -s '|' 60),32,many calls of the plug-in,*"
} >"$scratch/many.csv"
python3 "$(dirname "$0")/dead_ranks.py" "$assay" "$scratch/plugin.so" "$scratch/many.csv" "$scratch/runs" "${ASSAY_FIRST_TRIAL:-1}" $trials || fail "see above"
echo passed
