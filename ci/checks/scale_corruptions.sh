#!/usr/bin/env bash
# Corrupts the packed scales of one correct call in fifteen ways: `assay judge` must name at least 14. The correct call must pass.
# With three of the expected texts replaced, scale_corruptions.py must fail.
. "$(dirname "$0")/lib.sh"
printf '%s\n' 'contract,x,m,n,group_size,layout,fill,seed,warp,why,blind_to' \
  'vllm.group_fp8_packed,bf16,61,2048,128,ue8m0x4_tma,normal,1,32,its scales are corrupted,*' >"$scratch/table.csv"
"$assay" run --backend cpu --cases "$scratch/table.csv" --op quant_group --record "$scratch/recorded" >/dev/null || fail "the call with correct scales fails"
healthy=$(find "$scratch/recorded" -name '*.safetensors' | head -1)
expect 0 'corruptions are named' python3 -B "$(dirname "$0")/scale_corruptions.py" "$assay" "$healthy" "$scratch"
sed 's/"byte order"/"no such words"/; s/"other data"/"no such words"/; s/"1 row earlier"/"no such words"/' "$(dirname "$0")/scale_corruptions.py" >"$scratch/wrong.py"
expect 1 'corruptions are named' python3 -B "$scratch/wrong.py" "$assay" "$healthy" "$scratch"
