// rms_norm with dynamic quantization in one pass over x: per group, per token, MXFP8, NVFP4 and MXFP4.
#pragma once

#include "kernels/ops/quant_group/quant_group_contracts.h"
#include "kernels/ops/quant_group/quant_group_kernel.h"
#include "kernels/ops/quant_group/quant_group_rules.h"
#include "kernels/ops/quant_mx/quant_fp4_contracts.h"
#include "kernels/ops/quant_mx/quant_mx_contracts.h"
#include "kernels/ops/quant_mx/quant_mx_kernel.h"
#include "kernels/ops/rms_norm/rms_norm_kernel.h"
#include "kernels/ops/rms_norm/rms_norm_rules.h"

namespace assay_kernels {

// The normalized elements of a row, for quantization by one scale per row: one pass for amax, one for the codes.

/// Keeps the normalized elements in registers for both passes; as 16-bit values if the norm rounds its output.
template <class Norm, class T, class Row, int kLoads = Row::kKept>
class Results {
 public:
  static constexpr bool kWhole = true;

  SIMT_DEVICE explicit Results(const Row& row) {
    int k = 0;
    if constexpr (Norm::kRoundsOutput) {
      row.for_each_rounded([&](int first, const auto& words) {
        first_[k] = first;
        at_[k++] = words[0];
      });
    } else {
      row.for_each([&](int first, const auto& v) {
        first_[k] = first;
        SIMT_UNROLL
        for (int i = 0; i < Row::kElements; ++i) at_[k].at[i] = v[0][i];
        ++k;
      });
    }
  }

  template <class Group>
  SIMT_DEVICE float widest() const {
    if constexpr (Norm::kRoundsOutput) {
      return widest_of<Group, T>(at_);
    } else {
      float widest = Group::widest_of_none();
      SIMT_UNROLL
      for (int k = 0; k < kLoads; ++k) widest = widest_of<Group>(at_[k].at, widest);
      return widest;
    }
  }

  /// Calls f(first, v) for each load of the thread: v are its elements in fp32, `first` is the index of v[0].
  template <class F>
  SIMT_DEVICE void for_each(F f) const {
    SIMT_UNROLL
    for (int k = 0; k < kLoads; ++k) {
      float v[Row::kElements];
      in_fp32<T>(at_[k], v);
      f(first_[k], v);
    }
  }

 private:
  std::conditional_t<Norm::kRoundsOutput, simt::Vector<uint32_t>, Widened<T>> at_[kLoads];
  int first_[kLoads];
};

/// Normalizes the row again in each pass: for rows that are not in registers, or if there is only one pass.
template <class Norm, class T, class Row>
class Results<Norm, T, Row, 0> {
 public:
  static constexpr bool kWhole = Row::kWhole;

  SIMT_DEVICE explicit Results(const Row& row) : row_(row) {}

  template <class Group>
  SIMT_DEVICE float widest() const {
    float widest = Group::widest_of_none();
    for_each([&](int /*first*/, const auto& v) { widest = widest_of<Group>(v, widest); });
    return widest;
  }

  template <class F>
  SIMT_DEVICE void for_each(F f) const {
    row_.for_each([&](int first, auto& v) {
      round_output<Norm, T>(v[0]);
      f(first, v[0]);
    });
  }

