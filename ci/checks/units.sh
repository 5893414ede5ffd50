#!/usr/bin/env bash
# assay arch: output about instructions, recordings and invalid input. An edited cell of units.csv changes the result of verify.
. "$(dirname "$0")/lib.sh"

expect 0 "sm_90.wgmma.e4m3.f32" "$assay" arch list
expect 0 "nothing is predicted" "$assay" arch list
expect 0 "columns: instruction, evidence, steps (order | exponent" "$assay" arch list
"$assay" arch list 2>/dev/null | grep -q '^columns' && fail "arch list prints its legend to standard output, among the rows"
expect 0 "d = S * 2^(E - 13), rounded toward zero to 13 fraction bits of f32; a zero is +0, even if a negative sum" "$assay" arch show sm_90.wgmma.e4m3.f32
expect 0 "reference/contracts/units.csv:" "$assay" arch show gfx942.mfma.e4m3fnuz.f32
expect 2 "unknown unit 'sm_90.wgmma.e4m3.f23'; did you mean" "$assay" arch show sm_90.wgmma.e4m3.f23
expect 2 "arch show takes one instruction id" "$assay" arch show
expect 2 "arch verify takes one folder of recordings" "$assay" arch verify
expect 2 "no/such: no such folder" "$assay" arch verify no/such
mkdir "$scratch/empty"
expect 2 "holds no data set" "$assay" arch verify "$scratch/empty"

expect 0 "the smallest input found" "$assay" arch diff sm_90.wgmma.e4m3.f32 sm_90.mma.e4m3.f32
expect 0 "take(16)" "$assay" arch diff sm_90.wgmma.e4m3.f32 sm_89.mma.e4m3.f32
expect 0 "found no input on which they differ" "$assay" arch diff sm_90.wgmma.f16.f32 sm_90.mma.f16.f32
expect 2 "the instructions take different formats" "$assay" arch diff sm_90.mma.f16.f32 sm_90.mma.bf16.f32
expect 2 "nothing is predicted for gfx950.mfma.f16.f32" "$assay" arch diff gfx942.mfma.f16.f32 gfx950.mfma.f16.f32
expect 2 "arch diff: expected two instructions, but 'gfx942' is a chip; to compare chips: assay golden diff gfx942 sm_90" "$assay" arch diff gfx942 sm_90
expect 0 "sm_90.wgmma.e4m3.f32                     sm_89.mma.e4m3.f32" "$assay" arch diff sm_90.wgmma.e4m3.f32 sm_89.mma.e4m3.f32
expect 2 "arch diff takes two instruction ids" "$assay" arch diff sm_90.mma.f16.f32

# Two recorded vectors as a V100 computes them (without subnormals): 1*1 + 1*2 + 1*1 + 1*1 + 1, and 2^14 - 2^14 + 2^-9.
set=$scratch/recorded/V100/fp16
mkdir -p "$set"
printf '3f800000 3f800000 3f800000 3f800000 \n43000000 c3000000 3d000000 00000000 \n' >"$set/a_V100_fp16.txt"
printf '3f800000 40000000 3f800000 3f800000 \n43000000 43000000 3d800000 00000000 \n' >"$set/b_V100_fp16.txt"
printf '00111111100000000000000000000000\n00000000000000000000000000000000\n' >"$set/c_V100_fp32.txt"
printf '01000000110000000000000000000000\n00111011000000000000000000000000\n' >"$set/d_V100_fp32.txt"
expect 0 "2 of 2 recorded vectors are as predicted" "$assay" arch verify "$scratch/recorded"

# A model with one fraction bit less computes a wrong second result.
mkdir -p "$scratch/data"
cp -r "$root/reference" "$root/suites" "$scratch/data/"
sed -i 's/^\(sm_70.mma.f16.f32,.*\)align(23)/\1align(22)/' "$scratch/data/reference/contracts/units.csv"
expect 1 "first difference at line 2: recorded 3b000000, predicted 00000000" env ASSAY_DATA="$scratch/data" "$assay" arch verify "$scratch/recorded"
sed -i 's/^\(sm_70.mma.f16.f32,.*\)align(22)/\1align(twelve)/' "$scratch/data/reference/contracts/units.csv"
expect 2 "units.csv:2:" env ASSAY_DATA="$scratch/data" "$assay" arch list

