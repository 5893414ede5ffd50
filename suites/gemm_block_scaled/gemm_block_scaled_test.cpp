// Op gemm_block_scaled: elements agree with the instruction's definition and the block scales, one variant must explain the whole
// tensor, and parameters that a contract lacks are rejected.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "harness/core/expectation.h"
#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"
#include "reference/table/table.h"
#include "reference/units/unit_definition.h"
#include "suites/gemm/gemm_case.h"
#include "suites/gemm/gemm_op.h"
#include "suites/testing/case_with.h"

namespace assay::gemm_block_scaled_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const Op& gemm() { return shipped_op("gemm_block_scaled"); }

const TestCells kUsual = {{"contract", "torch.scaled_mm_1x128_1x128.sm_90"},
                                 {"m", "5"},
                                 {"n", "136"},
                                 {"k", "416"},
                                 {"fill", "few_maxima"},
                                 {"b", "few_maxima"},
                                 {"scales", "1x128_1x128"},
                                 {"scale", "amax_scales"},
                                 {"layout_a", "col"},
                                 {"layout_b", "row"},
                                 {"y", "f32"},
                                 {"c", ""},
                                 {"seed", "1"},
                                 {"warp", "32"}};

Case case_with(const TestCells& cells) { return case_of(gemm(), kUsual, cells); }

std::string refusal(const TestCells& cells) { return refusal_of(gemm(), kUsual, cells); }

/// The definition, written a second time: accumulators of 128 products along k, and how the contract adds them.
struct ByHand {
  const GemmCase& c;
  const Problem& problem;
  bool row_first;  ///< (sum of 128 products * sa) * sb, instead of (sa * sb) * sum

  float scale(const char* role, int64_t row, int64_t block) const {
    const HostTensor& t = find(problem.tensors, role);
    return float(decode(kF32, t.code(row * t.spec.strides[0] + block * t.spec.strides[1])));
  }
  float chain(int64_t row, int64_t column, int64_t first, int64_t end) const {
    std::vector<uint32_t> a, b;
    for (int64_t i = first; i < end; ++i) {
      a.push_back(find(problem.tensors, "a").code(row * c.k + i));
      b.push_back(find(problem.tensors, "b").code(column * c.k + i));
    }
    return float(decode(kF32, defined_element(c.contract.unit, {a, b}, 0)));
  }
  float part(int64_t row, int64_t column, int64_t first, int64_t end) const {
    float acc = 0;
    for (int64_t k = first; k < end; k += 128) {
      const float p = chain(row, column, k, std::min(k + 128, end)), sa = scale("scale_a", row, k / 128);
      const float sb = scale("scale_b", c.scales.b.block().rows == 1 ? column : column / 128, k / 128);
      acc = row_first ? std::fma(p * sa, sb, acc) : std::fma(p, sa * sb, acc);
    }
    return acc;
  }
  float element(int64_t row, int64_t column, int64_t part_of_k) const {
    float sum = part(row, column, 0, std::min(part_of_k, c.k));
    for (int64_t first = part_of_k; first < c.k; first += part_of_k)
      sum += part(row, column, first, std::min(first + part_of_k, c.k));
    return sum;
  }
};

TEST(GemmBlockScaled, ElementsAreWhatTheDefinitionMakesOfThem) {
  struct Tried {
    const char *contract, *scales, *layout;
    bool row_first;
  };
  for (const Tried& tried : {Tried{"torch.scaled_mm_1x128_1x128.sm_90", "1x128_1x128", "col", true},
                             Tried{"torch.scaled_mm_1x128_128x128.sm_90", "1x128_128x128", "col", false},
                             Tried{"vllm.triton_w8a8_block.sm_89", "1x128_128x128", "tma", true}}) {
    const Case one = case_with({{"contract", tried.contract}, {"scales", tried.scales}, {"layout_a", tried.layout}});
    const GemmCase c = read_gemm_case(one);
    const Problem problem = gemm_problem(c);
    const Expectation expectation = expect_product(c, c.contract, problem);
    const std::vector<DotProgram> programs = dot_programs(c.contract, c.k);
    ASSERT_EQ(programs.size(), expectation.any_of.size());
    for (size_t p = 0; p < programs.size(); ++p) {
      const std::vector<WholePart> d = computed(expectation.any_of[p]);
      for (int64_t row = 0; row < c.m; ++row)
        for (int64_t column = 0; column < c.n; column += 5) {
          const double right = ByHand{c, problem, tried.row_first}.element(row, column, programs[p].part);
          ASSERT_EQ(d[0].low[size_t(row * c.n + column)], ordinal_of_value(kF32, right))
              << tried.contract << " " << programs[p].name << " " << row << " " << column;
        }
    }
  }
}

