#include "reference/units/recordings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "reference/testing/units.h"

namespace assay {
namespace {

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

/// Every recorded set is reproduced by its row, and not by the same row with one change: c added elsewhere if the row has c_last,
/// else one fraction bit fewer. Only sets with f32 results are tested with the change: 16-bit results hardly depend on it.
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

/// Files with one recorded vector of a unit with four f16 products.
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
  EXPECT_THAT(error(), HasSubstr("d_G_fp32.txt:1: '0100000011000000' is no word of f32 in 32 binary digits"));
  write("a_G_fp16", "3f800000 3f80000x 3f800000 3f800000\n");
  EXPECT_THAT(error(), HasSubstr("a_G_fp16.txt:1: '3f80000x' is no word"));
  write("a_G_fp16", "3f800001 3f800000 3f800000 3f800000\n");
  EXPECT_THAT(error(), HasSubstr("a_G_fp16.txt:1: '3f800001' is no number of f16"));
  write("a_G_fp16", "3f800000 3f800000\n");
  EXPECT_THAT(error(), HasSubstr("b_G_fp16.txt:1: has 4 words"));
  write("a_G_fp16", "\n");
  EXPECT_THAT(error(), HasSubstr("a_G_fp16.txt:1: an empty line"));
  fs::remove(root_ / "G" / "fp16" / "c_G_fp32.txt");
  EXPECT_THAT(error(), HasSubstr("c_G_fp32.txt: cannot be read"));
  fs::remove_all(root_ / "G");
  EXPECT_THAT(error(), HasSubstr("holds no data set"));
  EXPECT_THROW(recorded_sets("no/such/folder"), std::runtime_error);
}

}  // namespace
}  // namespace assay
