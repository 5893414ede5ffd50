"""AITER's Python code: Triton kernels, which also compile for NVIDIA, and weight shuffling, which torch does on the CPU."""

import functools
import types

import torch
import torch.nn.functional as F

from from_source import functions

KERNELS, HOST = "aiter/ops/triton/_triton_kernels/quant/", "aiter/ops/triton/quant/"
QUIET = types.SimpleNamespace(info=lambda *_: None)


def in_triton(source):
    import triton
    import triton.language as tl

    names = {"torch": torch, "triton": triton, "tl": tl, "_LOGGER": QUIET, "fp8_dtype": torch.float8_e4m3fn}
    norm_kernels = functions(f"{source}/{KERNELS}fused_fp8_quant.py", ["_rmsmorm_op", "_fp8_quant_op", "_fused_rms_fp8_group_quant_kernel"], names)
    norm = functions(f"{source}/{HOST}fused_fp8_quant.py", ["fused_rms_fp8_group_quant"], {**names, **vars(norm_kernels)})
    gated = functions(f"{source}/{HOST}fused_fp8_quant.py", ["get_fp8_min_max_bounds", "_num_compute_units", "calc_rows_per_block", "fused_rms_gated_fp8_group_quant"],
                      {**names, "cache": functools.cache, "get_fp8_e4m3_dtype": lambda: torch.float8_e4m3fn, **vars(norm_kernels)})
    mx_kernels = functions(f"{source}/{KERNELS}quant.py", ["_mxfp8_quant_op", "_dynamic_mxfp8_quant_kernel", "_dynamic_mxfp8_quant_n32k4_mbn_kernel"], names)
    mx = functions(f"{source}/{HOST}quant.py", ["_MXFP8_QUANT_BLOCK_SIZE", "dynamic_mxfp8_quant", "dynamic_mxfp8_quant_n32k4_mbn"],
                   {**names, **vars(mx_kernels)})

    def fused(call, residual=None):
        return norm.fused_rms_fp8_group_quant(call["x"], call["gamma"], call.numbers["eps"], group_size=int(call.numbers["group_size"]), res1=residual,
                                              transpose_scale=call.parameters["layout"] != "row", is_x_scale_strided=True)

    def norm_quant(call):
        (q, scale), *_ = fused(call)
        return {"q": q, "scale": scale}

    def add_norm_quant(call):
        (q, scale), _, _, residual = fused(call, call["residual"])
        return {"q": q, "scale": scale, "residual": residual}

    def twice(call):
        (q, scale), *_ = fused(call)
        (q2, scale2), *_ = fused(call)
        return {"q": q, "scale": scale, "q2": q2, "scale2": scale2}

    def gated_norm_quant(call):
        size = int(call.numbers["group_size"])
        q, scale = gated.fused_rms_gated_fp8_group_quant(call["x"], call["gamma"], None, call["gate"], call.numbers["eps"],
                                                         group_size=None if size == call["x"].shape[1] else size)
        return {"q": q, "scale": scale.reshape(len(q), -1)}

    def mxfp8(call):
        q, scale = mx.dynamic_mxfp8_quant(call["x"])
        return {"q": q, "scale": scale}

    def mxfp8_n32k4(call):
        q, scale = mx.dynamic_mxfp8_quant_n32k4_mbn(call["x"].unsqueeze(1))
        return {"q": q.squeeze(1), "scale": scale.flatten()}

    return [("aiter.fused_rms_fp8_group_quant", "cuda", norm_quant), ("aiter.fused_add_rms_fp8_group_quant", "cuda", add_norm_quant),
            ("aiter.double_quant_fused", "cuda", twice), ("aiter.fused_rms_gated_fp8_group_quant", "cuda", gated_norm_quant),
            ("aiter.fused_rms_gated_fp8_token_quant", "cuda", gated_norm_quant), ("aiter.triton_mxfp8", "cuda", mxfp8), ("aiter.triton_mxfp8_n32k4", "cuda", mxfp8_n32k4)]


def on_the_host(source):
    order = functions(f"{source}/aiter/ops/shuffle.py", ["shuffle_weight"], {"torch": torch, "F": F})

    def shuffled(rows):
        return lambda call: {"y": order.shuffle_weight(call["x"], layout=(rows, 16))}

    return [("aiter.shuffle_weight_16x16", "cpu", shuffled(16)), ("aiter.shuffle_weight_32x16", "cpu", shuffled(32))]
