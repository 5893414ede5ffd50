// Words and packets that pass between ranks on the CPU. Included by cpu_simt.h.
#pragma once

#include "kernels/simt/cpu/ranks.h"

namespace simt {

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

}  // namespace simt
