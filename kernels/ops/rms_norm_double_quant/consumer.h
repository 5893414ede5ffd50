// The call of one consumer out of a call with two.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "kernels/ops/call.h"

namespace assay_kernels {

class ConsumerCall {
 public:
  /// The tensors of the call but those of the other consumer; these two are named q and scale. Rows of rows become rows.
  ConsumerCall(const Call& both, const std::string& codes, const std::string& scales);
  ConsumerCall(const ConsumerCall&) = delete;
  const Call& call() const { return *checked_; }

 private:
  std::vector<assay_tensor> tensors_;
  std::vector<std::array<int64_t, 4>> extents_;  ///< shapes and strides of what was flattened
  assay_call raw_;
  std::optional<Call> checked_;
};

}  // namespace assay_kernels
