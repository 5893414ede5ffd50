// Compares the exact definition of tensor core instructions with recordings of instructions and of GEMMs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>

#include "reference/testing/mpfr_programs.h"
#include "reference/testing/unit_data.h"
#include "reference/units/unit_definition.h"
#include "reference/units/unit_predict.h"
#include "reference/units/unit_recordings.h"
#include "reference/units/unit_table.h"

namespace assay {

// Rows of units.csv: cells, errors in cells, formulas and mutants.

namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// The error message for a row of the table in which one cell is replaced.
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
  EXPECT_EQ(complaint(id, "sum", "align(29) truncate"), "'29' is not an integer from 1 to 28");
  EXPECT_EQ(complaint(id, "sum", "align(13"), "'align(13' is not closed by ')'");
  EXPECT_EQ(complaint(id, "order", "take(33)"), "'33' is not an integer from 1 to 32");
  EXPECT_EQ(complaint(id, "order", "take(12)"), "take must divide k, which is 32");
  EXPECT_EQ(complaint(id, "order", "interleave(4,3) take(16)"), "the width must divide the period, and the period must divide k");
  EXPECT_EQ(complaint(id, "exponent", "scales"), "'scales' is required with group(N), and not allowed without it");
  EXPECT_EQ(complaint(id, "c", "added"), "'added' is not one of: aligned, joined(SUM_BITS,C_BITS)");
  EXPECT_EQ(complaint(id, "round", "rz(24)"), "'24' is not an integer from 1 to 23");
  EXPECT_EQ(complaint(id, "special", "nan(7f800000)"), "the code is not a NaN of f32");
  EXPECT_EQ(complaint(id, "special", ""), "expected one of: nan(CODE)");
  EXPECT_EQ(complaint(id, "a", "e4m3"), "unknown format 'e4m3'; did you mean 'ue4m3' or 'e2m3' or 'e4m3fn'?");
  EXPECT_EQ(complaint(id, "a", "f32"), "expected a signed format with at most 11 significand bits");
  EXPECT_EQ(complaint(id, "d", "bf16"), "'bf16' cannot hold this sum: expected f32, f16 (aligned) or int32 (exact)");
  EXPECT_EQ(complaint(id, "k", "0"), "'0' is not an integer from 1 to 1024");
  EXPECT_EQ(complaint(id, "scale", "e8m0"),
            "'e8m0': expected FORMAT/BLOCK, where BLOCK divides k and is a multiple of the N of group(N)");
  EXPECT_EQ(complaint(id, "scale", "ue4m3/16"), "without group(N), all values of the scale format must be powers of two");
  EXPECT_EQ(complaint(id, "evidence", "guessed"), "'guessed' is not one of: measured, recorded, model, inferred, unknown");
  EXPECT_EQ(complaint("gfx950.mfma.f16.f32", "order", "take(8)"),
            "must be empty, because the evidence of this instruction is 'unknown'");
  EXPECT_EQ(complaint("gfx942.mfma.e4m3fnuz.f32", "c", "aligned"),
            "with split(N), expected joined(..); with group(N), expected aligned");
  EXPECT_EQ(complaint("sm_100.tcgen05.nvf4.f32", "a", "e4m3fn"), "group(N) requires operands in e2m1 or e2m3");
  EXPECT_EQ(complaint("sm_100.tcgen05.nvf4.f32", "scale", ""), "is empty: a sum with group(N) requires scales");
  EXPECT_EQ(complaint("gfx90a.mfma.f16.f32", "round", "rz(23)"), "sum 'pairs' requires rne(23), all fraction bits of f32");
  EXPECT_EQ(complaint("sm_90.mma.int8.int32", "a", "e4m3fn"), "an exact sum requires integer operands");
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

/// A user's row for an undocumented instruction replaces its row, and the instruction then has no candidate models.
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
              HasSubstr("id: 'gfx950.mfma.e5m2.f32': expected UNIT:NAME"));
  EXPECT_THAT(error_of("gfx950.mfma.e9.f32:mine,e5m2,e5m2,f32,32" + steps), HasSubstr("expected UNIT:NAME"));
  EXPECT_EQ(error_of("gfx950.mfma.e5m2.f32:mine,e4m3fn,e5m2,f32,32" + steps), "a: must be 'e5m2', as in gfx950.mfma.e5m2.f32");
  EXPECT_EQ(error_of("gfx950.mfma.e5m2.f32:mine,e5m2,e5m2,f32,48" + steps),
            "k: must be a multiple of the k of gfx950.mfma.e5m2.f32");
  EXPECT_EQ(error_of("gfx950.mfma.e5m2.f32:mine,e5m2,e5m2,f32,32,,,,,,,,unknown,s,w"),
            "evidence: is unknown: a candidate must say how it accumulates");
  EXPECT_EQ(error_of("gfx950.mfma.e4m3.f32:as_gfx942,e4m3fn,e4m3fn,f32,32" + steps),
            "id: 'gfx950.mfma.e4m3.f32:as_gfx942' is defined in line 2 already");
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
  EXPECT_EQ(error_of(good + good), file + ":3:1: id: 'x' is defined in " + file + ":2 already");
  EXPECT_EQ(error_of("x,f16,f16,f32,8,take(8),ea+eb,align(24) chop,aligned,rz(23),,nan(7fffffff),model,s,w\n"),
            file + ":2:41: sum: 'chop' is not one of: truncate, floor");
  std::filesystem::remove(file);
  EXPECT_THROW(unit_table().find("sm_90.wgmma.e4m3.f23"), std::out_of_range);
}

}  // namespace

