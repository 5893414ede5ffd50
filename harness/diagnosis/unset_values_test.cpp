// Variables that are used before they are set: their fill must be recognized, and legitimate codes must not be taken for it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "harness/diagnosis/diagnose.h"
#include "harness/diagnosis/input_edits.h"
#include "harness/diagnosis/wrong_part.h"
#include "harness/testing/toy_op.h"
#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"

namespace assay {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

double expected_at(int64_t i) { return (i % 3 == 0 ? -1 : 1) * (1 + double(i % 4) / 4) * std::ldexp(1.0, int(i * 37 % 5)); }

/// The text of the rule that fits 4 rows of 32 numbers; empty if none does. `held`: the code that element i holds.
std::string unset_words(const Format& format, const std::function<uint32_t(int64_t)>& held) {
  WholePart whole = testing::whole_part(format, {4, 32}, {});
  HostTensor y{dense("q", Role::kOutput, format, {4, 32}), std::vector<std::byte>(size_t(128 * format.bytes()))};
  for (int64_t i = 0; i < 128; ++i) whole.low.push_back(ordinal(format, code_of(format, expected_at(i)))), y.set_code(i, held(i));
  const WrongPart wrong(whole, y);
  Rule rule = wrong.failing().empty() ? std::nullopt : stored_fill(wrong);
  if (!rule && !wrong.failing().empty()) rule = computed_from_fill(wrong);
  return rule ? rule->words : "";
}

TEST(UnsetValues, FillsOfCompilersAreNamed) {
  EXPECT_THAT(unset_words(kF32, [](int64_t i) { return i % 8 == 7 ? 0xfefefefeu : code_of(kF32, expected_at(i)); }),
              AllOf(HasSubstr("0xfefefefe (-1.69474e+38) in each wrong element, only in columns 7, 15, ..."),
                    HasSubstr("is stored before it is set")));
  EXPECT_THAT(unset_words(kBf16, [](int64_t) { return 0xfefeu; }), HasSubstr("in each wrong element: an array or variable"));
  EXPECT_THAT(unset_words(kBf16, [](int64_t i) { return i % 2 == 1 ? 0xfefeu : code_of(kBf16, expected_at(i + 1)); }),
              HasSubstr("in wrong elements, only in columns 1, 3, ...: an array"));
  EXPECT_THAT(unset_words(kF16, [](int64_t) { return 0xaaaau; }), HasSubstr("bytes 0xaa"));
  EXPECT_EQ(unset_words(kF32, [](int64_t i) { return i == 5 ? 0xfefefefeu : code_of(kF32, expected_at(i)); }), "")
      << "a single element";
  EXPECT_EQ(unset_words(kE5M2, [](int64_t) { return 0xfeu; }), "") << "one byte shows too little";
}

TEST(UnsetValues, NumbersThatAreComputedFromTheFillAreNamed) {
  EXPECT_THAT(unset_words(kBf16, [](int64_t i) { return i % 8 == 0 ? 0xfeffu : code_of(kBf16, expected_at(i)); }),
              AllOf(HasSubstr("0xfeff (-1.69477e+38) in each wrong element, only in columns 0, 8, ...: an element of an array"),
                    HasSubstr("this is that variable, rounded")));
  EXPECT_THAT(unset_words(kBf16, [](int64_t i) { return i % 2 == 1 ? 0xff7fu : code_of(kBf16, expected_at(i)); }),
              HasSubstr("this is the sum of two such variables"));
  EXPECT_THAT(unset_words(kF32, [](int64_t) { return 0x7a91b648u; }),
              AllOf(HasSubstr("a maximum, or an element"), HasSubstr("1 / 448 of such a variable")));
  EXPECT_EQ(unset_words(kBf16, [](int64_t i) { return i % 32 == 0 ? 0xff7fu : code_of(kBf16, expected_at(i)); }), "")
      << "four elements of 16 bits";
  EXPECT_THAT(unset_words(kF32, [](int64_t) { return 0x7a91b748u; }), Not(HasSubstr("1 / 448"))) << "another huge number";
}

TEST(UnsetValues, APowerOfTwoOfAMaximumThatIsNeverSetIsNamed) {
  const auto words = [](uint32_t held) {
    WholePart whole = testing::whole_part(kE8M0, {4, 32}, {}, {}, "", "scale");
    HostTensor scale{dense("scale", Role::kOutput, kE8M0, {4, 32}), std::vector<std::byte>(128)};
    for (int64_t i = 0; i < 128; ++i) whole.low.push_back(ordinal(kE8M0, uint32_t(118 + i * 37 % 5))), scale.set_code(i, held);
    const Rule rule = stored_fill(WrongPart(whole, scale));
    return rule ? rule->words : "";
  };
  EXPECT_THAT(words(0xf6), AllOf(HasSubstr("0xf6 (6.64614e+35) in each wrong element: a maximum"),
                                 HasSubstr("1 / 448 of such a variable, rounded up to a power of two")));
  EXPECT_THAT(words(0xfb), HasSubstr("1 / 6 of such a variable, rounded down to a power of two"));
  EXPECT_EQ(words(0xf4), "") << "another huge number";
}

TEST(UnsetValues, HugeNumbersOfOneSignAreComputedFromTheFill) {
  const auto unset = [](int64_t i) { return code_of(kF32, double(float(-1.69474e38 * (1e-5 + 1e-7 * double(i))))); };
  EXPECT_THAT(unset_words(kF32, [&](int64_t i) { return i >= 96 ? unset(i) : code_of(kF32, expected_at(i)); }),
              AllOf(HasSubstr("not with the expected signs, only in row 3"),
                    HasSubstr("an accumulator or another variable is used before it is set")));
  EXPECT_EQ(unset_words(kF32, [](int64_t i) { return code_of(kF32, double(float(expected_at(i) * 1e33))); }), "")
      << "a wrong factor";
  EXPECT_EQ(unset_words(kF32, [&](int64_t i) { return i % 2 == 0 ? unset(i) : code_of(kF32, expected_at(i) + 1); }), "")
      << "half of the wrong elements are not huge";
  EXPECT_EQ(unset_words(kF32, [](int64_t) { return 0xff7fffffu; }), "") << "the first value of a maximum";
}

TEST(UnsetValues, MinusInfinityForNumbersOfBothSignsIsComputedFromTheFill) {
  EXPECT_THAT(unset_words(kF16, [](int64_t i) { return i < 96 ? 0xfc00u : code_of(kF16, expected_at(i)); }),
              HasSubstr("-Inf where finite numbers are expected, also numbers above 0, only in rows up to 2"));
  EXPECT_EQ(unset_words(kF16, [](int64_t i) { return expected_at(i) < 0 ? 0xfc00u : 0x7c00u; }), "")
      << "an overflow keeps the sign";
}

TEST(UnsetValues, TheSmallestNumberForNumbersOfBothSignsIsComputedFromTheFill) {
  const uint32_t smallest = code_of(kE4M3Fn, -448);
  EXPECT_THAT(
      unset_words(kE4M3Fn, [=](int64_t i) { return i % 8 == 0 ? smallest : code_of(kE4M3Fn, expected_at(i)); }),
      AllOf(HasSubstr("0xfe (-448), the smallest number, in each wrong element, also where numbers above 0 are expected, only in "
                      "columns 0, 8, ..."),
            HasSubstr("used before it is set")));
  EXPECT_EQ(unset_words(kE4M3Fn, [=](int64_t i) { return expected_at(i) < 0 ? smallest : smallest ^ 0x80u; }), "")
      << "a scale that is too small keeps the signs";
}

TEST(UnsetValues, OneElementOfEachVectorAcrossRowsIsNamed) {
  const auto words_if_wrong = [](const std::function<bool(int64_t)>& is_wrong) {
    WholePart whole = testing::whole_part(kBf16, {65, 5}, {});
    HostTensor y{dense("q", Role::kOutput, kBf16, {65, 5}), std::vector<std::byte>(650)};
    for (int64_t i = 0; i < 325; ++i)
      whole.low.push_back(ordinal(kBf16, code_of(kBf16, 1))), y.set_code(i, code_of(kBf16, is_wrong(i) ? 2 : 1));
    const auto found = whole_rows_or_columns(WrongPart(whole, y));
    return found ? found->words + found->note : "";
  };
  EXPECT_THAT(words_if_wrong([](int64_t i) { return i % 64 == 0; }), HasSubstr("positions 0 of each 64, counted over all rows"));
  EXPECT_THAT(words_if_wrong([](int64_t i) { return i % 64 == 0 && i < 320; }), HasSubstr("begins one element too late"));
  EXPECT_EQ(words_if_wrong([](int64_t i) { return i % 64 == 0 && i != 128; }), "") << "one vector is right";
  EXPECT_EQ(words_if_wrong([](int64_t i) { return i % 48 == 0; }), "") << "no vector has 48 elements";
}

TEST(UnsetValues, AnInputThatIsNeverLoadedIsNamed) {
  const auto bound = testing::toy_op().bind(testing::toy_case("bf16", "8x64"));
  const Problem problem = testing::toy_problem(kBf16, 8, 64);
  const auto causes_of = [&](const std::function<uint32_t(int64_t, uint32_t)>& held) {
    HostTensor y{dense("y", Role::kOutput, kBf16, {8, 64}), std::vector<std::byte>(1024)};
    for (int64_t i = 0; i < 512; ++i) y.set_code(i, held(i % 64, problem.tensors[0].code(i)));
    return causes_in_words(diagnose(*bound, problem, {y}));
  };
  EXPECT_THAT(causes_of([](int64_t c, uint32_t right) { return c % 8 == 7 ? 0xfefeu : right; }),
              Contains(HasSubstr("x: [i, j] with j mod 8 = 7 is read from a variable before the variable is set")));
  EXPECT_THAT(causes_of([](int64_t, uint32_t) { return 0xfefeu; }),
              Contains(HasSubstr("x: read from a variable before the variable is set")));
  EXPECT_THAT(causes_of([](int64_t c, uint32_t right) { return c % 8 == 7 ? 0x7fc0u : right; }),
              Not(Contains(HasSubstr("before"))))
      << "NaN has many reasons";
}

TEST(UnsetValues, AHangThatNamesARankBeyondTheCallIsNotBelieved) {
  EXPECT_THAT(impossible_hang("rank 1: hung: block 4278124286 waited in vain for rank 4278124285 for a packet", 2),
              HasSubstr("names rank 4278124285, but the call has 2 ranks"));
  EXPECT_EQ(impossible_hang("rank 1: hung: block 3 waited in vain for rank 1 for a packet", 2), "");
  EXPECT_EQ(impossible_hang("hung in f()", 2), "");
}

}  // namespace

