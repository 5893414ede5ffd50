// Scale tensors without a contract: bytes, fp32 and patterns over rows and columns.
#include "harness/diagnosis/scales.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

#include "harness/fill/fill.h"

namespace assay::scale_grids {

inline ScaleGrid floats(int64_t rows, int64_t columns, const std::function<float(int64_t, int64_t)>& scale) {
  ScaleGrid grid{"scale", ScaleKind::kFloats, rows, columns, {}, rows, columns, false, false, false, false};
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < columns; ++c) grid.codes.push_back(std::bit_cast<uint32_t>(scale(r, c)));
  return grid;
}

inline ScaleGrid bytes(int64_t rows, int64_t columns, const std::function<int64_t(int64_t, int64_t)>& byte,
                       ScaleKind kind = ScaleKind::kWords) {
  ScaleGrid grid{"scale", kind, rows, columns, {}, rows, columns, false, true, true, false};
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < columns; ++c) grid.codes.push_back(byte(r, c));
  return grid;
}

inline std::vector<std::string> scales_found(const ScaleGrid& grid) {
  std::vector<std::string> all;
  for (const ScaleFinding& finding : look_at_scales(grid).findings) all.push_back(finding.what);
  return all;
}

inline std::string text_of(const ScaleGrid& grid) { return scale_text(grid, look_at_scales(grid)); }

/// Uniform in [0, 1), for element [r, c].
inline double uniform(uint64_t seed, int64_t r, int64_t c) { return Random(seed, 0).uniform(r * 1000 + c); }

}  // namespace assay::scale_grids