namespace {

const Unit& unit(std::string_view id) { return unit_table().find(std::string(id)).unit; }

TEST(UnitDefinition, GivesWhatEveryProbeExpects) {
  for (const UnitProbe& probe : unit_probes())
    EXPECT_EQ(defined_element(unit(probe.unit), {probe.a, probe.b}, probe.c), probe.d)
        << probe.name << " " << probe.unit << ": " << probe.why;
}

/// Changing any step of a row must change the result of at least one row of probes.csv.
TEST(UnitDefinition, ProbesSeeAStepThatIsChanged) {
  const auto changed = [](const std::string& id, const std::string& column, const std::string& cell) {
    UnitRow row = unit_table().find(id);
    row.cells[column].text = cell;
    const Unit other = read_unit(row);
    int seen = 0;
    for (const UnitProbe& probe : unit_probes())
      if (probe.unit == id) seen += defined_element(other, {probe.a, probe.b}, probe.c) != probe.d;
    return seen;
  };
  const std::string f16 = "sm_90.mma.f16.f32";
  EXPECT_GT(changed(f16, "sum", "align(24) truncate"), 0);
  EXPECT_GT(changed(f16, "sum", "align(26) truncate"), 0);
  EXPECT_GT(changed(f16, "sum", "align(25) floor"), 0);
  EXPECT_GT(changed(f16, "order", "take(8)"), 0);
  EXPECT_GT(changed(f16, "exponent", "normalized"), 0);
  EXPECT_GT(changed(f16, "round", "rne(23)"), 0);
  EXPECT_GT(changed(f16, "round", "rz(22)"), 0);
  EXPECT_GT(changed(f16, "special", "nan(7fc00000)"), 0);
  EXPECT_GT(changed(f16, "special", "nan(7fffffff) flush"), 0);
  EXPECT_GT(changed("sm_90.mma.bf16.f32", "exponent", "ea+eb zeros least(-133)"), 0);
  EXPECT_GT(changed("sm_90.mma.bf16.f32", "exponent", "ea+eb least(-126)"), 0);
  EXPECT_GT(changed("sm_90.mma.bf16.f32", "special", "nan(7fffffff) inf(128)"), 0);
  EXPECT_GT(changed("sm_90.mma.f16.f16", "exponent", "ea+eb least(-20)"), 0);
  EXPECT_GT(changed("sm_90.mma.e4m3_unpacked.f32", "exponent", "ea+eb"), 0);
  EXPECT_GT(changed("sm_90.mma.e4m3_e5m2.f32", "exponent", "ea+eb"), 0);
  EXPECT_GT(changed("sm_120.mma.e4m3.f32", "exponent", "ea+eb in(f16)"), 0);
  EXPECT_GT(changed("sm_90.mma.e4m3.f32", "order", "take(16)"), 0);
  EXPECT_GT(changed("sm_90.mma.e4m3.f32", "c", "aligned"), 0);
  EXPECT_GT(changed("sm_90.wgmma.e4m3.f32", "order", "take(16)"), 0);
  EXPECT_GT(changed("gfx942.mfma.e4m3fnuz.f32", "sum", "align(24) truncate"), 0);
  EXPECT_GT(changed("gfx942.mfma.e4m3fnuz.f32", "sum", "split(2) align(24) truncate join(24) truncate"), 0);
  EXPECT_GT(changed("gfx942.mfma.e4m3fnuz.f32", "c", "joined(31,24) floor"), 0);
  EXPECT_GT(changed("gfx942.mfma.f16.f32", "c", "joined(31,24) truncate"), 0);
}

/// In every row, sums of small integers over a whole instruction are exact.
TEST(UnitDefinition, SumsOfSmallIntegersAreExact) {
  std::mt19937 random(3);
  for (const UnitRow& row : unit_table().rows()) {
    if (!row.unit.known()) continue;
    const size_t k = size_t(2 * row.unit.k);
    std::vector<uint32_t> a, b, scales;
    int sum = int(random() % 9);
    const uint32_t c = code_of(*row.unit.d, sum);
    for (size_t i = 0; i < k; ++i) {
      const int x = int(random() % 5) - 2, y = int(random() % 5) - 2;
      a.push_back(code_of(*row.unit.a, x)), b.push_back(code_of(*row.unit.b, y));
      sum += x * y;
    }
    if (row.unit.scale) scales.assign(k / size_t(row.unit.scale_block), code_of(*row.unit.scale, 1));
    EXPECT_EQ(defined_element(row.unit, {a, b, scales, scales}, c), code_of(*row.unit.d, sum)) << row.id;
  }
}

/// Two rows, computed a second time in MPFR: an aligned sum (T-FDPA) with 25 fraction bits, and a tree of f32 additions.
TEST(UnitDefinition, TwoRowsAreWhatTheirFormulasSay) {
  std::mt19937 random(4);
  const auto number = [&](const Format& f) {
    for (;;) {
      const double x = decode(f, uint32_t(random() & 0xffff));
      if (std::isfinite(x) && std::fabs(x) < 1e15) return x;
    }
  };
  const auto exponent = [](double x, int least) { return x == 0 ? -1000 : std::max(std::ilogb(x), least); };
  for (int trial = 0; trial < 2000; ++trial) {
    std::vector<double> a, b;
    std::vector<uint32_t> a_codes, b_codes;
    const double c = double(float(number(kBf16) * 0x1.234568p0));
    int largest = std::max(-133, exponent(c, -126));
    for (int i = 0; i < 16; ++i) {
      a.push_back(number(kBf16)), b.push_back(number(kBf16));
      a_codes.push_back(code_of(kBf16, a.back())), b_codes.push_back(code_of(kBf16, b.back()));
      if (a[size_t(i)] != 0 && b[size_t(i)] != 0)
        largest = std::max(largest, exponent(a.back(), -126) + exponent(b.back(), -126));
    }
    const Real step = pow(Real(2), largest - 25);
    Real sum = trunc(Real(c) / step);
    for (size_t i = 0; i < 16; ++i) sum += trunc(Real(a[i]) * Real(b[i]) / step);
    EXPECT_EQ(defined_element(unit("sm_90.mma.bf16.f32"), {a_codes, b_codes}, code_of(kF32, c)),
              code_of(kF32, rounded(kF32, Real(sum * step), MPFR_RNDZ) + 0.0));

    Real chain = c;
    for (size_t i = 0; i < 16; i += 4) {
      const auto product = [&](size_t j) { return Real(a[i + j]) * Real(b[i + j]); };
      const Real low = nearest(kF32, product(0) + product(1)), high = nearest(kF32, product(2) + product(3));
      chain = nearest(kF32, chain + Real(nearest(kF32, low + high)));
    }
    bool normal = std::fabs(c) > 0x1p-100;
    for (size_t i = 0; i < 16; ++i) normal = normal && std::fabs(a[i]) > 0x1p-50 && std::fabs(b[i]) > 0x1p-50;
    if (!normal) continue;
    EXPECT_EQ(defined_element(unit("gfx90a.mfma.bf16_1k.f32"), {a_codes, b_codes}, code_of(kF32, c)),
              code_of(kF32, double(chain)));
  }
}

TEST(UnitDefinition, ScalesMultiplyAndTheirNaNSpoils) {
  const Unit& mx = unit("sm_100.tcgen05.mx_e4m3.f32");
  const uint32_t one = code_of(kE4M3Fn, 1);
  const std::vector<uint32_t> ones(32, one), two = {128}, four = {129}, nan = {255};
  EXPECT_EQ(defined_element(mx, {ones, ones, two, four}, 0), code_of(kF32, 256));
  EXPECT_EQ(defined_element(mx, {ones, ones, nan, four}, 0), 0x7fffffffu);
  const Unit& nv = unit("sm_100.tcgen05.nvf4.f32");
  const std::vector<uint32_t> sixes(64, code_of(kE2M1, 6)),
      scales = {code_of(kUe4M3, 1.125), code_of(kUe4M3, 2), 0, code_of(kUe4M3, 448)}, unit_scales(4, code_of(kUe4M3, 1));
  EXPECT_EQ(defined_element(nv, {sixes, sixes, scales, unit_scales}, 0), code_of(kF32, 16 * 36 * (1.125 + 2 + 448)));
}

TEST(UnitDefinition, NothingIsPredictedForAnUnknownUnit) {
  const Unit& unknown = unit("gfx950.mfma.e4m3.f32");
  EXPECT_FALSE(unknown.known());
  EXPECT_THROW(defined_element(unknown, {}, 0), std::invalid_argument);
  EXPECT_THROW(defined_element(unit("sm_90.mma.f16.f32"), {std::vector<uint32_t>(3), std::vector<uint32_t>(2)}, 0),
               std::invalid_argument);
}

using ::testing::HasSubstr;
namespace fs = std::filesystem;

const std::vector<RecordedUnit>& recorded_units() {
  static const std::vector<RecordedUnit> all = load_recorded_units("reference/contracts/unit_recordings.csv");
  return all;
}

TEST(Recordings, EverySetNamesAUnitWhoseFormatsAreThose) {
  for (const RecordedUnit& r : recorded_units()) {
    const Unit& unit = unit_table().find(r.unit).unit;
    EXPECT_EQ(*unit.d, r.d == "fp32" ? kF32 : kF16) << r.unit;
    EXPECT_TRUE(unit.known()) << r.unit;
  }
}

/// A row must reproduce every recorded set of its instruction, and the row with one change must not. The change: with `last`, c
/// is added first; otherwise one fraction bit fewer. Sets with 16-bit results are tested only without the change, because it
/// hardly affects them.
TEST(Recordings, OfRealMatrixUnitsAreReproduced) {
  const char* const folder = std::getenv("ASSAY_HARDWARE_VECTORS");
  if (!folder) GTEST_SKIP() << "ASSAY_HARDWARE_VECTORS names no folder with recordings";
  int covered = 0;
  for (const RecordedSet& set : recorded_sets(folder)) {
    for (const RecordedUnit& r : recorded_units()) {
      if (r.gpu != set.gpu || r.format != set.format || r.d != set.d) continue;
      ++covered;
      const UnitRow& row = unit_table().find(r.unit);
      const RecordedMatches matches = match_recorded(row.unit, r.c_is_zero, set);
      EXPECT_EQ(matches.matches, matches.vectors) << set.name() << " " << r.unit << " line " << matches.first_line;
      EXPECT_GT(matches.vectors, 0) << set.name();
      if (set.d != "fp32") continue;
      Unit wrong = row.unit;
      if (wrong.c_last)
        wrong.c_last = false;
      else
        --wrong.fraction_bits;
      EXPECT_LT(match_recorded(wrong, r.c_is_zero, set).matches, matches.vectors) << set.name();
    }
  }
  EXPECT_GT(covered, 0) << "no set of " << folder << " is of a unit that unit_recordings.csv lists";
}

/// Writes files with one recorded dot product of an instruction that takes four f16 products.
class RecordingFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::temp_directory_path() / ("assay_recordings_" + std::to_string(::getpid()));
    fs::create_directories(root_ / "G" / "fp16");
    write("a_G_fp16", "3f800000 3f800000 3f800000 3f800000 \n");
    write("b_G_fp16", "3f800000 40000000 3f800000 3f800000 \n");
    write("c_G_fp32", "00111111100000000000000000000000\n");
    write("d_G_fp32", "01000000110000000000000000000000\n");
  }
  void TearDown() override { fs::remove_all(root_); }
  void write(const std::string& name, const std::string& text) { std::ofstream(root_ / "G" / "fp16" / (name + ".txt")) << text; }
  std::string error() const {
    try {
      match_recorded(unit_table().find("sm_70.mma.f16.f32").unit, false, recorded_sets(root_).at(0));
    } catch (const std::runtime_error& e) {
      return e.what();
    }
    return "none";
  }
  fs::path root_;
};

