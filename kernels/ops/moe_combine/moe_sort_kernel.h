// moe_sort: sorts slots (a token and one of its experts) by expert, and copies rows into that order. A single thread block sorts;
// each of its threads places all slots of some experts.
#pragma once

#include "kernels/ops/kernel_common.h"
#include "kernels/ops/quant_group/quant_group_rules.h"

namespace assay_kernels {

struct SortArguments {
  const int32_t *ids, *map;  ///< expert of each slot [m, topk]; local index of each expert [experts], or nullptr
  int64_t slots, topk, experts;
  int32_t *sorted, *blocks, *counts, *total;  ///< outputs of moe_align: sorted_ids, expert_ids, token_nums, num_tokens_post_pad
  int64_t room, block_size;
  int32_t *offsets, *inverse, *order;  ///< outputs of moe_permute
  int64_t locals;                      ///< experts of this device
};

struct MoveArguments {
  const uint8_t* x;
  uint8_t* y;
  const int32_t *index, *in_use;  ///< moe_permute: row of y for each slot; number of rows in use, or nullptr. shuffle_rows: row of x for each row of y
  int64_t rows, sources, topk, bytes;  ///< number of rows of y, or of slots; number of rows of x; experts per token; bytes of a row
  Divider by_pieces;
};

inline constexpr int kSortThreads = 128, kMostExperts = 1024;
inline constexpr int64_t kMoveBytes = 16;

/// Properties and functions that a contract may change. A deliberately wrong kernel derives from a contract's rules and changes one of them.
struct SortRules {
  static constexpr bool kPacked = false;
  static constexpr bool kAbsentFirst = false;  ///< true: slots without an expert are sorted before all others
  static constexpr bool kMapReads = false, kMapMarks = false;  ///< true: maps ids before sorting; true: maps the ids in expert_ids
  static constexpr bool kPads = true, kTail = true, kCounts = false;
  static constexpr int32_t kTailNumber = -1;

