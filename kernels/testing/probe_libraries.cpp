// Two wrong kernel libraries for tests. CMake compiles this file once for each, with ASSAY_PROBE_<name> defined.
#include <array>
#include <cstring>
#include <mutex>
#include <vector>

#include "assay/plugin/library.hpp"

#if defined(ASSAY_PROBE_one_workspace)

// libassay_one_workspace.so: its rank groups have separate call counters but share one workspace (TensorRT-LLM 3988).
#include "kernels/ops/all_reduce/all_reduce_run.h"

namespace assay_kernels {
namespace {

using Rules = LamportRules<FlushingSum<AbsoluteRules>, MinusZeroIsEmpty>;

/// The memory areas that all groups of the process share, initialized like those of the first group.
void* const* areas_of_all(const Ranks& ranks) {
  static std::mutex mutex;
  static std::array<std::vector<uint64_t>, kMostRanks> memory;
  static std::array<void*, kMostRanks> areas;
  const std::lock_guard lock(mutex);
  for (size_t r = 0; r < size_t(ranks.size); ++r) {
    if (!memory[r].empty()) continue;
    memory[r].resize(ranks.area_bytes / sizeof(uint64_t));
    areas[r] = memory[r].data();
    std::memcpy(areas[r], ranks.areas[r], ranks.area_bytes);
  }
  return areas.data();
}

void run_on_one_workspace(const Call& call, const Ranks& ranks, int first, int count) {
  Ranks shared = ranks;
  shared.areas = areas_of_all(ranks);
  std::memcpy(shared.areas[first], ranks.areas[first], sizeof(Signals));
  run_lamport<Rules>(call, shared, first, count);
  std::memcpy(ranks.areas[first], shared.areas[first], sizeof(Signals));
}

}  // namespace
}  // namespace assay_kernels

extern "C" __attribute__((visibility("default"))) const assay_library* assay_get_library(void) {
  using namespace assay_kernels;
  const auto area = [](const Call& call) { return lamport_area(call, true); };
  return assay::plugin::HostLibrary<Call>::of(
      {{"one_workspace", "cpu", "", "", ""},
       {all_reduce_row("all_reduce.lamport", {"flashinfer.all_reduce_oneshot"}, run_on_one_workspace, area)}});
}

#elif defined(ASSAY_PROBE_offsets)

// libassay_offsets.so: a GEMM with 32-bit offsets into `a`. It is correct if `a` is smaller than 2 GiB, so small cases do not
// detect the fault. Reports of 32-bit offsets: flashinfer 2642, 2853, 3743; aiter 2104, 2196, 2373, 4343; deepgemm 226.
#include "kernels/ops/call.h"
#include "kernels/ops/gemm/gemm_scaled_kernel.h"
#include "kernels/ops/gemm/gemm_scaled_rules.h"

namespace assay_kernels {
namespace {

struct Offset32 : VllmScaledMm {
  SIMT_DEVICE static int64_t byte_of_a(int64_t row, int64_t k, int64_t pitch) {
    return int32_t(uint32_t(row) * uint32_t(pitch)) + k;
  }
};

std::vector<Kernel> kernels() {
  return {
      {"offset_32", "gemm_scaled", {Offset32::kContract}, {{"y", kAny}, {"warp", simt::kWarpSizes}}, {}, run_gemm<Offset32, 1>}};
}

}  // namespace
}  // namespace assay_kernels

extern "C" __attribute__((visibility("default"))) const assay_library* assay_get_library(void) {
  return assay::plugin::HostLibrary<assay_kernels::Call>::of(
      {{"assay_offsets", "cpu", "a GEMM with 32-bit offsets", "", "", true}, assay_kernels::kernels()});
}

#endif
