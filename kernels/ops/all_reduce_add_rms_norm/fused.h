// An all-reduce into y, and behind it the norm with its residual, which takes y for its x: a block has read its row before it
// writes it.
#pragma once

#include <cstring>
#include <vector>

#include "kernels/ops/all_reduce_add_rms_norm/quantized.h"
#include "kernels/ops/fused_add_rms_norm/rules.h"
#include "kernels/ops/rms_norm/rms_norm.h"

namespace assay_kernels {

/// The call of one rank with its y instead of x.
template <class NormRules>
void run_norm_in_place(const assay_call& call) {
  std::vector<assay_tensor> tensors(call.tensors, call.tensors + call.n_tensors);
  const assay_tensor& y = Call(call).at("y");
  for (assay_tensor& tensor : tensors)
    if (std::strcmp(tensor.role, "x") == 0) tensor.data = y.data, tensor.bytes = y.bytes;
  assay_call in_place = call;
  in_place.tensors = tensors.data();
  run_rms_norm<NormRules>(Call(in_place));
}

template <class NormRules, RankRun kSum>
void run_fused(const Call& call, const Ranks& ranks, int first, int count) {
  run_sum_before_norm<kSum>(call, ranks, first, count);
  for (int rank = first; rank < first + count; ++rank) run_norm_in_place<NormRules>(*ranks.calls[rank]);
}

/// A row of such a kernel.
template <class NormRules, RankRun kSum>
Kernel fused_row(const char* name, const char* contract, AreaRequest (*area)(const Call&) = signals_and_buffer) {
  Kernel row = all_reduce_row(name, {contract}, run_fused<NormRules, kSum>, area);
  row.op = "all_reduce_add_rms_norm";
  return row;
}

}  // namespace assay_kernels
