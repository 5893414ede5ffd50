// gemm_scaled: one scale per row of `a` and of `b`, or per tensor, applied to the sum over all of k.
#pragma once

#include "kernels/ops/gemm/gemm_common.h"
#include "kernels/ops/kernel_common.h"

namespace assay_kernels {

// Tensors of a call of gemm_scaled.

struct GemmArguments : GemmOperands {
  const float *scale_a, *scale_b;
  int64_t step_of_scale_a, step_of_scale_b;  ///< 0: one scale for all rows of `a` (or `b`)
  const void* bias;                          ///< has the type of d; nullptr: none
  const int32_t *azp_adj, *azp;              ///< zero points [n] and [m]; only in contracts that have them
};

/// What is subtracted from the int32 sum of d[m, n]. kNone: nothing. kTensor: azp_adj[n]. kTokens: azp[m] * azp_adj[n].
enum class Azp { kNone, kTensor, kTokens };

/// Reads the tensors. Rejects types other than `a_type` and `b_type`, wrong shapes, scales and biases that are not dense, and a k
/// for which the int32 sum may overflow.
GemmArguments gemm_arguments(const Call& call, int a_type, int b_type, bool takes_bias, Azp azp = Azp::kNone);

// Building blocks of gemm_scaled contracts: the tensor core instruction, when the accumulator is promoted to fp32, and how scales
// and a bias are applied. The contracts themselves are grouped by vendor.

/// Defaults that rules may override.
template <class MatrixUnit, int kPromotedEvery = 0>
struct GemmRules : PlainProduct<MatrixUnit> {
  using Arguments = GemmArguments;
  static constexpr int64_t kPromote = kPromotedEvery;  ///< elements along k between two promotions to fp32; 0: never promoted
  static constexpr int64_t kPartOf = 128;              ///< the length of a split-K part is a multiple of this
  static constexpr bool kTakesBias = true;
  static constexpr Azp kAzp = Azp::kNone;
  /// true: each split-K part is scaled and rounded like a result; the parts are then added in the type of d
  static constexpr bool kAddsResults = false;
  /// true: without split-K, one FMA multiplies by the product of both scales and adds +0, so that -0 becomes +0
  static constexpr bool kAddsZero = false;

  /// For GEMMs whose rows belong to experts: prepares the tile at `row`, and may change `row`. Returns false to skip the tile.
  template <class Rules>
  SIMT_DEVICE static bool enter(GemmArguments& /*x*/, int64_t& /*row*/) {
    return true;
  }
  /// Converts the accumulator of d[row, column] to fp32.
  SIMT_DEVICE static float number(const GemmArguments& /*x*/, uint32_t sum, int64_t /*row*/, int64_t /*column*/) {
    return number_of_sum<MatrixUnit>(sum);
  }
  /// True if a bias is added to the scaled sum of a column.
  SIMT_DEVICE static bool has_bias(const GemmArguments& x) { return x.bias != nullptr; }
  template <class Y>
  SIMT_DEVICE static float bias(const GemmArguments& x, int64_t /*row*/, int64_t column, float /*sa*/, float /*sb*/) {
    return x.bias ? simt::to_float(static_cast<const Y*>(x.bias)[column]) : 0.0f;
  }
  SIMT_DEVICE static float scale_of_row(const GemmArguments& x, int64_t row) { return x.scale_a[row * x.step_of_scale_a]; }
  SIMT_DEVICE static float scale_of_column(const GemmArguments& x, int64_t column) {
    return x.scale_b[column * x.step_of_scale_b];
  }

