// The names of simt.h on NVIDIA GPUs. Conversions are the hardware's where it has them (e4m3fn from sm_89, bf16 from sm_80).
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_fp8.h>
#include <cuda_runtime.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>

#include "kernels/simt/launch.h"
#include "kernels/simt/loading.h"

#define SIMT_KERNEL __global__
#define SIMT_WIDE_KERNEL SIMT_KERNEL
#define SIMT_DEVICE __device__ __forceinline__
#define SIMT_SHARED __shared__
#define SIMT_UNROLL _Pragma("unroll")
#define SIMT_LANES SIMT_UNROLL

#include "kernels/simt/types.h"

namespace simt {

/// The greater operand; NaN only if both are.
SIMT_DEVICE float max_number(float a, float b) { return ::fmaxf(a, b); }
SIMT_DEVICE float min_number(float a, float b) { return ::fminf(a, b); }

/// The greater operand; NaN if one is.
SIMT_DEVICE float max_or_nan(float a, float b) { return b > a || b != b ? b : a; }
SIMT_DEVICE float min_or_nan(float a, float b) { return b < a || b != b ? b : a; }

SIMT_DEVICE float magnitude(float value) { return ::fabsf(value); }

}  // namespace simt

// These need what stands above.
#include "kernels/simt/divide.h"
#include "kernels/simt/fp8_bits.h"
#include "kernels/simt/cast_bits.h"

namespace simt {

inline constexpr int kWarpSizes[] = {32};
inline constexpr int kWideBytes = 16;  ///< that a thread of a wide kernel works on at once: what its warp stores in whole lines

SIMT_DEVICE int thread() { return int(threadIdx.x); }
SIMT_DEVICE int64_t block() { return int64_t{blockIdx.x}; }
SIMT_DEVICE int block_size() { return int(blockDim.x); }
SIMT_DEVICE int64_t grid_size() { return int64_t{gridDim.x}; }
SIMT_DEVICE void barrier() { __syncthreads(); }

template <int kWarp, class T>
SIMT_DEVICE T shuffle_xor(T value, int mask) {
  static_assert(kWarp == 32, "NVIDIA warps have 32 lanes");
  return __shfl_xor_sync(0xffffffffu, value, mask);
}

/// combine() over each aligned run of kLanes lanes, by a butterfly of shuffles. Every lane gets the result.
template <int kWarp, int kLanes, class Combine>
SIMT_DEVICE float lane_reduce(float value, Combine combine) {
  SIMT_UNROLL
  for (int mask = kLanes / 2; mask > 0; mask /= 2) value = combine(value, shuffle_xor<kWarp>(value, mask));
  return value;
}

/// Raises `to` to `value`, seen by all blocks. Patterns are compared, so both must be without a sign; a NaN is above Inf.
SIMT_DEVICE void atomic_max(float* to, float value) { atomicMax(reinterpret_cast<unsigned*>(to), bits(value)); }

template <class T>
SIMT_DEVICE Vector<T> load16(const T* from) {
  const uint4 raw = *reinterpret_cast<const uint4*>(from);
  Vector<T> v;
  memcpy(&v, &raw, sizeof v);
  return v;
}
template <class T>
SIMT_DEVICE void store16(T* to, const Vector<T>& v) {
  uint4 raw;
  memcpy(&raw, &v, sizeof raw);
  *reinterpret_cast<uint4*>(to) = raw;
}
SIMT_DEVICE void store4(uint8_t* to, uint32_t word) { *reinterpret_cast<uint32_t*>(to) = word; }
SIMT_DEVICE void store8(uint8_t* to, uint32_t low, uint32_t high) { *reinterpret_cast<uint2*>(to) = make_uint2(low, high); }

}  // namespace simt

#include "kernels/simt/cuda/rank_words.h"
#include "kernels/simt/cuda/conversions.h"

namespace simt {

SIMT_DEVICE float rsqrt(float v) { return ::rsqrtf(v); }
SIMT_DEVICE float exp2(float v) { return ::exp2f(v); }
SIMT_DEVICE float log2(float v) { return ::log2f(v); }
SIMT_DEVICE float ceil(float v) { return ::ceilf(v); }
SIMT_DEVICE float exp(float v) { return ::expf(v); }
SIMT_DEVICE float exp_fast(float v) { return ::__expf(v); }
SIMT_DEVICE float tanh(float v) { return ::tanhf(v); }
SIMT_DEVICE float erf(float v) { return ::erff(v); }
/// MUFU.TANH, from sm_75 on; __tanhf of newer toolkits is the same instruction.
SIMT_DEVICE float tanh_fast(float v) {
  float t;
  asm("tanh.approx.f32 %0, %1;" : "=f"(t) : "f"(v));
  return t;
}
SIMT_DEVICE float divide_fast(float x, float y) { return ::__fdividef(x, y); }

SIMT_DEVICE float fma(float a, float b, float c) { return __fmaf_rn(a, b, c); }
struct HardwareFma {
  SIMT_DEVICE static float fma(float a, float b, float c) { return simt::fma(a, b, c); }
};
/// x -> x / s. A device has no divider: the compiler's own division is a reciprocal and the same corrections, for each x anew.
using Divide = DivideByCorrection<HardwareFma>;
using DivideSaturating = DivideSaturatingByCorrection<HardwareFma>;

/// 1 / d without a branch. On an H200 it is that of the division for every float from 2^-126 to 2^126.
SIMT_DEVICE float reciprocal_within(float d) {
  float rough;
  asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(rough) : "f"(d));
  return corrected_reciprocal<HardwareFma>(d, rough);
}
/// x / d without a branch, where corrected_quotient() is right.
SIMT_DEVICE float divide_within(float x, float d) { return corrected_quotient<HardwareFma>(x, d, reciprocal_within(d)); }

/// Calls f(std::integral_constant<int, warp>) for a warp size that this vendor has; false for any other.
template <class F>
bool with_warp_size(int warp, F f) {
  if (warp != 32) return false;
  f(std::integral_constant<int, 32>{});
  return true;
}

/// Enqueues the grid in its stream and does not wait; in a LoadScope it loads the kernel alone. Throws DeviceError if the device
/// does not take it.
template <class... Parameters, class... Arguments>
void launch(void (*kernel)(Parameters...), const Launch& grid, Arguments... arguments) {
  if (LoadScope::active()) {
    cudaFuncAttributes loaded{};
    if (const cudaError_t error = cudaFuncGetAttributes(&loaded, kernel); error != cudaSuccess)
      throw DeviceError(std::string("load: ") + cudaGetErrorString(error));
    return;
  }
  kernel<<<dim3(unsigned(grid.blocks)), dim3(unsigned(grid.threads)), 0, static_cast<cudaStream_t>(grid.stream)>>>(arguments...);
  const cudaError_t error = cudaGetLastError();
  if (error != cudaSuccess) throw DeviceError(std::string("launch: ") + cudaGetErrorString(error));
}

/// Waits for what was enqueued there; in a LoadScope nothing was.
inline void wait_for_stream(void* stream) {
  if (LoadScope::active()) return;
  const cudaError_t error = cudaStreamSynchronize(static_cast<cudaStream_t>(stream));
  if (error != cudaSuccess) throw DeviceError(std::string("wait: ") + cudaGetErrorString(error));
}

}  // namespace simt
