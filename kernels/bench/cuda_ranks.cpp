// Times all-reduce over two or more ranks on devices: Assay's plain kernels and NCCL's ring and tree, at 64 KiB and 1 MiB.
// All calls go through the C ABI. Each rank has a stream, so the host does not wait between calls. Each algorithm is timed twice:
// as single calls from one thread (with launch time) and as a graph (device time alone). Each rank has its own device if there
// are enough devices; otherwise ranks share devices.
// Usage: assay_cuda_ranks [RANKS] [OUR LIBRARY] [NCCL LIBRARY]
#include <algorithm>
#include <array>
#include <cstring>

#include "kernels/bench/cuda_calls.h"

namespace {

using namespace assay_kernels;

/// Number of ranks on each device: the libraries distribute ranks evenly over as many devices as possible.
int ranks_of_a_device(int ranks) {
  int devices = 0;
  check(cudaGetDeviceCount(&devices), "cudaGetDeviceCount");
  int count = std::min(devices, ranks);
  while (ranks % count != 0) --count;
  return ranks / count;
}

constexpr int kWarmUp = 20, kCalls = 200, kRounds = 11;

struct Path {
  const char *title, *contract, *kernel;
};

/// Buffers, streams and calls of all ranks of one library's group.
class Group {
 public:
  Group(const assay_library& library, int ranks, int64_t bytes)
      : library_(library), calls_(size_t(ranks)), tensors_(size_t(ranks)) {
    const int each = ranks_of_a_device(ranks);
    group_ = library.create_group != nullptr ? library.create_group(ranks) : nullptr;
    shape_ = {1, bytes / 2};
    strides_ = {bytes / 2, 1};
    for (int r = 0; group_ != nullptr && r < ranks; ++r) {
      check(cudaSetDevice(r / each), "cudaSetDevice");
      cudaStream_t stream;
      check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "cudaStreamCreate");
      streams_.push_back(stream);
      void *x = library.allocate_on(group_, r, size_t(bytes)), *y = library.allocate_on(group_, r, size_t(bytes));
      if (x == nullptr || y == nullptr) std::exit(3);
      check(cudaSetDevice(r / each), "cudaSetDevice");  // a library may have changed the current device
      check(cudaMemset(x, 0x40, size_t(bytes)), "cudaMemset");
      for (const auto& [role, data] : {std::pair<const char*, void*>{"x", x}, {"y", y}}) {
        assay_tensor& t = tensors_[size_t(r)][data == y ? 1 : 0];
        t = {sizeof t, ASSAY_BFLOAT, 16, uint8_t(data == y), 2, role, shape_.data(), strides_.data(), data, uint64_t(bytes)};
      }
    }
    for (int device = 0; device < ranks / each; ++device)
      check(cudaSetDevice(device), "cudaSetDevice"), check(cudaDeviceSynchronize(), "upload");
    check(cudaSetDevice(0), "cudaSetDevice");
  }
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;
  ~Group() {
    for (cudaStream_t stream : streams_) (void)cudaStreamDestroy(stream);
    if (group_ != nullptr) library_.destroy_group(group_);
  }
  bool made() const { return group_ != nullptr; }

  /// Seconds per call: the median over rounds of kCalls back-to-back calls. Returns a negative number if a call was rejected.
  double seconds(const Path& path, bool as_graph) {
    prepare(path);
    for (int i = 0; i < kWarmUp; ++i)
      if (!enqueue()) return -1;
    wait(path);
    cudaGraphExec_t graph = as_graph ? captured() : nullptr;
    if (as_graph && graph == nullptr) return -1;
    cudaEvent_t begin, end;
    check(cudaEventCreate(&begin), "cudaEventCreate");
    check(cudaEventCreate(&end), "cudaEventCreate");
    std::vector<double> rounds;
    for (int round = 0; round < kRounds; ++round) {
      check(cudaEventRecord(begin, streams_[0]), "cudaEventRecord");
      if (as_graph) check(cudaGraphLaunch(graph, streams_[0]), "cudaGraphLaunch");
      for (int i = 0; i < kCalls && !as_graph; ++i)
        if (!enqueue()) return -1;
      check(cudaEventRecord(end, streams_[0]), "cudaEventRecord");
      wait(path);
      float milliseconds = 0;
      check(cudaEventElapsedTime(&milliseconds, begin, end), "cudaEventElapsedTime");
      rounds.push_back(milliseconds * 1e-3 / kCalls);
    }
    check(cudaEventDestroy(begin), "cudaEventDestroy");
    check(cudaEventDestroy(end), "cudaEventDestroy");
    if (as_graph) check(cudaGraphExecDestroy(graph), "cudaGraphExecDestroy");
    std::nth_element(rounds.begin(), rounds.begin() + kRounds / 2, rounds.end());
    return rounds[kRounds / 2];
  }
  const char* message() const { return message_; }

  /// True if every element on every rank is 3 * `ranks`: each input element is 3, which is 0x4040 in bf16.
  bool is_right() const {
    const float sum = 3.0f * float(tensors_.size());
    uint32_t bits = 0;
    std::memcpy(&bits, &sum, sizeof bits);
    for (const auto& of_rank : tensors_) {
      std::vector<uint16_t> y(of_rank[1].bytes / 2);
      check(cudaMemcpy(y.data(), of_rank[1].data, of_rank[1].bytes, cudaMemcpyDefault), "download");
      for (const uint16_t code : y)
        if (code != bits >> 16) return false;
    }
    return true;
  }

