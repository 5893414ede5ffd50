// RMS norm as HIP kernels of inference engines implement it: one block per row, a sum over the wave by shuffles, then over the
// waves through shared memory. Plain HIP; hipcc and the CPU build compile this file unchanged.
#include <hip/hip_runtime.h>

__device__ __forceinline__ float wave_sum(float value) {
  for (int offset = warpSize / 2; offset > 0; offset /= 2) value += __shfl_xor(value, offset);
  return value;
}

__device__ __forceinline__ float block_sum(float value) {
  __shared__ float sums[32];
  const int lane = threadIdx.x % warpSize, wave = threadIdx.x / warpSize;
  value = wave_sum(value);
  if (lane == 0) sums[wave] = value;
  __syncthreads();
  const int waves = blockDim.x / warpSize;
  return wave_sum(lane < waves ? sums[lane] : 0.0f);
}

__global__ void rms_norm(const float4* __restrict__ x, const float4* __restrict__ gamma, float4* __restrict__ y, int vectors,
                         float eps) {
  const float4* row = x + size_t(blockIdx.x) * vectors;
  float sum = 0.0f;
  for (int i = threadIdx.x; i < vectors; i += blockDim.x) {
    const float4 v = row[i];
    sum += v.x * v.x + v.y * v.y + v.z * v.z + v.w * v.w;
  }
  const float r = rsqrtf(block_sum(sum) / float(4 * vectors) + eps);
  for (int i = threadIdx.x; i < vectors; i += blockDim.x) {
    const float4 v = row[i], w = gamma[i];
    y[size_t(blockIdx.x) * vectors + i] = make_float4(v.x * r * w.x, v.y * r * w.y, v.z * r * w.z, v.w * r * w.w);
  }
}
