// Tests the executor: barriers, shuffles and reductions in several thread orders, and messages about threads that diverge.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "kernels/simt/block_reduce.h"

namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using testing::StartsWith;

template <int kWarp>
SIMT_KERNEL void sum_by_block(const float* x, float* y) {
  const int64_t i = simt::block() * simt::block_size() + simt::thread();
  y[i] = simt::block_reduce<kWarp>(
      x[i], 0.0f, [](float a, float b) { return a + b; }, [] { simt::barrier(); });
}

/// A sum by a butterfly of shuffles. Between two shuffles, a thread may run ahead of the others.
template <int kWarp>
SIMT_KERNEL void sum_by_shuffles(const float* x, float* y) {
  const int64_t i = simt::block() * simt::block_size() + simt::thread();
  float v = x[i];
  for (int mask = kWarp / 2; mask > 0; mask /= 2) v += simt::shuffle_xor<kWarp>(v, mask);
  y[i] = v;
}

/// In each round, thread t reads what thread 255 - t wrote in the previous round.
SIMT_KERNEL void rotate(int* out, int rounds) {
  SIMT_SHARED(seen, int[256]);
  for (int r = 0; r < rounds; ++r) {
    seen[simt::thread()] = r * 1000 + simt::thread();
    simt::barrier();
    const int other = seen[simt::block_size() - 1 - simt::thread()];
    out[simt::block() * simt::block_size() + simt::thread()] += other == r * 1000 + simt::block_size() - 1 - simt::thread();
    simt::barrier();
  }
}

/// Stores what the block's shared variable held when the block began.
SIMT_KERNEL void read_unset_shared(uint32_t* to) {
  SIMT_SHARED(word, uint32_t[64]);
  to[simt::block() * 64 + simt::thread()] = word[simt::thread()];
}

SIMT_KERNEL void half_at_a_shuffle() {
  if (simt::thread() % 32 < 16) simt::shuffle_xor<32>(1.0f, 8);
  simt::barrier();
}
SIMT_KERNEL void different_shuffles() { simt::shuffle_xor<32>(1.0f, simt::thread() < 5 ? 1 : 2); }
SIMT_KERNEL void some_leave_before_the_barrier() {
  if (simt::thread() >= 48) return;
  simt::barrier();
}
SIMT_KERNEL void throws_in_one_thread() {
  if (simt::block() == 3 && simt::thread() == 7) throw std::runtime_error("thread 7 is unwell");
  simt::barrier();
}

SIMT_KERNEL void copy_sixteen(const uint8_t* from, uint8_t* to) { simt::store16(to, simt::load16(from)); }
SIMT_KERNEL void write_eight(uint8_t* to) { simt::store8(to, 1, 2); }

/// Between two barriers, rank r waits for rank r + 1, so that a block of another rank runs in the meantime.
SIMT_KERNEL void meet_the_next_rank(int rank, int ranks, uint32_t* arrived, int* wrong) {
  SIMT_SHARED(seen, int[64]);
  seen[simt::thread()] = 1000 * rank + simt::thread();
  simt::barrier();
  if (simt::thread() == 0) {
    simt::signal_release(arrived + rank, 1);
    if (!simt::wait_acquire(arrived + (rank + 1) % ranks, 1)) *wrong += 1;
  }
  simt::barrier();
  const int other = 63 - simt::thread();
  *wrong += seen[other] != 1000 * rank + other;
}

simt::Launch grid(int64_t blocks, int threads, int warp, uint64_t seed = 1) { return {blocks, threads, warp, nullptr, seed}; }

template <class Kernel, class... Arguments>
std::string message_of(Kernel kernel, simt::Launch launch, Arguments... arguments) {
  try {
    simt::launch(kernel, launch, arguments...);
  } catch (const std::exception& error) {
    return error.what();
  }
  return "";
}

template <int kWarp>
void expect_sums(uint64_t seed) {
  const int64_t blocks = 200;
  const int threads = 256;
  std::vector<float> x(size_t(blocks * threads)), y(x.size());
  // sums are exact in fp32, so the order is irrelevant
  for (size_t i = 0; i < x.size(); ++i) x[i] = float(i * 2654435761u % 1024u);
  simt::launch(sum_by_block<kWarp>, grid(blocks, threads, kWarp, seed), x.data(), y.data());
  for (int64_t b = 0; b < blocks; ++b) {
    float sum = 0;
    for (int t = 0; t < threads; ++t) sum += x[size_t(b * threads + t)];
    for (int t = 0; t < threads; ++t)
      ASSERT_EQ(y[size_t(b * threads + t)], sum) << "block " << b << " thread " << t << " seed " << seed;
  }
  simt::launch(sum_by_shuffles<kWarp>, grid(blocks, threads, kWarp, seed), x.data(), y.data());
  for (size_t i = 0; i < x.size(); i += kWarp) {
    float sum = 0;
    for (size_t t = 0; t < kWarp; ++t) sum += x[i + t];
    for (size_t t = 0; t < kWarp; ++t) ASSERT_EQ(y[i + t], sum) << i + t;
  }
}

TEST(Executor, TwoStageReductionIsRightAtBothWidthsInEveryOrder) {
  for (uint64_t seed = 1; seed <= 8; ++seed) {
    expect_sums<32>(seed);
    expect_sums<64>(seed);
  }
}

