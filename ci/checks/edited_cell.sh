#!/usr/bin/env bash
# Contracts are data: editing one cell of a table changes the verdict of a shipped case, without a rebuild.
. "$(dirname "$0")/lib.sh"
case_id='quant_group/vllm.group_fp8/bf16.m5.n1024.g128.row/normal.s1/w32'
norm_id='rms_norm/vllm.rms_norm@2026-06-18/bf16.m4.n1024.eps1e-6/normal.gamma.s1/w32'

expect 0 'ALL AS EXPECTED' "$assay" run --case "$case_id"
data_copy "$scratch/range"
sed -i 's/^vllm.group_fp8,e4m3fn,448,/vllm.group_fp8,e4m3fn,416,/' "$scratch/range/reference/contracts/quant.csv"
ASSAY_DATA=$scratch/range expect 1 'NOT AS EXPECTED' "$assay" run --case "$case_id"

expect 0 'ALL AS EXPECTED' "$assay" run --case "$norm_id"
data_copy "$scratch/rounding"
sed -i '/^vllm.rms_norm@2026-06-18/s/mul(r) mul(w) to(x)/mul(r) to(x) mul(w) to(x)/' "$scratch/rounding/reference/contracts/norm.csv"
ASSAY_DATA=$scratch/rounding expect 1 'NOT AS EXPECTED' "$assay" run --case "$norm_id"

# Edits the group size of a case row: the old case id then does not exist. One contract of that row supports only groups of 128.
data_copy "$scratch/group"
sed -i 's/|sglang.group_8bit|/|/; s/,bf16,5,1024,128,row,normal,/,bf16,5,1024,64,row,normal,/' "$scratch/group/suites/quant_group/cases/quick.csv"
ASSAY_DATA=$scratch/group expect 2 'g64.row/normal' "$assay" run --case "$case_id"
echo passed
