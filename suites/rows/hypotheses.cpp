#include "reference/contracts/neighbours.h"
#include "suites/rows/expect.h"
#include "suites/rows/packing_edits.h"
#include "suites/rows/tail_edit.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

/// The contract's own scales, found where another layout would have put them. Empty if they would not fit.
std::optional<Hypothesis> other_layout(const RowCase& c, const Contract& contract, const Layout& other) {
  const PlacedLayout own(*c.layout, c.rows_of_groups(), c.groups()), placed(other, c.rows_of_groups(), c.groups());
  std::vector<int64_t> offsets;
  bool same = true;
  for (int64_t r = 0; r < c.rows_of_groups(); ++r) {
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

/// What can go wrong around the numbers: where scales are stored, as which bytes, and how much of x is read.
std::vector<Hypothesis> storage_hypotheses(const RowCase& c, const Neighbour& base) {
  std::vector<Hypothesis> hypotheses = {tail_hypothesis(c, base.contract)};
  if (!c.layout || base.contract.group_quant()->scale_given) return hypotheses;
  for (const Layout& other : rulebook().layouts) {
    if (other.id == c.layout->id || !(*other.type == *c.layout->type) || !(*other.element == *c.layout->element)) continue;
    if (auto hypothesis = other_layout(c, base.contract, other)) hypotheses.push_back(std::move(*hypothesis));
  }
  for (Hypothesis& hypothesis : packing_hypotheses(c, base)) hypotheses.push_back(std::move(hypothesis));
  return hypotheses;
}

Hypothesis of_contract(const RowCase& c, const Neighbour& neighbour) {
  const auto expect = [c, contract = neighbour.contract](const Problem& problem, const std::vector<HostTensor>* outputs) {
    return expect_rows(contract, c, problem, outputs);
  };
  return {neighbour.name, expect, rulebook().equivalent(c.contract, *c.x, neighbour.name)};
}

/// The contract with each of its mistakes and then one of those around the numbers; named by the contract's.
std::vector<Hypothesis> with_contract_mistakes(const RowCase& c, const Neighbour& right, const std::string& storage) {
  std::vector<Hypothesis> pairs;
  for (const Neighbour& first : neighbours_of(rulebook().contracts, right, *c.x)) {
    for (Hypothesis& second : storage_hypotheses(c, first)) {
      if (second.name != storage) continue;
      second.name = first.name;
      second.in_words = nullptr;
      pairs.push_back(std::move(second));
    }
  }
  return pairs;
}

}  // namespace

std::vector<Hypothesis> row_hypotheses(const RowCase& c) {
  const ContractTables& tables = rulebook().contracts;
  const Neighbour right = unedited(tables, c.contract, *c.x);
  std::vector<Hypothesis> hypotheses;
  for (const Neighbour& first : neighbours_of(tables, right, *c.x)) {
    hypotheses.push_back(of_contract(c, first));
    hypotheses.back().with_another = [c, first] {
      std::vector<Hypothesis> pairs;
      for (const Neighbour& second : neighbours_of(rulebook().contracts, first, *c.x)) pairs.push_back(of_contract(c, second));
      for (Hypothesis& second : storage_hypotheses(c, first)) pairs.push_back(std::move(second));
      return pairs;
    };
  }
  for (Hypothesis& hypothesis : storage_hypotheses(c, right)) {
    hypothesis.with_another = [c, right, name = hypothesis.name] { return with_contract_mistakes(c, right, name); };
    hypotheses.push_back(std::move(hypothesis));
  }
  return hypotheses;
}

}  // namespace assay
