// FlashInfer's all-reduce fused with add + RMS norm, alone and followed by quantization.
#include "flashinfer.h"

namespace assay::ranks {
namespace {

using Pattern = AllReduceFusionPattern;

/// Sets the parameters so that the residual is updated in place, as in vLLM's calls.
template <class T>
void set_norm(AllReduceFusionParams<T>& params, const Call& of_rank) {
  T* const residual = of_rank.out<T>("residual").dense().data;
  params.residual_in = params.residual_out = residual;
  params.rms_gamma = const_cast<T*>(of_rank.in<T>("gamma").dense().data);
  params.rms_eps = float(of_rank.number("eps"));
}

template <Pattern kPattern, bool kOneShot, class Set>
void norm(const Call& call, const Ranks& ranks, int first, int count, Set set) {
  cuda::with_type<__nv_bfloat16, __half>(call.at("x"), [&](auto of) {
    using T = typename decltype(of)::type;
    reduce<kPattern, T, true>(call, ranks, first, count, kOneShot, [&](auto& params, const Call& of_rank) {
      set_norm<T>(params, of_rank);
      set(of, params, of_rank);
    });
  });
}

template <bool kOneShot>
void norm_alone(const Call& call, const Ranks& ranks, int first, int count) {
  norm<Pattern::kARResidualRMSNorm, kOneShot>(call, ranks, first, count, [](auto of, auto& params, const Call& of_rank) {
    params.norm_out = of_rank.out<typename decltype(of)::type>("y").dense().data;
  });
}

/// Releases before 0.6 take the scale by value; later ones take a device pointer.
template <bool kOneShot>
void norm_static(const Call& call, const Ranks& ranks, int first, int count) {
  constexpr bool kOnDevice = std::is_pointer_v<decltype(AllReduceFusionParams<__half>::scale_factor)>;
  float number = 0;
  if (!kOnDevice) good(cudaMemcpy(&number, call.in<float>("scale").data, sizeof number, cudaMemcpyDeviceToHost));
  norm<Pattern::kARResidualRMSNormFP8Quant, kOneShot>(call, ranks, first, count, [&](auto, auto& params, const Call& of_rank) {
    params.quant_out = of_rank.out<__nv_fp8_e4m3>("q").dense().data;
    if constexpr (kOnDevice)
      params.scale_factor = const_cast<float*>(of_rank.in<float>("scale").data);
    else
      params.scale_factor = number;
  });
}

/// HasTokens: this release has the pattern with FP8 scales per token. HasPackedGroups: it has the pattern with packed scales per group.
template <class P>
concept HasTokens = requires {
  P::kARResidualRMSNormDynamicFP8Quant;
};
template <class P>
concept HasPackedGroups = requires {
  P::kARResidualRMSNormPerTokenGroupFP8PackedQuant;
};

template <bool kOneShot, class P>
void norm_token(const Call& call, const Ranks& ranks, int first, int count) {
  norm<P::kARResidualRMSNormDynamicFP8Quant, kOneShot>(call, ranks, first, count, [](auto, auto& params, const Call& of_rank) {
    params.quant_out = of_rank.out<__nv_fp8_e4m3>("q").dense().data;
    params.scale_out = of_rank.out<float>("scale").data;
  });
}
template <bool kOneShot, class P>
void norm_packed(const Call& call, const Ranks& ranks, int first, int count) {
  norm<P::kARResidualRMSNormPerTokenGroupFP8PackedQuant, kOneShot>(
      call, ranks, first, count, [](auto, auto& params, const Call& of_rank) {
        params.quant_out = of_rank.out<__nv_fp8_e4m3>("q").dense().data;
        params.scale_out = of_rank.at("scale").data;
        params.block_quant_group_size = int(of_rank.integer("group_size"));
        params.tma_aligned_mn = int((of_rank.at("x").shape[0] + 3) / 4 * 4);
      });
}

template <bool kOneShot, class P>
std::vector<Kernel> rows(const std::string& shots, const std::string& suffix) {
  const std::string fused = "all_reduce_add_rms_norm";
  std::vector<Kernel> rows;
  const auto add = [&](const std::string& pattern, const std::string& op, const std::string& contract,
                       decltype(Kernel::run_ranks) run) {
    rows.push_back(flashinfer_kernel((shots + " " + pattern).c_str(), op.c_str(), ("flashinfer." + contract + suffix).c_str(),
                                     kOneShot, run));
  };
  add("kARResidualRMSNorm", fused, fused, norm_alone<kOneShot>);
  add("kARResidualRMSNormFP8Quant", fused + "_quant_static", fused + "_fp8", norm_static<kOneShot>);
  if constexpr (HasTokens<P>)
    add("kARResidualRMSNormDynamicFP8Quant", fused + "_quant_group", fused + "_token_fp8", norm_token<kOneShot, P>);
  if constexpr (HasPackedGroups<P>)
    add("kARResidualRMSNormPerTokenGroupFP8PackedQuant", fused + "_quant_group", fused + "_group_packed",
        norm_packed<kOneShot, P>);
  return rows;
}

}  // namespace

std::vector<Kernel> flashinfer_norms() {
  return plugin::joined<Call>(
      {rows<true, Pattern>("oneshot_lamport", "_oneshot"), rows<false, Pattern>("twoshot_sync", "_twoshot")});
}

}  // namespace assay::ranks
