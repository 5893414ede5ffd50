// csrc/activation_kernels.cu, quantization/activation_kernels.cu, quantization/fused_kernels/fused_silu_mul_block_quant.cu.
#include "calls.h"

namespace assay::vllm {
namespace {

template <void (*kFunction)(Tensor&, Tensor&)>
void act_and_mul(const Call& call) {
  Tensor y = at(call, "y"), x = at(call, "x");
  kFunction(y, x);
}
void silu_block(const Call& call) {
  Tensor q = at(call, "q"), scale = at(call, "scale");
  silu_and_mul_per_block_quant(q, at(call, "x"), scale, call.integer("group_size"), found_number(call, "scale_ub"),
                               by_columns(call.at("scale")));
}
#ifndef ASSAY_VLLM_WITHOUT_MASKED
void silu_static(const Call& call) {
  Tensor q = at(call, "q"), x = at(call, "x"), scale = at(call, "scale");
  silu_and_mul_quant(q, x, scale);
}
/// Rows of all experts lie one after the other; vLLM has a dimension of experts.
Tensor by_expert(const assay_tensor& t, int64_t experts) {
  const int64_t rows = t.shape[0] / experts;
  return tensor(t.data, torch_stable::type_of(t), {experts, rows, t.shape[1]}, {rows * t.strides[0], t.strides[0], 1});
}
void silu_masked(const Call& call, bool ue8m0) {
  const int64_t experts = call.at("tokens").shape[0];
  Tensor q = by_expert(call.at("q"), experts), scale = at(call, "scale");
  persistent_masked_m_silu_mul_quant(by_expert(call.at("x"), experts), at(call, "tokens"), q, scale, ue8m0);
}
#endif

}  // namespace

std::vector<Kernel> activation_kernels() {
  return {
      {"silu_and_mul",
       "act_and_mul",
       {"vllm.silu_and_mul", "vllm.silu_and_mul@v0.24.0"},
       {},
       {},
       on_stream<act_and_mul<silu_and_mul>>},
      {"gelu_and_mul",
       "act_and_mul",
       {"vllm.gelu_and_mul", "vllm.gelu_and_mul@v0.24.0"},
       {},
       {},
       on_stream<act_and_mul<gelu_and_mul>>},
      {"gelu_tanh_and_mul",
       "act_and_mul",
       {"vllm.gelu_tanh_and_mul", "vllm.gelu_tanh_and_mul@v0.24.0"},
       {},
       {},
       on_stream<act_and_mul<gelu_tanh_and_mul>>},
      {"silu_and_mul_per_block_quant",
       "silu_mul_quant_group",
       {"vllm.silu_and_mul_per_block_quant", "vllm.silu_and_mul_per_block_quant_ub"},
       {},
       {},
       on_stream<silu_block>},
#ifndef ASSAY_VLLM_WITHOUT_MASKED
      {"silu_and_mul_quant", "silu_mul_quant_static", {"vllm.silu_and_mul_quant@v0.9.0"}, {}, {}, on_stream<silu_static>},
      {"persistent_masked_m_silu_mul_quant",
       "silu_mul_quant_masked",
       {"vllm.silu_mul_fp8_quant_deep_gemm"},
       {},
       {},
       on_stream<[](const Call& c) { silu_masked(c, false); }>},
      {"persistent_masked_m_silu_mul_quant_ue8m0",
       "silu_mul_quant_masked",
       {"vllm.silu_mul_fp8_quant_deep_gemm_ue8m0", "vllm.silu_mul_fp8_quant_deep_gemm_ue8m0x4"},
       {},
       {},
       on_stream<[](const Call& c) { silu_masked(c, true); }>},
#endif
  };
}

}  // namespace assay::vllm
