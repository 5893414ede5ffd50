// Rows of units.csv: cells, errors in cells, formulas and mutants.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "reference/testing/unit_data.h"
#include "reference/units/unit_recordings.h"
#include "reference/units/unit_table.h"

namespace assay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// The error message for a row of the table with one cell changed.
std::string complaint(const std::string& id, const std::string& column, const std::string& text) {
  UnitRow row = unit_table().find(id);
  row.cells[column].text = text;
  try {
    read_unit(row);
  } catch (const TableError& error) {
    EXPECT_EQ(error.name(), column);
    EXPECT_EQ(error.line(), row.line);
    return error.problem();
  }
  return "none";
}

TEST(UnitTable, CoversTheListedArchitectures) {
  for (const char* id : {"sm_70.mma.f16.f32", "sm_75.mma.f16.f16", "sm_80.mma.tf32.f32", "sm_86.mma.bf16.f32",
                         "sm_89.mma.e4m3.f32", "sm_90.mma.e5m2.f16", "sm_90.wgmma.e4m3.f32", "sm_90.wgmma.int8.int32",
                         "sm_100.tcgen05.e4m3.f32", "sm_100.tcgen05.nvf4.f32", "sm_120.mma.mx_e4m3.f32",
                         "gfx90a.mfma.bf16_1k.f32", "gfx942.mfma.xf32.f32", "gfx942.mfma.e5m2fnuz.f32"})
    EXPECT_TRUE(unit_table().find(id).unit.known()) << id;
  EXPECT_FALSE(unit_table().find("gfx950.mfma.f16.f32").unit.known());
  for (const UnitRow& row : unit_table().rows()) {
    EXPECT_FALSE(row.text("source").empty()) << row.id;
    EXPECT_FALSE(row.text("why").empty()) << row.id;
  }
}

TEST(UnitTable, ACellIsRead) {
  const Unit& u = unit_table().find("gfx942.mfma.e4m3fnuz.f32").unit;
  EXPECT_EQ(u.splits, 2);
  EXPECT_EQ(u.take, 16);
  EXPECT_EQ(u.fraction_bits, 24);
  EXPECT_EQ(u.loss, BitLoss::kTruncate);
  EXPECT_EQ(u.join_loss, BitLoss::kFloor);
  EXPECT_EQ(u.sum_fraction_bits, 31);
  EXPECT_EQ(u.c_drop, 25);
  EXPECT_EQ(unit_table().find("sm_100.tcgen05.nvf4.f32").unit.scale_block, 16);
}

TEST(UnitTable, ProductsMeetInTheOrderOfTheRow) {
  Unit u;
  u.k = 8, u.take = 4;
  EXPECT_THAT(product_order(u), ElementsAre(0, 1, 2, 3, 4, 5, 6, 7));
  u.interleave_period = 4, u.interleave_width = 2;
  EXPECT_THAT(product_order(u), ElementsAre(0, 1, 4, 5, 2, 3, 6, 7));
  u.interleave_period = 0, u.splits = 2;
  EXPECT_THAT(product_order(u), ElementsAre(0, 2, 1, 3, 4, 6, 5, 7));
}

