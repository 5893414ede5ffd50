#!/usr/bin/env bash
# assay judge on recordings, dumps and single scale tensors: a recording gets the verdicts of its run. Files of other programs are
# read, or rejected with a message. A sample records fewer cases per op.
. "$(dirname "$0")/lib.sh"
r=$scratch
packed='quant_group/vllm.group_fp8_packed/bf16.m5.n1024.g128.ue8m0x4_tma/normal.s1/w32'

# Running and judging give identical verdicts, byte for byte, for correct and wrong kernels. The cases have grouped outputs,
# in-place outputs, rows that share a factor, several tensors in one buffer, and calls that fail.
cases=(--suite quick --warp 32 --case 'quant_group/vllm.*/bf16*/normal.*' --case 'fused_add_rms_norm/*/f16*/normal.*'
  --case 'qk_norm_rope/*/f16*/normal.*' --case 'concat_and_cache_mla/*/normal.*')
[ -z "$sample" ] || cases=(--suite quick --warp 32 --case 'quant_group/vllm.*/bf16.m5.n1024.g128*/normal.s1/*' --case 'fused_add_rms_norm/vllm.*/f16*/normal.*'
  --case 'qk_norm_rope/vllm.fused*/f16*/normal.*' --case 'concat_and_cache_mla/*/f16*/normal.*')
# verdicts FILE: a CSV or console report without the columns and lines that differ between a run and a recording.
verdicts() {
  case $1 in
    *.csv) python3 -c 'import csv, sys; [print([v for k, v in r.items() if not k.startswith("run_")]) for r in csv.DictReader(open(sys.argv[1]))]' "$1" ;;
    *) sed '/^run_/d; /^wrote /d; /^  repro /d; /^  next /d' "$1" ;;
  esac
}
for backend in cpu faulty; do
  "$assay" run --backend $backend "${cases[@]}" --report csv:"$r/$backend.csv" --report console --show all --record "$r/$backend" >"$r/$backend.txt"
  ran=$?
  "$assay" judge "$r/$backend" --report csv:"$r/judged.csv" --report console --show all >"$r/judged.txt"
  [ $? -eq $ran ] || fail "assay judge and assay run have different exit codes for back end $backend"
  cmp <(verdicts "$r/$backend.csv") <(verdicts "$r/judged.csv") || fail "the CSV reports of assay run and assay judge differ for back end $backend"
  cmp <(verdicts "$r/$backend.txt") <(verdicts "$r/judged.txt") || fail "the printed reports of assay run and assay judge differ for back end $backend"
done
[ $ran -eq 1 ] || fail "the run of back end faulty passes"
expect 2 "holds a recording already" "$assay" run --case "$packed" --record "$r/cpu"

# A recording needs no kernel library.
mkdir "$r/alone" && cp "$assay" "$r/alone/"
expect 0 "ALL AS EXPECTED" env ASSAY_DATA="$root" "$r/alone/assay" judge "$r/cpu"

# Shards.
mkdir "$r/shards"
norms=(--suite rms_norm/quick)
[ -z "$sample" ] || norms+=(--case '*/bf16.m4.*')
"$assay" run "${norms[@]}" --report csv:"$r/whole.csv" --record "$r/whole" >/dev/null
"$assay" run "${norms[@]}" --warp 64 --record "$r/shards/b" >/dev/null
"$assay" run "${norms[@]}" --warp 32 --record "$r/shards/a" >/dev/null
without_seconds() { python3 -c 'import csv, sys; [print([v for k, v in r.items() if k != "seconds" and not k.startswith("run_")]) for r in csv.DictReader(open(sys.argv[1]))]' "$1"; }
"$assay" judge "$r/shards/b" "$r/shards/a" --report csv:"$r/merged.csv" >/dev/null || fail "judge fails on the recordings of both shares of a run"
cmp <(without_seconds "$r/whole.csv") <(without_seconds "$r/merged.csv") || fail "the verdicts on the recordings of both shares differ from those of the whole run"
expect 0 "duplicate: " "$assay" judge "$r/whole" "$r/shards/a"
expect 0 "ALL AS EXPECTED" "$assay" judge "$r/whole" "${norms[@]}"
expect 1 "missing: no recording has the case rms_norm/" "$assay" judge "$r/shards/a" "${norms[@]}"
expect 1 "BUT INCOMPLETE" "$assay" judge "$r/shards/a" "${norms[@]}"

