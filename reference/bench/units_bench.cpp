// Rates of the matrix units, products a second on one core, each row by each instruction set of this processor in one run; and one of the
// definition beside them. --benchmark_filter=ID chooses.
#include <benchmark/benchmark.h>

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
    for (const char* name : {"avx512", "avx2", "scalar"})
      if (const assay::UnitLoops* loops = assay::unit_loops_named(name))
        benchmark::RegisterBenchmark((row.id + "/" + name).c_str(), [&row, loops](benchmark::State& state) { assay::predict(state, row.unit, *loops); })
            ->Unit(benchmark::kMillisecond);
    benchmark::RegisterBenchmark((row.id + "/definition").c_str(), [&row](benchmark::State& state) { assay::define(state, row.unit); })
        ->Unit(benchmark::kMillisecond);
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
