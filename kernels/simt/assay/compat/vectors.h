// Vector types of both vendors. They may alias, for kernels read memory of other types through them.
#pragma once

#include <cstdint>

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
