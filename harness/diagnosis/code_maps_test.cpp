// Rules about codes: each must recognize the mistake that it is made for, and stay silent where positions tell as much.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/diagnosis/wrong_part.h"
#include "harness/testing/toy_op.h"
#include "reference/formats/catalogue.h"

namespace assay {
namespace {

using ::testing::HasSubstr;

/// An output of a 4 x 64 matrix, or of another shape: the expected codes and the stored ones.
class Output {
 public:
  using Code = std::function<uint32_t(int64_t)>;

  Output(const Format& format, std::array<int64_t, 2> shape, const Code& due, const Code& held, const std::string& name = "q")
      : whole_(testing::whole_part(format, shape, {}, {}, "", name)),
        tensor_{dense(name, Role::kOutput, format, {shape[0], shape[1]}), {}} {
    tensor_.bytes.resize(tensor_.spec.bytes());
    for (int64_t i = 0; i < shape[0] * shape[1]; ++i) whole_.low.push_back(ordinal(format, due(i))), tensor_.set_code(i, held(i));
  }
  WrongPart wrong() const { return {whole_, tensor_}; }

 private:
  WholePart whole_;
  HostTensor tensor_;
};

/// Codes of e2m1 without a period of 2, 4, 8, ... columns.
uint32_t mixed(int64_t i) { return uint32_t((i * i + i / 7 * 5 + i / 64 * 3) % 16); }

std::string map_words(const Format& format, const Output::Code& due, const Output::Code& held) {
  const Output output(format, {4, 64}, due, held);
  const Rule rule = map_of_codes(output.wrong());
  return rule ? rule->words : "";
}

TEST(CodeMaps, AThresholdThatIsTooLowIsNamed) {
  const auto next = [](int64_t i) { return mixed(i) % 8 == 2 ? mixed(i) + 1 : mixed(i); };
  EXPECT_EQ(
      map_words(kE2M1, mixed, next),
      "0x3 (1.5) wherever 0x2 (1) is expected, with either sign, and no other wrong code: the threshold between 1 and 1.5 is "
      "too low");
}

TEST(CodeMaps, OneCodeForAnotherIsNamed) {
  const auto minus_zero = [](int64_t i) { return mixed(i) == 7 ? 8u : mixed(i); };
  EXPECT_EQ(map_words(kE2M1, mixed, minus_zero), "0x8 (-0) wherever 0x7 (6) is expected, and no other wrong code");
}

TEST(CodeMaps, ACodeThatIsRightSomewhereIsNoMap) {
  EXPECT_EQ(map_words(kE2M1, mixed, [](int64_t i) { return mixed(i) % 8 == 2 && i > 20 ? mixed(i) + 1 : mixed(i); }), "");
}

TEST(CodeMaps, PositionsThatTellAsMuchAreNoMap) {
  const auto by_column = [](int64_t i) { return uint32_t(i % 16); };
  EXPECT_EQ(map_words(kE2M1, by_column, [&](int64_t i) { return by_column(i) == 2 ? 3u : by_column(i); }), "");
}

TEST(CodeMaps, AMapInASingleRowIsNamed) {
  const auto next = [](int64_t i) { return mixed(i) % 8 == 1 ? mixed(i) + 1 : mixed(i); };
  const Output output(kE2M1, {1, 256}, mixed, next);
  const Rule rule = map_of_codes(output.wrong());
  ASSERT_TRUE(rule);
  EXPECT_THAT(rule->words, HasSubstr("the threshold between 0.5 and 1 is too low"));
}

TEST(CodeMaps, AMapOfMostCodesIsNotReported) {
  EXPECT_EQ(map_words(kE2M1, mixed, [](int64_t i) { return mixed(i) ^ 8u; }), "") << "the sign of every code";
}

/// Scales of 4 x 16 groups of 4 columns; byte 0x7e in eight of them.
uint32_t scale_byte(int64_t group) { return group % 7 == 3 ? 0x7eu : uint32_t(0x30 + group % 9); }

std::string scale_words(const std::function<bool(int64_t group)>& spoilt) {
  const Output scales(kUe4M3, {4, 16}, scale_byte, scale_byte, "scale");
  const Output codes(
      kE2M1, {4, 64}, mixed, [&](int64_t i) { return spoilt(i / 4) ? 7u : mixed(i); }, "q");
  std::vector<WrongPart> all;
  all.push_back(codes.wrong());
  all.push_back(scales.wrong());
  const std::optional<Regularity> found = told_by_scale_codes(all.front(), all);
  return found ? found->words : "";
}

TEST(CodeMaps, BlocksOfOneScaleAreNamed) {
  EXPECT_THAT(scale_words([](int64_t group) { return scale_byte(group) == 0x7e; }),
              HasSubstr("errors in every block whose scale byte is 0x7e (448), and in no other"));
}

TEST(CodeMaps, BlocksOfAScaleThatIsRightElsewhereAreNotNamed) {
  EXPECT_EQ(scale_words([](int64_t group) { return scale_byte(group) == 0x7e && group > 12; }), "");
  EXPECT_EQ(scale_words([](int64_t group) { return group == 3; }), "");
}

/// The range that tells the elements for which `is_wrong` holds, for an input of 4 x 64 or 4 x 128 numbers.
std::string range_words(int64_t in_columns, const std::function<double(int64_t row, int64_t column)>& number,
                        const std::function<bool(int64_t)>& is_wrong) {
  Problem problem;
  HostTensor x{dense("x", Role::kInput, kF32, {4, in_columns}), std::vector<std::byte>(size_t(4 * 4 * in_columns))};
  for (int64_t i = 0; i < 4 * in_columns; ++i)
    x.set_code(i, code_of(kF32, double(float(number(i / in_columns, i % in_columns)))));
  problem.tensors.push_back(std::move(x));
  const Output output(kE2M1, {4, 64}, mixed, [&](int64_t i) { return is_wrong(i) ? mixed(i) ^ 1u : mixed(i); });
  const std::optional<Regularity> found = range_of_input(output.wrong(), problem);
  return found ? found->words : "";
}

TEST(InputRanges, ALimitOfTheInputIsNamed) {
  const auto number = [](int64_t row, int64_t column) { return double((row * 64 + column) * 37 % 201) - 100; };
  const auto of = [&](int64_t i) { return number(i / 64, i % 64); };
  EXPECT_EQ(range_words(64, number, [&](int64_t i) { return of(i) < -80; }),
            "errors in every element where x[i, j] is at most -81, and in no other");
  EXPECT_EQ(range_words(64, number, [&](int64_t i) { return std::abs(of(i)) > 80; }),
            "errors in every element where |x[i, j]| is at least 81, and in no other");
  EXPECT_EQ(range_words(64, number, [&](int64_t i) { return of(i) < -80 && i % 2 == 0; }), "");
  const auto second = [&](int64_t row, int64_t column) { return column < 64 ? 7.0 : number(row, column - 64); };
  EXPECT_EQ(range_words(128, second, [&](int64_t i) { return of(i) > 80; }),
            "errors in every element where x[i, j + 64] is at least 81, and in no other");
}

}  // namespace
}  // namespace assay
