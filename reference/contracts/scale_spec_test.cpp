// Which elements share a scale, and where rows of groups are stored.
#include "reference/contracts/scale_spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "reference/contracts/tensor_layouts.h"
#include "reference/flow/dot/dot_contract.h"
#include "reference/testing/contract_tables.h"

namespace assay {
namespace {

using namespace contract_tables;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string complaint(const std::string& text, bool of_gemm = false) {
  try {
    of_gemm ? (void)gemm_scales_named(text) : (void)parse_scale_spec(text);
  } catch (const ParseError& error) {
    return std::to_string(error.position) + ": " + error.what();
  }
  return "no error";
}

TEST(ScaleSpec, LevelsAreBlocksAndWhatHoldsThem) {
  const ScaleSpec blocks = parse_scale_spec("128x64");
  EXPECT_EQ(blocks.outer(), nullptr);
  const LevelGrid grid = blocks.block().grid(300, 130);
  EXPECT_EQ(grid.rows, 3);
  EXPECT_EQ(grid.columns, 3);
  EXPECT_EQ(grid.of(255, 64), 1 * 3 + 1);
  EXPECT_EQ(parse_scale_spec("row").block().grid(7, 130).count(), 7);
  EXPECT_EQ(parse_scale_spec("column").block().grid(7, 130).count(), 130);
  const ScaleSpec nvfp4 = parse_scale_spec("16+tensor");
  ASSERT_NE(nvfp4.outer(), nullptr);
  EXPECT_EQ(nvfp4.block().columns_of(512), 16);
  EXPECT_FALSE(nvfp4.block().given);
  EXPECT_TRUE(nvfp4.outer()->given);
  EXPECT_EQ(nvfp4.outer()->grid(9, 512).count(), 1);
  EXPECT_EQ(parse_scale_spec("16+row").outer()->grid(9, 512).count(), 9);
}

TEST(ScaleSpec, RefusesWhatHoldsNoWholeBlocks) {
  EXPECT_THAT(complaint("x128"), HasSubstr("0: a number is missing"));
  EXPECT_THAT(complaint("128x0"), HasSubstr("4: '0' is not a positive integer"));
  EXPECT_THAT(complaint("128x128+row"), HasSubstr("8: 'row' is not a multiple of the groups 128x128"));
  EXPECT_THAT(complaint("tensor+16"), HasSubstr("is not a multiple of the groups tensor"));
  EXPECT_THAT(complaint("16+16"), HasSubstr("is not a multiple of the groups 16"));
  EXPECT_THAT(complaint("16+tensor+tensor"), HasSubstr("3: 'tensor+tensor' is not a positive integer"));
}

TEST(ScaleSpec, ThoseOfAGemmAreOneOfEachFactor) {
  const GemmScales token = gemm_scales_named("token");
  EXPECT_EQ(token.of_a(5, 64).count(), 5);
  EXPECT_EQ(token.of_b(7, 64).count(), 1);
  EXPECT_FALSE(token.has_blocks());
  EXPECT_TRUE(gemm_scales_named("token_channel").of_rows());
  EXPECT_FALSE(gemm_scales_named("channel").of_rows());
  const GemmScales tiles = gemm_scales_named("1x128_128x128");
  EXPECT_TRUE(tiles.has_blocks());
  EXPECT_EQ(tiles.products(), 128);
  EXPECT_EQ(tiles.of_b(130, 256).of(129, 200), 3);
  EXPECT_NE(gemm_scales_named("1x16+tensor_1x16+tensor").b.outer(), nullptr);
  EXPECT_THAT(complaint("tokens", true), HasSubstr("expected tensor, token, channel, token_channel"));
  EXPECT_THAT(complaint("1x128_1x32", true), HasSubstr("expected equal block sizes along k for a and b"));
}

TEST(ScaleSpec, AContractOfTwoLevelsReadsTheOuterOne) {
  const auto row = [](const std::string& group, const std::string& scale) {
    return kQuantHeader + "a,e4m3fn,448,absmax," + scale + ",,div(s) to(q)," + group + ",row,rows:untouched,2026,,here,because\n";
  };
  EXPECT_EQ(error_of(row("16+tensor", "mul(1/M) mul(g)")), "no error");
  EXPECT_THAT(error_of(row("16+tensor", "mul(1/M)")), HasSubstr("group: has two levels, and no step reads g"));
  EXPECT_THAT(error_of(row("16", "mul(1/M) mul(g)")), HasSubstr("unknown name 'g'"));
  EXPECT_THAT(error_of(row("16+tensor|32", "mul(1/M) mul(g)")),
              HasSubstr("'32' has a different number of levels than the other alternatives"));
}

std::vector<int64_t> stored_rows(const Groups& groups) {
  std::vector<int64_t> rows;
  for (int64_t row = 0; row < groups.rows(); ++row) rows.push_back(groups.stored_row(row));
  return rows;
}
std::vector<int64_t> unused_rows(const Groups& groups) {
  std::vector<int64_t> rows;
  groups.for_each_unused([&](int64_t row) { rows.push_back(row); });
  return rows;
}

TEST(Groups, OfEachOrderEveryRowIsUsedOnceOrUnused) {
  const Groups contiguous = Groups::contiguous({2, 0, 3});
  EXPECT_THAT(stored_rows(contiguous), ElementsAre(0, 1, 2, 3, 4));
  EXPECT_THAT(contiguous.offsets(), ElementsAre(0, 2, 2, 5));
  EXPECT_EQ(contiguous.group_of(2), 2);
  const Groups masked = Groups::masked({2, 0, 3}, 4);
  EXPECT_THAT(stored_rows(masked), ElementsAre(0, 1, 8, 9, 10));
  EXPECT_THAT(unused_rows(masked), ElementsAre(2, 3, 4, 5, 6, 7, 11));
  EXPECT_THAT(masked.offsets(), ElementsAre(0, 4, 8, 12));
  const Groups offsets = Groups::at_offsets({2, 1}, {0, 4, 6});
  EXPECT_THAT(stored_rows(offsets), ElementsAre(0, 1, 4));
  EXPECT_THAT(unused_rows(offsets), ElementsAre(2, 3, 5));
  const Groups by_index = Groups::by_index({1, -1, 0, 1, 0}, 2);
  EXPECT_THAT(by_index.sizes(), ElementsAre(2, 2));
  EXPECT_THAT(stored_rows(by_index), ElementsAre(2, 4, 0, 3));
  EXPECT_THAT(unused_rows(by_index), ElementsAre(1));
  EXPECT_EQ(by_index.group_of(2), 1);
  EXPECT_EQ(by_index.row_in_group(3), 1);
  for (const Groups& groups : {contiguous, masked, offsets, by_index}) {
    const std::vector<int64_t> index = groups.index();
    for (int64_t row = 0; row < groups.rows(); ++row) EXPECT_EQ(index[size_t(groups.stored_row(row))], groups.group_of(row));
  }
}

TEST(Groups, ChangeTheirSizesAndRefuseWhatDoesNotFit) {
  EXPECT_THAT(unused_rows(Groups::by_index({1, 0, 1, 0}, 2).with_sizes({1, 2})), ElementsAre(3));
  EXPECT_THAT(stored_rows(Groups::masked({2, 2}, 4).with_sizes({1, 1})), ElementsAre(0, 4));
  EXPECT_THROW(Groups::masked({5}, 4), std::invalid_argument);
  EXPECT_THROW(Groups::at_offsets({3, 1}, {0, 2, 6}), std::invalid_argument);
  EXPECT_THROW(Groups::at_offsets({3}, {0}), std::invalid_argument);
  EXPECT_THROW(Groups::by_index({0, 2}, 2), std::invalid_argument);
}

}  // namespace
}  // namespace assay
