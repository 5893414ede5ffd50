#include <algorithm>

#include "reference/flow/chain/chain.h"
#include "reference/flow/flow.h"
#include "suites/cache_insert/words.h"
#include "suites/dsv4_qnorm_kv_insert/launch_case.h"
#include "suites/dsv4_qnorm_kv_insert/launch_words.h"
#include "suites/dsv4_qnorm_kv_insert/two_answers.h"
#include "suites/ops.h"
#include "suites/qk_norm_rope/words.h"
#include "suites/rows/roles.h"
#include "suites/rows/words.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

/// Elements of a subsample; every generator has repeated by then.
constexpr int64_t kExcerptElements = 1 << 15;

/// Composed of heads and an insertion that share the tokens, the positions and the angle cache.
class BoundLaunch : public BoundCase {
 public:
  BoundLaunch(std::string contract, LaunchCase c, CaseName name)
      : contract_(std::move(contract)), c_(std::move(c)), name_(std::move(name)) {}

  CaseName name() const override { return name_; }
  Problem problem() const override { return launch_problem(c_); }
  Expectation expect(const Problem& problem, const std::vector<HostTensor>* outputs) const override {
    return expect_launch(c_, problem, outputs);
  }
  std::vector<Hypothesis> mutants() const override { return launch_hypotheses(c_); }
  std::unique_ptr<const BoundCase> excerpt() const override {
    LaunchCase few = c_;
    few.insert = c_.insert.with_fewer_rows(std::max<int64_t>(4, kExcerptElements / c_.heads.columns()));
    few.heads.m = few.insert.m;
    return few.insert.m < c_.insert.m ? std::make_unique<const BoundLaunch>(contract_, std::move(few), name_) : nullptr;
  }
  std::vector<std::string> formulas() const override { return launch_lines(contract_, *c_.insert.x); }
  /// `column` counts across the heads of Q. A token has one KV number for each column of the first head.
  std::vector<std::string> trace(const Problem& problem, int64_t row, int64_t column) const override {
    std::vector<std::string> lines = trace_head(c_.heads, problem, row, column);
    if (column >= c_.insert.numbers()) return lines;
    for (const std::string& line : trace_number(c_.insert, problem, row, column)) lines.push_back("KV: " + line);
    return lines;
  }
  std::vector<std::string> layouts() const override { return record_lines(c_.insert); }
  std::optional<Shrinking> shrinking(const std::map<std::string, int64_t>&) const override { return shrink_tokens(c_.insert); }

 private:
  const std::string contract_;
  const LaunchCase c_;
  const CaseName name_;
};

}  // namespace

std::vector<std::string> launch_lines(const std::string& contract, const Format& x) {
  const ContractTables& tables = rulebook().contracts;
  const ContractRow& row = tables.find(contract);
  std::vector<std::string> lines = {"heads of Q: " + row.text("heads")};
  for (const std::string& line : formulas(bind(tables, row.text("heads"), x))) lines.push_back("  " + line);
  lines.push_back("record of KV: " + row.text("insert"));
  for (const std::string& line : cache_lines(row.text("insert"), x)) lines.push_back("  " + line);
  return lines;
}

Op dsv4_qnorm_kv_insert_op() {
  return {.name = "dsv4_qnorm_kv_insert",
          .roles = {{"q", Access::kIn, "[m, q_heads n]: the heads of Q"},
                    {"kv", Access::kIn, "[m, 512]: one row per token; the last 64 elements are rotated"},
                    roles::kCosSin,
                    roles::kPositions,
                    roles::kSlots,
                    {"q_out", Access::kOut, "[m, padded_heads n]: the heads of Q and, behind them, +0.0"},
                    roles::kCacheBuffer},
          .parameters = {roles::kQHeads, roles::kEps, roles::kBlockSize, roles::kWarp},
          .columns = {"contract",     "x",      "m",    "q_heads", "padded_heads", "eps", "blocks", "block_size", "gap",
                      "slot_mapping", "q_fill", "fill", "seed",    "warp"},
          .takes = [](const std::string& contract) { return rulebook().is_row(contract, launch_flow()); },
          .bind =
              [](const Case& c) {
                LaunchCase p = read_launch_case(c);
                CaseName name = launch_name(c, p);
                return std::make_unique<const BoundLaunch>(c.text("contract"), std::move(p), std::move(name));
              }};
}

}  // namespace assay
