// Compares activations before a quantization with hand-written programs. Every program within the documented error of its
// functions must lie in the accepted intervals. A program with one mistake must not.
#include <gtest/gtest.h>

#include <functional>

#include "reference/contracts/contract_rows.h"
#include "reference/flow/row.h"
#include "reference/testing/mpfr_programs.h"

namespace assay::gated_twin {
namespace {

Contract contract_of(const char* id) {
  static const ContractTables tables = ContractTables::load("reference/contracts");
  return bind(tables, id, kBf16);
}

double bf16(const Real& x) { return nearest(kBf16, x); }

/// Moves a nonzero number up or down by some fp32 values.
double moved(double v, int steps) {
  for (; steps > 0 && v != 0; --steps) v = next_up(kF32, v);
  for (; steps < 0 && v != 0; ++steps) v = next_down(kF32, v);
  return v;
}

/// Errors in ulp of the exponential and the division of a program, within the limits of the CUDA Programming Guide.
struct Off {
  int exp, division;
};

/// gate * (1 / (1 + expf(-gate))) * up. Source: vLLM fused_silu_mul_block_quant.cu 09a2bf02.
double in_f32(double g, double u, Off off) {
  const double e = moved(fl(in_reals(mpfr_exp, Real(-g))), off.exp);
  return fl(Real(fl(Real(g) * fl(Real(1) / fl(Real(1) + Real(e))))) * Real(u));
}

/// PyTorch: silu, rounded to bf16, then a multiplication in bf16.
double torch_pair(double g, double u, Off off) {
  const double e = moved(fl(in_reals(mpfr_exp, Real(-g))), off.exp);
  return bf16(Real(bf16(Real(fl(Real(g) / fl(Real(1) + Real(e)))))) * Real(u));
}

/// silu with a fast division, rounded to bf16, then a multiplication in bf16. Source: vLLM activation_kernels.cu 1a84e5b2.
double masked(double g, double u, Off off) {
  const double e = moved(fl(in_reals(mpfr_exp, Real(-g))), off.exp), divisor = fl(Real(1) + Real(e));
  const double silu = divisor > 0x1p126 ? g * 0.0 : moved(fl(Real(g) / Real(divisor)), off.division);
  return bf16(Real(bf16(Real(silu))) * Real(u));
}

struct Quantized {
  double scale;
  std::vector<double> codes;
};

double e4m3(double v) {
  const double limited = std::fmin(std::fmax(v, -448), 448);
  return round_to(kE4M3Fn, limited, Rounding::kNearestEven, Overflow::kSaturate);
}
double amax_of(const std::vector<double>& h) {
  double amax = 0;
  for (double v : h) amax = std::fmax(amax, std::fabs(v));
  return amax;
}

Quantized per_block(const std::vector<double>& h) {
  Quantized out{std::fmax(fl(Real(amax_of(h)) / 448), fl(Real(1) / (448 * 512))), {}};
  for (double v : h) out.codes.push_back(e4m3(fl(Real(v) / Real(out.scale))));
  return out;
}
Quantized group_fp8(const std::vector<double>& h) {
  Quantized out{fl(Real(std::fmax(amax_of(h), fl(Real("1e-10")))) / 448), {}};
  for (double v : h) out.codes.push_back(e4m3(fl(Real(v) / Real(out.scale))));
  return out;
}
Quantized masked_ue8m0(const std::vector<double>& h) {
  const double y = bf16(Real(std::fmax(amax_of(h), bf16(Real("1e-10")))) * Real(bf16(Real(1) / 448)));
  Quantized out{std::exp2(std::ceil(bf16(in_reals(mpfr_log2, Real(y))))), {}};
  for (double v : h) out.codes.push_back(e4m3(bf16(Real(v) / Real(out.scale))));
  return out;
}

struct Twin {
  const char* id;
  double (*product)(double, double, Off);
  Quantized (*quantized)(const std::vector<double>&);
};

constexpr size_t kGroup = 128;

/// A row of gates, then ups. In every third row (by seed), all gates are strongly negative.
std::vector<double> row_of(uint32_t seed) {
  std::mt19937 engine(seed);
  std::normal_distribution<double> normal;
  std::vector<double> row(2 * kGroup);
  for (size_t i = 0; i < row.size(); ++i) {
    const bool closed = i < kGroup && seed % 3 == 2;
    row[i] = bf16(Real(closed ? -20 - double(engine() % 137) / 2 : normal(engine) * std::exp2(double(seed % 7) - 3)));
  }
  return row;
}

Quantized program(const Twin& twin, const std::vector<double>& row, std::mt19937& engine, int reach) {
  std::vector<double> h;
  for (size_t i = 0; i < kGroup; ++i) {
    const auto off = [&] { return int(engine() % uint32_t(2 * reach + 1)) - reach; };
    h.push_back(twin.product(row[i], row[kGroup + i], {off(), off()}));
  }
  return twin.quantized(h);
}

bool lies_in(Span span, double v) { return span.low <= v && v <= span.high; }

/// True if the contract accepts this output of a program.
bool accepted(const Twin& twin, const std::vector<double>& row, const Quantized& out) {
  StoredRow stored;
  stored.scale = {out.scale}, stored.q = out.codes;
  const RowOutputs answer = evaluate_row(contract_of(twin.id), {row, {}, 0, int64_t(kGroup)}, &stored, kBf16);
  bool right = lies_in(answer.scale[0], out.scale);
  for (size_t i = 0; i < kGroup; ++i) right = right && lies_in(answer.q[i], out.codes[i]);
  return right;
}

const Twin kTwins[] = {{"vllm.silu_and_mul_per_block_quant", in_f32, per_block},
                       {"torch.silu_mul_group_fp8", torch_pair, group_fp8},
                       {"vllm.silu_mul_fp8_quant_deep_gemm_ue8m0", masked, masked_ue8m0}};

TEST(GatedTwin, EveryProgramInsideTheFreedomIsAccepted) {
  std::mt19937 engine(5);
  for (const Twin& twin : kTwins)
    for (uint32_t seed = 0; seed < 60; ++seed) {
      const std::vector<double> row = row_of(seed);
      ASSERT_TRUE(accepted(twin, row, program(twin, row, engine, seed % 2 == 0 ? 0 : 2))) << twin.id << " seed " << seed;
    }
}

TEST(GatedTwin, AProgramWithOneMistakeIsRefused) {
  std::mt19937 engine(6);
  const auto swapped = [](double g, double u, Off off) { return in_f32(u, g, off); };
  const auto by_tanh = [](double g, double u, Off) {
    const double half = g / 2, t = fl(in_reals(mpfr_tanh, Real(half)));
    return bf16(Real(bf16(Real(half) * Real(fl(Real(1) + Real(t))))) * Real(u));
  };
  const Twin wrong[] = {{kTwins[0].id, swapped, per_block}, {kTwins[0].id, torch_pair, per_block},
                        {kTwins[0].id, in_f32, group_fp8},  {kTwins[1].id, in_f32, group_fp8},
                        {kTwins[1].id, by_tanh, group_fp8}, {kTwins[2].id, in_f32, masked_ue8m0},
                        {kTwins[2].id, masked, group_fp8}};
  for (const Twin& twin : wrong) {
    int refused = 0;
    for (uint32_t seed = 0; seed < 60; ++seed) {
      const std::vector<double> row = row_of(seed);
      refused += !accepted(twin, row, program(twin, row, engine, 0));
    }
    EXPECT_GT(refused, 5) << twin.id << " and wrong program " << &twin - wrong;
  }
}

/// silu rounded to bf16, times (up + beta). Zeros keep their signs in MPFR. Source: vLLM activation_kernels.cu v0.24.0.
double with_beta(double g, double u, double beta) {
  const double silu = g == 0 ? g : bf16(Real(fl(Real(g) / fl(Real(1) + Real(fl(in_reals(mpfr_exp, Real(-g))))))));
  return bf16(Real(silu) * Real(fl(Real(u) + Real(beta))));
}

TEST(GatedTwin, ABetaOfZeroMakesPlusZeroOfMinusZero) {
  const std::vector<double> gates = {0.0, -0.0, 1.5, -1.5, 2.0, -2.0}, ups = {0.0, -0.0};
  std::vector<double> row, up;
  for (const double g : gates)
    for (const double u : ups) row.push_back(g), up.push_back(u);
  const size_t n = row.size();
  row.insert(row.end(), up.begin(), up.end());
  const Spans added = evaluate_row(contract_of("vllm.silu_and_mul@v0.24.0"), {row, {}}, nullptr, kBf16).y;
  const Spans as_it_is = evaluate_row(contract_of("vllm.silu_and_mul"), {row, {}}, nullptr, kBf16).y;
  size_t differ = 0;
  for (size_t i = 0; i < n; ++i) {
    EXPECT_TRUE(added[i].pinned() && same_number(added[i].low, with_beta(row[i], up[i], 0.0))) << row[i] << ", " << up[i];
    EXPECT_TRUE(as_it_is[i].pinned() && same_number(as_it_is[i].low, with_beta(row[i], up[i], -0.0))) << row[i] << ", " << up[i];
    differ += !same_number(added[i].low, as_it_is[i].low);
  }
  EXPECT_EQ(differ, gates.size()) << "every -0 of the up half";
}

/// The maximum starts from an element; fmaxf() and fminf() ignore NaN. Source: vLLM fused_silu_mul_block_quant.cu.
double scale_of_block_ub(const std::vector<double>& h, double ub, bool begins_with_zero) {
  double amax = begins_with_zero ? 0 : std::fabs(h.front());
  for (const double v : h) amax = std::fmax(amax, std::fabs(v));
  const double scale = std::isnan(amax) ? amax : fl(Real(amax) / 448);
  return std::fmax(std::fmin(scale, fl(Real(ub))), fl(Real(1) / (448 * 512)));
}

TEST(GatedTwin, AGroupOfNaNAloneHasTheUpperBoundForItsScale) {
  const double nan = std::nan("");
  for (const size_t numbers : {size_t{0}, size_t{1}, kGroup}) {  // number of non-NaN elements
    std::vector<double> row = row_of(4), h;
    for (size_t i = numbers; i < kGroup; ++i) row[i] = nan;
    for (size_t i = 0; i < kGroup; ++i) h.push_back(in_f32(row[i], row[kGroup + i], {0, 0}));
    RowInputs inputs{row, {}, 0, int64_t(kGroup)};
    inputs.scale_ub = 0.75;
    const Span scale = evaluate_row(contract_of("vllm.silu_and_mul_per_block_quant_ub"), inputs, nullptr, kBf16).scale[0];
    EXPECT_TRUE(lies_in(scale, scale_of_block_ub(h, 0.75, false))) << numbers;
    EXPECT_EQ(lies_in(scale, scale_of_block_ub(h, 0.75, true)), numbers > 0) << "a maximum that begins with 0";
  }
}

/// Share of codes with one accepted value, given the stored scales. Shows how far the errors of exp and division widen intervals.
TEST(GatedSharpness, NearlyEveryCodeIsPinned) {
  std::mt19937 engine(7);
  for (const auto& [id, product, quantized] : kTwins) {
    const Twin twin{id, product, quantized};
    int64_t pinned = 0, all = 0;
    for (uint32_t seed = 0; seed < 120; ++seed) {
      if (seed % 3 == 2) continue;  // only ordinary gates
      const std::vector<double> row = row_of(seed);
      StoredRow stored;
      stored.scale = {program(twin, row, engine, 0).scale};
      const RowOutputs answer = evaluate_row(contract_of(id), {row, {}, 0, int64_t(kGroup)}, &stored, kBf16);
      for (size_t i = 0; i < kGroup; ++i) pinned += answer.q[i].pinned(), ++all;
    }
    const double share = double(pinned) / double(all);
    RecordProperty(id, std::to_string(share));
    std::printf("%s: %.4f of codes have one accepted code\n", id, share);
    EXPECT_GT(share, 0.99) << id;
  }
}

}  // namespace

}  // namespace assay::gated_twin