TEST(GemmBlockScaled, PartsOfKAreWholeGroupsOfBlocks) {
  const auto parts = [&](const char* contract, const char* scales, int64_t k) {
    std::vector<int64_t> all;
    for (const DotProgram& program :
         dot_programs(read_gemm_case(case_with({{"contract", contract}, {"scales", scales}})).contract, k))
      all.push_back(program.part);
    return all;
  };
  EXPECT_THAT(parts("torch.scaled_mm_1x128_128x128.sm_90", "1x128_128x128", 2048), ElementsAre(2048, 1024, 512));
  EXPECT_THAT(parts("torch.scaled_mm_1x128_1x128.sm_90", "1x128_1x128", 2048), ElementsAre(2048, 1024, 768, 512, 384));
  EXPECT_THAT(parts("vllm.triton_w8a8_block.sm_90", "1x128_128x128", 2048), ElementsAre(2048));
}

TEST(GemmBlockScaled, TheProgramThatMadeOutputsIsFoundAmongAll) {
  const Case one = case_with({{"m", "3"}, {"n", "16"}, {"k", "2048"}, {"fill", "wide"}});
  const Problem problem = gemm().bind(one)->problem();
  const Expectation all = gemm().bind(one)->programs(problem);
  std::map<std::string, std::vector<int32_t>> made;
  for (const Answer& answer : all.any_of) made[answer.program] = computed(answer)[0].low;
  ASSERT_GT(made.size(), 300u);
  for (const char* join : {"acc = fma(chain, sa * sb, acc)", "acc = fma(chain * sa, sb, acc)", "acc = chain * (sa * sb) + acc"})
    for (const char* cut : {"", "split-K 2, "}) {
      const std::string unit = "sm_90.wgmma.e4m3.f32",
                        name = unit + ", promoted every 128, " + (*cut ? cut : "split-K 1, ") + join;
      ASSERT_TRUE(made.contains(name)) << name << " is not one of " << made.begin()->first << "...";
      std::vector<std::string> same;
      for (const auto& [other, d] : made)
        if (d == made.at(name) && other.starts_with(unit)) same.push_back(other);
      EXPECT_THAT(same, testing::Contains(name));
      EXPECT_LE(same.size(), 3u) << name
                                 << ": split-K parts in units of 128 and 512 are equal here, and two joins may give equal bits";
    }
}

TEST(GemmBlockScaled, WhatAContractHasNotIsRefusedWithItsColumn) {
  EXPECT_THAT(refusal({{"contract", "torch.scaled_mm_row.sm_90"}, {"scales", "token_channel"}}),
              HasSubstr("has scales token_channel; expected block scales"));
  EXPECT_THAT(refusal({{"scales", "1x128_128x128"}}),
              HasSubstr("contract torch.scaled_mm_1x128_1x128.sm_90 does not support scales '1x128_128x128'"));
  EXPECT_THAT(refusal({{"layout_a", "ue8m0x4_tma"}}), HasSubstr("layout_a: 'ue8m0x4_tma' is not one of: col"));
  EXPECT_THAT(refusal({{"contract", "assay.fp8_gemm_1d1d_packed.sm_90"}, {"layout_a", "ue8m0x4_tma"}, {"layout_b", "row"}}),
              HasSubstr("layout_b: 'row' is not one of: ue8m0x4_tma"));
  EXPECT_THAT(refusal({{"contract", "deepgemm.fp8_gemm_1d1d.sm_90"}, {"layout_a", "tma"}}), HasSubstr(": c: "));
}

TEST(GemmBlockScaled, ATraceShowsTheScalesOfEachBlock) {
  const Case one = case_with({{"k", "160"}});
  const Problem problem = gemm().bind(one)->problem();
  std::string text;
  for (const std::string& line : gemm().bind(one)->trace(problem, 1, 2)) text += line + "\n";
  EXPECT_THAT(text, HasSubstr("k 128..159: chain = "));
  EXPECT_THAT(text, HasSubstr("promoted: sa = "));
  char code[16];
  std::snprintf(code, sizeof code, "d     %08x",
                code_from_ordinal(kF32, computed(gemm().bind(one)->expect(problem, nullptr).any_of[0])[0].low[136 + 2]));
  EXPECT_THAT(text, HasSubstr(code));
}

