#include "suites/gemm/gemm_op.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "reference/flow/dot/dot_text.h"
#include "reference/flow/flow.h"
#include "suites/chip_of_unit.h"
#include "suites/gemm/expect.h"
#include "suites/gemm/gemm_dump.h"
#include "suites/gemm/invariants.h"
#include "suites/gemm/statistics.h"
#include "suites/gemm/words.h"
#include "suites/rows/cells.h"
#include "suites/rows/roles.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

/// Multiply-accumulates of a subsample; for a large k at least this many rows and columns.
constexpr int64_t kExcerptProducts = 1 << 19, kExcerptRows = 6, kExcerptColumns = 16;

bool takes(const std::string& contract, bool of_blocks) {
  const ContractRow* row = rulebook().contracts.lookup(contract);
  return row != nullptr && is_product(*row) && read_dot(*row, rulebook().contracts, rulebook().units).of_blocks() == of_blocks;
}

std::string shape_words(const GemmCase& p) {
  const std::string layouts = p.layout_a() ? fmt::format(".{}_{}", p.layout_a()->id, p.layout_b()->id) : "";
  return fmt::format("{}.m{}.n{}.k{}.{}{}", p.y->name, p.m, p.n, p.k, p.scales.name, layouts);
}

std::string data_words(const GemmCase& p) {
  if (p.fill.empty()) return "";  // no fill made them
  const std::string more =
      (p.bias.empty() ? "" : "." + p.bias) + (p.c.empty() ? "" : ".c_" + p.c) + (p.azp.empty() ? "" : ".azp_" + p.azp);
  return fmt::format("{}.{}.{}{}.s{}", p.fill, p.b, p.scale, more, p.seed);
}

/// Rows of b, and k, of a tile that cannot be divided.
struct TileOfB {
  int64_t rows = 1, products = 1;

  explicit TileOfB(const WeightShuffle& shuffle) {
    if (shuffle.any()) rows = shuffle.rows, products = 2 * shuffle.products;
  }
};

class BoundGemm : public BoundCase {
 public:
  BoundGemm(GemmCase c, CaseName name) : c_(std::move(c)), name_(std::move(name)) {}

  CaseName name() const override { return name_; }
  std::string arch() const override { return chip_of_unit(c_.contract.unit_row->id); }
  Problem problem() const override { return gemm_problem(c_); }
  Expectation expect(const Problem& problem, const std::vector<HostTensor>*) const override {
    Expectation expectation = expect_product(c_, c_.contract, problem);
    if (c_.contract.unknown())
      expectation.together = [c = c_, &problem](const std::vector<HostTensor>& outputs) { return error_violations(c, problem, outputs); };
    return expectation;
  }
  std::vector<Hypothesis> mutants() const override { return gemm_hypotheses(c_); }
  std::unique_ptr<const BoundCase> excerpt() const override {
    const TileOfB tile(c_.contract.shuffle);
    const int64_t elements = kExcerptProducts / c_.k;
    GemmCase few = c_;
    few.n = std::min(c_.n, std::max(kExcerptColumns, elements / c_.m) / tile.rows * tile.rows);
    few.m = std::min(c_.m, std::max(kExcerptRows, elements / few.n));
    return few.m == c_.m && few.n == c_.n ? nullptr : std::make_unique<const BoundGemm>(std::move(few), name_);
  }
  Expectation programs(const Problem& problem) const override { return every_program(c_, problem); }
  bool is_meant(const SaidAlgorithm& said, const std::string& program) const override {
    if (!said.words.empty()) return false;
    // 0: no promotion before the end
    const auto within_k = [&](int64_t every) { return every < 0 || every >= c_.k ? 0 : every; };
    if (said.promote != 0 && within_k(said.promote) != within_k(c_.contract.promote)) return false;
    const bool adds_parts = !program.empty() && program != "split-K 1";
    if (said.order == SaidAlgorithm::Order::kAny && adds_parts && !c_.contract.has_atomics()) return false;
    return said.split_k == 0 || program_of_parts(c_.contract, c_.k, said.split_k) == program;
  }
  int64_t independent_rows() const override { return c_.m; }
  CaseOfRows with_rows(const Problem& problem, const std::vector<int64_t>& rows) const override {
    GemmCase some = c_;
    some.m = int64_t(rows.size());
    return {std::make_unique<const BoundGemm>(std::move(some), name_), gemm_with_rows(c_, problem, rows),
            {{"m", std::to_string(rows.size())}}};
  }
  std::vector<Relation> relations(const Problem& problem) const override { return gemm_relations(c_, problem); }
  std::vector<std::string> formulas() const override { return dot_lines(c_.contract); }
  std::vector<std::string> trace(const Problem& problem, int64_t row, int64_t column) const override {
    return trace_product(c_, problem, row, column);
  }
  std::vector<std::string> remarks(const Problem& problem, const std::vector<HostTensor>& outputs) const override {
    return product_remarks(c_, problem, outputs);
  }
  std::optional<Shrinking> shrinking(const std::map<std::string, int64_t>&) const override {
    const TileOfB tile(c_.contract.shuffle);
    const auto axis = [](const char* column, int64_t size, int64_t unit) {
      return ShrinkAxis{size / unit, [=](int64_t units) { return CellChanges{{column, std::to_string(units * unit)}}; }};
    };
    return Shrinking{{axis("m", c_.m, 1), axis("n", c_.n, tile.rows), axis("k", c_.k, tile.products)}, {}, c_.m * c_.n * c_.k};
  }

