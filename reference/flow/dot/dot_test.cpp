// Orders along k and weight layouts in GEMM contracts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <string>

#include "reference/flow/dot/dot_contract.h"
#include "reference/flow/dot/dot_mutants.h"
#include "reference/flow/dot/dot_predict.h"
#include "reference/flow/shuffle/shuffle.h"
#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"

namespace assay {

// Orders along k, and builds that flush, on the smallest inputs that tell them apart.

namespace {

using ::testing::ElementsAre;

TEST(KOrder, LanesTakeNeighboursFromPlacesThatLieApart) {
  const auto first_of_eights = [](const KOrder& order) {
    std::vector<int64_t> all;
    for (int64_t place = 0; place < order.period(); place += 8) all.push_back(order.product_at(place));
    return all;
  };
  // composable_kernel's instance 49 in AITER, executed with one-hot operands: k is 0-7, 32-39, 64-71, 96-103, then 8-15, ...
  EXPECT_THAT(first_of_eights({4, 8, 32}), ElementsAre(0, 32, 64, 96, 8, 40, 72, 104, 16, 48, 80, 112, 24, 56, 88, 120));
  EXPECT_THAT(first_of_eights({4, 8, 16}), ElementsAre(0, 16, 32, 48, 8, 24, 40, 56));
  EXPECT_THAT(first_of_eights({2, 8, 32}), ElementsAre(0, 32, 8, 40, 16, 48, 24, 56));
  EXPECT_EQ(KOrder({4, 8, 32}).product_at(128 + 9), 128 + 33);
  EXPECT_EQ(KOrder().product_at(77), 77);
}

TEST(KOrder, WhatLiesBeyondKIsZero) {
  std::vector<std::byte> codes(40);
  for (size_t i = 0; i < codes.size(); ++i) codes[i] = std::byte(i + 1);
  UnitFactor factor;
  factor.codes = codes.data(), factor.pitch = 40;
  const std::vector<std::byte> ordered = in_order({4, 8, 16}, factor, 1, 40);
  ASSERT_EQ(ordered.size(), 64u);
  EXPECT_EQ(ordered[16], std::byte(33)) << "place 16 is the third group of lanes: product 32";
  EXPECT_EQ(ordered[24], std::byte(0)) << "product 48";
  EXPECT_EQ(std::count(ordered.begin(), ordered.end(), std::byte(0)), 24);
}

/// Two parts of 80 products: the second part begins with product 80, and each part is padded to whole periods of 64.
TEST(KOrder, BeginsAnewWithEachPart) {
  KOrder order{4, 8, 16};
  order.part = 80;
  EXPECT_EQ(order.places(160), 256);
  EXPECT_EQ(order.places(100), 128 + 64);
  EXPECT_EQ(order.product_at(8), 16);
  EXPECT_EQ(order.product_at(128 + 8), 80 + 16);
  EXPECT_EQ(order.product_at(64 + 32), 72) << "the second group of eights of the second period";
  EXPECT_EQ(order.product_at(64 + 8), KOrder::kZero) << "product 80 belongs to the next part";
}

/// One row of a and one of b: `products` lists the k whose elements are nonzero, and their values.
struct Factors {
  struct At {
    int64_t k;
    double a, b;
  };
  std::vector<std::byte> a, b;
  Factors(const Format& format, const std::vector<At>& products) : a(128), b(128) {
    for (const At& at : products) {
      a[size_t(at.k)] = std::byte(code_of(format, at.a));
      b[size_t(at.k)] = std::byte(code_of(format, at.b));
    }
  }
};

DotContract contract_of(const std::string& id) {
  static const ContractTables contracts = ContractTables::load("reference/contracts");
  static const UnitTable units = UnitTable::load_folder("reference/contracts");
  return read_dot(contracts.find(id), contracts, units);
}

DotInputs inputs_of(const Factors& factors, double sa, double sb) {
  DotInputs inputs;
  inputs.product.a.codes = factors.a.data(), inputs.product.b.codes = factors.b.data();
  inputs.product.a.pitch = inputs.product.b.pitch = inputs.product.k = 128;
  inputs.m = inputs.n = 1;
  inputs.scale_a.values = {sa}, inputs.scale_b.values = {sb};
  return inputs;
}

double result(const DotContract& contract, const DotInputs& inputs, const Format& y = kBf16) {
  return DotRows(contract, dot_programs(contract, 128).front(), inputs, y).rows(0, 1).low[0];
}

/// 240 * 240 and -240 * 240 are in two instructions. 2^-10 is in the same instruction as one of them, and is truncated there.
/// With ascending k, all three are in one instruction.
TEST(KOrder, ASmallProductIsLostWhereLargeOnesMeetItAlone) {
  const Factors factors(kE4M3Fnuz, {{0, 240, 240}, {1, 0x1p-5, 0x1p-5}, {8, -240, 240}});
  const DotInputs inputs = inputs_of(factors, 1, 1);
  for (const char* id : {"aiter.ck_gemm_a8w8.gfx942", "aiter.ck_gemm_a8w8_bpreshuffle.gfx942",
                         "aiter.ck_gemm_a8w8_blockscale.gfx942", "aiter.opus_gemm_a8w8_blockscale_rz.gfx942"}) {
    DotContract contract = contract_of(id);
    EXPECT_EQ(result(contract, inputs), 0) << id;
    contract.orders.clear();
    EXPECT_EQ(result(contract, inputs), 0x1p-10) << id;
  }
  // Unknown kernel instance: 0 if 2^-10 shares an instruction with only one of the large products, otherwise 2^-10.
  const Spans any = UnknownDotRows(contract_of("assay.unknown_fp8_row_lanes.gfx942"), inputs, kBf16).values({0, 1, 0, 1});
  EXPECT_LE(any.low[0], 0);
}

TEST(KOrder, AnUnknownUnitMayHaveTheOrderOfAnyInstance) {
  const Factors factors(kE4M3Fn, {{0, 240, 240}, {8, -240, 240}, {32, 0x1p-5, 0x1p-5}});
  const DotInputs inputs = inputs_of(factors, 1, 1);
  for (const char* id :
       {"aiter.ck_gemm_a8w8.gfx950", "aiter.ck_gemm_a8w8_blockscale.gfx950", "assay.unknown_fp8_row_lanes.gfx950"}) {
    const DotContract contract = contract_of(id);
    const Spans spans = UnknownDotRows(contract, inputs, kBf16).values({0, 1, 0, 1});
    for (const DotContract& member : contract.members)
      if (member.unit.id.ends_with(":as_gfx942"))
        for (const DotProgram& program : dot_programs(member, 128)) {
          const double made = DotRows(member, program, inputs, kBf16).rows(0, 1).low[0];
          EXPECT_LE(spans.low[0], made) << id << " " << program.name;
          EXPECT_GE(spans.high[0], made) << id << " " << program.name;
        }
  }
}

/// Variants share sums, and results that another variant already has are left out. The intervals cover all variants.
TEST(KOrder, AnUnknownUnitHasTheResultsOfEveryInstanceAndNoOthers) {
  for (const char* id :
       {"aiter.ck_gemm_a8w8.gfx950", "aiter.ck_gemm_a8w8_split_k.gfx950", "aiter.ck_gemm_a8w8_blockscale.gfx950"})
    for (const int last : {3, 40, 127}) {
      const Factors factors(kE4M3Fn, {{0, 240, 240}, {1, 0x1p-5, 0x1p-5}, {2, -240, 240}, {last, 0x1p-3, 1.125}});
      const DotInputs inputs = inputs_of(factors, 1, 1);
      const DotContract contract = contract_of(id);
      std::optional<Span> hull;
      for (const DotContract& member : contract.members)
        for (const DotProgram& program : dot_programs(member, 128)) {
          const Span one = DotRows(member, program, inputs, kBf16, DotSums::kReplayed).values({0, 1, 0, 1})[0];
          hull = hull ? either(*hull, one) : one;
        }
      const Span all = UnknownDotRows(contract, inputs, kBf16).values({0, 1, 0, 1})[0];
      EXPECT_EQ(all.low, hull->low) << id << " " << last;
      EXPECT_EQ(all.high, hull->high) << id << " " << last;
    }
}

TEST(Flush, SubnormalScalesSumsAndResultsAreZeros) {
  const Factors one(kE4M3Fnuz, {{0, 1, 1}}), small(kE4M3Fnuz, {{0, 0x1p-5, 0x1p-5}});
  for (const char* id :
       {"aiter.ck_gemm_a8w8.gfx942", "aiter.ck_gemm_a8w8_bpreshuffle.gfx942", "aiter.ck_gemm_a8w8_blockscale.gfx942"}) {
    DotContract contract = contract_of(id);
    EXPECT_EQ(result(contract, inputs_of(one, 0x1p-65, 0x1p-65)), 0) << id;
    EXPECT_EQ(result(contract, inputs_of(one, 0x1p20, 0x1p-130)), 0) << id << ": a subnormal scale";
    contract.flushes = false;
    EXPECT_EQ(result(contract, inputs_of(one, 0x1p-65, 0x1p-65)), 0x1p-130) << id;
  }
  // If the scales are applied one after the other, the result between them is subnormal; the product of both scales is normal.
  EXPECT_EQ(result(contract_of("aiter.ck_gemm_a8w8.gfx942"), inputs_of(small, 0x1p20, 0x1p-120)), 0);
  EXPECT_EQ(result(contract_of("aiter.ck_gemm_a8w8_blockscale.gfx942"), inputs_of(small, 0x1p20, 0x1p-120)), 0x1p-110);
}

TEST(Unsplit, APlusZeroIsAddedByTheMultiplication) {
  const Factors minus(kE4M3Fn, {{0, -1, 1}}), tiny(kE4M3Fn, {{0, -0x1p-9, 0x1p-9}});
  const DotInputs zero = inputs_of(minus, 0x1p-100, 0x1p-100), small = inputs_of(tiny, 0x1p-70, 0x1p-70);
  for (const char* id : {"torch.scaled_mm_tensor_fast.sm_90", "torch.scaled_mm_tensor.sm_90"}) {
    DotContract contract = contract_of(id);
    EXPECT_FALSE(std::signbit(result(contract, zero, kF32))) << id << ": -0 + 0";
    EXPECT_TRUE(std::signbit(result(contract, small, kF32))) << id << ": -2^-158 + 0, rounded once";
    EXPECT_TRUE(std::signbit(DotRows(contract, {.part = 64, .name = ""}, zero, kF32).rows(0, 1).low[0])) << id << ": k is split";
    contract.adds_zero = false;
    EXPECT_TRUE(std::signbit(result(contract, zero, kF32))) << id << ": the former reading";
  }
  EXPECT_TRUE(std::signbit(result(contract_of("torch.scaled_mm_tensor.sm_89"), zero, kF32))) << "not measured there";
  const Spans any = UnknownDotRows(contract_of("assay.unknown_fp8_tensor.sm_90"), zero, kF32).values({0, 1, 0, 1});
  EXPECT_TRUE(std::signbit(any[0].low) && !std::signbit(any[0].high)) << "an unknown kernel may add a zero or not";
}

TEST(OneBlock, MayBeScaledLikeScalesPerTokenAndChannel) {
  const Factors factors(kE4M3Fn, {{0, 1.125, 1.125}});
  const double sa = 1 + 0x1p-23, sb = 1 + 0x1p-18;
  const double sum = 1.265625, want = double(float(double(float(sum * sb)) * sa)),
               other = double(float(double(float(sum * sa)) * sb));
  ASSERT_NE(want, other);
  DotContract contract = contract_of("torch.scaled_mm_1x128_1x128.sm_90");
  const DotInputs inputs = inputs_of(factors, sa, sb);
  const std::vector<DotProgram> programs = dot_programs(contract, 128);
  ASSERT_EQ(programs.size(), 2u);
  EXPECT_EQ(DotRows(contract, programs[0], inputs, kF32).rows(0, 1).low[0], want) << "M 60, N 384";
  EXPECT_EQ(DotRows(contract, programs[1], inputs, kF32).rows(0, 1).low[0], other) << "M 65, N 8";
  contract.one_block.clear();
  EXPECT_EQ(result(contract, inputs, kF32), other) << "the former reading";
}

TEST(OneBlock, EndsWithTheFirstBlock) {
  const DotContract contract = contract_of("torch.scaled_mm_1x128_1x128.sm_90");
  EXPECT_TRUE(contract.may_scale_alone(128));
  EXPECT_FALSE(contract.may_scale_alone(129));
  EXPECT_FALSE(contract_of("torch.scaled_mm_1x128_128x128.sm_90").may_scale_alone(128));
}

TEST(Flush, OpusCutsBf16Off) {
  const Factors factors(kE4M3Fnuz, {{0, 1, 1}, {1, 0x1p-4, 0x1p-4}, {2, 0x1p-5, 0x1p-4}});
  const DotInputs inputs = inputs_of(factors, 1, 1);
  EXPECT_EQ(result(contract_of("aiter.opus_gemm_a8w8_blockscale_rz.gfx942"), inputs), 1);
  EXPECT_EQ(result(contract_of("aiter.opus_gemm_a8w8_blockscale_bpreshuffle_rz.gfx942"), inputs), 1);
  EXPECT_EQ(result(contract_of("aiter.ck_gemm_a8w8_blockscale.gfx942"), inputs), 0x1.02p0);
}

// Mutants with a wrong operator in the steps after the sum.

TEST(ResultSlips, OtherOperatorsAreSuspects) {
  const DotContract right = contract_of("vllm.triton_scaled_mm.sm_90");
  const auto names = [&](bool with_bias) {
    dot::Edits edits(right, 64);
    dot::edit_slips_of_y(right, with_bias, edits);
    std::set<std::string> all;
    for (const DotNeighbour& wrong : edits.all) {
      EXPECT_TRUE(wrong.suspect) << wrong.name;
      all.insert(wrong.name);
    }
    return all;
  };
  EXPECT_EQ(names(true),
            (std::set<std::string>{"bias: add(bias) -> sub(bias)", "y: mul(sa) -> div(sa)", "y: mul(sb) -> div(sb)"}));
  EXPECT_FALSE(names(false).contains("bias: add(bias) -> sub(bias)"));
}

/// A code of a software decoder is 1 and its scale is 2 or 4, so the result tells what happened to the scale of which operand.
TEST(DecodedSlips, TheMultiplierOfOneOperandIsInvertedOrDropped) {
  static const UnitTable units = UnitTable::load_folder("reference/contracts");
  const DotContract right = contract_of("torchao.mxfp4_mm_emulated.sm_90");
  const Factors factors(kE2M1, {{0, 1, 1}});
  const DotInputs inputs = inputs_of(factors, 2, 4);
  EXPECT_EQ(result(right, inputs), 8);
  std::map<std::string, double> results;
  for (const DotNeighbour& wrong : dot_neighbours(right, units, 128, kBf16, false))
    if (wrong.name.starts_with("decode of ")) {
      EXPECT_TRUE(wrong.suspect) << wrong.name;
      results[wrong.name] = result(wrong.contract, inputs);
    }
  EXPECT_EQ(results, (std::map<std::string, double>{{"decode of a: mul(m) -> div(m)", 2},
                                                    {"decode of b: mul(m) -> div(m)", 0.5},
                                                    {"decode of a and b: mul(m) -> div(m)", 0.125},
                                                    {"decode of a: drop mul(m)", 4},
                                                    {"decode of b: drop mul(m)", 2},
                                                    {"decode of a and b: drop mul(m)", 1}}));
  for (const DotNeighbour& wrong : dot_neighbours(contract_of("vllm.triton_scaled_mm.sm_90"), units, 128, kBf16, false))
    EXPECT_FALSE(wrong.name.starts_with("decode of ")) << "no operand is decoded";
}

/// One part instead of two or more: a kernel whose part length is all of k.
TEST(SplitSlips, KThatIsNotSplitIsASuspectWhereAtomicsAddTheParts) {
  static const UnitTable units = UnitTable::load_folder("reference/contracts");
  const auto unsplit = [&](const char* id, int64_t k) {
    std::optional<DotNeighbour> found;
    for (DotNeighbour& wrong : dot_neighbours(contract_of(id), units, k, kBf16, false))
      if (wrong.name == "split: k is not split") found = std::move(wrong);
    return found;
  };
  const std::optional<DotNeighbour> wrong = unsplit("aiter.ck_gemm_a8w8_split_k.gfx942", 128);
  ASSERT_TRUE(wrong);
  EXPECT_TRUE(wrong->suspect);
  // A part of 1 + 2^-8 is rounded to 1, and so is its sum with the other part, 2^-8. One part is 1 + 2^-7.
  const Factors factors(kE4M3Fnuz, {{0, 1, 1}, {1, 0x1p-4, 0x1p-4}, {127, 0x1p-4, 0x1p-4}});
  const DotInputs inputs = inputs_of(factors, 1, 1);
  EXPECT_EQ(result(contract_of("aiter.ck_gemm_a8w8_split_k.gfx942"), inputs), 1);
  EXPECT_EQ(result(wrong->contract, inputs), 1 + 0x1p-7);
  EXPECT_FALSE(unsplit("aiter.ck_gemm_a8w8_split_k.gfx942", 16)) << "too short to be split";
  EXPECT_FALSE(unsplit("aiter.ck_gemm_a8w8.gfx942", 128)) << "the contract does not split k";
}

// Indices of scales that kernels get wrong.

/// The scales of a as the named misreading reads them. a has two rows of eight blocks, with scales 1 to 8 and 11 to 18.
std::vector<double> misread_scales_of_a(const std::string& name) {
  DotInputs right;
  right.product.k = 1024, right.m = 2, right.n = 1;
  right.scale_a.shape = {2, 8, 1, 128}, right.scale_b.shape = {1, 8, 128, 128};
  for (const double row : {0.0, 10.0})
    for (int block = 1; block <= 8; ++block) right.scale_a.values.push_back(row + block);
  right.scale_b.values.assign(8, 2);
  std::vector<DotMisreading> all;
  add_scale_misreadings(right, all);
  for (const DotMisreading& one : all)
    if (one.name == name) {
      EXPECT_TRUE(one.suspect) << name;
      const DotInputs wrong = one.read(right, one.products);
      return {wrong.scale_a.values.begin() + 8, wrong.scale_a.values.end()};
    }
  return {};
}

TEST(ScaleIndex, SuspectsReadTheScalesOfOtherBlocks) {
  EXPECT_THAT(misread_scales_of_a("scales: of the first block of k"), ElementsAre(11, 11, 11, 11, 11, 11, 11, 11));
  EXPECT_THAT(misread_scales_of_a("scale_a: of the first of each 4 blocks of k"), ElementsAre(11, 11, 11, 11, 15, 15, 15, 15));
  EXPECT_THAT(misread_scales_of_a("scales: of the next block of k"), ElementsAre(12, 13, 14, 15, 16, 17, 18, 11));
  EXPECT_THAT(misread_scales_of_a("scales: of the next block of k, except for the last block"),
              ElementsAre(12, 13, 14, 15, 16, 17, 18, 18));
  EXPECT_THAT(misread_scales_of_a("scale_a: of the previous block of k"), ElementsAre(18, 11, 12, 13, 14, 15, 16, 17));
  EXPECT_THAT(misread_scales_of_a("scale_a: of the previous block of k, except for the first block"),
              ElementsAre(11, 11, 12, 13, 14, 15, 16, 17));
  EXPECT_THAT(misread_scales_of_a("scales: of the first half of k, also for the second half"),
              ElementsAre(11, 12, 13, 14, 11, 12, 13, 14));
  EXPECT_THAT(misread_scales_of_a("scale_a: of the first quarter of k, also for the other quarters"),
              ElementsAre(11, 12, 11, 12, 11, 12, 11, 12));
  EXPECT_THAT(misread_scales_of_a("scales: none for the last block of k"), ElementsAre(11, 12, 13, 14, 15, 16, 17, 1));
}

// shuffle_weight: compares WeightShuffle::place() with AITER's view and permutation, and tests its inverse.

/// aiter/ops/shuffle.py: x.view(n / BN, BN, k / BK, BK / V, V).permute(0, 2, 3, 1, 4), BN = rows, BK = 2 products, V = 16 /
/// bytes.
int64_t by_views(const WeightShuffle& shuffle, int64_t row, int64_t product, int64_t k, int bytes) {
  const int64_t bn = shuffle.rows, bk = 2 * shuffle.products, v = 16 / bytes;
  const int64_t index[] = {row / bn, product / bk, product % bk / v, row % bn, product % v};
  const int64_t extent[] = {0, k / bk, bk / v, bn, v};
  int64_t place = index[0];
  for (int i = 1; i < 5; ++i) place = place * extent[i] + index[i];
  return place;
}

TEST(WeightShuffle, IsThePermutationOfViewsForCodesOfOneAndTwoBytes) {
  for (const WeightShuffle& shuffle : {WeightShuffle{16, 16}, WeightShuffle{32, 16}})
    for (const int bytes : {1, 2}) {
      constexpr int64_t kRows = 64, kProducts = 96;
      std::set<int64_t> places;
      for (int64_t row = 0; row < kRows; ++row)
        for (int64_t i = 0; i < kProducts; ++i) {
          const int64_t place = shuffle.place(row, i, kProducts, bytes);
          ASSERT_EQ(place, by_views(shuffle, row, i, kProducts, bytes)) << row << " " << i;
          places.insert(place);
        }
      EXPECT_EQ(int64_t(places.size()), kRows * kProducts);
      EXPECT_EQ(*places.rbegin(), kRows * kProducts - 1) << "a permutation";
    }
}

TEST(WeightShuffle, GoesBackAndIsNotItsOwnInverse) {
  const WeightShuffle shuffle{16, 16};
  std::vector<std::byte> codes(32 * 64);
  for (size_t i = 0; i < codes.size(); ++i) codes[i] = std::byte(i * 7 % 251);
  const std::vector<std::byte> memory = shuffled(shuffle, codes.data(), 32, 64);
  EXPECT_EQ(unshuffled(shuffle, memory.data(), 32, 64), codes);
  EXPECT_NE(memory, codes);
  EXPECT_NE(shuffled(shuffle, memory.data(), 32, 64), codes);
}

TEST(WeightShuffle, AsksForWholeTiles) {
  EXPECT_TRUE((WeightShuffle{16, 16}.fits(48, 96)));
  EXPECT_FALSE((WeightShuffle{16, 16}.fits(40, 96)));
  EXPECT_FALSE((WeightShuffle{16, 16}.fits(48, 80)));
  EXPECT_FALSE((WeightShuffle{32, 16}.fits(48, 96)));
}

/// No element moves to another expert. Each mutant is a different permutation, or no permutation.
TEST(WeightShuffle, AMoveAndItsInverseLeaveEachElementWhereItWas) {
  const ShuffleExtents extents{Groups::uniform(3, 64), 96, 2};
  WeightMove there{{16, 16}, false, {}}, back = there;
  back.back = true;
  const std::vector<int64_t> to = sources_of(there, extents), from = sources_of(back, extents);
  for (size_t i = 0; i < to.size(); ++i) {
    ASSERT_EQ(to[size_t(from[i])], int64_t(i));
    ASSERT_EQ(to[i] / (64 * 96), int64_t(i) / (64 * 96)) << "an expert's elements stay its own";
  }
  std::set<std::vector<int64_t>> all = {to};
  for (const ShuffleNeighbour& wrong : shuffle_neighbours(there, extents))
    EXPECT_TRUE(all.insert(wrong.sources).second) << wrong.name;
  EXPECT_EQ(all.size(), 9u);
}

}  // namespace

// Sums in any order, and cached sums of GEMM predictions.

// Compares the smallest and largest sum with the sums of all orders.

namespace {

double rounded(const Format& format, double x) { return round_to(format, x, Rounding::kNearestEven, Overflow::kSpecial); }

/// Adds the parts to +0 in every order. NaN results are counted separately.
struct Orders {
  double low = HUGE_VAL, high = -HUGE_VAL;
  int nan = 0, others = 0;

