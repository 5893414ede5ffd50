// Compares fast prediction with the exact definition. Tests Replay, and the search for inputs that tell models apart.
#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <set>
#include <thread>

#include "reference/testing/unit_data.h"
#include "reference/units/unit_definition.h"
#include "reference/units/unit_predict.h"
#include "reference/units/unit_recordings.h"
#include "reference/units/unit_separate.h"
#include "reference/units/unit_table.h"

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

/// Compares every element with the definition, for the loops of every instruction set.
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

// Replay's interval of an instruction contains the instruction's result and the result with one more bit kept, but not the
// results of other products.

constexpr const char* kUnits[] = {"sm_89.mma.e4m3.f32",      "sm_90.wgmma.e4m3.f32",        "sm_90.wgmma.e5m2_e4m3.f32",
                                  "sm_90.mma.e4m3.f32",      "sm_90.mma.e4m3_unpacked.f32", "sm_100.tcgen05.e4m3.f32",
                                  "gfx942.mfma.e4m3fnuz.f32"};

struct Data {
  std::vector<uint32_t> a, b;
  std::vector<std::byte> bytes_a, bytes_b;
};

/// Random finite codes of any size or, with `outliers`, mostly codes of values below 1 and a few codes of any size.
Data data(const Unit& unit, size_t products, bool outliers, std::mt19937& random) {
  const auto code = [&](const Format& format) {
    for (;;) {
      const uint32_t bits = random() & 0xff;
      const double value = std::fabs(decode(format, bits));
      if (std::isfinite(value) && (!outliers || value < 1 || random() % 16 == 0)) return bits;
    }
  };
  Data made;
  for (size_t i = 0; i < products; ++i) {
    made.a.push_back(code(*unit.a)), made.b.push_back(code(*unit.b));
    made.bytes_a.push_back(std::byte(made.a.back())), made.bytes_b.push_back(std::byte(made.b.back()));
  }
  return made;
}

bool holds(Span span, double value) { return span.low <= value && value <= span.high; }

TEST(Replay, HoldsWhatTheUnitReturnsAndWhatItsNeighboursDo) {
  std::mt19937 random(1);
  for (const char* id : kUnits) {
    const Unit& unit = unit_table().find(id).unit;
    Unit finer = unit;  // with one more bit kept, the result lies between the truncated and the exact one
    finer.fraction_bits += 1;
    int pinned = 0;
    for (int i = 0; i < 200; ++i) {
      const Data one = data(unit, 8 + random() % 250, i % 2 == 0, random);
      const Span span = Replay(unit).chain(one.bytes_a.data(), one.bytes_b.data(), int64_t(one.a.size()));
      const double got = decode(*unit.d, defined_element(unit, {one.a, one.b}, 0));
      ASSERT_TRUE(holds(span, got)) << id << " " << i << ": " << span.low << " " << got << " " << span.high;
      ASSERT_TRUE(holds(span, decode(*unit.d, defined_element(finer, {one.a, one.b}, 0)))) << id << " " << i;
      pinned += span.low == span.high;
    }
    EXPECT_LT(pinned, 200) << id << " loses bits of such data";
  }
}

/// The interval must be narrow enough to reject wrong sums: without one product, or 5 % too large.
TEST(Replay, DoesNotHoldWhatLacksAProductOrGains) {
  std::mt19937 random(2);
  for (const char* id : kUnits) {
    const Unit& unit = unit_table().find(id).unit;
    int lacks = 0, gains = 0;
    for (int i = 0; i < 200; ++i) {
      Data one = data(unit, 128, false, random);
      const Span span = Replay(unit).chain(one.bytes_a.data(), one.bytes_b.data(), 128);
      const double got = decode(*unit.d, defined_element(unit, {one.a, one.b}, 0));
      gains += !holds(span, got * 1.05);
      one.a[random() % 128] = 0;
      lacks += !holds(span, decode(*unit.d, defined_element(unit, {one.a, one.b}, 0)));
    }
    EXPECT_GT(gains, 100) << id;
    EXPECT_GT(lacks, 25) << id << ": one product of 128 that are not alike";
  }
}

