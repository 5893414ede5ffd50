// What contracts of gemm_scaled say: the unit that multiplies, when its sums go to f32, how scales and a bias join them. The contracts
// themselves stand by the vendor of their units.
#pragma once

#include "kernels/gemm/rules.h"
#include "kernels/gemm/staging.h"
#include "kernels/ops/gemm_scaled/problem.h"

namespace assay_kernels {

/// What kernels do unless their rules say otherwise.
template <class MatrixUnit, int kPromotedEvery = 0>
struct GemmRules : PlainProduct<MatrixUnit> {
  static constexpr int64_t kPromote = kPromotedEvery;  ///< products whose sum is added to one of f32; 0: one chain
  static constexpr bool kTakesBias = true;
  static constexpr Azp kAzp = Azp::kNone;
  static constexpr bool kAddsResults = false;  ///< each part of k is a result of its own, and results are added in their format

  /// The sum of a chain as f32.
  SIMT_DEVICE static float number(const GemmArguments& /*x*/, uint32_t sum, int64_t /*row*/, int64_t /*column*/) {
    return number_of_sum<MatrixUnit>(sum);
  }
  /// What joins the scaled sum of a column, if anything does.
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

/// One scale a tensor: both are multiplied first.
template <class MatrixUnit, int kPromotedEvery = 0>
struct TensorScaled : GemmRules<MatrixUnit, kPromotedEvery> {
  template <class>
  SIMT_DEVICE static float scaled(float sum, float sa, float sb, float /*bias*/) {
    return sum * (sa * sb);
  }
};

/// The scale of a token first.
template <class MatrixUnit, int kPromotedEvery = 0>
struct TokenFirst : GemmRules<MatrixUnit, kPromotedEvery> {
  template <class>
  SIMT_DEVICE static float scaled(float sum, float sa, float sb, float /*bias*/) {
    return (sum * sa) * sb;
  }
};

/// The weight's scale first.
template <class MatrixUnit, int kPromotedEvery = 0>
struct WeightFirst : GemmRules<MatrixUnit, kPromotedEvery> {
  template <class>
  SIMT_DEVICE static float scaled(float sum, float sa, float sb, float /*bias*/) {
    return (sum * sb) * sa;
  }
};

}  // namespace assay_kernels
