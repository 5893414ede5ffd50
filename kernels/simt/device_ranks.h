// What ranks on a device have in common, whoever made it. Included by the vendor's header, whose spin() and polled16() it is
// written with.
#pragma once

#include <cstdint>

#include "kernels/simt/types.h"

namespace simt {

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