// Tests mistakes that data of equal values cannot tell apart, zeros whose signs say more than their value, and elements of
// vectors that a loop skips.

namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

/// y = x divided by the sum of its row, stored in two parts of 48 and 16 columns.
class RowSums : public testing::ToyCase {
 public:
  static constexpr int64_t kRows = 8, kColumns = 64, kFirst = 48;
  using ToyCase::ToyCase;

  virtual double value(int64_t i) const { return double(1 + i * i * 7 % 509); }
  Problem problem() const override {
    HostTensor x{dense("x", Role::kInput, kF32, {kRows, kColumns}), std::vector<std::byte>(size_t(4 * kRows * kColumns))};
    for (int64_t i = 0; i < kRows * kColumns; ++i) x.set_code(i, code_of(kF32, value(i)));
    return {{std::move(x)}};
  }
  Expectation expect(const Problem& problem, const std::vector<HostTensor>*) const override {
    const HostTensor y = outputs_of(problem.tensors[0], [](int64_t) { return true; });
    std::vector<WholePart> parts;
    for (const bool is_first : {true, false}) {
      const int64_t begin = is_first ? 0 : kFirst, columns = is_first ? kFirst : kColumns - kFirst;
      WholePart& part = parts.emplace_back(testing::whole_part(kF32, {kRows, columns}, {}, {}, "", "y"));
      part.part.name = is_first ? "codes" : "rest";
      part.part.places = Places::of_rows([begin](int64_t row) { return row * kColumns + begin; });
      for (int64_t i = 0; i < kRows * columns; ++i)
        part.low.push_back(ordinal(kF32, y.code(i / columns * kColumns + begin + i % columns)));
    }
    return expectation_of(std::move(parts));
  }
  /// The output of a kernel whose sum takes only the columns for which `takes` is true.
  static HostTensor outputs_of(const HostTensor& x, const std::function<bool(int64_t)>& takes) {
    HostTensor y{dense("y", Role::kOutput, kF32, {kRows, kColumns}), std::vector<std::byte>(size_t(4 * kRows * kColumns))};
    for (int64_t row = 0; row < kRows; ++row) {
      double sum = 0;
      for (int64_t c = 0; c < kColumns; ++c) sum += takes(c) ? decode(kF32, x.code(row * kColumns + c)) : 0;
      for (int64_t c = 0; c < kColumns; ++c)
        y.set_code(row * kColumns + c, code_of(kF32, double(float(decode(kF32, x.code(row * kColumns + c)) / sum))));
    }
    return y;
  }
};

