#include "reference/units/predict.h"

#include <gtest/gtest.h>

#include <thread>

#include "reference/testing/unit_data.h"

namespace assay {
namespace {

std::string cells_of(const UnitRow& row) {
  std::string text = row.id + ": " + row.text("a") + " " + row.text("b") + " " + row.text("d") + " k " + row.text("k");
  for (const std::string& column : unit_step_columns()) text += " | " + row.text(column);
  return text;
}

std::vector<const UnitLoops*> all_loops() {
  std::vector<const UnitLoops*> all;
  for (const char* name : {"scalar", "avx2", "avx512", "avx512vnni"})
    if (const UnitLoops* found = unit_loops_named(name)) all.push_back(found);
  return all;
}

/// Compares every element, for every instruction set, with the definition.
void compare(const UnitRow& row, UnitData kind, RandomCodes& random) {
  const Unit& unit = row.unit;
  const int k = unit.k * (1 + int(random.below(2))) - (random.below(3) == 0 ? int(random.below(uint64_t(unit.k))) : 0);
  const UnitCase one(unit, 2, 17, k, kind, random);
  std::vector<uint32_t> expected;
  for (int i = 0; i < one.rows; ++i)
    for (int j = 0; j < one.columns; ++j) expected.push_back(one.defined(unit, i, j));
  for (const UnitLoops* loops : all_loops()) {
    std::vector<uint32_t> d = one.c;
    accumulate(unit, one.product(), {0, one.rows, 0, one.columns}, 0, one.k, d.data(), one.columns, one_after_the_other, *loops);
    for (size_t i = 0; i < d.size(); ++i)
      ASSERT_EQ(d[i], expected[i]) << loops->name << ", data " << int(kind) << ", k " << k << ", element " << i << ", "
                                   << cells_of(row);
  }
}

TEST(UnitPrediction, IsTheDefinitionForEveryRow) {
  RandomCodes random(1);
  for (const UnitRow& row : unit_table().rows())
    for (int kind = 0; row.unit.known() && kind < kUnitDataKinds; ++kind) {
      compare(row, UnitData(kind), random);
      if (HasFatalFailure()) return;
    }
}

TEST(UnitPrediction, IsTheDefinitionForRowsOfRandomParameters) {
  const char* const more = std::getenv("ASSAY_UNIT_ROWS");
  RandomCodes random(more ? uint64_t(std::atoi(more)) : 2);
  for (int i = 0, n = more ? std::atoi(more) : 400; i < n; ++i) {
    compare(random_unit_row(random), UnitData(random.below(kUnitDataKinds)), random);
    if (HasFatalFailure()) return;
  }
}

TEST(UnitPrediction, ReadsEveryProbeFromMemory) {
  for (const UnitProbe& probe : unit_probes()) {
    const Unit& unit = unit_table().find(probe.unit).unit;
    std::vector<std::byte> a, b;
    const auto put = [](const Format& f, uint32_t code, std::vector<std::byte>& bytes) {
      const uint32_t word = f == kTf32 ? code << 13 | 0x1fff : code;
      for (int i = 0; i < f.bytes(); ++i) bytes.push_back(std::byte(word >> (8 * i) & 0xff));
    };
    for (size_t i = 0; i < probe.a.size(); ++i) put(*unit.a, probe.a[i], a), put(*unit.b, probe.b[i], b);
    const auto k = int64_t(probe.a.size());
    for (const UnitLoops* loops : all_loops()) {
      uint32_t d = probe.c;
      accumulate(unit, {{a.data(), k}, {b.data(), k}, k}, {0, 1, 0, 1}, 0, k, &d, 1, one_after_the_other, *loops);
      EXPECT_EQ(d, probe.d) << probe.name << " " << probe.unit << " " << loops->name;
    }
  }
}

TEST(UnitPrediction, TilesStepsAndThreadsMakeNoDifference) {
  RandomCodes random(5);
  for (const char* id : {"sm_90.wgmma.e4m3.f32", "sm_90.mma.e4m3.f32", "sm_100.tcgen05.nvf4.f32", "gfx942.mfma.bf16.f32"}) {
    const Unit& unit = unit_table().find(id).unit;
    const int k = 5 * unit.k;
    const UnitCase one(unit, 70, 50, k, UnitData::kNearOne, random);
    std::vector<uint32_t> whole = one.c, steps = one.c, threads = one.c;
    accumulate(unit, one.product(), {0, 70, 0, 50}, 0, k, whole.data(), 50);
    for (int first = 0; first < k; first += 2 * unit.k)
      accumulate(unit, one.product(), {0, 70, 0, 50}, first, std::min(k, first + 2 * unit.k), steps.data(), 50);
    EXPECT_EQ(whole, steps) << id;
    accumulate(unit, one.product(), {0, 70, 0, 50}, 0, k, threads.data(), 50,
               [](int64_t n, const std::function<void(int64_t)>& f) {
                 std::vector<std::thread> all;
                 for (int64_t i = n - 1; i >= 0; --i) all.emplace_back(f, i);
                 for (std::thread& t : all) t.join();
               });
    EXPECT_EQ(whole, threads) << id;
    std::vector<uint32_t> part;
    for (int i = 33; i < 40; ++i) part.insert(part.end(), one.c.begin() + i * 50 + 19, one.c.begin() + i * 50 + 40);
    accumulate(unit, one.product(), {33, 7, 19, 21}, 0, k, part.data(), 21);
    for (int i = 0; i < 7; ++i)
      for (int j = 0; j < 21; ++j) EXPECT_EQ(part[size_t(i * 21 + j)], whole[size_t((33 + i) * 50 + 19 + j)]) << id;
  }
}

TEST(UnitPrediction, CodesOfFourBitsMayShareAByte) {
  RandomCodes random(6);
  const Unit& unit = unit_table().find("sm_120.mma.mxf4.f32").unit;
  const UnitCase one(unit, 3, 5, 128, UnitData::kNearOne, random);
  const auto packed = [](const std::vector<std::byte>& codes) {
    std::vector<std::byte> bytes;
    for (size_t i = 0; i < codes.size(); i += 2) bytes.push_back(codes[i] | codes[i + 1] << 4);
    return bytes;
  };
  const std::vector<std::byte> a = packed(one.a_bytes), b = packed(one.b_bytes);
  UnitProduct product = one.product();
  std::vector<uint32_t> plain = one.c, shared = one.c;
  accumulate(unit, product, {0, 3, 0, 5}, 0, 128, plain.data(), 5);
  product.a.codes = a.data(), product.b.codes = b.data();
  product.a.two_in_a_byte = product.b.two_in_a_byte = true;
  accumulate(unit, product, {0, 3, 0, 5}, 0, 128, shared.data(), 5);
  EXPECT_EQ(plain, shared);
}

TEST(UnitPrediction, RefusesWhatItCannotDo) {
  RandomCodes random(7);
  const Unit &unit = unit_table().find("sm_90.wgmma.e4m3.f32").unit,
             &scaled = unit_table().find("sm_100.tcgen05.mx_e4m3.f32").unit;
  const UnitCase one(unit, 1, 1, 80, UnitData::kNearOne, random);
  std::vector<uint32_t> d = one.c;
  const auto run = [&](const Unit& u, int64_t first, int64_t end) {
    accumulate(u, one.product(), {0, 1, 0, 1}, first, end, d.data(), 1);
  };
  EXPECT_NO_THROW(run(unit, 64, 80));
  EXPECT_THROW(run(unit, 16, 80), std::invalid_argument);
  EXPECT_THROW(run(unit, 0, 48), std::invalid_argument);
  EXPECT_THROW(run(unit, 0, 96), std::invalid_argument);
  EXPECT_THROW(run(scaled, 0, 64), std::invalid_argument);
  EXPECT_THROW(run(unit_table().find("gfx950.mfma.e4m3.f32").unit, 0, 64), std::invalid_argument);
}

}  // namespace
}  // namespace assay
