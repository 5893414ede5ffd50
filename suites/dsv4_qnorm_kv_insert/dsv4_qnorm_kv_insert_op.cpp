// The op dsv4_qnorm_kv_insert: one launch normalizes and rotates heads of Q, and stores KV records in a paged cache.
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "harness/core/op.h"
#include "reference/flow/chain/chain.h"
#include "reference/flow/flow.h"
#include "reference/formats/catalogue.h"
#include "reference/formats/format.h"
#include "suites/cache_insert/cache_case.h"
#include "suites/cache_insert/cache_op.h"
#include "suites/qk_norm_rope/head_case.h"
#include "suites/registry.h"
#include "suites/rows/case_cells.h"
#include "suites/rows/row_text.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

/// The heads and the records of a launch have the same tokens, positions and cos_sin_cache.
struct LaunchCase {
  HeadCase heads;
  CacheCase insert;
};

// The case of a launch: heads of Q, and KV records in a paged cache.

/// Throws TableError with row and column.
LaunchCase read_launch_case(const Case& c) {
  const Cells cells(c);
  const ContractRow& row = cells.contract();
  if (row.flow != &launch_flow())
    cells.refuse("contract", "'" + row.id + "' is a " + row.flow->name + " contract; expected a launch contract");
  const ContractTables& tables = rulebook().contracts;
  LaunchCase p;
  p.insert = read_cache_case(cells, tables.find(row.text("insert")));
  require_row_strides(cells, p.insert, {p.insert.numbers()});
  p.insert.first_input = 1;  // tensor 0 is q
  // heads and records use the same positions
  p.heads = read_head_case(cells, tables.find(row.text("heads")),
                           {p.insert.numbers(), p.insert.numbers() - p.insert.coded, &kF32, kPositions, Positions::kScattered,
                            cells.fill_name("q_fill")});
  return p;
}

/// "dsv4_qnorm_kv_insert/vllm.deepseek_v4_qnorm_kv_insert/q3.pad8.eps1e-6.bf16.m7.b3x16.holes-7/normal.normal.s1/w32"
CaseName launch_name(const Case& c, const LaunchCase& p) {
  return {c.op, c.text("contract"),
          fmt::format("q{}.pad{}.eps{}.{}", p.heads.q_heads, p.heads.padded_heads, c.text("eps"), cache_shape(c, p.insert)),
          fmt::format("{}.{}.s{}", p.heads.fill, p.insert.fill, p.insert.seed), p.insert.warp};
}

/// The call of a launch: inputs, outputs and parameters.
Problem launch_problem(const LaunchCase& p) {
  const CacheCase& kv = p.insert;
  Problem problem;
  problem.tensors = {heads_of(p.heads, "q", Role::kInput),
                     token_matrix("kv", kv, kv.numbers(), kv.fill, CacheStream::kBesideHeads),
                     cos_sin_cache(kv, p.heads.rotary),
                     positions_of(kv),
                     slot_mapping(kv),
                     q_out_of(p.heads),
                     cache_before(kCache, kv)};
  problem.parameters = {{"q_heads", double(p.heads.q_heads)},
                        {"eps", p.heads.eps},
                        {"block_size", double(kv.block_size)},
                        {"warp", double(kv.warp)}};
  return problem;
}

// The accepted outputs of a launch, and mutants of the heads, of the records, or of both.

using Expect = std::function<Expectation(const Problem&, const std::vector<HostTensor>*)>;

Expect heads_answer(const LaunchCase& c, const AngleReading& angles = {}) {
  return [c, angles](const Problem& problem, const std::vector<HostTensor>* outputs) {
    return expect_heads(*c.heads.bound, c.heads, problem, outputs, {.angles = angles});
  };
}

Expect insert_answer(const LaunchCase& c, const AngleReading& angles = {}) {
  return [c, angles](const Problem& problem, const std::vector<HostTensor>* outputs) {
    return expect_cache(*c.insert.bound, Placing(c.insert), c.insert, problem, outputs, {.angles = angles});
  };
}

Expect both(Expect heads, Expect insert) {
  return [heads = std::move(heads), insert = std::move(insert)](const Problem& problem, const std::vector<HostTensor>* outputs) {
    return Expectation{{side_by_side(heads(problem, outputs).any_of.front(), insert(problem, outputs).any_of.front())}};
  };
}

