// Compares the formats with the host code of CUDA's cuda_fp8.h, except the sign and payload of a NaN, as documented there.
#include <cuda_fp8.h>
#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"

namespace assay {
namespace {

std::array<double, 256> values_of(const Format& f) {
  std::array<double, 256> values;
  for (uint32_t code = 0; code < 256; ++code) values[code] = decode(f, code);
  return values;
}

bool same(double a, double b) { return (std::isnan(a) && std::isnan(b)) || (a == b && std::signbit(a) == std::signbit(b)); }

/// A conversion function of the header and the format conversion that it should equal.
struct Conversion {
  std::string name;
  const Format& format;
  uint8_t (*header)(float);
  Rounding rounding;
  Overflow overflow;
};

const std::vector<Conversion>& conversions() {
  static const std::vector<Conversion> all = {
      {"e4m3 satfinite", kE4M3Fn, [](float x) -> uint8_t { return __nv_cvt_float_to_fp8(x, __NV_SATFINITE, __NV_E4M3); },
       Rounding::kNearestEven, Overflow::kSaturate},
      {"e4m3 nosat", kE4M3Fn, [](float x) -> uint8_t { return __nv_cvt_float_to_fp8(x, __NV_NOSAT, __NV_E4M3); },
       Rounding::kNearestEven, Overflow::kSpecial},
      {"e5m2 satfinite", kE5M2, [](float x) -> uint8_t { return __nv_cvt_float_to_fp8(x, __NV_SATFINITE, __NV_E5M2); },
       Rounding::kNearestEven, Overflow::kSaturate},
      {"e5m2 nosat", kE5M2, [](float x) -> uint8_t { return __nv_cvt_float_to_fp8(x, __NV_NOSAT, __NV_E5M2); },
       Rounding::kNearestEven, Overflow::kSpecial},
      {"e8m0 up satfinite", kE8M0, [](float x) -> uint8_t { return __nv_cvt_float_to_e8m0(x, __NV_SATFINITE, cudaRoundPosInf); },
       Rounding::kUp, Overflow::kSaturate},
      {"e8m0 up nosat", kE8M0, [](float x) -> uint8_t { return __nv_cvt_float_to_e8m0(x, __NV_NOSAT, cudaRoundPosInf); },
       Rounding::kUp, Overflow::kSpecial},
      {"e8m0 down satfinite", kE8M0, [](float x) -> uint8_t { return __nv_cvt_float_to_e8m0(x, __NV_SATFINITE, cudaRoundZero); },
       Rounding::kTowardZero, Overflow::kSaturate},
      {"e8m0 down nosat", kE8M0, [](float x) -> uint8_t { return __nv_cvt_float_to_e8m0(x, __NV_NOSAT, cudaRoundZero); },
       Rounding::kTowardZero, Overflow::kSpecial}};
  return all;
}

/// Every half step of the 8-bit formats at every f32 exponent, and the f32 numbers next to it.
std::vector<uint32_t> ties() {
  std::vector<uint32_t> all;
  for (uint32_t top = 0; top < 512; ++top)
    for (uint32_t sixteenth = 0; sixteenth < 16; ++sixteenth)
      for (uint32_t off : {0u, 1u, 0xffffffffu}) all.push_back((top << 23 | sixteenth << 19) + off);
  return all;
}

uint64_t differing(const Conversion& header, const Conversion& said, const std::function<void(const std::function<void(uint32_t)>&)>& inputs) {
  const std::array<double, 256> values = values_of(header.format);
  uint64_t count = 0;
  inputs([&](uint32_t bits) {
    const float x = std::bit_cast<float>(bits);
    count += !same(values[header.header(x)], round_to(header.format, x, said.rounding, said.overflow));
  });
  return count;
}

TEST(CudaHeader, EveryTieAndSixteenMillionFloatsConvertAlike) {
  constexpr uint32_t kStride = 251;  // a prime, so that every pattern of low bits occurs
  static_assert((uint64_t{1} << 32) / kStride >= uint64_t{1} << 24);
  const auto inputs = [](const std::function<void(uint32_t)>& visit) {
    for (uint32_t bits : ties()) visit(bits);
    for (uint64_t bits = 0; bits < uint64_t{1} << 32; bits += kStride) visit(uint32_t(bits));
  };
  for (const Conversion& c : conversions()) EXPECT_EQ(differing(c, c, inputs), 0u) << c.name;
}

TEST(CudaHeader, EveryOtherRuleIsSeenOnTheTiesAlone) {
  const auto inputs = [](const std::function<void(uint32_t)>& visit) {
    for (uint32_t bits : ties()) visit(bits);
  };
  for (const Conversion& c : conversions()) {
    for (const Conversion& other : conversions()) {
      const bool alike = other.rounding == c.rounding && other.overflow == c.overflow;
      EXPECT_EQ(differing(c, other, inputs) == 0, alike) << c.name << " as " << other.name;
    }
    const Conversion truncates{c.name, c.format, c.header, c.format == kE8M0 ? Rounding::kNearestEven : Rounding::kTowardZero, c.overflow};
    EXPECT_GT(differing(c, truncates, inputs), 0u) << c.name;
  }
}

TEST(CudaHeader, EverySixteenBitInputConvertsAlike) {
  for (const Conversion& c : conversions()) {
    if (c.format == kE8M0) continue;
    const auto saturation = c.overflow == Overflow::kSaturate ? __NV_SATFINITE : __NV_NOSAT;
    const auto kind = c.format == kE4M3Fn ? __NV_E4M3 : __NV_E5M2;
    const std::array<double, 256> values = values_of(c.format);
    for (uint32_t code = 0; code < 65536; ++code) {
      __half_raw half;
      half.x = uint16_t(code);
      __nv_bfloat16_raw bfloat;
      bfloat.x = uint16_t(code);
      ASSERT_TRUE(same(values[__nv_cvt_halfraw_to_fp8(half, saturation, kind)], round_to(c.format, decode(kF16, code), c.rounding, c.overflow)))
          << c.name << " from f16 " << code;
      ASSERT_TRUE(same(values[__nv_cvt_bfloat16raw_to_fp8(bfloat, saturation, kind)],
                       round_to(c.format, decode(kBf16, code), c.rounding, c.overflow)))
          << c.name << " from bf16 " << code;
    }
  }
}

TEST(CudaHeader, EveryCodeDecodesAlike) {
  for (uint32_t code = 0; code < 256; ++code) {
    const auto byte = static_cast<__nv_fp8_storage_t>(code);
    EXPECT_TRUE(same(decode(kF16, __nv_cvt_fp8_to_halfraw(byte, __NV_E4M3).x), decode(kE4M3Fn, code))) << code;
    EXPECT_TRUE(same(decode(kF16, __nv_cvt_fp8_to_halfraw(byte, __NV_E5M2).x), decode(kE5M2, code))) << code;
    EXPECT_TRUE(same(decode(kBf16, __nv_cvt_e8m0_to_bf16raw(byte).x), decode(kE8M0, code))) << code;
  }
  EXPECT_FALSE(same(decode(kF16, __nv_cvt_fp8_to_halfraw(0x38, __NV_E4M3).x), decode(kE4M3Fnuz, 0x38)));
}

}  // namespace
}  // namespace assay