# Damaged recordings.
cp -r "$r/shards/a" "$r/damaged"
one=$(cd "$r/damaged" && find rms_norm -name '*.safetensors' | sort | head -1)
printf 'x' | dd of="$r/damaged/$one" bs=1 seek=2000 conv=notrunc status=none
expect 1 "recorded input 'x' differs from the input that this program generates" "$assay" judge "$r/damaged"
head -c 900 "$r/whole/$one" >"$r/damaged/$one"
expect 1 "no verdict: " "$assay" judge "$r/damaged"
rm "$r/damaged/$one"
expect 1 "no such file" "$assay" judge "$r/damaged"
cp -r "$r/shards/a" "$r/differs"
printf 'xyz' | dd of="$r/differs/$one" bs=1 seek=$(($(stat -c %s "$r/differs/$one") - 5)) conv=notrunc status=none
expect 1 "the recordings differ" "$assay" judge "$r/shards/a" "$r/differs"
sed -i 's/"count":[0-9]*/"count":1/' "$r/damaged/index.json"
expect 2 "its header states 1 verdicts" "$assay" judge "$r/damaged"
head -c 500 "$r/whole/index.json" >"$r/damaged/index.json"
expect 2 "index.json: line" "$assay" judge "$r/damaged"
rm "$r/damaged/index.json"
expect 2 "its run did not finish" "$assay" judge "$r/damaged"

# Writes the files of a user, without Assay.
python3 - "$r" <<'PYTHON' || fail "cannot write the files of a user who does not use Assay"
import json, struct, sys
folder = sys.argv[1]
def safetensors(name, tensors):
    header, data = {}, b""
    for tensor, (dtype, shape, content) in tensors.items():
        header[tensor] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header).encode()
    open(f"{folder}/{name}.safetensors", "wb").write(struct.pack("<Q", len(text)) + text + data)
def npy(name, descr, shape, content, fortran=False):
    text = repr({"descr": descr, "fortran_order": fortran, "shape": shape}).encode()
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    open(f"{folder}/{name}.npy", "wb").write(b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text + content)
words = lambda *w: struct.pack(f"<{len(w)}I", *w)
floats = lambda *f: struct.pack(f"<{len(f)}f", *f)
bits = lambda f: struct.unpack("<I", struct.pack("<f", f))[0]
bf16 = lambda *f: b"".join(struct.pack("<f", v)[2:] for v in f)
pack = lambda a, b, c, d: (bits(a) >> 23 | bits(b) >> 15 | bits(c) >> 7 | bits(d) << 1) & 0xFFFFFFFF
# Two rows of 512 elements: all elements of group g in row r are 448 * 2^(r + g), so every code is 448 and every scale 2^(r + g).
x = bf16(*[448.0 * 2 ** (r + g) for r in range(2) for g in range(4) for _ in range(128)])
q = b"\x7e" * 1024
scale = [127 + r + g for r in range(2) for g in range(4)]
packed = words(*[sum(scale[4 * r + j] << 8 * j for j in range(4)) for r in range(2)])
fp32 = floats(*[2.0 ** (s - 127) for s in scale])
good = {"x": ("BF16", [2, 512], x), "q": ("F8_E4M3", [2, 512], q), "scale": ("I32", [2, 1], packed)}
safetensors("good", good)
safetensors("flat", {**good, "scale": ("I32", [2], packed)})
safetensors("norm", {"x": ("BF16", [2, 512], x), "gamma": ("BF16", [512], x[:1024]), "y": ("BF16", [2, 512], x)})
safetensors("zeros", {"x": ("BF16", [2, 512], bytes(2048)), "q": ("F8_E4M3", [2, 512], bytes(1024)), "scale": ("F32", [2, 4], floats(*[struct.unpack("<f", struct.pack("<f", 1e-10))[0] / 448] * 8))})
safetensors("many_rows", {"x": ("BF16", [128, 1024], bytes(262144)), "q": ("F8_E4M3", [128, 1024], bytes(131072)), "scale": ("F32", [128, 8], floats(*[struct.unpack("<f", struct.pack("<f", 1e-10))[0] / 448] * 1024))})
safetensors("bytes", {**good, "q": ("U8", [2, 512], q)})
safetensors("renamed", {"input": good["x"], "out": good["q"], "s": good["scale"]})
safetensors("noscale", {"x": good["x"], "q": good["q"]})
safetensors("shape", {**good, "q": ("F8_E4M3", [4, 256], q)})
safetensors("groups", {**good, "scale": ("I32", [2, 3], packed * 3)})
# Dumps with eight rows, whose scales have wrong values that no known cause explains.
def rows_of_eight(name, wrong):
    tall = [[wrong.get((r, j), 127 + r + j) for j in range(4)] for r in range(8)]
    safetensors(name, {"x": ("BF16", [8, 512], bf16(*[448.0 * 2 ** (r + g) for r in range(8) for g in range(4) for _ in range(128)])), "q": ("F8_E4M3", [8, 512], b"\x7e" * 4096),
                       "scale": ("I32", [8, 1], words(*[sum(row[j] << 8 * j for j in range(4)) for row in tall]))})