 private:
  void prepare(const Path& path) {
    pointers_.clear();
    for (size_t r = 0; r < calls_.size(); ++r) {
      assay_call& call = calls_[r];
      call = {};
      call.size = sizeof call, call.op = "all_reduce", call.contract = path.contract, call.kernel = path.kernel;
      call.tensors = tensors_[r].data(), call.n_tensors = 2, call.stream = streams_[r];
      call.message = message_, call.message_bytes = sizeof message_, call.rank = int32_t(r),
      call.world_size = int32_t(calls_.size());
      pointers_.push_back(&call);
    }
  }
  bool enqueue() { return library_.run_group(group_, pointers_.data(), int32_t(pointers_.size())) == ASSAY_OK; }
  void wait(const Path& path) {
    for (cudaStream_t stream : streams_) check(cudaStreamSynchronize(stream), path.title);
  }

  /// Captures a round of calls into one graph. The other streams fork from the first stream and join it again. Returns null if a
  /// call was rejected.
  cudaGraphExec_t captured() {
    std::vector<cudaEvent_t> events(streams_.size());
    const int each = ranks_of_a_device(int(streams_.size()));
    for (size_t r = 0; r < streams_.size(); ++r) {
      check(cudaSetDevice(int(r) / each), "cudaSetDevice");
      check(cudaEventCreateWithFlags(&events[r], cudaEventDisableTiming), "cudaEventCreate");
    }
    check(cudaSetDevice(0), "cudaSetDevice");
    check(cudaStreamBeginCapture(streams_[0], cudaStreamCaptureModeRelaxed), "cudaStreamBeginCapture");
    check(cudaEventRecord(events[0], streams_[0]), "cudaEventRecord");
    for (size_t r = 1; r < streams_.size(); ++r) check(cudaStreamWaitEvent(streams_[r], events[0], 0), "cudaStreamWaitEvent");
    bool good = true;
    for (int i = 0; i < kCalls && good; ++i) good = enqueue();
    for (size_t r = 1; r < streams_.size(); ++r) {
      check(cudaEventRecord(events[r], streams_[r]), "cudaEventRecord");
      check(cudaStreamWaitEvent(streams_[0], events[r], 0), "cudaStreamWaitEvent");
    }
    cudaGraph_t graph = nullptr;
    check(cudaStreamEndCapture(streams_[0], &graph), "cudaStreamEndCapture");
    cudaGraphExec_t ready = nullptr;
    if (good) check(cudaGraphInstantiate(&ready, graph, 0), "cudaGraphInstantiate");
    check(cudaGraphDestroy(graph), "cudaGraphDestroy");
    for (cudaEvent_t event : events) check(cudaEventDestroy(event), "cudaEventDestroy");
    return ready;
  }

  const assay_library& library_;
  void* group_ = nullptr;
  std::vector<cudaStream_t> streams_;
  std::vector<assay_call> calls_;
  std::vector<const assay_call*> pointers_;
  std::vector<std::array<assay_tensor, 2>> tensors_;
  std::array<int64_t, 2> shape_{}, strides_{};
  char message_[256] = "";
};

/// Returns the message bytes per second of the fastest kernel in `paths`.
double best_of(const char* title, const assay_library& library, const std::vector<Path>& paths, int ranks, int64_t bytes,
               bool as_graph) {
  Group group(library, ranks, bytes);
  double best = 0;
  for (const Path& path : paths) {
    const double seconds = group.made() ? group.seconds(path, as_graph) : -1;
    if (seconds < 0) {
      std::printf("%-8s %-44s %10s  %s\n", title, path.title, "-",
                  group.made() ? group.message() : "cannot create a group of this many ranks");
      continue;
    }
    const bool right = group.is_right();
    std::printf("%-8s %-44s %10.2f us %8.2f GB/s%s\n", title, path.title, seconds * 1e6, double(bytes) / seconds * 1e-9,
                right ? "" : "  WRONG SUMS");
    if (!right) std::exit(1);
    best = std::max(best, double(bytes) / seconds);
  }
  return best;
}

}  // namespace

int main(int argc, char** argv) {
  const int ranks = argc > 1 ? std::atoi(argv[1]) : 2;
  const assay_library& ours = open_library(argc > 2 ? argv[2] : ASSAY_CUDA_LIBRARY);
  const assay_library& nccl = open_library(argc > 3 ? argv[3] : ASSAY_NCCL_LIBRARY);
  int devices = 0;
  check(cudaGetDeviceCount(&devices), "cudaGetDeviceCount");
  cudaDeviceProp properties{};
  check(cudaGetDeviceProperties(&properties, 0), "cudaGetDeviceProperties");
  std::printf("%d ranks on %d x %s, bf16, median of %d rounds of %d calls\n", ranks, std::min(devices, ranks), properties.name,
              kRounds, kCalls);
  bool enough = true;
  for (const bool as_graph : {false, true})
    for (const int64_t bytes : {int64_t{1} << 16, int64_t{1} << 20}) {
      std::printf("%lld KiB, %s\n", static_cast<long long>(bytes >> 10), as_graph ? "as a graph" : "as calls from one thread");
      const double theirs =
          best_of("nccl", nccl, {{"ring", "nccl.all_reduce_ring", "nccl_ring"}, {"tree", "nccl.all_reduce_tree", "nccl_tree"}},
                  ranks, bytes, as_graph);
      std::vector<Path> plain = {{"one shot", "vllm.all_reduce_1stage", "all_reduce.one_shot"},
                                 {"two shots", "sglang.all_reduce_v2_pull", "all_reduce.two_shot"}};
      if (ranks > 2) plain.push_back({"two stages", "vllm.all_reduce_2stage", "all_reduce.two_shot"});
      const double own = best_of("assay", ours, plain, ranks, bytes, as_graph);
      if (theirs > 0) std::printf("Assay's rate is %.2f of NCCL's (expected: at least 0.80)\n", own / theirs);
      enough = enough && (theirs == 0 || own >= 0.8 * theirs);
    }
  return enough ? 0 : 1;
}
