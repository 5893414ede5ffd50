#include "reference/formats/misreadings.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <stdexcept>
#include <string>

#include "reference/formats/catalogue.h"

namespace assay {
namespace {

double read_as(const std::string& words, uint32_t code) {
  for (const CodeMisreading& one : code_misreadings(kE4M3Fn))
    if (one.words == words) return one.read(kE4M3Fn, code);
  throw std::runtime_error("no misreading '" + words + "'");
}

TEST(Misreadings, SubnormalCodes) {
  EXPECT_EQ(read_as("subnormal codes are read as 0", 0x05), 0);
  EXPECT_EQ(read_as("subnormal codes are read 64 times as large", 0x85), -5 * 0x1p-3);
  EXPECT_EQ(read_as("subnormal codes are read 64 times as large", 0x38), 1);
  EXPECT_EQ(read_as("subnormal codes are read with the leading 1 of normal codes", 0x04), 1.5 * 0x1p-7);
}

TEST(Misreadings, NormalCodes) {
  EXPECT_EQ(read_as("normal codes are read as 0", 0x3c), 0);
  EXPECT_EQ(read_as("normal codes are read as 0", 0x05), 5 * 0x1p-9);
  EXPECT_EQ(read_as("normal codes are read without the leading 1", 0x3c), 0.5);
  EXPECT_EQ(read_as("the mantissa of normal codes is not read", 0x3c), 1);
  EXPECT_EQ(read_as("the exponent is read one bit too low", 0x38), 0x1.0p7) << "0x38 >> 2 is 14, whose power is 7";
}

TEST(Misreadings, SignAndNan) {
  EXPECT_EQ(read_as("the code of NaN is read as a number", 0x7f), 480);
  EXPECT_EQ(read_as("the code of NaN is read as a number", 0xff), -480);
  EXPECT_EQ(read_as("the bits above the mantissa are not masked", 0x01), decode(kE4M3Fn, 0x01));
  EXPECT_EQ(read_as("the bits above the mantissa are not masked", 0x81), -129 * 0x1p-9);
  EXPECT_TRUE(std::isnan(read_as("normal codes are read as 0", 0x7f)));
}

TEST(Misreadings, EachDiffersFromTheFormatForSomeCode) {
  for (const Format* format : {&kE4M3Fn, &kE4M3Fnuz, &kE5M2}) {
    std::set<std::string> names;
    for (const CodeMisreading& one : code_misreadings(*format)) {
      EXPECT_TRUE(names.insert(one.words).second) << one.words;
      bool differs = false;
      for (uint32_t code = 0; code < 256; ++code) {
        const double right = decode(*format, code), wrong = one.read(*format, code);
        differs = differs || std::isnan(right) != std::isnan(wrong) || (right != wrong && !std::isnan(right));
      }
      EXPECT_TRUE(differs) << format->name << ": " << one.words;
    }
  }
  EXPECT_TRUE(code_misreadings(kE2M1).empty());
  EXPECT_TRUE(code_misreadings(kE8M0).empty());
}

}  // namespace
}  // namespace assay