# Dumps with eight rows of eight groups, so with two columns of packed int32 scales. The scales are copied row-major, or column-major as a kernel stores them.
# One dump also has NaN in x.
many = [[120 + (3 * r + 5 * g) % 17 for g in range(8)] for r in range(8)]
wide = bytearray(bf16(*[448.0 * 2.0 ** (b - 127) for row in many for b in row for _ in range(128)]))
word = lambda r, w: words(sum(many[r][4 * w + j] << 8 * j for j in range(4)))
in_rows, in_columns = (b"".join(word(r, w) for r in range(8) for w in range(2)), b"".join(word(r, w) for w in range(2) for r in range(8)))
npy("wide_x", "<V2", (8, 1024), bytes(wide)); npy("wide_q", "|V1", (8, 1024), b"\x7e" * 8192)
npy("wide_rows", "<i4", (8, 2), in_rows); npy("wide_columns", "<i4", (8, 2), in_columns, True)
npy("wide_crossed", "<i4", (2, 8), in_columns)
swapped = bytearray(in_columns); swapped[20:24] = swapped[20:24][::-1]
npy("wide_swapped", "<i4", (8, 2), bytes(swapped), True)
stale = bytearray(in_columns); stale[12:16] = stale[44:48] = bytes(4)
npy("wide_unwritten", "<i4", (8, 2), bytes(stale), True)
wide[2 * (3 * 1024 + 200):2 * (3 * 1024 + 200) + 2] = b"\xc0\x7f"
spoiled = bytearray(in_columns); spoiled[12 + 1] = 0xFF
codes = bytearray(b"\x7e" * 8192); codes[3 * 1024 + 128:3 * 1024 + 256] = b"\x7f" * 128
npy("nan_x", "<V2", (8, 1024), bytes(wide)); npy("nan_q", "|V1", (8, 1024), bytes(codes)); npy("nan_scale", "<i4", (8, 2), bytes(spoiled), True)
rows_of_eight("one_row", {(2, 0): 0x03, (2, 1): 0xF1, (2, 2): 0x11, (2, 3): 0xC0})
rows_of_eight("row_with_nan", {(2, 0): 0xFF, (2, 1): 0xF1, (2, 2): 0x11, (2, 3): 0xC0})
safetensors("equal_scales", {"x": ("BF16", [8, 512], bf16(*[448.0] * 4096)), "q": ("F8_E4M3", [8, 512], b"\x7e" * 4096), "scale": ("I32", [8, 1], words(*[0x7F7F7F7F] * 8))})
rows_of_eight("scattered", {(0, 1): 0x03, (2, 3): 0xF1, (4, 0): 0x11, (6, 2): 0xC0})
safetensors("fp32", {**good, "scale": ("F32", [2, 4], fp32)})
safetensors("floor", {**good, "scale": ("I32", [2, 1], words(*[sum((scale[4 * r + j] - 1) << 8 * j for j in range(4)) for r in range(2)]))})
npy("x", "<V2", (2, 512), x); npy("q", "|V1", (2, 512), q); npy("scale", "<i4", (2, 1), packed)
npy("col", "<f4", (2, 4), b"".join(struct.pack("<2f", 2.0 ** g, 2.0 ** (g + 1)) for g in range(4)), True)
safetensors("lone", {"word2": ("I32", [1, 1], words(pack(1, 1, 1, 1.5))), "word0": ("I32", [1, 1], words(pack(1, 1.5, 1, 1))),
                     "healthy": ("I32", [2, 1], packed), "fp32": ("F32", [2, 4], floats(*[0.011 * 1.37 ** i for i in range(8)])),
                     "bits": ("I32", [4, 1], words(*[bits(0.0123)] * 4)), "nan": ("F32", [1, 2], floats(float("nan"), 1)),
                     "stale": ("I32", [8, 1], words(*[0x78797A7B, 0x77787A7B] * 3, 0xCDCDCDCD, 0xCDCDCDCD)), "long": ("I64", [1], b"12345678")})
