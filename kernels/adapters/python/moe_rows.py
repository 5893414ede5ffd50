"""Steps of a mixture of experts: torch's grouped GEMM and sum, and vLLM's Triton kernels that combine the rows of a token."""

import math
import types

import torch

from from_source import functions
from vllm_rows import common
from witness_file import DTYPES


def has(call, role):
    return role in call.about["tensors"]


def torch_rows():
    def grouped(call):
        b, ends = call["b"], call["expert_ends"]
        scale_b = call["scale_b"].reshape(b.shape[0], -1)
        d = torch._scaled_grouped_mm(call["a"], b.transpose(-2, -1), call["scale_a"].reshape(-1), scale_b, offs=ends, out_dtype=DTYPES[call.about["tensors"]["d"]["format"]],
                                     use_fast_accum=True)
        return {"d": d}

    return [("torch.scaled_grouped_mm_fast.sm_90", "cuda", grouped), ("torch.sum_topk", "cuda", lambda call: {"y": call["x"].sum(1)})]


def combine(source, release):
    import triton
    import triton.language as tl

    platform = types.SimpleNamespace(is_cuda=lambda: True, get_device_capability=lambda _: torch.cuda.get_device_capability())
    names = {**common(), "triton": triton, "tl": tl, "math": math, "current_platform": platform, "FakeTensor": ()}
    folder = f"{source}/vllm/model_executor/layers/fused_moe/"
    mul_sum = functions(folder + "moe_fused_mul_sum.py", ["moe_fused_mul_sum_kernel", "_heuristic_config", "moe_fused_mul_sum"], names)
    gather = functions(folder + "deep_gemm_utils.py", ["apply_expert_map", "_fwd_kernel_ep_gather", "ep_gather"], names)

    def fused(call):
        x, ids = call["x"], call["topk_ids"]
        y = torch.zeros(x.shape[0], x.shape[2], dtype=x.dtype, device=x.device)
        mul_sum.moe_fused_mul_sum(x, call["topk_weights"], y, ids, call["expert_map"] if has(call, "expert_map") else None)
        return {"y": (y.reshape(-1), (ids < 0).all(1, keepdim=True).expand(y.shape).reshape(-1))}

    def gathered(call):
        x, ids = call["x"], call["topk_ids"]
        y = torch.zeros(ids.shape[0], x.shape[1], dtype=x.dtype, device=x.device)
        gather.ep_gather(x, ids, call["topk_weights"], call["row_of_slot"], call["expert_map"] if has(call, "expert_map") else None, y)
        return {"y": y}

    return [("vllm.moe_fused_mul_sum", "cuda", fused), ("vllm.ep_gather", "cuda", gathered)]