TEST(GemmBlockScaled, RowsAreWhatTheyAreAlone) {
  const Case one = case_with({{"contract", "vllm.triton_w8a8_block.sm_90"}, {"scales", "1x128_128x128"}, {"layout_a", "tma"}});
  const Problem problem = gemm().bind(one)->problem();
  const std::vector<WholePart> all = computed(gemm().bind(one)->expect(problem, nullptr));
  const CaseOfRows few = gemm().bind(one)->with_rows(problem, {3, 1});
  const std::vector<WholePart> some = computed(few.bound->expect(few.problem, nullptr));
  for (int64_t column = 0; column < 136; ++column) {
    EXPECT_EQ(some[0].low[size_t(column)], all[0].low[size_t(3 * 136 + column)]);
    EXPECT_EQ(some[0].low[size_t(136 + column)], all[0].low[size_t(136 + column)]);
  }
}

}  // namespace

// Layouts: scales and shuffled weights lie where their layout puts them (computed a second time), and d is computed from them.

namespace {

TEST(GemmBlockScaled, ALayoutPlacesScalesAndItsTranspositionIsSeen) {
  const std::map<std::string, std::string> triton = {{"contract", "vllm.triton_w8a8_block.sm_90"}, {"scales", "1x128_128x128"}};
  const auto with = [&](const char* layout) {
    std::map<std::string, std::string> cells = triton;
    cells["layout_a"] = layout;
    return case_with(cells);
  };
  const Case by_rows = with("row"), by_columns = with("col");
  const Problem rows = gemm().bind(by_rows)->problem(), columns = gemm().bind(by_columns)->problem();
  EXPECT_THAT(find(rows.tensors, "scale_a").spec.strides, ElementsAre(4, 1));
  EXPECT_THAT(find(columns.tensors, "scale_a").spec.strides, ElementsAre(1, 5));
  EXPECT_EQ(computed(gemm().bind(by_rows)->expect(rows, nullptr))[0].low, computed(gemm().bind(by_columns)->expect(columns, nullptr))[0].low)
      << "the same scales in every layout";
  bool found = false;
  for (const Hypothesis& wrong : gemm().bind(by_rows)->mutants()) {
    if (wrong.name != "scale_a: layout row -> col") continue;
    found = true;
    EXPECT_NE(computed(wrong.expect(rows, nullptr))[0].low, computed(gemm().bind(by_rows)->expect(rows, nullptr))[0].low);
  }
  EXPECT_TRUE(found);
}

TEST(GemmBlockScaled, AShuffledWeightIsTheSameProduct) {
  const std::map<std::string, std::string> plain = {{"contract", "aiter.ck_gemm_a8w8_blockscale.gfx942"},
                                                    {"scales", "1x128_128x128"},
                                                    {"n", "144"},
                                                    {"y", "bf16"},
                                                    {"layout_a", "row"}};
  std::map<std::string, std::string> shuffled = plain;
  shuffled["contract"] = "aiter.ck_gemm_a8w8_blockscale_bpreshuffle.gfx942";
  shuffled["layout_a"] = "col";
  const Case one = case_with(plain), other = case_with(shuffled);
  const Problem of_one = gemm().bind(one)->problem(), of_other = gemm().bind(other)->problem();
  EXPECT_NE(find(of_one.tensors, "b").bytes, find(of_other.tensors, "b").bytes);
  EXPECT_EQ(computed(gemm().bind(one)->expect(of_one, nullptr))[0].low, computed(gemm().bind(other)->expect(of_other, nullptr))[0].low);
  shuffled["n"] = "136";
  EXPECT_THAT([&] { (void)case_with(shuffled); },
              testing::ThrowsMessage<TableError>(HasSubstr("n: expected n to be a multiple of 16 and k a multiple of 32")));
}

/// DeepGEMM's packed scales, with addresses computed a second time: four bytes in a word, rows padded to a multiple of four.
struct PackedByHand {
  const GemmCase& c;
  const Problem& problem;

