// The cheap check of a mutant's first elements agrees with its complete first rows.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "harness/core/cases.h"
#include "reference/formats/catalogue.h"
#include "suites/registry.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

struct Looked {
  int64_t elements = 0, wrong = 0;
};

/// Counts the elements of a glimpse, and those that differ in the first rows.
Looked look(const Answer& answer) {
  Looked looked;
  const AcceptedBlock some = answer.glimpse(), whole = answer.accepted(0, 1);
  EXPECT_EQ(some.parts.size(), whole.parts.size());
  for (size_t p = 0; p < some.parts.size(); ++p) {
    const AcceptedRows &few = some.parts[p], &all = whole.parts[p];
    EXPECT_LE(few.low.size(), all.low.size());
    for (size_t i = 0; i < few.low.size(); ++i)
      looked.wrong += few.at(i).low != all.at(i).low || few.at(i).high != all.at(i).high;
    looked.elements += int64_t(few.low.size());
  }
  return looked;
}

/// The same for first rows that are computed separately; matched by part label.
Looked look(const Answer& first, const Answer& answer) {
  Looked looked;
  const AcceptedBlock some = first.accepted(0, 1), whole = answer.accepted(0, 1);
  for (size_t p = 0; p < first.parts.size(); ++p) {
    const auto same = [&](const Part& part) { return part.label() == first.parts[p].label(); };
    const auto at = std::find_if(answer.parts.begin(), answer.parts.end(), same);
    if (at == answer.parts.end()) {
      ADD_FAILURE() << "no part " << first.parts[p].label();
      continue;
    }
    const AcceptedRows &few = some.parts[p], &all = whole.parts[size_t(at - answer.parts.begin())];
    EXPECT_EQ(few.low.size(), all.low.size());
    for (size_t i = 0; i < std::min(few.low.size(), all.low.size()); ++i)
      looked.wrong += few.at(i).low != all.at(i).low || few.at(i).high != all.at(i).high ||
                      first.parts[p].offset(0, int64_t(i)) != at->offset(0, int64_t(i));
    looked.elements += int64_t(few.low.size());
  }
  return looked;
}

/// One in so many cases of each op.
std::vector<Case> cases_of_each_op() {
  constexpr int kOneIn = 24;
  open_rulebook(ASSAY_SOURCE_DIR);
  std::vector<Case> some;
  std::map<std::string, int> met;
  for (const Case& one : select_cases(load_cases(shipped_ops().all(), ASSAY_SOURCE_DIR), {.suites = {"quick"}, .warp = "32"}))
    if (met[one.op]++ % kOneIn == 0) some.push_back(one);
  return some;
}

TEST(Glimpse, HoldsWhatTheFirstRowsHold) {
  std::set<std::string> ops;
  for (const Case& one : cases_of_each_op()) {
    const Op& op = shipped_ops().find(one.op);
    const std::unique_ptr<const BoundCase> bound = op.bind(one), excerpt = bound->excerpt();
    if (bound->is_sweep()) continue;
    const BoundCase& few = excerpt ? *excerpt : *bound;
    const Problem problem = few.problem();
    for (const Hypothesis& edit : few.mutants()) {
      const Answer answer = edit.expect(problem, nullptr).any_of.front();
      if (answer.steps == 0) continue;
      if (answer.glimpse) {
        const Looked looked = look(answer);
        EXPECT_EQ(looked.wrong, 0) << one.id << ": " << edit.name;
        if (looked.elements > 0) ops.insert(op.name);
      }
      if (edit.first_row) {
        const Looked looked = look(edit.first_row(problem).any_of.front(), answer);
        EXPECT_EQ(looked.wrong, 0) << one.id << ": " << edit.name;
        if (looked.elements > 0) ops.insert(op.name);
      }
    }
  }
  for (const char* op : {"quant_group", "rms_norm", "rms_norm_quant_group", "silu_mul_quant_group", "rms_norm_double_quant",
                         "gemm_scaled", "gemm_block_scaled", "all_reduce"})
    EXPECT_TRUE(ops.contains(op)) << op << " shows nothing of any edit";
}

TEST(Glimpse, OneThatIsWrongIsFound) {
  const auto made = [](std::vector<int32_t> codes) {
    return expectation_of({{{"y", find_format("bf16"), {1, 4}}, std::move(codes), {}}}).any_of.front();
  };
  EXPECT_EQ(look(made({1, 2, 3, 4}), made({1, 2, 3, 4})).wrong, 0);
  EXPECT_EQ(look(made({1, 2, 3, 4}), made({1, 2, 0, 4})).wrong, 1);
  Answer answer = made({1, 2, 3, 4});
  answer.glimpse = [] { return AcceptedBlock{{{0, 1, {1, 2}, {}}}}; };
  EXPECT_EQ(look(answer).wrong, 0);
  answer.glimpse = [] { return AcceptedBlock{{{0, 1, {1, 3}, {}}}}; };
  EXPECT_EQ(look(answer).wrong, 1);
}

}  // namespace
}  // namespace assay
