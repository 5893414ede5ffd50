// Compares combine contracts with MPFR programs written by hand, and tests their mutants and the errors of their rows.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "reference/flow/combine/combine.h"
#include "reference/flow/flow.h"
#include "reference/testing/contract_tables.h"
#include "reference/testing/mpfr_programs.h"

namespace assay::combine_test {
namespace {

using testing::HasSubstr;

using contract_tables::tables;

Combine row(const std::string& id) { return read_combine(tables().find(id)); }

double f32(const Real& x) { return nearest(kF32, x); }

/// Tokens with one column each; x[t][k] is the element of slot k of token t.
CombineInputs inputs_of(const Format& x, const std::vector<std::vector<double>>& values, std::vector<double> weights = {}) {
  CombineInputs in;
  in.x = &x;
  in.m = int64_t(values.size()), in.topk = int64_t(values.front().size()), in.n = 1, in.rows = in.m * in.topk;
  in.row_of_x = [values, topk = in.topk](int64_t r) { return std::vector<double>{values[size_t(r / topk)][size_t(r % topk)]}; };
  in.weights = std::move(weights);
  return in;
}

double pinned(const Combine& contract, const CombineInputs& in, int64_t token = 0) {
  const Span y = combined(contract, in, token)[0];
  EXPECT_TRUE(y.pinned()) << contract.row->id;
  return y.low;
}

/// Elements of three tokens with topk slots each: about 1000, small numbers, about -1000, a small number. Their sums cancel.
std::vector<std::vector<double>> cancelling(const Format& x, int topk) {
  std::vector<std::vector<double>> all(3);
  for (int t = 0; t < 3; ++t)
    for (int k = 0; k < topk; ++k) {
      const double small = nearest(x, Real(0.37 * (k + 1) + 0.11 * t)), large = nearest(x, Real(1000.0 + 3 * t));
      all[size_t(t)].push_back(k == 0 ? large : k == topk - 2 ? -large : small);
    }
  return all;
}

TEST(Combine, ASumInTheTypeRoundsEachAddition) {
  for (const Format* x : {&kBf16, &kF16, &kF32})
    for (const int topk : {2, 3, 4}) {
      const auto values = cancelling(*x, topk);
      const CombineInputs in = inputs_of(*x, values);
      for (int64_t t = 0; t < in.m; ++t) {
        double sum = 0;
        for (const double v : values[size_t(t)]) sum = nearest(*x, Real(f32(Real(sum) + Real(v))));
        EXPECT_EQ(pinned(row("vllm.moe_sum"), in, t), sum);
      }
    }
  EXPECT_EQ(pinned(row("vllm.moe_sum"), inputs_of(kBf16, {{256, 1, 1, 1}})), 256) << "the input of issue 15045";
  EXPECT_EQ(pinned(row("vllm.moe_sum@v0.25.0"), inputs_of(kBf16, {{256, 1, 1, 1}})), 260) << "259 is halfway and goes to even";
}

TEST(Combine, AnFp32SumRoundsOnceAndItsOrderIsPinned) {
  for (const Format* x : {&kBf16, &kF16, &kF32})
    for (const int topk : {2, 5, 8, 9}) {
      const auto values = cancelling(*x, topk);
      const CombineInputs in = inputs_of(*x, values);
      for (int64_t t = 0; t < in.m; ++t) {
        double chain = 0, lanes[4] = {};
        for (int k = 0; k < topk; ++k) {
          chain = f32(Real(chain) + Real(values[size_t(t)][size_t(k)]));
          lanes[k % 4] = f32(Real(lanes[k % 4]) + Real(values[size_t(t)][size_t(k)]));
        }
        double of_lanes = lanes[0];
        for (int lane = 1; lane < 4; ++lane) of_lanes = f32(Real(of_lanes) + Real(lanes[lane]));
        EXPECT_EQ(pinned(row("vllm.moe_sum@v0.25.0"), in, t), nearest(*x, Real(chain)));
        EXPECT_EQ(pinned(row("torch.sum_topk"), in, t), nearest(*x, Real(of_lanes)));
      }
    }
  // 2^24 + 1 + 1 + ...: added in ascending order, every 1 is lost. In lanes, the ones are first added to each other, so that
  // they are not lost.
  const std::vector<double> ones = {0x1p24, 1, 1, 1, 0, 1, 1, 1};
  EXPECT_EQ(pinned(row("vllm.moe_sum@v0.25.0"), inputs_of(kF32, {ones})), 0x1p24);
  EXPECT_EQ(pinned(row("torch.sum_topk"), inputs_of(kF32, {ones})), 0x1p24 + 6);
}

TEST(Combine, ASumOfMinusZeroIsPlusZero) {
  for (const char* id : {"vllm.moe_sum", "vllm.moe_sum@v0.25.0", "torch.sum_topk"}) {
    const double y = pinned(row(id), inputs_of(kBf16, {{-0.0, -0.0}}));
    EXPECT_TRUE(y == 0 && !std::signbit(y)) << id;
  }
}

TEST(Combine, WeightsAreRoundedWhereTheRowSaysSo) {
  const std::vector<double> weights = {f32(Real(1) / Real(3)), f32(Real(2) / Real(7))};
  const CombineInputs in = inputs_of(kBf16, {{1.0078125, -3.015625}}, weights);
  const double a = nearest(kBf16, Real(f32(Real(1.0078125) * Real(weights[0])))),
               b = nearest(kBf16, Real(f32(Real(-3.015625) * Real(weights[1]))));
  EXPECT_EQ(pinned(row("vllm.topk_weight_and_reduce@v0.25.0"), in), nearest(kBf16, Real(f32(Real(a) + Real(b)))));
  EXPECT_EQ(pinned(row("vllm.topk_weight_and_reduce"), in), nearest(kBf16, Real(f32(Real(a) + Real(b)))));
}

TEST(Combine, AProductMayBeFusedIntoTheSum) {
  const std::vector<double> weights = {f32(Real(1) / Real(3)), f32(Real(-1) / Real(3))};
  const std::vector<double> x = {f32(Real(1.1)), f32(Real(1.3))};
  const CombineInputs in = inputs_of(kF32, {x}, weights);
  const Real first = Real(f32(Real(x[0]) * Real(weights[0]))), second = Real(x[1]) * Real(weights[1]);
  const double fused = f32(first + second), apart = f32(first + Real(f32(second)));
  ASSERT_NE(fused, apart);
  const Span y = combined(row("vllm.moe_fused_mul_sum"), in, 0)[0];
  EXPECT_EQ(y.low, std::min(fused, apart));
  EXPECT_EQ(y.high, std::max(fused, apart));
}

TEST(Combine, TheFactorIsOnTheSumOrOnTheWeights) {
  CombineInputs in = inputs_of(kF32, {{f32(Real(1.1)), f32(Real(0.7))}}, {1, 1});
  in.factor = 2.5;
  const double sum = f32(Real(f32(Real(1.1))) + Real(f32(Real(0.7))));
  EXPECT_EQ(pinned(row("sglang.moe_sum_reduce"), in), f32(Real(sum) * Real(2.5)));
  const double a = f32(Real(f32(Real(1.1))) * Real(2.5)), b = f32(Real(f32(Real(0.7))) * Real(2.5));
  const Span y = combined(row("sglang.moe_fused_mul_sum"), in, 0)[0];
  EXPECT_LE(y.low, f32(Real(a) + Real(b)));
  EXPECT_GE(y.high, f32(Real(a) + Real(b)));
}

TEST(Combine, FinalizeRoundsEveryStepToTheTypeOfTheRows) {
  const Combine contract = row("flashinfer.moe_finalize");
  for (const Format* x : {&kBf16, &kF16}) {
    const auto values = cancelling(*x, 4);
    std::vector<double> weights;
    for (int i = 0; i < 12; ++i) weights.push_back(nearest(*x, Real(1) / Real(3 + i)));
    CombineInputs in = inputs_of(*x, values, weights);
    in.row_of_slot = {0, 1, 2, 3, 7, -1, 5, 4, 8, 9, 10, -1};
    in.factor = 2.5;
    in.shared_of = [&](int64_t t) { return std::vector<double>{nearest(*x, Real(0.3 * double(t + 1)))}; };
    for (int64_t t = 0; t < in.m; ++t) {
      double sum = 0;
      for (int64_t k = 0; k < 4; ++k) {
        const int64_t r = in.row_of_slot[size_t(t * 4 + k)];
        if (r < 0) continue;
        const double product =
            nearest(*x, Real(f32(Real(values[size_t(r / 4)][size_t(r % 4)]) * Real(weights[size_t(t * 4 + k)]))));
        sum = nearest(*x, Real(f32(Real(sum) + Real(product))));
      }
      const double routed = nearest(*x, Real(f32(Real(sum) * Real(2.5))));
      EXPECT_EQ(pinned(contract, in, t), nearest(*x, Real(f32(Real(routed) + Real(in.shared_of(t)[0])))));
    }
  }
  CombineInputs tiny = inputs_of(kBf16, {{0x1p-130, 0x1p-126}}, {1, 1});
  tiny.row_of_slot = {0, 1};
  tiny.shared_of = [](int64_t) { return std::vector<double>{0x1p-130}; };
  EXPECT_EQ(pinned(contract, tiny), 0x1p-126) << "a subnormal row and a subnormal shared row are flushed";
}

TEST(Combine, SlotsAreSkippedByIdMapAndRow) {
  CombineInputs in = inputs_of(kBf16, {{1, 2, 4}, {8, 16, 32}, {64, 128, 256}});
  in.ids = {0, -1, 1, -1, -1, -1, 1, 1, 1};
  in.map = {0, -1};
  const Combine aware = row("vllm.moe_sum_pad_aware");
  EXPECT_EQ(pinned(aware, in, 0), 1) << "slot 1 has no expert, that of slot 2 is elsewhere";
  EXPECT_EQ(pinned(aware, in, 1), 0);
  in.map.clear();
  EXPECT_EQ(pinned(aware, in, 0), 5) << "without a map every expert is here";
  in.weights.assign(9, 1);
  const Combine fused = row("vllm.moe_fused_mul_sum");
  in.map = {0, -1};
  EXPECT_TRUE(writes_token(fused, in, 0) && writes_token(fused, in, 2) && writes_token(aware, in, 1));
  EXPECT_FALSE(writes_token(fused, in, 1)) << "no id is 0 or more";
  EXPECT_EQ(pinned(fused, in, 2), 0) << "all experts are elsewhere";

  CombineInputs rows = inputs_of(kBf16, {{1, 2}, {4, 8}}, {1, 1, 1, 1});
  rows.row_of_slot = {3, 0, 1, 2};
  rows.in_use = 3;
  EXPECT_EQ(pinned(row("vllm.moe_unpermute"), rows, 0), 1) << "row 3 is not in use";
  EXPECT_EQ(pinned(row("vllm.moe_unpermute"), rows, 1), 2 + 4);
  EXPECT_EQ(pinned(row("vllm.moe_unpermute@v0.9.0"), rows, 0), 2) << "rows 3 and 1";
  EXPECT_EQ(pinned(row("vllm.moe_unpermute@v0.9.0"), rows, 1), 1 + 4) << "rows 0 and 2";
}

TEST(Combine, MutantsHaveNamesOfTheirOwn) {
  for (const ContractRow& one : tables().rows()) {
    if (one.flow != &combine_flow()) continue;
    const Combine contract = read_combine(one);
    for (const Format* x : contract.formats) {
      std::set<std::string> names;
      for (const CombineNeighbour& wrong :
           combine_neighbours(contract, *x, {5, contract.topk.empty() ? 8 : contract.topk.back(), 2.5, true, true}))
        EXPECT_TRUE(names.insert(wrong.name).second) << one.id << ": " << wrong.name;
      EXPECT_GE(names.size(), 6u) << one.id;
    }
    EXPECT_TRUE(combine_neighbours(contract, *contract.formats.front(), {0, 2}).empty()) << "without tokens nothing shows";
  }
}

/// The error message for a row with these cells.
std::string error_of(const std::string& cells) {
  return contract_tables::error_of("id,rows_of_x,skips,unrouted,weight,add,order,y,numbers,topk,since,until,source,why\nmy.sum," +
                                   cells + ",v1.0,,here,because\n");
}

TEST(Combine, ACellOfOtherWordsIsRefused) {
  EXPECT_EQ(error_of("slots,,,,add(a),ascending,to(x),bf16,2|4"), "no error");
  EXPECT_THAT(error_of("pages,,,,add(a),ascending,to(x),bf16,"), HasSubstr("rows_of_x: 'pages': expected 'slots', 'by slot'"));
  EXPECT_THAT(error_of("slots,slots,zero,,add(a),ascending,to(x),bf16,"),
              HasSubstr("skips: 'slots': expected ids, map, rows or negative"));
  EXPECT_THAT(error_of("slots,map,zero,,add(a),ascending,to(x),bf16,"), HasSubstr("map is only allowed with ids"));
  EXPECT_THAT(error_of("slots,rows,zero,,add(a),ascending,to(x),bf16,"),
              HasSubstr("rows and negative are only allowed if rows_of_x is 'by slot'"));
  EXPECT_THAT(error_of("slots,ids,,,add(a),ascending,to(x),bf16,"), HasSubstr("unrouted: is required if skips is not empty"));
  EXPECT_THAT(error_of("slots,,zero,,add(a),ascending,to(x),bf16,"), HasSubstr("unrouted: is required if skips is not empty"));
  EXPECT_THAT(error_of("slots,ids,kept,,add(a),ascending,to(x),bf16,"),
              HasSubstr("unrouted: 'kept': expected zero or untouched"));
  EXPECT_THAT(error_of("by slot,rows,untouched,,add(a),ascending,to(x),bf16,"),
              HasSubstr("untouched is only allowed if skips has ids"));
  EXPECT_THAT(error_of("slots,,,,to(x),ascending,to(x),bf16,"), HasSubstr("add: expected a step that reads a, the sum so far"));
  EXPECT_THAT(error_of("slots,,,mul(f),add(a),ascending,to(x),bf16,"), HasSubstr("weight: is only allowed if `add` uses w"));
  EXPECT_EQ(error_of("slots,,,,add(a),ascending,add(s) to(x),bf16,"), "no error");
  EXPECT_THAT(error_of("slots,,,,add(a),pairs,to(x),bf16,"), HasSubstr("order: 'pairs': expected ascending or lanes(SUMS)"));
  EXPECT_THAT(error_of("slots,,,,mul(w) add(a),lanes(4),to(x),bf16,"),
              HasSubstr("lanes is only allowed if `add` does not use w"));
  EXPECT_THAT(error_of("slots,,,,add(a),ascending,to(x),bf16,0"), HasSubstr("topk: '0': expected an integer >= 1"));
}

TEST(Combine, ItsLinesNameEachStep) {
  EXPECT_THAT(combine_lines(row("vllm.moe_fused_mul_sum"), kBf16), testing::Contains(HasSubstr("expert_map")));
  EXPECT_THAT(combine_lines(row("torch.sum_topk"), kBf16), testing::Contains(HasSubstr("sum k mod 4")));
}

}  // namespace
}  // namespace assay::combine_test