  SIMT_DEVICE static bool is_expert(const SortArguments& a, int32_t id) { return id >= 0 && id < a.experts; }
  /// The bucket into which a slot is sorted: its expert, plus 1 if kAbsentFirst. Returns -1 if the slot is left out.
  template <class Rules>
  SIMT_DEVICE static int32_t bucket_of(const SortArguments& a, int64_t slot) {
    const int32_t id = a.ids[slot];
    if (!Rules::is_expert(a, id)) return Rules::kAbsentFirst ? 0 : -1;
    return (Rules::kMapReads && a.map != nullptr ? a.map[id] : id) + int32_t(Rules::kAbsentFirst);
  }
  SIMT_DEVICE static int32_t blocks_for(const SortArguments& a, int32_t rows) { return int32_t((rows + a.block_size - 1) / a.block_size); }
  template <class Rules>
  SIMT_DEVICE static int32_t number(const SortArguments& a, int32_t expert) {
    return Rules::kMapMarks && a.map != nullptr ? a.map[expert < 0 ? a.experts + expert : expert] : expert;
  }
  SIMT_DEVICE static int32_t entry(const SortArguments&, int64_t slot) { return int32_t(slot); }
  SIMT_DEVICE static int32_t pad(const SortArguments& a) { return int32_t(a.slots); }
  SIMT_DEVICE static int32_t rest(const SortArguments&, int32_t rows) { return rows; }
  SIMT_DEVICE static int32_t total(const SortArguments& a, int32_t blocks, int32_t /*rows*/) { return int32_t(blocks * a.block_size); }
};

// Sources: vllm csrc/moe/moe_align_sum_kernels.cu v0.12.0 and v0.33.0; sglang moe_align_kernel.cu v0.5.23; aiter
// moe_align_block_size_kernels.cu v0.1.7.

struct VllmMoeAlign : SortRules {
  static constexpr const char* kContract = "vllm.moe_align_block_size";
  static constexpr bool kMapMarks = true;
  static constexpr int32_t kTailNumber = 0;
};
struct VllmMoeAlignMarkedV0130 : SortRules {
  static constexpr const char* kContract = "vllm.moe_align_block_size_marked@v0.13.0";
  static constexpr bool kMapMarks = true;
};
struct VllmMoeAlignV0130 : SortRules {
  static constexpr const char* kContract = "vllm.moe_align_block_size@v0.13.0";
  static constexpr bool kMapReads = true;
};
struct VllmMoeAlignV0260 : VllmMoeAlignV0130 {
  static constexpr const char* kContract = "vllm.moe_align_block_size@v0.26.0";
};
struct SglangMoeAlign : SortRules {
  static constexpr const char* kContract = "sglang.moe_align_block_size";
  static constexpr bool kAbsentFirst = true, kTail = false;
};
struct AiterMoeAlign : SortRules {
  static constexpr const char* kContract = "aiter.moe_align_block_size";
  static constexpr bool kPads = false, kTail = false, kCounts = true;
};
struct AiterMoeAlignV0111 : AiterMoeAlign {
  static constexpr const char* kContract = "aiter.moe_align_block_size@v0.1.11";
};
using AlignList =
    RulesList<VllmMoeAlign, VllmMoeAlignMarkedV0130, VllmMoeAlignV0130, VllmMoeAlignV0260, SglangMoeAlign, AiterMoeAlign, AiterMoeAlignV0111>;

/// Number of slots that are sorted into a bucket.
template <class Rules>
SIMT_DEVICE int32_t count_of(const SortArguments& a, int32_t bucket) {
  int32_t count = 0;
  for (int64_t slot = 0; slot < a.slots; ++slot) count += Rules::template bucket_of<Rules>(a, slot) == bucket;
  return count;
}

template <class Rules>
SIMT_KERNEL void moe_align(SortArguments a) {
  SIMT_SHARED(rows, int32_t[kMostExperts + 1]);   // number of slots of a bucket
  SIMT_SHARED(first, int32_t[kMostExperts + 2]);  // index of the first block of a bucket
  const int32_t buckets = int32_t(a.experts) + int32_t(Rules::kAbsentFirst);
  for (int32_t bucket = simt::thread(); bucket < buckets; bucket += kSortThreads) rows[bucket] = count_of<Rules>(a, bucket);
  simt::barrier();
  if (simt::thread() == 0) {
    int32_t blocks = 0, all = 0;
    for (int32_t bucket = 0; bucket < buckets; ++bucket) {
      first[bucket] = blocks;
      blocks += Rules::blocks_for(a, rows[bucket]);
      all += rows[bucket];
    }
    first[buckets] = blocks;
    *a.total = Rules::total(a, blocks, all);
  }
  simt::barrier();
  for (int32_t bucket = simt::thread(); bucket < buckets; bucket += kSortThreads) {
    int64_t at = first[bucket] * a.block_size;
    for (int64_t slot = 0; slot < a.slots; ++slot)
      if (Rules::template bucket_of<Rules>(a, slot) == bucket) a.sorted[at++] = Rules::entry(a, slot);
    if constexpr (Rules::kPads)
      for (; at < first[bucket + 1] * a.block_size && at < a.room; ++at) a.sorted[at] = Rules::pad(a);
    for (int32_t block = first[bucket]; block < first[bucket + 1]; ++block) {
      a.blocks[block] = Rules::template number<Rules>(a, bucket - int32_t(Rules::kAbsentFirst));
      if constexpr (Rules::kCounts) a.counts[block] = Rules::rest(a, rows[bucket] - int32_t((block - first[bucket]) * a.block_size));
    }
  }
  if constexpr (Rules::kPads)
    for (int64_t at = first[buckets] * a.block_size + simt::thread(); at < a.room; at += kSortThreads) a.sorted[at] = Rules::pad(a);
  if constexpr (Rules::kTail)
    for (int64_t block = first[buckets] + simt::thread(); block * a.block_size < a.room; block += kSortThreads)
      a.blocks[block] = Rules::template number<Rules>(a, Rules::kTailNumber);
}

/// Sorts slots by key: the experts of this device come first, then slots without an expert and experts of other devices. Source:
/// vllm csrc/moe/permute_unpermute_kernels/moe_permute_unpermute_kernel.cu v0.33.0 preprocessTopkIdKernel.
struct PermuteRules {
  static constexpr bool kPacked = false;
  template <class Rules>
  SIMT_DEVICE static int32_t key_of(const SortArguments& a, int64_t slot) {
    const int32_t id = a.ids[slot];
    if (id < 0 || id >= a.experts) return int32_t(a.experts);
    if (a.map == nullptr) return id;
    return a.map[id] < 0 ? int32_t(a.experts) + id : a.map[id];
  }
  SIMT_DEVICE static int32_t offset(const int32_t* first, int32_t expert, bool /*last*/) { return first[expert]; }
  SIMT_DEVICE static int64_t source(int64_t slot, int64_t topk, int64_t /*sources*/) { return slot / topk; }
  SIMT_DEVICE static bool writes(const MoveArguments& a, int32_t row) { return a.in_use == nullptr || row < *a.in_use; }
};
struct VllmMoePermute : PermuteRules {
  static constexpr const char* kContract = "vllm.moe_permute";
};
struct VllmMoePermuteV0300 : PermuteRules {
  static constexpr const char* kContract = "vllm.moe_permute@v0.30.0";
};
using PermuteList = RulesList<VllmMoePermute, VllmMoePermuteV0300>;

template <class Rules>
SIMT_KERNEL void moe_permute_order(SortArguments a) {
  SIMT_SHARED(first, int32_t[2 * kMostExperts + 1]);
  const int32_t keys = 2 * int32_t(a.experts), locals = int32_t(a.locals);
  for (int32_t key = simt::thread(); key < keys; key += kSortThreads) {
    int32_t count = 0;
    for (int64_t slot = 0; slot < a.slots; ++slot) count += Rules::template key_of<Rules>(a, slot) == key;
    first[key + 1] = count;
  }
  simt::barrier();
  if (simt::thread() == 0) {
    first[0] = 0;
    for (int32_t key = 0; key < keys; ++key) first[key + 1] += first[key];
    for (int32_t expert = 0; expert <= locals; ++expert) a.offsets[expert] = Rules::offset(first, expert, expert == locals);
  }
  simt::barrier();
  const int32_t used = a.map == nullptr ? int32_t(a.slots) : first[locals];
  for (int32_t key = simt::thread(); key < keys; key += kSortThreads) {
    int32_t row = first[key];
    for (int64_t slot = 0; slot < a.slots; ++slot) {
      if (Rules::template key_of<Rules>(a, slot) != key) continue;
      a.inverse[slot] = row;
      a.order[row] = row < used ? int32_t(slot) : int32_t(a.slots);
      ++row;
    }
  }
}

/// Copies one piece of a row of `bytes` bytes: kMoveBytes bytes from byte `first` on. Writes zeros if `from` is nullptr.
SIMT_DEVICE void copy_piece(uint8_t* to, const uint8_t* from, int64_t first, int64_t bytes) {
  for (int64_t i = first; i < first + kMoveBytes && i < bytes; ++i) to[i] = from == nullptr ? uint8_t{0} : from[i];
}

template <class Rules>
SIMT_KERNEL void moe_permute_rows(MoveArguments a) {
  const int64_t piece = simt::block() * kSortThreads + simt::thread(), slot = a.by_pieces.quotient(uint32_t(piece));
  if (slot >= a.rows) return;
  const int32_t row = a.index[slot];
  if (!Rules::writes(a, row)) return;
  copy_piece(a.y + row * a.bytes, a.x + Rules::source(slot, a.topk, a.sources) * a.bytes, (piece - slot * a.by_pieces.divisor) * kMoveBytes, a.bytes);
}

/// Source: vllm csrc/moe/moe_permute_unpermute_op.cu v0.10.0 and v0.33.0 shuffleInputRowsKernel.
struct VllmShuffleRows {
  static constexpr const char* kContract = "vllm.shuffle_rows";
  static constexpr bool kPacked = false, kZeros = false;
  SIMT_DEVICE static bool inside(const MoveArguments& a, int64_t row) { return row >= 0 && row < a.sources; }
  SIMT_DEVICE static int64_t source(const MoveArguments&, int64_t row) { return row; }
};
struct VllmShuffleRowsV0290 : VllmShuffleRows {
  static constexpr const char* kContract = "vllm.shuffle_rows@v0.29.0";
  static constexpr bool kZeros = true;
};
using ShuffleRowsList = RulesList<VllmShuffleRows, VllmShuffleRowsV0290>;

template <class Rules>
SIMT_KERNEL void shuffle_rows(MoveArguments a) {
  const int64_t piece = simt::block() * kSortThreads + simt::thread(), row = a.by_pieces.quotient(uint32_t(piece));
  if (row >= a.rows) return;
  const int64_t from = a.index[row];
  const uint8_t* source = nullptr;
  if (!Rules::kZeros || Rules::inside(a, from)) source = a.x + Rules::source(a, from) * a.bytes;
  copy_piece(a.y + row * a.bytes, source, (piece - row * a.by_pieces.divisor) * kMoveBytes, a.bytes);
}

/// Read the tensors of a call and reject invalid calls. `counts`, `map`: whether the contract has these tensors.
SortArguments align_arguments(const Call& call, bool counts, bool map);
SortArguments permute_arguments(const Call& call);
MoveArguments move_arguments(const Call& call, const SortArguments* sorted);

inline simt::Launch grid_of_pieces(const Call& call, const MoveArguments& a) {
  return call.grid((a.rows * a.by_pieces.divisor + kSortThreads - 1) / kSortThreads, kSortThreads);
}

template <class Rules>
void run_moe_align(const Call& call) {
  simt::launch(moe_align<Rules>, call.grid(1, kSortThreads), align_arguments(call, Rules::kCounts, Rules::kMapReads || Rules::kMapMarks));
}

template <class Rules>
void run_moe_permute(const Call& call) {
  const SortArguments sorted = permute_arguments(call);
  const MoveArguments rows = move_arguments(call, &sorted);
  simt::launch(moe_permute_order<Rules>, call.grid(1, kSortThreads), sorted);
  if (rows.rows > 0) simt::launch(moe_permute_rows<Rules>, grid_of_pieces(call, rows), rows);
}

template <class Rules>
void run_shuffle_rows(const Call& call) {
  const MoveArguments rows = move_arguments(call, nullptr);
  if (rows.rows > 0) simt::launch(shuffle_rows<Rules>, grid_of_pieces(call, rows), rows);
}

}  // namespace assay_kernels
