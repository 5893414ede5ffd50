// The names of simt.h on the CPU: every SIMT thread is a fiber of kernels/simt/cpu/executor.h.
#pragma once

#include <cmath>
#include <cstring>
#include <type_traits>

#include "kernels/simt/cpu/executor.h"
#include "kernels/simt/launch.h"

#define SIMT_KERNEL inline
#define SIMT_DEVICE inline
#define SIMT_UNROLL
// SIMT_WIDE_KERNEL: threads that do the same to many neighbouring elements. Compiled for several instruction sets, chosen when the
// library is loaded. clang has no such clones of templates, and the sanitizers' runtimes are not up yet when the choice is made.
// SIMT_LANES: a loop over elements that are alike, left to the vectoriser; g++ would unroll it before.
#if defined(__x86_64__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define SIMT_WIDE_KERNEL __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"))) inline
#else
#define SIMT_WIDE_KERNEL SIMT_KERNEL
#endif
#ifdef __clang__
#define SIMT_LANES
#else
#define SIMT_LANES _Pragma("GCC unroll 1")
#endif
#ifdef ASSAY_SIMT_TSAN
#define SIMT_SHARED static  // one OS thread runs all blocks, and TSan names globals but no thread-local variables
#else
#define SIMT_SHARED static thread_local  // all fibers of a block run on one OS thread
#endif

#include "kernels/simt/types.h"

namespace simt {

/// The greater operand; NaN only if both are (IEEE 754-2019 maximumNumber, and CUDA's fmaxf).
inline float max_number(float a, float b) { return b > a || a != a ? b : a; }
inline float min_number(float a, float b) { return b < a || a != a ? b : a; }

/// The greater operand; NaN if one is (torch's amax and clamp).
inline float max_or_nan(float a, float b) { return b > a || b != b ? b : a; }
inline float min_or_nan(float a, float b) { return b < a || b != b ? b : a; }

inline float magnitude(float value) { return from_bits(bits(value) & 0x7fffffffu); }

}  // namespace simt

// These need what stands above.
#include "kernels/simt/device_arithmetic.h"
#include "kernels/simt/software_arithmetic.h"

