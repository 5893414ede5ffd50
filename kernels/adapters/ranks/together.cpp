#include "together.h"

#include <algorithm>
#include <cstdlib>
#include <map>

namespace assay::ranks {
namespace {

/// Must run before the device is first used. It gives streams separate hardware queues: streams in one queue wait for each other.
/// It turns off lazy loading: otherwise a first launch waits for all running kernels, and one of them may wait for that launch.
__attribute__((constructor)) void set_environment() {
  (void)setenv("CUDA_DEVICE_MAX_CONNECTIONS", "32", 0);
  (void)setenv("CUDA_MODULE_LOADING", "EAGER", 0);
}

/// The streams of one device, kept while the library is loaded.
struct Streams {
  cudaStream_t of_rank[plugin::kMostRanks];
  cudaEvent_t begin, end[plugin::kMostRanks];
  Streams() {
    good(cudaEventCreateWithFlags(&begin, cudaEventDisableTiming));
    for (int rank = 0; rank < plugin::kMostRanks; ++rank) {
      good(cudaStreamCreateWithFlags(&of_rank[rank], cudaStreamNonBlocking));
      good(cudaEventCreateWithFlags(&end[rank], cudaEventDisableTiming));
    }
  }
  static Streams& of_this_device() {
    static std::map<int, Streams> all;
    int device = 0;
    good(cudaGetDevice(&device));
    return all[device];
  }
};

}  // namespace

void together(const Call& call, int first, int count, const std::function<void(int, cudaStream_t)>& launch) {
  Streams& streams = Streams::of_this_device();
  const AtOnce at_once(count);
  good(cudaEventRecord(streams.begin, call.stream()));
  for (int i = 0; i < count; ++i) good(cudaStreamWaitEvent(streams.of_rank[i], streams.begin));
  // No other runtime call may be made between the launches: it could wait for a launched kernel.
  for (int i = 0; i < count; ++i) launch(first + i, streams.of_rank[i]);
  for (int i = 0; i < count; ++i) {
    good(cudaEventRecord(streams.end[i], streams.of_rank[i]));
    good(cudaStreamWaitEvent(call.stream(), streams.end[i]));
  }
}

int blocks_for(int most, int ranks) {
  int device = 0, processors = 0;
  good(cudaGetDevice(&device));
  good(cudaDeviceGetAttribute(&processors, cudaDevAttrMultiProcessorCount, device));
  return std::max(1, std::min(most, processors / ranks));
}

void expect_no_capture(const Call& call) {
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
  if (call.stream() != nullptr) good(cudaStreamIsCapturing(call.stream(), &status));
  if (status != cudaStreamCaptureStatusNone)
    unsupported("this kernel cannot be captured in a graph: before each call, the host writes the addresses of the other ranks' buffers");
}

int64_t packets_of(const assay_tensor& t) {
  int64_t elements = 1;
  for (int d = t.ndim - 1; d >= 0; --d) {
    if (t.shape[d] > 1 && t.strides[d] != elements) unsupported(plugin::named(t) + " must be dense");
    elements *= t.shape[d];
  }
  const int64_t bytes = elements * t.type_bits / 8;
  if (bytes == 0) unsupported(plugin::named(t) + " must not be empty: the kernel would launch no block");
  if (bytes % 16 != 0) unsupported(plugin::named(t) + ": its size must be a multiple of 16 bytes");
  return bytes / 16;
}

}  // namespace assay::ranks
