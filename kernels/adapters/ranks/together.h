// What adapters of kernels share whose ranks wait for each other: the ranks that a device holds run at once, each in a stream of
// its own.
#pragma once

#include <functional>

#include "assay/cuda_plugin.hpp"

namespace assay::ranks {

using cuda::Call;
using cuda::good;
using cuda::Kernel;
using plugin::Ranks;
using plugin::unsupported;

/// Enqueues `launch(rank, stream)` of the ranks first .. first + count - 1 behind what the stream of `call` has, and has that
/// stream wait for all of them. Whatever one of them launches must fit on the device as often as there are ranks (resident.cpp),
/// or is refused; that the device has nothing else to run is the caller's business.
void together(const Call& call, int first, int count, const std::function<void(int rank, cudaStream_t stream)>& launch);

/// Blocks of a rank: at most so many, and at most a device holds of all its ranks where each fills a processor. Of kernels
/// whose caller says how many, and whose sums do not depend on it.
int blocks_for(int most, int ranks);

/// Refuses to be captured: where peers lie is written before each call.
void expect_no_capture(const Call& call);

/// Elements of a tensor. Refuses one that is not dense, or has no element or no multiple of 16 bytes: kernels launch no block for
/// none.
int64_t packets_of(const assay_tensor& t);
inline int64_t bytes_of(const assay_tensor& t) { return packets_of(t) * 16; }

/// Data of that role of a rank's call, which has the type of T.
template <class T>
T* in(const Ranks& ranks, int rank, const char* role) {
  return const_cast<T*>(Call(*ranks.calls[rank]).in<T>(role).dense().data);
}
template <class T>
T* out(const Ranks& ranks, int rank, const char* role) {
  return Call(*ranks.calls[rank]).out<T>(role).data;
}

}  // namespace assay::ranks
