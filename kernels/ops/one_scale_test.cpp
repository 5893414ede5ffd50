// The CPU library through its own door, against plain loops: it casts, and quantizes whole tensors by one scale, found or given.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <vector>

#include "kernels/testing/oracle.h"
#include "kernels/testing/quantized.h"

namespace assay_kernels {
namespace {

using testing::HasSubstr;

TEST(Cast, GivesWhatAPlainLoopGivesForAnyLength) {
  for (const int64_t n : {1, 15, 16, 17, 1000, 16384, 16384 + 5, 70000}) {
    for (const int warp : {32, 64}) {
      const auto x = random_bf16(size_t(n), uint32_t(n), 20);
      std::vector<uint8_t> q(size_t(n) + 1, 0xa5);
      CallBuilder call;
      call.matrix("x", kBf16, false, 1, n, x.data()).matrix("q", kE4m3fn, true, 1, n, q.data()).parameter("warp", warp);
      ASSERT_EQ(call.run(library(), "cast", "cuda.e4m3fn_sat", "cast"), ASSAY_OK) << call.message();
      for (int64_t i = 0; i < n; ++i) ASSERT_EQ(q[size_t(i)], oracle::e4m3fn_sat(value(x[size_t(i)]))) << n << " " << i;
      EXPECT_EQ(q.back(), 0xa5) << "beyond the end";
      EXPECT_EQ(call.run(library(), "cast", "cuda.e5m2_sat", "cast"), ASSAY_UNSUPPORTED);
      EXPECT_THAT(call.message(), HasSubstr("q has not the type of contract cuda.e5m2_sat"));
    }
  }
}

/// Lengths around a load, a block's elements and several blocks.
constexpr std::array<std::array<int64_t, 2>, 6> kTensorShapes = {{{1, 1}, {3, 5}, {1, 8192}, {1, 8193}, {7, 1171}, {37, 1024}}};

TEST(QuantTensor, TakesAllRowsForItsScaleWhateverWasThere) {
  for (const auto& [m, n] : kTensorShapes)
    for (const int warp : {32, 64}) {
      const auto x = random_bf16(size_t(m * n), uint32_t(m * n));
      std::vector<uint8_t> q(x.size() + 1, 0xa5);
      float scale = 1e30f, amax = 0;
      CallBuilder call;
      call.matrix("x", kBf16, false, m, n, x.data()).matrix("q", kE4m3fn, true, m, n, q.data());
      call.matrix("scale", kF32, true, 1, 1, &scale).parameter("warp", warp);
      ASSERT_EQ(call.run(library(), "quant_tile", "vllm.per_tensor", "quant_tensor"), ASSAY_OK) << call.message();
      for (uint16_t code : x) amax = std::fmax(amax, std::fabs(value(code)));
      ASSERT_EQ(scale, amax / 448.0f);
      const float inverse = 1.0f / scale;
      for (size_t i = 0; i < x.size(); ++i)
        ASSERT_EQ(q[i], oracle::e4m3fn_sat(std::fmax(std::fmin(value(x[i]) * inverse, 448.0f), -448.0f))) << i;
      EXPECT_EQ(q.back(), 0xa5) << "beyond the end";
    }
}

TEST(QuantTensor, OfZerosHasNoScaleAndCodesOfNaN) {
  const std::vector<uint16_t> x(64, 0);
  std::vector<uint8_t> q(x.size());
  float scale = 1;
  CallBuilder call;
  call.matrix("x", kBf16, false, 8, 8, x.data()).matrix("q", kE4m3fn, true, 8, 8, q.data());
  call.matrix("scale", kF32, true, 1, 1, &scale).parameter("warp", 32);
  ASSERT_EQ(call.run(library(), "quant_tile", "vllm.per_tensor", "quant_tensor"), ASSAY_OK) << call.message();
  EXPECT_EQ(scale, 0.0f);
  EXPECT_EQ(q, std::vector<uint8_t>(64, 0x7e));
  ASSERT_EQ(call.run(library(), "quant_tile", "vllm.per_tensor_native", "quant_tensor"), ASSAY_OK) << call.message();
  EXPECT_EQ(scale, 1.0f / (448.0f * 512.0f));
  EXPECT_EQ(q, std::vector<uint8_t>(64, 0));
}

TEST(QuantStatic, MultipliesByTheReciprocalOfTheGivenScale) {
  for (const auto& [m, n] : kTensorShapes) {
    const auto x = random_bf16(size_t(m * n), uint32_t(m + n));
    std::vector<uint8_t> q(x.size() + 1, 0xa5);
    const float scale = 0.7f, inverse = 1.0f / scale;
    CallBuilder call;
    call.matrix("x", kBf16, false, m, n, x.data()).matrix("q", kE4m3fn, true, m, n, q.data());
    call.matrix("scale", kF32, false, 1, 1, &scale).parameter("warp", 32);
    ASSERT_EQ(call.run(library(), "quant_static", "vllm.static", "quant_static"), ASSAY_OK) << call.message();
    for (size_t i = 0; i < x.size(); ++i)
      ASSERT_EQ(q[i], oracle::e4m3fn_sat(std::fmax(std::fmin(value(x[i]) * inverse, 448.0f), -448.0f))) << i;
    EXPECT_EQ(q.back(), 0xa5) << "beyond the end";
  }
}

}  // namespace
}  // namespace assay_kernels
