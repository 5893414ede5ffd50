// Sums in any order, and remembered sums of GEMM predictions.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "reference/flow/dot/dot_predict.h"
#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"

namespace assay {

// Sums in any order: the ends against all orders, written out.

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

// Sums are made once for a key, and anew where anything differs that decides them.

const std::vector<std::byte> kCodes(64);

SumKey key() {
  SumKey key{{0, 2, 0, 8}, 0, 32};
  key.product.a.codes = key.product.b.codes = kCodes.data();
  key.product.a.pitch = key.product.b.pitch = key.product.k = 32;
  key.unit.k = 32;
  return key;
}

Spans number(double value) { return Spans(std::vector<double>{value}); }

TEST(SumMemory, WhatIsKnownIsNotMadeAgain) {
  SumMemory memory;
  EXPECT_EQ(memory.of(key(), [] { return number(1); }).low[0], 1);
  EXPECT_EQ(memory.of(key(), [] { return number(2); }).low[0], 1);
}

TEST(SumMemory, WhateverDecidesASumIsPartOfItsKey) {
  SumMemory memory;
  (void)memory.of(key(), [] { return number(1); });
  const std::function<void(SumKey&)> changes[] = {
      [](SumKey& k) { k.block.end = 1; },
      [](SumKey& k) { k.block.first_column = 4; },
      [](SumKey& k) { k.first_k = 16; },
      [](SumKey& k) { k.end_k = 31; },
      [](SumKey& k) { k.product.k = 31; },
      [](SumKey& k) { k.product.b.codes += 1; },
      [](SumKey& k) { k.product.a.pitch = 33; },
      [](SumKey& k) { k.sums = DotSums::kReplayed; },
      [](SumKey& k) { k.own_b = std::make_shared<const std::vector<std::byte>>(kCodes); },
      [](SumKey& k) { k.unit.fraction_bits = 1; },
      [](SumKey& k) { k.unit.a = &kE5M2; },
  };
  for (const auto& change : changes) {
    SumKey other = key();
    change(other);
    EXPECT_EQ(memory.of(other, [] { return number(2); }).low[0], 2) << &change - changes;
  }
}

TEST(SumMemory, MoreThanItHoldsIsMadeAgain) {
  SumMemory memory;
  const auto large = [](double value) { return Spans(std::vector<double>(size_t{1} << 18, value)); };
  (void)memory.of(key(), [&] { return large(1); });
  EXPECT_EQ(memory.of(key(), [&] { return large(2); }).low[0], 2);
}

}  // namespace

}  // namespace assay
