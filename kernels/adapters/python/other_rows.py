"""torchao's MX rules, DeepGEMM's casts, Liger's Triton kernels, and SiLU-and-mul in torch, alone and before vLLM's group
quantization: the unfused ops that fused kernels replace."""

import pathlib
import sys
import tempfile
from typing import Tuple

import torch
import torch.nn.functional as F

from from_source import functions


MODES = {"floor": "FLOOR", "rceil": "RCEIL", "ceil": "CEIL", "even": "EVEN"}


def to_mx(module, mode):
    """Calls `to_mx` of a torchao module."""
    from torchao.prototype.mx_formats.utils import to_blocked

    def run(call):
        scale, q = module.to_mx(call["x"].contiguous(), torch.float8_e4m3fn, 32, getattr(module.ScaleCalculationMode, mode))
        scale = scale.view(torch.uint8)
        return {"q": q, "scale": to_blocked(scale).flatten() if call.parameters["layout"] == "e8m0_128x4" else scale}

    return run


def to_fp4(scale, codes, call):
    """Outputs of an FP4 function: packed codes, and the bytes of its scales in the layout that the call requires."""
    from torchao.prototype.mx_formats.utils import to_blocked

    scale = scale.view(torch.uint8)
    return {"q": codes, "scale": to_blocked(scale).flatten() if call.parameters["layout"].endswith("_128x4") else scale}


def to_mxfp4(module, mode):
    return lambda call: to_fp4(*module.to_mx(call["x"].contiguous(), torch.float4_e2m1fn_x2, 32, getattr(module.ScaleCalculationMode, mode)), call)


def torchao_fp4_rows():
    """torchao's software conversions to FP4. NVFP4 has a contract per device: amax / 6 on a CPU, amax * (1 / 6) on a GPU."""
    from torchao.prototype.mx_formats import mx_tensor, nvfp4_tensor

    def nvfp4(with_tensor_scale):
        return lambda call: to_fp4(*nvfp4_tensor.nvfp4_quantize(call["x"].contiguous(), 16, call["global_scale"] if with_tensor_scale else None), call)

    return ([(f"torchao.mxfp4_{name}", "any", to_mxfp4(mx_tensor, mode)) for name, mode in MODES.items()] +
            [(f"torchao.nvfp4{block}{gpu}", device, nvfp4(not block))
             for block in ("", "_block") for gpu, device in (("", "cpu"), ("_gpu", "cuda"))])


def torchao_float8_rows():
    """torchao's float8 quantization of activations, on the CPU. There torch divides by 448; on a GPU it multiplies by 1/448."""
    from torchao.quantization import quant_primitives

    def per_row(call):
        x = call["x"].contiguous()
        scale = quant_primitives._choose_scale_float8(x, [1, x.shape[1]])
        return {"q": quant_primitives._quantize_affine_float8(x, scale), "scale": scale}

    return [("torchao.float8_per_row", "cpu", per_row)]


def torchao_rows():
    from torchao.prototype.mx_formats import mx_tensor

    # Before 2026-08-12, torchao treated NaN, Inf and scale byte 0 differently.
    released = not hasattr(mx_tensor, "_f32_to_e8m0_rceil")
    row = {name: f"torchao.mx_{name}" + ("" if not released else "@v0.18.0" if name == "rceil" else "@v0.12.0") for name in MODES}
    return [(row[name], "cuda", to_mx(mx_tensor, mode)) for name, mode in MODES.items()]


def torchao_release_rows(source, _):
    """Functions of a release before 0.18.0, run with the constants of the installed torchao."""
    from torchao.prototype.mx_formats import mx_tensor

    module = functions(f"{source}/torchao/prototype/mx_formats/mx_tensor.py", ["_to_mx_rceil", "to_mx"], dict(vars(mx_tensor)))
    return [(f"torchao.mx_{name}@v0.12.0", "cuda", to_mx(module, mode)) for name, mode in MODES.items()]


def torchao_commit_rows(source):
    """Functions of an unreleased commit, run with the constants of the installed torchao."""
    from torchao.prototype.mx_formats import mx_tensor
    from torchao.utils import torch_version_at_least

    names = {**vars(mx_tensor), "is_fake": lambda _: False,
             **{f"_TORCH_VERSION_AT_LEAST_2_{minor}": torch_version_at_least(f"2.{minor}.0") for minor in range(11, 16)}}
    module = functions(f"{source}/torchao/prototype/mx_formats/mx_tensor.py",
                       ["_f32_to_e8m0_rceil", "_e8m0_scale_to_reciprocal_fp32", "_to_mx_rceil", "to_mx"], names)
    return [(f"torchao.mx_{name}", "any", to_mx(module, mode)) for name, mode in MODES.items()]


