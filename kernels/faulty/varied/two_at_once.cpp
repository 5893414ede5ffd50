// Two mistakes of libassay_faulty.so in one kernel.
#include "kernels/faulty/dsv4_faults.h"
#include "kernels/faulty/dsv4_norm_faults.h"
#include "kernels/faulty/group_faults.h"
#include "kernels/faulty/norm_faults.h"
#include "kernels/faulty/offers/group.h"
#include "kernels/faulty/offers/norm.h"
#include "kernels/faulty/varied/lists.h"

namespace assay_kernels {
namespace {

constexpr const char* kGroups = "[32, 64, 128]";

struct Dsv4FloorUnrotated : Dsv4FloorForCeil {
  static float even(float e, float /*o*/, float /*c*/, float /*s*/) { return e; }
  static float odd(float /*e*/, float o, float /*c*/, float /*s*/) { return o; }
};
struct ScalesApartBy7Floor : Dsv4ScalesApartBy7 {
  static uint32_t exponent(float v) { return Dsv4FloorForCeil::exponent(v); }
};
struct Dsv4BothSides : VllmDsv4Both {
  using Heads = Dsv4HeadsRoundedBeforeRope::Heads;
  using Insert = Dsv4FloorForCeil;
};

template <class Rules>
Kernel of_dsv4(const char* name, const char* op, void (*run)(const Call&)) {
  return {name, op, {Rules::kContract}, {{"x", R"(["bf16", "f16"])"}, {"warp", simt::kWarpSizes}}, {}, run, name, kHere, op};
}

}  // namespace

std::vector<Kernel> two_at_once() {
  return {
      in_registers<TruncationForNearest<FloorForCeil>>("floor_and_truncation", kHere),
      in_shared_memory<TruncationForNearest<UnmaskedPackedMantissas>>("unmasked_and_truncation", kHere),
      in_registers<TruncationForNearest<TransposedScales<>>>("transposed_and_truncation", kHere, kGroups, R"(["col"])"),
      in_registers<TruncationForNearest<ZeroRowNan<>>>("zero_row_and_truncation", kHere),
      in_registers<OcpForFnuz<Range240For224>>("range_and_ocp", kHere),
      in_registers<StalePadding<FloorForCeil>>("floor_and_stale_padding", kHere),
      in_registers<TruncationForNearest<NanLaundering<VllmGroupNative>>>("nan_laundering_and_truncation", kHere),
      of_norms<ExtraRoundingInNorm<EpsOutsideMean<>>>("eps_and_rounding", kHere),
      of_norms<ExtraRoundingInNorm<MissingTail<>>>("tail_and_rounding", kHere),
      of_norms<ExtraRoundingInNorm<VarianceIgnored<>>>("variance_and_rounding", kHere),
      of_dsv4<VllmDsv4Kv>("dsv4_floor_and_unrotated", "dsv4_kv_insert", run_dsv4_kv_insert<Dsv4FloorUnrotated>),
      of_dsv4<VllmDsv4Kv>("dsv4_apart_by_7_and_floor", "dsv4_kv_insert", run_dsv4_kv_insert<ScalesApartBy7Floor>),
      of_dsv4<VllmDsv4Both>("dsv4_rounded_and_floor", "dsv4_qnorm_kv_insert", run_dsv4_qnorm_kv_insert<Dsv4BothSides>),
  };
}

}  // namespace assay_kernels
