// What ranks on a device have in common, whoever made it. Included by the vendor's header, whose spin(), flag_now(), polled16(), loads
// and stores it is written with.
#pragma once

#include <cstdint>

#include "kernels/simt/types.h"

namespace simt {

SIMT_DEVICE bool wait_relaxed(const uint32_t* at, uint32_t value) {
  return spin([&] { return flag_now(at) == value; });
}
/// For other ranks, once this one signals.
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
/// Polls until Arrived::in() says that the packet is there. False: it did not come in the time that spin() gives it.
template <class Arrived, class T>
SIMT_DEVICE bool wait_packet(const T* from) {
  return spin([&] { return Arrived::in(polled16(from)); });
}
/// 200 microseconds pass, in which all other ranks come to where they wait for this one.
SIMT_DEVICE void may_lag() {
  (void)spin([] { return false; }, kLongestWait / 10000);
}
/// A rank of the host: nothing to be done on a device.
struct [[maybe_unused]] RankScope {
  RankScope(const void* /*key*/, int /*rank*/, int /*size*/, uint64_t /*seed*/, int /*straggler*/) {}
  RankScope(bool (* /*lost*/)(const void*), const void* /*of*/, bool /*is_late*/) {}
};
inline void rank_kernel_begins() {}
/// All ranks of a device share a launch, and all of their blocks run at once.
inline constexpr int kMostBlocksOfRank = 16;

}  // namespace simt