TEST_F(RecordingFiles, AreReadAndCompared) {
  const Unit& unit = unit_table().find("sm_70.mma.f16.f32").unit;
  const RecordedSet set = recorded_sets(root_).at(0);
  EXPECT_EQ(set.name(), "G/fp16/fp32");
  EXPECT_EQ(match_recorded(unit, false, set).matches, 1);
  const RecordedMatches zero = match_recorded(unit, true, set);
  EXPECT_EQ(zero.matches, 0);
  EXPECT_EQ(zero.first_line, 1);
  EXPECT_EQ(zero.recorded, 0x40c00000u);
  EXPECT_EQ(zero.predicted, 0x40a00000u);
}

TEST_F(RecordingFiles, ThatAreBrokenSayWhere) {
  write("d_G_fp32", "");
  EXPECT_THAT(error(), HasSubstr("d_G_fp32.txt: has 0 lines"));
  write("d_G_fp32", "0100000011000000\n");
  EXPECT_THAT(error(), HasSubstr("d_G_fp32.txt:1: '0100000011000000': expected an f32 code of 32 binary digits"));
  write("a_G_fp16", "3f800000 3f80000x 3f800000 3f800000\n");
  EXPECT_THAT(error(), HasSubstr("a_G_fp16.txt:1: '3f80000x': expected an f32 code"));
  write("a_G_fp16", "3f800001 3f800000 3f800000 3f800000\n");
  EXPECT_THAT(error(), HasSubstr("a_G_fp16.txt:1: '3f800001' is not a value of f16"));
  write("a_G_fp16", "3f800000 3f800000\n");
  EXPECT_THAT(error(), HasSubstr("b_G_fp16.txt:1: has 4 words"));
  write("a_G_fp16", "\n");
  EXPECT_THAT(error(), HasSubstr("a_G_fp16.txt:1: empty line"));
  fs::remove(root_ / "G" / "fp16" / "c_G_fp32.txt");
  EXPECT_THAT(error(), HasSubstr("c_G_fp32.txt: cannot be read"));
  fs::remove_all(root_ / "G");
  EXPECT_THAT(error(), HasSubstr("holds no data set"));
  EXPECT_THROW(recorded_sets("no/such/folder"), std::runtime_error);
}

