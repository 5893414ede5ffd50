// libassay_nccl.so: the machine's NCCL all-reduce as a plug-in. Each rank has its own device. If there are too few devices, ranks
// share them; NCCL supports this from 2.30 on with NCCL_MULTI_RANK_GPU_ENABLE=1.
#include <dlfcn.h>
#include <nccl.h>

#include <algorithm>
#include <assay/cuda_plugin.hpp>
#include <assay/plugin/call.hpp>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace assay_nccl {

// The functions of libnccl.so.2, loaded on first use. ASSAY_NCCL names another file to load.

struct Api {
  decltype(&ncclGetVersion) version = nullptr;
  decltype(&ncclCommInitAll) init_all = nullptr;
  decltype(&ncclCommDestroy) destroy = nullptr;
  decltype(&ncclCommAbort) abort = nullptr;
  decltype(&ncclAllReduce) all_reduce = nullptr;
  decltype(&ncclGroupStart) group_start = nullptr;
  decltype(&ncclGroupEnd) group_end = nullptr;
  decltype(&ncclGetErrorString) text = nullptr;
  std::string missing;  ///< why NCCL could not be loaded; empty if NCCL was loaded

  static const Api& one() {
    static const Api api;
    return api;
  }

  /// The version as a number: 2.28.9 is 22809.
  int number() const {
    int number = 0;
    return version != nullptr && version(&number) == ncclSuccess ? number : 0;
  }

  /// The version as text, "2.28.9", or empty without NCCL.
  std::string release() const {
    const int n = number();
    return n == 0 ? "" : std::to_string(n / 10000) + "." + std::to_string(n / 100 % 100) + "." + std::to_string(n % 100);
  }

  void good(ncclResult_t result, const char* what) const {
    if (result == ncclSuccess) return;
    const std::string words = std::string(what) + ": " + text(result);
    if (result == ncclInvalidUsage || result == ncclInvalidArgument) assay::plugin::unsupported(words);
    assay::plugin::failed(words);
  }

 private:
  Api() {
    const char* const named = std::getenv("ASSAY_NCCL");
    void* const library = ::dlopen(named != nullptr ? named : "libnccl.so.2", RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
      missing = ::dlerror();
      return;
    }
    find(library, "ncclGetVersion", version);
    find(library, "ncclCommInitAll", init_all);
    find(library, "ncclCommDestroy", destroy);
    find(library, "ncclCommAbort", abort);
    find(library, "ncclAllReduce", all_reduce);
    find(library, "ncclGroupStart", group_start);
    find(library, "ncclGroupEnd", group_end);
    find(library, "ncclGetErrorString", text);
  }
  template <class Function>
  void find(void* library, const char* name, Function& function) {
    function = reinterpret_cast<Function>(::dlsym(library, name));
    if (function == nullptr) missing = std::string("libnccl has no ") + name;
  }
};

}  // namespace assay_nccl

namespace {

using assay::cuda::Call;
using assay::cuda::good;
using assay::plugin::failed;
using assay::plugin::has_type;
using assay::plugin::named;
using assay::plugin::Refusal;
using assay::plugin::report;
using assay::plugin::unsupported;
using assay_nccl::Api;

constexpr int kSharesDevices = 23000;             ///< the first NCCL release whose ranks may share a device
constexpr std::chrono::seconds kMostSeconds{20};  ///< time limit for a call of all ranks

ncclDataType_t type_of(const assay_tensor& t) {
  if (has_type(t, ASSAY_FLOAT, 32)) return ncclFloat32;
  if (has_type(t, ASSAY_BFLOAT, 16)) return ncclBfloat16;
  if (has_type(t, ASSAY_FLOAT, 16)) return ncclFloat16;
  unsupported(named(t) + " has a type that this library does not support: " + assay::plugin::type_name(t));
}

size_t elements_of(const assay_tensor& t) {
  size_t product = 1;
  for (int d = t.ndim - 1; d >= 0; --d) {
    if (t.shape[d] > 1 && size_t(t.strides[d]) != product) unsupported(named(t) + " must be dense");
    product *= size_t(t.shape[d]);
  }
  return product;
}

/// Communicators for one algorithm. NCCL reads NCCL_ALGO when it creates them.
class Communicators {
 public:
  Communicators(const std::string& algorithm, const std::vector<int>& devices) : all_(devices.size()) {
    ::setenv("NCCL_ALGO", algorithm.c_str(), 1);
    ::setenv("NCCL_NVLS_ENABLE", "0", 0);  // disabled, because the order of sums inside a switch is undocumented
    Api::one().good(Api::one().init_all(all_.data(), int(devices.size()), devices.data()), "ncclCommInitAll");
  }
  Communicators(const Communicators&) = delete;
  Communicators& operator=(const Communicators&) = delete;
  ~Communicators() {
    for (ncclComm_t one : all_) (void)(hung ? Api::one().abort(one) : Api::one().destroy(one));
  }
  ncclComm_t of(size_t rank) const { return all_[rank]; }
  bool hung = false;

 private:
  std::vector<ncclComm_t> all_;
};

class Group {
 public:
  Group(int size, int devices) {
    for (int rank = 0; rank < size; ++rank) devices_.push_back(rank * std::min(devices, size) / size);
    streams_.resize(size_t(size));
    for (size_t rank = 0; rank < devices_.size(); ++rank) {
      good(cudaSetDevice(devices_[rank]));
      good(cudaStreamCreateWithFlags(&streams_[rank], cudaStreamNonBlocking));
    }
    good(cudaSetDevice(0));
  }
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;
  ~Group() {
    communicators_.clear();
    for (cudaStream_t stream : streams_) (void)cudaStreamDestroy(stream);
    for (void* data : memory_) (void)cudaFree(data);
  }

