// What the area of a rank holds: what went wrong, signals, and behind them a buffer.
#pragma once

#include <cstdint>
#include <iterator>

#include "kernels/simt/simt.h"

namespace assay_kernels {

/// Whether ranks run at once on a device; on the CPU they take turns.
inline constexpr bool kOnDevice = std::size(simt::kWarpSizes) == 1;
inline constexpr int kMostRanks = 16;
inline constexpr int kMostRankBlocks = 36;
inline constexpr int64_t kAreaBuffer = 8192;  ///< bytes before the buffer

/// At the beginning of an area, zeros at first. Flags count calls upwards, in two sets that are used in turn, so that a rank that
/// is one barrier ahead overwrites nothing that another still waits for (vLLM PR 8558).
struct Signals {
  uint32_t waited_for;  ///< a rank that did not come, and one; 0: all came
  uint32_t block, place;
  uint32_t wanted, seen;  ///< of its flag
  uint32_t unused[59];
  uint32_t odd[kMostRankBlocks][kMostRanks];
  uint32_t even[kMostRankBlocks][kMostRanks];
  uint32_t flag[kMostRankBlocks];          ///< of the last barrier of each block
  uint32_t calls[kMostRankBlocks];         ///< of a Lamport kernel, by block
  uint32_t last_packets[kMostRankBlocks];  ///< that its call before had
};
static_assert(sizeof(Signals) <= kAreaBuffer, "signals end where the buffer begins");

/// Where a rank waited in vain.
enum class RankPlace : uint32_t { kStart = 1, kMiddle = 2, kEnd = 3, kPacket = 4 };

struct AllReduceArguments {
  const void* x[kMostRanks];
  void* y[kMostRanks];
  unsigned char* area[kMostRanks];
  int64_t area_bytes;
  int64_t elements;
  int ranks;
  int first;           ///< rank of the launch's first block
  int blocks;          ///< of each rank
  bool whole;          ///< tensors are aligned to 16 bytes
  int straggler = -1;  ///< a rank that comes later than all others; -1: none
};

/// Which rank and which of its blocks this is.
struct RankBlock {
  int rank, block;
  SIMT_DEVICE explicit RankBlock(const AllReduceArguments& a)
      : rank(a.first + int(simt::block()) / a.blocks), block(int(simt::block()) % a.blocks) {}
};

SIMT_DEVICE Signals* signals_of(const AllReduceArguments& a, int rank) { return reinterpret_cast<Signals*>(a.area[rank]); }

/// The first complaint of a rank stays. Flags count barriers: one that is behind by more than one, or ahead, is no straggler's.
SIMT_DEVICE void complain(Signals* self, int waited_for, int block, RankPlace place, uint32_t wanted = 0, uint32_t seen = 0) {
  if (self->waited_for != 0) return;
  self->block = uint32_t(block);
  self->place = uint32_t(place);
  self->wanted = wanted;
  self->seen = seen;
  self->waited_for = uint32_t(waited_for) + 1;
}

}  // namespace assay_kernels
