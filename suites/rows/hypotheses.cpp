#include <algorithm>
#include <functional>
#include <memory>
#include <set>

#include "suites/contract_edits.h"
#include "suites/rows/expect.h"
#include "suites/rows/packing_edits.h"
#include "suites/rows/places.h"
#include "suites/rows/tail_edit.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

/// Storage offset of a scale, by row of scales and group.
using ScaleOffsets = std::function<int64_t(int64_t row, int64_t group)>;

ScaleOffsets offsets_of(const RowCase& c, const Layout& layout) {
  return [placed = std::make_shared<const ScalePlaces>(layout, c)](int64_t row, int64_t group) {
    return placed->offset(row, group);
  };
}

/// The same, as if all rows belonged to one matrix instead of to experts.
ScaleOffsets offsets_as_one_matrix(const RowCase& c) {
  RowCase one = c;
  one.groups = {};
  one.m = c.stored_rows();
  return [c, placed = std::make_shared<const ScalePlaces>(one)](int64_t row, int64_t group) {
    return placed->offset(c.stored_row(row), group);
  };
}

/// Rows of scales used to distinguish layouts: all rows, or the first and last ones if there are many.
std::vector<int64_t> telling_rows(const RowCase& c) {
  constexpr int64_t kMost = 1024;
  const int64_t rows = c.rows_of_scales(), ends = std::min(rows, kMost);
  std::vector<int64_t> telling;
  for (int64_t r = 0; r < rows; r = (r + 1 == ends / 2 ? rows - (ends - ends / 2) : r + 1)) telling.push_back(r);
  return telling;
}

std::vector<int64_t> offsets_at(const RowCase& c, const ScaleOffsets& offsets) {
  std::vector<int64_t> all;
  for (const int64_t r : telling_rows(c))
    for (int64_t g = 0; g < c.scales_of_row(); ++g) all.push_back(offsets(r, g));
  return all;
}

/// The contract's own scales, stored where another layout would put them.
Hypothesis stored_as(const RowCase& c, const Contract& contract, const ScaleOffsets& offsets) {
  return {"", [c, contract, offsets](const Problem& problem, const std::vector<HostTensor>* outputs) {
            Expectation expectation = expect_rows(contract, c, problem, outputs, {.explains = false});
            Part& scale = expectation.any_of.front().parts.back();
            scale.places = Places::of_elements(offsets);
            scale.padding = nullptr;
            return expectation;
          }};
}

/// Given scales, read from where another layout would have put them.
Hypothesis read_as(RowCase c, const Contract& contract, const Layout& other) {
  c.scales.block().layout = &other;
  return {"", [c, contract](const Problem& problem, const std::vector<HostTensor>* outputs) {
            return expect_rows(contract, c, problem, outputs, {.explains = false});
          }};
}

/// Other layouts of the same element type that use other offsets of the same storage. Layouts with equal offsets count once.
std::vector<Hypothesis> layout_hypotheses(const RowCase& c, const Contract& contract) {
  const bool given = contract.group_quant()->takes_scales();
  const ScalePlaces own(c);
  std::set<std::vector<int64_t>> seen = {offsets_at(c, offsets_of(c, *c.layout()))};
  std::vector<Hypothesis> hypotheses;
  for (const Layout& other : rulebook().layouts) {
    if (!(*other.type == *c.layout()->type) || !(*other.element == *c.layout()->element)) continue;
    const ScaleOffsets offsets = offsets_of(c, other);
    const std::vector<int64_t> telling = offsets_at(c, offsets);
    const std::set<int64_t> apart(telling.begin(), telling.end());
    if (*apart.rbegin() >= own.storage_elements() || (!given && apart.size() < telling.size())) continue;
    if (!seen.insert(telling).second) continue;
    hypotheses.push_back(given ? read_as(c, contract, other) : stored_as(c, contract, offsets));
    hypotheses.back().name = "scale layout: " + c.layout()->id + " -> " + other.id;
  }
  if (!c.groups.any()) return hypotheses;
  const ScaleOffsets offsets = offsets_as_one_matrix(c);
  if (!seen.insert(offsets_at(c, offsets)).second) return hypotheses;
  hypotheses.push_back(stored_as(c, contract, offsets));
  hypotheses.back().name = "scale layout: all experts as one matrix";
  return hypotheses;
}

