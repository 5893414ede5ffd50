// Rank communication that is the same on all devices. Included by the vendor's header, and built on its spin(), flag_now(),
// polled16(), loads and stores.
#pragma once

#include <cstdint>

#include "kernels/simt/types.h"

namespace simt {

SIMT_DEVICE bool wait_relaxed(const uint32_t* at, uint32_t value) {
  return spin([&] { return flag_now(at) == value; });
}
/// Writes data that other ranks see once this rank signals.
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
/// Polls until Arrived::in() reports that the packet has arrived. Returns false if it does not arrive within spin()'s time limit.
template <class Arrived, class T>
SIMT_DEVICE bool wait_packet(const T* from) {
  return spin([&] { return Arrived::in(polled16(from)); });
}
/// Delays by 200 microseconds, in which all other ranks reach the place where they wait for this rank.
SIMT_DEVICE void may_lag() {
  (void)spin([] { return false; }, kLongestWait / 10000);
}
/// On a device this does nothing; on the CPU the host thread that runs a rank creates one.
struct [[maybe_unused]] RankScope {
  RankScope(int /*rank*/, uint64_t /*seed*/, int /*straggler*/) {}
  RankScope(bool (* /*lost*/)(const void*), const void* /*of*/, bool /*is_late*/) {}
};
inline void rank_kernel_begins() {}
inline constexpr void (*kRanksInTurns)(int, void (*)(void*, int), void*) = nullptr;
/// Limit for the blocks of a rank. All ranks of a device share a launch, and all of their blocks must run at the same time.
inline constexpr int kMostBlocksOfRank = 16;

}  // namespace simt
