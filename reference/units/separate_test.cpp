#include "reference/units/separate.h"

#include <gtest/gtest.h>

#include <set>

#include "reference/testing/units.h"
#include "reference/units/definition.h"
#include "reference/units/neighbours.h"

namespace assay {
namespace {

const UnitRow& row(const char* id) { return unit_table().find(id); }

TEST(UnitNeighbours, AreSingleStepsThatTheLoaderTakes) {
  for (const UnitRow& one : unit_table().rows()) {
    std::set<std::string> names, cells;
    for (const UnitNeighbour& n : unit_neighbours(one)) {
      EXPECT_TRUE(names.insert(n.name).second) << one.id << " " << n.name;
      std::string text;
      int changed = 0;
      for (const std::string& column : unit_step_columns()) {
        changed += n.row.text(column) != one.text(column);
        text += n.row.text(column) + "|";
      }
      EXPECT_EQ(changed, 1) << one.id << " " << n.name;
      EXPECT_TRUE(cells.insert(text).second) << one.id << " " << n.name;
    }
    EXPECT_EQ(names.empty(), !one.unit.known()) << one.id;
  }
  std::set<std::string> names;
  for (const UnitNeighbour& n : unit_neighbours(row("sm_90.wgmma.e4m3.f32"))) names.insert(n.name);
  for (const char* name : {"order: take(32) -> take(16)", "sum: align(13) -> align(12)", "sum: truncate -> floor",
                           "round: rz(13) -> rz(23)", "exponent: nothing -> zeros", "special: nothing -> flush"})
    EXPECT_TRUE(names.contains(name)) << name;
}

/// An edit that no input can reveal, with the reason. `unit` and `edit` are the names of the row and the edit.
struct Unobservable {
  const char *unit, *edit, *why;
};
constexpr Unobservable kUnobservable[] = {
    {"sm_90.mma.e4m3.f32", "exponent: nothing -> zeros", "no product is 2^25 times smaller than a zero's exponent"},
    {"sm_90.mma.e4m3.f32", "exponent: in(f16) -> missing", "no product is 2^25 times smaller than one of a subnormal number"},
    {"sm_90.mma.int8.int32", "order: take(32) -> take(16)", "the sum is exact"},
};

/// Every edited cell is a different function: some input separates it from the row, or a listed reason says that none can and
/// none is found.
TEST(UnitNeighbours, AreToldFromTheirRow) {
  for (const char* id : {"sm_90.wgmma.e4m3.f32", "sm_90.mma.bf16.f32", "sm_90.mma.f16.f16", "sm_90.mma.e4m3.f32",
                         "sm_90.mma.e4m3_e5m2.f32", "sm_90.mma.e4m3_unpacked.f32", "gfx942.mfma.e4m3fnuz.f32",
                         "gfx90a.mfma.f16.f32", "sm_100.tcgen05.nvf4.f32", "sm_90.mma.int8.int32"})
    for (const UnitNeighbour& n : unit_neighbours(row(id))) {
      const UnitSeparation found = separate_units(row(id).unit, n.row.unit);
      bool hidden = false;
      for (const Unobservable& u : kUnobservable) hidden = hidden || (std::string(u.unit) == id && u.edit == n.name);
      EXPECT_EQ(found.witness.has_value(), !hidden) << id << " " << n.name;
    }
}

TEST(UnitSeparation, FindsASmallInput) {
  const Unit &wgmma = row("sm_90.wgmma.e4m3.f32").unit, &mma = row("sm_90.mma.e4m3.f32").unit;
  const UnitSeparation found = separate_units(wgmma, mma);
  ASSERT_TRUE(found.witness);
  const UnitWitness& w = *found.witness;
  EXPECT_NE(w.first, w.second);
  EXPECT_EQ(defined_element(wgmma, {w.a, w.b}, w.c), w.first);
  EXPECT_EQ(defined_element(mma, {w.a, w.b}, w.c), w.second);
  for (size_t i = 0; i < w.a.size(); ++i) EXPECT_EQ(w.a[i] | w.b[i], 0u) << "c alone shows its 13 fraction bits";
  EXPECT_NE(w.c, 0u);
  int64_t differ = 0;
  for (const UnitDifference& d : found.data) differ += d.differ;
  EXPECT_GT(differ, 0);
}

TEST(UnitSeparation, OfEqualUnitsFindsNothingAndSaysWhereItLooked) {
  const UnitSeparation found = separate_units(row("sm_90.mma.f16.f32").unit, row("sm_90.wgmma.f16.f32").unit);
  EXPECT_FALSE(found.witness);
  EXPECT_GE(found.data.size(), 6u);
  for (const UnitDifference& d : found.data) {
    EXPECT_EQ(d.differ, 0) << d.data;
    EXPECT_GE(d.elements, 8'192) << d.data;
  }
}

TEST(UnitSeparation, RefusesUnitsWithoutACommonInput) {
  EXPECT_THROW(separate_units(row("sm_90.mma.f16.f32").unit, row("sm_90.mma.bf16.f32").unit), std::invalid_argument);
  EXPECT_THROW(separate_units(row("sm_90.mma.f16.f32").unit, row("sm_90.mma.f16.f16").unit), std::invalid_argument);
  EXPECT_THROW(separate_units(row("sm_100.tcgen05.mxf4.f32").unit, row("sm_100.tcgen05.nvf4.f32").unit), std::invalid_argument);
  EXPECT_THROW(separate_units(row("gfx950.mfma.f16.f32").unit, row("gfx942.mfma.f16.f32").unit), std::invalid_argument);
}

}  // namespace
}  // namespace assay
