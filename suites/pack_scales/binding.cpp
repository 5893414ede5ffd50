#include "suites/pack_scales/binding.h"

#include <fmt/format.h>

#include <algorithm>

#include "suites/pack_scales/expect.h"
#include "suites/pack_scales/words.h"

namespace assay {
namespace {

/// Enough for every fill to come round.
constexpr int64_t kExcerptScales = 1 << 16;

Case validate(Case c) {
  const PackCase p = read_pack_case(c);
  require_domain(c, p);
  c.id = fmt::format("{}/{}/m{}.n{}.{}.{}/{}.s{}/w{}", c.op, p.row->id, p.m, p.n, p.from->id, p.to->id, p.fill, p.seed, p.warp);
  return c;
}

Problem problem(const Case& c) {
  const PackCase p = read_pack_case(c);
  const PlacedLayout to(*p.to, p.m, p.n);
  HostTensor scale{{"scale", Role::kOutput, p.to->type, to.shape(), to.strides(), to.storage()}, {}};
  return {{scales_of(p), std::move(scale)}, {{"warp", double(p.warp)}}};
}

Case excerpt(Case c) {
  const PackCase p = read_pack_case(c);
  const int64_t rows = std::max<int64_t>(1, kExcerptScales / p.n) + 3;
  if (p.m > rows) c.parameters["m"] = std::to_string(rows / 4 * 4);
  return c;
}

}  // namespace

Op pack_scales_op() {
  Op op;
  op.name = "pack_scales";
  op.columns = {"contract", "m", "n", "takes", "layout", "fill", "seed", "warp"};
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