class SumsOfOnes : public RowSums {
 public:
  using RowSums::RowSums;
  double value(int64_t) const override { return 1; }
};

template <class ToyCase>
std::vector<std::string> causes_of(const std::function<bool(int64_t)>& takes) {
  const auto bound = testing::toy_op_of<ToyCase>().bind(testing::toy_case());
  const Problem problem = bound->problem();
  return causes_in_words(diagnose(*bound, problem, {RowSums::outputs_of(problem.tensors[0], takes)}));
}

TEST(SumsThatLackColumns, ArePartsOfARowOfTwoParts) {
  EXPECT_THAT(causes_of<RowSums>([](int64_t c) { return c < 48; }),
              ElementsAre(EndsWith(": x: [i, j] with j >= 48 is left out of the sum or maximum over j")));
}

TEST(SumsThatLackColumns, OfOnesCannotTellWhichColumns) {
  const std::vector<std::string> causes = causes_of<SumsOfOnes>([](int64_t c) { return c < 48; });
  ASSERT_EQ(causes.size(), 1u);
  EXPECT_THAT(causes[0], StartsWith("several mistakes would fit: x: [i, j] with j mod "));
  EXPECT_THAT(causes[0], HasSubstr("; x: [i, j] with j >= 48 is left out of the sum or maximum over j"));
}

