// A call of exact_dot may ask for a part of the product, with any strides and on any number of threads; what it cannot do is
// refused.
#include <gtest/gtest.h>
#include <oneapi/tbb/task_arena.h>

#include <cstdint>
#include <random>
#include <stdexcept>
#include <vector>

#include "reference/dot/exact_dot.h"
#include "reference/formats/catalogue.h"
#include "reference/testing/dot_answers.h"
#include "reference/testing/exact_product.h"

namespace assay {
namespace {

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

}  // namespace
}  // namespace assay
