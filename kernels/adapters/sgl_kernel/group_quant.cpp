// libassay_sgl_kernel.so: the group quantization of sgl-kernel as a plug-in. SGLang's wheels ship this kernel compiled.
#include "assay/torch_stable.hpp"
#include "utils.h"

void sgl_per_token_group_quant_8bit(torch::Tensor input, torch::Tensor output_q, torch::Tensor output_s, int64_t group_size,
                                    double eps, double min_8bit, double max_8bit, bool scale_ue8m0);

namespace {

using assay::cuda::Call;
using assay::torch_stable::tensor;

/// Calls sgl-kernel's function as SGLang's Python code does (fp8_kernel.py, int8_kernel.py).
void group_quant(const Call& call, bool ue8m0) {
  const assay_tensor& q = call.at("q");
  const bool to_int8 = q.type_code == ASSAY_INT;
  const assay::torch_stable::Running running(call);
  sgl_per_token_group_quant_8bit(tensor(call.at("x")), tensor(q), tensor(call.at("scale")), call.integer("group_size"), 1e-10,
                                 to_int8 ? -128 : -448, to_int8 ? 127 : 448, ue8m0);
}

}  // namespace

extern "C" __attribute__((visibility("default"))) const assay_library* assay_get_library(void) {
  return assay::cuda::library(ASSAY_SGL_KERNEL_NAME,
                              {
                                  {"per_token_group_quant_8bit",
                                   "quant_group",
                                   {"sgl_kernel.group_8bit", "sgl_kernel.group_int8"},
                                   {},
                                   {},
                                   [](const Call& c) { group_quant(c, false); }},
                                  {"per_token_group_quant_8bit_ue8m0",
                                   "quant_group",
                                   {"sgl_kernel.group_8bit_ue8m0"},
                                   {},
                                   {},
                                   [](const Call& c) { group_quant(c, true); }},
                              },
                              ASSAY_UNSUPPORTED);
}
