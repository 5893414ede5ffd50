#include "harness/diagnosis/sharpness.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace assay {
namespace {

/// Widths of the accepted intervals of one output under one contract.
struct Widths {
  int64_t elements = 0, single = 0;
  std::vector<int64_t> open;  ///< for each interval with several codes: the number of codes beyond the first

  void add(const WholePart& whole) {
    for (int64_t i = 0; i < whole.part.elements(); ++i) {
      ++elements;
      const Interval accepted = whole.at(i);
      if (accepted.any()) continue;
      const int64_t more = int64_t(accepted.high) - accepted.low;
      more == 0 ? void(++single) : open.push_back(more);
    }
  }

  double share() const { return elements == 0 ? 1 : double(single) / double(elements); }

  /// Median over all intervals; an interval with one code counts as 0.
  int64_t median() {
    if (int64_t(open.size()) * 2 <= elements) return 0;
    const auto middle = open.begin() + std::ptrdiff_t(open.size()) - std::ptrdiff_t(elements / 2) - 1;
    std::nth_element(open.begin(), middle, open.end());
    return *middle;
  }
  int64_t widest() const { return open.empty() ? 0 : *std::max_element(open.begin(), open.end()); }
};

/// Rounds down, so that 99.9997 % is never printed as 100 %.
std::string percent(double share) { return fmt::format("{:.3f} %", std::floor(share * 100000) / 1000); }

std::string row_of(const std::string& output, std::map<std::string, Widths>& contracts) {
  Widths all;
  for (const auto& [contract, widths] : contracts) {
    all.elements += widths.elements;
    all.single += widths.single;
  }
  const auto loosest = std::min_element(contracts.begin(), contracts.end(),
                                        [](const auto& a, const auto& b) { return a.second.share() < b.second.share(); });
  return fmt::format("| {} | {} | {} | {} | {} | {} | {} | {} |\n", output, contracts.size(), all.elements, percent(all.share()),
                     loosest->first, percent(loosest->second.share()), loosest->second.median(), loosest->second.widest());
}

}  // namespace

std::string sharpness_table(std::span<const Op> ops, const std::vector<Case>& cases) {
  std::string table =
      "| op, output | contracts | elements | one code | loosest contract | one code | median width | widest |\n"
      "|---|---|---|---|---|---|---|---|\n";
  for (const Op& op : ops) {
    std::map<std::string, std::map<std::string, Widths>> outputs;  // key: output and format; then contract
    std::set<std::string> data;
    for (const Case& one : cases) {
      if (one.op != op.name || !data.insert(one.data_id()).second) continue;
      const std::unique_ptr<const BoundCase> bound = op.bind(one), excerpt = bound->excerpt();
      const BoundCase& few = excerpt ? *excerpt : *bound;
      const Problem problem = few.problem();
      for (const WholePart& whole : computed(few.expect(problem, nullptr)))
        outputs[fmt::format("{}, {} {}", op.name, whole.part.label(), whole.part.format->name)][one.text("contract")].add(whole);
    }
    for (auto& [output, contracts] : outputs) table += row_of(output, contracts);
  }
  return table;
}

}  // namespace assay
