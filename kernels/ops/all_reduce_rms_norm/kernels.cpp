#include "kernels/ops/all_reduce_rms_norm/run.h"

namespace assay_kernels {

std::vector<Kernel> all_reduce_rms_norm_kernels() {
  return {squares_row<MiniMaxRules>("all_reduce_rms_norm.lamport", "vllm.minimax_all_reduce_rms_norm"),
          squares_row<MiniMaxQkRules>("all_reduce_rms_norm.qk_lamport", "vllm.minimax_all_reduce_qk_rms_norm")};
}

}  // namespace assay_kernels
