// For every contract, a trace must end with the intervals that are checked, and the contract's formulas must name the cells that
// were evaluated.
#include "reference/flow/row_run.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

#include "reference/flow/contract_mutants.h"
#include "reference/flow/flow.h"
#include "reference/flow/row.h"
#include "reference/formats/catalogue.h"

namespace assay {
namespace {

constexpr size_t kNumbers = 128, kCoded = 96, kPairs = 16, kGroup = 32;

const ContractTables& tables() {
  static const ContractTables all = ContractTables::load("reference/contracts");
  return all;
}

std::vector<double> drawn_numbers(const Format& format, size_t count, double scale, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  std::vector<double> all;
  for (size_t i = 0; i < count; ++i)
    all.push_back(round_to(format, scale * normal(random), Rounding::kNearestEven, Overflow::kSpecial));
  return all;
}

/// A row with every input that a contract may take. No f32 value equals its scale_ub.
RowInputs row_for(const Contract& contract, const Format& x) {
  RowInputs in;
  in.x = drawn_numbers(x, contract.gated() ? 2 * kNumbers : kNumbers, 3, 1);
  in.gamma = drawn_numbers(x, kNumbers, 1, 2);
  in.beta = drawn_numbers(x, kNumbers, 1, 3);
  in.residual = drawn_numbers(x, kNumbers, 1, 4);
  in.gate = drawn_numbers(x, kNumbers, 3, 7);
  in.eps = 1e-6;
  in.group_size = kGroup;
  in.scale_ub = 0.001;
  in.scale = {0.01, 0.02, 0.03, 0.04};
  in.zero = {-3, 0, 5, 7};
  for (double& scale : in.scale) scale = round_to(kF32, scale, Rounding::kNearestEven, Overflow::kSpecial);
  in.cos = drawn_numbers(x, kPairs, 1, 5);
  in.sin = drawn_numbers(x, kPairs, 1, 6);
  if (contract.group_quant() && !contract.group_quant()->record.empty()) in.coded = kCoded;
  return in;
}

bool same(Span a, Span b) {
  const bool both_nan = a.pinned() && b.pinned() && std::isnan(a.low) && std::isnan(b.low);
  return both_nan || (a.any() && b.any()) || (a.low == b.low && a.high == b.high);
}

/// Checks that the trace's last cell named `cell` ends with the interval `judged[at]`, with which outputs are compared.
void expect_made(const Trace& trace, const char* cell, const Spans& judged, size_t at, const std::string& what) {
  if (at >= judged.size()) return;
  const TracedCell* made = trace.find(cell);
  ASSERT_TRUE(made) << what << ": nothing made " << cell;
  EXPECT_TRUE(same(made->result(), judged[at]))
      << what << ": " << cell << " is " << made->result().low << " .. " << made->result().high << " and judged is "
      << judged[at].low << " .. " << judged[at].high;
}

/// Name of the cell that computes the row's outputs.
const char* last_cell(const Contract& contract, const Trace& trace) {
  if (!contract.rope()) return contract.row_norm() ? "y" : "h";
  for (const char* cell : {"even", "odd"})
    if (trace.find(cell)) return cell;
  return "rest";
}

void expect_judged(const Contract& contract, const RowInputs& in, const Format& x, size_t column, const std::string& what) {
  Trace trace(column);
  const RowOutputs out = evaluate_row(contract, in, nullptr, x, &trace);
  const size_t group = column / kGroup;
  const bool coded = in.coded == 0 || column < size_t(in.coded);
  if (coded) expect_made(trace, "q", out.q, column, what);
  if (coded) expect_made(trace, "scale", out.scale, group, what);
  if (coded) expect_made(trace, "azp", out.zero, group, what);
  expect_made(trace, "residual", out.residual, column, what);
  if (contract.links.size() > 1 || !contract.group_quant()) expect_made(trace, last_cell(contract, trace), out.y, column, what);
  Spans r(std::vector<double>{0});
  r.set(0, out.r);
  if (contract.row_norm()) expect_made(trace, "r", r, 0, what);
}

TEST(Trace, EndsWithWhatIsJudgedForEveryContract) {
  for (const ContractRow& row : tables().rows()) {
    if (!has_recipes(row)) continue;
    for (const Format* x : {&kBf16, &kF32}) {
      const Contract contract = bind(tables(), row.id, *x);
      const RowInputs in = row_for(contract, *x);
      for (const size_t column : {size_t{0}, size_t{1}, kPairs, kCoded - 1, kCoded, kNumbers - 1})
        expect_judged(contract, in, *x, column, row.id + " " + std::string(x->name) + " column " + std::to_string(column));
    }
  }
}

TEST(Trace, EndsWithWhatIsJudgedForMistakesToo) {
  for (const char* id : {"assay.rms_norm_group_packed", "vllm.fused_qk_norm_rope_neox", "vllm.per_token_int8_azp"})
    for (const Neighbour& neighbour : neighbours(tables(), id, kBf16))
      expect_judged(neighbour.contract, row_for(neighbour.contract, kBf16), kBf16, kPairs, neighbour.name);
}

TEST(Trace, OfABoundedScaleHasTheBoundAsItIsJudged) {
  const Contract contract = bind(tables(), "vllm.per_token_ub", kBf16);
  Trace trace(0);
  evaluate_row(contract, row_for(contract, kBf16), nullptr, kBf16, &trace);
  ASSERT_TRUE(trace.find("scale"));
  const TracedStep& bound = trace.find("scale")->steps.front();
  EXPECT_EQ(bound.text, "min(ub)");
  EXPECT_EQ(bound.result.low, double(0.001f)) << "rounded to f32, as the caller's argument is";
}

TEST(Trace, NamesTheCellsOfTheFormulas) {
  for (const ContractRow& row : tables().rows()) {
    if (!has_recipes(row)) continue;
    const Contract contract = bind(tables(), row.id, kBf16);
    std::set<std::string> names;
    for (const std::string& line : formulas(contract)) names.insert(line.substr(0, line.find(' ')));
    for (const size_t column : {size_t{0}, kPairs, kCoded - 1, kNumbers - 1}) {
      Trace trace(column);
      evaluate_row(contract, row_for(contract, kBf16), nullptr, kBf16, &trace);
      for (const TracedCell& cell : trace.cells())
        EXPECT_TRUE(!cell.made || names.contains(cell.name)) << row.id << ": " << cell.name;
    }
  }
}

}  // namespace
}  // namespace assay
