// The op pack_scales: its case, the packed words that it accepts, its mutants, and text about a packing.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "harness/core/case.h"
#include "harness/core/op.h"
#include "harness/fill/fill.h"
#include "reference/contracts/tensor_layouts.h"
#include "reference/flow/flow.h"
#include "reference/formats/catalogue.h"
#include "reference/packing/packing.h"
#include "suites/registry.h"
#include "suites/rows/case_cells.h"
#include "suites/rows/row_case.h"
#include "suites/rows/row_tensors.h"
#include "suites/rows/row_text.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

struct PackCase {
  const ContractRow* row = nullptr;
  Packing packing;
  int64_t m = 0, n = 0;          ///< rows, and number of scales per row
  const Layout* from = nullptr;  ///< layout of the fp32 scales
  const Layout* to = nullptr;    ///< layout of the packed scales
  std::string fill;
  uint64_t seed = 0;
  int warp = 0;
  std::vector<int64_t> ends;  ///< for each group of rows, one past its last row; empty: all m rows hold scales, without gaps
  int64_t alignment = 0;      ///< each group begins at a multiple of this number of rows

  /// First row of group `group`. For group = ends.size(): where the next group would begin.
  int64_t begin(size_t group) const;
  /// The rows that hold scales.
  std::vector<int64_t> rows() const;
  bool holds_scales(int64_t row) const;
  /// Number of scales in a word.
  int64_t values() const { return to->type->bits / to->element->bits; }
};

// Reads and checks a case.

const Layout& layout_in(const Cells& cells, const std::string& column) {
  try {
    return rulebook().layout(cells.text(column));
  } catch (const std::out_of_range& error) {
    cells.refuse(column, error.what());
  }
}

/// Reads the groups of rows. Contracts with gaps between groups require them; others reject them.
void read_gaps(const Cells& cells, PackCase& p) {
  const bool wanted = p.row->text("pad").find("gaps:") != std::string::npos;
  const bool given = cells.given("tokens");
  if (wanted != given) cells.refuse("tokens", "contract " + p.row->id + (wanted ? " requires groups of rows" : " has no groups of rows"));
  if (!given) return;
  p.alignment = cells.positive("alignment");
  for (int64_t count : cells.counts("tokens")) p.ends.push_back(p.begin(p.ends.size()) + count);
  if (p.ends.back() > p.m) cells.refuse("m", fmt::format("expected at least {}, where the last group ends, got {}", p.ends.back(), p.m));
}

int64_t PackCase::begin(size_t group) const {
  return group == 0 ? 0 : (ends[group - 1] + alignment - 1) / alignment * alignment;
}

bool PackCase::holds_scales(int64_t row) const {
  if (ends.empty()) return row < m;
  const auto group = size_t(std::upper_bound(ends.begin(), ends.end(), row) - ends.begin());
  return group < ends.size() && row >= begin(group);
}

std::vector<int64_t> PackCase::rows() const {
  std::vector<int64_t> all;
  for (int64_t row = 0; row < m; ++row)
    if (holds_scales(row)) all.push_back(row);
  return all;
}

/// Throws TableError with row and column if the contract is not a packing or does not support the layout.
PackCase read_pack_case(const Case& c) {
  const Cells cells(c);
  PackCase p;
  p.row = &cells.contract();
  if (p.row->flow != &packing_flow())
    cells.refuse("contract", "'" + p.row->id + "' is a " + p.row->flow->name + " contract; expected a pack contract");
  p.packing = read_packing(*p.row);
  p.m = cells.from_zero("m");
  p.n = cells.positive("n");
  p.from = &layout_in(cells, "takes");
  const auto taken = std::find_if(p.packing.takes.begin(), p.packing.takes.end(),
                                  [&](const TakenLayout& one) { return one.layout == p.from->id; });
  if (taken == p.packing.takes.end())
    cells.refuse("takes", "contract " + p.row->id + " takes " + p.row->text("takes") + ", not " + p.from->id);
  if (p.m % taken->multiple != 0)
    cells.refuse("m", fmt::format("contract {} with layout {} requires a multiple of {} rows, got {}", p.row->id, p.from->id,
                                  taken->multiple, p.m));
  p.to = &layout_in(cells, "layout");
  if (p.row->text("layouts") != p.to->id)
    cells.refuse("layout", "contract " + p.row->id + " has layouts " + p.row->text("layouts") + ", not " + p.to->id);
  if (p.values() != int64_t(p.packing.word.terms.size()))
    cells.refuse("layout", fmt::format("layout {} packs {} scales into a word, but contract {} packs {}", p.to->id, p.values(), p.row->id,
                                       p.packing.word.terms.size()));
  read_gaps(cells, p);
  p.fill = cells.fill_name("fill");
  p.seed = uint64_t(cells.positive("seed"));
  p.warp = cells.warp();
  return p;
}

