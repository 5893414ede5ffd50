// Host side of the all-reduce kernels: checks the calls of all ranks, and launches the kernels of this process's ranks.
#pragma once

#include <algorithm>
#include <iterator>
#include <memory>
#include <type_traits>

#include "kernels/ops/all_reduce/all_reduce_coded_kernels.h"
#include "kernels/ops/all_reduce/all_reduce_plain_kernels.h"
#include "kernels/ops/call.h"
#include "kernels/ops/kernel_common.h"

namespace assay_kernels {

using assay::plugin::AreaRequest;
using assay::plugin::Ranks;

inline constexpr int kRankThreads = 128;
/// On a device, unquantized sums use as many threads and blocks as vLLM: 512 threads, at most 36 blocks. All ranks of a launch
/// together use at most kBlocksAtOnce blocks, because all blocks must run at once, even on the smallest supported GPU.
inline constexpr int kPlainThreads = kOnDevice ? 512 : kRankThreads;
inline constexpr int kBlocksAtOnce = 96;

/// What an area holds after its signals: a buffer as long as the message, or the three buffers of a Lamport kernel whose sentinel the
/// name gives. kSquares: Lamport buffers for sums of squares. kWithSums is added to a kind if the area's second half holds sums.
enum AreaKind : int {
  kSignalsAndBuffer = 0,
  kLamportMinusZero16 = 1,
  kLamportMinusZero32 = 2,
  kLamportPlusZero = 3,
  kSquares = 4,
  kWithSums = 100
};

/// All kernel arguments except `first` and `blocks`, which the launch sets. Rejects ranks with different shapes.
AllReduceArguments all_reduce_arguments(const Ranks& ranks);
AreaRequest signals_and_buffer(const Call& call);
AreaRequest coded_area(const Call& call);
/// An area with signals, a rank's quantized values, and its quantized sums. A group of `numbers` elements takes `bytes` bytes.
AreaRequest area_of_groups(const Call& call, int64_t numbers, int64_t bytes);
template <class Rules>
AreaRequest owner_keeps_area(const Call& call) {
  return area_of_groups(call, Rules::kGroup, kGroupBytes<Rules>);
}
AreaRequest lamport_area(const Call& call, bool minus_zero);
inline AreaRequest minus_zero_area(const Call& call) { return lamport_area(call, true); }
inline AreaRequest plus_zero_area(const Call& call) { return lamport_area(call, false); }
/// Fills the fp32 buffers of a Lamport kernel with -0, its sentinel.
void fill_with_minus_zero(unsigned char* area, size_t bytes);
/// Changes the request so that flags and counters start at the value of the call's parameter "counter".
AreaRequest counted_from(const Call& call, AreaRequest request);
/// The message for the error that a rank recorded at the head of its area; empty if there is none.
std::string all_reduce_complaint(const unsigned char* head, int rank);
/// Rejects the call unless x and y are aligned and consist of whole 16-byte packets.
void expect_whole_packets(const AllReduceArguments& a, const assay_tensor& x);

/// The straggler: the rank that the call's parameter "straggler" delays; -1 if there is none.
inline int straggler_of(const Call& call) { return int(call.number("straggler", -1)); }

/// Makes the calling thread a rank of the team as long as the returned object exists. Has no effect on devices.
inline std::shared_ptr<void> enter_team(const Call& call, const Ranks& ranks, int rank) {
  const int late = straggler_of(call);
  if (ranks.lost) return std::make_shared<simt::RankScope>(ranks.lost, ranks.of, late == rank);
  return std::make_shared<simt::RankScope>(rank, uint64_t(call.number("schedule_seed", 1)), late);
}

/// Launches ranks first .. first + count - 1 together. `kernel` must match the type of x.
template <class Kernel>
void launch_ranks(const Call& call, const Ranks& ranks, int first, int count, int blocks, Kernel kernel,
                  int threads = kRankThreads) {
  AllReduceArguments a = all_reduce_arguments(ranks);
  a.first = first;
  a.blocks = blocks;
  simt::rank_kernel_begins();
  simt::launch(kernel, call.grid(int64_t{blocks} * count, threads), a);
}

/// Number of thread blocks per rank for a message of `packets` 16-byte packets.
inline int blocks_for(int64_t packets) {
  return int(std::clamp<int64_t>((packets + kRankThreads - 1) / kRankThreads, 1, simt::kMostBlocksOfRank));
}

/// Like blocks_for(), for a launch that sums unquantized values of `count` ranks. Ranks in several processes may all share one device.
inline int plain_blocks_for(int64_t packets, const Ranks& ranks, int count) {
  const int sharing = ranks.lost ? ranks.size : count;
  const int most = kOnDevice ? std::min(kMostRankBlocks, kBlocksAtOnce / sharing) : simt::kMostBlocksOfRank;
  return int(std::clamp<int64_t>((packets + kPlainThreads - 1) / kPlainThreads, 1, most));
}

/// Runs an unquantized sum of a message that the ranks split into `parts` parts. `kernel_of` returns the kernel for a type of x.
template <class KernelOf>
void run_plain(const Call& call, const Ranks& ranks, int first, int count, int parts, KernelOf kernel_of) {
  with_type(call.input("x"), [&](auto type) {
    const int64_t packets = all_reduce_arguments(ranks).elements / simt::Vector<decltype(type)>::kElements / parts;
    launch_ranks(call, ranks, first, count, plain_blocks_for(packets, ranks, count), kernel_of(type), kPlainThreads);
  });
}

template <class Rules>
void run_one_shot(const Call& call, const Ranks& ranks, int first, int count) {
  run_plain(call, ranks, first, count, 1, [](auto type) { return all_reduce_one_shot<Rules, decltype(type)>; });
}

template <class Rules>
void run_registered(const Call& call, const Ranks& ranks, int first, int count) {
  run_plain(call, ranks, first, count, 1, [](auto type) { return all_reduce_registered<Rules, decltype(type)>; });
}

template <class Rules>
void run_pairs(const Call& call, const Ranks& ranks, int first, int count) {
  with_type(call.input("x"), [&](auto type) {
    using T = decltype(type);
    launch_ranks(call, ranks, first, count, blocks_for(all_reduce_arguments(ranks).elements), all_reduce_pairs<Rules, T>);
  });
}

template <class Rules>
void run_two_shot(const Call& call, const Ranks& ranks, int first, int count) {
  const AllReduceArguments a = all_reduce_arguments(ranks);
  expect_whole_packets(a, call.input("x"));
  run_plain(call, ranks, first, count, a.ranks, [](auto type) { return all_reduce_two_shot<Rules, decltype(type)>; });
}

template <class Rules>
void run_ring(const Call& call, const Ranks& ranks, int first, int count) {
  const AllReduceArguments a = all_reduce_arguments(ranks);
  expect_whole_packets(a, call.input("x"));
  with_type(call.input("x"), [&](auto type) {
    using T = decltype(type);
    const int64_t packets = a.elements / simt::Vector<T>::kElements;
    launch_ranks(call, ranks, first, count, blocks_for(packets / a.ranks), all_reduce_ring<Rules, T>);
  });
}

template <class Rules>
void run_lamport(const Call& call, const Ranks& ranks, int first, int count) {
  expect_whole_packets(all_reduce_arguments(ranks), call.input("x"));
  with_type(call.input("x"), [&](auto type) {
    using T = decltype(type);
    launch_ranks(call, ranks, first, count, kLamportBlocks, all_reduce_lamport<Rules, T>);
  });
}

template <class Codec>
void run_coded(const Call& call, const Ranks& ranks, int first, int count) {
  const AllReduceArguments a = all_reduce_arguments(ranks);
  const assay_tensor& x = call.input("x");
  expect_whole_packets(a, x);
  with_type(x, [&](auto type) {
    if (!std::is_same_v<decltype(type), typename Codec::Stored>) unsupported("the codec of this contract does not support the type of x");
  });
  launch_ranks(call, ranks, first, count, blocks_for(a.elements / kCodecBlock), all_reduce_coded<Codec, RankRules>);
}

template <class Rules>
void run_owner_keeps(const Call& call, const Ranks& ranks, int first, int count) {
  const AllReduceArguments a = all_reduce_arguments(ranks);
  const assay_tensor& x = call.input("x");
  expect_whole_packets(a, x);
  if (a.elements % (int64_t{Rules::kGroup} * (Rules::kCodesNumbers ? 1 : a.ranks)) != 0)
    unsupported("each rank's part of x must consist of whole groups");
  with_type(x, [&](auto type) {
    if (!std::is_same_v<decltype(type), typename Rules::Number>) unsupported("the codec of this contract does not support the type of x");
  });
  launch_ranks(call, ranks, first, count, blocks_for(a.elements / Rules::kGroup), all_reduce_owner_keeps<Rules, RankRules>);
}

/// Row of the kernel table for an all-reduce kernel. `native`: the kernel accepts only 16-bit types of x.
inline Kernel all_reduce_row(const char* name, std::vector<std::string> contracts,
                             void (*run)(const Call&, const Ranks&, int, int),
                             AreaRequest (*area)(const Call&) = signals_and_buffer, bool native = false) {
  Kernel row{name, "all_reduce", std::move(contracts), {{"x", native ? kHalf : kAny}, {"warp", simt::kWarpSizes}}, {}, nullptr};
  row.area = area;
  row.enter = enter_team;
  row.side_by_side = simt::kRanksInTurns;
  row.run_ranks = run;
  row.complaint = all_reduce_complaint;
  return row;
}

/// Row of the kernel table for a kernel that is not offered for calls in place (y is x), because other ranks may read x while it writes y.
inline Kernel not_in_place(Kernel row) {
  row.accepts.push_back({"use", {"", "alternating", "wrapping", "straggler", "in_a_row"}});
  return row;
}

}  // namespace assay_kernels
