#include "kernels/ops/all_reduce_add_rms_norm/quantized.h"
#include "kernels/ops/rms_norm_quant_static/by_contract.h"

namespace assay_kernels {
namespace {

constexpr const char* kOp = "all_reduce_add_rms_norm_quant_static";

struct Then {
  static const char* contract(const std::string& whole) {
    return whole.rfind("vllm.", 0) == 0 ? "vllm.fused_add_rms_norm_static_fp8_quant@2026-06-18" : "flashinfer.trtllm_add_rms_norm_fp8";
  }
  static void run(const Call& call) { run_norm_static(call); }
};

using FlushingSums = FlushingSum<AbsoluteRules>;

template <RankRun kSum>
Kernel row_of(const char* protocol, const char* contract, AreaRequest (*area)(const Call&)) {
  Kernel row = all_reduce_row("", {contract}, run_fused_quantized<Then, kSum>, area, true);
  row.name = std::string(kOp) + "." + protocol;
  row.op = kOp;
  return row;
}

AreaRequest barrier_area(const Call& call) { return with_room_for_sums(signals_and_buffer(call)); }
AreaRequest minus_zero_area(const Call& call) { return with_room_for_sums(lamport_area(call, true)); }

}  // namespace

std::vector<Kernel> all_reduce_add_rms_norm_quant_static_kernels() {
  return {row_of<run_one_shot<AbsoluteRules>>("one_shot", "vllm.all_reduce_add_rms_norm_fp8", barrier_area),
          row_of<run_two_shot<FlushingSums>>("two_shot", "flashinfer.all_reduce_add_rms_norm_fp8_twoshot", barrier_area),
          row_of<run_lamport<LamportRules<FlushingSums, MinusZeroIsEmpty>>>("lamport", "flashinfer.all_reduce_add_rms_norm_fp8_oneshot", minus_zero_area)};
}

}  // namespace assay_kernels
