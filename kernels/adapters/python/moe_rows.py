"""Steps of a mixture of experts: torch's grouped GEMM and sum, vLLM's Triton kernels that combine the rows of a token, and the fused_moe_kernel
of vLLM and SGLang."""

import math
import types

import torch

from from_source import functions
from vllm_rows import common, row_of
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


def cache_reads(source, release):
    """dequantize_and_gather_k_cache of DeepSeek-V4 (584 bytes a token) and V4.1 (528). y holds all sequences without gaps."""
    import triton
    import triton.language as tl

    kernels = functions(f"{source}/vllm/models/deepseek_v41/common/ops/cache_utils.py", ["_dequantize_and_gather_k_kernel", "_dequantize_and_gather_k_mxfp8_kernel"],
                        {"torch": torch, "triton": triton, "tl": tl})

    def of(launch):
        def gathered(call):
            cache, table, first, spec = call["kv_cache"], call["block_table"], call["cu_seq_lens"], call.about["tensors"]["y"]
            if table.numel() == 0:
                raise NotImplementedError("expected at least one sequence")
            lengths = (first[1:] - first[:-1]).int()
            starts = call["seq_starts"].int() if has(call, "seq_starts") else torch.zeros_like(lengths)
            out = torch.zeros(len(lengths), max(1, int(lengths.max())), 512, dtype=torch.bfloat16, device=cache.device)
            launch((len(lengths), 128), (out, out.stride(0), out.stride(1), cache, starts + lengths, table, 0, lengths), table.shape[1], int(call.numbers["block_size"]), cache.stride(0))
            storage, unwritten = torch.zeros(spec["storage"], dtype=torch.bfloat16), torch.ones(spec["storage"], dtype=torch.bool)
            rows = torch.cat([out[r, :length] for r, length in enumerate(lengths.tolist())]).cpu()
            at = (torch.arange(len(rows))[:, None] * spec["strides"][0] + torch.arange(512)).reshape(-1)
            storage[at], unwritten[at] = rows.reshape(-1), False
            return {"y": (storage, unwritten)}

        return gathered

    def v4(grid, arguments, columns, block_size, stride):
        kernels._dequantize_and_gather_k_kernel[grid](*arguments, max_blocks_per_seq=columns, fp8_dim=448, bf16_dim=64, scale_dim=8, quant_block=64, cache_block_size=block_size,
                                                      token_data_size=576, block_stride=stride, output_dim=512, fp8_max=448.0, n_quant_blocks=7, use_fnuz=False)

    def v41(grid, arguments, columns, block_size, stride):
        kernels._dequantize_and_gather_k_mxfp8_kernel[grid](*arguments, max_blocks_per_seq=columns, head_dim=512, scale_dim=16, quant_block=32, cache_block_size=block_size,
                                                            block_stride=stride, use_fnuz=False)

    return [("vllm.gather_dsv4_k", "cuda", of(v4)), ("vllm.gather_dsv41_k", "cuda", of(v41))]


def in_no_block(call, d):
    """A mask of the elements of d that the kernel leaves unwritten: rows that no used entry of `sorted_token_ids` names."""
    ids = call["sorted_token_ids"][: int(call["num_tokens_post_padded"][0])].long()
    unwritten = torch.ones(d.shape[0], dtype=torch.bool, device=d.device)
    unwritten[ids[ids < d.shape[0]]] = False
    return unwritten[:, None].expand(d.shape).reshape(-1)


def launched(call, launch):
    """Calls launch(a, b, d, scale_a, scale_b, scale strides, ids, block_m, topk). Returns d and its unwritten elements."""
    spec, b, ids = call.about["tensors"]["d"], call["b"], call["sorted_token_ids"]
    d = torch.full(spec["shape"], float("nan"), dtype=DTYPES[spec["format"]], device=b.device)
    sa, sb = call["scale_a"], call["scale_b"]
    if sb.dim() == 3:
        scales = (sa.stride(0), sa.stride(1), sb.stride(0), sb.stride(2), sb.stride(1))
    else:
        scales = (1, 0, b.shape[1], 0, 1)
    topk, block_m = int(call.numbers["top_k"]), int(call.numbers["block_m"])
    launch(call["a"], b, d, sa, sb, scales, ids, block_m, topk)
    return {"d": (d.reshape(-1), in_no_block(call, d))}


BLOCK_N = 64


