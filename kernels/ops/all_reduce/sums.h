// A packet of sixteen bytes, or one element, of all ranks added up.
#pragma once

#include "kernels/ops/all_reduce/rules.h"

namespace assay_kernels {

/// Whether a sum of ranks ends with number i of so many. Rules with chunks begin each with +0.
template <class Rules>
SIMT_DEVICE bool ends_chunk(int i, int count) {
  static_assert(Rules::kChunk == 0 || Rules::kFromZero, "chunks are added from zero");
  return Rules::kChunk > 0 && (i + 1 == count || (i + 1) % (Rules::kChunk > 0 ? Rules::kChunk : 1) == 0);
}

/// Numbers as they come: load(rank) gives a Vector<T> of rank's packet.
template <class Rules, class T, class Load>
SIMT_DEVICE simt::Vector<T> reduced_packet(int owner, int reader, int ranks, Load load) {
  constexpr int kElements = simt::Vector<T>::kElements;
  float sums[kElements], chunks[kElements];
  SIMT_UNROLL
  for (int e = 0; e < kElements; ++e) sums[e] = chunks[e] = 0.0f;
  const int count = Rules::count(reader, ranks);
  for (int i = 0; i < count; ++i) {
    const simt::Vector<T> next = load(Rules::rank_of(i, owner, reader, ranks));
    SIMT_UNROLL
    for (int e = 0; e < kElements; ++e) {
      const float v = Rules::wire(simt::to_float(next.at[e]));
      sums[e] = i == 0 && !Rules::kFromZero ? v : Rules::template sum<T>(sums[e], v);
      if (ends_chunk<Rules>(i, count)) chunks[e] = Rules::template sum<T>(chunks[e], sums[e]), sums[e] = 0.0f;
    }
  }
  simt::Vector<T> y;
  SIMT_UNROLL
  for (int e = 0; e < kElements; ++e) y.at[e] = Rules::template result<T>(Rules::kChunk > 0 ? chunks[e] : sums[e]);
  return y;
}

/// The same of one element.
template <class Rules, class T, class Load>
SIMT_DEVICE T reduced_element(int owner, int reader, int ranks, Load load) {
  float sum = 0.0f, chunks = 0.0f;
  const int count = Rules::count(reader, ranks);
  for (int i = 0; i < count; ++i) {
    const float v = Rules::wire(simt::to_float(load(Rules::rank_of(i, owner, reader, ranks))));
    sum = i == 0 && !Rules::kFromZero ? v : Rules::template sum<T>(sum, v);
    if (ends_chunk<Rules>(i, count)) chunks = Rules::template sum<T>(chunks, sum), sum = 0.0f;
  }
  return Rules::template result<T>(Rules::kChunk > 0 ? chunks : sum);
}

/// Whole packets of what a kernel works on, and the element behind them.
template <class T>
struct Packets {
  int64_t count, rest;
  SIMT_DEVICE explicit Packets(const AllReduceArguments& a)
      : count(a.whole ? a.elements / simt::Vector<T>::kElements : 0), rest(count * simt::Vector<T>::kElements) {}
};

}  // namespace assay_kernels