TEST(SkippedElements, OfASumOverRanksAreMissingInAllItsTerms) {
  Problem problem;
  problem.ranks = 2;
  for (int rank = 0; rank < 2; ++rank) {
    HostTensor x{dense("x", Role::kInput, kF32, {2, 8}), std::vector<std::byte>(64)};
    x.spec.rank = rank;
    for (int64_t i = 0; i < 16; ++i) x.set_code(i, code_of(kF32, double(i + 1)));
    problem.tensors.push_back(std::move(x));
  }
  const std::vector<InputEdit> edits = skipped_elements(problem);
  ASSERT_EQ(edits.size(), 14u) << "vectors of 2, 4 and 8";
  const InputEdit& first_of_eight = edits[6];
  EXPECT_EQ(first_of_eight.name, "sum over ranks: [i, j] with j mod 8 = 0 is read as 0, or never added");
  const Problem changed = first_of_eight.applied(problem);
  for (const HostTensor& x : changed.tensors)
    for (int64_t i = 0; i < 16; ++i) EXPECT_EQ(decode(kF32, x.code(i)), i % 8 == 0 ? 0 : double(i + 1));
  problem.ranks = 1, problem.tensors.pop_back();
  EXPECT_EQ(skipped_elements(problem)[0].name, "x: [i, j] with j mod 2 = 0 is read as 0, or never added");
}

}  // namespace