PYTHON
p="--contract vllm.group_fp8_packed"
expect 0 "PASS  quant_group/vllm.group_fp8_packed/bf16.m2.n512.g128.ue8m0x4_tma" "$assay" judge "$r/good.safetensors" $p
expect 0 "PASS" "$assay" judge "$r/flat.safetensors" $p --layout ue8m0x4_tma
expect 0 "PASS" "$assay" judge "$r/bytes.safetensors" $p
expect 0 "PASS" "$assay" judge "$r/renamed.safetensors" $p --tensor x=input --tensor q=out --tensor scale=s
expect 0 "PASS" "$assay" judge x="$r/x.npy:bf16" q="$r/q.npy:e4m3fn" scale="$r/scale.npy" $p
expect 0 "bf16.m2.n512.g128.col" "$assay" judge x="$r/x.npy:bf16" q="$r/q.npy:e4m3fn" scale="$r/col.npy" --contract vllm.group_fp8
expect 0 "bf16.m2.n512.g128.row" "$assay" judge "$r/fp32.safetensors" --contract vllm.group_fp8
expect 1 "scale[0, 0]   got 0x7e = 0.5   accepted 0x7f = 1" "$assay" judge "$r/floor.safetensors" $p
expect 2 "no tensor for role 'scale'" "$assay" judge "$r/noscale.safetensors" $p
expect 2 "tensor 'q': has shape [4, 256]; role 'q' must be [2, 512], as x says" "$assay" judge "$r/shape.safetensors" $p
expect 2 "tensor 'scale': is I32 [2, 3]; contract vllm.group_fp8_packed with x [2, 512] expects" "$assay" judge "$r/groups.safetensors" $p
expect 2 "... (9 in all; try --param group_size=N or --layout NAME)" "$assay" judge x="$r/x.npy:bf16" q="$r/q.npy:e4m3fn" scale="$r/x.npy:bf16" --contract vllm.group_fp8
expect 2 "These are fp32 scales, but packed UE8M0 words are expected" "$assay" judge "$r/fp32.safetensors" $p
expect 2 "names the contracts that store fp32 scales" "$assay" judge "$r/fp32.safetensors" $p
expect 0 "note   the scales are powers of two, but not packed: a GEMM with packed UE8M0 scales reads int32" "$assay" judge "$r/fp32.safetensors:scale" --as ue8m0_scale
grep -q "not packed" <<<"$("$assay" judge "$r/fp32.safetensors:scale" --as scale)" && fail "judge --as scale prints 'not packed', although it accepts fp32 scales"
# judge states what a dump cannot show (the memory order), and warns of data that expose few mistakes.
wide() { "$assay" judge x="$r/wide_x.npy:bf16" q="$r/wide_q.npy:e4m3fn" scale="$r/wide_$1.npy" $p; }
expect 0 "NOT CHECKED: order in memory of scale" wide rows
expect 0 "is a row-major copy, which has lost the order in memory; the contract stores column-major order: dump the storage, a vector of 16 elements" wide rows
grep -q "NOT CHECKED" <<<"$(wide columns)" && fail "judge reports NOT CHECKED for a column-major file, whose memory order is known"
expect 0 "of shape [2, 8] was read as the storage, in column-major order" wide crossed
grep -q "have the same value" <<<"$(wide columns)" && fail "judge reports that different scales have the same value"
expect 0 "32 of 32 scales have the same value, so these data hardly show whether scales are exchanged" "$assay" judge "$r/equal_scales.safetensors" $p
expect 1 "the bytes of one word in the opposite order (byte order): row 5, groups 0..3" wide swapped
expect 1 "one code in every wrong element, 0x00" wide unwritten
expect 1 "note      wrong elements are only in row 3 of scale: perhaps the kernel did not write them, kept" wide unwritten
judge_nan() { "$assay" judge x="$r/nan_x.npy:bf16" q="$r/nan_q.npy:e4m3fn" scale="$r/nan_scale.npy" $p; }
expect 1 "cause     pattern: x has NaN: " judge_nan
expect 1 "no place without errors has this property; such values in x: 1, the first is x[3, 200])" judge_nan
grep -q "memory was not written" <<<"$(judge_nan)" && fail "judge blames unwritten memory for a NaN of x"
# The report of a failure without a known cause ends with a command (`next`); with a known cause it does not.
ends_with() { grep -qF "$2" <<<"$("$assay" judge "$r/$1.safetensors" $p | tail -n 1)" || fail "judge $1.safetensors does not end with '$2'"; }
expect 1 "no known cause" "$assay" judge "$r/one_row.safetensors" $p
expect 1 "note      wrong elements are only in row 2 of scale: perhaps the kernel did not write them, kept" "$assay" judge "$r/one_row.safetensors" $p
ends_with one_row "next      if the kernel is in a library: assay run --backend ./libmine.so --suite quant_group/quick --ladder"
ends_with row_with_nan "next      assay judge $r/row_with_nan.safetensors:scale --as ue8m0_scale"
expect 1 "next      assay contracts match $r/scattered.safetensors counts" "$assay" judge "$r/scattered.safetensors" $p
grep -q "^  next" <<<"$("$assay" judge "$r/floor.safetensors" $p)" && fail "a failure with a known cause prints a line 'next'"
expect 2 "did you mean 'vllm.group_fp8_packed'" "$assay" judge "$r/good.safetensors" --contract vllm.group_fp8_paked
expect 2 "no such parameter; did you mean 'group_size'" "$assay" judge "$r/good.safetensors" $p --param group_sise=128
expect 2 "needs --param eps=VALUE" "$assay" judge "$r/good.safetensors" --contract vllm.rms_norm@2026-06-18
expect 2 "a dump needs --contract ID; to find the contract: assay contracts match $r/good.safetensors" "$assay" judge "$r/good.safetensors"
head -c 300 "$r/good.safetensors" >"$r/cut.safetensors"
expect 2 "cut.safetensors: tensor" "$assay" judge "$r/cut.safetensors" $p