// Compares accumulate() on whole tiles with outputs of real GEMM libraries on an H200. Their kernels use one accumulator for all
// of k, or split-K. Reads the folder `gemm` of ASSAY_HARDWARE_VECTORS; its README describes the inputs.

using recorded::mix, recorded::npy;

struct Recorded {
  const char *name, *unit, *a_table, *b_table;
  int m, n, k;
  int split;  ///< number of split-K parts; each accumulates from 0, and they are added in f32 in ascending order
  uint64_t a_seed, b_seed;
};

/// Recordings with f32 outputs and no scales, from index.json of that folder.
constexpr Recorded kRecorded[] = {
    {"torch_fast_f32_positive", "sm_90.wgmma.e4m3.f32", "e4m3_positive", "e4m3_positive", 64, 64, 4096, 1, 1, 2},
    {"torch_k32_f32", "sm_90.wgmma.e4m3.f32", "e4m3_sub", "e4m3_sub", 128, 128, 32, 1, 1, 2},
    {"torch_fast_f32_split6", "sm_90.wgmma.e4m3.f32", "e4m3_sub", "e4m3_sub", 64, 64, 16384, 6, 1, 2},
    {"torch_e5m2_e4m3_f32", "sm_90.wgmma.e5m2_e4m3.f32", "e5m2_wide", "e4m3_wide", 17, 128, 8192, 3, 3, 4},
    {"triton_plain_f32", "sm_90.wgmma.e4m3.f32", "e4m3_wide", "e4m3_wide", 64, 64, 4096, 1, 1, 2},
    {"triton_imprecise0_mma_sync_f32", "sm_90.mma.e4m3_unpacked.f32", "e4m3_sub", "e4m3_sub", 64, 64, 1024, 1, 1, 2},
};

