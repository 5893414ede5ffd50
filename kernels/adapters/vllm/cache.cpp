// csrc/cache_kernels.cu and fused_deepseek_v4_qnorm_rope_kv_insert_kernel.cu: insertions into paged caches.
#include "calls.h"

namespace assay::vllm {
namespace {

constexpr int64_t kMlaRecord = 576, kDsMlaRecord = 656, kIndexerRecord = 132, kIndexerGroup = 128, kHead = 512;

/// [blocks, block size, record], as vLLM holds it; a call has [blocks, bytes].
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
  // vLLM wants a row of k for each slot; a call may have more rows than slots.
  Tensor rows = tensor(k.data, torch_stable::type_of(k), {call.at("slot_mapping").shape[0], k.shape[1]}, {k.strides[0], 1});
  indexer_k_quant_and_cache(rows, cache, slots, kIndexerGroup, scales);
}

/// K and V of 8 heads of 128, a block of both in one piece, tokens or heads first.
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

/// DeepSeek-V4: heads of q, the row of kv, or both in one launch. What a call lacks has no element.
void v4(const Call& call, bool with_q, bool with_kv) {
  const assay_tensor& rows = call.at(with_q ? "q" : "kv");
  const int64_t m = rows.shape[0], heads = with_q ? call.integer("q_heads") : 1,
                block = with_kv ? call.integer("block_size") : 64;
  const ScalarType type = torch_stable::type_of(rows);
  Tensor q = tensor(rows.data, type, {m, heads, kHead}), kv = with_kv ? at(call, "kv") : tensor(rows.data, type, {m, kHead});
  Tensor positions = at(call, "positions"), table = at(call, "cos_sin_cache");
  Tensor slots = with_kv ? at(call, "slot_mapping") : tensor(call.at("positions").data, ScalarType::Long, {0});
  constexpr int64_t kBytesOfBlock = 37440;  // of 64 records of DeepSeek-V4
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
              return f(q, kv, cache, slots, positions, table, padded, eps, block, true, false);
            },
            [&](auto* f) { (void)f(q, kv, cache, slots, positions, table, padded, eps, block, true, false, true, false); });
      });
}

}  // namespace

std::vector<Kernel> cache_kernels() {
  return {
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

}  // namespace assay::vllm
