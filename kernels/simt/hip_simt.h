// Implements the names of simt.h on AMD GPUs, for clang -x hip. Device code uses only compiler builtins. It therefore compiles
// without ROCm (-nogpuinc -nogpulib), to the same instructions as with ROCm. The host side is in hip_launch.h.
#pragma once

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/simt/hip_launch.h"

// Blocks have at most 256 threads (kMaxBlockThreads). With the default bound of 1024, a thread would get half the registers, and
// would spill.
#define SIMT_KERNEL __attribute__((global)) __attribute__((amdgpu_flat_work_group_size(1, 256)))
#define SIMT_WIDE_KERNEL SIMT_KERNEL
#define SIMT_DEVICE __attribute__((device)) __attribute__((always_inline)) inline
#define SIMT_SHARED(name, ...)       \
  using name##_shared = __VA_ARGS__; \
  __attribute__((shared)) name##_shared name
#define SIMT_UNROLL _Pragma("unroll")
#define SIMT_LANES SIMT_UNROLL

#include "kernels/simt/types.h"

namespace simt {

/// Makes a signalling NaN quiet. In IEEE mode v_max_f32, v_min_f32, v_max3_f32 and v_min3_f32 return a signalling NaN but ignore
/// a quiet one. clang quiets the operands of a single fmaxf; clang 22 does not when it folds two nested fmaxf into v_max3_f32.
SIMT_DEVICE float quiet(float v) { return __builtin_canonicalizef(v); }
/// The larger operand; NaN only if both are NaN.
SIMT_DEVICE float max_number(float a, float b) { return __builtin_fmaxf(quiet(a), quiet(b)); }
SIMT_DEVICE float min_number(float a, float b) { return __builtin_fminf(quiet(a), quiet(b)); }
/// The larger operand; NaN if either is NaN.
SIMT_DEVICE float max_or_nan(float a, float b) { return b > a || b != b ? b : a; }
SIMT_DEVICE float min_or_nan(float a, float b) { return b < a || b != b ? b : a; }
SIMT_DEVICE float magnitude(float value) { return __builtin_fabsf(value); }

}  // namespace simt

// Included here, because they use the functions above.
#include "kernels/simt/device_arithmetic.h"
#include "kernels/simt/software_arithmetic.h"

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
  // The address is four times the lane, counted within the warp.
  word = __builtin_amdgcn_ds_bpermute(((thread() ^ mask) & (kWarp - 1)) << 2, word);
  __builtin_memcpy(&value, &word, sizeof word);
  return value;
}

/// Reduces over each aligned run of kLanes lanes by a butterfly of shuffles. Every lane gets the result.
template <int kWarp, int kLanes, class Combine>
SIMT_DEVICE float lane_reduce(float value, Combine combine) {
  SIMT_UNROLL
  for (int mask = kLanes / 2; mask > 0; mask /= 2) value = combine(value, shuffle_xor<kWarp>(value, mask));
  return value;
}

/// Sets *to to max(*to, value), atomically over all blocks. Compares bit patterns as integers, so both values must be
/// non-negative; NaN counts as larger than Inf.
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

// Conversions between fp32 and narrower types on AMD GPUs.

namespace simt {

SIMT_DEVICE float to_float(float v) { return v; }
SIMT_DEVICE float to_float(Bf16 v) { return float_from_bf16_bits(v.bits); }
SIMT_DEVICE float to_float(F16 v) {
  _Float16 half;
  __builtin_memcpy(&half, &v, sizeof half);
  return float(half);
}
template <class T>
SIMT_DEVICE T from_float(float v);
template <>
SIMT_DEVICE float from_float(float v) {
  return v;
}
template <>
SIMT_DEVICE Bf16 from_float(float v) {
#if defined(__gfx950__)
  const __bf16 half = __bf16(v);  // compiles to v_cvt_pk_bf16_f32
  Bf16 code;
  __builtin_memcpy(&code, &half, sizeof code);
  return code;
#else
  return {bf16_bits_from_float(v)};
#endif
}
template <>
SIMT_DEVICE F16 from_float(float v) {
#if defined(__HIP_DEVICE_COMPILE__)
  // Without this statement, clang 22 turns f16(a * b) into v_fma_mixlo_f16 a, b, 0, which changes a product of -0 to +0.
  asm("" : "+v"(v));
#endif
  const _Float16 half = _Float16(v);
  F16 code;
  __builtin_memcpy(&code, &half, sizeof code);
  return code;
}
/// Converts two values at a time.
template <class T>
SIMT_DEVICE void from_floats(float a, float b, T& x, T& y) {
  x = from_float<T>(a);
  y = from_float<T>(b);
}

}  // namespace simt

#include "kernels/simt/pairs.h"

