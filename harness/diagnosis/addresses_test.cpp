// Rules about wrong addresses and places: each must recognize the mistake that it is made for, and no other.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/diagnosis/diagnose.h"
#include "harness/diagnosis/input_edits.h"
#include "harness/diagnosis/wrong_part.h"
#include "harness/testing/toy_op.h"
#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"

namespace assay {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

uint32_t varied_byte(int64_t i) { return uint32_t(i * 37 % 101 + i * i % 7); }
std::string rule_words(const Rule& rule) { return rule ? rule->words : ""; }
std::string fact_words(const std::optional<Regularity>& fact) { return fact ? fact->words : ""; }

/// A tensor of bytes: the expected and the stored ones.
struct BytesHeld {
  WholePart whole;
  HostTensor tensor;

  BytesHeld(std::array<int64_t, 2> shape, const std::function<uint32_t(int64_t)>& due,
            const std::function<uint32_t(int64_t)>& held, const Format& format = kUint8)
      : whole(testing::whole_part(format, shape, {})),
        tensor{dense("q", Role::kOutput, format, {shape[0], shape[1]}),
               std::vector<std::byte>(size_t(shape[0] * shape[1] * format.bytes()))} {
    for (int64_t i = 0; i < shape[0] * shape[1]; ++i) whole.low.push_back(ordinal(format, due(i))), tensor.set_code(i, held(i));
  }
  WrongPart wrong() const { return {whole, tensor}; }
};

/// Six rows of 32 bytes in a cache of two blocks of 512 bytes, which held 0xee before. `place`: where a kernel stores a row.
std::string rows_stored(const std::function<int64_t(int64_t row, int64_t due)>& place) {
  const auto due_place = [](int64_t row) { return row / 3 * 512 + 32 * (1 + row % 3 * 4); };
  WholePart whole = testing::whole_part(kUint8, {6, 32}, {}, {}, "", "kv_cache");
  whole.part.places = Places::of_rows(due_place);
  HostTensor cache{dense("kv_cache", Role::kOutput, kUint8, {2, 512}), std::vector<std::byte>(1024, std::byte{0xee})};
  for (int64_t i = 0; i < 6 * 32; ++i) whole.low.push_back(ordinal(kUint8, varied_byte(i)));
  for (int64_t row = 0; row < 6; ++row)
    for (int64_t c = 0; c < 32; ++c)
      if (const int64_t at = place(row, due_place(row)) + c; at < 1024)
        cache.bytes[size_t(at)] = std::byte(varied_byte(row * 32 + c));
  return stored_elsewhere(WrongPart(whole, cache));
}

TEST(PlacesOutside, AreNamedByRowOrElement) {
  Problem problem;
  problem.tensors.push_back({dense("a", Role::kInput, kBf16, {8, 16}), {}});
  problem.tensors.push_back({dense("alpha", Role::kInput, kF32, {4}), {}});
  problem.tensors.push_back({dense("b", Role::kInput, kUint8, {2, 3, 16}), {}});
  const auto words = [&](const std::string& text) {
    return with_row_outside("outside: read " + text + " (at mine.h:12)", problem);
  };
  EXPECT_EQ(words("256 bytes behind the end of 'a'"),
            "outside: read 256 bytes behind the end of 'a', which is the start of row 16; a has 8 rows (at mine.h:12)");
  EXPECT_THAT(words("70 bytes behind the end of 'a'"), HasSubstr("'a', which is row 10; a has 8 rows ("));
  EXPECT_THAT(words("32 bytes before the start of 'a'"), HasSubstr("'a', which is the start of row -1; a has 8 rows ("));
  EXPECT_THAT(words("48 bytes behind the end of 'b'"), HasSubstr("which is the start of row 9; b has 2 matrices of 3 rows ("));
  EXPECT_THAT(words("8 bytes behind the end of 'alpha'"), HasSubstr("'alpha', which is element 6; alpha has 4 elements ("));
  for (const char* const next :
       {"2 bytes behind the end of 'a'", "0 bytes behind the end of 'alpha'", "64 bytes behind the end of 'c'"})
    EXPECT_EQ(words(next), std::string("outside: read ") + next + " (at mine.h:12)") << "a tail that runs too far needs no row";
}

TEST(PlacesOutside, AWholeRowBehindTheLastIsAnIndexThatIsNotSkipped) {
  Problem problem;
  problem.tensors.push_back({dense("d", Role::kOutput, kBf16, {28, 40}), {}});
  const auto words = [&](const std::string& damage) { return row_behind("wrote outside 'd': " + damage, problem); };
  EXPECT_THAT(words("79 bytes behind its end, first 0 bytes behind it"),
              StartsWith("one whole row is written behind the last of the 28"));
  EXPECT_EQ(words("32 bytes behind its end, first 0 bytes behind it"), "") << "a vector store that is too wide";
  EXPECT_EQ(words("90 bytes behind its end, first 0 bytes behind it"), "");
  EXPECT_EQ(words("79 bytes behind its end, first 80 bytes behind it"), "");
}

TEST(PlacesOutside, AMisalignedVectorTellsHowFarRowsAreApart) {
  Problem problem;
  problem.tensors.push_back({dense("q", Role::kOutput, kUint8, {2, 64}), {}});
  problem.tensors.push_back({dense("gamma", Role::kInput, kBf16, {64}), {}});
  const auto words = [&](const std::string& access, const std::string& by) {
    return misaligned_address("rank 0: a " + access + " past a multiple of 8, by " + by + ", in libmine.so+0x11", problem);
  };
  EXPECT_EQ(words("store of 8 bytes at q[1, 1], 1 bytes", "block 1, thread 0"),
            "address: block 1 stores 65 elements behind the start of q: rows are probably 65 elements apart instead of 64");
  EXPECT_EQ(words("store of 8 bytes at q[0, 18], 2 bytes", "block 0, thread 2"),
            "address: thread 2 stores 18 elements behind the start of q: threads are probably 9 elements apart instead of 8");
  EXPECT_THAT(words("load of 16 bytes at gamma[1], 2 bytes", "block 0, thread 0"), HasSubstr("is too large by 1"));
  EXPECT_EQ(words("store of 8 bytes at q[1, 3], 3 bytes", "block 0, thread 5"), "");
}

/// The names of the wrong reads of an input of a GEMM.
std::vector<std::string> reads_of(const std::vector<int64_t>& shape) {
  Problem problem;
  HostTensor b{dense("b", Role::kInput, kE4M3Fn, shape), {}};
  b.bytes.resize(b.spec.bytes());
  problem.tensors.push_back(std::move(b));
  std::vector<std::string> names;
  for (const InputEdit& edit : input_edits(problem, 64)) names.push_back(edit.name);
  return names;
}

TEST(Misread, WeightsOfExpertsMayBeginAtAWrongFactor) {
  EXPECT_THAT(reads_of({3, 8, 64}),
              Contains("b: matrix e of 8 x 64 is read starting at element 64 * e instead of 512 * e (the number of "
                       "rows is left out)"));
  EXPECT_THAT(reads_of({24, 64}), Not(Contains(HasSubstr("matrix e of"))));
}

TEST(Displaced, RowsStoredAtOtherAddressesAreFound) {
  EXPECT_EQ(rows_stored([](int64_t, int64_t due) { return due + 64; }), "each row is stored 64 bytes after its address");
  EXPECT_THAT(rows_stored([](int64_t, int64_t due) { return due / 512 * 512; }),
              HasSubstr("all rows in a block of 512 bytes are stored at byte 0 of the block"));
  EXPECT_EQ(rows_stored([](int64_t row, int64_t due) { return row % 2 == 0 ? due + 64 : due; }),
            "each row is stored 64 bytes after its address");
  EXPECT_EQ(rows_stored([](int64_t, int64_t due) { return due / 512 * 512 + (due % 512 - 32) / 4; }),
            "rows of a block of 512 bytes that should be 128 bytes apart are stored 32 bytes apart");
  EXPECT_EQ(rows_stored([](int64_t row, int64_t due) { return due + 32 + row % 2 * 32; }), "") << "different distances";
  EXPECT_EQ(rows_stored([](int64_t, int64_t) { return 2000; }), "") << "not stored";
}

TEST(Displaced, BytesCopiedFromAConstantDistanceAreFound) {
  Problem problem;
  HostTensor cache{dense("kv_cache", Role::kInput, kUint8, {4, 128}), std::vector<std::byte>(512)};
  for (int64_t i = 0; i < 512; ++i) cache.set_code(i, uint32_t((i * i * 31 + i * 7) / 3 % 251));
  problem.tensors.push_back(cache);
  const auto copied = [&](int64_t by, bool all = true) {
    const auto from = [&](int64_t i, int64_t away) {
      return uint32_t(cache.code(std::min<int64_t>(i / 32 * 128 + 16 + i % 32 + away, 511)));
    };
    const BytesHeld y(
        {4, 32}, [&](int64_t i) { return from(i, 0); }, [&](int64_t i) { return from(i, all || i < 64 ? by : by + 8); });
    return rule_words(copied_from_elsewhere(y.wrong(), problem));
  };
  EXPECT_EQ(copied(48), "bytes of kv_cache that are 48 bytes after the right ones: it is read at a wrong address");
  EXPECT_EQ(copied(48, false), "") << "two distances";
  const BytesHeld computed(
      {4, 32}, [](int64_t i) { return varied_byte(i); }, [&](int64_t i) { return cache.code(i); });
  EXPECT_EQ(rule_words(copied_from_elsewhere(computed.wrong(), problem)), "") << "the right bytes are not in the input";
}

TEST(Displaced, AnUnwrittenOutputThatWasStoredARowLaterIsFound) {
  const auto stored_at = [](int64_t by, uint32_t held) {
    WholePart whole = testing::whole_part(kF16, {1, 1}, {ordinal(kF16, 0x3c01)}, {}, "", "d");
    HostTensor d{dense("d", Role::kOutput, kF16, {4, 1}), std::vector<std::byte>(8)};
    d.set_code(by, held);
    return stored_at_distance(whole, d, [&](int64_t offset) { return offset == by; });
  };
  EXPECT_EQ(stored_at(1, 0x3c01), "address: each row of d is stored 1 row later");
  EXPECT_EQ(stored_at(2, 0x3c01), "address: each row of d is stored 2 rows later");
  EXPECT_EQ(stored_at(1, 0x3c02), "address: each row of d is stored 1 row later, with values of another one");
  EXPECT_EQ(stored_at(0, 0x3c01), "") << "at its address";
}

TEST(Dequantized, NumbersOfOtherColumnsAreFoundBesideWrongScales) {
  const auto number = [](int64_t i) { return (i % 3 == 0 ? -1.0 : 1.0) * (1 + double(i * 37 % 101) / 8); };
  const auto e4m3 = [](double v) { return code_of(kE4M3Fn, round_to(kE4M3Fn, v, Rounding::kNearestEven, Overflow::kSaturate)); };
  const auto held = [&](int64_t by, bool others) {
    const BytesHeld q(
        {4, 64}, [&](int64_t i) { return e4m3(number(i) * 16); },
        [&](int64_t i) { return e4m3((i % 32 < 8 && others) ? 448 : number(others ? i + by : i * 7 % 256)); }, kE4M3Fn);
    BytesHeld scale(
        {4, 1}, [](int64_t) { return code_of(kF32, 0x1p-4); }, [](int64_t) { return code_of(kF32, 1); }, kF32);
    scale.whole.part.tensor = "scale";
    return rule_words(numbers_of_other_columns(q.wrong(), {q.wrong(), scale.wrong()}));
  };
  EXPECT_THAT(held(-8, true), HasSubstr("q[i, j] holds the number of q[i, j - 8], within each 32 columns"));
  EXPECT_EQ(held(0, true), "") << "the right columns";
  EXPECT_EQ(held(0, false), "") << "no constant distance";
}

TEST(Dequantized, AWrongIndexInAVectorIsFoundBesideWrongScales) {
  const auto number = [](int64_t i) { return (i * 7 % 5 < 2 ? -1.0 : 1.0) * (1 + double(i * 37 % 101) / 8); };
  const auto e2m1 = [](double v) { return code_of(kE2M1, round_to(kE2M1, v, Rounding::kNearestEven, Overflow::kSaturate)); };
  // Groups of 16 numbers with one scale, a power of two. The kernel quantizes number(source(i)) in the place of number(i).
  const auto rule = [&](const std::function<int64_t(int64_t)>& source, int64_t rows = 2) {
    const auto scale_of = [&](int64_t group, bool due) {
      double most = 0;
      for (int64_t i = group * 16; i < group * 16 + 16; ++i) most = std::max(most, std::abs(number(due ? i : source(i))));
      return std::exp2(std::ceil(std::log2(most / 6)) - (due ? 0 : 1));
    };
    const BytesHeld q(
        {rows, 32}, [&](int64_t i) { return e2m1(number(i) / scale_of(i / 16, true)); },
        [&](int64_t i) { return e2m1(number(source(i)) / scale_of(i / 16, false)); }, kE2M1);
    BytesHeld scale(
        {rows, 2}, [&](int64_t group) { return code_of(kF32, scale_of(group, true)); },
        [&](int64_t group) { return code_of(kF32, scale_of(group, false)); }, kF32);
    scale.whole.part.tensor = "scale";
    return rule_words(numbers_of_vectors(q.wrong(), {q.wrong(), scale.wrong()}));
  };
  EXPECT_THAT(rule([](int64_t i) { return i - i % 8 + i % 2; }),
              HasSubstr("q[i, j] holds the number of q[i, j - j mod 8 + j mod 2]: the first 2 of each 8 are repeated"));
  EXPECT_THAT(rule([](int64_t i) { return i ^ 1; }), HasSubstr("q[i, j] holds the number of q[i, j ^ 1]"));
  EXPECT_THAT(rule([](int64_t i) { return i % 4 == 1 ? i + 1 : i; }, 8), HasSubstr("the number of q[i, j + 1] where j mod 4 = 1"));
  EXPECT_EQ(rule([](int64_t i) { return i; }), "") << "only the scales are wrong";
  EXPECT_EQ(rule([](int64_t i) { return i / 16 * 16 + i * 11 % 16; }), "") << "another order";
  EXPECT_EQ(rule([](int64_t i) { return i == 5 ? i : i - i % 8 + i % 2; }), "") << "element 5 is read from its place";
}

TEST(PackedFields, OneWrongShiftOfAWordIsFound) {
  const auto due = [](int64_t i) { return uint32_t(120 + i * 5 % 11); };
  const auto packed = [&](const std::function<uint64_t(int64_t first)>& word) {
    const BytesHeld scale(
        {4, 16}, due, [&](int64_t i) { return uint32_t(word(i / 4 * 4) >> (i % 4 * 8) & 0xff); }, kE8M0);
    return rule_words(one_shift_of_a_word(scale.wrong()));
  };
  const auto others = [&](int64_t i) { return uint64_t(due(i)) | uint64_t(due(i + 1)) << 8 | uint64_t(due(i + 3)) << 24; };
  EXPECT_THAT(packed([&](int64_t i) { return others(i) | uint64_t(due(i + 2)) << 18; }),
              StartsWith("words of 4 codes, in which code 2 of each 4 is shifted left by 18 bits instead of 16"));
  EXPECT_EQ(packed([&](int64_t i) { return others(i); }), "") << "not packed: the code may be left out for another reason";
  EXPECT_EQ(packed([&](int64_t i) { return others(i) | uint64_t(due(i + 2) ^ 1) << 16; }), "") << "another code";
  EXPECT_EQ(packed([&](int64_t i) { return others(i) | uint64_t(due(i + 2)) << (i == 0 ? 18 : 17); }), "") << "two shifts";
}

TEST(Facts, ErrorsAtEqualStorageOffsetsAreFound) {
  const auto places = [](const std::function<bool(int64_t)>& is_wrong, int64_t rows = 65, int64_t columns = 5) {
    const BytesHeld q({rows, columns}, varied_byte, [&](int64_t i) { return is_wrong(i) ? 0xfeu : varied_byte(i); });
    return fact_words(flat_places(q.wrong()));
  };
  EXPECT_THAT(places([](int64_t i) { return i % 64 == 0 && i < 320; }), HasSubstr("storage offset is 0 mod 64"))
      << "not in the last vector";
  EXPECT_THAT(places([](int64_t i) { return i % 16 >= 12; }), HasSubstr("storage offset is 12..15 mod 16"));
  EXPECT_EQ(places([](int64_t i) { return i % 64 == 0 && i != 64 && i < 320; }), "") << "a right element in between";
  EXPECT_EQ(places([](int64_t i) { return i % 16 == 0; }, 4, 64), "") << "whole columns";
}

TEST(Facts, ErrorsWhereAnotherOutputIsZeroAreFound) {
  const auto zeros = [](const std::function<bool(int64_t)>& is_zero) {
    const BytesHeld q(
        {4, 32}, [](int64_t i) { return varied_byte(i) % 100; },
        [](int64_t i) { return i % 9 == 0 ? 119u : varied_byte(i) % 100; }, kE4M3Fn);
    const auto number = [&](int64_t i) { return is_zero(i) ? 0u : 0x3f80u + uint32_t(i); };
    BytesHeld residual({4, 32}, number, number, kBf16);
    residual.whole.part.tensor = "residual";
    return fact_words(where_an_output_is_zero(q.wrong(), {q.wrong(), residual.wrong()}));
  };
  EXPECT_EQ(zeros([](int64_t i) { return i % 9 == 0; }),
            "errors exactly where residual is 0: a value of 0 is rounded or encoded wrongly");
  EXPECT_EQ(zeros([](int64_t i) { return i % 9 == 0 || i == 1; }), "") << "a right element has the value 0";
  EXPECT_EQ(zeros([](int64_t i) { return i % 9 == 0 && i > 0; }), "") << "a wrong element has another value";
}

TEST(ScaledOffsets, ASumThatStartsFromOneIsFound) {
  Problem problem;
  for (const auto& [name, elements] : {std::pair("scale_a", 4), std::pair("scale_b", 32)}) {
    HostTensor scale{dense(name, Role::kInput, kF32, {elements}), std::vector<std::byte>(size_t(elements) * 4)};
    for (int64_t i = 0; i < elements; ++i) scale.set_code(i, code_of(kF32, std::ldexp(1.0 + double(i % 3) / 4, -2)));
    problem.tensors.push_back(std::move(scale));
  }
  const auto plus = [&](const std::function<double(int64_t i, double sa, double sb)>& by) {
    const auto number = [&](int64_t i, bool is_held) {
      const double sa = decode(kF32, problem.tensors[0].code(i / 32)), sb = decode(kF32, problem.tensors[1].code(i % 32));
      const double due = (double(varied_byte(i)) - 50) * sa * sb;
      return code_of(kF32, double(float(is_held ? due + by(i, sa, sb) : due)));
    };
    const BytesHeld d(
        {4, 32}, [&](int64_t i) { return number(i, false); }, [&](int64_t i) { return number(i, true); }, kF32);
    return rule_words(plus_scales(d.wrong(), problem));
  };
  EXPECT_EQ(plus([](int64_t, double sa, double sb) { return sa * sb; }),
            "the expected values plus scale_a * scale_b: the sum that is multiplied by them starts from 1 instead of 0");
  EXPECT_THAT(plus([](int64_t, double, double sb) { return -sb; }),
              StartsWith("the expected values minus scale_b: scale_b is not added"));
  EXPECT_EQ(plus([](int64_t, double sa, double sb) { return 1.3 * sa * sb; }), "");
  EXPECT_EQ(plus([](int64_t i, double sa, double sb) { return i % 5 == 0 ? sa : sa * sb; }), "") << "two differences";
}

/// A LayerNorm of eight rows: x, gamma and beta, and what plus_scales() and only_scaled() say of the stored numbers.
struct NormOfRows {
  int64_t columns;
  Problem problem = {};

