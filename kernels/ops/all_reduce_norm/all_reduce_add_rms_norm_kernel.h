// All-reduce followed by rms_norm with a residual. Variants also quantize, or first combine the rows of each rank's experts.
#pragma once

#include <cstring>
#include <deque>
#include <string>
#include <vector>

#include "kernels/ops/all_reduce/all_reduce_run.h"
#include "kernels/ops/moe_combine/moe_combine_kernel.h"
#include "kernels/ops/rms_norm/rms_norm_kernel.h"
#include "kernels/ops/rms_norm/rms_norm_rules.h"

namespace assay_kernels {

// All-reduce into the rank's own area, followed by a norm with residual and quantization. The x of the norm is the sum in this area.

using RankRun = void (*)(const Call&, const Ranks&, int, int);

/// Runs the all-reduce before a norm. If ranks are in several processes, waits on the host until the all-reduce has ended. Without
/// this wait, ranks timed out in two of 614 cases with two processes on one H200; with the wait, in none.
template <RankRun kSum>
void run_sum_before_norm(const Call& call, const Ranks& ranks, int first, int count) {
  kSum(call, ranks, first, count);
  if (ranks.lost) simt::wait_for_stream(call.raw().stream);
}

/// Doubles the requested area. The all-reduce uses the first half, and the second half holds its result. The buffers of the
/// all-reduce therefore lie at the same addresses for every message size.
inline AreaRequest with_room_for_sums(AreaRequest request) {
  request.kind += kWithSums;
  request.bytes *= 2;
  return request;
}
inline AreaRequest barrier_area_with_sums(const Call& call) { return with_room_for_sums(signals_and_buffer(call)); }
inline AreaRequest minus_zero_area_with_sums(const Call& call) { return with_room_for_sums(minus_zero_area(call)); }

/// Copies of all ranks' calls with changed tensors. The all-reduce runs with these copies and the first half of each area.
class ChangedCalls {
 public:
  /// change(rank, room, tensors) changes the tensors of a rank's call; `room` is the second half of the rank's area.
  template <class Change>
  ChangedCalls(const Ranks& ranks, Change change) : ranks_(ranks) {
    ranks_.area_bytes /= 2;
    for (int r = 0; r < ranks.size; ++r) {
      const assay_call& call = *ranks.calls[r];
      std::vector<assay_tensor>& tensors = tensors_.emplace_back(call.tensors, call.tensors + call.n_tensors);
      change(r, static_cast<unsigned char*>(ranks.areas[r]) + ranks_.area_bytes, tensors);
      assay_call& made = calls_.emplace_back(call);
      made.tensors = tensors.data();
      made.n_tensors = int32_t(tensors.size());
      pointers_.push_back(&made);
    }
    ranks_.calls = pointers_.data();
  }
  const Ranks& ranks() const { return ranks_; }

 protected:
  std::deque<std::vector<assay_tensor>> tensors_;
  std::deque<assay_call> calls_;

 private:
  std::vector<const assay_call*> pointers_;
  Ranks ranks_;
};

/// Replaces the tensor with the given role by `with`.
inline void replace_tensor(std::vector<assay_tensor>& tensors, const char* role, const assay_tensor& with) {
  for (assay_tensor& tensor : tensors)
    if (std::strcmp(tensor.role, role) == 0) tensor = with;
}

/// The calls of all ranks for the all-reduce. The output y of a rank's call is the second half of the rank's area.
class CallsWithSums : public ChangedCalls {
 public:
  explicit CallsWithSums(const Ranks& ranks)
      : ChangedCalls(ranks, [&](int rank, void* room, std::vector<assay_tensor>& tensors) {
          assay_tensor y = Call(*ranks.calls[rank]).at("x");
          y.role = "y";
          y.is_output = 1;
          y.data = room;
          tensors.push_back(y);
        }) {}

