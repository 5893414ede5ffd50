// Text about where wrong elements are.
#include "harness/report/where.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace assay {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// A tensor whose elements are wrong where `wrong` returns true.
template <class Wrong>
TensorFinding finding_of(int64_t rows, int64_t columns, Wrong wrong) {
  TensorFinding f;
  f.shape = {rows, columns};
  f.elements = rows * columns;
  f.picture = Picture::blank(f.shape);
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < columns; ++c)
      if (wrong(r, c)) ++f.outside, ++f.picture->outside[f.picture->cell(r, c)];
  return f;
}

TEST(Where, OneTileIsNamed) {
  const TensorFinding f = finding_of(512, 384, [](int64_t r, int64_t c) { return r / 128 == 2 && c / 128 == 1; });
  EXPECT_THAT(where_lines(f),
              ElementsAre("rows 256..383 of 512; columns 128..255 of 384",
                          "tiles of 128 x 128: 1 of 12 hold all of it, each wrong throughout; the first is tile [2, 1]",
                          "tiles of 64 x 64: 4 of 48 hold all of it, each wrong throughout; the first is tile [4, 2]"));
}

TEST(Where, ASmallTileIsNoWholeLargeOne) {
  const TensorFinding f = finding_of(256, 200, [](int64_t r, int64_t c) { return r / 64 == 3 && c >= 192; });
  EXPECT_THAT(where_lines(f),
              ElementsAre("rows 192..255 of 256; columns 192..199 of 200",
                          "tiles of 128 x 128: 1 of 4 hold all of it, none of them wrong throughout; the first is tile [1, 1]",
                          "tiles of 64 x 64: 1 of 16 hold all of it, each wrong throughout; the first is tile [3, 3]"));
}

TEST(Where, RowsOfASmallTensorAreNamedOneByOne) {
  const TensorFinding f = finding_of(20, 16, [](int64_t r, int64_t) { return r == 3 || (r >= 7 && r < 9); });
  EXPECT_THAT(where_lines(f), ElementsAre("rows 3, 7..8 of 20"));
}

TEST(Where, ManyRunsAreCutShort) {
  const TensorFinding f = finding_of(40, 4, [](int64_t r, int64_t) { return r % 2 == 0; });
  EXPECT_THAT(where_lines(f), ElementsAre("rows 0, 2, 4, 6, 8, 10, 12, 14, ... of 40"));
}

TEST(Where, WhatIsWrongEverywhereHasNoPlace) {
  EXPECT_THAT(where_lines(finding_of(256, 256, [](int64_t, int64_t) { return true; })), IsEmpty());
  EXPECT_THAT(where_lines(finding_of(256, 256, [](int64_t, int64_t) { return false; })), IsEmpty());
  EXPECT_THAT(where_lines(finding_of(256, 256, [](int64_t r, int64_t c) { return (r + c) % 2 == 0; })), IsEmpty());
}

}  // namespace
}  // namespace assay
