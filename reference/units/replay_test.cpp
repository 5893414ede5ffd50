// The span of a unit contains its result, and results with more or fewer bits kept, but not results with different products.
#include "reference/units/replay.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "reference/testing/units.h"
#include "reference/units/definition.h"

namespace assay {
namespace {

constexpr const char* kUnits[] = {"sm_89.mma.e4m3.f32",       "sm_90.wgmma.e4m3.f32",      "sm_90.wgmma.e5m2_e4m3.f32", "sm_90.mma.e4m3.f32",
                                  "sm_90.mma.e4m3_unpacked.f32", "sm_100.tcgen05.e4m3.f32", "gfx942.mfma.e4m3fnuz.f32"};

struct Data {
  std::vector<uint32_t> a, b;
  std::vector<std::byte> bytes_a, bytes_b;
};

/// All finite codes, or small ones with a few large ones.
Data data(const Unit& unit, size_t products, bool outliers, std::mt19937& random) {
  const auto code = [&](const Format& format) {
    for (;;) {
      const uint32_t bits = random() & 0xff;
      const double value = std::fabs(decode(format, bits));
      if (std::isfinite(value) && (!outliers || value < 1 || random() % 16 == 0)) return bits;
    }
  };
  Data made;
  for (size_t i = 0; i < products; ++i) {
    made.a.push_back(code(*unit.a)), made.b.push_back(code(*unit.b));
    made.bytes_a.push_back(std::byte(made.a.back())), made.bytes_b.push_back(std::byte(made.b.back()));
  }
  return made;
}

bool holds(Span span, double value) { return span.low <= value && value <= span.high; }

TEST(Replay, HoldsWhatTheUnitReturnsAndWhatItsNeighboursDo) {
  std::mt19937 random(1);
  for (const char* id : kUnits) {
    const Unit& unit = unit_table().find(id).unit;
    Unit finer = unit;  // a result with more bits kept lies between the truncated and the exact one
    finer.fraction_bits += 1;
    int pinned = 0;
    for (int i = 0; i < 200; ++i) {
      const Data one = data(unit, 8 + random() % 250, i % 2 == 0, random);
      const Span span = Replay(unit).chain(one.bytes_a.data(), one.bytes_b.data(), int64_t(one.a.size()));
      const double got = decode(*unit.d, defined_element(unit, {one.a, one.b}, 0));
      ASSERT_TRUE(holds(span, got)) << id << " " << i << ": " << span.low << " " << got << " " << span.high;
      ASSERT_TRUE(holds(span, decode(*unit.d, defined_element(finer, {one.a, one.b}, 0)))) << id << " " << i;
      pinned += span.low == span.high;
    }
    EXPECT_LT(pinned, 200) << id << " loses bits of such data";
  }
}

/// The span must be narrow enough to reject wrong sums.
TEST(Replay, DoesNotHoldWhatLacksAProductOrGains) {
  std::mt19937 random(2);
  for (const char* id : kUnits) {
    const Unit& unit = unit_table().find(id).unit;
    int lacks = 0, gains = 0;
    for (int i = 0; i < 200; ++i) {
      Data one = data(unit, 128, false, random);
      const Span span = Replay(unit).chain(one.bytes_a.data(), one.bytes_b.data(), 128);
      const double got = decode(*unit.d, defined_element(unit, {one.a, one.b}, 0));
      gains += !holds(span, got * 1.05);
      one.a[random() % 128] = 0;
      lacks += !holds(span, decode(*unit.d, defined_element(unit, {one.a, one.b}, 0)));
    }
    EXPECT_GT(gains, 100) << id;
    EXPECT_GT(lacks, 25) << id << ": one product of 128 that are not alike";
  }
}

/// Small integers lose no bits, so the span is exactly their sum.
TEST(Replay, OfExactSumsIsOneNumber) {
  const Unit& unit = unit_table().find("sm_90.wgmma.e4m3.f32").unit;
  const std::vector<std::byte> ones(160, std::byte{0x38});
  const Span span = Replay(unit).chain(ones.data(), ones.data(), 160);
  EXPECT_EQ(span.low, 160);
  EXPECT_EQ(span.high, 160);
}

TEST(Replay, NanIsNan) {
  const Unit& unit = unit_table().find("sm_90.wgmma.e4m3.f32").unit;
  std::vector<std::byte> a(64, std::byte{0x38}), b = a;
  a[40] = std::byte{0x7f};
  EXPECT_TRUE(std::isnan(Replay(unit).chain(a.data(), b.data(), 64).low));
}

TEST(Replay, RefusesUnitsThatDoNotAlign) {
  EXPECT_THROW(Replay(unit_table().find("sm_90.wgmma.int8.int32").unit), std::invalid_argument);
  EXPECT_THROW(Replay(unit_table().find("sm_90.wgmma.f16.f32").unit), std::invalid_argument);
}

}  // namespace
}  // namespace assay
