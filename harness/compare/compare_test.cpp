// Tests the comparison of outputs with expectations: single codes, answers of several parts, and places of wrong elements.
#include "harness/compare/compare.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

#include "harness/compare/verdict.h"
#include "harness/fill/fill.h"
#include "harness/testing/toy_op.h"
#include "reference/formats/catalogue.h"

namespace assay::compare_codes {

inline HostTensor tensor_of(const Format& format, const std::vector<uint32_t>& codes) {
  HostTensor tensor{dense("q", Role::kOutput, format, {1, int64_t(codes.size())}), {}};
  tensor.bytes.resize(tensor.spec.bytes());
  for (size_t i = 0; i < codes.size(); ++i) tensor.set_code(int64_t(i), codes[i]);
  return tensor;
}

inline WholePart pinned(const Format& format, const std::vector<uint32_t>& codes) {
  WholePart expected = testing::whole_part(format, {1, int64_t(codes.size())}, {}, {}, "pinned: one code");
  for (const uint32_t code : codes) expected.low.push_back(ordinal(format, code));
  return expected;
}

inline TensorFinding compare_values(const Format& format, double expected, double got) {
  return testing::compare_part(pinned(format, {code_of(format, expected)}), tensor_of(format, {code_of(format, got)}));
}

}  // namespace assay::compare_codes

