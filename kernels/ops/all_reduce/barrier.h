// The barrier of blocks of one number on all ranks, as vLLM has it since PR 8558: csrc/custom_collective_common.cuh 5d11149b98.
#pragma once

#include "kernels/ops/all_reduce/area.h"

namespace assay_kernels {

/// Rules::kReleases, kCountsCalls, kKeepsFlags: what a faulty barrier lacks. Every thread of the block calls it. kOrdered: what
/// each rank sent before is seen by all behind it.
template <class Rules, RankPlace kPlace, bool kOrdered>
SIMT_DEVICE void rank_barrier(const AllReduceArguments& a, RankBlock me) {
  if (simt::thread() == 0 && me.rank == a.straggler) simt::may_lag();
  simt::barrier();
  Signals* const self = signals_of(a, me.rank);
  const uint32_t flag = !Rules::kKeepsFlags ? 1 : Rules::kCountsCalls ? self->flag[me.block] + 1 : uint32_t(kPlace);
  const int peer = simt::thread();
  const bool second_set = (flag & 1) == 0;
  if (peer < a.ranks) {
    Signals* const other = signals_of(a, peer);
    uint32_t* const there = second_set ? &other->even[me.block][me.rank] : &other->odd[me.block][me.rank];
    if (kOrdered && Rules::kReleases)
      simt::signal_release(there, flag);
    else
      simt::signal_relaxed(there, flag);
  }
  simt::barrier();  // all have signalled before one waits: on the CPU the threads of a block run one after the other
  if (peer < a.ranks) {
    uint32_t* const here = second_set ? &self->even[me.block][peer] : &self->odd[me.block][peer];
    bool came;
    if constexpr (Rules::kWaitsOtherwise)
      came = Rules::waited(here, flag);
    else
      came = kOrdered && Rules::kReleases ? simt::wait_acquire(here, flag) : simt::wait_relaxed(here, flag);
    if (!came) complain(self, peer, me.block, kPlace, flag, simt::flag_now(here));
    if (!Rules::kKeepsFlags) simt::signal_relaxed(here, 0);
  }
  simt::barrier();
  if (peer == 0) self->flag[me.block] = flag;
}

}  // namespace assay_kernels