  explicit NormOfRows(int64_t of_columns) : columns(of_columns) {
    const auto add = [&](const char* name, const std::vector<int64_t>& shape, const std::function<double(int64_t)>& of) {
      HostTensor tensor{dense(name, Role::kInput, kF32, shape), {}};
      tensor.bytes.resize(tensor.spec.bytes());
      for (int64_t i = 0; i < tensor.spec.elements(); ++i) tensor.set_code(i, code_of(kF32, of(i)));
      problem.tensors.push_back(std::move(tensor));
    };
    add("x", {8, columns}, [](int64_t i) { return double(varied_byte(i)) / 8 - 5; });
    add("gamma", {columns}, [](int64_t i) { return 0.5 + double(i % 5) / 4; });
    add("beta", {columns}, [](int64_t i) { return double(i % 3) / 2 + 0.25; });
  }
  double input(size_t tensor, int64_t i) const { return decode(kF32, problem.tensors[tensor].code(i)); }
  double due(int64_t i, bool with_mean = true) const {
    double mean = 0, squares = 0;
    const int64_t first = i / columns * columns;
    for (int64_t c = 0; c < columns && with_mean; ++c) mean += input(0, first + c) / double(columns);
    for (int64_t c = 0; c < columns; ++c) squares += std::pow(input(0, first + c) - mean, 2) / double(columns);
    return (input(0, i) - mean) / std::sqrt(squares + 1e-6) * input(1, i % columns);
  }
  using OfElement = std::function<double(int64_t i)>;
  BytesHeld made(const OfElement& due, const OfElement& held) const {
    const auto code = [](double value) {
      return code_of(kBf16, round_to(kBf16, value, Rounding::kNearestEven, Overflow::kSpecial));
    };
    return {{8, columns}, [&](int64_t i) { return code(due(i)); }, [&](int64_t i) { return code(held(i)); }, kBf16};
  }
};

TEST(StoredFormulas, AStageThatIsLeftOutIsFound) {
  for (const int64_t columns : {1, 16}) {
    const NormOfRows norm(columns);
    const auto beta = [&](int64_t i) { return norm.input(2, i % columns); };
    const auto scaled = [&](int64_t i) { return norm.input(0, i) * norm.input(1, i % columns); };
    const auto right = [&](int64_t i) { return norm.due(i) + beta(i); };
    const BytesHeld left_out = norm.made(right, [&](int64_t i) { return scaled(i) + beta(i); });
    EXPECT_EQ(rule_words(only_scaled(left_out.wrong(), norm.problem)),
              "x * gamma + beta: what is computed between x and the multiplication by gamma is left out, such as "
              "(x - mean) * r of a norm");
    EXPECT_EQ(rule_words(plus_scales(left_out.wrong(), norm.problem)), "") << "x is no scale, also with one column";
    const BytesHeld other = norm.made(right, [&](int64_t i) { return scaled(i) * (i % 3 == 0 ? 0.9 : 1) + beta(i); });
    EXPECT_EQ(rule_words(only_scaled(other.wrong(), norm.problem)), "") << columns;
  }
}

TEST(StoredFormulas, AFactorOfEachRowIsNoStage) {
  const NormOfRows norm(16);
  const auto scaled = [&](int64_t i) { return norm.input(0, i) * norm.input(1, i % 16); };
  const BytesHeld of_rows = norm.made([&](int64_t i) { return norm.due(i, false); }, scaled);
  EXPECT_EQ(rule_words(only_scaled(of_rows.wrong(), norm.problem)), "") << "an RMSNorm without r";
  const BytesHeld centered = norm.made([&](int64_t i) { return norm.due(i); }, scaled);
  EXPECT_THAT(rule_words(only_scaled(centered.wrong(), norm.problem)), StartsWith("x * gamma: what is computed between x"));
}

TEST(StoredFormulas, OneNumberThatIsAddedToAllElementsIsFound) {
  const NormOfRows norm(16);
  const auto due = [&](int64_t i) { return norm.due(i) * (i % 7 == 0 ? 400 : 4); };
  const auto words = [&](const NormOfRows::OfElement& held) {
    return rule_words(one_number_for_all(norm.made(due, held).wrong()));
  };
  EXPECT_THAT(words([&](int64_t i) { return due(i) - 1; }),
              StartsWith("the expected values minus 1 in every element, up to rounding: a sum of results, such as those of "
                         "split-K parts, starts from -1 instead of 0"));
  EXPECT_THAT(words([&](int64_t i) { return due(i) + 2; }), StartsWith("the expected values plus 2 in every element"));
  EXPECT_EQ(words([&](int64_t i) { return due(i) - (i < 64 ? 1 : 2); }), "") << "a number for each row";
  EXPECT_EQ(words([&](int64_t i) { return i == 78 ? due(i) : due(i) - 1; }), "") << "a right element without it";
  EXPECT_EQ(words([&](int64_t i) { return due(i) - 0.7; }), "") << "not a whole number";
}

TEST(InputEdits, AnInputThatNoRankAddsAndATileThatStartsWronglyAreTried) {
  Problem problem;
  problem.ranks = 2;
  for (int rank = 0; rank < 2; ++rank) {
    HostTensor x{dense("x", Role::kInput, kBf16, {32, 16}), std::vector<std::byte>(1024)};
    x.spec.rank = rank;
    for (int64_t i = 0; i < 512; ++i) x.set_code(i, uint32_t(0x3f80 + i));
    HostTensor y{dense("y", Role::kOutput, kBf16, {32, 16}), {}};
    y.spec.rank = rank;
    problem.tensors.push_back(std::move(x)), problem.tensors.push_back(std::move(y));
  }
  const std::vector<InputEdit> all = input_edits(problem, 1);
  const auto named = [&](const std::string& name) {
    return std::find_if(all.begin(), all.end(), [&](const InputEdit& edit) { return edit.name == name; });
  };
  const auto unread = named("x of all ranks: read as 0, or never added");
  ASSERT_NE(unread, all.end());
  const Problem without = unread->applied(problem);
  for (const size_t x : {0, 2}) EXPECT_EQ(without.tensors[x].code(77), 0u) << x;
  const auto tile = named("x: tile t of 8 rows is read starting at element 8 * t (the row pitch is left out) instead of 128 * t");
  ASSERT_NE(tile, all.end());
  EXPECT_EQ(tile->source(8, 0), std::pair(int64_t{0}, int64_t{8}));
  EXPECT_EQ(tile->source(17, 3), std::pair(int64_t{2}, int64_t{3}));
}

}  // namespace