# Records tensors of every kind of op, and judges them as files of unknown origin.
recorded=0
as_dump() { # BACKEND KERNEL CASE: records the tensors of that call and sets $file
  recorded=$((recorded + 1))
  "$assay" run --backend "$1" --kernel "$2" --case "$3" --record "$r/dump$recorded" >/dev/null
  file=$(find "$r/dump$recorded" -name '*.safetensors')
  [ -f "$file" ] || fail "no recording of $3"
}
judge_dump() { # CODE TEXT CASE ARGUMENT...: judges $file under the contract of that case
  expect "$1" "$2" "$assay" judge "$file" --contract "$(cut -d/ -f2 <<<"$3")" "${@:4}"
}
for case in 'cast/cuda.e4m3fn_sat/bf16/all/w32' 'quant_tile/vllm.per_tensor/bf16.m5.n1024.g5x1024.row/normal.s1/w32' \
  'quant_tile/deepgemm.per_block_cast/bf16.m256.n384.g128x128.row/normal.s1/w32' \
  'quant_azp/vllm.per_token_int8_azp/bf16.m5.n1024.g1024.row/normal.s1/w32'; do
  as_dump cpu '*' "$case"
  judge_dump 0 PASS "$case"
done
judge_dump 2 "--param group_size=7x: " "$case" --param group_size=7x
layer=$("$assay" list --suite layer_norm/quick --warp 32 --case '*flashinfer.layer_norm/bf16*/normal.*' | head -1)
as_dump cpu layer_norm "$layer" && judge_dump 0 PASS "$layer" --param eps=1e-6
as_dump faulty layer_by_rms "$layer" && judge_dump 1 "its mean not taken off" "$layer" --param eps=1e-6
blocks='quant_tile/deepgemm.per_block_cast/bf16.m256.n384.g128x128.row/normal.s1/w32'
as_dump faulty block_scales_transposed "$blocks" && judge_dump 1 "scale[0, 1]" "$blocks"
expect 2 "record its calls with assay run --record" "$assay" judge "$r/good.safetensors" --contract vllm.fp8_ds_mla
expect 2 "role 'gamma' must be [512]" "$assay" judge "$r/renamed.safetensors" --contract flashinfer.layer_norm --param eps=1e-6 \
  --tensor x=input --tensor y=out --tensor gamma=input

# GEMMs: contracts match names the contract and the algorithm (such as split-K 2). A mixture of two algorithms in one output is reported.
product=$("$assay" list --suite gemm_scaled/quick --warp 32 --case '*torch.scaled_mm_tensor_fast.sm_90/*few_maxima*' | head -1)
as_dump cpu gemm_scaled.tensor "$product" && whole=$file
as_dump cpu gemm_scaled.split_k "$product" && split=$file
judge_dump 0 "split-K 2" "$product"
expect 0 "obeys     torch.scaled_mm_tensor_fast.sm_90" "$assay" contracts match "$split"
expect 0 "made by   sm_90.wgmma.e4m3.f32, split-K 2, acc * (sa * sb)" "$assay" contracts match "$split" --op gemm_scaled
python3 - "$whole" "$split" "$r" <<'PYTHON' || fail "cannot combine two GEMM outputs"
import json, struct, sys
def parts(path):
    data = open(path, "rb").read()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + size])
    return data, header["d"]["shape"], 8 + size + header["d"]["data_offsets"][0]
whole, (m, n), at = parts(sys.argv[1])
split, _, other = parts(sys.argv[2])
def write(name, taken):  # d of $split, with the elements in `taken` from $whole
    data = bytearray(split)
    for row in range(m):
        for column in range(n):
            i = 4 * (row * n + column)
            if taken(row, column): data[other + i:other + i + 4] = whole[at + i:at + i + 4]
    open(f"{sys.argv[3]}/{name}.safetensors", "wb").write(data)
    return data
