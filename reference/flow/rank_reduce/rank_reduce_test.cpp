// Compares all-reduces, plain and quantized, with MPFR programs, and tests their mutants.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <set>

#include "reference/flow/flow.h"
#include "reference/flow/rank_reduce/rank_norm.h"
#include "reference/flow/rank_reduce/rank_reduce.h"
#include "reference/testing/mpfr_programs.h"

namespace assay::rank_reduce_twin {

// Compares rows of rank_reduce with MPFR programs and hand-written owners. If the order is open, tries every tree.

namespace {

using testing::ElementsAre;
using testing::HasSubstr;

double one_sum(const Format& x, double a, double b, bool in_x) {
  const double sum = nearest(kF32, Real(a) + Real(b));
  return in_x ? nearest(x, Real(sum)) : sum;
}

/// The sum of element e in the order first, first + 1, ..., last rank, 0, ..., first - 1. `in_x`: each sum is rounded to x.
double chain(const RankInputs& in, const Format& x, int64_t e, int first, bool in_x) {
  double sum = 0;
  for (int i = 0; i < in.world_size(); ++i) {
    const double v = in.x[size_t((first + i) % in.world_size())][size_t(e)];
    sum = i == 0 ? v : one_sum(x, sum, v, in_x);
  }
  return nearest(x, Real(sum));
}

TEST(RankReduceTwin, AbsoluteOrderIsOneChainFromRankZero) {
  for (const Format* x : {&kBf16, &kF16, &kF32})
    for (const int ranks : {2, 4, 6, 8}) {
      const RankInputs in = inputs_of_ranks(*x, ranks, 300, unsigned(ranks));
      const Spans y = RankSums(contract_of_ranks("vllm.all_reduce_1stage"), *x, in).results(0, 0, 300);
      ASSERT_TRUE(y.pinned());
      for (int64_t e = 0; e < 300; ++e) ASSERT_EQ(y.low[size_t(e)], chain(in, *x, e, 0, false)) << x->name << ranks << " " << e;
    }
}

/// One shot: adds ranks 0 to 7 and ranks 8 to 15 separately, then both sums. Two shots: one chain over all 16 ranks.
TEST(RankReduceTwin, SixteenRanksOfOneShotAreAddedByEights) {
  const RankReduce by_eights = contract_of_ranks("flashinfer.all_reduce_mnnvl_oneshot_16"),
                   in_one = contract_of_ranks("flashinfer.all_reduce_mnnvl_twoshot");
  for (const Format* x : {&kBf16, &kF16, &kF32}) {
    const RankInputs in = inputs_of_ranks(*x, 16, 300, 9);
    const Spans y = RankSums(by_eights, *x, in).results(3, 0, 300), z = RankSums(in_one, *x, in).results(3, 0, 300);
    int64_t apart = 0;
    for (int64_t e = 0; e < 300; ++e) {
      double halves[2];
      for (const int half : {0, 1}) {
        RankInputs part;
        part.x.assign(in.x.begin() + 8 * half, in.x.begin() + 8 * half + 8);
        halves[half] = 0;
        for (const std::vector<double>& of_rank : part.x) halves[half] = one_sum(*x, halves[half], of_rank[size_t(e)], false);
      }
      ASSERT_EQ(y.low[size_t(e)], nearest(*x, Real(one_sum(*x, halves[0], halves[1], false)))) << x->name << " " << e;
      ASSERT_EQ(z.low[size_t(e)], chain(in, *x, e, 0, false)) << x->name << " " << e;
      apart += y.low[size_t(e)] != z.low[size_t(e)];
    }
    EXPECT_GT(apart, 100) << x->name;
  }
}

/// Two shots: a sum that flushes or rounds to -0 is sent as +0. One shot: the other chunk's sum, +0, turns a sum of -0 into +0.
TEST(RankReduceTwin, NoSumOfTwoShotsIsMinusZero) {
  RankInputs in;
  in.x.assign(16, {0.0});
  in.x[9][0] = -std::ldexp(1.0, -24);
  in.x[10][0] = -std::ldexp(1.0, -24);
  const auto sign = [&](const char* id, const Format& x) {
    return std::signbit(RankSums(contract_of_ranks(id), x, in).results(0, 0, 1)[0].low);
  };
  EXPECT_TRUE(sign("flashinfer.all_reduce_mnnvl_oneshot_16", kF16)) << "-2^-23 is a number of fp16";
  in.x[9][0] = in.x[10][0] = -std::ldexp(1.0, -127);  // subnormal: flushed to a zero that keeps its sign
  EXPECT_FALSE(sign("flashinfer.all_reduce_mnnvl_oneshot_16", kBf16));
  EXPECT_FALSE(sign("flashinfer.all_reduce_mnnvl_twoshot", kBf16));
  in.x[9][0] = -std::ldexp(1.0, -126);
  in.x[10][0] = std::ldexp(1.5, -126);
  in.x[8][0] = -std::ldexp(1.25, -126);  // the last sum is a negative subnormal
  EXPECT_FALSE(sign("flashinfer.all_reduce_mnnvl_twoshot", kBf16));
}

TEST(RankReduceTwin, EverySumOfANativeRowIsRounded) {
  const RankReduce contract = contract_of_ranks("flashinfer.all_reduce_twoshot_native");
  for (const Format* x : {&kBf16, &kF16}) {
    const RankInputs in = inputs_of_ranks(*x, 8, 300, 3);
    const Spans y = RankSums(contract, *x, in).results(5, 0, 300);
    for (int64_t e = 0; e < 300; ++e) ASSERT_EQ(y.low[size_t(e)], chain(in, *x, e, 0, true)) << e;
  }
}

/// 53 packets and 4 ranks: three ranks own 13 packets each, the last one 14. Rank 0 owns the first packet.
TEST(RankReduceTwin, TwoStagesBeginWithTheOwner) {
  const int64_t elements = 53 * 8;
  const RankInputs in = inputs_of_ranks(kBf16, 4, elements, 5);
  const RankSums sums(contract_of_ranks("vllm.all_reduce_2stage"), kBf16, in);
  EXPECT_TRUE(sums.same_for_all());
  const Spans y = sums.results(2, 0, elements);
  for (int64_t e = 0; e < elements; ++e) {
    const int owner = int(std::min<int64_t>(3, e / 8 / 13));
    ASSERT_EQ(y.low[size_t(e)], chain(in, kBf16, e, owner, false)) << e;
  }
  const Spans some = sums.results(0, 100, 50);
  EXPECT_TRUE(std::equal(some.low.begin(), some.low.end(), y.low.begin() + 100)) << "a stretch is that of the whole";
}

TEST(RankReduceTwin, ARingBeginsBehindTheOwnerAndRounds) {
  const int64_t elements = 16 * 8;
  const RankInputs in = inputs_of_ranks(kF16, 4, elements, 6);
  const Spans y = RankSums(contract_of_ranks("assay.all_reduce_ring"), kF16, in).results(0, 0, elements);
  for (int64_t e = 0; e < elements; ++e) ASSERT_EQ(y.low[size_t(e)], chain(in, kF16, e, (int(e / 32) + 1) % 4, true)) << e;
}

TEST(RankReduceTwin, ARingOfUnknownChunksIsWhatItsRotationsReach) {
  const RankInputs in = inputs_of_ranks(kBf16, 6, 200, 7);
  const Spans y = RankSums(contract_of_ranks("nccl.all_reduce_ring"), kBf16, in).results(0, 0, 200);
  int64_t wide = 0;
  for (int64_t e = 0; e < 200; ++e) {
    double least = HUGE_VAL, most = -HUGE_VAL;
    for (int first = 0; first < 6; ++first) {
      least = std::min(least, chain(in, kBf16, e, first, true));
      most = std::max(most, chain(in, kBf16, e, first, true));
    }
    ASSERT_EQ(y[size_t(e)].low, least) << e;
    ASSERT_EQ(y[size_t(e)].high, most) << e;
    wide += least < most;
  }
  EXPECT_GT(wide, 100) << "the data show the order";
}

/// Adds to `sums` the result of every tree of additions over the values in `left`.
void all_trees(const Format& x, std::vector<double> left, std::set<double>& sums) {
  if (left.size() == 1) sums.insert(left[0]);
  for (size_t i = 0; i < left.size(); ++i)
    for (size_t j = i + 1; j < left.size(); ++j) {
      std::vector<double> next = left;
      next[i] = one_sum(x, left[i], left[j], true);
      next.erase(next.begin() + long(j));
      all_trees(x, next, sums);
    }
}

TEST(RankReduceTwin, ATreeIsWhatAllTreesReach) {
  for (const int ranks : {2, 4}) {
    const RankInputs in = inputs_of_ranks(kBf16, ranks, 100, 8);
    const Spans y = RankSums(contract_of_ranks("nccl.all_reduce_tree"), kBf16, in).results(0, 0, 100);
    for (int64_t e = 0; e < 100; ++e) {
      std::set<double> sums;
      std::vector<double> all;
      for (int r = 0; r < ranks; ++r) all.push_back(in.x[size_t(r)][size_t(e)]);
      all_trees(kBf16, all, sums);
      ASSERT_EQ(y[size_t(e)].low, *sums.begin()) << ranks << " " << e;
      ASSERT_EQ(y[size_t(e)].high, *sums.rbegin()) << ranks << " " << e;
    }
  }
}

Span of_column(const std::string& id, const Format& x, const std::vector<double>& column) {
  RankInputs in;
  for (const double v : column) in.x.push_back({v});
  return RankSums(contract_of_ranks(id), x, in).results(0, 0, 1)[0];
}

TEST(RankReduceTwin, SignsOfZeroAreThoseOfTheRow) {
  const std::vector<double> minus = {-0.0, -0.0}, mixed = {-0.0, 0.0};
  for (const char* id : {"vllm.all_reduce_1stage", "flashinfer.all_reduce_twoshot", "nccl.all_reduce_ring"})
    EXPECT_TRUE(std::signbit(of_column(id, kBf16, minus).low)) << id;
  for (const char* id : {"sglang.all_reduce_v2_pull", "sglang.all_reduce_v2_push", "flashinfer.all_reduce_oneshot",
                         "quickreduce.all_reduce_fp_bf16"})
    EXPECT_FALSE(std::signbit(of_column(id, kBf16, minus).low)) << id;
  EXPECT_FALSE(std::signbit(of_column("vllm.all_reduce_1stage", kBf16, mixed).low));
}

TEST(RankReduceTwin, AFiniteSumMayOverflowOnTheWay) {
  const std::vector<double> column = {60000, 60000, -60000, -60000};
  EXPECT_EQ(of_column("vllm.all_reduce_1stage", kF16, column).low, 0);
  EXPECT_EQ(of_column("quickreduce.all_reduce_fp.gfx950", kF16, column).low, HUGE_VAL);
  const Span tree = of_column("nccl.all_reduce_tree", kF16, column);
  EXPECT_TRUE(tree.any()) << "Inf - Inf in one tree, 0 in another";
  EXPECT_TRUE(std::isnan(of_column("nccl.all_reduce_tree", kF16, {1, NAN, 2, 3}).high));
  EXPECT_TRUE(std::isnan(of_column("nccl.all_reduce_tree", kF16, {1, HUGE_VAL, -HUGE_VAL, 3}).low));
}

TEST(RankReduceTwin, BuildsThatFlushMakeZerosOfSubnormalNumbers) {
  const std::vector<double> tiny = {0x1p-130, 0x1p-131}, parts = {0x1p-126, -0x1.8p-127};
  for (const char* id : {"flashinfer.all_reduce_oneshot", "flashinfer.all_reduce_twoshot_native", "aiter.all_reduce_1stage"}) {
    EXPECT_EQ(of_column(id, kBf16, tiny).low, 0) << id;
    EXPECT_EQ(of_column(id, kBf16, parts).low, 0x1p-126) << id << ": the subnormal operand is a zero before the sum";
    EXPECT_EQ(of_column(id, kF16, {0x1p-24, 0x1p-24}).low, 0x1p-23) << id << ": of fp16 none is one of fp32";
  }
  EXPECT_EQ(of_column("vllm.all_reduce_1stage", kBf16, tiny).low, 0x1.8p-130);
}

TEST(RankReduceTwin, AiterCutsBf16OffOnGfx942) {
  const std::vector<double> column = {1.0, 0x1.fp-8};
  EXPECT_EQ(of_column("aiter.all_reduce_1stage", kBf16, column).low, 0x1.02p0);
  EXPECT_EQ(of_column("aiter.all_reduce_1stage_gfx942", kBf16, column).low, 1.0);
}

/// With the mode bit FP16_OVFL, a finite sum saturates, but a rank's Inf stays Inf. vLLM sets the bit on gfx942 only. There the
/// cast from bf16 to fp16 saturates too.
TEST(RankReduceTwin, QuickReduceSaturatesOnGfx942) {
  const std::vector<double> most = {65504, 65504}, infinite = {HUGE_VAL, 1}, beyond = {0x1p17, 0x1p17};
  EXPECT_EQ(of_column("quickreduce.all_reduce_fp.gfx942", kF16, most).low, 65504);
  EXPECT_EQ(of_column("quickreduce.all_reduce_fp.gfx950", kF16, most).low, HUGE_VAL);
  for (const char* id : {"quickreduce.all_reduce_fp.gfx942", "quickreduce.all_reduce_fp.gfx950"})
    EXPECT_EQ(of_column(id, kF16, infinite).low, HUGE_VAL) << id;
  EXPECT_EQ(of_column("quickreduce.all_reduce_fp_cast.gfx942", kBf16, beyond).low, 65536) << "65504 in bf16";
  EXPECT_EQ(of_column("quickreduce.all_reduce_fp_cast.gfx950", kBf16, beyond).low, HUGE_VAL);
  EXPECT_EQ(of_column("sglang.quick_all_reduce_fp_cast", kBf16, beyond).low, 0x1p18);
  EXPECT_EQ(of_column("quickreduce.all_reduce_fp_bf16", kBf16, beyond).low, 0x1p18);
}

/// A word of two +0 elements is sent as 0x00008000 instead of 0, and an fp32 zero as 0x80000000. Source: sglang v0.5.19
/// communicator.cuh LamportTrait<bf16_t, 8, 4>.
TEST(RankReduceTwin, OfTwoZerosInAWordTheFirstIsSentWithAnotherSign) {
  RankInputs in;
  in.x = {{0.0, 0.0, 0.0, 1.0, -0.0, 0.0, 0.0, -0.0}, {0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0}};
  const auto signs = [&](const char* id, const Format& x) {
    const Spans y = RankSums(contract_of_ranks(id), x, in).results(0, 0, 8);
    std::string text;
    for (size_t i = 0; i < y.size(); ++i) text += y.low[i] != 0 ? '1' : std::signbit(y.low[i]) ? '-' : '+';
    return text;
  };
  EXPECT_EQ(signs("sglang.all_reduce_v2_push@v0.5.19", kBf16), "-++1-+++");
  EXPECT_EQ(signs("sglang.all_reduce_v2_push@v0.5.16", kBf16), "---1----");
  EXPECT_EQ(signs("sglang.all_reduce_v2_push@v0.5.19", kF32), "---1----");
}

TEST(RankReduceTwin, OwnersHaveWholePacketsAndTheLastOneTheRest) {
  const auto ends = [](int64_t elements, int ranks) {
    std::vector<int64_t> all;
    for (const RankSegment& s : rank_segments({false, 16}, kBf16, elements, ranks)) all.push_back(s.end);
    return all;
  };
  EXPECT_THAT(ends(8 * 9, 4), ElementsAre(16, 32, 48, 72));
  EXPECT_THAT(ends(8 * 3, 4), ElementsAre(24)) << "fewer packets than ranks: all are the last one's";
}

TEST(RankReduceTwin, WordsSayTheOrder) {
  EXPECT_THAT(rank_lines(contract_of_ranks("vllm.all_reduce_2stage"), kBf16)[1], HasSubstr("starting with the owner of"));
  EXPECT_THAT(rank_lines(contract_of_ranks("flashinfer.all_reduce_oneshot"), kBf16)[0], HasSubstr("x[rank] + 0"));
}

}  // namespace

}  // namespace assay::rank_reduce_twin

