// Two mistakes of libassay_faulty.so in one kernel.
#include "kernels/faulty/dsv4_norm_faults.h"
#include "kernels/faulty/group_faults.h"
#include "kernels/faulty/norm_faults.h"
#include "kernels/faulty/offers/cache.h"
#include "kernels/faulty/offers/group.h"
#include "kernels/faulty/offers/norm.h"
#include "kernels/faulty/varied/here.h"

namespace assay_kernels {
namespace {

struct Dsv4BothSides : VllmDsv4Both {
  using Heads = Dsv4HeadsRoundedBeforeRope::Heads;
  using Insert = Dsv4FloorForCeil<>;
};

}  // namespace

std::vector<Kernel> two_at_once() {
  return {
      in_registers<TruncationForNearest<FloorForCeil>>("floor_and_truncation", kHere),
      in_shared_memory<TruncationForNearest<UnmaskedPackedMantissas>>("unmasked_and_truncation", kHere),
      in_registers<TruncationForNearest<TransposedScales<>>>("transposed_and_truncation", kHere, kGroups, {"col"}),
      in_registers<TruncationForNearest<ZeroRowNan<>>>("zero_row_and_truncation", kHere),
      in_registers<OcpForFnuz<Range240For224>>("range_and_ocp", kHere),
      in_registers<StalePadding<FloorForCeil>>("floor_and_stale_padding", kHere),
      in_registers<TruncationForNearest<NanLaundering<VllmGroupNative>>>("nan_laundering_and_truncation", kHere),
      of_norms<ExtraRoundingInNorm<EpsOutsideMean<>>>("eps_and_rounding", kHere),
      of_norms<ExtraRoundingInNorm<MissingTail<>>>("tail_and_rounding", kHere),
      of_norms<ExtraRoundingInNorm<VarianceIgnored<>>>("variance_and_rounding", kHere),
      of_caches<VllmDsv4Kv>("dsv4_kv_insert", run_dsv4_kv_insert<Dsv4Unrotated<Dsv4FloorForCeil<>>>, "dsv4_floor_and_unrotated",
                            kHere),
      of_caches<VllmDsv4Kv>("dsv4_kv_insert", run_dsv4_kv_insert<Dsv4FloorForCeil<Dsv4ScalesApartBy7>>,
                            "dsv4_apart_by_7_and_floor", kHere),
      of_caches<VllmDsv4Both>("dsv4_qnorm_kv_insert", run_dsv4_qnorm_kv_insert<Dsv4BothSides>, "dsv4_rounded_and_floor", kHere),
  };
}

}  // namespace assay_kernels
