"""Finds the contracts that explain a dump of FP4 codes. usage: fp4_variants.py ASSAY SCRATCH_FOLDER"""
import glob
import json
import re
import struct
import subprocess
import sys

assay, scratch = sys.argv[1:]

# Sets of contracts that the recorded dumps below do not tell apart.
EQUAL = [
    {"vllm.nvfp4", "flashinfer.nvfp4_cute", "flashinfer.nvfp4_ar_fusion"},
    {"torchao.nvfp4", "torchao.nvfp4_gpu"},
    {"torchao.nvfp4_block", "torchao.nvfp4_block_gpu"},
    {"vllm.nvfp4_experts", "vllm.nvfp4_fused", "flashinfer.nvfp4_ar_fusion"},
    {"vllm.silu_and_mul_nvfp4_quant", "vllm.silu_and_mul_scaled_fp4_experts_quant"},
    {"flashinfer.nvfp4_4over6_exact", "flashinfer.nvfp4_4over6_exact_f16"},
]
# Contract -> contracts that also accept its outputs. FlashInfer rounds the quotient of SiLU; vLLM's contract accepts 2 ulp of error, or 0
# for a gate below -87.3. Outputs of vLLM with such gates do not obey FlashInfer's contract.
WIDER = {"flashinfer.silu_and_mul_nvfp4_quantize": {"vllm.silu_and_mul_nvfp4_quant", "vllm.silu_and_mul_scaled_fp4_experts_quant"}}
NVFP4 = ["vllm.nvfp4", "flashinfer.nvfp4", "flashinfer.nvfp4_cute", "transformer_engine.nvfp4", "flashinfer.nvfp4_exact",
         "flashinfer.nvfp4_cute_exact", "flashinfer.nvfp4_ar_fusion", "torchao.nvfp4", "torchao.nvfp4_gpu", "flashinfer.nvfp4_4over6_exact",
         "flashinfer.nvfp4_4over6_exact_mse", "flashinfer.nvfp4_4over6_exact_f16", "flashinfer.nvfp4_4over6", "flashinfer.nvfp4_4over6_cute",
         "flashinfer.nvfp4_4over6_cute_exact", "vllm.nvfp4_kv", "vllm.nvfp4_kv_4over6"]
OF_ROWS = ["flashinfer.nvfp4_per_token"]
BLOCK = ["torchao.nvfp4_block", "torchao.nvfp4_block_gpu", "aiter.triton_nvfp4", "vllm.nvfp4_ds_mla"]
MXFP4 = ["vllm.mxfp4", "flashinfer.mxfp4", "aiter.per_1x32_mxfp4", "aiter.triton_mxfp4", "torchao.mxfp4_floor", "torchao.mxfp4_ceil",
         "torchao.mxfp4_even", "torchao.mxfp4_rceil", "triton_kernels.mxfp4", "triton_kernels.mxfp4_down", "deepgemm.mxfp4", "aiter.quant_mxfp4_floor",
         "aiter.quant_mxfp4_rceil", "aiter.quant_mxfp4_ceil", "aiter.quant_mxfp4_even", "aiter.quant_mxfp4_even_gfx942"]

