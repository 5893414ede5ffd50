// libassay_torch_ranks.so: the all-reduce kernels of torch's symmetric memory behind the C ABI. ranks/build cuts the kernels out of
// CUDASymmetricMemoryOps.cu, unchanged, into kernels.inc; what they call is in torch's headers. The number of blocks is ours: each
// element is computed by itself.
#include <ATen/ATen.h>
#include <ATen/ceil_div.h>
#include <algorithm>
#include <torch/csrc/distributed/c10d/symm_mem/CUDASymmetricMemory-inl.h>

#include "together.h"

namespace {
using namespace c10d::symmetric_memory;
#include "kernels.inc"
}  // namespace

namespace assay::ranks {
namespace {

constexpr int kBlocks = 24;  ///< most blocks of both kernels
/// Layout of an area: signals, addresses of all buffers, addresses of all signals, the symmetric buffer.
constexpr size_t kSignals = 0, kBufferPointers = kBlocks * plugin::kMostRanks * sizeof(uint32_t);
constexpr size_t kSignalPointers = kBufferPointers + plugin::kMostRanks * sizeof(void*);
constexpr size_t kBuffer = kSignalPointers + plugin::kMostRanks * sizeof(void*);
static_assert(kBuffer % 16 == 0);

plugin::AreaRequest area(const Call& call) {
  plugin::AreaRequest request;
  request.bytes = kBuffer + size_t(bytes_of(call.at("x")));
  return request;
}

struct OfRank {
  int rank, blocks, threads;
  size_t numbers;
  void *x, *y, *buffer, **buffers;
  uint32_t** signals;
};

/// Calls `run(of_rank, stream)` for each rank. Messages are multiples of 16 bytes, so each thread loads 16; `splits` is the number
/// of parts of a message that blocks share.
template <class X, class Run>
void with_ranks(const Call& call, const Ranks& ranks, int first, int count, size_t splits, size_t most_threads, const Run& run) {
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
  const size_t bytes = size_t(bytes_of(call.at("x")));
  const size_t loads = (bytes / 16 + splits - 1) / splits, threads = std::min(most_threads, (loads + 31) / 32 * 32);
  const int blocks = std::min(blocks_for(kBlocks, count), int((loads + threads - 1) / threads));
  together(call, first, count, [&](int rank, cudaStream_t stream) {
    const OfRank own{rank, blocks, int(threads), bytes / sizeof(X), in<X>(ranks, rank, "x"), out<X>(ranks, rank, "y"), at(rank, kBuffer),
                     reinterpret_cast<void**>(at(rank, kBufferPointers)), reinterpret_cast<uint32_t**>(at(rank, kSignalPointers))};
    run(own, stream);
    good(cudaGetLastError());
  });
}

void copy(void* to, const void* from, size_t bytes, cudaStream_t stream) {
  good(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, stream));
}

/// torch's kernels are specialized for 2, 4 and 8 ranks; -1 is every other number.
template <class Run>
void with_world(int size, const Run& run) {
  if (size == 2) return run(std::integral_constant<int, 2>());
  if (size == 4) return run(std::integral_constant<int, 4>());
  if (size == 8) return run(std::integral_constant<int, 8>());
  run(std::integral_constant<int, -1>());
}

/// one_shot_all_reduce reads the symmetric buffer; one_shot_all_reduce_copy first fills it from an ordinary tensor.
template <bool kCopies>
void one_shot(const Call& call, const Ranks& ranks, int first, int count) {
  cuda::with_type<__nv_bfloat16, float>(call.at("x"), [&](auto of) {
    using X = typename decltype(of)::type;
    using T = std::conditional_t<sizeof(X) == 2, at::BFloat16, float>;
    with_ranks<X>(call, ranks, first, count, 1, one_shot_all_reduce_max_num_threads, [&](const OfRank& own, cudaStream_t stream) {
      if (!kCopies) copy(own.buffer, own.x, own.numbers * sizeof(T), stream);
      with_world(ranks.size, [&](auto world) {
        one_shot_all_reduce_kernel<T, 16, decltype(world)::value><<<own.blocks, own.threads, 0, stream>>>(
            reinterpret_cast<T**>(own.buffers), static_cast<T*>(own.y), kCopies ? static_cast<T*>(own.x) : nullptr, 0, own.numbers,
            own.signals, size_t(own.rank), size_t(ranks.size));
      });
    });
  });
}

/// two_shot_all_reduce_ works in place.
void two_shot_in_place(const Call& call, const Ranks& ranks, int first, int count) {
  cuda::with_type<__nv_bfloat16, float>(call.at("x"), [&](auto of) {
    using X = typename decltype(of)::type;
    using T = std::conditional_t<sizeof(X) == 2, at::BFloat16, float>;
    with_ranks<X>(call, ranks, first, count, size_t(ranks.size), two_shot_all_reduce_max_num_threads,
                  [&](const OfRank& own, cudaStream_t stream) {
                    copy(own.buffer, own.x, own.numbers * sizeof(T), stream);
                    with_world(ranks.size, [&](auto world) {
                      two_shot_all_reduce_kernel_inplace<T, 16, decltype(world)::value><<<own.blocks, own.threads, 0, stream>>>(
                          reinterpret_cast<T**>(own.buffers), 0, own.numbers, own.signals, size_t(own.rank), size_t(ranks.size));
                    });
                    copy(own.y, own.buffer, own.numbers * sizeof(T), stream);
                  });
  });
}

/// two_shot_all_reduce_out has no kernel for other numbers of ranks than 2, 4 and 8.
void two_shot_out(const Call& call, const Ranks& ranks, int first, int count) {
  cuda::with_type<__nv_bfloat16, float>(call.at("x"), [&](auto of) {
    using X = typename decltype(of)::type;
    using T = std::conditional_t<sizeof(X) == 2, at::BFloat16, float>;
    with_ranks<X>(call, ranks, first, count, size_t(ranks.size), two_shot_all_reduce_max_num_threads,
                  [&](const OfRank& own, cudaStream_t stream) {
                    copy(own.buffer, own.x, own.numbers * sizeof(T), stream);
                    with_world(ranks.size, [&](auto world) {
                      if constexpr (decltype(world)::value > 0)
                        two_shot_all_reduce_kernel<T, 16, decltype(world)::value><<<own.blocks, own.threads, 0, stream>>>(
                            reinterpret_cast<T**>(own.buffers), static_cast<T*>(own.y), 0, own.numbers, own.signals,
                            size_t(own.rank), size_t(ranks.size), 0);
                    });
                  });
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
