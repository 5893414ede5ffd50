// Op mma: each element of a tile agrees with the instruction's definition, and mutants have the right names.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "harness/core/cases.h"
#include "reference/formats/catalogue.h"
#include "suites/mma/mma_case.h"
#include "suites/registry.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;

const std::vector<Case>& mma_cases() {
  static const std::vector<Case> cases = [] {
    open_rulebook(ASSAY_SOURCE_DIR);
    return select_cases(load_cases(shipped_ops().all(), ASSAY_SOURCE_DIR),
                        {.suites = {"mma/quick"}, .cases = {}, .arch = {}, .warp = "32"});
  }();
  return cases;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

/// The last line of an element's trace has the code that the definition gives.
TEST(Mma, TilesAreWhatTheDefinitionMakesOfEachElement) {
  int64_t compared = 0;
  for (const Case& one : mma_cases()) {
    const MmaCase c = read_mma_case(one);
    const Problem problem = mma_problem(c);
    const std::vector<WholePart> d = computed(expect_tiles(c, c.unit(), problem));
    for (const auto& [row, column] : {std::pair<int64_t, int64_t>{0, 0}, {c.m - 1, 1}, {c.m / 2, c.n - 1}}) {
      const uint32_t code = code_from_ordinal(*d[0].part.format, d[0].low[size_t(row * c.n + column)]);
      const std::vector<std::string> lines = trace_element(c, problem, row, column);
      char text[16];
      std::snprintf(text, sizeof text, "%0*x = ", (c.unit().d->bits + 3) / 4, code);
      ASSERT_THAT(lines.back(), HasSubstr(text)) << one.id << " " << row << " " << column;
      // the sums of the element's blocks give the same code
      if (!std::isnan(decode(*c.unit().d, code))) {
        ASSERT_THAT(lines[lines.size() - 2], HasSubstr(std::string("d = ") + text)) << one.id;
      }
      ++compared;
    }
  }
  EXPECT_GT(compared, 2000);
}

TEST(Mma, EveryKnownUnitHasAQuickCaseOfSpecialValues) {
  std::set<std::string> special;
  for (const Case& one : mma_cases())
    if (one.text("c") == "specials") special.insert(one.text("contract"));
  for (const UnitRow& row : rulebook().units.rows()) {
    const bool integers = row.unit.d->is_integer();
    EXPECT_EQ(special.contains(row.id), row.unit.known() && !integers) << row.id;
  }
}

TEST(Mma, AUnitOfWhichNothingIsKnownHasNoCase) {
  Case one = mma_cases().front();
  one.parameters["contract"] = "gfx950.mfma.f16.f32";
  try {
    (void)checked_case(shipped_ops().find("mma"), one);
    FAIL();
  } catch (const TableError& error) {
    EXPECT_THAT(error.what(), HasSubstr("the arithmetic of instruction"));
  }
}

TEST(Mma, ATraceSaysWhatWasCutOffAndWhere) {
  for (const Case& one : mma_cases()) {
    if (one.text("contract") != "sm_90.wgmma.e4m3.f32" || one.text("fill") != "near_one") continue;
    const MmaCase c = read_mma_case(one);
    const std::string text = joined(trace_element(c, mma_problem(c), 0, 0));
    EXPECT_THAT(text, HasSubstr("d[0, 0, 0] of unit sm_90.wgmma.e4m3.f32"));
    EXPECT_THAT(text, HasSubstr("products 0..31"));
    EXPECT_THAT(text, ContainsRegex("E = -?[0-9]+ is the largest e: bits of each term below 2"));
    EXPECT_THAT(text, HasSubstr("cut off"));
    EXPECT_THAT(text, HasSubstr("products 96..127"));
    return;
  }
  FAIL() << "no such case";
}

TEST(Mma, NansAreJudgedByTheirBits) {
  const Format& f = with_nans_by_code(kF32);
  EXPECT_NE(ordinal(f, 0x7fffffffu), ordinal(f, 0x7fc00000u));
  EXPECT_NE(ordinal(f, 0xffc00000u), ordinal(f, 0x7fc00000u));
  EXPECT_EQ(code_from_ordinal(f, ordinal(f, 0xffc12345u)), 0xffc12345u);
  EXPECT_TRUE(is_nan_ordinal(ordinal(f, 0xff800001u)));
  EXPECT_FALSE(is_nan_ordinal(ordinal(f, 0xff800000u)));
}

}  // namespace
}  // namespace assay
