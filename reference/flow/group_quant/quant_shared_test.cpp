// Scales that many rows share, and scales that are given.
#include <gtest/gtest.h>

#include <random>

#include "reference/contracts/rows.h"
#include "reference/flow/group_quant/group_quant.h"
#include "reference/flow/row.h"
#include "reference/testing/contract_tables.h"
#include "reference/testing/f32.h"
#include "reference/testing/quant_programs.h"
#include "reference/testing/real.h"

namespace assay::quant_shared {
namespace {

using namespace quant_programs;

/// vLLM's static quantization: x times the rounded reciprocal of the scale.
std::vector<uint32_t> codes_by_reciprocal(const std::vector<double>& x, double scale) {
  const double inverse = scale == 0 ? HUGE_VAL : std::isinf(scale) ? 0 : fl(Real(1) / Real(scale));
  std::vector<uint32_t> codes;
  for (double v : x) {
    const bool undefined = std::isnan(v) || (std::isinf(inverse) && v == 0) || (inverse == 0 && std::isinf(v));
    const double product = undefined                              ? std::nan("")
                           : std::isinf(v) || std::isinf(inverse) ? v * inverse
                                                                  : fl(Real(v) * Real(inverse));
    codes.push_back(e4m3(min_then_max(product)));
  }
  return codes;
}

void expect_codes(const Spans& q, const std::vector<uint32_t>& codes, const std::string& where) {
  ASSERT_EQ(q.size(), codes.size());
  for (size_t i = 0; i < codes.size(); ++i)
    ASSERT_TRUE(q[i].pinned() && code_of(kE4M3Fn, q[i].low) == codes[i]) << where << " element " << i;
}

TEST(QuantTwin, OneScaleForAllRowsEqualsTheProgramWrittenByHand) {
  for (const Format* x : {&kBf16, &kF16, &kF32}) {
    const Contract contract = contract_of("vllm.per_tensor", *x);
    const auto rows = rows_of(*x, 32);
    for (size_t first = 0; first + 1 < rows.size(); ++first) {
      double amax = 0;
      Spans maxima = group_maxima(*contract.group_quant(), Spans(rows[first]), 128);
      join_maxima(*contract.group_quant(), maxima, group_maxima(*contract.group_quant(), Spans(rows[first + 1]), 128));
      for (const auto& row : {rows[first], rows[first + 1]})
        for (double v : row)
          if (std::fabs(v) > amax) amax = std::fabs(v);  // false for NaN
      const double scale = std::isinf(amax) ? amax : fl(Real(amax) / 448);
      for (const auto& row : {rows[first], rows[first + 1]}) {
        const RowOutputs out = evaluate_row(contract, {row, {}, 0, 128, HUGE_VAL, {}, maxima}, nullptr, *x);
        ASSERT_TRUE(out.scale[0].pinned() && same_number(out.scale[0].low, scale)) << first;
        expect_codes(out.q, codes_by_reciprocal(row, scale), std::string(x->name) + " rows from " + std::to_string(first));
      }
    }
  }
}

/// DeepGEMM utils/math.py 54e22612: torch's amax of a block, at least 1e-4, and a cast that does not saturate.
TEST(QuantTwin, BlocksOfManyRowsAndCutOffColumnsEqualTheProgramWrittenByHand) {
  for (const Format* x : {&kBf16, &kF32}) {
    const Contract contract = contract_of("deepgemm.per_block_cast", *x);
    auto rows = rows_of(*x, 32);
    for (auto& row : rows) row.resize(77);  // groups of 32, 32 and 13
    for (size_t first = 0; first + 1 < rows.size(); ++first) {
      Spans maxima = group_maxima(*contract.group_quant(), Spans(rows[first]), 32);
      join_maxima(*contract.group_quant(), maxima, group_maxima(*contract.group_quant(), Spans(rows[first + 1]), 32));
      for (size_t r : {first, first + 1}) {
        const RowOutputs out = evaluate_row(contract, {rows[r], {}, 0, 32, HUGE_VAL, {}, maxima}, nullptr, *x);
        ASSERT_EQ(out.scale.size(), 3u);
        for (size_t i = 0; i < 77; ++i) {
          double amax = fl(Real("1e-4"));
          for (size_t j = i / 32 * 32; j < std::min<size_t>(77, i / 32 * 32 + 32); ++j)
            for (size_t both : {first, first + 1})
              if (std::isnan(rows[both][j]) || std::fabs(rows[both][j]) > amax)
                amax = std::fabs(rows[both][j]) + (std::isnan(amax) ? amax : 0);
          const double scale = std::isfinite(amax) ? fl(Real(amax) / 448) : amax;
          ASSERT_TRUE(same_number(out.scale[i / 32].low, scale)) << first << " " << i;
          const double inverse = std::isinf(scale) ? 0 : std::isnan(scale) ? scale : fl(Real(1) / Real(scale)), v = rows[r][i];
          const bool nan = std::isnan(v) || std::isnan(inverse) || (std::isinf(v) && inverse == 0);
          const double product = nan ? std::nan("") : fl(Real(v) * Real(inverse));
          ASSERT_EQ(code_of(kE4M3Fn, out.q[i].low) & 0x7f, e4m3(product) & 0x7f) << first << " " << i;
        }
      }
    }
  }
}

TEST(QuantTwin, AGivenScaleIsTakenAsItIs) {
  for (double scale : {1.0, 7.0, fl(Real("0.0123")), 0x1p-140, 0.0, HUGE_VAL}) {
    const Contract contract = contract_of("vllm.static", kBf16);
    for (const auto& row : rows_of(kBf16, 32)) {
      const RowOutputs out = evaluate_row(contract, {row, {}, 0, 128, HUGE_VAL, {scale}}, nullptr, kBf16);
      EXPECT_EQ(out.scale.size(), 0u) << "it is no output";
      const double by = scale == 0x1p-140 ? 0 : scale;  // its reciprocal overflows
      expect_codes(out.q, codes_by_reciprocal(row, by), std::to_string(scale));
    }
  }
}

TEST(QuantTwin, TheBoundIsOneOfAmaxAndRoundedToF32) {
  const Contract contract = contract_of("vllm.per_token_ub", kBf16);
  std::vector<double> x(128, 1.5);
  x[7] = 96;
  const auto scale_under = [&](double bound) {
    return evaluate_row(contract, {x, {}, 0, 128, bound}, nullptr, kBf16).scale[0].low;
  };
  EXPECT_EQ(scale_under(HUGE_VAL), fl(Real(96) / 448));
  EXPECT_EQ(scale_under(4), fl(Real(4) / 448));
  EXPECT_EQ(scale_under(0.1), fl(Real(fl(Real("0.1"))) / 448));
  EXPECT_EQ(scale_under(0), fl(Real(1) / (448 * 512))) << "the floor is above every bound";
}

TEST(QuantGivenScale, CodesAreJudgedWithTheScaleThatWasStored) {
  const Contract contract = contract_of("vllm.group_triton", kBf16);
  std::mt19937 engine(73);
  std::normal_distribution<double> normal;
  std::vector<double> x;
  for (int i = 0; i < 128; ++i) x.push_back(nearest(kBf16, normal(engine)));
  const RowInputs inputs{x, {}, 0, 128};
  const RowOutputs wide = evaluate_row(contract, inputs, nullptr, kBf16);
  ASSERT_FALSE(wide.scale[0].pinned()) << "a Triton division is free by 2 ulp";
  const StoredRow low{{}, {}, {wide.scale[0].low}}, wrong{{}, {}, {2 * wide.scale[0].high}};
  const auto open = [](const RowOutputs& out) {
    int count = 0;
    for (size_t i = 0; i < out.q.size(); ++i) count += !out.q[i].pinned();
    return count;
  };
  const RowOutputs given = evaluate_row(contract, inputs, &low, kBf16), ignored = evaluate_row(contract, inputs, &wrong, kBf16);
  EXPECT_LE(open(given), open(wide));
  EXPECT_EQ(open(ignored), open(wide)) << "a scale that the contract forbids narrows nothing";
  for (size_t i = 0; i < x.size(); ++i) {
    EXPECT_GE(given.q[i].low, wide.q[i].low);
    EXPECT_LE(given.q[i].high, wide.q[i].high);
  }
}

/// scale = e4m3(amax * (1/448) * g), code = x * (g / scale), each operation rounded.
TEST(QuantTwin, AScaleBelowAnOuterOneIsRelativeToIt) {
  const contract_tables::TableFile file(contract_tables::kQuantHeader +
                                        "two.levels,e4m3fn,448,absmax,mul(1/M) mul(g) to(e4m3fn),rdiv(g),mul(m) to(q),4+tensor,row,rows:free,2026,,here,because\n");
  ContractTables tables = ContractTables::load(contract_tables::kFolder);
  tables.add(file.path());
  const Contract contract = bind(tables, "two.levels", kF32);
  const std::vector<double> x = {1, -2.5, 0.375, 3, 100, 7, -0.0625, 50};
  for (const double g : {1.0, 24.0, 300.5}) {
    RowInputs inputs{x, {}, 0, 4};
    inputs.outer_scale = g;
    const RowOutputs out = evaluate_row(contract, inputs, nullptr, kF32);
    for (size_t group = 0; group < 2; ++group) {
      double amax = 0;
      for (size_t i = 4 * group; i < 4 * group + 4; ++i) amax = std::max(amax, std::fabs(double(float(x[i]))));
      const double scale = decode(kE4M3Fn, e4m3(min_then_max(fl(Real(fl(Real(amax) * Real(fl(Real(1) / Real(448))))) * Real(g)))));
      EXPECT_EQ(out.scale[group].low, scale) << g;
      const double m = fl(Real(g) / Real(scale));
      for (size_t i = 4 * group; i < 4 * group + 4; ++i)
        EXPECT_EQ(out.q[i].low, decode(kE4M3Fn, e4m3(min_then_max(fl(Real(float(x[i])) * Real(m)))))) << g << " " << i;
    }
  }
}

TEST(QuantTwin, OfFourBitsNaNIsTheLargestNumber) {
  const contract_tables::TableFile file(contract_tables::kQuantHeader + "four.bits,e2m1,6,absmax,div(M),,div(s) to(q),4,row,rows:free,2026,,here,because\n");
  ContractTables tables = ContractTables::load(contract_tables::kFolder);
  tables.add(file.path());
  const std::vector<double> x = {std::nan(""), 12, -12, 1};
  const RowOutputs out = evaluate_row(bind(tables, "four.bits", kF32), {x, {}, 0, 4}, nullptr, kF32);
  EXPECT_EQ(out.scale[0].low, 2);
  const std::vector<double> codes = {6, 6, -6, 0.5};
  for (size_t i = 0; i < codes.size(); ++i) EXPECT_EQ(out.q[i].low, codes[i]) << i;
}

}  // namespace
}  // namespace assay::quant_shared
