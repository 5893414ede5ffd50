// The heads of Q and the record of KV of each token, in one launch. Blocks insert or rotate, so that no warp does both: first
// those of KV, which have more to wait for.
#pragma once

#include "kernels/ops/dsv4_kv_insert/insert.h"
#include "kernels/ops/qk_norm_rope/run.h"

namespace assay_kernels {

static_assert(kHeadThreads == kInsertThreads && kHead == kInsertLanes * kHeadLoads * kHeadLoad, "blocks of one shape");

/// vLLM csrc/libtorch_stable/fused_deepseek_v4_qnorm_rope_kv_insert_kernel.cu (00ce99f0).
struct VllmDsv4Both {
  static constexpr const char* kContract = "vllm.deepseek_v4_qnorm_kv_insert";
  using Heads = VllmDeepseekV4QNormRope;
  using Insert = VllmDsv4Kv;
  /// Whether the heads of a token are written: of every one, with or without a slot.
  SIMT_DEVICE static bool rotates(const PagedCache& /*cache*/, int64_t /*token*/) { return true; }
};

struct VllmDsv4BothFnuz : VllmDsv4Both {
  static constexpr const char* kContract = "vllm.deepseek_v4_qnorm_kv_insert_fnuz";
  using Insert = VllmDsv4KvFnuz;
};

template <class Rules, class T, int kWarp>
SIMT_KERNEL void dsv4_qnorm_kv_insert(HeadArguments<T, float> heads, InsertArguments<T> insert, int32_t insert_blocks) {
  constexpr int kEach = kInsertThreads / kInsertLanes;  // tokens or heads of a block
  const auto block = int32_t(simt::block());
  const int of_block = simt::thread() / kInsertLanes, lane = simt::thread() % kInsertLanes;
  if (block < insert_blocks) {
    LoadedToken token;
    token.template load<typename Rules::Insert>(insert, int64_t{block} * kEach + of_block, lane);
    insert_token<typename Rules::Insert, T, kWarp>(insert, token, lane);
  } else {
    uint32_t index = uint32_t(block - insert_blocks) * kEach + of_block;
    if (!Rules::rotates(insert.cache, heads.by_heads.quotient(index))) index = heads.count;
    norm_rope_head<typename Rules::Heads, T, float, kWarp, kInsertLanes, false>(heads, index);
  }
}

template <class Rules>
void run_dsv4_qnorm_kv_insert(const Call& call) {
  const HeadCall heads = heads_of_q(call);
  const InsertCall insert(call, Rules::Insert::kTokenBytes + Rules::Insert::kScaleBytes);
  if (heads.n != kHead) unsupported("heads of " + std::to_string(kHead) + " numbers only");
  if (insert.rows != heads.tokens) failed("kv must have the tokens of q");
  if (!has_type(insert.kv, heads.in.type_code, heads.in.type_bits)) unsupported("kv must have the type of q");
  with_half_type(insert.kv, [&](auto type) {
    using T = decltype(type);
    const HeadArguments<T, float> q = arguments_of<T, float>(heads, nullptr, nullptr, heads.out_heads);
    const InsertArguments<T> kv = insert.arguments<T>();
    const int64_t per_block = kInsertThreads / kInsertLanes, head_blocks = (int64_t{q.count} + per_block - 1) / per_block;
    const simt::Launch grid = call.grid(insert.blocks() + head_blocks, kInsertThreads);
    with_warp(call, [&](auto warp) {
      simt::launch(dsv4_qnorm_kv_insert<Rules, T, decltype(warp)::value>, grid, q, kv, int32_t(insert.blocks()));
    });
  });
}

}  // namespace assay_kernels
