// libassay_flashinfer_ranks.so: the all-reduce of one FlashInfer release as a plug-in, alone and fused with norms.
#include "flashinfer.h"

namespace assay::ranks {
namespace {

using Pattern = AllReduceFusionPattern;

/// Initializes the three buffers of an area: each 32-bit word gets kNothing, which means "nothing received yet".
template <uint32_t kNothing>
void fill_buffers(unsigned char* area, size_t bytes) {
  const uint32_t nothing = kNothing;
  for (size_t at = kBuffers; at + sizeof nothing <= bytes; at += sizeof nothing) std::memcpy(area + at, &nothing, sizeof nothing);
  const int third = int((bytes - kBuffers) / 3 / 16 * 16);
  std::memcpy(area + kCounts + 3 * sizeof third, &third, sizeof third);
}

constexpr int64_t kMostBytes = int64_t{1} << 30;  ///< FlashInfer keeps buffer sizes in 31 bits

enum Kind { kTwoShot, kOneShot16, kOneShot32 };

template <bool kOneShot, bool kFp32>
void sum(const Call& call, const Ranks& ranks, int first, int count) {
  cuda::with_type<__nv_bfloat16, __half, float>(call.at("x"), [&](auto of) {
    using T = typename decltype(of)::type;
    reduce<Pattern::kAllReduce, T, kFp32 && sizeof(T) == 2>(
        call, ranks, first, count, kOneShot,
        [](auto& params, const Call& of_rank) { params.allreduce_out = of_rank.out<T>("y").dense().data; });
  });
}

}  // namespace

plugin::AreaRequest one_shot_area(const Call& call) {
  const bool wide = call.at("x").type_bits == 32;
  const int64_t bytes = 3 * int64_t(call.raw().world_size) * (bytes_of(call.at("x")) + 16);
  if (bytes > kMostBytes) unsupported("x is too large: the buffers of a rank must not be larger than 1 GiB");
  return {wide ? kOneShot32 : kOneShot16, kBuffers + size_t(bytes), wide ? fill_buffers<0x80000000u> : fill_buffers<0x80008000u>};
}

plugin::AreaRequest two_shot_area(const Call& call) {
  const int64_t bytes = 2 * bytes_of(call.at("x"));
  if (bytes > kMostBytes) unsupported("x is too large: the buffers of a rank must not be larger than 1 GiB");
  return {kTwoShot, kBuffers + size_t(bytes)};
}

void write_pointers(const Ranks& ranks, int first, int count) {
  if (ranks.earlier_calls > 0) return;
  const auto at = [&](int rank, size_t place) { return static_cast<char*>(ranks.areas[rank]) + place; };
  for (int rank = first; rank < first + count; ++rank) {
    std::vector<void*> pointers;
    for (const size_t place : {kBuffers, kFlags, kBuffers})
      for (int peer = 0; peer < ranks.size; ++peer) pointers.push_back(at(peer, place));
    pointers.push_back(at(rank, kCounts));
    good(cudaMemcpy(at(rank, kPointers), pointers.data(), pointers.size() * sizeof(void*), cudaMemcpyHostToDevice));
  }
}

std::vector<Kernel> flashinfer_sums() {
  const auto row = [](const char* name, const char* contract, bool one_shot, decltype(Kernel::run_ranks) run) {
    return flashinfer_kernel(name, "all_reduce", contract, one_shot, run);
  };
  return {row("oneshot_lamport fp32_acc", "flashinfer.all_reduce_oneshot", true, sum<true, true>),
          row("oneshot_lamport", "flashinfer.all_reduce_oneshot_native", true, sum<true, false>),
          row("twoshot_sync fp32_acc", "flashinfer.all_reduce_twoshot", false, sum<false, true>),
          row("twoshot_sync", "flashinfer.all_reduce_twoshot_native", false, sum<false, false>)};
}

#ifndef ASSAY_FLASHINFER_MOE
std::vector<Kernel> flashinfer_moe() { return {}; }
#endif

}  // namespace assay::ranks

extern "C" __attribute__((visibility("default"))) const assay_library* assay_get_library(void) {
  using namespace assay::ranks;
  return assay::cuda::library(ASSAY_PACKAGE, assay::plugin::joined<Call>({flashinfer_sums(), flashinfer_norms(), flashinfer_moe()}),
                              ASSAY_UNSUPPORTED);
}
