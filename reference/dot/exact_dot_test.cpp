// Compares exact GEMMs with long integers: operands, single elements, whole calls of exact_dot().
#include <gtest/gtest.h>
#include <oneapi/tbb/task_arena.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "reference/dot/dot_operand.h"
#include "reference/dot/dot_tile.h"
#include "reference/dot/exact_dot.h"
#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"
#include "reference/testing/dot_answers.h"
#include "reference/testing/dot_bounds.h"

namespace assay {

// GEMMs of all formats with all kinds of scales must be rounded as long integers round them, for the loops of every instruction
// set, and their error bounds must hold.

namespace {

using namespace dot_answers;

const Format* const kCodeFormats[] = {&kE4M3Fn, &kE4M3Fnuz, &kE5M2, &kE5M2Fnuz, &kF16, &kBf16, &kInt8};

/// Makes the second half of k cancel the sum of the first half, except for the last product.
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

/// Writes sign * bits * 2^unit as a sum of products, one for each set bit, to the elements of row 0 from `at` on. Returns the
/// next unused element.
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
          const int significant = out->precision() + 1;  // one bit more than the format has: odd numbers are ties
          const uint64_t bits = uint64_t{1} << (significant - 1) | (random() % (uint64_t{1} << (significant - 1))) | 1;
          const int unit = 2 - significant / 2, away = trial % 3 - 1;
          OwnedOperand a = make_operand(*fa, 1, 200, kDotScaleKinds[trial % 2 ? 6 : 0]),
                       b = make_operand(*fb, 1, 200, kDotScaleKinds[trial % 4 ? 3 : 0]);
          const double sign = random() % 2 ? 1 : -1;
          int64_t at = write_bits(a, b, bits, unit, 20, sign);
          for (int64_t i = 0; i < 16; ++i) {  // products that cancel
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

// exact_dot() can compute a part of the result, for any strides, on any number of threads. It rejects what it does not
// support.

using namespace dot_answers;

TEST(ExactDot, ARangeIsThatPartOfTheWhole) {
  std::mt19937_64 random(16);
  const OwnedOperand a = random_operand(kE4M3Fn, 40, 96, kDotScaleKinds[6], Fill::kAny, random);
  const OwnedOperand b = random_operand(kE4M3Fn, 50, 96, kDotScaleKinds[6], Fill::kAny, random);
  const Answer whole = answer(a, b);
  std::vector<double> part(7 * 11);
  exact_dot({a.operand, b.operand, 96}, {33, 7, 20, 11}, {.rounded = {{&kF32, part}}});
  for (size_t i = 0; i < 7; ++i)
    for (size_t j = 0; j < 11; ++j) EXPECT_EQ(part[i * 11 + j], whole.rounded[0][(33 + i) * 50 + 20 + j]);
}

TEST(ExactDot, ColumnMajorOperandsGiveTheSame) {
  std::mt19937_64 random(17);
  for (const Format* f : {&kE4M3Fn, &kBf16}) {
    const OwnedOperand a = random_operand(*f, 6, 70, kDotScaleKinds[3], Fill::kAny, random),
                       b = random_operand(*f, 9, 70, kDotScaleKinds[0], Fill::kAny, random);
    OwnedOperand turned = make_operand(*f, 9, 70, kDotScaleKinds[0]);
    turned.operand.row_stride = 1;
    turned.operand.k_stride = 9;
    for (int64_t row = 0; row < 9; ++row)
      for (int64_t i = 0; i < 70; ++i) turned.set(row, i, b.value(row, i));
    EXPECT_EQ(answer(a, turned).value, answer(a, b).value);
  }
}

TEST(ExactDot, OneThreadGivesWhatAllGive) {
  std::mt19937_64 random(18);
  const OwnedOperand a = random_operand(kE5M2, 100, 64, kDotScaleKinds[2], Fill::kAny, random),
                     b = random_operand(kE4M3Fn, 200, 64, kDotScaleKinds[6], Fill::kAny, random);
  Answer alone;
  oneapi::tbb::task_arena(1).execute([&] { alone = answer(a, b); });
  EXPECT_EQ(alone.rounded[0], answer(a, b).rounded[0]);
  EXPECT_EQ(alone.value, answer(a, b).value);
}

TEST(ExactDot, EmptySumsAreZeroAndEmptyRangesNothing) {
  const OwnedOperand a = make_operand(kE4M3Fn, 2, 0, {"none", nullptr, 0, 0, false});
  OwnedOperand scaled = a;
  scaled.operand.scales = {.codes = a.codes.data(), .format = &kF32, .rows_per_scale = 2, .k_per_scale = 0};
  EXPECT_EQ(answer(a, scaled).value, std::vector<double>(4, 0));
  exact_dot({a.operand, a.operand, 0}, {2, 0, 0, 2}, {});
}

TEST(ExactDot, WhatItCannotDoIsSaid) {
  const OwnedOperand a = make_operand(kE4M3Fn, 2, 8, kDotScaleKinds[0]), f32 = make_operand(kF32, 2, 8, kDotScaleKinds[0]);
  std::vector<double> four(4), three(3);
  EXPECT_THROW(exact_dot({f32.operand, a.operand, 8}, {0, 2, 0, 2}, {.value = four}), std::invalid_argument);
  EXPECT_THROW(exact_dot({a.operand, a.operand, 8}, {0, 2, 0, 2}, {.value = three}), std::invalid_argument);
  EXPECT_THROW(exact_dot({a.operand, a.operand, 8}, {1, 2, 0, 2}, {.value = four}), std::invalid_argument);
  EXPECT_THROW(exact_dot({a.operand, a.operand, 8}, {0, 2, 0, 2}, {.rounded = {{&kF32, three}}}), std::invalid_argument);
}

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr int64_t kK = 64;

/// Operands with two rows of e5m2, which has infinities, and an f32 scale for each 32 elements. Row 1 has ordinary values.
struct Sides {
  OwnedOperand a = make_operand(kE5M2, 2, kK, kDotScaleKinds[5]), b = make_operand(kE5M2, 2, kK, kDotScaleKinds[5]);

  Sides() {
    for (OwnedOperand* o : {&a, &b}) {
      o->operand.scales.rows_per_scale = 1;
      o->operand.scales.row_stride = 2;
      o->scales.resize(16);
      o->operand.scales.codes = o->scales.data();
      for (int64_t row = 0; row < 2; ++row) {
        for (int64_t i = 0; i < kK; ++i) o->set(row, i, i % 7 == 0 ? 0 : 1);
        for (int64_t block = 0; block < 2; ++block) o->set_scale(row, block, 1);
      }
    }
  }

  /// y[0, 0], rounded, by the loops of every instruction set and by ExactElements. Returns -1 if they differ, or if an element of
  /// ordinary values has changed.
  double corner(const Format& out = kF32) const {
    const DecodedOperand of_a(a.operand, kK), of_b(b.operand, kK);
    const double expected = nearest(out, ExactElements(of_a, of_b).at(0, 0));
    for (const char* name : {"scalar", "avx2", "avx512"}) {
      const DotKernels* kernels = dot_kernels_named(name);
      std::vector<double> rounded(4, -1), value(4, -1), error(4, -1);
      if (kernels)
        exact_dot({a.operand, b.operand, kK}, {0, 2, 0, 2}, {.rounded = {{&out, rounded}}, .value = value, .error = error},
                  *kernels);
      if (!kernels) continue;
      const bool equal = std::isnan(expected) ? std::isnan(rounded[0])
                                              : rounded[0] == expected && std::signbit(rounded[0]) == std::signbit(expected);
      if (!equal || error[0] != 0 || rounded[3] != nearest(out, ExactElement{54, 54})) return -1;
    }
    return expected;
  }
};

TEST(ExactElement, NanInACodeOrAScaleIsNan) {
  Sides s;
  s.a.set(0, 7, kNan);
  EXPECT_TRUE(std::isnan(s.corner())) << "though its partner is 0";
  Sides t;
  t.b.set_scale(0, 1, kNan);
  EXPECT_TRUE(std::isnan(t.corner()));
}

TEST(ExactElement, InfinityMeetsCodesAsInIeee754) {
  Sides s;
  s.a.set(0, 40, kInf);
  EXPECT_EQ(s.corner(), kInf);
  EXPECT_TRUE(std::isnan(s.corner(kE4M3Fn))) << "a format without Inf";
  s.b.set(0, 40, -1);
  EXPECT_EQ(s.corner(), -kInf);
  s.b.set(0, 3, kInf);
  EXPECT_TRUE(std::isnan(s.corner())) << "both infinities, in two blocks";
  s.b.set(0, 3, -kInf);
  EXPECT_EQ(s.corner(), -kInf);
  s.b.set(0, 40, 0);
  EXPECT_TRUE(std::isnan(s.corner())) << "Inf times 0";
}

TEST(ExactElement, InfiniteAndZeroScalesMeetTheSumOfTheirBlock) {
  Sides s;
  s.a.set_scale(0, 0, -kInf);
  EXPECT_EQ(s.corner(), -kInf) << "though some of its codes are 0";
  for (int64_t i = 0; i < 32; ++i) s.a.set(0, i, i % 2 ? 1 : -1), s.b.set(0, i, 1);
  EXPECT_TRUE(std::isnan(s.corner())) << "a sum of exactly 0";
  s.a.set(0, 0, -1 - 0x1p-2);
  EXPECT_EQ(s.corner(), kInf);
  s.b.set_scale(0, 0, 0);
  EXPECT_TRUE(std::isnan(s.corner())) << "an infinite scale times one of 0";
  Sides t;
  t.a.set_scale(0, 0, 0);
  EXPECT_EQ(t.corner(), 27) << "the other block alone";
  t.a.set(0, 5, kInf);
  EXPECT_TRUE(std::isnan(t.corner())) << "a scale of 0 times a block of Inf";
}

TEST(ExactElement, AnExactZeroIsPositiveAndARoundedOneKeepsItsSign) {
  Sides s;
  for (int64_t i = 0; i < kK; ++i) s.a.set(0, i, i % 2 ? 1 : -1), s.b.set(0, i, 1);
  for (double scale : {1.0, -1.0, 0.0}) {
    s.a.set_scale(0, 0, scale), s.a.set_scale(0, 1, scale);
    EXPECT_FALSE(std::signbit(s.corner())) << scale;
    EXPECT_EQ(s.corner(), 0) << scale;
  }
  for (int64_t i = 0; i < kK; ++i) s.b.set(0, i, -0.0);
  EXPECT_FALSE(std::signbit(s.corner())) << "products of -0";
  for (int64_t block : {0, 1}) s.a.set_scale(0, block, -0x1p-149);
  for (int64_t i = 0; i < kK; ++i) s.a.set(0, i, i == 9 ? 1 : 0), s.b.set(0, i, 0x1p-2);
  EXPECT_TRUE(std::signbit(s.corner())) << "-2^-151 rounds to -0";
  EXPECT_EQ(s.corner(), 0);
}

TEST(ExactElement, SumsOfAnyRangeAreThoseOfTheIntegers) {
  std::mt19937_64 random(21);
  for (int trial = 0; trial < 60; ++trial) {
    OwnedOperand a = make_operand(kBf16, 1, 200, kDotScaleKinds[trial % 2 ? 3 : 0]),
                 b = make_operand(kBf16, 1, 200, kDotScaleKinds[trial % 3 ? 5 : 0]);
    for (int64_t i = 0; i < 200; ++i) {
      for (OwnedOperand* o : {&a, &b}) {
        const double x = decode(kBf16, uint32_t(random() % 65536));
        o->set(0, i, std::isfinite(x) ? x : decode(kBf16, 1));
      }
      if (i % 2 && trial % 5 == 0) a.set(0, i, a.value(0, i - 1)), b.set(0, i, -b.value(0, i - 1));
    }
    if (trial % 2) a.set_scale(0, 1, 0x1.23456ap-20);
    const DecodedOperand of_a(a.operand, 200), of_b(b.operand, 200);
    const ExactElement got = ExactElements(of_a, of_b).at(0, 0);
    const Integer exact = exact_element(a, 0, b, 0);
    ASSERT_LE(fixed_point(got.low), exact);
    ASSERT_GE(fixed_point(got.high), exact);
    ASSERT_TRUE(got.low == got.high ? fixed_point(got.low) == exact : got.high == std::nextafter(got.low, kInf)) << trial;
    for (const Format* f : {&kF32, &kBf16, &kF16}) ASSERT_EQ(nearest(*f, got), nearest(*f, exact)) << trial;
    const ExactElement beside{std::nextafter(got.low, -kInf), std::nextafter(got.low, -kInf)};
    ASSERT_NE(fixed_point(beside.low), exact) << "another double is not it";
  }
}

/// The facts that values() returns about row 0, by the loops of every instruction set. They must be equal, except that squares
/// may be added in another order.
RowFacts facts(const OwnedOperand& o) {
  std::vector<double> values(size_t(o.k)), others(size_t(o.k));
  const DecodedOperand operand(o.operand, o.k);
  RowFacts scalar;
  operand.values(0, 0, true, *dot_kernels_named("scalar"), values, scalar);
  for (const char* name : {"avx2", "avx512"}) {
    const DotKernels* kernels = dot_kernels_named(name);
    if (!kernels) continue;
    RowFacts other;
    operand.values(0, 0, true, *kernels, others, other);
    EXPECT_EQ(others, values);
    EXPECT_EQ(other.step, scalar.step);
    EXPECT_EQ(other.special, scalar.special);
    EXPECT_EQ(other.nan, scalar.nan);
    EXPECT_LE(std::fabs(other.squares - scalar.squares), scalar.squares * double(o.k) * std::numeric_limits<double>::epsilon());
  }
  return scalar;
}

TEST(DecodedOperand, ValuesAreMultiplesOfTheStepOfTheirRow) {
  std::mt19937_64 random(31);
  for (const Format* f : {&kE4M3Fn, &kE4M3Fnuz, &kE5M2, &kE5M2Fnuz, &kF16, &kBf16, &kInt8, &kE2M1, &kE3M2}) {
    for (const DotScaleKind& kind : kDotScaleKinds) {
      for (int trial = 0; trial < 30; ++trial) {
        const int64_t k = 1 + int64_t(random() % 150);
        OwnedOperand o = make_operand(*f, 1, k, kind);
        const uint32_t low = uint32_t(random() % f->code_count());  // only some codes, so that `step` differs between trials
        double squares = 0;
        bool twice_is_a_step = true;
        for (int64_t i = 0; i < k; ++i) {
          const double x = decode(*f, low | uint32_t(random() % f->code_count()));
          o.set(0, i, std::isfinite(x) ? x : 1);
        }
        if (kind.format)
          for (int64_t i = 0; i < k; i += o.operand.scales.k_per_scale)
            o.set_scale(0, i / o.operand.scales.k_per_scale,
                        std::ldexp(kind.format == &kE8M0 ? 1 : 1 + double(random() % 8) / 8, int(random() % 9) - 4));
        const RowFacts got = facts(o);
        const DecodedOperand operand(o.operand, k);
        for (int64_t i = 0; i < k; ++i) {
          const double x = o.value(0, i) * (operand.scales_change_along_k() ? o.scale(0, i) : 1);
          ASSERT_EQ(std::fmod(x, got.step), 0) << f->name << " " << kind.name << ": " << x << " and a step of " << got.step;
          twice_is_a_step = twice_is_a_step && std::fmod(x, std::ldexp(got.step, f->precision() + 4)) == 0;
          squares += x * x;
        }
        EXPECT_TRUE(!twice_is_a_step || squares == 0)
            << f->name << " " << kind.name << ": the step could be " << got.step << " times more";
        EXPECT_LE(std::fabs(got.squares - squares), squares * double(k) * std::numeric_limits<double>::epsilon());
      }
    }
  }
}

TEST(DecodedOperand, WhatIsNotFiniteIsToldAndCountsAsZero) {
  OwnedOperand o = make_operand(kE5M2, 1, 40, kDotScaleKinds[5]);
  for (int64_t i = 0; i < 40; ++i) o.set(0, i, 2);
  EXPECT_FALSE(facts(o).special);
  EXPECT_EQ(facts(o).squares, 160);
  o.set(0, 39, HUGE_VAL);
  EXPECT_TRUE(facts(o).special && !facts(o).nan);
  EXPECT_EQ(facts(o).squares, 156);
  o.set(0, 7, std::nan(""));
  EXPECT_TRUE(facts(o).special && facts(o).nan);
  EXPECT_EQ(facts(o).squares, 152);
  OwnedOperand p = make_operand(kE4M3Fn, 1, 40, kDotScaleKinds[5]);
  p.set(0, 33, 3);
  p.set_scale(0, 1, HUGE_VAL);
  EXPECT_TRUE(facts(p).special && !facts(p).nan);
  p.set_scale(0, 1, std::nan(""));
  EXPECT_TRUE(facts(p).special && facts(p).nan);
}

}  // namespace

}  // namespace assay
