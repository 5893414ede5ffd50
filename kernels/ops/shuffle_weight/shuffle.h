// The elements of a weight in the order in which lanes of an MFMA load them, and back. A thread moves a run of 16 bytes, which stays
// together both ways, whatever the elements are.
#pragma once

#include "kernels/ops/catalogue.h"
#include "kernels/ops/dispatch.h"
#include "kernels/ops/shuffle_weight/rules.h"

namespace assay_kernels {

inline constexpr int kShuffleThreads = 256;

struct ShuffleArguments {
  const uint8_t* x;
  uint8_t* y;
  int64_t runs;  ///< of the whole weight
  int64_t n;     ///< rows of an expert
  int64_t runs_of_row, runs_of_tile;
};

template <class Rules>
SIMT_KERNEL void shuffle_weight(ShuffleArguments a) {
  const int64_t plain = simt::block() * kShuffleThreads + simt::thread();
  if (plain >= a.runs) return;
  const int64_t all_rows = plain / a.runs_of_row, run = plain - all_rows * a.runs_of_row;
  const int64_t expert = all_rows / a.n, row = all_rows - expert * a.n;
  const int64_t shuffled = expert * a.n * a.runs_of_row + Rules::place(row, run, a.runs_of_row, a.runs_of_tile);
  simt::store16(a.y + Rules::target(plain, shuffled) * 16, simt::load16(a.x + Rules::source(plain, shuffled) * 16));
}

template <class Rules>
void run_shuffle(const Call& call) {
  const assay_tensor &x = call.input("x"), &y = call.output("y");
  if (x.ndim != 3 || y.ndim != 3) failed("x and y must be [experts, n, k]");
  const int bytes = x.type_bits / 8;
  if (bytes != 1 && bytes != 2) unsupported("x must have elements of one or two bytes");
  const int64_t experts = x.shape[0], n = x.shape[1], k = x.shape[2];
  if (n % Rules::kRows != 0 || k % 32 != 0) unsupported("n and k must be multiples of " + std::to_string(Rules::kRows) + " and 32");
  for (int d = 0; d < 3; ++d)
    if (x.shape[d] != y.shape[d]) failed("x and y must have the same shape");
  if (experts * n * k == 0) return;
  expect_aligned(x);
  expect_aligned(y);
  const ShuffleArguments a{data_of<uint8_t>(x),     static_cast<uint8_t*>(y.data), experts * n * k * bytes / 16, n,
                           k * bytes / 16, 32 * bytes / 16};
  simt::launch(shuffle_weight<Rules>, call.grid((a.runs + kShuffleThreads - 1) / kShuffleThreads, kShuffleThreads), a);
}

}  // namespace assay_kernels
