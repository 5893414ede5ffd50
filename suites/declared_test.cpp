// What an op declares (tensors, parameters, reductions) agrees with its cases, calls and mutants.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <map>
#include <numeric>
#include <set>

#include "harness/core/cases.h"
#include "harness/diagnosis/visibility.h"
#include "harness/text/messages.h"
#include "reference/formats/catalogue.h"
#include "suites/registry.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

using ::testing::HasSubstr;

// What an op declares agrees with its cases and calls.

const std::vector<Case>& quick_cases() {
  static const std::vector<Case> cases = [] {
    open_rulebook(ASSAY_SOURCE_DIR);
    return select_cases(load_cases(shipped_ops().all(), ASSAY_SOURCE_DIR), {.suites = {"quick"}, .warp = "32"});
  }();
  return cases;
}

/// One case for each combination of op, contract, nonempty columns, and values of the columns layout, use and ids.
std::vector<Case> some_cases() {
  std::vector<Case> some;
  std::set<std::string> kinds;
  for (const Case& one : quick_cases()) {
    std::string kind = one.op + " " + one.text("contract");
    for (const auto& [column, cell] : one.parameters)
      kind += cell.empty() ? " -" : column == "layout" || column == "use" || column == "ids" ? " " + cell : " +";
    if (kinds.insert(kind).second) some.push_back(one);
  }
  return some;
}

/// with_rows() keeps inputs such as weights. The mutation score of a large dump is computed on some of its rows.
TEST(Declared, SomeRowsOfAProblemKeepItsInputs) {
  std::set<std::string> seen;
  for (const Case& one : some_cases()) {
    const std::unique_ptr<const BoundCase> bound = shipped_ops().find(one.op).bind(one);
    const int64_t m = bound->independent_rows();
    if (m <= 0 || m > 64) continue;
    Problem problem = bound->problem();
    for (HostTensor& tensor : problem.tensors)
      for (std::byte& each : tensor.bytes) each ^= std::byte{1};  // data that no generator makes
    std::vector<int64_t> rows(static_cast<size_t>(m));
    std::iota(rows.begin(), rows.end(), 0);
    const CaseOfRows all = bound->with_rows(problem, rows);
    ASSERT_EQ(all.problem.tensors.size(), problem.tensors.size()) << one.id;
    for (size_t t = 0; t < problem.tensors.size(); ++t) {
      const HostTensor& had = problem.tensors[t];
      const HostTensor& kept = all.problem.tensors[t];
      if (access_of(had) == Access::kOut || had.spec.shape.size() != 1) continue;  // a matrix may get another row stride
      EXPECT_TRUE(had.bytes == kept.bytes) << one.id << ": " << had.spec.name;
      seen.insert(one.op + " " + had.spec.name);
    }
  }
  EXPECT_THAT(seen, ::testing::IsSupersetOf({"rms_norm gamma", "layer_norm beta", "qk_norm_rope positions", "gemm_scaled bias"}));
}

TEST(Declared, TensorsAndParametersOfProblemsAreThoseOfTheOp) {
  std::map<std::string, std::set<std::string>> met;
  for (const Case& one : some_cases()) {
    const Op& op = shipped_ops().find(one.op);
    const std::unique_ptr<const BoundCase> bound = op.bind(one), excerpt = bound->excerpt();
    const Problem problem = (excerpt ? *excerpt : *bound).problem();
    for (const HostTensor& tensor : problem.tensors) {
      met[op.name].insert(tensor.spec.name);
      const auto role =
          std::find_if(op.roles.begin(), op.roles.end(), [&](const RoleSpec& r) { return r.name == tensor.spec.name; });
      ASSERT_NE(role, op.roles.end()) << one.id << ": " << tensor.spec.name;
      EXPECT_EQ(name(role->access), name(access_of(tensor))) << one.id << ": " << tensor.spec.name;
    }
    for (const auto& [parameter, value] : problem.parameters) {
      met[op.name].insert("parameter " + parameter);
      EXPECT_TRUE(std::any_of(op.parameters.begin(), op.parameters.end(), [&](const auto& p) { return p.name == parameter; }))
          << one.id << ": " << parameter;
    }
  }
  for (const Op& op : shipped_ops().all()) {
    for (const RoleSpec& role : op.roles) {
      EXPECT_TRUE(met[op.name].contains(role.name)) << op.name << " never has " << role.name;
      EXPECT_FALSE(role.what.empty()) << op.name << " " << role.name;
    }
    for (const ParameterSpec& parameter : op.parameters)
      EXPECT_TRUE(met[op.name].contains("parameter " + parameter.name)) << op.name << " never has " << parameter.name;
  }
}