# An undocumented instruction has candidate models, unless a user's row states its model.
expect 0 "no single prediction; 4 candidate models" "$assay" arch list
expect 0 "candidate model gfx950.mfma.e4m3.f32:each_product" "$assay" arch show gfx950.mfma.e4m3.f32
expect 0 "accumulation is undocumented: an element may be what any candidate model returns" "$assay" contracts show aiter.ck_gemm_a8w8.gfx950
{
  head -1 "$root/reference/contracts/units.csv"
  grep '^gfx950.mfma.e4m3.f32:as_gfx942,' "$root/reference/contracts/unit_candidates.csv" | sed 's/:as_gfx942//; s/,inferred,/,measured,/'
} >"$scratch/found.csv"
expect 0 "E = max e of all t of k mod 2" "$assay" contracts show aiter.ck_gemm_a8w8.gfx950 --contracts "$scratch/found.csv"
head -1 "$root/reference/contracts/dot_amd.csv" >"$scratch/e5m2.csv"
grep '^aiter.ck_gemm_a8w8.gfx950,' "$root/reference/contracts/dot_amd.csv" | sed 's/^aiter.ck_gemm_a8w8/my.gemm/; s/mfma.e4m3/mfma.e5m2/' >>"$scratch/e5m2.csv"
expect 2 "unit: nothing is predicted for 'gfx950.mfma.e5m2.f32', and it has no candidate models" "$assay" contracts show my.gemm.gfx950 --contracts "$scratch/e5m2.csv"

# An instruction from a user's table.
head -1 "$root/reference/contracts/units.csv" >"$scratch/own.csv"
echo 'my.unit,f16,f16,f32,8,take(8),ea+eb,align(24) floor,aligned,rz(23),,nan(7fffffff),model,mine,to try' >>"$scratch/own.csv"
expect 0 "floor(t / 2^(E - 24))" "$assay" arch show my.unit --units "$scratch/own.csv"
sed 's/my.unit/sm_70.mma.f16.f32/' "$scratch/own.csv" >"$scratch/again.csv"
expect 2 "is defined in" "$assay" arch list --units "$scratch/again.csv"

# Damaged files are reported with their position.
mv "$set" "$scratch/recorded/V100/fp17"
expect 2 "expected a data set of an instruction that unit_recordings.csv names, got none" "$assay" arch verify "$scratch/recorded"
mv "$scratch/recorded/V100/fp17" "$set"
truncate -s 40 "$set/d_V100_fp32.txt"
expect 2 "d_V100_fp32.txt:2: '0011101': expected an f32 code of 32 binary digits" "$assay" arch verify "$scratch/recorded"
truncate -s 33 "$set/d_V100_fp32.txt"
expect 2 "d_V100_fp32.txt: has 1 lines" "$assay" arch verify "$scratch/recorded"
rm "$set/a_V100_fp16.txt"
expect 2 "a_V100_fp16.txt: cannot be read" "$assay" arch verify "$scratch/recorded"
# Verifies the instructions of a back end, and detects a wrong one.
verify=("$assay" arch verify --elements 256 --unit sm_90.wgmma.e4m3.f32)
expect 0 '16384 of 16384 elements are as predicted' "${verify[@]}" --backend cpu
expect 0 'elements are as predicted, 0 differ' "$assay" arch verify --elements 256 --unit 'sm_120.mma.nvf4.f32' --backend cpu
expect 1 'first difference at tile' "${verify[@]}" --backend faulty --kernel mma_fraction_less
expect 2 'NOTHING RAN' "$assay" arch verify --backend cpu --unit no.such.unit
expect 2 'no folder together with --backend' "$assay" arch verify "$scratch/recorded" --backend cpu

# --output stores digests of results. These digests, and a file recorded on a GPU, are later compared with the models without a back end.
seen=$scratch/seen.csv
expect 1 'was not written: some results are not as predicted' "${verify[@]}" --backend faulty --kernel mma_fraction_less --output "$seen"
[ ! -e "$seen" ] || fail "$seen was written although a result is wrong"
expect 0 'wrote' "${verify[@]}" --backend cpu --output "$seen"
expect 0 '16384 of 16384 observed elements are as predicted' "$assay" arch verify "$seen"
sed '2s/,[0-9a-f]\{16\},/,0123456789abcdef,/' "$seen" >"$scratch/other.csv"
expect 1 'chains of 1 instructions: observed digest 0123456789abcdef' "$assay" arch verify "$scratch/other.csv"
sed 's/near 1/near 2/' "$seen" >"$scratch/other.csv"
expect 2 "expected a kind of data for this instruction, such as 'uniform bits', got 'near 2'" "$assay" arch verify "$scratch/other.csv"
sed '2s/,512,/,500,/' "$seen" >"$scratch/other.csv"
expect 2 'expected a multiple of 64 x 8, the tile size, got' "$assay" arch verify "$scratch/other.csv"
expect 2 'does not use --output; only arch verify --backend does' "$assay" arch verify "$seen" --output "$scratch/other.csv"
for file in "$root"/golden/observed/*/units.csv; do
  [ ! -e "$file" ] || expect 0 'observed elements are as predicted' "$assay" arch verify "$file" ${sample:+--unit '*.wgmma.tf32.f32'}
done
echo "assay arch shows, compares and verifies tensor core instructions"
