// Two mistakes of libassay_faulty.so in one kernel.
#include "kernels/faulty/group_faults.h"
#include "kernels/faulty/norm_faults.h"
#include "kernels/faulty/offers/group.h"
#include "kernels/faulty/offers/norm.h"
#include "kernels/faulty/varied/lists.h"

namespace assay_kernels {
namespace {

constexpr const char* kGroups = "[32, 64, 128]";

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
  };
}

}  // namespace assay_kernels
