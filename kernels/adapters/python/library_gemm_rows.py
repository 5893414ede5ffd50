"""Matrix products of libraries in C++, their sources compiled against torch as they are: vLLM's CUTLASS products and DeepGEMM. The headers of
CUTLASS lie in SOURCES/cutlass, those of {fmt} in SOURCES/fmt."""

import os
import pathlib
import tempfile

import torch

from witness_file import DTYPES

STABLE = """
#include <torch/extension.h>
#include <torch/csrc/inductor/aoti_torch/utils.h>
#include "quantization/w8a8/cutlass/c3x/scaled_mm_kernels.hpp"

using torch::stable::Tensor;
Tensor stable(at::Tensor t) { return Tensor(torch::aot_inductor::new_tensor_handle(std::move(t))); }
std::optional<Tensor> stable(std::optional<at::Tensor> t) { return t ? std::optional<Tensor>(stable(*t)) : std::nullopt; }
"""
PRODUCT = """
void cutlass_scaled_mm_sm90(Tensor&, Tensor const&, Tensor const&, Tensor const&, Tensor const&, std::optional<Tensor> const&);

void product(at::Tensor d, at::Tensor a, at::Tensor b, at::Tensor scale_a, at::Tensor scale_b, std::optional<at::Tensor> bias) {
  Tensor out = stable(d);
  cutlass_scaled_mm_sm90(out, stable(a), stable(b), stable(scale_a), stable(scale_b), stable(bias));
}
PYBIND11_MODULE(TORCH_EXTENSION_NAME, m) { m.def("product", &product); }
"""
PRODUCT_AZP = """
void product_azp(at::Tensor d, at::Tensor a, at::Tensor b, at::Tensor scale_a, at::Tensor scale_b, at::Tensor adj, std::optional<at::Tensor> azp,
                 std::optional<at::Tensor> bias) {
  Tensor out = stable(d);
  vllm::cutlass_scaled_mm_azp_sm90_int8(out, stable(a), stable(b), stable(scale_a), stable(scale_b), stable(adj), stable(azp), stable(bias));
}
PYBIND11_MODULE(TORCH_EXTENSION_NAME, m) { m.def("product_azp", &product_azp); }
"""

FLAGS = "nvcc -O3; no fast math"  # of the kernels, as torch's extension builder and DeepGEMM compile them


def built(rows):
    for _, _, run in rows:
        run.flags = FLAGS
    return rows


def toolkit():
    """Headers of CUDA's libraries, and how NVRTC is linked: the toolkit's, or those that came with torch where it has nvcc alone."""
    from torch.utils.cpp_extension import CUDA_HOME

    home, wheels = pathlib.Path(CUDA_HOME), pathlib.Path(torch.__file__).parents[1] / "nvidia/cu13"
    headers = [str(folder) for folder in (home / "include", home / "include/cccl", wheels / "include") if folder.exists()]
    folder = home / "lib64" if (home / "lib64/libnvrtc.so").exists() else wheels / "lib"
    library = "-lnvrtc" if (folder / "libnvrtc.so").exists() else "-l:libnvrtc.so.13"
    return headers, [f"-L{folder}", library, f"-Wl,-rpath,{folder}"]


def result_of(call, rows):
    """Memory for the result of so many rows."""
    spec = call.about["tensors"]["d"]
    return torch.empty(rows, spec["shape"][1], dtype=DTYPES[spec["format"]], device="cuda")


def found(call, role):
    return call[role] if role in call.about["tensors"] else None


def cutlass_module(source, name, bindings, files):
    from torch.utils.cpp_extension import load

    csrc = pathlib.Path(source).resolve() / "csrc"
    cutlass = csrc.parent.parent / "cutlass"
    if not cutlass.exists():
        raise LookupError(f"{cutlass}: no headers of CUTLASS")
    folder = pathlib.Path(tempfile.mkdtemp())
    (folder / "bindings.cpp").write_text(STABLE + bindings)
    defines = ["-DENABLE_SCALED_MM_SM90=1", "-DENABLE_FP8", "-DUSE_CUDA", "-DTORCH_TARGET_VERSION=0x020B000000000000ULL", "-std=c++20"]
    return load(name, [str(folder / "bindings.cpp"), *(str(csrc / "quantization/w8a8/cutlass" / file) for file in files)], extra_cflags=["-std=c++20"],
                extra_cuda_cflags=[*defines, "-gencode=arch=compute_90a,code=sm_90a", "--expt-relaxed-constexpr", "--expt-extended-lambda"],
                extra_include_paths=[str(csrc), str(cutlass / "include"), str(cutlass / "tools/util/include"), *toolkit()[0]])


