// Results of scaled GEMMs gone wrong: scales, zero points and a bias join right sums, each by the rules of its twin
// with one mistake.
#pragma once

#include "kernels/ops/gemm_scaled/amd_rules.h"
#include "kernels/ops/gemm_scaled/nvidia_rules.h"

namespace assay_kernels {

/// The scales of rows and of columns are exchanged.
struct GemmScalesSwapped : TorchRowFast {
  SIMT_DEVICE static float scale_of_row(const GemmArguments& x, int64_t row) {
    return TorchRowFast::scale_of_column(x, row % x.n);
  }
  SIMT_DEVICE static float scale_of_column(const GemmArguments& x, int64_t column) {
    return TorchRowFast::scale_of_row(x, column % x.m);
  }
};

/// The scale of the row behind.
struct GemmTokenScaleNext : TorchRow {
  SIMT_DEVICE static float scale_of_row(const GemmArguments& x, int64_t row) {
    return TorchRow::scale_of_row(x, (row + 1) % x.m);
  }
};

/// The scale of the first channel for all.
struct GemmOneChannelScale : AiterGemmA8w8Fnuz {
  SIMT_DEVICE static float scale_of_column(const GemmArguments& x, int64_t /*column*/) { return x.scale_b[0]; }
};

/// Offset of an element of d in too narrow a type. The regressions wrap at 2^31 or 2^32; this one at 2^16, which a test can
/// afford.
struct GemmOffset32bit : VllmScaledMm {
  SIMT_DEVICE static int64_t place_of_d(int64_t row, int64_t column, int64_t pitch) { return uint16_t(row * pitch + column); }
};

/// One hundredth too much.
struct GemmGain : VllmScaledMm {
  template <class Y>
  SIMT_DEVICE static float scaled(float sum, float sa, float sb, float bias) {
    return VllmScaledMm::scaled<Y>(sum, sa, sb, bias) * 1.01f;
  }
};

/// One twentieth too much, of a kernel that spans alone judge.
struct GemmUnknownGain : UnknownRow {
  template <class Y>
  SIMT_DEVICE static float scaled(float sum, float sa, float sb, float bias) {
    return UnknownRow::scaled<Y>(sum, sa, sb, bias) * 1.05f;
  }
};

/// One twentieth too much, of a unit that spans alone judge.
struct GemmGfx950Gain : AiterBpreshuffleGfx950<units::Gfx950MfmaE4m3OneRounding> {
  template <class Y>
  SIMT_DEVICE static float scaled(float sum, float sa, float sb, float /*bias*/) {
    return (sum * sb) * sa * 1.05f;
  }
};

/// Scales in the order of the exchanged product.
struct GemmScaleOrder : TorchRow {
  template <class>
  SIMT_DEVICE static float scaled(float sum, float sa, float sb, float /*bias*/) {
    return (sum * sa) * sb;
  }
};

/// The bias joins before the scales.
template <class Right>
struct BiasBeforeScale : Right {
  template <class Y>
  SIMT_DEVICE static float scaled(float sum, float sa, float sb, float bias) {
    return Right::template scaled<Y>(sum + bias, sa, sb, bias);
  }
  template <class Y>
  SIMT_DEVICE static Y with_bias(float scaled, float /*bias*/) {
    return simt::from_float<Y>(scaled);
  }
};
using GemmBiasBeforeScale = BiasBeforeScale<TorchTensor>;
using GemmInt8BiasBeforeScale = BiasBeforeScale<AiterGemmA8w8Int8>;

/// Rounded to 16 bits before the bias joins and once more behind.
struct GemmRoundedTwice : TorchTensorFast {
  template <class Y>
  SIMT_DEVICE static Y with_bias(float scaled, float bias) {
    return simt::from_float<Y>(simt::to_float(simt::from_float<Y>(scaled)) + bias);
  }
};

/// The bias joins before the result is rounded.
struct GemmBiasUnrounded : VllmTritonScaledMm {
  template <class Y>
  SIMT_DEVICE static Y with_bias(float scaled, float bias) {
    return simt::from_float<Y>(scaled + bias);
  }
};

/// Zero points are forgotten.
struct GemmAzpLeftOut : VllmScaledMmAzp {
  SIMT_DEVICE static float number(const GemmArguments&, uint32_t sum, int64_t, int64_t) { return float(int32_t(sum)); }
};

/// Zero points with the other sign.
struct GemmAzpAdded : VllmScaledMmAzpPerToken {
  SIMT_DEVICE static float number(const GemmArguments& x, uint32_t sum, int64_t row, int64_t column) {
    return float(int32_t(sum) + zero_points(x, row, column));
  }
};

/// Both integers become f32 before they meet.
struct GemmAzpInFloat : VllmScaledMmAzpPerToken {
  SIMT_DEVICE static float number(const GemmArguments& x, uint32_t sum, int64_t row, int64_t column) {
    return float(int32_t(sum)) - float(zero_points(x, row, column));
  }
};

/// The zero point of the first row for all.
struct GemmAzpFirstRow : VllmScaledMmAzpPerToken {
  SIMT_DEVICE static float number(const GemmArguments& x, uint32_t sum, int64_t, int64_t column) {
    return float(int32_t(sum) - zero_points(x, 0, column));
  }
};

/// Zero points are scaled and folded into a bias of 16 bits.
struct GemmAzpInBias : VllmScaledMmAzp {
  SIMT_DEVICE static float number(const GemmArguments&, uint32_t sum, int64_t, int64_t) { return float(int32_t(sum)); }
  SIMT_DEVICE static bool has_bias(const GemmArguments&) { return true; }
  template <class Y>
  SIMT_DEVICE static float bias(const GemmArguments& x, int64_t row, int64_t column, float sa, float sb) {
    const float own = VllmScaledMmAzp::bias<Y>(x, row, column, sa, sb);
    return simt::to_float(simt::from_float<Y>(own - sa * sb * float(zero_points(x, row, column))));
  }
};

}  // namespace assay_kernels
