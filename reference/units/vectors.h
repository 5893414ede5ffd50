// Vectors of kLanes columns, and vectors of half as many, whose doubles fill a register. Included by loops.h only.
#pragma once

#include <cstdint>

namespace assay {
namespace {

constexpr int kHalf = kLanes / 2;

typedef int32_t Ints __attribute__((vector_size(4 * kLanes)));
typedef uint32_t Bits __attribute__((vector_size(4 * kLanes)));
typedef float Floats __attribute__((vector_size(4 * kLanes)));
typedef int32_t HalfInts __attribute__((vector_size(4 * kHalf)));
typedef float HalfFloats __attribute__((vector_size(4 * kHalf)));
typedef int64_t Longs __attribute__((vector_size(8 * kHalf)));
typedef double Doubles __attribute__((vector_size(8 * kHalf)));

/// The same without alignment.
typedef int32_t IntsAt __attribute__((vector_size(4 * kLanes), aligned(4)));
typedef float FloatsAt __attribute__((vector_size(4 * kLanes), aligned(4)));
typedef int32_t HalfIntsAt __attribute__((vector_size(4 * kHalf), aligned(4)));
typedef double DoublesAt __attribute__((vector_size(8 * kHalf), aligned(8)));

inline Ints load(const int32_t* p) { return *(const IntsAt*)p; }
inline Floats load(const float* p) { return *(const FloatsAt*)p; }
inline void store(float* p, Floats v) { *(FloatsAt*)p = v; }
inline Ints larger(Ints a, Ints b) { return a > b ? a : b; }
inline Ints smaller(Ints a, Ints b) { return a < b ? a : b; }

template <class Half, class Whole>
inline Half half_of(Whole v, int which) {
  if constexpr (kLanes == 16)
    return which == 0 ? __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7)
                      : __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15);
  else if constexpr (kLanes == 8)
    return which == 0 ? __builtin_shufflevector(v, v, 0, 1, 2, 3) : __builtin_shufflevector(v, v, 4, 5, 6, 7);
  else
    return which == 0 ? __builtin_shufflevector(v, v, 0, 1) : __builtin_shufflevector(v, v, 2, 3);
}

template <class Half>
inline auto whole_of(Half low, Half high) {
  if constexpr (kLanes == 16)
    return __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  else if constexpr (kLanes == 8)
    return __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7);
  else
    return __builtin_shufflevector(low, high, 0, 1, 2, 3);
}

inline Doubles doubles_of(Floats v, int which) { return __builtin_convertvector(half_of<HalfFloats>(v, which), Doubles); }
inline Doubles doubles_of(Ints v, int which) { return __builtin_convertvector(half_of<HalfInts>(v, which), Doubles); }
inline Longs longs_of(Ints v, int which) { return __builtin_convertvector(half_of<HalfInts>(v, which), Longs); }

template <class Numbers>
inline Numbers magnitude(Numbers x) {
  return x < 0 ? -x : x;
}
inline auto is_finite(Floats x) { return magnitude(x) < __builtin_inff(); }

}  // namespace
}  // namespace assay