def fused(source, release):
    """vLLM's fused_moe_kernel with BLOCK_SIZE_N 64. With block_m < 64 it compiles to mma.sync; with SWAP_AB, to wgmma."""
    import triton
    import triton.language as tl

    types_of = {torch.bfloat16: tl.bfloat16, torch.float16: tl.float16, torch.float32: tl.float32}
    kernel = functions(f"{source}/vllm/model_executor/layers/fused_moe/fused_moe.py", ["write_zeros_to_output", "fused_moe_kernel"],
                       {"torch": torch, "triton": triton, "tl": tl}).fused_moe_kernel
    known = set(kernel.arg_names)

    def of(block_k, swap):
        def run(call):
            if swap is not False and "SWAP_AB" not in known:
                raise NotImplementedError("fused_moe_kernel of this vLLM release has no parameter SWAP_AB")

            def launch(a, b, d, sa, sb, scales, ids, block_m, topk):
                exchanges = block_m < BLOCK_N if swap is None else swap
                bias, weights = (call[role] if has(call, role) else None for role in ("bias", "topk_weights"))
                blocks, n, k = len(call["expert_ids"]), b.shape[1], b.shape[2]
                group, dtype = 128 if sb.dim() == 3 else 0, types_of[d.dtype]
                named = {"b_bias_ptr": bias, "stride_bbe": n, "stride_bbn": 1, "naive_block_assignment": False, "SPLIT_K": 1, "HAS_BIAS": bias is not None, "SWAP_AB": exchanges}
                kernel[(blocks * triton.cdiv(n, BLOCK_N),)](
                    a_ptr=a, b_ptr=b, c_ptr=d, a_scale_ptr=sa, b_scale_ptr=sb, topk_weights_ptr=weights, sorted_token_ids_ptr=ids, expert_ids_ptr=call["expert_ids"],
                    num_tokens_post_padded_ptr=call["num_tokens_post_padded"], N=n, K=k, EM=blocks * block_m, num_valid_tokens=d.shape[0], stride_am=a.stride(0), stride_ak=1,
                    stride_be=b.stride(0), stride_bk=1, stride_bn=b.stride(1), stride_cm=d.stride(0), stride_cn=1, stride_asm=scales[0], stride_ask=scales[1], stride_bse=scales[2],
                    stride_bsk=scales[3], stride_bsn=scales[4], group_n=group, group_k=group, BLOCK_SIZE_M=block_m, BLOCK_SIZE_N=BLOCK_N, BLOCK_SIZE_K=block_k, GROUP_SIZE_M=1,
                    MUL_ROUTED_WEIGHT=weights is not None, top_k=topk, compute_type=dtype, use_fp8_w8a8=a.dtype != torch.int8, use_int8_w8a8=a.dtype == torch.int8, use_int8_w8a16=False,
                    per_channel_quant=group == 0 and sb.numel() == b.shape[0] * n, num_warps=4, num_stages=2, **{name: value for name, value in named.items() if name in known})

            return launched(call, launch)

        return run

    rows = [("vllm.fused_moe_block.sm_90", 128, False), ("vllm.fused_moe_block_k64.sm_90", 64, False), ("vllm.fused_moe_block_m16.sm_90", 128, False),
            ("vllm.fused_moe_block_m16_k64.sm_90", 64, False), ("vllm.fused_moe_block_swap_ab.sm_90", 128, True)]
    since = row_of("", ["v0.14.0"], release)
    rows += [(f"vllm.fused_moe_channel{since}.sm_90", 128, None if since else False), (f"vllm.fused_moe_channel_m16{since}.sm_90", 128, False), (f"vllm.fused_moe_int8{since}.sm_90", 128, False)]
    return [(contract, "cuda", of(block_k, swap)) for contract, block_k, swap in rows]


def fused_by_sglang(source, _):
    """SGLang's fused_moe_kernel with BLOCK_SIZE_N 64."""
    import triton
    import triton.language as tl

    types_of = {torch.bfloat16: tl.bfloat16, torch.float16: tl.float16, torch.float32: tl.float32}
    kernel = functions(f"{source}/sglang/kernels/ops/moe/fused_moe_triton_kernels.py", ["write_zeros_to_output", "fused_moe_kernel"],
                       {"torch": torch, "triton": triton, "tl": tl}).fused_moe_kernel

    def of(may_swap):
        def run(call):
            def launch(a, b, d, sa, sb, scales, ids, block_m, topk):
                bias, weights = (call[role] if has(call, role) else None for role in ("bias", "topk_weights"))
                blocks, n, k = len(call["expert_ids"]), b.shape[1], b.shape[2]
                group = 128 if sb.dim() == 3 else 0
                kernel[(blocks * triton.cdiv(n, BLOCK_N),)](
                    a, None, b, None, bias, d, sa, sb, weights, ids, call["expert_ids"], call["num_tokens_post_padded"], None, n, k, blocks * block_m, d.shape[0], a.stride(0), 1,
                    b.stride(0), 1, b.stride(1), n, 1, d.stride(0), 1, *scales, group, group, BLOCK_SIZE_M=block_m, BLOCK_SIZE_N=BLOCK_N, BLOCK_SIZE_K=128, GROUP_SIZE_M=1,
                    MUL_ROUTED_WEIGHT=weights is not None, top_k=topk, compute_type=types_of[d.dtype], use_fp8_w8a8=a.dtype != torch.int8, use_int8_w8a8=a.dtype == torch.int8,
                    use_int8_w8a16=False, per_channel_quant=group == 0 and sb.numel() == b.shape[0] * n, even_Ks=k % 128 == 0, c_sorted=False, swap_ab=may_swap and block_m < BLOCK_N,
                    FUSE_ADD_TO_OUTPUT=False, MASK_OUTPUT=False, FUSE_SUM_ALL_REDUCE=False, ROUTER_TOPK=topk, num_warps=4, num_stages=2)

            return launched(call, launch)

        return run

    return [("sglang.fused_moe_block.sm_90", "cuda", of(False)), ("sglang.fused_moe_block_m16.sm_90", "cuda", of(False)), ("sglang.fused_moe_channel.sm_90", "cuda", of(True)),
            ("sglang.fused_moe_int8.sm_90", "cuda", of(False))]