def deepgemm_rows(source):
    casts = functions(f"{source}/deep_gemm/utils/math.py", ["ceil_div", "align", "ceil_to_ue8m0", "pack_ue8m0_to_int", "per_token_cast_to_fp8", "per_block_cast_to_fp8", "_quantize_to_fp4_e2m1", "per_token_cast_to_fp4"],
                      {"torch": torch, "Tuple": Tuple})

    def token(ue8m0):
        def made(call):
            q, scale = casts.per_token_cast_to_fp8(call["x"], ue8m0, int(call.numbers["group_size"]))
            return {"q": q, "scale": scale}

        return made

    def block(ue8m0):
        def made(call):
            q, scale = casts.per_block_cast_to_fp8(call["x"], ue8m0)
            return {"q": q, "scale": scale}

        return made

    def mxfp4(call):
        q, scale = casts.per_token_cast_to_fp4(call["x"], True, 32)
        return {"q": q, "scale": (scale.view(torch.int) >> 23).to(torch.uint8)}

    return [("deepgemm.mxfp4", "any", mxfp4), ("deepgemm.per_token_cast", "cpu", token(False)), ("deepgemm.per_token_cast_gpu", "cuda", token(False)),
            ("deepgemm.per_token_cast_ue8m0", "cuda", token(True)), ("deepgemm.per_block_cast", "cpu", block(False)),
            ("deepgemm.per_block_cast_gpu", "cuda", block(False)), ("deepgemm.per_block_cast_ue8m0", "cuda", block(True))]


def forwards(source, _):
    """Liger's Triton kernels, loaded from a source distribution."""
    sys.path.insert(0, f"{source}/src")
    from liger_kernel.ops.fused_add_rms_norm import fused_add_rms_norm_forward
    from liger_kernel.ops.geglu import geglu_forward
    from liger_kernel.ops.rms_norm import rms_norm_forward
    from liger_kernel.ops.swiglu import swiglu_forward

    def gated(forward):
        def run(call):
            x = call["x"]
            half = x.shape[1] // 2
            return {"y": forward(x[:, :half].contiguous(), x[:, half:].contiguous())[2]}

        return run

    def norm(offset, mode):
        def run(call):
            return {"y": rms_norm_forward(call["x"].contiguous(), call["gamma"], float(call.numbers["eps"]), offset, mode, None)[0]}

        return run

    def add_norm(call):
        y, residual, *_ = fused_add_rms_norm_forward(call["x"].contiguous(), call["residual"].contiguous(), call["gamma"], float(call.numbers["eps"]), 0.0, "llama")
        return {"y": y, "residual": residual}

    return [("liger.swiglu", "cuda", gated(swiglu_forward)), ("liger.geglu", "cuda", gated(geglu_forward)), ("liger.rms_norm", "cuda", norm(0.0, "llama")),
            ("liger.gemma_rms_norm", "cuda", norm(1.0, "gemma")), ("liger.fused_add_rms_norm", "cuda", add_norm)]


BINDINGS = """
#include <torch/extension.h>
#include <torch/csrc/inductor/aoti_torch/utils.h>
#include <torch/csrc/stable/tensor.h>

using torch::stable::Tensor;
void per_token_group_quant_fp8(Tensor const&, Tensor&, Tensor&, int64_t, double, double, double, bool, bool, bool);

Tensor stable(at::Tensor t) { return Tensor(torch::aot_inductor::new_tensor_handle(std::move(t))); }
void quantize(at::Tensor x, at::Tensor q, at::Tensor scale, int64_t group_size) {
  Tensor codes = stable(q), scales = stable(scale);
  per_token_group_quant_fp8(stable(x), codes, scales, group_size, 1e-10, -448.0, 448.0, false, false, false);
}
PYBIND11_MODULE(TORCH_EXTENSION_NAME, m) { m.def("quantize", &quantize); }
"""


def silu_mul(x):
    half = x.shape[1] // 2
    return F.silu(x[:, :half]) * x[:, half:]


def alone():
    return [("torch.silu_mul", "cuda", lambda call: {"y": silu_mul(call["x"])})]


def before_groups(source, release):
    from torch.utils.cpp_extension import load

    from gemm_rows import built, toolkit

    csrc = pathlib.Path(source).resolve() / "csrc"
    kernel = next((f for f in (csrc / folder / "quantization/w8a8/fp8/per_token_group_quant.cu" for folder in ("libtorch_stable", ".")) if f.exists()))
    folder = pathlib.Path(tempfile.mkdtemp())
    (folder / "bindings.cpp").write_text(BINDINGS)
    module = load("assay_vllm_group_" + release.replace(".", "_"), [str(folder / "bindings.cpp"), str(kernel)], extra_cflags=["-std=c++20"],
                  extra_cuda_cflags=["-O3", "-std=c++20", "-DENABLE_FP8", "-DUSE_CUDA", "-DTORCH_TARGET_VERSION=0x020B000000000000ULL",
                                     "-gencode=arch=compute_90,code=sm_90", "--expt-relaxed-constexpr", "--expt-extended-lambda"],
                  extra_include_paths=[str(csrc), *toolkit()[0]])

    def run(call):
        h = silu_mul(call["x"]).contiguous()
        q = torch.empty(h.shape, dtype=torch.float8_e4m3fn, device=h.device)
        groups = h.shape[1] // int(call.numbers["group_size"])
        by_columns = call.parameters["layout"] != "row"
        scale = torch.empty(groups, h.shape[0], device=h.device).t() if by_columns else torch.empty(h.shape[0], groups, device=h.device)
        module.quantize(h, q, scale, int(call.numbers["group_size"]))
        return {"q": q, "scale": scale}

    return built([("torch.silu_mul_group_fp8", "cuda", run)])
