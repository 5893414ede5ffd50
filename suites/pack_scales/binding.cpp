#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "reference/flow/flow.h"
#include "reference/packing/packing.h"
#include "suites/ops.h"
#include "suites/pack_scales/expect.h"
#include "suites/pack_scales/words.h"
#include "suites/rows/cells.h"
#include "suites/rows/layout_words.h"
#include "suites/rows/roles.h"
#include "suites/rows/tensors.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

/// Scales of a subsample.
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
    for (std::string& line : layout_lines("scale", *c_.to, c_.row->text("pad"))) lines.push_back(std::move(line));
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

  /// Enough rows for every generator to repeat.
  static PackCase few_rows(PackCase c) {
    const int64_t rows = std::max<int64_t>(1, kExcerptScales / c.n) + 3;
    if (c.m > rows && c.ends.empty()) c.m = rows / 4 * 4;
    return c;
  }

 private:
  const PackCase c_;
  const CaseName name_;
};

/// Checks on a subsample whether a generator's scales are in the domain, since tables are read in every run and some cases are
/// large. A problem for a call is checked completely.
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

Op pack_scales_op() {
  return {.name = "pack_scales",
          .roles = {{"x", Access::kIn, "the fp32 scales, m rows of n, placed by the case's input layout"},
                    {"psum_layout", Access::kIn, "[groups] int32: end row of each group; only in cases with groups of rows"},
                    {"scale", Access::kOut, "the packed scales, in the layout that their consumer reads"}},
          .parameters = {{"m_alignment", "alignment of the first row of each group; only in cases with groups of rows"}, roles::kWarp},
          .columns = {"contract", "m", "n", "tokens", "alignment", "takes", "layout", "fill", "seed", "warp"},
          .optional_columns = {"tokens", "alignment"},
          .takes = [](const std::string& contract) { return rulebook().is_row(contract, packing_flow()); },
          .bind = bind_packing};
}

}  // namespace assay
