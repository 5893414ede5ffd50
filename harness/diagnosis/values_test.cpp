// Rules about values: each must recognize the wrong numbers that it is made for, and no others.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "harness/diagnosis/wrong_part.h"
#include "harness/testing/toy_op.h"
#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"

namespace assay {
namespace {

using ::testing::HasSubstr;

/// The nearest code of e4m3fn.
uint32_t code(double value) { return code_of(kE4M3Fn, round_to(kE4M3Fn, value, Rounding::kNearestEven, Overflow::kSaturate)); }

using Number = std::function<double(int64_t)>;

/// 128 codes of e4m3fn: the expected and the stored numbers, as a rule about values sees them.
class Codes {
 public:
  Codes(const Number& due, const std::function<uint32_t(int64_t)>& held, const std::vector<double>& scales = {})
      : whole_(testing::whole_part(kE4M3Fn, {4, 32}, {})) {
    for (int64_t i = 0; i < 128; ++i) whole_.low.push_back(ordinal(kE4M3Fn, code( due(i)))), q_.set_code(i, held(i));
    for (size_t s = 0; s < scales.size(); ++s) {
      HostTensor scale{dense(s == 0 ? "k_scale" : "v_scale", Role::kInput, kF32, {1}), std::vector<std::byte>(4)};
      scale.set_code(0, code_of(kF32, double(float(scales[s]))));
      problem_.tensors.push_back(std::move(scale));
    }
  }

  WrongPart wrong() const { return {whole_, q_}; }
  const Problem& problem() const { return problem_; }

