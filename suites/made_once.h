// Caches a value that all hypotheses of a case derive from its problem.
#pragma once

#include <memory>
#include <mutex>

#include "harness/core/op.h"

namespace assay {

/// Computed for the given problem; computed again if the problem changes. Thread-safe.
template <class Made>
class MadeOnce {
 public:
  template <class Make>
  std::shared_ptr<const Made> of(const Problem& problem, Make make) {
    const std::lock_guard lock(mutex_);
    const void* const first = problem.tensors.front().bytes.data();
    if (!made_ || problem_ != &problem || first_ != first) {
      made_ = std::make_shared<const Made>(make());
      problem_ = &problem;
      first_ = first;
    }
    return made_;
  }

 private:
  std::mutex mutex_;
  const Problem* problem_ = nullptr;
  const void* first_ = nullptr;  ///< address of the first tensor's bytes, since a later problem may have the same address as an
                                 ///< earlier one
  std::shared_ptr<const Made> made_;
};

}  // namespace assay
