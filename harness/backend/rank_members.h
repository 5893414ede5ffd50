// Calls of several ranks, each made by the process that holds the rank.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "harness/core/call.h"

namespace assay {

/// A process that can be called, in whatever way.
using RankMember = std::function<CallResult(const CallRequest&)>;

/// Ranks that the index-th of `members` processes holds of `ranks`: neighbours, as many in each process as can be, the first ones
/// one more.
RankPlace place_of(int ranks, int index, int members);

/// "rank 2", "ranks 2 to 3".
std::string ranks_text(const RankPlace& place);

/// Begins the message of a call that a member made and did not wait for because `give_up` said so.
inline constexpr const char* kNotWaitedFor = "not waited for";

/// Calls all members that hold ranks of the problem at once, each with the tensors of its own ranks, in a folder of this call.
/// The outputs are those of all ranks. If a member does not end well the result names its ranks first and then what each of the others says:
/// for whom it waited, in which block and where.
///
/// Ranks wait for each other, so one that broke keeps the others for the whole time limit: a second after the first broke `give_up` is
/// set, which members look at, and the others "waited for rank 2".
CallResult call_members(const std::vector<RankMember>& members, const CallRequest& request, std::atomic<bool>* give_up = nullptr);

}  // namespace assay
