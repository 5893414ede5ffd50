#include "harness/backend/workspaces.h"

#include <algorithm>

#include "harness/backend/abi_call.h"

namespace assay {

bool Workspaces::give(const std::vector<assay_call*>& calls, void* group, std::string& reason) {
  size_t bytes = 0;
  for (assay_call* call : calls)
    if (functions_->workspace_bytes != nullptr) bytes = std::max(bytes, functions_->workspace_bytes(call));
  if (bytes == 0) return true;
  constexpr size_t kMost = size_t{1} << 46;  // 64 TiB: a mistake of the library, and not a device that is too small
  if (bytes > kMost) throw WorkspaceError("asks for a workspace of " + std::to_string(bytes) + " bytes");
  const auto rank = size_t(calls.front()->rank);
  while (of_ranks_.size() <= rank) {
    void* const owner = functions_->allocate_on != nullptr ? group : nullptr;
    of_ranks_.emplace_back(functions_, DeviceBlock::Member{owner, int32_t(of_ranks_.size())});
  }
  DeviceBlock& workspace = of_ranks_[rank];
  if (!workspace.enclose(bytes, reason)) return false;
  for (assay_call* call : calls) call->workspace = workspace.address(), call->workspace_bytes = bytes;
  return true;
}

CallResult Workspaces::looked_at(const std::vector<const assay_call*>& calls) {
  for (const assay_call* call : calls) {
    if (call->workspace == nullptr) continue;
    DeviceBlock& workspace = of_ranks_[size_t(call->rank)];
    std::string reason;
    if (!workspace.download_guards(reason)) return lost("workspace: " + reason, true);
    if (const std::string damage = workspace.guard_damage(); !damage.empty())
      return refused(CallStatus::kBroken, "wrote outside the workspace: " + damage);
  }
  return {};
}

}  // namespace assay
