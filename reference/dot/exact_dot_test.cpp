#include "reference/dot/exact_dot.h"

#include <gtest/gtest.h>
#include <oneapi/tbb/task_arena.h>

#include "reference/testing/exact_product.h"

namespace assay {
namespace {

const Format* const kCodeFormats[] = {&kE4M3Fn, &kE4M3Fnuz, &kE5M2, &kE5M2Fnuz, &kF16, &kBf16, &kInt8};
const Format* const kOutputs[] = {&kF32, &kBf16, &kF16, &kE4M3Fn};

/// What exact_dot says of a product.
struct Answer {
  std::vector<std::vector<double>> rounded;
  std::vector<double> value, error;
};

Answer answer(const OwnedOperand& a, const OwnedOperand& b, const DotKernels& kernels = dot_kernels()) {
  const auto size = size_t(a.operand.rows * b.operand.rows);
  Answer answer{std::vector(std::size(kOutputs), std::vector<double>(size, -1)), std::vector<double>(size, -1),
                std::vector<double>(size, -1)};
  DotOutputs outputs{
      .rounded = {}, .value = answer.value, .error = answer.error, .absolute_sum = {}, .model = {}, .bound = {}, .largest_exponent = {}};
  for (size_t i = 0; i < std::size(kOutputs); ++i) outputs.rounded.push_back({kOutputs[i], answer.rounded[i]});
  exact_dot({a.operand, b.operand, a.k}, {0, a.operand.rows, 0, b.operand.rows}, outputs, kernels);
  return answer;
}

bool same(double a, double b) { return (std::isnan(a) && std::isnan(b)) || (a == b && std::signbit(a) == std::signbit(b)); }

/// The first element that is not the exact one rounded, or whose certificate does not hold; empty if there is none.
std::string first_wrong(const OwnedOperand& a, const OwnedOperand& b, const Answer& got) {
  for (int64_t i = 0; i < a.operand.rows; ++i) {
    for (int64_t j = 0; j < b.operand.rows; ++j) {
      const Integer exact = exact_element(a, i, b, j);
      const auto place = size_t(i * b.operand.rows + j);
      const std::string at = "[" + std::to_string(i) + ", " + std::to_string(j) + "] ";
      for (size_t f = 0; f < std::size(kOutputs); ++f)
        if (!same(got.rounded[f][place], nearest(*kOutputs[f], exact)))
          return at + std::string(kOutputs[f]->name) + " is " + std::to_string(got.rounded[f][place]) + ", not " +
                 std::to_string(nearest(*kOutputs[f], exact));
      if (abs(fixed_point(got.value[place]) - exact) > fixed_point(got.error[place])) return at + "lies outside its certificate";
    }
  }
  return "";
}

/// Codes of a kind: any finite ones, or few bits near one, so that sums land on ties, or signs that cancel.
enum class Fill { kAny, kFewBits, kCancelling };

double finite(const Format& f, std::mt19937_64& random) {
  for (;;)
    if (const double x = decode(f, uint32_t(random() % f.code_count())); std::isfinite(x)) return x;
}

double few_bits(const Format& f, std::mt19937_64& random) {
  const double x = double(1 + random() % 3) * (random() % 2 ? 1 : -1);
  return f == kInt8 ? x : std::ldexp(x, -int(random() % 6));
}

double scale_number(const Format& f, Fill fill, std::mt19937_64& random) {
  const int exponent = int(random() % 12) - 6;
  if (f == kE8M0 || fill == Fill::kFewBits) return std::ldexp(1.0, exponent);
  if (random() % 40 == 0) return 0;
  if (random() % 40 == 0) return 0x1p-149;
  return double(float(std::ldexp(1 + double(random() % 8388608) / 8388608, exponent)));
}

OwnedOperand random_operand(const Format& f, int64_t rows, int64_t k, const DotScaleKind& kind, Fill fill, std::mt19937_64& random) {
  OwnedOperand o = make_operand(f, rows, k, kind, int64_t(random() % 3));
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t i = 0; i < k; ++i) o.set(row, i, fill == Fill::kFewBits ? few_bits(f, random) : finite(f, random));
  const DotScales& g = o.operand.scales;
  for (int64_t row = 0; g.codes && row < rows; row += g.rows_per_scale)
    for (int64_t i = 0; i < k; i += g.k_per_scale)
      o.set_scale(row / g.rows_per_scale, i / g.k_per_scale, scale_number(*g.format, fill, random));
  return o;
}

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

class EveryInstructionSet : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    kernels = dot_kernels_named(GetParam());
    if (!kernels) GTEST_SKIP() << "this processor has no " << GetParam();
    EXPECT_EQ(kernels->name, GetParam());
  }
  const DotKernels* kernels = nullptr;
};

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

/// Writes a number of at most `bits` bits, lowest 2^unit, as products of powers of two into columns of row 0; zeros fill the rest.
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
          ASSERT_EQ(first_wrong(a, b, got), "") << fa->name << " x " << fb->name << " to " << out->name << ", " << away << " beside";
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

TEST(ExactDot, ARangeIsThatPartOfTheWhole) {
  std::mt19937_64 random(16);
  const OwnedOperand a = random_operand(kE4M3Fn, 40, 96, kDotScaleKinds[6], Fill::kAny, random);
  const OwnedOperand b = random_operand(kE4M3Fn, 50, 96, kDotScaleKinds[6], Fill::kAny, random);
  const Answer whole = answer(a, b);
  std::vector<double> part(7 * 11);
  exact_dot({a.operand, b.operand, 96}, {33, 7, 20, 11},
            {.rounded = {{&kF32, part}}, .value = {}, .error = {}, .absolute_sum = {}, .model = {}, .bound = {}, .largest_exponent = {}});
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
  EXPECT_THROW(exact_dot({f32.operand, a.operand, 8}, {0, 2, 0, 2},
                         {.rounded = {}, .value = four, .error = {}, .absolute_sum = {}, .model = {}, .bound = {}, .largest_exponent = {}}),
               std::invalid_argument);
  EXPECT_THROW(
      exact_dot({a.operand, a.operand, 8}, {0, 2, 0, 2},
                {.rounded = {}, .value = three, .error = {}, .absolute_sum = {}, .model = {}, .bound = {}, .largest_exponent = {}}),
      std::invalid_argument);
  EXPECT_THROW(exact_dot({a.operand, a.operand, 8}, {1, 2, 0, 2},
                         {.rounded = {}, .value = four, .error = {}, .absolute_sum = {}, .model = {}, .bound = {}, .largest_exponent = {}}),
               std::invalid_argument);
  EXPECT_THROW(
      exact_dot(
          {a.operand, a.operand, 8}, {0, 2, 0, 2},
          {.rounded = {{&kF32, three}}, .value = {}, .error = {}, .absolute_sum = {}, .model = {}, .bound = {}, .largest_exponent = {}}),
      std::invalid_argument);
}

}  // namespace
}  // namespace assay