  /// Calls run() with one rank's call of the norm, whose x is the sum of the all-reduce.
  template <class Run>
  void with_sum(int rank, const char* contract, Run run) {
    std::vector<assay_tensor>& tensors = tensors_[size_t(rank)];
    for (assay_tensor& tensor : tensors)
      if (std::strcmp(tensor.role, "x") == 0) tensor.data = tensors.back().data;
    assay_call& call = calls_[size_t(rank)];
    call.contract = contract;
    --call.n_tensors;
    run(Call(call));
  }
};

/// `Then` needs static void run(const Call&), which runs the norm, and static const char* contract(const std::string& whole),
/// which returns the contract of the norm in the fused contract `whole`.
template <class Then, RankRun kSum>
void run_fused_quantized(const Call& call, const Ranks& ranks, int first, int count) {
  CallsWithSums calls(ranks);
  run_sum_before_norm<kSum>(Call(*calls.ranks().calls[first]), calls.ranks(), first, count);
  const char* const contract = Then::contract(call.contract());
  for (int rank = first; rank < first + count; ++rank) calls.with_sum(rank, contract, Then::run);
}

// All-reduce into y, followed by a norm with residual that reads y as x and writes y. This is safe if rows fit in registers: a
// block then reads its row of y once, before it writes this row.

/// Runs the norm of one rank with y as x.
template <class NormRules>
void run_norm_in_place(const assay_call& call) {
  std::vector<assay_tensor> tensors(call.tensors, call.tensors + call.n_tensors);
  const assay_tensor& y = Call(call).at("y");
  for (assay_tensor& tensor : tensors)
    if (std::strcmp(tensor.role, "x") == 0) tensor.data = y.data, tensor.bytes = y.bytes;
  assay_call in_place = call;
  in_place.tensors = tensors.data();
  const NormInputs inputs(Call(in_place), true);
  const int64_t threads = simt::block_threads(inputs.loads(), Call(call).warp());
  if (!inputs.in_sixteens || inputs.loads() > kMostKept<16> * threads)
    unsupported("all rows must be aligned to 16 bytes, and a row of y must fit into the registers of a thread block");
  run_rms_norm<NormRules>(Call(in_place));
}

template <class NormRules, RankRun kSum>
void run_fused(const Call& call, const Ranks& ranks, int first, int count) {
  run_sum_before_norm<kSum>(call, ranks, first, count);
  for (int rank = first; rank < first + count; ++rank) run_norm_in_place<NormRules>(*ranks.calls[rank]);
}

// Each rank first adds the rows of its experts, token by token, into its own area. This sum is the x of the all-reduce.

/// A tensor with the shape and type of y, whose memory is `room`. It holds the combined rows of a rank.
inline assay_tensor combined_rows(const assay_call& call, void* room, const char* role, bool is_output) {
  assay_tensor rows = Call(call).at("y");
  rows.role = role;
  rows.is_output = is_output;
  rows.data = room;
  return rows;
}

template <class CombineRules, class NormRules, RankRun kSum>
void run_combined(const Call&, const Ranks& ranks, int first, int count) {
  const ChangedCalls calls(ranks, [&](int rank, void* room, std::vector<assay_tensor>& tensors) {
    replace_tensor(tensors, "x", combined_rows(*ranks.calls[rank], room, "x", false));
  });
  for (int rank = first; rank < first + count; ++rank) {
    assay_call call = *ranks.calls[rank];
    std::vector<assay_tensor> tensors(call.tensors, call.tensors + call.n_tensors);
    replace_tensor(tensors, "y", combined_rows(call, static_cast<unsigned char*>(ranks.areas[rank]) + calls.ranks().area_bytes, "y", true));
    call.tensors = tensors.data();
    run_moe_combine<CombineRules>(Call(call));
  }
  run_fused<NormRules, kSum>(Call(*calls.ranks().calls[first]), calls.ranks(), first, count);
}

/// Row of the kernel table for a kernel that combines rows first. Each half of an area is as large as x, which has at least as many rows as y,
/// so the combined rows fit.
template <class CombineRules, class NormRules, RankRun kSum>
Kernel combined_row(const char* name, const char* contract) {
  Kernel row = all_reduce_row(name, {contract}, run_combined<CombineRules, NormRules, kSum>, minus_zero_area_with_sums, true);
  row.op = "all_reduce_add_rms_norm";
  row.multiple_of = {{"n", 8}};
  return row;
}

/// Row of the kernel table for a kernel that does not combine rows.
template <class NormRules, RankRun kSum>
Kernel fused_row(const char* name, const char* contract, AreaRequest (*area)(const Call&) = signals_and_buffer) {
  Kernel row = all_reduce_row(name, {contract}, run_fused<NormRules, kSum>, area);
  row.op = "all_reduce_add_rms_norm";
  row.multiple_of = {{"n", 8}};
  return row;
}

}  // namespace assay_kernels
