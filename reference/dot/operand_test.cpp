#include "reference/dot/operand.h"

#include <gtest/gtest.h>

#include "reference/testing/exact_product.h"

namespace assay {
namespace {

/// What values() says of row 0, with every set of loops; they have to agree but for the order of the sum of squares.
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
        const uint32_t low = uint32_t(random() % f->code_count());  // of some codes only, so that steps differ
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
        EXPECT_TRUE(!twice_is_a_step || squares == 0) << f->name << " " << kind.name << ": the step could be " << got.step << " times more";
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
