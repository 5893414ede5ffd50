// The names that HIP kernels use, for clang -x hip -nogpuinc -nogpulib, and the host API.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#ifdef __HIP__
#define __host__ __attribute__((host))
#define __device__ __attribute__((device))
#define __global__ __attribute__((global))
#define __shared__ __attribute__((shared))
#define __constant__ __attribute__((constant))
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...) __attribute__((launch_bounds(__VA_ARGS__)))
#endif

#include "hip/hip_runtime_api.h"

#ifdef __HIP__
struct uint3 {
  unsigned x, y, z;
};

namespace assay_hip {
template <class Values>
struct Coordinates {
  struct X {
    __device__ operator unsigned() const { return Values::x(); }
  } x;
  struct Y {
    __device__ operator unsigned() const { return Values::y(); }
  } y;
  struct Z {
    __device__ operator unsigned() const { return Values::z(); }
  } z;
};
struct ThreadIndex {
  __device__ static unsigned x() { return __builtin_amdgcn_workitem_id_x(); }
  __device__ static unsigned y() { return __builtin_amdgcn_workitem_id_y(); }
  __device__ static unsigned z() { return __builtin_amdgcn_workitem_id_z(); }
};
struct BlockIndex {
  __device__ static unsigned x() { return __builtin_amdgcn_workgroup_id_x(); }
  __device__ static unsigned y() { return __builtin_amdgcn_workgroup_id_y(); }
  __device__ static unsigned z() { return __builtin_amdgcn_workgroup_id_z(); }
};
struct BlockSize {
  __device__ static unsigned x() { return __builtin_amdgcn_workgroup_size_x(); }
  __device__ static unsigned y() { return __builtin_amdgcn_workgroup_size_y(); }
  __device__ static unsigned z() { return __builtin_amdgcn_workgroup_size_z(); }
};
struct GridSize {
  __device__ static unsigned x() { return __builtin_amdgcn_grid_size_x() / __builtin_amdgcn_workgroup_size_x(); }
  __device__ static unsigned y() { return __builtin_amdgcn_grid_size_y() / __builtin_amdgcn_workgroup_size_y(); }
  __device__ static unsigned z() { return __builtin_amdgcn_grid_size_z() / __builtin_amdgcn_workgroup_size_z(); }
};
}  // namespace assay_hip
static const __device__ assay_hip::Coordinates<assay_hip::ThreadIndex> threadIdx = {};
static const __device__ assay_hip::Coordinates<assay_hip::BlockIndex> blockIdx = {};
static const __device__ assay_hip::Coordinates<assay_hip::BlockSize> blockDim = {};
static const __device__ assay_hip::Coordinates<assay_hip::GridSize> gridDim = {};
static constexpr int warpSize = 64;

__device__ __forceinline__ void __syncthreads() {
  __builtin_amdgcn_fence(__ATOMIC_RELEASE, "workgroup");
  __builtin_amdgcn_s_barrier();
  __builtin_amdgcn_fence(__ATOMIC_ACQUIRE, "workgroup");
}
__device__ __forceinline__ unsigned __lane_id() { return __builtin_amdgcn_mbcnt_hi(~0u, __builtin_amdgcn_mbcnt_lo(~0u, 0)); }
template <class T>
__device__ __forceinline__ T __shfl_xor(T value, int mask, int width = warpSize) {
  static_assert(sizeof(T) == 4, "a shuffle moves 4 bytes");
  const int self = int(__lane_id()), from = self ^ mask, end = (self & ~(width - 1)) + width;
  int word;
  __builtin_memcpy(&word, &value, 4);
  word = __builtin_amdgcn_ds_bpermute((from >= end ? self : from) << 2, word);
  __builtin_memcpy(&value, &word, 4);
  return value;
}
template <class T>
__device__ __forceinline__ T __shfl_down(T value, unsigned by, int width = warpSize) {
  static_assert(sizeof(T) == 4, "a shuffle moves 4 bytes");
  const int self = int(__lane_id()), from = (self & (width - 1)) + int(by) >= width ? self : self + int(by);
  int word;
  __builtin_memcpy(&word, &value, 4);
  word = __builtin_amdgcn_ds_bpermute(from << 2, word);
  __builtin_memcpy(&value, &word, 4);
  return value;
}
template <class T>
__device__ __forceinline__ T __shfl(T value, int lane, int width = warpSize) {
  static_assert(sizeof(T) == 4, "a shuffle moves 4 bytes");
  const int self = int(__lane_id()), from = (self & ~(width - 1)) + (lane & (width - 1));
  int word;
  __builtin_memcpy(&word, &value, 4);
  word = __builtin_amdgcn_ds_bpermute(from << 2, word);
  __builtin_memcpy(&value, &word, 4);
  return value;
}
__device__ __forceinline__ float fmaxf(float a, float b) { return __builtin_fmaxf(a, b); }
__device__ __forceinline__ float fminf(float a, float b) { return __builtin_fminf(a, b); }
__device__ __forceinline__ float fabsf(float a) { return __builtin_fabsf(a); }
__device__ __forceinline__ float sqrtf(float a) { return __builtin_sqrtf(a); }
__device__ __forceinline__ float rsqrtf(float a) { return __builtin_amdgcn_rsqf(a); }
#endif