namespace simt {

// v_cvt_pk_fp8_f32 converts to fnuz on gfx942 and to OCP on gfx950: each GPU has one format in hardware and the other in integer
// code. The instruction does not saturate, so values are clamped first. It may keep the sign of a NaN; the functions below drop it.
#if defined(__gfx942__) || defined(__gfx950__)
SIMT_DEVICE uint32_t hardware_fp8_x2(float a, float b, float limit) {
  a = a != a ? __builtin_nanf("") : min_number(max_number(a, -limit), limit);
  b = b != b ? __builtin_nanf("") : min_number(max_number(b, -limit), limit);
  return uint32_t(__builtin_amdgcn_cvt_pk_fp8_f32(a, b, 0, false)) & 0xffffu;
}
#endif
#if defined(__gfx950__)
SIMT_DEVICE uint8_t to_e4m3fn_sat(float v) { return uint8_t(hardware_fp8_x2(v, v, 448.0f)); }
SIMT_DEVICE uint32_t to_e4m3fn_sat_x2(float a, float b) { return hardware_fp8_x2(a, b, 448.0f); }
#else
SIMT_DEVICE uint8_t to_e4m3fn_sat(float v) { return e4m3fn_bits_sat(v); }
SIMT_DEVICE uint32_t to_e4m3fn_sat_x2(float a, float b) {
  return uint32_t{e4m3fn_bits_sat(a)} | uint32_t{e4m3fn_bits_sat(b)} << 8;
}
#endif
#if defined(__gfx942__)
SIMT_DEVICE uint8_t to_e4m3fnuz_sat(float v) { return uint8_t(hardware_fp8_x2(v, v, 240.0f)); }
#else
SIMT_DEVICE uint8_t to_e4m3fnuz_sat(float v) { return e4m3fnuz_bits_sat(v); }
#endif
SIMT_DEVICE uint8_t to_e4m3fn_nosat(float v) { return e4m3fn_bits_nosat(v); }
// v_cvt_pk_bf8_f32 converts to e5m2 on gfx950 only. Whether it keeps a NaN's sign is unknown, so NaN becomes 0x7f.
#if defined(__gfx950__)
SIMT_DEVICE uint8_t to_e5m2_sat(float v) {
  const float limited = min_number(max_number(v, -57344.0f), 57344.0f);
  const uint8_t code = uint8_t(__builtin_amdgcn_cvt_pk_bf8_f32(limited, limited, 0, false));
  return v != v ? uint8_t(0x7f) : code;
}
#else
SIMT_DEVICE uint8_t to_e5m2_sat(float v) { return e5m2_bits_sat(v); }
#endif

}  // namespace simt

// Words and packets exchanged between ranks on AMD GPUs.

namespace simt {

/// Writes a word on which other ranks wait (system scope). signal_release() also makes this rank's earlier writes visible.
SIMT_DEVICE void signal_release(uint32_t* to, uint32_t value) {
  __hip_atomic_store(to, value, __ATOMIC_RELEASE, __HIP_MEMORY_SCOPE_SYSTEM);
}
SIMT_DEVICE void signal_relaxed(uint32_t* to, uint32_t value) {
  __hip_atomic_store(to, value, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_SYSTEM);
}
inline constexpr uint64_t kLongestWait = 200000000u;  ///< longest wait of a rank, in ticks of a 100 MHz clock
template <class Ready>
SIMT_DEVICE bool spin(Ready ready, uint64_t most = kLongestWait) {
  for (uint64_t begin = 0; !ready();) {
    const uint64_t now = __builtin_readsteadycounter();
    if (begin == 0) begin = now;
    if (now - begin > most) return false;
  }
  return true;
}
/// Waits until *at == value. Returns false after two seconds.
SIMT_DEVICE bool wait_acquire(const uint32_t* at, uint32_t value) {
  return spin([&] { return __hip_atomic_load(at, __ATOMIC_ACQUIRE, __HIP_MEMORY_SCOPE_SYSTEM) == value; });
}
SIMT_DEVICE uint32_t flag_now(const uint32_t* at) { return __hip_atomic_load(at, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_SYSTEM); }
/// Writes a packet that other ranks read by polled16(). No signal is needed.
template <class T>
SIMT_DEVICE void post16(T* to, const Vector<T>& v) {
  uint32_t raw[4];
  __builtin_memcpy(raw, &v, sizeof raw);
  for (int i = 0; i < 4; ++i)
    __hip_atomic_store(reinterpret_cast<uint32_t*>(to) + i, raw[i], __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_SYSTEM);
}
template <class T>
SIMT_DEVICE Vector<T> polled16(const T* from) {
  uint32_t raw[4];
  for (int i = 0; i < 4; ++i)
    raw[i] = __hip_atomic_load(reinterpret_cast<const uint32_t*>(from) + i, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_SYSTEM);
  Vector<T> v;
  __builtin_memcpy(&v, raw, sizeof v);
  return v;
}

}  // namespace simt

// Functions that need no vendor instruction.
#include "kernels/simt/device_ranks.h"

namespace simt {

SIMT_DEVICE float rsqrt(float v) { return 1.0f / __builtin_sqrtf(v); }
SIMT_DEVICE float exp2(float v) { return __builtin_exp2f(v); }
SIMT_DEVICE float log2(float v) { return __builtin_log2f(v); }
SIMT_DEVICE float ceil(float v) { return __builtin_ceilf(v); }
SIMT_DEVICE float exp(float v) { return __builtin_expf(v); }
/// AMD GPUs have no instruction for tanh or erf. Compilers call ROCm's device libraries, which this header does not use.
SIMT_DEVICE float tanh(float v) { return in_double::tanh(v); }
SIMT_DEVICE float erf(float v) { return in_double::erf(v); }
/// v_exp_f32 after one multiplication, as in HIP's __expf. divide_fast() is a plain division, as HIP's __fdividef is.
SIMT_DEVICE float exp_fast(float v) {
#if __has_builtin(__builtin_amdgcn_exp2f)
  return __builtin_amdgcn_exp2f(v * 1.44269504f);
#else  // clang 15 has no builtin for the instruction, but generates it from the plain function
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
/// Computes x / s for many x. A GPU has no divider: the compiler's division computes a reciprocal and corrections for each x.
using Divide = DivideByCorrection<HardwareFma>;
using DivideSaturating = DivideSaturatingByCorrection<HardwareFma>;

/// The compiler's division has no branches on AMD GPUs.
SIMT_DEVICE float reciprocal_within(float d) { return 1.0f / d; }
SIMT_DEVICE float divide_within(float x, float d) { return x / d; }

}  // namespace simt