 private:
  const GemmCase c_;
  const CaseName name_;
};

std::unique_ptr<const BoundCase> bind_gemm(const Case& c, bool of_blocks) {
  GemmCase p = read_gemm_case(c);
  if (p.contract.of_blocks() != of_blocks)
    Cells(c).refuse("contract", fmt::format("'{}' has scales {} and this op takes those of {}", p.id(), p.scales.name,
                                            of_blocks ? "blocks" : "tensors, tokens and channels"));
  CaseName name = {c.op, p.id(), shape_words(p), data_words(p), p.warp};
  return std::make_unique<const BoundGemm>(std::move(p), std::move(name));
}

std::vector<RoleSpec> roles_of(const GemmOpParts& parts) {
  std::vector<RoleSpec> all = {{"a", Access::kIn, "[m, k]: codes of the activations, row-major and dense"},
                               {"b", Access::kIn, "[n, k]: codes of the weights, one row per column of d; d = a * b^T"}};
  all.insert(all.end(), parts.scales.begin(), parts.scales.end());
  for (const char* factor : {"a", "b"})
    if (parts.of_blocks)
      all.push_back({fmt::format("global_scale_{}", factor), Access::kIn,
                     fmt::format("[1] or one per row of {0}, f32: the scale of the level above the blocks of {0}; only in contracts with two levels", factor)});
  if (parts.of_blocks)
    all.push_back({"c", Access::kIn, "[m, n] in the format of d: added to the GEMM; only in contracts that add it"});
  else
    all.insert(
        all.end(),
        {{"bias", Access::kIn, "[n] in the format of d: bias; only in cases with a bias"},
         {"azp_adj", Access::kIn,
          "[n] int32: zero-point correction, subtracted from the sum: the row sums of b, times azp if that is a single number; only in contracts with zero points"},
         {"azp", Access::kIn, "[m] int32: zero point per token, multiplied by azp_adj; only in contracts that have it"}});
  all.push_back({"d", Access::kOut, "[m, n]: the scaled GEMM"});
  return all;
}

}  // namespace

Op gemm_op(GemmOpParts parts) {
  return {.name = parts.name,
          .roles = roles_of(parts),
          .parameters = {roles::kWarp},
          .columns = parts.columns,
          .optional_columns = parts.optional_columns,
          .untried = "stream-K of CUTLASS, whose scheduler cuts k elsewhere in each tile of d; results of 16 bits that atomics add in any order",
          .takes = [of_blocks = parts.of_blocks](const std::string& contract) { return takes(contract, of_blocks); },
          .bind = [of_blocks = parts.of_blocks](const Case& c) { return bind_gemm(c, of_blocks); },
          .case_of_dump = gemm_case_of_dump};
}

}  // namespace assay
