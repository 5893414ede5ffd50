// Variables that are used before they are set: their fill must be recognized, and legitimate codes must not be taken for it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "harness/diagnosis/diagnose.h"
#include "harness/diagnosis/wrong_part.h"
#include "harness/testing/toy_op.h"
#include "reference/formats/catalogue.h"

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
}  // namespace assay
