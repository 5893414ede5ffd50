// A library's group of ranks, whose calls are made together.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "assay/abi.h"
#include "harness/backend/launch_mode.h"
#include "harness/core/call.h"

namespace assay {

/// Created for the first problem with more than one rank and kept for later ones of the same size. So a kernel finds its flags as
/// its previous call left them, as in production.
class RankGroup {
 public:
  explicit RankGroup(std::shared_ptr<const assay_library> functions) : functions_(std::move(functions)) {}
  RankGroup(const RankGroup&) = delete;
  RankGroup& operator=(const RankGroup&) = delete;
  ~RankGroup() { destroy(); }

  /// Creates a group of that many ranks. Returns ASSAY_OK or the reason why there is none. One rank needs no group.
  Execution hold(int ranks);
  /// Creates this process's part of a group that spans several processes. Creates `folder` if it does not exist.
  Execution join(int ranks, const RankPlace& place, const std::string& folder);
  void destroy();

  void* handle() const { return handle_; }
  int ranks() const { return ranks_; }

  /// Whether the library enqueues calls on given streams ("honours_group_streams" of describe()).
  bool honours_streams() const;

  /// Runs the calls of all ranks in this process together. Waits for them, unless they have streams.
  Execution run(const std::vector<const assay_call*>& calls) const;

  /// Whether the library can run several calls of all ranks without a wait between them.
  bool runs_in_a_row() const { return functions_->run_group_in_a_row != nullptr; }
  Execution run_in_a_row(const std::vector<std::vector<const assay_call*>>& row) const;

 private:
  std::shared_ptr<const assay_library> functions_;
  void* handle_ = nullptr;
  int ranks_ = 1;
};

}  // namespace assay
