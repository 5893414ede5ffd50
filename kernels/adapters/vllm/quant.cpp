// csrc/quantization/w8a8: quantizations alone.
#include "calls.h"

namespace assay::vllm {
namespace {

void group_fp8(const Call& call, bool ue8m0) {
  Tensor q = at(call, "q"), scale = at(call, "scale");
  per_token_group_quant_fp8(at(call, "x"), q, scale, call.integer("group_size"), 1e-10, -448, 448, ue8m0, false, false);
}
void group_packed(const Call& call) {
  Tensor q = at(call, "q"), scale = at(call, "scale");
  per_token_group_quant_8bit_packed(at(call, "x"), q, scale, call.integer("group_size"), 1e-10, -448, 448);
}
void group_int8(const Call& call) {
  Tensor q = at(call, "q"), scale = at(call, "scale");
  per_token_group_quant_int8(at(call, "x"), q, scale, call.integer("group_size"), 1e-10, -128, 127);
}
void per_token(const Call& call) {
  Tensor q = at(call, "q"), scale = at(call, "scale");
  dynamic_per_token_scaled_fp8_quant(q, at(call, "x"), scale, found_number(call, "scale_ub"));
}
void per_tensor(const Call& call) {
  Tensor q = at(call, "q"), scale = at(call, "scale");
  dynamic_scaled_fp8_quant(q, at(call, "x"), scale);
}
void static_fp8(const Call& call) {
  Tensor q = at(call, "q");
  static_scaled_fp8_quant(q, at(call, "x"), at(call, "scale"), std::nullopt);
}
void static_int8(const Call& call) {
  Tensor q = at(call, "q");
  static_scaled_int8_quant(q, at(call, "x"), at(call, "scale"), found(call, "azp"));
}
void token_int8(const Call& call) {
  Tensor q = at(call, "q"), scale = at(call, "scale");
  dynamic_scaled_int8_quant(q, at(call, "x"), scale, found(call, "azp"));
}

}  // namespace

std::vector<Kernel> quant_kernels() {
  return {
      {"per_token_group_quant_fp8",
       "quant_group",
       {"vllm.group_fp8", "vllm.group_fp8@v0.33.0"},
       {},
       {},
       on_stream<[](const Call& c) { group_fp8(c, false); }>},
      {"per_token_group_quant_fp8_ue8m0",
       "quant_group",
       {"vllm.group_fp8_ue8m0"},
       {},
       {},
       on_stream<[](const Call& c) { group_fp8(c, true); }>},
      {"per_token_group_quant_8bit_packed", "quant_group", {"vllm.group_fp8_packed"}, {}, {}, on_stream<group_packed>},
      {"per_token_group_quant_int8",
       "quant_group",
       {"vllm.group_int8", "vllm.group_int8@v0.33.0"},
       {},
       {},
       on_stream<group_int8>},
      {"dynamic_per_token_scaled_fp8_quant",
       "quant_group",
       {"vllm.per_token", "vllm.per_token_ub"},
       {},
       {},
       on_stream<per_token>},
      {"dynamic_scaled_int8_quant", "quant_group", {"vllm.per_token_int8"}, {}, {}, on_stream<token_int8>},
      {"dynamic_scaled_int8_quant_azp", "quant_azp", {"vllm.per_token_int8_azp"}, {}, {}, on_stream<token_int8>},
      {"dynamic_scaled_fp8_quant", "quant_tile", {"vllm.per_tensor"}, {}, {}, on_stream<per_tensor>},
      {"static_scaled_fp8_quant", "quant_static", {"vllm.static", "vllm.static_group"}, {}, {}, on_stream<static_fp8>},
      {"static_scaled_int8_quant", "quant_static", {"vllm.static_int8", "vllm.static_int8_azp"}, {}, {}, on_stream<static_int8>},
  };
}

}  // namespace assay::vllm
