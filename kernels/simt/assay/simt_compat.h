// Runs a plain CUDA or HIP kernel on the CPU, with warps of 32 or 64 lanes. Include this header in place of the vendor's.
// Alternatively put assay/vendor/ first on the include path and leave the kernel's #includes unchanged. Two constructs must be
// rewritten:
//
//   kernel<<<grid, block>>>(a, b);   as   assay::simt::launch(kernel, grid, block, warp, a, b);
//   extern __shared__ float s[];     as   HIP_DYNAMIC_SHARED(float, s)
//
// Each thread of a block is a fiber. Fibers switch only where threads wait for each other: at __syncthreads(), __syncwarp(),
// shuffles and votes. If threads wait for each other at different places, the launch throws assay::simt::Divergence, which names
// both places.
// The following are unsupported, and a compile error says so: cooperative groups, asynchronous copies, TMA, wgmma and wmma,
// textures, clusters, __activemask(), __match_*_sync(). These give an ordinary compiler error: PTX, AMD builtins, launches within
// kernels, vendor host calls. A thread that polls a value hangs if another block writes this value. Block sizes must be multiples
// of the warp size.
// Link with libassay_simt_cpu and Boost.Context. Kernels that access one type's memory as another need -fno-strict-aliasing.
#pragma once

#include <math.h>

#include <cmath>  // included first, because it undefines names that are macros below
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <type_traits>

#include "kernels/simt/simt.h"

// Vector types of both vendors. They are marked may_alias, because kernels read memory of other types through them.

#define ASSAY_VECTOR2(T, Name, bytes)                         \
  struct __attribute__((may_alias, aligned(bytes))) Name##2 { \
    T x, y;                                                   \
  };                                                          \
  inline Name##2 make_##Name##2(T x, T y) { return {x, y}; }
#define ASSAY_VECTOR3(T, Name)                \
  struct __attribute__((may_alias)) Name##3 { \
    T x, y, z;                                \
  };                                          \
  inline Name##3 make_##Name##3(T x, T y, T z) { return {x, y, z}; }
#define ASSAY_VECTOR4(T, Name, bytes)                         \
  struct __attribute__((may_alias, aligned(bytes))) Name##4 { \
    T x, y, z, w;                                             \
  };                                                          \
  inline Name##4 make_##Name##4(T x, T y, T z, T w) { return {x, y, z, w}; }

ASSAY_VECTOR2(int8_t, char, 2)
ASSAY_VECTOR2(uint8_t, uchar, 2)
ASSAY_VECTOR2(int16_t, short, 4)
ASSAY_VECTOR2(uint16_t, ushort, 4)
ASSAY_VECTOR2(int32_t, int, 8)
ASSAY_VECTOR2(uint32_t, uint, 8)
ASSAY_VECTOR2(long long, longlong, 16)
ASSAY_VECTOR2(unsigned long long, ulonglong, 16)
ASSAY_VECTOR2(float, float, 8)
ASSAY_VECTOR2(double, double, 16)
ASSAY_VECTOR3(int32_t, int)
ASSAY_VECTOR3(uint32_t, uint)
ASSAY_VECTOR3(float, float)
ASSAY_VECTOR4(int8_t, char, 4)
ASSAY_VECTOR4(uint8_t, uchar, 4)
ASSAY_VECTOR4(int16_t, short, 8)
ASSAY_VECTOR4(uint16_t, ushort, 8)
ASSAY_VECTOR4(int32_t, int, 16)
ASSAY_VECTOR4(uint32_t, uint, 16)
ASSAY_VECTOR4(float, float, 16)

#undef ASSAY_VECTOR2
#undef ASSAY_VECTOR3
#undef ASSAY_VECTOR4

struct dim3 {
  unsigned x = 1, y = 1, z = 1;
  constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
  constexpr dim3(uint3 v) : x(v.x), y(v.y), z(v.z) {}
  constexpr operator uint3() const { return {x, y, z}; }
};

// Qualifiers, thread and block indices, and the block barrier.