// Rules about codes: each must recognize the mistake that it is made for, and stay silent where positions tell as much.

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

std::string class_words(const Output::Code& due, const Output::Code& held) {
  const Output output(kF16, {4, 64}, due, held);
  return rule_words(told_by_expected_class(output.wrong()));
}

/// Codes of f16: some zeros of either sign, some of Inf, other numbers.
uint32_t with_specials(int64_t i) {
  const uint32_t sign = i * i / 3 % 2 == 0 ? 0 : 0x8000u;
  if (i * i % 11 == 3) return sign;
  if (i * i % 13 == 4) return sign | 0x7c00u;
  return sign | uint32_t(0x3000 + i * 37 % 4096);
}

TEST(ExpectedClasses, NanForZerosIsNamed) {
  EXPECT_THAT(
      class_words(with_specials, [](int64_t i) { return (with_specials(i) & 0x7fffu) == 0 ? 0x7e00u : with_specials(i); }),
      StartsWith("NaN wherever 0 or -0 is expected, and every other element is right: the test that finds NaN"));
  EXPECT_THAT(class_words(with_specials, [](int64_t i) { return with_specials(i) == 0x7c00u ? 0xfc00u : with_specials(i); }),
              StartsWith("0xfc00 (-inf) wherever Inf is expected, and every other element is right: the sign is lost"));
}

TEST(ExpectedClasses, TheSignOfNumbersIsAClass) {
  EXPECT_THAT(class_words(with_specials, [](int64_t i) { return with_specials(i) < 0x8000u ? 0x7e00u : with_specials(i); }),
              StartsWith("NaN wherever a number without a minus sign is expected"));
}

TEST(ExpectedClasses, OneRightElementOfTheClassRefutesIt) {
  EXPECT_EQ(class_words(with_specials,
                        [](int64_t i) { return (with_specials(i) & 0x7fffu) == 0 && i > 40 ? 0x7e00u : with_specials(i); }),
            "");
  EXPECT_EQ(class_words(with_specials, [](int64_t i) { return i % 5 == 1 ? 0x7e00u : with_specials(i); }), "")
      << "other numbers, too";
  EXPECT_EQ(class_words([](int64_t i) { return i % 64 < 8 ? 0u : with_specials(i) | 0x3000u; },
                        [](int64_t i) { return i % 64 < 8 ? 0x7e00u : with_specials(i) | 0x3000u; }),
            "")
      << "these zeros have columns of their own";
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
