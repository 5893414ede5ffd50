// The tensors of one call in a library's memory.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "harness/backend/device_block.h"
#include "harness/core/call.h"

namespace assay {

/// Buffers between guard zones, one for each tensor of a problem: inputs with their bytes, outputs with a sentinel (a NaN where
/// the format has one) or, if the problem's output holds bytes, with those (an in-place operand). They are kept for the next
/// problem.
class Buffers {
 public:
  explicit Buffers(std::shared_ptr<const assay_library> functions) : functions_(std::move(functions)) {}

  /// `group` holds the memory of problems of more than one rank. False, with a reason in `problem`, if the device refuses. The
  /// problem must outlive the other calls.
  bool upload(const Problem& problem, int sentinel, void* group, std::string& reason);
  /// Puts the outputs back to what they were before the call.
  bool reset_outputs(std::string& reason);

  /// What the call did: broken guards, changed inputs, the outputs and what of them was never written, in this order.
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
  std::vector<DeviceBlock::Member> members_;       ///< that the blocks were made for
  std::vector<std::vector<std::byte>> sentinels_;  ///< empty where the problem has bytes
};

/// While it lives, a crash can name the tensor beside which it happened.
class TensorNames {
 public:
  TensorNames(const Problem& problem, const Buffers& buffers);
  ~TensorNames();
  TensorNames(const TensorNames&) = delete;
  TensorNames& operator=(const TensorNames&) = delete;
};

}  // namespace assay
