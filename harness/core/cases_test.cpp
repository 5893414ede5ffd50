#include "harness/core/cases.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <set>

#include "harness/testing/toy_op.h"
#include "harness/text/messages.h"
#include "harness/text/text_file.h"
#include "reference/table/table.h"

namespace assay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kFile = "suites/toy/cases/quick_more.csv";
const std::string kHeader = "contract,format,m,n,fill,seed,warp,why,blind_to\n";

std::vector<std::string> ids(const std::vector<Case>& cases) {
  std::vector<std::string> names;
  for (const Case& one : cases) names.push_back(one.id);
  return names;
}

template <class Error, class Action>
std::string error_of(Action action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

std::string expansion_error(const std::string& text) {
  return error_of<TableError>([&] { expand_table(testing::toy_op(), text, kFile); });
}

TEST(Glob, StarAndQuestionMark) {
  EXPECT_TRUE(glob_match("*", ""));
  EXPECT_TRUE(glob_match("quant/*.g128.*", "quant/e4m3fn.g128.ties.s1"));
  EXPECT_TRUE(glob_match("a*b*c", "aXbXbYc"));
  EXPECT_TRUE(glob_match("w?2", "w32"));
  EXPECT_FALSE(glob_match("w?2", "w322"));
  EXPECT_FALSE(glob_match("quant", "quant_group"));
  EXPECT_FALSE(glob_match("", "a"));
  EXPECT_FALSE(glob_match("a*b", "a"));
}

TEST(Cases, ARowIsTheProductOfItsAlternatives) {
  const auto cases = expand_table(testing::toy_op(),
                                  kHeader + "toy.copy,bf16,1,8 | 16,ramp|zeros,1,32,\"a|b stays\",dropped_*; swapped\n", kFile);
  EXPECT_THAT(ids(cases), ElementsAre("toy/bf16.m1.n8.ramp.s1/w32", "toy/bf16.m1.n8.zeros.s1/w32", "toy/bf16.m1.n16.ramp.s1/w32",
                                      "toy/bf16.m1.n16.zeros.s1/w32"));
  EXPECT_EQ(cases[3].why, "a|b stays");
  EXPECT_THAT(cases[3].blind_to, ElementsAre("dropped_*", "swapped"));
  EXPECT_EQ(cases[3].tier, "quick");
  EXPECT_EQ(cases[3].op, "toy");
  EXPECT_EQ(cases[3].origin.text(), "suites/toy/cases/quick_more.csv:2");
  EXPECT_EQ(cases[3].integer("n"), 16);
}

TEST(Cases, AProductOfManyAlternativesIsRefusedBeforeItIsMade) {
  std::string many = "1";
  for (int i = 2; i <= 1000; ++i) many += "|" + std::to_string(i);
  for (const std::string& rows : {"toy.copy,bf16," + many + "," + many + ",ramp," + many + ",32,b,\n",
                                  "toy.copy,bf16," + many + "," + many + ",ramp,1,32,b,\n"})
    EXPECT_THAT(expansion_error(kHeader + rows),
                HasSubstr("quick_more.csv:2: this row and the rows before it expand to more than 50000 cases"));
}

TEST(Cases, WrongTablesSayFileLineColumnAndName) {
  EXPECT_EQ(expansion_error(kHeader + "toy.copy,bf16,1,8,ramp,1,32,,\n"),
            "suites/toy/cases/quick_more.csv:2:29: why: is empty: expected the reason for this row");
  EXPECT_EQ(expansion_error(kHeader + "toy.copy,bf16,1,8|,ramp,1,32,x,\n"),
            "suites/toy/cases/quick_more.csv:2:17: n: empty alternative");
  EXPECT_EQ(expansion_error(kHeader + "toy.copy,bf16,1,8|8,ramp,1,32,x,\n"),
            "suites/toy/cases/quick_more.csv:2:17: n: alternative '8' appears twice");
  EXPECT_EQ(expansion_error(kHeader + "toy.copy,bf16,1,0,ramp,1,32,x,\n"),
            "suites/toy/cases/quick_more.csv:2:17: n: must be positive")
      << "what the op refuses gets the character of the cell";
  EXPECT_EQ(expansion_error("contract,format,m,n,fill,sead,warp,why\n"),
            "suites/toy/cases/quick_more.csv:1:26: sead: unknown column; did you mean 'seed'?");
  EXPECT_THAT(expansion_error("contract,format,m,n,fill,warp,why\n"), HasSubstr("column 'seed' is missing"));
}

class CasesOnDisk : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = (std::filesystem::temp_directory_path() / ("assay_cases_" + std::to_string(::getpid()))).string();
    write("quick.csv", "toy.copy,bf16,1,8,ramp,1,32|64,x,\n");
    write("full_models.csv", "toy.copy,bf16,1,16,ramp,1,32,x,\n");
  }
  void TearDown() override { std::filesystem::remove_all(root_); }
  void write(const std::string& file, const std::string& rows) {
    write_atomically(root_ + "/suites/toy/cases/" + file, kHeader + rows);
  }
  std::vector<Case> load() {
    const std::vector<Op> ops = {testing::toy_op()};
    return load_cases(ops, root_);
  }
  std::string root_;
};

