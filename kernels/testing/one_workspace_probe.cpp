// libassay_one_workspace.so: a library whose rank groups have separate counters but share one workspace (TensorRT-LLM 3988).
#include <array>
#include <cstring>
#include <mutex>
#include <vector>

#include "assay/plugin/library.hpp"
#include "kernels/ops/all_reduce/all_reduce_run.h"

namespace assay_kernels {
namespace {

using Rules = LamportRules<FlushingSum<AbsoluteRules>, MinusZeroIsEmpty>;

/// Areas of the whole process, initialized like those of the first group.
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
