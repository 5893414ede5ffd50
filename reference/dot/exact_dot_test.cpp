// Products of all formats under all scales are rounded as long integers round them, on every instruction set, and certificates
// hold.
#include "reference/dot/exact_dot.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"
#include "reference/testing/dot_answers.h"
#include "reference/testing/exact_product.h"
#include "reference/testing/with_dot_kernels.h"

namespace assay {
namespace {

using namespace dot_answers;

const Format* const kCodeFormats[] = {&kE4M3Fn, &kE4M3Fnuz, &kE5M2, &kE5M2Fnuz, &kF16, &kBf16, &kInt8};

/// Makes the second half of k take back what the first half adds, all but the last product.
void cancel(OwnedOperand& a, OwnedOperand& b) {
  const int64_t half = a.k / 2;
  for (OwnedOperand* o : {&a, &b})
    for (int64_t row = 0; row < o->operand.rows; ++row)
      for (int64_t i = 0; i + 1 < half; ++i) {
        const double x = o->value(row, i), back = o == &a ? -x : x;
        o->set(row, half + i, o->operand.format == &kInt8 && back > 127 ? 127 : back);
      }
}

class EveryInstructionSet : public WithDotKernels {};

TEST_P(EveryInstructionSet, RoundsEveryPairOfFormatsUnderAllScalesAsTheIntegersDo) {
  std::mt19937_64 random(11);
  for (const Format* fa : kCodeFormats) {
    for (const Format* fb : kCodeFormats) {
      for (const DotScaleKind& kind_a : kDotScaleKinds) {
        const DotScaleKind& kind_b = kDotScaleKinds[random() % std::size(kDotScaleKinds)];
        const auto fill = Fill(random() % 3);
        const int64_t k = std::array<int64_t, 6>{1, 31, 33, 128, 160, 300}[random() % 6];
        OwnedOperand a = random_operand(*fa, 1 + int64_t(random() % 9), k, kind_a, fill, random);
        OwnedOperand b = random_operand(*fb, 1 + int64_t(random() % 27), k, kind_b, fill, random);
        if (fill == Fill::kCancelling) cancel(a, b);
        EXPECT_EQ(first_wrong(a, b, answer(a, b, *kernels)), "")
            << fa->name << " " << kind_a.name << " x " << fb->name << " " << kind_b.name << ", k " << k << ", fill " << int(fill);
      }
    }
  }
}

/// Writes a number of at most `bits` bits, lowest 2^unit, as products of powers of two into columns of row 0; zeros fill the
/// rest.
int64_t write_bits(OwnedOperand& a, OwnedOperand& b, uint64_t bits, int unit, int64_t at, double sign) {
  for (int bit = 0; bits >> bit; ++bit) {
    if (!(bits >> bit & 1)) continue;
    const int exponent = unit + bit, of_a = exponent >= 0 ? (exponent + 1) / 2 : -((-exponent + 1) / 2);
    a.set(0, at, sign * std::ldexp(1.0, of_a));
    b.set(0, at++, std::ldexp(1.0, exponent - of_a));
  }
  return at;
}

TEST_P(EveryInstructionSet, SumsOnAndBesideMidpointsRoundAsTheIntegersDo) {
  std::mt19937_64 random(12);
  int ties = 0, beside = 0;
  for (const Format* fa : kCodeFormats) {
    for (const Format* fb : kCodeFormats) {
      if (fa == &kInt8 || fb == &kInt8) continue;
      const double least = decode(*fa, 1) * decode(*fb, 1);
      for (const Format* out : {&kF32, &kBf16, &kF16}) {
        for (int trial = 0; trial < 12; ++trial) {
          const int significant = out->precision() + 1;  // one bit more than the format has: a midpoint if odd
          const uint64_t bits = uint64_t{1} << (significant - 1) | (random() % (uint64_t{1} << (significant - 1))) | 1;
          const int unit = 2 - significant / 2, away = trial % 3 - 1;
          OwnedOperand a = make_operand(*fa, 1, 200, kDotScaleKinds[trial % 2 ? 6 : 0]),
                       b = make_operand(*fb, 1, 200, kDotScaleKinds[trial % 4 ? 3 : 0]);
          const double sign = random() % 2 ? 1 : -1;
          int64_t at = write_bits(a, b, bits, unit, 20, sign);
          for (int64_t i = 0; i < 16; ++i) {  // what is taken back
            const double x = few_bits(*fa, random), y = few_bits(*fb, random);
            a.set(0, i, x), b.set(0, i, y), a.set(0, at, -x), b.set(0, at++, y);
          }
          if (away != 0) a.set(0, 199, away * decode(*fa, 1)), b.set(0, 199, decode(*fb, 1));
          const Answer got = answer(a, b, *kernels);
          ASSERT_EQ(first_wrong(a, b, got), "")
              << fa->name << " x " << fb->name << " to " << out->name << ", " << away << " beside";
          const Integer exact = exact_element(a, 0, b, 0), midpoint = fixed_point(sign * std::ldexp(double(bits), unit));
          ASSERT_EQ(exact - midpoint, away * fixed_point(least)) << "the data lie where they should";
          (away == 0 ? ties : beside) += 1;
        }
      }
    }
  }
  EXPECT_EQ(ties, 36 * 3 * 4);
  EXPECT_EQ(beside, 36 * 3 * 8);
}

TEST_P(EveryInstructionSet, TilesAndPanelsMayBeCutOffAnywhere) {
  std::mt19937_64 random(13);
  const OwnedOperand a = random_operand(kE4M3Fn, 17, 530, kDotScaleKinds[3], Fill::kAny, random);
  const OwnedOperand b = random_operand(kE4M3Fn, 131, 530, kDotScaleKinds[4], Fill::kAny, random);
  EXPECT_EQ(first_wrong(a, b, answer(a, b, *kernels)), "");
}

INSTANTIATE_TEST_SUITE_P(ExactDot, EveryInstructionSet, testing::Values("avx512", "avx2", "scalar"),
                         [](const auto& param_info) { return std::string(param_info.param); });

TEST(ExactDot, AChangedResultOrCodeOrScaleIsSeen) {
  std::mt19937_64 random(14);
  OwnedOperand a = random_operand(kE4M3Fn, 5, 160, kDotScaleKinds[3], Fill::kFewBits, random);
  const OwnedOperand b = random_operand(kE5M2, 7, 160, kDotScaleKinds[2], Fill::kFewBits, random);
  const Answer right = answer(a, b);
  ASSERT_EQ(first_wrong(a, b, right), "");
  for (size_t f = 0; f < 3; ++f) {
    Answer wrong = right;
    ASSERT_TRUE(std::isfinite(wrong.rounded[f][17]));
    wrong.rounded[f][17] = next_up(*kOutputs[f], wrong.rounded[f][17]);
    EXPECT_NE(first_wrong(a, b, wrong), "") << kOutputs[f]->name;
  }
  Answer outside = right;
  outside.value[3] += 2 * outside.error[3] + std::ldexp(std::fabs(outside.value[3]), -50);
  EXPECT_NE(first_wrong(a, b, outside), "");
  const double code = a.value(2, 159);
  a.set(2, 159, code == 0 ? 448 : 0);
  EXPECT_NE(first_wrong(a, b, right), "") << "the last product of a row was dropped";
  a.set(2, 159, code);
  EXPECT_EQ(first_wrong(a, b, right), "");
  a.set_scale(2, 1, double(float(a.scale(2, 159) * 3)));
  EXPECT_NE(first_wrong(a, b, right), "") << "one scale is another";
}

TEST(ExactDot, ProductsThatAreExactInDoubleHaveNoError) {
  EXPECT_EQ(products_exact_in_double(kE4M3Fn, kE4M3Fn), 171196);
  EXPECT_EQ(products_exact_in_double(kE4M3Fnuz, kE4M3Fnuz), 149130);
  EXPECT_EQ(products_exact_in_double(kInt8, kInt8), int64_t{1} << 39);
  EXPECT_LT(products_exact_in_double(kE5M2, kE5M2), 1);
  std::mt19937_64 random(15);
  const OwnedOperand a = random_operand(kE4M3Fn, 3, 4096, kDotScaleKinds[0], Fill::kAny, random);
  const OwnedOperand b = random_operand(kE4M3Fn, 3, 4096, kDotScaleKinds[0], Fill::kAny, random);
  EXPECT_EQ(answer(a, b).error, std::vector<double>(9, 0));
  const OwnedOperand c = random_operand(kBf16, 3, 4096, kDotScaleKinds[0], Fill::kFewBits, random);
  EXPECT_EQ(answer(c, b).error, std::vector<double>(9, 0)) << "steps of a row may show it where formats do not";
  const OwnedOperand d = random_operand(kE5M2, 3, 4096, kDotScaleKinds[0], Fill::kAny, random);
  EXPECT_NE(answer(d, d).error, std::vector<double>(9, 0));
}

}  // namespace
}  // namespace assay
