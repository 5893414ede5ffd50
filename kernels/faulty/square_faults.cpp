#include "kernels/faulty/square_faults.h"

namespace assay_kernels {
namespace {

template <class Rules>
Kernel of_squares(const char* name, const char* cites, const Values& x = kAny) {
  Kernel row = Rules::kSecond ? squares_row<Rules>(name, "vllm.minimax_all_reduce_qk_rms_norm")
                              : squares_row<Rules>(name, "vllm.minimax_all_reduce_rms_norm");
  row.accepts.front() = {"x", x};
  row.fault = name;
  row.cites = cites;
  row.twin = Rules::kSecond ? "all_reduce_rms_norm.qk_lamport" : "all_reduce_rms_norm.lamport";
  return row;
}

}  // namespace

std::vector<Kernel> square_faults() {
  return {
      of_squares<SquaresRankDropped>("squares_rank_dropped", "no regression known; the coarsest mistake of a loop over peers"),
      of_squares<SquaresOwnAlone>("squares_own_alone", "vllm 30650: a rank whose reduction was skipped"),
      of_squares<SquaresColumnsOfOne>("squares_columns_of_one",
                                      "no regression known; the width of a shard taken for that of the row"),
      of_squares<SquaresTailDropped>("squares_tail_dropped",
                                     "flashinfer 3879: the partial last warp dropped, RMS over 8/9 of the row"),
      of_squares<SquaresBufferStale>("squares_buffer_stale", "vllm 25892, sglang 11609: buffers of consecutive calls overlap"),
      of_squares<SquaresGammaAsBf16>("squares_gamma_as_bf16", "TensorRT-LLM 12163 (review), vllm 48324: gamma read as bf16",
                                     Values{"f16"}),
      of_squares<SquaresSecondByFirst>("squares_second_by_first", "no regression known; two factors in one kernel"),
  };
}

}  // namespace assay_kernels
