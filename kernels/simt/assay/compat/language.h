// Qualifiers, places in the grid, and the barrier of the block.
#pragma once

#include "assay/compat/vectors.h"
#include "kernels/simt/simt.h"

#define __global__
#define __device__
#define __host__
#define __constant__
#define __managed__
#define __grid_constant__
#define __shared__ SIMT_SHARED
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#define __align__(bytes) alignas(bytes)

namespace assay::simt {

/// Head of what launch() gives to the executor.
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

// Values, not variables: so that types are deduced as on a device.
#define threadIdx (::assay::simt::thread_index())
#define blockIdx (::assay::simt::block_index())
#define blockDim (::assay::simt::geometry().block)
#define gridDim (::assay::simt::geometry().grid)
#define warpSize (::assay::simt::warp_size())

/// Shared memory whose size the launch gives; the name is HIP's.
#define HIP_DYNAMIC_SHARED(T, name) T* const name = reinterpret_cast<T*>(::simt::cpu::running->shared);

inline void __syncthreads() { ::simt::cpu::wait_for_block(); }
inline void __threadfence() { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
inline void __threadfence_block() { __atomic_thread_fence(__ATOMIC_SEQ_CST); }

template <class T>
T __ldg(const T* from) {
  return *from;
}
