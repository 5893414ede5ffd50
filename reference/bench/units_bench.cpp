// Speed of the tensor core models on one core, in multiply-accumulates per second. Each tensor core instruction is computed
// with the loops of each CPU instruction set, and with unit_definition.h. --benchmark_filter=ID selects instructions.
#include <benchmark/benchmark.h>
#include <oneapi/tbb/parallel_for.h>

#include "reference/testing/unit_data.h"

namespace assay {
namespace {

constexpr int kRows = 256, kColumns = 256, kDepth = 1024;

void predict(benchmark::State& state, const Unit& unit, const UnitLoops& loops) {
  RandomCodes random(1);
  const UnitCase one(unit, kRows, kColumns, kDepth, UnitData::kNearOne, random);
  std::vector<uint32_t> d(one.c.size());
  for (auto _ : state) {
    d.assign(d.size(), 0);
    accumulate(unit, one.product(), {0, kRows, 0, kColumns}, 0, kDepth, d.data(), kColumns, one_after_the_other, loops);
    benchmark::DoNotOptimize(d.data());
  }
  state.SetItemsProcessed(state.iterations() * int64_t{kRows} * kColumns * kDepth);
}

/// A whole GEMM on all cores, by the wall clock.
void gemm(benchmark::State& state, const Unit& unit) {
  const auto n = int(state.range(0));
  RandomCodes random(1);
  const UnitCase one(unit, n, n, n, UnitData::kNearOne, random);
  std::vector<uint32_t> d(one.c.size());
  for (auto _ : state) {
    accumulate(unit, one.product(), {0, n, 0, n}, 0, n, d.data(), n,
               [](int64_t count, const std::function<void(int64_t)>& f) { oneapi::tbb::parallel_for(int64_t{0}, count, f); });
    benchmark::DoNotOptimize(d.data());
  }
  state.SetItemsProcessed(state.iterations() * int64_t{n} * n * n);
}

void define(benchmark::State& state, const Unit& unit) {
  RandomCodes random(1);
  const UnitCase one(unit, 1, 1, kDepth, UnitData::kNearOne, random);
  for (auto _ : state) benchmark::DoNotOptimize(one.defined(unit, 0, 0));
  state.SetItemsProcessed(state.iterations() * kDepth);
}

}  // namespace
}  // namespace assay

int main(int argc, char** argv) {
  for (const assay::UnitRow& row : assay::unit_table().rows()) {
    if (!row.unit.known()) continue;
    for (const char* name : {"avx512vnni", "avx512", "avx2", "scalar"})
      if (const assay::UnitLoops* loops = assay::unit_loops_named(name))
        benchmark::RegisterBenchmark((row.id + "/" + name).c_str(), [&row, loops](benchmark::State& state) {
          assay::predict(state, row.unit, *loops);
        })->Unit(benchmark::kMillisecond);
    benchmark::RegisterBenchmark((row.id + "/definition").c_str(), [&row](benchmark::State& state) {
      assay::define(state, row.unit);
    })->Unit(benchmark::kMillisecond);
  }
  const assay::Unit& fp8 = assay::unit_table().find("sm_90.wgmma.e4m3.f32").unit;
  benchmark::RegisterBenchmark("gemm/sm_90.wgmma.e4m3.f32", [&fp8](benchmark::State& state) { assay::gemm(state, fp8); })
      ->Arg(4096)
      ->Unit(benchmark::kSecond)
      ->UseRealTime()
      ->Iterations(1);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