  uint32_t byte(const char* role, int64_t rows, int64_t row, int64_t block) const {
    const int64_t padded = (rows + 3) / 4 * 4;
    return uint32_t(find(problem.tensors, role).bytes[size_t(4 * (block / 4 * padded + row) + block % 4)]);
  }
  std::vector<uint32_t> scales(const char* role, int64_t rows, int64_t row) const {
    std::vector<uint32_t> all;
    for (int64_t k = 0; k < c.k; k += 32) all.push_back(byte(role, rows, row, k / 128));
    return all;
  }
  std::vector<uint32_t> codes(const char* role, int64_t row, int64_t first, int64_t end) const {
    std::vector<uint32_t> all;
    for (int64_t k = first; k < end; ++k) all.push_back(find(problem.tensors, role).code(row * c.k + k));
    return all;
  }
  double in_unit(int64_t row, int64_t column) const {
    const std::vector<uint32_t> a = codes("a", row, 0, c.k), b = codes("b", column, 0, c.k), sa = scales("scale_a", c.m, row),
                                sb = scales("scale_b", c.n, column);
    return decode(kF32, defined_element(c.contract.unit, {a, b, sa, sb}, 0));
  }
  double in_software(int64_t row, int64_t column) const {
    float acc = 0;
    for (int64_t k = 0; k < c.k; k += 128) {
      const std::vector<uint32_t> a = codes("a", row, k, std::min(k + 128, c.k)),
                                  b = codes("b", column, k, std::min(k + 128, c.k));
      const float chain = float(decode(kF32, defined_element(c.contract.unit, {a, b}, 0)));
      const auto scale = [&](const char* role, int64_t rows, int64_t r) {
        return std::ldexp(1.0f, int(byte(role, rows, r, k / 128)) - 127);
      };
      acc = std::fma(scale("scale_a", c.m, row) * scale("scale_b", c.n, column), chain, acc);
    }
    return acc;
  }
};

TEST(GemmBlockScaled, PackedScalesAreThoseOfTheirBytes) {
  for (const bool in_unit : {true, false}) {
    const char* const contract = in_unit ? "deepgemm.fp8_gemm_1d1d_packed.sm_100" : "assay.fp8_gemm_1d1d_packed.sm_90";
    const Case one =
        case_with({{"contract", contract}, {"n", "23"}, {"k", "1184"}, {"layout_a", "ue8m0x4_tma"}, {"layout_b", "ue8m0x4_tma"}});
    const GemmCase c = read_gemm_case(one);
    const Problem problem = gemm_problem(c);
    const std::vector<WholePart> d = computed(expect_product(c, c.contract, problem));
    const PackedByHand by_hand{c, problem};
    for (int64_t row = 0; row < c.m; ++row)
      for (int64_t column = 0; column < c.n; ++column)
        ASSERT_EQ(d[0].low[size_t(row * c.n + column)],
                  ordinal_of_value(kF32, in_unit ? by_hand.in_unit(row, column) : by_hand.in_software(row, column)))
            << contract << " " << row << " " << column;
    const CaseOfRows few = gemm().bind(one)->with_rows(problem, {3});
    const std::vector<WholePart> some = computed(few.bound->expect(few.problem, nullptr));
    for (int64_t column = 0; column < c.n; ++column) ASSERT_EQ(some[0].low[size_t(column)], d[0].low[size_t(3 * c.n + column)]);
    EXPECT_THAT(gemm().bind(one)->trace(problem, 1, 2).back(), HasSubstr("exact "));
  }
}

/// The scale of 32 products, at its address in torchao's to_blocked(): view(R / 128, 128, C / 4, 4). Tiles follow each other, and
/// each has 32 rows of 4 x 4 bytes.
uint32_t tiled_byte(const HostTensor& t, int64_t row, int64_t block) {
  const int64_t tiles_across = t.spec.shape[1] / 4, tile = row / 128 * tiles_across + block / 4, of_four = row % 128 / 32;
  return uint32_t(t.bytes[size_t(tile * 512 + row % 32 * 16 + of_four * 4 + block % 4)]);
}

TEST(GemmBlockScaled, MxScalesAreThoseOfTheirTiles) {
  for (const char* contract : {"torch.scaled_mm_mxfp8.sm_100", "torch.scaled_mm_mxfp8.sm_120"}) {
    const Case one = case_with({{"contract", contract},
                                {"m", "131"},
                                {"n", "17"},
                                {"k", "272"},
                                {"scales", "1x32_1x32"},
                                {"layout_a", "e8m0_128x4"},
                                {"layout_b", "e8m0_128x4"}});
    const GemmCase c = read_gemm_case(one);
    const Problem problem = gemm_problem(c);
    const auto scales = [&](const char* role, int64_t row) {
      std::vector<uint32_t> all;
      for (int64_t block = 0; block * 32 < c.k; ++block) all.push_back(tiled_byte(find(problem.tensors, role), row, block));
      return all;
    };
    const auto codes = [&](const char* role, int64_t row) {
      std::vector<uint32_t> all;
      for (int64_t i = 0; i < c.k; ++i) all.push_back(find(problem.tensors, role).code(row * c.k + i));
      return all;
    };
    const std::vector<WholePart> d = computed(expect_product(c, c.contract, problem));
    for (const int64_t row : {0, 31, 32, 127, 128, 130})
      for (int64_t column = 0; column < c.n; ++column) {
        const std::vector<uint32_t> a = codes("a", row), b = codes("b", column), sa = scales("scale_a", row),
                                    sb = scales("scale_b", column);
        const double right = decode(kF32, defined_element(c.contract.unit, {a, b, sa, sb}, 0));
        ASSERT_EQ(d[0].low[size_t(row * c.n + column)], ordinal_of_value(kF32, right)) << contract << " " << row << " " << column;
      }
    const CaseOfRows few = gemm().bind(one)->with_rows(problem, {129});
    const std::vector<WholePart> some = computed(few.bound->expect(few.problem, nullptr));
    for (int64_t column = 0; column < c.n; ++column) ASSERT_EQ(some[0].low[size_t(column)], d[0].low[size_t(129 * c.n + column)]);
    EXPECT_THAT(gemm().bind(one)->trace(problem, 129, 2).back(), HasSubstr("exact "));
  }
}

// FP4: two codes in a byte, block scales in tiles, and outer scales of whole tensors.

struct Fp4ByHand {
  const GemmCase& c;
  const Problem& problem;

