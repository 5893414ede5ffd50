// Contracts of gemm_scaled with matrix units of AMD.
#pragma once

#include "kernels/ops/flushed.h"
#include "kernels/ops/gemm_scaled/rules.h"

namespace assay_kernels {

/// The weight's scale first, in a build that flushes: aiter/jit/core.py e4048607, -fgpu-flush-denormals-to-zero.
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

/// AITER e404860, gemm_a8w8_common.cuh, in the order of an instance of 16x16 tiles with 128 products a block: KPerThread is 32.
template <class MatrixUnit>
using CkRowwise = LaneOrder<FlushedWeightFirst<MatrixUnit>, 4, 32>;

struct AiterGemmA8w8Fnuz : CkRowwise<units::Gfx942MfmaE4m3fnuzF32> {
  static constexpr const char* kContract = "aiter.ck_gemm_a8w8.gfx942";
};
/// Codes of int8: the sum is exact.
struct AiterGemmA8w8Int8 : FlushedWeightFirst<units::Gfx942MfmaInt8Int32> {
  static constexpr const char* kContract = "aiter.ck_gemm_a8w8_int8.gfx942";
};
struct AiterGemmA8w8Int8Gfx950 : FlushedWeightFirst<units::Gfx950MfmaInt8Int32> {
  static constexpr const char* kContract = "aiter.ck_gemm_a8w8_int8.gfx950";
};
/// The weight comes shuffled: KPack products of a row lie together, 16.
template <class MatrixUnit>
struct ShuffledWeightFirst : OfShuffledWeight<LaneOrder<FlushedWeightFirst<MatrixUnit>, 4, 16>> {
  static constexpr bool kTakesBias = false;
};
struct AiterBpreshuffle : ShuffledWeightFirst<units::Gfx942MfmaE4m3fnuzF32> {
  static constexpr const char* kContract = "aiter.ck_gemm_a8w8_bpreshuffle.gfx942";
};

/// The same on gfx950 with codes of OCP, by its unit or by a candidate of it.
template <class MatrixUnit>
struct AiterGemmA8w8Gfx950 : CkRowwise<MatrixUnit> {
  static constexpr const char* kContract = "aiter.ck_gemm_a8w8.gfx950";
};
template <class MatrixUnit>
struct AiterBpreshuffleGfx950 : ShuffledWeightFirst<MatrixUnit> {
  static constexpr const char* kContract = "aiter.ck_gemm_a8w8_bpreshuffle.gfx950";
};

/// Parts of k as results of 16 bits that are added to zeros, here one after the other; atomics add them as they come.
template <class Base>
struct AddedResults : Base {
  static constexpr bool kTakesBias = false, kAddsResults = true;
};
struct AiterSplitK : AddedResults<AiterGemmA8w8Fnuz> {
  static constexpr const char* kContract = "aiter.ck_gemm_a8w8_split_k.gfx942";
};
struct AiterBpreshuffleSplitK : AddedResults<AiterBpreshuffle> {
  static constexpr const char* kContract = "aiter.ck_gemm_a8w8_bpreshuffle_split_k.gfx942";
};
template <class MatrixUnit>
struct AiterSplitKGfx950 : AddedResults<AiterGemmA8w8Gfx950<MatrixUnit>> {
  static constexpr const char* kContract = "aiter.ck_gemm_a8w8_split_k.gfx950";
};
template <class MatrixUnit>
struct AiterBpreshuffleSplitKGfx950 : AddedResults<AiterBpreshuffleGfx950<MatrixUnit>> {
  static constexpr const char* kContract = "aiter.ck_gemm_a8w8_bpreshuffle_split_k.gfx950";
};

// Offered as kernels of which nobody knows how they add.
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
