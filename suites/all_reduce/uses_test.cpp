// Uses of a group: warm-up calls with other data or sizes, wrapping counters, a late rank, in-place output.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "suites/all_reduce/rank_case.h"
#include "suites/testing/usual_ranks.h"

namespace assay::rank_test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(AllReduce, TheCallBeforeHasOtherNumbers) {
  const Problem problem = all_reduce().bind(case_with({{"before", "3"}}))->problem();
  ASSERT_EQ(problem.before.size(), 3u);
  EXPECT_NE(problem.before[0].tensors[0].bytes, problem.tensors[0].bytes);
  EXPECT_EQ(problem.before[0].tensors[0].bytes, problem.before[2].tensors[0].bytes);
  EXPECT_EQ(all_reduce().bind(case_with({{"before", ""}}))->problem().before.size(), 0u);
}

TEST(AllReduce, AStragglerIsNamedToTheLibrary) {
  const auto parameters = [](const char* use) { return all_reduce().bind(case_with({{"use", use}}))->problem().parameters; };
  EXPECT_THAT(parameters("straggler"), testing::Contains(std::pair<std::string, double>("straggler", 2)));
  EXPECT_THAT(parameters(""), testing::Not(testing::Contains(testing::Key("straggler"))));
}

TEST(AllReduce, SizesAlternateAndTheLastCallIsTheLonger) {
  const Case one = case_with({{"before", "3"}, {"use", "alternating"}});
  const Problem problem = all_reduce().bind(one)->problem();
  ASSERT_EQ(problem.before.size(), 3u);
  const auto rows = [](const Problem& p) { return p.tensors[0].spec.shape[0]; };
  EXPECT_THAT((std::vector<int64_t>{rows(problem.before[0]), rows(problem.before[1]), rows(problem.before[2]), rows(problem)}),
              ElementsAre(4, 2, 4, 2));
  EXPECT_EQ(rank_inputs(read_rank_case(one), problem).before[0].size(), size_t(problem.tensors[0].spec.elements()));
  EXPECT_THAT(refusal({{"before", "1"}, {"use", "alternating"}}), HasSubstr("two calls before it, or more"));
}

TEST(AllReduce, CountsThatWrapAreAParameterOfAllCalls) {
  const Problem problem = all_reduce().bind(case_with({{"use", "wrapping"}}))->problem();
  for (const Problem* p : {&problem, &problem.before[0]}) {
    ASSERT_EQ(p->parameters.back().first, "counter");
    EXPECT_EQ(p->parameters.back().second + 4, 0x1p32);
  }
  EXPECT_THAT(refusal({{"before", ""}, {"use", "wrapping"}}), HasSubstr("calls before them"));
  EXPECT_THAT(refusal({{"use", "wraping"}}), HasSubstr("'wraping' is not one of: alternating, wrapping, in_place"));
}

TEST(AllReduce, InPlaceIsOneMemoryOfEachRank) {
  const Problem problem = all_reduce().bind(case_with({{"use", "in_place"}, {"before", ""}}))->problem();
  for (size_t i = 0; i < problem.tensors.size(); i += 2) {
    EXPECT_EQ(problem.tensors[i + 1].spec.shares, "x");
    EXPECT_EQ(problem.tensors[i + 1].bytes, problem.tensors[i].bytes);
  }
  EXPECT_EQ(all_reduce().bind(case_with({}))->problem().tensors[1].spec.shares, "");
}

}  // namespace
}  // namespace assay::rank_test
