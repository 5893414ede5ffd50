#include <algorithm>

#include "harness/core/callback_op.h"
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

/// Elements of an excerpt: every fill has repeated itself by then.
constexpr int64_t kExcerptElements = 1 << 15;

/// `column` counts through the heads of Q; a token has a number of KV for each column of the first one.
std::vector<std::string> trace(const Case& c, const Problem& problem, int64_t row, int64_t column) {
  const LaunchCase p = read_launch_case(c);
  std::vector<std::string> lines = trace_head(p.heads, problem, row, column);
  if (column >= p.insert.numbers()) return lines;
  for (const std::string& line : trace_number(p.insert, problem, row, column)) lines.push_back("KV: " + line);
  return lines;
}

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
  CallbackOp op;
  op.name = "dsv4_qnorm_kv_insert";
  op.roles = {{"q", Access::kIn, "[m, q_heads n]: the heads of Q"},
              {"kv", Access::kIn, "[m, 512]: the numbers of each token, of which the last 64 are rotated"},
              roles::kCosSin,
              roles::kPositions,
              roles::kSlots,
              {"q_out", Access::kOut, "[m, padded_heads n]: the heads of Q and, behind them, +0.0"},
              roles::kCacheBuffer};
  op.parameters = {roles::kQHeads, roles::kEps, roles::kBlockSize, roles::kWarp};
  op.takes = [](const std::string& contract) { return rulebook().is_row(contract, FlowKind::kLaunch); };
  op.columns = {"contract",     "x",      "m",    "q_heads", "padded_heads", "eps", "blocks", "block_size", "gap",
                "slot_mapping", "q_fill", "fill", "seed",    "warp"};
  op.validate = [](Case c) {
    c.set_name(launch_name(c, read_launch_case(c)));
    return c;
  };
  op.problem = [](const Case& c) { return launch_problem(read_launch_case(c)); };
  op.expect = [](const Case& c, const Problem& problem, const std::vector<HostTensor>* outputs) {
    return expect_launch(read_launch_case(c), problem, outputs);
  };
  op.neighbours = [](const Case& c) { return launch_hypotheses(read_launch_case(c)); };
  op.excerpt = [](const Case& c) {
    const LaunchCase p = read_launch_case(c);
    return with_fewer_rows(c, p.insert, std::max<int64_t>(4, kExcerptElements / p.heads.columns()));
  };
  op.formulas = [](const Case& c) { return launch_lines(c.text("contract"), *read_launch_case(c).insert.x); };
  op.trace = trace;
  op.layouts = [](const Case& c) {
    Case insert = c;
    insert.parameters["contract"] = rulebook().contracts.find(c.text("contract")).text("insert");
    return record_lines(insert);
  };
  op.shrink = [](const Case& c, const std::map<std::string, int64_t>&) { return shrink_tokens(c, read_launch_case(c).insert); };
  return bindable(std::move(op));
}

}  // namespace assay
