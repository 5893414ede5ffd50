// A group of ranks of a library: several calls that are made together.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "assay/abi.h"
#include "harness/backend/launch_mode.h"
#include "harness/core/call.h"

namespace assay {

/// Made for the first problem of more than one rank and kept for those of as many: what a kernel leaves in its flags, the next
/// call meets, as it would in use.
class RankGroup {
 public:
  explicit RankGroup(std::shared_ptr<const assay_library> functions) : functions_(std::move(functions)) {}
  RankGroup(const RankGroup&) = delete;
  RankGroup& operator=(const RankGroup&) = delete;
  ~RankGroup() { destroy(); }

  /// ASSAY_OK with a group of so many ranks, or why there is none. One rank needs no group.
  Execution hold(int ranks);
  /// The same with a part of such a group, made anew; `folder` is made if it is not there.
  Execution join(int ranks, const RankPlace& place, const std::string& folder);
  void destroy();

  void* handle() const { return handle_; }
  int ranks() const { return ranks_; }

  /// Whether the library enqueues calls that come with streams ("honours_group_streams" of describe()).
  bool honours_streams() const;

  /// Runs the calls of all ranks that this process holds together and waits for them, unless they have streams.
  Execution run(const std::vector<const assay_call*>& calls) const;

  /// Whether the library runs several calls of all ranks without a wait between; and does so.
  bool runs_in_a_row() const { return functions_->run_group_in_a_row != nullptr; }
  Execution run_in_a_row(const std::vector<std::vector<const assay_call*>>& row) const;

 private:
  std::shared_ptr<const assay_library> functions_;
  void* handle_ = nullptr;
  int ranks_ = 1;
};

}  // namespace assay
