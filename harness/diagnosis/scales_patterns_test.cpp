// Whole scale tensors: stale padding, repeated rows and transposition are reported; healthy tensors give no report.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "harness/diagnosis/scales.h"
#include "harness/diagnosis/testing/scale_grids.h"

namespace assay {
namespace {

using scale_grids::bytes;
using scale_grids::floats;
using scale_grids::scales_found;
using scale_grids::text_of;
using scale_grids::uniform;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(Scales, PaddingThatIsNotZeroIsStaleOnceTheExtentIsKnown) {
  ScaleGrid grid = bytes(8, 8, [](int64_t r, int64_t c) { return c < 5 && r < 5 ? 120 + (r + c) % 3 : 0x7f; });
  EXPECT_THAT(scales_found(grid), IsEmpty()) << "0x7f is the scale 1: no tensor alone tells that it is padding";
  grid.present_rows = grid.present_columns = 5;
  grid.extent_known = true;
  EXPECT_THAT(text_of(grid), HasSubstr("stale padding: 39 padding elements are not zero"));
  EXPECT_THAT(text_of(grid), HasSubstr("first    scale[0, 5] = 0x7F; scales end at row 4 and group 4"));
  for (int64_t r = 0; r < 8; ++r)
    for (int64_t c = 0; c < 8; ++c)
      if (r >= 5 || c >= 5) grid.codes[size_t(8 * r + c)] = 0;
  EXPECT_THAT(scales_found(grid), IsEmpty());
}

TEST(Scales, TailsOfAPatternThatIsNoScaleAreFoundWithoutAnExtent) {
  EXPECT_THAT(text_of(bytes(8, 8, [](int64_t r, int64_t c) { return r < 6 ? 118 + (r * c) % 5 : 0xcd; })),
              HasSubstr("the last 2 rows hold one value, 0xCD"));
  EXPECT_THAT(text_of(bytes(8, 8, [](int64_t r, int64_t c) { return c < 5 ? 118 + (r * c) % 5 : 0x2a; })),
              HasSubstr("the last 3 groups hold one value, 0x2A"));
  EXPECT_THAT(text_of(floats(8, 8, [](int64_t r, int64_t c) { return r < 7 ? float(0.01 + uniform(2, r, c)) : 1e30f; })),
              HasSubstr("the last 1 row holds one value"));
}

TEST(Scales, QuietRowsAtTheEndAreNoPattern) {
  EXPECT_THAT(scales_found(bytes(8, 8, [](int64_t r, int64_t c) { return r < 6 ? 118 + (r * c) % 5 : 94; })), IsEmpty())
      << "94 is the floor of an empty group";
}

TEST(Scales, RepeatedRowsOfFp32AreABroadcast) {
  EXPECT_THAT(text_of(floats(8, 8, [](int64_t, int64_t c) { return float(0.01 + uniform(5, 0, c)); })),
              HasSubstr("7 of 8 rows repeat the row before them"));
  EXPECT_THAT(text_of(floats(8, 8, [](int64_t r, int64_t) { return float(0.01 + uniform(5, r, 0)); })),
              HasSubstr("8 of 8 rows hold one value in all 8 groups"));
  EXPECT_THAT(
      scales_found(floats(8, 8, [](int64_t r, int64_t c) { return float(0.01 + uniform(5, std::min<int64_t>(r, 5), c)); })),
      IsEmpty())
      << "the same token three times";
  EXPECT_THAT(scales_found(bytes(8, 8, [](int64_t, int64_t c) { return 120 + c / 4; })), IsEmpty())
      << "exponents repeat by nature";
}

/// Tokens and channels with different magnitudes, plus noise.
float loud(int64_t r, int64_t c) {
  return float(std::exp2(-8 + 6 * uniform(6, r, 500) + 6 * uniform(7, 500, c) + 0.3 * uniform(8, r, c)));
}

TEST(Scales, TranspositionIsFoundInBothDirections) {
  constexpr int64_t kRows = 13, kColumns = 8;
  EXPECT_THAT(scales_found(floats(kRows, kColumns, loud)), IsEmpty());
  EXPECT_THAT(text_of(floats(kRows, kColumns,
                             [](int64_t r, int64_t c) { return loud((c * kRows + r) / kColumns, (c * kRows + r) % kColumns); })),
              HasSubstr("transposed: the storage was written row by row and is read column by column"));
  EXPECT_THAT(text_of(floats(kRows, kColumns,
                             [](int64_t r, int64_t c) { return loud((r * kColumns + c) % kRows, (r * kColumns + c) / kRows); })),
              HasSubstr("transposed: the storage was written column by column and is read row by row"));
}

TEST(Scales, TransposedWordsMoveAsWords) {
  constexpr int64_t kRows = 13, kWords = 4;
  const auto exponent = [](int64_t r, int64_t c) { return 127 + int64_t(std::lround(std::log2(loud(r, c)))); };
  EXPECT_THAT(scales_found(bytes(kRows, 4 * kWords, exponent)), IsEmpty());
  EXPECT_THAT(text_of(bytes(kRows, 4 * kWords,
                            [&](int64_t r, int64_t c) {
                              const int64_t i = c / 4 * kRows + r;
                              return exponent(i / kWords, i % kWords * 4 + c % 4);
                            })),
              HasSubstr("transposed"));
}

TEST(Scales, RandomTensorsOfEveryKindAreClean) {
  for (uint64_t seed = 10; seed < 60; ++seed) {
    const auto scale = [&](int64_t r, int64_t c) { return float(std::exp2(-10 + 8 * uniform(seed, r, c))); };
    const auto exponent = [&](int64_t r, int64_t c) { return 127 + int64_t(std::ceil(std::log2(scale(r, c)))); };
    EXPECT_THAT(scales_found(floats(5, 8, scale)), IsEmpty()) << seed;
    EXPECT_THAT(scales_found(floats(9, 56, scale)), IsEmpty()) << seed;
    EXPECT_THAT(scales_found(floats(1, 1, scale)), IsEmpty()) << seed;
    EXPECT_THAT(scales_found(bytes(7, 16, exponent)), IsEmpty()) << seed;
    EXPECT_THAT(scales_found(bytes(7, 5, exponent, ScaleKind::kBytes)), IsEmpty()) << seed;
    EXPECT_THAT(scales_found(floats(9, 8, [&](int64_t r, int64_t c) { return std::ldexp(1.0f, int(exponent(r, c)) - 127); })),
                IsEmpty())
        << seed;
  }
}

}  // namespace
}  // namespace assay
