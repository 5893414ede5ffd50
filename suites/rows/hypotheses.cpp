#include "reference/contracts/neighbours.h"
#include "suites/rows/expect.h"
#include "suites/rows/packing_edits.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

/// The contract's own scales, found where another layout would have put them. Empty if they would not fit.
std::optional<Hypothesis> other_layout(const RowCase& c, const Contract& contract, const Layout& other) {
  const PlacedLayout own(*c.layout, c.m, c.groups()), placed(other, c.m, c.groups());
  std::vector<int64_t> offsets;
  bool same = true;
  for (int64_t r = 0; r < c.m; ++r) {
    for (int64_t g = 0; g < c.groups(); ++g) {
      offsets.push_back(placed.offset(r, g));
      if (offsets.back() >= own.storage_elements()) return std::nullopt;
      same = same && offsets.back() == own.offset(r, g);
    }
  }
  if (same) return std::nullopt;
  const auto expect = [c, contract, offsets](const Problem& problem, const std::vector<HostTensor>* outputs) {
    Expectation expectation = expect_rows(contract, c, problem, outputs);
    expectation.tensors.back().offset = offsets;
    expectation.tensors.back().padding.clear();
    return expectation;
  };
  return Hypothesis{"scale layout: " + c.layout->id + " -> " + other.id, expect};
}

}  // namespace

std::vector<Hypothesis> row_hypotheses(const RowCase& c) {
  std::vector<Hypothesis> hypotheses;
  for (const Neighbour& neighbour : neighbours(rulebook().contracts, c.contract, *c.x)) {
    hypotheses.push_back({neighbour.name, [c, contract = neighbour.contract](const Problem& problem, const std::vector<HostTensor>* outputs) {
                            return expect_rows(contract, c, problem, outputs);
                          },
                          rulebook().equivalent(c.contract, *c.x, neighbour.name)});
  }
  if (!c.layout) return hypotheses;
  const Contract contract = bind(rulebook().contracts, c.contract, *c.x);
  for (const Layout& other : rulebook().layouts) {
    if (other.id == c.layout->id || !(*other.type == *c.layout->type) || !(*other.element == *c.layout->element)) continue;
    if (auto hypothesis = other_layout(c, contract, other)) hypotheses.push_back(std::move(*hypothesis));
  }
  for (Hypothesis& hypothesis : packing_hypotheses(c)) hypotheses.push_back(std::move(hypothesis));
  return hypotheses;
}

}  // namespace assay
