// Scale bytes, single and packed: NaN, lost mantissas, fp32 bits and zeros are reported with their places.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <string>
#include <vector>

#include "harness/diagnosis/scales.h"
#include "harness/diagnosis/testing/scale_grids.h"

namespace assay {
namespace {

using scale_grids::bytes;
using scale_grids::scales_found;
using scale_grids::text_of;
using scale_grids::uniform;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

ScaleGrid words(int64_t rows, const std::vector<uint32_t>& stored) {
  ScaleGrid grid{"scale",
                 ScaleKind::kWords,
                 rows,
                 4 * int64_t(stored.size()) / rows,
                 {},
                 rows,
                 4 * int64_t(stored.size()) / rows,
                 false,
                 true,
                 true,
                 false};
  for (const uint32_t word : stored)
    for (int shift = 0; shift < 32; shift += 8) grid.codes.push_back(word >> shift & 0xff);
  return grid;
}

/// DeepGEMM's packing without a mask.
uint32_t or_packed(float a, float b, float c, float d) {
  const auto bits = [](float v) { return std::bit_cast<uint32_t>(v); };
  return bits(a) >> 23 | bits(b) >> 15 | bits(c) >> 7 | bits(d) << 1;
}

TEST(Scales, OneAndAHalfInTheLastGroupMakesByteTwoNan) {
  const uint32_t word = or_packed(1, 1, 1, 1.5);
  EXPECT_EQ(word, 0x7FFF7F7Fu);
  const std::string text = text_of(words(1, {word}));
  EXPECT_THAT(text, HasSubstr("1 of 4 bytes is 0xFF = NaN"));
  EXPECT_THAT(text, HasSubstr("scale[0, 2]: byte 0xFF = NaN in word 0x7FFF7F7F: mantissa bits of group 3 (1.5 or more x its "
                              "power of two) ran into it"));
  EXPECT_THAT(text, HasSubstr("v0>>23 | v1>>15 | v2>>7 | v3<<1"));
  EXPECT_THAT(text, HasSubstr("smallest input that shows it: scales [1, 1, 1, 1.5]"));
}

TEST(Scales, OneAndAHalfInTheSecondGroupMakesByteZeroNan) {
  const uint32_t word = or_packed(1, 1.5, 1, 1);
  EXPECT_EQ(word, 0x7F7F7FFFu);
  EXPECT_THAT(text_of(words(1, {word})), HasSubstr("scale[0, 0]: byte 0xFF = NaN in word 0x7F7F7FFF: mantissa bits of group 1"));
}

TEST(Scales, LostMantissasAreCountedBySlotAndSpareTheLast) {
  std::vector<uint32_t> packed;
  for (int64_t i = 0; i < 64; ++i) {
    const auto scale = [&](int64_t j) { return float(0.002 + 0.01 * uniform(1, i, j)); };
    packed.push_back(or_packed(scale(0), scale(1), scale(2), scale(3)));
  }
  const std::string text = text_of(words(8, packed));
  EXPECT_THAT(text, HasSubstr("mantissas lost by packing"));
  EXPECT_THAT(text, HasSubstr("byte 3: 0 (byte 3 has no neighbour above it)"));
}

TEST(Scales, OneNanByteInALargeTensorIsNotBlamedOnPacking) {
  std::vector<uint32_t> packed(64, 0x7D7F7E80u);
  packed[21] = 0x7DFF7E80u;
  const std::string text = text_of(words(8, packed));
  EXPECT_THAT(text, HasSubstr("1 of 256 bytes is 0xFF = NaN"));
  EXPECT_THAT(text, HasSubstr("look for Inf or NaN in the input of these groups, or unwritten memory"));
  EXPECT_EQ(text.find("mantissas lost"), std::string::npos) << text;
  packed[35] = 0x7DFF7E80u;
  EXPECT_THAT(text_of(words(8, packed)), HasSubstr("mantissas lost by packing: 2 bytes")) << "two such bytes are a pattern";
}

TEST(Scales, GapsOfStorageOrderAreNoZeros) {
  std::vector<uint32_t> stored;
  for (int64_t group = 0; group < 4; ++group)
    for (int64_t row = 0; row < 64; ++row) stored.push_back(row < 61 ? 0x7D7F7E80u + uint32_t((row * 7 + group * 3) % 5) : 0);
  EXPECT_THAT(scales_found(words(4, stored)), IsEmpty());
  EXPECT_THAT(look_at_scales(words(4, stored)).notes, ::testing::Contains(HasSubstr("the last 3 words of each row are zero: gaps, if this is the storage order [groups / 4, rows] "
                                                           "with 61 rows")));
  stored[70] = 0;  // a scale inside
  EXPECT_THAT(text_of(words(4, stored)), HasSubstr("4 of 976 bytes are 0x00"));
  EXPECT_THAT(text_of(words(64, std::vector<uint32_t>(256, 0))), HasSubstr("are 0x00")) << "words that were never written";
}

TEST(Scales, InfiniteGroupsInEverySlotAreNoPackingFault) {
  const std::string text = text_of(bytes(4, 8, [](int64_t r, int64_t c) { return r == c % 4 ? 0xff : 0x78; }));
  EXPECT_THAT(text, HasSubstr("8 of 32 bytes are 0xFF = NaN"));
  EXPECT_THAT(text, HasSubstr("no pattern of packing"));
  EXPECT_THAT(text, ::testing::Not(HasSubstr("mantissas lost")));
}

TEST(Scales, BitsOfFp32InWordsAreFound) {
  for (const float scale : {0.0123f, 1.0f, 448.0f, 1e-10f / 448, 0.0078125f}) {
    const std::string text = text_of(words(4, std::vector<uint32_t>(4, std::bit_cast<uint32_t>(scale))));
    EXPECT_THAT(text, HasSubstr("4 of 4 words hold the bits of an fp32 scale")) << scale;
    EXPECT_THAT(text, HasSubstr("rows 0..3")) << scale;
  }
}

TEST(Scales, Fp32RowsAmongPackedOnesAreNamed) {
  std::vector<uint32_t> stored(8, 0x78797a7b);
  stored[2] = stored[6] = std::bit_cast<uint32_t>(0.0123f);
  EXPECT_THAT(text_of(words(8, stored)), HasSubstr("where    rows 2, 6; groups 0..3"));
}

TEST(Scales, ZeroBytesInsideARowAreFoundAndPaddingIsNot) {
  EXPECT_THAT(scales_found(bytes(2, 8, [](int64_t r, int64_t c) { return r == 1 && c == 3 ? 0 : 120 + c; })),
              ::testing::ElementsAre(HasSubstr("1 of 16 bytes is 0x00")));
  const ScaleGrid padded = bytes(2, 8, [](int64_t, int64_t c) { return c < 5 ? 120 + c : 0; });
  EXPECT_THAT(scales_found(padded), IsEmpty());
  EXPECT_THAT(text_of(padded), HasSubstr("padding of 5 groups, as it must be"));
}

}  // namespace
}  // namespace assay
