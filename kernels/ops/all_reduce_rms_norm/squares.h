// Norm of rows whose columns lie on all ranks. A block squares its rank's columns of a row, sends the sum to all ranks and waits
// for theirs: a number that came is its own flag, and a sum of squares is never -0. Three buffers in turn, as in lamport.h.
#pragma once

#include "kernels/ops/all_reduce/lamport.h"
#include "kernels/ops/all_reduce_rms_norm/rules.h"
#include "kernels/simt/block_reduce.h"

namespace assay_kernels {

/// A matrix on all ranks; without columns there is none.
struct ShardedRows {
  const void* x[kMostRanks];
  const void* gamma[kMostRanks];
  void* y[kMostRanks];
  int columns;  ///< of each rank
};

struct ShardedNormArguments {
  AllReduceArguments ranks;  ///< areas, ranks and blocks
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

/// Squares of a rank's columns of a row, the same in every thread of the block. Each load is a sum of its own.
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
    simt::barrier();  // what the row before left in shared memory was read
    const float own = sum_of_squares<Rules, T, kWarp, 0>(a.first, me.rank, row);
    const float of_second = Rules::kSecond ? sum_of_squares<Rules, T, kWarp, 1>(a.second, me.rank, row) : 1.0f;
    if (simt::thread() < all.ranks)
      simt::post16(sums_from(simt::thread(), now, me.rank, row), simt::Vector<float>{{own, of_second, 1.0f, 1.0f}});
    simt::barrier();  // all have sent before one waits: on the CPU the threads of a block run one after the other
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

}  // namespace assay_kernels