#define __global__
#define __device__
#define __host__
#define __constant__
#define __managed__
#define __grid_constant__
#ifdef ASSAY_SIMT_TSAN
#define __shared__ static  // TSan reports names of globals but not of thread-local variables
#else
#define __shared__ static thread_local  // all threads of a block run on one OS thread
#endif
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#define __align__(bytes) alignas(bytes)

namespace assay::simt {

/// Shape of a launch. It is the first member of the object that the executor passes to each thread; the kernel's body follows.
struct Geometry {
  dim3 grid, block;
};
inline const Geometry& geometry() { return *static_cast<const Geometry*>(::simt::cpu::running->kernel); }

inline uint3 place(uint64_t index, const dim3& extent) {
  if (extent.y == 1 && extent.z == 1) return {uint32_t(index), 0, 0};
  return {uint32_t(index % extent.x), uint32_t(index / extent.x % extent.y), uint32_t(index / extent.x / extent.y)};
}
inline uint3 thread_index() { return place(uint64_t(::simt::cpu::running->thread), geometry().block); }
inline uint3 block_index() { return place(uint64_t(::simt::cpu::running->block), geometry().grid); }
inline int warp_size() { return ::simt::cpu::running->warp; }
inline int lane() { return ::simt::cpu::running->thread % warp_size(); }

}  // namespace assay::simt

// These macros expand to values, so that a template that takes threadIdx.x deduces the same type as on a device.
#define threadIdx (::assay::simt::thread_index())
#define blockIdx (::assay::simt::block_index())
#define blockDim (::assay::simt::geometry().block)
#define gridDim (::assay::simt::geometry().grid)
#define warpSize (::assay::simt::warp_size())

/// Dynamic shared memory; its size is a launch argument. The macro is HIP's.
#define HIP_DYNAMIC_SHARED(T, name) T* const name = reinterpret_cast<T*>(::simt::cpu::running->shared);

