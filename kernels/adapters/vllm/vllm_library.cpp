// libassay_vllm.so: the CUDA kernels of one vLLM release as a plug-in, with vLLM's own host functions and launches. Norms are
// in norm.cpp, which the all-reduce adapter links too.
#include <algorithm>
#include <string_view>

#include "assay/torch_stable.hpp"
#include "calls.h"

#ifdef ASSAY_VLLM_MOE
#include <numeric>

#include "moe/moe_ops.h"

// vLLM registers these functions with torch and declares them in no header.
void moe_permute(const torch::stable::Tensor&, const torch::stable::Tensor&, const torch::stable::Tensor&, const std::optional<torch::stable::Tensor>&,
                 int64_t, int64_t, int64_t, torch::stable::Tensor&, torch::stable::Tensor&, torch::stable::Tensor&, torch::stable::Tensor&);
void moe_unpermute(const torch::stable::Tensor&, const torch::stable::Tensor&, const torch::stable::Tensor&, const std::optional<torch::stable::Tensor>&,
                   int64_t, torch::stable::Tensor&);
void shuffle_rows(const torch::stable::Tensor&, const torch::stable::Tensor&, torch::stable::Tensor&);
#endif

namespace assay::vllm {

// Activations: csrc/activation_kernels.cu, quantization/activation_kernels.cu,
// quantization/fused_kernels/fused_silu_mul_block_quant.cu.

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
/// vLLM's tensors have a dimension for experts. In a call, the rows of all experts are consecutive.
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

// Paged caches: csrc/cache_kernels.cu and fused_deepseek_v4_qnorm_rope_kv_insert_kernel.cu.

namespace {

constexpr int64_t kMlaRecord = 576, kDsMlaRecord = 656, kIndexerRecord = 132, kIndexerGroup = 128, kHead = 512;

/// A cache is [blocks, block size, bytes of a record] in vLLM, and [blocks, bytes of a block] in a call.
Tensor paged(const Call& call, int64_t record) {
  const assay_tensor& cache = call.at("kv_cache");
  return tensor(cache.data, ScalarType::Byte, {cache.shape[0], call.integer("block_size"), record},
                {cache.strides[0], record, 1});
}

void mla(const Call& call, const char* kind, int64_t record) {
  Tensor kv_c = at(call, "kv_c"), k_pe = at(call, "k_pe"), cache = paged(call, record), slots = at(call, "slot_mapping");
  Tensor scale = call.find("scale") ? at(call, "scale") : number(call, "scale", 1);
  call_either(
      &concat_and_cache_mla,
      [&](auto* f) -> decltype(f(kv_c, k_pe, cache, slots, kind, scale)) { return f(kv_c, k_pe, cache, slots, kind, scale); },
      [&](auto* f) { f(kv_c, k_pe, cache, slots, kind, scale, false); });
}
void indexer(const Call& call, const char* scales) {
  const assay_tensor& k = call.at("k");
  Tensor slots = at(call, "slot_mapping"), cache = paged(call, kIndexerRecord);
  // vLLM expects as many rows of k as slots; a call may have more rows.
  Tensor rows = tensor(k.data, torch_stable::type_of(k), {call.at("slot_mapping").shape[0], k.shape[1]}, {k.strides[0], 1});
  indexer_k_quant_and_cache(rows, cache, slots, kIndexerGroup, scales);
}

/// K and V with 8 heads of 128 elements. K and V blocks are interleaved in one allocation, in NHD or HND order.
void flash(const Call& call, bool heads_first) {
  constexpr int64_t kHeads = 8, kSize = 128;
  const assay_tensor& pages = call.at("kv_cache");
  const int64_t block = call.integer("block_size"), stride = pages.strides[0];
  const auto rows = [&](const assay_tensor& x) {
    return tensor(x.data, torch_stable::type_of(x), {x.shape[0], kHeads, kSize}, {x.strides[0], kSize, 1});
  };
  const auto half = [&](int64_t first) {
    return tensor(static_cast<char*>(pages.data) + first, ScalarType::Byte, {pages.shape[0], block, kHeads, kSize},
                  {stride, heads_first ? kSize : kHeads * kSize, heads_first ? block * kSize : kSize, 1});
  };
  Tensor key = rows(call.at("key")), value = rows(call.at("value")), keys = half(0), values = half(block * kHeads * kSize);
  Tensor slots = at(call, "slot_mapping"), k_scale = at(call, "k_scale"), v_scale = at(call, "v_scale");
  reshape_and_cache_flash(key, value, keys, values, slots, "fp8", k_scale, v_scale);
}

/// DeepSeek-V4: writes the heads of q, the kv rows, or both in one launch. Without kv it passes no slots; without q it passes no heads.
void v4(const Call& call, bool with_q, bool with_kv, bool mxfp8 = false) {
  const assay_tensor& rows = call.at(with_q ? "q" : "kv");
  const int64_t m = rows.shape[0], heads = with_q ? call.integer("q_heads") : 1,
                block = with_kv ? call.integer("block_size") : 64;
  const ScalarType type = torch_stable::type_of(rows);
  Tensor q = tensor(rows.data, type, {m, heads, kHead}), kv = with_kv ? at(call, "kv") : tensor(rows.data, type, {m, kHead});
  Tensor positions = at(call, "positions"), table = at(call, "cos_sin_cache");
  Tensor slots = with_kv ? at(call, "slot_mapping") : tensor(call.at("positions").data, ScalarType::Long, {0});
  constexpr int64_t kBytesOfBlock = 37440;  // a block of 64 DeepSeek-V4 records
  const assay_tensor* const pages = call.find("kv_cache");
  Tensor cache = pages ? tensor(pages->data, ScalarType::Byte, {pages->shape[0], pages->shape[1]}, {pages->strides[0], 1})
                       : tensor(rows.data, ScalarType::Byte, {1, kBytesOfBlock});
  const int64_t padded = with_q ? call.at("q_out").shape[1] / kHead : 0;
  const torch_stable::Running running(call, {with_q ? call.at("q_out").data : nullptr});
  const double eps = call.number("eps", 1e-6);
  call_either(
      &fused_deepseek_v4_qnorm_rope_kv_rope_quant_insert,
      [&](auto* f) -> decltype(f(q, kv, cache, slots, positions, table, padded, eps, block)) {
        return f(q, kv, cache, slots, positions, table, padded, eps, block);
      },
      [&](auto* g) {
        call_either(
            g,
            [&](auto* f) -> decltype(f(q, kv, cache, slots, positions, table, padded, eps, block, true, false)) {
              if (mxfp8) plugin::unsupported("this vLLM release has no MXFP8 cache (kv_mxfp8)");
              return f(q, kv, cache, slots, positions, table, padded, eps, block, true, false);
            },
            [&](auto* f) { (void)f(q, kv, cache, slots, positions, table, padded, eps, block, true, mxfp8, true, false); });
      });
}

// Reads of a paged cache: csrc/cache_kernels.cu.

/// Copies an index tensor of the call to the host. Waits for the stream, so such calls cannot be captured into a graph.
template <class T>
std::vector<T> on_host(const Call& call, const assay_tensor& t, int64_t count) {
  std::vector<T> values(static_cast<size_t>(count));
  cuda::good(cudaMemcpyAsync(values.data(), t.data, values.size() * sizeof(T), cudaMemcpyDeviceToHost, call.stream()));
  cuda::good(cudaStreamSynchronize(call.stream()));
  return values;
}
/// The cache as [blocks, block size, elements of a token], in the type of y.
Tensor paged_like_y(const Call& call) {
  const assay_tensor &cache = call.at("kv_cache"), &y = call.at("y");
  const int64_t bytes = y.type_bits / 8;
  return tensor(cache.data, torch_stable::type_of(y), {cache.shape[0], call.integer("block_size"), y.shape[1]}, {cache.strides[0] / bytes, y.shape[1], 1});
}
void gather_dequant(const Call& call, const char* kind) {
  const int64_t sequences = call.at("block_table").shape[0];
  const std::vector<int32_t> first = on_host<int32_t>(call, call.at("cu_seq_lens"), sequences + 1);
  std::vector<int32_t> sequence_of;  // of each token; read by kernels up to v0.27.0
  for (int64_t r = 0; r < sequences; ++r) sequence_of.insert(sequence_of.end(), size_t(first[size_t(r) + 1] - first[size_t(r)]), int32_t(r));
  const int64_t tokens = first.back(), bytes = std::max<int64_t>(1, tokens) * 4;
  void* on_device = nullptr;
  cuda::good(cudaMallocAsync(&on_device, size_t(bytes), call.stream()));
  cuda::good(cudaMemcpyAsync(on_device, sequence_of.data(), sequence_of.size() * 4, cudaMemcpyHostToDevice, call.stream()));
  const Tensor table = at(call, "block_table"), starts = at(call, "cu_seq_lens"), of = tensor(on_device, ScalarType::Int, {std::max<int64_t>(1, tokens)});
  const bool copies = std::string_view(kind) == "auto";
  const Tensor scale = copies ? number(call, "scale", 1) : at(call, "scale");
  gather_and_maybe_dequant_cache(copies ? paged_like_y(call) : paged(call, kMlaRecord), at(call, "y"), table, starts, of, tokens, kind, scale,
                                 found(call, "seq_starts"));
  cuda::good(cudaStreamSynchronize(call.stream()));  // the copy reads the host vector until then
  cuda::good(cudaFreeAsync(on_device, call.stream()));
}
void gather_as_it_is(const Call& call) {
  const Tensor table = at(call, "block_table");
  cp_gather_cache(paged_like_y(call), at(call, "y"), table, at(call, "cu_seq_lens"), call.at("block_table").shape[0], found(call, "seq_starts"));
}
void gather_ds_mla(const Call& call) {
  const int64_t sequences = call.at("block_table").shape[0];
  const Tensor first = tensor(call.at("cu_seq_lens").data, ScalarType::Int, {sequences});
  cp_gather_and_upconvert_fp8_kv_cache(paged(call, kDsMlaRecord), at(call, "y"), at(call, "block_table"), first, sequences, found(call, "seq_starts"));
}
void gather_indexer(const Call& call) {
  const assay_tensor &y = call.at("y"), &scales = call.at("y_scale");
  Tensor k = tensor(y.data, ScalarType::Byte, {y.shape[0], y.shape[1]}), scale = tensor(scales.data, ScalarType::Byte, {y.shape[0], 4});
  cp_gather_indexer_k_quant_cache(paged(call, kIndexerRecord), k, scale, at(call, "block_table"), at(call, "cu_seq_lens"));
}
void from_fp8(const Call& call) {
  const double scale = on_host<float>(call, call.at("scale"), 1).front();
  const assay_tensor &cache = call.at("kv_cache"), &y = call.at("y");
  Tensor codes = tensor(cache.data, ScalarType::Byte, {cache.shape[0], cache.shape[1]}, {cache.strides[0], 1});
  Tensor numbers = tensor(y.data, torch_stable::type_of(y), {cache.shape[0], cache.shape[1]});
  convert_fp8(numbers, codes, scale, "fp8");
}

}  // namespace

std::vector<Kernel> cache_kernels() {
  return {
      {"gather_and_maybe_dequant_cache", "gather_cache", {"vllm.gather_mla_fp8@v0.12.0"}, {}, {}, on_stream<[](const Call& c) { gather_dequant(c, "fp8"); }>},
      {"gather_and_maybe_dequant_cache_e5m2", "gather_cache", {"vllm.gather_mla_fp8_e5m2@v0.12.0"}, {}, {}, on_stream<[](const Call& c) { gather_dequant(c, "fp8_e5m2"); }>},
      {"gather_and_maybe_dequant_cache_auto", "gather_cache", {"vllm.cp_gather_cache"}, {}, {}, on_stream<[](const Call& c) { gather_dequant(c, "auto"); }>},
      {"cp_gather_cache", "gather_cache", {"vllm.cp_gather_cache"}, {}, {}, on_stream<gather_as_it_is>},
      {"cp_gather_and_upconvert_fp8_kv_cache", "gather_cache", {"vllm.gather_ds_mla"}, {}, {}, on_stream<gather_ds_mla>},
      {"cp_gather_indexer_k_quant_cache", "gather_cache", {"vllm.gather_indexer_k@v0.20.0"}, {}, {}, on_stream<gather_indexer>},
      {"convert_fp8", "gather_cache", {"vllm.convert_fp8"}, {}, {}, on_stream<from_fp8>},
      {"concat_and_cache_ds_mla",
       "concat_and_cache_mla",
       {"vllm.fp8_ds_mla", "vllm.fp8_ds_mla@v0.31.0"},
       {},
       {},
       on_stream<[](const Call& c) { mla(c, "fp8_ds_mla", kDsMlaRecord); }>},
      {"concat_and_cache_mla",
       "concat_and_cache_mla",
       {"vllm.mla_fp8"},
       {},
       {},
       on_stream<[](const Call& c) { mla(c, "fp8", kMlaRecord); }>},
      {"reshape_and_cache_flash",
       "reshape_and_cache_flash",
       {"vllm.flash_fp8", "vllm.flash_fp8_heads"},
       {},
       {},
       on_stream<[](const Call& c) { flash(c, false); }>},
      {"reshape_and_cache_flash_hnd",
       "reshape_and_cache_flash",
       {"vllm.flash_fp8_hnd", "vllm.flash_fp8_hnd_heads"},
       {},
       {},
       on_stream<[](const Call& c) { flash(c, true); }>},
      {"indexer_k_quant_and_cache",
       "indexer_k_quant_and_cache",
       {"vllm.indexer_k"},
       {},
       {},
       on_stream<[](const Call& c) { indexer(c, ""); }>},
      {"indexer_k_quant_and_cache_ue8m0",
       "indexer_k_quant_and_cache",
       {"vllm.indexer_k_ue8m0"},
       {},
       {},
       on_stream<[](const Call& c) { indexer(c, "ue8m0"); }>},
      {"indexer_k_quant_and_cache_mxfp8",
       "indexer_k_quant_and_cache",
       {"vllm.indexer_k_mx"},
       {},
       {},
       on_stream<[](const Call& c) { indexer(c, "mxfp8"); }>},
      {"fused_deepseek_v41_kv_insert",
       "dsv4_kv_insert",
       {"vllm.deepseek_v41_kv_insert"},
       {},
       {},
       on_stream<[](const Call& c) { v4(c, false, true, true); }>},
      {"fused_deepseek_v4_kv_insert",
       "dsv4_kv_insert",
       {"vllm.deepseek_v4_kv_insert"},
       {},
       {},
       on_stream<[](const Call& c) { v4(c, false, true); }>},
      {"fused_deepseek_v4_qnorm_rope_kv_rope_quant_insert",
       "dsv4_qnorm_kv_insert",
       {"vllm.deepseek_v4_qnorm_kv_insert"},
       {},
       {},
       on_stream<[](const Call& c) { v4(c, true, true); }>},
      {"fused_deepseek_v4_q_only",
       "q_norm_rope",
       {"vllm.deepseek_v4_q_norm_rope"},
       {},
       {},
       on_stream<[](const Call& c) { v4(c, true, false); }>},
  };
}

// Quantization alone: csrc/quantization/w8a8.

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

// Norm and rotary embedding of heads: csrc/fused_qknorm_rope_kernel.cu, and the unfused sequence of rms_norm and
// rotary_embedding.

namespace {

void qk_norm_rope(const Call& call, bool neox) {
  Tensor qkv = at(call, "qkv"), q_weight = at(call, "q_weight"), k_weight = at(call, "k_weight"),
         table = at(call, "cos_sin_cache"), positions = at(call, "positions");
  constexpr int64_t kItsOwnChoice = -1;
  fused_qk_norm_rope(qkv, call.integer("q_heads"), call.integer("k_heads"), call.integer("v_heads"), call.at("q_weight").shape[0],
                     call.number("eps"), q_weight, k_weight, table, neox, positions, kItsOwnChoice);
}

/// The unfused sequence as vLLM runs it: heads of q and k are normalized into separate memory, rotated there, and copied back.
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

#ifdef ASSAY_VLLM_MOE
// A mixture of experts: csrc/moe/moe_align_sum_kernels.cu and csrc/moe/moe_permute_unpermute_op.cu. Where vLLM's Python code creates or
// maps index tensors, this file does so on the host, and these calls wait for the stream.

namespace {

/// Device memory that lives as long as the object: a copy of a vector, or uninitialized.
template <class T>
class OnDevice {
 public:
  OnDevice(const Call& call, int64_t count) : count_(size_t(count)), stream_(call.stream()) {
    cuda::good(cudaMallocAsync(reinterpret_cast<void**>(&data_), std::max<size_t>(1, count_) * sizeof(T), stream_));
  }
  OnDevice(const Call& call, const std::vector<T>& values) : OnDevice(call, int64_t(values.size())) { put(values); }
  OnDevice(const OnDevice&) = delete;
  OnDevice& operator=(const OnDevice&) = delete;
  ~OnDevice() { cudaFreeAsync(data_, stream_); }
  void put(const std::vector<T>& values) const {
    cuda::good(cudaMemcpyAsync(data_, values.data(), values.size() * sizeof(T), cudaMemcpyHostToDevice, stream_));
    cuda::good(cudaStreamSynchronize(stream_));
  }
  std::vector<T> on_host() const {
    std::vector<T> values(count_);
    cuda::good(cudaMemcpyAsync(values.data(), data_, values.size() * sizeof(T), cudaMemcpyDeviceToHost, stream_));
    cuda::good(cudaStreamSynchronize(stream_));
    return values;
  }
  T* data() const { return data_; }