 private:
  WholePart whole_;
  HostTensor q_{dense("q", Role::kOutput, kE4M3Fn, {4, 32}), std::vector<std::byte>(128)};
  Problem problem_;
};

/// The codes of numbers.
Codes numbers(const Number& due, const Number& held, const std::vector<double>& scales = {}) {
  return {due, [&](int64_t i) { return code( held(i)); }, scales};
}

std::string words(const Rule& rule) { return rule ? rule->words : ""; }

double varied(int64_t i) { return (i % 3 == 0 ? -1 : 1) * (1 + double(i * 37 % 101) / 8); }
double rounded(double value) { return decode(kE4M3Fn, code( value)); }

TEST(Values, TheScaleOfAnotherTensorIsNamed) {
  const Codes other = numbers(varied, [](int64_t i) { return varied(i) * 0.7 / 1.9; }, {0.7, 1.9});
  EXPECT_THAT(words(factor_of_scales(other.wrong(), other.problem())), HasSubstr("k_scale / v_scale times the expected values"));
  const Codes multiplied = numbers(varied, [](int64_t i) { return varied(i) * 1.3 * 1.3; }, {1.3});
  EXPECT_THAT(words(factor_of_scales(multiplied.wrong(), multiplied.problem())),
              HasSubstr("the kernel multiplies by k_scale instead of dividing"));
  const Codes left_out = numbers(varied, [](int64_t i) { return varied(i) * 1.3; }, {1.3});
  EXPECT_THAT(words(factor_of_scales(left_out.wrong(), left_out.problem())), HasSubstr("the kernel does not divide by k_scale"));
}

TEST(Values, OtherNumbersAreNoFactorOfScales) {
  const Codes another = numbers(varied, [](int64_t i) { return varied(i) * 1.6; }, {0.7, 1.9});
  EXPECT_EQ(words(factor_of_scales(another.wrong(), another.problem())), "");
  const Codes constant = numbers(varied, [](int64_t) { return 448.0; }, {0.01, 2.0});
  EXPECT_EQ(words(factor_of_scales(constant.wrong(), constant.problem())), "") << "the largest number is every large multiple";
}

TEST(Values, CodesMadeWithTheScaleOfTheGroupBeforeAreNamed) {
  const auto scale_of = [](int64_t row, int64_t group) {
    return std::ldexp(1 + double((row * 4 + group) * 5 % 7) / 8, int((row * 3 + group * 2) % 5) - 2);
  };
  WholePart whole = testing::whole_part(kF32, {4, 4}, {}, {}, "", "scale");
  HostTensor held{dense("scale", Role::kOutput, kF32, {4, 4}), std::vector<std::byte>(64)};
  for (int64_t i = 0; i < 16; ++i) {
    whole.low.push_back(ordinal(kF32, code_of(kF32, scale_of(i / 4, i % 4))));
    held.set_code(i, code_of(kF32, scale_of(i / 4, i % 4)));
  }
  const auto made_with = [&](int64_t rows, int64_t groups) {
    return [=](int64_t i) {
      const int64_t row = i / 32, group = i % 32 / 8;
      const bool there = 0 <= row + rows && group + groups >= 0;
      return there ? varied(i) * scale_of(row, group) / scale_of(row + rows, group + groups) : varied(i);
    };
  };
  const auto words_of = [&](const Codes& codes) {
    return words(scale_of_another_group(codes.wrong(), {WrongPart(whole, held)}));
  };
  EXPECT_THAT(words_of(numbers(varied, made_with(0, -1))), HasSubstr("was computed with scale[i, g - 1], the group before it"));
  EXPECT_THAT(words_of(numbers(varied, made_with(-1, 0))), HasSubstr("was computed with scale[i - 1, g], the row before it"));
  EXPECT_EQ(words_of(numbers(varied, [](int64_t i) { return varied(i + 5); })), "");
  EXPECT_EQ(words_of(numbers(varied, [&](int64_t i) { return i % 8 < 3 ? made_with(0, -1)(i) : varied(i); })), "")
      << "the other elements of these groups are right";
  held.set_code(5, code_of(kF32, 1000));
  EXPECT_EQ(words_of(numbers(varied, made_with(0, -1))), "") << "a wrong scale says more than the codes";
}

TEST(Values, NumbersOfFewerBitsAreNamed) {
  const auto number = [](int64_t i) { return 1 + double(i * 37 % 101) / 1024; };
  WholePart whole = testing::whole_part(kF32, {1, 64}, {}, {}, "", "scale");
  const auto words_for = [&](const Number& stored) {
    HostTensor held{dense("scale", Role::kOutput, kF32, {1, 64}), std::vector<std::byte>(256)};
    whole.low.clear();
    for (int64_t i = 0; i < 64; ++i)
      whole.low.push_back(ordinal(kF32, code_of(kF32, number(i)))), held.set_code(i, code_of(kF32, stored(i)));
    return words(of_fewer_bits(WrongPart(whole, held)));
  };
  EXPECT_EQ(words_for([&](int64_t i) { return round_to(kBf16, number(i), Rounding::kNearestEven, Overflow::kSpecial); }),
            "the expected values rounded to bf16");
  EXPECT_EQ(words_for([&](int64_t i) { return round_to(kBf16, number(i), Rounding::kTowardZero, Overflow::kSpecial); }),
            "the expected values truncated to bf16");
  EXPECT_EQ(words_for([&](int64_t i) { return number(i) + 1; }), "");
}

TEST(Values, SaturationBelowTheLargestNumberIsNamed) {
  const auto due = [](int64_t i) { return double(i % 2 == 0 ? -1 : 1) * double(16 + i * 3); };
  const auto early = [&](int64_t i) { return std::abs(due(i)) >= 256 ? std::copysign(448.0, due(i)) : due(i); };
  EXPECT_EQ(words(largest_code_too_early(numbers(due, early).wrong())),
            "the largest number, 448, wherever 256 or more is expected (results saturate too early)");
  EXPECT_EQ(words(factor(numbers(due, early).wrong())), "") << "448 is not a multiple of what is expected";
  const auto some = [&](int64_t i) { return std::abs(due(i)) >= 256 && i % 5 != 0 ? std::copysign(448.0, due(i)) : due(i); };
  EXPECT_EQ(words(largest_code_too_early(numbers(due, some).wrong())), "") << "some of these are right";
}

TEST(Values, SaturationWhereInfIsExpectedIsNamed) {
  WholePart whole = testing::whole_part(kF16, {1, 16}, {}, {}, "", "d");
  const auto words_for = [&](double due, double stored) {
    HostTensor held{dense("d", Role::kOutput, kF16, {1, 16}), std::vector<std::byte>(32)};
    whole.low.clear();
    for (int64_t i = 0; i < 16; ++i) {
      const double sign = i % 3 == 0 ? -1 : 1;
      const bool large = i % 4 != 0;
      whole.low.push_back(ordinal(kF16, code_of(kF16, large ? sign * due : double(i)))),
          held.set_code(i, code_of(kF16, large ? sign * stored : double(i)));
    }
    return words(wrong_overflow(WrongPart(whole, held)));
  };
  EXPECT_EQ(words_for(HUGE_VAL, 65504), "the largest number, 65504, where Inf is expected: results saturate, but must overflow");
  EXPECT_EQ(words_for(65504, HUGE_VAL), "Inf where the largest number, 65504, is expected: results overflow, but must saturate");
  EXPECT_EQ(words_for(HUGE_VAL, 32768), "");
}

TEST(Values, AWrongConstantIsNamedByItsRatio) {
  WholePart whole = testing::whole_part(kF32, {1, 64}, {}, {}, "", "scale");
  const auto number = [](int64_t i) { return 1 + double(i * 37 % 101) / 1024; };
  const auto words_for = [&](const Number& stored) {
    HostTensor held{dense("scale", Role::kOutput, kF32, {1, 64}), std::vector<std::byte>(256)};
    whole.low.clear();
    for (int64_t i = 0; i < 64; ++i)
      whole.low.push_back(ordinal(kF32, code_of(kF32, double(float(number(i)))))),
          held.set_code(i, code_of(kF32, double(float(stored(i)))));
    return words(constant_ratio(WrongPart(whole, held)));
  };
  EXPECT_THAT(words_for([&](int64_t i) { return number(i) * 448 / 449; }),
              HasSubstr("times the expected values, as 448/449 (a wrong constant"));
  EXPECT_EQ(words_for([&](int64_t i) { return number(i) * (i % 2 ? 0.9 : 0.95); }), "") << "two factors";
  whole.low.clear();
  HostTensor held{dense("scale", Role::kOutput, kF32, {1, 64}), std::vector<std::byte>(256)};
  for (int64_t i = 0; i < 64; ++i) {
    const double due = i % 2 == 0 ? 1.5 : 6;
    whole.low.push_back(ordinal(kF32, code_of(kF32, due)));
    held.set_code(i, code_of(kF32, double(float(due * 448 / 449))));
  }
  EXPECT_THAT(words(constant_ratio(WrongPart(whole, held))), HasSubstr("as 448/449")) << "two numbers whose ratio is precise";
  EXPECT_EQ(words_for([&](int64_t i) { return number(i) + 0.01; }), "");
}

/// The factor that factor() finds for 128 codes of e2m1: `due` is expected, `held` is stored.
std::string factor_of_four_bits(const std::function<uint32_t(int64_t)>& due, const std::function<uint32_t(int64_t)>& held) {
  WholePart whole = testing::whole_part(kE2M1, {4, 32}, {});
  HostTensor q{dense("q", Role::kOutput, kE2M1, {4, 32}), {}};
  q.bytes.resize(q.spec.bytes());
  for (int64_t i = 0; i < 128; ++i) whole.low.push_back(ordinal(kE2M1, due(i))), q.set_code(i, held(i));
  return words(factor(WrongPart(whole, q)));
}

TEST(Values, OneOrTwoCodesOfFourBitsHaveNoFactor) {
  EXPECT_EQ(factor_of_four_bits([](int64_t) { return 4u; }, [](int64_t i) { return i % 2 ? 4u : 2u; }), "")
      << "2 that became 1: a wrong boundary";
  EXPECT_EQ(factor_of_four_bits([](int64_t i) { return uint32_t(i % 4 + 4); }, [](int64_t i) { return uint32_t(i % 4 + 2); }),
            "1/2 of the expected values");
}

TEST(Values, AConstantDifferenceIsNamed) {
  const auto even = [](int64_t i) { return double(i % 8); };
  EXPECT_EQ(words(constant_difference(numbers(even, [&](int64_t i) { return even(i) + 2; }).wrong())),
            "the expected values plus 2");
  EXPECT_EQ(words(constant_difference(numbers(even, [&](int64_t i) { return even(i) + 1 + double(i % 2); }).wrong())), "");
}

TEST(Values, WrongBitsOfCodesAreNamed) {
  const auto words_for = [](const std::function<uint32_t(uint32_t)>& of) {
    return words(bits_of_codes(Codes(varied, [&](int64_t i) { return of(code(varied(i))); }).wrong()));
  };
  EXPECT_EQ(words_for([](uint32_t c) { return c ^ 0x24; }), "the expected codes with bits 0x24 flipped");
  EXPECT_EQ(words_for([](uint32_t c) { return c & ~4u; }), "the expected codes with bits 0x04 cleared");
  EXPECT_EQ(words_for([](uint32_t c) { return c >> 1; }), "the expected codes shifted right by 1");
  EXPECT_EQ(words_for([](uint32_t c) { return (c * 37 + 11) & 0xff; }), "");
}

TEST(Values, TheNumberInThePlaceOfItsCodeIsNamed) {
  const Codes cast(varied, [](int64_t i) { return uint32_t(int(rounded(varied(i)))) & 0xff; });
  EXPECT_THAT(words(number_for_code(cast.wrong())), HasSubstr("the value itself, cast to an integer"));
  const Codes shifted(varied, [](int64_t i) { return code( varied(i + 1)); });
  EXPECT_EQ(words(number_for_code(shifted.wrong())), "");
}

TEST(Values, ErrorsOfOneCodeInOneDirectionAreARounding) {
  const auto next = [](int64_t i) { return i % 4 == 0 ? code( varied(i)) + 1 : code( varied(i)); };
  const OneCodeOff away = one_code_off(Codes(varied, next).wrong());
  EXPECT_TRUE(away.holds);
  EXPECT_FALSE(away.of_subnormals) << "these numbers are normal";
  const auto both = [&](int64_t i) { return i == 8 ? code(varied(i)) - 1 : next(i); };
  EXPECT_FALSE(one_code_off(Codes(varied, both).wrong()).holds);
  const auto far = [&](int64_t i) { return i == 8 ? code(varied(i)) + 2 : next(i); };
  EXPECT_FALSE(one_code_off(Codes(varied, far).wrong()).holds);
  const auto tiny = [](int64_t i) { return double(i % 7) * 0x1p-9; };
  const std::optional<Regularity> found =
      one_code_off(Codes(tiny, [&](int64_t i) { return code(tiny(i)) + uint32_t(i % 2); }).wrong()).of_subnormals;
  ASSERT_TRUE(found);
  EXPECT_EQ(found->words, "the next code away from zero, where a subnormal number is expected");
}

TEST(Values, CodesThatStandElsewhereAreFound) {
  const auto before = [](int64_t i) { return i < 32 ? code( varied(i + 64)) : i >= 64 && i < 96 ? 0x11u : code( varied(i)); };
  const std::optional<Elsewhere> found = written_elsewhere(Codes(varied, before).wrong());
  ASSERT_TRUE(found);
  EXPECT_EQ(found->note, "; columns 0..15 of row 2 are stored 64 bytes before their expected address");
  EXPECT_EQ(found->explained, 32);
  const auto nowhere = [](int64_t i) { return i >= 64 && i < 96 ? 0x11u : code( varied(i)); };
  EXPECT_FALSE(written_elsewhere(Codes(varied, nowhere).wrong()));
}

TEST(Values, ALimitThatIsTooLowOrTooHighIsNamed) {
  const auto all = [](int64_t i) { return double(i) - 64; };
  const auto words_of = [&](const Number& held) { return words(clamped(numbers(all, held).wrong())); };
  EXPECT_THAT(words_of([&](int64_t i) { return std::min(all(i), 32.0); }),
              HasSubstr("32 wherever larger numbers are expected: results are clamped to a limit that is too low"));
  EXPECT_THAT(words_of([&](int64_t i) { return std::max(all(i), -8.0); }),
              HasSubstr("-8 wherever smaller numbers are expected: results are clamped to a limit that is too high"));
  EXPECT_THAT(words_of([&](int64_t i) { return std::clamp(all(i), -32.0, 32.0); }), HasSubstr("32 wherever larger numbers"));
  EXPECT_EQ(words_of([&](int64_t i) { return i == 127 ? all(i) : std::min(all(i), 32.0); }), "") << "63 is right";
  EXPECT_EQ(words_of([](int64_t) { return 2.0; }), "") << "one number everywhere";
  const auto large = [](int64_t i) { return i % 2 == 0 ? 448.0 : double(1 + i % 16); };
  EXPECT_THAT(words(clamped(numbers(large, [&](int64_t i) { return std::min(large(i), 416.0); }).wrong())),
              HasSubstr("416 where the largest number, 448, is expected"));
  EXPECT_THAT(words(clamped(numbers(large, [&](int64_t) { return 448.0; }).wrong())), HasSubstr("results saturate"));
}

TEST(Values, CodesThatDoNotDependOnTheDataAreNamed) {
  const auto words_of = [](const Number& held) { return words(same_codes_again(numbers(varied, held).wrong())); };
  EXPECT_THAT(words_of([](int64_t i) { return 2048 + double(i % 8 * 32); }), "") << "all saturate, one code";
  EXPECT_THAT(words_of([](int64_t i) { return 16 + double(i % 8 * 2); }),
              HasSubstr("the codes of the previous 8 elements again, in 15 of 15 runs"));
  EXPECT_THAT(words_of([](int64_t i) { return 16 + double(i % 32); }), HasSubstr("the same codes in every row"));
  EXPECT_EQ(words_of([](int64_t i) { return varied(i) + 16; }), "") << "depends on the data";
}

TEST(Values, TheNumbersOfAVectorInEveryRowAreNamed) {
  const auto beta = [](int64_t i) { return double(i % 32 * 7 % 13) - 6; };
  const auto words_of = [&](const Number& held) {
    const Codes codes = numbers([&](int64_t i) { return varied(i) + 20; }, held);
    Problem problem;
    HostTensor one{dense("beta", Role::kInput, kF32, {32}), std::vector<std::byte>(128)};
    for (int64_t i = 0; i < 32; ++i) one.set_code(i, code_of(kF32, beta(i)));
    problem.tensors.push_back(std::move(one));
    return words(of_a_vector(codes.wrong(), problem));
  };
  EXPECT_THAT(words_of(beta), HasSubstr("the values of beta in every row"));
  EXPECT_EQ(words_of([&](int64_t i) { return beta(i) + 1; }), "");
}

/// 4 rows of 32 numbers of bf16: z * gamma + beta, for vectors gamma and beta and a matrix z.
struct Norm {
  Problem problem;
  WholePart whole = testing::whole_part(kBf16, {4, 32}, {});
  HostTensor y{dense("y", Role::kOutput, kBf16, {4, 32}), std::vector<std::byte>(256)};

