// Paged cache records after a norm, compared with hand-written straight-line programs.
#include <gtest/gtest.h>

#include <random>

#include "reference/flow/row_norm/row_norm.h"
#include "reference/testing/records.h"

namespace assay::cache_norm_twin {
namespace {

/// The row behind its norm for one factor: x r w in fp32 steps, rounded to 16 bits.
std::vector<double> normalized(const RowInputs& inputs, double r) {
  std::vector<double> y;
  for (size_t i = 0; i < inputs.x.size(); ++i)
    y.push_back(nearest(kBf16, fl(Real(fl(Real(inputs.x[i]) * Real(r))) * Real(inputs.gamma[i]))));
  return y;
}

/// Power of two of a group of 64 numbers, and the code of one of them.
double dsv4_scale(const std::vector<double>& y, size_t group) {
  double absmax = double(float(1e-4));
  for (size_t i = group * 64; i < group * 64 + 64; ++i) absmax = std::fmax(absmax, std::fabs(y[i]));
  return power_above(Real(fl(Real(absmax) / 448)));
}
double dsv4_code(double y, double scale) { return nearest(kE4M3Fn, std::fmin(std::fmax(-448, y / scale), 448)); }

RowInputs normed_row(uint64_t seed) {
  RowInputs inputs;
  inputs.group_size = 64;
  std::mt19937 engine{unsigned(seed)};
  std::normal_distribution<double> normal;
  for (size_t i = 0; i < 512; ++i) {
    inputs.x.push_back(nearest(kBf16, normal(engine)));
    inputs.gamma.push_back(nearest(kBf16, 1 + 0.1 * normal(engine)));
  }
  for (int i = 0; i < 32; ++i) {
    const double angle = normal(engine);
    inputs.cos.push_back(nearest(kF32, std::cos(angle)));
    inputs.sin.push_back(nearest(kF32, std::sin(angle)));
  }
  inputs.eps = 1e-6;
  return inputs;
}

/// The KV half of vLLM's DeepSeek-V4 insert: normalized with its weight and rounded, then stored as without a norm. The accepted
/// interval is spanned by the results for the two ends of r.
TEST(CacheTwin, DeepseekV4BehindItsNorm) {
  const Contract contract = contract_of("vllm.deepseek_v4_kv_norm_insert", kBf16);
  size_t open = 0;
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    const RowInputs inputs = normed_row(seed);
    const RecordValues record = record_of(contract, inputs, 448);
    const RowNorm& norm = *contract.row_norm();
    const Span r = norm_factor(norm, norm_row(norm, inputs.x, {}, kBf16), inputs.eps);
    Real squares = 0;
    for (const double x : inputs.x) squares += Real(x) * Real(x);
    const Real exact = 1 / boost::multiprecision::sqrt(squares / 512 + Real(double(float(1e-6))));
    ASSERT_TRUE(Real(r.low) < exact && exact < Real(r.high)) << seed;
    const std::vector<double> low = normalized(inputs, r.low), high = normalized(inputs, r.high);
    for (size_t group = 0; group < 7; ++group) {
      const double scale = dsv4_scale(low, group);
      ASSERT_EQ(record.scales[group].low, scale) << seed;
      ASSERT_EQ(record.scales[group].high, dsv4_scale(high, group)) << seed;
      if (record.scales[group].high != scale) continue;
      for (size_t i = group * 64; i < group * 64 + 64; ++i) {
        const double ends[] = {dsv4_code(low[i], scale), dsv4_code(high[i], scale)};
        ASSERT_EQ(record.codes[i].low, std::min(ends[0], ends[1])) << seed << " " << i;
        ASSERT_EQ(record.codes[i].high, std::max(ends[0], ends[1])) << seed << " " << i;
        open += ends[0] != ends[1];
      }
    }
    for (size_t i = 0; i < 32; ++i) {
      for (const std::vector<double>& y : {low, high}) {
        const double e = y[448 + 2 * i], o = y[449 + 2 * i], c = inputs.cos[i], s = inputs.sin[i];
        const double even = nearest(kBf16, fl(Real(fl(Real(e) * Real(c))) - Real(fl(Real(o) * Real(s)))));
        const double odd = nearest(kBf16, fl(Real(fl(Real(e) * Real(s))) + Real(fl(Real(o) * Real(c)))));
        ASSERT_TRUE(record.values[448 + 2 * i].low <= even && even <= record.values[448 + 2 * i].high) << seed << " " << i;
        ASSERT_TRUE(record.values[449 + 2 * i].low <= odd && odd <= record.values[449 + 2 * i].high) << seed << " " << i;
      }
    }
  }
  EXPECT_LT(open, 60 * 448 / 100) << "nearly every code is one code";
}

/// Two codes that change within the span of r, one as the least r makes it and one as the greatest: each is accepted, and one of
/// the two ways to mix them is no row. A tree so deep that many codes change shows it.
TEST(CacheTwin, OneFactorMustExplainTheWholeRecord) {
  Contract contract = contract_of("vllm.deepseek_v4_kv_norm_insert", kBf16);
  RowNorm& norm = std::get<RowNorm>(contract.links.front());
  norm.depth = Expression("20000");
  int tried = 0, caught = 0;
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    RowInputs inputs = normed_row(seed);
    inputs.coded = 448;
    const Span r = norm_factor(norm, norm_row(norm, inputs.x, {}, kBf16), inputs.eps);
    const RecordValues wide = record_values(contract, inputs, nullptr, kBf16);
    if (!wide.scales.pinned()) continue;
    const std::vector<double> low = normalized(inputs, r.low), high = normalized(inputs, r.high);
    const auto stored = [&](auto from_high) {
      StoredRow row;
      row.scale = wide.scales.low;
      row.y.assign(512, std::nan(""));
      for (size_t i = 0; i < 448; ++i) row.q.push_back(dsv4_code(from_high(i) ? high[i] : low[i], wide.scales[i / 64].low));
      return row;
    };
    const StoredRow of_low = stored([](size_t) { return false; }), of_high = stored([](size_t) { return true; });
    EXPECT_TRUE(record_values(contract, inputs, &of_low, kBf16).joint_violations.empty());
    EXPECT_TRUE(record_values(contract, inputs, &of_high, kBf16).joint_violations.empty());
    std::vector<size_t> open;
    for (size_t i = 0; i < 448; ++i)
      if (of_low.q[i] != of_high.q[i]) open.push_back(i);
    if (open.size() < 2) continue;
    ++tried;
    const StoredRow first = stored([&](size_t i) { return i == open[0]; }), last = stored([&](size_t i) { return i == open[1]; });
    caught += !record_values(contract, inputs, &first, kBf16).joint_violations.empty() ||
              !record_values(contract, inputs, &last, kBf16).joint_violations.empty();
  }
  EXPECT_GT(tried, 3);
  EXPECT_GT(caught, tried / 2);
}

}  // namespace
}  // namespace assay::cache_norm_twin
