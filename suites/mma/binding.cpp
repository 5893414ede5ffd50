#include <fmt/format.h>

#include <algorithm>

#include "reference/units/unit_table.h"
#include "suites/chip_of_unit.h"
#include "suites/mma/expect.h"
#include "suites/mma/words.h"
#include "suites/ops.h"
#include "suites/rows/roles.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

class BoundMma : public BoundCase {
 public:
  BoundMma(MmaCase c, CaseName name) : c_(std::move(c)), name_(std::move(name)) {}

  CaseName name() const override { return name_; }
  std::string arch() const override { return chip_of_unit(c_.row->id); }
  Problem problem() const override { return mma_problem(c_); }
  Expectation expect(const Problem& problem, const std::vector<HostTensor>*) const override { return expect_tiles(c_, c_.unit(), problem); }
  std::vector<Hypothesis> mutants() const override { return mma_hypotheses(c_); }
  std::unique_ptr<const BoundCase> excerpt() const override {
    constexpr int64_t kMostTiles = 4;
    if (c_.tiles <= kMostTiles) return nullptr;
    MmaCase few = c_;
    few.tiles = kMostTiles;
    return std::make_unique<const BoundMma>(std::move(few), name_);
  }
  std::vector<std::string> formulas() const override { return unit_lines(c_.unit()); }
  std::vector<std::string> trace(const Problem& problem, int64_t row, int64_t column) const override {
    return trace_element(c_, problem, row, column);
  }
  std::optional<Shrinking> shrinking(const std::map<std::string, int64_t>&) const override {
    const auto cells = [](const char* column) {
      return [column](int64_t units) { return CellChanges{{column, std::to_string(units)}}; };
    };
    return Shrinking{{{c_.tiles, cells("tiles")}, {c_.steps, cells("steps")}}, {}, c_.tiles * c_.m * c_.k()};
  }

 private:
  const MmaCase c_;
  const CaseName name_;
};

std::unique_ptr<const BoundCase> bind_mma(const Case& c) {
  MmaCase p = read_mma_case(c);
  const std::string scale = p.scale.empty() ? "" : "." + p.scale;
  CaseName name = {c.op, p.row->id, fmt::format("t{}.m{}.n{}.k{}", p.tiles, p.m, p.n, p.k()),
                   fmt::format("{}.{}.{}{}.s{}", p.fill, p.b, p.c, scale, p.seed), p.warp};
  return std::make_unique<const BoundMma>(std::move(p), std::move(name));
}

}  // namespace

Op mma_op() {
  return {.name = "mma",
          .roles = {{"c", Access::kIn, "[tiles, m, n]: the addend, in the format of d"},
                    {"a", Access::kIn,
                     "[tiles, m, k]: the instruction's k times so many instructions one after the other; tf32 in words of f32, "
                     "codes of 4 bits two in a byte"},
                    {"b", Access::kIn, "[tiles, n, k]: likewise; d = a * b^T + c"},
                    {"sfa", Access::kIn, "[tiles, m, k / block]: scales of a, if the instruction has them; ue4m3 has the type of e4m3fn"},
                    {"sfb", Access::kIn, "[tiles, n, k / block]: scales of b, likewise"},
                    {"d", Access::kOut, "[tiles, m, n]: the result of the instruction"}},
          .parameters = {roles::kWarp},
          .columns = {"contract", "tiles", "m", "n", "steps", "fill", "b", "c", "scale", "seed", "warp"},
          .optional_columns = {"scale"},
          .takes = [](const std::string& contract) { return rulebook().is_unit(contract); },
          .bind = bind_mma};
}

}  // namespace assay
