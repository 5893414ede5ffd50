// Tests the probe. Helpers first: random models with the operands of table rows, whose arithmetic real GPUs have or might have.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <string>

#include "harness/probe/infer.h"
#include "harness/probe/probe_data.h"
#include "reference/units/unit_separate.h"
#include "reference/units/unit_table.h"

namespace assay {

using ::testing::HasSubstr;

inline UnitRow random_row(const UnitTable& table, Draw& draw) {
  const auto number = [&](int low, int high) { return std::to_string(draw.between(low, high)); };
  const auto one_in = [&](int n) { return draw.below(n) == 0; };
  const auto loss = [&] { return one_in(2) ? " floor" : " truncate"; };
  for (;;) {
    UnitRow row = table.rows()[size_t(draw.below(int(table.rows().size())))];
    const Unit operands = row.unit;
    if (!operands.known() || operands.sum == ProductSum::kExact || operands.group > 1) continue;
    const bool f16 = operands.d->bits == 16, pairs = !f16 && !operands.scale && one_in(8), joined = !f16 && !pairs && one_in(4),
               split = joined && one_in(3);
    const int take = operands.k >> draw.below(3), bits = operands.d->mantissa_bits;
    const auto set = [&](const char* column, const std::string& text) { row.cells[column].text = text; };
    row.id = "random", set("id", "random"), set("evidence", "model");
    set("order", (take < operands.k && !joined && one_in(4) ? "interleave(4,2) take(" : "take(") + std::to_string(take) + ")");
    const std::string align = "align(" + number(11, 28) + ")" + loss();
    set("sum", pairs ? "pairs" : split ? "split(2) " + align + " join(" + number(20, 30) + ")" + loss() : align);
    const std::string least =
        one_in(2) ? "" : " least(" + number(operands.d->min_exponent() - 10, operands.d->min_exponent() - 2) + ")";
    set("exponent",
        pairs ? "" : std::string(one_in(4) ? "normalized" : "ea+eb") + (one_in(4) ? " zeros" : "") + (joined ? "" : least));
    const std::string drop = one_in(2) ? "" : " drop(" + number(20, 30) + ")";
    set("c", pairs       ? "added"
             : joined    ? "joined(" + number(25, 34) + "," + number(22, 30) + ")" + loss() + drop
             : one_in(6) ? "aligned last"
                         : "aligned");
    set("round",
        pairs ? "rne(23)" : (one_in(2) ? "rz(" : "rne(") + (one_in(2) ? std::to_string(bits) : number(bits - 6, bits)) + ")");
    set("special", std::string(f16 ? "nan(7fff)" : one_in(2) ? "nan(7fffffff)" : "nan(7fc00000)") + (one_in(4) ? " flush" : ""));
    try {
      row.unit = read_unit(row);
      return row;
    } catch (const TableError&) {
    }
  }
}

/// A random row whose operands are converted to f16 or f32 before their exponents are read.
inline UnitRow random_converted_row(const UnitTable& table, Draw& draw) {
  for (;;) {
    UnitRow row = random_row(table, draw);
    std::string& cell = row.cells["exponent"].text;
    if (!cell.starts_with("ea+eb")) continue;
    cell.insert(5, draw.coin() ? " in(f16)" : " in(f32)");
    try {
      row.unit = read_unit(row);
      return row;
    } catch (const TableError&) {
    }
  }
}

namespace {

// The probe finds models from their results alone (those of table rows and random rows), and reports instructions that no row
// can describe.

const UnitTable& table() {
  static const UnitTable units = UnitTable::load(std::string(ASSAY_SOURCE_DIR) + "/reference/contracts/units.csv");
  return units;
}

/// A simulated instruction: it returns the results of a model after `change` has modified them.
Ask ask_of(
    const Unit& unit, const std::function<uint32_t(uint32_t code)>& change = [](uint32_t code) { return code; }) {
  return [&unit, change](const Tiles& tiles) {
    std::vector<uint32_t> d;
    for (int64_t tile = 0; tile < tiles.count(); ++tile)
      for (const uint32_t code : tiles.predicted(unit, tile)) d.push_back(change(code));
    return d;
  };
}

std::string cells_of(const UnitRow& row) {
  std::string text = row.text("a") + " " + row.text("b") + " " + row.text("d") + " k " + row.text("k");
  for (const std::string& column : unit_step_columns()) text += " | " + row.text(column);
  return text;
}

/// Expects that the probe finds the row's cells, or a model that no searched input distinguishes from the row's.
void expect_found(const UnitRow& row) {
  const Probed probed = probe_unit(instruction_of(row, 16, 8), ask_of(row.unit));
  const LikeRow like = compare_with(probed.unit, row);
  std::string lines;
  for (const std::string& line : probed_lines(probed, &like, like)) lines += line + "\n";
  EXPECT_TRUE(probed.known()) << cells_of(row) << "\n" << lines;
  EXPECT_TRUE(like.equal) << cells_of(row) << "\n" << lines;
  EXPECT_GT(probed.checked, 20'000);
}

TEST(UnitCells, AreReadBackAsTheyAreWritten) {
  Draw draw(3);
  std::vector<UnitRow> rows(200, random_row(table(), draw));
  for (UnitRow& row : rows) row = random_row(table(), draw);
  rows.insert(rows.end(), table().rows().begin(), table().rows().end());
  for (const UnitRow& row : rows) {
    if (!row.unit.known()) continue;
    for (const auto& [column, text] : step_cells(row.unit)) EXPECT_EQ(text, row.text(column)) << row.id << " " << column;
  }
}

TEST(Probe, FindsRowsOfEveryShape) {
  for (const char* id : {"sm_90.wgmma.e4m3.f32", "sm_90.mma.e5m2.f16", "gfx942.mfma.e4m3fnuz.f32", "gfx90a.mfma.f16.f32",
                         "sm_100.tcgen05.nvf4.f32", "sm_90.mma.int8.int32"})
    expect_found(table().find(id));
}

TEST(Probe, FindsRowsOfRandomParameters) {
  const char* const more = std::getenv("ASSAY_PROBE_ROWS");
  Draw draw(more ? uint64_t(std::atoi(more)) : 7);
  for (int i = 0, n = more ? std::atoi(more) : 2; i < n; ++i) expect_found(random_row(table(), draw));
}

/// A row with some cells replaced.
UnitRow edited(const char* id, std::initializer_list<std::pair<const char*, const char*>> cells) {
  UnitRow row = table().find(id);
  for (const auto& [column, text] : cells) row.cells[column].text = text;
  row.unit = read_unit(row);
  return row;
}

/// The fit finds this model only because it tries the best parameters in every order of k.
TEST(Probe, FindsNumbersThatHoldEachOtherBack) {
  expect_found(edited("sm_80.mma.f16.f32",
                      {{"order", "take(8)"}, {"sum", "align(12) floor"}, {"c", "joined(32,23) truncate"}, {"round", "rne(20)"}}));
}

/// On a single data set, many places of different blocks look exchangeable (kRounds in fit.cpp).
TEST(Probe, FindsBlocksThatSeldomDiffer) {
  expect_found(edited("sm_89.mma.e5m2.f32", {{"sum", "align(22) floor"}, {"c", "joined(32,28) truncate"}, {"round", "rne(23)"}}));
}

TEST(Probe, FindsRowsWhoseFactorsAreConverted) {
  const UnitRow &unpacked = table().find("sm_90.mma.e4m3_unpacked.f32"), &mixed = table().find("sm_90.mma.e4m3_e5m2.f32");
  for (const UnitRow* row : {&unpacked, &mixed}) {
    expect_found(*row);
    UnitRow own = *row;
    own.cells["exponent"].text = "ea+eb";
    own.unit = read_unit(own);
    expect_found(own);
    EXPECT_TRUE(first_witness(row->unit, own.unit)) << row->id;
  }
  Draw draw(3);
  for (int i = 0; i < 2; ++i) expect_found(random_converted_row(table(), draw));
}

TEST(Probe, SaysWhatCannotBeObserved) {
  const UnitRow& row = table().find("sm_90.mma.e5m2.f16");
  const Probed probed = probe_unit(instruction_of(row, 16, 8), ask_of(row.unit));
  ASSERT_EQ(probed.not_observable.size(), 1u);
  EXPECT_EQ(probed.not_observable[0].cell, "exponent");
  EXPECT_EQ(compare_with(probed.unit, row).cells.at("exponent"), CellMatch::kEqual);
  for (const char* cell : {"ea+eb least(-29)", "ea+eb least(-21)", "ea+eb least(-7)"}) {
    UnitRow other = row;
    other.cells["exponent"].text = cell;
    other.unit = read_unit(other);
    EXPECT_FALSE(first_witness(probed.unit, other.unit)) << cell;
  }
  UnitRow beyond = row;
  beyond.cells["exponent"].text = "ea+eb least(-6)";
  beyond.unit = read_unit(beyond);
  EXPECT_TRUE(first_witness(probed.unit, beyond.unit));
}

/// A model that differs from its row in one cell is reported with exactly that cell.
TEST(Probe, NamesTheCellInWhichAUnitDiffers) {
  const UnitRow& row = table().find("sm_90.mma.bf16.f32");
  for (const auto& [column, text] : {std::pair<const char*, const char*>{"order", "take(8)"},
                                     {"exponent", "ea+eb least(-132)"},
                                     {"sum", "align(24) truncate"},
                                     {"c", "aligned last"},
                                     {"round", "rne(23)"},
                                     {"special", "nan(7fffffff) flush"}}) {
    UnitRow other = row;
    other.cells[column].text = text;
    other.unit = read_unit(other);
    const Probed probed = probe_unit(instruction_of(row, 16, 8), ask_of(other.unit));
    EXPECT_TRUE(probed.known()) << text;
    const LikeRow like = compare_with(probed.unit, row);
    EXPECT_FALSE(like.equal) << text;
    for (const auto& [cell, match] : like.cells) EXPECT_EQ(match == CellMatch::kDiffers, cell == column) << cell << " " << text;
  }
}

TEST(Probe, WhatNoRowExplainsIsUnknown) {
  const UnitRow& row = table().find("sm_70.mma.f16.f32");
  const Instruction instruction = instruction_of(row, 8, 8);
  const Ask one_off = ask_of(row.unit, [](uint32_t code) { return code % 4096 == 1 ? code + 1 : code; });
  const Probed probed = probe_unit(instruction, one_off);
  EXPECT_FALSE(probed.known());
  ASSERT_FALSE(probed.unexplained.empty());
  EXPECT_THAT(probed.unexplained[0].example, HasSubstr("returned"));
  const LikeRow nearest = nearest_row(probed.unit, table());
  EXPECT_THAT(probed_lines(probed, nullptr, nearest), testing::Contains(HasSubstr("UNKNOWN UNIT")));
}

TEST(Probe, AProductThatNeverCountsIsNamed) {
  const UnitRow& row = table().find("sm_90.mma.f16.f32");
  const Ask ask = ask_of(row.unit);
  const Ask drops = [&](const Tiles& tiles) {
    Tiles less = tiles;
    for (int64_t tile = 0; tile < less.count(); ++tile)
      for (int i = 0; i < 16; ++i) less.set_a(tile, i, 5, 0);
    return ask(less);
  };
  const Probed probed = probe_unit(instruction_of(row, 16, 8), drops);
  EXPECT_THAT(probed.remarks, testing::Contains(HasSubstr("products at k = 5 have no effect")));
  EXPECT_TRUE(probed.unexplained.empty());
  EXPECT_TRUE(compare_with(probed.unit, row).equal);
}

TEST(Probe, NoAnswerIsNoUnit) {
  const UnitRow& row = table().find("sm_90.mma.f16.f32");
  const Ask refuses = [](const Tiles&) -> std::vector<uint32_t> { throw ProbeError("refused"); };
  EXPECT_THROW(probe_unit(instruction_of(row, 16, 8), refuses), ProbeError);
}

}  // namespace
}  // namespace assay
