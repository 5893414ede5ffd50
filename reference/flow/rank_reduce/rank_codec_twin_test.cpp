// Codecs of sums over ranks, written down: who reads codes of what, and who keeps a sum.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "reference/flow/rank_reduce/edits.h"
#include "reference/testing/ranks.h"

namespace assay::rank_codec_twin {
namespace {

/// One pass of QuickReduce's int8 codec over a group of 32, written down; `saturates`: FP16_OVFL.
std::vector<double> int8_pass(const std::vector<double>& group, bool saturates) {
  const auto half = [&](const Real& v) {
    const double h = nearest(kF16, v);
    return saturates && std::isinf(h) ? std::copysign(65504.0, h) : h;
  };
  double m = group[0];
  for (const double v : group)
    if (std::fabs(v) > std::fabs(m) || (std::fabs(v) == std::fabs(m) && v < m)) m = v;
  const double d = half(Real(m) * Real(-1.0 / 128)), divisor = half(Real(d) + Real(0x1p-24));
  const double e = divisor == 0 ? (saturates ? 65504.0 : HUGE_VAL) : half(Real(1) / Real(divisor));
  std::vector<double> out;
  for (const double v : group) {
    const double scaled = std::isinf(e) ? (v == 0 ? NAN : std::copysign(HUGE_VAL, v * e)) : half(Real(v) * Real(e));
    const double code = std::isnan(scaled) ? -128 : std::nearbyint(std::min(127.0, std::max(-128.0, scaled)));
    out.push_back(half(Real(code + 0.0) * Real(d)));
  }
  return out;
}

/// 64 numbers have two groups, those of even and of odd place; two ranks, two passes.
TEST(RankCodecTwin, QuickReduceCodesTheNumbersAndTheSums) {
  for (const bool saturates : {true, false})
    for (const double amplitude : {1.0, 1e-3, 3e4}) {
      std::mt19937 engine(17);
      std::normal_distribution<double> normal;
      RankInputs in;
      in.x.assign(2, std::vector<double>(192));
      for (auto& x : in.x)
        for (double& v : x) v = std::clamp(nearest(kF16, Real(amplitude * normal(engine))), -65504.0, 65504.0);
      const auto contract =
          contract_of_ranks(saturates ? "quickreduce.all_reduce_int8.gfx942" : "quickreduce.all_reduce_int8.gfx950");
      const Spans y = RankSums(contract, kF16, in).results(1, 0, 192);
      for (size_t lane = 0; lane < 6; ++lane) {
        const size_t first = lane / 2 * 64 + lane % 2;
        std::vector<double> sums(32, 0.0);
        for (const auto& x : in.x) {
          std::vector<double> group;
          for (size_t i = 0; i < 32; ++i) group.push_back(x[first + 2 * i]);
          const std::vector<double> read = int8_pass(group, saturates);
          for (size_t i = 0; i < 32; ++i) {
            const double sum = sums[i] + read[i];
            const double h = std::isfinite(sum) ? nearest(kF16, Real(sum)) : sum;
            sums[i] = saturates && std::isinf(h) ? std::copysign(65504.0, h) : h;
          }
        }
        if (std::any_of(sums.begin(), sums.end(), [](double v) { return !std::isfinite(v); })) continue;
        const std::vector<double> right = int8_pass(sums, saturates);
        for (size_t i = 0; i < 32; ++i)
          ASSERT_TRUE(same_number(y.low[first + 2 * i], right[i])) << saturates << amplitude << " " << first + 2 * i;
      }
    }
}

/// Numbers of two ranks, and codes of 8 bits with one scale for `group` of them, written down.
struct TwoRanks {
  RankInputs in;
  std::vector<double> sums;  ///< fp32
  TwoRanks(const Format& format, size_t elements, int seed) {
    std::mt19937 engine(static_cast<unsigned>(seed));
    std::normal_distribution<double> normal;
    in.x.assign(2, std::vector<double>(elements));
    for (auto& x : in.x)
      for (double& v : x) v = nearest(format, Real(normal(engine)));
    for (size_t i = 0; i < elements; ++i) sums.push_back(nearest(kF32, Real(in.x[0][i]) + Real(in.x[1][i])));
  }
};

double widest_of(const std::vector<double>& v, size_t first, size_t count) {
  double widest = 0;
  for (size_t i = first; i < first + count; ++i) widest = std::max(widest, std::fabs(v[i]));
  return widest;
}

TEST(RankCodecTwin, AGroupOfZerosIsPinnedWhicheverSignsTheyHave) {
  RankInputs in;
  in.x = {std::vector<double>(64, 0.0), std::vector<double>(64, -0.0)};
  for (const char* id : {"quickreduce.all_reduce_fp8.gfx942", "quickreduce.all_reduce_int8.gfx942"})
    EXPECT_TRUE(RankSums(contract_of_ranks(id), kF16, in).results(0, 0, 64)[0].pinned()) << id;
}

TEST(RankCodecTwin, AitersOwnersKeepTheirSumsAndOthersReadCodes) {
  const std::pair<const char*, size_t> rows[] = {{"aiter.all_reduce_fp8_nosat.gfx950", 128},
                                                 {"aiter.all_reduce_fp8_g64_nosat.gfx950", 64},
                                                 {"aiter.all_reduce_fp8_g32_nosat.gfx950", 32},
                                                 {"aiter.all_reduce_fp8_g16_nosat.gfx950", 16},
                                                 {"aiter.all_reduce_fp8_g8_nosat.gfx950", 8}};
  for (const auto& [id, group] : rows) {
    const size_t part = group * 3, elements = 2 * part;
    TwoRanks data(kF16, int64_t(elements), 5);
    for (size_t i = group; i < 2 * group; ++i) data.in.x[0][i] = data.in.x[1][i] = data.sums[i] = 0;  // a group of zeros
    const RankSums y(contract_of_ranks(id), kF16, data.in);
    for (double& v : data.sums) v = nearest(kF16, Real(v));
    for (size_t i = 0; i < elements; ++i) {
      const int owner = i < part ? 0 : 1;
      const double d = nearest(kF16, Real(nearest(kF32, Real(widest_of(data.sums, i / group * group, group)) / Real(448.0))));
      const double read =
          d == 0 ? NAN : nearest(kF16, Real(nearest(kE4M3Fn, Real(nearest(kF32, Real(data.sums[i]) / Real(d))))) * Real(d));
      ASSERT_TRUE(same_number(y.results(owner, int64_t(i), 1)[0].low, data.sums[i])) << id << " " << i;
      ASSERT_TRUE(same_number(y.results(1 - owner, int64_t(i), 1)[0].low, read)) << id << " " << i;
    }
  }
}

/// v_cvt_pk_fp8_f32 does not saturate where FP16_OVFL is not set. On two ranks: one number, the others zeros.
TEST(RankCodecTwin, CodesBeyondTheLargestAreNaN) {
  const auto read_by = [](const char* id, double widest, size_t elements, int rank) {
    RankInputs in;
    in.x.assign(2, std::vector<double>(elements, 0.0));
    in.x[0][0] = widest;
    return RankSums(contract_of_ranks(id), kF16, in).results(rank, 0, int64_t(elements));
  };
  // A sum of 336 * 2^-24 has the scale 1.4 * 2^-24, which f16 rounds to 2^-24: the quotient is 336.
  for (const auto& [id, widest] : {std::pair{"aiter.all_reduce_fp8_nosat.gfx942", 336.0}, {"aiter.all_reduce_fp8_nosat.gfx950", 600.0}}) {
    EXPECT_EQ(read_by(id, widest * 0x1p-24, 1024, 0).low[0], widest * 0x1p-24) << id << ": its owner has the sum";
    EXPECT_TRUE(std::isnan(read_by(id, widest * 0x1p-24, 1024, 1).low[0])) << id;
    EXPECT_FALSE(std::isnan(read_by(id, 240 * 0x1p-24, 1024, 1).low[0])) << id;
  }
  // On gfx950 the multiplier of a small group is Inf, and that of zeros too: all of them are NaN. One rank of zeros is enough.
  for (const double widest : {0x1p-24, 0x1p-9, 0.0036, 0.0, 1.0}) {
    const Spans y = read_by("quickreduce.all_reduce_fp8_nosat.gfx950", widest, 64, 1);
    for (const size_t i : {size_t{0}, size_t{2}}) EXPECT_TRUE(std::isnan(y.low[i])) << widest << " " << i;
    EXPECT_FALSE(std::isnan(read_by("quickreduce.all_reduce_fp8.gfx942", widest, 64, 1).low[0])) << widest;
  }
}

TEST(RankCodecTwin, FlashinfersStripesAreKeptByTurns) {
  const TwoRanks data(kBf16, 8192 + 256, 6);
  const RankSums y(contract_of_ranks("flashinfer.all_reduce_fp8_twoshot"), kBf16, data.in);
  const auto read = [](const std::vector<double>& v, size_t first) {
    const double m = widest_of(v, first, 256), d = nearest(kF32, Real(m) / Real(448.0)), e = nearest(kF32, Real(448.0) / Real(m));
    std::vector<double> numbers;
    for (size_t i = first; i < first + 256; ++i)
      numbers.push_back(nearest(kF32, Real(nearest(kE4M3Fn, Real(nearest(kF32, Real(v[i]) * Real(e))))) * Real(d)));
    return numbers;
  };
  size_t pinned = 0;
  for (size_t first = 0; first < 8192 + 256; first += 256) {
    const int owner = int(first / 4096 % 2);
    const std::vector<double> a = read(data.in.x[0], first), b = read(data.in.x[1], first);
    std::vector<double> sums;
    for (size_t i = 0; i < 256; ++i) sums.push_back(nearest(kF32, Real(a[i]) + Real(b[i])));
    const std::vector<double> others = read(sums, 0);
    const Spans kept = y.results(owner, int64_t(first), 256), coded = y.results(1 - owner, int64_t(first), 256);
    for (size_t i = 0; i < 256; ++i) {
      const double own = nearest(kBf16, Real(sums[i])), theirs = nearest(kBf16, Real(others[i]));
      ASSERT_TRUE(kept[i].low <= own && own <= kept[i].high) << first + i;
      ASSERT_TRUE(coded[i].low <= theirs && theirs <= coded[i].high) << first + i;
      pinned += kept[i].pinned() + coded[i].pinned();
    }
  }
  EXPECT_GT(pinned, 2 * (8192 + 256) * 9 / 10) << "2 ulp of a scale move few codes";
}

/// Bits of both ends.
bool same_spans(const Spans& a, const Spans& b) {
  const auto same = [](const std::vector<double>& x, const std::vector<double>& y) {
    return x.size() == y.size() && std::equal(x.begin(), x.end(), y.begin(), same_number);
  };
  return same(a.low, b.low) && same(a.pinned() ? a.low : a.high, b.pinned() ? b.low : b.high);
}

TEST(RankCodecTwin, WhatRanksHaveInCommonIsWhatEachOfThemReturns) {
  int differ = 0;
  for (const char* id : {"aiter.all_reduce_fp8_nosat.gfx950", "flashinfer.all_reduce_fp8_twoshot", "quickreduce.all_reduce_int8.gfx942",
                         "vllm.all_reduce_2stage", "nccl.all_reduce_ring"}) {
    const RankReduce right = contract_of_ranks(id);
    const Format& x = right.takes(kBf16) ? kBf16 : kF16;
    const TwoRanks data(x, 4096 + 512, 7);
    std::vector<RankReduce> contracts = {right};
    for (const RankNeighbour& wrong : rank_neighbours(right, x, 2, 4096 + 512, false)) contracts.push_back(wrong.contract);
    for (const RankReduce& contract : contracts) {
      const RankSums sums(contract, x, data.in);
      const std::vector<Spans> of_ranks = sums.results_of_ranks(100, 4096);
      ASSERT_EQ(of_ranks.size(), 2u);
      for (int rank = 0; rank < 2; ++rank) ASSERT_TRUE(same_spans(of_ranks[size_t(rank)], sums.results(rank, 100, 4096))) << id;
      differ += !same_spans(of_ranks[0], of_ranks[1]);
    }
  }
  EXPECT_GT(differ, 10) << "owners keep their sums";
}

}  // namespace
}  // namespace assay::rank_codec_twin