TEST_F(CasesOnDisk, TablesAreReadInOrderOfTheirNames) {
  EXPECT_THAT(ids(load()),
              ElementsAre("toy/bf16.m1.n16.ramp.s1/w32", "toy/bf16.m1.n8.ramp.s1/w32", "toy/bf16.m1.n8.ramp.s1/w64"));
}

TEST_F(CasesOnDisk, ADuplicateIdNamesBothRows) {
  write("quick_z.csv", "toy.copy,bf16,1,16,ramp,1,32,other words,\n");
  EXPECT_EQ(error_of<TableError>([&] { load(); }),
            "suites/toy/cases/quick_z.csv:2: case toy/bf16.m1.n16.ramp.s1/w32 already exists, from "
            "suites/toy/cases/full_models.csv:2");
}

TEST_F(CasesOnDisk, AnOpWithoutATableIsAnError) {
  std::filesystem::remove_all(root_ + "/suites");
  EXPECT_THAT(error_of<TableError>([&] { load(); }), HasSubstr("op 'toy' has no case table"));
}

TEST_F(CasesOnDisk, SelectionBySuiteTierGlobWarpAndArch) {
  const auto select = [&](const Selection& selection) { return select_cases(load(), selection).size(); };
  EXPECT_EQ(select({}), 3u);
  EXPECT_EQ(select({.suites = {"toy"}}), 3u);
  EXPECT_EQ(select({.suites = {"toy/quick"}}), 2u);
  EXPECT_EQ(select({.suites = {"full"}}), 1u);
  EXPECT_EQ(select({.suites = {"full", "toy/quick"}}), 3u);
  EXPECT_EQ(select({.cases = {"*n8*"}}), 2u);
  EXPECT_EQ(select({.cases = {"*n9*"}}), 0u);
  EXPECT_EQ(select({.warp = "64"}), 1u);
  EXPECT_EQ(select({.arch = "sm_90"}), 3u) << "cases that name no architecture belong to each";
}

TEST_F(CasesOnDisk, UnknownSuitesAndTiersGetNearMatches) {
  EXPECT_EQ(error_of<UsageError>([&] { select_cases(load(), {.suites = {"toy/quik"}}); }),
            "no suite 'toy/quik'; did you mean 'toy/quick' or 'toy'?");
  EXPECT_EQ(error_of<UsageError>([&] { select_cases(load(), {.suites = {"zzzz"}}); }),
            "no suite 'zzzz'; there are: toy, toy/full, full, toy/quick, quick");
}

struct CaseNamedByItsBound : testing::ToyCase {
  explicit CaseNamedByItsBound(const Case& one) : ToyCase(one), bound(one.text("bound")) {}
  CaseName name() const override { return {"toy", "", "bound '" + bound + "'", "", 0}; }
  const std::string bound;
};

