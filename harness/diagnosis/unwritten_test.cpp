// Calls that write nothing, inputs that are read after they were overwritten, and causes that all ranks share.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "harness/diagnosis/diagnose.h"
#include "harness/diagnosis/wrong_part.h"
#include "harness/testing/toy_op.h"
#include "reference/formats/catalogue.h"

namespace assay {
namespace {

using ::testing::ElementsAre;

TEST(Unwritten, ACallThatWritesNoByteIsRecognized) {
  Problem problem;
  problem.tensors.push_back({dense("residual", Role::kInput, kBf16, {8}), std::vector<std::byte>(16)});
  CallResult result;
  result.outputs = {{dense("q", Role::kOutput, kUint8, {8}), std::vector<std::byte>(8)},
                    {dense("residual", Role::kOutput, kBf16, {8}), std::vector<std::byte>(16)}};
  result.untouched = {{{0, 8}}, {}}, result.in_place = {false, true};
  EXPECT_TRUE(writes_nothing(problem, result));
  result.untouched[0] = {{0, 3}, {4, 8}};
  EXPECT_FALSE(writes_nothing(problem, result)) << "one byte of q is written";
  result.untouched[0] = {{0, 8}}, result.outputs[1].bytes[3] = std::byte{1};
  EXPECT_FALSE(writes_nothing(problem, result)) << "the residual has changed";
  result.outputs.erase(result.outputs.begin()), result.untouched.erase(result.untouched.begin()), result.in_place = {true};
  result.outputs[0].bytes[3] = std::byte{0};
  EXPECT_FALSE(writes_nothing(problem, result)) << "the values stored may equal the old ones";
  EXPECT_TRUE(changes_nothing(problem, result));
  result.outputs[0].bytes[3] = std::byte{1};
  EXPECT_FALSE(changes_nothing(problem, result)) << "one byte has changed";
  result.outputs[0].bytes[3] = std::byte{0}, result.in_place = {false};
  EXPECT_FALSE(changes_nothing(problem, result)) << "an output that is not updated in place";
}

/// x is updated in place to x / 2; r is the old x, which a kernel must read before it stores the new x.
class UpdatesX : public testing::ToyCase {
 public:
  using ToyCase::ToyCase;
  static double number(int64_t i) { return double(1 + i * 37 % 101); }
  Problem problem() const override {
    HostTensor x{dense("x", Role::kInput, kF32, {4, 16}), std::vector<std::byte>(256)};
    for (int64_t i = 0; i < 64; ++i) x.set_code(i, code_of(kF32, number(i)));
    return {{std::move(x)}};
  }
  Expectation expect(const Problem& problem, const std::vector<HostTensor>*) const override {
    std::vector<WholePart> parts = {testing::whole_part(kF32, {4, 16}, {}, {}, "", "y"),
                                    testing::whole_part(kF32, {4, 16}, {}, {}, "", "r")};
    for (int64_t i = 0; i < 64; ++i) {
      const double x = decode(kF32, problem.tensors[0].code(i));
      parts[0].low.push_back(ordinal(kF32, code_of(kF32, x / 2)));
      parts[1].low.push_back(ordinal(kF32, code_of(kF32, x)));
    }
    return expectation_of(std::move(parts));
  }
};

TEST(Unwritten, AnInputThatIsReadAfterItWasOverwrittenIsNamed) {
  const auto bound = testing::toy_op_of<UpdatesX>().bind(testing::toy_case());
  const Problem problem = bound->problem();
  const auto cause_of = [&](const std::function<double(int64_t)>& r, const std::string& shares = "x") {
    HostTensor y{dense("y", Role::kOutput, kF32, {4, 16}), std::vector<std::byte>(256)};
    HostTensor other{dense("r", Role::kOutput, kF32, {4, 16}), std::vector<std::byte>(256)};
    y.spec.shares = shares;
    for (int64_t i = 0; i < 64; ++i)
      y.set_code(i, code_of(kF32, UpdatesX::number(i) / 2)), other.set_code(i, code_of(kF32, r(i)));
    WorkBudget budget(WorkBudget::kShort);
    const std::optional<Cause> cause = overwritten_input(*bound, problem, {y, other}, budget);
    return cause ? causes_in_words({*cause}).front() : "";
  };
  EXPECT_EQ(cause_of([](int64_t i) { return UpdatesX::number(i) / 2; }),
            "explains 64 of 64 failing elements: x: read again after the kernel has overwritten it in place");
  EXPECT_EQ(cause_of([](int64_t i) { return UpdatesX::number(i) / 4; }), "");
  EXPECT_EQ(cause_of([](int64_t i) { return UpdatesX::number(i) / 2; }, ""),
            "explains 64 of 64 failing elements: x: read from y after the final y has been stored there");
  EXPECT_EQ(cause_of(UpdatesX::number), "") << "right";
}

TEST(Unwritten, ALastColumnThatStaysAsItWasIsNamed) {
  const auto bound = testing::toy_op_of<UpdatesX>().bind(testing::toy_case());
  const Problem problem = bound->problem();
  const auto words_of_kept = [&](const std::function<bool(int64_t)>& keeps) {
    HostTensor y{dense("y", Role::kOutput, kF32, {4, 16}), std::vector<std::byte>(256)};
    HostTensor r{dense("r", Role::kOutput, kF32, {4, 16}), std::vector<std::byte>(256)};
    y.spec.shares = "x";
    for (int64_t i = 0; i < 64; ++i) {
      y.set_code(i, code_of(kF32, UpdatesX::number(i) / (keeps(i % 16) ? 1 : 2)));
      r.set_code(i, code_of(kF32, UpdatesX::number(i)));
    }
    WorkBudget budget(WorkBudget::kShort);
    const std::vector<Regularity> found = regularities(*bound, problem, {y, r}, budget);
    return found.empty() ? "" : found.front().words;
  };
  EXPECT_EQ(words_of_kept([](int64_t column) { return column == 15; }),
            "what the tensor held before the call in column 15, the last one: a bound on columns is too small where the tensor "
            "is stored");
  EXPECT_EQ(words_of_kept([](int64_t column) { return column == 3; }), "what the tensor held before the call");
  EXPECT_EQ(words_of_kept([](int64_t) { return false; }), "");
}

TEST(Ranks, CausesThatDifferOnlyInTheRankAreJoined) {
  std::vector<std::string> causes = {"pattern: q.rank 0 holds twice the expected values (64 of 64 wrong elements)",
                                     "pattern: scale of rank 0 holds 448 (2 of 2 wrong elements)",
                                     "pattern: q.rank 1 holds twice the expected values (60 of 61 wrong elements)",
                                     "pattern: scale of rank 1 holds 447 (2 of 2 wrong elements)", "padding: not zero"};
  join_ranks(causes, 2);
  EXPECT_THAT(causes,
              ElementsAre("pattern: q of each of 2 ranks holds twice the expected values (64 of 64 wrong elements of rank 0)",
                          "pattern: scale of rank 0 holds 448 (2 of 2 wrong elements)",
                          "pattern: scale of rank 1 holds 447 (2 of 2 wrong elements)", "padding: not zero"));
  causes = {"pattern: q.rank 0 holds the previous 4 again, in 958 of 959 runs (3 of 3 wrong elements)",
            "pattern: q.rank 1 holds the previous 4 again, in 957 of 959 runs (4 of 4 wrong elements)",
            "pattern: q.rank 2 holds the previous 8 again, in 957 of 959 runs (4 of 4 wrong elements)"};
  join_ranks(causes, 3);
  EXPECT_EQ(causes.size(), 2u);
  causes = {"pattern: q.rank 1 holds 0 (1 of 1 wrong elements)", "pattern: q.rank 3 holds 0 (1 of 1 wrong elements)"};
  join_ranks(causes, 4);
  EXPECT_THAT(causes, ElementsAre("pattern: q of ranks 1, 3 holds 0 (1 of 1 wrong elements of rank 1)"));
}

TEST(Ranks, HowOftenASumCountsTheInputOfEachRankIsFound) {
  constexpr int kRanks = 4;
  Problem problem;
  problem.ranks = kRanks;
  const auto number = [](int64_t i, int rank) { return double((i * 37 + rank * 53 + i * i * (rank + 3)) % 101 - 50) / 8; };
  for (int rank = 0; rank < kRanks; ++rank) {
    HostTensor x{dense("x", Role::kInput, kF32, {4, 32}), std::vector<std::byte>(512)};
    x.spec.rank = rank;
    for (int64_t i = 0; i < 128; ++i) x.set_code(i, code_of(kF32, number(i, rank)));
    problem.tensors.push_back(std::move(x));
  }
  const auto words_of_sum = [&](const std::function<double(int64_t, int)>& weight, int summed = 4) {
    WholePart whole = testing::whole_part(kF32, {4, 32}, {});
    HostTensor y{dense("q", Role::kOutput, kF32, {4, 32}), std::vector<std::byte>(512)};
    for (int64_t i = 0; i < 128; ++i) {
      double right = 0, held = 0;
      for (int rank = 0; rank < kRanks; ++rank)
        right += rank < summed ? number(i, rank) : 0, held += weight(i, rank) * number(i, rank);
      whole.low.push_back(ordinal(kF32, code_of(kF32, double(float(right))))), y.set_code(i, code_of(kF32, double(float(held))));
    }
    const Rule rule = counts_of_ranks(WrongPart(whole, y), problem);
    return rule ? rule->words : "";
  };
  EXPECT_EQ(words_of_sum([](int64_t, int rank) { return rank == 2   ? 2
                                                        : rank == 3 ? 0
                                                                    : 1; }),
            "sums over the ranks in which x of rank 2 is counted twice and x of rank 3 is left out");
  EXPECT_EQ(words_of_sum([](int64_t i, int rank) { return rank == i / 64 ? 0 : 1; }),
            "sums over the ranks in which x of rank 0 is left out at element 0; x of rank 1 is left out at element 64");
  EXPECT_EQ(words_of_sum([](int64_t, int rank) { return rank == 3 ? 0 : 1 + int(rank == 1); }, 3),
            "sums over the ranks in which x of rank 1 is counted twice")
      << "x of rank 3 is not a term of the sum";
  EXPECT_EQ(words_of_sum([](int64_t, int) { return 0.5; }), "") << "a factor of the whole sum";
  EXPECT_EQ(words_of_sum([](int64_t i, int rank) { return i % 3 == rank ? 0 : 1; }), "") << "no rule for whole windows";
}

}  // namespace
}  // namespace assay
