#include "suites/gemm/gemm_op.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "harness/core/callback_op.h"
#include "reference/flow/dot/words.h"
#include "reference/flow/registry.h"
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

/// Products that power is computed on; of a long k at least so many rows and columns.
constexpr int64_t kExcerptProducts = 1 << 19, kExcerptRows = 6, kExcerptColumns = 16;

bool takes(const std::string& contract, bool of_blocks) {
  const ContractRow* row = rulebook().contracts.lookup(contract);
  return row != nullptr && is_product(*row) && read_dot(*row, rulebook().contracts, rulebook().units).of_blocks() == of_blocks;
}

std::string shape_words(const GemmCase& p) {
  const std::string layouts = p.layout_a ? fmt::format(".{}_{}", p.layout_a->id, p.layout_b->id) : "";
  return fmt::format("{}.m{}.n{}.k{}.{}{}", p.y->name, p.m, p.n, p.k, name_of(p.scales), layouts);
}

std::string data_words(const GemmCase& p) {
  const std::string more =
      (p.bias.empty() ? "" : "." + p.bias) + (p.c.empty() ? "" : ".c_" + p.c) + (p.azp.empty() ? "" : ".azp_" + p.azp);
  return fmt::format("{}.{}.{}{}.s{}", p.fill, p.b, p.scale, more, p.seed);
}

Case validated(Case c, const GemmOpParts& parts) {
  const GemmCase p = read_gemm_case(c);
  if (p.contract.of_blocks() != parts.of_blocks)
    Cells(c).refuse("contract", fmt::format("'{}' has scales {} and this op takes those of {}", p.id(), name_of(p.scales),
                                            parts.of_blocks ? "blocks" : "tensors, tokens and channels"));
  c.set_name({c.op, p.id(), shape_words(p), data_words(p), p.warp});
  c.parameters["arch"] = chip_of_unit(p.contract.unit_row->id);
  return c;
}

/// The program of the contract that "split-K 6" is; of other words themselves.
std::string program_meant(const Case& c, const std::string& said) {
  int parts = 0, end = 0;
  if (std::sscanf(said.c_str(), "split-K %d%n", &parts, &end) != 1 || size_t(end) != said.size()) return said;
  const GemmCase p = read_gemm_case(c);
  return program_of_parts(p.contract, p.k, parts).value_or(said);
}

/// Rows of b, and products, of a tile that cannot be cut.
struct TileOfB {
  int64_t rows = 1, products = 1;

  explicit TileOfB(const WeightShuffle& shuffle) {
    if (shuffle.any()) rows = shuffle.rows, products = 2 * shuffle.products;
  }
};

Case excerpt(Case c) {
  const TileOfB tile(read_gemm_case(c).contract.shuffle);
  const int64_t m = c.integer("m"), n = c.integer("n"), elements = kExcerptProducts / c.integer("k");
  const int64_t columns = std::min(n, std::max(kExcerptColumns, elements / m) / tile.rows * tile.rows),
                rows = std::min(m, std::max(kExcerptRows, elements / columns));
  c.parameters["m"] = std::to_string(rows);
  c.parameters["n"] = std::to_string(columns);
  return c;
}

Shrinking shrink(const Case& c, const std::map<std::string, int64_t>&) {
  const GemmCase p = read_gemm_case(c);
  const TileOfB tile(p.contract.shuffle);
  const auto axis = [](const char* column, int64_t size, int64_t unit) {
    return ShrinkAxis{size / unit, [=](int64_t units) {
                        return std::map<std::string, std::string>{{column, std::to_string(units * unit)}};
                      }};
  };
  return {{axis("m", p.m, 1), axis("n", p.n, tile.rows), axis("k", p.k, tile.products)}, {}, p.m * p.n * p.k};
}

std::vector<RoleSpec> roles_of(const GemmOpParts& parts) {
  std::vector<RoleSpec> all = {{"a", Access::kIn, "[m, k]: codes of the activations, row-major and dense"},
                               {"b", Access::kIn, "[n, k]: codes of the weights, a row for each column of d; d = a * b^T"}};
  all.insert(all.end(), parts.scales.begin(), parts.scales.end());
  if (parts.of_blocks)
    all.push_back({"c", Access::kIn, "[m, n] in the format of d: added to the product, of contracts that do so"});
  else
    all.insert(
        all.end(),
        {{"bias", Access::kIn, "[n] in the format of d: added to each row, of cases that have one"},
         {"azp_adj", Access::kIn,
          "[n] int32, of contracts with zero points: taken off the sum; the sums of rows of b, times azp if that is one number"},
         {"azp", Access::kIn, "[m] int32, of contracts with a zero point a token: times azp_adj"}});
  all.push_back({"d", Access::kOut, "[m, n]: the scaled product"});
  return all;
}

}  // namespace

Op gemm_op(GemmOpParts parts) {
  CallbackOp op;
  op.name = parts.name;
  op.roles = roles_of(parts);
  op.parameters = {roles::kWarp};
  op.columns = parts.columns;
  op.optional_columns = parts.optional_columns;
  op.takes = [of_blocks = parts.of_blocks](const std::string& contract) { return takes(contract, of_blocks); };
  op.validate = [parts](Case c) { return validated(std::move(c), parts); };
  op.problem = [](const Case& c) { return gemm_problem(read_gemm_case(c)); };
  op.expect = [](const Case& c, const Problem& made, const std::vector<HostTensor>*) {
    const GemmCase p = read_gemm_case(c);
    Expectation expectation = expect_product(p, p.contract, made);
    if (p.contract.unknown())
      expectation.together = [p, &made](const std::vector<HostTensor>& outputs) { return error_violations(p, made, outputs); };
    return expectation;
  };
  op.neighbours = [](const Case& c) { return gemm_hypotheses(read_gemm_case(c)); };
  op.programs = [](const Case& c, const Problem& made) { return every_program(read_gemm_case(c), made); };
  op.untried =
      "stream-K of CUTLASS, whose scheduler cuts k elsewhere in each tile of d; results of 16 bits that atomics add in any order";
  op.program_meant = program_meant;
  op.excerpt = excerpt;
  op.batch = CallbackOp::Batch{[](const Case& c) { return read_gemm_case(c).m; }, gemm_with_rows};
  op.relations = [](const Case& c, const Problem& made) { return gemm_relations(read_gemm_case(c), made); };
  op.formulas = [](const Case& c) { return dot_lines(read_gemm_case(c).contract); };
  op.trace = [](const Case& c, const Problem& made, int64_t row, int64_t column) {
    return trace_product(read_gemm_case(c), made, row, column);
  };
  op.remarks = product_remarks;
  op.case_of_dump = gemm_case_of_dump;
  op.shrink = shrink;
  return bindable(std::move(op));
}

}  // namespace assay
