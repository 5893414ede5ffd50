"""Matrix products: torch._scaled_mm, which calls cuBLASLt or CUTLASS, and vLLM's Triton kernel for scales of blocks."""

import types

import torch

from from_source import functions
from vllm_rows import UTILS, common
from witness_file import DTYPES


def torch_rows():
    def padded(values, rows, fill=torch.zeros):
        more = fill(rows, *values.shape[1:], dtype=values.dtype, device=values.device)
        more[: values.shape[0]] = values
        return more

    def result_of(call):
        return DTYPES[call.about["tensors"]["d"]["format"]]

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
        """Scales lie column after column, [m, blocks of k] and [n, blocks of k]; of tiles of 128 x 128 [blocks of k, n / 128], in columns of a
        multiple of four numbers."""

        def run(call):
            from torch.nn.functional import ScalingType, SwizzleType, scaled_mm

            a, b, columns, wide = factors(call)
            scale_a, scale_b = call["scale_a"].t().contiguous().t(), call["scale_b"]
            is_of_tiles = of_b == "BlockWise128x128"
            scale_b = padded(scale_b.t(), -(-scale_b.shape[1] // 4) * 4) if is_of_tiles else padded(scale_b, wide, torch.ones)
            scale_b = scale_b.t().contiguous().t()
            d = scaled_mm(a, b, scale_a, ScalingType.BlockWise1x128, scale_b, getattr(ScalingType, of_b), swizzle_a=SwizzleType.NO_SWIZZLE,
                          swizzle_b=SwizzleType.NO_SWIZZLE, output_dtype=result_of(call), use_fast_accum=False)
            return {"d": d[:, :columns]}

        return run

    name = "torch.scaled_mm_"
    return [(name + "tensor_fast.sm_90", "cuda", tensor(True)), (name + "tensor.sm_90", "cuda", tensor(False)),
            (name + "tensor_fast_e5m2_e4m3.sm_90", "cuda", tensor(True)), (name + "tensor_e4m3_e5m2.sm_90", "cuda", tensor(False)),
            (name + "row_fast.sm_90", "cuda", token_channel(True)), (name + "row.sm_90", "cuda", token_channel(False)),
            (name + "1x128_128x128.sm_90", "cuda", blocks("BlockWise128x128")), (name + "1x128_1x128.sm_90", "cuda", blocks("BlockWise1x128"))]


def vllm_blocks(source, _):
    """With the configuration that a release has where none is tuned, and with its BLOCK_SIZE_K halved."""
    import triton
    import triton.language as tl

    def of(block_k):
        tuned = {"BLOCK_SIZE_M": 64, "BLOCK_SIZE_N": 128, "BLOCK_SIZE_K": block_k, "GROUP_SIZE_M": 32, "num_warps": 4, "num_stages": 2}
        names = {**common(), "triton": triton, "tl": tl, "envs": types.SimpleNamespace(VLLM_BATCH_INVARIANT=False),
                 "get_w8a8_block_fp8_configs": lambda *_: {1: tuned} if block_k != 128 else None}
        fp8 = functions(f"{source}/{UTILS}fp8_utils.py", ["_w8a8_triton_block_scaled_mm", "w8a8_triton_block_scaled_mm"], names)

        def run(call):
            made = DTYPES[call.about["tensors"]["d"]["format"]]
            return {"d": fp8.w8a8_triton_block_scaled_mm(call["a"], call["b"], call["scale_a"], call["scale_b"], [128, 128], made)}

        return run

    return [("vllm.triton_w8a8_block.sm_90", "cuda", of(128)), ("vllm.triton_w8a8_block_k64.sm_90", "cuda", of(64))]