/// Mutants of one half of a launch, with correct outputs of the other half.
Hypothesis of_heads(Hypothesis one, const Expect& insert) {
  one.name = "Q: " + one.name;
  // the fast first check leaves out the records, which are only computed for all rows at once
  one.first_row = [heads = one.expect](const Problem& problem) { return heads(problem, nullptr); };
  one.expect = both(one.expect, insert);
  return one;
}
Hypothesis of_insert(Hypothesis one, const Expect& heads) {
  one.name = "KV: " + one.name;
  one.expect = both(heads, one.expect);
  return one;
}

Expectation expect_launch(const LaunchCase& c, const Problem& problem, const std::vector<HostTensor>* outputs) {
  return both(heads_answer(c), insert_answer(c))(problem, outputs);
}

/// Mutants of each half ("Q: ..." or "KV: ..."), pairs of them, and wrong angles in both halves.
std::vector<Hypothesis> launch_hypotheses(const LaunchCase& c) {
  const Expect heads = heads_answer(c), insert = insert_answer(c);
  std::vector<Hypothesis> all;
  for (Hypothesis& one : head_hypotheses(c.heads)) {
    all.push_back(of_heads(one, insert));
    all.back().with_another = [c, insert, one] {
      std::vector<Hypothesis> pairs;
      for (Hypothesis& second : one.with_another()) pairs.push_back(of_heads(std::move(second), insert));
      for (Hypothesis& second : cache_hypotheses(c.insert)) pairs.push_back(of_insert(std::move(second), one.expect));
      return pairs;
    };
  }
  for (Hypothesis& one : cache_hypotheses(c.insert)) {
    all.push_back(of_insert(one, heads));
    all.back().with_another = [c, heads, one] {
      std::vector<Hypothesis> pairs;
      if (one.with_another)
        for (Hypothesis& second : one.with_another()) pairs.push_back(of_insert(std::move(second), heads));
      for (Hypothesis& second : head_hypotheses(c.heads)) pairs.push_back(of_heads(std::move(second), one.expect));
      return pairs;
    };
  }
  for (const auto& [name, angles] : wrong_angles())
    all.push_back({std::string("Q and KV: ") + name, both(heads_answer(c, angles), insert_answer(c, angles))});
  return all;
}

/// Number of elements in a subsample. Within them every input generator repeats its pattern.
constexpr int64_t kExcerptElements = 1 << 15;

/// A launch: a case of heads and a case of records with the same tokens, positions and cos_sin_cache.
class BoundLaunch : public BoundCase {
 public:
  BoundLaunch(std::string contract, LaunchCase c, CaseName name)
      : contract_(std::move(contract)), c_(std::move(c)), name_(std::move(name)) {}

  CaseName name() const override { return name_; }
  Problem problem() const override { return launch_problem(c_); }
  Expectation expect(const Problem& problem, const std::vector<HostTensor>* outputs) const override {
    return expect_launch(c_, problem, outputs);
  }
  std::vector<Hypothesis> mutants() const override { return c_.heads.m > 0 ? launch_hypotheses(c_) : std::vector<Hypothesis>(); }
  std::unique_ptr<const BoundCase> excerpt() const override {
    LaunchCase few = c_;
    few.insert = c_.insert.with_fewer_rows(std::max<int64_t>(4, kExcerptElements / c_.heads.columns()));
    few.heads.m = few.insert.m;
    return few.insert.m < c_.insert.m ? std::make_unique<const BoundLaunch>(contract_, std::move(few), name_) : nullptr;
  }
  std::vector<std::string> formulas() const override { return launch_lines(contract_, *c_.insert.x); }
  /// `column` counts the elements of all heads of Q. If it lies in the first head, the KV element of that column is traced too.
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
                    {"kv", Access::kIn,
                     "[m, 512]: one row per token, whose last 64 elements are rotated; the row stride may be larger"},
                    roles::kCosSin,
                    roles::kPositions,
                    roles::kSlots,
                    {"q_out", Access::kOut, "[m, padded_heads n]: the heads of Q, then padding heads of +0.0"},
                    roles::kCacheBuffer},
          .parameters = {roles::kQHeads, roles::kEps, roles::kBlockSize, roles::kWarp},
          .columns = {"contract", "x", "m", "q_heads", "padded_heads", "eps", "blocks", "block_size", "gap", "slot_mapping",
                      "row_stride", "q_fill", "fill", "seed", "warp"},
          .optional_columns = {"row_stride"},
          .takes = [](const std::string& contract) { return rulebook().is_row(contract, launch_flow()); },
          .bind =
              [](const Case& c) {
                LaunchCase p = read_launch_case(c);
                CaseName name = launch_name(c, p);
                return std::make_unique<const BoundLaunch>(c.text("contract"), std::move(p), std::move(name));
              }};
}

}  // namespace assay