# Quantizations of experts, quantizations after SiLU, and quantizations after a norm. Each entry: op, columns of its case table between x and seed, rows with
# cells of these columns.
GATES = "gate_open|normal"
FUSED = [
    ("quant_experts", "tokens,n,group_size,layout,fill,global_scale",
     [("vllm.nvfp4_experts", "2;0;3,256,16+tensor,ue4m3_128x4,specials|distinct|tiny,scales"),
      ("vllm.mxfp4_experts", "2;0;3,256,32,e8m0_128x4,specials|exponent_rules|tiny,")]),
    ("silu_mul_quant_experts", "tokens,n,group_size,layout,fill,up,global_scale",
     [("vllm.silu_and_mul_scaled_fp4_experts_quant", f"2;0;3,256,16+tensor,ue4m3_128x4,{GATES},normal|specials|tiny,scales"),
      ("vllm.silu_and_mul_mxfp4_experts_quant", f"2;0;3,256,32,e8m0_128x4,{GATES},normal|specials,")]),
    ("quant_masked", "tokens,room,n,group_size,layout,fill,global_scale",
     [("flashinfer.nvfp4_experts|flashinfer.nvfp4_experts_exact", "2;0;3,4,256,16+tensor,ue4m3_128x4,specials|distinct|tiny,scales")]),
    ("silu_mul_quant_masked", "tokens,room,n,group_size,layout,fill,up,global_scale",
     [("flashinfer.silu_and_mul_scaled_nvfp4_experts_quantize|flashinfer.silu_and_mul_scaled_nvfp4_experts_quantize_exact",
       f"2;0;3,4,256,16+tensor,ue4m3_128x4,{GATES},normal|specials|tiny,scales")]),
    ("silu_mul_quant_group", "m,n,group_size,layout,fill,up,global_scale",
     [("vllm.silu_and_mul_nvfp4_quant", "5,256,16+tensor,ue4m3_128x4,normal|gate_closed,normal|tiny,scales"),
      ("flashinfer.silu_and_mul_nvfp4_quantize|flashinfer.silu_and_mul_nvfp4_quantize_exact",
       "5,256,16+tensor,ue4m3_128x4,normal|gate_closed,tiny|specials,scales"),
      ("aiter.act_mul_and_mxfp4_quant", f"5,256,32,e8m0_row,{GATES},normal|specials,")]),
    ("rms_norm_quant_group", "m,n,group_size,layout,eps,fill,residual,gamma,global_scale",
     [("flashinfer.rmsnorm_fp4quant", "5,256,16+tensor,ue4m3_row,1e-6,normal|distinct|specials,,gamma,scales"),
      ("flashinfer.rmsnorm_fp4quant_mxfp4|aiter.fused_rms_mxfp4_quant", "5,256,32,e8m0_row,1e-6,normal|distinct|specials,,gamma,"),
      ("flashinfer.add_rmsnorm_fp4quant|flashinfer.trtllm_add_rms_norm_nvfp4",
       "5,256,16+tensor,ue4m3_row,1e-6,normal|distinct|specials,normal,gamma,scales"),
      ("flashinfer.add_rmsnorm_fp4quant_mxfp4|aiter.fused_add_rms_mxfp4_quant|aiter.ar_add_rms_norm_mxfp4_ftz",
       "5,256,32,e8m0_row,1e-6,normal|distinct|specials,normal,gamma,")]),
]


def obeyed(file):
    """Returns the contracts that a dump obeys, according to assay contracts match."""
    stated = ["--param", "eps=1e-6"] if "/rms_norm_quant_group/" in file else []
    text = subprocess.run([assay, "contracts", "match", file, *stated], capture_output=True, text=True).stdout
    return set(re.findall(r"^ +obeys +(\S+)", text, re.M))


def expect(what, got, right):
    if got != right:
        sys.exit(f"{what}: expected the contracts {sorted(right)}, got {sorted(got)}")


def recorded():
    """Records five rows of 256 elements, quantized by each contract's kernel, with each input generator."""
    columns = "op,contract,x,m,n,group_size,layout,fill,global_scale,seed,warp,why,blind_to"
    rows = [columns]
    for contracts, group, layout, fills, scale in ((NVFP4, "16+tensor", "ue4m3_row", "tiny|specials|distinct", "scales"),
                                                   (OF_ROWS, "16+row", "ue4m3_row", "tiny|specials|distinct", "scales"),
                                                   (BLOCK, "16", "ue4m3_row", "specials", ""), (MXFP4, "32", "e8m0_row", "specials|exponent_rules|tiny", "")):
        rows.append(f"quant_group,{'|'.join(contracts)},bf16,5,256,{group},{layout},{fills},{scale},1,32,a dump,*")
    with open(f"{scratch}/cases.csv", "w") as file:
        file.write("\n".join(rows) + "\n")
    subprocess.run([assay, "run", "--backend", "cpu", "--cases", f"{scratch}/cases.csv", "--record", f"{scratch}/recorded"], check=True,
                   capture_output=True)
    return {name: glob.glob(f"{scratch}/recorded/quant_group/{name}/*/*/w32/*.safetensors") for name in NVFP4 + OF_ROWS + BLOCK + MXFP4}


def recorded_fused():
    """Records the cases of FUSED, which are quantization by expert and fused ops."""
    files = {}
    for op, columns, rows in FUSED:
        table = [f"op,contract,x,{columns},seed,warp,why,blind_to"]
        table += [f"{op},{contracts},bf16,{cells},1,32,a dump,*" for contracts, cells in rows]
        with open(f"{scratch}/{op}.csv", "w") as file:
            file.write("\n".join(table) + "\n")
        subprocess.run([assay, "run", "--backend", "cpu", "--cases", f"{scratch}/{op}.csv", "--record", f"{scratch}/{op}"], check=True,
                       capture_output=True)
        for contracts, _ in rows:
            for name in contracts.split("|"):
                files[name] = glob.glob(f"{scratch}/{op}/{op}/{name}/*/*/w32/*.safetensors")
    return files


