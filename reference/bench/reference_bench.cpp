// Speed of the reference on one core, in elements per second, compared with copying the same row in the same run.
#include <benchmark/benchmark.h>

#include <cstring>
#include <random>

#include "reference/contracts/contract_rows.h"
#include "reference/exact/exact_sum.h"
#include "reference/flow/row.h"
#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"
#include "reference/recipe/eval.h"
#include "reference/recipe/recipe.h"

namespace assay {
namespace {

constexpr size_t kRow = 7168;

std::vector<double> normal_numbers(const Format& format, unsigned seed) {
  std::mt19937 engine(seed);
  std::normal_distribution<double> normal;
  std::vector<double> values;
  for (size_t i = 0; i < kRow; ++i)
    values.push_back(round_to(format, normal(engine), Rounding::kNearestEven, Overflow::kSpecial));
  return values;
}

void count(benchmark::State& state) { state.SetItemsProcessed(state.iterations() * int64_t(kRow)); }

void copy(benchmark::State& state) {
  const std::vector<double> from = normal_numbers(kBf16, 1);
  std::vector<double> to(from.size());
  for (auto _ : state) {
    std::memcpy(to.data(), from.data(), from.size() * sizeof(double));
    benchmark::DoNotOptimize(to.data());
    benchmark::ClobberMemory();
  }
  count(state);
}
BENCHMARK(copy);

/// Evaluates a cell over one row. The quantities s and r are numbers or, with `spans`, intervals that hold two f32 values.
void evaluate_cell(benchmark::State& state, const char* cell, bool spans) {
  const Names names{{{"M", "448"}}, {{"x", &kBf16}, {"q", &kE4M3Fn}}, {"s", "r", "w"}};
  const Recipe recipe = parse_recipe(cell, names);
  const std::vector<double> x = normal_numbers(kBf16, 2);
  const Spans w(normal_numbers(kBf16, 3));
  const double s = 0x1.234566p-7;
  Environment environment;
  for (const char* name : {"s", "r"}) environment.set(name, Span{s, spans ? next_up(kF32, s) : s});
  environment.set("w", w);
  Spans row;
  for (auto _ : state) {
    row.low.assign(x.begin(), x.end());
    row.high.clear();
    evaluate(recipe, row, environment);
    benchmark::DoNotOptimize(row.low.data());
  }
  count(state);
}
BENCHMARK_CAPTURE(evaluate_cell, quant_pinned, "div(s) clamp(max_min,M) to(q)", false);
BENCHMARK_CAPTURE(evaluate_cell, quant_spans, "div(s) clamp(max_min,M) to(q)", true);
BENCHMARK_CAPTURE(evaluate_cell, norm_pinned, "mul(r) mul(w) to(x)", false);
BENCHMARK_CAPTURE(evaluate_cell, norm_spans, "mul(r) mul(w) to(x)", true);

/// Evaluates a whole contract on one row of 7168 elements.
void evaluate_contract(benchmark::State& state, const char* id) {
  const Contract contract = bind(ContractTables::load("reference/contracts"), id, kBf16);
  const RowInputs inputs{normal_numbers(kBf16, 4), contract.row_norm() ? normal_numbers(kBf16, 5) : std::vector<double>(), 1e-6,
                         contract.group_quant() ? 128 : 0};
  for (auto _ : state) {
    RowOutputs out = evaluate_row(contract, inputs, nullptr, kBf16);
    benchmark::DoNotOptimize(out);
  }
  count(state);
}
BENCHMARK_CAPTURE(evaluate_contract, group_fp8, "vllm.group_fp8");
BENCHMARK_CAPTURE(evaluate_contract, group_fp8_packed, "vllm.group_fp8_packed");
BENCHMARK_CAPTURE(evaluate_contract, group_triton_spans, "vllm.group_triton");
BENCHMARK_CAPTURE(evaluate_contract, rms_norm_spans, "vllm.rms_norm@2026-06-18");
BENCHMARK_CAPTURE(evaluate_contract, rms_norm_group_packed_spans, "assay.rms_norm_group_packed");

void sum_of_squares(benchmark::State& state, const Format& format) {
  const std::vector<double> x = normal_numbers(format, 6);
  for (auto _ : state) {
    SumBounds bounds = exact_sum_of_squares(x);
    benchmark::DoNotOptimize(bounds);
  }
  count(state);
}
BENCHMARK_CAPTURE(sum_of_squares, bf16, kBf16);
BENCHMARK_CAPTURE(sum_of_squares, f16, kF16);
BENCHMARK_CAPTURE(sum_of_squares, f32, kF32);

}  // namespace
}  // namespace assay

BENCHMARK_MAIN();