 private:
  const Row& row_;
};

/// Stores the codes of a row of n elements that share one scale; codes_of() applies this scale.
template <class Results, class Codes>
SIMT_DEVICE void store_codes(const Results& results, uint8_t* q, int n, const Codes& codes_of) {
  uint8_t* const row = q + simt::block() * n;
  results.for_each([&](int first, const auto& v) {
    if (first >= n) return;
    uint32_t codes[2];
    codes_of(v, codes);
    if constexpr (Results::kWhole) {
      simt::store8(row + first, codes[0], codes[1]);
    } else {
      SIMT_UNROLL
      for (int i = 0; i < 8; ++i)
        if (first + i < n) row[first + i] = uint8_t(codes[i / 4] >> (8 * (i % 4)));
    }
  });
}

// Norms before quantization, and the quantization that follows: shared code and vLLM's contracts.

/// Rounds x * r to 16 bits, and rounds the product with gamma again. A residual is added in fp32, and this sum is not rounded.
/// Source: vLLM csrc/libtorch_stable/quantization/fused_kernels/layernorm_utils.cuh (1051220e).
struct VllmDynamicNorm : NormRules {
  static constexpr bool kRoundsBeforeWeight = true;
};
struct VllmDynamicAddNorm : WideSum {
  static constexpr bool kRoundsBeforeWeight = true;
};

/// The normalized elements stay in fp32. Source: AITER's Triton and HIP kernels (e4048607), FlashInfer's norm.cuh (fb28d724).
struct WideNorm : NormRules {
  static constexpr bool kRoundsOutput = false;
};
struct WideAddNorm : WideSum {
  static constexpr bool kRoundsOutput = false;
};

/// rms_norm_per_block_quant: the scale has a lower limit, amax has none. Clamps by min, then max, so NaN becomes +448.
struct VllmNormBlock : VllmPerToken {};
struct VllmNormBlockFnuz : VllmPerTokenFnuz {};
struct VllmNormBlockUb : VllmPerTokenUb {};

/// v0.33.0: multiplies by the reciprocal of the scale.
template <class Base>
struct ByReciprocal : Base {
  using Element = simt::Multiply;
  SIMT_DEVICE static float operand(float /*amax*/, float scale) { return 1.0f / scale; }
};

/// Multiplies by the reciprocal of the scale, which is at least fp32's epsilon, 2^-23. Rounds to nearest.
struct VllmNormInt8 : GroupRules {
  using Code = Int8Nearest;
  using Element = simt::Multiply;
  SIMT_DEVICE static float amax(float widest) { return widest; }
  SIMT_DEVICE static float scale(float amax) { return simt::max_number(amax / 127.0f, 0x1p-23f); }
  SIMT_DEVICE static float operand(float /*amax*/, float scale) { return 1.0f / scale; }
};

template <class NormOfRow, class GroupOfRow>
struct NormThenGroup {
  using Norm = NormOfRow;
  using Group = GroupOfRow;
};

/// vLLM skips this fusion on Blackwell (PR 40552), because its fused kernel does not support packed scales.
struct NormGroupPacked : NormThenGroup<VllmRmsNorm20260618, VllmGroupFp8Packed> {
  static constexpr const char* kContract = "assay.rms_norm_group_packed";
};

struct NormPerBlock : NormThenGroup<VllmDynamicNorm, VllmNormBlock> {
  static constexpr const char* kContract = "vllm.rms_norm_per_block_quant";
};
struct NormPerBlockUb : NormThenGroup<VllmDynamicNorm, VllmNormBlockUb> {
  static constexpr const char* kContract = "vllm.rms_norm_per_block_quant_ub";
};
struct NormPerBlockFnuz : NormThenGroup<VllmDynamicNorm, VllmNormBlockFnuz> {
  static constexpr const char* kContract = "vllm.rms_norm_per_block_quant_fnuz";
};
struct NormPerBlockInt8 : NormThenGroup<VllmDynamicNorm, VllmNormInt8> {
  static constexpr const char* kContract = "vllm.rms_norm_per_block_quant_int8";
};
struct AddNormPerBlock : NormThenGroup<VllmDynamicAddNorm, VllmNormBlock> {
  static constexpr const char* kContract = "vllm.add_rms_norm_per_block_quant";
};
struct NormPerBlockV0330 : NormThenGroup<VllmDynamicNorm, ByReciprocal<VllmNormBlock>> {
  static constexpr const char* kContract = "vllm.rms_norm_per_block_quant@v0.33.0";
};
struct NormPerBlockUbV0330 : NormThenGroup<VllmDynamicNorm, ByReciprocal<VllmNormBlockUb>> {
  static constexpr const char* kContract = "vllm.rms_norm_per_block_quant_ub@v0.33.0";
};
struct NormPerBlockFnuzV0330 : NormThenGroup<VllmDynamicNorm, ByReciprocal<VllmNormBlockFnuz>> {
  static constexpr const char* kContract = "vllm.rms_norm_per_block_quant_fnuz@v0.33.0";
};
struct AddNormPerBlockV0330 : NormThenGroup<VllmDynamicAddNorm, ByReciprocal<VllmNormBlock>> {
  static constexpr const char* kContract = "vllm.add_rms_norm_per_block_quant@v0.33.0";
};
struct NormPerToken : NormThenGroup<VllmDynamicNorm, VllmPerToken> {
  static constexpr const char* kContract = "vllm.rms_norm_dynamic_per_token_quant";
};
struct NormPerTokenUb : NormThenGroup<VllmDynamicNorm, VllmPerTokenUb> {
  static constexpr const char* kContract = "vllm.rms_norm_dynamic_per_token_quant_ub";
};
struct NormPerTokenFnuz : NormThenGroup<VllmDynamicNorm, VllmPerTokenFnuz> {
  static constexpr const char* kContract = "vllm.rms_norm_dynamic_per_token_quant_fnuz";
};
struct NormPerTokenInt8 : NormThenGroup<VllmDynamicNorm, VllmNormInt8> {
  static constexpr const char* kContract = "vllm.rms_norm_dynamic_per_token_quant_int8";
};
struct AddNormPerToken : NormThenGroup<VllmDynamicAddNorm, VllmPerToken> {
  static constexpr const char* kContract = "vllm.add_rms_norm_dynamic_per_token_quant";
};

using NormBlockList = NormList<NormPerBlock, NormPerBlockUb, NormPerBlockFnuz, NormPerBlockInt8, AddNormPerBlock,
                               NormPerBlockV0330, NormPerBlockUbV0330, NormPerBlockFnuzV0330, AddNormPerBlockV0330>;
using NormTokenList = NormList<NormPerToken, NormPerTokenUb, NormPerTokenFnuz, NormPerTokenInt8, AddNormPerToken>;

// rms_norm and group quantization in one pass over x, with fp32 or packed UE8M0 scales, with or without a residual.

/// Consecutive loads per thread. With four loads of eight elements, four threads share a group of 128. On an H200 the number of
/// instructions limits this kernel: with one load per thread it takes a third longer.
inline constexpr int kFusedRun = 4;

/// Where codes and scales are stored.
struct GroupsOut {
  uint8_t* q;
  ScalesOut scales;
  float scale_ub;  ///< upper limit of amax, in contracts that have one
};

template <class Rules, class T, int kWarp, int kRuns, int kLanes>
SIMT_KERNEL void rms_norm_quant_group(NormArguments<T> a, GroupsOut out) {
  using Norm = typename Rules::Norm;
  using Group = typename Rules::Group;
  const NormalizedRow<Norm, T, kWarp, kRuns * kFusedRun, kFusedRun> row(a);
  const auto quantize = [&](int first, const float(&u)[8 * kFusedRun], float widest) {
    quantize_elements<Group, kWarp, kLanes>(u, widest, first < a.n, out.q + simt::block() * a.n + first, out.scales,
                                            simt::block(), first / (8 * kLanes * kFusedRun), out.scale_ub);
  };
  float u[8 * kFusedRun];
  if constexpr (Norm::kRoundsOutput) {
    row.for_each_rounded([&](int first, const auto& words) {
      SIMT_UNROLL
      for (int i = 0; i < 8 * kFusedRun; i += 2) simt::pair_to_floats<T>(words[i / 8].at[i % 8 / 2], u[i], u[i + 1]);
      quantize(first, u, widest_of<Group, T>(words));
    });
  } else {
    row.for_each([&](int first, const auto& v) {
      SIMT_UNROLL
      for (int i = 0; i < 8 * kFusedRun; ++i) u[i] = v[i / 8][i % 8];
      quantize(first, u, widest_of<Group>(u, Group::widest_of_none()));
    });
  }
  row.finish();
  write_absent_groups<typename Rules::Group>(out.scales);
  write_absent_rows<typename Rules::Group>(out.scales);
}

/// Calls f(type of x, warp size, runs per thread, grid). A thread keeps its runs of kRun consecutive loads in registers.
template <int kRun, class F>
void with_rows_in_runs(const Call& call, const NormInputs& inputs, F f) {
  const int64_t runs = inputs.loads() / kRun;
  const simt::Launch grid = call.grid(inputs.shape.rows, simt::block_threads(runs, call.warp()));
  with_half_type(inputs.x, [&](auto type) {
    with_warp(call, [&](auto warp) {
      with_row<4>(runs, grid.threads, inputs.in_sixteens, [&](auto each) { f(type, warp, each, grid); });
    });
  });
}

template <class Rules>
void run_rms_norm_quant_group(const Call& call) {
  using Group = typename Rules::Group;
  const NormInputs inputs(call, Rules::Norm::kAdds, Rules::Norm::kGates);
  const int64_t size = group_size_of(call, inputs.shape);
  const GroupOutputs outputs = group_outputs(call, inputs.shape, size, Group::Code::kType, Group::kPacked);
  expect_aligned(call.output("q"));
  if (size != 32 && size != 64 && size != 128) unsupported("this kernel supports only groups of 32, 64 or 128 elements");
  if (inputs.shape.rows == 0) return;
  const GroupsOut out{outputs.q, outputs.scales, Group::kBounded ? float(call.number("scale_ub")) : 0.0f};
  with_rows_in_runs<kFusedRun>(call, inputs, [&](auto type, auto warp, auto each, const simt::Launch& grid) {
    using T = decltype(type);
    constexpr int kWarp = decltype(warp)::value, kRuns = decltype(each)::value;
    const auto a = inputs.arguments<T>();
    if (size == 32) return simt::launch(rms_norm_quant_group<Rules, T, kWarp, kRuns, 4 / kFusedRun>, grid, a, out);
    if (size == 64) return simt::launch(rms_norm_quant_group<Rules, T, kWarp, kRuns, 8 / kFusedRun>, grid, a, out);
    simt::launch(rms_norm_quant_group<Rules, T, kWarp, kRuns, 16 / kFusedRun>, grid, a, out);
  });
}

// rms_norm and dynamic per-token quantization: one thread block per row.

template <class Rules, class T, int kWarp, int kLoads>
SIMT_KERNEL void rms_norm_quant_token(NormArguments<T> a, GroupsOut out) {
  using Norm = typename Rules::Norm;
  using Group = typename Rules::Group;
  using Row = NormalizedRow<Norm, T, kWarp, kLoads>;
  const Row row(a);
  const Results<Norm, T, Row> results(row);
  const float widest = simt::block_reduce<kWarp, 1>(
      results.template widest<Group>(), Group::widest_of_none(), [](float u, float v) { return Group::widest(u, v); },
      [] { simt::barrier(); });
  const float amax = Group::amax(widest);
  float scale;
  if constexpr (Group::kBounded) {
    scale = Group::scale_within(amax, out.scale_ub);
  } else {
    scale = Group::scale(amax);
  }
  if (simt::thread() == 0) store_scale<Group>(out.scales, simt::block(), 0, scale);
  store_codes(results, out.q, a.n, CodesOf<Group>(Group::operand(amax, scale)));
  row.finish();
}

template <class Rules>
void run_rms_norm_quant_token(const Call& call) {
  using Group = typename Rules::Group;
  const NormInputs inputs(call, Rules::Norm::kAdds, Rules::Norm::kGates);
  const GroupOutputs outputs = group_outputs(call, inputs.shape, inputs.shape.columns, Group::Code::kType, false);
  const bool whole = expect_rows_of(call.output("q"), inputs) && inputs.in_sixteens;
  if (inputs.shape.rows == 0) return;
  const GroupsOut out{outputs.q, outputs.scales, Group::kBounded ? float(call.number("scale_ub")) : 0.0f};
  const simt::Launch grid = call.grid(inputs.shape.rows, simt::block_threads(inputs.loads(), call.warp()));
  with_half_type(inputs.x, [&](auto type) {
    using T = decltype(type);
    with_warp(call, [&](auto warp) {
      with_row<8>(inputs.loads(), grid.threads, whole, [&](auto loads) {
        simt::launch(rms_norm_quant_token<Rules, T, decltype(warp)::value, decltype(loads)::value>, grid, inputs.arguments<T>(),
                     out);
      });
    });
  });
}

// rms_norm with a residual and MXFP8 in one pass over x. Each thread has whole blocks of 32 elements.

/// A Triton kernel with the profiles R-1 and N-B of rms_norm_rules.h.
/// Source: vLLM mxfp8_utils.py, _fused_add_rms_norm_quant_kernel.
struct VllmAddNormMxfp8 : NormThenGroup<RoundedSum, VllmMxfp8Fused> {
  static constexpr const char* kContract = "vllm.fused_add_rms_norm_mxfp8_quant";
};

template <class Rules, class T, int kWarp, int kRuns>
SIMT_KERNEL void rms_norm_quant_mx(NormArguments<T> a, uint8_t* q, BytesOut out) {
  static_assert(Rules::Norm::kRoundsOutput && 8 * kFusedRun == kMxBlock);
  const NormalizedRow<typename Rules::Norm, T, kWarp, kRuns * kFusedRun, kFusedRun> row(a);
  row.for_each_rounded([&](int first, const auto& words) {
    float u[kMxBlock];
    SIMT_UNROLL
    for (int i = 0; i < kMxBlock; i += 2) simt::pair_to_floats<T>(words[i / 8].at[i % 8 / 2], u[i], u[i + 1]);
    quantize_block<typename Rules::Group, kWarp>(u, first < a.n, q + simt::block() * a.n + first, out, simt::block(), first / kMxBlock);
  });
  row.finish();
  out.template write_absent<typename Rules::Group>();
}

template <class Rules>
void run_rms_norm_quant_mx(const Call& call) {
  const NormInputs inputs(call, Rules::Norm::kAdds);
  expect_mx_codes(call, inputs.shape, Rules::Group::Code::kType);
  const BytesOut out = bytes_out(call, inputs.shape);
  if (inputs.shape.rows == 0) return;
  uint8_t* const q = static_cast<uint8_t*>(call.output("q").data);
  with_rows_in_runs<kFusedRun>(call, inputs, [&](auto type, auto warp, auto each, const simt::Launch& grid) {
    using T = decltype(type);
    simt::launch(rms_norm_quant_mx<Rules, T, decltype(warp)::value, decltype(each)::value>, grid, inputs.arguments<T>(), q, out);
  });
}

// rms_norm and FP4 in one pass over x. Each thread has whole blocks of 16 or 32 elements.

struct FlashinferNormFp4 : NormThenGroup<FlashinferProductFirst, FlashinferNormNvfp4> {
  static constexpr const char* kContract = "flashinfer.rmsnorm_fp4quant";
};
struct FlashinferAddNormFp4 : NormThenGroup<FlashinferAddBeforeFp4, FlashinferNormNvfp4> {
  static constexpr const char* kContract = "flashinfer.add_rmsnorm_fp4quant";
};

struct FlashinferTrtllmNormNvfp4 : NormThenGroup<FlashinferTrtllmAddRmsNorm, FlashinferArNvfp4> {
  static constexpr const char* kContract = "flashinfer.trtllm_add_rms_norm_nvfp4";
};

struct FlashinferNormMx : NormThenGroup<FlashinferProductFirst, FlashinferNormMxfp4> {
  static constexpr const char* kContract = "flashinfer.rmsnorm_fp4quant_mxfp4";
};
struct FlashinferAddNormMx : NormThenGroup<FlashinferAddBeforeFp4, FlashinferNormMxfp4> {
  static constexpr const char* kContract = "flashinfer.add_rmsnorm_fp4quant_mxfp4";
};

struct AiterNormMxfp4 : NormThenGroup<WideNorm, AiterTritonMxfp4> {
  static constexpr const char* kContract = "aiter.fused_rms_mxfp4_quant";
};
struct AiterAddNormMxfp4 : NormThenGroup<WideAddNorm, AiterTritonMxfp4> {
  static constexpr const char* kContract = "aiter.fused_add_rms_mxfp4_quant";
};

template <class Rules, class T, int kWarp, int kRuns>
SIMT_KERNEL void rms_norm_quant_fp4(NormArguments<T> a, const float* global, uint8_t* q, BytesOut out) {
  using Norm = typename Rules::Norm;
  using Fp4 = typename Rules::Group;
  constexpr int kRun = Fp4::kBlock / 8;  // consecutive loads per thread
  const NormalizedRow<Norm, T, kWarp, kRuns * kRun, kRun> row(a);
  const auto quantize = [&](int first, const float(&u)[Fp4::kBlock]) {
    if (first >= a.n) return;
    out.data[out.place(simt::block(), first / Fp4::kBlock)] =
        quantize_fp4_block<Fp4>(u, tensor_scale<Fp4>(global), q + (simt::block() * a.n + first) / 2);
  };
  float u[Fp4::kBlock];
  if constexpr (Norm::kRoundsOutput) {
    row.for_each_rounded([&](int first, const auto& words) {
      SIMT_UNROLL
      for (int i = 0; i < Fp4::kBlock; i += 2) simt::pair_to_floats<T>(words[i / 8].at[i % 8 / 2], u[i], u[i + 1]);
      quantize(first, u);
    });
  } else {
    row.for_each([&](int first, const auto& v) {
      SIMT_UNROLL
      for (int i = 0; i < Fp4::kBlock; ++i) u[i] = v[i / 8][i % 8];
      quantize(first, u);
    });
  }
  row.finish();
  out.template write_absent<Fp4>();
}

template <class Rules>
void run_rms_norm_quant_fp4(const Call& call) {
  using Fp4 = typename Rules::Group;
  const NormInputs inputs(call, Rules::Norm::kAdds);
  const BytesOut out = fp4_bytes_out(call, inputs.shape, Fp4::kBlock, Fp4::kScaleType);
  const float* const global = fp4_global_scale<Fp4>(call);
  if (inputs.shape.rows == 0) return;
  uint8_t* const q = static_cast<uint8_t*>(call.output("q").data);
  with_rows_in_runs<Fp4::kBlock / 8>(call, inputs, [&](auto type, auto warp, auto each, const simt::Launch& grid) {
    using T = decltype(type);
    simt::launch(rms_norm_quant_fp4<Rules, T, decltype(warp)::value, decltype(each)::value>, grid, inputs.arguments<T>(), global, q, out);
  });
}

}  // namespace assay_kernels
