#include "reference/exact/expression.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "reference/formats/catalogue.h"

namespace assay {
namespace {

using testing::HasSubstr;
using Constants = std::map<std::string, std::string>;

uint32_t f32_bits(const char* text, const Constants& constants = {}) {
  return code_of(kF32, Expression(text).rounded(constants, kF32));
}

TEST(Expression, ConstantsAreRoundedOnceFromTheirExactValue) {
  EXPECT_EQ(f32_bits("1/M", {{"M", "448"}}), 0x3B124925u);
  EXPECT_EQ(f32_bits("1/(512*M)", {{"M", "448"}}), 0x36924925u);
  EXPECT_EQ(f32_bits("1/(512*M)", {{"M", "224"}}), 0x37124925u);
  EXPECT_EQ(f32_bits("1e-10/448"), 0x2A7B5123u);
  EXPECT_EQ(f32_bits("1e-10"), 0x2EDBE6FFu);
  EXPECT_EQ(f32_bits("1e-4"), 0x38D1B717u);
  EXPECT_EQ(f32_bits("0.1"), 0x3DCCCCCDu);
  EXPECT_EQ(f32_bits("1/3"), 0x3EAAAAABu);
  EXPECT_EQ(f32_bits("2^127"), 0x7F000000u);
  EXPECT_EQ(f32_bits("2^-149"), 0x00000001u);
  EXPECT_EQ(f32_bits("2^-150"), 0x00000000u) << "a tie, to even";
  EXPECT_EQ(f32_bits("2^-150+2^-200"), 0x00000001u);
  EXPECT_EQ(f32_bits("1+2^-24"), 0x3F800000u) << "a tie, to even";
  EXPECT_EQ(f32_bits("1+3*2^-24"), 0x3F800002u) << "the other even";
  EXPECT_EQ(f32_bits("-1/8"), 0xBE000000u);
  EXPECT_EQ(f32_bits("-(2+1)*.5"), 0xBFC00000u);
  EXPECT_EQ(code_of(kBf16, Expression("1e-10").rounded({}, kBf16)), 0x2EDCu);
  EXPECT_NE(f32_bits("1/448"), f32_bits("1/449"));
}

/// "position: what" of the error, or "no error".
std::string parse_error(const char* text) {
  try {
    Expression{text};
  } catch (const ParseError& error) {
    return std::to_string(error.position) + ": " + error.what();
  }
  return "no error";
}

/// The error of evaluating the text, or "no error".
std::string value_error(const std::string& text) {
  try {
    (void)Expression(text).integer({{"m", int64_t{1} << 62}});
  } catch (const std::domain_error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Expression, AValueBeyond64BitsIsAnErrorAndNoWrongAddress) {
  for (const char* text : {"(0-2)^63/(0-1)", "m+m", "0-m-m-m", "m*4", "ceil(m+(m-1),m)", "-((0-2)^63)", "2^64"})
    EXPECT_EQ(value_error(text), "a value does not fit in 64 bits") << text;
  EXPECT_EQ(value_error("m/(m-m)"), "division by zero");
  EXPECT_EQ(Expression("(0-2)^63%(0-1)").integer(std::map<std::string, int64_t>{}), 0) << "the remainder by -1 fits";
  EXPECT_EQ(Expression("1^(2^62)").integer(std::map<std::string, int64_t>{}), 1) << "and takes no time";
}

TEST(Expression, HostileFormulasEndAtOnce) {
  const auto parse = [](const std::string& text) { return parse_error(text.c_str()); };
  EXPECT_EQ(parse(std::string(40000, '(')), "256: is nested too deeply");
  EXPECT_EQ(parse(std::string(1'000'000, '-')), "256: is nested too deeply");
  EXPECT_EQ(parse("2" + std::string(40000, '^')), "2: expected a number or a name, not '^'");
  std::string sum = "1";
  for (int i = 0; i < 300; ++i) sum += "+1";
  EXPECT_THAT(parse(sum), HasSubstr("a formula has at most 256 numbers, names and operators"));
  EXPECT_THAT(parse("0." + std::string(5000, '1')), HasSubstr("a number has at most 4096 digits"));
  for (const char* text : {"(10^4096)^4096", "((2^4096)^4096)^4096", "1e999*1e999", "(1+2^-4000)^4096", "1/(1e999*1e999)"})
    EXPECT_THROW((void)Expression(text).rounded({}, kF32), std::domain_error) << text;
  EXPECT_THROW((void)Expression("M").rounded({{"M", std::string(5000, '7')}}, kF32), std::domain_error);
  EXPECT_EQ(Expression("0^4096").rounded({}, kF32), 0);
}

TEST(Expression, ErrorsSayWhereAndWhat) {
  EXPECT_EQ(parse_error("1+2"), "no error");
  EXPECT_EQ(parse_error(""), "0: expected a number or a name");
  EXPECT_EQ(parse_error("1+"), "2: expected a number or a name");
  EXPECT_EQ(parse_error("1 + *2"), "4: expected a number or a name, not '*'");
  EXPECT_EQ(parse_error("(1+2"), "4: expected ')'");
  EXPECT_EQ(parse_error("1+2)"), "3: unexpected ')'");
  EXPECT_EQ(parse_error("1 2"), "2: unexpected '2'");
  EXPECT_EQ(parse_error("ceil(m)"), "6: expected ','");
  EXPECT_EQ(parse_error("(1+(1+(1+(1+(1+(1+(1+(1+(1+(1+(1+(1+(1+(1+(1+(1+(1+(1+(1+(1+(1+(1+(1+(1+(1+(1+(1+(1+(1+(1+(1+(1+(1"),
            "98: is nested too deeply");
  EXPECT_EQ(parse_error("1.2.3"), "0: '1.2.' is not a number");
  EXPECT_EQ(parse_error("1e"), "0: '1e' is not a number");
  EXPECT_EQ(parse_error("1e5e3"), "0: '1e5e' is not a number");
  EXPECT_EQ(parse_error("1e99999"), "0: '1e99999' is not a number");
  EXPECT_EQ(parse_error("2+0x10"), "2: '0x' is not a number");
  EXPECT_EQ(parse_error("."), "0: '.' is not a number");
  EXPECT_EQ(parse_error("1234567890123456789"), "0: '1234567890123456789' is too large");
}

template <class Error>
std::string value_error(const char* text, const Constants& constants = {}, const Format& format = kF32) {
  try {
    Expression(text).rounded(constants, format);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Expression, WhatHasNoValueSaysSo) {
  EXPECT_EQ(value_error<std::out_of_range>("1/N", {{"M", "448"}}), "unknown name 'N' in '1/N'");
  EXPECT_THAT(value_error<std::domain_error>("1/(2-2)"), HasSubstr("division by zero"));
  EXPECT_THAT(value_error<std::domain_error>("0^-1"), HasSubstr("division by zero"));
  EXPECT_THAT(value_error<std::domain_error>("7%2"), HasSubstr("only + - * / ^"));
  EXPECT_THAT(value_error<std::domain_error>("2^0.5"), HasSubstr("a power is an integer"));
  EXPECT_THAT(value_error<std::domain_error>("2^100000"), HasSubstr("a power is an integer"));
  EXPECT_EQ(value_error<std::domain_error>("1e39"), "too large for f32");
  EXPECT_EQ(value_error<std::domain_error>("65520", {}, kF16), "too large for f16");
  EXPECT_EQ(value_error<std::domain_error>("65519", {}, kF16), "no error");
}

int64_t integer(const char* text, const std::map<std::string, int64_t>& values = {}) { return Expression(text).integer(values); }

TEST(Expression, IntegersDivideDownAndCeilGoesUpToAMultiple) {
  EXPECT_EQ(integer("7/2"), 3);
  EXPECT_EQ(integer("-7/2"), -4) << "down, not toward zero";
  EXPECT_EQ(integer("-7%4"), 1);
  EXPECT_EQ(integer("7%4"), 3);
  for (int64_t m = 0; m < 20; ++m) {
    EXPECT_EQ(integer("ceil(m,4)", {{"m", m}}), (m + 3) / 4 * 4) << m;
    EXPECT_EQ(integer("ceil(0-m,4)", {{"m", m}}), -(m / 4 * 4)) << m;
  }
  EXPECT_NE(integer("ceil(m,4)", {{"m", 5}}), 4) << "up, not down";
  EXPECT_EQ(integer("ceil(n,2048)/256+13", {{"n", 7168}}), 8192 / 256 + 13);
  EXPECT_EQ(integer("2^10-3*(4+1)"), 1009);
  EXPECT_EQ(integer("-2^2"), -4) << "the power binds first";
  EXPECT_EQ(integer("2^3^2"), 512) << "from the right";
  EXPECT_EQ(integer("8-3-2"), 3) << "from the left";
}

TEST(Expression, IntegersRefuseFractionsZeroDivisorsAndUnknownNames) {
  EXPECT_THROW(integer("1.5*2"), std::domain_error);
  EXPECT_THROW(integer("1/0"), std::domain_error);
  EXPECT_THROW(integer("ceil(3,0)"), std::domain_error);
  EXPECT_THROW(integer("2^-1"), std::domain_error);
  EXPECT_THROW(integer("10^30"), std::domain_error);
  EXPECT_THROW(integer("m+1", {{"n", 1}}), std::out_of_range);
  EXPECT_EQ(Expression("4*((c/4)*A+r)+c%4").names(), (std::vector<std::string>{"c", "A", "r"}))
      << "in order of appearance, each once";
}

}  // namespace
}  // namespace assay