TEST(Executor, ReductionHasTheBitsOfTheButterfly) {
  std::vector<float> x(256), y(256), z(256);
  for (size_t i = 0; i < x.size(); ++i) x[i] = 1.0f / float(i + 3);
  simt::launch(sum_by_shuffles<32>, grid(1, 32, 32), x.data(), y.data());
  simt::launch(sum_by_block<32>, grid(1, 32, 32), x.data(), z.data());
  for (int t = 0; t < 32; ++t) EXPECT_EQ(simt::bits(y[size_t(t)]), simt::bits(z[0]));
}

TEST(Executor, BarrierSeparatesRounds) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    std::vector<int> right(65 * 256);
    simt::launch(rotate, grid(65, 256, 32, seed), right.data(), 7);
    EXPECT_EQ(right, std::vector<int>(right.size(), 7));
  }
}

TEST(Executor, SaysWhereThreadsOfAWarpPart) {
  const std::string text = message_of(half_at_a_shuffle, grid(1, 64, 32));
  EXPECT_THAT(text, HasSubstr("block 0, warp"));
  EXPECT_THAT(text, HasSubstr("wait at a shuffle (xor 8)"));
  EXPECT_THAT(text, HasSubstr("wait at the barrier"));
}

TEST(Executor, SaysWhenTheyWaitAtDifferentShuffles) {
  EXPECT_THAT(message_of(different_shuffles, grid(1, 32, 32)),
              HasSubstr("threads 0-4 wait at a shuffle (xor 1), threads 5-31 wait at a shuffle (xor 2)"));
}

TEST(Executor, SaysWhoDidNotReachTheBarrier) {
  EXPECT_EQ(message_of(some_leave_before_the_barrier, grid(1, 64, 64)),
            "block 0: not every thread reached the barrier: threads 0-47 wait at the barrier, threads 48-63 have ended");
}

TEST(Executor, PassesOnWhatAKernelThrowsAndWorksAfterwards) {
  EXPECT_EQ(message_of(throws_in_one_thread, grid(5, 64, 32)), "thread 7 is unwell");
  expect_sums<32>(1);
}

TEST(Executor, SharedMemoryIsFilledIfTheLaunchSaysSo) {
#ifdef ASSAY_SIMT_TSAN
  GTEST_SKIP() << "shared variables are plain globals";
#endif
  std::vector<uint32_t> held(3 * 64, 1);
  simt::launch(read_unset_shared, grid(3, 64, 32), held.data());
  EXPECT_EQ(held, std::vector<uint32_t>(held.size(), 0));
  for (const uint64_t byte : {0x3cu, 0xbdu}) {
    simt::launch(read_unset_shared, grid(3, 64, 32, 1 | byte << simt::Launch::kSeedBits), held.data());
    for (const uint32_t word : held) EXPECT_EQ(word >> 24, byte);
  }
}

TEST(Executor, RefusesAGridWithoutBlocks) {
  EXPECT_EQ(message_of(half_at_a_shuffle, grid(0, 64, 32)), "a grid must have at least one block");
}

TEST(Executor, RefusesLoadsAndStoresThatADeviceRefuses) {
  alignas(16) uint8_t bytes[64] = {};
  EXPECT_EQ(message_of(copy_sixteen, grid(1, 32, 32), bytes + 16, bytes + 32), "");
  EXPECT_THAT(message_of(copy_sixteen, grid(1, 32, 32), bytes + 18, bytes + 32),
              MatchesRegex("a load of 16 bytes at address 0x[0-9a-f]+, 2 bytes past a multiple of 16, by block 0, thread [0-9]+.*"));
  EXPECT_THAT(message_of(copy_sixteen, grid(1, 32, 32), bytes + 16, bytes + 44),
              HasSubstr("12 bytes past a multiple of 16"));
  EXPECT_THAT(message_of(copy_sixteen, grid(1, 32, 32), bytes + 16, bytes + 44), StartsWith("a store of 16 bytes"));
  EXPECT_EQ(message_of(write_eight, grid(1, 32, 32), bytes + 8), "");
  EXPECT_THAT(message_of(write_eight, grid(1, 32, 32), bytes + 12), HasSubstr("4 bytes past a multiple of 8"));
}

TEST(Executor, RanksInTurnsHaveSharedVariablesOfTheirOwn) {
#ifdef ASSAY_SIMT_TSAN
  GTEST_SKIP() << "ranks are OS threads here";
#else
  struct Call {
    uint64_t seed = 0;
    int absent = -1;  ///< a rank that ends before its first call
    uint32_t arrived[3] = {};
    int wrong = 0, ended = 0;
  };
  const auto rank = [](void* of, int index) {
    Call& call = *static_cast<Call*>(of);
    ++call.ended;
    if (index == call.absent) return;
    const simt::RankScope scope(index, call.seed, -1);
    simt::launch(meet_the_next_rank, grid(1, 64, 32), index, 3, call.arrived, &call.wrong);
  };
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    Call all{seed}, without{seed, 2};
    simt::kRanksInTurns(3, rank, &all);
    EXPECT_EQ(all.wrong, 0);
    simt::kRanksInTurns(3, rank, &without);
    EXPECT_EQ(without.wrong, 1) << "rank 1 waits in vain";
    EXPECT_EQ(without.ended, 3);
  }
#endif
}

TEST(Executor, RefusesHalfAWarp) {
  EXPECT_EQ(message_of(half_at_a_shuffle, grid(1, 48, 32)), "a block must consist of whole warps");
}

}  // namespace
