// Implements the names of simt.h on NVIDIA GPUs. Conversions use hardware instructions where they exist (e4m3fn from sm_89, bf16
// from sm_80).
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

#define SIMT_KERNEL __global__
#define SIMT_WIDE_KERNEL SIMT_KERNEL
#define SIMT_DEVICE __device__ __forceinline__
#define SIMT_SHARED(name, ...)       \
  using name##_shared = __VA_ARGS__; \
  __shared__ name##_shared name
#define SIMT_UNROLL _Pragma("unroll")
#define SIMT_LANES SIMT_UNROLL

#include "kernels/simt/types.h"

namespace simt {

/// The larger operand; NaN only if both are NaN.
SIMT_DEVICE float max_number(float a, float b) { return ::fmaxf(a, b); }
SIMT_DEVICE float min_number(float a, float b) { return ::fminf(a, b); }

/// The larger operand; NaN if either is NaN.
SIMT_DEVICE float max_or_nan(float a, float b) { return b > a || b != b ? b : a; }
SIMT_DEVICE float min_or_nan(float a, float b) { return b < a || b != b ? b : a; }

SIMT_DEVICE float magnitude(float value) { return ::fabsf(value); }

}  // namespace simt

// Included here, because they use the functions above.
#include "kernels/simt/device_arithmetic.h"

