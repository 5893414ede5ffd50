#include "harness/core/blocks.h"

#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/parallel_pipeline.h>
#include <oneapi/tbb/task_arena.h>

#include <algorithm>

namespace assay {
namespace {

constexpr int64_t kElementsPerBlock = 1 << 15;
/// For GEMMs: enough rows per block to reuse the decoded B operand, provided that enough blocks remain for all cores.
constexpr int64_t kRowsOfProducts = 128, kBlocksOfProducts = 32;
constexpr size_t kBlocksInFlight = 16;

}  // namespace

std::vector<StepRange> block_ranges(const Answer& answer) {
  std::vector<StepRange> ranges;
  if (answer.steps == 0) return ranges;
  const int64_t elements_per_step = std::max<int64_t>(1, answer.elements() / answer.steps);
  const int64_t shared = answer.products > 1 ? std::min(kRowsOfProducts, answer.steps / kBlocksOfProducts) : 1;
  const int64_t steps = std::max({int64_t{1}, shared, kElementsPerBlock / elements_per_step});
  for (int64_t first = 0; first < answer.steps; first += steps) ranges.push_back({first, std::min(answer.steps, first + steps)});
  return ranges;
}

void for_each_in_parallel(int64_t count, const std::function<void(int64_t)>& f) {
  if (count == 1) return f(0);
  oneapi::tbb::this_task_arena::isolate([&] { oneapi::tbb::parallel_for(int64_t{0}, count, [&](int64_t i) { f(i); }); });
}

void for_each_block(const Answer& answer, const std::vector<StepRange>& ranges,
                    const std::function<void(size_t, const AcceptedBlock&)>& f) {
  for_each_in_parallel(int64_t(ranges.size()),
                       [&](int64_t i) { f(size_t(i), answer.accepted(ranges[size_t(i)].first, ranges[size_t(i)].end)); });
}

void for_each_block_in_order(const Answer& answer, const std::vector<StepRange>& ranges,
                             const std::function<void(const AcceptedBlock&)>& f) {
  using oneapi::tbb::filter_mode;
  oneapi::tbb::this_task_arena::isolate([&] {
    size_t next = 0;
    const auto source = oneapi::tbb::make_filter<void, size_t>(filter_mode::serial_in_order, [&](oneapi::tbb::flow_control& control) {
      if (next == ranges.size()) control.stop();
      return next == ranges.size() ? next : next++;
    });
    const auto compute = oneapi::tbb::make_filter<size_t, AcceptedBlock>(
        filter_mode::parallel, [&](size_t i) { return answer.accepted(ranges[i].first, ranges[i].end); });
    const auto consume = oneapi::tbb::make_filter<AcceptedBlock, void>(filter_mode::serial_in_order,
                                                                       [&](const AcceptedBlock& block) { f(block); });
    oneapi::tbb::parallel_pipeline(kBlocksInFlight, source & compute & consume);
  });
}

}  // namespace assay
