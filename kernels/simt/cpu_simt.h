// Implements the names of simt.h on the CPU: every SIMT thread is a fiber of kernels/simt/cpu/executor.h.
#pragma once

#include <cmath>
#include <cstring>
#include <type_traits>

#include "kernels/simt/cpu/executor.h"
#include "kernels/simt/launch.h"

#define SIMT_KERNEL inline
#define SIMT_DEVICE inline
#define SIMT_UNROLL
// SIMT_WIDE_KERNEL: for kernels whose threads apply the same operation to many adjacent elements. They are compiled for several
// instruction sets, and one is chosen when the library is loaded. Not used with clang, which cannot clone templates this way, nor
// with sanitizers, whose runtimes are not ready when the choice is made.
// SIMT_VECTORIZED: vectorizes a function on integers, even in sources that are compiled without vectorization.
// SIMT_LANES: before a loop over independent elements, stops g++ from unrolling the loop before it can vectorize it.
#if defined(__x86_64__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define SIMT_WIDE_KERNEL __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"))) inline
#else
#define SIMT_WIDE_KERNEL SIMT_KERNEL
#endif
#ifdef __clang__
#define SIMT_VECTORIZED
#define SIMT_LANES
#else
#define SIMT_VECTORIZED __attribute__((optimize("O3")))
#define SIMT_LANES _Pragma("GCC unroll 1")
#endif
// SIMT_SHARED(NAME, TYPE): a shared variable.
#ifdef ASSAY_SIMT_TSAN
// a plain static is enough, because one OS thread runs all blocks; TSan names only globals in its reports
#define SIMT_SHARED(name, ...)       \
  using name##_shared = __VA_ARGS__; \
  static name##_shared name
#else
#define SIMT_SHARED(name, ...) \
  struct name##_of;            \
  auto& name = ::simt::cpu::shared_variable<name##_of, __VA_ARGS__>()
#endif

#include "kernels/simt/types.h"

namespace simt {

/// The larger operand; NaN only if both are NaN (IEEE 754-2019 maximumNumber, and CUDA's fmaxf).
inline float max_number(float a, float b) { return b > a || a != a ? b : a; }
inline float min_number(float a, float b) { return b < a || a != a ? b : a; }

/// The larger operand; NaN if either is NaN (torch's amax and clamp).
inline float max_or_nan(float a, float b) { return b > a || b != b ? b : a; }
inline float min_or_nan(float a, float b) { return b < a || b != b ? b : a; }

inline float magnitude(float value) { return from_bits(bits(value) & 0x7fffffffu); }

}  // namespace simt

// Included here, because they use the functions above.
#include "kernels/simt/device_arithmetic.h"
#include "kernels/simt/software_arithmetic.h"

