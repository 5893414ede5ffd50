// Calls of several ranks, each made by the process that holds the rank.
#pragma once

#include <functional>
#include <vector>

#include "harness/core/call.h"

namespace assay {

/// A process that can be called, in whatever way.
using RankMember = std::function<CallResult(const CallRequest&)>;

/// Ranks that the index-th of `members` processes holds of `ranks`: neighbours, as many in each process as can be, the first ones
/// one more.
RankPlace place_of(int ranks, int index, int members);

/// Calls all members that hold ranks of the problem at once, each with the tensors of its own ranks, in a folder of this call.
/// The outputs are those of all ranks. If a member does not end well the result names its ranks and what each of the others says:
/// for whom it waited, in which block and where.
CallResult call_members(const std::vector<RankMember>& members, const CallRequest& request);

}  // namespace assay
