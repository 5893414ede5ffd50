// Rank communication that is equal on all devices. The vendor's header includes this file after it defines spin(), flag_now(),
// polled16(), loads and stores.
#pragma once

#include <cstdint>

#include "kernels/simt/types.h"

namespace simt {

SIMT_DEVICE bool wait_relaxed(const uint32_t* at, uint32_t value) {
  return spin([&] { return flag_now(at) == value; });
}
/// Writes data that other ranks read after this rank signals.
template <class T>
SIMT_DEVICE void send16(T* to, const Vector<T>& v) {
  store16(to, v);
}
template <class T>
SIMT_DEVICE void send1(T* to, T v) {
  *to = v;
}
template <class T>
SIMT_DEVICE Vector<T> receive16(const T* from) {
  return load16(from);
}
template <class T>
SIMT_DEVICE T receive1(const T* from) {
  return *from;
}
/// Polls until Arrived::in() says that the packet has arrived. Returns false after kLongestWait.
template <class Arrived, class T>
SIMT_DEVICE bool wait_packet(const T* from) {
  return spin([&] { return Arrived::in(polled16(from)); });
}
/// Waits 200 microseconds, so that all other ranks reach the place where they wait for this rank.
SIMT_DEVICE void may_lag() {
  (void)spin([] { return false; }, kLongestWait / 10000);
}
/// Does nothing on a device. On the CPU, the host thread that runs a rank creates one.
struct [[maybe_unused]] RankScope {
  RankScope(int /*rank*/, uint64_t /*seed*/, int /*straggler*/) {}
  RankScope(bool (* /*lost*/)(const void*), const void* /*of*/, bool /*is_late*/) {}
};
inline void rank_kernel_begins() {}
inline constexpr void (*kRanksInTurns)(int, void (*)(void*, int), void*) = nullptr;
/// Most blocks of a rank. The ranks of a device share a launch, and all of their blocks must run at the same time.
inline constexpr int kMostBlocksOfRank = 16;

}  // namespace simt
