// Compares cache records with MPFR programs, both with and without a norm before the quantization.
#include <gtest/gtest.h>

#include <random>

#include "reference/flow/row_norm/row_norm.h"
#include "reference/testing/mpfr_programs.h"

namespace assay::cache_twin {

// Records without a norm, compared with programs written by hand from the formulas of reference/contracts/cache.csv.

namespace {

/// CUDA's conversion to e4m3fn: rounds to nearest even, and saturates.
double e4m3_satfinite(double v) {
  if (std::isnan(v)) return v;
  return std::fabs(v) >= 448 ? std::copysign(448, v) : nearest(kE4M3Fn, Real(v));
}

RowInputs row_of(const Format& x, size_t numbers, int64_t group_size, uint64_t seed) {
  RandomNumbers random(seed);
  RowInputs inputs;
  for (size_t i = 0; i < numbers; ++i) inputs.x.push_back(random.of(x));
  inputs.group_size = group_size;
  return inputs;
}

/// Tiles of 128 elements: scale = max(absmax / 448, FLT_MIN), codes of x / scale. 64 more elements are copied.
TEST(CacheTwin, Fp8DsMla) {
  const Contract contract = contract_of("vllm.fp8_ds_mla", kBf16);
  int nan_codes = 0, least = 0;
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    RowInputs inputs = row_of(kBf16, 576, 128, seed);
    if (seed % 5 == 0) std::fill(inputs.x.begin(), inputs.x.begin() + 128, seed % 2 ? -0.0 : 0x1p-130);
    const RecordValues record = record_of(contract, inputs, 512);
    ASSERT_TRUE(record.codes.pinned() && record.scales.pinned());
    ASSERT_EQ(record.codes.size(), 512u);
    for (size_t tile = 0; tile < 4; ++tile) {
      double absmax = 0;
      for (size_t i = tile * 128; i < tile * 128 + 128; ++i) absmax = std::fmax(absmax, std::fabs(inputs.x[i]));
      const double scale = std::fmax(fl(Real(absmax) / 448), 0x1p-126);
      ASSERT_TRUE(same_number(record.scales[tile].low, scale)) << seed;
      least += scale == 0x1p-126;
      for (size_t i = tile * 128; i < tile * 128 + 128; ++i) {
        const double code = e4m3_satfinite(double(float(inputs.x[i]) / float(scale)));  // IEEE 754 division of fp32
        ASSERT_TRUE(same_number(record.codes[i].low, code)) << seed << " " << i;
        nan_codes += std::isnan(code);
      }
    }
    for (size_t i = 512; i < 576; ++i) ASSERT_TRUE(same_number(record.values[i].low, inputs.x[i]));
  }
  EXPECT_GT(nan_codes, 0);
  EXPECT_GT(least, 0);
}

/// One scale, which is an input, for all 576 codes.
TEST(CacheTwin, MlaFp8) {
  const Contract contract = contract_of("vllm.mla_fp8", kF16);
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    RowInputs inputs = row_of(kF16, 576, 576, seed);
    inputs.scale = {double(float(0.37 * double(seed)))};
    const RecordValues record = record_of(contract, inputs, 576);
    EXPECT_EQ(record.scales.size(), 0u);
    for (size_t i = 0; i < 576; ++i)
      ASSERT_TRUE(same_number(record.codes[i].low, e4m3_satfinite(double(float(inputs.x[i]) / float(inputs.scale[0]))))) << seed;
  }
}

/// Scales are inputs: one for K and one for V, or one for each of their eight heads.
TEST(CacheTwin, FlashFp8) {
  for (const auto& [id, group] : {std::pair{"vllm.flash_fp8", 1024},
                                  {"vllm.flash_fp8_hnd", 1024},
                                  {"vllm.flash_fp8_heads", 128},
                                  {"vllm.flash_fp8_hnd_heads", 128}}) {
    const Contract contract = contract_of(id, kBf16);
    for (uint64_t seed = 1; seed <= 20; ++seed) {
      RowInputs inputs = row_of(kBf16, 2048, group, seed);
      for (int g = 0; g < 2048 / group; ++g) inputs.scale.push_back(double(float(0.11 * double(seed) + 0.03 * g)));
      const RecordValues record = record_of(contract, inputs, 2048);
      EXPECT_EQ(record.scales.size(), 0u);
      for (size_t i = 0; i < 2048; ++i)
        ASSERT_TRUE(
            same_number(record.codes[i].low, e4m3_satfinite(double(float(inputs.x[i]) / float(inputs.scale[i / size_t(group)])))))
            << id << " " << seed;
    }
  }
}

