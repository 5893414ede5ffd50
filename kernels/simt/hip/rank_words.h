// Words and packets that pass between ranks on AMD GPUs. Included by hip_simt.h, whose loads and stores it is written with.
#pragma once

namespace simt {

/// Words by which ranks tell each other how far they are, in the scope of the system. With release: what this rank sent before is
/// there, too.
SIMT_DEVICE void signal_release(uint32_t* to, uint32_t value) {
  __hip_atomic_store(to, value, __ATOMIC_RELEASE, __HIP_MEMORY_SCOPE_SYSTEM);
}
SIMT_DEVICE void signal_relaxed(uint32_t* to, uint32_t value) {
  __hip_atomic_store(to, value, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_SYSTEM);
}
inline constexpr uint64_t kLongestWait = 200000000u;  ///< of a rank, in ticks of a clock of 100 MHz
template <class Ready>
SIMT_DEVICE bool spin(Ready ready, uint64_t most = kLongestWait) {
  for (uint64_t begin = 0; !ready();) {
    const uint64_t now = __builtin_readsteadycounter();
    if (begin == 0) begin = now;
    if (now - begin > most) return false;
  }
  return true;
}
/// Waits until a word has the value. False: it did not get it in two seconds.
SIMT_DEVICE bool wait_acquire(const uint32_t* at, uint32_t value) {
  return spin([&] { return __hip_atomic_load(at, __ATOMIC_ACQUIRE, __HIP_MEMORY_SCOPE_SYSTEM) == value; });
}
SIMT_DEVICE uint32_t flag_now(const uint32_t* at) { return __hip_atomic_load(at, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_SYSTEM); }
/// Without a signal, as polled16() reads it.
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

// What needs no instruction of its own.
#include "kernels/simt/device_ranks.h"
