"""vLLM's Python code, unmodified functions from a release's sources: quantizations in torch, norms of its IR, and Triton kernels."""

import ast
import math
import os
import sys
import types
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

import torch
import torch.nn.functional as F

from from_source import functions


UTILS = "vllm/model_executor/layers/quantization/utils/"


def row_of(row, changed, release):
    """The contract id for a release. Its suffix is the newest release in `changed` that is not newer than `release`."""
    number = [int(part) for part in release.split(".")[:2]]
    since = [v for v in changed if [int(part) for part in v[1:].split(".")[:2]] <= number]
    return f"{row}@{since[-1]}" if since else row


def anywhere_or_gpu(row):
    """The device that contract `row` needs: any device, or a GPU if the id has a version (@), because torch divides differently there."""
    return "cuda" if "@" in row else "any"


def platform(cuda_alike):
    return types.SimpleNamespace(
        fp8_dtype=lambda: torch.float8_e4m3fn, is_fp8_fnuz=lambda: False, is_cuda=lambda: cuda_alike, is_cuda_alike=lambda: cuda_alike,
        is_xpu=lambda: False, is_rocm=lambda: False, simple_compile_backend="eager",
    )


def common():
    return {"torch": torch, "F": F, "math": math, "NamedTuple": NamedTuple, "ClassVar": ClassVar, "Callable": Callable, "Any": Any,
            "current_platform": platform(False), "is_deep_gemm_e8m0_used": lambda: False, "is_deep_gemm_supported": lambda: False,
            "cdiv": lambda a, b: -(-a // b)}


class Eager:
    """torch with a compile() that returns the function unchanged, because the contracts describe eager mode."""

    def __getattr__(self, name):
        return getattr(torch, name)

    @staticmethod
    def compile(**_):
        return lambda function: function


def native(source, release):
    """QuantFP8 of input_quant_fp8.py: the native path in torch, without a custom kernel."""
    utils = functions(f"{source}/{UTILS}quant_utils.py",
                      ["get_fp8_min_max", "_GroupShape", "GroupShape", "_normalize_quant_group_shape", "group_broadcast",
                       "prep_scale_for_group_broadcast", "scaled_quantize"], common())
    utils.GroupShape.PER_TENSOR, utils.GroupShape.PER_TOKEN = utils.GroupShape(-1, -1), utils.GroupShape(1, -1)

    class CustomOp(torch.nn.Module):
        def __init__(self, **_):
            super().__init__()

        @staticmethod
        def register(_):
            return lambda made: made

    names = {**common(), "CustomOp": CustomOp, "GroupShape": utils.GroupShape, "group_broadcast": utils.group_broadcast,
             "prep_scale_for_group_broadcast": utils.prep_scale_for_group_broadcast,
             "rocm_aiter_ops": types.SimpleNamespace(is_linear_fp8_enabled=lambda: False), "get_fp8_min_max": utils.get_fp8_min_max}
    names["_FP8_DTYPE"] = torch.float8_e4m3fn
    names["_FP8_MIN"], names["_FP8_MAX"] = utils.get_fp8_min_max()
    quant = functions(f"{source}/vllm/model_executor/layers/quantization/input_quant_fp8.py", ["_FP8_MIN_SCALING_FACTOR", "QuantFP8"], names)
    shape = utils.GroupShape

    def dynamic(group, ue8m0=False):
        def run(call):
            made = group(int(call.numbers.get("group_size", 0)))
            q, scale = quant.QuantFP8(False, made, use_ue8m0=ue8m0).forward_native(call["x"])
            return {"q": q, "scale": scale}

        return run

    def static(call):
        x, scale = call["x"], call["scale"]
        if scale.numel() != 1:
            raise NotImplementedError("expected one scale for the tensor")
        q, _ = quant.QuantFP8(True, shape.PER_TENSOR).forward_native(x, scale.reshape(1))
        return {"q": q}

    def scaled(call):
        q, scale = utils.scaled_quantize(call["x"], shape(128, 128), torch.float8_e4m3fn, torch.float32)
        return {"q": q, "scale": scale}

    ue8m0 = row_of("vllm.group_native_ue8m0", ["v0.33.0"], release)
    token, tensor, group = dynamic(lambda _: shape.PER_TOKEN), dynamic(lambda _: shape.PER_TENSOR), dynamic(lambda n: shape(1, n))
    return [
        ("vllm.group_native", "cpu", group), ("vllm.group_native_gpu", "cuda", group),
        (ue8m0, anywhere_or_gpu(ue8m0), dynamic(lambda n: shape(1, n), ue8m0=True)),
        ("vllm.per_token_native", "cpu", token), ("vllm.per_token_native_gpu", "cuda", token),
        ("vllm.per_tensor_native", "cpu", tensor), ("vllm.per_tensor_native_gpu", "cuda", tensor),
        ("vllm.static_native", "cuda", static), ("vllm.scaled_quantize_block_rcp", "cuda", scaled),
    ]


def ir_of(source):
    """Norms of vLLM's IR in torch, as they run if no kernel is registered."""

    def register_op(function=None, **_):
        def registered(f):
            f.register_input_generator, f.override_tolerance = (lambda g: g), (lambda *_, **__: None)
            return f

        return registered(function) if function else registered

    return functions(f"{source}/vllm/ir/ops/layernorm.py", ["rms_norm", "fused_add_rms_norm"],
                     {**common(), "Tensor": torch.Tensor, "register_op": register_op})


def others_in_torch(source, release):
    mx = functions(f"{source}/{UTILS}mxfp8_utils.py", ["MXFP8_VALUE_DTYPE", "MXFP8_BLOCK_SIZE", "swizzle_mxfp8_scale", "_mxfp8_e4m3_quantize_torch"], common())
    limits = functions(f"{source}/{UTILS}quant_utils.py", ["get_fp8_min_max"], common())
    block = functions(f"{source}/vllm/utils/deep_gemm.py", ["_ceil_to_ue8m0", "_align", "DEFAULT_BLOCK_SIZE", "per_block_cast_to_fp8"],
                      {**common(), "torch": Eager(), "get_fp8_min_max": limits.get_fp8_min_max})

    ir = ir_of(source)

    def mxfp8(call):
        swizzled = call.parameters["layout"] == "e8m0_128x4"
        q, scale = mx._mxfp8_e4m3_quantize_torch(call["x"], swizzled)
        return {"q": q, "scale": scale}

    def norm(call):
        return {"y": ir.rms_norm(call["x"], call["gamma"], call.numbers["eps"])}

    def add_norm(call):
        y, residual = ir.fused_add_rms_norm(call["x"], call["residual"], call["gamma"], call.numbers["eps"])
        return {"y": y, "residual": residual}

    def cast(call):
        q, scale = block.per_block_cast_to_fp8(call["x"], use_ue8m0=True)
        return {"q": q, "scale": scale}

    mx_row = row_of("vllm.mxfp8_torch", ["v0.27.0"], release)
    return [(mx_row, anywhere_or_gpu(mx_row), mxfp8), ("vllm.ir_rms_norm", "cuda", norm), ("vllm.ir_fused_add_rms_norm", "cuda", add_norm),
            ("vllm.per_block_cast_ue8m0", "cuda", cast)]


def norms(source, release):
    """Gemma's norm, and the batch-invariant norm."""
    import triton
    import triton.language as tl

    class CustomOp(torch.nn.Module):
        @staticmethod
        def register(_):
            return lambda made: made

    gemma = functions(f"{source}/vllm/model_executor/layers/layernorm.py", ["GemmaRMSNorm"],
                      {**common(), "nn": torch.nn, "CustomOp": CustomOp, "set_weight_attrs": lambda *_: None, "ir": types.SimpleNamespace(ops=ir_of(source))})
    folder = next((f for f in ("determinism", "layers") if os.path.exists(f"{source}/vllm/model_executor/{f}/batch_invariant.py")), "determinism")
    invariant = functions(f"{source}/vllm/model_executor/{folder}/batch_invariant.py", ["_rms_norm_kernel", "rms_norm_batch_invariant"],
                          {**common(), "triton": triton, "tl": tl})

    def gemma_norm(call):
        layer = gemma.GemmaRMSNorm(call["x"].shape[1], call.numbers["eps"])
        layer.weight = torch.nn.Parameter(call["gamma"], requires_grad=False)
        return {"y": layer.forward_native(call["x"])}

    def invariant_norm(call):
        return {"y": invariant.rms_norm_batch_invariant(call["x"], call["gamma"], call.numbers["eps"])}

    return [("vllm.gemma_rms_norm", "cuda", gemma_norm), ("vllm.rms_norm_batch_invariant", "cuda", invariant_norm)]


# Triton kernels, each under the contract of its release.


def names_of(source):
    import triton
    import triton.language as tl

    limits = functions(f"{source}/{UTILS}quant_utils.py", ["get_fp8_min_max"], common())
    return {**common(), "triton": triton, "tl": tl, "get_tma_aligned_size": lambda x, size: -(-x // (16 // size)) * (16 // size),
            "get_fp8_min_max": limits.get_fp8_min_max}


def in_fp8(source, release):
    fp8 = functions(f"{source}/{UTILS}fp8_utils.py",
                    ["_per_token_group_quant_fp8", "_per_token_group_quant_fp8_colmajor", "per_token_group_quant_fp8",
                     "_silu_mul_per_token_group_quant_fp8_colmajor", "silu_mul_per_token_group_quant_fp8_colmajor"], names_of(source))

    def group(ue8m0):
        def run(call):
            by_columns = call.parameters["layout"] != "row"
            q, scale = fp8.per_token_group_quant_fp8(call["x"], int(call.numbers["group_size"]), column_major_scales=by_columns, use_ue8m0=ue8m0)
            return {"q": q, "scale": scale}

        return run

    def silu(ue8m0):
        def run(call):
            x = call["x"]
            padded = torch.zeros((-(-x.shape[0] // 128) * 128, x.shape[1]), dtype=x.dtype, device=x.device)  # the kernel needs whole tiles of 128 rows
            padded[: x.shape[0]] = x
            q, scale = fp8.silu_mul_per_token_group_quant_fp8_colmajor(padded, use_ue8m0=ue8m0)
            return {"q": q[: x.shape[0]], "scale": scale[: x.shape[0]]}

        return run

    grouped, gated = ["v0.19.0"], ["v0.19.0", "v0.24.0"]
    return [(row_of("vllm.group_triton", grouped, release), "cuda", group(False)), (row_of("vllm.group_triton_ue8m0", grouped, release), "cuda", group(True)),
            (row_of("vllm.silu_mul_colmajor", gated, release), "cuda", silu(False)),
            (row_of("vllm.silu_mul_colmajor_ue8m0", gated, release), "cuda", silu(True))]


def in_int8(source, _):
    names = names_of(source)
    rounding = names["triton"].jit(function_of_branch(f"{source}/{UTILS}int8_utils.py", "round_int8", names))
    int8 = functions(f"{source}/{UTILS}int8_utils.py",
                     ["_per_token_quant_int8", "per_token_quant_int8", "_per_token_group_quant_int8", "per_token_group_quant_int8"],
                     {**names, "round_int8": rounding})

    def group(call):
        q, scale = int8.per_token_group_quant_int8(call["x"].contiguous(), int(call.numbers["group_size"]))
        return {"q": q, "scale": scale}

    def token(call):
        q, scale = int8.per_token_quant_int8(call["x"])
        return {"q": q, "scale": scale}

    return [("vllm.group_int8_triton", "cuda", group), ("vllm.per_token_int8_triton", "cuda", token)]


def triton_of_vllm():
    """Provides the module that vLLM's functions import by `from vllm.triton_utils import tl, triton`."""
    import triton
    import triton.language as tl

    utils = types.ModuleType("vllm.triton_utils")
    utils.tl, utils.triton = tl, triton
    sys.modules.setdefault("vllm", types.ModuleType("vllm"))
    sys.modules["vllm.triton_utils"] = utils


def in_mxfp8(source, release):
    """vLLM's MXFP8 quantizer for ROCm, compiled by Triton for this GPU."""
    triton_of_vllm()
    mx = functions(f"{source}/{UTILS}mxfp8_utils.py",
                   ["MXFP8_VALUE_DTYPE", "MXFP8_SCALE_DTYPE", "MXFP8_BLOCK_SIZE", "_mxfp8_quant_triton_kernel", "_MXFP8_QUANT_KERNEL",
                    "_mxfp8_e4m3_quantize_triton"], names_of(source))

    def run(call):
        q, scale = mx._mxfp8_e4m3_quantize_triton(call["x"])
        return {"q": q, "scale": scale}

    return [(row_of("vllm.mxfp8_triton", ["v0.27.0", "v0.30.0"], release), "cuda", run)]


def fused_mxfp8(source):
    """The fused MXFP8 ops of a vLLM branch. Scale bytes are unwritten if they keep their initial value in two runs (0, then 255)."""
    triton_of_vllm()
    mx = functions(f"{source}/{UTILS}mxfp8_utils.py",
                   ["MXFP8_VALUE_DTYPE", "MXFP8_SCALE_DTYPE", "MXFP8_BLOCK_SIZE", "_empty_swizzled_mxfp8_scales", "_build_fused_mxfp8_quant_kernels",
                    "_SILU_AND_MUL_MXFP8_QUANT_KERNEL", "_FUSED_ADD_RMS_NORM_MXFP8_QUANT_KERNEL", "_get_fused_mxfp8_quant_kernels",
                    "_silu_and_mul_mxfp8_quant_impl", "_fused_add_rms_norm_mxfp8_quant_impl"], common())
    empty = mx._empty_swizzled_mxfp8_scales

    def on_both(function, *arguments):
        results = []
        for byte in (0, 255):
            mx._empty_swizzled_mxfp8_scales = lambda *shape, byte=byte: empty(*shape).fill_(byte)
            results.append(function(*arguments))
        (q, zeros, *rest), (_, ones, *_) = results
        return q, (zeros, (zeros == 0) & (ones == 255)), *rest

    def silu(call):
        q, scale = on_both(mx._silu_and_mul_mxfp8_quant_impl, call["x"])
        return {"q": q, "scale": scale}

    def norm(call):
        q, scale, residual = on_both(mx._fused_add_rms_norm_mxfp8_quant_impl, call["x"], call["residual"], call["gamma"], float(call.numbers["eps"]))
        return {"q": q, "scale": scale, "residual": residual}

    return [("vllm.silu_and_mul_mxfp8_quant", "cuda", silu), ("vllm.fused_add_rms_norm_mxfp8_quant", "cuda", norm)]


def function_of_branch(path, name, names):
    """A function from the last branch (CUDA) of an `if` over platforms, without its decorator."""
    with open(path) as file:
        tree = ast.parse(file.read(), path)
    found = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == name]
    if not found:
        raise LookupError(f"{path} has no {name}")
    found[-1].decorator_list = []
    space = {**names, "__name__": name}
    exec(compile(ast.Module([found[-1]], []), path, "exec"), space)
    return space[name]
