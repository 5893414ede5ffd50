#include "harness/backend/rank_group.h"

#include <filesystem>

#include "harness/text/guarded_json.h"

namespace assay {

Execution RankGroup::hold(int ranks) {
  if (ranks == ranks_) return {};
  destroy();
  if (ranks == 1) return {};
  if (functions_->create_group == nullptr) return {ASSAY_UNSUPPORTED, "the library has no groups of ranks"};
  handle_ = functions_->create_group(ranks);
  if (handle_ == nullptr) return {ASSAY_UNSUPPORTED, "the library cannot create a group of " + std::to_string(ranks) + " ranks here"};
  ranks_ = ranks;
  return {};
}

Execution RankGroup::join(int ranks, const RankPlace& place, const std::string& folder) {
  destroy();
  if (functions_->join_group == nullptr) return {ASSAY_UNSUPPORTED, "the library has no groups whose ranks are processes"};
  std::error_code exists;
  std::filesystem::create_directory(folder, exists);
  const assay_place at{sizeof(assay_place), ranks, place.first, place.count, folder.c_str()};
  handle_ = functions_->join_group(&at);
  if (handle_ == nullptr) return {ASSAY_UNSUPPORTED, "the library cannot join a group of " + std::to_string(ranks) + " ranks here"};
  ranks_ = ranks;
  return {};
}

void RankGroup::destroy() {
  if (handle_ != nullptr) functions_->destroy_group(handle_);
  handle_ = nullptr;
  ranks_ = 1;
}

bool RankGroup::honours_streams() const {
  const nlohmann::json said = guarded_json(functions_->describe(), "describe()");
  return said.is_object() && said.contains("honours_group_streams") && said["honours_group_streams"] == true;
}

Execution RankGroup::run(const std::vector<const assay_call*>& calls) const {
  return {functions_->run_group(handle_, calls.data(), int32_t(calls.size()))};
}

Execution RankGroup::run_in_a_row(const std::vector<std::vector<const assay_call*>>& row) const {
  std::vector<const assay_call* const*> calls;
  for (const auto& one : row) calls.push_back(one.data());
  return {functions_->run_group_in_a_row(handle_, calls.data(), int32_t(row.size()), int32_t(row.front().size()))};
}

}  // namespace assay
