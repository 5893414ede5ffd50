// Arithmetic of devices that the C++ library has not. Intrinsics with an approximate result on a device have one fixed result
// here, the same on every machine; expf, tanhf and the like are those of the C library.
#pragma once

#include <math.h>

#include <cmath>  // it undefines names that are macros below
#include <cstring>

#include "kernels/simt/simt.h"

namespace assay::simt {

template <class To, class From>
To as(From value) {
  static_assert(sizeof(To) == sizeof(From), "bits are kept");
  To to;
  memcpy(&to, &value, sizeof to);
  return to;
}

/// A device drops every NaN. glibc returns NaN for a signaling one, which bf16 data contain.
inline float larger(float x, float y) { return x != x ? y : y != y ? x : fmaxf(x, y); }
inline float smaller(float x, float y) { return x != x ? y : y != y ? x : fminf(x, y); }

}  // namespace assay::simt

// Macros, for glibc has functions of these names that no program may define.
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

/// NaN gives 0 and what is too large the nearest integer, as cvt.rni.s32.f32 does.
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
