// Sums of magnitudes are rounded upward by at most 2^-14 of them, with the scales of both sides and for numbers of all
// magnitudes.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

#include "reference/formats/catalogue.h"
#include "reference/testing/dot_bounds.h"
#include "reference/testing/exact_product.h"

namespace assay {
namespace {

using namespace dot_bounds;

TEST_P(EverySetOfLoops, AbsoluteSumsAreRoundedUpwardByLittle) {
  std::mt19937_64 random(42);
  for (const Format* f : {&kE4M3Fn, &kE5M2, &kF16, &kBf16, &kInt8}) {
    for (int kind : {0, 2, 3, 6}) {
      const OwnedOperand a = operand(*f, 5, 700, kDotScaleKinds[kind], random),
                         b = operand(kE4M3Fn, 53, 700, kDotScaleKinds[0], random);
      const Bounds got = bounds(a, b, blackwell(), *kernels);
      for (int64_t i = 0; i < 5; ++i)
        for (int64_t j = 0; j < 53; ++j) {
          double sum = 0;  // of numbers of few bits: exact
          for (int64_t k = 0; k < 700; ++k) sum += std::fabs(a.value(i, k) * b.value(j, k) * a.scale(i, k));
          ASSERT_GE(got.absolute_sum[size_t(i * 53 + j)], sum) << f->name << " " << kind;
          ASSERT_LE(got.absolute_sum[size_t(i * 53 + j)], sum * (1 + std::ldexp(1.0, -14))) << f->name << " " << kind;
        }
    }
  }
}

/// Stretches of k with scales of their own on both sides, an odd number of k, and scales too far apart for f32.
TEST_P(EverySetOfLoops, AbsoluteSumsHoldTheScalesOfBothSides) {
  std::mt19937_64 random(45);
  for (const auto& [kind_a, kind_b] : {std::pair{3, 4}, std::pair{6, 6}, std::pair{5, 3}, std::pair{6, 2}})
    for (const double apart : {1.0, 0x1p-90}) {
      OwnedOperand a = operand(kE5M2, 9, 701, kDotScaleKinds[kind_a], random),
                   b = operand(kE4M3Fn, 53, 701, kDotScaleKinds[kind_b], random);
      if (a.operand.scales.k_per_scale < a.k) a.set_scale(0, 1, apart), a.set_scale(1, 0, 0x1p-3 * apart);
      const std::vector<double> got = bounds(a, b, blackwell(), *kernels).absolute_sum;
      for (int64_t i = 0; i < 9; ++i)
        for (int64_t j = 0; j < 53; ++j) {
          double sum = 0;  // of 701 positive numbers
          for (int64_t k = 0; k < 701; ++k) sum += std::fabs(a.value(i, k) * b.value(j, k) * a.scale(i, k) * b.scale(j, k));
          ASSERT_GE(got[size_t(i * 53 + j)] * (1 + relative(701)), sum) << kind_a << " " << kind_b << " " << apart;
          ASSERT_LE(got[size_t(i * 53 + j)], sum * (1 + std::ldexp(1.0, -14))) << kind_a << " " << kind_b << " " << apart;
        }
    }
}

TEST_P(EverySetOfLoops, NumbersOfAllMagnitudesHaveAbsoluteSums) {
  OwnedOperand a = make_operand(kBf16, 1, 64, kDotScaleKinds[0]), b = make_operand(kBf16, 1, 64, kDotScaleKinds[0]);
  a.set(0, 0, 0x1p-133), b.set(0, 0, 0x1p-133), a.set(0, 40, 0x1p127), b.set(0, 41, -0x1p127);
  const double tiny = bounds(a, b, blackwell(), *kernels).absolute_sum[0];
  EXPECT_GE(tiny, 0x1p-266);
  EXPECT_LE(tiny, 0x1p256 * 0x1p-118) << "beside numbers of 2^128, whose products are all 0";
  b.set(0, 40, -0x1p-133);
  const double sum = bounds(a, b, blackwell(), *kernels).absolute_sum[0];
  EXPECT_GE(sum, 0x1p-6);
  for (int64_t i : {0, 40, 41}) b.set(0, i, i == 0 ? std::nan("") : 0);
  EXPECT_LE(bounds(a, b, blackwell(), *kernels).absolute_sum[0], 0x1p-100) << "what is not finite counts as 0";
}

}  // namespace
}  // namespace assay