/// Sums of small integers lose no bits, so the interval is exactly one number.
TEST(Replay, OfExactSumsIsOneNumber) {
  const Unit& unit = unit_table().find("sm_90.wgmma.e4m3.f32").unit;
  const std::vector<std::byte> ones(160, std::byte{0x38});
  const Span span = Replay(unit).chain(ones.data(), ones.data(), 160);
  EXPECT_EQ(span.low, 160);
  EXPECT_EQ(span.high, 160);
}

TEST(Replay, NanIsNan) {
  const Unit& unit = unit_table().find("sm_90.wgmma.e4m3.f32").unit;
  std::vector<std::byte> a(64, std::byte{0x38}), b = a;
  a[40] = std::byte{0x7f};
  EXPECT_TRUE(std::isnan(Replay(unit).chain(a.data(), b.data(), 64).low));
}

/// Instructions that apply the scales of blocks, as the candidate models of gfx950's MXFP4 instruction do.
TEST(Replay, AppliesScalesOfBlocks) {
  std::mt19937 random(3);
  const UnitRow& unknown = unit_table().find("gfx950.mfma.mxf4.f32");
  const std::vector<const UnitRow*> candidates = unit_table().candidates_of(unknown);
  ASSERT_EQ(candidates.size(), 3u);
  for (const UnitRow* row : candidates) {
    const Unit& unit = row->unit;
    int other = 0;
    for (int i = 0; i < 100; ++i) {
      const size_t products = 32 * (1 + random() % 9);
      Data one;
      for (size_t k = 0; k < products; ++k) {
        one.a.push_back(random() % 16), one.b.push_back(random() % 16);
        one.bytes_a.push_back(std::byte(one.a.back())), one.bytes_b.push_back(std::byte(one.b.back()));
      }
      std::vector<uint32_t> sa, sb;
      std::vector<std::byte> bytes_a, bytes_b;
      for (size_t block = 0; block < products / 32; ++block) {
        sa.push_back(120 + random() % 16), sb.push_back(120 + random() % 16);
        bytes_a.push_back(std::byte(sa.back())), bytes_b.push_back(std::byte(sb.back()));
      }
      const Span span = Replay(unit).chain(one.bytes_a.data(), one.bytes_b.data(), {bytes_a.data(), bytes_b.data()}, int64_t(products));
      const auto got = [&] { return decode(*unit.d, defined_element(unit, {one.a, one.b, sa, sb}, 0)); };
      ASSERT_TRUE(holds(span, got())) << row->id << " " << i << ": " << span.low << " " << got() << " " << span.high;
      ++sa[random() % sa.size()];
      other += !holds(span, got());
    }
    EXPECT_GT(other, 90) << row->id << " with another scale";
    EXPECT_THROW(Replay(unit).chain(nullptr, nullptr, 128), std::invalid_argument) << "without scales";
  }
}

TEST(Replay, RefusesUnitsThatDoNotAlign) {
  EXPECT_THROW(Replay(unit_table().find("sm_90.wgmma.int8.int32").unit), std::invalid_argument);
  EXPECT_THROW(Replay(unit_table().find("sm_90.wgmma.f16.f32").unit), std::invalid_argument);
}

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

/// A mutant that no input can expose, with the reason. `unit` is the id of the row, `edit` the name of the mutant.
struct Unobservable {
  const char *unit, *edit, *why;
};
constexpr Unobservable kUnobservable[] = {
    {"sm_90.mma.e4m3.f32", "exponent: nothing -> zeros", "no product is 2^25 times smaller than a zero's exponent"},
    {"sm_90.mma.e4m3.f32", "exponent: in(f16) -> missing", "no product is 2^25 times smaller than one of a subnormal number"},
    {"sm_90.mma.int8.int32", "order: take(32) -> take(16)", "the sum is exact"},
};

/// Some input must give every mutant another result than its row. The only exceptions are listed with a reason; for these the
/// search must find no input.
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

TEST(UnitSeparation, ShowsNumbersBeforeBitsOfANan) {
  const Unit &mfma = row("gfx942.mfma.f16.f32").unit, &wgmma = row("sm_90.wgmma.f16.f32").unit;
  const UnitSeparation found = separate_units(mfma, wgmma);
  ASSERT_TRUE(found.witness);
  EXPECT_FALSE(std::isnan(decode(*mfma.d, found.witness->first)) || std::isnan(decode(*wgmma.d, found.witness->second)))
      << "their NaNs differ, too, on fewer codes";
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
