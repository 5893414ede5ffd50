// Casts by contract: one code of one float. Where they come from is in their rows of reference/contracts/casts.csv.
#pragma once

#include "assay/abi.h"
#include "kernels/simt/simt.h"

namespace assay_kernels {

struct CudaE4m3fnSat {
  static constexpr const char* kContract = "cuda.e4m3fn_sat";
  static constexpr int kType = ASSAY_FLOAT8_E4M3FN;
  SIMT_DEVICE static uint8_t encode(float v) { return simt::to_e4m3fn_sat(v); }
};

/// NaN loses its sign, what overflows keeps it. CUDA's header does this in integer code on the device too.
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

/// The exponent field, one more if there is a mantissa, limited to 1..254 whatever it was: NaN is a number here.
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

}  // namespace assay_kernels
