// FlashInfer's all-reduce after a mixture of experts. One kernel combines the rows of a rank's experts, adds all ranks and the
// residual, and computes the RMS norm. include/flashinfer/comm/trtllm_moe_allreduce_fusion.cuh is unchanged.
#include <flashinfer/comm/trtllm_moe_allreduce_fusion.cuh>

#include "flashinfer.h"

namespace assay::ranks {
namespace {

namespace moe = flashinfer::trtllm_moe_allreduce_fusion;

plugin::AreaRequest moe_area(const Call& call) {
  plugin::AreaRequest request = one_shot_area(call);
  request.kind += 8;  // a kind that no other kernel uses, so this kernel shares no area
  return request;
}

void finalize(const Call& call, const Ranks& ranks, int first, int count) {
  cuda::with_type<__nv_bfloat16, __half>(call.at("x"), [&](auto of) {
    using T = typename decltype(of)::type;
    write_pointers(ranks, first, count);
    together(call, first, count, [&](int rank, cudaStream_t stream) {
      const Call of_rank(*ranks.calls[rank]);
      const auto y = of_rank.out<T>("y").dense();
      T* const residual = of_rank.out<T>("residual").dense().data;
      moe::MoeFinalizeAllReduceFusionParams<T> params{};
      params.nranks = ranks.size;
      params.rank = rank;
      params.size = int(y.elements());
      params.hidden_dim = int(y.columns());
      params.workspace = reinterpret_cast<void**>(static_cast<char*>(ranks.areas[rank]) + kPointers);
      params.allreduce_in = const_cast<T*>(of_rank.in<T>("x").dense().data);
      params.residual_in = params.residual_out = residual;
      params.norm_out = y.data;
      params.rms_gamma = const_cast<T*>(of_rank.in<T>("gamma").dense().data);
      params.rms_eps = float(of_rank.number("eps"));
      params.stream = stream;
      params.top_k = int(of_rank.at("row_of_slot").shape[1]);
      params.expanded_idx_to_permuted_idx = const_cast<int32_t*>(of_rank.in<int32_t>("row_of_slot").dense().data);
      params.expert_scale_factor = const_cast<T*>(of_rank.in<T>("topk_weights").dense().data);
      params.shared_expert_output = const_cast<T*>(of_rank.in<T>("shared").dense().data);
      params.routed_scaling_factor = float(of_rank.number("routed_scaling_factor"));
      good(moe::moefinalize_allreduce_fusion_op(params, false));
    });
  });
}

}  // namespace

std::vector<Kernel> flashinfer_moe() {
  Kernel row = flashinfer_kernel("trtllm_moe_finalize_allreduce_fusion", "all_reduce_add_rms_norm",
                                 "flashinfer.moe_finalize_all_reduce_add_rms_norm", true, finalize);
  row.area = moe_area;
  return {row};
}

}  // namespace assay::ranks