  void* allocate(int rank, size_t bytes) {
    void* data = nullptr;
    (void)cudaSetDevice(devices_[size_t(rank)]);
    const cudaError_t error = cudaMalloc(&data, bytes);
    (void)cudaSetDevice(0);
    if (error != cudaSuccess) return (void)cudaGetLastError(), nullptr;
    return memory_.push_back(data), data;
  }

  /// Runs back-to-back calls. If the calls have streams, only enqueues them there.
  void run(const assay_call* const* const* row, int32_t n_calls, const std::string& algorithm) {
    const bool has_streams = row[0][0]->stream != nullptr;
    const assay_call* const* const calls = row[0];
    if (has_streams && calls[0]->stream == calls[1]->stream) unsupported("each rank must have its own stream");
    for (const int device : devices_)
      if (!has_streams) good(cudaSetDevice(device)), good(cudaDeviceSynchronize());  // wait for uploads
    std::unique_ptr<Communicators>& of_all = communicators_[algorithm];
    if (!of_all) of_all = std::make_unique<Communicators>(algorithm, devices_);
    for (int32_t i = 0; i < n_calls; ++i) enqueue(row[i], *of_all, has_streams);
    if (has_streams) return;  // the caller waits
    wait(*of_all);
    if (of_all->hung) {
      communicators_.erase(algorithm);
      throw Refusal(ASSAY_HUNG, late_);
    }
  }

 private:
  void enqueue(const assay_call* const* calls, Communicators& of_all, bool has_streams) {
    const Api& api = Api::one();
    api.good(api.group_start(), "ncclGroupStart");
    for (size_t rank = 0; rank < devices_.size(); ++rank) {
      const Call call(*calls[rank]);
      const assay_tensor &x = call.at("x"), &y = call.at("y");
      api.good(api.all_reduce(x.data, y.data, elements_of(x), type_of(x), ncclSum, of_all.of(rank),
                              has_streams ? static_cast<cudaStream_t>(calls[rank]->stream) : streams_[rank]),
               "ncclAllReduce");
    }
    api.good(api.group_end(), "ncclGroupEnd");
  }
  void wait(Communicators& of_all) {
    const auto end = std::chrono::steady_clock::now() + kMostSeconds;
    for (size_t rank = 0; rank < streams_.size(); ++rank) {
      cudaError_t state = cudaErrorNotReady;
      while ((state = cudaStreamQuery(streams_[rank])) == cudaErrorNotReady && std::chrono::steady_clock::now() < end)
        std::this_thread::sleep_for(std::chrono::microseconds(50));
      if (state == cudaErrorNotReady) {
        late_ = "rank " + std::to_string(rank) + " has not ended after " + std::to_string(kMostSeconds.count()) + " s";
        of_all.hung = true;
        return;
      }
      good(state);
    }
  }

  std::vector<int> devices_;
  std::vector<cudaStream_t> streams_;
  std::map<std::string, std::unique_ptr<Communicators>> communicators_;
  std::vector<void*> memory_;
  std::string late_;
};

bool ranks_may_share() {
  const char* const enabled = std::getenv("NCCL_MULTI_RANK_GPU_ENABLE");
  return enabled != nullptr && std::strcmp(enabled, "1") == 0 && Api::one().number() >= kSharesDevices;
}

void* create_group(int32_t size) {
  int devices = 0;
  if (!Api::one().missing.empty() || cudaGetDeviceCount(&devices) != cudaSuccess || devices < 1) return nullptr;
  if (size < 2 || (size > devices && !ranks_may_share())) return nullptr;
  try {
    return new Group(size, devices);
  } catch (const std::exception&) {
    return nullptr;
  }
}

/// Derives the algorithm from the kernel's name: "nccl_ring" means Ring.
assay_status run_group_in_a_row(void* group, const assay_call* const* const* calls, int32_t n_calls, int32_t) {
  const assay_call* const first = calls[0][0];
  try {
    static_cast<Group*>(group)->run(calls, n_calls, std::strcmp(first->kernel, "nccl_tree") == 0 ? "Tree" : "Ring");
    return ASSAY_OK;
  } catch (const Refusal& refusal) {
    return report(first, refusal.status, refusal.what());
  } catch (const std::exception& error) {
    return report(first, ASSAY_FAILED, error.what());
  }
}

}  // namespace

extern "C" __attribute__((visibility("default"))) const assay_library* assay_get_library(void) {
  static const assay_library library = [] {
    const assay::plugin::Accepts any = {};
    const std::string release = Api::one().release();
    assay_library l = *assay::cuda::library(release.empty() ? "nccl" : "nccl " + release,
                                            {{"nccl_ring", "all_reduce", {"nccl.all_reduce_ring"}, any, {}, nullptr},
                                             {"nccl_tree", "all_reduce", {"nccl.all_reduce_tree"}, any, {}, nullptr}});
    l.create_group = create_group;
    l.run_group = [](void* group, const assay_call* const* calls, int32_t n) { return run_group_in_a_row(group, &calls, 1, n); };
    l.run_group_in_a_row = run_group_in_a_row;
    l.allocate_on = [](void* group, int32_t rank, size_t bytes) { return static_cast<Group*>(group)->allocate(rank, bytes); };
    l.destroy_group = [](void* group) { delete static_cast<Group*>(group); };
    return l;
  }();
  return &library;
}
