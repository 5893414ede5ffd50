// libassay_sglang_ranks.so: the custom all-reduce of one SGLang release since 0.5.16, as a plug-in. csrc/distributed is
// unchanged. The ranks' areas hold the workspace and the counters, which SGLang keeps in Python tensors.
#include <distributed/custom_all_reduce.cuh>
#if __has_include(<distributed/registry.cuh>)
#include <distributed/registry.cuh>
#else
#define ASSAY_ONE_COMMUNICATOR
#include <distributed/communicator.cuh>
#endif

#include "sglang_tensor.h"

namespace sglang {}  // namespace sglang

namespace assay::ranks {
namespace {

using namespace sglang;
using tvm::ffi::TensorView;
namespace distributed = host::distributed;

constexpr DLDataType kByte{kDLUInt, 8, 1};
constexpr int kMostBlocks = 32;  ///< per rank

/// Layout of an area (memory that a rank keeps between calls, initially zero): push counters, block semaphores, 2 * ranks slots
/// for pushed data, and one buffer for pulled data.
struct Parts {
  static constexpr size_t kCounts = plugin::kAreaHead, kSemaphores = kCounts + 4 * kMostBlocks,
                          kSlots = kSemaphores + 128 * kMostBlocks;
  explicit Parts(const Ranks& of) : ranks(of), slot((of.area_bytes - kSlots) / size_t(2 * of.size + 1) / 128 * 128) {}
  void* at(int rank, size_t place) const { return static_cast<char*>(ranks.areas[rank]) + place; }
  void* buffer(int rank) const { return at(rank, kSlots + size_t(2 * ranks.size) * slot); }
  static size_t bytes(int64_t message, int ranks) { return kSlots + size_t(2 * ranks + 1) * size_t((message + 127) / 128 * 128); }

  const Ranks& ranks;
  const size_t slot;  ///< in bytes
};

plugin::AreaRequest parts_area(const Call& call) {
  plugin::AreaRequest request;
  request.bytes = Parts::bytes(bytes_of(call.at("x")), call.raw().world_size);
  return request;
}

/// Creates a tvm::ffi object and returns a reference to it.
template <class Reference, class... Arguments>
Reference made(const Arguments&... arguments) {
  return tvm::ffi::details::ObjectUnsafe::ObjectRefFromObjectPtr<Reference>(
      tvm::ffi::make_object<typename Reference::ContainerType>(arguments...));
}

distributed::CommunicatorRef communicator_of(const Ranks& ranks, int rank) {
  const Parts parts(ranks);
  const int64_t blocks = blocks_for(kMostBlocks, ranks.size), slot = int64_t(parts.slot);
  std::vector<tvm::ffi::Tensor> kept;
  const auto seen = [&](void* data, const std::vector<int64_t>& sizes) {
    return TensorView(kept.emplace_back(tensor_at(data, kByte, sizes)));
  };
  std::vector<TensorView> slots, buffers, semaphores;
  for (int peer = 0; peer < ranks.size; ++peer) {
    slots.push_back(seen(parts.at(peer, Parts::kSlots), {2 * ranks.size, slot}));
    buffers.push_back(seen(parts.buffer(peer), {slot}));
    semaphores.push_back(seen(parts.at(peer, Parts::kSemaphores), {blocks, 128}));
  }
  const TensorView counts = seen(parts.at(rank, Parts::kCounts), {blocks, 4});
#ifdef ASSAY_ONE_COMMUNICATOR
  return made<distributed::CommunicatorRef>(uint32_t(rank), uint32_t(ranks.size), slots, buffers, semaphores, counts,
                                            std::optional<int64_t>());
#else
  const auto push = made<distributed::PushPlaneRef>(uint32_t(rank), uint32_t(ranks.size), slots, counts, intptr_t{0});
  const auto pull =
      made<distributed::PullPlaneRef>(uint32_t(rank), uint32_t(ranks.size), buffers, semaphores, intptr_t{0}, intptr_t{0});
  return made<distributed::CommunicatorRef>(push, pull);
#endif
}

/// Memory for y of the rank that is launched next. When SGLang allocates its output, give_result() returns this memory.
thread_local void* next_result = nullptr;
int give_result(DLTensor* wanted, DLManagedTensorVersioned** given, void*, void (*)(void*, const char*, const char*)) {
  *given = managed(next_result, wanted->dtype, wanted->shape, wanted->ndim);
  return 0;
}

template <class T, uint32_t kRanks>
void run(const Ranks& ranks, int rank, const char* algorithm) {
  const Call call(*ranks.calls[rank]);
  const assay_tensor& x = call.at("x");
  next_result = call.out<T>("y").dense().data;
  const tvm::ffi::Tensor in = tensor_at(x.data, kTypeOf<T>, {x.shape, x.shape + x.ndim});
#ifdef ASSAY_ONE_COMMUNICATOR
  (void)AllReduceKernel<T, kRanks, true>::run(communicator_of(ranks, rank), in, algorithm, false);
#else
  (void)AllReduceKernel<T, kRanks, true>::run(communicator_of(ranks, rank), in, algorithm, {}, false);
#endif
}

void reduce_by(const char* algorithm, const Call& call, const Ranks& ranks, int first, int count) {
  (void)packets_of(call.at("x"));
  if (TVMFFIEnvSetDLPackManagedTensorAllocator(give_result, 0, nullptr) != 0)
    plugin::failed("TVMFFIEnvSetDLPackManagedTensorAllocator");
  cuda::with_type<__nv_bfloat16, __half, float>(call.at("x"), [&](auto of) {
    using T = typename decltype(of)::type;
    together(call, first, count, [&](int rank, cudaStream_t stream) {
      use_stream(stream);
      switch (ranks.size) {
        case 2:
          return run<T, 2>(ranks, rank, algorithm);
        case 4:
          return run<T, 4>(ranks, rank, algorithm);
        case 6:
          return run<T, 6>(ranks, rank, algorithm);
        case 8:
          return run<T, 8>(ranks, rank, algorithm);
        default:
          unsupported("this adapter has kernels only for 2, 4, 6 or 8 ranks");
      }
    });
  });
}

void pull(const Call& call, const Ranks& ranks, int first, int count) { reduce_by("1shot_pull", call, ranks, first, count); }
void pull_twice(const Call& call, const Ranks& ranks, int first, int count) {
  reduce_by("2shot_pull", call, ranks, first, count);
}
void push(const Call& call, const Ranks& ranks, int first, int count) { reduce_by("1shot_push", call, ranks, first, count); }

Kernel kernel(const char* name, std::vector<std::string> contracts, decltype(Kernel::run_ranks) run) {
  Kernel row{name, "all_reduce", std::move(contracts), {{"ranks", {2, 4, 6, 8}}}, {}, nullptr};
  row.area = parts_area;
  row.run_ranks = run;
  return row;
}

}  // namespace
}  // namespace assay::ranks

extern "C" __attribute__((visibility("default"))) const assay_library* assay_get_library(void) {
  using namespace assay::ranks;
  return assay::cuda::library(
      ASSAY_PACKAGE,
      {kernel("1shot_pull", {"sglang.all_reduce_v2_pull@v0.5.16"}, pull),
       kernel("2shot_pull", {"sglang.all_reduce_v2_pull@v0.5.16"}, pull_twice),
       kernel("1shot_push", {"sglang.all_reduce_v2_push@v0.5.16", "sglang.all_reduce_v2_push@v0.5.19"}, push)},
      ASSAY_UNSUPPORTED);
}
