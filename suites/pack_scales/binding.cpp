#include <fmt/format.h>

#include <algorithm>

#include "harness/core/callback_op.h"
#include "reference/flow/flow.h"
#include "suites/ops.h"
#include "suites/pack_scales/expect.h"
#include "suites/pack_scales/words.h"
#include "suites/rows/layout_words.h"
#include "suites/rows/roles.h"
#include "suites/rows/tensors.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

/// Scales of an excerpt: every fill has repeated itself by then.
constexpr int64_t kExcerptScales = 1 << 16;

Case excerpt(Case c) {
  const PackCase p = read_pack_case(c);
  const int64_t rows = std::max<int64_t>(1, kExcerptScales / p.n) + 3;
  if (p.m > rows && p.ends.empty()) c.parameters["m"] = std::to_string(rows / 4 * 4);
  return c;
}

/// An excerpt tells of a fill whether its scales lie in the domain: tables are read in every run, and some of their cases are large.
/// What is made for a call is looked at in full.
Case validate(Case c) {
  const PackCase p = read_pack_case(c), few = read_pack_case(excerpt(c));
  if (few.packing.zero_bits != 0) require_domain(c, few, scales_of(few));
  const std::string groups = p.ends.empty() ? "" : fmt::format(".ends{}.a{}", fmt::join(p.ends, "-"), p.alignment);
  c.set_name({c.op, p.row->id, fmt::format("m{}.n{}{}.{}.{}", p.m, p.n, groups, p.from->id, p.to->id),
              fmt::format("{}.s{}", p.fill, p.seed), p.warp});
  return c;
}

Problem problem(const Case& c) {
  const PackCase p = read_pack_case(c);
  const PlacedLayout to(*p.to, p.m, p.n);
  HostTensor x = scales_of(p);
  require_domain(c, p, x);
  HostTensor scale{{"scale", Role::kOutput, p.to->type, to.shape(), to.strides(), to.storage()}, {}};
  Problem made{{std::move(x), std::move(scale)}, {{"warp", double(p.warp)}}};
  if (p.ends.empty()) return made;
  made.tensors.insert(made.tensors.begin() + 1, input_integers("psum_layout", p.ends));
  made.parameters.emplace_back("m_alignment", double(p.alignment));
  return made;
}

Shrinking shrink(const Case& c, const std::map<std::string, int64_t>&) {
  const PackCase p = read_pack_case(c);
  Shrinking all;
  if (p.ends.empty()) all.axes.push_back({p.m, [](int64_t m) { return std::map<std::string, std::string>{{"m", std::to_string(m)}}; }});
  all.axes.push_back({p.n, [](int64_t n) { return std::map<std::string, std::string>{{"n", std::to_string(n)}}; }});
  all.elements = p.m * p.n;
  return all;
}

}  // namespace

Op pack_scales_op() {
  CallbackOp op;
  op.name = "pack_scales";
  op.roles = {{"x", Access::kIn, "the fp32 scales, m rows of n, in the layout that the case takes them in"},
              {"psum_layout", Access::kIn, "[groups] int32: the row where each group of rows ends; of cases with groups"},
              {"scale", Access::kOut, "the packed scales, in the layout that their consumer reads"}};
  op.parameters = {{"m_alignment", "rows that groups begin at a multiple of; of cases with groups"}, roles::kWarp};
  op.takes = [](const std::string& contract) { return rulebook().is_row(contract, FlowKind::kPacking); };
  op.columns = {"contract", "m", "n", "tokens", "alignment", "takes", "layout", "fill", "seed", "warp"};
  op.optional_columns = {"tokens", "alignment"};
  op.validate = validate;
  op.problem = problem;
  op.expect = [](const Case& c, const Problem& made, const std::vector<HostTensor>*) {
    const PackCase p = read_pack_case(c);
    return expect_packed(p, p.packing, made);
  };
  op.neighbours = [](const Case& c) { return pack_hypotheses(read_pack_case(c)); };
  op.excerpt = excerpt;
  op.formulas = [](const Case& c) { return pack_lines(read_pack_case(c).packing); };
  op.layouts = [](const Case& c) {
    const PackCase p = read_pack_case(c);
    std::vector<std::string> lines = layout_lines("x", *p.from, "");
    for (std::string& line : layout_lines("scale", *p.to, p.row->text("pad"))) lines.push_back(std::move(line));
    return lines;
  };
  op.shrink = shrink;
  op.trace = [](const Case& c, const Problem& made, int64_t row, int64_t column) {
    return trace_word(read_pack_case(c), made, row, column);
  };
  return bindable(std::move(op));
}

}  // namespace assay
