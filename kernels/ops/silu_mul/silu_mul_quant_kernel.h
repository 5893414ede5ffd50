// silu(gate) * up with quantization in one pass: per group, per token, MXFP8, FP4, for experts, and by a scale that is an input.
#pragma once

#include "kernels/ops/kernel_common.h"
#include "kernels/ops/quant_group/quant_group_contracts.h"
#include "kernels/ops/quant_group/quant_group_kernel.h"
#include "kernels/ops/quant_mx/quant_fp4_contracts.h"
#include "kernels/ops/quant_mx/quant_mx_contracts.h"
#include "kernels/ops/quant_mx/quant_mx_kernel.h"
#include "kernels/ops/quant_static/quant_static_kernel.h"
#include "kernels/ops/silu_mul/silu_mul_activations.h"

namespace assay_kernels {

// silu(gate) * up with group quantization in registers. A thread has sixteen elements of each half; 2, 4 or 8 adjacent threads
// share a group.

inline constexpr int kGatedThreads = 128, kGatedElements = 16;  ///< threads per block; elements per thread

template <class T>
struct GatedArguments {
  const T* x;  ///< rows of 2n: gate, then up
  uint8_t* q;
  ScalesOut scales;
  int32_t n;
  float scale_ub;
};

template <class Rules, class T, int kWarp, int kLanes>
SIMT_KERNEL void silu_mul_quant_group(GatedArguments<T> a) {
  const uint32_t groups = uint32_t(a.scales.rows * a.scales.groups), per_row = a.scales.by_groups.divisor;
  const uint32_t piece = uint32_t(simt::block()) * kGatedThreads + uint32_t(simt::thread()), group = piece / kLanes;
  const uint32_t row = a.scales.by_groups.quotient(group);
  const bool live = group < groups;
  LaneWords<2> gate{}, up{};
  if (live) {
    // a row of x has 2n elements and a row of codes has n, so each previous row adds n to the offset
    const int64_t at = int64_t{row} * a.n + int64_t{piece} * kGatedElements;
    gate.load(a.x + at + (Rules::kGateFirst ? 0 : a.n));
    up.load(a.x + at + (Rules::kGateFirst ? a.n : 0));
  }
  float v[kGatedElements];
  silu_times_up<typename Rules::Activation, T>(gate, up, v);
  quantize_elements<typename Rules::Group, kWarp, kLanes>(v, live, a.q + int64_t{piece} * kGatedElements, a.scales, row,
                                                          int32_t(group - row * per_row), a.scale_ub);
  write_absent_groups<typename Rules::Group>(a.scales);  // no call of write_absent_rows(): these ops leave padding rows unwritten
}

// Host side of silu_mul_quant_group.

/// The shape of the output, which has half as many columns as x. `halves`: the shape of x, whose rows are gate and up.
inline Shape half_shape(const assay_tensor& x, Shape halves) {
  expect_aligned(x);
  if (halves.columns % 16 != 0) unsupported("half a row of x must be a multiple of 8 elements");
  return {halves.rows, halves.columns / 2};
}
inline Shape gated_shape(const Call& call) { return half_shape(call.input("x"), dense_matrix(call.input("x"))); }

/// A grid with one thread per kGatedElements elements of the output.
inline simt::Launch gated_grid(const Call& call, const Shape& shape) {
  constexpr int64_t kOfBlock = int64_t{kGatedThreads} * kGatedElements;
  const int64_t blocks = (shape.rows * shape.columns + kOfBlock - 1) / kOfBlock;
  if (blocks > 0x7fffffff / kGatedThreads) unsupported("q must have at most 2^35 elements");
  return call.grid(blocks, kGatedThreads);
}

template <class Rules>
void run_silu_mul_quant_group(const Call& call) {
  using Group = typename Rules::Group;
  const Shape shape = gated_shape(call);
  const int64_t size = group_size_of(call, shape);
  const GroupOutputs out = group_outputs(call, shape, size, Group::Code::kType, Group::kPacked);
  expect_aligned(call.output("q"));
  if (shape.rows == 0) return;
  const simt::Launch grid = gated_grid(call, shape);
  const float scale_ub = Group::kBounded ? float(call.number("scale_ub")) : 0.0f;
  with_half_type(call.input("x"), [&](auto type) {
    using T = decltype(type);
    const GatedArguments<T> a{data_of<T>(call.input("x")), out.q, out.scales, int32_t(shape.columns), scale_ub};
    with_warp(call, [&](auto warp) {
      constexpr int kWarp = decltype(warp)::value;
      if (size == 32) return simt::launch(silu_mul_quant_group<Rules, T, kWarp, 2>, grid, a);
      if (size == 64) return simt::launch(silu_mul_quant_group<Rules, T, kWarp, 4>, grid, a);
      if (size == 128) return simt::launch(silu_mul_quant_group<Rules, T, kWarp, 8>, grid, a);
      unsupported("this kernel supports only groups of 32, 64 or 128 elements");
    });
  });
}

// Combinations of activation and group quantization.

/// silu_and_mul_per_block_quant: the scale has a lower limit, amax has none.
struct SiluBlock : GroupRules {
  static constexpr bool kSaturates = true;
  SIMT_DEVICE static float amax(float widest) { return widest; }
  SIMT_DEVICE static float scale(float amax) { return simt::max_number(amax / 448.0f, kLeastScale); }
  SIMT_DEVICE static float clamp(float v) { return clamp_min_max(v, 448.0f); }
};

/// scale_ub is an upper limit of the scale itself, so x / s may exceed 448.
struct SiluBlockUb : SiluBlock {
  using Element = simt::DivideEach;
  static constexpr bool kBounded = true;
  /// The maximum starts as NaN and stays NaN if a group holds only NaN; min_number() then replaces the NaN scale by scale_ub.
  SIMT_DEVICE static float widest_of_none() { return simt::from_bits(0x7fc00000u); }
  SIMT_DEVICE static float scale_within(float amax, float scale_ub) {
    return simt::max_number(simt::min_number(amax / 448.0f, scale_ub), kLeastScale);
  }
};

struct SiluBlockFnuz : SiluBlock {
  using Code = E4m3fnuzSat;
  SIMT_DEVICE static float scale(float amax) { return simt::max_number(amax / 224.0f, 1.0f / (224.0f * 512.0f)); }
  SIMT_DEVICE static float clamp(float v) { return clamp_min_max(v, 224.0f); }
};

/// The batch-invariant op: changes the bits of a scale to round it up to a power of two. amax has a lower limit; the scale has none.
struct GroupRounded : GroupRules {
  using Element = simt::Multiply;
  SIMT_DEVICE static float amax(float widest) { return simt::max_number(widest, 1e-10f); }
  SIMT_DEVICE static float scale(float amax) { return pow2_ceil(amax * (1.0f / 448.0f)); }
  SIMT_DEVICE static float operand(float /*amax*/, float scale) { return pow2_reciprocal(scale); }
  SIMT_DEVICE static float clamp(float v) { return simt::max_number(v, -448.0f); }
};

struct GroupUe8m0x4 : GroupRounded {
  static constexpr bool kPacked = true;
};

/// A contract: an activation and a group quantization. A deliberately wrong kernel derives from a contract and replaces one of the two.
template <class ActivationRules, class GroupRulesOfIt>
struct SiluGroup {
  using Activation = ActivationRules;
  using Group = GroupRulesOfIt;
  static constexpr bool kPacked = Group::kPacked;
  static constexpr bool kGateFirst = true;  ///< the first half of a row is the gate
};

struct VllmSiluPerBlock : SiluGroup<SiluF32, SiluBlock> {
  static constexpr const char* kContract = "vllm.silu_and_mul_per_block_quant";
};
struct VllmSiluPerBlockUb : SiluGroup<SiluF32, SiluBlockUb> {
  static constexpr const char* kContract = "vllm.silu_and_mul_per_block_quant_ub";
};
struct VllmSiluPerBlockFnuz : SiluGroup<SiluF32, SiluBlockFnuz> {
  static constexpr const char* kContract = "vllm.silu_and_mul_per_block_quant_fnuz";
};

struct VllmFusedSilu : SiluGroup<SiluOnce, VllmGroupFp8> {
  static constexpr const char* kContract = "vllm.fused_silu_mul_group";
};
struct VllmFusedSiluRounded : SiluGroup<SiluOnce, GroupRounded> {
  static constexpr const char* kContract = "vllm.fused_silu_mul_group_rounded";
};
struct VllmFusedSiluUe8m0x4 : SiluGroup<SiluOnce, GroupUe8m0x4> {
  static constexpr const char* kContract = "vllm.fused_silu_mul_group_ue8m0x4";
};
struct VllmFusedSiluSm100 : SiluGroup<SiluTanh, VllmGroupFp8> {
  static constexpr const char* kContract = "vllm.fused_silu_mul_group_sm100";
};
struct VllmFusedSiluRoundedSm100 : SiluGroup<SiluTanh, GroupRounded> {
  static constexpr const char* kContract = "vllm.fused_silu_mul_group_rounded_sm100";
};
struct VllmFusedSiluUe8m0x4Sm100 : SiluGroup<SiluTanh, GroupUe8m0x4> {
  static constexpr const char* kContract = "vllm.fused_silu_mul_group_ue8m0x4_sm100";
};
struct VllmSiluColmajor : SiluGroup<SiluTriton, VllmGroupTriton> {
  static constexpr const char* kContract = "vllm.silu_mul_colmajor";
};
struct VllmSiluColmajorUe8m0 : SiluGroup<SiluTriton, VllmGroupTritonUe8m0> {
  static constexpr const char* kContract = "vllm.silu_mul_colmajor_ue8m0";
};
struct VllmSiluColmajorV0190 : SiluGroup<SiluTriton, VllmGroupTritonV0190> {
  static constexpr const char* kContract = "vllm.silu_mul_colmajor@v0.19.0";
};
struct VllmSiluColmajorUe8m0V0190 : SiluGroup<SiluTriton, VllmGroupTritonUe8m0V0190> {
  static constexpr const char* kContract = "vllm.silu_mul_colmajor_ue8m0@v0.19.0";
};
struct VllmSiluColmajorV0240 : SiluGroup<SiluTritonV0240, VllmGroupTritonV0190> {
  static constexpr const char* kContract = "vllm.silu_mul_colmajor@v0.24.0";
};
struct VllmSiluColmajorUe8m0V0240 : SiluGroup<SiluTritonV0240, VllmGroupTritonUe8m0V0190> {
  static constexpr const char* kContract = "vllm.silu_mul_colmajor_ue8m0@v0.24.0";
};
struct TorchSiluGroup : SiluGroup<TorchSilu, VllmGroupFp8> {
  static constexpr const char* kContract = "torch.silu_mul_group_fp8";
};

// Source: vLLM PR 46273, fused_silu_mul_per_token_quant.cu.
struct VllmSiluPerToken : SiluGroup<SiluDividesF32, VllmPerToken> {
  static constexpr const char* kContract = "vllm.silu_and_mul_per_token_quant";
};
struct VllmSiluPerTokenUb : SiluGroup<SiluDividesF32, VllmPerTokenUb> {
  static constexpr const char* kContract = "vllm.silu_and_mul_per_token_quant_ub";
};
struct VllmSiluPerTokenRounded : SiluGroup<SiluTwice, VllmPerToken> {
  static constexpr const char* kContract = "vllm.silu_and_mul_per_token_quant_rounded";
};

using SiluGroupList = RulesList<VllmSiluPerBlock, VllmSiluPerBlockUb, VllmSiluPerBlockFnuz, VllmFusedSilu, VllmFusedSiluRounded,
                                VllmFusedSiluUe8m0x4, VllmFusedSiluSm100, VllmFusedSiluRoundedSm100, VllmFusedSiluUe8m0x4Sm100,
                                VllmSiluColmajor, VllmSiluColmajorUe8m0, VllmSiluColmajorV0190, VllmSiluColmajorUe8m0V0190,
                                VllmSiluColmajorV0240, VllmSiluColmajorUe8m0V0240, TorchSiluGroup>;

// silu(gate) * up with dynamic per-token quantization. A thread block computes each product of its row twice: for amax, and for the codes.

inline constexpr int kTokenThreads = 256;

/// v = silu(gate) * up for kGatedElements elements of the block's row, from element `first` on.
template <class Rules, class T>
SIMT_DEVICE void products_of_lane(const GatedArguments<T>& a, int32_t first, float (&v)[kGatedElements]) {
  const T* const row = a.x + simt::block() * 2 * int64_t{a.n} + first;
  LaneWords<2> gate, up;
  gate.load(row + (Rules::kGateFirst ? 0 : a.n));
  up.load(row + (Rules::kGateFirst ? a.n : 0));
  silu_times_up<typename Rules::Activation, T>(gate, up, v);
}

template <class Rules, class T, int kWarp>
SIMT_KERNEL void silu_mul_quant_token(GatedArguments<T> a) {
  using Group = typename Rules::Group;
  constexpr int32_t kStep = kTokenThreads * kGatedElements;
  float v[kGatedElements], widest = 0.0f;
  for (int32_t first = simt::thread() * kGatedElements; first < a.n; first += kStep) {
    products_of_lane<Rules>(a, first, v);
    SIMT_UNROLL
    for (const float product : v) widest = Group::widest(widest, simt::magnitude(product));
  }
  widest = simt::block_reduce<kWarp>(
      widest, 0.0f, [](float u, float w) { return Group::widest(u, w); }, [] { simt::barrier(); });
  const float amax = Group::amax(widest);
  float scale;
  if constexpr (Group::kBounded) {
    scale = Group::scale_within(amax, a.scale_ub);
  } else {
    scale = Group::scale(amax);
  }
  if (simt::thread() == 0) store_scale<Group>(a.scales, simt::block(), 0, scale);
  const typename Group::Element element(Group::operand(amax, scale));
  for (int32_t first = simt::thread() * kGatedElements; first < a.n; first += kStep) {
    products_of_lane<Rules>(a, first, v);
    SIMT_UNROLL
    for (int i = 0; i < kGatedElements; i += 4) {
      float u[4];
      SIMT_UNROLL
      for (int j = 0; j < 4; ++j) u[j] = Group::clamp(element(v[i + j]));
      simt::store4(a.q + simt::block() * int64_t{a.n} + first + i, Group::Code::encode4(u));
    }
  }
}

template <class Rules>
void run_silu_mul_quant_token(const Call& call) {
  using Group = typename Rules::Group;
  const Shape shape = gated_shape(call);
  if (shape.columns % kGatedElements != 0) unsupported("half a row of x must be a multiple of 16 elements");
  const GroupOutputs out = group_outputs(call, shape, shape.columns, Group::Code::kType, false);
  expect_aligned(call.output("q"));
  if (shape.rows == 0) return;
  const simt::Launch grid = call.grid(shape.rows, kTokenThreads);
  const float scale_ub = Group::kBounded ? float(call.number("scale_ub")) : 0.0f;
  with_half_type(call.input("x"), [&](auto type) {
    using T = decltype(type);
    const GatedArguments<T> a{data_of<T>(call.input("x")), out.q, out.scales, int32_t(shape.columns), scale_ub};
    with_warp(call, [&](auto warp) { simt::launch(silu_mul_quant_token<Rules, T, decltype(warp)::value>, grid, a); });
  });
}

// silu(gate) * up with MXFP8 in registers. A thread has eight elements of each half; four adjacent threads share a block of 32.

/// A Triton kernel.
/// Source: vLLM mxfp8_utils.py, _silu_and_mul_quant_kernel.
struct VllmSiluMxfp8 : SiluGroup<SiluTriton, VllmMxfp8Fused> {
  static constexpr const char* kContract = "vllm.silu_and_mul_mxfp8_quant";
};

template <class T>
struct GatedMxArguments {
  const T* x;  ///< rows of 2n: gate, then up
  uint8_t* q;
  BytesOut out;
  int32_t n;
};

template <class Rules, class T, int kWarp>
SIMT_KERNEL void silu_mul_quant_mx(GatedMxArguments<T> a) {
  const int64_t load = simt::block() * kGatedThreads + simt::thread();
  const uint32_t block = uint32_t(load / kMxLanes), row = a.out.by_groups.quotient(block);
  const bool live = block < uint32_t(a.out.rows * a.out.groups);
  LaneWords<1> gate{}, up{};
  if (live) {
    // a row of x has 2n elements and a row of codes has n, so each previous row adds n to the offset
    const int64_t at = int64_t{row} * a.n + load * 8;
    gate.load(a.x + at + (Rules::kGateFirst ? 0 : a.n));
    up.load(a.x + at + (Rules::kGateFirst ? a.n : 0));
  }
  float v[8];
  silu_times_up<typename Rules::Activation, T>(gate, up, v);
  quantize_block<typename Rules::Group, kWarp>(v, live, a.q + load * 8, a.out, row, int32_t(block - row * a.out.by_groups.divisor));
  a.out.template write_absent<typename Rules::Group>();
}

template <class Rules>
void run_silu_mul_quant_mx(const Call& call) {
  const Shape shape = gated_shape(call);
  expect_mx_codes(call, shape, Rules::Group::Code::kType);
  const BytesOut out = bytes_out(call, shape);
  if (shape.rows == 0) return;
  const simt::Launch grid = call.grid((shape.rows * shape.columns / 8 + kGatedThreads - 1) / kGatedThreads, kGatedThreads);
  with_half_type(call.input("x"), [&](auto type) {
    using T = decltype(type);
    const GatedMxArguments<T> a{data_of<T>(call.input("x")), static_cast<uint8_t*>(call.output("q").data), out, int32_t(shape.columns)};
    with_warp(call, [&](auto warp) { simt::launch(silu_mul_quant_mx<Rules, T, decltype(warp)::value>, grid, a); });
  });
}

// silu(gate) * up, quantized to FP4 in registers. A thread has one block of 16 or 32 elements.

struct VllmSiluNvfp4 : SiluGroup<SiluFastOnce, VllmNvfp4Fused> {
  static constexpr const char* kContract = "vllm.silu_and_mul_nvfp4_quant";
};
struct FlashinferSiluNvfp4 : SiluGroup<FlashinferSilu, FlashinferNvfp4Cute> {
  static constexpr const char* kContract = "flashinfer.silu_and_mul_nvfp4_quantize";
};
struct FlashinferSiluNvfp4Exact : SiluGroup<FlashinferSilu, FlashinferNvfp4CuteExact> {
  static constexpr const char* kContract = "flashinfer.silu_and_mul_nvfp4_quantize_exact";
};
struct AiterSiluMxfp4 : SiluGroup<AiterTritonSilu, AiterTritonMxfp4> {
  static constexpr const char* kContract = "aiter.act_mul_and_mxfp4_quant";
};
/// Rows belong to experts.
/// Source: vLLM v0.33.0, csrc/quantization/fp4/nvfp4_experts_quant.cu and mxfp4_experts_quant.cu with FUSE_SILU_MUL.
struct VllmSiluNvfp4Experts : SiluGroup<SiluFastOnce, VllmNvfp4Experts> {
  static constexpr const char* kContract = "vllm.silu_and_mul_scaled_fp4_experts_quant";
};
struct VllmSiluMxfp4Experts : SiluGroup<SiluFastOnce, VllmMxfp4Experts> {
  static constexpr const char* kContract = "vllm.silu_and_mul_mxfp4_experts_quant";
};

/// Masked experts.
/// Source: flashinfer quantization.cuh (fb28d724), cvt_fp16_to_fp4_expert with use_silu_and_mul.
struct FlashinferSiluNvfp4Experts : SiluGroup<FlashinferSiluFast, FlashinferNvfp4Experts> {
  static constexpr const char* kContract = "flashinfer.silu_and_mul_scaled_nvfp4_experts_quantize";
};
struct FlashinferSiluNvfp4ExpertsExact : SiluGroup<FlashinferSiluFast, FlashinferNvfp4ExpertsExact> {
  static constexpr const char* kContract = "flashinfer.silu_and_mul_scaled_nvfp4_experts_quantize_exact";
};

template <class T, class Out>
struct GatedFp4Arguments {
  const T* x;  ///< rows of 2n: gate, then up
  const float* global;
  uint8_t* q;
  Out out;
  int32_t n;
};

template <class Rules, class T, class Out>
SIMT_KERNEL void silu_mul_quant_fp4(GatedFp4Arguments<T, Out> a) {
  using Fp4 = typename Rules::Group;
  constexpr int kLoads = Fp4::kBlock / 8;
  const uint32_t block = uint32_t(simt::block() * kGatedThreads + simt::thread()), row = a.out.by_groups.quotient(block);
  if (block < uint32_t(a.out.rows * a.out.groups) && Fp4::uses(a.out, int64_t{row})) {
    // a row of x has 2n elements and a row of codes has n, so each previous row adds n to the offset
    const int64_t at = int64_t{row} * a.n + int64_t{block} * Fp4::kBlock;
    LaneWords<kLoads> gate, up;
    gate.load(a.x + at + (Rules::kGateFirst ? 0 : a.n));
    up.load(a.x + at + (Rules::kGateFirst ? a.n : 0));
    float v[Fp4::kBlock];
    silu_times_up<typename Rules::Activation, T>(gate, up, v);
    const float global = tensor_scale<Fp4>(a.global, Fp4::tensor_of(a.out, row));
    a.out.data[a.out.place(row, int32_t(block - row * a.out.by_groups.divisor))] =
        quantize_fp4_block<Fp4>(v, global, a.q + int64_t{block} * Fp4::kBlock / 2);
  }
  a.out.template write_absent<Fp4>();
}

template <class Rules, class Out>
void launch_silu_mul_quant_fp4(const Call& call, const Shape& shape, const Out& out, int64_t tensors = 1) {
  const float* const global = fp4_global_scale<typename Rules::Group>(call, tensors);
  if (shape.rows == 0) return;
  const simt::Launch grid = gated_grid(call, shape);
  with_half_type(call.input("x"), [&](auto type) {
    using T = decltype(type);
    const GatedFp4Arguments<T, Out> a{data_of<T>(call.input("x")), global, static_cast<uint8_t*>(call.output("q").data), out,
                                      int32_t(shape.columns)};
    simt::launch(silu_mul_quant_fp4<Rules, T, Out>, grid, a);
  });
}

template <class Rules>
void run_silu_mul_quant_fp4(const Call& call) {
  using Fp4 = typename Rules::Group;
  const Shape shape = gated_shape(call);
  launch_silu_mul_quant_fp4<Rules>(call, shape, fp4_bytes_out(call, shape, Fp4::kBlock, Fp4::kScaleType));
}

/// Rows belong to experts. `expert_offsets` has the first row of each expert, `blockscale_offsets` its first row of scales.
template <class Rules>
void run_silu_mul_quant_fp4_experts(const Call& call) {
  using Fp4 = typename Rules::Group;
  const Shape shape = gated_shape(call);
  expect_fp4_codes(call, shape, Fp4::kBlock);
  const ExpertBytesOut out = expert_bytes_out(call, shape, Fp4::kBlock, Fp4::kScaleType);
  launch_silu_mul_quant_fp4<Rules>(call, shape, out, out.experts);
}

/// Masked experts; the tensor `tokens` has the number of rows in use of each expert.
template <class Rules>
void run_silu_mul_quant_fp4_masked(const Call& call) {
  using Fp4 = typename Rules::Group;
  const Shape shape = gated_shape(call);
  const MaskedBytesOut out = masked_bytes_out(call, shape, Fp4::kBlock, Fp4::kScaleType);
  launch_silu_mul_quant_fp4<Rules>(call, shape, out, out.rows / int64_t{out.by_room.divisor});
}

// silu_mul_fp8_quant_deep_gemm: rounds the result of every operation to bf16.
// Source: vLLM csrc/libtorch_stable/quantization/activation_kernels.cu (1a84e5b2).

SIMT_DEVICE float to_bf16(float v) { return simt::to_float(simt::from_float<simt::Bf16>(v)); }

struct MultiplyBf16 {
  float factor;
  SIMT_DEVICE explicit MultiplyBf16(float f) : factor(f) {}
  SIMT_DEVICE float operator()(float x) const { return to_bf16(x * factor); }
};

/// The source's constants: bf16(1e-10), and bf16(1 / 448), which is 0.2 % smaller than 1 / 448.
struct MaskedBf16 : GroupRules {
  using Element = MultiplyBf16;
  static constexpr bool kWritesPadding = false;
  SIMT_DEVICE static float amax(float widest) { return simt::max_number(widest, simt::from_bits(0x2edc0000u)); }
  SIMT_DEVICE static float scale(float amax) { return to_bf16(amax * simt::from_bits(0x3b120000u)); }
  SIMT_DEVICE static float operand(float /*amax*/, float scale) { return to_bf16(1.0f / scale); }
  SIMT_DEVICE static float clamp(float v) { return simt::max_number(v, -448.0f); }
};

struct MaskedBf16Ue8m0 : MaskedBf16 {
  SIMT_DEVICE static float scale(float amax) { return simt::exp2(simt::ceil(to_bf16(simt::log2(MaskedBf16::scale(amax))))); }
};

struct MaskedBf16Ue8m0x4 : MaskedBf16Ue8m0 {
  static constexpr bool kPacked = true;
};

/// is_row(): true if row `token` of an expert is in use.
template <class GroupRulesOfIt>
struct SiluMasked : SiluGroup<SiluBf16, GroupRulesOfIt> {
  static constexpr bool kTakesStride = true;  ///< true: there may be gaps between the rows of x
  SIMT_DEVICE static bool is_row(int32_t token, int32_t tokens) { return token < tokens; }
};

struct VllmSiluMasked : SiluMasked<MaskedBf16> {
  static constexpr const char* kContract = "vllm.silu_mul_fp8_quant_deep_gemm";
};
struct VllmSiluMaskedUe8m0 : SiluMasked<MaskedBf16Ue8m0> {
  static constexpr const char* kContract = "vllm.silu_mul_fp8_quant_deep_gemm_ue8m0";
};
struct VllmSiluMaskedUe8m0x4 : SiluMasked<MaskedBf16Ue8m0x4> {
  static constexpr const char* kContract = "vllm.silu_mul_fp8_quant_deep_gemm_ue8m0x4";
};

using SiluMaskedList = RulesList<VllmSiluMasked, VllmSiluMaskedUe8m0, VllmSiluMaskedUe8m0x4>;

// silu(gate) * up with group quantization for masked experts. All experts have equally many rows, of which tokens[expert] are in use.

template <class T>
struct MaskedArguments {
  const T* x;             ///< [experts * room, 2n]: gate, then up
  int64_t pitch;          ///< distance between rows of x in elements
  uint8_t* q;             ///< [experts * room, n]
  const int32_t* tokens;  ///< number of rows in use of each expert
  ScalesOut scales;       ///< scales of one expert
  int64_t expert_stride;  ///< bytes from one expert's scales to the next expert's
  Divider by_room;        ///< divides by the rows per expert
  int64_t rows;           ///< rows of all experts
  int32_t n;
};

template <class Rules, class T, int kWarp, int kLanes>
SIMT_KERNEL void silu_mul_quant_masked(MaskedArguments<T> a) {
  const uint32_t groups = uint32_t(a.rows * a.scales.groups), per_row = a.scales.by_groups.divisor;
  const uint32_t piece = uint32_t(simt::block()) * kGatedThreads + uint32_t(simt::thread()), group = piece / kLanes;
  const uint32_t row = a.scales.by_groups.quotient(group), expert = a.by_room.quotient(row);
  const int64_t in_expert = int64_t{row} - int64_t{expert} * a.by_room.divisor;
  const bool live = group < groups && Rules::is_row(int32_t(in_expert), a.tokens[expert]);
  LaneWords<2> gate{}, up{};
  if (live) {
    // `piece` counts the codes of all rows, n per row; a row of x takes `pitch` elements
    const T* x = a.x + int64_t{row} * (a.pitch - a.n) + int64_t{piece} * kGatedElements;
    gate.load(x);
    up.load(x + a.n);
  }
  ScalesOut scales = a.scales;
  scales.data = static_cast<uint8_t*>(a.scales.data) + expert * a.expert_stride;
  float v[kGatedElements];
  silu_times_up<typename Rules::Activation, T>(gate, up, v);
  quantize_elements<typename Rules::Group, kWarp, kLanes>(v, live, a.q + int64_t{piece} * kGatedElements, scales, in_expert,
                                                          int32_t(group - row * per_row));
}

/// Returns where the scales of expert 0 are stored. Sets expert_stride to the distance between the scales of successive experts, in
/// bytes. The scale tensor is [experts, room, columns] with strides (room * columns, 1, room).
template <class Group>
ScalesOut masked_scales(const Call& call, int64_t experts, int64_t room, int64_t groups, int64_t& expert_stride) {
  const assay_tensor& scale = call.output("scale");
  const int64_t columns = Group::kPacked ? (groups + 3) / 4 : groups;
  if (!has_type(scale, Group::kPacked ? ASSAY_INT : ASSAY_FLOAT, 32))
    unsupported("contract " + call.contract() +
                (Group::kPacked ? " stores packed scales, so scale must be int32" : " stores fp32 scales, so scale must be fp32"));
  const bool fits = scale.ndim == 3 && scale.shape[0] == experts && scale.shape[1] == room && scale.shape[2] == columns;
  if (!fits) failed("scale must have the shape [experts, rows per expert, scales or words per row]");
  if (scale.strides[0] != room * columns || scale.strides[1] != 1 || scale.strides[2] != room)
    unsupported("the scales of an expert must be dense and column-major");
  if (uint64_t(experts * room * columns) * 4 > scale.bytes) failed("tensor 'scale': its last element lies beyond its storage");
  expert_stride = room * columns * 4;
  return {scale.data, room, int32_t(groups), 1, room, room, Divider::by(uint32_t(groups))};
}

template <class Rules>
void run_silu_mul_quant_masked(const Call& call) {
  using Group = typename Rules::Group;
  const assay_tensor &x = call.input("x"), &q = call.output("q"), &tokens = call.input("tokens");
  const Shape shape = half_shape(x, matrix_of_rows(x)), out = dense_matrix(q);
  const int64_t pitch = Rules::kTakesStride ? x.strides[0] : 2 * shape.columns;
  if (shape.rows > 1 && pitch % 8 != 0) unsupported("rows of x must begin at multiples of 16 bytes");
  if (out.rows != shape.rows || out.columns != shape.columns) failed("q must have as many rows as x, and half as many columns");
  if (!has_type(q, Group::Code::kType, 8)) unsupported(std::string("q must have the code type of contract ") + Rules::kContract);
  if (!has_type(x, ASSAY_BFLOAT, 16)) unsupported("this kernel supports x only in bf16");
  if (!has_type(tokens, ASSAY_INT, 32) || tokens.ndim != 1 || tokens.shape[0] <= 0) failed("tokens must be a vector of int32");
  const int64_t experts = tokens.shape[0];
  if (shape.rows % experts != 0) failed("x must have the same number of rows for each expert");
  const int64_t room = shape.rows / experts;
  if (group_size_of(call, shape) != 128) unsupported("group_size must be 128");
  const int64_t groups = shape.columns / 128;
  if (shape.rows * groups > 0x7fffffff - 1024) unsupported("x has too many groups for 32-bit indices (expected at most 2^31 - 1025)");
  expect_aligned(q);
  int64_t expert_stride = 0;
  const ScalesOut scales = masked_scales<Group>(call, experts, room, groups, expert_stride);
  if (shape.rows == 0) return;
  const simt::Launch grid = gated_grid(call, shape);
  const MaskedArguments<simt::Bf16> a{data_of<simt::Bf16>(x),
                                      pitch,
                                      static_cast<uint8_t*>(q.data),
                                      data_of<int32_t>(tokens),
                                      scales,
                                      expert_stride,
                                      Divider::by(uint32_t(room)),
                                      shape.rows,
                                      int32_t(shape.columns)};
  with_warp(call, [&](auto warp) { simt::launch(silu_mul_quant_masked<Rules, simt::Bf16, decltype(warp)::value, 8>, grid, a); });
}

// Combinations of activation and static quantization.

template <class ActivationRules, class GivenRules>
struct SiluStatic {
  using Activation = ActivationRules;
  using Given = GivenRules;
  static constexpr bool kPacked = false;
};

struct VllmSiluStatic : SiluStatic<SiluFast, VllmStatic> {
  static constexpr const char* kContract = "vllm.silu_and_mul_quant";
};
struct VllmSiluStaticFnuz : SiluStatic<SiluFast, VllmStaticFnuz> {
  static constexpr const char* kContract = "vllm.silu_and_mul_quant_fnuz";
};

struct VllmSiluTwiceStatic : SiluStatic<SiluTwice, VllmStatic> {
  static constexpr const char* kContract = "vllm.silu_and_mul_quant@v0.9.0";
};
struct VllmSiluTwiceStaticFnuz : SiluStatic<SiluTwice, VllmStaticFnuz> {
  static constexpr const char* kContract = "vllm.silu_and_mul_quant_fnuz@v0.9.0";
};

using SiluStaticList = RulesList<VllmSiluStatic, VllmSiluStaticFnuz, VllmSiluTwiceStatic, VllmSiluTwiceStaticFnuz>;

// silu(gate) * up, quantized by a scale that is an input: 16-byte loads from each half, and stores of eight codes.

template <class Rules, class T>
SIMT_KERNEL void silu_mul_quant_given(const T* x, uint8_t* q, const float* scale, int64_t rows, Divider by_loads) {
  using Given = typename Rules::Given;
  const int64_t load = simt::block() * kGatedThreads + simt::thread(), row = by_loads.quotient(uint32_t(load));
  if (row >= rows) return;
  const int64_t n = int64_t{by_loads.divisor} * 8;
  // load * 8 counts n elements for each previous row; rows of x have 2n elements, so row * n more are needed
  const T* const at = x + row * n + load * 8;
  LaneWords<1> gate, up;
  gate.load(at);
  up.load(at + n);
  const CodesByElement<Given> codes_of(Given::operand(0.0f, *scale));
  float v[8];
  uint32_t codes[2];
  silu_times_up<typename Rules::Activation, T>(gate, up, v);
  codes_of(v, codes);
  simt::store8(q + load * 8, codes[0], codes[1]);
}

template <class Rules>
void run_silu_mul_quant_given(const Call& call) {
  const assay_tensor &q = call.output("q"), &scale = call.input("scale");
  const Shape shape = gated_shape(call), out = dense_matrix(q);
  if (out.rows != shape.rows || out.columns != shape.columns) failed("q must have as many rows as x, and half as many columns");
  if (!has_type(q, Rules::Given::Code::kType, 8))
    unsupported(std::string("q must have the code type of contract ") + Rules::kContract);
  if (!has_type(scale, ASSAY_FLOAT, 32)) unsupported("scale must be fp32");
  expect_matrix(scale, {1, 1});
  expect_aligned(q);
  const int64_t loads = shape.rows * shape.columns / 8;
  if (loads > 0x7fffffff - 1024) unsupported("q must have fewer than 2^34 elements");
  if (loads == 0) return;
  with_half_type(call.input("x"), [&](auto type) {
    using T = decltype(type);
    simt::launch(silu_mul_quant_given<Rules, T>, call.grid((loads + kGatedThreads - 1) / kGatedThreads, kGatedThreads),
                 data_of<T>(call.input("x")), static_cast<uint8_t*>(q.data), data_of<float>(scale), shape.rows,
                 Divider::by(uint32_t(shape.columns / 8)));
  });
}

}  // namespace assay_kernels