write("columns", lambda row, column: column < n // 2)
write("rows", lambda row, column: row >= 4)
data = write("none", lambda row, column: False)
data[other] ^= 1
open(f"{sys.argv[3]}/none.safetensors", "wb").write(data)
PYTHON
matched() { "$assay" contracts match "$r/$1.safetensors" --op gemm_scaled; }
expect 0 "columns 0 to 7 by sm_90.wgmma.e4m3.f32, split-K 1, acc * (sa * sb)" matched columns
expect 0 "columns 8 to 15 by sm_90.wgmma.e4m3.f32, split-K 2, acc * (sa * sb)" matched columns
expect 0 "rows 4 to 8 by sm_90.wgmma.e4m3.f32, split-K 1, acc * (sa * sb)" matched rows
expect 0 "no known algorithm; nearest sm_90.wgmma.e4m3.f32, split-K 2, acc * (sa * sb): 143 of 144 elements, not [0, 0]" matched none
# judge compares a sample of rows of large tensors first. It prints that verdict at once, and then compares all rows.
printf '%s\n' 'contract,m,n,k,fill,b,scales,scale,y,bias,azp,seed,warp,why,blind_to' \
  'torch.scaled_mm_tensor_fast.sm_90,520,128,32,amax_scaled,amax_scaled,tensor,amax_scales,bf16,,,1,32,large,*' >"$scratch/large.csv"
"$assay" run --cases "$scratch/large.csv" --op gemm_scaled --record "$r/large" >/dev/null
large=$(find "$r/large" -name 'gemm_scaled.tensor.safetensors')
"$assay" contracts match "$large" --op gemm_scaled >"$scratch/matched" || fail "contracts match finds no contract for large tensors"
head -1 "$scratch/matched" | grep -q '^a sample of 8 rows rules out every contract except .*torch.scaled_mm_tensor_fast.sm_90' || fail "the sample of rows rules out the kernel's contract"
python3 - "$large" "$r/last_row.safetensors" "$r/all_rows.safetensors" <<'PYTHON'
import json, struct, sys
data = open(sys.argv[1], "rb").read()
size = struct.unpack("<Q", data[:8])[0]
begin, end = json.loads(data[8:8 + size])["d"]["data_offsets"]
begin, end = 8 + size + begin, 8 + size + end
last, every = bytearray(data), bytearray(data)
last[end - 1] ^= 0x80  # the sign of the last element, in no row of the sample
every[begin:end] = bytes(end - begin)
open(sys.argv[2], "wb").write(last)
open(sys.argv[3], "wb").write(every)
PYTHON
"$assay" contracts match "$r/last_row.safetensors" --op gemm_scaled >"$scratch/matched" && fail "contracts match accepts tensors with a wrong last row"
head -1 "$scratch/matched" | grep -q ' except .*torch.scaled_mm_tensor_fast.sm_90' || fail "the sample rules out the kernel's contract: the wrong last row is in the sample"
grep -q "not       torch.scaled_mm_tensor_fast.sm_90 .* 1 elements outside;" "$scratch/matched" || fail "contracts match does not report 1 wrong element of the last row"
expect 1 "a sample of 8 rows rules out all contracts" "$assay" contracts match "$r/all_rows.safetensors" --op gemm_scaled
# Under a contract with an unknown instruction, each element may come from a different algorithm, so the mixture passes.
matched columns | grep obeys | grep -qv 'assay\.unknown_' && fail "contracts match accepts a mixture of algorithms"
blocked=$("$assay" list --suite gemm_block_scaled/quick --warp 32 --case '*deepgemm.fp8_gemm_1d1d.sm_90/*few_maxima*' | head -1)
joined=$("$assay" list --suite gemm_block_scaled/quick --warp 32 --case '*torch.scaled_mm_1x128_128x128.sm_90/*few_maxima*' | head -1)
as_dump faulty block_gemm_scale_order "$joined"
expect 0 "made by   sm_90.wgmma.e4m3.f32, promoted every 128, acc = fma(chain * sa, sb, acc)" "$assay" contracts match "$file"
as_dump cpu gemm_block_scaled "$blocked" && judge_dump 0 PASS "$blocked"
expect 2 "expected equal k: b has one row of k elements for each column of d" "$assay" judge "$file" --contract deepgemm.fp8_gemm_1d1d.sm_90 --tensor b=scale_a
expect 2 "NOTHING COMPARED" "$assay" contracts match "$r/lone.safetensors"
expect 2 "need a parameter that does not follow from the tensors; set it with --param, as the lines above say" "$assay" contracts match "$r/norm.safetensors"
"$assay" contracts match "$r/good.safetensors" | grep -q "not       torch.e4m3fn" && fail "contracts match tries cast contracts, which have no scale, on tensors with a scale"
expect 0 "these inputs expose" "$assay" judge "$r/good.safetensors" $p
expect 0 "a pass on these inputs says little" "$assay" judge "$r/zeros.safetensors" --contract vllm.group_fp8
"$assay" judge "$r/good.safetensors" $p | grep -q "unknown kernel" && fail "the report of a dump contains 'unknown kernel'"
expect 2 "is a vector of words, in which padding looks like scales; state --layout" "$assay" judge "$r/flat.safetensors:scale" --as ue8m0_scale
expect 0 "CLEAN" "$assay" judge "$r/flat.safetensors:scale" --as ue8m0_scale --layout ue8m0x4_tma --param m=2 --param groups=4

# A user's own contract table, which --contracts names before the file to judge.
expect 0 "wrote $r/acme.csv: a copy of vllm.group_fp8_packed" "$assay" new contract acme.packed --from vllm.group_fp8_packed --output "$r/acme.csv"
expect 2 "acme.csv already exists" "$assay" new contract acme.packed --from vllm.group_fp8_packed --output "$r/acme.csv"
expect 0 "PASS" "$assay" judge --contracts "$r/acme.csv" "$r/good.safetensors" --contract acme.packed
expect 0 "rows of vllm.group_fp8_packed, for acme.packed" "$assay" new case acme.packed --from vllm.group_fp8_packed --contracts "$r/acme.csv" --output "$r/acme_cases.csv"
expect 0 "acme.packed" "$assay" list --contracts "$r/acme.csv" --cases "$r/acme_cases.csv"

# If a recorded output has another shape than the case requires, both shapes are printed.
norm='rms_norm/vllm.ir_rms_norm/bf16.m4.n1024.eps1e-6/normal.gamma.s1/w32'
"$assay" run --case "$norm" --record "$r/norm" >/dev/null || fail "no recording of $norm"
cp -r "$r/norm" "$r/reshaped"
sed -i 's/"y":{"dtype":"BF16","shape":\[4,1024\]/"y":{"dtype":"BF16","shape":[8, 512]/' "$(find "$r/reshaped" -name '*.safetensors')"
expect 1 "recorded output 'y': expected bf16 [4, 1024], strides [1024, 1], 4096 elements, got bf16 [8, 512], strides [512, 1], 4096 elements" "$assay" judge "$r/reshaped"

# Help that judge prints: the contract that the outputs obey, the usual value of a missing parameter, how the group size was inferred, and how to convert a file
# of torch.save. A file with several layers gets a verdict for each.
dump="$(find "$r/norm" -name '*.safetensors')"
expect 0 "PASS" "$assay" judge "$dump" --contract vllm.ir_rms_norm --param eps=1e-6
expect 1 "cause     obeys vllm.rms_norm@v0.19.1, vllm.ir_rms_norm" "$assay" judge "$dump" --contract vllm.rms_norm@2026-06-18 --param eps=1e-6
"$assay" judge "$dump" --contract vllm.ir_rms_norm --param eps=1e-6 | grep -q "obeys " && fail "judge prints 'obeys' for a dump that conforms to the requested contract"
expect 2 "the usual value is --param eps=1e-6" "$assay" judge "$dump" --contract vllm.ir_rms_norm
expect 0 "group size 128 (of 32|128) follows from the shape of the scales" "$assay" judge "$r/good.safetensors" $p
python3 - "$r" <<'END' || fail "cannot write a file with two layers"
import json, struct, sys
folder = sys.argv[1]
def tensors(name):
    data = open(f"{folder}/{name}.safetensors", "rb").read()
    size = struct.unpack("<Q", data[:8])[0]
    head = json.loads(data[8:8 + size])
    return {k: (v, data[8 + size + v["data_offsets"][0]:8 + size + v["data_offsets"][1]]) for k, v in head.items() if k != "__metadata__"}
head, body = {}, b""
for layer, name in ((0, "good"), (1, "floor")):
    for role, (entry, data) in tensors(name).items():
        head[f"layers.{layer}.{role}"] = {**entry, "data_offsets": [len(body), len(body) + len(data)]}
        body += data
text = json.dumps(head).encode()
text += b" " * (-len(text) % 8)
open(folder + "/layers.safetensors", "wb").write(struct.pack("<Q", len(text)) + text + body)
END
layers=("$assay" judge "$r/layers.safetensors" $p --tensor 'x=layers.*.x' --tensor 'q=layers.*.q')
expect 1 "* = 1" "${layers[@]}" --tensor 'scale=layers.*.scale'
expect 1 "NOT AS EXPECTED: 1 of 2 (1 pass, 1 fail)" "${layers[@]}" --tensor 'scale=layers.*.scale'
expect 2 "no tensor matches; did you mean 'layers.0.q'" "$assay" judge "$r/layers.safetensors" $p --tensor 'x=layer.*.q'
expect 2 "no tensor 'layers.0.s'" "${layers[@]}" --tensor 'scale=layers.*.s'
touch "$r/x.pt"
expect 2 "torch.load('$r/x.pt', weights_only=True).items()}, '$r/x.safetensors')" "$assay" judge "$r/x.pt" --contract vllm.group_fp8
expect 2 "add --param m=ROWS --param groups=GROUPS" "$assay" judge "$r/good.safetensors:scale" --as scale --layout row
expect 2 "add --param n=COLUMNS" "$assay" judge "$r/good.safetensors:scale" --as scale --param group_size=128

# A recording comes without its kernel, so the repro line judges the recording again.
"$assay" judge "$r/faulty" >"$r/judged_faulty.txt"
grep -q "repro     assay judge $r/faulty --case " "$r/judged_faulty.txt" || fail "the repro line does not judge the recording: $(grep -m 1 repro "$r/judged_faulty.txt")"
grep -q "repro     assay run" "$r/judged_faulty.txt" && fail "the repro line of a recording runs a kernel, which may differ from the recorded one"

# Quantizations: contracts match tries every contract whose tensors have these shapes and types.
expect 0 "obeys     vllm.group_fp8_packed" "$assay" contracts match "$r/good.safetensors"
expect 1 "not       vllm.group_fp8_packed" "$assay" contracts match "$r/floor.safetensors" --op quant_group
expect 1 "NONE OBEYED; nearest: " "$assay" contracts match "$r/scattered.safetensors"
expect 1 "scale 4 of 32 wrong, q right" "$assay" contracts match "$r/scattered.safetensors"
expect 0 "obeys     vllm.group_fp8 " "$assay" contracts match "$r/many_rows.safetensors" --op quant_group
expect 0 "CONTRACTS, which these tensors do not distinguish" "$assay" contracts match "$r/good.safetensors"
grep -q "row with groups" <<<"$("$assay" contracts match "$r/scattered.safetensors")" && fail "contracts match prints requirements of ops that do not fit the tensors"

# A single scale tensor.
lone() { "$assay" judge "$r/lone.safetensors:$1" --as "${2:-scale}"; }
expect 1 "scales [1, 1, 1, 1.5]" lone word2
expect 1 "word2[0, 2]: byte 0xFF = NaN in word 0x7FFF7F7F: mantissa bits of group 3" lone word2
expect 1 "word0[0, 0]: byte 0xFF = NaN in word 0x7F7F7FFF: mantissa bits of group 1" lone word0
expect 0 "CLEAN" lone healthy
expect 0 "CLEAN" lone fp32
expect 1 "8 of 8 fp32 scales are not powers of two" lone fp32 ue8m0_scale
expect 1 "4 of 4 words hold the bits of an fp32 scale" lone bits
expect 1 "1 of 2 scales is NaN" lone nan
expect 1 "the last 2 rows hold one value, 0xCD" lone stale
expect 2 "I64" lone long
expect 2 "did you mean 'healthy'" lone helthy
expect 2 "has 8 tensors" "$assay" judge "$r/lone.safetensors" --as scale
expect 0 "CLEAN" "$assay" judge "$r/scale.npy" --as scale

# Single scale tensors written by faulty kernels.
wrote() { "$assay" judge "$r/faulty/$packed/$1.safetensors:scale" --as scale; }
expect 1 "mantissas lost by packing" wrote unmasked_packed_mantissas
expect 1 "hold the bits of an fp32 scale" wrote fp32_scale_bits_for_packed
expect 1 "stale padding" wrote stale_padding
expect 0 "CLEAN" wrote floor_for_ceil
for file in $(cd "$r/cpu" && find quant_group -path '*normal*' -name '*.safetensors' ! -path '*.m0.*'); do
  expect 0 "CLEAN" "$assay" judge "$r/cpu/$file:scale" --as scale
done

# The minimized case is a table row that still fails.
minimize() { "$assay" explain "$1" --minimize --backend faulty --kernel "$2" --output "$r/minimal.csv"; }
expect 1 "vllm.group_fp8_packed,bf16,1,32,,32,ue8m0x4_tma," minimize "$packed" floor_for_ceil
expect 1 "vllm.group_fp8_packed,bf16,1,64,,32,ue8m0x4_tma," minimize "$packed" unmasked_packed_mantissas
expect 1 "deepgemm.per_block_cast,bf16,256,256,,128x128,row," minimize "$blocks" block_scales_transposed
expect 1 "deepgemm.per_block_cast,bf16,128,128,,128x128,row," minimize "$blocks" block_rows_forgotten
tensor='quant_tile/vllm.per_tensor/bf16.m5.n1024.g5x1024.row/normal.s1/w32'
expect 0 "nothing to minimize: $tensor passes" "$assay" explain "$tensor" --minimize
minimize "$packed" unmasked_packed_mantissas >/dev/null
expect 1 "OR-packed without a mask" "$assay" run --backend faulty --kernel unmasked_packed_mantissas --cases "$r/minimal.csv"
expect 0 "ALL AS EXPECTED" "$assay" run --cases "$r/minimal.csv"
data_copy "$r/table"
cp "$r/minimal.csv" "$r/table/suites/quant_group/cases/quick_minimal.csv"
ASSAY_DATA=$r/table expect 1 "OR-packed without a mask" "$assay" run --backend faulty --kernel unmasked_packed_mantissas --case '*bf16.m1.n64.g32.ue8m0x4_tma*'
ASSAY_DATA=$r/table expect 0 "ALL AS EXPECTED" "$assay" run --case '*bf16.m1.n64.g32.ue8m0x4_tma*'
expect 0 "nothing to minimize" "$assay" explain "$packed" --minimize
expect 2 "no kernel 'nothing'" "$assay" explain "$packed" --minimize --kernel nothing
echo passed
