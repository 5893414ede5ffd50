// A group on host memory. Its ranks are threads of one process or of several.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "assay/plugin/process_group.hpp"

#pragma GCC visibility push(hidden)  // hidden, because two plug-ins in one process must not share these statics
namespace assay::plugin {

/// Either a group within this process or a part of a group of several processes.
template <class C>
class AnyGroup {
 public:
  explicit AnyGroup(int32_t size) : here_(std::make_unique<HostGroup<C>>(size)) {}
  explicit AnyGroup(const assay_place& place) : in_part_(std::make_unique<ProcessGroup<C>>(place)) {}

  assay_status run(const std::vector<KernelOf<C>>& kernels, const CallsInARow& row, int32_t n, assay_status others) {
    return here_ ? here_->run(kernels, row, n, others) : in_part_->run(kernels, row, n, others);
  }

 private:
  std::unique_ptr<HostGroup<C>> here_;
  std::unique_ptr<ProcessGroup<C>> in_part_;
};

/// Implementation of assay_library::join_group for libraries on host memory.
template <class C>
void* join_group(const assay_place* place) {
  if (!is_part_of_a_group(place)) return nullptr;
  try {
    return new AnyGroup<C>(*place);
  } catch (const std::exception&) {
    return nullptr;
  }
}

}  // namespace assay::plugin
#pragma GCC visibility pop