namespace simt {

inline constexpr int kWarpSizes[] = {32, 64};
inline constexpr int kWideBytes = 64;  ///< bytes that a thread of a wide kernel processes at once: one or more vector registers

inline int thread() { return cpu::running->thread; }
inline int64_t block() { return cpu::running->block; }
inline int block_size() { return cpu::running->threads; }
inline int64_t grid_size() { return cpu::running->blocks; }
inline void barrier() { cpu::wait_for_block(); }

template <int kWarp, class T>
T shuffle_xor(T value, int mask) {
  return cpu::exchange(value, uint32_t(mask))[cpu::running->thread ^ mask];
}

/// Reduces over each aligned run of kLanes lanes, in the order of a butterfly of shuffles, but with a single switch of fibers.
template <int kWarp, int kLanes, class Combine>
float lane_reduce(float value, Combine combine) {
  const float* all = cpu::exchange(value, cpu::kReduce | uint32_t(kLanes)) + (cpu::running->thread & ~(kLanes - 1));
  float tree[kLanes];
  for (int i = 0; i < kLanes; ++i) tree[i] = all[i];
  for (int half = kLanes / 2; half > 0; half /= 2)
    for (int i = 0; i < half; ++i) tree[i] = combine(tree[i], tree[i + half]);
  return tree[0];
}

/// Sets *to to max(*to, value), atomically over all blocks. Compares bit patterns as integers, so both values must be
/// non-negative; NaN counts as larger than Inf.
inline void atomic_max(float* to, float value) {
  float seen;
  __atomic_load(to, &seen, __ATOMIC_RELAXED);
  while (bits(seen) < bits(value) && !__atomic_compare_exchange(to, &seen, &value, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
  }
}

template <class T>
Vector<T> load16(const T* from) {
  cpu::require_multiple("load", from, 16);
  Vector<T> v;
  memcpy(&v, from, sizeof v);
  return v;
}
template <class T>
void store16(T* to, const Vector<T>& v) {
  cpu::require_multiple("store", to, 16);
  memcpy(to, &v, sizeof v);
}
inline void store4(uint8_t* to, uint32_t word) {
  cpu::require_multiple("store", to, 4);
  memcpy(to, &word, sizeof word);
}
inline void store8(uint8_t* to, uint32_t low, uint32_t high) {
  cpu::require_multiple("store", to, 8);
  store4(to, low);
  store4(to + 4, high);
}

inline float to_float(float v) { return v; }
inline float to_float(Bf16 v) { return float_from_bf16_bits(v.bits); }
inline float to_float(F16 v) { return float_from_f16_bits(v.bits); }
template <class T>
T from_float(float v);
template <>
inline float from_float(float v) {
  return v;
}
template <>
inline Bf16 from_float(float v) {
  return {bf16_bits_from_float(v)};
}
template <>
inline F16 from_float(float v) {
  return {f16_bits_from_float(v)};
}
/// Converts two values at a time.
template <class T>
void from_floats(float a, float b, T& x, T& y) {
  x = from_float<T>(a);
  y = from_float<T>(b);
}

}  // namespace simt

#include "kernels/simt/pairs.h"

namespace simt {

inline uint8_t to_e4m3fn_sat(float v) { return e4m3fn_bits_sat(v); }
inline uint8_t to_e4m3fn_nosat(float v) { return e4m3fn_bits_nosat(v); }
inline uint8_t to_e4m3fnuz_sat(float v) { return e4m3fnuz_bits_sat(v); }
inline uint8_t to_e5m2_sat(float v) { return e5m2_bits_sat(v); }
/// Two e4m3fn codes in the low 16 bits, the code of `a` in the lowest byte.
inline uint32_t to_e4m3fn_sat_x2(float a, float b) { return uint32_t{e4m3fn_bits_sat(a)} | uint32_t{e4m3fn_bits_sat(b)} << 8; }

/// a * b + c with one rounding.
SIMT_DEVICE float fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
inline float rsqrt(float v) { return cpu::rsqrt(v); }
inline float exp2(float v) { return cpu::exp2(v); }
inline float log2(float v) { return cpu::log2(v); }
inline float ceil(float v) { return std::ceil(v); }
inline float exp(float v) { return cpu::exp(v); }
inline float exp_fast(float v) { return cpu::exp(v); }
inline float tanh(float v) { return cpu::tanh(v); }
inline float erf(float v) { return cpu::erf(v); }
inline float tanh_fast(float v) { return cpu::tanh(v); }
/// As CUDA's __fdividef: the result is 0 if the divisor is beyond 2^126.
inline float divide_fast(float x, float y) { return magnitude(y) > 0x1p126f ? x * 0.0f : x / y; }

/// Computes x / s for many x.
struct Divide {
  float divisor;
  explicit Divide(float s) : divisor(s) {}
  float operator()(float x) const { return x / divisor; }
};

using DivideSaturating = Divide;
inline float reciprocal_within(float d) { return 1.0f / d; }
inline float divide_within(float x, float d) { return x / d; }

// Words and packets exchanged between ranks on the CPU.

/// Writes a word on which other ranks wait. signal_release() also makes this rank's earlier writes visible to them.
inline void signal_release(uint32_t* to, uint32_t value) {
  cpu::deliver();
  __atomic_store_n(to, value, __ATOMIC_RELEASE);
}
inline void signal_relaxed(uint32_t* to, uint32_t value) { __atomic_store_n(to, value, __ATOMIC_RELAXED); }
/// Waits until *at == value. Returns false if no rank can continue, because the wait would never end.
inline bool wait_acquire(const uint32_t* at, uint32_t value) {
  return cpu::wait_until([](const void* a, uint64_t v) { return __atomic_load_n(static_cast<const uint32_t*>(a), __ATOMIC_ACQUIRE) == uint32_t(v); },
                         at, value);
}
inline bool wait_relaxed(const uint32_t* at, uint32_t value) {
  return cpu::wait_until([](const void* a, uint64_t v) { return __atomic_load_n(static_cast<const uint32_t*>(a), __ATOMIC_RELAXED) == uint32_t(v); },
                         at, value);
}
inline uint32_t flag_now(const uint32_t* at) { return __atomic_load_n(at, __ATOMIC_RELAXED); }
/// send16() and send1() write data that other ranks read after this rank signals. Data that post16() writes need no signal, because polled16() polls for them.
template <class T>
void send16(T* to, const Vector<T>& v) {
  cpu::require_multiple("store", to, 16);
  cpu::hold_back(to, &v, sizeof v);
}
template <class T>
void send1(T* to, T v) {
  cpu::hold_back(to, &v, sizeof v);
}
template <class T>
void post16(T* to, const Vector<T>& v) {
  cpu::require_multiple("store", to, 16);
  cpu::hold_back(to, &v, sizeof v);
}
/// Reads data that this rank or another rank sent.
template <class T>
Vector<T> receive16(const T* from) {
  cpu::require_multiple("load", from, 16);
  Vector<T> v;
  if (!cpu::held_back(from, &v, sizeof v)) memcpy(&v, from, sizeof v);
  return v;
}
template <class T>
T receive1(const T* from) {
  T v;
  if (!cpu::held_back(from, &v, sizeof v)) memcpy(&v, from, sizeof v);
  return v;
}
template <class T>
Vector<T> polled16(const T* from) {
  cpu::require_multiple("load", from, 16);
  Vector<T> v;
  for (int i = 0; i < 2; ++i) {
    const uint64_t word = __atomic_load_n(reinterpret_cast<const uint64_t*>(from) + i, __ATOMIC_RELAXED);
    memcpy(reinterpret_cast<char*>(&v) + 8 * i, &word, sizeof word);
  }
  return v;
}
/// Polls until Arrived::in() says that the packet has arrived. Returns false if no rank can continue, because the wait would never end.
template <class Arrived, class T>
bool wait_packet(const T* from) {
  return cpu::wait_until([](const void* at, uint64_t) { return Arrived::in(polled16(static_cast<const T*>(at))); }, from, 0);
}
/// Called where a straggler (a rank that is late on purpose) is delayed.
inline void may_lag() { cpu::may_change_rank(); }
using RankScope = cpu::RankScope;
#ifdef ASSAY_SIMT_TSAN
inline constexpr decltype(&cpu::run_in_turns) kRanksInTurns = nullptr;
#else
inline constexpr decltype(&cpu::run_in_turns) kRanksInTurns = cpu::run_in_turns;
#endif
/// Does nothing: on the CPU, launch() returns only when the kernel has ended.
inline void wait_for_stream(void* /*stream*/) {}
/// Makes all writes of the previous kernel visible to other ranks.
inline void rank_kernel_begins() { cpu::deliver(); }
/// Most blocks of a rank. On the CPU, each rank launches its own grid.
inline constexpr int kMostBlocksOfRank = 4;

/// Calls f(std::integral_constant<int, warp>) if this vendor supports the warp size; otherwise returns false.
template <class F>
bool with_warp_size(int warp, F f) {
  if (warp == 32) return f(std::integral_constant<int, 32>{}), true;
  if (warp == 64) return f(std::integral_constant<int, 64>{}), true;
  return false;
}

/// Runs the grid to its end. Throws cpu::Divergence, cpu::Misaligned and exceptions of the kernel.
template <class... Parameters, class... Arguments>
void launch(void (*kernel)(Parameters...), const Launch& grid, Arguments... arguments) {
  const auto call = [&] { kernel(arguments...); };
  using Call = decltype(call);
  cpu::run(
      grid, [](const void* c) { (*static_cast<Call*>(c))(); }, &call);
}

}  // namespace simt
