// The tensors of one call, in the library's memory.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "harness/backend/device_block.h"
#include "harness/core/call.h"

namespace assay {

/// One buffer per tensor, each between guard zones. Inputs hold their data. Outputs hold a sentinel (NaN if the format has one),
/// or their data if they are in-place operands. Buffers are reused for the next problem.
class Buffers {
 public:
  explicit Buffers(std::shared_ptr<const assay_library> functions) : functions_(std::move(functions)) {}

  /// `group` owns the memory of problems with more than one rank. Returns false, with the device's message in `reason`, if the
  /// device refuses. `problem` must stay alive for the later calls.
  bool upload(const Problem& problem, int sentinel, void* group, std::string& reason);
  /// Restores the outputs to their state before the call.
  bool reset_outputs(std::string& reason);

  /// Checks and returns what the call did, in this order: broken guards, changed inputs, outputs, unwritten bytes.
  CallResult download();

  size_t held() const;
  void clear();

  const std::vector<DeviceBlock>& blocks() const { return blocks_; }
  std::vector<void*> addresses() const;

 private:
  std::span<const std::byte> before(size_t i) const;

  std::shared_ptr<const assay_library> functions_;
  const Problem* problem_ = nullptr;
  std::vector<DeviceBlock> blocks_;
  std::vector<DeviceBlock::Member> members_;       ///< group members that the blocks were allocated for
  std::vector<std::vector<std::byte>> sentinels_;  ///< empty for outputs that hold data of the problem
};

/// During its lifetime, a crash report can name the tensor next to the faulting address.
class TensorNames {
 public:
  TensorNames(const Problem& problem, const Buffers& buffers);
  ~TensorNames();
  TensorNames(const TensorNames&) = delete;
  TensorNames& operator=(const TensorNames&) = delete;
};

}  // namespace assay