/// Input x: fp32 scales in layout `from`.
HostTensor scales_of(const PackCase& c) {
  const PlacedLayout layout(*c.from, c.m, c.n);
  HostTensor x{{"x", Role::kInput, c.from->type, layout.shape(), layout.strides(), layout.storage()}, {}};
  fill(x, {.name = c.fill, .seed = c.seed, .group_size = 1, .q = &kE4M3Fn, .tensor = 0});
  // gaps hold all-ones bits, as in memory that was never written; a kernel that packs them stores NaN bytes (0xFF)
  for (int64_t r = 0; r < c.m; ++r)
    if (!c.holds_scales(r))
      for (int64_t g = 0; g < c.n; ++g) x.set_code(layout.offset(r, g), ~0u);
  return x;
}

/// Names the first scale for which the contract defines no result, and says why; empty if there is none.
std::string outside_domain(const PackCase& c, const HostTensor& x) {
  if (c.packing.zero_bits == 0) return "";
  const PlacedLayout layout(*c.from, c.m, c.n);
  for (int64_t r : c.rows()) {
    for (int64_t g = 0; g < c.n; ++g) {
      const uint32_t bits = x.code(layout.offset(r, g));
      if ((bits & c.packing.zero_bits) == 0) continue;
      return fmt::format("contract {} requires scales with {}, which are powers of two, but fill '{}' gives {:.9g} "
                         "(0x{:08x}) at [{}, {}]",
                         c.row->id, c.row->text("domain"), c.fill, decode(kF32, bits), bits, r, g);
    }
  }
  return "";
}

// The packed words that a case accepts, and its mutants.

std::vector<int64_t> places(const Layout& layout, int64_t m, int64_t columns) {
  const PlacedLayout placed(layout, m, columns);
  std::vector<int64_t> all;
  for (int64_t r = 0; r < m; ++r)
    for (int64_t g = 0; g < columns; ++g) all.push_back(placed.offset(r, g));
  return all;
}

/// Calls f(layout) for each layout of the same types whose offsets differ but fit into the same storage.
template <class F>
void for_each_other(const Layout& own, int64_t m, int64_t n, F f) {
  const PlacedLayout placed(own, m, n);
  if (m == 0) return;
  std::set<std::vector<int64_t>> seen = {places(own, m, n)};
  for (const Layout& other : rulebook().layouts) {
    if (!(*other.type == *own.type) || !(*other.element == *own.element)) continue;
    const std::vector<int64_t> offsets = places(other, m, n);
    const std::set<int64_t> apart(offsets.begin(), offsets.end());
    if (*apart.rbegin() < placed.storage_elements() && apart.size() == offsets.size() && seen.insert(offsets).second) f(other);
  }
}

/// Bits of the scales that belong into word `word` of a row. If the row has too few scales: the bits that the packing defines.
std::vector<uint32_t> word_values(const PackCase& c, const Packing& packing, const HostTensor& x, int64_t row, int64_t word) {
  const PlacedLayout layout(*c.from, c.m, c.n);
  std::vector<uint32_t> values;
  for (int64_t g = word * c.values(); g < (word + 1) * c.values(); ++g)
    values.push_back(g < c.n ? x.code(layout.offset(row, g)) : packing.absent);
  return values;
}

/// Accepts the scales of x, read in layout c.from, packed, and stored in layout c.to.
Expectation expect_packed(const PackCase& c, const Packing& packing, const Problem& problem) {
  const HostTensor& x = find(problem.tensors, "x");
  const PlacedLayout to(*c.to, c.m, c.n);
  // Contracts that only move fp32 scales must keep all bits, also the bits of NaN.
  const Format& element = c.values() == 1 ? with_nans_by_code(*c.to->element) : *c.to->element;
  const int64_t words = to.cols() / c.values();
  const std::vector<int64_t> rows = c.rows();
  WholePart scale{
      {"scale", &element, {int64_t(rows.size()), to.cols()}, "scales are packed without rounding: one code"}, {}, {}};
  for (int64_t r : rows) {
    for (int64_t w = 0; w < words; ++w) {
      const uint32_t word = packing.word.of(word_values(c, packing, x, r, w));
      for (int64_t j = 0; j < c.values(); ++j) {
        const uint32_t mask = element.bits == 32 ? ~0u : (1u << element.bits) - 1;
        scale.low.push_back(ordinal(element, word >> (element.bits * j) % 32 & mask));
      }
    }
  }
  scale.part.places =
      Places::of_elements([to, rows](int64_t row, int64_t column) { return to.offset(rows[size_t(row)], column); });
  scale.part.padding = [c, to](const std::function<void(const Padding&)>& visit) {
    const std::string& pad = c.row->text("pad");
    for (int64_t r = 0; r < to.rows(); ++r) {
      if (c.holds_scales(r)) continue;
      for (int64_t g = 0; g < to.cols(); ++g)
        if (const std::optional<int64_t> at = to.offset_within(r, g))
          visit({*at, {r, g}, padding_rule(pad, r < c.m ? "gaps" : "rows")});
    }
  };
  return expectation_of({std::move(scale)});
}

