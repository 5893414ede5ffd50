// moe_combine: the row of a token is the sum of the rows that its experts computed for it. One thread sums 16 bytes of a row.
#pragma once

#include "kernels/ops/kernel_common.h"
#include "kernels/ops/quant_group/quant_group_rules.h"

namespace assay_kernels {

struct CombineArguments {
  const void* x;
  void* y;
  const void* weights;         ///< [m, topk] of f32 or of the type of x
  const void* shared;          ///< [m, n] or nullptr
  const int32_t *ids, *map;    ///< expert of each slot [m, topk]; local index of each expert [experts], or nullptr
  const int32_t* row_of_slot;  ///< [m, topk] or [topk, m]
  int64_t m, topk, n, rows_in_use;
  float factor;  ///< routed scaling factor
  bool whole;    ///< rows are aligned and a whole number of 16-byte loads
};

/// Where the row of a slot is in x. kSlots: x is [m, topk, n]. kBySlot, kBySlotMajor: its index is in the tensor row_of_slot, [m, topk] or [topk, m].
enum class CombineRows { kSlots, kBySlot, kBySlotMajor };

/// Properties and functions that a contract may change. A deliberately wrong kernel derives from a contract's rules and changes one of them.
struct CombineRules {
  static constexpr bool kPacked = false;
  static constexpr CombineRows kRows = CombineRows::kSlots;
  static constexpr bool kWeights = false, kFactor = false, kIds = false, kMap = false, kRowsInUse = false, kKeepsUnrouted = false;
  static constexpr bool kNegativeRows = false;  ///< true: skips slots whose row is negative
  static constexpr bool kWeightsOfX = false, kShared = false;
  static constexpr int kLanes = 1;  ///< number of partial sums: slot k is added to sum k mod kLanes

