// Compares formats, and the cast profiles named cuda.*, with the host code of CUDA's headers.
#include <cuda_fp4.h>
#include <cuda_fp6.h>
#include <cuda_fp8.h>
#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "reference/casts/cast_runs.h"
#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"

namespace assay {

// Compares the formats with the host code of cuda_fp8.h. Ignores sign and bits of a NaN, which the header leaves undefined.

namespace {

std::array<double, 256> values_of(const Format& f) {
  std::array<double, 256> values;
  for (uint32_t code = 0; code < 256; ++code) values[code] = decode(f, code);
  return values;
}

bool same(double a, double b) { return (std::isnan(a) && std::isnan(b)) || (a == b && std::signbit(a) == std::signbit(b)); }

/// A conversion function of the header, and the format conversion that must equal it.
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

uint64_t differing(const Conversion& header, const Conversion& said,
                   const std::function<void(const std::function<void(uint32_t)>&)>& inputs) {
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
    const Conversion truncates{c.name, c.format, c.header, c.format == kE8M0 ? Rounding::kNearestEven : Rounding::kTowardZero,
                               c.overflow};
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
      ASSERT_TRUE(same(values[__nv_cvt_halfraw_to_fp8(half, saturation, kind)],
                       round_to(c.format, decode(kF16, code), c.rounding, c.overflow)))
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

// Compares the cast profiles cuda.* with the host code of CUDA's headers, bit for bit, including NaN. Tests a sample of inputs;
// with ASSAY_EXHAUSTIVE=1, all 2^32 inputs of each profile.

struct Header {
  const char* id;
  uint8_t (*cast)(float);
};

constexpr Header kHeader[] = {
    {"cuda.e4m3fn_sat", [](float x) -> uint8_t { return __nv_cvt_float_to_fp8(x, __NV_SATFINITE, __NV_E4M3); }},
    {"cuda.e4m3fn_nosat", [](float x) -> uint8_t { return __nv_cvt_float_to_fp8(x, __NV_NOSAT, __NV_E4M3); }},
    {"cuda.e5m2_sat", [](float x) -> uint8_t { return __nv_cvt_float_to_fp8(x, __NV_SATFINITE, __NV_E5M2); }},
    {"cuda.e5m2_nosat", [](float x) -> uint8_t { return __nv_cvt_float_to_fp8(x, __NV_NOSAT, __NV_E5M2); }},
    {"cuda.e8m0_rz_sat", [](float x) -> uint8_t { return __nv_cvt_float_to_e8m0(x, __NV_SATFINITE, cudaRoundZero); }},
    {"cuda.e8m0_rz_nosat", [](float x) -> uint8_t { return __nv_cvt_float_to_e8m0(x, __NV_NOSAT, cudaRoundZero); }},
    {"cuda.e8m0_rp_sat", [](float x) -> uint8_t { return __nv_cvt_float_to_e8m0(x, __NV_SATFINITE, cudaRoundPosInf); }},
    {"cuda.e8m0_rp_nosat", [](float x) -> uint8_t { return __nv_cvt_float_to_e8m0(x, __NV_NOSAT, cudaRoundPosInf); }},
    {"cuda.e2m1", [](float x) -> uint8_t { return __nv_cvt_float_to_fp4(x, __NV_E2M1, cudaRoundNearest); }},
    {"cuda.e2m3", [](float x) -> uint8_t { return __nv_cvt_float_to_fp6(x, __NV_E2M3, cudaRoundNearest); }},
    {"cuda.e3m2", [](float x) -> uint8_t { return __nv_cvt_float_to_fp6(x, __NV_E3M2, cudaRoundNearest); }}};

CastProfile profile(const std::string& id) {
  static const ContractTables tables = ContractTables::load("reference/contracts");
  return read_cast(tables.find(id));
}

/// Number of inputs for which header and runs differ, among every `stride`-th input and both ends of every run.
uint64_t differing(const Header& header, const std::vector<CodeRun>& runs, uint64_t stride) {
  uint64_t count = 0, next = 0;
  const auto wrong = [&](uint64_t input, uint32_t code) { return header.cast(std::bit_cast<float>(uint32_t(input))) != code; };
  for (const CodeRun& run : runs) {
    for (; next <= run.last; next += stride) count += wrong(next, run.code);
    count += wrong(run.first, run.code) + wrong(run.last, run.code);
  }
  return count;
}

TEST(CudaCasts, HeaderAndRunsAgree) {
  const char* exhaustive = std::getenv("ASSAY_EXHAUSTIVE");
  const uint64_t stride = exhaustive && *exhaustive == '1' ? 1 : 1021;
  for (const Header& header : kHeader) {
    EXPECT_EQ(differing(header, runs_of(profile(header.id)), stride), 0u) << header.id;
    RecordProperty(header.id, std::to_string(((uint64_t{1} << 32) + stride - 1) / stride) + " inputs and all borders");
  }
}

TEST(CudaCasts, TheHeaderIsSeenToBeNoOtherProfile) {
  for (const auto& [id, other] : {std::pair{0, "ml_dtypes.e4m3fn"},
                                  {1, "ml_dtypes.e4m3fn"},
                                  {2, "ml_dtypes.e5m2"},
                                  {5, "torch.e8m0@2.11"},
                                  {8, "cutlass.e2m1"},
                                  {9, "ml_dtypes.e2m3"}})
    EXPECT_GT(differing(kHeader[id], runs_of(profile(other)), 1021), 0u) << kHeader[id].id << " as " << other;
}

struct DoubleHeader {
  const char* id;
  __nv_saturation_t saturation;
  __nv_fp8_interpretation_t kind;
};

TEST(CudaCasts, FromDoubleTheyAgreeAtEveryBorderAndAtRandom) {
  constexpr DoubleHeader headers[] = {{"cuda.e4m3fn_sat_f64", __NV_SATFINITE, __NV_E4M3},
                                      {"cuda.e4m3fn_nosat_f64", __NV_NOSAT, __NV_E4M3},
                                      {"cuda.e5m2_sat_f64", __NV_SATFINITE, __NV_E5M2},
                                      {"cuda.e5m2_nosat_f64", __NV_NOSAT, __NV_E5M2}};
  std::mt19937_64 random(11);
  for (const DoubleHeader& header : headers) {
    const std::vector<CodeRun> runs = runs_of(profile(header.id));
    const auto theirs = [&](uint64_t input) -> uint32_t {
      return __nv_cvt_double_to_fp8(std::bit_cast<double>(input), header.saturation, header.kind);
    };
    for (const CodeRun& run : runs) {
      ASSERT_EQ(theirs(run.first), run.code) << header.id << std::hex << " " << run.first;
      ASSERT_EQ(theirs(run.last), run.code) << header.id << std::hex << " " << run.last;
      for (int i = 0; i < 1000; ++i) ASSERT_EQ(theirs(run.first + random() % (run.last - run.first + 1)), run.code) << header.id;
    }
  }
}

}  // namespace

}  // namespace assay
