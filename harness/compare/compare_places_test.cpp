// Where elements are stored: several parts in one buffer, offsets, padding, unwritten bytes, 4-bit codes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "harness/compare/compare.h"
#include "harness/compare/ordinals.h"
#include "harness/fill/philox.h"
#include "harness/testing/compare_codes.h"
#include "harness/testing/whole_part.h"
#include "reference/formats/catalogue.h"

namespace assay {
namespace {

using namespace compare_codes;
using testing::compare_part;
using testing::listed;
using testing::whole_part;

/// A 12-byte record: two codes, a scale, a 16-bit number, and two unused bytes at the end.
HostTensor record_of(float scale) {
  HostTensor cache{dense("cache", Role::kOutput, kUint8, {1, 12}), {}};
  cache.bytes = {std::byte{0x38}, std::byte{0x40}, {},           {},          {}, {}, {}, {},
                 std::byte{0x80}, std::byte{0x3f}, std::byte{7}, std::byte{9}};
  std::memcpy(cache.bytes.data() + 4, &scale, sizeof scale);
  return cache;
}

TEST(ComparePlaces, PartsOfOneBufferHaveFormatsAndNamesOfTheirOwn) {
  const auto part = [](const char* name, const Format& format, std::vector<int32_t> low, std::vector<int64_t> offsets) {
    const auto columns = int64_t(low.size());
    WholePart whole = whole_part(format, {1, columns}, std::move(low), {}, "", "cache");
    whole.part.name = name;
    whole.part.places = listed(std::move(offsets), columns);
    return whole;
  };
  const WholePart codes = part("codes", kE4M3Fn, {ordinal(kE4M3Fn, 0x38), ordinal(kE4M3Fn, 0x40)}, {0, 1});
  const WholePart number = part("number", kBf16, {ordinal_of_value(kBf16, 1)}, {4});
  WholePart scale = part("scale", kF32, {ordinal_of_value(kF32, 0.5)}, {1}), rest = part("rest", kUint8, {7, 9}, {10, 11});
  scale.part.row_number = [](int64_t) { return 42; };
  for (const WholePart* one : std::initializer_list<const WholePart*>{&codes, &scale, &number, &rest})
    EXPECT_TRUE(compare_part(*one, record_of(0.5f)).agrees());
  for (const WholePart* one : std::initializer_list<const WholePart*>{&codes, &number, &rest})
    EXPECT_TRUE(compare_part(*one, record_of(0.75f)).agrees());
  const TensorFinding wrong = compare_part(scale, record_of(0.75f));
  EXPECT_EQ(wrong.outside, 1);
  EXPECT_EQ(wrong.name, "cache.scale");
  EXPECT_EQ(wrong.first.at, (std::array<int64_t, 2>{42, 0})) << "reports say the row's own number";
  EXPECT_EQ(wrong.first.value, 0.75);
  rest.low[1] = 8;
  EXPECT_EQ(compare_part(rest, record_of(0.5f)).first.value, 9) << "a byte is its pattern";
  scale.part.places = listed({3}, 1);
  EXPECT_THROW(compare_part(scale, record_of(0.5f)), std::logic_error) << "beyond the last whole fp32 of the buffer";
}

TEST(ComparePlaces, APictureCountsRowsWhateverTheirNumbers) {
  WholePart expected = pinned(kE4M3Fn, {0x38, 0x38, 0x38, 0x38});
  expected.part.shape = {2, 2};
  expected.part.row_number = [](int64_t row) { return 700 + 200 * row; };
  const TensorFinding finding = compare_part(expected, tensor_of(kE4M3Fn, {0x38, 0x38, 0x38, 0x40}));
  EXPECT_EQ(finding.worst.at, (std::array<int64_t, 2>{900, 1}));
  EXPECT_EQ(finding.picture->outside, (std::vector<int32_t>{0, 0, 0, 1}));
  EXPECT_EQ(finding.picture->around.size(), 2u);
}

TEST(ComparePlaces, FirstAndWorstInALargeTensor) {
  std::vector<uint32_t> codes(100000, 0x3f80);
  WholePart expected = pinned(kBf16, codes);
  expected.part.shape = {100, 1000};
  EXPECT_TRUE(compare_part(expected, tensor_of(kBf16, codes)).agrees());
  codes[5003] = 0x3f81;
  codes[77007] = 0x3f70;
  codes[99999] = 0x3f7f;
  const TensorFinding finding = compare_part(expected, tensor_of(kBf16, codes));
  EXPECT_EQ(finding.outside, 3);
  EXPECT_EQ(finding.first.at, (std::array<int64_t, 2>{5, 3}));
  EXPECT_EQ(finding.worst.at, (std::array<int64_t, 2>{77, 7}));
  EXPECT_EQ(finding.worst_ulps, 16);
  EXPECT_EQ(finding.elements, 100000);
  EXPECT_EQ(finding.single_code, 100000);
}

TEST(ComparePlaces, IntegersCountAcrossZero) {
  EXPECT_TRUE(compare_values(kInt8, -1, -1).agrees());
  EXPECT_EQ(compare_values(kInt8, 1, -1).worst_ulps, 2);
  EXPECT_EQ(compare_values(kInt8, 0, -1).first.ulps, -1);
}

TEST(ComparePlaces, OffsetsLeadToTheStorage) {
  // Column-major [2, 2]; each column takes 3 elements of storage.
  WholePart expected = pinned(kE8M0, {1, 2, 3, 4});
  expected.part.shape = {2, 2};
  expected.part.places = listed({0, 3, 1, 4}, 2);
  EXPECT_TRUE(compare_part(expected, tensor_of(kE8M0, {1, 3, 99, 2, 4, 99})).agrees());
  EXPECT_EQ(compare_part(expected, tensor_of(kE8M0, {1, 2, 99, 3, 4, 99})).outside, 2) << "transposed";
  expected.part.places = Places::of_rows([](int64_t row) { return 4 * row; });
  EXPECT_TRUE(compare_part(expected, tensor_of(kE8M0, {1, 2, 99, 99, 3, 4})).agrees()) << "rows with gaps";
  EXPECT_EQ(compare_part(expected, tensor_of(kE8M0, {1, 2, 3, 4, 99, 99})).outside, 2);
}

TEST(ComparePlaces, PackedScalesAreReadFromAnInt32Tensor) {
  const HostTensor packed = tensor_of(kInt32, {0x04030201});
  EXPECT_TRUE(compare_part(pinned(kE8M0, {1, 2, 3, 4}), packed).agrees());
  EXPECT_EQ(compare_part(pinned(kE8M0, {4, 3, 2, 1}), packed).outside, 4) << "byte order";
}

TEST(ComparePlaces, PaddingRules) {
  const auto with = [](PaddingRule rule, uint32_t code, const std::vector<ByteRange>& untouched) {
    WholePart expected = pinned(kE8M0, {1});
    expected.part.padding = [rule](const auto& visit) { visit({1, {0, 1}, rule}); };
    return compare_part(expected, tensor_of(kE8M0, {1, code}), untouched);
  };
  EXPECT_TRUE(with(PaddingRule::kZero, 0, {}).agrees());
  EXPECT_EQ(with(PaddingRule::kZero, 5, {}).padding_wrong, 1);
  EXPECT_EQ(with(PaddingRule::kZero, 5, {}).padding_first, "[0, 1] holds 0x05 = 1.88079096e-37, must be zero");
  EXPECT_FALSE(with(PaddingRule::kZero, 5, {}).agrees());
  EXPECT_TRUE(with(PaddingRule::kUntouched, 0xff, {{1, 2}}).agrees());
  EXPECT_FALSE(with(PaddingRule::kUntouched, 0xff, {}).agrees());
  EXPECT_FALSE(with(PaddingRule::kUntouched, 0xff, {{0, 1}}).agrees());
  EXPECT_THAT(with(PaddingRule::kUntouched, 0xff, {}).padding_first, ::testing::HasSubstr("must be left untouched"));
  EXPECT_TRUE(with(PaddingRule::kFree, 0x42, {}).agrees());
}

TEST(Unwritten, CountsElementsOfWhichAByteIsUntouched) {
  Part part = pinned(kBf16, {1, 2, 3, 4}).part;
  part.shape = {2, 2};
  const TensorSpec spec = dense("q", Role::kOutput, kBf16, {2, 8});
  EXPECT_EQ(unwritten_elements(part, spec, {}).elements, 0);
  const Unwritten found = unwritten_elements(part, spec, {{5, 7}});
  EXPECT_EQ(found.elements, 2);
  EXPECT_EQ(found.first, (std::array<int64_t, 2>{1, 0}));
  part.places = listed({0, 1, 2, 10}, 2);
  EXPECT_EQ(unwritten_elements(part, spec, {{6, 20}}).elements, 0) << "padding may stay as it was";
  EXPECT_EQ(unwritten_elements(part, spec, {{6, 21}}).elements, 1);
}

/// Packed 4-bit codes, two in a byte: with five codes a row, the second row begins in the middle of a byte.
TEST(Packed, CodesOfHalfABytesAreComparedOneByOne) {
  WholePart expected = whole_part(kE2M1, {2, 5}, {}, {}, "pinned: one code");
  HostTensor tensor{dense("q", Role::kOutput, kE2M1, {2, 5}), {}};
  tensor.spec.packed = true;
  tensor.bytes.resize(tensor.spec.bytes());
  for (uint32_t i = 0; i < 10; ++i) {
    tensor.set_code(i, (3 * i + 1) % 8);
    expected.low.push_back(ordinal(kE2M1, (3 * i + 1) % 8));
  }
  EXPECT_EQ(compare_part(expected, tensor).outside, 0);
  for (int64_t wrong = 0; wrong < 10; ++wrong) {
    HostTensor other = tensor;
    other.set_code(wrong, tensor.code(wrong) ^ 8u);
    const TensorFinding finding = compare_part(expected, other);
    ASSERT_EQ(finding.outside, 1);
    EXPECT_EQ(finding.worst.at, (std::array<int64_t, 2>{wrong / 5, wrong % 5}));
    EXPECT_EQ(finding.worst.code, tensor.code(wrong) ^ 8u);
  }
  EXPECT_EQ(unwritten_elements(expected.part, tensor.spec, {{2, 3}}).elements, 2) << "a byte that is untouched is two elements";
  EXPECT_EQ(unwritten_elements(expected.part, tensor.spec, {{2, 3}}).first, (std::array<int64_t, 2>{0, 4}));
  expected.part.shape = {2, 6};
  expected.low.resize(12);
  EXPECT_THROW(compare_part(expected, tensor), std::logic_error) << "ten codes are stored";
}

}  // namespace
}  // namespace assay