std::vector<std::byte> factor(const std::string& table, uint64_t seed, int rows, int k) {
  std::vector<std::byte> codes;
  for (uint64_t row = 0; row < uint64_t(rows); ++row)
    for (uint64_t i = 0; i < uint64_t(k); ++i)
      codes.push_back(std::byte(table[mix((row * 16384 + i + 1) * 0x9e3779b97f4a7c15 + seed * 0xd1342543de82ef95) & 4095]));
  return codes;
}

/// f32 results: each split-K part is predicted with an accumulator of its own, then the parts are added in f32.
std::vector<uint32_t> predicted(const Unit& unit, const Recorded& r, const UnitProduct& product) {
  const size_t size = size_t(r.m * r.n);
  const int part = ((r.k + 127) / 128 + r.split - 1) / r.split * 128;
  std::vector<float> sum(size);
  std::vector<uint32_t> d;
  for (int first = 0; first < r.k; first += part) {
    d.assign(size, 0);
    accumulate(unit, product, {0, r.m, 0, r.n}, first, std::min(r.k, first + part), d.data(), r.n);
    for (size_t i = 0; i < size; ++i) sum[i] += float(decode(kF32, d[i]));
  }
  for (size_t i = 0; i < size && r.split > 1; ++i) d[i] = code_of(kF32, sum[i]);
  return d;
}

