// shuffle_weight: the formula, against the view and permutation that AITER writes down, and its inverse.
#include "reference/flow/dot/weight.h"
#include "reference/flow/shuffle/shuffle.h"

#include <gtest/gtest.h>

#include <set>

namespace assay {
namespace {

/// aiter/ops/shuffle.py: x.view(n / BN, BN, k / BK, BK / V, V).permute(0, 2, 3, 1, 4), BN = rows, BK = 2 products, V = 16 / bytes.
int64_t by_views(const WeightShuffle& shuffle, int64_t row, int64_t product, int64_t k, int bytes) {
  const int64_t bn = shuffle.rows, bk = 2 * shuffle.products, v = 16 / bytes;
  const int64_t index[] = {row / bn, product / bk, product % bk / v, row % bn, product % v};
  const int64_t extent[] = {0, k / bk, bk / v, bn, v};
  int64_t place = index[0];
  for (int i = 1; i < 5; ++i) place = place * extent[i] + index[i];
  return place;
}

TEST(WeightShuffle, IsThePermutationOfViewsForCodesOfOneAndTwoBytes) {
  for (const WeightShuffle& shuffle : {WeightShuffle{16, 16}, WeightShuffle{32, 16}})
    for (const int bytes : {1, 2}) {
      constexpr int64_t kRows = 64, kProducts = 96;
      std::set<int64_t> places;
      for (int64_t row = 0; row < kRows; ++row)
        for (int64_t i = 0; i < kProducts; ++i) {
          const int64_t place = shuffle.place(row, i, kProducts, bytes);
          ASSERT_EQ(place, by_views(shuffle, row, i, kProducts, bytes)) << row << " " << i;
          places.insert(place);
        }
      EXPECT_EQ(int64_t(places.size()), kRows * kProducts);
      EXPECT_EQ(*places.rbegin(), kRows * kProducts - 1) << "a permutation";
    }
}

TEST(WeightShuffle, GoesBackAndIsNotItsOwnInverse) {
  const WeightShuffle shuffle{16, 16};
  std::vector<std::byte> codes(32 * 64);
  for (size_t i = 0; i < codes.size(); ++i) codes[i] = std::byte(i * 7 % 251);
  const std::vector<std::byte> memory = shuffled(shuffle, codes.data(), 32, 64);
  EXPECT_EQ(unshuffled(shuffle, memory.data(), 32, 64), codes);
  EXPECT_NE(memory, codes);
  EXPECT_NE(shuffled(shuffle, memory.data(), 32, 64), codes);
}

TEST(WeightShuffle, AsksForWholeTiles) {
  EXPECT_TRUE((WeightShuffle{16, 16}.fits(48, 96)));
  EXPECT_FALSE((WeightShuffle{16, 16}.fits(40, 96)));
  EXPECT_FALSE((WeightShuffle{16, 16}.fits(48, 80)));
  EXPECT_FALSE((WeightShuffle{32, 16}.fits(48, 96)));
}

/// Experts apart, and each mistake another permutation or none.
TEST(WeightShuffle, AMoveAndItsInverseLeaveEachElementWhereItWas) {
  const ShuffleExtents extents{Groups::uniform(3, 64), 96, 2};
  WeightMove there{{16, 16}, false, {}}, back = there;
  back.back = true;
  const std::vector<int64_t> to = sources_of(there, extents), from = sources_of(back, extents);
  for (size_t i = 0; i < to.size(); ++i) {
    ASSERT_EQ(to[size_t(from[i])], int64_t(i));
    ASSERT_EQ(to[i] / (64 * 96), int64_t(i) / (64 * 96)) << "an expert's elements stay its own";
  }
  std::set<std::vector<int64_t>> all = {to};
  for (const ShuffleNeighbour& wrong : shuffle_neighbours(there, extents)) EXPECT_TRUE(all.insert(wrong.sources).second) << wrong.name;
  EXPECT_EQ(all.size(), 9u);
}

}  // namespace
}  // namespace assay