TEST(Cases, ATableMayLackAnOptionalColumn) {
  Op op = testing::toy_op_of<CaseNamedByItsBound>();
  const std::string without = "contract,format,m,n,fill,seed,warp,why\n";
  op.columns.push_back("bound");
  EXPECT_THAT(error_of<TableError>([&] { expand_table(op, without, kFile); }), HasSubstr("bound"));
  op.optional_columns = {"bound"};
  const std::string row = "toy.copy,f32,1,4,normal,1,32,";
  EXPECT_THAT(ids(expand_table(op, without + row + "why\n", kFile)), ElementsAre("toy/bound ''"));
  EXPECT_THAT(ids(expand_table(op, "bound," + without + "1|2," + row + "why\n", kFile)),
              ElementsAre("toy/bound '1'", "toy/bound '2'"));
}

TEST(Tier, IsTheFileNameUpToUnderscoreOrDot) {
  EXPECT_EQ(tier_of("quick.csv"), "quick");
  EXPECT_EQ(tier_of("full_models.csv"), "full");
}

TEST_F(CasesOnDisk, AtomicFilesReplaceOrLeaveAlone) {
  const std::string path = root_ + "/deep/er/report.txt";
  write_atomically(path, "one");
  write_atomically(path, "two");
  EXPECT_EQ(read_text(path), "two");
  const std::string blocked = root_ + "/deep/er/report.txt/below.txt";
  EXPECT_THAT(error_of<std::runtime_error>([&] { write_atomically(blocked, "x"); }), HasSubstr("cannot write " + blocked));
  EXPECT_EQ(read_text(path), "two");
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(root_ + "/deep/er")) files += entry.is_regular_file();
  EXPECT_EQ(files, 1) << "no temporary file stays";
}

TEST_F(CasesOnDisk, AFailedRenameLeavesNothing) {
  std::filesystem::create_directories(root_ + "/taken/inside");
  EXPECT_THROW(write_atomically(root_ + "/taken", "x"), std::runtime_error);
  int entries = 0;
  for (const auto& entry : std::filesystem::directory_iterator(root_))
    entries += entry.path().filename().string().starts_with("taken.");
  EXPECT_EQ(entries, 0);
}

std::vector<Case> own(const std::string& text, const std::string& op = "") {
  const Op toy = testing::toy_op();
  return load_own_cases({&toy, 1}, text, "mine.csv", op);
}

TEST(OwnCases, TheOpComesFromAColumnOrFromTheCommandLine) {
  const std::string row = "toy.copy,bf16,1,8|16,ramp,1,32,mine,\n";
  EXPECT_THAT(ids(own(kHeader + row, "toy")), ElementsAre("toy/bf16.m1.n8.ramp.s1/w32", "toy/bf16.m1.n16.ramp.s1/w32"));
  const auto named = own("op," + kHeader + "toy," + row);
  EXPECT_THAT(ids(named), ElementsAre("toy/bf16.m1.n8.ramp.s1/w32", "toy/bf16.m1.n16.ramp.s1/w32"));
  EXPECT_EQ(named[0].tier, "own");
  EXPECT_EQ(named[0].origin.text(), "mine.csv:2");
  EXPECT_THAT(error_of<UsageError>([&] { own(kHeader + row); }), HasSubstr("mine.csv: has no column 'op'; add --op NAME"));
  EXPECT_THAT(error_of<UsageError>([&] { own(kHeader + row, "tpy"); }), HasSubstr("unknown op 'tpy'; did you mean 'toy'?"));
  EXPECT_THAT(error_of<TableError>([&] { own("op," + kHeader + "tpy," + row); }),
              HasSubstr("mine.csv:2:1: op: unknown op 'tpy'"));
  EXPECT_THAT(error_of<TableError>([&] { own("op," + kHeader + "toy," + row + "toy," + row); }),
              HasSubstr("already exists, from mine.csv:2"));
  EXPECT_THAT(error_of<TableError>([&] { own(kHeader, "toy"); }), HasSubstr("has no row"));
}

TEST(OwnCases, ATableOfTheSuitesMayNameItsOpAndNoOther) {
  const std::string row = "toy.copy,bf16,1,8,ramp,1,32,mine,\n";
  EXPECT_EQ(expand_table(testing::toy_op(), "op," + kHeader + "toy," + row, kFile).size(), 1u);
  EXPECT_THAT(expansion_error("op," + kHeader + "play," + row),
              HasSubstr(":2:1: op: 'play': expected 'toy', the op of this table"));
}

