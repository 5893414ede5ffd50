#include "reference/recipe/narrow.h"

#include <gtest/gtest.h>

#include "reference/recipe/parse.h"
#include "reference/testing/f32.h"

namespace assay {
namespace {

const Names kNarrowNames{{{"M", "448"}}, {}, {}};

double at(int64_t ordinal) { return decode(kF32, code_from_ordinal(kF32, int32_t(ordinal))); }

/// Every number of the interval that the recipe can map to `stored`, by exhaustive search.
std::optional<Span> by_trying_all(const Recipe& recipe, Span hidden, double stored) {
  std::optional<Span> fits;
  for (int64_t o = ordinal_of_value(kF32, hidden.low); o <= ordinal_of_value(kF32, hidden.high); ++o) {
    const Span result = evaluate(recipe, point(at(o)), Environment{});
    if (!(result.low <= stored && stored <= result.high)) continue;
    if (!fits) fits = point(at(o));
    fits->high = at(o);
  }
  return fits;
}

bool same(const std::optional<Span>& a, const std::optional<Span>& b) {
  return a.has_value() == b.has_value() && (!a || (a->low == b->low && a->high == b->high));
}

TEST(Narrow, FindsExactlyTheValuesThatTryingAllFinds) {
  RandomNumbers random(61);
  int64_t found = 0, empty = 0;
  for (const char* cell : {"div(M)", "mul(1/M)", "div(M)~2", "div(M) pow2(ceil)", "div(M) max(1e-10)", "bf16: mul(1/M)"}) {
    const Recipe recipe = parse_recipe(cell, kNarrowNames);
    for (int i = 0; i < 60; ++i) {
      const double middle = i % 7 == 0 ? 448 : std::fabs(random.of(kF32));
      if (!(middle > 0x1p-100 && middle < 0x1p100)) continue;
      const int64_t o = ordinal_of_value(kF32, middle), width = int64_t(random.below(300));
      const Span hidden{at(o - width), at(o + width)};
      const Span reached = evaluate(recipe, hidden, Environment{});
      for (double stored : {reached.low, reached.high, next_up(kF32, reached.high), next_down(kF32, reached.low),
                            evaluate(recipe, point(middle), Environment{}).low}) {
        const auto narrowed = narrow(recipe, hidden, stored, Environment{});
        ASSERT_TRUE(same(narrowed, by_trying_all(recipe, hidden, stored))) << cell << " around " << middle << " stored " << stored;
        narrowed ? ++found : ++empty;
      }
    }
  }
  EXPECT_GT(found, 100);
  EXPECT_GT(empty, 100);
}

TEST(Narrow, AnotherStoredValueLeavesOtherHiddenOnes) {
  const Recipe recipe = parse_recipe("div(M)", kNarrowNames);
  const Span hidden{at(ordinal_of_value(kF32, 448) - 50), at(ordinal_of_value(kF32, 448) + 50)};
  EXPECT_FALSE(same(narrow(recipe, hidden, 1, Environment{}), narrow(recipe, hidden, next_up(kF32, 1), Environment{})));
  EXPECT_FALSE(same(narrow(recipe, hidden, 1, Environment{}), hidden));
}

TEST(Narrow, ANanStaysAsItIs) {
  const Recipe recipe = parse_recipe("div(M)", kNarrowNames);
  EXPECT_TRUE(narrow(recipe, any_number(), 1, Environment{})->any());
  EXPECT_TRUE(std::isnan(narrow(recipe, point(std::nan("")), 1, Environment{})->low));
}

TEST(Narrow, WishesInBothDirectionsLeaveNothing) {
  const auto wants = [](double lower, double upper) {
    return [=](double v) { return v < lower ? v > upper ? Direction::kBoth : Direction::kUp : v > upper ? Direction::kDown : Direction::kFits; };
  };
  EXPECT_TRUE(same(narrow({1, 2}, kF32, wants(1.25, 1.75)), Span{1.25, 1.75}));
  EXPECT_FALSE(narrow({1, 2}, kF32, wants(1.75, 1.25)).has_value());
  EXPECT_FALSE(narrow({1, 2}, kF32, wants(3, 4)).has_value());
  EXPECT_FALSE(narrow({1, 2}, kF32, wants(0.25, 0.5)).has_value());
  for (int k = 1; k < 2000; ++k) {
    const double up = at(ordinal_of_value(kF32, 1.0) + k);
    ASSERT_FALSE(narrow({1, 2}, kF32, wants(next_up(kF32, up), up)).has_value()) << "neighbours that exclude each other";
    ASSERT_TRUE(same(narrow({1, 2}, kF32, wants(up, up)), point(up)));
  }
}

}  // namespace
}  // namespace assay
