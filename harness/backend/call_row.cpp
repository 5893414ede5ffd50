#include "harness/backend/call_row.h"

namespace assay {

CallRow::CallRow(const std::vector<CallInRow>& row, size_t judged)
    : judged_(judged), ranks_(row[judged].request.problem->ranks), calls_(row.size()), pointers_(row.size()) {
  const CallRequest& request = row[judged].request;
  const int first = request.place ? request.place->first : 0;
  const int end = request.place ? first + request.place->count : ranks_;
  for (size_t i = 0; i < row.size(); ++i)
    for (int rank = first; rank < end; ++rank)
      pointers_[i].push_back(&calls_[i].emplace_back(row[i].request, row[i].buffers->blocks(), rank).call);
}

bool CallRow::take(Workspaces& workspaces, void* group, std::string& reason) {
  for (size_t r = 0; r < own().size(); ++r) {
    std::vector<assay_call*> of_rank;
    for (std::deque<AbiCall>& step : calls_) of_rank.push_back(&step[r].call);
    if (!workspaces.give(of_rank, group, reason)) return false;
  }
  return true;
}

std::vector<assay_call*> CallRow::own_calls() {
  std::vector<assay_call*> calls;
  for (AbiCall& one : calls_[judged_]) calls.push_back(&one.call);
  return calls;
}

CallResult CallRow::not_well(const Execution& execution) const {
  for (size_t i = 0; i < calls_.size(); ++i)
    for (size_t first = 0; first < calls_[i].size(); ++first) {
      const AbiCall& said = calls_[i][first];
      if (said.words().empty()) continue;
      CallResult result = refused_by(execution, said);
      if (ranks_ > 1) result.message.insert(0, "rank " + std::to_string(said.call.rank) + ": ");
      for (size_t r = first + 1; r < calls_[i].size() && execution.status == ASSAY_HUNG; ++r)
        if (const std::string words = calls_[i][r].words(); !words.empty())
          result.message += "; rank " + std::to_string(calls_[i][r].call.rank) + ": " + words;
      // A rank that waits forever cannot tell in which call it hangs.
      if (i != judged_ && execution.status != ASSAY_HUNG)
        result.message.insert(0, i < judged_ ? kInTheCallBefore : kInTheCallBehind);
      return result;
    }
  return refused_by(execution, calls_[judged_].back());
}

}  // namespace assay
