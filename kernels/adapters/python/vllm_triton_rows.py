"""vLLM's Triton kernels, each function as it stands in a release's sources, under the row of that release."""

import ast
import sys
import types

import torch

from from_source import functions
from vllm_rows import UTILS, common, row_of


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
            padded = torch.zeros((-(-x.shape[0] // 128) * 128, x.shape[1]), dtype=x.dtype, device=x.device)  # it wants whole tiles of rows
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
    """`from vllm.triton_utils import tl, triton` inside a function."""
    import triton
    import triton.language as tl

    utils = types.ModuleType("vllm.triton_utils")
    utils.tl, utils.triton = tl, triton
    sys.modules.setdefault("vllm", types.ModuleType("vllm"))
    sys.modules["vllm.triton_utils"] = utils


def in_mxfp8(source, release):
    """ROCm's quantizer, as Triton compiles it for this GPU."""
    triton_of_vllm()
    mx = functions(f"{source}/{UTILS}mxfp8_utils.py",
                   ["MXFP8_VALUE_DTYPE", "MXFP8_SCALE_DTYPE", "MXFP8_BLOCK_SIZE", "_mxfp8_quant_triton_kernel", "_MXFP8_QUANT_KERNEL",
                    "_mxfp8_e4m3_quantize_triton"], names_of(source))

    def run(call):
        q, scale = mx._mxfp8_e4m3_quantize_triton(call["x"])
        return {"q": q, "scale": scale}

    return [(row_of("vllm.mxfp8_triton", ["v0.27.0", "v0.30.0"], release), "cuda", run)]


def fused_mxfp8(source):
    """The pair of a branch. Scales lie in a buffer of whole tiles, whose padding the kernels leave as it was: made twice, on zeros and on ones."""
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
    """The function of the last branch, which is CUDA's, of an `if` that picks one by platform; without its decorator."""
    with open(path) as file:
        tree = ast.parse(file.read(), path)
    found = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == name]
    if not found:
        raise LookupError(f"{path} has no {name}")
    found[-1].decorator_list = []
    space = {**names, "__name__": name}
    exec(compile(ast.Module([found[-1]], []), path, "exec"), space)
    return space[name]
