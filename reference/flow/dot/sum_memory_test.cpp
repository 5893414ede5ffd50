// Sums are made once for a key, and anew where anything differs that decides them.
#include "reference/flow/dot/sum_memory.h"

#include <gtest/gtest.h>

#include <functional>

#include "reference/formats/catalogue.h"

namespace assay {
namespace {

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