TEST(Declared, DataAreToldApartByAColumn) {
  for (const Op& op : shipped_ops().all()) {
    if (op.data_column.empty()) continue;
    EXPECT_EQ(std::count(op.columns.begin(), op.columns.end(), op.data_column), 1) << op.name;
    EXPECT_FALSE(op.optional_columns.contains(op.data_column)) << op.name;
  }
  std::vector<Case> of_no_data = quick_cases();
  std::erase_if(of_no_data, [](const Case& one) { return one.op != "weak_contiguity"; });
  EXPECT_THAT(power_table(std::span(&shipped_ops().find("weak_contiguity"), 1), of_no_data, [](const Case&) { return Power{}; }),
              HasSubstr("| fault | any data |\n"));
}

TEST(Declared, AnOpTakesTheContractsOfItsCases) {
  for (const Case& one : some_cases()) EXPECT_TRUE(shipped_ops().find(one.op).takes(one.text("contract"))) << one.id;
  EXPECT_FALSE(shipped_ops().find("rms_norm").takes("aiter.fused_add_rms_norm"));
  EXPECT_FALSE(shipped_ops().find("quant_group").takes("vllm.static"));
  for (const Op& op : shipped_ops().all()) {
    EXPECT_FALSE(op.takes("vllm.grup_fp8")) << op.name;
    EXPECT_EQ(op.takes("sm_90.wgmma.e4m3.f32"), op.name == "mma") << op.name;
  }
  EXPECT_EQ(shipped_ops().of_contract("flashinfer.layer_norm").name, "layer_norm");
  EXPECT_EQ(shipped_ops().of_contract("flashinfer.mxfp8").name, "quant_group");
  EXPECT_EQ(shipped_ops().of_contract("flashinfer.mxfp8", {{"tokens", "1;2"}}).name, "quant_experts");
  const std::string experts = "vllm.silu_and_mul_scaled_fp4_experts_quant";
  EXPECT_EQ(shipped_ops().of_contract(experts).name, "silu_mul_quant_group");
  EXPECT_EQ(shipped_ops().of_contract(experts, {}, {{"x", {}}, {"expert_offsets", {}}}).name, "silu_mul_quant_experts")
      << "a tensor tells";
  EXPECT_EQ(shipped_ops().of_contract(experts, {}, {{"x", {}}, {"no_role", {}}}).name, "silu_mul_quant_group");
  EXPECT_THROW((void)shipped_ops().of_contract("vllm.grup_fp8"), std::out_of_range);
}

TEST(Declared, LayoutsSayWhereScalesLieAndWhatPaddingHolds) {
  const auto of = [](const std::string& op, const std::string& contract) {
    for (const Case& one : quick_cases())
      if (one.op == op && one.text("contract") == contract) {
        std::string text;
        for (const std::string& line : shipped_ops().find(op).bind(one)->layouts()) text += line + "\n";
        return text;
      }
    return std::string("no such case");
  };
  const std::string packed = of("quant_group", "vllm.group_fp8_packed");
  EXPECT_THAT(packed, HasSubstr("e8m0 element 4*((c/4)*ceil(m,4)+r)+c%4"));
  EXPECT_THAT(packed, HasSubstr("rows from m to ceil(m,4): must be zero"));
  EXPECT_THAT(packed, HasSubstr("each element packs 4 e8m0 scales, the first in its lowest bits"));
  EXPECT_THAT(of("indexer_k_quant_and_cache", "vllm.indexer_k"), HasSubstr("codes  128 x e4m3fn at p*128+c"));
}

/// For --minimize: each reduced case is valid, and has the requested size.
TEST(Declared, WhatIsTakenAwayLeavesACase) {
  for (const Case& one : some_cases()) {
    const Op& op = shipped_ops().find(one.op);
    const std::optional<Shrinking> shrinking = op.bind(one)->shrinking({});
    if (!shrinking) continue;
    for (const ShrinkAxis& axis : shrinking->axes) EXPECT_EQ(checked_case(op, with_cells(one, axis.cells(axis.now))).id, one.id);
    EXPECT_GT(shrinking->elements, 0) << one.id;
  }
}

TEST(Declared, GroupsAreTakenAwayWhole) {
  const auto axes = [](const std::string& group) {
    for (const Case& one : quick_cases())
      if (one.op == "quant_tile" && one.text("group_size") == group)
        return shipped_ops().find("quant_tile").bind(one)->shrinking({{"n", 8}})->axes;
    return std::vector<ShrinkAxis>{};
  };
  const std::vector<ShrinkAxis> block = axes("128x128"), tensor = axes("tensor");
  ASSERT_EQ(block.size(), 2u);
  EXPECT_EQ(block[0].cells(1).at("m"), "128");
  EXPECT_EQ(block[1].cells(2).at("n"), "256");
  ASSERT_EQ(tensor.size(), 2u);
  EXPECT_EQ(tensor[0].cells(1).at("m"), "1");
  EXPECT_EQ(tensor[1].cells(1).at("n"), "8");
}

// Mutants are first compared on a few elements (glimpse). These elements agree with the complete first rows.

struct Looked {
  int64_t elements = 0, wrong = 0;
};

/// Counts the elements of a glimpse, and how many of them differ from the complete rows.
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

/// The same counts if the first rows (`first`) were computed separately. Parts of `first` and `answer` correspond by label.
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

/// Every 24th case of each op.
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