TEST(UnitTable, WrongCellsSayWhatMayStandThere) {
  const std::string id = "sm_90.wgmma.e4m3.f32";
  EXPECT_EQ(complaint(id, "sum", "algin(13) truncate"),
            "'algin(13)' is not one of: align(F), split(N), group(N), pairs, exact; did you mean 'align'?");
  EXPECT_EQ(complaint(id, "sum", "align(13)"), "expected one of: truncate, floor");
  EXPECT_EQ(complaint(id, "sum", "align(13) truncate truncate"), "'truncate' is not allowed after the sum");
  EXPECT_EQ(complaint(id, "sum", "align(29) truncate"), "'29' is no integer from 1 to 28");
  EXPECT_EQ(complaint(id, "sum", "align(13"), "'align(13' is not closed by ')'");
  EXPECT_EQ(complaint(id, "order", "take(33)"), "'33' is no integer from 1 to 32");
  EXPECT_EQ(complaint(id, "order", "take(12)"), "take must divide k, which is 32");
  EXPECT_EQ(complaint(id, "order", "interleave(4,3) take(16)"), "the width must divide the period, and the period must divide k");
  EXPECT_EQ(complaint(id, "exponent", "scales"), "'scales' is required with group(N) and only allowed with it");
  EXPECT_EQ(complaint(id, "c", "added"), "'added' is not one of: aligned, joined(SUM_BITS,C_BITS)");
  EXPECT_EQ(complaint(id, "round", "rz(24)"), "'24' is no integer from 1 to 23");
  EXPECT_EQ(complaint(id, "special", "nan(7f800000)"), "this is not a NaN of f32");
  EXPECT_EQ(complaint(id, "special", ""), "expected one of: nan(CODE)");
  EXPECT_EQ(complaint(id, "a", "e4m3"), "unknown format 'e4m3'; did you mean 'ue4m3' or 'e2m3' or 'e4m3fn'?");
  EXPECT_EQ(complaint(id, "a", "f32"), "a factor has a sign and at most 11 significand bits");
  EXPECT_EQ(complaint(id, "d", "bf16"), "'bf16' holds no such sum: f32, f16 of aligned products, int32 of exact ones");
  EXPECT_EQ(complaint(id, "k", "0"), "'0' is no integer from 1 to 1024");
  EXPECT_EQ(complaint(id, "scale", "e8m0"), "'e8m0' must read FORMAT/BLOCK, a block of whole groups that divides k");
  EXPECT_EQ(complaint(id, "scale", "ue4m3/16"), "without groups the scale format must hold powers of two");
  EXPECT_EQ(complaint(id, "evidence", "guessed"), "'guessed' is not one of: measured, recorded, model, inferred, unknown");
  EXPECT_EQ(complaint("gfx950.mfma.f16.f32", "order", "take(8)"), "must be empty: the instruction is unknown");
  EXPECT_EQ(complaint("gfx942.mfma.e4m3fnuz.f32", "c", "aligned"), "with split, c must be joined; with group, aligned");
  EXPECT_EQ(complaint("sm_100.tcgen05.nvf4.f32", "a", "e4m3fn"), "groups need e2m1 or e2m3");
  EXPECT_EQ(complaint("sm_100.tcgen05.nvf4.f32", "scale", ""), "an instruction with groups needs scales");
  EXPECT_EQ(complaint("gfx90a.mfma.f16.f32", "round", "rz(23)"), "pairs are rounded to the nearest number of f32");
  EXPECT_EQ(complaint("sm_90.mma.int8.int32", "a", "e4m3fn"), "an exact sum is of integers");
}

TEST(UnitTable, AUnitThatNobodyKnowsHasCandidates) {
  const UnitRow& unknown = unit_table().find("gfx950.mfma.e4m3.f32");
  const auto candidates = unit_table().candidates_of(unknown);
  ASSERT_EQ(candidates.size(), 4u);
  for (const UnitRow* candidate : candidates) {
    EXPECT_TRUE(candidate->unit.known()) << candidate->id;
    EXPECT_TRUE(can_be_replayed(candidate->unit)) << candidate->id;
    EXPECT_FALSE(candidate->text("source").empty() || candidate->text("why").empty()) << candidate->id;
    EXPECT_THROW(unit_table().find(candidate->id), std::out_of_range) << "no row claims it";
  }
  EXPECT_TRUE(unit_table().candidates_of(unit_table().find("gfx942.mfma.e4m3fnuz.f32")).empty());
  EXPECT_TRUE(unit_table().candidates_of(unit_table().find("gfx950.mfma.f16.f32")).empty());
}

