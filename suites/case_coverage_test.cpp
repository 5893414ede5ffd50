// The case tables hold what kernels branch on; an op and a column that lack a value are named, with a row that would add it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "harness/backend/library.h"
#include "harness/core/cases.h"
#include "harness/run/match.h"
#include "suites/case_coverage.h"
#include "suites/registry.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

using testing::HasSubstr;

/// Of the quick tier, by op; 64 lanes are the same data once more.
const std::map<std::string, std::vector<Case>>& quick_cases() {
  static const auto cases = [] {
    open_rulebook(ASSAY_SOURCE_DIR);
    std::map<std::string, std::vector<Case>> all;
    for (Case& one : select_cases(load_cases(shipped_ops().all(), ASSAY_SOURCE_DIR), {.suites = {"quick"}, .cases = {}, .arch = {}, .warp = "32"}))
      all[one.op].push_back(std::move(one));
    return all;
  }();
  return cases;
}

std::vector<std::string> texts(const Op& op, const std::vector<Case>& cases) {
  std::vector<std::string> all;
  static const LibraryInfo library = open_library(ASSAY_CPU_LIBRARY).info;
  const auto offered = [](const Case& one) {
    return std::any_of(library.kernels.begin(), library.kernels.end(), [&](const KernelOffer& kernel) { return why_not_offered(kernel, one).empty(); });
  };
  for (const Lack& lack : lacks_of(op, cases, offered)) all.push_back(lack.text(op));
  return all;
}

TEST(CaseCoverage, NoColumnLacksAValueThatItsOpTakes) {
  for (const Op& op : shipped_ops().all())
    for (const std::string& text : texts(op, quick_cases().at(op.name))) ADD_FAILURE() << text;
}

/// The tables without the cases of one row of m, without odd n, and without a fill.
TEST(CaseCoverage, WhatIsTakenOutIsNamed) {
  const Op& op = shipped_ops().find("rms_norm");
  const auto without = [&](const auto& is) {
    std::vector<Case> cases = quick_cases().at("rms_norm");
    std::erase_if(cases, is);
    return texts(op, cases);
  };
  EXPECT_THAT(without([](const Case& one) { return one.text("m") == "1"; }),
              testing::Contains(HasSubstr("op rms_norm, column m: no case has 1; for example a row with contract=")));
  EXPECT_THAT(without([](const Case& one) { return one.integer("n") % 2 == 1; }),
              testing::Contains(HasSubstr("op rms_norm, column n: no case has an odd number")));
  EXPECT_THAT(without([](const Case& one) { return one.text("fill") == "spoiled_rows"; }),
              testing::Contains(HasSubstr("op rms_norm, column fill: no case has fill spoiled_rows")));
  EXPECT_THAT(without([](const Case& one) { return one.text("eps") != "1e-6"; }),
              testing::Contains(HasSubstr("op rms_norm, column eps: no case has two values")));
}

}  // namespace
}  // namespace assay
