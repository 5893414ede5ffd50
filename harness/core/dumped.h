// A user's tensors, and the case that they are an instance of.
#pragma once

#include <map>
#include <string>

#include "harness/core/case.h"
#include "harness/core/tensor.h"

namespace assay {

/// A tensor of a dump with its bytes, in the memory layout of the dump.
struct DumpedTensor {
  HostTensor tensor;
  std::string file, name, dtype;
  bool plain_bytes = false;  ///< the file does not state how to interpret the bytes (U8, |V1)

  std::string place() const { return file + ": tensor '" + name + "'"; }
};

using DumpedRoles = std::map<std::string, DumpedTensor>;

/// How a tensor of scales is stored in a dump. Ordered by how much shape and strides tell about the layout, most first.
enum class ScalePlacing {
  kMemory,   ///< the layout's own shape and strides, padding included
  kLogical,  ///< the layout's shape with other strides
  kFlat      ///< the storage as one flat tensor, or column after column
};

/// What a user states about the tensors. `parameters` and `layout` override what is inferred from shapes and formats.
struct DumpRequest {
  std::string contract;
  const DumpedRoles& roles;
  std::map<std::string, std::string> parameters{};
  std::string layout{};
};

}  // namespace assay
