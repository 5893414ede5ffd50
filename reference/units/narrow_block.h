// A block of products of at most 8 bits, aligned to at most 13 fraction bits. Two products share a 32-bit lane and are added by
// one AVX-512 VNNI instruction. Sum and c fit in a float, so the later steps are exact in floats. Included by
// loops_avx512vnni.cpp only.
#pragma once

#include <immintrin.h>

#include "reference/units/loops_run.h"

namespace assay {
namespace {

/// kPairs: number of pairs in a block, or 0 for a number known at run time.
template <int kPairs>
struct NarrowBlock {
  static __m512i pair(const int32_t* a) { return _mm512_set1_epi32(*a); }

  /// The low 16 bits of every lane in both of its halves.
  static __m512i in_halves(Ints v) {
    return _mm512_or_si512(_mm512_slli_epi32((__m512i)v, 16), _mm512_and_si512((__m512i)v, _mm512_set1_epi32(0xffff)));
  }

  static Floats run(const UnitTask& task, const Products&, int row, int block, const Rounder&, Floats c) {
    const UnitPlan& plan = *task.plan;
    const int n = plan.unit->take / 2, first = block * n;
    const int32_t* const a = task.a->narrow.data() + (row * (task.a->steps / 2) + first) * kNarrowWords;
    const auto* const b = (const __m512i*)(task.b->narrow.data() + first * kNarrowWords * kLanes);

    // With a known count, the sums of exponents stay in registers.
    constexpr int kKept = kPairs == 0 ? kMostTaken / 2 : kPairs;
    const int pairs = kPairs == 0 ? n : kPairs;
    __m512i sums[kKept], most = _mm512_set1_epi16(2 * kNarrowZero);
#pragma GCC unroll 16
    for (int i = 0; i < pairs; ++i) {
      sums[i] = _mm512_add_epi16(pair(a + kNarrowWords * i), _mm512_loadu_si512(b + kNarrowWords * i));
      most = _mm512_max_epi16(most, sums[i]);
    }
    const Ints low = (Ints)_mm512_srai_epi32(_mm512_slli_epi32(most, 16), 16), high = (Ints)_mm512_srai_epi32(most, 16);
    const Ints largest = larger(larger(low, high), exponents_of_c(plan, c, false));

    const __m512i base = in_halves(largest);
    __m512i sum[2] = {_mm512_setzero_si512(), _mm512_setzero_si512()};
#pragma GCC unroll 16
    for (int i = 0; i < pairs; ++i) {
      const int32_t* const x = a + kNarrowWords * i;
      const __m512i* const y = b + kNarrowWords * i;
      const __m512i product = _mm512_mullo_epi16(pair(x + 1), _mm512_loadu_si512(y + 1));
      const __m512i sign = _mm512_xor_si512(pair(x + 2), _mm512_loadu_si512(y + 2));
      sum[i % 2] = _mm512_dpwssd_epi32(sum[i % 2], _mm512_srlv_epi16(product, _mm512_sub_epi16(base, sums[i])), sign);
    }
    const int bits = plan.unit->fraction_bits;
    const __m512 place = _mm512_cvtepi32_ps((__m512i)(largest - bits));
    const __m512i of_c = _mm512_cvttps_epi32(_mm512_scalef_ps((__m512)c, _mm512_sub_ps(_mm512_setzero_ps(), place)));
    const __m512i whole = _mm512_add_epi32(_mm512_add_epi32(sum[0], sum[1]), of_c);
    return truncated<Ints>((Floats)_mm512_scalef_ps(_mm512_cvtepi32_ps(whole), place), plan.unit->result_bits);
  }
};

void run_narrow(const UnitTask& task) {
  const int pairs = task.plan->unit->take / 2;
  pairs == 16  ? run_aligned<NarrowBlock<16>>(task)
  : pairs == 8 ? run_aligned<NarrowBlock<8>>(task)
               : run_aligned<NarrowBlock<0>>(task);
}

}  // namespace
}  // namespace assay