/// Rows with gaps, read as if they were contiguous.
Hypothesis rows_read_without_gaps(const RowCase& c, const Contract& contract) {
  return {"x: rows are read without the gaps between them",
          [c, contract](const Problem& problem, const std::vector<HostTensor>* outputs) {
            return expect_rows(contract, c, problem, outputs, {.pitch = c.n, .explains = false});
          }};
}

/// Packed 4-bit codes with the first code in the upper half of the byte.
Hypothesis halves_swapped(const RowCase& c, const Contract& contract) {
  return {"q: the halves of each byte swapped", [c, contract](const Problem& problem, const std::vector<HostTensor>* outputs) {
            Expectation expectation = expect_rows(contract, c, problem, outputs, {.explains = false});
            Part& q = expectation.any_of.front().parts.front();
            const Places right = q.places;
            q.places = Places::of_elements([right, n = c.n](int64_t row, int64_t column) { return right.of(row, column, n) ^ 1; });
            return expectation;
          }};
}

/// The scale of the outer level, taken for another.
std::vector<Hypothesis> outer_scale_hypotheses(const RowCase& c, const Contract& contract) {
  std::vector<Hypothesis> all;
  const auto add = [&](const char* name, OuterReading reading) {
    all.push_back({name, [c, contract, reading](const Problem& problem, const std::vector<HostTensor>* outputs) {
                     return expect_rows(contract, c, problem, outputs, {.outer = reading, .explains = false});
                   }});
  };
  add("global_scale: taken as 1", OuterReading::kOne);
  add("global_scale: its reciprocal", OuterReading::kReciprocal);
  if (c.outer_scales() == 1) return all;
  add("global_scale: of the first rows", OuterReading::kFirst);
  add("global_scale: of the next rows", OuterReading::kNext);
  return all;
}

/// What can go wrong around the numbers: where scales are stored, as which bytes, and how much of x is read.
std::vector<Hypothesis> storage_hypotheses(const RowCase& c, const Neighbour& base) {
  std::vector<Hypothesis> hypotheses = {tail_hypothesis(c, base.contract)};
  if (c.row_stride > c.n && c.m > 1) hypotheses.push_back(rows_read_without_gaps(c, base.contract));
  if (!c.layout()) return hypotheses;
  if (base.contract.group_quant()->q->bits == 4) hypotheses.push_back(halves_swapped(c, base.contract));
  for (Hypothesis& hypothesis : layout_hypotheses(c, base.contract)) hypotheses.push_back(std::move(hypothesis));
  if (c.scales.outer())
    for (Hypothesis& hypothesis : outer_scale_hypotheses(c, base.contract)) hypotheses.push_back(std::move(hypothesis));
  if (base.contract.group_quant()->takes_scales()) return hypotheses;
  for (Hypothesis& hypothesis : packing_hypotheses(c, base)) hypotheses.push_back(std::move(hypothesis));
  return hypotheses;
}

using SharedCase = std::shared_ptr<const RowCase>;
using SharedNeighbour = std::shared_ptr<const Neighbour>;

Hypothesis of_contract(const SharedCase& c, const SharedNeighbour& neighbour, const std::shared_ptr<FirstRow>& first) {
  const auto expect = [c, neighbour, first](const Problem& problem, const std::vector<HostTensor>* outputs) {
    return expect_mistake(neighbour, c, problem, outputs, first);
  };
  Hypothesis made{neighbour->name, expect, rulebook().equivalent(c->contract, *c->x, neighbour->name)};
  made.suspect = neighbour->suspect;
  made.rounds_result = neighbour->kind == EditKind::kRoundingOfResult;
  return made;
}

/// Each mutant of the contract combined with one of these storage mistakes; named after the contract's mutant.
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

std::vector<Hypothesis> row_hypotheses(const SharedCase& shared) {
  const RowCase& c = *shared;
  const Neighbour right = unedited(rulebook().contracts, c.contract, *c.x);
  const auto first_row = std::make_shared<FirstRow>();
  std::vector<Hypothesis> hypotheses;
  for (const SharedNeighbour& first : contract_edits(c.contract, *c.x)) {
    hypotheses.push_back(of_contract(shared, first, first_row));
    hypotheses.back().with_another = [shared, first, first_row] {
      std::vector<Hypothesis> pairs;
      for (Neighbour& second : neighbours_of(rulebook().contracts, *first, *shared->x))
        pairs.push_back(of_contract(shared, std::make_shared<const Neighbour>(std::move(second)), first_row));
      for (Hypothesis& second : storage_hypotheses(*shared, *first)) pairs.push_back(std::move(second));
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
