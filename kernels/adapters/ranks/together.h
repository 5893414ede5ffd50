// Shared by adapters of kernels whose ranks wait for each other: all ranks of a device run at once, each on its own stream.
#pragma once

#include <functional>

#include "assay/cuda_plugin.hpp"

namespace assay::ranks {

using cuda::Call;
using cuda::good;
using cuda::Kernel;
using plugin::Ranks;
using plugin::unsupported;

/// Calls `launch(rank, stream)` for ranks first .. first + count - 1. The launches wait for earlier work on the stream of `call`,
/// and that stream then waits for all of them. If the device cannot hold all grids at once, the launch is rejected
/// (resident.cpp). The caller ensures that the device is otherwise idle.
void together(const Call& call, int first, int count, const std::function<void(int rank, cudaStream_t stream)>& launch);

// Kernels that wait for peers on the same device hang unless all their blocks are resident at once. resident.cpp wraps the
// runtime's launch functions (linker option --wrap) and rejects launches that would hang.

/// While an object lives, a launch of this thread is rejected if the device cannot hold `copies` of its grid at once.
class AtOnce {
 public:
  explicit AtOnce(int copies);
  AtOnce(const AtOnce&) = delete;
  AtOnce& operator=(const AtOnce&) = delete;
  ~AtOnce();
};

/// Number of blocks for a rank: at most `most`, and so few that the blocks of all ranks are resident even if each fills a
/// multiprocessor. Only for kernels whose result does not depend on the number of blocks.
int blocks_for(int most, int ranks);

/// Rejects calls that are being captured into a graph, because the peers' addresses are written before each call.
void expect_no_capture(const Call& call);

/// Number of 16-byte packets of a tensor. Rejects a tensor that is not dense, is empty, or has a size that is not a multiple of
/// 16 bytes. (For an empty tensor, the kernels would launch no block.)
int64_t packets_of(const assay_tensor& t);
inline int64_t bytes_of(const assay_tensor& t) { return packets_of(t) * 16; }

/// Data of the tensor with that role in a rank's call. Its element type must be T.
template <class T>
T* in(const Ranks& ranks, int rank, const char* role) {
  return const_cast<T*>(Call(*ranks.calls[rank]).in<T>(role).dense().data);
}
template <class T>
T* out(const Ranks& ranks, int rank, const char* role) {
  return Call(*ranks.calls[rank]).out<T>(role).data;
}

}  // namespace assay::ranks