  Orders(const std::vector<double>& parts, const Format& format) {
    std::vector<size_t> order(parts.size());
    std::iota(order.begin(), order.end(), size_t{0});
    do {
      double sum = 0;
      for (const size_t i : order) sum = rounded(format, sum + parts[i]);
      std::isnan(sum) ? ++nan : ++others;
      if (!std::isnan(sum)) low = std::min(low, sum), high = std::max(high, sum);
    } while (std::next_permutation(order.begin(), order.end()));
  }
};

std::vector<Span> spans(const std::vector<double>& parts) {
  std::vector<Span> all;
  std::transform(parts.begin(), parts.end(), std::back_inserter(all), point);
  return all;
}

/// Random values of a format, of both signs, within a few powers of two.
std::vector<double> numbers(const Format& format, uint32_t seed, size_t count) {
  std::vector<double> all;
  for (size_t i = 0; i < count; ++i) {
    seed = seed * 1664525 + 1013904223;
    const double x = std::ldexp(double(seed >> 8 & 0xffff) / 65536 + 1, int(seed >> 24 & 3) - 2);
    all.push_back(rounded(format, seed >> 31 ? -x : x));
  }
  return all;
}

TEST(SumInAnyOrder, HasTheEndsOfAllOrders) {
  int wider = 0;
  for (const Format* format : {&kBf16, &kF16})
    for (const size_t count : {size_t{1}, size_t{2}, size_t{4}, size_t{6}})
      for (uint32_t seed = 1; seed < 40; ++seed) {
        const std::vector<double> parts = numbers(*format, seed, count);
        const Orders orders(parts, *format);
        const Span sum = sum_in_any_order(spans(parts), *format);
        ASSERT_EQ(sum.low, orders.low) << format->name << " " << count << " " << seed;
        ASSERT_EQ(sum.high, orders.high) << format->name << " " << count << " " << seed;
        EXPECT_TRUE(count > 2 || sum.pinned()) << "two numbers have one sum";
        wider += !sum.pinned();
      }
  EXPECT_GT(wider, 100) << "orders of more numbers differ";
}

TEST(SumInAnyOrder, BeginsWithPlusZero) {
  const Span sum = sum_in_any_order(spans({-0.0, -0.0}), kBf16);
  EXPECT_EQ(sum.low, 0);
  EXPECT_FALSE(std::signbit(sum.low));
  EXPECT_EQ(sum_in_any_order({}, kBf16).high, 0);
}

TEST(SumInAnyOrder, SaysWhereSomeOrdersGiveNaN) {
  const Span nan = sum_in_any_order(spans({1, std::nan(""), 2}), kF16);
  EXPECT_TRUE(std::isnan(nan.low) && std::isnan(nan.high));
  EXPECT_TRUE(sum_in_any_order(spans({HUGE_VAL, 1}), kF16).pinned());
  const std::vector<double> meets = {60000, 60000, -HUGE_VAL};
  const Orders orders(meets, kF16);
  ASSERT_TRUE(orders.nan > 0 && orders.others > 0);
  EXPECT_TRUE(sum_in_any_order(spans(meets), kF16).any());
}

TEST(SumInAnyOrder, RefusesMorePartsThanItCanOrder) {
  EXPECT_THROW((void)sum_in_any_order(spans(std::vector<double>(9, 1.0)), kBf16), std::invalid_argument);
}

// A sum is computed once per key, and again for another key: anything that affects the sum belongs to the key.

const std::vector<std::byte> kCodes(64);

SumKey key() {
  SumKey key{{0, 2, 0, 8}, 0, 32};
  key.product.a.codes = key.product.b.codes = kCodes.data();
  key.product.a.pitch = key.product.b.pitch = key.product.k = 32;
  key.unit.k = 32;
  return key;
}

Spans number(double value) { return Spans(std::vector<double>{value}); }

TEST(SumMemory, WhatIsKnownIsNotMadeAgain) {
  SumMemory memory;
  EXPECT_EQ(memory.of(key(), [] { return number(1); }).low[0], 1);
  EXPECT_EQ(memory.of(key(), [] { return number(2); }).low[0], 1);
}

TEST(SumMemory, WhateverDecidesASumIsPartOfItsKey) {
  SumMemory memory;
  (void)memory.of(key(), [] { return number(1); });
  const std::function<void(SumKey&)> changes[] = {
      [](SumKey& k) { k.block.end = 1; },
      [](SumKey& k) { k.block.first_column = 4; },
      [](SumKey& k) { k.first_k = 16; },
      [](SumKey& k) { k.end_k = 31; },
      [](SumKey& k) { k.product.k = 31; },
      [](SumKey& k) { k.product.b.codes += 1; },
      [](SumKey& k) { k.product.a.pitch = 33; },
      [](SumKey& k) { k.sums = DotSums::kReplayed; },
      [](SumKey& k) { k.own_b = std::make_shared<const std::vector<std::byte>>(kCodes); },
      [](SumKey& k) { k.unit.fraction_bits = 1; },
      [](SumKey& k) { k.unit.a = &kE5M2; },
  };
  for (const auto& change : changes) {
    SumKey other = key();
    change(other);
    EXPECT_EQ(memory.of(other, [] { return number(2); }).low[0], 2) << &change - changes;
  }
}

TEST(SumMemory, MoreThanItHoldsIsMadeAgain) {
  SumMemory memory;
  const auto large = [](double value) { return Spans(std::vector<double>(size_t{1} << 18, value)); };
  (void)memory.of(key(), [&] { return large(1); });
  EXPECT_EQ(memory.of(key(), [&] { return large(2); }).low[0], 2);
}

}  // namespace

}  // namespace assay
