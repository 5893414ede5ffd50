// Words and packets that pass between ranks on NVIDIA GPUs. Included by cuda_simt.h, whose loads and stores it is written with.
#pragma once

namespace simt {

/// Words by which ranks tell each other how far they are, in the scope of the system. With release: what this rank sent before is
/// there, too.
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
inline constexpr uint64_t kLongestWait = 2000000000u;  ///< of a rank, in nanoseconds
template <class Ready>
SIMT_DEVICE bool spin(Ready ready, uint64_t most = kLongestWait) {
  for (uint64_t begin = 0; !ready();) {
    if (begin == 0) begin = nanoseconds();
    if (nanoseconds() - begin > most) return false;
  }
  return true;
}
/// Waits until a word has the value. False: it did not get it in two seconds.
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
/// Without a signal, as polled16() reads it.
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

// What needs no instruction of its own.
#include "kernels/simt/device_ranks.h"
