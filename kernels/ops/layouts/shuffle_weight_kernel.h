// shuffle_weight: reorders a weight to the order in which MFMA lanes load it, and back. weak_contiguity: returns whether a
// library's check accepts a strided tensor as flat memory.
#pragma once

#include <cstdint>

#include "kernels/ops/call.h"
#include "kernels/ops/kernel_common.h"
#include "kernels/simt/simt.h"

namespace assay_kernels {

// Where each run of 16 bytes of a row of the weight lies in the shuffled weight.
// Source: ROCm/aiter aiter/ops/shuffle.py shuffle_weight, layouts (16, 16) and (32, 16).

/// Blocks of kRows rows are stored together: first run 0 of each row, then run 1 of each row, and so on. The source has tiles of 32
/// columns too, but a tile is a whole number of runs, so tiles do not change this order.
template <int kTileRows>
struct ShuffleTiles {
  static constexpr int kRows = kTileRows;
  /// Index of run `run` of row `row` in the shuffled weight of an expert, counted in runs.
  SIMT_DEVICE static int64_t place(int64_t row, int64_t run, int64_t runs_of_row, int64_t /*runs_of_tile*/) {
    return row / kRows * (runs_of_row * kRows) + run * kRows + row % kRows;
  }
  SIMT_DEVICE static int64_t source(int64_t plain, int64_t) { return plain; }
  SIMT_DEVICE static int64_t target(int64_t, int64_t shuffled) { return shuffled; }
};

template <int kTileRows>
struct UnshuffleTiles : ShuffleTiles<kTileRows> {
  SIMT_DEVICE static int64_t source(int64_t, int64_t shuffled) { return shuffled; }
  SIMT_DEVICE static int64_t target(int64_t plain, int64_t) { return plain; }
};

struct AiterShuffle16 : ShuffleTiles<16> {
  static constexpr const char* kContract = "aiter.shuffle_weight_16x16";
};
struct AiterShuffle32 : ShuffleTiles<32> {
  static constexpr const char* kContract = "aiter.shuffle_weight_32x16";
};
struct Unshuffle16 : UnshuffleTiles<16> {
  static constexpr const char* kContract = "assay.unshuffle_weight_16x16";
};
struct Unshuffle32 : UnshuffleTiles<32> {
  static constexpr const char* kContract = "assay.unshuffle_weight_32x16";
};

// Copies each 16-byte run of a weight to its shuffled position, or from there to its plain position. One thread copies one run,
// whatever the type of the elements.

inline constexpr int kShuffleThreads = 256;

struct ShuffleArguments {
  const uint8_t* x;
  uint8_t* y;
  int64_t runs;  ///< runs in the whole weight
  int64_t n;     ///< rows per expert
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
  if (x.ndim != 3 || y.ndim != 3) failed("x and y must have the shape [experts, n, k]");
  const int bytes = x.type_bits / 8;
  if (bytes != 1 && bytes != 2) unsupported("x must have elements of one or two bytes");
  const int64_t experts = x.shape[0], n = x.shape[1], k = x.shape[2];
  if (n % Rules::kRows != 0 || k % 32 != 0) unsupported("n must be a multiple of " + std::to_string(Rules::kRows) + ", and k of 32");
  for (int d = 0; d < 3; ++d)
    if (x.shape[d] != y.shape[d]) failed("x and y must have the same shape");
  if (experts * n * k == 0) return;
  expect_aligned(x);
  expect_aligned(y);
  const ShuffleArguments a{data_of<uint8_t>(x),     static_cast<uint8_t*>(y.data), experts * n * k * bytes / 16, n,
                           k * bytes / 16, 32 * bytes / 16};
  simt::launch(shuffle_weight<Rules>, call.grid((a.runs + kShuffleThreads - 1) / kShuffleThreads, kShuffleThreads), a);
}

// The contiguity checks of the contracts, which run on the host. A deliberately wrong kernel derives from one of them and replaces a member.

/// The check input.IsContiguous().
/// Source: sglang custom_all_reduce_push.cuh 7723177a3b.
struct ContiguousRules {
  static bool contiguous(const assay_tensor& x) {
    int64_t wanted = 1;
    for (int d = x.ndim - 1; d >= 0; --d) {
      if (x.shape[d] == 0) return true;
      if (x.shape[d] > 1 && x.strides[d] != wanted) {
        for (int before = 0; before < d; ++before)
          if (x.shape[before] == 0) return true;
        return false;
      }
      wanted *= x.shape[d];
    }
    return true;
  }
  static uint64_t elements(const assay_tensor& x) {
    uint64_t product = 1;
    for (int d = 0; d < x.ndim; ++d) product *= uint64_t(x.shape[d]);
    return product;
  }
  static bool accepts(const assay_tensor& x) { return contiguous(x); }
};

/// Also accepts a strided tensor whose storage, from its first element on, has exactly as many bytes as its elements take.
/// Source: vllm csrc/custom_all_reduce.cu v0.33.0 _is_weak_contiguous.
struct WeakContiguousRules : ContiguousRules {
  static bool accepts(const assay_tensor& x) { return contiguous(x) || x.bytes == elements(x) * (x.type_bits / 8); }
};

// A kernel that stores the host's answer as the output of the op.

template <class Rules>
SIMT_KERNEL void put_answer(int32_t answer, int32_t* to) {
  if (simt::thread() == 0) *to = answer;
}

template <class Rules>
void run_contiguity(const Call& call) {
  const auto accepted = call.out<int32_t>("accepted");
  simt::launch(put_answer<Rules>, call.grid(1, 64), int32_t(Rules::accepts(call.at("x"))), accepted.data);
}

/// Row of the kernel table for a contiguity check.
template <class Rules>
Kernel contiguity_row(const char* name, std::vector<std::string> contracts) {
  return {name, "weak_contiguity", std::move(contracts), {{"x", kAny}, {"warp", simt::kWarpSizes}}, {}, run_contiguity<Rules>};
}

}  // namespace assay_kernels
