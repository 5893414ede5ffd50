// rms_norm of rows whose columns are sharded over all ranks. The ranks exchange sums of squares.
#pragma once

#include "kernels/ops/all_reduce/all_reduce_plain_kernels.h"
#include "kernels/ops/all_reduce/all_reduce_rules.h"
#include "kernels/ops/all_reduce/all_reduce_run.h"
#include "kernels/ops/kernel_common.h"

namespace assay_kernels {

// How ranks compute the norm of a row together. A deliberately wrong kernel derives from one of these structs and replaces a member.

/// Source: vllm csrc/libtorch_stable/minimax_reduce_rms_kernel.cu 19e74e70ed minimax_reduce_rms_kernel_lamport.
struct MiniMaxRules {
  static constexpr bool kSecond = false;  ///< true: the op has a second matrix, k
  static constexpr bool kClears = true;   ///< true: refills the previous call's buffer with the sentinel

  /// The sum of squares over all ranks: starts from +0, rank 0 first.
  SIMT_DEVICE static float total(const float* of_ranks, int ranks, int /*self*/) {
    float sum = 0.0f;
    for (int r = 0; r < ranks; ++r) sum += of_ranks[r];
    return sum;
  }
  /// `columns`: number of columns of one rank.
  SIMT_DEVICE static float factor(float sum, int columns, int ranks, float eps) {
    return simt::rsqrt(sum / float(columns) / float(ranks) + eps);
  }
  /// Number of a rank's columns whose squares are added: all of them, except in a deliberately wrong kernel.
  SIMT_DEVICE static int squared(int columns, int /*of a warp*/) { return columns; }
  /// Index of the matrix whose sum of squares gives the factor r of the second matrix: 0 is the first matrix, 1 the second.
  static constexpr int kSumOfSecond = 1;
  template <class T>
  SIMT_DEVICE static float weight(T gamma) {
    return simt::to_float(gamma);
  }
};

/// With P ranks, adds the sums of ranks r and r + P/2, then of ranks r and r + P/4, and so on. Multiplies by 1 / columns instead of dividing.
/// Source: minimax_reduce_qk_rms_kernel_lamport_float4 in the same file.
struct MiniMaxQkRules : MiniMaxRules {
  static constexpr bool kSecond = true;
  SIMT_DEVICE static float total(const float* of_ranks, int ranks, int /*self*/) {
    float sums[kMostRanks] = {};
    for (int r = 0; r < ranks; ++r) sums[r] = of_ranks[r];
    for (int apart = ranks / 2; apart > 0; apart /= 2)
      for (int r = 0; r < apart; ++r) sums[r] += sums[r + apart];
    return sums[0];
  }
  SIMT_DEVICE static float factor(float sum, int columns, int ranks, float eps) {
    return simt::rsqrt(sum * (1.0f / float(columns * ranks)) + eps);
  }
};

// Norm of rows whose columns are sharded over all ranks. A block adds the squares of its rank's columns, sends the sum to all
// ranks, and waits for their sums. A sum has arrived when its memory no longer holds the sentinel -0, which a sum of squares
// never is. Three buffers are used in turn, as in the Lamport kernel of all_reduce_plain_kernels.h.

/// A matrix whose columns are sharded over all ranks. If `columns` is 0, the call has no such matrix.
struct ShardedRows {
  const void* x[kMostRanks];
  const void* gamma[kMostRanks];
  void* y[kMostRanks];
  int columns;  ///< columns of each rank
};

struct ShardedNormArguments {
  AllReduceArguments ranks;  ///< only the areas, ranks and blocks are used
  ShardedRows first, second;
  int64_t rows;
  float eps;
};

struct SumsArrived {
  SIMT_DEVICE static bool in(const simt::Vector<float>& sums) {
    for (int i = 0; i < 4; ++i)
      if (simt::bits(sums.at[i]) == 0x80000000u) return false;
    return true;
  }
};

/// Sum of squares of a rank's columns of a row, returned to all threads. A thread adds the squares of each 16-byte load, then the loads' sums.
template <class Rules, class T, int kWarp, int kCall>
SIMT_DEVICE float sum_of_squares(const ShardedRows& matrix, int rank, int64_t row) {
  constexpr int kElements = simt::Vector<T>::kElements;
  const T* const x = static_cast<const T*>(matrix.x[rank]) + row * matrix.columns;
  const int squared = Rules::squared(matrix.columns, kWarp * kElements);
  float sum = 0.0f;
  for (int at = simt::thread() * kElements; at < squared; at += simt::block_size() * kElements) {
    const simt::Vector<T> v = simt::load16(x + at);
    float of_load = 0.0f;
    SIMT_UNROLL
    for (int e = 0; e < kElements; ++e) {
      const float number = simt::to_float(v.at[e]);
      of_load += number * number;
    }
    sum += of_load;
  }
  return simt::block_reduce<kWarp, kCall>(
      sum, 0.0f, [](float a, float b) { return a + b; }, [] { simt::barrier(); });
}

/// y = x * r * gamma for a rank's columns of one row.
template <class Rules, class T>
SIMT_DEVICE void normalize_columns(const ShardedRows& matrix, int rank, int64_t row, float r) {
  constexpr int kElements = simt::Vector<T>::kElements;
  const T* const x = static_cast<const T*>(matrix.x[rank]) + row * matrix.columns;
  T* const y = static_cast<T*>(matrix.y[rank]) + row * matrix.columns;
  for (int at = simt::thread() * kElements; at < matrix.columns; at += simt::block_size() * kElements) {
    const simt::Vector<T> v = simt::load16(x + at), gamma = simt::load16(static_cast<const T*>(matrix.gamma[rank]) + at);
    simt::Vector<T> result;
    SIMT_UNROLL
    for (int e = 0; e < kElements; ++e)
      result.at[e] = simt::from_float<T>(simt::to_float(v.at[e]) * r * Rules::weight(gamma.at[e]));
    simt::store16(y + at, result);
  }
}

template <class Rules, class T, int kWarp>
SIMT_KERNEL void all_reduce_rms_norm(ShardedNormArguments a) {
  const AllReduceArguments& all = a.ranks;
  const RankBlock me(all);
  Signals* const self = signals_of(all, me.rank);
  const uint32_t call = self->calls[me.block];
  const int64_t before = Rules::kClears ? self->last_packets[me.block] : 0;
  const int now = int(call % kLamportBuffers), last = int((call + kLamportBuffers - 1) % kLamportBuffers);
  const int64_t room = lamport_room(all);
  const auto sums_from = [&](int rank, int buffer, int from, int64_t row) {
    return lamport_packets<float>(all, room, rank, buffer, from) + row * 4;
  };
  for (int64_t row = me.block; row < a.rows; row += all.blocks) {
    simt::barrier();  // all threads must have read the previous row's sums in shared memory
    const float own = sum_of_squares<Rules, T, kWarp, 0>(a.first, me.rank, row);
    const float of_second = Rules::kSecond ? sum_of_squares<Rules, T, kWarp, 1>(a.second, me.rank, row) : 1.0f;
    if (simt::thread() < all.ranks)
      simt::post16(sums_from(simt::thread(), now, me.rank, row), simt::Vector<float>{{own, of_second, 1.0f, 1.0f}});
    simt::barrier();  // the whole block must send before any of its threads waits: on the CPU its threads run one after the other
    float sums[2][kMostRanks];
    for (int rank = 0; rank < all.ranks; ++rank) {
      const float* const from = sums_from(me.rank, now, rank, row);
      if (self->waited_for == 0 && !simt::wait_packet<SumsArrived>(from)) complain(self, rank, me.block, RankPlace::kPacket);
      const simt::Vector<float> came = simt::polled16(from);
      sums[0][rank] = came.at[0];
      sums[1][rank] = came.at[1];
    }
    const float first = Rules::total(sums[0], all.ranks, me.rank);
    normalize_columns<Rules, T>(a.first, me.rank, row, Rules::factor(first, a.first.columns, all.ranks, a.eps));
    if (!Rules::kSecond) continue;
    const float second = Rules::kSumOfSecond == 0 ? first : Rules::total(sums[1], all.ranks, me.rank);
    const int columns = Rules::kSumOfSecond == 0 ? a.first.columns : a.second.columns;
    normalize_columns<Rules, T>(a.second, me.rank, row, Rules::factor(second, columns, all.ranks, a.eps));
  }
  const simt::Vector<float> nothing{{-0.0f, -0.0f, -0.0f, -0.0f}};
  for (int64_t row = me.block; row < before; row += all.blocks)
    if (simt::thread() < all.ranks) simt::post16(sums_from(me.rank, last, simt::thread(), row), nothing);
  simt::barrier();
  if (simt::thread() == 0) self->calls[me.block] = (call + 1) % kLamportBuffers, self->last_packets[me.block] = uint32_t(a.rows);
}

// Host side of the norm over sharded columns.

/// Threads per block. With up to 4096 16-bit columns per rank, a thread has at most two loads; contracts allow a sum of this depth.
inline constexpr int kSquaresThreads = simt::kMaxBlockThreads;

/// The matrices of all ranks. Rejects ranks with different shapes, rows that are not a whole number of 16-byte packets, and an
/// unexpected second matrix.
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

/// Row of the kernel table for a norm over sharded columns.
template <class Rules>
Kernel squares_row(const char* name, const char* contract) {
  Kernel row = all_reduce_row(name, {contract}, run_squares<Rules>, squares_area);
  row.op = "all_reduce_rms_norm";
  return row;
}

}  // namespace assay_kernels
