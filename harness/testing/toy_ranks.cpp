#include "harness/testing/toy_ranks.h"

#include <condition_variable>
#include <cstring>
#include <mutex>
#include <string>
#include <thread>

#include "harness/testing/toy_kernels.h"

namespace assay::testing::toy {
namespace {

/// A barrier: no rank continues before all have arrived.
struct Group {
  explicit Group(int32_t ranks) : world_size(ranks) {}
  int32_t world_size;
  std::mutex mutex;
  std::condition_variable all_here;
  int32_t here = 0;
  unsigned char calls = 0;  ///< calls of the group
  std::vector<unsigned char> sum;
};

bool is(const assay_call& call, const char* kernel) { return std::strcmp(call.kernel, kernel) == 0; }

unsigned char* output_of(const assay_call& call) { return static_cast<unsigned char*>(tensor(call, "y").data); }

/// Adds its x to the sum, waits for the other ranks and stores the sum, plus its rank number in the last byte.
assay_status run_rank(Group& group, const assay_call& call) {
  const assay_tensor &x = tensor(call, "x"), &y = tensor(call, "y");
  const auto* from = static_cast<const unsigned char*>(x.data);
  {
    std::unique_lock lock(group.mutex);
    group.sum.resize(x.bytes);
    for (size_t i = 0; i < x.bytes; ++i) group.sum[i] = static_cast<unsigned char>(group.sum[i] + from[i]);
    if (++group.here == group.world_size) group.all_here.notify_all();
    group.all_here.wait(lock, [&] { return group.here == group.world_size; });
  }
  unsigned char* const to = output_of(call);
  std::memcpy(to, group.sum.data(), y.bytes);
  to[y.bytes - 1] = static_cast<unsigned char>(10 * call.world_size + call.rank);
  if (is(call, "counts_calls") && call.rank == 0) to[0] = group.calls;
  if (is(call, "rank_hangs") && call.rank == 1) return say(call, ASSAY_HUNG, "waits for rank 0 in the middle");
  return is(call, "rank_fails") && call.rank == 1 ? say(call, ASSAY_FAILED, "lost its peer") : ASSAY_OK;
}

assay_status run_now(Group& group, const assay_call* const* calls, int32_t n) {
  group.here = 0;
  ++group.calls;
  group.sum.clear();
  std::vector<assay_status> ended(static_cast<size_t>(n));
  std::vector<std::thread> ranks;
  for (int32_t r = 0; r < n; ++r) ranks.emplace_back([&, r] { ended[static_cast<size_t>(r)] = run_rank(group, *calls[r]); });
  for (std::thread& rank : ranks) rank.join();
  for (const assay_status status : ended)
    if (status != ASSAY_OK) return status;
  return ASSAY_OK;
}

/// Stores calls of ranks that are captured together. "late_under_replay" then gets the sums of the previous call, as if its flags
/// were stale.
void keep_for_replay(Group& group, const assay_call* const* calls, int32_t n) {
  std::vector<assay_call> again;
  std::vector<std::vector<assay_tensor>> tensors;
  for (int32_t r = 0; r < n; ++r)
    again.push_back(*calls[r]), tensors.emplace_back(calls[r]->tensors, calls[r]->tensors + calls[r]->n_tensors);
  stream_of(calls[0]->stream).kept.push_back([&group, again, tensors, kernel = std::string(calls[0]->kernel)]() mutable {
    std::vector<const assay_call*> pointers;
    for (size_t r = 0; r < again.size(); ++r) {
      again[r].kernel = kernel.c_str(), again[r].tensors = tensors[r].data(), again[r].n_params = 0;
      pointers.push_back(&again[r]);
    }
    const std::vector<unsigned char> before = group.sum;
    run_now(group, pointers.data(), int32_t(pointers.size()));
    for (size_t r = 0; kernel == "late_under_replay" && r < again.size(); ++r)
      std::memcpy(output_of(again[r]), before.data(), before.size() - 1);
  });
}

/// "meets_the_one_ahead" computes something else if nobody waited for the previous call.
void meet_the_one_ahead(const assay_call* const* calls) {
  if (is(*calls[0], "meets_the_one_ahead")) output_of(*calls[0])[0] ^= 1;
}

}  // namespace

void* create_group(int32_t world_size) { return world_size > 4 ? nullptr : new Group(world_size); }

void destroy_group(void* group) { delete static_cast<Group*>(group); }

assay_status run_group(void* opaque, const assay_call* const* calls, int32_t n) {
  Group& group = *static_cast<Group*>(opaque);
  void* const stream = calls[0]->stream;
  if (stream != nullptr && stream_of(stream).captures) return keep_for_replay(group, calls, n), ASSAY_OK;
  const assay_status status = run_now(group, calls, n);
  if (stream != nullptr && ++stream_of(stream).since_wait > 1) meet_the_one_ahead(calls);
  return status;
}

assay_status run_group_in_a_row(void* group, const assay_call* const* const* calls, int32_t n_calls, int32_t n) {
  for (int32_t i = 0; i < n_calls; ++i) {
    if (const assay_status status = run_now(*static_cast<Group*>(group), calls[i], n); status != ASSAY_OK) return status;
    if (i > 0) meet_the_one_ahead(calls[i]);
  }
  return ASSAY_OK;
}

}  // namespace assay::testing::toy
