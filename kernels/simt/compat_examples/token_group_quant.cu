// Per-token-group FP8 quantization as CUDA kernels of inference engines implement it: sixteen threads per group, 16-byte loads,
// and the maximum through half-warp shuffles. Plain CUDA; nvcc and the CPU build compile this file unchanged.
#include <cuda_bf16.h>
#include <cuda_fp8.h>
#include <cuda_runtime.h>

#include <cstdint>

constexpr int kThreadsPerGroup = 16;

__device__ __forceinline__ float group_max(float value) {
  const unsigned mask = threadIdx.x % 32 >= 16 ? 0xffff0000u : 0x0000ffffu;
  value = fmaxf(value, __shfl_xor_sync(mask, value, 8));
  value = fmaxf(value, __shfl_xor_sync(mask, value, 4));
  value = fmaxf(value, __shfl_xor_sync(mask, value, 2));
  return fmaxf(value, __shfl_xor_sync(mask, value, 1));
}

template <int kGroupSize>
__global__ void __launch_bounds__(256)
    token_group_quant(const __nv_bfloat16* __restrict__ input, __nv_fp8_storage_t* __restrict__ output,
                      float* __restrict__ scales, int groups, float eps) {
  constexpr int kPerThread = kGroupSize / kThreadsPerGroup;
  static_assert(kPerThread == 8, "each thread loads 16 bytes");
  const int group = blockIdx.x * (blockDim.x / kThreadsPerGroup) + threadIdx.x / kThreadsPerGroup;
  const int lane = threadIdx.x % kThreadsPerGroup;
  if (group >= groups) return;  // only whole half-warps return early, and no shuffle mask of another half-warp names them

  const int64_t first = int64_t(group) * kGroupSize + lane * kPerThread;
  const uint4 raw = __ldg(reinterpret_cast<const uint4*>(input + first));
  const auto* x = reinterpret_cast<const __nv_bfloat16*>(&raw);
  float widest = eps;
#pragma unroll
  for (int i = 0; i < kPerThread; ++i) widest = fmaxf(widest, fabsf(__bfloat162float(x[i])));
  const float scale = group_max(widest) / 448.0f;
  if (lane == 0) scales[group] = scale;

  uint2 codes = make_uint2(0u, 0u);
#pragma unroll
  for (int i = 0; i < kPerThread; ++i) {
    const float q = fminf(fmaxf(__bfloat162float(x[i]) / scale, -448.0f), 448.0f);
    const unsigned code = __nv_cvt_float_to_fp8(q, __NV_SATFINITE, __NV_E4M3);
    (i < 4 ? codes.x : codes.y) |= code << 8 * (i % 4);
  }
  *reinterpret_cast<uint2*>(output + first) = codes;
}

template __global__ void token_group_quant<128>(const __nv_bfloat16*, __nv_fp8_storage_t*, float*, int, float);