// Calls that write nothing, inputs that are read after they were overwritten, and causes that all ranks share.

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
  EXPECT_EQ(
      words_of_kept([](int64_t column) { return column >= 4; }),
      "what the tensor held before the call, except in columns 0..3 of 16, which are stored: the other lanes or iterations store "
      "nothing, or store to the same columns, because they use the index of the lane or of the loop wrongly");
  EXPECT_EQ(words_of_kept([](int64_t column) { return column >= 12; }),
            "what the tensor held before the call, except in columns 0..11 of 16, which are stored: a bound on columns is too "
            "small, or "
            "the tail of a row is not stored");
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

/// Two ranks whose large inputs cancel, so that the sum tells little about how often each input is counted.
TEST(Ranks, TheInputOfOneRankForAllIsFoundWhereInputsCancel) {
  Problem problem;
  problem.ranks = 2;
  const auto small = [](int64_t i, int rank) { return double((i * 37 + rank * 53 + i * i * (rank + 3)) % 101 - 50) / 512; };
  const auto number = [&](int64_t i, int rank) { return (rank == 0 ? 1 : -1) * double(100 + i % 9) + small(i, rank); };
  for (int rank = 0; rank < 2; ++rank)
    for (const char* name : {"x", "residual"}) {
      HostTensor input{dense(name, Role::kInput, kF32, {4, 32}), std::vector<std::byte>(512)};
      input.spec.rank = rank;
      for (int64_t i = 0; i < 128; ++i) input.set_code(i, code_of(kF32, name[0] == 'x' ? number(i, rank) : double(i % 7)));
      problem.tensors.push_back(std::move(input));
    }
  const auto words = [&](const std::function<double(int64_t)>& held, int second = 1) {
    WholePart whole = testing::whole_part(kBf16, {4, 32}, {});
    HostTensor y{dense("q", Role::kOutput, kBf16, {4, 32}), std::vector<std::byte>(256)};
    const auto code = [](double value) {
      return code_of(kBf16, round_to(kBf16, value, Rounding::kNearestEven, Overflow::kSpecial));
    };
    for (int64_t i = 0; i < 128; ++i) {
      whole.low.push_back(ordinal(kBf16, code(number(i, 0) + number(i, second) + double(i % 7))));
      y.set_code(i, code(held(i)));
    }
    const Rule rule = one_rank_for_all(WrongPart(whole, y), problem);
    return rule ? rule->words : "";
  };
  EXPECT_EQ(words([&](int64_t i) { return 2 * number(i, 1) + double(i % 7); }),
            "sums over the ranks in which every term is x of rank 1: what all ranks send is stored at, or read from, one place");
  EXPECT_EQ(words([&](int64_t i) { return 2 * number(i, i < 64 ? 0 : 1) + double(i % 7); }),
            "sums over the ranks in which every term is x of one rank, which differs between elements: what all ranks send is "
            "stored at one place");
  EXPECT_EQ(words([&](int64_t i) { return i == 77 ? 9 : 2 * number(i, i < 64 ? 0 : 1) + double(i % 7); }), "");
  EXPECT_EQ(words([&](int64_t i) { return number(i, 1) + double(i % 7); }), "") << "a rank is left out";
  problem.tensors[2].bytes = problem.tensors[0].bytes;
  EXPECT_EQ(words([&](int64_t i) { return (2 * number(i, 0) + double(i % 7)) * (1 + 0x1p-7); }, 0), "")
      << "both ranks have the same input, and the sum is rounded wrongly";
}

}  // namespace

}  // namespace assay
