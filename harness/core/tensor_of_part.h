// The tensor that a part of an answer describes.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "harness/core/expectation.h"
#include "harness/core/tensor.h"

namespace assay {

/// Finds the tensor by role and rank. Throws std::out_of_range.
inline const HostTensor& tensor_of(const std::vector<HostTensor>& tensors, const Part& part) {
  for (const HostTensor& tensor : tensors)
    if (tensor.spec.name == part.tensor && tensor.spec.rank == part.rank) return tensor;
  if (part.rank == 0) return find(tensors, part.tensor);  // its error lists the tensors there are
  throw std::out_of_range("no tensor '" + part.tensor + "' of rank " + std::to_string(part.rank));
}

}  // namespace assay
