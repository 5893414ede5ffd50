#!/usr/bin/env bash
# Dumps scales in every layout of layouts.csv, and checks the dumps in three forms: with shape and strides, as flat storage, and, if
# strides describe the layout, as a dense matrix. A changed scale must fail. Then checks all-reduces with one dump per rank.
. "$(dirname "$0")/lib.sh"
r=$scratch

# Case globs, at least one per layout. Layouts that no kernel writes or reads exist only as mutants, and have no glob.
of_mutants='ue8m0x4_row e8m0_col'
cases=()
while read -r glob; do cases+=("$("$assay" list --suite quick --warp 32 --case "$glob" | head -1)"); done <<'GLOBS'
quant_group/vllm.group_fp8/bf16.m5.n1024.g128.row/normal*
quant_group/vllm.group_fp8/bf16*.col/*
quant_group/vllm.group_fp8/bf16*.tma/*
quant_group/vllm.group_fp8_packed/bf16.m5.n1024.g128.ue8m0x4_tma/normal*
quant_group/flashinfer.mxfp8/*.e8m0_row/normal*
quant_group/flashinfer.mxfp8/*.e8m0_128x4/*
quant_group/flashinfer.mxfp8/*.e8m0_8x4/*
quant_group/vllm.nvfp4/*.ue4m3_row/normal*
quant_group/vllm.nvfp4/*.ue4m3_128x4/*
quant_group/flashinfer.nvfp4/*.ue4m3_8x4/*
quant_group/aiter.per_1x32_e8m0/*.e8m0_32x8/*
quant_group/aiter.triton_mxfp8_n32k4/*.e8m0_n32k4/*
quant_group/aiter.quant_mxfp4_floor/*.e8m0_a16w4/*
quant_group/aiter.per_1x128_transpose_scale/bf16.m5.n1024*.row_transposed/normal*
quant_static/*.one/*
quant_experts/*.e8m0_128x4.t*/*
silu_mul_quant_experts/*.ue4m3_128x4.t*/*
silu_mul_quant_masked/*.ue8m0x4_col.t*/*
quant_masked/*.ue4m3_128x4.t*/*
gemm_block_scaled/vllm.triton_w8a8_block.sm_90/*.row_row/*
gemm_block_scaled/*.col_row/*
gemm_block_scaled/*.tma_row/*
gemm_block_scaled/*.row_transposed_row/*
gemm_block_scaled/deepgemm.fp8_gemm_1d1d_packed.sm_100/*.ue8m0x4_tma_ue8m0x4_tma/*
gemm_block_scaled/torch.scaled_mm_mxfp8.sm_100/*.e8m0_128x4_e8m0_128x4/*
GLOBS
run=()
for case in "${cases[@]}"; do
  [ -n "$case" ] || fail "a glob of GLOBS matches no case"
  run+=(--case "$case")
done
"$assay" run "${run[@]}" --record "$r/all" >"$r/run.txt" || fail "the CPU kernels fail: $(cat "$r/run.txt")"

cat >"$r/forms.py" <<'PYTHON'
# forms.py FILE FOLDER: writes the recorded call as dumps in other forms; prints "FORM EXIT_CODE LAYOUT PARAMETER" for each.
import itertools, json, struct, sys
path, folder = sys.argv[1:]
data = open(path, "rb").read()
size = struct.unpack("<Q", data[:8])[0]
header = json.loads(data[8:8 + size])
meta = header.pop("__metadata__")
tensors = {name: (t["dtype"], t["shape"], data[8 + size + t["data_offsets"][0]:8 + size + t["data_offsets"][1]]) for name, t in header.items()}
scales = [name for name in ("scale", "scale_a", "scale_b") if name in tensors]
layouts = {name: meta["parameter.layout" if name == "scale" else "parameter.layout_" + name[-1]] for name in scales}
extents = {key: value for key, value in meta.items() if key.endswith((".shape", ".strides", ".offset"))}
# Parameters that do not follow from the tensors, and need --param: a free group size, and the number of rows per expert.
stated = [("quant_static", "group_size"), ("silu_mul_quant_masked", "room"), ("quant_masked", "room")]
def write(form, tensors, metadata, code, layout=""):
    header, out = {"__metadata__": metadata} if metadata else {}, b""
    for name, (dtype, shape, content) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(out), len(out) + len(content)]}
        out += content
    text = json.dumps(header).encode()
    open(f"{folder}/{form}.safetensors", "wb").write(struct.pack("<Q", len(text)) + text + out)
    print(form, code, layout or "-", *[f"{name}={meta['parameter.' + name]}" for op, name in stated if meta["assay.op"] == op])
# In layout e8m0_a16w4, scales that need no padding have the shape of row-major scales, so --layout must name the layout.
known = layouts[scales[0]] if layouts[scales[0]] == "e8m0_a16w4" else ""
def width(name): return len(tensors[name][2]) // max(1, tensors[name][1][0] if len(tensors[name][1]) == 1 else tensors[name][1][0] * tensors[name][1][1])
write("memory", tensors, extents, 0, known)
wrong = dict(tensors)
dtype, shape, content = wrong[scales[0]]
at = 2 if dtype == "F32" else 0  # index of the byte that holds the lowest exponent bit of the first scale
wrong[scales[0]] = (dtype, shape, content[:at] + bytes([content[at] ^ (0x80 if dtype == "F32" else 1)]) + content[at + 1:])
write("wrong", wrong, extents, 1, known)
bytes_of_scales = layouts[scales[0]].startswith(("e8m0", "ue8m0"))
if len(scales) == 1 or bytes_of_scales:
    flat = {name: (t[0], [len(t[2]) // (4 if t[0] in ("F32", "I32") else 1)], t[2]) if name in scales else t for name, t in tensors.items()}
    others = {key: value for key, value in extents.items() if key.split(".")[0] not in scales}
    write("flat", flat, others, 0, layouts[scales[0]])
dense = dict(tensors)
for name in scales:
    dtype, shape, content = tensors[name]
    if name + ".strides" not in meta: continue
    shape, strides = json.loads(meta[name + ".shape"]), json.loads(meta[name + ".strides"])
    step = 4 if dtype in ("F32", "I32") else 1
    gathered = b""
    for index in itertools.product(*map(range, shape)):
        at = step * sum(i * s for i, s in zip(index, strides))
        gathered += content[at:at + step]
    dense[name] = (dtype, shape, gathered)
# Without strides a transposed matrix cannot be recognized; --layout must name it.
if layouts[scales[0]] != "row_transposed":
    write("dense", dense, {k: v for k, v in extents.items() if k.split(".")[0] not in scales}, 0, layouts[scales[0]] if layouts[scales[0]] == "one" else known)
PYTHON

judged=0
for case in "${cases[@]}"; do
  file=$(find "$r/all/$case" -name '*.safetensors' | head -1)
  [ -f "$file" ] || fail "no recording of $case"
  mkdir -p "$r/forms"
  python3 "$r/forms.py" "$file" "$r/forms" >"$r/forms.txt" || fail "cannot write dumps of $case"
  while read -r form code layout parameter; do
    arguments=(--contract "$(cut -d/ -f2 <<<"$case")" ${parameter:+--param "$parameter"})
    [ "$layout" = - ] || arguments+=(--layout "$layout")
    text=PASS
    [ "$code" = 0 ] || text=FAIL
    expect "$code" "$text" "$assay" judge "$r/forms/$form.safetensors" "${arguments[@]}"
    judged=$((judged + 1))
  done <"$r/forms.txt"
done
for layout in $(cut -d, -f1 "$root/reference/contracts/layouts.csv" | tail -n +2); do
  [[ " $of_mutants " == *" $layout "* ]] && continue
  printf '%s\n' "${cases[@]}" | grep -E "[._]$layout(/|_|\\.t)" >/dev/null || fail "no glob of this check selects a case with layout $layout"
done
echo "assay judge gave the expected verdict on $judged dumps"

# A dump with scales as [m, blocks], where the contract packs or tiles them, is rejected; the message names the shape in memory.
packed=$(printf '%s\n' "${cases[@]}" | grep fp8_gemm_1d1d_packed)
python3 - "$(find "$r/all/$packed" -name '*.safetensors' | head -1)" "$r/logical.safetensors" <<'PYTHON' || fail "cannot write a dump with scales [m, blocks]"
import json, struct, sys
data = open(sys.argv[1], "rb").read()
size = struct.unpack("<Q", data[:8])[0]
header = json.loads(data[8:8 + size])
header.pop("__metadata__")
out, made = b"", {}
for name, t in header.items():
    content = data[8 + size + t["data_offsets"][0]:8 + size + t["data_offsets"][1]]
    if name == "scale_a":
        (m, k), blocks = header["a"]["shape"], (header["a"]["shape"][1] + 127) // 128
        t, content = {"dtype": "F8_E8M0", "shape": [m, blocks]}, b"\x7f" * (m * blocks)
    made[name] = {"dtype": t["dtype"], "shape": t["shape"], "data_offsets": [len(out), len(out) + len(content)]}
    out += content
text = json.dumps(made).encode()
open(sys.argv[2], "wb").write(struct.pack("<Q", len(text)) + text + out)
PYTHON
expect 2 "tensor 'scale_a': is F8_E8M0 [6, 10]" "$assay" judge "$r/logical.safetensors" --contract deepgemm.fp8_gemm_1d1d_packed.sm_100
expect 2 "expects one of
  int32 [" "$assay" judge "$r/logical.safetensors" --contract deepgemm.fp8_gemm_1d1d_packed.sm_100

# A dump of an all-reduce is one file per rank, or one file with the tensors x, y, x@1, y@1 and so on.
reduce=$("$assay" list --suite all_reduce/quick --warp 32 --case '*nccl.*bf16.r4.*' | grep -v shift | grep -v after | head -1)
contract=$(cut -d/ -f2 <<<"$reduce")
"$assay" run --case "$reduce" --record "$r/ranks" >/dev/null || fail "no recording of $reduce"
file=$(find "$r/ranks" -name '*.safetensors' | head -1)
python3 - "$file" "$r" <<'PYTHON' || fail "cannot write a dump for each rank"
import json, struct, sys
data = open(sys.argv[1], "rb").read()
size = struct.unpack("<Q", data[:8])[0]
header = json.loads(data[8:8 + size])
header.pop("__metadata__")
def write(name, tensors):
    made, out = {}, b""
    for tensor, (dtype, shape, content) in tensors.items():
        made[tensor] = {"dtype": dtype, "shape": shape, "data_offsets": [len(out), len(out) + len(content)]}
        out += content
    text = json.dumps(made).encode()
    open(f"{sys.argv[2]}/{name}.safetensors", "wb").write(struct.pack("<Q", len(text)) + text + out)
tensors = {n: (t["dtype"], t["shape"], data[8 + size + t["data_offsets"][0]:8 + size + t["data_offsets"][1]]) for n, t in header.items()}
ranks = sum(n.startswith("x") for n in tensors)
of = lambda rank: {n.split("@")[0]: t for n, t in tensors.items() if (n.split("@") + ["0"])[1] == str(rank)}
for rank in range(ranks): write(f"rank{rank}", of(rank))
write("ranks", tensors)
dtype, shape, content = tensors["y@1"]
write("wrong1", {**of(1), "y": (dtype, shape, content[:4] + bytes([content[4] ^ 1]) + content[5:])})
write("short1", {**of(1), "x": (dtype, [len(content) // 4], content[:len(content) // 2])})
PYTHON
four=("$r/rank0.safetensors" "$r/rank1.safetensors" "$r/rank2.safetensors" "$r/rank3.safetensors")
expect 0 "PASS" "$assay" judge "$file" --contract "$contract"
expect 0 "PASS" "$assay" judge "$r/ranks.safetensors" --contract "$contract"
expect 0 ".r4." "$assay" judge "${four[@]}" --contract "$contract"
expect 1 "y[0, 2]" "$assay" judge "${four[0]}" "$r/wrong1.safetensors" "${four[@]:2}" --contract "$contract"
expect 1 "FAIL" "$assay" judge "${four[@]:0:2}" --contract "$contract"
expect 2 "does not support 3 ranks" "$assay" judge "${four[@]:0:3}" --contract "$contract"
expect 2 "expected an x of each rank, got one" "$assay" judge "${four[0]}" --contract "$contract"
expect 2 "short1.safetensors: tensor 'x': has shape" "$assay" judge "${four[0]}" "$r/short1.safetensors" "${four[@]:2}" --contract "$contract"
expect 2 "no tensor for role 'x@1'" "$assay" judge x="${four[0]}:x" x@2="${four[2]}:x" --contract "$contract"
expect 2 "two tensors have the role 'a'; expected one" "$assay" judge "$r/logical.safetensors" "$r/logical.safetensors" --contract deepgemm.fp8_gemm_1d1d_packed.sm_100
echo passed
