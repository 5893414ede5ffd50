#!/usr/bin/env bash
# Casts are table rows: the program prints and compares them, and an edited cell of a cast or of facts.csv fails its test.
. "$(dirname "$0")/lib.sh"
casts=reference/contracts/casts.csv

expect 0 'hip.e4m3fn_nosat' "$assay" contracts list
expect 0 'f32 -> e4m3fn: 256 runs of inputs with one code each, over all 2^32 inputs' "$assay" contracts show cuda.e4m3fn_sat
expect 0 '43e80001 .. 7f800000 = 464.000031 .. Inf: 7e = 448 against 7f = NaN, 999817216 inputs' \
  "$assay" contracts diff cuda.e4m3fn_sat cuda.e4m3fn_nosat
expect 0 '2 inputs of all 2^32 have different codes, in 2 runs' "$assay" contracts diff cuda.e8m0_rp_sat cutlass.e8m0
expect 0 'equal: the rows differ at most in id, since, until, source and why' "$assay" contracts diff ml_dtypes.e4m3fn torch.e4m3fn@2.11
expect 0 'they have no inputs in common' "$assay" contracts diff cuda.e4m3fn_sat cuda.e4m3fn_sat_f64
expect 2 "'cuda.e4m3fn_sat' is of kind cast, 'vllm.group_fp8' of kind group_quant: no case of one can be checked under the other" "$assay" contracts diff cuda.e4m3fn_sat vllm.group_fp8
expect 2 'did you mean' "$assay" contracts show cuda.e4m3fn_stat

# The op cast: a failure names ranges of inputs and a cause. Its cases have no tensors with rows, so they are not minimized, and
# no dump can be checked against them.
borders='cast/cuda.e4m3fn_nosat/f32/borders/w32'
expect 0 'ALL AS EXPECTED' "$assay" run --case "$borders"
expect 1 '43e00001 .. 43e80000 = 448.000031 .. 464: 7f = NaN, must be 7e = 448' "$assay" run --backend faulty --case "$borders"
expect 1 'failing elements: overflow: special -> special_above_largest' "$assay" run --backend faulty --case "$borders"
expect 0 'x     7f80 = Inf' "$assay" explain cast/cuda.e4m3fn_sat/bf16/all/w32 --element 127 128
expect 2 '--minimize does not support' \
  "$assay" explain "$borders" --minimize --backend faulty --kernel cast_nan_above_largest
expect 2 "x.safetensors: no such file" "$assay" judge "$scratch/x.safetensors" --contract cuda.e4m3fn_sat
data_copy "$scratch/op"
sed -i '/^cuda.e4m3fn_sat,/s/nearest_even/nearest_away/' "$scratch/op/$casts"
ASSAY_DATA=$scratch/op expect 1 'cause     explains' "$assay" run --suite cast/quick --case '*cuda.e4m3fn_sat*'
sed -i '2s/bf16|f16/bf16|e4m3fn/' "$scratch/op/suites/cast/cases/quick.csv"
ASSAY_DATA=$scratch/op expect 2 "x: 'e4m3fn' is not one of: f32, bf16, f16" "$assay" list

# facts NAME FILE SED-EXPRESSION: runs the test of reference/casts/facts.csv on tables with one edited cell.
facts() {
  data_copy "$scratch/$1"
  mkdir -p "$scratch/$1/reference/casts"
  cp "$root/reference/casts/facts.csv" "$scratch/$1/reference/casts/"
  sed -i "$3" "$scratch/$1/$2"
  cmp -s "$scratch/$1/$2" "$root/$2" && fail "the edit '$3' changed nothing"
  (cd "$scratch/$1" && "$build/reference/reference_flow_tests" --gtest_filter='Facts/*')
}
expect 1 '43e00001 = 448.00003' facts overflow $casts '/^hip.e4m3fn_nosat,/s/special_above_largest/special/'
expect 1 'ffc00000 = -NaN' facts nan $casts '/^cuda.e4m3fn_sat,/s/,7f,7f,/,7f,ff,/'
expect 1 '1c800000 = 2^-70' facts wrap $casts '/^hip.e4m3fn_sat@2025,/s/1a800001..1cf7ffff/1c900001..1cf7ffff/'
expect 1 '3fc00000 = 1.5' facts midpoint $casts '/^torch.e8m0@2.11,/s/nearest_away/toward_zero/'
expect 1 '43e80000 = 464' facts fact reference/casts/facts.csv '/^cuda.e4m3fn_sat,43e80000,/s/,7e,/,7f,/'

# An edited cell of a cast changes what the program prints.
data_copy "$scratch/shown"
sed -i '/^cuda.e4m3fn_nosat,/s/special,special/largest,largest/' "$scratch/shown/$casts"
ASSAY_DATA=$scratch/shown expect 0 'equal: the rows differ at most in id, since, until, source and why' "$assay" contracts diff cuda.e4m3fn_sat cuda.e4m3fn_nosat
sed -i '/^cuda.e4m3fn_nosat,/s/nearest_even/nearest_evn/' "$scratch/shown/$casts"
ASSAY_DATA=$scratch/shown expect 2 "rounding: 'nearest_evn' is not one of" "$assay" contracts list
echo passed
