// q = cast(x), element by element, and the cast of each contract.
#pragma once

#include "assay/abi.h"
#include "kernels/ops/kernel_common.h"
#include "kernels/simt/simt.h"

namespace assay_kernels {

// The cast of each contract: one float to one code. The sources of these casts are in reference/contracts/casts.csv.

struct CudaE4m3fnSat {
  static constexpr const char* kContract = "cuda.e4m3fn_sat";
  static constexpr int kType = ASSAY_FLOAT8_E4M3FN;
  SIMT_DEVICE static uint8_t encode(float v) { return simt::to_e4m3fn_sat(v); }
};

/// A NaN loses its sign; a NaN that stands for an overflow keeps the sign. CUDA's header uses this integer code on devices, too.
struct CudaE4m3fnNosat {
  static constexpr const char* kContract = "cuda.e4m3fn_nosat";
  static constexpr int kType = ASSAY_FLOAT8_E4M3FN;
  SIMT_DEVICE static uint8_t encode(float v) { return simt::e4m3fn_bits(v, 0x7f, 0); }
};

struct TorchE4m3fn {
  static constexpr const char* kContract = "torch.e4m3fn@2.11";
  static constexpr int kType = ASSAY_FLOAT8_E4M3FN;
  SIMT_DEVICE static uint8_t encode(float v) { return simt::to_e4m3fn_nosat(v); }
};

struct E4m3fnuzSaturating {
  static constexpr const char* kContract = "assay.e4m3fnuz_sat";
  static constexpr int kType = ASSAY_FLOAT8_E4M3FNUZ;
  SIMT_DEVICE static uint8_t encode(float v) { return simt::to_e4m3fnuz_sat(v); }
};

struct MlDtypesE4m3fnuz {
  static constexpr const char* kContract = "ml_dtypes.e4m3fnuz";
  static constexpr int kType = ASSAY_FLOAT8_E4M3FNUZ;
  SIMT_DEVICE static uint8_t encode(float v) { return simt::fnuz_bits_nosat<3, 8>(v); }
};

struct CudaE5m2Sat {
  static constexpr const char* kContract = "cuda.e5m2_sat";
  static constexpr int kType = ASSAY_FLOAT8_E5M2;
  SIMT_DEVICE static uint8_t encode(float v) { return simt::to_e5m2_sat(v); }
};

struct TorchE5m2 {
  static constexpr const char* kContract = "torch.e5m2@2.11";
  static constexpr int kType = ASSAY_FLOAT8_E5M2;
  SIMT_DEVICE static uint8_t encode(float v) { return simt::e5m2_bits_nosat(v); }
};

struct MlDtypesE5m2fnuz {
  static constexpr const char* kContract = "ml_dtypes.e5m2fnuz";
  static constexpr int kType = ASSAY_FLOAT8_E5M2FNUZ;
  SIMT_DEVICE static uint8_t encode(float v) { return simt::fnuz_bits_nosat<2, 16>(v); }
};

struct CudaE8m0Rz {
  static constexpr const char* kContract = "cuda.e8m0_rz_sat";
  static constexpr int kType = ASSAY_FLOAT8_E8M0FNU;
  SIMT_DEVICE static uint8_t encode(float v) { return simt::to_e8m0_rz_sat(v); }
};

struct CudaE8m0Rp {
  static constexpr const char* kContract = "cuda.e8m0_rp_sat";
  static constexpr int kType = ASSAY_FLOAT8_E8M0FNU;
  SIMT_DEVICE static uint8_t encode(float v) { return simt::to_e8m0_rp_sat(v); }
};

struct TorchE8m0 {
  static constexpr const char* kContract = "torch.e8m0@2.11";
  static constexpr int kType = ASSAY_FLOAT8_E8M0FNU;
  SIMT_DEVICE static uint8_t encode(float v) { return simt::e8m0_bits_nearest(v); }
};

/// The exponent field, plus one if the mantissa is not zero, clamped to 1..254. NaN is not a special case.
struct DeepgemmE8m0Ceil {
  static constexpr const char* kContract = "deepgemm.e8m0_ceil";
  static constexpr int kType = ASSAY_FLOAT8_E8M0FNU;
  SIMT_DEVICE static uint8_t encode(float v) {
    const uint32_t rest = simt::bits(v) & 0x7fffffffu;
    const uint32_t field = (rest + 0x7fffffu) >> 23;
    return uint8_t(field < 1u ? 1u : field > 0xfeu ? 0xfeu : field);
  }
};

struct PtxInt8 {
  static constexpr const char* kContract = "ptx.int8_rni_sat";
  static constexpr int kType = ASSAY_INT;
  SIMT_DEVICE static uint8_t encode(float v) { return simt::to_int8_sat(v); }
};

inline constexpr int kCastThreads = 64;
inline constexpr int kCastStores = 16;  ///< stores per thread, of simt::kWideBytes codes each

/// Converts to fp32 and keeps the sign of NaN. NVIDIA's conversion of fp16 turns every NaN into 0x7fffffff. On an H200, a cast
/// that begins with this conversion therefore loses the sign of the 1023 inputs 0xfc01 .. 0xffff.
template <class T>
SIMT_DEVICE float widened(T v) {
  return simt::to_float(v);
}
SIMT_DEVICE float widened(simt::F16 v) {
  const uint32_t rest = v.bits & 0x7fffu;
  return rest > 0x7c00u ? simt::from_bits((uint32_t{v.bits} & 0x8000u) << 16 | 0x7f800000u | (rest & 0x3ffu) << 13)
                        : simt::to_float(v);
}

/// The lanes of a warp store adjacent vectors, so that each store of the warp fills whole cache lines.
template <class Rules, class T, int kWarp>
SIMT_WIDE_KERNEL void cast(const T* x, uint8_t* q, int64_t n) {
  constexpr int kCodes = simt::kWideBytes;
  const int64_t warp = (simt::block() * simt::block_size() + simt::thread()) / kWarp;
  int64_t first = (warp * kCastStores * kWarp + simt::thread() % kWarp) * kCodes;
  for (int store = 0; store < kCastStores; ++store, first += kWarp * kCodes) {
    if (first + kCodes <= n) {
      T elements[kCodes];
      uint8_t codes[kCodes];
      simt::load_wide(x + first, elements);
      SIMT_LANES
      for (int i = 0; i < kCodes; ++i) codes[i] = Rules::encode(widened(elements[i]));
      simt::store_wide(q + first, codes);
    } else {
      for (int64_t i = first; i < n; ++i) q[i] = Rules::encode(widened(x[i]));
    }
  }
}

template <class Rules>
void run_cast(const Call& call) {
  const assay_tensor &x = call.input("x"), &q = call.output("q");
  const Shape shape = dense_matrix(x), out = dense_matrix(q);
  if (out.rows != shape.rows || out.columns != shape.columns) failed("q must have the shape of x");
  if (!has_type(q, Rules::kType, 8)) unsupported(std::string("q must have the code type of contract ") + Rules::kContract);
  expect_aligned(x);
  expect_aligned(q);
  const int64_t n = shape.rows * shape.columns, each = int64_t{kCastThreads} * kCastStores * simt::kWideBytes;
  if (n == 0) return;
  with_type(x, [&](auto type) {
    using T = decltype(type);
    with_warp(call, [&](auto warp) {
      simt::launch(cast<Rules, T, decltype(warp)::value>, call.grid((n + each - 1) / each, kCastThreads), data_of<T>(x),
                   static_cast<uint8_t*>(q.data), n);
    });
  });
}

}  // namespace assay_kernels