  SIMT_DEVICE static int64_t first_slot(const CombineArguments&) { return 0; }
  SIMT_DEVICE static int64_t end_slot(const CombineArguments& a) { return a.topk; }
  /// Index of the slot's entry in the tensor row_of_slot.
  template <class Rules>
  SIMT_DEVICE static int64_t place_of_row(const CombineArguments& a, int64_t token, int64_t slot) {
    return Rules::kRows == CombineRows::kBySlotMajor ? slot * a.m + token : token * a.topk + slot;
  }
  SIMT_DEVICE static int64_t place_of_weight(const CombineArguments& a, int64_t token, int64_t slot) { return token * a.topk + slot; }
  SIMT_DEVICE static int64_t absent_row() { return -1; }
  SIMT_DEVICE static float weight(float w, float /*factor*/) { return w; }
  template <class T>
  SIMT_DEVICE static float add(float sum, float v, float /*weight*/) {
    return sum + v;
  }
  SIMT_DEVICE static float scaled(float sum, float /*factor*/) { return sum; }
  template <class T>
  SIMT_DEVICE static float with_shared(float sum, float /*factor*/, float /*shared*/) {
    return sum;
  }
};

template <class Rules>
SIMT_DEVICE int64_t row_of_slot(const CombineArguments& a, int64_t token, int64_t slot) {
  if constexpr (Rules::kRows == CombineRows::kSlots) return token * a.topk + slot;
  const int64_t row = a.row_of_slot[Rules::template place_of_row<Rules>(a, token, slot)];
  return Rules::kNegativeRows && row < 0 ? Rules::absent_row() : row;
}

template <class Rules, class T>
SIMT_DEVICE float weight_of_slot(const CombineArguments& a, int64_t place) {
  if constexpr (Rules::kWeightsOfX) return simt::to_float(static_cast<const T*>(a.weights)[place]);
  return static_cast<const float*>(a.weights)[place];
}

/// True if a slot adds nothing: it has no expert on this device, or no row of x that is in use.
template <class Rules>
SIMT_DEVICE bool skips_slot(const CombineArguments& a, int64_t token, int64_t slot) {
  if constexpr (Rules::kIds) {
    const int32_t id = a.ids[token * a.topk + slot];
    if (id < 0 || (Rules::kMap && a.map != nullptr && a.map[id] < 0)) return true;
  }
  if constexpr (Rules::kRowsInUse) {
    const int64_t row = row_of_slot<Rules>(a, token, slot);
    if (row < 0 || row >= a.rows_in_use) return true;
  }
  if constexpr (Rules::kNegativeRows)
    if (row_of_slot<Rules>(a, token, slot) < 0) return true;
  return false;
}

/// v rounded to T, the type of x.
template <class T>
SIMT_DEVICE float narrowed(float v) {
  return simt::to_float(simt::from_float<T>(v));
}

// Sources: vllm csrc/moe/moe_align_sum_kernels.cu v0.24.0 (moe_sum_kernel) and v0.33.0 (moe_sum_vec_kernel); sglang
// sgl-kernel/csrc/moe/moe_sum.cu 5a7255c6 and topk_sum.cuh v0.5.23.

struct SumInType : CombineRules {
  template <class T>
  SIMT_DEVICE static float add(float sum, float v, float) {
    return narrowed<T>(sum + v);
  }
};
struct VllmMoeSumInType : SumInType {
  static constexpr const char* kContract = "vllm.moe_sum";
};
struct SglangMoeSum : SumInType {
  static constexpr const char* kContract = "sglang.moe_sum";
};

struct VllmMoeSum : CombineRules {
  static constexpr const char* kContract = "vllm.moe_sum@v0.25.0";
};
struct SglangTopkSum : CombineRules {
  static constexpr const char* kContract = "sglang.topk_sum";
};
struct VllmMoeSumPadAware : CombineRules {
  static constexpr const char* kContract = "vllm.moe_sum_pad_aware";
  static constexpr bool kIds = true, kMap = true;
};

/// Source: pytorch aten/src/ATen/native/cuda/Reduce.cuh 00ef8f06 thread_reduce, vt0 = 4.
struct TorchSumTopk : CombineRules {
  static constexpr const char* kContract = "torch.sum_topk";
  static constexpr int kLanes = 4;
};

/// Source: aiter csrc/kernels/topk_softmax_kernels.cu v0.1.15 and e4048607, built with -fgpu-flush-denormals-to-zero.
struct AiterMoeSumInType : CombineRules {
  static constexpr const char* kContract = "aiter.moe_sum";
  template <class T>
  SIMT_DEVICE static float add(float sum, float v, float) {
    return narrowed<T>(flushed(sum + flushed(v)));
  }
};
struct AiterMoeSum : CombineRules {
  static constexpr const char* kContract = "aiter.moe_sum@v0.1.19";
  template <class T>
  SIMT_DEVICE static float add(float sum, float v, float) {
    return flushed(sum + flushed(v));
  }
};

/// Source: sglang sgl-kernel/csrc/moe/moe_sum_reduce.cu 0ba3cdd4.
struct SglangMoeSumReduce : CombineRules {
  static constexpr const char* kContract = "sglang.moe_sum_reduce";
  static constexpr bool kFactor = true;
  SIMT_DEVICE static float scaled(float sum, float factor) { return sum * factor; }
};

// Sums that apply the router weights. Sources: vllm topk_weight_and_reduce.py v0.24.0 and v0.33.0, moe_fused_mul_sum.py v0.33.0,
// moe_permute_unpermute_kernel.inl v0.10.0 and v0.23.0, deep_gemm_utils.py v0.33.0 (ep_gather); sglang moe_fused_mul_sum.py and
// ep_moe_kernels.py v0.5.23.

struct WeightedRules : CombineRules {
  static constexpr bool kWeights = true;
  /// A compiler may fuse the multiplication and the addition into an FMA, so the contract accepts both results.
  template <class T>
  SIMT_DEVICE static float add(float sum, float v, float weight) {
    return sum + v * weight;
  }
};

struct VllmWeightAndReduceInType : WeightedRules {
  static constexpr const char* kContract = "vllm.topk_weight_and_reduce";
  template <class T>
  SIMT_DEVICE static float add(float sum, float v, float weight) {
    return narrowed<T>(sum + narrowed<T>(v * weight));
  }
};
struct VllmWeightAndReduce : WeightedRules {
  static constexpr const char* kContract = "vllm.topk_weight_and_reduce@v0.25.0";
  template <class T>
  SIMT_DEVICE static float add(float sum, float v, float weight) {
    return sum + narrowed<T>(v * weight);
  }
};

struct VllmFusedMulSum : WeightedRules {
  static constexpr const char* kContract = "vllm.moe_fused_mul_sum";
  static constexpr bool kIds = true, kMap = true, kKeepsUnrouted = true;
};
struct VllmMoeUnpermute : WeightedRules {
  static constexpr const char* kContract = "vllm.moe_unpermute";
  static constexpr CombineRows kRows = CombineRows::kBySlot;
  static constexpr bool kRowsInUse = true;
};
struct VllmMoeUnpermuteSlotMajor : VllmMoeUnpermute {
  static constexpr const char* kContract = "vllm.moe_unpermute@v0.9.0";
  static constexpr CombineRows kRows = CombineRows::kBySlotMajor;
};
struct VllmEpGather : WeightedRules {
  static constexpr const char* kContract = "vllm.ep_gather";
  static constexpr CombineRows kRows = CombineRows::kBySlot;
  static constexpr bool kIds = true, kMap = true;
};
struct SglangFusedMulSum : WeightedRules {
  static constexpr const char* kContract = "sglang.moe_fused_mul_sum";
  static constexpr bool kIds = true, kMap = true, kFactor = true;
  SIMT_DEVICE static float weight(float w, float factor) { return w * factor; }
};
struct SglangPostReorder : WeightedRules {
  static constexpr const char* kContract = "sglang.post_reorder_cutlass_moe";
  static constexpr CombineRows kRows = CombineRows::kBySlot;
  static constexpr bool kIds = true, kFactor = true;
  SIMT_DEVICE static float scaled(float sum, float factor) { return sum * factor; }
};

/// Flushes subnormals to zero. Source: flashinfer cutlass_fused_moe_kernels.cuh v0.7.2.post1 finalizeMoeRoutingKernel.
struct FlashinferFinalize : WeightedRules {
  static constexpr const char* kContract = "flashinfer.finalize_moe_routing";
  static constexpr CombineRows kRows = CombineRows::kBySlotMajor;
  static constexpr bool kIds = true;
  SIMT_DEVICE static float weight(float w, float) { return flushed(w); }
  template <class T>
  SIMT_DEVICE static float add(float sum, float v, float weight) {
    return flushed(sum + flushed(v) * weight);
  }
};
/// Source: aiter csrc/kernels/mxfp4_moe/moe_aux/moe_scatter_reduce.cuh e4048607.
struct AiterScatterReduce : FlashinferFinalize {
  static constexpr const char* kContract = "aiter.mxfp4_moe_scatter_reduce";
  static constexpr CombineRows kRows = CombineRows::kBySlot;
  static constexpr bool kIds = false;
};

/// Rounds the result of every multiplication and addition to the type of x.
/// Source: flashinfer trtllm_moe_allreduce_fusion.cuh fb28d724 moefinalize_allreduce_fusion_kernel_oneshot_lamport.
struct FlashinferMoeFinalize : WeightedRules {
  static constexpr const char* kContract = "flashinfer.moe_finalize";
  static constexpr CombineRows kRows = CombineRows::kBySlot;
  static constexpr bool kNegativeRows = true, kFactor = true, kWeightsOfX = true, kShared = true;
  SIMT_DEVICE static float weight(float w, float) { return flushed(w); }
  template <class T>
  SIMT_DEVICE static float add(float sum, float v, float weight) {
    return narrowed<T>(sum + narrowed<T>(flushed(flushed(v) * weight)));
  }
  template <class T>
  SIMT_DEVICE static float with_shared(float sum, float factor, float shared) {
    const float routed = narrowed<T>(flushed(flushed(sum) * factor));
    return flushed(flushed(routed) + flushed(shared));
  }
};

using CombineList = RulesList<VllmMoeSumInType, VllmMoeSum, VllmMoeSumPadAware, TorchSumTopk, AiterMoeSumInType, AiterMoeSum, SglangMoeSum,
                              SglangMoeSumReduce, SglangTopkSum, VllmWeightAndReduceInType, VllmWeightAndReduce, VllmFusedMulSum, VllmMoeUnpermute,
                              VllmMoeUnpermuteSlotMajor, VllmEpGather, SglangFusedMulSum, SglangPostReorder, FlashinferFinalize,
                              FlashinferMoeFinalize, AiterScatterReduce>;

inline constexpr int kCombineThreads = 128;

/// True if some slot of the token has an id >= 0, that is, an expert on this device or on another one.
SIMT_DEVICE bool is_routed(const CombineArguments& a, int64_t token) {
  for (int64_t slot = 0; slot < a.topk; ++slot)
    if (a.ids[token * a.topk + slot] >= 0) return true;
  return false;
}

template <class Rules, class T>
SIMT_KERNEL void moe_combine(CombineArguments a, Divider by_loads) {
  constexpr int kElements = simt::Vector<T>::kElements, kLanes = Rules::kLanes;
  const int64_t load = simt::block() * kCombineThreads + simt::thread(), token = by_loads.quotient(uint32_t(load));
  if (token >= a.m) return;
  if constexpr (Rules::kKeepsUnrouted)
    if (!is_routed(a, token)) return;
  const int64_t first = (load - token * by_loads.divisor) * kElements;
  float sum[kLanes][kElements] = {};
  for (int64_t begin = Rules::first_slot(a); begin < Rules::end_slot(a); begin += kLanes) {
    SIMT_UNROLL
    for (int lane = 0; lane < kLanes; ++lane) {
      const int64_t slot = begin + lane;
      if (slot >= Rules::end_slot(a) || skips_slot<Rules>(a, token, slot)) continue;
      float v[kElements], weight = 1.0f;
      if constexpr (Rules::kWeights) weight = Rules::weight(weight_of_slot<Rules, T>(a, Rules::place_of_weight(a, token, slot)), a.factor);
      widen<T>(load_of_row(static_cast<const T*>(a.x) + row_of_slot<Rules>(a, token, slot) * a.n, first, a.n, a.whole), v);
      SIMT_UNROLL
      for (int i = 0; i < kElements; ++i) sum[lane][i] = Rules::template add<T>(sum[lane][i], v[i], weight);
    }
  }
  float shared[kElements] = {};
  if constexpr (Rules::kShared) widen<T>(load_of_row(static_cast<const T*>(a.shared) + token * a.n, first, a.n, a.whole), shared);
  simt::Vector<T> y;
  SIMT_UNROLL
  for (int i = 0; i < kElements; ++i) {
    float all = sum[0][i];
    SIMT_UNROLL
    for (int lane = 1; lane < kLanes; ++lane) all = all + sum[lane][i];
    all = Rules::kShared ? Rules::template with_shared<T>(all, a.factor, shared[i]) : Rules::scaled(all, a.factor);
    y.at[i] = simt::from_float<T>(all);
  }
  store_of_row(static_cast<T*>(a.y) + token * a.n, first, a.n, a.whole, y);
}

/// Which tensors and parameters a contract needs. combine_arguments() rejects calls without them.
struct CombineNeeds {
  CombineRows rows;
  bool weights, ids, factor, rows_in_use, weights_of_x, shared;
};
CombineArguments combine_arguments(const Call& call, CombineNeeds needs);

template <class Rules>
void run_moe_combine(const Call& call) {
  CombineArguments a = combine_arguments(call, {Rules::kRows, Rules::kWeights, Rules::kIds, Rules::kFactor, Rules::kRowsInUse, Rules::kWeightsOfX, Rules::kShared});
  if (a.m == 0) return;
  with_type(call.at("x"), [&](auto type) {
    using T = decltype(type);
    constexpr int64_t kElements = simt::Vector<T>::kElements;
    const int64_t loads = (a.n + kElements - 1) / kElements;
    if (a.m * loads > 0x7fffffff - kCombineThreads)
      unsupported("y is too large: the kernel counts 16-byte vectors in 32 bits");
    a.whole = a.n % kElements == 0 && (reinterpret_cast<uintptr_t>(a.x) | reinterpret_cast<uintptr_t>(a.y) | reinterpret_cast<uintptr_t>(a.shared)) % 16 == 0;
    simt::launch(moe_combine<Rules, T>, call.grid((a.m * loads + kCombineThreads - 1) / kCombineThreads, kCombineThreads), a,
                 Divider::by(uint32_t(loads)));
  });
}

}  // namespace assay_kernels
