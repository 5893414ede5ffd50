"""vLLM's Triton kernels, each function as it stands in a release's sources, under the row of that release."""

import ast

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
