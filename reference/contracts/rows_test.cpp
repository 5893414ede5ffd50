// Contract rows: all shipped rows bind, ids are unique, periods are releases or dates, and a user's table can be added.
#include "reference/contracts/rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <regex>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "reference/contracts/bind.h"
#include "reference/flow/registry.h"
#include "reference/formats/catalogue.h"
#include "reference/testing/contract_tables.h"

namespace assay {
namespace {

using namespace contract_tables;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

TEST(Rows, EveryShippedRowBindsForEveryInputFormat) {
  const ContractTables tables = ContractTables::load(kFolder);
  EXPECT_GE(tables.rows().size(), 18u);
  for (const ContractRow& row : tables.rows()) {
    if (!has_recipes(row)) continue;  // reference/casts/casts_test.cpp, reference/packing/packing_test.cpp
    for (const Format* x : {&kBf16, &kF16, &kF32}) {
      const Contract contract = bind(tables, row.id, *x);
      EXPECT_EQ(contract.id, row.id);
      EXPECT_EQ(contract.links.size(), chain_of(row).size());
      EXPECT_TRUE(contract.group_quant() || contract.row_norm() || contract.gated() || contract.rope());
    }
    EXPECT_FALSE(row.text("source").empty()) << row.id;
    EXPECT_FALSE(row.text("since").empty()) << row.id;
    EXPECT_FALSE(row.text("why").empty()) << row.id;
    EXPECT_GT(row.line, 1);
  }
}

TEST(Rows, AUsersRowIsAddedAndFound) {
  const TableFile file(quant_row("my.quant", "absmax", "div(M)", "div(s) to(q)"));
  ContractTables tables = ContractTables::load(kFolder);
  EXPECT_THROW(tables.find("my.quant"), std::out_of_range);
  tables.add(file.path());
  EXPECT_EQ(tables.find("my.quant").flow->name, "group_quant");
  EXPECT_EQ(bind(tables, "my.quant", kBf16).group_quant()->code.text(), "div(s) to(q)");
}

TEST(Rows, AnIdIsNeverUsedTwice) {
  EXPECT_EQ(error_of(quant_row("vllm.group_fp8", "absmax", "div(M)", "div(s) to(q)")),
            "2:1: id: 'vllm.group_fp8' stands in reference/contracts/quant.csv:2 already; ids are never reused");
  EXPECT_EQ(error_of(quant_row("vllm.group_fp8_other", "absmax", "div(M)", "div(s) to(q)")), "no error");
  EXPECT_EQ(error_of(quant_row("", "absmax", "div(M)", "div(s) to(q)")), "2:1: id: a contract needs an id");
}

TEST(Rows, ARetiredIdNamesItsSuccessorAndIsNotUsedAgain) {
  const ContractTables tables = ContractTables::load(kFolder);
  EXPECT_EQ(error_of(quant_row("vllm.scaled_quantize_block", "absmax", "div(M)", "div(s) to(q)")),
            "2:1: id: 'vllm.scaled_quantize_block' was retired for 'vllm.scaled_quantize_block_rcp'; ids are never reused");
  try {
    tables.find("vllm.scaled_quantize_block");
    FAIL();
  } catch (const std::out_of_range& error) {
    EXPECT_THAT(error.what(), StartsWith("contract 'vllm.scaled_quantize_block' described no code: "));
    EXPECT_THAT(error.what(), EndsWith("; now 'vllm.scaled_quantize_block_rcp'"));
  }
  EXPECT_NO_THROW(tables.find("vllm.scaled_quantize_block_rcp"));
}

/// A release as "v0.19.1", a date as "2026", "2026-06" or "2026-06-18", "unmerged", or two of these with "; " between.
bool is_period(const std::string& cell) {
  static const std::regex one(R"(v\d+(\.\d+)+(\.post\d+)?|\d{4}(-\d{2}){0,2}|unmerged)");
  for (size_t at = 0; at <= cell.size();) {
    const size_t end = std::min(cell.find("; ", at), cell.size());
    if (!std::regex_match(cell.begin() + long(at), cell.begin() + long(end), one)) return false;
    at = end + 2;
  }
  return true;
}

TEST(Rows, SinceAndUntilAreReleasesOrDates) {
  for (const char* right : {"v0.19.1", "v0.20.0; v0.24.0", "2026", "2026-06-18", "unmerged", "v0.5.10.post1"})
    EXPECT_TRUE(is_period(right)) << right;
  for (const char* wrong : {"", "0.19.1", "v0.19.1;v0.20.0", "later", "2026-6", "v0.19.1 "})
    EXPECT_FALSE(is_period(wrong)) << wrong;
  const ContractTables tables = ContractTables::load(kFolder);
  for (const ContractRow& row : tables.rows()) {
    if (!has_recipes(row)) continue;  // casts belong to library versions
    EXPECT_TRUE(is_period(row.text("since"))) << row.id;
    EXPECT_TRUE(row.text("until").empty() || is_period(row.text("until"))) << row.id;
    const bool unmerged = row.text("since") == "unmerged";
    EXPECT_EQ(unmerged, row.text("source").starts_with("unmerged: ")) << row.id << ": a row of a branch says so in both cells";
  }
}

/// Rows whose `since` or `until` is a date although other rows of their package name releases, and which do not state that no
/// release contains their code.
std::vector<std::string> dated_without_reason(const std::vector<ContractRow>& rows) {
  static const std::regex release(R"(v?\d+\.\d+.*)"), date(R"((^|.*; )\d{4}(-\d{2}){0,2}(; .*)?)");
  const auto package = [](const ContractRow& row) { return row.id.substr(0, row.id.find('.')); };
  std::set<std::string> released;
  for (const ContractRow& row : rows)
    if (std::regex_match(row.text("since"), release)) released.insert(package(row));
  std::vector<std::string> dated;
  for (const ContractRow& row : rows) {
    const bool says = (row.text("source") + row.text("why")).find("in no release") != std::string::npos;
    const bool has_date = std::regex_match(row.text("since"), date) || std::regex_match(row.text("until"), date);
    if (released.contains(package(row)) && has_date && !says) dated.push_back(row.id);
  }
  return dated;
}

TEST(Rows, ADateStandsOnlyWhereNoReleaseHoldsTheCode) {
  ContractTables tables = ContractTables::load(kFolder);
  EXPECT_EQ(dated_without_reason(tables.rows()), std::vector<std::string>());
  const TableFile file(quant_row("vllm.dated", "absmax", "div(M)", "div(s) to(q)"));  // since 2026
  tables.add(file.path());
  EXPECT_EQ(dated_without_reason(tables.rows()), std::vector<std::string>{"vllm.dated"});
  const TableFile mine(quant_row("mine.dated", "absmax", "div(M)", "div(s) to(q)"));
  tables.add(mine.path());
  EXPECT_EQ(dated_without_reason(tables.rows()).size(), 1u) << "a package without releases has dates";
}

TEST(Rows, EveryFlowIsInTheRegistryOnceAndSaysWhatItIs) {
  std::set<std::string> names, says;
  for (const Flow* flow : all_flows()) {
    EXPECT_TRUE(names.insert(flow->name).second) << flow->name;
    EXPECT_TRUE(says.insert(flow->says).second) << flow->says;
    EXPECT_THAT(flow->columns, testing::Contains(flow->says));
    EXPECT_EQ(flow->kind == FlowKind::kLink, flow->bind != nullptr) << flow->name;
    EXPECT_EQ(flow->kind == FlowKind::kLink, flow->edits != nullptr) << flow->name;
    EXPECT_EQ(&flow_named(flow->name), flow);
  }
  EXPECT_THROW(flow_named("row_nrm"), std::out_of_range);
}

TEST(Rows, ATableWithoutAFlowOrWithAStrangeColumnIsRefused) {
  EXPECT_THAT(error_of("id,why\na,b\n"), HasSubstr("no column says which flow this is"));
  EXPECT_THAT(error_of("id,sums,depth,r,y,since,until,source,why\n"),
              testing::AllOf(StartsWith("1:4: no column says"), HasSubstr("did you mean 'sum' by 'sums'?")));
  EXPECT_THAT(error_of("id,sum,depth,r,z,since,until,source,why\n"), HasSubstr("column 'y' is missing"));
  EXPECT_THAT(error_of("id,sum,depth,r,y,zz,since,until,source,why\n"), HasSubstr("1:18: zz: unknown column"));
}

TEST(Rows, AnUnknownContractNamesNearOnes) {
  const ContractTables tables = ContractTables::load(kFolder);
  try {
    tables.find("vllm.group_fp");
    FAIL();
  } catch (const std::out_of_range& error) {
    EXPECT_THAT(error.what(), StartsWith("unknown contract 'vllm.group_fp'; did you mean 'vllm.group_fp8'"));
  }
  EXPECT_NO_THROW(tables.find("vllm.group_fp8"));
}

}  // namespace
}  // namespace assay
