// libassay_torch_ranks.so: the all-reduce kernels of torch's symmetric memory as a plug-in. ranks/build copies the kernels from
// CUDASymmetricMemoryOps.cu, unchanged, into kernels.inc; functions that they call are in torch's headers. The adapter chooses the
// number of blocks, since no element's result depends on it.
#include <ATen/ATen.h>
#include <ATen/ceil_div.h>
#include <torch/csrc/distributed/c10d/symm_mem/CUDASymmetricMemory-inl.h>

#include <algorithm>

#include "together.h"

namespace {
using namespace c10d::symmetric_memory;
#include "kernels.inc"
}  // namespace

namespace assay::ranks {
namespace {

constexpr int kBlocks = 24;  ///< limit for the number of blocks of each kernel
/// Layout of an area: signals, addresses of all ranks' buffers, addresses of all ranks' signals, the symmetric buffer.
constexpr size_t kSignals = 0, kBufferPointers = kBlocks * plugin::kMostRanks * sizeof(uint32_t);
constexpr size_t kSignalPointers = kBufferPointers + plugin::kMostRanks * sizeof(void*);
constexpr size_t kBuffer = kSignalPointers + plugin::kMostRanks * sizeof(void*);
static_assert(kBuffer % 16 == 0);

plugin::AreaRequest area(const Call& call) {
  plugin::AreaRequest request;
  request.bytes = kBuffer + size_t(bytes_of(call.at("x")));
  return request;
}

template <class T>
struct OfRank {
  size_t rank, size, numbers;  ///< numbers: number of elements of x
  int blocks, threads;
  T *x, *y, *buffer, **buffers;
  uint32_t** signals;
  cudaStream_t stream;
};

/// Calls `run(world, of_rank)` for a rank. torch specializes its kernels for 2, 4 and 8 ranks; `world` is that number, or -1.
template <class T, class Run>
void with_world(const OfRank<T>& own, const Run& run) {
  if (own.size == 2) return run(std::integral_constant<int, 2>(), own);
  if (own.size == 4) return run(std::integral_constant<int, 4>(), own);
  if (own.size == 8) return run(std::integral_constant<int, 8>(), own);
  run(std::integral_constant<int, -1>(), own);
}

/// Calls with_world() for each rank, with the element type of x. Messages are multiples of 16 bytes, and a thread loads 16 bytes.
/// `parts`: 1 if each rank sums the whole message; the number of ranks if each sums a part of it.
template <class Run>
void with_ranks(const Call& call, const Ranks& ranks, int first, int count, int parts, size_t most_threads, const Run& run) {
  expect_no_capture(call);
  const auto at = [&](int rank, size_t place) { return static_cast<char*>(ranks.areas[rank]) + place; };
  good(cudaStreamSynchronize(call.stream()));
  for (int rank = first; rank < first + count; ++rank) {
    void* pointers[2 * plugin::kMostRanks] = {};
    for (int peer = 0; peer < ranks.size; ++peer) {
      pointers[peer] = at(peer, kBuffer);
      pointers[plugin::kMostRanks + peer] = at(peer, kSignals);
    }
    good(cudaMemcpy(at(rank, kBufferPointers), pointers, sizeof pointers, cudaMemcpyHostToDevice));
  }
  const size_t all_loads = size_t(packets_of(call.at("x"))), loads = (all_loads + size_t(parts) - 1) / size_t(parts);
  const size_t threads = std::min(most_threads, (loads + 31) / 32 * 32);
  const int blocks = std::min(blocks_for(kBlocks, count), int((loads + threads - 1) / threads));
  cuda::with_type<__nv_bfloat16, float>(call.at("x"), [&](auto of) {
    using X = typename decltype(of)::type;
    using T = std::conditional_t<sizeof(X) == 2, at::BFloat16, float>;
    together(call, first, count, [&](int rank, cudaStream_t stream) {
      with_world(OfRank<T>{size_t(rank), size_t(ranks.size), all_loads * 16 / sizeof(T), blocks, int(threads),
                           reinterpret_cast<T*>(in<X>(ranks, rank, "x")), reinterpret_cast<T*>(out<X>(ranks, rank, "y")),
                           reinterpret_cast<T*>(at(rank, kBuffer)), reinterpret_cast<T**>(at(rank, kBufferPointers)),
                           reinterpret_cast<uint32_t**>(at(rank, kSignalPointers)), stream},
                 run);
      good(cudaGetLastError());
    });
  });
}

template <class T>
void copy(T* to, const T* from, const OfRank<T>& own) {
  good(cudaMemcpyAsync(to, from, own.numbers * sizeof(T), cudaMemcpyDeviceToDevice, own.stream));
}

/// one_shot_all_reduce reads the symmetric buffer; one_shot_all_reduce_copy first fills it from an ordinary tensor.
template <bool kCopies>
void one_shot(const Call& call, const Ranks& ranks, int first, int count) {
  with_ranks(call, ranks, first, count, 1, one_shot_all_reduce_max_num_threads, [](auto world, auto& own) {
    using T = std::remove_pointer_t<decltype(own.x)>;
    if (!kCopies) copy(own.buffer, own.x, own);
    one_shot_all_reduce_kernel<T, 16, decltype(world)::value><<<own.blocks, own.threads, 0, own.stream>>>(
        own.buffers, own.y, kCopies ? own.x : nullptr, 0, own.numbers, own.signals, own.rank, own.size);
  });
}

/// two_shot_all_reduce_ works in place.
void two_shot_in_place(const Call& call, const Ranks& ranks, int first, int count) {
  with_ranks(call, ranks, first, count, ranks.size, two_shot_all_reduce_max_num_threads, [](auto world, auto& own) {
    using T = std::remove_pointer_t<decltype(own.x)>;
    copy(own.buffer, own.x, own);
    two_shot_all_reduce_kernel_inplace<T, 16, decltype(world)::value><<<own.blocks, own.threads, 0, own.stream>>>(
        own.buffers, 0, own.numbers, own.signals, own.rank, own.size);
    copy(own.y, own.buffer, own);
  });
}

/// two_shot_all_reduce_out has kernels for 2, 4 and 8 ranks only.
void two_shot_out(const Call& call, const Ranks& ranks, int first, int count) {
  with_ranks(call, ranks, first, count, ranks.size, two_shot_all_reduce_max_num_threads, [](auto world, auto& own) {
    using T = std::remove_pointer_t<decltype(own.x)>;
    copy(own.buffer, own.x, own);
    if constexpr (decltype(world)::value > 0)
      two_shot_all_reduce_kernel<T, 16, decltype(world)::value><<<own.blocks, own.threads, 0, own.stream>>>(
          own.buffers, own.y, 0, own.numbers, own.signals, own.rank, own.size, 0);
  });
}

Kernel kernel(const char* name, const char* contract, plugin::Values ranks, decltype(Kernel::run_ranks) run) {
  Kernel row{name, "all_reduce", {contract}, {{"ranks", std::move(ranks)}}, {}, nullptr};
  row.accepts.push_back({"x", {"bf16", "f32"}});
  row.area = area;
  row.run_ranks = run;
  return row;
}

std::vector<Kernel> symmetric_memory_kernels() {
  return {kernel("one_shot_all_reduce", "torch.symm_mem_one_shot", {2, 4, 8}, one_shot<false>),
          kernel("one_shot_all_reduce_copy", "torch.symm_mem_one_shot", {2, 4, 8}, one_shot<true>),
          kernel("one_shot_all_reduce", "torch.symm_mem_one_shot_6", {6}, one_shot<false>),
          kernel("two_shot_all_reduce_", "torch.symm_mem_two_shot", {2, 4, 8}, two_shot_in_place),
          kernel("two_shot_all_reduce_out", "torch.symm_mem_two_shot", {2, 4, 8}, two_shot_out),
          kernel("two_shot_all_reduce_", "torch.symm_mem_two_shot_6", {6}, two_shot_in_place)};
}

}  // namespace
}  // namespace assay::ranks

extern "C" __attribute__((visibility("default"))) const assay_library* assay_get_library(void) {
  return assay::cuda::library(ASSAY_PACKAGE, assay::ranks::symmetric_memory_kernels(), ASSAY_UNSUPPORTED);
}