TEST(GemmRecordings, OfLibrariesOnAnH200AreReproduced) {
  const char* const vectors = std::getenv("ASSAY_HARDWARE_VECTORS");
  const std::filesystem::path folder = vectors ? std::filesystem::path(vectors) / "gemm" : std::filesystem::path();
  if (!vectors || !std::filesystem::exists(folder)) GTEST_SKIP() << "ASSAY_HARDWARE_VECTORS names no folder with gemm/";
  for (const Recorded& r : kRecorded) {
    const std::string bits = npy(folder / (std::string(r.name) + ".npy"));
    std::vector<uint32_t> recorded;
    for (size_t i = 0; i + 4 <= bits.size(); i += 4) {
      uint32_t word = 0;
      for (size_t byte = 0; byte < 4; ++byte) word |= uint32_t(uint8_t(bits[i + byte])) << (8 * byte);
      recorded.push_back(word);
    }
    ASSERT_EQ(recorded.size(), size_t(r.m * r.n)) << r.name;
    const auto table = [&](const char* name) { return npy(folder / ("table_" + std::string(name) + ".npy")); };
    const std::vector<std::byte> a = factor(table(r.a_table), r.a_seed, r.m, r.k),
                                 b = factor(table(r.b_table), r.b_seed, r.n, r.k);
    const UnitProduct product{{a.data(), r.k}, {b.data(), r.k}, r.k};
    const Unit& unit = unit_table().find(r.unit).unit;
    EXPECT_EQ(predicted(unit, r, product), recorded) << r.name;
    Unit coarse = unit;
    --coarse.fraction_bits;
    EXPECT_NE(predicted(coarse, r, product), recorded) << r.name << " does not see a fraction bit";
  }
}

}  // namespace

}  // namespace assay
