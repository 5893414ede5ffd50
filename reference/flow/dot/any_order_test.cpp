// Sums in any order: the ends against all orders, written out.
#include "reference/flow/dot/any_order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"

namespace assay {
namespace {

double rounded(const Format& format, double x) { return round_to(format, x, Rounding::kNearestEven, Overflow::kSpecial); }

/// All orders of adding to +0; NaN is left out and counted.
struct Orders {
  double low = HUGE_VAL, high = -HUGE_VAL;
  int nan = 0, others = 0;

  Orders(const std::vector<double>& parts, const Format& format) {
    std::vector<size_t> order(parts.size());
    std::iota(order.begin(), order.end(), size_t{0});
    do {
      double sum = 0;
      for (const size_t i : order) sum = rounded(format, sum + parts[i]);
      std::isnan(sum) ? ++nan : ++others;
      if (!std::isnan(sum)) low = std::min(low, sum), high = std::max(high, sum);
    } while (std::next_permutation(order.begin(), order.end()));
  }
};

std::vector<Span> spans(const std::vector<double>& parts) {
  std::vector<Span> all;
  std::transform(parts.begin(), parts.end(), std::back_inserter(all), point);
  return all;
}

/// Numbers of a format, of either sign and some octaves.
std::vector<double> numbers(const Format& format, uint32_t seed, size_t count) {
  std::vector<double> all;
  for (size_t i = 0; i < count; ++i) {
    seed = seed * 1664525 + 1013904223;
    const double x = std::ldexp(double(seed >> 8 & 0xffff) / 65536 + 1, int(seed >> 24 & 3) - 2);
    all.push_back(rounded(format, seed >> 31 ? -x : x));
  }
  return all;
}

TEST(SumInAnyOrder, HasTheEndsOfAllOrders) {
  int wider = 0;
  for (const Format* format : {&kBf16, &kF16})
    for (const size_t count : {size_t{1}, size_t{2}, size_t{4}, size_t{6}})
      for (uint32_t seed = 1; seed < 40; ++seed) {
        const std::vector<double> parts = numbers(*format, seed, count);
        const Orders orders(parts, *format);
        const Span sum = sum_in_any_order(spans(parts), *format);
        ASSERT_EQ(sum.low, orders.low) << format->name << " " << count << " " << seed;
        ASSERT_EQ(sum.high, orders.high) << format->name << " " << count << " " << seed;
        EXPECT_TRUE(count > 2 || sum.pinned()) << "two numbers have one sum";
        wider += !sum.pinned();
      }
  EXPECT_GT(wider, 100) << "orders of more numbers differ";
}

TEST(SumInAnyOrder, BeginsWithPlusZero) {
  const Span sum = sum_in_any_order(spans({-0.0, -0.0}), kBf16);
  EXPECT_EQ(sum.low, 0);
  EXPECT_FALSE(std::signbit(sum.low));
  EXPECT_EQ(sum_in_any_order({}, kBf16).high, 0);
}

TEST(SumInAnyOrder, SaysWhereSomeOrdersGiveNaN) {
  const Span nan = sum_in_any_order(spans({1, std::nan(""), 2}), kF16);
  EXPECT_TRUE(std::isnan(nan.low) && std::isnan(nan.high));
  EXPECT_TRUE(sum_in_any_order(spans({HUGE_VAL, 1}), kF16).pinned());
  const std::vector<double> meets = {60000, 60000, -HUGE_VAL};
  const Orders orders(meets, kF16);
  ASSERT_TRUE(orders.nan > 0 && orders.others > 0);
  EXPECT_TRUE(sum_in_any_order(spans(meets), kF16).any());
}

TEST(SumInAnyOrder, RefusesMorePartsThanItCanOrder) {
  EXPECT_THROW((void)sum_in_any_order(spans(std::vector<double>(9, 1.0)), kBf16), std::invalid_argument);
}

}  // namespace
}  // namespace assay
