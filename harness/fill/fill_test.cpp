// Tests generators by name, and their random numbers.
#include "harness/fill/fill.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <xxhash.h>

#include <array>
#include <cmath>
#include <map>
#include <set>

#include "harness/core/tensor.h"
#include "harness/testing/fill_samples.h"
#include "reference/formats/catalogue.h"

namespace assay {
namespace {

using namespace assay::testing;

// Seeds, strides and names of generators, and digests of their bits.

TEST(Fill, AnExponentTakesEveryValueByAPowerOfTwo) {
  HostTensor plain{dense("x", Role::kInput, kBf16, {kRows, kColumns}), {}}, taken = plain;
  fill(plain, {.name = "pow2_edge", .seed = 1, .group_size = 128, .q = &kE4M3Fn});
  fill(taken, {.name = "pow2_edge", .seed = 1, .group_size = 128, .q = &kE4M3Fn, .exponent = -5});
  const std::vector<double> before = values(plain), after = values(taken);
  for (size_t i = 0; i < before.size(); ++i) ASSERT_EQ(after[i], before[i] / 32);
}

TEST(Fill, SeedAndTensorChangeTheBits) {
  EXPECT_EQ(filled("normal").bytes, filled("normal").bytes);
  EXPECT_NE(filled("normal").bytes, filled("normal", kBf16, &kE4M3Fn, 2).bytes);
  HostTensor other{dense("r", Role::kInput, kBf16, {kRows, kColumns}), {}};
  fill(other, {.name = "normal", .seed = 1, .tensor = 1});
  EXPECT_NE(other.bytes, filled("normal").bytes);
}

TEST(Fill, EachPartOfARequestChangesTheBits) {
  const TensorSpec spec = dense("x", Role::kInput, kBf16, {kRows, kColumns});
  const auto bytes = [](const TensorSpec& of, const FillRequest& request) {
    HostTensor tensor{of, {}};
    fill(tensor, request);
    return tensor.bytes;
  };
  const FillRequest plain{.name = "ends", .seed = 1, .group_size = 64, .q = &kE4M3Fn};
  const std::vector<std::byte> first = bytes(spec, plain);
  FillRequest other = plain;
  other.group_size = 128;
  EXPECT_NE(bytes(spec, other), first);
  other = plain, other.exponent = 1;
  EXPECT_NE(bytes(spec, other), first);
  EXPECT_NE(bytes(dense("x", Role::kInput, kF16, {kRows, kColumns}), plain), first);
  EXPECT_NE(bytes(dense("x", Role::kInput, kBf16, {kColumns, kRows}), plain), first);
  FillRequest ties{.name = "ties", .seed = 1, .group_size = 64, .q = &kE4M3Fn}, ties_of_other_codes = ties;
  ties_of_other_codes.q = &kE5M2;
  EXPECT_NE(bytes(spec, ties), bytes(spec, ties_of_other_codes));
  FillRequest rank{.name = "rank_overflow", .seed = 1, .rank = 0, .ranks = 2}, next = rank;
  next.rank = 1;
  EXPECT_NE(bytes(spec, rank), bytes(spec, next));
  EXPECT_EQ(bytes(spec, plain), first);
}

TEST(Fill, StridesAreFollowedAndPaddingIsNan) {
  HostTensor tensor{{"x", Role::kInput, &kBf16, {2, 3}, {1, 4}, 12}, {}};  // column-major; the last two storage elements of each
                                                                           // column are padding
  HostTensor plain{dense("x", Role::kInput, kBf16, {2, 3}), {}};
  fill(tensor, {.name = "ramp", .seed = 1});
  fill(plain, {.name = "ramp", .seed = 1});
  for (int64_t i = 0; i < 2; ++i) {
    for (int64_t j = 0; j < 3; ++j) EXPECT_EQ(tensor.code(i + 4 * j), plain.code(3 * i + j));
  }
  EXPECT_TRUE(std::isnan(decode(kBf16, tensor.code(2))));
}

TEST(Fill, AnUnknownNameListsAll) {
  try {
    filled("tyes");
    FAIL();
  } catch (const std::invalid_argument& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("unknown fill 'tyes'; did you mean 'ties'?"));
    EXPECT_THAT(error.what(), ::testing::HasSubstr("pinned_ties"));
  }
}

/// A tensor too large for memory is refused before memory is allocated or time is spent, even if its size overflows 64 bits.
TEST(Fill, ATensorBeyondTheMemoryIsNamedWithItsSize) {
  const auto refusal = [](std::vector<int64_t> shape) -> std::string {
    HostTensor x{dense("x", Role::kInput, kBf16, std::move(shape)), {}};
    try {
      fill(x, {.name = "normal", .seed = 1});
    } catch (const TooLargeError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_THAT(refusal({1 << 20, 1 << 30}), ::testing::StartsWith("does not fit into memory: tensor 'x' [1048576, 1073741824] of "
                                                                 "bf16: holds 2 PiB and needs 10 PiB here, too much for the "));
  EXPECT_EQ(
      refusal({3'000'000'000, 4'000'000'000}),
      "does not fit into memory: tensor 'x' [3000000000, 4000000000] of bf16: holds more than 8 EiB, too much for this machine");
  EXPECT_EQ(refusal({3'000'000'000, 0, 4'000'000'000}), "");
  EXPECT_EQ(refusal({2, 8}), "");
}

TEST(Fill, EmptyTensorsAreFine) {
  for (const FillInfo& info : all_fills()) {
    HostTensor tensor{dense("x", Role::kInput, kBf16, {0, 128}), {}};
    EXPECT_NO_THROW(fill(tensor, {.name = info.name, .seed = 1, .group_size = 128, .q = &kE4M3Fn})) << info.name;
  }
}

// XXH3 of the bytes that each generator writes to a bf16 tensor [8, 2048], for groups of 128, q e4m3fn and seed 1. A generator
// whose bits must change gets a new name.
const std::map<std::string, uint64_t>& pinned_digests() {
  static const std::map<std::string, uint64_t> digests = {
      {"swallowed", 0xc0aabbf75309e01e},
      {"edge_scales", 0x67e2c4b82984228d},
      {"subnormal", 0x8fa15f56849f674f},
      {"lowest", 0x898f2f638f4ee9a6},
      {"least_signs", 0xb82ab42b9662f18},
      {"one_in_the_middle", 0x4c4ce49ca4ddb962},
      {"one_in_the_middle_partner", 0x539ee35d95f24789},
      {"normal", 0x287a15d774e0609d},
      {"uniform01", 0xc65278477970db8d},
      {"wide", 0x5375fc30b512230d},
      {"ramp", 0x302db7612d7b3c26},
      {"zeros", 0x6f204300e8ff39c4},
      {"ones", 0x227f5f064e73d3a1},
      {"gamma", 0xb59e9b1e1ce3fa3c},
      {"ties", 0xf5d202f781aa6ae4},
      {"near_ties", 0x7fe1e27674947f4b},
      {"quiet", 0xff720f3468ee8f65},
      {"outliers", 0x2b3f79670ab9f52e},
      {"specials", 0x94efa326166b6acc},
      {"quiet_specials", 0xe64588acfdd805b5},
      {"every_code", 0x26d2d10f76b61b23},
      {"lone", 0x86adfc5c15caa0ed},
      {"steps", 0x18d2d57530996b09},
      {"distinct", 0x3878bc6e2105fa},
      {"pow2_edge", 0x42d47a5a5e4fc7a3},
      {"octaves", 0xa51929d8766e4d91},
      {"huge", 0x72124df7db4b595e},
      {"eps_dominated", 0x963a09a94fc2e5d3},
      {"pinned_ties", 0x4f0280f297cdb730},
      {"tie_weights", 0x88b20da4ae306a27},
      {"tie_weights_less_one", 0x72da3f74ce4ef161},
      {"scales", 0x1e9c43e2c9b8d8cc},
      {"pow2_scales", 0x194ad2ee8e04d2da},
      {"zero_points", 0x55b7150182c296e2},
      {"far_zero_points", 0x58574d1a94b4d509},
      {"extent_ties", 0x844c968a23962920},
      {"odd_ranges", 0x4276d6155cf6fe86},
      {"end_ranges", 0x4ffacb0bd8e68080},
      {"scales_of_seven", 0xe0f77f72268c38dd},
      {"uniform_bits", 0xb072c11711b0eb78},
      {"near_one", 0xac85a1807d93848c},
      {"half_zeros", 0x1417d14835225a44},
      {"mostly_zeros", 0x26e34efbebd27c02},
      {"tiny", 0xffaffdeb3ace43bd},
      {"near_overflow", 0xed86f547b8d89807},
      {"pairs", 0x9b8d1f2084c187a5},
      {"opposite_pairs", 0xbe93161b7f5a721e},
      {"zero_signs", 0xf64290862e85b3c4},
      {"kept_bit", 0x23567126b6b9d3a},
      {"kept_bit_partner", 0xca3166b427a5a826},
      {"least_bit", 0x6c8f822385046373},
      {"least_bit_partner", 0x1c03b309ade79980},
      {"half_ulp", 0xb2dcd7110868c409},
      {"half_ulp_partner", 0x770ddd9fccc3c00e},
      {"four_k", 0x2ca71dd42a97a416},
      {"zero_beside_tiny", 0xc51950a08c0c2e1c},
      {"huge_beside_tiny", 0x8062d3d2b02e3611},
      {"subnormal_pairs", 0x46513deece33988c},
      {"subnormal_pairs_partner", 0xdc6a6bbd62a0f910},
      {"far_below_one", 0xfdd0b85f420b5d80},
      {"zero_beside_least", 0xdab394bf2a050437},
      {"huge_beside_least", 0xc6a4a2c04f134250},
      {"far_scales", 0xe77e0ecc8a408986},
      {"low_scales", 0xebb525d1bafc9ab7},
      {"end_scales", 0x41a9d723ca92a49a},
      {"nan_beside_huge", 0x61a82a73bd0d35b4},
      {"half_tenfold", 0xf01550c4af909eea},
      {"row_octaves", 0x6976f0799da226a8},
      {"infinities", 0x3779833b14f735f9},
      {"exponent_rules", 0x7e3a402bfe28ac8f},
      {"every_scale", 0x92f94b1ac2dd6cb3},
      {"lone_mantissa", 0xc87daaf3be23ad89},
      {"gate_open", 0x5f05efe41f811102},
      {"gate_closed", 0xc9702c7ad32a7383},
      {"off_center", 0xc42de2ec7b37d00d},
      {"amax_scaled", 0xa676402419eef140},
      {"amax_scaled_positive", 0x477eedceb0d07da7},
      {"few_maxima", 0xc74194032df0852},
      {"exact_sums", 0xfd8a269bbec20f3d},
      {"block_outliers", 0xfbcd707e4dee0556},
      {"codes_with_nans", 0x65b500d312600ec9},
      {"rank_counts", 0x1992e7795299425d},
      {"ranks_alike", 0x5401cbd62d13146f},
      {"rank_integers", 0xe2342c9b95220fd2},
      {"rank_cancel", 0xff5df482f1451e5a},
      {"rank_overflow", 0x1f6abb2311a74f17},
      {"rank_specials", 0x8fd13b33149a8c1b},
      {"equal_pairs", 0x87eb716cc447afc5},
      {"cancelling_pairs", 0xfd16cebc45b7d356},
      {"amax_scales", 0xbd1dfe80fe3c4ebb},
      {"about_64", 0x3de48a91dbab4f40},
      {"one_hot_rows", 0xc58f41101b59cebc},
      {"codes_in_turn", 0x851556e87fd43605},
      {"ends", 0xdeae6d2e52a99824},
      {"spoiled_rows", 0xe7c4b5c24aedd92b},
      {"equal_blocks", 0xf8b4cdb2ae61f1b9},
      {"opposite_blocks", 0x36bd42c58cf75227},
      {"paired_scales", 0x5dc37a3053dc65f2},
  };
  return digests;
}

TEST(Fill, BitsNeverChange) {
  for (const FillInfo& info : all_fills()) {
    const HostTensor tensor = filled(info.name);
    const uint64_t digest = XXH3_64bits(tensor.bytes.data(), tensor.bytes.size());
    const auto pinned = pinned_digests().find(info.name);
    const uint64_t expected = pinned == pinned_digests().end() ? 0 : pinned->second;
    EXPECT_EQ(expected, digest) << "{\"" << info.name << "\", 0x" << std::hex << digest << "},";
  }
}

/// AMD's quantization kernels ignore a quiet NaN in a maximum, but not a signalling one (reference/contracts/CORRECTIONS.md). No
/// arithmetic returns a signalling NaN, so few generators write one, and cases of AMD's kernels use none of these.
TEST(Fill, FewGeneratorsHaveASignallingNan) {
  const auto signalling = [](const std::string& name, const Format& format, uint32_t quiet, uint32_t infinity) {
    const HostTensor tensor = filled(name, format);
    int64_t count = 0;
    for (int64_t i = 0; i < tensor.spec.elements(); ++i) {
      const uint32_t magnitude = tensor.code(i) & ((1u << (format.bits - 1)) - 1);
      count += magnitude > infinity && (magnitude & quiet) == 0;
    }
    return count;
  };
  for (const FillInfo& info : all_fills()) {
    const std::set<std::string> with_some = {"specials", "nan_beside_huge", "odd_ranges", "end_ranges"};
    EXPECT_EQ(signalling(info.name, kBf16, 0x40, 0x7F80) != 0, with_some.contains(info.name)) << info.name;
  }
}

using Block = std::array<uint32_t, 4>;

// Source: kat_vectors of Random123 1.14 (D. E. Shaw Research), rows "philox4x32 10".
TEST(Philox, PublishedKnownAnswers) {
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}), (Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr uint32_t kOnes = 0xffffffff;
  EXPECT_EQ(philox4x32({kOnes, kOnes, kOnes, kOnes}, {kOnes, kOnes}), (Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, OneBitOfTheKeyChangesTheAnswer) { EXPECT_NE(philox4x32({0, 0, 0, 0}, {1, 0}), philox4x32({0, 0, 0, 0}, {0, 0})); }

TEST(Random, SeedStreamIndexAndLaneAllMatter) {
  const Random random(7, 0);
  EXPECT_EQ(random.block(5, 1), Random(7, 0).block(5, 1));
  EXPECT_NE(random.block(5), Random(8, 0).block(5));
  EXPECT_NE(random.block(5), Random(7 + (uint64_t{1} << 32), 0).block(5));
  EXPECT_NE(random.block(5), Random(7, 1).block(5));
  EXPECT_NE(random.block(5), random.block(6));
  EXPECT_NE(random.block(5), random.block(5 + (int64_t{1} << 32)));
  EXPECT_NE(random.block(5), random.block(5, 1));
}

TEST(Random, NormalHasMeanZeroAndVarianceOne) {
  const Random random(1, 0);
  constexpr int kCount = 100000;
  double sum = 0, squares = 0;
  for (int i = 0; i < kCount; ++i) {
    const double x = random.normal(i);
    sum += x;
    squares += x * x;
  }
  EXPECT_LT(std::fabs(sum / kCount), 5 / std::sqrt(double(kCount)));
  EXPECT_LT(std::fabs(squares / kCount - 1), 5 * std::sqrt(2.0 / kCount));
}

TEST(Random, ManyNormalsAreThoseOfTheirIndices) {
  const Random random(3, 4);
  for (const int64_t first : {int64_t{0}, int64_t{5}, (int64_t{1} << 32) - 9})
    for (const size_t count : {0, 1, 15, 16, 17, 40}) {
      std::vector<double> many(count, -1), expected;
      random.normals(first, many);
      for (size_t i = 0; i < count; ++i) expected.push_back(random.normal(first + int64_t(i)));
      EXPECT_EQ(many, expected) << count << " from " << first;
    }
}

TEST(NearestCode, EveryFiniteCodeOfEveryNarrowFormatIsItsOwnNearest) {
  for (const Format& format : all_formats()) {
    if (format.bits > 16) continue;
    for (uint32_t code = 0; code < format.code_count(); ++code) {
      const double value = decode(format, code);
      if (!std::isfinite(value)) continue;
      EXPECT_EQ(nearest_code(format, value), code) << format.name;
    }
  }
}

TEST(NearestCode, TiesGoToTheEvenCodeAndNeighboursOfTiesDoNot) {
  for (const Format& format : {kE4M3Fn, kE4M3Fnuz, kE5M2, kBf16, kF16}) {
    const int32_t largest = ordinal_of_value(format, max_finite(format));
    for (int32_t o = 0; o < largest; ++o) {
      const double a = decode(format, code_from_ordinal(format, o)), b = decode(format, code_from_ordinal(format, o + 1));
      const double middle = (a + b) / 2;
      EXPECT_EQ(nearest_code(format, middle), uint32_t(o % 2 == 0 ? o : o + 1)) << format.name << " " << o;
      EXPECT_EQ(nearest_code(format, std::nextafter(middle, a)), uint32_t(o)) << format.name;
      EXPECT_EQ(nearest_code(format, std::nextafter(middle, b)), uint32_t(o + 1)) << format.name;
    }
  }
}

TEST(NearestCode, SaturatesAndKeepsSpecials) {
  EXPECT_EQ(decode(kE4M3Fn, nearest_code(kE4M3Fn, 1e9)), 448);
  EXPECT_EQ(decode(kBf16, nearest_code(kBf16, -1e300)), -max_finite(kBf16));
  EXPECT_EQ(decode(kBf16, nearest_code(kBf16, -HUGE_VAL)), -HUGE_VAL);
  EXPECT_EQ(decode(kE4M3Fn, nearest_code(kE4M3Fn, HUGE_VAL)), 448) << "no Inf in this format";
  EXPECT_TRUE(std::isnan(decode(kE4M3Fnuz, nearest_code(kE4M3Fnuz, std::nan("")))));
  EXPECT_EQ(nearest_code(kE4M3Fnuz, -0.0), 0u) << "no -0 in this format";
  EXPECT_EQ(nearest_code(kE4M3Fn, -0.0), 0x80u);
  EXPECT_EQ(nearest_code(kInt8, 2.5), 2u);
  EXPECT_EQ(nearest_code(kInt8, -1e9), 0x80u);
  EXPECT_EQ(nearest_code(kE8M0, 1.5), 127u) << "halfway goes down to 1";
  EXPECT_EQ(nearest_code(kE8M0, 0.0), 0u);
}

TEST(NearestCode, AgreesWithTheHardwareOnF32) {
  const Random random(3, 0);
  for (int i = 0; i < 100000; ++i) {
    const double x = random.normal(i) * std::ldexp(1.0 + random.uniform(i), int(random.below(300, i, 1)) - 160);
    const float expected = float(x);
    if (!std::isfinite(expected)) continue;
    EXPECT_EQ(decode(kF32, nearest_code(kF32, x)), double(expected));
  }
}

}  // namespace
}  // namespace assay