/// A mutant of the packing. If `c` has a wrong layout for its input or output: a mutant of this layout.
Hypothesis of(const PackCase& c, const PackingNeighbour& wrong) {
  return {wrong.name,
          [c, wrong](const Problem& problem, const std::vector<HostTensor>*) { return expect_packed(c, wrong.packing, problem); },
          rulebook().equivalent(c.row->id, *c.from->type, wrong.name)};
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

// Text about a packing: its formulas, and the trace of a word.

std::string scale_text(uint32_t bits) { return fmt::format("0x{:08x} = {:.9g}", bits, decode(kF32, bits)); }

std::string byte_text(const Format& element, uint32_t code) {
  return fmt::format("0x{:02x} = {:.9g}", code, decode(element, code));
}

/// Names the fields of an fp32 number in which `bits` has a 1: mantissa, exponent, sign.
std::string fields_of(uint32_t bits) {
  const uint32_t sign = 1u << (kF32.bits - 1), mantissa = (1u << kF32.mantissa_bits) - 1;
  std::string text = bits & mantissa ? "mantissa" : "";
  if (bits & ~sign & ~mantissa) text += text.empty() ? "exponent" : " and exponent";
  if (bits & sign) text += text.empty() ? "sign" : " and sign";
  return text;
}

/// The bits of `value` that the term moves to the bits `into` of the word.
uint32_t moved_from(const WordTerm& term, uint32_t value, uint32_t into) {
  uint32_t from = 0;
  for (uint32_t bit = 1; bit != 0; bit <<= 1)
    if ((value & bit) != 0 && (term.of(bit) & into) != 0) from |= bit;
  return from;
}

/// Trace of the word that holds the scale [judged, column]: each value, each term, and the bits that overlap another byte.
/// `judged` counts only rows with scales.
std::vector<std::string> trace_word(const PackCase& c, const Problem& problem, int64_t judged, int64_t column) {
  const std::vector<int64_t> rows = c.rows();
  if (judged >= int64_t(rows.size())) return {fmt::format("row {} holds no scales; only {} rows hold scales", judged, rows.size())};
  const int64_t row = rows[size_t(judged)];
  const int64_t index = column / c.values();
  const std::vector<uint32_t> values = word_values(c, c.packing, find(problem.tensors, "x"), row, index);
  const Format& element = *c.to->element;
  std::vector<std::string> lines = {fmt::format("word [{}, {}]: scales {} to {} of row {}", row, index, index * c.values(),
                                                index * c.values() + c.values() - 1, row)};
  for (size_t i = 0; i < values.size(); ++i)
    lines.push_back(fmt::format("  v{}    {}{}", i, scale_text(values[i]),
                                index * c.values() + int64_t(i) < c.n ? "" : "   (the row has no such scale)"));
  for (const WordTerm& term : c.packing.word.terms)
    lines.push_back(fmt::format("  {:<18} 0x{:08x}", term.text(), term.of(values[size_t(term.value)])));
  const uint32_t word = c.packing.word.of(values);
  lines.push_back(fmt::format("  word               0x{:08x}", word));
  if (values.size() == 1) return lines;
  for (size_t i = 0; i < values.size(); ++i) {
    const uint32_t place = ((1u << element.bits) - 1) << (size_t(element.bits) * i);
    const uint32_t code = (word & place) >> (size_t(element.bits) * i);
    std::string line = fmt::format("  byte {}  {}", i, byte_text(element, code));
    for (const WordTerm& term : c.packing.word.terms) {
      const uint32_t foreign = term.of(values[size_t(term.value)]) & place;
      if (size_t(term.value) == i || foreign == 0) continue;
      line += fmt::format("; its bits 0x{:02x} are the {} of v{}", foreign >> (size_t(element.bits) * i),
                          fields_of(moved_from(term, values[size_t(term.value)], foreign)), term.value);
    }
    lines.push_back(line);
  }
  return lines;
}

/// Number of scales in a subsample.
constexpr int64_t kExcerptScales = 1 << 16;

class BoundPacking : public BoundCase {
 public:
  BoundPacking(PackCase c, CaseName name) : c_(std::move(c)), name_(std::move(name)) {}

  CaseName name() const override { return name_; }
  Problem problem() const override {
    const PlacedLayout to(*c_.to, c_.m, c_.n);
    HostTensor x = scales_of(c_);
    if (const std::string why = outside_domain(c_, x); !why.empty()) throw std::invalid_argument(why);
    HostTensor scale{{"scale", Role::kOutput, c_.to->type, to.shape(), to.strides(), to.storage()}, {}};
    Problem made{{std::move(x), std::move(scale)}, {{"warp", double(c_.warp)}}};
    if (c_.ends.empty()) return made;
    made.tensors.insert(made.tensors.begin() + 1, input_integers("psum_layout", c_.ends));
    made.parameters.emplace_back("m_alignment", double(c_.alignment));
    return made;
  }
  Expectation expect(const Problem& problem, const std::vector<HostTensor>*) const override {
    return expect_packed(c_, c_.packing, problem);
  }
  std::vector<Hypothesis> mutants() const override { return pack_hypotheses(c_); }
  std::unique_ptr<const BoundCase> excerpt() const override {
    PackCase few = few_rows(c_);
    return few.m == c_.m ? nullptr : std::make_unique<const BoundPacking>(std::move(few), name_);
  }
  std::vector<std::string> formulas() const override { return pack_lines(c_.packing); }
  std::vector<std::string> trace(const Problem& problem, int64_t row, int64_t column) const override {
    return trace_word(c_, problem, row, column);
  }
  std::vector<std::string> layouts() const override {
    std::vector<std::string> lines = layout_lines("x", *c_.from, "");
    // If a row has fewer scales than its last word holds, the packing defines the rest of the word; the layout does not.
    const std::string absent = fmt::format("must be {:#x}", c_.packing.absent);
    for (std::string& line : layout_lines("scale", *c_.to, c_.row->text("pad"), absent)) lines.push_back(std::move(line));
    return lines;
  }
  std::optional<Shrinking> shrinking(const std::map<std::string, int64_t>&) const override {
    const auto axis = [](const char* column, int64_t now) {
      return ShrinkAxis{now, [column](int64_t units) { return CellChanges{{column, std::to_string(units)}}; }};
    };
    Shrinking all;
    if (c_.ends.empty()) all.axes.push_back(axis("m", c_.m));
    all.axes.push_back(axis("n", c_.n));
    all.elements = c_.m * c_.n;
    return all;
  }

  /// Within these rows every input generator repeats its pattern.
  static PackCase few_rows(PackCase c) {
    const int64_t rows = std::max<int64_t>(1, kExcerptScales / c.n) + 3;
    if (c.m > rows && c.ends.empty()) c.m = rows / 4 * 4;
    return c;
  }

 private:
  const PackCase c_;
  const CaseName name_;
};

/// Throws TableError if the contract defines no result for some generated scale. Only a subsample is checked here, because every
/// run reads all tables and some cases are large. All scales are checked before a call.
std::unique_ptr<const BoundCase> bind_packing(const Case& c) {
  PackCase p = read_pack_case(c);
  const PackCase few = BoundPacking::few_rows(p);
  if (few.packing.zero_bits != 0)
    if (const std::string why = outside_domain(few, scales_of(few)); !why.empty()) Cells(c).refuse("fill", why);
  const std::string groups = p.ends.empty() ? "" : fmt::format(".ends{}.a{}", fmt::join(p.ends, "-"), p.alignment);
  CaseName name = {c.op, p.row->id, fmt::format("m{}.n{}{}.{}.{}", p.m, p.n, groups, p.from->id, p.to->id),
                   fmt::format("{}.s{}", p.fill, p.seed), p.warp};
  return std::make_unique<const BoundPacking>(std::move(p), std::move(name));
}

}  // namespace

