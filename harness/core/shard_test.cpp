#include "harness/core/shard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "harness/text/error.h"

namespace assay {
namespace {

using ::testing::HasSubstr;

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
  EXPECT_TRUE(from({{"SLURM_NTASKS", "8"}, {"SLURM_PROCID", "0"}}).is_whole()) << "a batch script is no step";
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
