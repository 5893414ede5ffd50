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

/// How the scales of a dump lie.
enum class ScalePlacing {
  kMemory,   ///< the whole storage of the layout, padding included
  kLogical,  ///< one element for each row and column, whatever the layout
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
