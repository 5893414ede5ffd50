// Calls of several ranks, where each rank belongs to one of several processes.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "harness/core/call.h"

namespace assay {

/// Calls a process that holds ranks.
using RankMember = std::function<CallResult(const CallRequest&)>;

/// The ranks of member `index` out of `members`: consecutive ranks, divided evenly; the first members get one more if needed.
RankPlace place_of(int ranks, int index, int members);

/// "rank 2" or "ranks 2 to 3".
std::string ranks_text(const RankPlace& place);

/// Prefix of the message of a call that a member abandoned because `give_up` was set.
inline constexpr const char* kNotWaitedFor = "not waited for";

/// Calls all members that hold ranks of the problem at once, each with the tensors of its ranks. All of them share a folder for
/// this call. Returns the outputs of all ranks. If a member fails, the message names its ranks first, then what each other member
/// reports: which rank it waited for, in which block and where.
///
/// Ranks wait for each other, so one broken rank would block the others for the whole time limit. One second after the first
/// failure `give_up` is set; the other members poll it and report "waited for rank 2".
CallResult call_members(const std::vector<RankMember>& members, const CallRequest& request, std::atomic<bool>* give_up = nullptr);

}  // namespace assay