namespace assay::rank_codec_twin {

// Hand-written codecs of all-reduces: what is sent as codes, and which rank keeps its sum.

namespace {

/// Encodes and decodes a group of 32 with QuickReduce's int8 codec. `saturates`: the mode bit FP16_OVFL is set.
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

/// 64 elements are two groups: those at even and those at odd positions. Two ranks; values and sums are sent as codes.
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

/// Random values of two ranks.
struct TwoRanks {
  RankInputs in;
  std::vector<double> sums;  ///< the sums of both values, in fp32
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

/// Without FP16_OVFL, v_cvt_pk_fp8_f32 does not saturate. Two ranks, with one nonzero value each.
TEST(RankCodecTwin, CodesBeyondTheLargestAreNaN) {
  const auto read_by = [](const char* id, double widest, size_t elements, int rank) {
    RankInputs in;
    in.x.assign(2, std::vector<double>(elements, 0.0));
    in.x[0][0] = widest;
    return RankSums(contract_of_ranks(id), kF16, in).results(rank, 0, int64_t(elements));
  };
  // A sum of 336 * 2^-24 has scale 1.4 * 2^-24, which f16 rounds to 2^-24, so the quotient is 336.
  for (const auto& [id, widest] :
       {std::pair{"aiter.all_reduce_fp8_nosat.gfx942", 336.0}, {"aiter.all_reduce_fp8_nosat.gfx950", 600.0}}) {
    EXPECT_EQ(read_by(id, widest * 0x1p-24, 1024, 0).low[0], widest * 0x1p-24) << id << ": its owner has the sum";
    EXPECT_TRUE(std::isnan(read_by(id, widest * 0x1p-24, 1024, 1).low[0])) << id;
    EXPECT_FALSE(std::isnan(read_by(id, 240 * 0x1p-24, 1024, 1).low[0])) << id;
  }
  // On gfx950, the multiplier of a group of small values or zeros is Inf, so all elements of the group become NaN. It is enough
  // that one rank has such a group.
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

/// True if both ends of all intervals have the same bits.
bool same_spans(const Spans& a, const Spans& b) {
  const auto same = [](const std::vector<double>& x, const std::vector<double>& y) {
    return x.size() == y.size() && std::equal(x.begin(), x.end(), y.begin(), same_number);
  };
  return same(a.low, b.low) && same(a.pinned() ? a.low : a.high, b.pinned() ? b.low : b.high);
}

TEST(RankCodecTwin, WhatRanksHaveInCommonIsWhatEachOfThemReturns) {
  int differ = 0;
  for (const char* id : {"aiter.all_reduce_fp8_nosat.gfx950", "flashinfer.all_reduce_fp8_twoshot",
                         "quickreduce.all_reduce_int8.gfx942", "vllm.all_reduce_2stage", "nccl.all_reduce_ring"}) {
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

namespace assay::rank_edits {

// Mutants of all-reduces that no row can express. Each changes some result.

namespace {

TEST(RankEdits, SlipsOfACodecAreSuspects) {
  std::set<std::string> suspects;
  for (const RankNeighbour& wrong :
       rank_neighbours(contract_of_ranks("aiter.all_reduce_fp8_g64_nosat.gfx950"), kF16, 4, 4096, false))
    if (wrong.suspect) suspects.insert(wrong.name);
  EXPECT_TRUE(suspects.contains("code: div(d) -> mul(d)"));
  EXPECT_TRUE(suspects.contains("codes: the exponent is read one bit too low"));
  for (const RankNeighbour& wrong : rank_neighbours(contract_of_ranks("vllm.all_reduce_1stage"), kBf16, 4, 4096, false))
    EXPECT_FALSE(wrong.suspect) << wrong.name << ": it has no codec";
}

TEST(RankEdits, EveryMistakeShowsOnDataThatCancel) {
  for (const char* id :
       {"vllm.all_reduce_1stage", "vllm.all_reduce_2stage", "flashinfer.all_reduce_twoshot_native", "assay.all_reduce_ring"}) {
    const RankReduce contract = contract_of_ranks(id);
    RankInputs in = inputs_of_ranks(kBf16, 4, 8 * 41, 11);
    in.before = inputs_of_ranks(kBf16, 4, 8 * 41, 12).x;
    for (int r = 0; r < 4; ++r) in.x[size_t(r)][5] = r == 3 ? 60000.0 : 30000.0;  // beyond fp16
    for (int r = 0; r < 4; ++r) in.x[size_t(r)][6] = -0.0;
    for (int r = 0; r < 4; ++r) in.x[size_t(r)][7] = 0x1p-130;  // a subnormal value
    const RankSums right(contract, kBf16, in);
    for (const RankNeighbour& wrong : rank_neighbours(contract, kBf16, 4, 8 * 41, true)) {
      if (wrong.name.starts_with("wire: nothing -> neg") || wrong.name == "wire: add(0) -> nothing") continue;
      bool seen = false;
      for (int rank = 0; rank < 4; ++rank) {
        const Spans a = right.results(rank, 0, 8 * 41), b = RankSums(wrong.contract, kBf16, in).results(rank, 0, 8 * 41);
        ASSERT_EQ(a.size(), b.size()) << wrong.name;
        for (size_t i = 0; i < a.size(); ++i) seen |= !same_number(a.low[i], b.low[i]);
      }
      EXPECT_TRUE(seen) << id << ": " << wrong.name;
    }
  }
}

/// What a rank returns for the values 1, 2, 4 and 8; in the previous call they were 16, 32, 64 and 128.
double returned(const RankReduce& contract, int rank = 0) {
  const RankInputs in{{{1}, {2}, {4}, {8}}, {{16}, {32}, {64}, {128}}};
  return RankSums(contract, kF32, in).results(rank, 0, 1)[0].low;
}

TEST(RankEdits, StepsDoWhatTheySay) {
  RankReduce contract = contract_of_ranks("vllm.all_reduce_1stage");
  EXPECT_EQ(returned(contract), 15);
  contract.terms = {{TermStep::kDrop, 2}};
  EXPECT_EQ(returned(contract), 11);
  contract.terms = {{TermStep::kRepeat, 2}};
  EXPECT_EQ(returned(contract), 19);
  contract.terms = {{TermStep::kRecall, 3}};
  EXPECT_EQ(returned(contract), 7 + 128);
  contract.terms = {{TermStep::kRecall, 3}, {TermStep::kDrop, 0}};
  EXPECT_EQ(returned(contract), 6 + 128) << "one after the other";
  contract.terms.clear();
  contract.result = ResultStep{ResultStep::kOwnNumbers, 1};
  EXPECT_EQ(returned(contract, 0), 15);
  EXPECT_EQ(returned(contract, 1), 2);
}

TEST(RankEdits, NoRowSaysWhatOnlyEditsDo) {
  int rows = 0;
  for (const ContractRow& row : tables_of_ranks().rows()) {
    EXPECT_TRUE(row.flow != &rank_squares_flow() || read_rank_squares(row).steps.empty()) << row.id;
    if (row.flow != &rank_reduce_flow()) continue;
    ++rows;
    const RankReduce contract = read_rank_reduce(row);
    EXPECT_TRUE(contract.terms.empty() && !contract.result) << row.id;
    EXPECT_TRUE(contract.codec.of_sums) << row.id;
    EXPECT_TRUE(contract.codec.keeper == 0 || !contract.codec.keeps_sums()) << row.id;
  }
  EXPECT_GT(rows, 20);
}

}  // namespace

}  // namespace assay::rank_edits
