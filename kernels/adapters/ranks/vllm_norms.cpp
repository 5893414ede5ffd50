// vLLM's custom all-reduce followed by one of its norms, as two kernels. vLLM runs them this way when it does not fuse.
#include "../vllm/calls.h"
#include "vllm.h"

namespace assay::ranks {
namespace {

/// Finds the norm's row in the kernel table of the adapter for single ranks.
const Kernel& norm_of(const std::string& name) {
  static const std::vector<Kernel> all = vllm::norm_kernels();
  for (const Kernel& kernel : all)
    if (kernel.name == name) return kernel;
  unsupported("this vLLM release has no kernel " + name);
}

/// Stores the sums in the area's room for intermediate results, which the one-stage kernel does not use, and calls the norm.
void behind_sum(const char* norm, const Call& call, const Ranks& ranks, int first, int count) {
  const Kernel& kernel = norm_of(norm);
  reduce_in_one_stage(call, ranks, first, count, [&](int rank) { return parts_of(ranks, rank); });
  for (int rank = first; rank < first + count; ++rank) {
    assay_call of_rank = *ranks.calls[rank];
    std::vector<assay_tensor> tensors(of_rank.tensors, of_rank.tensors + of_rank.n_tensors);
    for (assay_tensor& tensor : tensors)
      if (std::strcmp(tensor.role, "x") == 0) tensor.data = parts_of(ranks, rank);
    of_rank.tensors = tensors.data();
    of_rank.stream = call.stream();
    kernel.run(Call(of_rank));
  }
}

void add_norm(const Call& call, const Ranks& ranks, int first, int count) {
  behind_sum("fused_add_rms_norm", call, ranks, first, count);
}
void add_norm_static(const Call& call, const Ranks& ranks, int first, int count) {
  behind_sum("fused_add_rms_norm_static_fp8_quant", call, ranks, first, count);
}
void add_norm_token(const Call& call, const Ranks& ranks, int first, int count) {
  behind_sum("rms_norm_dynamic_per_token_quant", call, ranks, first, count);
}
void add_norm_block(const Call& call, const Ranks& ranks, int first, int count) {
  behind_sum("rms_norm_per_block_quant", call, ranks, first, count);
}

Kernel kernel(const char* norm, const char* op, const char* contract, decltype(Kernel::run_ranks) run) {
  Kernel row{std::string("cross_device_reduce_1stage, ") + norm, op, {contract}, {{"ranks", {2, 4, 6, 8}}}, {}, nullptr};
  row.area = signals_and_parts;
  row.run_ranks = run;
  return row;
}

}  // namespace

std::vector<Kernel> norms_behind_sums() {
  return {kernel("fused_add_rms_norm", "all_reduce_add_rms_norm", "vllm.all_reduce_add_rms_norm", add_norm),
          kernel("fused_add_rms_norm_static_fp8_quant", "all_reduce_add_rms_norm_quant_static",
                 "vllm.all_reduce_add_rms_norm_fp8", add_norm_static),
          kernel("rms_norm_dynamic_per_token_quant", "all_reduce_add_rms_norm_quant_group",
                 "vllm.all_reduce_add_rms_norm_token_fp8", add_norm_token),
          kernel("rms_norm_per_block_quant", "all_reduce_add_rms_norm_quant_group", "vllm.all_reduce_add_rms_norm_group_fp8",
                 add_norm_block)};
}

}  // namespace assay::ranks
