"""C++ host functions that take torch tensors: extracted from a release's sources and compiled against torch for the CPU."""

import re

import torch

UTILS = '#include <torch/extension.h>\n#include <stdexcept>\n#define DG_HOST_ASSERT(c) if (!(c)) throw std::runtime_error(#c)\n'
STABLE = """
#include <torch/csrc/inductor/aoti_torch/utils.h>
#include <torch/csrc/stable/tensor.h>
"""
CALLS_STABLE = """
bool accepts(at::Tensor t) {
  torch::stable::Tensor same(torch::aot_inductor::new_tensor_handle(std::move(t)));
  return _is_weak_contiguous(same);
}
"""
CALLS_TORCH = "bool accepts(at::Tensor t) { return _is_weak_contiguous(t); }\n"


def text_of(path, name):
    """The definition of a function, including its template header."""
    with open(path) as file:
        text = file.read()
    found = re.search(r"^(template[^\n]*\n)?[^\n;(]*\b" + name + r"\([^;{]*\)\s*\{", text, re.MULTILINE)
    if not found:
        raise LookupError(f"{path} has no {name}")
    depth, end = 1, found.end()
    while depth:
        depth += {"{": 1, "}": -1}.get(text[end], 0)
        end += 1
    return text[found.start() : end] + "\n"


def compiled(name, source, functions):
    from torch.utils.cpp_extension import load_inline

    return load_inline(f"assay_{name}", [source], functions=functions, extra_cflags=["-O2", "-std=c++20"])


def contiguity(source, release):
    """vLLM's _is_weak_contiguous. Its result does not depend on the device. Later releases call it through torch's stable ABI."""
    function = text_of(f"{source}/csrc/custom_all_reduce.cu", "_is_weak_contiguous")
    stable = "stable::Tensor" in function
    module = compiled("contiguity_" + re.sub(r"\W", "_", release), UTILS + (STABLE if stable else "") + function + (CALLS_STABLE if stable else CALLS_TORCH),
                      ["accepts"])

    def run(call):
        return {"accepted": torch.tensor([int(module.accepts(call["x"]))], dtype=torch.int32)}

    return [("vllm.weak_contiguous@v0.33.0" if stable else "vllm.weak_contiguous", "cpu", run)]


def packer(source):
    """DeepGEMM's fallback for calls that its kernels do not support."""
    math, layout = f"{source}/csrc/utils/math.hpp", f"{source}/csrc/utils/layout.hpp"
    parts = [text_of(math, "ceil_div"), text_of(math, "align"), text_of(math, "get_tma_aligned_size"), text_of(layout, "get_shape"),
             text_of(f"{source}/csrc/jit_kernels/impls/smxx_layout.hpp", "get_mn_major_tma_aligned_packed_ue8m0_tensor_torch")]
    module = compiled("packer", UTILS + "".join(parts), ["get_mn_major_tma_aligned_packed_ue8m0_tensor_torch"])

    def run(call):
        words = module.get_mn_major_tma_aligned_packed_ue8m0_tensor_torch(call["x"])
        about = call.about["tensors"]["scale"]
        return {"scale": torch.as_strided(words, [about["storage"]], [1])}  # the whole storage, because the function writes the padding rows too

    return [("deepgemm.pack_ue8m0_torch", "cpu", run)]
