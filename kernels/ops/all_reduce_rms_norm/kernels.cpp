#include "kernels/ops/all_reduce_rms_norm/run.h"

namespace assay_kernels {

std::vector<Kernel> all_reduce_rms_norm_kernels() {
  const char *one = "all_reduce_rms_norm.lamport", *both = "all_reduce_rms_norm.qk_lamport";
  return {squares_row<MiniMaxRules>(one, "vllm.minimax_all_reduce_rms_norm"),
          squares_row<MiniMaxRules>(one, "vllm.minimax_all_reduce_rms_norm_16"),
          squares_row<MiniMaxQkRules>(both, "vllm.minimax_all_reduce_qk_rms_norm"),
          squares_row<MiniMaxQkRules>(both, "vllm.minimax_all_reduce_qk_rms_norm_16")};
}

}  // namespace assay_kernels
