// A user's tensors, and the case that they are said to be an instance of.
#pragma once

#include <map>
#include <string>

#include "harness/core/case.h"
#include "harness/core/tensor.h"

namespace assay {

/// A tensor of a dump with its bytes, as it lay in memory.
struct DumpedTensor {
  HostTensor tensor;
  std::string file, name, dtype;
  bool plain_bytes = false;  ///< the file does not say what its codes mean (U8, |V1)

  std::string place() const { return file + ": tensor '" + name + "'"; }
};

using DumpedRoles = std::map<std::string, DumpedTensor>;

/// How a tensor of scales lies in a dump. The order is from the most to the least that shape and strides say about the layout.
enum class ScalePlacing {
  kMemory,   ///< the layout's own shape and strides, padding included
  kLogical,  ///< the layout's shape with other strides
  kFlat      ///< the storage as a flat tensor, or as its columns one after the other
};

/// What a user says of the tensors. `parameters` and `layout` override what shapes and formats tell.
struct DumpRequest {
  std::string contract;
  const DumpedRoles& roles;
  std::map<std::string, std::string> parameters{};
  std::string layout{};
};

}  // namespace assay
