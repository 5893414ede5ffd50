// Runs a CUDA kernel on the CPU: a plug-in that compiles the unmodified token_group_quant.cu and runs each thread as a fiber.
// docs/judge-cuda.md has the build command.
// SPDX-License-Identifier: Apache-2.0
#include "token_group_quant.cu"

#include <assay/plugin/library.hpp>

namespace {

void run(const assay::plugin::Call& call) {
  const assay_tensor& x = call.at("x");
  const int64_t groups = x.shape[0] * x.shape[1] / 128;
  if (x.strides[0] != x.shape[1]) assay::plugin::unsupported("x must be dense");
  if (groups == 0) return;  // a launch needs at least one block, here and on a GPU
  assay::simt::launch(token_group_quant<128>, int(groups + 15) / 16, 256, int(call.integer("warp", 32)),
                      static_cast<const __nv_bfloat16*>(x.data), static_cast<__nv_fp8_storage_t*>(call.at("q").data),
                      static_cast<float*>(call.at("scale").data), int(groups), 1e-10f);
}

}  // namespace

extern "C" __attribute__((visibility("default"))) const assay_library* assay_get_library(void) {
  using namespace assay::plugin;
  static const Library<Call> table{{"my_group_quant", "cpu", "", "", ""},
                                   {{"token_group_quant",
                                     "quant_group",
                                     {"vllm.group_fp8"},
                                     {{"x", {"bf16"}}, {"group_size", {"128"}}, {"layout", {"row"}}, {"warp", {32, 64}}},
                                     {},
                                     run}}};
  return HostLibrary<Call>::of(table);
}