namespace assay {
namespace {

using namespace compare_codes;
using testing::compare_part;
using testing::listed;
using testing::whole_part;

// Single elements against their accepted intervals: codes, ULP distance, zeros, NaN.

/// The finding for one element with code `got` and the accepted ordinals from `low` to `high`.
TensorFinding compare_interval(const Format& format, int32_t low, int32_t high, uint32_t got) {
  return compare_part(whole_part(format, {1, 1}, {low}, {high}, "two codes"), tensor_of(format, {got}));
}

TEST(Ordinals, ArraysAgreeWithSingleCodes) {
  for (const Format& format : all_formats()) {
    std::vector<uint32_t> codes;
    for (uint32_t i = 0; i < (format.bits > 16 ? 65536 : format.code_count()); ++i)
      codes.push_back(format.bits > 16 ? Random(1, 0).word(i) : i);
    if (format.bits == 32) codes.insert(codes.end(), {0, 0x80000000, 0x7f800000, 0xff800000, 0x7f800001, 0xffffffff, 0x7fffffff});
    const HostTensor tensor = tensor_of(format, codes);
    std::vector<int32_t> ordinals(codes.size());
    ordinals_of_codes(format, tensor.bytes.data(), ordinals);
    for (size_t i = 0; i < codes.size(); ++i) ASSERT_EQ(ordinals[i], ordinal(format, codes[i])) << format.name << " " << codes[i];
  }
}

TEST(Compare, EveryCodeAgreesWithItselfAndWithNoOther) {
  std::vector<uint32_t> every(256);
  std::iota(every.begin(), every.end(), 0u);
  for (const Format* format : {&kE4M3Fn, &kE4M3Fnuz, &kE5M2, &kE8M0, &kInt8}) {
    for (const uint32_t a : every) {
      const auto agrees = [&](uint32_t b) {
        return a == b || (ordinal(*format, a) == kNanOrdinal && ordinal(*format, b) == kNanOrdinal);
      };
      const TensorFinding finding = compare_part(pinned(*format, std::vector(256, a)), tensor_of(*format, every));
      ASSERT_EQ(finding.outside, 256 - std::count_if(every.begin(), every.end(), agrees)) << format->name << " " << a;
      EXPECT_FALSE(agrees(finding.first.code)) << format->name << " " << a;
    }
  }
}

TEST(Compare, OneUlpAsideIsOutsideAndSaysSo) {
  const TensorFinding finding = compare_values(kE4M3Fn, -14, -13);
  EXPECT_EQ(finding.outside, 1);
  EXPECT_EQ(finding.first.code, 0xd5u);
  EXPECT_EQ(finding.first.value, -13);
  EXPECT_EQ(finding.first.low_code, 0xd6u);
  EXPECT_EQ(finding.first.high, -14);
  EXPECT_EQ(finding.first.ulps, 1);
  EXPECT_EQ(finding.worst_ulps, 1);
  EXPECT_EQ(finding.toward_zero, 1);
  EXPECT_EQ(finding.away_from_zero, 0);
  EXPECT_EQ(finding.reason, "pinned: one code");
  EXPECT_EQ(compare_values(kE4M3Fn, -14, -15).away_from_zero, 1);
}

TEST(Compare, SignedZerosAreTwoCodes) {
  EXPECT_TRUE(compare_values(kE4M3Fn, -0.0, -0.0).agrees());
  const TensorFinding finding = compare_values(kE4M3Fn, 0.0, -0.0);
  EXPECT_EQ(finding.outside, 1);
  EXPECT_EQ(finding.first.ulps, 0);
  EXPECT_EQ(finding.toward_zero + finding.away_from_zero, 0);
}

TEST(Compare, NanMatchesOnlyNan) {
  const double nan = std::nan("");
  EXPECT_TRUE(compare_values(kBf16, nan, nan).agrees());
  EXPECT_FALSE(compare_values(kBf16, nan, 1).agrees());
  EXPECT_FALSE(compare_values(kBf16, 1, nan).agrees());
  EXPECT_TRUE(compare_part(pinned(kBf16, {0x7fc0}), tensor_of(kBf16, {0xffff})).agrees()) << "any payload, any sign";
  const int32_t one = ordinal_of_value(kBf16, 1);
  EXPECT_FALSE(compare_interval(kBf16, one, kNanOrdinal, 0x7fc0).agrees())
      << "an interval that reaches the top holds Inf, but not NaN";
  EXPECT_TRUE(compare_interval(kBf16, one, kNanOrdinal, 0x7f80).agrees());
}

TEST(Compare, AnIntervalHoldsItsEndsAndNotItsNeighbours) {
  const int32_t low = ordinal_of_value(kF32, 1), high = low + 2;
  for (int32_t o = low - 1; o <= high + 1; ++o) {
    EXPECT_EQ(compare_interval(kF32, low, high, code_from_ordinal(kF32, o)).agrees(), low <= o && o <= high) << o - low;
  }
  EXPECT_EQ(compare_interval(kF32, low, high, code_from_ordinal(kF32, high + 3)).worst_ulps, 3)
      << "counted from the nearest accepted code";
  EXPECT_EQ(compare_interval(kF32, low, high, code_from_ordinal(kF32, low - 2)).first.ulps, -2);
}

TEST(Compare, BudgetUseIsTheDistanceFromTheMiddleInHalfWidths) {
  const int32_t low = ordinal_of_value(kF32, 1);
  EXPECT_EQ(compare_interval(kF32, low, low + 4, code_from_ordinal(kF32, low + 2)).budget_use, 0);
  EXPECT_EQ(compare_interval(kF32, low, low + 4, code_from_ordinal(kF32, low + 3)).budget_use, 0.5);
  EXPECT_EQ(compare_interval(kF32, low, low + 4, code_from_ordinal(kF32, low)).budget_use, 1);
  EXPECT_EQ(compare_interval(kF32, low, low + 4, code_from_ordinal(kF32, low + 6)).budget_use, 2);
  EXPECT_EQ(compare_values(kF32, 1, 1).budget_use, 0);
}

TEST(Compare, UnjudgedElementsAreCounted) {
  const TensorFinding finding = compare_interval(kBf16, Interval::anything().low, Interval::anything().high, 0x7fc0);
  EXPECT_TRUE(finding.agrees());
  EXPECT_EQ(finding.unjudged, 1);
  EXPECT_EQ(finding.single_code, 0);
  EXPECT_FALSE(compare_interval(kBf16, Interval::anything().low, kNanOrdinal - 1, 0x7fc0).agrees())
      << "only the whole interval is unjudged";
}

TEST(Compare, SingleCodesAreCountedAlsoAmongIntervals) {
  const int32_t one = ordinal_of_value(kBf16, 1);
  const WholePart expected = whole_part(kBf16, {1, 3}, {one, one, one}, {one, one + 1, one});
  EXPECT_EQ(compare_part(expected, tensor_of(kBf16, {0x3f80, 0x3f80, 0x3f81})).single_code, 2);
  EXPECT_EQ(compare_part(expected, tensor_of(kBf16, {0x3f80, 0x3f80, 0x3f81})).outside, 1);
}

/// INT32_MAX is a valid int32 value; in floating-point formats it is the ordinal of NaN.
TEST(Interval, TheLargestIntegerIsNoNan) {
  constexpr int32_t kMost = std::numeric_limits<int32_t>::max();
  EXPECT_TRUE((Interval{5, kMost}.holds(kInt32, kMost)));
  EXPECT_FALSE((Interval{5, kMost}.holds(kF32, kMost)));
  EXPECT_TRUE((Interval{kMost, kMost}.holds(kF32, kMost)));
  EXPECT_TRUE(Interval::anything().holds(kF32, kMost));
  EXPECT_FALSE((Interval{std::numeric_limits<int32_t>::min(), 7}.any())) << "open only below is not anything()";
  EXPECT_FALSE((Interval{std::numeric_limits<int32_t>::min(), 7}.holds(kInt32, 8)));
}

// Tests expectations with several answers, of which one must accept the whole output, and violations between elements.

TEST(CompareAnswers, AnExpectationThatDoesNotFitIsARefusal) {
  WholePart expected = pinned(kBf16, {1, 2});
  EXPECT_THROW(compare_part(expected, tensor_of(kBf16, {1})), std::logic_error);
  expected.part.places = listed({0, 7}, 2);
  EXPECT_THROW(compare_part(expected, tensor_of(kBf16, {1, 2})), std::logic_error);
  expected.part.places = Places::of_rows([](int64_t) { return 1; });
  EXPECT_THROW(compare_part(expected, tensor_of(kBf16, {1, 2})), std::logic_error);
  Expectation short_of_one = expectation_of({pinned(kBf16, {1, 2})});
  short_of_one.any_of.front().accepted = [](int64_t, int64_t) { return AcceptedBlock{{{0, 1, {1}, {}}}}; };
  EXPECT_THROW(compare(short_of_one, {tensor_of(kBf16, {1, 2})}, {}), std::logic_error);
}

/// An expectation with two variants: a row holds the codes 1, 2, 3, 4, or 5, 6, 7, 8. A row that mixes them is wrong.
Expectation one_of_two_programs() {
  Expectation both = expectation_of({pinned(kInt8, {1, 2, 3, 4})});
  both.any_of.push_back(expectation_of({pinned(kInt8, {5, 6, 7, 8})}).any_of.front());
  both.any_of[0].program = "split-K 1", both.any_of[1].program = "split-K 2";
  return both;
}

TEST(CompareAnswers, OneAnswerMustHoldForTheWholeOutput) {
  const auto judge = [](const std::vector<uint32_t>& codes) {
    return compare(one_of_two_programs(), {tensor_of(kInt8, codes)}, {});
  };
  EXPECT_TRUE(judge({1, 2, 3, 4}).agrees());
  const Finding second = judge({5, 6, 7, 8});
  EXPECT_TRUE(second.agrees());
  EXPECT_EQ(second.program, "split-K 2");
  const Finding mixture = judge({5, 6, 7, 4});
  EXPECT_FALSE(mixture.agrees()) << "each element agrees with some program, but not all with the same one";
  EXPECT_EQ(mixture.program, "split-K 2") << "the nearest program is named";
  EXPECT_EQ(mixture.parts.front().outside, 1);
}

/// Three variants; variant i stores the number i in all rows. k is so large that the variants are compared on a sample first.
/// `asked` counts for each variant how many rows were computed.
Expectation three_large_programs(std::array<int64_t, 3>& asked) {
  constexpr int64_t kRows = 200;
  Expectation all;
  for (int program = 0; program < 3; ++program) {
    Answer answer{"split-K " + std::to_string(program + 1), {whole_part(kInt8, {kRows, 1}, {}).part}, kRows};
    answer.products = int64_t{1} << 20;
    answer.accepted = [program, &asked](int64_t first, int64_t end) {
      asked[size_t(program)] += end - first;
      return AcceptedBlock{{{first, end, std::vector<int32_t>(size_t(end - first), program + 1), {}}}};
    };
    all.any_of.push_back(std::move(answer));
  }
  return all;
}

TEST(CompareAnswers, OfLargeAnswersAProgramIsHeldAgainstASampleFirst) {
  HostTensor third = tensor_of(kInt8, std::vector<uint32_t>(200, 3));
  std::array<int64_t, 3> asked{};
  const Finding right = compare(three_large_programs(asked), {third}, {});
  EXPECT_TRUE(right.agrees());
  EXPECT_EQ(right.program, "split-K 3");
  EXPECT_LT(asked[1], 200) << "the sample sufficed to reject it";
  EXPECT_GE(asked[2], 200);
  third.set_code(1, 2);  // this row is not in the sample
  const Finding one_wrong = compare(three_large_programs(asked), {third}, {});
  EXPECT_EQ(one_wrong.program, "split-K 3");
  EXPECT_EQ(one_wrong.parts.front().outside, 1) << "a variant that agrees on the sample is compared with all rows";
  const Finding none = compare(three_large_programs(asked), {tensor_of(kInt8, std::vector<uint32_t>(200, 9))}, {});
  EXPECT_EQ(none.parts.front().outside, 200);
}

TEST(CompareAnswers, ViolationsBetweenElementsFailAndHavePlacesInThePicture) {
  const WholePart right = whole_part(kInt8, {2, 2}, {1, 2, 3, 4});
  const HostTensor tensor = tensor_of(kInt8, {1, 2, 3, 4});
  const Finding row =
      compare(expectation_of({right}, {{"one r for a row", "row 1: ...", 1, {{"q", 1, Place::kWholeRow}}}}), {tensor}, {});
  EXPECT_FALSE(row.agrees());
  EXPECT_TRUE(row.parts.front().agrees()) << "each element is right";
  ASSERT_TRUE(row.parts.front().picture);
  EXPECT_EQ(row.parts.front().picture->joint, (std::vector<int32_t>{0, 0, 1, 1}));
  Expectation ranks = expectation_of({right});
  ranks.together = [](const std::vector<HostTensor>&) {
    return std::vector<Violation>{{"ranks agree", "rank 1 differs", 0, {{"q", 0, 1}}}};
  };
  const Finding between = compare(ranks, {tensor}, {});
  EXPECT_EQ(between.all_violations, 1);
  EXPECT_EQ(between.parts.front().picture->joint, (std::vector<int32_t>{0, 1, 0, 0}));
}

TEST(CompareAnswers, ThousandsOfViolationsAreCountedAndTheFirstAreKept) {
  std::vector<Violation> many;
  for (int64_t row = 0; row < 5000; ++row) many.push_back({"rule", "row " + std::to_string(row), row});
  const WholePart right = whole_part(kInt8, {5000, 1}, std::vector<int32_t>(5000, 1));
  HostTensor tensor{dense("q", Role::kOutput, kInt8, {5000, 1}), std::vector<std::byte>(5000, std::byte{1})};
  const Finding finding = compare(expectation_of({right}, many), {tensor}, {});
  EXPECT_EQ(finding.all_violations, 5000);
  ASSERT_EQ(finding.violations.size(), Finding::kMostViolations);
  for (size_t i = 0; i < finding.violations.size(); ++i) EXPECT_EQ(finding.violations[i].step, int64_t(i));
}

// Where elements are stored: several parts in one buffer, offsets, padding, unwritten bytes, 4-bit codes.

/// A 12-byte record: two codes, a scale, a 16-bit number, and two unused bytes at the end.
HostTensor record_of(float scale) {
  HostTensor cache{dense("cache", Role::kOutput, kUint8, {1, 12}), {}};
  cache.bytes = {std::byte{0x38}, std::byte{0x40}, {},           {},          {}, {}, {}, {},
                 std::byte{0x80}, std::byte{0x3f}, std::byte{7}, std::byte{9}};
  std::memcpy(cache.bytes.data() + 4, &scale, sizeof scale);
  return cache;
}

TEST(ComparePlaces, PartsOfOneBufferHaveFormatsAndNamesOfTheirOwn) {
  const auto part = [](const char* name, const Format& format, std::vector<int32_t> low, std::vector<int64_t> offsets) {
    const auto columns = int64_t(low.size());
    WholePart whole = whole_part(format, {1, columns}, std::move(low), {}, "", "cache");
    whole.part.name = name;
    whole.part.places = listed(std::move(offsets), columns);
    return whole;
  };
  const WholePart codes = part("codes", kE4M3Fn, {ordinal(kE4M3Fn, 0x38), ordinal(kE4M3Fn, 0x40)}, {0, 1});
  const WholePart number = part("number", kBf16, {ordinal_of_value(kBf16, 1)}, {4});
  WholePart scale = part("scale", kF32, {ordinal_of_value(kF32, 0.5)}, {1}), rest = part("rest", kUint8, {7, 9}, {10, 11});
  scale.part.row_number = [](int64_t) { return 42; };
  for (const WholePart* one : std::initializer_list<const WholePart*>{&codes, &scale, &number, &rest})
    EXPECT_TRUE(compare_part(*one, record_of(0.5f)).agrees());
  for (const WholePart* one : std::initializer_list<const WholePart*>{&codes, &number, &rest})
    EXPECT_TRUE(compare_part(*one, record_of(0.75f)).agrees());
  const TensorFinding wrong = compare_part(scale, record_of(0.75f));
  EXPECT_EQ(wrong.outside, 1);
  EXPECT_EQ(wrong.name, "cache.scale");
  EXPECT_EQ(wrong.first.at, (std::array<int64_t, 2>{42, 0})) << "reports have the row's own number";
  EXPECT_EQ(wrong.first.value, 0.75);
  rest.low[1] = 8;
  EXPECT_EQ(compare_part(rest, record_of(0.5f)).first.value, 9) << "the value of a raw byte is its bit pattern";
  scale.part.places = listed({3}, 1);
  EXPECT_THROW(compare_part(scale, record_of(0.5f)), std::logic_error) << "beyond the last whole fp32 of the buffer";
}

TEST(ComparePlaces, APictureCountsRowsWhateverTheirNumbers) {
  WholePart expected = pinned(kE4M3Fn, {0x38, 0x38, 0x38, 0x38});
  expected.part.shape = {2, 2};
  expected.part.row_number = [](int64_t row) { return 700 + 200 * row; };
  const TensorFinding finding = compare_part(expected, tensor_of(kE4M3Fn, {0x38, 0x38, 0x38, 0x40}));
  EXPECT_EQ(finding.worst.at, (std::array<int64_t, 2>{900, 1}));
  EXPECT_EQ(finding.picture->outside, (std::vector<int32_t>{0, 0, 0, 1}));
  EXPECT_EQ(finding.picture->around.size(), 2u);
}

TEST(ComparePlaces, FirstAndWorstInALargeTensor) {
  std::vector<uint32_t> codes(100000, 0x3f80);
  WholePart expected = pinned(kBf16, codes);
  expected.part.shape = {100, 1000};
  EXPECT_TRUE(compare_part(expected, tensor_of(kBf16, codes)).agrees());
  codes[5003] = 0x3f81;
  codes[77007] = 0x3f70;
  codes[99999] = 0x3f7f;
  const TensorFinding finding = compare_part(expected, tensor_of(kBf16, codes));
  EXPECT_EQ(finding.outside, 3);
  EXPECT_EQ(finding.first.at, (std::array<int64_t, 2>{5, 3}));
  EXPECT_EQ(finding.worst.at, (std::array<int64_t, 2>{77, 7}));
  EXPECT_EQ(finding.worst_ulps, 16);
  EXPECT_EQ(finding.elements, 100000);
  EXPECT_EQ(finding.single_code, 100000);
}

TEST(ComparePlaces, IntegersCountAcrossZero) {
  EXPECT_TRUE(compare_values(kInt8, -1, -1).agrees());
  EXPECT_EQ(compare_values(kInt8, 1, -1).worst_ulps, 2);
  EXPECT_EQ(compare_values(kInt8, 0, -1).first.ulps, -1);
}

TEST(ComparePlaces, OffsetsLeadToTheStorage) {
  // Column-major [2, 2]; each column takes 3 elements of storage.
  WholePart expected = pinned(kE8M0, {1, 2, 3, 4});
  expected.part.shape = {2, 2};
  expected.part.places = listed({0, 3, 1, 4}, 2);
  EXPECT_TRUE(compare_part(expected, tensor_of(kE8M0, {1, 3, 99, 2, 4, 99})).agrees());
  EXPECT_EQ(compare_part(expected, tensor_of(kE8M0, {1, 2, 99, 3, 4, 99})).outside, 2) << "transposed";
  expected.part.places = Places::of_rows([](int64_t row) { return 4 * row; });
  EXPECT_TRUE(compare_part(expected, tensor_of(kE8M0, {1, 2, 99, 99, 3, 4})).agrees()) << "rows with gaps";
  EXPECT_EQ(compare_part(expected, tensor_of(kE8M0, {1, 2, 3, 4, 99, 99})).outside, 2);
}

TEST(ComparePlaces, PackedScalesAreReadFromAnInt32Tensor) {
  const HostTensor packed = tensor_of(kInt32, {0x04030201});
  EXPECT_TRUE(compare_part(pinned(kE8M0, {1, 2, 3, 4}), packed).agrees());
  EXPECT_EQ(compare_part(pinned(kE8M0, {4, 3, 2, 1}), packed).outside, 4) << "the bytes are in another order";
}

TEST(ComparePlaces, PaddingRules) {
  const auto with = [](PaddingRule rule, uint32_t code, const std::vector<ByteRange>& untouched) {
    WholePart expected = pinned(kE8M0, {1});
    expected.part.padding = [rule](const auto& visit) { visit({1, {0, 1}, rule}); };
    return compare_part(expected, tensor_of(kE8M0, {1, code}), untouched);
  };
  EXPECT_TRUE(with(PaddingRule::kZero, 0, {}).agrees());
  EXPECT_EQ(with(PaddingRule::kZero, 5, {}).padding_wrong, 1);
  EXPECT_EQ(with(PaddingRule::kZero, 5, {}).padding_first, "[0, 1] holds 0x05 = 1.88079096e-37, must be zero");
  EXPECT_FALSE(with(PaddingRule::kZero, 5, {}).agrees());
  EXPECT_TRUE(with(PaddingRule::kUntouched, 0xff, {{1, 2}}).agrees());
  EXPECT_FALSE(with(PaddingRule::kUntouched, 0xff, {}).agrees());
  EXPECT_FALSE(with(PaddingRule::kUntouched, 0xff, {{0, 1}}).agrees());
  EXPECT_THAT(with(PaddingRule::kUntouched, 0xff, {}).padding_first, ::testing::HasSubstr("must be left untouched"));
  EXPECT_TRUE(with(PaddingRule::kFree, 0x42, {}).agrees());
}

TEST(Unwritten, CountsElementsOfWhichAByteIsUntouched) {
  Part part = pinned(kBf16, {1, 2, 3, 4}).part;
  part.shape = {2, 2};
  const TensorSpec spec = dense("q", Role::kOutput, kBf16, {2, 8});
  EXPECT_EQ(unwritten_elements(part, spec, {}).elements, 0);
  const Unwritten found = unwritten_elements(part, spec, {{5, 7}});
  EXPECT_EQ(found.elements, 2);
  EXPECT_EQ(found.first, (std::array<int64_t, 2>{1, 0}));
  part.places = listed({0, 1, 2, 10}, 2);
  EXPECT_EQ(unwritten_elements(part, spec, {{6, 20}}).elements, 0) << "padding may keep its value";
  EXPECT_EQ(unwritten_elements(part, spec, {{6, 21}}).elements, 1);
}

/// A kernel that assigns slots by atomics stores other indices in the second call. One written byte may equal both sentinels by
/// chance.
TEST(Unwritten, AnIndexIsUnwrittenIfAllOfItsBytesAre) {
  const Part part = pinned(kInt32, {1, 2}).part;
  const TensorSpec spec = dense("sorted_ids", Role::kOutput, kInt32, {1, 2});
  EXPECT_EQ(unwritten_elements(part, spec, {{4, 5}}).elements, 0);
  EXPECT_EQ(unwritten_elements(part, spec, {{4, 7}}).elements, 0);
  EXPECT_EQ(unwritten_elements(part, spec, {{4, 8}}).elements, 1);
}

/// Packed 4-bit codes, two in a byte. A row has five codes, so the second row begins in the middle of a byte.
TEST(Packed, CodesOfHalfABytesAreComparedOneByOne) {
  WholePart expected = whole_part(kE2M1, {2, 5}, {}, {}, "pinned: one code");
  HostTensor tensor{dense("q", Role::kOutput, kE2M1, {2, 5}), {}};
  tensor.spec.packed = true;
  tensor.bytes.resize(tensor.spec.bytes());
  for (uint32_t i = 0; i < 10; ++i) {
    tensor.set_code(i, (3 * i + 1) % 8);
    expected.low.push_back(ordinal(kE2M1, (3 * i + 1) % 8));
  }
  EXPECT_EQ(compare_part(expected, tensor).outside, 0);
  for (int64_t wrong = 0; wrong < 10; ++wrong) {
    HostTensor other = tensor;
    other.set_code(wrong, tensor.code(wrong) ^ 8u);
    const TensorFinding finding = compare_part(expected, other);
    ASSERT_EQ(finding.outside, 1);
    EXPECT_EQ(finding.worst.at, (std::array<int64_t, 2>{wrong / 5, wrong % 5}));
    EXPECT_EQ(finding.worst.code, tensor.code(wrong) ^ 8u);
  }
  EXPECT_EQ(unwritten_elements(expected.part, tensor.spec, {{2, 3}}).elements, 2) << "an unwritten byte counts as two elements";
  EXPECT_EQ(unwritten_elements(expected.part, tensor.spec, {{2, 3}}).first, (std::array<int64_t, 2>{0, 4}));
  expected.part.shape = {2, 6};
  expected.low.resize(12);
  EXPECT_THROW(compare_part(expected, tensor), std::logic_error) << "the storage has only ten codes";
}

}  // namespace
}  // namespace assay
