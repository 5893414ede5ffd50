#include "kernels/ops/all_reduce_add_rms_norm/quantized.h"
#include "kernels/ops/rms_norm_quant_static/by_contract.h"

namespace assay_kernels {
namespace {

constexpr const char* kStaticOp = "all_reduce_add_rms_norm_quant_static";

struct ThenStatic {
  static const char* contract(const std::string& whole) {
    return whole.rfind("vllm.", 0) == 0 ? "vllm.fused_add_rms_norm_static_fp8_quant@2026-06-18" : "flashinfer.trtllm_add_rms_norm_fp8";
  }
  static void run(const Call& call) { run_norm_static(call); }
};

template <RankRun kSum>
Kernel static_row(const char* protocol, const char* contract, AreaRequest (*area)(const Call&)) {
  Kernel row = all_reduce_row("", {contract}, run_fused_quantized<ThenStatic, kSum>, area, true);
  row.name = std::string(kStaticOp) + "." + protocol;
  row.op = kStaticOp;
  return row;
}

}  // namespace

std::vector<Kernel> all_reduce_add_rms_norm_quant_static_kernels() {
  return {static_row<run_one_shot<AbsoluteRules>>("one_shot", "vllm.all_reduce_add_rms_norm_fp8", barrier_area_with_sums),
          static_row<run_two_shot<FlushingSums>>("two_shot", "flashinfer.all_reduce_add_rms_norm_fp8_twoshot", barrier_area_with_sums),
          static_row<run_lamport<LamportRules<FlushingSums, MinusZeroIsEmpty>>>("lamport", "flashinfer.all_reduce_add_rms_norm_fp8_oneshot", minus_zero_area_with_sums)};
}

}  // namespace assay_kernels