  std::vector<uint32_t> codes(const char* role, int64_t row) const {
    std::vector<uint32_t> all;
    for (int64_t i = row * c.k; i < (row + 1) * c.k; ++i)
      all.push_back(uint32_t(find(problem.tensors, role).bytes[size_t(i / 2)]) >> (i % 2 * 4) & 15u);
    return all;
  }
  std::vector<uint32_t> scales(const char* role, int64_t row) const {
    std::vector<uint32_t> all;
    for (int64_t block = 0; block * c.contract.unit.scale_block < c.k; ++block)
      all.push_back(tiled_byte(find(problem.tensors, role), row, block));
    return all;
  }
  float number(const char* role, int64_t i = 0) const {
    const HostTensor& t = find(problem.tensors, role);
    return float(decode(*t.spec.format, t.code(i)));
  }
  float sum(int64_t row, int64_t column) const {
    const std::vector<uint32_t> a = codes("a", row), b = codes("b", column), sa = scales("scale_a", row), sb = scales("scale_b", column);
    return float(decode(kF32, defined_element(c.contract.unit, {a, b, sa, sb}, 0)));
  }
  /// The sum of all scaled products. In these tests a double holds it exactly.
  double exact(int64_t row, int64_t column) const {
    const std::vector<uint32_t> a = codes("a", row), b = codes("b", column), sa = scales("scale_a", row), sb = scales("scale_b", column);
    const int64_t block = c.contract.unit.scale_block;
    double all = 0;
    for (int64_t k = 0; k < c.k; ++k)
      all += decode(kE2M1, a[size_t(k)]) * decode(kE2M1, b[size_t(k)]) * decode(*c.contract.unit.scale, sa[size_t(k / block)]) *
             decode(*c.contract.unit.scale, sb[size_t(k / block)]);
    return all;
  }
};

float nearest(const Format& format, double value) { return float(round_to(format, value, Rounding::kNearestEven, Overflow::kSpecial)); }

Case fp4_case(const char* contract, const char* scales, const TestCells& more = {}) {
  const char* const layout = std::string_view(scales) == "1x32_1x32" ? "e8m0_128x4" : "ue4m3_128x4";
  TestCells cells = {{"contract", contract}, {"m", "131"}, {"n", "17"}, {"k", "160"}, {"scales", scales}, {"layout_a", layout}, {"layout_b", layout}, {"y", "bf16"}};
  for (const auto& [column, cell] : more) cells[column] = cell;
  return case_with(cells);
}

void expect_elements(const Case& one, const std::function<float(const Fp4ByHand&, int64_t, int64_t)>& right) {
  const GemmCase c = read_gemm_case(one);
  const Problem problem = gemm_problem(c);
  const Fp4ByHand by_hand{c, problem};
  const std::vector<WholePart> d = computed(expect_product(c, c.contract, problem));
  for (const int64_t row : {0, 31, 32, 127, 128, 130})
    for (int64_t column = 0; column < c.n; ++column) {
      ASSERT_EQ(d[0].low[size_t(row * c.n + column)], ordinal_of_value(*c.y, right(by_hand, row, column))) << one.id << " " << row << " " << column;
      ASSERT_NEAR(by_hand.sum(row, column), by_hand.exact(row, column), std::fabs(by_hand.exact(row, column)) * 0x1p-20 + 0x1p-20) << row << " " << column;
    }
}

TEST(GemmBlockScaled, Fp4SumsAreMultipliedByAlphaInF32) {
  for (const char* contract : {"vllm.cutlass_scaled_fp4_mm.sm_100", "vllm.cutlass_scaled_fp4_mm.sm_120", "flashinfer.mm_fp4_cutlass.sm_100"})
    expect_elements(fp4_case(contract, "1x16+tensor_1x16"), [](const Fp4ByHand& hand, int64_t row, int64_t column) {
      return nearest(kBf16, double(hand.sum(row, column) * hand.number("global_scale_a")));
    });
  expect_elements(fp4_case("torch.scaled_mm_nvfp4.sm_100", "1x16+tensor_1x16+tensor"), [](const Fp4ByHand& hand, int64_t row, int64_t column) {
    const float alpha = hand.number("global_scale_a") * hand.number("global_scale_b");
    return nearest(kBf16, double(hand.sum(row, column) * alpha));
  });
  for (const char* contract : {"torch.scaled_mm_nvfp4_block.sm_120", "torch.scaled_mm_mxfp4.sm_100"})
    expect_elements(fp4_case(contract, std::string_view(contract).find("mxfp4") == std::string_view::npos ? "1x16_1x16" : "1x32_1x32"),
                    [](const Fp4ByHand& hand, int64_t row, int64_t column) { return nearest(kBf16, double(hand.sum(row, column))); });
}

TEST(GemmBlockScaled, TorchaoRoundsTheSumTheScaleAndTheScaledSum) {
  for (const Format& y : {kBf16, kF16})
    for (const char* bias : {"", "amax_scaled"})
      expect_elements(fp4_case("torchao.nvfp4_mm.sm_100", "1x16+tensor_1x16+tensor", {{"y", std::string(y.name)}, {"bias", bias}}),
                      [&](const Fp4ByHand& hand, int64_t row, int64_t column) {
                        const float scale = nearest(y, double(hand.number("global_scale_a") * hand.number("global_scale_b")));
                        const float scaled = nearest(y, double(nearest(y, double(hand.sum(row, column))) * scale));
                        return *bias ? nearest(y, double(scaled + hand.number("bias", column))) : scaled;
                      });
}

TEST(GemmBlockScaled, Fp4RowsAreWholeBytesAndTakeOneScaleFormat) {
  const TestCells odd = {{"contract", "torch.scaled_mm_nvfp4_block.sm_100"}, {"scales", "1x16_1x16"}, {"layout_a", "ue4m3_128x4"}, {"layout_b", "ue4m3_128x4"}};
  TestCells cells = odd;
  cells["k"] = "33";
  EXPECT_THAT(refusal(cells), HasSubstr("k: expected an even number: two codes share a byte"));
  cells = odd, cells["layout_a"] = "e8m0_128x4";
  EXPECT_THAT(refusal(cells), HasSubstr("layout_a: 'e8m0_128x4' is not one of: ue4m3_128x4"));
  cells = odd, cells["y"] = "bf16", cells["bias"] = "amax_scaled";
  EXPECT_THAT(refusal(cells), HasSubstr("bias: torch.scaled_mm_nvfp4_block.sm_100 takes no bias"));
}

}  // namespace

}  // namespace assay::gemm_block_scaled_test
