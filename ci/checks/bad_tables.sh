#!/usr/bin/env bash
# Wrong tables and wrong names give one message with file, line, column and the allowed values, and exit code 2.
. "$(dirname "$0")/lib.sh"
# edited FILE SED-EXPRESSION: edits a copied table and sets `list` to a command that reads it. `assay list --op OP` reads OP's case
# tables; every command reads all contract tables.
data_copy "$scratch/data"
export ASSAY_DATA=$scratch/data
last=
edited() {
  [ -z "$last" ] || cp "$root/$last" "$scratch/data/$last"
  last=$1
  sed -i "$2" "$scratch/data/$1"
  cmp -s "$scratch/data/$1" "$root/$1" && fail "the edit '$2' changed nothing"
  local op=quant_group
  [[ $1 != suites/* ]] || op=$(cut -d / -f 2 <<<"$1")
  list=("$assay" list --suite "$op")
}
quick=suites/quant_group/cases/quick.csv
quant=reference/contracts/quant.csv

expect 2 "unknown contract 'vllm.scaled_quantize_block': it was withdrawn" "$assay" contracts show vllm.scaled_quantize_block
edited $quant 's/div(M),,"div(s) clamp(max_min,M)/dvi(M),,"div(s) clamp(max_min,M)/'
expect 2 "quant.csv:2:" "${list[@]}"
expect 2 "unknown verb 'dvi'" "${list[@]}"
expect 2 "allowed:" "${list[@]}"
edited $quant 's/div(M)~2,/div(M)~x,/'
expect 2 "after '~': expected k, k+Cv, 2^-N or fma" "${list[@]}"
edited $quant 's/^vllm.group_fp8,e4m3fn,/vllm.group_fp8,e4m3fm,/'
expect 2 "quant.csv:2:16: q: unknown format 'e4m3fm'" "${list[@]}"
edited $quick '2s/,5,1024,128,row,/,5,1024,100,row,/'
expect 2 "quick.csv:2:" "${list[@]}"
expect 2 "has groups of 32|64|128" "${list[@]}"
edited $quick '2s/,5,1024,128,row,/,5,1000,128,row,/'
expect 2 "group_size 128 does not divide n 1000" "${list[@]}"
unknown=reference/contracts/dot_unknown.csv
edited $unknown '3s/torch.scaled_mm_row_fast.sm_90/torch.scaled_mm_row_slow.sm_90/'
expect 2 "dot_unknown.csv:3:" "${list[@]}"
expect 2 "torch.scaled_mm_row_slow.sm_90" "${list[@]}"
edited $unknown '3s/torch.scaled_mm_row_fast.sm_90/vllm.cutlass_scaled_mm_int8.sm_90/'
expect 2 "programs: vllm.cutlass_scaled_mm_int8.sm_90 has an unsupported instruction" "${list[@]}"
edited suites/gemm_scaled/cases/quick.csv '/^assay.unknown_fp8_tensor.sm_90,6,16,272/s/,$/,y: gain *\/100/'
expect 2 "must expose, because its outputs are only compared with intervals" "${list[@]}"
tile=suites/quant_tile/cases/quick_blocks.csv
edited $tile '2s/,128x128,row,/,128x,row,/'
expect 2 "quick_blocks.csv:2:153: group_size: a number is missing in '128x'" "${list[@]}"
edited $tile '2s/,128x128,row,/,64x128,row,/'
expect 2 "has groups of 128x128, not 64x128" "${list[@]}"
edited reference/contracts/quant_tile.csv '2s/,128x128,row,/,128xx,row,/'
expect 2 "quant_tile.csv:2:102: group: 'x' is not a positive integer" "${list[@]}"
edited suites/quant_static/cases/quick_groups.csv '6s/,3x16|6x24|4x8,/,5x16,/'
expect 2 "5 rows of group_size 5x16 do not divide m 12" "${list[@]}"
strides=suites/rms_norm/cases/quick_strides.csv
edited $strides 's/,gamma|y|gamma;y,/,gamma;residual,/'
expect 2 "unaligned: expected names among gamma, y, got 'residual'" "${list[@]}"
edited $strides 's/,gamma|y|gamma;y,/,y;y,/'
expect 2 "unaligned: 'y' is named twice" "${list[@]}"
edited suites/quant_tile/cases/quick.csv '2s/,bf16,5,1024,tensor,/,bf16,0,1024,tensor,/'
expect 2 "m: expected at least one row, because all rows share one scale" "${list[@]}"
pack=suites/pack_scales/cases/quick.csv
edited $pack '5s/,pow2_scales,/,lone_mantissa,/'
expect 2 "requires scales with &0x807fffff=0, which are powers of two, but fill 'lone_mantissa' gives 1.5 (0x3fc00000)" "${list[@]}"
edited reference/contracts/quant_pack.csv '2s/v1>>15/v1>15/'
expect 2 "quant_pack.csv:2:36: word: expected >>N, <<N, &BITS, +BITS or |" "${list[@]}"
edited $pack '6s/,row|col,/,col,/;6s/deepgemm.pack_ue8m0_torch,5|7/deepgemm.pack_ue8m0@2.5,5/'
expect 2 "with layout col requires a multiple of 4 rows, got 5" "${list[@]}"
edited $quick '2s/ordinary activations//'
expect 2 "quick.csv:2" "${list[@]}"
edited $quick '2s/,normal,1,/,nromal,1,/'
expect 2 "unknown fill 'nromal'" "${list[@]}"
expect 2 "normal" "${list[@]}"
# A command that names an op only reads the tables of that op.
expect 0 "layer_norm/" "$assay" list --suite layer_norm/quick
edited $quick '2s/^vllm.group_fp8|/vllm.group_fp9|/'
expect 2 "unknown contract 'vllm.group_fp9'" "${list[@]}"
expect 2 "vllm.group_fp8" "${list[@]}"
edited reference/contracts/layouts.csv 's/,r\*g+c,/,r*g+z,/'
expect 2 "unknown name 'z'" "${list[@]}"
unset ASSAY_DATA

expect 2 "quant_group" "$assay" run --suite quant_grop
expect 2 "vllm.rms_norm@v0.19.1" "$assay" contracts show vllm.rms_norm@v0.19
expect 2 "no case is selected" "$assay" run --case 'quant_group/nothing*'
expect 2 "cpu" "$assay" run --backend cpuu
echo passed
