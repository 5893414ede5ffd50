// Tests the promises of simt_compat.h, name by name.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "assay/simt_compat.h"

namespace {

using assay::simt::Config;
using assay::simt::Divergence;
using assay::simt::launch;
using testing::HasSubstr;
using testing::ThrowsMessage;

__global__ void write_places(int* out) {
  const unsigned block = (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
  const unsigned thread = (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
  out[block * blockDim.x * blockDim.y * blockDim.z + thread] =
      int(blockIdx.x + 10 * blockIdx.y + 100 * blockIdx.z + 1000 * threadIdx.x + 100000 * threadIdx.y + 1000000 * threadIdx.z);
}

TEST(Compat, PlacesHaveThreeDimensions) {
  const dim3 grid(2, 3, 2), block(8, 4, 2);
  std::vector<int> out(12 * 64, -1);
  launch(write_places, grid, block, 32, out.data());
  size_t at = 0;
  for (int bz = 0; bz < 2; ++bz)
    for (int by = 0; by < 3; ++by)
      for (int bx = 0; bx < 2; ++bx)
        for (int tz = 0; tz < 2; ++tz)
          for (int ty = 0; ty < 4; ++ty)
            for (int tx = 0; tx < 8; ++tx) ASSERT_EQ(out[at++], bx + 10 * by + 100 * bz + 1000 * tx + 100000 * ty + 1000000 * tz);
}

struct Seen {
  int indexed, in_eights, up, down, flipped;
  unsigned long long ballot;
};

__global__ void shuffle_all(Seen* seen) {
  const int t = int(threadIdx.x);
  Seen& mine = seen[t];
  mine.indexed = __shfl(t, 3);
  mine.in_eights = __shfl(t, 3, 8);
  mine.up = __shfl_up(t, 2, 16);
  mine.down = __shfl_down(t, 2, 16);
  mine.flipped = __shfl_xor(t, warpSize - 1);
  mine.ballot = __ballot(t % 3 == 0);
}

TEST(Compat, HipShufflesSpanTheWarp) {
  for (const int warp : {32, 64}) {
    std::vector<Seen> seen(128);
    launch(shuffle_all, 1, 128, warp, seen.data());
    for (int t = 0; t < 128; ++t) {
      const int base = t / warp * warp;
      EXPECT_EQ(seen[size_t(t)].indexed, base + 3);
      EXPECT_EQ(seen[size_t(t)].in_eights, t / 8 * 8 + 3);
      EXPECT_EQ(seen[size_t(t)].up, t % 16 < 2 ? t : t - 2);
      EXPECT_EQ(seen[size_t(t)].down, t % 16 >= 14 ? t : t + 2);
      EXPECT_EQ(seen[size_t(t)].flipped, base + (warp - 1 - t % warp));
      unsigned long long ballot = 0;
      for (int i = 0; i < warp; ++i) ballot |= static_cast<unsigned long long>((base + i) % 3 == 0) << i;
      EXPECT_EQ(seen[size_t(t)].ballot, ballot);
    }
  }
}

/// Each quarter of a warp takes its own branch and makes its own number of exchanges; then all quarters meet again.
__global__ void part_and_meet(int* out) {
  const int lane = int(threadIdx.x) % 32, quarter = lane / 8;
  const unsigned mask = 0xffu << 8 * quarter;
  int value = int(threadIdx.x);
  for (int i = 0; i < quarter; ++i) value = __shfl_sync(mask, value + 1, (lane + 1) % 8, 8);
  if (quarter == 2) {
    __syncwarp(mask);
    value += __ballot_sync(mask, lane == 17) == 1u << 17 ? 1000 : 0;
  }
  out[threadIdx.x] = __shfl_xor_sync(0xffffffffu, value, 24);
}

TEST(Compat, LanesOfPartialMasksPartAndMeet) {
  for (const int warp : {32, 64})
    for (uint64_t seed = 1; seed < 30; ++seed) {
      std::vector<int> out(128, -1);
      launch(part_and_meet, Config{1, 128, warp, 0, seed}, out.data());
      for (int t = 0; t < 128; ++t) {
        const int from = t ^ 24, quarter = from % 32 / 8;
        const int value = from / 8 * 8 + (from + quarter) % 8 + quarter + (quarter == 2 ? 1000 : 0);
        ASSERT_EQ(out[size_t(t)], value) << t << " of " << warp << ", seed " << seed;
      }
    }
}

__global__ void outside_its_mask(int* x) { x[threadIdx.x] = __shfl_sync(0x0000ffffu, 1, 0); }
__global__ void reads_beyond_its_mask(int* x) {
  const unsigned mask = threadIdx.x % 32 < 16 ? 0xffffu : 0xffff0000u;
  x[threadIdx.x] = __shfl_xor_sync(mask, 1, 16);
}
/// The lower half of the warp waits for all lanes; the upper half waits only for its own lanes.
__global__ void masks_disagree(int* x) {
  const unsigned mask = threadIdx.x % 32 < 16 ? 0xffffffffu : 0xffff0000u;
  x[threadIdx.x] = __shfl_sync(mask, 1, int(threadIdx.x));
}

TEST(Compat, WrongMasksAreReported) {
  int x[32] = {};
  EXPECT_THAT([&] { launch(outside_its_mask, 1, 32, 32, x); },
              ThrowsMessage<Divergence>(HasSubstr("passes a mask without its own lane")));
  EXPECT_THAT([&] { launch(reads_beyond_its_mask, 1, 32, 32, x); },
              ThrowsMessage<Divergence>(HasSubstr("which its mask does not include")));
  EXPECT_THAT([&] { launch(masks_disagree, 1, 32, 32, x); },
              ThrowsMessage<Divergence>(HasSubstr("threads 0-15 wait at a shuffle, threads 16-31 have ended")));
}

__global__ void histogram(const int* x, int n, int* counts, float* total, int* largest, int* votes) {
  HIP_DYNAMIC_SHARED(int, local)
  for (int i = int(threadIdx.x); i < 16; i += int(blockDim.x)) local[i] = 0;
  __syncthreads();
  const int i = int(blockIdx.x * blockDim.x + threadIdx.x);
  if (i < n) {
    atomicAdd(&local[x[i] % 16], 1);
    atomicAdd(total, 0.5);
    atomicMax(largest, x[i]);
  }
  if (__any_sync(0xffffffffu, i == 5) && !__all_sync(0xffffffffu, i == 5) && threadIdx.x % 32 == 0) atomicAdd(votes, 1);
  __syncthreads();
  for (int b = int(threadIdx.x); b < 16; b += int(blockDim.x)) atomicAdd(&counts[b], local[b]);
}

TEST(Compat, AtomicsAndDynamicSharedMemory) {
  const int n = 5000;
  std::vector<int> x(size_t(n), 0), counts(16, 0);
  for (int i = 0; i < n; ++i) x[size_t(i)] = i * 7 % 4001;
  for (const int warp : {32, 64}) {
    std::fill(counts.begin(), counts.end(), 0);
    float total = 0.0f;
    int largest = 0, votes = 0;
    launch(histogram, Config{40, 128, warp, 16 * sizeof(int)}, x.data(), n, counts.data(), &total, &largest, &votes);
    std::vector<int> expected(16, 0);
    for (const int v : x) ++expected[size_t(v % 16)];
    EXPECT_EQ(counts, expected);
    EXPECT_EQ(total, 2500.0f);
    EXPECT_EQ(largest, 4000);
    EXPECT_EQ(votes, 1);
  }
}

TEST(Compat, NumbersRoundOnce) {
  EXPECT_EQ(__bfloat16_as_ushort(__float2bfloat16(1.00390625f)), 0x3f80);  // ties to even
  EXPECT_EQ(float(__half(65520.0f)), std::numeric_limits<float>::infinity());
  EXPECT_EQ(float(__nv_bfloat16(1.0f) + __nv_bfloat16(0.00390625f)), 1.0f);
  EXPECT_EQ(__nv_fp8_e4m3(500.0f).__x, 0x7e);
  EXPECT_EQ(float(__nv_fp8_e4m3(-448.0f)), -448.0f);
  EXPECT_EQ(__hip_fp8_e4m3_fnuz(500.0f).__x, 0x7f);
  EXPECT_EQ(float(__hip_fp8_e4m3_fnuz(240.0f)), 240.0f);
  EXPECT_EQ(__nv_cvt_float_to_fp8(465.0f, __NV_NOSAT, __NV_E4M3), 0x7f);
  EXPECT_EQ(__nv_cvt_float_to_fp8(465.0f, __NV_SATFINITE, __NV_E4M3), 0x7e);
  for (unsigned code = 0; code < 256; ++code) {
    __nv_fp8_e4m3 number;
    number.__x = uint8_t(code);
    EXPECT_EQ(__nv_fp8_e4m3(float(number)).__x, (code & 0x7f) == 0x7f ? 0x7f : code);
  }
}

TEST(Compat, MaximaOfSixteenBitsDropNanAndOrderZeros) {
  const auto bits = [](unsigned code) { return __nv_bfloat16::from_bits(code); };
  const unsigned zero = 0, minus_zero = 0x8000, one = 0x3f80, two = 0x4000, nan = 0x7fc1;
  EXPECT_EQ(__hmax(bits(one), bits(two)).__x, two);
  EXPECT_EQ(__hmax(bits(nan), bits(one)).__x, one);
  EXPECT_EQ(__hmax(bits(one), bits(nan)).__x, one);
  EXPECT_EQ(__hmax(bits(nan), bits(nan)).__x, 0x7fffu);
  EXPECT_EQ(__hmax(bits(minus_zero), bits(zero)).__x, zero);
  EXPECT_EQ(__hmin(bits(zero), bits(minus_zero)).__x, minus_zero);
  EXPECT_EQ(__hmin(bits(nan), bits(two)).__x, two);
  const __half2 pair = __hmax2(__habs2(__float22half2_rn({-3.0f, 1.0f})), __floats2half2_rn(2.0f, 1.5f));
  EXPECT_EQ(float(pair.x), 3.0f);
  EXPECT_EQ(float(pair.y), 1.5f);
  EXPECT_EQ(float(__hmul2(pair, pair).y), 2.25f);
  EXPECT_EQ(float(__hadd2(pair, pair).x), 6.0f);
}

TEST(Compat, IntrinsicsAreTheNearestFloatOrItsNeighbour) {
  int64_t far = 0;
  for (float x = -100.0f; x < 88.0f; x += 0.0137f) {
    const float right = float(std::exp((long double)x));
    far += std::abs(int64_t(__float_as_int(__expf(x))) - __float_as_int(right)) > 1;
  }
  for (uint32_t b = 1; b < 0x7f800000u; b += 20011) {
    const float x = __uint_as_float(b), right = float(std::log((long double)x));
    far += std::abs(int64_t(__float_as_int(__logf(x))) - __float_as_int(right)) > 1;
  }
  EXPECT_EQ(far, 0);
  EXPECT_EQ(__expf(0.0f), 1.0f);
  EXPECT_EQ(__expf(-200.0f), 0.0f);
  EXPECT_EQ(__expf(89.0f), std::numeric_limits<float>::infinity());
  EXPECT_EQ(__logf(0.0f), -std::numeric_limits<float>::infinity());
}

}  // namespace
