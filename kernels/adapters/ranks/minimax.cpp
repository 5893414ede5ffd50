// vLLM's RMS norm over columns that are sharded over all ranks (MiniMax). csrc/minimax_reduce_rms_kernel.cu is unchanged and
// launches itself.
#include <minimax_reduce_rms_kernel.h>

#include "assay/torch_stable.hpp"
#include "vllm.h"

namespace assay::ranks {
namespace {

using vllm::tensorrt_llm::MiniMaxReduceRMSParams;

/// Layout of an area: counters, sizes and pointers as in vLLM's Python code (lamport_workspace.py), then three buffers filled
/// with -0.
constexpr size_t kCounts = plugin::kAreaHead, kSizes = kCounts + 64, kPointers = 512, kBuffers = 1024;

void fill_buffers(unsigned char* area, size_t bytes) {
  const uint32_t nothing = 0x80000000u;
  for (size_t at = kBuffers; at + sizeof nothing <= bytes; at += sizeof nothing) std::memcpy(area + at, &nothing, sizeof nothing);
  const int64_t sizes[2] = {0, int64_t(bytes - kBuffers) / 3 / 16 * 16};
  std::memcpy(area + kSizes, sizes, sizeof sizes);
}

/// Requests an area with three buffers. Each has room for x of every rank, plus 64 bytes a rank: ranks send their data there.
plugin::AreaRequest buffers(const Call& call) {
  constexpr int kKind = 1;  // kind 0 is used by vLLM's other kernels
  return {kKind, kBuffers + size_t(3 * call.raw().world_size) * size_t(bytes_of(call.at("x")) + 64), fill_buffers};
}

void write_pointers(const Ranks& ranks, int first, int count) {
  if (ranks.earlier_calls > 0) return;
  for (int rank = first; rank < first + count; ++rank) {
    char* const area = static_cast<char*>(ranks.areas[rank]);
    std::vector<void*> pointers(size_t(2 * ranks.size));  // the kernels never use the first 2 * ranks pointers
    for (int peer = 0; peer < ranks.size; ++peer) pointers.push_back(static_cast<char*>(ranks.areas[peer]) + kBuffers);
    pointers.push_back(area + kCounts);
    pointers.push_back(area + kSizes);
    good(cudaMemcpy(area + kPointers, pointers.data(), pointers.size() * sizeof(void*), cudaMemcpyHostToDevice));
  }
}

void norm(const Call& call, const Ranks& ranks, int first, int count, bool has_k) {
  // vLLM's joint kernel for q and k exists only for these numbers of columns. With other numbers, vLLM normalizes q and leaves k
  // unchanged.
  if (has_k && (call.at("x").shape[1] * ranks.size != 6144 || call.at("k").shape[1] * ranks.size != 1024))
    unsupported("expected x (the rows of q) with 6144 columns over all ranks, and k with 1024: vLLM's joint kernel for q and k supports no others");
  write_pointers(ranks, first, count);
  together(call, first, count, [&](int rank, cudaStream_t stream) {
    const Call of_rank(*ranks.calls[rank]);
    const assay_tensor& x = of_rank.at("x");
    MiniMaxReduceRMSParams params;
    params.nranks = ranks.size;
    params.rank = rank;
    params.dtype = torch_stable::type_of(x);
    params.size_q = int(packets_of(x) * 16 * 8 / x.type_bits);
    params.hidden_dim = int(x.shape[1]);
    params.workspace = reinterpret_cast<void**>(static_cast<char*>(ranks.areas[rank]) + kPointers);
    params.allreduce_in = x.data;
    params.rms_norm_out = of_rank.at("y").data;
    params.rms_gamma = of_rank.at("gamma").data;
    params.rms_eps = float(of_rank.number("eps"));
    params.stream = stream;
    if (of_rank.at("gamma").type_bits != x.type_bits) unsupported("gamma must have the type of x");
    if (has_k) {
      const assay_tensor& k = of_rank.at("k");
      params.size_k = int(packets_of(k) * 16 * 8 / k.type_bits);
      params.hidden_dim_k = int(k.shape[1]);
      params.allreduce_in_k = k.data;
      params.rms_norm_out_k = of_rank.at("y_k").data;
      params.rms_gamma_k = of_rank.at("gamma_k").data;
    }
    vllm::tensorrt_llm::minimax_reduce_rms_op(params);
  });
}
void rows(const Call& call, const Ranks& ranks, int first, int count) { norm(call, ranks, first, count, false); }
void rows_of_q_and_k(const Call& call, const Ranks& ranks, int first, int count) { norm(call, ranks, first, count, true); }

Kernel kernel(const char* name, std::vector<std::string> contracts, decltype(Kernel::run_ranks) run) {
  Kernel row{name, "all_reduce_rms_norm", std::move(contracts), {{"ranks", {2, 4, 8, 16}}}, {}, nullptr};
  row.area = buffers;
  row.run_ranks = run;
  return row;
}

}  // namespace

std::vector<Kernel> minimax_kernels() {
  return {kernel("minimax_reduce_rms_kernel_lamport", {"vllm.minimax_all_reduce_rms_norm", "vllm.minimax_all_reduce_rms_norm_16"},
                 rows),
          kernel("minimax_reduce_qk_rms_kernel_lamport_float4",
                 {"vllm.minimax_all_reduce_qk_rms_norm", "vllm.minimax_all_reduce_qk_rms_norm_16"}, rows_of_q_and_k)};
}

}  // namespace assay::ranks
