#include "harness/run/ladder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "harness/backend/library.h"
#include "harness/backend/runner.h"
#include "harness/testing/toy_library.h"
#include "harness/testing/toy_op.h"

namespace assay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

Verdict climbed(const std::string& kernel, const Op& op = testing::toy_op(), const Backend& backend = testing::toy_backend()) {
  return run_case(op, testing::toy_case(), {.name = kernel, .op = "toy", .contracts = {"toy.copy"}}, backend, {.ladder = true});
}

TEST(Ladder, AKernelWhoseBitsDependOnItsRowAloneHoldsEveryRung) {
  const Verdict verdict = climbed("copy");
  ASSERT_EQ(verdict.outcome, Outcome::kPass) << verdict.message;
  EXPECT_THAT(verdict.climb->held, ElementsAre("repeat", "batch", "neighbours", "stream", "graph"));
  EXPECT_THAT(verdict.climb->absent, IsEmpty());
}

struct Twin {
  const char *kernel, *rung, *words;
};
class BrokenRung : public ::testing::TestWithParam<Twin> {};

/// Accepts any output.
struct FreeCase : testing::ToyCase {
  using ToyCase::ToyCase;
  Expectation expect(const Problem& problem, const std::vector<HostTensor>* outputs) const override {
    std::vector<WholePart> parts = computed(ToyCase::expect(problem, outputs));
    parts[0].high.assign(parts[0].low.size(), Interval::anything().high);
    parts[0].low.assign(parts[0].low.size(), Interval::anything().low);
    return expectation_of(std::move(parts));
  }
};

/// Each kernel answers the plain call correctly, so only its invariance level can reveal the fault.
TEST_P(BrokenRung, IsNamed) {
  const Verdict verdict = climbed(GetParam().kernel, testing::toy_op_of<FreeCase>());
  EXPECT_EQ(verdict.outcome, Outcome::kFail);
  ASSERT_TRUE(verdict.climb) << verdict.message;
  EXPECT_EQ(verdict.climb->broken, GetParam().rung);
  EXPECT_THAT(verdict.message, HasSubstr(GetParam().words));
  EXPECT_THAT(verdict.causes, ElementsAre("none in the contract's steps: the plain call is correct"));
}
INSTANTIATE_TEST_SUITE_P(All, BrokenRung,
                         ::testing::Values(Twin{"remembers", "repeat", "y at storage element 2"},
                                           Twin{"follows_seed", "repeat", "y at storage element 2"},
                                           Twin{"counts_rows", "batch", "in a batch of 2 rows"},
                                           Twin{"counts_many_rows", "batch", "of 259"},
                                           Twin{"looks_at_neighbours", "batch", "y["},
                                           Twin{"needs_default_stream", "stream", "y at storage element 2"},
                                           Twin{"ignores_capture", "graph", "y at storage element 0"},
                                           Twin{"cannot_be_captured", "graph", "allocates while it is captured"}),
                         [](const auto& info) { return std::string(info.param.kernel); });

struct CaseOfOneRow : testing::ToyCase {
  using ToyCase::ToyCase;
  int64_t independent_rows() const override { return 0; }
};

TEST(Ladder, RungsThatCannotBeTriedSayWhy) {
  const Op op = testing::toy_op_of<CaseOfOneRow>();
  assay_library plain = *testing::toy_library();
  plain.size = offsetof(assay_library, create_stream);  // size of the struct in the ABI's first release
  Backend backend = testing::toy_backend();
  const auto runner = std::make_shared<Runner>(of_this_size(plain, nullptr));
  backend.call = [runner](const CallRequest& request) { return runner->call(request); };
  const Verdict verdict = climbed("copy", op, backend);
  ASSERT_EQ(verdict.outcome, Outcome::kPass) << verdict.message;
  EXPECT_THAT(verdict.climb->held, ElementsAre("repeat"));
  EXPECT_THAT(
      verdict.climb->absent,
      ElementsAre(Pair("batch", "rows of this op are not independent"), Pair("neighbours", "rows of this op are not independent"),
                  Pair("stream", "the library has no streams"), Pair("graph", "the library has no streams")));
}

TEST(Ladder, AWrongAnswerIsNotClimbed) {
  const Verdict verdict = climbed("off_by_one");
  EXPECT_EQ(verdict.outcome, Outcome::kFail);
  EXPECT_FALSE(verdict.climb);
}

}  // namespace
}  // namespace assay
