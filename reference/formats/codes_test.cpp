#include "reference/formats/codes.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "reference/formats/catalogue.h"

namespace assay {
namespace {

std::vector<uint32_t> codes_of(const Format& f) {
  std::vector<uint32_t> codes;
  if (f.bits <= 16) {
    for (uint32_t code = 0; code < f.code_count(); ++code) codes.push_back(code);
    return codes;
  }
  std::mt19937 random(3);
  for (int i = 0; i < 100000; ++i) codes.push_back(random());
  for (uint32_t code : {0u, 1u, 0x7fffffu, 0x800000u, 0x7f7fffffu, 0x7f800000u, 0x7f800001u, 0x7fc00000u, 0x80000000u, 0xff800000u, 0xffffffffu})
    codes.push_back(code);
  return codes;
}

std::vector<std::byte> packed(const Format& f, const std::vector<uint32_t>& codes) {
  const auto width = size_t(f.bytes());
  std::vector<std::byte> bytes(codes.size() * width);
  for (size_t i = 0; i < codes.size(); ++i) std::memcpy(bytes.data() + i * width, &codes[i], width);  // little endian
  return bytes;
}

uint64_t bits(double x) { return std::isnan(x) ? 1 : std::bit_cast<uint64_t>(x); }

size_t differing_values(const Format& f, const std::vector<uint32_t>& codes, const std::vector<std::byte>& bytes) {
  std::vector<double> values(codes.size());
  decode_all(f, bytes.data(), values);
  size_t count = 0;
  for (size_t i = 0; i < codes.size(); ++i) count += bits(values[i]) != bits(decode(f, codes[i]));
  return count;
}

TEST(Codes, DecodingAnArrayEqualsDecodingItsElements) {
  for (const Format& f : all_formats()) {
    const std::vector<uint32_t> codes = codes_of(f);
    std::vector<std::byte> bytes = packed(f, codes);
    EXPECT_EQ(differing_values(f, codes, bytes), 0u) << f.name;
    bytes[0] ^= std::byte{1};
    EXPECT_EQ(differing_values(f, codes, bytes), 1u) << f.name << ": one flipped bit is one other value";
  }
}

size_t differing_ordinals(const Format& f, const std::vector<double>& values, const std::vector<double>& expected_of) {
  std::vector<int32_t> ordinals(values.size());
  ordinals_of_values(f, values, ordinals);
  size_t count = 0;
  for (size_t i = 0; i < values.size(); ++i) count += ordinals[i] != ordinal_of_value(f, expected_of[i]);
  return count;
}

TEST(Codes, OrdinalsOfAnArrayEqualThoseOfItsElements) {
  for (const Format& f : all_formats()) {
    std::vector<double> values;
    for (uint32_t code : codes_of(f))
      if (f != kInt32 || code != 0x7fffffffu) values.push_back(decode(f, code));
    EXPECT_EQ(differing_ordinals(f, values, values), 0u) << f.name;
    std::vector<double> shifted = values;
    shifted[1] = values[2];
    EXPECT_GT(differing_ordinals(f, values, shifted), 0u) << f.name;
  }
}

TEST(Codes, AnEmptyArrayIsFine) {
  decode_all(kBf16, nullptr, {});
  ordinals_of_values(kE4M3Fn, {}, {});
}

}  // namespace
}  // namespace assay
