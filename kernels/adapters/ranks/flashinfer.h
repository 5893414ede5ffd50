// Calls the TensorRT-LLM all-reduce kernels of FlashInfer. include/flashinfer/comm/trtllm_allreduce_fusion.cuh is unchanged.
#pragma once

#include <flashinfer/comm/trtllm_allreduce_fusion.cuh>

#include "together.h"

namespace assay::ranks {

using flashinfer::trtllm_allreduce_fusion::AllReduceFusionParams;
using flashinfer::trtllm_allreduce_fusion::AllReduceFusionPattern;

/// Layout of an area (memory that a rank keeps between calls): five counters, pointers to all areas, barrier flags, buffers.
/// One-shot kernels, two-shot kernels and kernels with 32-bit elements use separate areas, as in FlashInfer.
inline constexpr size_t kCounts = plugin::kAreaHead, kPointers = 512, kFlags = 1024,
                        kBuffers = kFlags + plugin::kMostRanks * 256 * sizeof(int);

plugin::AreaRequest one_shot_area(const Call& call);
plugin::AreaRequest two_shot_area(const Call& call);

/// Writes the addresses of the peers' areas into new areas.
void write_pointers(const Ranks& ranks, int first, int count);

/// Launches the kernel that is compiled for the number of ranks in `params`.
template <AllReduceFusionPattern kPattern, class T, bool kFp32>
cudaError_t launch(const AllReduceFusionParams<T>& params) {
  using flashinfer::trtllm_allreduce_fusion::allreduce_fusion_kernel_launcher;
  switch (params.nranks) {
    case 2:
      return allreduce_fusion_kernel_launcher<kPattern, T, 2, kFp32>(params, false);
    case 4:
      return allreduce_fusion_kernel_launcher<kPattern, T, 4, kFp32>(params, false);
    case 8:
      return allreduce_fusion_kernel_launcher<kPattern, T, 8, kFp32>(params, false);
    case 16:
      return allreduce_fusion_kernel_launcher<kPattern, T, 16, kFp32>(params, false);
    default:
      unsupported("FlashInfer has kernels only for 2, 4, 8 or 16 ranks");
  }
}

/// Launches all ranks of a device. set() writes a rank's outputs, and the inputs that only kPattern has, into the kernel's parameters.
template <AllReduceFusionPattern kPattern, class T, bool kFp32, class Set>
void reduce(const Call& call, const Ranks& ranks, int first, int count, bool one_shot, Set set) {
  (void)packets_of(call.at("x"));
  write_pointers(ranks, first, count);
  together(call, first, count, [&](int rank, cudaStream_t stream) {
    const Call of_rank(*ranks.calls[rank]);
    const auto x = of_rank.in<T>("x").dense();
    AllReduceFusionParams<T> params{};
    params.nranks = ranks.size;
    params.rank = rank;
    params.size = int(x.elements());
    params.hidden_dim = int(x.columns());
    params.workspace = reinterpret_cast<void**>(static_cast<char*>(ranks.areas[rank]) + kPointers);
    params.allreduce_in = const_cast<T*>(x.data);
    params.use_oneshot = one_shot;
    params.stream = stream;
    params.pattern = kPattern;
    params.trigger_completion_at_end = true;
    set(params, of_rank);
    good(launch<kPattern, T, kFp32>(params));
  });
}

/// Rows of the plug-in's kernel table; each function is in a source file of its own.
std::vector<Kernel> flashinfer_sums();
std::vector<Kernel> flashinfer_norms();
std::vector<Kernel> flashinfer_moe();

/// Row of the kernel table for a one-shot or two-shot kernel.
inline Kernel flashinfer_kernel(const char* name, const char* op, const char* contract, bool one_shot,
                                decltype(Kernel::run_ranks) run) {
  Kernel row{name, op, {contract}, {{"ranks", {2, 4, 8, 16}}}, {}, nullptr};
  row.area = one_shot ? one_shot_area : two_shot_area;
  row.run_ranks = run;
  return row;
}

}  // namespace assay::ranks
