// Host side of the norm over columns of all ranks.
#pragma once

#include "kernels/ops/all_reduce/run.h"
#include "kernels/ops/all_reduce_rms_norm/squares.h"

namespace assay_kernels {

/// Threads of a block: at most two loads each of the widest rows, so that a sum is no deeper than its contract has it.
inline constexpr int kSquaresThreads = simt::kMaxBlockThreads;

/// Matrices of all ranks. Refuses ranks that do not have the same, rows that are no whole packets, and a second matrix where
/// there is none.
ShardedNormArguments sharded_norm_arguments(const Ranks& ranks, bool second);
AreaRequest squares_area(const Call& call);

template <class Rules>
void run_squares(const Call& call, const Ranks& ranks, int first, int count) {
  ShardedNormArguments a = sharded_norm_arguments(ranks, Rules::kSecond);
  a.ranks.first = first;
  a.ranks.blocks = kLamportBlocks;
  a.eps = float(call.number("eps"));
  simt::rank_kernel_begins();
  with_type(call.input("x"), [&](auto type) {
    using T = decltype(type);
    with_warp(call, [&](auto warp) {
      simt::launch(all_reduce_rms_norm<Rules, T, decltype(warp)::value>,
                   call.grid(int64_t{kLamportBlocks} * count, kSquaresThreads), a);
    });
  });
}

/// A row of such a kernel.
template <class Rules>
Kernel squares_row(const char* name, const char* contract) {
  Kernel row = all_reduce_row(name, {contract}, run_squares<Rules>, squares_area);
  row.op = "all_reduce_rms_norm";
  return row;
}

}  // namespace assay_kernels