/// vLLM's DeepSeek-V4 KV insert, step by step. The last 64 elements are rotated in pairs and rounded once. The others are
/// quantized in groups of 64 with power-of-two scales. absmax is at least 1e-4, and NaN becomes the lowest code.
TEST(CacheTwin, DeepseekV4) {
  for (const bool fnuz : {false, true}) {
    const Contract contract = contract_of(fnuz ? "vllm.deepseek_v4_kv_insert_fnuz" : "vllm.deepseek_v4_kv_insert", kBf16);
    const double most = fnuz ? 224 : 448;
    int floors = 0, nan = 0, free = 0;
    for (uint64_t seed = 1; seed <= 100; ++seed) {
      RowInputs inputs = row_of(kBf16, 512, 64, seed);
      if (seed % 5 == 0) std::fill(inputs.x.begin(), inputs.x.begin() + 128, seed % 2 ? -0.0 : 0x1p-20);
      RandomNumbers random(seed + 1000);
      for (int i = 0; i < 32; ++i) {
        inputs.cos.push_back(random.of(kF32));
        inputs.sin.push_back(random.of(kF32));
      }
      const RecordValues record = record_of(contract, inputs, 448);
      ASSERT_TRUE(record.codes.pinned() && record.scales.pinned());
      ASSERT_EQ(record.codes.size(), 448u);
      ASSERT_EQ(record.scales.size(), 7u);
      for (size_t group = 0; group < 7; ++group) {
        double absmax = double(float(1e-4));
        for (size_t i = group * 64; i < group * 64 + 64; ++i) absmax = std::fmax(absmax, std::fabs(inputs.x[i]));
        const double scale = std::isinf(absmax) ? absmax : power_above(Real(fl(Real(absmax) / Real(most))));
        ASSERT_TRUE(same_number(record.scales[group].low, scale)) << seed << " " << group;
        floors += scale == (fnuz ? 0x1p-21 : 0x1p-22);
        for (size_t i = group * 64; i < group * 64 + 64; ++i) {
          const double scaled = inputs.x[i] * (1 / scale);  // exact, or NaN
          const double clamped = std::fmin(std::fmax(-most, scaled), most);
          const double code = fnuz ? nearest(kE4M3Fnuz, clamped) + 0.0 : nearest(kE4M3Fn, clamped);  // FNUZ has no -0
          ASSERT_TRUE(same_number(record.codes[i].low, code)) << contract.id << " " << seed << " " << i << " " << inputs.x[i]
                                                              << " scale " << scale << " " << record.codes[i].low << " " << code;
          nan += std::isnan(inputs.x[i]);
        }
      }
      for (size_t i = 0; i < 32; ++i) {
        const double e = inputs.x[448 + 2 * i], o = inputs.x[449 + 2 * i], c = inputs.cos[i], s = inputs.sin[i];
        const double even = nearest(kBf16, fl(Real(fl(Real(e) * Real(c))) - Real(fl(Real(o) * Real(s)))));
        const double odd = nearest(kBf16, fl(Real(fl(Real(e) * Real(s))) + Real(fl(Real(o) * Real(c)))));
        const Span spans[] = {record.values[448 + 2 * i], record.values[449 + 2 * i]};
        for (const auto& [span, value] : {std::pair{spans[0], even}, {spans[1], odd}}) {
          free += span.any();
          ASSERT_TRUE(span.any() || (span.low <= value && value <= span.high) || same_number(span.low, value))
              << seed << " " << i;
        }
      }
    }
    EXPECT_GT(floors, 0);
    EXPECT_GT(nan, 0);
    EXPECT_LT(free, 600) << "most rotations of any numbers have an answer";
  }
}