def dump(x, scale_of_tensor, codes, scale):
    """Writes a dump of one block: 16 bf16 numbers, their codes and the scale byte."""
    q = bytes(codes[i] | codes[i + 1] << 4 for i in range(0, 16, 2))
    tensors = [("x", "BF16", [1, 16], struct.pack("<16H", *x)), ("global_scale", "F32", [1], struct.pack("<f", scale_of_tensor)),
               ("q", "F4", [1, 16], q), ("scale", "F8_E4M3", [1, 1], bytes([scale]))]
    header, at = {}, 0
    for name, dtype, shape, data in tensors:
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [at, at + len(data)]}
        at += len(data)
    text = json.dumps(header).encode()
    with open(f"{scratch}/one.safetensors", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(t[3] for t in tensors))
    return f"{scratch}/one.safetensors"


def f32(v):
    return struct.unpack("<f", struct.pack("<f", v))[0]


def e4m3(v):
    """Returns the number of e4m3 that is nearest to v, at most 448; of two equally near ones, the even one. v is not negative."""
    step = 2.0 ** -9
    while v >= 16 * step:
        step *= 2
    return min(448.0, round(v / step) * step)


dumps = recorded() | recorded_fused()
for name, files in dumps.items():
    assert files, f"{name}: no file was recorded"
    sets = [obeyed(file) for file in files]
    alike = [group for group in EQUAL if name in group]
    expect(name, set.intersection(*sets), (alike[0] if alike else {name}) | WIDER.get(name, set()))

# FlashInfer's all-reduce flushes subnormal x to 0. The block holds 2^-123 and 127/128 * 2^-126 (subnormal); g = 1.5 * 2^116, scale 2^-9.
x = [0x0200, 0x007F] + [0] * 14
expect("a kept subnormal number", obeyed(dump(x, 1.5 * 2.0 ** 116, [7, 1] + [0] * 14, 1)) & EQUAL[0],
       {"vllm.nvfp4", "flashinfer.nvfp4_cute"})
expect("a flushed subnormal number", obeyed(dump(x, 1.5 * 2.0 ** 116, [7, 0] + [0] * 14, 1)) & EQUAL[0], {"flashinfer.nvfp4_ar_fusion"})

expect("a code that no contract accepts", obeyed(dump(x, 1.5 * 2.0 ** 116, [7, 3] + [0] * 14, 1)), set())

# 4over6 maps amax to 4 or to 6. By the sum of f32 errors, 4 is better than 6, by 2^-16 of the error. With errors times g, 4 and 6 tie: 6 wins.
x, g = [0x3F8E] + [0] * 15, float.fromhex("0x1.40e6c2p+3")
expect("errors of elements", obeyed(dump(x, g, [6] + [0] * 15, 0x43)) & EQUAL[5], EQUAL[5])
expect("errors times g", obeyed(dump(x, g, [7] + [0] * 15, 0x3F)) & EQUAL[5], {"flashinfer.nvfp4_4over6_exact_f16"})

# torchao divides amax by 6 on a CPU and multiplies by fl(1/6) on a GPU. They differ for amax 1.015625, where amax / 6 / g is the tie 1.0625.
x, g = [0x3F82] + [0] * 15, float.fromhex("0x1.464646p-3")
expect("amax / 6", obeyed(dump(x, g, [7] + [0] * 15, 0x38)) & EQUAL[1], {"torchao.nvfp4"})
expect("amax * fl(1/6)", obeyed(dump(x, g, [7] + [0] * 15, 0x39)) & EQUAL[1], {"torchao.nvfp4_gpu"})

# Without a global scale, no bf16 or f16 amax gives different scales on CPU and GPU.
sixth = f32(1 / 6)
for code in range(0x8000):
    for amax in (struct.unpack("<f", struct.pack("<I", code << 16))[0], struct.unpack("<e", struct.pack("<H", code))[0]):
        if 6 * 2.0 ** -6 <= amax <= 6 * 448 and e4m3(f32(amax / 6)) != e4m3(f32(amax * sixth)):
            sys.exit(f"torchao.nvfp4_block and torchao.nvfp4_block_gpu differ for amax {amax}")