std::vector<std::string> pack_lines(const Packing& packing) {
  std::vector<std::string> lines = {"word  = " + packing.word.text() +
                                    "   (v0, v1, ..: bits of neighbouring fp32 scales of a row; 0 after the last scale of a row)"};
  if (packing.word.terms.size() > 1) lines.push_back("scale = the bytes of the words, lowest first");
  if (packing.zero_bits != 0)
    lines.push_back(fmt::format("requires scales with bits & 0x{:08x} = 0: powers of two, 0 and Inf", packing.zero_bits));
  return lines;
}

Op pack_scales_op() {
  return {.name = "pack_scales",
          .roles = {{"x", Access::kIn, "the fp32 scales, m rows of n, in the layout `takes` of the case"},
                    {"psum_layout", Access::kIn, "[groups] int32: end row of each group; only in cases with groups of rows"},
                    {"scale", Access::kOut, "the packed scales, in the layout that their consumer reads"}},
          .parameters = {{"m_alignment", "the first row of each group is a multiple of this number; only in cases with groups of rows"},
                         roles::kWarp},
          .columns = {"contract", "m", "n", "tokens", "alignment", "takes", "layout", "fill", "seed", "warp"},
          .optional_columns = {"tokens", "alignment"},
          .takes = [](const std::string& contract) { return rulebook().is_row(contract, packing_flow()); },
          .bind = bind_packing};
}

}  // namespace assay
