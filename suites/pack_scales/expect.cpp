#include "suites/pack_scales/expect.h"

#include <algorithm>
#include <set>

#include "suites/rows/padding.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

/// A packing mutant, or a layout mutant of the input or the output.
Hypothesis of(const PackCase& c, const PackingNeighbour& wrong) {
  return {wrong.name,
          [c, wrong](const Problem& problem, const std::vector<HostTensor>*) { return expect_packed(c, wrong.packing, problem); },
          rulebook().equivalent(c.row->id, *c.from->type, wrong.name)};
}

std::vector<int64_t> places(const Layout& layout, int64_t m, int64_t columns) {
  const PlacedLayout placed(layout, m, columns);
  std::vector<int64_t> all;
  for (int64_t r = 0; r < m; ++r)
    for (int64_t g = 0; g < columns; ++g) all.push_back(placed.offset(r, g));
  return all;
}

/// Calls f(layout) for layouts of the same element type with other offsets in the same storage.
template <class F>
void for_each_other(const Layout& own, int64_t m, int64_t n, F f) {
  const PlacedLayout placed(own, m, n);
  std::set<std::vector<int64_t>> seen = {places(own, m, n)};
  for (const Layout& other : rulebook().layouts) {
    if (!(*other.type == *own.type) || !(*other.element == *own.element)) continue;
    const std::vector<int64_t> offsets = places(other, m, n);
    const std::set<int64_t> apart(offsets.begin(), offsets.end());
    if (*apart.rbegin() < placed.storage_elements() && apart.size() == offsets.size() && seen.insert(offsets).second) f(other);
  }
}

}  // namespace

std::vector<uint32_t> word_values(const PackCase& c, const Packing& packing, const HostTensor& x, int64_t row, int64_t word) {
  const PlacedLayout layout(*c.from, c.m, c.n);
  std::vector<uint32_t> values;
  for (int64_t g = word * c.values(); g < (word + 1) * c.values(); ++g)
    values.push_back(g < c.n ? x.code(layout.offset(row, g)) : packing.absent);
  return values;
}

Expectation expect_packed(const PackCase& c, const Packing& packing, const Problem& problem) {
  const HostTensor& x = find(problem.tensors, "x");
  const PlacedLayout to(*c.to, c.m, c.n);
  const Format& element = *c.to->element;
  const int64_t words = to.cols() / c.values();
  const std::vector<int64_t> rows = c.rows();
  WholePart scale{{"scale", &element, {int64_t(rows.size()), to.cols()}, "moved and packed, nothing is rounded: one code"}, {}, {}};
  for (int64_t r : rows) {
    for (int64_t w = 0; w < words; ++w) {
      const uint32_t word = packing.word.of(word_values(c, packing, x, r, w));
      for (int64_t j = 0; j < c.values(); ++j) {
        const uint32_t mask = element.bits == 32 ? ~0u : (1u << element.bits) - 1;
        scale.low.push_back(ordinal(element, word >> (element.bits * j) % 32 & mask));
      }
    }
  }
  scale.part.places = Places::of_elements([to, rows](int64_t row, int64_t column) { return to.offset(rows[size_t(row)], column); });
  scale.part.padding = [c, to](const std::function<void(const Padding&)>& visit) {
    const std::string& pad = c.row->text("pad");
    for (int64_t r = 0; r < to.rows(); ++r) {
      if (c.holds_scales(r)) continue;
      for (int64_t g = 0; g < to.cols(); ++g)
        if (to.holds(r, g)) visit({to.offset(r, g), {r, g}, padding_rule(pad, r < c.m ? "gaps" : "rows")});
    }
  };
  return expectation_of({std::move(scale)});
}

std::vector<Hypothesis> pack_hypotheses(const PackCase& c) {
  std::vector<Hypothesis> all;
  for (const PackingNeighbour& neighbour : neighbours(c.packing)) all.push_back(of(c, neighbour));
  for_each_other(*c.from, c.m, c.n, [&](const Layout& other) {
    PackCase misread = c;
    misread.from = &other;
    all.push_back(of(misread, {"x layout: " + c.from->id + " -> " + other.id, c.packing}));
  });
  for_each_other(*c.to, c.m, PlacedLayout(*c.to, c.m, c.n).cols(), [&](const Layout& other) {
    PackCase misplaced = c;
    misplaced.to = &other;
    Hypothesis hypothesis = of(misplaced, {"scale layout: " + c.to->id + " -> " + other.id, c.packing});
    hypothesis.expect = [stored = hypothesis.expect](const Problem& problem, const std::vector<HostTensor>* outputs) {
      Expectation expectation = stored(problem, outputs);
      expectation.any_of.front().parts.back().padding = nullptr;
      return expectation;
    };
    all.push_back(std::move(hypothesis));
  });
  return all;
}

}  // namespace assay
