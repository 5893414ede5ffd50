// Compares rows of rope with hand-written MPFR programs, and with a rotation in the plane.
#include <gtest/gtest.h>

#include <random>

#include "reference/flow/contract.h"
#include "reference/flow/row.h"
#include "reference/flow/row_norm/row_norm.h"
#include "reference/formats/catalogue.h"
#include "reference/testing/mpfr_programs.h"

namespace assay::rope_twin {
namespace {

constexpr double kEps = 1e-6;

RowInputs inputs_of(const Format& format, int head, int rotary, unsigned seed) {
  std::mt19937 engine(seed);
  std::normal_distribution<double> normal;
  RowInputs in{{}, {}, kEps, 0};
  for (int i = 0; i < head; ++i) {
    in.x.push_back(nearest(format, 3 * normal(engine)));
    in.gamma.push_back(nearest(format, 1 + 0.1 * normal(engine)));
  }
  for (int i = 0; i < rotary / 2; ++i) {
    const double angle = normal(engine);
    in.cos.push_back(nearest(kF32, std::cos(angle)));
    in.sin.push_back(nearest(kF32, std::sin(angle)));
  }
  return in;
}

/// a c + b s as compilers may evaluate it: both products rounded, or one of them exact in a fused multiply-add.
struct ThreeForms {
  double rounded, first_exact, second_exact;
  ThreeForms(double a, double c, double b, double s)
      : rounded(fl(Real(fl(Real(a) * Real(c))) + Real(fl(Real(b) * Real(s))))),
        first_exact(fl(Real(a) * Real(c) + Real(fl(Real(b) * Real(s))))),
        second_exact(fl(Real(fl(Real(a) * Real(c))) + Real(b) * Real(s))) {}
  double least() const { return std::min({rounded, first_exact, second_exact}); }
  double most() const { return std::max({rounded, first_exact, second_exact}); }
};

/// A column in which evaluation and hand-written program differ, given one r for the whole head; -1 if there is none. `weighted`:
/// the head is x (r w), otherwise x r. `neox`: elements rotary / 2 apart form pairs, otherwise adjacent ones. `last`: the last
/// `rotary` elements are rotated, otherwise the first.
int disagreement(const std::string& id, const Format& format, int head, int rotary, bool weighted, bool neox, bool last) {
  const Contract contract = contract_of(id, format);
  const RowInputs in = inputs_of(format, head, rotary, 7);
  const Span r = norm_factor(*contract.row_norm(), norm_row(*contract.row_norm(), in.x, {}, format), in.eps);
  const Spans out = rope_outputs(*contract.rope(), norm_outputs(*contract.row_norm(), Spans(in.x), Spans(in.gamma), point(r.low)),
                                 {in.cos, in.sin});
  std::vector<double> y;
  for (size_t i = 0; i < in.x.size(); ++i) {
    const double factor = weighted ? fl(Real(r.low) * Real(in.gamma[i])) : r.low;
    y.push_back(fl(Real(in.x[i]) * Real(factor)));
  }
  std::vector<bool> rotated(in.x.size());
  const int first = last ? head - rotary : 0, half = rotary / 2;
  for (int i = 0; i < half; ++i) {
    const auto e = size_t(neox ? first + i : first + 2 * i), o = size_t(neox ? first + half + i : first + 2 * i + 1);
    const double c = in.cos[size_t(i)], s = in.sin[size_t(i)];
    const ThreeForms even(y[e], c, -y[o], s), odd(y[o], c, y[e], s);
    rotated[e] = rotated[o] = true;
    if (out[e].low != nearest(format, even.least()) || out[e].high != nearest(format, even.most())) return int(e);
    if (out[o].low != nearest(format, odd.least()) || out[o].high != nearest(format, odd.most())) return int(o);
  }
  for (size_t i = 0; i < y.size(); ++i)
    if (!rotated[i] && (!out[i].pinned() || out[i].low != nearest(format, y[i]))) return int(i);
  return -1;
}

TEST(RopeTwin, PairsAreRotatedInFp32AndRoundedOnce) {
  for (const Format* format : {&kBf16, &kF16}) {
    EXPECT_EQ(disagreement("vllm.fused_qk_norm_rope_neox", *format, 128, 64, true, true, false), -1);
    EXPECT_EQ(disagreement("vllm.fused_qk_norm_rope_neox", *format, 128, 128, true, true, false), -1);
    EXPECT_EQ(disagreement("vllm.fused_qk_norm_rope_interleaved", *format, 256, 64, true, false, false), -1);
    EXPECT_EQ(disagreement("vllm.deepseek_v4_q_norm_rope", *format, 512, 64, false, false, true), -1);
  }
}

TEST(RopeTwin, OtherPairsOtherEndsAndAForgottenWeightAreSeen) {
  EXPECT_NE(disagreement("vllm.fused_qk_norm_rope_neox", kBf16, 128, 64, true, false, false), -1);
  EXPECT_NE(disagreement("vllm.fused_qk_norm_rope_interleaved", kBf16, 128, 64, true, true, false), -1);
  EXPECT_NE(disagreement("vllm.deepseek_v4_q_norm_rope", kBf16, 512, 64, false, false, false), -1);
  EXPECT_NE(disagreement("vllm.deepseek_v4_q_norm_rope", kBf16, 512, 64, true, false, true), -1);
}

TEST(RopeTwin, FreedomOfContractionShowsInFp32) {
  const Contract contract = contract_of("vllm.rope_neox", kF32);
  const RowInputs in = inputs_of(kF32, 4096, 4096, 11);
  const Spans out = rope_outputs(*contract.rope(), Spans(in.x), {in.cos, in.sin});
  int free = 0;
  for (size_t i = 0; i < 2048; ++i) {
    const ThreeForms even(in.x[i], in.cos[i], -in.x[i + 2048], in.sin[i]);
    EXPECT_EQ(out[i].low, even.least());
    EXPECT_EQ(out[i].high, even.most());
    free += !out[i].pinned();
  }
  EXPECT_GT(free, 500);
}

TEST(RopeTwin, AFullTurnGivesTheHeadBackAndAQuarterExchangesPairs) {
  const Contract contract = contract_of("vllm.rope_interleaved", kBf16);
  const RowInputs in = inputs_of(kBf16, 64, 64, 3);
  const auto turned = [&](double c, double s) {
    return rope_outputs(*contract.rope(), Spans(in.x), {std::vector<double>(32, c), std::vector<double>(32, s)});
  };
  const Spans same = turned(1, 0), quarter = turned(0, 1);
  for (size_t i = 0; i < 64; i += 2) {
    EXPECT_EQ(same[i].low, in.x[i]);
    EXPECT_EQ(quarter[i].low, -in.x[i + 1]);
    EXPECT_EQ(quarter[i + 1].low, in.x[i]);
  }
}

TEST(RopeTwin, OverflowOfOneProductAloneLeavesTheAnswerOpen) {
  const Contract contract = contract_of("vllm.rope_interleaved", kBf16);
  const double most = max_finite(kBf16);
  const Spans out = rope_outputs(*contract.rope(), Spans({most, most}), {{2}, {2}});  // Inf - Inf, or Inf - 2 most
  EXPECT_TRUE(out[0].any());
  EXPECT_EQ(out[1].low, HUGE_VAL);
  const Spans nan = rope_outputs(*contract.rope(), Spans({std::nan(""), 1}), {{1}, {1}});
  EXPECT_TRUE(std::isnan(nan[0].low) && std::isnan(nan[0].high) && std::isnan(nan[1].low));
}

TEST(RopeTwin, OneFactorMustExplainTheWholeHead) {
  const Contract contract = contract_of("vllm.deepseek_v4_q_norm_rope", kF16);
  const RowInputs in = inputs_of(kF16, 4096, 1024, 5);
  const Span r = evaluate_row(contract, in, nullptr, kF16).r;
  const auto y_at = [&](double factor) {
    return rope_outputs(*contract.rope(), norm_outputs(*contract.row_norm(), Spans(in.x), Spans(in.gamma), point(factor)),
                        {in.cos, in.sin})
        .low;
  };
  StoredRow stored{y_at(r.low), {}, {}};
  EXPECT_TRUE(evaluate_row(contract, in, &stored, kF16).joint_violations.empty());
  const std::vector<double> other = y_at(r.high);
  stored.y = other;
  EXPECT_TRUE(evaluate_row(contract, in, &stored, kF16).joint_violations.empty());
  const std::vector<double> low = y_at(r.low);
  std::copy(low.begin(), low.begin() + 3500, stored.y.begin());
  EXPECT_FALSE(evaluate_row(contract, in, &stored, kF16).joint_violations.empty()) << "a part of a head with another r";
}

TEST(RopeTwin, SlipsReadAnotherPairAndLeaveTheEndsOfVectorsOpen) {
  Rope rope = *contract_of("vllm.rope_interleaved", kF32).rope();
  const Spans head({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16});
  const Angles angles{{1, 0, 1, 0, 1, 0, 1, 0}, {0, 1, 0, 1, 0, 1, 0, 1}};
  const auto of = [&](const RopeSlip& slip) {
    rope.slip = slip;
    return rope_outputs(rope, head, angles);
  };
  const Spans right = of({}), left_out = of({.left_out = true}), later = of({.cos = 1, .sin = 1}), first = of({.even = -1});
  EXPECT_EQ(right[2].low, -4) << "a quarter turn";
  EXPECT_EQ(left_out[2].low, 3);
  EXPECT_EQ(of({.zero_cos = true, .zero_sin = true})[2].low, 0);
  EXPECT_EQ(of({.zero_sin = true})[0].low, 1);
  EXPECT_EQ(of({.zero_sin = true})[2].low, 0) << "its cosine is 0";
  EXPECT_EQ(later[0].low, -2) << "pair 0 is turned as pair 1";
  EXPECT_EQ(first[4].low, 3) << "pair 2 with the first number of pair 1";
  EXPECT_TRUE(later[6].any() && later[7].any() && first[8].any()) << "the neighbour lies in another vector";
  EXPECT_FALSE(right[6].any());
}

TEST(RopeTwin, TermsOfOneSignRiseWithTheHead) {
  const Contract contract = contract_of("vllm.rope_interleaved", kBf16);
  const Spans head({1, 2, 3, -4, 5, 6});
  const Angles angles{{1, 1}, {1, -1}};
  EXPECT_EQ(rises_with_head(*contract.rope(), head, angles), std::vector<bool>({false, true, false, true, true, true}));
}

}  // namespace

}  // namespace assay::rope_twin