/// One fp32 scale per key of 128 elements: max(absmax, 1e-4) / M, or the next power of two. The codes are those of x / scale.
TEST(CacheTwin, IndexerK) {
  for (const bool fnuz : {false, true}) {
    for (const bool ue8m0 : {false, true}) {
      const Contract contract =
          contract_of((std::string("vllm.indexer_k") + (ue8m0 ? "_ue8m0" : "") + (fnuz ? "_fnuz" : "")).c_str(), kF16);
      const double most = fnuz ? 224 : 448, least = double(float(1e-4));
      int floors = 0, nan_codes = 0;
      for (uint64_t seed = 1; seed <= 300; ++seed) {
        RowInputs inputs = row_of(kF16, 128, 128, seed);
        for (double& v : inputs.x)
          if (seed % 5 == 0) v = nearest(kF16, v * 0x1p-40);
        const RecordValues record = record_of(contract, inputs, 128);
        ASSERT_TRUE(record.codes.pinned() && record.scales.pinned());
        double absmax = 0;
        for (const double v : inputs.x) absmax = std::fmax(absmax, std::fabs(v));
        floors += absmax < least;
        double scale = std::fmax(absmax, least) / most;
        if (!std::isinf(scale)) scale = fl(Real(std::fmax(absmax, least)) / Real(most));
        if (ue8m0 && !std::isinf(scale)) scale = power_above(Real(scale));
        ASSERT_TRUE(same_number(record.scales[0].low, scale)) << contract.id << " " << seed;
        for (size_t i = 0; i < 128; ++i) {
          const double quotient = double(float(inputs.x[i]) / float(scale));  // IEEE 754 division of fp32
          const double kept = std::isnan(quotient) ? quotient : std::clamp(quotient, -max_finite(kE4M3Fn), max_finite(kE4M3Fn));
          const double code = fnuz ? nearest(kE4M3Fnuz, kept) + 0.0 : nearest(kE4M3Fn, kept);
          ASSERT_TRUE(same_number(record.codes[i].low, code)) << contract.id << " " << seed << " " << i;
          nan_codes += std::isnan(code);
        }
      }
      EXPECT_GT(floors, 0);
      EXPECT_GT(nan_codes, 0);
    }
  }
}

/// Rotated elements do not affect scales, and quantized elements are not rotated.
TEST(CacheTwin, DeepseekV4RotatesTheLast64Alone) {
  const Contract contract = contract_of("vllm.deepseek_v4_kv_insert", kBf16);
  RowInputs inputs = row_of(kBf16, 512, 64, 3);
  std::fill(inputs.x.begin(), inputs.x.end(), 1.0);
  inputs.cos.assign(32, 0.0);
  inputs.sin.assign(32, 1.0);
  const RecordValues record = record_of(contract, inputs, 448);
  for (size_t i = 0; i < 448; ++i) ASSERT_EQ(record.values[i].low, 1);
  for (size_t i = 448; i < 512; ++i) ASSERT_EQ(record.values[i].low, i % 2 == 0 ? -1 : 1);
  std::fill(inputs.x.begin() + 448, inputs.x.end(), 0x1p100);
  EXPECT_EQ(record_of(contract, inputs, 448).scales.low, record.scales.low);
}

/// Elements that are stored after the codes do not affect scales.
TEST(CacheTwin, RotatedNumbersCountInNoScale) {
  const Contract contract = contract_of("vllm.fp8_ds_mla", kBf16);
  RowInputs inputs = row_of(kBf16, 576, 128, 7);
  std::fill(inputs.x.begin(), inputs.x.end(), 1.0);
  const RecordValues before = record_of(contract, inputs, 512);
  std::fill(inputs.x.begin() + 512, inputs.x.end(), 0x1p100);
  const RecordValues after = record_of(contract, inputs, 512);
  EXPECT_EQ(after.scales.low, before.scales.low);
  inputs.x[511] = 0x1p100;
  EXPECT_NE(record_of(contract, inputs, 512).scales.low, before.scales.low);
}

}  // namespace

}  // namespace assay::cache_twin

namespace assay::cache_norm_twin {

// Records after a norm, compared with hand-written programs.

namespace {

/// The row after its norm with factor r: x r w, each step in fp32, then rounded to 16 bits.
std::vector<double> normalized(const RowInputs& inputs, double r) {
  std::vector<double> y;
  for (size_t i = 0; i < inputs.x.size(); ++i)
    y.push_back(nearest(kBf16, fl(Real(fl(Real(inputs.x[i]) * Real(r))) * Real(inputs.gamma[i]))));
  return y;
}

/// The power-of-two scale of a group of 64 elements, and the code of one of them.
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

/// The KV half of vLLM's DeepSeek-V4 insert: normalized with its weight, rounded, then stored like a row without a norm. The
/// accepted intervals reach from the results for the smallest r to the results for the largest r.
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

/// Two codes change within the interval of r. The test stores one code for the smallest r, and the other code for the largest r.
/// Each code is accepted alone, but no r gives both. The sum is deep (many roundings), so that many codes change.
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
