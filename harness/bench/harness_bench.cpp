// Speed of the harness without kernels: comparison, input generators, and the overhead of a tiny call in this process and in a
// worker.
#include <benchmark/benchmark.h>

#include "harness/backend/worker.h"
#include "harness/compare/compare.h"
#include "harness/compare/verdict.h"
#include "harness/fill/fill.h"
#include "harness/testing/program.h"
#include "harness/testing/toy_op.h"
#include "reference/formats/catalogue.h"

namespace assay {
namespace {

constexpr int64_t kElements = 1 << 22;

/// Normal data in a format, and an expectation that requires exactly these data.
struct Pair {
  explicit Pair(const Format& format) : tensor{dense("y", Role::kOutput, format, {kElements / 4096, 4096}), {}} {
    fill(tensor, {.name = "normal", .seed = 1});
    expected.part = {"y", &format, {kElements / 4096, 4096}};
    expected.low.resize(kElements);
    ordinals_of_codes(format, tensor.bytes.data(), expected.low);
  }
  HostTensor tensor;
  WholePart expected;
};

/// Speed of compare() on all cores, with an expectation that is already computed.
void compare_all(benchmark::State& state, const Pair& pair) {
  const Expectation expectation = expectation_of({pair.expected});
  const std::vector<HostTensor> outputs = {pair.tensor};
  for (auto _ : state) benchmark::DoNotOptimize(compare(expectation, outputs, {}));
  state.SetItemsProcessed(state.iterations() * kElements);
}

void compare_pinned(benchmark::State& state, const Format& format) {
  compare_all(state, Pair(format));
}
BENCHMARK_CAPTURE(compare_pinned, e4m3fn, kE4M3Fn);
BENCHMARK_CAPTURE(compare_pinned, e4m3fnuz, kE4M3Fnuz);
BENCHMARK_CAPTURE(compare_pinned, int8, kInt8);
BENCHMARK_CAPTURE(compare_pinned, bf16, kBf16);
BENCHMARK_CAPTURE(compare_pinned, f32, kF32);

void compare_intervals(benchmark::State& state) {
  Pair pair(kBf16);
  pair.expected.high = pair.expected.low;
  for (int64_t i = 0; i < kElements; i += 100) ++pair.expected.high[size_t(i)];
  compare_all(state, pair);
}
BENCHMARK(compare_intervals);

void compare_scattered(benchmark::State& state) {
  Pair pair(kE8M0);
  pair.expected.part.places = Places::of_elements([](int64_t row, int64_t column) { return row * 4096 + column; });
  compare_all(state, pair);
}
BENCHMARK(compare_scattered);

void fill_by_name(benchmark::State& state, const char* name) {
  HostTensor tensor{dense("x", Role::kInput, kBf16, {64, 4096}), {}};
  for (auto _ : state) fill(tensor, {.name = name, .seed = 1, .group_size = 128, .q = &kE4M3Fn});
  state.SetItemsProcessed(state.iterations() * tensor.spec.elements());
}
BENCHMARK_CAPTURE(fill_by_name, normal, "normal");
BENCHMARK_CAPTURE(fill_by_name, ties, "ties");
BENCHMARK_CAPTURE(fill_by_name, quiet, "quiet");

void tiny_call(benchmark::State& state, const Backend& backend) {
  const Problem problem = testing::toy_problem(kBf16, 2, 8);
  for (auto _ : state) benchmark::DoNotOptimize(backend.call({"toy", "toy.copy", "copy", &problem, 1}));
}
void tiny_call_in_process(benchmark::State& state) { tiny_call(state, testing::toy_backend()); }
void tiny_call_in_worker(benchmark::State& state) {
  tiny_call(state, open_in_worker(testing::path_of_library("toy_library"), "toy",
                                  {.timeout_seconds = 20, .program = ASSAY_PROGRAM}));
}
BENCHMARK(tiny_call_in_process);
BENCHMARK(tiny_call_in_worker)->UseRealTime();

}  // namespace
}  // namespace assay

BENCHMARK_MAIN();
