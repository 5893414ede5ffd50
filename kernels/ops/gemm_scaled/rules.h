// What contracts of gemm_scaled do: the unit that multiplies, when its sums go to f32, how scales and a bias join them.
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

// torch 2.11.0, ScaledBlas.cpp: cuBLASLt adds; k is whole in these kernels, and in two parts in split_k.
struct TorchTensorFast : TensorScaled<units::Sm90WgmmaE4m3F32> {
  static constexpr const char* kContract = "torch.scaled_mm_tensor_fast.sm_90";
};
struct TorchTensor : TensorScaled<units::Sm90WgmmaE4m3F32, 128> {
  static constexpr const char* kContract = "torch.scaled_mm_tensor.sm_90";
};
struct TorchTensorFastE5m2E4m3 : TensorScaled<units::Sm90WgmmaE5m2E4m3F32> {
  static constexpr const char* kContract = "torch.scaled_mm_tensor_fast_e5m2_e4m3.sm_90";
};
struct TorchTensorE4m3E5m2 : TensorScaled<units::Sm90WgmmaE4m3E5m2F32, 128> {
  static constexpr const char* kContract = "torch.scaled_mm_tensor_e4m3_e5m2.sm_90";
};
struct TorchRowFast : WeightFirst<units::Sm90WgmmaE4m3F32> {
  static constexpr const char* kContract = "torch.scaled_mm_row_fast.sm_90";
};
struct TorchRow : WeightFirst<units::Sm90WgmmaE4m3F32, 128> {
  static constexpr const char* kContract = "torch.scaled_mm_row.sm_90";
};
struct TorchTensorSm89 : TensorScaled<units::Sm89MmaE4m3F32> {
  static constexpr const char* kContract = "torch.scaled_mm_tensor.sm_89";
};
struct TorchTensorSm100 : TensorScaled<units::Sm100Tcgen05E4m3F32> {
  static constexpr const char* kContract = "torch.scaled_mm_tensor.sm_100";
};
struct TorchTensorSm120 : TensorScaled<units::Sm120MmaE4m3F32> {
  static constexpr const char* kContract = "torch.scaled_mm_tensor.sm_120";
};
struct TorchRowSm100 : WeightFirst<units::Sm100Tcgen05E4m3F32> {
  static constexpr const char* kContract = "torch.scaled_mm_row.sm_100";
};

// CUTLASS 7107b05, fp8_accumulation.hpp: promoted every four instructions.
struct CutlassRow : WeightFirst<units::Sm90WgmmaE4m3F32, 128> {
  static constexpr const char* kContract = "cutlass.fp8_gemm_row.sm_90";
  static constexpr bool kTakesBias = false;
};

// vLLM v0.33.0, scaled_mm_epilogues_c3x.hpp: sA * (sB * acc) + bias.
struct VllmScaledMm : WeightFirst<units::Sm90WgmmaE4m3F32> {
  static constexpr const char* kContract = "vllm.cutlass_scaled_mm.sm_90";
};
/// a and b are exchanged, and with them the order of their scales.
struct VllmScaledMmSwapAb : TokenFirst<units::Sm90WgmmaE4m3F32> {
  static constexpr const char* kContract = "vllm.cutlass_scaled_mm_swap_ab.sm_90";
};
struct VllmScaledMmInt8 : WeightFirst<units::Sm90WgmmaInt8Int32> {
  static constexpr const char* kContract = "vllm.cutlass_scaled_mm_int8.sm_90";
};

// vLLM v0.33.0, ScaledEpilogueBiasAzp and ScaledEpilogueBiasAzpToken: float(accum - azp_adj), all of int32.
template <Azp kKind>
struct WithZeroPoints : VllmScaledMmInt8 {
  static constexpr Azp kAzp = kKind;
  SIMT_DEVICE static int32_t zero_points(const GemmArguments& x, int64_t row, int64_t column) {
    return kKind == Azp::kTokens ? x.azp[row] * x.azp_adj[column] : x.azp_adj[column];
  }
  SIMT_DEVICE static float number(const GemmArguments& x, uint32_t sum, int64_t row, int64_t column) {
    return float(int32_t(sum) - zero_points(x, row, column));
  }
};
struct VllmScaledMmAzp : WithZeroPoints<Azp::kTensor> {
  static constexpr const char* kContract = "vllm.cutlass_scaled_mm_azp.sm_90";
};
struct VllmScaledMmAzpPerToken : WithZeroPoints<Azp::kTokens> {
  static constexpr const char* kContract = "vllm.cutlass_scaled_mm_azp_per_token.sm_90";
};

// vLLM 03f95201, triton_scaled_mm.py: the bias joins the result as it is stored.
struct VllmTritonScaledMm : TokenFirst<units::Sm90WgmmaE4m3F32> {
  static constexpr const char* kContract = "vllm.triton_scaled_mm.sm_90";
  template <class Y>
  SIMT_DEVICE static Y with_bias(float scaled, float bias) {
    return simt::from_float<Y>(simt::to_float(simt::from_float<Y>(scaled)) + bias);
  }
};