def vllm_cutlass_azp(source, _):
    """The products with zero points: one file of the five that vllm_cutlass() compiles."""
    module = cutlass_module(source, "assay_vllm_cutlass_azp", PRODUCT_AZP, ["c3x/scaled_mm_azp_sm90_int8.cu"])

    def run(call):
        d = result_of(call, call["a"].shape[0])
        module.product_azp(d, call["a"], call["b"].t(), call["scale_a"].reshape(-1, 1), call["scale_b"].reshape(1, -1), call["azp_adj"],
                           found(call, "azp"), found(call, "bias"))
        return {"d": d}

    name = "vllm.cutlass_scaled_mm_azp"
    return built([(name + ".sm_90", "cuda", run), (name + "_per_token.sm_90", "cuda", run)])


def vllm_cutlass(source, _):
    module = cutlass_module(source, "assay_vllm_cutlass", PRODUCT, ["scaled_mm_c3x_sm90.cu"] + [
        f"c3x/scaled_mm_{name}.cu" for name in ("sm90_fp8", "sm90_int8", "azp_sm90_int8", "blockwise_sm90_fp8")])

    def product(least_rows):
        """vLLM exchanges a and b for 64 rows and fewer: rows of zeros are put behind those of the call, and left out of the result."""

        def run(call):
            a, scale_a = call["a"], call["scale_a"]
            rows = a.shape[0]
            if rows < least_rows:
                a = torch.cat([a.view(torch.uint8), torch.zeros(least_rows - rows, a.shape[1], dtype=torch.uint8, device="cuda")]).view(a.dtype)
                if scale_a.shape[0] == rows and scale_a.numel() > 1:
                    scale_a = torch.cat([scale_a, torch.ones(least_rows - rows, *scale_a.shape[1:], device="cuda")])
            d = result_of(call, a.shape[0])
            if scale_a.dim() == 2:  # of blocks, column after column
                module.product(d, a, call["b"].t(), scale_a.t().contiguous().t(), call["scale_b"].t(), None)
            else:
                module.product(d, a, call["b"].t(), scale_a.reshape(-1, 1), call["scale_b"].reshape(1, -1), found(call, "bias"))
            return {"d": d[:rows]}

        return run

    name = "vllm.cutlass_scaled_mm"
    return built([(name + ".sm_90", "cuda", product(65)), (name + "_swap_ab.sm_90", "cuda", product(0)), (name + "_int8.sm_90", "cuda", product(0)),
                  (name + "_blockwise.sm_90", "cuda", product(0))])


def deepgemm(source):
    """DeepGEMM's own host code, which compiles a kernel for each shape when it is called."""
    from torch.utils.cpp_extension import CUDA_HOME, load

    root = pathlib.Path(source).resolve()
    headers = [root / "deep_gemm/include", root.parent / "cutlass/include", root.parent / "fmt"]
    for folder in headers:
        if not folder.exists():
            raise LookupError(f"{folder}: no such headers")
    for name in ("cute", "cutlass"):  # what its setup.py copies there
        if not (headers[0] / name).exists():
            os.symlink(headers[1] / name, headers[0] / name)
    module = load("assay_deep_gemm", [str(root / "csrc/python_api.cpp")], extra_cflags=["-std=c++20", "-DFMT_HEADER_ONLY", "-Wno-psabi"],
                  extra_include_paths=[*map(str, headers), *toolkit()[0]], extra_ldflags=toolkit()[1], with_cuda=True)
    module.init(str(root / "deep_gemm"), CUDA_HOME)

    def product(recipe):
        def run(call):
            d = result_of(call, call["a"].shape[0])
            module.fp8_gemm_nt((call["a"], call["scale_a"]), (call["b"], call["scale_b"].contiguous()), d, found(call, "c"), recipe)
            return {"d": d}

        return run

    return built([("deepgemm.fp8_gemm_1d2d.sm_90", "cuda", product((1, 128, 128))), ("deepgemm.fp8_gemm_1d1d.sm_90", "cuda", product((1, 1, 128)))])
