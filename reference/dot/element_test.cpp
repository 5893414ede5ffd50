#include "reference/dot/element.h"

#include <gtest/gtest.h>

#include "reference/testing/exact_product.h"

namespace assay {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr int64_t kK = 64;

/// Two rows a side of e5m2, which has infinities, under f32 scales of 32 k; row 1 stays ordinary.
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

  /// y[0, 0] rounded, with every set of loops and by ExactElements; -1 if they differ, or if an ordinary element is not what it was.
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
      const bool equal =
          std::isnan(expected) ? std::isnan(rounded[0]) : rounded[0] == expected && std::signbit(rounded[0]) == std::signbit(expected);
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

}  // namespace
}  // namespace assay