// vLLM v0.32.0: accumulator += bias, before the result is rounded.
struct VllmTritonScaledMm32 : TokenFirst<units::Sm90WgmmaE4m3F32> {
  static constexpr const char* kContract = "vllm.triton_scaled_mm@v0.32.0.sm_90";
};

// Triton 3.6 on sm_90: acc += tl.dot(a, b), and a dot whose codes are unpacked to f16 (max_num_imprecise_acc=0).
struct TritonDotAdded : TokenFirst<units::Sm90WgmmaE4m3F32, 128> {
  static constexpr const char* kContract = "triton.dot_added_k128.sm_90";
  static constexpr bool kTakesBias = false;
};
struct TritonDotImprecise0 : TokenFirst<units::Sm90MmaE4m3UnpackedF32> {
  static constexpr const char* kContract = "triton.dot_imprecise_0.sm_90";
  static constexpr bool kTakesBias = false;
};

// Offered as kernels of which nobody knows how they add.
struct UnknownTensor : TensorScaled<units::Sm90WgmmaE4m3F32, 128> {
  static constexpr const char* kContract = "assay.unknown_fp8_tensor.sm_90";
  static constexpr bool kTakesBias = false;
};
struct UnknownRow : WeightFirst<units::Sm90WgmmaE4m3F32> {
  static constexpr const char* kContract = "assay.unknown_fp8_row.sm_90";
  static constexpr bool kTakesBias = false;
};
struct UnknownRowGfx942 : WeightFirst<units::Gfx942MfmaE4m3fnuzF32> {
  static constexpr const char* kContract = "assay.unknown_fp8_row.gfx942";
  static constexpr bool kTakesBias = false;
};

template <class MatrixUnit>
struct UnknownRowGfx950 : WeightFirst<MatrixUnit> {
  static constexpr const char* kContract = "assay.unknown_fp8_row.gfx950";
  static constexpr bool kTakesBias = false;
};

// AITER e404860, gemm_a8w8_common.cuh: the weight's scale first.
struct AiterGemmA8w8Fnuz : WeightFirst<units::Gfx942MfmaE4m3fnuzF32> {
  static constexpr const char* kContract = "aiter.gemm_a8w8_fnuz.gfx942";
};
/// Codes of int8: the sum is exact.
struct AiterGemmA8w8Int8 : WeightFirst<units::Gfx942MfmaInt8Int32> {
  static constexpr const char* kContract = "aiter.gemm_a8w8_int8.gfx942";
};
struct AiterGemmA8w8Int8Gfx950 : WeightFirst<units::Gfx950MfmaInt8Int32> {
  static constexpr const char* kContract = "aiter.gemm_a8w8_int8.gfx950";
};
/// The weight comes shuffled.
template <class MatrixUnit>
struct ShuffledWeightFirst : OfShuffledWeight<WeightFirst<MatrixUnit>> {
  static constexpr bool kTakesBias = false;
};
struct AiterBpreshuffle : ShuffledWeightFirst<units::Gfx942MfmaE4m3fnuzF32> {
  static constexpr const char* kContract = "aiter.gemm_a8w8_bpreshuffle.gfx942";
};

/// The same on gfx950 with codes of OCP, by its unit or by a candidate of it.
template <class MatrixUnit>
struct AiterGemmA8w8Gfx950 : WeightFirst<MatrixUnit> {
  static constexpr const char* kContract = "aiter.gemm_a8w8.gfx950";
};
template <class MatrixUnit>
struct AiterBpreshuffleGfx950 : ShuffledWeightFirst<MatrixUnit> {
  static constexpr const char* kContract = "aiter.gemm_a8w8_bpreshuffle.gfx950";
};

/// Parts of k as results of 16 bits that are added to zeros, here one after the other; atomics add them as they come.
template <class Base>
struct AddedResults : Base {
  static constexpr bool kTakesBias = false, kAddsResults = true;
};
struct AiterSplitK : AddedResults<AiterGemmA8w8Fnuz> {
  static constexpr const char* kContract = "aiter.gemm_a8w8_split_k.gfx942";
};
struct AiterBpreshuffleSplitK : AddedResults<AiterBpreshuffle> {
  static constexpr const char* kContract = "aiter.gemm_a8w8_bpreshuffle_split_k.gfx942";
};
template <class MatrixUnit>
struct AiterSplitKGfx950 : AddedResults<AiterGemmA8w8Gfx950<MatrixUnit>> {
  static constexpr const char* kContract = "aiter.gemm_a8w8_split_k.gfx950";
};
template <class MatrixUnit>
struct AiterBpreshuffleSplitKGfx950 : AddedResults<AiterBpreshuffleGfx950<MatrixUnit>> {
  static constexpr const char* kContract = "aiter.gemm_a8w8_bpreshuffle_split_k.gfx950";
};

}  // namespace assay_kernels
