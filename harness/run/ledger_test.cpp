#include "harness/run/ledger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/run/run.h"
#include "reference/table/table.h"

namespace assay {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr const char* kHead = "case,kernel,outcome,reason,issue,since,owner\n";

Verdict verdict(const std::string& id, Outcome outcome) {
  Verdict v;
  v.case_id = id;
  v.kernel = "k";
  v.outcome = outcome;
  return v;
}

Verdict expected(const std::string& rows, Verdict v) {
  Ledger::parse(kHead + rows, "l.csv").expect(v);
  return v;
}

TEST(Ledger, AKnownFailureIsAsExpected) {
  const Verdict v = expected("a/*,*,fail,rounds twice,#7,2026-11-21,ann", verdict("a/1", Outcome::kFail));
  EXPECT_TRUE(as_expected(v));
  EXPECT_EQ(v.deviation, "expects fail: rounds twice (#7, since 2026-11-21, ann; l.csv:2)");
  EXPECT_FALSE(as_expected(expected("b/*,*,fail,rounds twice,#7,2026-11-21,ann", verdict("a/1", Outcome::kFail))));
}

TEST(Ledger, AnUnexpectedFixFailsTheRun) {
  RunResult result;
  result.verdicts = {expected("a/*,*,fail,rounds twice,#7,2026-11-21,ann", verdict("a/1", Outcome::kPass))};
  EXPECT_EQ(result.exit_code(), kUnexpected);
  result.verdicts = {expected("a/*,*,broken,rounds twice,#7,2026-11-21,ann", verdict("a/1", Outcome::kFail))};
  EXPECT_EQ(result.exit_code(), kUnexpected) << "another deviation than the known one";
}

TEST(Ledger, WhatIsNotOfferedAnyMoreIsNotTheKnownFailure) {
  Verdict skip = verdict("a/1", Outcome::kSkip);
  skip.offered = false;
  EXPECT_TRUE(as_expected(skip));
  EXPECT_FALSE(as_expected(expected("a/*,*,fail,rounds twice,#7,2026-11-21,ann", skip)));
}

TEST(Ledger, TheFirstRowThatCoversHolds) {
  const std::string rows = "a/1,k,pass,mended here,#8,2026-11-21,ann\na/*,*,fail,rounds twice,#7,2026-11-21,ann";
  EXPECT_TRUE(as_expected(expected(rows, verdict("a/1", Outcome::kPass))));
  EXPECT_TRUE(as_expected(expected(rows, verdict("a/2", Outcome::kFail))));
}

TEST(Ledger, RowsThatCoverNothingAreNamed) {
  const Ledger ledger =
      Ledger::parse(std::string(kHead) + "a/*,*,fail,x,#7,2026-11-21,ann\nb/*,*,fail,y,#8,2026-11-21,ann", "l.csv");
  ASSERT_THAT(ledger.idle({verdict("a/1", Outcome::kFail)}), SizeIs(1));
  EXPECT_EQ(ledger.idle({verdict("a/1", Outcome::kFail)})[0]->origin.text(), "l.csv:3");
}

std::string complaint(const std::string& rows) {
  try {
    Ledger::parse(kHead + rows, "l.csv");
  } catch (const TableError& error) {
    return error.what();
  }
  return "";
}

TEST(Ledger, WrongCellsAreNamed) {
  EXPECT_THAT(complaint("a,*,fial,x,#7,2026-11-21,ann"),
              HasSubstr("l.csv:2:5: outcome: no outcome 'fial'; did you mean 'fail'?"));
  EXPECT_THAT(complaint("a,*,fail,,#7,2026-11-21,ann"), HasSubstr("l.csv:2:10: reason: is empty"));
  EXPECT_THAT(complaint("a,*,fail,x,#7,yesterday,ann"), HasSubstr("since: 'yesterday': expected a date"));
  EXPECT_THAT(complaint("a,*,fail,x,#7,2026-11-21"), HasSubstr("l.csv:2"));
}

TEST(Ledger, ARowThatStandsTwiceIsNamedWithBothPlaces) {
  EXPECT_THAT(complaint("a,*,fail,x,#7,2026-11-21,ann\nb,*,fail,x,#7,2026-11-21,ann\na,*,broken,y,#8,2026-11-22,bob"),
              HasSubstr("l.csv:4:1: case: is a duplicate: l.csv:2 is for the same cases and kernels"));
  EXPECT_EQ(complaint("a,k,fail,x,#7,2026-11-21,ann\na,*,fail,x,#7,2026-11-21,ann"), "") << "other kernels: another row";
}

}  // namespace
}  // namespace assay