namespace simt {

inline constexpr int kWarpSizes[] = {32, 64};
inline constexpr int kWideBytes = 64;  ///< that a thread of a wide kernel works on at once: registers of a vectoriser

inline int thread() { return cpu::running->thread; }
inline int64_t block() { return cpu::running->block; }
inline int block_size() { return cpu::running->threads; }
inline int64_t grid_size() { return cpu::running->blocks; }
inline void barrier() { cpu::wait_for_block(); }

template <int kWarp, class T>
T shuffle_xor(T value, int mask) {
  return cpu::exchange(value, uint32_t(mask))[cpu::running->thread ^ mask];
}

/// combine() over each aligned run of kLanes lanes, in the order of a butterfly of shuffles, at the price of one switch.
template <int kWarp, int kLanes, class Combine>
float lane_reduce(float value, Combine combine) {
  const float* all = cpu::exchange(value, cpu::kReduce | uint32_t(kLanes)) + (cpu::running->thread & ~(kLanes - 1));
  float tree[kLanes];
  for (int i = 0; i < kLanes; ++i) tree[i] = all[i];
  for (int half = kLanes / 2; half > 0; half /= 2)
    for (int i = 0; i < half; ++i) tree[i] = combine(tree[i], tree[i + half]);
  return tree[0];
}

/// Raises `to` to `value`, seen by all blocks. Patterns are compared, so both must be without a sign; a NaN is above Inf.
inline void atomic_max(float* to, float value) {
  float seen;
  __atomic_load(to, &seen, __ATOMIC_RELAXED);
  while (bits(seen) < bits(value) && !__atomic_compare_exchange(to, &seen, &value, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
  }
}

template <class T>
Vector<T> load16(const T* from) {
  Vector<T> v;
  memcpy(&v, from, sizeof v);
  return v;
}
template <class T>
void store16(T* to, const Vector<T>& v) {
  memcpy(to, &v, sizeof v);
}
inline void store4(uint8_t* to, uint32_t word) { memcpy(to, &word, sizeof word); }
inline void store8(uint8_t* to, uint32_t low, uint32_t high) {
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
/// Two at a time.
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
/// Two codes in the low 16 bits, the first lowest.
inline uint32_t to_e4m3fn_sat_x2(float a, float b) { return uint32_t{e4m3fn_bits_sat(a)} | uint32_t{e4m3fn_bits_sat(b)} << 8; }

/// One rounding, as by the instruction of that name.
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
/// As __fdividef: zero for a divisor beyond 2^126.
inline float divide_fast(float x, float y) { return magnitude(y) > 0x1p126f ? x * 0.0f : x / y; }

/// x -> x / s.
struct Divide {
  float divisor;
  explicit Divide(float s) : divisor(s) {}
  float operator()(float x) const { return x / divisor; }
};

using DivideSaturating = Divide;
inline float reciprocal_within(float d) { return 1.0f / d; }
inline float divide_within(float x, float d) { return x / d; }

// Words and packets that pass between ranks on the CPU.

/// Words by which ranks tell each other how far they are. With release: what this rank sent before is there, too.
inline void signal_release(uint32_t* to, uint32_t value) {
  cpu::deliver();
  __atomic_store_n(to, value, __ATOMIC_RELEASE);
}
inline void signal_relaxed(uint32_t* to, uint32_t value) { __atomic_store_n(to, value, __ATOMIC_RELAXED); }
/// Waits until a word has the value. False: it never will.
inline bool wait_acquire(const uint32_t* at, uint32_t value) {
  return cpu::wait_until([](const void* a, uint64_t v) { return __atomic_load_n(static_cast<const uint32_t*>(a), __ATOMIC_ACQUIRE) == uint32_t(v); },
                         at, value);
}
inline bool wait_relaxed(const uint32_t* at, uint32_t value) {
  return cpu::wait_until([](const void* a, uint64_t v) { return __atomic_load_n(static_cast<const uint32_t*>(a), __ATOMIC_RELAXED) == uint32_t(v); },
                         at, value);
}
inline uint32_t flag_now(const uint32_t* at) { return __atomic_load_n(at, __ATOMIC_RELAXED); }
/// For other ranks, once this one signals; post16() without a signal, as polled16() reads it.
template <class T>
void send16(T* to, const Vector<T>& v) {
  cpu::hold_back(to, &v, sizeof v);
}
template <class T>
void send1(T* to, T v) {
  cpu::hold_back(to, &v, sizeof v);
}
template <class T>
void post16(T* to, const Vector<T>& v) {
  cpu::hold_back(to, &v, sizeof v);
}
/// What any rank sent, this one included.
template <class T>
Vector<T> receive16(const T* from) {
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
  Vector<T> v;
  for (int i = 0; i < 2; ++i) {
    const uint64_t word = __atomic_load_n(reinterpret_cast<const uint64_t*>(from) + i, __ATOMIC_RELAXED);
    memcpy(reinterpret_cast<char*>(&v) + 8 * i, &word, sizeof word);
  }
  return v;
}
/// Polls until Arrived::in() says that the packet is there. False: it never will be.
template <class Arrived, class T>
bool wait_packet(const T* from) {
  return cpu::wait_until([](const void* at, uint64_t) { return Arrived::in(polled16(static_cast<const T*>(at))); }, from, 0);
}
/// A place at which a rank may lag behind.
inline void may_lag() { cpu::may_change_rank(); }
/// Of the host's thread that runs a rank.
using RankScope = cpu::RankScope;
/// A launch has ended when it returns.
inline void wait_for_stream(void* /*stream*/) {}
/// All that the kernel ahead sent is there.
inline void rank_kernel_begins() { cpu::deliver(); }
/// Each rank has a launch of its own, and so many blocks at most.
inline constexpr int kMostBlocksOfRank = 4;

/// Calls f(std::integral_constant<int, warp>) for a warp size that this vendor has; false for any other.
template <class F>
bool with_warp_size(int warp, F f) {
  if (warp == 32) return f(std::integral_constant<int, 32>{}), true;
  if (warp == 64) return f(std::integral_constant<int, 64>{}), true;
  return false;
}

/// Runs the grid to its end. Throws cpu::Divergence, and whatever a kernel throws.
template <class... Parameters, class... Arguments>
void launch(void (*kernel)(Parameters...), const Launch& grid, Arguments... arguments) {
  const auto call = [&] { kernel(arguments...); };
  using Call = decltype(call);
  cpu::run(
      grid, [](const void* c) { (*static_cast<Call*>(c))(); }, &call);
}

}  // namespace simt
