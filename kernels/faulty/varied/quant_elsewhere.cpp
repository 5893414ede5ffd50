// The mistakes of libassay_faulty.so in other contracts than there: MXFP8, int8, zero points, blocks, packing and SiLU-and-mul.
#include "kernels/faulty/int8_faults.h"
#include "kernels/faulty/mx_faults.h"
#include "kernels/faulty/offers/azp.h"
#include "kernels/faulty/offers/group.h"
#include "kernels/faulty/offers/mx.h"
#include "kernels/faulty/offers/silu.h"
#include "kernels/faulty/offers/tile.h"
#include "kernels/faulty/silu_faults.h"
#include "kernels/faulty/tile_faults.h"
#include "kernels/faulty/varied/here.h"

namespace assay_kernels {
namespace {

/// As MxUnguardedReciprocal, with scales that are not flushed.
struct MxCuteUnguarded : FlashinferMxfp8Cute {
  static float multiplier(float amax, uint32_t e) {
    return e == 0u ? simt::from_bits(0x7f800000u) : FlashinferMxfp8Cute::multiplier(amax, e);
  }
};
/// As MxNoEmax, rounding up.
struct MxCeilNoEmax : TorchaoMxCeil {
  static uint32_t exponent(float amax) {
    const uint32_t b = simt::bits(amax);
    return b >= 0x7f800000u ? 255u : b <= 0x00400000u ? 0u : exponent_ceil(amax);
  }
};
/// As MxNanLaundering, where scales round down.
struct MxFloorNanLaundering : TorchaoMxFloor {
  static float widest(float a, float b) { return simt::max_number(a, b); }
};
/// As Int8NearestForTruncation, where the quotient is a product.
struct SglangInt8Nearest : SglangGroupInt8 {
  using Code = Int8Nearest;
};
/// As Int8ZeroGroup, in another library.
struct SglangInt8ZeroGroup : SglangGroupInt8 {
  static float amax(float widest) { return widest; }
};
/// As AzpForgotten, with a row of one number defined.
struct AssayAzpForgotten : AssayPerTokenInt8Azp {
  static int32_t integer(float x, float m, int32_t /*azp*/) { return simt::to_int32_sat(x * m); }
};
/// As BlockRowsForgotten, with scales that are powers of two.
struct BlockRowsForgottenUe8m0 : DeepgemmPerBlockCastUe8m0 {
  static bool counts(int32_t row) { return row % kBlockSide == 0; }
};
/// As PackAbsentGroups, where each value is masked to its byte.
struct PackTorchAbsentGroups : DeepgemmPackTorch {
  static uint32_t absent() { return 0xffffffffu; }
};

}  // namespace

std::vector<Kernel> quant_elsewhere() {
  return {
      of_mx<MxCuteUnguarded>("mx_unguarded_elsewhere", kHere),
      of_mx<MxCeilNoEmax>("mx_no_emax_elsewhere", kHere),
      of_mx<MxFloorNanLaundering>("mx_nan_laundering_elsewhere", kHere),
      of_mx<TorchaoMxFloor>("mx_unswizzled_elsewhere", kHere, run_mx_misplaced<TorchaoMxFloor, RowMajorBytes>, {"e8m0_128x4"}),
      in_registers<SglangInt8Nearest>("int8_nearest_elsewhere", kHere),
      in_registers<SglangInt8ZeroGroup>("int8_zero_group_elsewhere", kHere),
      of_zero_points<AssayAzpForgotten>("azp_forgotten_elsewhere", kHere),
      of_blocks<BlockRowsForgottenUe8m0>("block_rows_elsewhere", kHere),
      of_packs<PackTorchAbsentGroups>("pack_absent_elsewhere", kHere),
      of_gated_groups<GateUpSwapped<VllmFusedSilu>>("gate_up_elsewhere", kHere),
  };
}

}  // namespace assay_kernels
