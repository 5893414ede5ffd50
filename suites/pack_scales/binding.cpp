#include "suites/pack_scales/binding.h"

#include <fmt/format.h>

#include <algorithm>

#include "suites/pack_scales/expect.h"
#include "suites/pack_scales/words.h"
#include "suites/rows/tensors.h"

namespace assay {
namespace {

/// Enough for every fill to come round.
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
  c.id = fmt::format("{}/{}/m{}.n{}{}.{}.{}/{}.s{}/w{}", c.op, p.row->id, p.m, p.n, groups, p.from->id, p.to->id, p.fill, p.seed,
                     p.warp);
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

}  // namespace

Op pack_scales_op() {
  Op op;
  op.name = "pack_scales";
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
  op.trace = [](const Case& c, const Problem& made, int64_t row, int64_t column) {
    return trace_word(read_pack_case(c), made, row, column);
  };
  return op;
}

}  // namespace assay
