// Norms alone and followed by quantization: csrc/layernorm_kernels.cu, layernorm_quant_kernels.cu and quantization/fused_kernels.
#include "calls.h"

namespace assay::vllm {
namespace {

void norm(const Call& call) {
  Tensor y = at(call, "y"), x = at(call, "x"), gamma = at(call, "gamma");
  rms_norm(y, x, gamma, call.number("eps"));
}
/// vLLM normalizes in place, so y is initialized with x.
void add_norm(const Call& call) {
  call.copy_rows(call.at("y"), call.at("x"));
  Tensor y = at(call, "y"), residual = at(call, "residual"), gamma = at(call, "gamma");
  fused_add_rms_norm(y, residual, gamma, call.number("eps"));
}
void norm_static(const Call& call) {
  Tensor q = at(call, "q"), x = at(call, "x"), gamma = at(call, "gamma"), scale = at(call, "scale");
  rms_norm_static_fp8_quant(q, x, gamma, scale, call.number("eps"));
}
void add_norm_static(const Call& call) {
  Tensor q = at(call, "q"), x = at(call, "x"), residual = at(call, "residual"), gamma = at(call, "gamma"),
         scale = at(call, "scale");
  fused_add_rms_norm_static_fp8_quant(q, x, residual, gamma, scale, call.number("eps"));
}
void norm_token(const Call& call) {
  Tensor q = at(call, "q"), scale = at(call, "scale");
  rms_norm_dynamic_per_token_quant(q, at(call, "x"), at(call, "gamma"), scale, call.number("eps"), found_number(call, "scale_ub"),
                                   found(call, "residual"));
}
void norm_block(const Call& call) {
  Tensor q = at(call, "q"), scale = at(call, "scale");
  rms_norm_per_block_quant(q, at(call, "x"), at(call, "gamma"), scale, call.number("eps"), found_number(call, "scale_ub"),
                           found(call, "residual"), call.integer("group_size"), by_columns(call.at("scale")));
}

}  // namespace

std::vector<Kernel> norm_kernels() {
  return {
      {"rms_norm", "rms_norm", {"vllm.rms_norm@v0.19.1", "vllm.rms_norm@2026-06-18"}, {}, {}, on_stream<norm>},
      {"fused_add_rms_norm",
       "fused_add_rms_norm",
       {"vllm.fused_add_rms_norm@v0.19.1", "vllm.fused_add_rms_norm@2026-06-18"},
       {},
       {},
       on_stream<add_norm>},
      {"rms_norm_static_fp8_quant",
       "rms_norm_quant_static",
       {"vllm.rms_norm_static_fp8_quant@v0.19.1", "vllm.rms_norm_static_fp8_quant@2026-06-18"},
       {},
       {},
       on_stream<norm_static>},
      {"fused_add_rms_norm_static_fp8_quant",
       "rms_norm_quant_static",
       {"vllm.fused_add_rms_norm_static_fp8_quant@v0.19.1", "vllm.fused_add_rms_norm_static_fp8_quant@2026-06-18"},
       {},
       {},
       on_stream<add_norm_static>},
      {"rms_norm_dynamic_per_token_quant",
       "rms_norm_quant_group",
       {"vllm.rms_norm_dynamic_per_token_quant", "vllm.rms_norm_dynamic_per_token_quant_ub",
        "vllm.rms_norm_dynamic_per_token_quant_int8", "vllm.add_rms_norm_dynamic_per_token_quant"},
       {},
       {},
       on_stream<norm_token>},
      {"rms_norm_per_block_quant",
       "rms_norm_quant_group",
       {"vllm.rms_norm_per_block_quant", "vllm.rms_norm_per_block_quant_ub", "vllm.rms_norm_per_block_quant_int8",
        "vllm.add_rms_norm_per_block_quant", "vllm.rms_norm_per_block_quant@v0.33.0", "vllm.rms_norm_per_block_quant_ub@v0.33.0",
        "vllm.add_rms_norm_per_block_quant@v0.33.0"},
       {},
       {},
       on_stream<norm_block>},
  };
}

}  // namespace assay::vllm
