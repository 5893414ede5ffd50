// Rules of each gemm_scaled contract: first NVIDIA GPUs, then AMD GPUs.
#pragma once

#include "kernels/ops/gemm/gemm_scaled_kernel.h"
#include "kernels/ops/kernel_common.h"

namespace assay_kernels {

// Contracts of gemm_scaled for NVIDIA tensor cores.

// cuBLASLt, as called by torch 2.11.0, ScaledBlas.cpp. The split_k kernel uses two split-K parts, the other kernels one.
struct TorchTensorFast : CublasTensor<units::Sm90WgmmaE4m3F32> {
  static constexpr const char* kContract = "torch.scaled_mm_tensor_fast.sm_90";
};
struct TorchTensor : CublasTensor<units::Sm90WgmmaE4m3F32, 128> {
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

// Promotes the accumulator to fp32 after every four instructions.
// Source: CUTLASS 7107b05, fp8_accumulation.hpp.
struct CutlassRow : WeightFirst<units::Sm90WgmmaE4m3F32, 128> {
  static constexpr const char* kContract = "cutlass.fp8_gemm_row.sm_90";
  static constexpr bool kTakesBias = false;
};

// sA * (sB * acc) + bias.
// Source: vLLM v0.33.0, scaled_mm_epilogues_c3x.hpp.
struct VllmScaledMm : WeightFirst<units::Sm90WgmmaE4m3F32> {
  static constexpr const char* kContract = "vllm.cutlass_scaled_mm.sm_90";
};
/// The kernel exchanges `a` and `b`, so it applies their scales in the other order.
struct VllmScaledMmSwapAb : TokenFirst<units::Sm90WgmmaE4m3F32> {
  static constexpr const char* kContract = "vllm.cutlass_scaled_mm_swap_ab.sm_90";
};
struct VllmScaledMmInt8 : WeightFirst<units::Sm90WgmmaInt8Int32> {
  static constexpr const char* kContract = "vllm.cutlass_scaled_mm_int8.sm_90";
};

// Subtracts the zero points in int32, then converts: float(accum - azp_adj).
// Source: vLLM v0.33.0, ScaledEpilogueBiasAzp and ScaledEpilogueBiasAzpToken.
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

// Rounds the scaled sum to the type of d, then adds the bias.
// Source: vLLM 03f95201, triton_scaled_mm.py.
struct VllmTritonScaledMm : TokenFirst<units::Sm90WgmmaE4m3F32> {
  static constexpr const char* kContract = "vllm.triton_scaled_mm.sm_90";
  template <class Y>
  SIMT_DEVICE static Y with_bias(float scaled, float bias) {
    return simt::from_float<Y>(simt::to_float(simt::from_float<Y>(scaled)) + bias);
  }
};

// Adds the bias in fp32, before the result is rounded.
// Source: vLLM v0.32.0.
struct VllmTritonScaledMm32 : TokenFirst<units::Sm90WgmmaE4m3F32> {
  static constexpr const char* kContract = "vllm.triton_scaled_mm@v0.32.0.sm_90";
};

// Triton 3.6 on sm_90: acc += tl.dot(a, b). With max_num_imprecise_acc=0, the codes are converted to fp16 first.
struct TritonDotAdded : TokenFirst<units::Sm90WgmmaE4m3F32, 128> {
  static constexpr const char* kContract = "triton.dot_added_k128.sm_90";
  static constexpr bool kTakesBias = false;
};
struct TritonDotImprecise0 : TokenFirst<units::Sm90MmaE4m3UnpackedF32> {
  static constexpr const char* kContract = "triton.dot_imprecise_0.sm_90";
  static constexpr bool kTakesBias = false;
};

// The contracts leave the accumulation order open; these kernels use one possible order.
struct UnknownTensor : TensorScaled<units::Sm90WgmmaE4m3F32, 128> {
  static constexpr const char* kContract = "assay.unknown_fp8_tensor.sm_90";
  static constexpr bool kTakesBias = false;
};
struct UnknownRow : WeightFirst<units::Sm90WgmmaE4m3F32> {
  static constexpr const char* kContract = "assay.unknown_fp8_row.sm_90";
  static constexpr bool kTakesBias = false;
};

// Contracts of gemm_scaled for AMD matrix (MFMA) instructions.

/// Applies the weight's scale first, in a build that flushes subnormals to zero.
/// Source: aiter/jit/core.py e4048607, -fgpu-flush-denormals-to-zero.
template <class MatrixUnit>
struct FlushedWeightFirst : GemmRules<MatrixUnit> {
  template <class>
  SIMT_DEVICE static float scaled(float sum, float sa, float sb, float /*bias*/) {
    return flushed(flushed(sum * flushed(sb)) * flushed(sa));
  }
  template <class Y>
  SIMT_DEVICE static Y with_bias(float scaled, float bias) {
    return simt::from_float<Y>(flushed(scaled + flushed(bias)));
  }
};

/// The accumulation order of a CK instance with 16x16 tiles and 128 elements along k per block, in which KPerThread is 32.
/// Source: AITER e404860, gemm_a8w8_common.cuh.
template <class MatrixUnit>
using CkRowwise = LaneOrder<FlushedWeightFirst<MatrixUnit>, 4, 32>;

struct AiterGemmA8w8Fnuz : CkRowwise<units::Gfx942MfmaE4m3fnuzF32> {
  static constexpr const char* kContract = "aiter.ck_gemm_a8w8.gfx942";
};
/// int8 codes: the sum is exact.
struct AiterGemmA8w8Int8 : FlushedWeightFirst<units::Gfx942MfmaInt8Int32> {
  static constexpr const char* kContract = "aiter.ck_gemm_a8w8_int8.gfx942";
};
struct AiterGemmA8w8Int8Gfx950 : FlushedWeightFirst<units::Gfx950MfmaInt8Int32> {
  static constexpr const char* kContract = "aiter.ck_gemm_a8w8_int8.gfx950";
};
/// The weight is shuffled: KPack = 16 elements of a row are adjacent in memory.
template <class MatrixUnit>
struct ShuffledWeightFirst : OfShuffledWeight<LaneOrder<FlushedWeightFirst<MatrixUnit>, 4, 16>> {
  static constexpr bool kTakesBias = false;
};
struct AiterBpreshuffle : ShuffledWeightFirst<units::Gfx942MfmaE4m3fnuzF32> {
  static constexpr const char* kContract = "aiter.ck_gemm_a8w8_bpreshuffle.gfx942";
};

/// The gfx950 version, with OCP codes. MatrixUnit: gfx950's instruction, or a candidate model of it.
template <class MatrixUnit>
struct AiterGemmA8w8Gfx950 : CkRowwise<MatrixUnit> {
  static constexpr const char* kContract = "aiter.ck_gemm_a8w8.gfx950";
};
template <class MatrixUnit>
struct AiterBpreshuffleGfx950 : ShuffledWeightFirst<MatrixUnit> {
  static constexpr const char* kContract = "aiter.ck_gemm_a8w8_bpreshuffle.gfx950";
};

/// Split-K: each part's result is rounded to 16 bits and added to d, which starts as zeros. The real kernel adds the parts by
/// atomics in any order; this kernel adds them in ascending order along k.
template <class Base>
struct AddedResults : Base {
  static constexpr bool kTakesBias = false, kAddsResults = true;
};
/// The length of a part is a multiple of lcm(AK1, BK1), where AK1 and BK1 are the elements that a thread loads at once.
/// Source: composable_kernel, gridwise_gemm_xdl_cshuffle_v3_multi_d.hpp CalculateKRead.
template <class Base>
struct AddedReads : AddedResults<Base> {
  static constexpr int64_t kPartOf = 16;
};
struct AiterSplitK : AddedReads<AiterGemmA8w8Fnuz> {
  static constexpr const char* kContract = "aiter.ck_gemm_a8w8_split_k.gfx942";
};
struct AiterBpreshuffleSplitK : AddedResults<AiterBpreshuffle> {
  static constexpr const char* kContract = "aiter.ck_gemm_a8w8_bpreshuffle_split_k.gfx942";
};
template <class MatrixUnit>
struct AiterSplitKGfx950 : AddedReads<AiterGemmA8w8Gfx950<MatrixUnit>> {
  static constexpr const char* kContract = "aiter.ck_gemm_a8w8_split_k.gfx950";
};
template <class MatrixUnit>
struct AiterBpreshuffleSplitKGfx950 : AddedResults<AiterBpreshuffleGfx950<MatrixUnit>> {
  static constexpr const char* kContract = "aiter.ck_gemm_a8w8_bpreshuffle_split_k.gfx950";
};

// The contracts leave the accumulation order open; these kernels use one possible order.
struct UnknownRowGfx942 : CkRowwise<units::Gfx942MfmaE4m3fnuzF32> {
  static constexpr const char* kContract = "assay.unknown_fp8_row_lanes.gfx942";
  static constexpr bool kTakesBias = false;
};

template <class MatrixUnit>
struct UnknownRowGfx950 : CkRowwise<MatrixUnit> {
  static constexpr const char* kContract = "assay.unknown_fp8_row_lanes.gfx950";
  static constexpr bool kTakesBias = false;
};

}  // namespace assay_kernels