  static double z(int64_t i) { return double(i * 29 % 67) / 16 - 2; }
  static double gamma(int64_t c) { return 0.5 + double(c * 11 % 13) / 8; }
  static double beta(int64_t c) { return double(c * 7 % 9) / 4 - 1; }
  static uint32_t code_of_sum(double value) {
    return code_of(kBf16, round_to(kBf16, value, Rounding::kNearestEven, Overflow::kSaturate));
  }

  explicit Norm(const std::function<double(int64_t row, double z)>& held) {
    for (const auto& [name, of] : {std::pair("gamma", &Norm::gamma), std::pair("beta", &Norm::beta)}) {
      HostTensor vector{dense(name, Role::kInput, kBf16, {32}), std::vector<std::byte>(64)};
      for (int64_t c = 0; c < 32; ++c) vector.set_code(c, code_of_sum(of(c)));
      problem.tensors.push_back(std::move(vector));
    }
    for (int64_t i = 0; i < 128; ++i) {
      whole.low.push_back(ordinal(kBf16, code_of_sum(z(i) * gamma(i % 32) + beta(i % 32))));
      y.set_code(i, code_of_sum(held(i / 32, z(i)) * gamma(i % 32) + beta(i % 32)));
    }
  }
  std::string words() const { return assay::words(numbers_of_rows(WrongPart(whole, y), problem)); }
};

TEST(Values, AWrongMeanOrScaleOfRowsIsNamed) {
  EXPECT_THAT(Norm([](int64_t row, double z) { return z * (2.5 + double(row)); }).words(),
              HasSubstr("the expected values (without beta) times a factor for each row, about 2.5, 3.5, 4.5, 5.5"));
  EXPECT_THAT(Norm([](int64_t row, double z) { return z + 1 + double(row); }).words(),
              HasSubstr("plus a number for each row, about 1, 2, 3, 4 times gamma: the number that is added to or subtracted"));
  EXPECT_THAT(Norm([](int64_t row, double z) { return (z + 1) / (2.0 + double(row)); }).words(),
              HasSubstr("times a factor for each row, about 0.5, 0.333, 0.25, 0.2, plus a number for each row times gamma"));
}

TEST(Values, NumbersOfOtherElementsAreNoNumbersOfRows) {
  EXPECT_EQ(Norm([](int64_t, double z) { return z * z; }).words(), "");
  EXPECT_EQ(Norm([](int64_t row, double z) { return row == 2 && z > 1 ? 7.0 : z + 1; }).words(), "") << "a few elements differ";
}

/// The rule for 128 exponent bytes of fp32 numbers. Right bytes round up: (bits + 0x7fffff) >> 23; `held` makes the stored bytes.
std::string words_of_exponents(const std::function<uint32_t(uint32_t bits)>& held) {
  WholePart whole = testing::whole_part(kE8M0, {4, 32}, {});
  HostTensor q{dense("q", Role::kOutput, kE8M0, {4, 32}), std::vector<std::byte>(128)};
  HostTensor x{dense("x", Role::kInput, kF32, {4, 32}), std::vector<std::byte>(512)};
  for (int64_t i = 0; i < 128; ++i) {
    const uint32_t bits = 0x3f800000u + uint32_t(i % 20 << 23) + uint32_t(i * 77777);
    x.set_code(i, bits), q.set_code(i, held(bits) & 0xff);
    whole.low.push_back(ordinal(kE8M0, (bits + 0x7fffffu) >> 23));
  }
  Problem problem;
  problem.tensors.push_back(std::move(x));
  return words(integers_of_input(WrongPart(whole, q), problem));
}

TEST(Values, ExponentBytesOfAnotherShiftOrOffsetAreNamed) {
  EXPECT_THAT(words_of_exponents([](uint32_t bits) { return (bits - 0x7fffffu) >> 23; }), HasSubstr("as f32 - 0x7fffff) >> 23"));
  EXPECT_THAT(words_of_exponents([](uint32_t bits) { return (bits + 0x7fffffu) >> 24; }), HasSubstr("as f32 + 0x7fffff) >> 24"));
  EXPECT_EQ(words_of_exponents([](uint32_t bits) { return (bits * 3) >> 23; }), "") << "no such arithmetic";
}

TEST(FloatWords, LowerBitsOfTheResultAreNamed) {
  const auto words_of = [](int shift) {
    std::vector<int32_t> due;
    HostTensor held{dense("y", Role::kOutput, kBf16, {8, 8}), std::vector<std::byte>(128)};
    for (int64_t i = 0; i < 64; ++i) {
      const auto bits = uint32_t(0x3f800000 + i * 0x00517a31);
      due.push_back(ordinal(kBf16, bits >> 16));
      held.set_code(i, bits >> shift & 0xffff);
    }
    const WholePart whole = testing::whole_part(kBf16, {8, 8}, due);
    const WrongPart wrong(whole, held);
    const Rule rule = lower_bits_of_result(wrong);
    return rule ? rule->words : "";
  };
  EXPECT_EQ(words_of(15), "bits 15..30 of the fp32 result, where bits 16..31 are expected: it is shifted by 15 instead of 16");
  EXPECT_EQ(words_of(13), "bits 13..28 of the fp32 result, where bits 16..31 are expected: it is shifted by 13 instead of 16");
  EXPECT_EQ(words_of(10), "");
}

// Addresses of stores.

/// The output of a kernel that stores element i of an 8-bit matrix at to(offset); the expected offsets are row-major.
std::string address_of(int64_t rows, int64_t columns, const std::function<int64_t(int64_t)>& to,
                       const std::function<uint32_t(int64_t)>& code_of_element) {
  HostTensor held{dense("q", Role::kOutput, kE8M0, {rows, columns}), {}};
  held.bytes.resize(held.spec.bytes());
  std::vector<int32_t> due;
  std::set<int64_t> written;
  for (int64_t i = 0; i < rows * columns; ++i) {
    due.push_back(ordinal(kE8M0, code_of_element(i)));
    held.set_code(to(i), code_of_element(i));
    written.insert(to(i));
  }
  return wrong_address_of_stores(testing::whole_part(kE8M0, {rows, columns}, due), held,
                                 [&](int64_t offset) { return written.contains(offset); });
}

/// Rows of 16 elements that a kernel stores `pitch` elements apart. The last ones lie behind the end of the tensor.
std::string address_of_wide_rows(int64_t pitch, bool wrote_behind) {
  constexpr int64_t kRows = 8, kColumns = 16;
  const auto code = [](int64_t i) { return uint32_t(i * 37 % 251); };
  HostTensor held{dense("q", Role::kOutput, kE8M0, {kRows, kColumns}), std::vector<std::byte>(size_t(kRows * kColumns))};
  std::vector<int32_t> due;
  std::set<int64_t> written;
  for (int64_t i = 0; i < kRows * kColumns; ++i) {
    due.push_back(ordinal(kE8M0, code(i)));
    const int64_t at = i / kColumns * pitch + i % kColumns;
    if (at < kRows * kColumns) held.set_code(at, code(i)), written.insert(at);
  }
  return wrong_address_of_stores(
      testing::whole_part(kE8M0, {kRows, kColumns}, due), held, [&](int64_t offset) { return written.contains(offset); },
      wrote_behind);
}

TEST(StoredAddresses, RowsThatReachBehindTheTensorAreTooFarApart) {
  EXPECT_EQ(address_of_wide_rows(17, true), "address: where q is stored, rows are stored 17 elements apart instead of 16");
  EXPECT_EQ(address_of_wide_rows(32, true), "address: where q is stored, rows are stored 32 elements apart instead of 16");
  EXPECT_EQ(address_of_wide_rows(17, false), "") << "then the last rows went elsewhere";
}

TEST(StoredAddresses, LostBitsAndStridesAreNamed) {
  const auto varied = [](int64_t i) { return uint32_t(i * 37 % 251); };
  EXPECT_EQ(address_of(32, 16, [](int64_t at) { return at & ~(8 * 16); }, varied),
            "address: where q is stored, bit 3 of the row number is not used");
  EXPECT_EQ(address_of(32, 16, [](int64_t at) { return (at & ~12) | (at >> 4 & 3) << 2; }, varied),
            "address: where q is stored, bits 2..3 of the column number are not used, and bits 0..1 of the row number are used twice");
  EXPECT_EQ(address_of(32, 16, [](int64_t at) { return at / 16 + at % 16; }, varied),
            "address: where q is stored, rows are stored 1 elements apart instead of 16");
  EXPECT_EQ(address_of(32, 16, [](int64_t at) { return at / 16 * 7 + at % 16; }, varied),
            "address: where q is stored, rows are stored 7 elements apart instead of 16");
  EXPECT_EQ(address_of(32, 16, [](int64_t at) { return at < 300 ? at : at - 300; }, varied), "") << "no simple address";
  EXPECT_EQ(address_of(32, 16, [](int64_t at) { return at & ~(8 * 16); }, [](int64_t i) { return uint32_t(i % 2); }), "")
      << "few codes fit every address";
}

}  // namespace

// Tests scaled_groups.cpp: mistakes that occur only in groups of elements with large inputs.

namespace {

/// What groups_apart() says if the groups in `wrong` are wrong, and a hypothesis explains them and would change all others. Input
/// x is 1, except for a large number in each group of `large`.
std::string where_in_groups(const std::set<int64_t>& wrong, const std::set<int64_t>& large, bool explained = true) {
  constexpr int64_t kRows = 2, kColumns = 32, kGroups = 4, kWidth = kColumns / kGroups;
  Answer answer;
  answer.parts.push_back({.tensor = "q", .format = &kE4M3Fn, .shape = {kRows, kColumns}});
  answer.parts.push_back({.tensor = "scale", .format = &kF32, .shape = {kRows, kGroups}});
  Memberships contract, hypothesis;
  for (const int64_t columns : {kColumns, kGroups}) {
    contract.parts.emplace_back(size_t(kRows * columns), Membership::kInside);
    hypothesis.parts.emplace_back(size_t(kRows * columns), Membership::kInside);
    for (int64_t i = 0; i < kRows * columns; ++i) {
      const bool is_wrong = wrong.contains(columns == kGroups ? i : i / kWidth);
      contract.parts.back()[size_t(i)] = is_wrong ? Membership::kOutside : Membership::kInside;
      hypothesis.parts.back()[size_t(i)] = is_wrong && explained ? Membership::kInside : Membership::kOutside;
    }
  }
  HostTensor x{dense("x", Role::kInput, kF32, {kRows, kColumns}), std::vector<std::byte>(size_t(4 * kRows * kColumns))};
  for (int64_t i = 0; i < kRows * kColumns; ++i)
    x.set_code(i, code_of(kF32, large.contains(i / kWidth) && i % kWidth == 3 ? -128.0 : 1.0));
  return groups_apart(answer, contract, hypothesis, Problem{{std::move(x)}});
}

TEST(ScaledGroups, GroupsWithLargeInputsAreNamed) {
  EXPECT_EQ(where_in_groups({1, 6}, {1, 6}), ", only where in a group |x[i, j]| reaches 128");
  EXPECT_EQ(where_in_groups({1, 6}, {1}), "") << "group 6 has no such input";
  EXPECT_EQ(where_in_groups({1, 6}, {1, 5, 6}), "") << "group 5 has one, and is right";
  EXPECT_EQ(where_in_groups({1}, {1}), "") << "one group is too little evidence";
  EXPECT_EQ(where_in_groups({1, 6}, {1, 6}, false), "") << "the hypothesis does not explain the groups";
}

}  // namespace

}  // namespace assay