inline void __syncthreads() { ::simt::cpu::wait_for_block(); }
inline void __threadfence() { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
inline void __threadfence_block() { __atomic_thread_fence(__ATOMIC_SEQ_CST); }

template <class T>
T __ldg(const T* from) {
  return *from;
}

namespace assay::simt {

// assay::simt::launch() replaces <<<>>>. It returns when all blocks have ended, and rethrows exceptions of the kernel.

/// Thrown if threads of a warp or block wait for each other at different places.
using Divergence = ::simt::cpu::Divergence;

struct Config {
  dim3 grid, block;
  int warp = 32;               ///< lanes per warp: 32 or 64
  size_t shared_bytes = 0;     ///< size of HIP_DYNAMIC_SHARED
  uint64_t schedule_seed = 1;  ///< seed of the order in which lanes and warps run
};

template <class... Parameters, class... Arguments>
void launch(void (*kernel)(Parameters...), const Config& config, Arguments... arguments) {
  if (config.warp != 32 && config.warp != 64) throw std::invalid_argument("expected a warp of 32 or 64 lanes");
  const auto body = [&] { kernel(arguments...); };
  using Body = decltype(body);
  struct Call : Geometry {
    const Body* body;
  };
  const Call call{{config.grid, config.block}, &body};
  ::simt::Launch grid;
  grid.blocks = int64_t{config.grid.x} * config.grid.y * config.grid.z;
  grid.threads = int(config.block.x * config.block.y * config.block.z);
  grid.warp = config.warp;
  grid.schedule_seed = config.schedule_seed;
  ::simt::cpu::run(
      grid, [](const void* c) { (*static_cast<const Call*>(static_cast<const Geometry*>(c))->body)(); },
      static_cast<const Geometry*>(&call), config.shared_bytes);
}

template <class... Parameters, class... Arguments>
void launch(void (*kernel)(Parameters...), dim3 grid, dim3 block, int warp, Arguments... arguments) {
  launch(kernel, Config{grid, block, warp}, arguments...);
}

}  // namespace assay::simt

// __half and __nv_bfloat16, also under HIP's names: bits, conversions, and arithmetic in float that is rounded once.

namespace assay::simt {

struct Bf16Bits {
  static float widen(uint16_t code) { return ::simt::float_from_bf16_bits(code); }
  static uint16_t round(float value) { return ::simt::bf16_bits_from_float(value); }
};
struct F16Bits {
  static float widen(uint16_t code) { return ::simt::float_from_f16_bits(code); }
  static uint16_t round(float value) { return ::simt::f16_bits_from_float(value); }
};

template <class Bits>
struct __attribute__((may_alias)) Half {
  uint16_t __x;

  Half() = default;
  Half(float value) : __x(Bits::round(value)) {}
  operator float() const { return Bits::widen(__x); }

  friend Half operator+(Half a, Half b) { return Half(float(a) + float(b)); }
  friend Half operator-(Half a, Half b) { return Half(float(a) - float(b)); }
  friend Half operator*(Half a, Half b) { return Half(float(a) * float(b)); }
  friend Half operator/(Half a, Half b) { return Half(float(a) / float(b)); }
  friend Half operator-(Half a) { return from_bits(a.__x ^ 0x8000u); }
  Half& operator+=(Half b) { return *this = *this + b; }
  Half& operator-=(Half b) { return *this = *this - b; }
  Half& operator*=(Half b) { return *this = *this * b; }

  static Half from_bits(unsigned bits) {
    Half half;
    half.__x = uint16_t(bits);
    return half;
  }
};

template <class Bits>
struct __attribute__((may_alias, aligned(4))) HalfPair {
  Half<Bits> x, y;
};

}  // namespace assay::simt

using __half = assay::simt::Half<assay::simt::F16Bits>;
using __half2 = assay::simt::HalfPair<assay::simt::F16Bits>;
using half = __half;
using half2 = __half2;
using __nv_bfloat16 = assay::simt::Half<assay::simt::Bf16Bits>;
using __nv_bfloat162 = assay::simt::HalfPair<assay::simt::Bf16Bits>;
using nv_bfloat16 = __nv_bfloat16;
using nv_bfloat162 = __nv_bfloat162;
using __hip_bfloat16 = __nv_bfloat16;
using __hip_bfloat162 = __nv_bfloat162;
using hip_bfloat16 = __nv_bfloat16;

inline __half __float2half(float x) { return __half(x); }
inline __half __float2half_rn(float x) { return __half(x); }
inline float __half2float(__half x) { return float(x); }
inline __half2 __floats2half2_rn(float x, float y) { return {__half(x), __half(y)}; }
inline float2 __half22float2(__half2 v) { return {float(v.x), float(v.y)}; }
inline __half2 __float22half2_rn(float2 v) { return __floats2half2_rn(v.x, v.y); }
inline __half __ushort_as_half(unsigned short bits) { return __half::from_bits(bits); }
inline unsigned short __half_as_ushort(__half x) { return x.__x; }

inline __nv_bfloat16 __float2bfloat16(float x) { return __nv_bfloat16(x); }
inline __nv_bfloat16 __float2bfloat16_rn(float x) { return __nv_bfloat16(x); }
inline float __bfloat162float(__nv_bfloat16 x) { return float(x); }
inline __nv_bfloat162 __floats2bfloat162_rn(float x, float y) { return {__nv_bfloat16(x), __nv_bfloat16(y)}; }
inline float2 __bfloat1622float2(__nv_bfloat162 v) { return {float(v.x), float(v.y)}; }
inline __nv_bfloat162 __float22bfloat162_rn(float2 v) { return __floats2bfloat162_rn(v.x, v.y); }
inline __nv_bfloat16 __ushort_as_bfloat16(unsigned short bits) { return __nv_bfloat16::from_bits(bits); }
inline unsigned short __bfloat16_as_ushort(__nv_bfloat16 x) { return x.__x; }

// Device arithmetic that the C++ library lacks. Intrinsics that are approximate on a device give equal results on every CPU.
// expf, tanhf and similar functions come from the C library.

namespace assay::simt {

template <class To, class From>
To as(From value) {
  static_assert(sizeof(To) == sizeof(From), "bits are kept");
  To to;
  memcpy(&to, &value, sizeof to);
  return to;
}

/// On a device, a maximum ignores every NaN. glibc's fmaxf returns NaN for a signaling NaN, which bf16 data may contain.
inline float larger(float x, float y) { return x != x ? y : y != y ? x : fmaxf(x, y); }
inline float smaller(float x, float y) { return x != x ? y : y != y ? x : fminf(x, y); }

// The 16-bit intrinsics of CUDA and HIP, found by the types of their arguments.

template <class Bits>
Half<Bits> __habs(Half<Bits> a) {
  return Half<Bits>::from_bits(a.__x & 0x7fffu);
}
/// The maximum, as in PTX max.f16 and max.bf16. The result is NaN (code 0x7fff) only if both are NaN; +0 is larger than -0.
template <class Bits>
Half<Bits> __hmax(Half<Bits> a, Half<Bits> b) {
  const float x = a, y = b;
  if (x != x && y != y) return Half<Bits>::from_bits(0x7fffu);
  if (x == y) return Half<Bits>::from_bits(a.__x & b.__x);
  return y != y || x > y ? a : b;
}
template <class Bits>
Half<Bits> __hmin(Half<Bits> a, Half<Bits> b) {
  const float x = a, y = b;
  if (x != x && y != y) return Half<Bits>::from_bits(0x7fffu);
  if (x == y) return Half<Bits>::from_bits(a.__x | b.__x);
  return y != y || x < y ? a : b;
}
template <class Bits>
Half<Bits> __hadd(Half<Bits> a, Half<Bits> b) {
  return a + b;
}
template <class Bits>
Half<Bits> __hmul(Half<Bits> a, Half<Bits> b) {
  return a * b;
}
template <class Bits>
HalfPair<Bits> __habs2(HalfPair<Bits> a) {
  return {__habs(a.x), __habs(a.y)};
}
template <class Bits>
HalfPair<Bits> __hmax2(HalfPair<Bits> a, HalfPair<Bits> b) {
  return {__hmax(a.x, b.x), __hmax(a.y, b.y)};
}
template <class Bits>
HalfPair<Bits> __hmin2(HalfPair<Bits> a, HalfPair<Bits> b) {
  return {__hmin(a.x, b.x), __hmin(a.y, b.y)};
}
template <class Bits>
HalfPair<Bits> __hadd2(HalfPair<Bits> a, HalfPair<Bits> b) {
  return {__hadd(a.x, b.x), __hadd(a.y, b.y)};
}
template <class Bits>
HalfPair<Bits> __hmul2(HalfPair<Bits> a, HalfPair<Bits> b) {
  return {__hmul(a.x, b.x), __hmul(a.y, b.y)};
}

}  // namespace assay::simt

// Macros, because glibc has functions with these names that programs must not redefine.
#define fmaxf(x, y) (::assay::simt::larger((x), (y)))
#define fminf(x, y) (::assay::simt::smaller((x), (y)))
#define __expf(x) (::simt::cpu::exp(x))
#define __logf(x) (::simt::cpu::log(x))
#define __log2f(x) (::simt::cpu::log2(x))
#define __powf(x, y) (::simt::cpu::exp2((y) * ::simt::cpu::log2(x)))

inline float rsqrtf(float x) { return ::simt::cpu::rsqrt(x); }
inline float __frsqrt_rn(float x) { return ::simt::cpu::rsqrt(x); }
inline float __frcp_rn(float x) { return 1.0f / x; }
inline float __fsqrt_rn(float x) { return sqrtf(x); }
inline float __fdividef(float x, float y) { return x / y; }
inline float __fdiv_rn(float x, float y) { return x / y; }
inline float __fadd_rn(float x, float y) { return x + y; }
inline float __fsub_rn(float x, float y) { return x - y; }
inline float __fmul_rn(float x, float y) { return x * y; }
inline float __fmaf_rn(float x, float y, float z) { return fmaf(x, y, z); }
inline float __saturatef(float x) { return x >= 1.0f ? 1.0f : x > 0.0f ? x : 0.0f; }

inline unsigned __float_as_uint(float x) { return assay::simt::as<unsigned>(x); }
inline int __float_as_int(float x) { return assay::simt::as<int>(x); }
inline float __uint_as_float(unsigned x) { return assay::simt::as<float>(x); }
inline float __int_as_float(int x) { return assay::simt::as<float>(x); }
inline long long __double_as_longlong(double x) { return assay::simt::as<long long>(x); }
inline double __longlong_as_double(long long x) { return assay::simt::as<double>(x); }

/// NaN becomes 0 and out-of-range values saturate, as with cvt.rni.s32.f32.
inline int __float2int_rn(float x) {
  return x != x ? 0 : x >= 2147483648.0f ? 2147483647 : x < -2147483648.0f ? -2147483647 - 1 : int(rintf(x));
}
inline float __int2float_rn(int x) { return float(x); }
inline float __uint2float_rn(unsigned x) { return float(x); }

inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __popcll(unsigned long long x) { return __builtin_popcountll(x); }
inline int __clz(int x) { return x == 0 ? 32 : __builtin_clz(unsigned(x)); }
inline int __clzll(long long x) { return x == 0 ? 64 : __builtin_clzll(static_cast<unsigned long long>(x)); }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline int __ffsll(long long x) { return __builtin_ffsll(x); }

#define ASSAY_MIN_MAX(T)                           \
  inline T min(T a, T b) { return b < a ? b : a; } \
  inline T max(T a, T b) { return a < b ? b : a; }
ASSAY_MIN_MAX(int)
ASSAY_MIN_MAX(unsigned)
ASSAY_MIN_MAX(long)
ASSAY_MIN_MAX(unsigned long)
ASSAY_MIN_MAX(long long)
ASSAY_MIN_MAX(unsigned long long)
#undef ASSAY_MIN_MAX
inline unsigned min(unsigned a, int b) { return min(a, unsigned(b)); }
inline unsigned min(int a, unsigned b) { return min(unsigned(a), b); }
inline unsigned max(unsigned a, int b) { return max(a, unsigned(b)); }
inline unsigned max(int a, unsigned b) { return max(unsigned(a), b); }
inline float min(float a, float b) { return fminf(a, b); }
inline float max(float a, float b) { return fmaxf(a, b); }
inline double min(double a, double b) { return fmin(a, b); }
inline double max(double a, double b) { return fmax(a, b); }

// Atomics on shared and global memory. Blocks run on several cores in no fixed order, so sums of floats vary between runs.

namespace assay::simt {

/// Replaces *at by f(*at); returns the previous value.
template <class T, class F>
T atomically(T* at, F f) {
  T old;
  __atomic_load(at, &old, __ATOMIC_RELAXED);
  for (;;) {
    T next = f(old);
    if (__atomic_compare_exchange(at, &old, &next, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) return old;
  }
}

/// Takes the operand out of type deduction, so that a literal of another type is converted to the type of *at.
template <class T>
struct Same {
  using type = T;
};
template <class T>
using same = typename Same<T>::type;

}  // namespace assay::simt

#define ASSAY_ATOMIC(name, expression)                                          \
  template <class T>                                                            \
  T name(T* at, assay::simt::same<T> v) {                                       \
    return assay::simt::atomically(at, [v](T old) -> T { return expression; }); \
  }
ASSAY_ATOMIC(atomicAdd, old + v)
ASSAY_ATOMIC(atomicSub, old - v)
ASSAY_ATOMIC(atomicMax, old < v ? v : old)
ASSAY_ATOMIC(atomicMin, v < old ? v : old)
ASSAY_ATOMIC(atomicAnd, old& v)
ASSAY_ATOMIC(atomicOr, old | v)
ASSAY_ATOMIC(atomicXor, old ^ v)
ASSAY_ATOMIC(atomicExch, (static_cast<void>(old), v))
ASSAY_ATOMIC(atomicInc, old >= v ? T{0} : T(old + 1))
ASSAY_ATOMIC(atomicDec, old == 0 || old > v ? v : T(old - 1))
#undef ASSAY_ATOMIC

template <class T>
T atomicCAS(T* at, assay::simt::same<T> expected, assay::simt::same<T> desired) {
  __atomic_compare_exchange(at, &expected, &desired, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
  return expected;
}

// Shuffles, votes and the warp barrier: CUDA's forms with a mask of lanes, and HIP's without.
//
// A 32-bit mask names 32 lanes. In a warp of 64 lanes these are the half with the caller, so that CUDA code for 32 lanes works. A
// 64-bit mask names all lanes. HIP's forms without a mask wait here for the whole warp. If some lanes do not take the branch with
// the call, the call throws Divergence; on an AMD GPU the lanes in the branch would continue.

namespace assay::simt {

using ::simt::cpu::kAllLanes;

[[noreturn]] inline void misused(const std::string& what) {
  throw Divergence("block " + std::to_string(::simt::cpu::running->block) + ", thread " +
                   std::to_string(::simt::cpu::running->thread) + ": " + what);
}

/// The lane that bit 0 of a mask of this type names.
template <class Mask>
int first_lane() {
  return sizeof(Mask) == 4 ? lane() & 32 : 0;
}

template <class Mask>
uint64_t lanes_of(Mask mask) {
  static_assert(std::is_integral_v<Mask> && (sizeof(Mask) == 4 || sizeof(Mask) == 8), "a mask has 32 or 64 bits");
  const uint64_t lanes = uint64_t(std::make_unsigned_t<Mask>(mask)) << first_lane<Mask>();
  if (!(lanes >> lane() & 1)) misused("passes a mask without its own lane");
  return lanes;
}

/// Returns the values that the lanes of the warp passed, indexed by lane.
inline const uint64_t* exchange_words(uint64_t word, uint32_t what, uint64_t lanes) {
  const int own = lane();
  return ::simt::cpu::exchange_among(lanes, word, what) + ::simt::cpu::running->thread - own;
}

/// Returns the value that lane `source` passed. `lanes`: the lanes that take part.
template <class T>
T value_of(T value, int source, uint64_t lanes) {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= 8, "a shuffle moves at most eight bytes");
  if (!(lanes >> source & 1)) misused("reads lane " + std::to_string(source) + ", which its mask does not include");
  uint64_t word = 0;
  memcpy(&word, &value, sizeof value);
  memcpy(&value, exchange_words(word, ::simt::cpu::kIndexed, lanes) + source, sizeof value);
  return value;
}

/// The first lane of the caller's segment of `width` lanes.
inline int segment_of(int width) {
  if (width <= 0 || width > warp_size() || (width & (width - 1)) != 0)
    misused("shuffles over " + std::to_string(width) + " lanes: expected a power of two up to the warp size");
  return lane() & ~(width - 1);
}

template <class T>
T shuffle(uint64_t lanes, T value, int source, int width) {
  return value_of(value, segment_of(width) + (source & (width - 1)), lanes);
}
template <class T>
T shuffle_xor(uint64_t lanes, T value, int mask, int width) {
  const int source = lane() ^ mask;
  return value_of(value, source < segment_of(width) + width ? source : lane(), lanes);
}
template <class T>
T shuffle_up(uint64_t lanes, T value, unsigned delta, int width) {
  const int source = lane() - int(delta);
  return value_of(value, source >= segment_of(width) ? source : lane(), lanes);
}
template <class T>
T shuffle_down(uint64_t lanes, T value, unsigned delta, int width) {
  const int source = lane() + int(delta);
  return value_of(value, source < segment_of(width) + width ? source : lane(), lanes);
}

/// Returns the lanes whose predicate holds.
inline uint64_t vote(uint64_t lanes, bool predicate) {
  const uint64_t* all = exchange_words(predicate, ::simt::cpu::kVote, lanes);
  uint64_t yes = 0;
  for (int i = 0; i < warp_size(); ++i)
    if (lanes >> i & 1 && all[i]) yes |= uint64_t{1} << i;
  return yes;
}

}  // namespace assay::simt

#define ASSAY_SHUFFLE(name, function, Second)                                        \
  template <class Mask, class T>                                                     \
  T name##_sync(Mask mask, T value, Second second, int width = warpSize) {           \
    return assay::simt::function(assay::simt::lanes_of(mask), value, second, width); \
  }                                                                                  \
  template <class T>                                                                 \
  T name(T value, Second second, int width = warpSize) {                             \
    return assay::simt::function(assay::simt::kAllLanes, value, second, width);      \
  }
ASSAY_SHUFFLE(__shfl, shuffle, int)
ASSAY_SHUFFLE(__shfl_xor, shuffle_xor, int)
ASSAY_SHUFFLE(__shfl_up, shuffle_up, unsigned)
ASSAY_SHUFFLE(__shfl_down, shuffle_down, unsigned)
#undef ASSAY_SHUFFLE

template <class Mask>
std::make_unsigned_t<Mask> __ballot_sync(Mask mask, int predicate) {
  return std::make_unsigned_t<Mask>(assay::simt::vote(assay::simt::lanes_of(mask), predicate) >> assay::simt::first_lane<Mask>());
}
template <class Mask>
int __any_sync(Mask mask, int predicate) {
  return assay::simt::vote(assay::simt::lanes_of(mask), predicate) != 0;
}
template <class Mask>
int __all_sync(Mask mask, int predicate) {
  return assay::simt::vote(assay::simt::lanes_of(mask), !predicate) == 0;
}
inline unsigned long long __ballot(int predicate) { return assay::simt::vote(assay::simt::kAllLanes, predicate); }
inline int __any(int predicate) { return assay::simt::vote(assay::simt::kAllLanes, predicate) != 0; }
inline int __all(int predicate) { return assay::simt::vote(assay::simt::kAllLanes, !predicate) == 0; }

template <class Mask = unsigned long long>
void __syncwarp(Mask mask = ~Mask{0}) {
  assay::simt::exchange_words(0, ::simt::cpu::kWarpSync, assay::simt::lanes_of(mask));
}

// CUDA's e4m3 type (e4m3fn) and HIP's two (e4m3fn and e4m3fnuz). Constructors saturate. e5m2 is not supported.

namespace assay::simt {

/// The value of a code with 4 exponent and 3 mantissa bits that is not NaN.
inline float e4m3_value(unsigned code, int bias) {
  const int exponent = int(code >> 3 & 15u), mantissa = int(code & 7u);
  const float size = exponent == 0 ? ldexpf(float(mantissa), -2 - bias) : ldexpf(float(8 + mantissa), exponent - 3 - bias);
  return code & 0x80u ? -size : size;
}

struct E4m3fn {
  static uint8_t round(float value) { return ::simt::e4m3fn_bits_sat(value); }
  static float widen(uint8_t code) {
    return (code & 0x7fu) == 0x7fu ? std::numeric_limits<float>::quiet_NaN() : e4m3_value(code, 7);
  }
};
struct E4m3fnuz {
  static uint8_t round(float value) { return ::simt::e4m3fnuz_bits_sat(value); }
  static float widen(uint8_t code) { return code == 0x80u ? std::numeric_limits<float>::quiet_NaN() : e4m3_value(code, 8); }
};

template <class Bits>
struct __attribute__((may_alias)) Fp8 {
  uint8_t __x;
  Fp8() = default;
  explicit Fp8(float value) : __x(Bits::round(value)) {}
  explicit operator float() const { return Bits::widen(__x); }
};

}  // namespace assay::simt

using __nv_fp8_e4m3 = assay::simt::Fp8<assay::simt::E4m3fn>;
using __hip_fp8_e4m3 = __nv_fp8_e4m3;
using __hip_fp8_e4m3_fnuz = assay::simt::Fp8<assay::simt::E4m3fnuz>;

using __nv_fp8_storage_t = unsigned char;
using __nv_fp8x2_storage_t = unsigned short;
using __hip_fp8_storage_t = unsigned char;
enum __nv_saturation_t { __NV_NOSAT, __NV_SATFINITE };
enum __nv_fp8_interpretation_t { __NV_E4M3 };
enum __hip_saturation_t { __HIP_SATFINITE };
enum __hip_fp8_interpretation_t { __HIP_E4M3, __HIP_E4M3_FNUZ };

inline __nv_fp8_storage_t __nv_cvt_float_to_fp8(float x, __nv_saturation_t saturation, __nv_fp8_interpretation_t) {
  return saturation == __NV_SATFINITE || x != x ? ::simt::e4m3fn_bits_sat(x) : ::simt::e4m3fn_bits_nosat(x);
}
inline __nv_fp8x2_storage_t __nv_cvt_float2_to_fp8x2(float2 x, __nv_saturation_t saturation, __nv_fp8_interpretation_t format) {
  return __nv_fp8x2_storage_t(__nv_cvt_float_to_fp8(x.x, saturation, format) | __nv_cvt_float_to_fp8(x.y, saturation, format)
                                                                                   << 8);
}
inline __hip_fp8_storage_t __hip_cvt_float_to_fp8(float x, __hip_saturation_t, __hip_fp8_interpretation_t format) {
  return format == __HIP_E4M3_FNUZ ? ::simt::e4m3fnuz_bits_sat(x) : ::simt::e4m3fn_bits_sat(x);
}

// Features that do not run on the CPU. Using one of these names is a compile error with the reason.

// The pragma needs a single string literal, so the macros below turn their argument into a string. clang-format must not change
// that text.
// clang-format off
#define ASSAY_STRING(...) #__VA_ARGS__
#define ASSAY_PRAGMA(...) _Pragma(#__VA_ARGS__)
#define ASSAY_ERROR(text) ASSAY_PRAGMA(GCC error text)
#define ASSAY_NOT_COVERED(...) ASSAY_ERROR(ASSAY_STRING(assay/simt_compat.h does not cover __VA_ARGS__))

#define cooperative_groups ASSAY_NOT_COVERED(cooperative groups) cooperative_groups
#define __pipeline_memcpy_async ASSAY_NOT_COVERED(asynchronous copies (cp.async)) __pipeline_memcpy_async
#define __pipeline_commit ASSAY_NOT_COVERED(asynchronous copies (cp.async)) __pipeline_commit
#define __pipeline_wait_prior ASSAY_NOT_COVERED(asynchronous copies (cp.async)) __pipeline_wait_prior
#define CUtensorMap ASSAY_NOT_COVERED(TMA) CUtensorMap
#define nvcuda ASSAY_NOT_COVERED(wmma; op mma tests tensor core instructions) nvcuda
#define __cluster_dims__ ASSAY_NOT_COVERED(clusters) __cluster_dims__
#define cudaTextureObject_t ASSAY_NOT_COVERED(textures) cudaTextureObject_t
#define hipTextureObject_t ASSAY_NOT_COVERED(textures) hipTextureObject_t
#define tex1Dfetch ASSAY_NOT_COVERED(textures) tex1Dfetch
#define tex2D ASSAY_NOT_COVERED(textures) tex2D
#define __activemask ASSAY_NOT_COVERED(__activemask() : its result depends on how the device schedules lanes) __activemask
#define __match_any_sync ASSAY_NOT_COVERED(__match_any_sync()) __match_any_sync
#define __match_all_sync ASSAY_NOT_COVERED(__match_all_sync()) __match_all_sync
#define __HIP_NOSAT ASSAY_NOT_COVERED(__HIP_NOSAT, which differs between releases (suites/cast)) __HIP_NOSAT
// clang-format on
