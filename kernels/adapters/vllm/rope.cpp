// csrc/fused_qknorm_rope_kernel.cu: heads normalized and rotated; the same by rms_norm and rotary_embedding, one after the other.
#include "calls.h"

namespace assay::vllm {
namespace {

void qk_norm_rope(const Call& call, bool neox) {
  Tensor qkv = at(call, "qkv"), q_weight = at(call, "q_weight"), k_weight = at(call, "k_weight"),
         table = at(call, "cos_sin_cache"), positions = at(call, "positions");
  constexpr int64_t kItsOwnChoice = -1;
  fused_qk_norm_rope(qkv, call.integer("q_heads"), call.integer("k_heads"), call.integer("v_heads"), call.at("q_weight").shape[0],
                     call.number("eps"), q_weight, k_weight, table, neox, positions, kItsOwnChoice);
}

/// As vLLM runs them unfused: heads of q and of k are normalized into memory of their own, rotated there, and go back to their
/// places.
void norm_then_rope(const Call& call, bool neox) {
  const assay_tensor& qkv = call.at("qkv");
  const ScalarType type = torch_stable::type_of(qkv);
  const int64_t m = qkv.shape[0], head = call.at("q_weight").shape[0], element = qkv.type_bits / 8;
  Tensor table = at(call, "cos_sin_cache"), positions = at(call, "positions");
  struct Heads {
    const char* weight;
    int64_t count, first;
    char* room = nullptr;
  } parts[] = {{"q_weight", call.integer("q_heads"), 0}, {"k_weight", call.integer("k_heads"), call.integer("q_heads")}};
  for (Heads& heads : parts) {
    cuda::good(cudaMallocAsync(reinterpret_cast<void**>(&heads.room), size_t(m * heads.count * head * element), call.stream()));
    Tensor in = tensor(static_cast<char*>(qkv.data) + heads.first * head * element, type, {m, heads.count, head},
                       {qkv.strides[0], head, 1});
    Tensor out = tensor(heads.room, type, {m, heads.count, head}), weight = at(call, heads.weight);
    rms_norm(out, in, weight, call.number("eps"));
  }
  Tensor q = tensor(parts[0].room, type, {m, parts[0].count * head}), k = tensor(parts[1].room, type, {m, parts[1].count * head});
  rotary_embedding(positions, q, k, head, table, neox, 0, false);
  for (const Heads& heads : parts) {
    const size_t row = size_t(heads.count * head * element);
    cuda::good(cudaMemcpy2DAsync(static_cast<char*>(qkv.data) + heads.first * head * element, size_t(qkv.strides[0] * element),
                                 heads.room, row, row, size_t(m), cudaMemcpyDeviceToDevice, call.stream()));
    cuda::good(cudaFreeAsync(heads.room, call.stream()));
  }
}

}  // namespace

std::vector<Kernel> rope_kernels() {
  return {
      {"fused_qk_norm_rope_neox",
       "qk_norm_rope",
       {"vllm.fused_qk_norm_rope_neox"},
       {},
       {},
       on_stream<[](const Call& c) { qk_norm_rope(c, true); }>},
      {"fused_qk_norm_rope_interleaved",
       "qk_norm_rope",
       {"vllm.fused_qk_norm_rope_interleaved"},
       {},
       {},
       on_stream<[](const Call& c) { qk_norm_rope(c, false); }>},
      {"rms_norm_then_rotary_embedding_neox",
       "qk_norm_rope",
       {"vllm.qk_norm_then_rope_neox", "vllm.qk_norm_then_rope_neox@v0.19.1"},
       {},
       {},
       on_stream<[](const Call& c) { norm_then_rope(c, true); }>},
      {"rms_norm_then_rotary_embedding_interleaved",
       "qk_norm_rope",
       {"vllm.qk_norm_then_rope_interleaved", "vllm.qk_norm_then_rope_interleaved@v0.19.1"},
       {},
       {},
       on_stream<[](const Call& c) { norm_then_rope(c, false); }>},
  };
}

}  // namespace assay::vllm
