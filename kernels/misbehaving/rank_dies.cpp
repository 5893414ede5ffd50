// A kernel with several ranks in one file, written with the plug-in headers only: one-shot all-reduce, contract
// nccl.all_reduce_symmetric. It is correct, except that for a one-element message rank 1 kills its process.
#include <csignal>
#include <ctime>

#include "assay/plugin/library.hpp"

namespace {

using assay::plugin::Call;
using assay::plugin::Ranks;

/// Head of a rank's area. waited_for: 1 + the rank for which this rank waited in vain, or 0. came: number of calls that this rank has begun.
struct Head {
  uint32_t waited_for, came;
};

Head* head_of(const Ranks& ranks, int rank) { return static_cast<Head*>(ranks.areas[rank]); }

void wait_for_all(const Ranks& ranks, int self) {
  const auto wanted = uint32_t(ranks.earlier_calls + 1);
  __atomic_store_n(&head_of(ranks, self)->came, wanted, __ATOMIC_RELEASE);
  const std::time_t end = std::time(nullptr) + 10;
  for (int rank = 0; rank < ranks.size; ++rank)
    while (__atomic_load_n(&head_of(ranks, rank)->came, __ATOMIC_ACQUIRE) < wanted) {
      const timespec moment{0, 100000};
      nanosleep(&moment, nullptr);
      if (std::time(nullptr) < end && !(ranks.lost && ranks.lost(ranks.of))) continue;
      if (__atomic_load_n(&head_of(ranks, rank)->came, __ATOMIC_ACQUIRE) >= wanted) break;
      head_of(ranks, self)->waited_for = uint32_t(rank) + 1;
      return;
    }
}

void run_ranks(const Call& call, const Ranks& ranks, int self, int /*count*/) {
  const auto y = call.out<float>("y");
  if (self == 1 && y.elements() == 1) std::raise(SIGKILL);
  wait_for_all(ranks, self);
  for (int64_t i = 0; i < y.elements(); ++i) {
    float sum = Call(*ranks.calls[0]).in<float>("x").data[i];
    for (int rank = 1; rank < ranks.size; ++rank) sum += Call(*ranks.calls[rank]).in<float>("x").data[i];
    y.data[i] = sum;
  }
}

std::string complaint(const unsigned char* head, int /*rank*/) {
  Head said;
  std::memcpy(&said, head, sizeof said);
  return said.waited_for == 0 ? "" : "waited in vain for rank " + std::to_string(said.waited_for - 1) + " at the first barrier";
}

assay::plugin::KernelOf<Call> row() {
  assay::plugin::KernelOf<Call> row{"rank_dies", "all_reduce", {"nccl.all_reduce_symmetric"}, {{"x", {"f32"}}}, {}, nullptr};
  row.area = [](const Call&) { return assay::plugin::AreaRequest{}; };
  row.run_ranks = run_ranks;
  row.complaint = complaint;
  return row;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) const assay_library* assay_get_library(void) {
  return assay::plugin::HostLibrary<Call>::of({{"rank_dies", "cpu", "", "", ""}, {row()}});
}