/// A user's row, filled in by a probe of the GPU, replaces the undocumented row, and its candidates disappear.
TEST(UnitTable, ARowOfOnesOwnEndsTheCandidates) {
  const std::string file =
      (std::filesystem::temp_directory_path() / ("assay_found_" + std::to_string(::getpid()) + ".csv")).string();
  std::ofstream(file) << "id,a,b,d,k,order,exponent,sum,c,round,scale,special,evidence,source,why\n"
                         "gfx950.mfma.e4m3.f32,e4m3fn,e4m3fn,f32,32,take(32),ea+eb,align(24) "
                         "truncate,aligned,rne(23),,nan(7fc00000),measured,s,w\n";
  UnitTable own = unit_table();
  own.add(file);
  std::filesystem::remove(file);
  EXPECT_TRUE(own.find("gfx950.mfma.e4m3.f32").unit.known());
  EXPECT_TRUE(own.candidates_of(own.find("gfx950.mfma.e4m3.f32")).empty());
}

TEST(UnitTable, WrongCandidatesSayWhy) {
  const std::string file =
      (std::filesystem::temp_directory_path() / ("assay_candidates_" + std::to_string(::getpid()) + ".csv")).string();
  const auto error_of = [&](const std::string& row) {
    std::ofstream(file) << "id,a,b,d,k,order,exponent,sum,c,round,scale,special,evidence,source,why\n" << row << "\n";
    UnitTable table = unit_table();
    try {
      table.add_candidates(file);
    } catch (const TableError& error) {
      return error.name() + ": " + error.problem();
    }
    return std::string("none");
  };
  const std::string steps = ",take(8),ea+eb,align(24) truncate,aligned,rne(23),,nan(7fc00000),inferred,s,w";
  EXPECT_EQ(error_of("gfx950.mfma.e5m2.f32:mine,e5m2,e5m2,f32,32" + steps), "none");
  EXPECT_THAT(error_of("gfx950.mfma.e5m2.f32,e5m2,e5m2,f32,32" + steps),
              HasSubstr("id: 'gfx950.mfma.e5m2.f32' is not UNIT:NAME"));
  EXPECT_THAT(error_of("gfx950.mfma.e9.f32:mine,e5m2,e5m2,f32,32" + steps), HasSubstr("is not UNIT:NAME"));
  EXPECT_EQ(error_of("gfx950.mfma.e5m2.f32:mine,e4m3fn,e5m2,f32,32" + steps), "a: gfx950.mfma.e5m2.f32 has 'e5m2' there");
  EXPECT_EQ(error_of("gfx950.mfma.e5m2.f32:mine,e5m2,e5m2,f32,48" + steps), "k: is no multiple of that of gfx950.mfma.e5m2.f32");
  EXPECT_EQ(error_of("gfx950.mfma.e5m2.f32:mine,e5m2,e5m2,f32,32,,,,,,,,unknown,s,w"),
            "evidence: is unknown: a candidate must say how it accumulates");
  EXPECT_EQ(error_of("gfx950.mfma.e4m3.f32:as_gfx942,e4m3fn,e4m3fn,f32,32" + steps),
            "id: 'gfx950.mfma.e4m3.f32:as_gfx942' stands in line 2 already");
  std::filesystem::remove(file);
}

TEST(UnitTable, ErrorsNameFileLineAndColumn) {
  const std::string file =
      (std::filesystem::temp_directory_path() / ("assay_units_" + std::to_string(::getpid()) + ".csv")).string();
  const auto error_of = [&](const std::string& rows) {
    std::ofstream(file) << "id,a,b,d,k,order,exponent,sum,c,round,scale,special,evidence,source,why\n" << rows;
    try {
      UnitTable::load(file);
    } catch (const TableError& error) {
      return std::string(error.what());
    }
    return std::string("none");
  };
  const std::string good = "x,f16,f16,f32,8,take(8),ea+eb,align(24) truncate,aligned,rz(23),,nan(7fffffff),model,s,w\n";
  EXPECT_EQ(error_of(good), "none");
  EXPECT_EQ(error_of(good + good), file + ":3:1: id: 'x' stands in " + file + ":2 already");
  EXPECT_EQ(error_of("x,f16,f16,f32,8,take(8),ea+eb,align(24) chop,aligned,rz(23),,nan(7fffffff),model,s,w\n"),
            file + ":2:41: sum: 'chop' is not one of: truncate, floor");
  std::filesystem::remove(file);
  EXPECT_THROW(unit_table().find("sm_90.wgmma.e4m3.f23"), std::out_of_range);
}

}  // namespace

}  // namespace assay
