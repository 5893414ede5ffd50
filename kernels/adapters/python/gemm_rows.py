"""Matrix products: torch._scaled_mm, which calls cuBLASLt or CUTLASS, vLLM's Triton kernels, and forms of Triton's dot."""

import types

import torch

from from_source import functions
from vllm_rows import UTILS, common, row_of
from witness_file import DTYPES


def result_of(call):
    return DTYPES[call.about["tensors"]["d"]["format"]]


def torch_rows():
    def padded(values, rows, fill=torch.zeros):
        more = fill(rows, *values.shape[1:], dtype=values.dtype, device=values.device)
        more[: values.shape[0]] = values
        return more

    def factors(call):
        """torch wants a multiple of 16 columns: rows of zeros are put behind those of b, and their columns left out of the result."""
        b = call["b"]
        columns = -(-b.shape[0] // 16) * 16
        return call["a"], padded(b, columns).t(), b.shape[0], columns

    def tensor(fast):
        def run(call):
            a, b, columns, wide = factors(call)
            bias = padded(call["bias"], wide) if "bias" in call.about["tensors"] else None
            d = torch._scaled_mm(a, b, call["scale_a"].reshape(()), call["scale_b"].reshape(()), bias=bias, out_dtype=result_of(call), use_fast_accum=fast)
            return {"d": d[:, :columns]}

        return run

    def token_channel(fast):
        def run(call):
            a, b, columns, wide = factors(call)
            bias = padded(call["bias"], wide) if "bias" in call.about["tensors"] else None
            scale_b = padded(call["scale_b"], wide, torch.ones).reshape(1, -1)
            d = torch._scaled_mm(a, b, call["scale_a"].reshape(-1, 1), scale_b, bias=bias, out_dtype=result_of(call), use_fast_accum=fast)
            return {"d": d[:, :columns]}

        return run

    def blocks(of_b):
        """Scales lie column after column, [m, blocks of k] and [n, blocks of k], each column a multiple of 16 bytes, so that rows of zeros stand behind
        those of a; of tiles of 128 x 128 [blocks of k, n / 128], in columns of a multiple of four numbers."""

        def run(call):
            from torch.nn.functional import ScalingType, SwizzleType, scaled_mm

            a, b, columns, wide = factors(call)
            rows, tall = a.shape[0], -(-a.shape[0] // 16) * 16
            a, scale_a, scale_b = padded(a, tall), padded(call["scale_a"], tall, torch.ones).t().contiguous().t(), call["scale_b"]
            is_of_tiles = of_b == "BlockWise128x128"
            scale_b = padded(scale_b.t(), -(-scale_b.shape[1] // 4) * 4) if is_of_tiles else padded(scale_b, wide, torch.ones)
            scale_b = scale_b.t().contiguous().t()
            d = scaled_mm(a, b, scale_a, ScalingType.BlockWise1x128, scale_b, getattr(ScalingType, of_b), swizzle_a=SwizzleType.NO_SWIZZLE,
                          swizzle_b=SwizzleType.NO_SWIZZLE, output_dtype=result_of(call), use_fast_accum=False)
            return {"d": d[:rows, :columns]}

        return run

    name = "torch.scaled_mm_"
    return [(name + "tensor_fast.sm_90", "cuda", tensor(True)), (name + "tensor.sm_90", "cuda", tensor(False)),
            (name + "tensor_fast_e5m2_e4m3.sm_90", "cuda", tensor(True)), (name + "tensor_e4m3_e5m2.sm_90", "cuda", tensor(False)),
            (name + "row_fast.sm_90", "cuda", token_channel(True)), (name + "row.sm_90", "cuda", token_channel(False)),
            (name + "1x128_128x128.sm_90", "cuda", blocks("BlockWise128x128")), (name + "1x128_1x128.sm_90", "cuda", blocks("BlockWise1x128"))]


def vllm_triton(source, release):
    """Blocks with the configuration that a release has where none is tuned, and with its BLOCK_SIZE_K halved and quartered; one scale a tensor, a
    token or a channel."""
    import triton
    import triton.language as tl

    names = {**common(), "triton": triton, "tl": tl}

    def blocks(block_k):
        tuned = {"BLOCK_SIZE_M": 64, "BLOCK_SIZE_N": 128, "BLOCK_SIZE_K": block_k, "GROUP_SIZE_M": 32, "num_warps": 4, "num_stages": 2}
        fp8 = functions(f"{source}/{UTILS}fp8_utils.py", ["_w8a8_triton_block_scaled_mm", "w8a8_triton_block_scaled_mm"],
                        {**names, "envs": types.SimpleNamespace(VLLM_BATCH_INVARIANT=False),
                         "get_w8a8_block_fp8_configs": lambda *_: {1: tuned} if block_k != 128 else None})

        def run(call):
            return {"d": fp8.w8a8_triton_block_scaled_mm(call["a"], call["b"], call["scale_a"], call["scale_b"], [128, 128], result_of(call))}

        return run

    plain = functions(f"{source}/vllm/model_executor/layers/quantization/compressed_tensors/triton_scaled_mm.py",
                      ["is_weak_contiguous", "scaled_mm_kernel", "triton_scaled_mm"], {**names, "use_tensor_descriptor": lambda _: False})

    def scaled(call):
        bias = call["bias"] if "bias" in call.about["tensors"] else None
        return {"d": plain.triton_scaled_mm(call["a"], call["b"].t(), call["scale_a"], call["scale_b"], result_of(call), bias)}

    name = "vllm.triton_w8a8_block"
    return [(name + ".sm_90", "cuda", blocks(128)), (name + "_k64.sm_90", "cuda", blocks(64)), (name + "_k32.sm_90", "cuda", blocks(32)),
            (row_of("vllm.triton_scaled_mm", ["v0.32.0"], release) + ".sm_90", "cuda", scaled)]


def triton_rows():
    """Forms of the dot that no library has as they stand here, compiled by the Triton that is installed."""
    import triton

    import triton_dots

    def run(form, block_k):
        def made(call):
            a, b = call["a"], call["b"]
            d = torch.empty(a.shape[0], b.shape[0], dtype=result_of(call), device=a.device)
            scale_a, scale_b = call["scale_a"].contiguous(), call["scale_b"].contiguous()
            blocks, rows, columns = -(-a.shape[1] // 128), scale_a.numel() > 1, scale_b.numel() > 1
            triton_dots.product[(triton.cdiv(a.shape[0], 64), triton.cdiv(b.shape[0], 64))](
                a, b, d, scale_a, scale_b, *a.shape, b.shape[0], blocks, form, rows, columns, block_k, num_warps=4, num_stages=2)
            return {"d": d}

        return made

    return [("triton.dot_added_k128.sm_90", "cuda", run("added", 128)), ("triton.dot_imprecise_0.sm_90", "cuda", run("imprecise_0", 128)),
            ("triton.w8a8_block_scales_first.sm_90", "cuda", run("scales_first", 128))]
