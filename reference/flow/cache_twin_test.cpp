// Records of paged caches against straight programs written by hand from contracts/norm.md 7.2.
#include <gtest/gtest.h>

#include "reference/contracts/rows.h"
#include "reference/flow/cache_record.h"
#include "reference/testing/f32.h"
#include "reference/testing/real.h"

namespace assay {
namespace {

Contract contract_of(const char* id, const Format& x) {
  static const ContractTables tables = ContractTables::load("reference/contracts");
  return bind(tables, id, x);
}

double fl(const Real& x) { return nearest(kF32, x); }

/// The conversion of CUDA: to nearest even, what is too large becomes the largest number.
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

/// Tiles of 128: scale = max(absmax / 448, FLT_MIN), code of x / scale; 64 numbers as they are.
TEST(CacheTwin, Fp8DsMla) {
  const Contract contract = contract_of("vllm.fp8_ds_mla", kBf16);
  int nan_codes = 0, least = 0;
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    RowInputs inputs = row_of(kBf16, 576, 128, seed);
    if (seed % 5 == 0) std::fill(inputs.x.begin(), inputs.x.begin() + 128, seed % 2 ? -0.0 : 0x1p-130);
    const RecordValues record = record_values(contract, inputs, 512, {});
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

/// One given scale and 576 codes.
TEST(CacheTwin, MlaFp8) {
  const Contract contract = contract_of("vllm.mla_fp8", kF16);
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    RowInputs inputs = row_of(kF16, 576, 576, seed);
    inputs.scale = {double(float(0.37 * double(seed)))};
    const RecordValues record = record_values(contract, inputs, 576, {});
    EXPECT_EQ(record.scales.size(), 0u);
    for (size_t i = 0; i < 576; ++i)
      ASSERT_TRUE(same_number(record.codes[i].low, e4m3_satfinite(double(float(inputs.x[i]) / float(inputs.scale[0]))))) << seed;
  }
}

/// The numbers behind the codes count in no scale.
TEST(CacheTwin, RotatedNumbersCountInNoScale) {
  const Contract contract = contract_of("vllm.fp8_ds_mla", kBf16);
  RowInputs inputs = row_of(kBf16, 576, 128, 7);
  std::fill(inputs.x.begin(), inputs.x.end(), 1.0);
  const RecordValues before = record_values(contract, inputs, 512, {});
  std::fill(inputs.x.begin() + 512, inputs.x.end(), 0x1p100);
  const RecordValues after = record_values(contract, inputs, 512, {});
  EXPECT_EQ(after.scales.low, before.scales.low);
  inputs.x[511] = 0x1p100;
  EXPECT_NE(record_values(contract, inputs, 512, {}).scales.low, before.scales.low);
}

}  // namespace
}  // namespace assay