  template <class Y>
  SIMT_DEVICE static Y with_bias(float scaled, float bias) {
    return simt::from_float<Y>(scaled + bias);
  }
};

/// One scale per tensor. Multiplies the two scales by each other first, then the sum by their product.
template <class MatrixUnit, int kPromotedEvery = 0>
struct TensorScaled : GemmRules<MatrixUnit, kPromotedEvery> {
  template <class>
  SIMT_DEVICE static float scaled(float sum, float sa, float sb, float /*bias*/) {
    return sum * (sa * sb);
  }
};

/// cuBLASLt's results are as if it added beta * C with beta = 0: -0 becomes +0. With split-K, -0 stays -0.
template <class MatrixUnit, int kPromotedEvery = 0>
struct CublasTensor : TensorScaled<MatrixUnit, kPromotedEvery> {
  static constexpr bool kAddsZero = true;
};

/// Multiplies by the scale of the row of `a` (the token) first.
template <class MatrixUnit, int kPromotedEvery = 0>
struct TokenFirst : GemmRules<MatrixUnit, kPromotedEvery> {
  template <class>
  SIMT_DEVICE static float scaled(float sum, float sa, float sb, float /*bias*/) {
    return (sum * sa) * sb;
  }
};

/// Multiplies by the scale of the row of `b` (the weight's channel) first.
template <class MatrixUnit, int kPromotedEvery = 0>
struct WeightFirst : GemmRules<MatrixUnit, kPromotedEvery> {
  template <class>
  SIMT_DEVICE static float scaled(float sum, float sa, float sb, float /*bias*/) {
    return (sum * sb) * sa;
  }
};

// A scaled GEMM on tensor cores. A thread block computes one tile of d, with one instruction after the other along k.

template <class Rules, class Y>
SIMT_DEVICE void store(const GemmArguments& x, int64_t row, int64_t column, float sum) {
  const float sa = Rules::scale_of_row(x, row), sb = Rules::scale_of_column(x, column);
  const float bias = Rules::template bias<Y>(x, row, column, sa, sb);
  const bool adds_zero = Rules::kAddsZero && x.part >= Rules::products(x.k);
  const float scaled = adds_zero ? simt::fma(sum, sa * sb, 0.0f) : Rules::template scaled<Y>(sum, sa, sb, bias);
  static_cast<Y*>(x.d)[Rules::place_of_d(row, column, x.pitch_d)] =
      Rules::has_bias(x) ? Rules::template with_bias<Y>(scaled, bias) : simt::from_float<Y>(scaled);
}

/// The sum after scales, without bias, rounded to Y.
template <class Rules, class Y>
SIMT_DEVICE float result_of(const GemmArguments& x, int64_t row, int64_t column, float sum) {
  const float sa = Rules::scale_of_row(x, row), sb = Rules::scale_of_column(x, column);
  return simt::to_float(simt::from_float<Y>(Rules::template scaled<Y>(sum, sa, sb, 0.0f)));
}

/// `before` + the scaled and rounded result of a split-K part. The sum is rounded to Y, the type of d.
template <class Rules, class Y>
SIMT_DEVICE float added_result(const GemmArguments& x, int64_t row, int64_t column, float before, float part) {
  return simt::to_float(simt::from_float<Y>(before + result_of<Rules, Y>(x, row, column, part)));
}

template <class U, class Rules, int kWarp>
SIMT_KERNEL void scaled_product(typename Rules::Arguments x) {
  constexpr int kThreads = units::kThreads<U, kWarp>;
  constexpr int64_t kEvery = Rules::kPromote > 0 ? Rules::kPromote : 1;
  SIMT_SHARED(step, StagedStep<U>);
  const int64_t across = (x.n + U::kN - 1) / U::kN;
  int64_t row = simt::block() / across * U::kM;
  const int64_t column = simt::block() % across * U::kN;
  if (!Rules::template enter<Rules>(x, row)) return;
  units::Operands factors{step.a, step.b, U::kK, U::kK};
  units::Tile<U, kWarp> chain;
  float promoted[chain.kElements], sum[chain.kElements];
  const int64_t k = Rules::products(x.k);
  SIMT_UNROLL
  for (int i = 0; i < chain.kElements; ++i) sum[i] = 0.0f;
  for (int64_t part = 0; part < k; part += x.part) {
    const int64_t end = part + x.part < k ? part + x.part : k;
    SIMT_UNROLL
    for (int i = 0; i < chain.kElements; ++i) chain.at[i] = 0, promoted[i] = 0.0f;
    const int64_t last = end_of_periods<Rules>(part, end);
    for (int64_t at = part; at < last; at += U::kK) {
      stage<Rules, kThreads>(step, x, row, column, part, at, end);
      simt::barrier();
      units::mma<U, kWarp>(chain, factors);
      simt::barrier();
      const bool promotes = Rules::kPromote > 0 && ((at + U::kK - part) % kEvery == 0 || at + U::kK >= last);
      SIMT_UNROLL
      for (int i = 0; i < chain.kElements && promotes; ++i) {
        promoted[i] = promoted[i] + number_of_sum<U>(chain.at[i]);
        chain.at[i] = 0;
      }
    }
    if (!Rules::keeps_part(part, end, k)) continue;
    SIMT_UNROLL
    for (int i = 0; i < chain.kElements; ++i) {
      const int64_t r = row + chain.row(i), c = column + chain.column(i);
      const bool within = r < x.m && c < x.n;
      const float of_part = Rules::kPromote > 0 ? promoted[i] : within ? Rules::number(x, chain.at[i], r, c) : 0.0f;
      if constexpr (Rules::kAddsResults) {
        if (!within) continue;
        sum[i] = x.y == ResultType::kBf16 ? added_result<Rules, simt::Bf16>(x, r, c, sum[i], of_part)
                                          : added_result<Rules, simt::F16>(x, r, c, sum[i], of_part);
      } else {
        sum[i] = part == 0 ? of_part : sum[i] + of_part;
      }
    }
  }
  SIMT_UNROLL
  for (int i = 0; i < chain.kElements; ++i) {
    const int64_t r = row + chain.row(i), c = column + chain.column(i);
    if (r >= x.m || c >= x.n) continue;
    if constexpr (Rules::kAddsResults) {
      const int64_t at = Rules::place_of_d(r, c, x.pitch_d);
      if (x.y == ResultType::kBf16) static_cast<simt::Bf16*>(x.d)[at] = simt::from_float<simt::Bf16>(sum[i]);
      if (x.y == ResultType::kF16) static_cast<simt::F16*>(x.d)[at] = simt::from_float<simt::F16>(sum[i]);
      continue;
    }
    if (x.y == ResultType::kF32) store<Rules, float>(x, r, c, sum[i]);
    if (x.y == ResultType::kBf16) store<Rules, simt::Bf16>(x, r, c, sum[i]);
    if (x.y == ResultType::kF16) store<Rules, simt::F16>(x, r, c, sum[i]);
  }
}

template <class Rules, int kParts>
void run_gemm(const Call& call) {
  using U = typename Rules::Unit;
  GemmArguments x =
      gemm_arguments(call, kTypeCode<typename Rules::CodesOfA>, kTypeCode<typename Rules::CodesOfB>, Rules::kTakesBias, Rules::kAzp);
  expect_weight<Rules>(x);
  if (Rules::kAddsResults && x.y == ResultType::kF32) unsupported("d must be bf16 or f16: split-K results are added in 16 bits");
  if (kParts > 1) x.part = part_of(x.k, kParts, Rules::kPartOf);
  const int64_t tiles = (x.m + U::kM - 1) / U::kM * ((x.n + U::kN - 1) / U::kN);
  if (tiles == 0) return;
  with_warp(call, [&](auto warp) {
    simt::launch(scaled_product<U, Rules, warp.value>, call.grid(tiles, units::kThreads<U, warp.value>), x);
  });
}

// Rows of the kernel table for the rules whose instruction this build has.

template <class Rules, int kParts>
void run_gemm_by_contract(const Call& call) {
  Rules::for_each([&](auto rules) {
    using R = decltype(rules);
    if (call.contract() == R::kContract) run_gemm<R, kParts>(call);
  });
}

/// kParts > 1: with split-K, for contracts in which the library chooses the number of parts.
template <class Rules, int kParts = 1>
std::vector<Kernel> gemm_rows(const std::string& name) {
  const std::vector<std::string> contracts = gemm_contracts<Rules>();
  if (contracts.empty()) return {};
  return {{name, "gemm_scaled", contracts, {{"y", kAny}, {"warp", simt::kWarpSizes}}, {}, run_gemm_by_contract<Rules, kParts>}};
}

}  // namespace assay_kernels