 private:
  T* data_ = nullptr;
  size_t count_;
  cudaStream_t stream_;
};

template <class T>
void to_device(const Call& call, void* data, const std::vector<T>& values) {
  cuda::good(cudaMemcpyAsync(data, values.data(), values.size() * sizeof(T), cudaMemcpyHostToDevice, call.stream()));
  cuda::good(cudaStreamSynchronize(call.stream()));
}

/// `maps`: applies expert_map to expert_ids after the kernel, as vLLM's Python function does with ignore_invalid_experts=False.
void align(const Call& call, bool maps) {
  const int64_t experts = call.integer("experts");
  const OnDevice<int32_t> cumsum(call, experts + 1);
  const torch_stable::Running running(call, {cumsum.data()});
  const auto map = found(call, "expert_map");
  Tensor ids = at(call, "topk_ids"), sorted = at(call, "sorted_ids"), blocks = at(call, "expert_ids"), total = at(call, "num_tokens_post_pad");
  moe_align_block_size(ids, experts, call.integer("block_size"), sorted, blocks, total, maps ? std::nullopt : map, std::nullopt);
  if (!maps || !map) return;
  const assay_tensor& tensor = call.at("expert_ids");
  const std::vector<int32_t> numbers = on_host<int32_t>(call, call.at("expert_map"), experts);
  std::vector<int32_t> shown = on_host<int32_t>(call, tensor, tensor.shape[0]);
  for (int32_t& number : shown) number = numbers.at(size_t(number < 0 ? experts + number : number));
  to_device(call, tensor.data, shown);
}

void permute(const Call& call) {
  const assay_tensor &ids = call.at("topk_ids"), &order = call.at("permuted_idx"), &offsets = call.at("expert_first_token_offset");
  const int64_t experts = call.integer("experts"), m = ids.shape[0], topk = ids.shape[1], slots = m * topk, locals = offsets.shape[0] - 1;
  if (slots == 0) plugin::unsupported("expected at least one token: vLLM makes no call without tokens");
  if (call.at("x").shape[1] * call.at("x").type_bits % 128 != 0)
    plugin::unsupported("the size of a row of x must be a multiple of 16 bytes: vLLM's Python function rejects other sizes");
  std::vector<int32_t> ascending(static_cast<size_t>(slots));
  std::iota(ascending.begin(), ascending.end(), 0);
  to_device(call, order.data, std::vector<int32_t>(size_t(slots), int32_t(slots)));
  const OnDevice<int32_t> indices(call, ascending), sorted_experts(call, slots), sorted_rows(call, slots), keys(call, slots);
  const OnDevice<int64_t> first(call, locals + 1);
  const OnDevice<char> workspace(call, moe_permute_sort_workspace_size(slots, experts));
  const torch_stable::Running running(call, {workspace.data(), sorted_experts.data(), sorted_rows.data(), keys.data()});
  Tensor y = at(call, "y"), starts = tensor(first.data(), ScalarType::Long, {locals + 1}), inverse = at(call, "inv_permuted_idx"), slot_of_row = at(call, "permuted_idx");
  moe_permute(at(call, "x"), at(call, "topk_ids"), tensor(indices.data(), ScalarType::Int, {m, topk}), found(call, "expert_map"), experts, locals, topk, y,
              starts, inverse, slot_of_row);
  const std::vector<int64_t> wide = first.on_host();
  to_device(call, offsets.data, std::vector<int32_t>(wide.begin(), wide.end()));
}

void shuffle(const Call& call) {
  const torch_stable::Running running(call);
  if (call.at("y").shape[0] == 0) return;
  Tensor y = at(call, "y");
  shuffle_rows(at(call, "x"), at(call, "dst2src_map"), y);
}

void unpermute(const Call& call) {
  const torch_stable::Running running(call);
  const OnDevice<int64_t> in_use(call, std::vector<int64_t>{call.integer("rows_in_use")});
  Tensor y = at(call, "y");
  moe_unpermute(at(call, "x"), at(call, "topk_weights"), at(call, "row_of_slot"), tensor(in_use.data(), ScalarType::Long, {1}),
                call.at("row_of_slot").shape[1], y);
  cuda::good(cudaStreamSynchronize(call.stream()));
}

}  // namespace

std::vector<Kernel> moe_kernels() {
  const plugin::MultipleOf loads = {{"n", 8}};
  return {{"moe_align_block_size", "moe_sort", {"vllm.moe_align_block_size@v0.26.0"}, {}, {}, [](const Call& c) { align(c, false); }},
          {"moe_align_block_size_mapped", "moe_sort", {"vllm.moe_align_block_size_marked@v0.13.0"}, {}, {}, [](const Call& c) { align(c, true); }},
          {"moe_permute", "moe_sort", {"vllm.moe_permute@v0.30.0"}, {}, {}, permute},
          {"shuffle_rows", "moe_sort", {"vllm.shuffle_rows", "vllm.shuffle_rows@v0.29.0"}, {}, {}, shuffle},
          {"moe_unpermute", "moe_combine", {"vllm.moe_unpermute"}, {}, loads, unpermute}};
}
#endif

}  // namespace assay::vllm

extern "C" __attribute__((visibility("default"))) const assay_library* assay_get_library(void) {
  using namespace assay::vllm;
  return assay::cuda::library(ASSAY_VLLM_NAME,
                              assay::plugin::joined<assay::cuda::Call>(
                                  {quant_kernels(), norm_kernels(), activation_kernels(), cache_kernels(), rope_kernels(),
#ifdef ASSAY_VLLM_MOE
                                   moe_kernels()
#endif
                                  }),
                              ASSAY_UNSUPPORTED);
}
