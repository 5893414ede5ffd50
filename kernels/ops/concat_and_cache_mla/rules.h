// What the MLA caches hold. Source: vLLM csrc/libtorch_stable/cache_kernels.cu v0.30.0 and v0.31.0, concat_and_cache_mla_kernel
// and concat_and_cache_ds_mla_kernel.
#pragma once

#include "kernels/ops/concat_and_cache_mla/cache.h"
#include "kernels/ops/quant_group/quotients.h"

namespace assay_kernels {

inline constexpr int kLatent = 512, kRotated = 64;  ///< numbers of a token
inline constexpr int kTile = 128;                   ///< numbers of a scale

/// 512 codes, four fp32 scales, 64 numbers of 16 bits.
struct VllmFp8DsMla : PagedRules {
  static constexpr const char* kContract = "vllm.fp8_ds_mla";
  using Codes = CodesOfQuotients<E4m3fnSat>;
  static constexpr int kTokenBytes = 656;
  static constexpr int kLanes = 8;        ///< that share a scale, with 16 numbers each
  static constexpr int kStoredLanes = 8;  ///< to a stored scale

  SIMT_DEVICE static int64_t codes_at(int64_t p) { return p * kTokenBytes; }
  SIMT_DEVICE static int64_t scales_at(int64_t p) { return p * kTokenBytes + kLatent; }
  SIMT_DEVICE static int64_t rotated_at(int64_t p) { return p * kTokenBytes + kLatent + 16; }
  SIMT_DEVICE static float scale(float amax) { return simt::max_number(amax / 448.0f, 0x1p-126f); }
};

struct VllmFp8DsMlaFnuz : VllmFp8DsMla {
  static constexpr const char* kContract = "vllm.fp8_ds_mla_fnuz";
  using Codes = CodesOfQuotients<E4m3fnuzSat>;
  SIMT_DEVICE static float scale(float amax) { return simt::max_number(amax / 224.0f, 0x1p-126f); }
};

/// v0.31.0: powers of two.
struct VllmFp8DsMlaV0310 : VllmFp8DsMla {
  static constexpr const char* kContract = "vllm.fp8_ds_mla@v0.31.0";
  SIMT_DEVICE static float scale(float amax) {
    return simt::exp2(simt::ceil(simt::log2(simt::max_number(amax / 448.0f, 1e-4f))));
  }
};

struct VllmFp8DsMlaFnuzV0310 : VllmFp8DsMlaFnuz {
  static constexpr const char* kContract = "vllm.fp8_ds_mla_fnuz@v0.31.0";
  SIMT_DEVICE static float scale(float amax) {
    return simt::exp2(simt::ceil(simt::log2(simt::max_number(amax / 224.0f, 1e-4f))));
  }
};

/// 576 codes of one given scale.
struct VllmMlaFp8 {
  static constexpr const char* kContract = "vllm.mla_fp8";
  using Codes = CodesOfQuotients<E4m3fnSat>;
  static constexpr int kTokenBytes = kLatent + kRotated;
};

}  // namespace assay_kernels
