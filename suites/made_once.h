// What all hypotheses of a case make of its problem before they differ.
#pragma once

#include <memory>
#include <mutex>

#include "harness/core/op.h"

namespace assay {

/// Made of the problem that is asked about, and made anew for another one. May be asked by several threads at once.
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
  const void* first_ = nullptr;  ///< bytes of its first tensor: a problem made later may lie where an earlier one lay
  std::shared_ptr<const Made> made_;
};

}  // namespace assay