Shard from(const std::map<std::string, std::string>& variables) {
  return shard_of_environment([&](const char* name) -> const char* {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  });
}

TEST(Shard, SharesTogetherAreTheWholeAndDisjoint) {
  std::vector<Case> cases(11);
  for (size_t i = 0; i < cases.size(); ++i) cases[i].id = std::to_string(i);
  for (const int count : {1, 2, 3, 11, 20}) {
    std::multiset<std::string> seen;
    for (int index = 1; index <= count; ++index)
      for (const Case& one : share_of(cases, {index, count, ""})) seen.insert(one.id);
    EXPECT_EQ(seen.size(), cases.size()) << count;
    EXPECT_EQ(std::set<std::string>(seen.begin(), seen.end()).size(), cases.size()) << count;
  }
}

TEST(Shard, WhatIsNotDividedStandsInTheFirstShare) {
  std::vector<Case> cases(7);
  for (size_t i = 0; i < cases.size(); ++i) cases[i].id = std::to_string(i);
  const auto odd = [](const Case& one) { return one.id == "1" || one.id == "3" || one.id == "5"; };
  std::vector<std::string> first, second;
  for (const Case& one : share_of(cases, {1, 2, ""}, odd)) first.push_back(one.id);
  for (const Case& one : share_of(cases, {2, 2, ""}, odd)) second.push_back(one.id);
  EXPECT_EQ(first, (std::vector<std::string>{"0", "1", "3", "4", "5"}));
  EXPECT_EQ(second, (std::vector<std::string>{"2", "6"}));
}

TEST(Shard, OptionIsCheckedWhole) {
  EXPECT_EQ(parse_shard("2/4").text(), "2/4");
  for (const char* text : {"0/4", "5/4", "2", "/", "a/b", "2/4x", "-1/4", "1/0"})
    EXPECT_THROW(parse_shard(text), UsageError) << text;
}

TEST(Shard, EnvironmentsCountFromZero) {
  EXPECT_TRUE(from({}).is_whole());
  EXPECT_EQ(from({{"GTEST_TOTAL_SHARDS", "4"}, {"GTEST_SHARD_INDEX", "0"}}).text(), "1/4");
  EXPECT_EQ(from({{"SLURM_STEP_NUM_TASKS", "8"}, {"SLURM_PROCID", "7"}}).text(), "8/8");
  EXPECT_EQ(from({{"OMPI_COMM_WORLD_SIZE", "2"}, {"OMPI_COMM_WORLD_RANK", "1"}}).text(), "2/2");
  EXPECT_TRUE(from({{"SLURM_NTASKS", "8"}, {"SLURM_PROCID", "0"}}).is_whole()) << "a batch script is not a step";
}

TEST(Shard, AnEnvironmentThatContradictsItselfIsRefused) {
  EXPECT_THROW(from({{"GTEST_TOTAL_SHARDS", "4"}}), UsageError);
  EXPECT_THROW(from({{"GTEST_TOTAL_SHARDS", "4"}, {"GTEST_SHARD_INDEX", "4"}}), UsageError);
  EXPECT_THROW(from({{"OMPI_COMM_WORLD_SIZE", "two"}, {"OMPI_COMM_WORLD_RANK", "1"}}), UsageError);
}

TEST(Shard, AFingerprintTellsOtherCasesAndAnotherOrder) {
  std::vector<Case> cases(2);
  cases[0].id = "a", cases[1].id = "b";
  const std::string first = fingerprint(cases);
  EXPECT_EQ(fingerprint(cases), first);
  std::swap(cases[0], cases[1]);
  EXPECT_NE(fingerprint(cases), first);
  cases[0].id = "ab", cases[1].id = "";
  EXPECT_NE(fingerprint(cases), first);
}

TEST(Shard, FilesOfSharesDoNotCollide) {
  EXPECT_EQ((Shard{2, 4, ""}.path("out/v.csv")), "out/v.2of4.csv");
  EXPECT_EQ((Shard{2, 4, ""}.path("rec")), "rec.2of4");
  EXPECT_EQ((Shard{}.path("out/v.csv")), "out/v.csv");
}

}  // namespace
}  // namespace assay
