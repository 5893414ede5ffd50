"""GEMMs: torch._scaled_mm (cuBLASLt or CUTLASS), vLLM's Triton kernels, variants of Triton's dot, and C++ libraries whose unmodified
sources are compiled against torch: vLLM's CUTLASS GEMMs and DeepGEMM. Expects the headers of
CUTLASS in SOURCES/cutlass and of {fmt} in SOURCES/fmt."""

import os
import pathlib
import tempfile
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
        """torch needs a multiple of 16 columns of `d`: `b` gets more rows of zeros, and the additional columns of `d` are dropped."""
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
        """Scales are column-major, [m, blocks of k] and [n, blocks of k], each column padded to a multiple of 16 bytes; a is padded with rows
        of zeros to match. Scales of 128 x 128 blocks are [blocks of k, n / 128], in columns padded to a multiple of four."""

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
    """vLLM's Triton GEMMs: with block scales, in the release's default configuration and with half and a quarter of its BLOCK_SIZE_K; and
    with scales per tensor, token or channel."""
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
    """Variants of Triton's dot that no library uses in this form, compiled by the installed Triton."""
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

FLAGS = "nvcc -O3; no fast math"  # compiler flags of torch's extension builder and of DeepGEMM


def built(rows):
    for _, _, run in rows:
        run.flags = FLAGS
    return rows


def toolkit():
    """Include and link flags for CUDA's libraries and NVRTC, from the toolkit, or from torch's packages if the toolkit has only nvcc."""
    from torch.utils.cpp_extension import CUDA_HOME

    home, wheels = pathlib.Path(CUDA_HOME), pathlib.Path(torch.__file__).parents[1] / "nvidia/cu13"
    headers = [str(folder) for folder in (home / "include", home / "include/cccl", wheels / "include") if folder.exists()]
    folder = home / "lib64" if (home / "lib64/libnvrtc.so").exists() else wheels / "lib"
    library = "-lnvrtc" if (folder / "libnvrtc.so").exists() else "-l:libnvrtc.so.13"
    return headers, [f"-L{folder}", library, f"-Wl,-rpath,{folder}"]


def library_result_of(call, rows):
    """Allocates `d` with `rows` rows."""
    spec = call.about["tensors"]["d"]
    return torch.empty(rows, spec["shape"][1], dtype=DTYPES[spec["format"]], device="cuda")


def found(call, role):
    return call[role] if role in call.about["tensors"] else None


def cutlass_module(source, name, bindings, files):
    from torch.utils.cpp_extension import load

    csrc = pathlib.Path(source).resolve() / "csrc"
    cutlass = csrc.parent.parent / "cutlass"
    if not cutlass.exists():
        raise LookupError(f"{cutlass}: expected the headers of CUTLASS, found none")
    folder = pathlib.Path(tempfile.mkdtemp())
    (folder / "bindings.cpp").write_text(STABLE + bindings)
    defines = ["-DENABLE_SCALED_MM_SM90=1", "-DENABLE_FP8", "-DUSE_CUDA", "-DTORCH_TARGET_VERSION=0x020B000000000000ULL", "-std=c++20"]
    return load(name, [str(folder / "bindings.cpp"), *(str(csrc / "quantization/w8a8/cutlass" / file) for file in files)], extra_cflags=["-std=c++20"],
                extra_cuda_cflags=[*defines, "-gencode=arch=compute_90a,code=sm_90a", "--expt-relaxed-constexpr", "--expt-extended-lambda"],
                extra_include_paths=[str(csrc), str(cutlass / "include"), str(cutlass / "tools/util/include"), *toolkit()[0]])


def vllm_cutlass_azp(source, _):
    """GEMMs with zero points: one of the five files that vllm_cutlass() compiles."""
    module = cutlass_module(source, "assay_vllm_cutlass_azp", PRODUCT_AZP, ["c3x/scaled_mm_azp_sm90_int8.cu"])

    def run(call):
        d = library_result_of(call, call["a"].shape[0])
        module.product_azp(d, call["a"], call["b"].t(), call["scale_a"].reshape(-1, 1), call["scale_b"].reshape(1, -1), call["azp_adj"],
                           found(call, "azp"), found(call, "bias"))
        return {"d": d}

    name = "vllm.cutlass_scaled_mm_azp"
    return built([(name + ".sm_90", "cuda", run), (name + "_per_token.sm_90", "cuda", run)])


def vllm_cutlass(source, _):
    module = cutlass_module(source, "assay_vllm_cutlass", PRODUCT, ["scaled_mm_c3x_sm90.cu"] + [
        f"c3x/scaled_mm_{name}.cu" for name in ("sm90_fp8", "sm90_int8", "azp_sm90_int8", "blockwise_sm90_fp8")])

    def product(least_rows):
        """For up to 64 rows vLLM exchanges `a` and `b`. To avoid this, `a` gets more rows of zeros, and these rows of `d` are dropped."""

        def run(call):
            a, scale_a = call["a"], call["scale_a"]
            rows = a.shape[0]
            if rows < least_rows:
                a = torch.cat([a.view(torch.uint8), torch.zeros(least_rows - rows, a.shape[1], dtype=torch.uint8, device="cuda")]).view(a.dtype)
                if scale_a.shape[0] == rows and scale_a.numel() > 1:
                    scale_a = torch.cat([scale_a, torch.ones(least_rows - rows, *scale_a.shape[1:], device="cuda")])
            d = library_result_of(call, a.shape[0])
            if scale_a.dim() == 2:  # block scales are column-major
                module.product(d, a, call["b"].t(), scale_a.t().contiguous().t(), call["scale_b"].t(), None)
            else:
                module.product(d, a, call["b"].t(), scale_a.reshape(-1, 1), call["scale_b"].reshape(1, -1), found(call, "bias"))
            return {"d": d[:rows]}

        return run

    name = "vllm.cutlass_scaled_mm"
    return built([(name + ".sm_90", "cuda", product(65)), (name + "_swap_ab.sm_90", "cuda", product(0)), (name + "_int8.sm_90", "cuda", product(0)),
                  (name + "_blockwise.sm_90", "cuda", product(0))])


def deepgemm(source):
    """DeepGEMM's own host code, which compiles a kernel for each shape at run time."""
    from torch.utils.cpp_extension import CUDA_HOME, load

    root = pathlib.Path(source).resolve()
    headers = [root / "deep_gemm/include", root.parent / "cutlass/include", root.parent / "fmt"]
    for folder in headers:
        if not folder.exists():
            raise LookupError(f"{folder}: expected headers, found none")
    for name in ("cute", "cutlass"):  # DeepGEMM's setup.py copies these folders too
        if not (headers[0] / name).exists():
            os.symlink(headers[1] / name, headers[0] / name)
    module = load("assay_deep_gemm", [str(root / "csrc/python_api.cpp")], extra_cflags=["-std=c++20", "-DFMT_HEADER_ONLY", "-Wno-psabi"],
                  extra_include_paths=[*map(str, headers), *toolkit()[0]], extra_ldflags=toolkit()[1], with_cuda=True)
    module.init(str(root / "deep_gemm"), CUDA_HOME)

    def product(recipe):
        def run(call):
            d = library_result_of(call, call["a"].shape[0])
            module.fp8_gemm_nt((call["a"], call["scale_a"]), (call["b"], call["scale_b"].contiguous()), d, found(call, "c"), recipe)
            return {"d": d}

        return run

    return built([("deepgemm.fp8_gemm_1d2d.sm_90", "cuda", product((1, 128, 128))), ("deepgemm.fp8_gemm_1d1d.sm_90", "cuda", product((1, 1, 128)))])
