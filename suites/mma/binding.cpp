#include <fmt/format.h>

#include <algorithm>

#include "harness/core/callback_op.h"
#include "reference/units/formula.h"
#include "suites/chip_of_unit.h"
#include "suites/mma/expect.h"
#include "suites/mma/words.h"
#include "suites/ops.h"
#include "suites/rows/roles.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

Case validate(Case c) {
  const MmaCase p = read_mma_case(c);
  const std::string scale = p.scale.empty() ? "" : "." + p.scale;
  c.set_name({c.op, p.row->id, fmt::format("t{}.m{}.n{}.k{}", p.tiles, p.m, p.n, p.k()),
              fmt::format("{}.{}.{}{}.s{}", p.fill, p.b, p.c, scale, p.seed), p.warp});
  c.parameters["arch"] = chip_of_unit(p.row->id);
  return c;
}

Case excerpt(Case c) {
  c.parameters["tiles"] = std::to_string(std::min<int64_t>(4, c.integer("tiles")));
  return c;
}

Shrinking shrink(const Case& c, const std::map<std::string, int64_t>&) {
  const MmaCase p = read_mma_case(c);
  const auto cells = [](const char* column) {
    return [column](int64_t units) { return std::map<std::string, std::string>{{column, std::to_string(units)}}; };
  };
  return {{{p.tiles, cells("tiles")}, {p.steps, cells("steps")}}, {}, p.tiles * p.m * p.k()};
}

}  // namespace

Op mma_op() {
  CallbackOp op;
  op.name = "mma";
  op.roles = {{"c", Access::kIn, "[tiles, m, n]: what the products are added to, in the format of d"},
              {"a", Access::kIn,
               "[tiles, m, k]: the instruction's k times so many instructions one after the other; tf32 in words of f32, "
               "codes of 4 bits two in a byte"},
              {"b", Access::kIn, "[tiles, n, k]: likewise; d = a * b^T + c"},
              {"sfa", Access::kIn, "[tiles, m, k / block]: scales of a, of units that have them; ue4m3 in the type of e4m3fn"},
              {"sfb", Access::kIn, "[tiles, n, k / block]: scales of b, likewise"},
              {"d", Access::kOut, "[tiles, m, n]: what the unit returns"}};
  op.parameters = {roles::kWarp};
  op.takes = [](const std::string& contract) { return rulebook().is_unit(contract); };
  op.columns = {"contract", "tiles", "m", "n", "steps", "fill", "b", "c", "scale", "seed", "warp"};
  op.optional_columns = {"scale"};
  op.validate = validate;
  op.problem = [](const Case& c) { return mma_problem(read_mma_case(c)); };
  op.expect = [](const Case& c, const Problem& made, const std::vector<HostTensor>*) {
    const MmaCase p = read_mma_case(c);
    return expect_tiles(p, p.unit(), made);
  };
  op.neighbours = [](const Case& c) { return mma_hypotheses(read_mma_case(c)); };
  op.excerpt = excerpt;
  op.formulas = [](const Case& c) { return unit_lines(read_mma_case(c).unit()); };
  op.trace = [](const Case& c, const Problem& made, int64_t row, int64_t column) {
    return trace_element(read_mma_case(c), made, row, column);
  };
  op.shrink = shrink;
  return bindable(std::move(op));
}

}  // namespace assay