namespace simt {

inline constexpr int kWarpSizes[] = {32};
/// bytes that a thread of a wide kernel processes at once, so that its warp stores whole cache lines
inline constexpr int kWideBytes = 16;

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

/// Reduces over each aligned run of kLanes lanes by a butterfly of shuffles. Every lane gets the result.
template <int kWarp, int kLanes, class Combine>
SIMT_DEVICE float lane_reduce(float value, Combine combine) {
  SIMT_UNROLL
  for (int mask = kLanes / 2; mask > 0; mask /= 2) value = combine(value, shuffle_xor<kWarp>(value, mask));
  return value;
}

/// Sets *to to max(*to, value), atomically over all blocks. Compares bit patterns as integers, so both values must be
/// non-negative; NaN counts as larger than Inf.
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

// Conversions between fp32 and narrower types on NVIDIA GPUs.

namespace simt {

SIMT_DEVICE float to_float(float v) { return v; }
SIMT_DEVICE float to_float(Bf16 v) { return from_bits(uint32_t{v.bits} << 16); }
SIMT_DEVICE float to_float(F16 v) { return __half2float(__ushort_as_half(v.bits)); }
template <class T>
SIMT_DEVICE T from_float(float v);
template <>
SIMT_DEVICE float from_float(float v) {
  return v;
}
template <>
SIMT_DEVICE Bf16 from_float(float v) {
  return {__bfloat16_as_ushort(__float2bfloat16_rn(v))};
}
template <>
SIMT_DEVICE F16 from_float(float v) {
  return {__half_as_ushort(__float2half_rn(v))};
}
/// Converts two values by one packing instruction. The instruction for a single value is slower.
template <class T>
SIMT_DEVICE void from_floats(float a, float b, T& x, T& y) {
  x = from_float<T>(a);
  y = from_float<T>(b);
}
template <>
SIMT_DEVICE void from_floats(float a, float b, Bf16& x, Bf16& y) {
  const __nv_bfloat162 pair = __floats2bfloat162_rn(a, b);
  x.bits = __bfloat16_as_ushort(pair.x);
  y.bits = __bfloat16_as_ushort(pair.y);
}
template <>
SIMT_DEVICE void from_floats(float a, float b, F16& x, F16& y) {
  const __half2 pair = __floats2half2_rn(a, b);
  x.bits = __half_as_ushort(pair.x);
  y.bits = __half_as_ushort(pair.y);
}

}  // namespace simt

#include "kernels/simt/pairs.h"

namespace simt {

template <class Pair>
SIMT_DEVICE Pair pair_of(uint32_t word) {
  Pair pair;
  memcpy(&pair, &word, sizeof pair);
  return pair;
}
template <class Pair>
SIMT_DEVICE uint32_t word_of(Pair pair) {
  uint32_t word;
  memcpy(&word, &pair, sizeof word);
  return word;
}
template <>
SIMT_DEVICE uint32_t pair_from_floats<Bf16>(float low, float high) {
  return word_of(__floats2bfloat162_rn(low, high));
}
template <>
SIMT_DEVICE uint32_t pair_from_floats<F16>(float low, float high) {
  return word_of(__floats2half2_rn(low, high));
}
template <>
SIMT_DEVICE uint32_t multiply_pairs<Bf16>(uint32_t a, uint32_t b) {
  return word_of(__hmul2_rn(pair_of<__nv_bfloat162>(a), pair_of<__nv_bfloat162>(b)));
}
template <>
SIMT_DEVICE uint32_t multiply_pairs<F16>(uint32_t a, uint32_t b) {
  return word_of(__hmul2_rn(pair_of<__half2>(a), pair_of<__half2>(b)));
}
template <>
SIMT_DEVICE uint32_t widest_pairs<Bf16>(uint32_t a, uint32_t b) {
  return word_of(__hmax2(__habs2(pair_of<__nv_bfloat162>(a)), __habs2(pair_of<__nv_bfloat162>(b))));
}
template <>
SIMT_DEVICE uint32_t widest_pairs<F16>(uint32_t a, uint32_t b) {
  return word_of(__hmax2(__habs2(pair_of<__half2>(a)), __habs2(pair_of<__half2>(b))));
}

SIMT_DEVICE uint8_t to_e4m3fn_sat(float v) { return uint8_t(__nv_cvt_float_to_fp8(v, __NV_SATFINITE, __NV_E4M3)); }
/// Two e4m3fn codes in the low 16 bits, the code of `a` in the lowest byte, by one cvt.rn.satfinite.e4m3x2.f32.
SIMT_DEVICE uint32_t to_e4m3fn_sat_x2(float a, float b) {
  return uint32_t(__nv_cvt_float2_to_fp8x2(make_float2(a, b), __NV_SATFINITE, __NV_E4M3));
}
/// The instruction always saturates. torch returns NaN beyond 464, the midpoint of 448 and 480.
SIMT_DEVICE uint8_t to_e4m3fn_nosat(float v) {
  return magnitude(v) <= 464.0f ? to_e4m3fn_sat(v) : uint8_t(0x7fu | (bits(v) >> 24 & 0x80u));
}
SIMT_DEVICE uint8_t to_e4m3fnuz_sat(float v) { return e4m3fnuz_bits_sat(v); }
SIMT_DEVICE uint8_t to_e5m2_sat(float v) { return uint8_t(__nv_cvt_float_to_fp8(v, __NV_SATFINITE, __NV_E5M2)); }
/// CUDA's header uses cvt.rz and cvt.rp.satfinite.ue8m0x2.f32 on sm_100 and later, and integer code on older GPUs.
SIMT_DEVICE uint8_t to_e8m0_rz_sat(float v) { return uint8_t(__nv_cvt_float_to_e8m0(v, __NV_SATFINITE, cudaRoundZero)); }
SIMT_DEVICE uint8_t to_e8m0_rp_sat(float v) { return uint8_t(__nv_cvt_float_to_e8m0(v, __NV_SATFINITE, cudaRoundPosInf)); }
SIMT_DEVICE uint8_t to_int8_sat(float v) {
  int32_t code;
  asm("cvt.rni.sat.s8.f32 %0, %1;" : "=r"(code) : "f"(v));
  return uint8_t(code);
}
SIMT_DEVICE uint8_t to_int8_rz_sat(float v) {
  int32_t code;
  asm("cvt.rzi.sat.s8.f32 %0, %1;" : "=r"(code) : "f"(v));
  return uint8_t(code);
}
SIMT_DEVICE uint8_t to_int8_rna_sat(float v) { return to_int8_rz_sat(::roundf(v)); }
/// cvt.rni.s32.f32 saturates by itself and converts NaN to 0.
SIMT_DEVICE int32_t to_int32_sat(float v) { return __float2int_rn(v); }
SIMT_DEVICE int32_t add_sat(int32_t a, int32_t b) {
  int32_t sum;
  asm("add.sat.s32 %0, %1, %2;" : "=r"(sum) : "r"(a), "r"(b));
  return sum;
}
/// Saturates four integers to int8 and packs them into a word, `a` in the lowest byte.
SIMT_DEVICE uint32_t pack_int8_sat(int32_t a, int32_t b, int32_t c, int32_t d) {
  uint32_t word;
  asm("{ .reg .b32 high; cvt.pack.sat.s8.s32.b32 high, %4, %3, 0; cvt.pack.sat.s8.s32.b32 %0, %2, %1, high; }"
      : "=r"(word)
      : "r"(a), "r"(b), "r"(c), "r"(d));
  return word;
}

}  // namespace simt
// Words and packets exchanged between ranks on NVIDIA GPUs.

namespace simt {

/// Writes a word on which other ranks wait (system scope). signal_release() also makes this rank's earlier writes visible.
SIMT_DEVICE void signal_release(uint32_t* to, uint32_t value) {
  asm volatile("st.release.sys.global.u32 [%0], %1;" ::"l"(to), "r"(value) : "memory");
}
SIMT_DEVICE void signal_relaxed(uint32_t* to, uint32_t value) {
  asm volatile("st.relaxed.sys.global.u32 [%0], %1;" ::"l"(to), "r"(value) : "memory");
}
SIMT_DEVICE uint64_t nanoseconds() {
  uint64_t now;
  asm volatile("mov.u64 %0, %globaltimer;" : "=l"(now));
  return now;
}
inline constexpr uint64_t kLongestWait = 2000000000u;  ///< longest wait of a rank, in nanoseconds
template <class Ready>
SIMT_DEVICE bool spin(Ready ready, uint64_t most = kLongestWait) {
  for (uint64_t begin = 0; !ready();) {
    if (begin == 0) begin = nanoseconds();
    if (nanoseconds() - begin > most) return false;
  }
  return true;
}
/// Waits until *at == value. Returns false after two seconds.
SIMT_DEVICE bool wait_acquire(const uint32_t* at, uint32_t value) {
  return spin([&] {
    uint32_t seen;
    asm volatile("ld.acquire.sys.global.u32 %0, [%1];" : "=r"(seen) : "l"(at) : "memory");
    return seen == value;
  });
}
SIMT_DEVICE uint32_t flag_now(const uint32_t* at) {
  uint32_t seen;
  asm volatile("ld.relaxed.sys.global.u32 %0, [%1];" : "=r"(seen) : "l"(at) : "memory");
  return seen;
}
/// Writes a packet that other ranks read by polled16(). No signal is needed.
template <class T>
SIMT_DEVICE void post16(T* to, const Vector<T>& v) {
  uint4 raw;
  memcpy(&raw, &v, sizeof raw);
  asm volatile("st.volatile.global.v4.u32 [%0], {%1, %2, %3, %4};" ::"l"(to), "r"(raw.x), "r"(raw.y), "r"(raw.z), "r"(raw.w)
               : "memory");
}
template <class T>
SIMT_DEVICE Vector<T> polled16(const T* from) {
  uint4 raw;
  asm volatile("ld.volatile.global.v4.u32 {%0, %1, %2, %3}, [%4];"
               : "=r"(raw.x), "=r"(raw.y), "=r"(raw.z), "=r"(raw.w)
               : "l"(from)
               : "memory");
  Vector<T> v;
  memcpy(&v, &raw, sizeof v);
  return v;
}

}  // namespace simt

// Functions that need no vendor instruction.
#include "kernels/simt/device_ranks.h"

namespace simt {

SIMT_DEVICE float rsqrt(float v) { return ::rsqrtf(v); }
SIMT_DEVICE float exp2(float v) { return ::exp2f(v); }
SIMT_DEVICE float log2(float v) { return ::log2f(v); }
SIMT_DEVICE float ceil(float v) { return ::ceilf(v); }
SIMT_DEVICE float exp(float v) { return ::expf(v); }
SIMT_DEVICE float exp_fast(float v) { return ::__expf(v); }
SIMT_DEVICE float tanh(float v) { return ::tanhf(v); }
SIMT_DEVICE float erf(float v) { return ::erff(v); }
/// MUFU.TANH, on sm_75 and later; __tanhf of newer toolkits is the same instruction.
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
/// Computes x / s for many x. A GPU has no divider: the compiler's division computes a reciprocal and corrections for each x.
using Divide = DivideByCorrection<HardwareFma>;
using DivideSaturating = DivideSaturatingByCorrection<HardwareFma>;

/// 1 / d without a branch. On an H200, this equals the compiler's division for every float from 2^-126 to 2^126.
SIMT_DEVICE float reciprocal_within(float d) {
  float rough;
  asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(rough) : "f"(d));
  return corrected_reciprocal<HardwareFma>(d, rough);
}
/// x / d without a branch, in the range where corrected_quotient() is exact.
SIMT_DEVICE float divide_within(float x, float d) { return corrected_quotient<HardwareFma>(x, d, reciprocal_within(d)); }

/// Calls f(std::integral_constant<int, warp>) if this vendor supports the warp size; otherwise returns false.
template <class F>
bool with_warp_size(int warp, F f) {
  if (warp != 32) return false;
  f(std::integral_constant<int, 32>{});
  return true;
}

/// Enqueues the grid on its stream and does not wait. In a LoadScope, only loads the kernel. Throws DeviceError if the launch
/// fails.
template <class... Parameters, class... Arguments>
void launch(void (*kernel)(Parameters...), const Launch& grid, Arguments... arguments) {
  if (LoadScope::active()) {
    cudaFuncAttributes loaded{};
    if (const cudaError_t error = cudaFuncGetAttributes(&loaded, kernel); error != cudaSuccess)
      throw DeviceError(std::string("load: ") + cudaGetErrorString(error));
    return;
  }
  if (grid.blocks == 0) return;  // CUDA refuses an empty grid
  kernel<<<dim3(unsigned(grid.blocks)), dim3(unsigned(grid.threads)), 0, static_cast<cudaStream_t>(grid.stream)>>>(arguments...);
  const cudaError_t error = cudaGetLastError();
  if (error != cudaSuccess) throw DeviceError(std::string("launch: ") + cudaGetErrorString(error));
}

/// Waits for the work on the stream. In a LoadScope it returns at once, because nothing was enqueued.
inline void wait_for_stream(void* stream) {
  if (LoadScope::active()) return;
  const cudaError_t error = cudaStreamSynchronize(static_cast<cudaStream_t>(stream));
  if (error != cudaSuccess) throw DeviceError(std::string("wait: ") + cudaGetErrorString(error));
}

}  // namespace simt