namespace assay {
namespace {

using scale_grids::bytes;
using scale_grids::floats;
using scale_grids::scales_found;
using scale_grids::text_of;
using scale_grids::uniform;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Scale bytes, single and packed: NaN, lost mantissas, fp32 bits and zeros are reported with their places.

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

/// NVFP4 stores E4M3 scales: zeros and 448 are allowed there, NaN and the sign bit are not.
TEST(Scales, OfE4m3MayBeZeroOrTheLargestNumberButNotNanOrNegative) {
  const auto look = [](float odd) {
    ScaleGrid grid = floats(4, 8, [&](int64_t r, int64_t c) { return r == 2 && c == 3 ? odd : 16.0f + float(r + 2 * c); });
    grid.of_e4m3 = true;
    return grid;
  };
  EXPECT_THAT(text_of(look(17)), AllOf(HasSubstr("E4M3 scales, 4 rows of 8 groups"), HasSubstr("CLEAN")));
  EXPECT_THAT(text_of(look(0)), AllOf(HasSubstr("note   1 of 32 scales are zero"), HasSubstr("CLEAN")));
  EXPECT_THAT(text_of(look(448)), AllOf(HasSubstr("note   1 of 32 scales are 448"), HasSubstr("CLEAN")));
  EXPECT_THAT(scales_found(look(NAN)), ElementsAre("1 of 32 scales is NaN"));
  EXPECT_THAT(scales_found(look(-2)), ElementsAre("1 of 32 scales is negative"));
  ScaleGrid plain = look(0);
  plain.of_e4m3 = false;
  EXPECT_THAT(scales_found(plain), ElementsAre("1 of 32 scales is zero"));
}

TEST(Scales, OneAndAHalfInTheLastGroupMakesByteTwoNan) {
  const uint32_t word = or_packed(1, 1, 1, 1.5);
  EXPECT_EQ(word, 0x7FFF7F7Fu);
  const std::string text = text_of(words(1, {word}));
  EXPECT_THAT(text, HasSubstr("1 of 4 bytes is 0xFF = NaN"));
  EXPECT_THAT(text, HasSubstr("scale[0, 2]: byte 0xFF = NaN in word 0x7FFF7F7F: mantissa bits of group 3 (1.5 or more times a "
                              "power of two) were ORed into it"));
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
  EXPECT_THAT(text, HasSubstr("byte 3: 0 (no byte lies above byte 3)"));
}

TEST(Scales, OneNanByteInALargeTensorIsNotBlamedOnPacking) {
  std::vector<uint32_t> packed(64, 0x7D7F7E80u);
  packed[21] = 0x7DFF7E80u;
  const std::string text = text_of(words(8, packed));
  EXPECT_THAT(text, HasSubstr("1 of 256 bytes is 0xFF = NaN"));
  EXPECT_THAT(text, HasSubstr("look for Inf or NaN in the input of these groups, or for unwritten memory"));
  EXPECT_EQ(text.find("mantissas lost"), std::string::npos) << text;
  packed[35] = 0x7DFF7E80u;
  EXPECT_THAT(text_of(words(8, packed)), HasSubstr("mantissas lost by packing: 2 bytes")) << "two such bytes are a pattern";
}

TEST(Scales, GapsOfStorageOrderAreNoZeros) {
  std::vector<uint32_t> stored;
  for (int64_t group = 0; group < 4; ++group)
    for (int64_t row = 0; row < 64; ++row) stored.push_back(row < 61 ? 0x7D7F7E80u + uint32_t((row * 7 + group * 3) % 5) : 0);
  EXPECT_THAT(scales_found(words(4, stored)), IsEmpty());
  EXPECT_THAT(look_at_scales(words(4, stored)).notes,
              ::testing::Contains(
                  HasSubstr("the last 3 words of each row are zero: they are gaps if the storage order is [groups / 4, rows] "
                            "with 61 rows")));
  stored[70] = 0;  // a word that is not at the end of a row
  EXPECT_THAT(text_of(words(4, stored)), HasSubstr("4 of 976 bytes are 0x00"));
  EXPECT_THAT(text_of(words(64, std::vector<uint32_t>(256, 0))), HasSubstr("are 0x00")) << "words that were never written";
}

TEST(Scales, InfiniteGroupsInEverySlotAreNoPackingFault) {
  const std::string text = text_of(bytes(4, 8, [](int64_t r, int64_t c) { return r == c % 4 ? 0xff : 0x78; }));
  EXPECT_THAT(text, HasSubstr("8 of 32 bytes are 0xFF = NaN"));
  EXPECT_THAT(text, HasSubstr("not a packing mistake"));
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
  EXPECT_THAT(text_of(padded), HasSubstr("right if they are the padding of 5 groups"));
}

// fp32 scales: impossible values, values that are not powers of two, and packed words read as fp32 are reported.

TEST(Scales, NumbersThatNoScaleMayBe) {
  const float bad[] = {NAN, INFINITY, -1.0f, 0.0f, 1e-40f};
  const char* names[] = {"NaN", "Inf", "negative", "zero", "subnormal"};
  for (size_t i = 0; i < std::size(bad); ++i) {
    const ScaleGrid grid =
        floats(3, 3, [&](int64_t r, int64_t c) { return r == 1 && c == 2 ? bad[i] : float(0.01 + uniform(3, r, c)); });
    EXPECT_THAT(scales_found(grid), ::testing::ElementsAre(HasSubstr(std::string("1 of 9 scales is ") + names[i])));
    EXPECT_THAT(text_of(grid), HasSubstr("where    row 1; group 2"));
  }
}

TEST(Scales, MantissasMatterToAConsumerOfUe8m0Only) {
  ScaleGrid grid = floats(4, 4, [](int64_t r, int64_t c) { return float(0.01 + uniform(4, r, c)); });
  EXPECT_THAT(scales_found(grid), IsEmpty());
  grid.powers_of_two = true;
  EXPECT_THAT(text_of(grid), HasSubstr("16 of 16 fp32 scales are not powers of two, but the consumer reads UE8M0"));
  const ScaleGrid mostly =
      floats(4, 4, [](int64_t r, int64_t c) { return r == 2 && c == 1 ? 1.5f : std::ldexp(1.0f, int(r + c) - 9); });
  EXPECT_THAT(text_of(mostly), HasSubstr("1 of 16 fp32 scales is not a power of two, but most are"));
  EXPECT_THAT(text_of(mostly), HasSubstr("too small by a factor of 1.5"));
  EXPECT_THAT(scales_found(floats(4, 4, [](int64_t r, int64_t c) { return std::ldexp(1.0f, int(r + c) - 9); })), IsEmpty());
}

TEST(Scales, PackedWordsReadAsFp32AreFound) {
  EXPECT_THAT(text_of(floats(4, 2, [](int64_t, int64_t) { return std::bit_cast<float>(0x78797a7bu); })),
              HasSubstr("8 of 8 elements look like packed UE8M0 words"));
}

// Whole scale tensors: stale padding, repeated rows and transposition are reported; healthy tensors give no report.

TEST(Scales, BytesCastToNumbersAreFound) {
  for (const bool of_ue8m0 : {false, true}) {
    ScaleGrid grid = floats(1, 1, [](int64_t, int64_t) { return 113.0f; });  // byte 113 is 2^-14
    grid.powers_of_two = of_ue8m0;
    EXPECT_THAT(scales_found(grid), ElementsAre(HasSubstr("UE8M0 bytes converted as numbers")));
  }
  EXPECT_THAT(text_of(floats(2, 4, [](int64_t r, int64_t c) { return float(110 + 3 * r + c); })),
              HasSubstr("byte 110 is the scale 2^-17"));
  EXPECT_THAT(scales_found(floats(2, 4, [](int64_t r, int64_t c) { return float(110 + 3 * r + c) + 0.5f * float(r); })),
              IsEmpty());
  EXPECT_THAT(scales_found(floats(1, 1, [](int64_t, int64_t) { return 1.0f; })), IsEmpty());
}

TEST(Scales, DoubledBytesAreFound) {
  const auto doubled = [](int64_t r, int64_t c) { return 2 * (113 + (r + c) % 3); };
  EXPECT_THAT(scales_found(bytes(2, 8, doubled, ScaleKind::kBytes)), ElementsAre(HasSubstr("the bytes were doubled")));
  EXPECT_THAT(scales_found(bytes(2, 8, doubled)), ElementsAre(HasSubstr("the bytes were doubled")));
  EXPECT_THAT(scales_found(floats(2, 8, [&](int64_t r, int64_t c) { return std::ldexp(1.0f, int(doubled(r, c)) - 127); })),
              ElementsAre(HasSubstr("the bytes were doubled")));
  EXPECT_THAT(scales_found(bytes(
                  2, 8, [](int64_t r, int64_t c) { return 2 * (56 + (r + c) % 3); }, ScaleKind::kBytes)),
              IsEmpty());
}

TEST(Scales, OneImplausibleByteEverywhereIsFound) {
  EXPECT_THAT(scales_found(bytes(
                  2, 8, [](int64_t, int64_t) { return 1; }, ScaleKind::kBytes)),
              ElementsAre("every byte is 0x01: all scales are 2^-126"));
  EXPECT_THAT(scales_found(bytes(
                  2, 8, [](int64_t, int64_t) { return 0x7f; }, ScaleKind::kBytes)),
              IsEmpty());
}

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

TEST(ScaleFloats, ForeignByteOrderIsNamed) {
  const auto scale = [](int64_t r, int64_t c) { return float(std::exp2(6 * uniform(3, r, c) - 8)); };
  const auto reversed = [&](int64_t r, int64_t c) {
    return std::bit_cast<float>(__builtin_bswap32(std::bit_cast<uint32_t>(scale(r, c))));
  };
  EXPECT_THAT(scales_found(floats(8, 8, reversed)), ElementsAre(HasSubstr("foreign byte order: all 64 fp32 scales")));
  EXPECT_THAT(scales_found(floats(8, 8, scale)), IsEmpty());
}

TEST(ScaleBytes, WholeWordsOfZerosMayFollowWordsWithoutGaps) {
  const auto byte = [](int64_t first_zero) {
    return [=](int64_t r, int64_t c) { return r >= first_zero && c >= 4 ? 0 : 120 + (r * 5 + c * 3) % 7; };
  };
  EXPECT_THAT(text_of(bytes(9, 8, byte(6))),
              HasSubstr("or else  the words are stored without gaps, but read with a column stride"));
  EXPECT_THAT(text_of(bytes(9, 8, [&](int64_t r, int64_t c) { return r == 2 && c == 5 ? 0 : byte(9)(r, c); })),
              ::testing::Not(HasSubstr("or else  the words are stored without gaps")));
}

/// Findings about UE8M0 scales of 61 rows of 16 groups. The data's largest magnitudes are 2^(row effect + noise).
std::vector<std::string> found_beside_data(const std::function<double(int64_t r, int64_t c, double exponent)>& held,
                                           double row_factor = 0) {
  std::vector<double> maxima;
  const auto amax = [](int64_t r, int64_t c) { return std::exp2(4 * uniform(1, r, 500) + 3 * uniform(2, r, c)); };
  for (int64_t r = 0; r < 61; ++r)
    for (int64_t c = 0; c < 16; ++c) maxima.push_back(amax(r, c) * std::exp2(row_factor * uniform(4, r, 501)));
  const ScaleGrid grid =
      bytes(61, 16, [&](int64_t r, int64_t c) { return 127 + int64_t(held(r, c, std::ceil(std::log2(amax(r, c) / 448)))); });
  ScaleReport report;
  look_at_data(grid, maxima, report);
  std::vector<std::string> all;
  for (const ScaleFinding& finding : report.findings) all.push_back(finding.what + "; " + finding.lines.front());
  return all;
}

TEST(ScalesAndData, RowsOfAnEarlierCallDoNotFit) {
  const auto stale = [](int64_t r, int64_t c, double exponent) {
    return r < 48 ? exponent : std::floor(7 * uniform(3, r, c)) - 8;
  };
  EXPECT_THAT(found_beside_data(stale),
              ElementsAre(AllOf(HasSubstr("belong to other data: they do not fit x of the same file, while 48 whole rows fit"),
                                HasSubstr("where    rows 48..60;"))));
  EXPECT_THAT(found_beside_data([](int64_t r, int64_t, double exponent) { return r < 48 ? exponent : exponent - 1; }),
              ElementsAre(HasSubstr(" scales are too small for x of the same file")));
  const auto right = [](int64_t, int64_t, double exponent) { return exponent; };
  EXPECT_THAT(found_beside_data(right), IsEmpty());
  EXPECT_THAT(found_beside_data([](int64_t, int64_t, double exponent) { return exponent + 3; }), IsEmpty())
      << "another largest code";
  EXPECT_THAT(found_beside_data([](int64_t, int64_t, double exponent) { return std::max(exponent, -5.0); }), IsEmpty())
      << "a lower bound";
  EXPECT_THAT(found_beside_data(right, 3), IsEmpty()) << "x was normalized before: each row has a factor of its own";
}

}  // namespace
}  // namespace assay
