// A norm whose outputs are multiplied by the activation of a gate, against a program in MPFR written by hand: every program that
// uses the freedom of its functions lies in the accepted sets, and one that forgets a part of the activation does not.
#include <gtest/gtest.h>

#include <random>

#include "reference/contracts/bind.h"
#include "reference/flow/row_norm/row_norm.h"
#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"
#include "reference/testing/f32.h"
#include "reference/testing/real.h"
#include "reference/testing/twins.h"

namespace assay::norm_gated_twin {
namespace {

constexpr double kEps = 1e-6;
constexpr int kColumns = 384;

Contract contract_of(const char* id) {
  static const ContractTables tables = ContractTables::load("reference/contracts");
  return bind(tables, id, kBf16);
}

/// Some steps of fp32 from a number that is not zero.
double moved(double v, int steps) {
  for (; steps > 0 && v != 0; --steps) v = next_up(kF32, v);
  for (; steps < 0 && v != 0; ++steps) v = next_down(kF32, v);
  return v;
}

RowInputs inputs_of(unsigned seed) {
  std::mt19937 engine(seed);
  std::normal_distribution<double> normal;
  RowInputs in{{}, {}, kEps, 128};
  for (int i = 0; i < kColumns; ++i) {
    in.x.push_back(nearest(kBf16, normal(engine)));
    in.gamma.push_back(nearest(kBf16, 1 + 0.1 * normal(engine)));
    in.gate.push_back(nearest(kBf16, 4 * normal(engine)));
  }
  return in;
}

enum class Gate { kSilu, kSigmoid, kNone };

/// aiter fused_fp8_quant.py e4048607: (x r) w times z sigmoid(z), whose exponential and quotient are off by so many ulp.
double output(const RowInputs& in, size_t i, double r, int off, Gate gate) {
  const double g = in.gate[i], e = moved(fl(in_reals(mpfr_exp, Real(-g))), off);
  const double sigmoid = moved(fl(Real(1) / Real(fl(Real(1) + Real(e)))), off);
  const double h = gate == Gate::kSilu ? fl(Real(g) * Real(sigmoid)) : gate == Gate::kSigmoid ? sigmoid : 1.0;
  return fl(Real(fl(Real(fl(Real(in.x[i]) * Real(r))) * Real(in.gamma[i]))) * Real(h));
}

/// Columns whose output of such a program the flow does not accept.
int refused(Gate gate, int off) {
  const RowInputs in = inputs_of(7);
  const Contract contract = contract_of("aiter.fused_rms_gated_fp8_group_quant");
  const double r = evaluate_row(contract, in, nullptr, kBf16).r.low;
  const Spans y = norm_outputs(*contract.row_norm(), Spans(in.x), {Spans(in.gamma), {}, Spans(in.gate)}, point(r));
  int count = 0;
  for (size_t i = 0; i < in.x.size(); ++i) {
    const double v = output(in, i, r, off, gate);
    count += !(y[i].low <= v && v <= y[i].high);
  }
  return count;
}

TEST(NormGatedTwin, ProgramsWithinTheirFreedomAreAccepted) {
  for (const int off : {-2, -1, 0, 1, 2}) EXPECT_EQ(refused(Gate::kSilu, off), 0) << off;
}

TEST(NormGatedTwin, AnotherActivationIsRefused) {
  EXPECT_GT(refused(Gate::kSigmoid, 0), kColumns * 9 / 10);
  EXPECT_GT(refused(Gate::kNone, 0), kColumns * 9 / 10);
  EXPECT_GT(refused(Gate::kSilu, 40), 0) << "an activation that is far off";
}

TEST(NormGatedTwin, ScalesAndCodesAreOfTheProduct) {
  RowInputs in = inputs_of(8);
  for (size_t i = 0; i < 128; ++i) in.gate[i] = 0;  // a group of zeros has the least scale
  const RowOutputs out = evaluate_row(contract_of("aiter.fused_rms_gated_fp8_group_quant"), in, nullptr, kBf16);
  for (size_t group = 0; group < kColumns / 128; ++group) {
    double amax = 0;
    for (size_t i = 128 * group; i < 128 * (group + 1); ++i)
      amax = std::fmax(amax, std::fabs(output(in, i, out.r.low, 0, Gate::kSilu)));
    const double scale = std::fmax(fl(Real(amax) / 448), fl(Real(1) / (448 * 512)));
    EXPECT_LE(out.scale[group].low, scale);
    EXPECT_GE(out.scale[group].high, scale);
    for (size_t i = 128 * group; i < 128 * (group + 1); ++i) {
      const double v = fl(Real(output(in, i, out.r.low, 0, Gate::kSilu)) / Real(scale));
      const double code = round_to(kE4M3Fn, std::fmin(std::fmax(v, -448), 448), Rounding::kNearestEven, Overflow::kSaturate);
      EXPECT_LE(out.q[i].low, code);
      EXPECT_GE(out.q[i].high, code);
    }
  }
  EXPECT_EQ(out.scale[0].low, fl(Real(1) / (448 * 512)));
}

}  // namespace
}  // namespace assay::norm_gated_twin
