// Rows of rank_reduce against programs in MPFR written by hand, owners by hand, and what trees can reach found by trying all of
// them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "reference/flow/rank_reduce/words.h"
#include "reference/testing/ranks.h"

namespace assay::rank_reduce_twin {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

double one_sum(const Format& x, double a, double b, bool in_x) {
  const double sum = nearest(kF32, Real(a) + Real(b));
  return in_x ? nearest(x, Real(sum)) : sum;
}

/// A chain from the rank `first` on, around the ranks.
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

/// Ranks 0 to 7 and ranks 8 to 15, and then both; two shots have all in one chain.
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

/// A sum that flushes to -0 or rounds to it is sent as +0 by two shots; of one shot -0 is the end of a chunk alone, to which +0
/// is added.
TEST(RankReduceTwin, NoSumOfTwoShotsIsMinusZero) {
  RankInputs in;
  in.x.assign(16, {0.0});
  in.x[9][0] = -std::ldexp(1.0, -24);
  in.x[10][0] = -std::ldexp(1.0, -24);
  const auto sign = [&](const char* id, const Format& x) {
    return std::signbit(RankSums(contract_of_ranks(id), x, in).results(0, 0, 1)[0].low);
  };
  EXPECT_TRUE(sign("flashinfer.all_reduce_mnnvl_oneshot_16", kF16)) << "-2^-23 is a number of fp16";
  in.x[9][0] = in.x[10][0] = -std::ldexp(1.0, -127);  // subnormal: zeros with their sign
  EXPECT_FALSE(sign("flashinfer.all_reduce_mnnvl_oneshot_16", kBf16));
  EXPECT_FALSE(sign("flashinfer.all_reduce_mnnvl_twoshot", kBf16));
  in.x[9][0] = -std::ldexp(1.0, -126);
  in.x[10][0] = std::ldexp(1.5, -126);
  in.x[8][0] = -std::ldexp(1.25, -126);  // the last sum is subnormal and below zero
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

/// 53 packets and 4 ranks: 13 each, the last one has 14; elements of the first packet are rank 0's.
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

/// Every tree of the numbers left: the sums that it may have.
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
  for (const char* id :
       {"sglang.all_reduce_v2_pull", "sglang.all_reduce_v2_push", "flashinfer.all_reduce_oneshot", "quickreduce.all_reduce_fp_bf16"})
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

/// FP16_OVFL: a finite sum saturates, Inf of a rank stays. It is set on gfx942 alone by vLLM, before bf16 is cast.
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

/// sglang v0.5.19 communicator.cuh LamportTrait<bf16_t, 8, 4>: a word of two numbers is 0x00008000 instead of 0; one of fp32
/// 0x80000000.
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
  EXPECT_THAT(rank_lines(contract_of_ranks("vllm.all_reduce_2stage"), kBf16)[1], HasSubstr("from the owner of the element on"));
  EXPECT_THAT(rank_lines(contract_of_ranks("flashinfer.all_reduce_oneshot"), kBf16)[0], HasSubstr("x[rank] + 0"));
}

}  // namespace
}  // namespace assay::rank_reduce_twin
