// Compares two typical kernels of inference engines with plain loops, at 32 and 64 lanes. Also tests how the executor reports the
// usual mistakes in such kernels.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "kernels/simt/compat_examples/rms_norm.hip"
#include "kernels/simt/compat_examples/token_group_quant.cu"

namespace {

using assay::simt::Divergence;
using assay::simt::launch;
using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

class Warps : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(, Warps, testing::Values(32, 64), [](const auto& info) { return info.param == 32 ? "w32" : "w64"; });

TEST_P(Warps, CudaGroupQuantIsThePlainLoop) {
  constexpr int kGroups = 77, kGroupSize = 128;  // not a multiple of the 16 groups per block, so some half-warps return early
  std::mt19937 random(5);
  std::vector<__nv_bfloat16> x(kGroups * kGroupSize);
  for (auto& v : x) v = __float2bfloat16(float(int(random() % 20001) - 10000) / 512.0f);
  std::vector<uint8_t> q(x.size(), 0xaa), expected_q(x.size());
  std::vector<float> scales(kGroups, -1.0f), expected_scales(kGroups);
  launch(token_group_quant<kGroupSize>, (kGroups + 15) / 16, 256, GetParam(), x.data(), q.data(), scales.data(), kGroups, 1e-10f);

  for (size_t g = 0; g < kGroups; ++g) {
    float widest = 1e-10f;
    for (size_t i = 0; i < kGroupSize; ++i) widest = std::max(widest, std::fabs(float(x[g * kGroupSize + i])));
    expected_scales[g] = widest / 448.0f;
    for (size_t i = 0; i < kGroupSize; ++i)
      expected_q[g * kGroupSize + i] = simt::e4m3fn_bits_sat(float(x[g * kGroupSize + i]) / expected_scales[g]);
  }
  EXPECT_EQ(scales, expected_scales);
  EXPECT_EQ(q, expected_q);
}

/// A NaN that is signaling in bf16 stays signaling in fp32, and glibc's fmaxf would return it.
TEST_P(Warps, MaximaDropEveryNan) {
  constexpr int kGroupSize = 128;
  std::vector<__nv_bfloat16> x(kGroupSize);
  for (auto& v : x) v = __nv_bfloat16::from_bits(0x7fa0);
  std::vector<uint8_t> q(x.size());
  float scale = -1.0f;
  launch(token_group_quant<kGroupSize>, 1, 256, GetParam(), x.data(), q.data(), &scale, 1, 1e-10f);
  EXPECT_EQ(scale, 1e-10f / 448.0f);
}

struct Norm {
  static constexpr int kRows = 70, kVectors = 150;
  std::vector<float4> x, gamma, y;
  Norm() : x(kRows * kVectors), gamma(kVectors), y(x.size()) {
    std::mt19937 random(9);
    // Small integers, so sums of squares are exact in any order.
    const auto next = [&] { return float(int(random() % 17) - 8); };
    for (auto& v : x) v = {next(), next(), next(), next()};
    for (auto& v : gamma) v = {next(), next(), next(), next()};
  }
  float sum_of_squares(int row) const {
    float sum = 0.0f;
    for (int i = 0; i < kVectors; ++i) {
      const float4 v = x[size_t(row * kVectors + i)];
      sum += v.x * v.x + v.y * v.y + v.z * v.z + v.w * v.w;
    }
    return sum;
  }
};

TEST_P(Warps, HipRmsNormIsThePlainLoop) {
  Norm n;
  launch(rms_norm, Norm::kRows, 256, GetParam(), n.x.data(), n.gamma.data(), n.y.data(), Norm::kVectors, 1e-6f);
  for (int row = 0; row < Norm::kRows; ++row) {
    const float r = rsqrtf(n.sum_of_squares(row) / (4 * Norm::kVectors) + 1e-6f);
    for (int i = 0; i < Norm::kVectors; ++i) {
      const size_t at = size_t(row * Norm::kVectors + i);
      ASSERT_EQ(n.y[at].x, n.x[at].x * r * n.gamma[size_t(i)].x);
      ASSERT_EQ(n.y[at].w, n.x[at].w * r * n.gamma[size_t(i)].w);
    }
  }
}

/// The one mistake that a sum over a block may have.
enum class Mistake { kNone, kLeadersEvery32, kShufflesOver32 };

template <Mistake kMistake>
__global__ void sum_of_block(const float* x, float* sum) {
  __shared__ float sums[32];
  const int leaders = kMistake == Mistake::kLeadersEvery32 ? 32 : warpSize;
  const int lane = threadIdx.x % leaders, wave = threadIdx.x / leaders;
  float value = x[threadIdx.x];
  for (int offset = kMistake == Mistake::kShufflesOver32 ? 16 : warpSize / 2; offset > 0; offset /= 2)
    value += __shfl_xor(value, offset);
  if (lane == 0) sums[wave] = value;
  __syncthreads();
  if (threadIdx.x != 0) return;
  float total = 0.0f;
  for (int w = 0; w < int(blockDim.x) / leaders; ++w) total += sums[w];
  *sum = total;
}

template <Mistake kMistake>
float sum_of_ones(int warp) {
  const std::vector<float> ones(256, 1.0f);
  float sum = -1.0f;
  launch(sum_of_block<kMistake>, 1, 256, warp, ones.data(), &sum);
  return sum;
}

TEST(HardCoded32, IsUnseenOn32LanesAndMergesOrLosesLanesOn64) {
  EXPECT_EQ(sum_of_ones<Mistake::kNone>(32), 256.0f);
  EXPECT_EQ(sum_of_ones<Mistake::kNone>(64), 256.0f);
  EXPECT_EQ(sum_of_ones<Mistake::kLeadersEvery32>(32), 256.0f);
  EXPECT_EQ(sum_of_ones<Mistake::kLeadersEvery32>(64), 512.0f);  // each wave is counted twice
  EXPECT_EQ(sum_of_ones<Mistake::kShufflesOver32>(32), 256.0f);
  EXPECT_EQ(sum_of_ones<Mistake::kShufflesOver32>(64), 128.0f);  // the upper half of each wave is lost
}

/// The mask includes all lanes, but the last half-warp has returned.
__global__ void leaves_before_a_full_mask(float* x, int groups) {
  if (int(threadIdx.x) / 16 >= groups) return;
  x[threadIdx.x] = __shfl_xor_sync(0xffffffffu, x[threadIdx.x], 8);
}

__global__ void full_mask_in_a_branch(float* x) {
  if (threadIdx.x % 32 < 16) x[threadIdx.x] = __shfl_xor(x[threadIdx.x], 8);
}

TEST_P(Warps, DivergentFullMaskShuffleIsReported) {
  std::vector<float> x(64);
  EXPECT_THAT(
      [&] { launch(leaves_before_a_full_mask, 1, 64, GetParam(), x.data(), 3); },
      ThrowsMessage<Divergence>(AllOf(HasSubstr("block 0, warp"), HasSubstr("wait at a shuffle"), HasSubstr("have ended"))));
  EXPECT_THAT([&] { launch(full_mask_in_a_branch, 1, 64, GetParam(), x.data()); },
              ThrowsMessage<Divergence>(HasSubstr("wait at a shuffle")));
}

}  // namespace
