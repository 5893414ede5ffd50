// Scales and zero points that are given, and codes that are judged with the stored ones.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "reference/contracts/rows.h"
#include "reference/flow/row.h"
#include "reference/testing/f32.h"
#include "reference/testing/int8_programs.h"
#include "reference/testing/real.h"

namespace assay::int8_given {
namespace {

using namespace int8_programs;

TEST(Int8Twin, AGivenScaleAndZeroPointAreTakenAsTheyAre) {
  for (double scale : {1.0, 7.0, fl(Real("0.0123")), 0.0, 0x1p-140, HUGE_VAL}) {
    for (double azp : {0.0, 5.0, -128.0, 2147483647.0, -2147483648.0}) {
      for (const Numbers& row : rows_of(kBf16)) {
        const RowInputs inputs{row, {}, 0, 128, HUGE_VAL, {scale}, {}, {azp}};
        const RowOutputs out = evaluate_row(bind(tables(), "vllm.static_int8_azp", kBf16), inputs, nullptr, kBf16);
        const RowOutputs plain = evaluate_row(bind(tables(), "vllm.static_int8", kBf16), inputs, nullptr, kBf16);
        EXPECT_EQ(out.scale.size() + out.zero.size(), 0u) << "they are no outputs";
        for (size_t i = 0; i < row.size(); ++i) {
          ASSERT_EQ(out.q[i].low, double(code_about(row[i], divided(1, scale), int64_t(azp))))
              << row[i] << " " << scale << " " << azp;
          ASSERT_EQ(plain.q[i].low, double(whole(to_even, divided(row[i], scale), -128, 127))) << row[i] << " / " << scale;
        }
      }
    }
  }
}

// ---- what was stored narrows what lies behind it

/// The shipped tables and a row whose divisions are free by two ulp.
ContractTables with_a_free_row() {
  const auto path = std::filesystem::temp_directory_path() / ("int8_twin_test_" + std::to_string(::getpid()) + ".csv");
  std::ofstream(path) << "id,lo,hi,q,L,scale,zero,mult,code,group,layouts,pad,since,until,source,why\n"
                      << "my.free,least,greatest,int8,255,hi: sub(lo) div(L)~2,lo: div(s)~2 neg sub(128) to(int32),rcp,"
                      << "mul(m) int32: rint add(azp) to(q),row,row,rows:untouched,2026-11-21,,a test,free\n";
  ContractTables all = tables();
  all.add(path.string());
  std::filesystem::remove(path);
  return all;
}

TEST(Int8Given, CodesAreJudgedWithTheScaleAndTheZeroPointThatWereStored) {
  const Contract contract = bind(with_a_free_row(), "my.free", kF32);
  RandomNumbers random(91);
  int free = 0;
  for (int trial = 0; trial < 4000; ++trial) {
    // The zero point lies beside a tie: 2 k + 1 halves of a scale of 1.
    const double lo = -double(random.below(200)) - 0.5;
    const Numbers x = {lo, lo + 255, 0.25, 17, -3};
    const RowInputs inputs{x, {}, 0, 5};
    const RowOutputs wide = evaluate_row(contract, inputs, nullptr, kF32);
    ASSERT_FALSE(wide.scale[0].pinned());
    for (double azp : {wide.zero[0].low, wide.zero[0].high}) {
      const StoredRow stored{{}, {}, {1}, {azp}}, wrong{{}, {}, {1}, {azp + 9}};
      const RowOutputs given = evaluate_row(contract, inputs, &stored, kF32),
                       ignored = evaluate_row(contract, inputs, &wrong, kF32);
      if (given.zero[0].pinned()) continue;  // the stored scale leaves one zero point alone
      ++free;
      EXPECT_EQ(given.zero[0].high - given.zero[0].low, 1) << "what is accepted does not narrow";
      for (size_t i = 0; i < x.size(); ++i) {
        const Span q = given.q[i];
        EXPECT_TRUE(q.pinned() && wide.q[i].low <= q.low && q.high <= wide.q[i].high);
        EXPECT_EQ(q.low, double(std::min<int64_t>(127, std::max<int64_t>(-128, whole(to_even, x[i], -999, 999) + int64_t(azp)))));
      }
      EXPECT_FALSE(ignored.q[4].pinned()) << "a zero point that the contract forbids narrows nothing";
    }
  }
  EXPECT_GT(free, 100);
}

}  // namespace
}  // namespace assay::int8_given
