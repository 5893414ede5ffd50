// Layouts of gemm_block_scaled: scales and shuffled weights are at their layout's addresses, computed again by hand, and elements
// use them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "harness/core/expectation.h"
#include "reference/formats/catalogue.h"
#include "reference/table/table.h"
#include "reference/units/unit_definition.h"
#include "suites/gemm/expect.h"
#include "suites/gemm/gemm_case.h"
#include "suites/testing/usual_block_gemm.h"

namespace assay::gemm_block_scaled_test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

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
      << "the same scales, wherever they lie";
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
              testing::ThrowsMessage<TableError>(HasSubstr("n: b is shuffled in tiles of 16 rows and 32 products")));
}

/// DeepGEMM's packed scales with addresses computed by hand: bytes of words, rows padded to four.
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

/// Scales of 32 products at the addresses of torchao's to_blocked(): view(R / 128, 128, C / 4, 4), tile by tile, each with 32
/// rows of 4 x 4.
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

}  // namespace
}  // namespace assay::gemm_block_scaled_test
