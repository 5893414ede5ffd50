// The names of simt.h on AMD GPUs, for clang -x hip. Device code by builtins alone, so that it compiles without ROCm
// (-nogpuinc -nogpulib) and has the same instructions with it. The host's side is in hip_launch.h.
#pragma once

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/simt/hip_launch.h"

// Blocks have at most 256 threads (kMaxBlockThreads); with the default bound of 1024 a thread gets half the registers, and
// spills.
#define SIMT_KERNEL __attribute__((global)) __attribute__((amdgpu_flat_work_group_size(1, 256)))
#define SIMT_WIDE_KERNEL SIMT_KERNEL
#define SIMT_DEVICE __attribute__((device)) __attribute__((always_inline)) inline
#define SIMT_SHARED __attribute__((shared))
#define SIMT_UNROLL _Pragma("unroll")
#define SIMT_LANES SIMT_UNROLL

#include "kernels/simt/types.h"

namespace simt {

/// The greater operand; NaN only if both are.
SIMT_DEVICE float max_number(float a, float b) { return __builtin_fmaxf(a, b); }
SIMT_DEVICE float min_number(float a, float b) { return __builtin_fminf(a, b); }
/// The greater operand; NaN if one is.
SIMT_DEVICE float max_or_nan(float a, float b) { return b > a || b != b ? b : a; }
SIMT_DEVICE float min_or_nan(float a, float b) { return b < a || b != b ? b : a; }
SIMT_DEVICE float magnitude(float value) { return __builtin_fabsf(value); }

}  // namespace simt

// These need what stands above.
#include "kernels/simt/divide.h"
#include "kernels/simt/fp8_bits.h"
#include "kernels/simt/cast_bits.h"
#include "kernels/simt/half_bits.h"
#include "kernels/simt/in_double.h"

namespace simt {

SIMT_DEVICE int thread() { return int(__builtin_amdgcn_workitem_id_x()); }
SIMT_DEVICE int64_t block() { return int64_t(__builtin_amdgcn_workgroup_id_x()); }
SIMT_DEVICE int block_size() { return int(__builtin_amdgcn_workgroup_size_x()); }
SIMT_DEVICE int64_t grid_size() { return int64_t(__builtin_amdgcn_grid_size_x() / __builtin_amdgcn_workgroup_size_x()); }
SIMT_DEVICE void barrier() {
  __builtin_amdgcn_fence(__ATOMIC_RELEASE, "workgroup");
  __builtin_amdgcn_s_barrier();
  __builtin_amdgcn_fence(__ATOMIC_ACQUIRE, "workgroup");
}

template <int kWarp, class T>
SIMT_DEVICE T shuffle_xor(T value, int mask) {
  static_assert(sizeof(T) == 4, "ds_bpermute moves words");
  int word;
  __builtin_memcpy(&word, &value, sizeof word);
  // The address is four times the lane; lanes count within the warp.
  word = __builtin_amdgcn_ds_bpermute(((thread() ^ mask) & (kWarp - 1)) << 2, word);
  __builtin_memcpy(&value, &word, sizeof word);
  return value;
}

/// combine() over each aligned run of kLanes lanes, by a butterfly of shuffles. Every lane gets the result.
template <int kWarp, int kLanes, class Combine>
SIMT_DEVICE float lane_reduce(float value, Combine combine) {
  SIMT_UNROLL
  for (int mask = kLanes / 2; mask > 0; mask /= 2) value = combine(value, shuffle_xor<kWarp>(value, mask));
  return value;
}

/// Raises `to` to `value`, seen by all blocks. Patterns are compared, so both must be without a sign; a NaN is above Inf.
SIMT_DEVICE void atomic_max(float* to, float value) {
  __hip_atomic_fetch_max(reinterpret_cast<uint32_t*>(to), bits(value), __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_AGENT);
}

template <class T>
SIMT_DEVICE Vector<T> load16(const T* from) {
  return *reinterpret_cast<const Vector<T>*>(from);
}
template <class T>
SIMT_DEVICE void store16(T* to, const Vector<T>& v) {
  *reinterpret_cast<Vector<T>*>(to) = v;
}
SIMT_DEVICE void store4(uint8_t* to, uint32_t word) { *reinterpret_cast<uint32_t*>(to) = word; }
SIMT_DEVICE void store8(uint8_t* to, uint32_t low, uint32_t high) {
  *reinterpret_cast<uint64_t*>(to) = uint64_t{high} << 32 | low;
}

}  // namespace simt

#include "kernels/simt/hip/rank_words.h"
#include "kernels/simt/hip/conversions.h"

namespace simt {

SIMT_DEVICE float rsqrt(float v) { return 1.0f / __builtin_sqrtf(v); }
SIMT_DEVICE float exp2(float v) { return __builtin_exp2f(v); }
SIMT_DEVICE float log2(float v) { return __builtin_log2f(v); }
SIMT_DEVICE float ceil(float v) { return __builtin_ceilf(v); }
SIMT_DEVICE float exp(float v) { return __builtin_expf(v); }
/// Neither has an instruction, and a compiler makes them of ROCm's device libraries, which are not needed here.
SIMT_DEVICE float tanh(float v) { return in_double::tanh(v); }
SIMT_DEVICE float erf(float v) { return in_double::erf(v); }
/// v_exp_f32 after one product, as HIP's __expf; its __fdividef is a plain division, and tanh has no instruction.
SIMT_DEVICE float exp_fast(float v) {
#if __has_builtin(__builtin_amdgcn_exp2f)
  return __builtin_amdgcn_exp2f(v * 1.44269504f);
#else  // clang 15 has no name for the instruction, and makes it of the plain function
  return __builtin_exp2f(v * 1.44269504f);
#endif
}
SIMT_DEVICE float divide_fast(float x, float y) { return x / y; }
SIMT_DEVICE float tanh_fast(float v) {
  const float a = magnitude(v);
  const float near = a - a * a * a * (1.0f / 3.0f), far = 1.0f - 2.0f / (exp(2.0f * a) + 1.0f);
  return __builtin_copysignf(a < 0x1p-5f ? near : far, v);
}

SIMT_DEVICE float fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
struct HardwareFma {
  SIMT_DEVICE static float fma(float a, float b, float c) { return simt::fma(a, b, c); }
};
/// x -> x / s. A device has no divider: the compiler's own division is a reciprocal and the same corrections, for each x anew.
using Divide = DivideByCorrection<HardwareFma>;
using DivideSaturating = DivideSaturatingByCorrection<HardwareFma>;

/// No branches are in the compiler's own division.
SIMT_DEVICE float reciprocal_within(float d) { return 1.0f / d; }
SIMT_DEVICE float divide_within(float x, float d) { return x / d; }

}  // namespace simt
