"""SiLU and a product in torch, alone and before vLLM's quantization of groups: what fused kernels replace."""

import pathlib
import tempfile

import torch
import torch.nn.functional as F

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

    from library_gemm_rows import built, toolkit

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
