// From a user's tensors to a case: what shapes and dtypes say about m, n, the group size and the layout of the scales.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "harness/core/op.h"
#include "harness/dump/dump.h"

namespace assay {

/// A tensor of a dump with its bytes, as it lay in memory.
struct DumpedTensor {
  HostTensor tensor;
  std::string file, name, dtype;
  bool plain_bytes = false;  ///< the file does not say what its codes mean (U8, |V1)

  std::string place() const { return file + ": tensor '" + name + "'"; }
};

/// How the scales of a dump lie.
enum class ScalePlacing {
  kMemory,   ///< the whole storage of the layout, padding included
  kLogical,  ///< one element for each row and column, whatever the layout
  kFlat      ///< the storage as a flat tensor, or as its columns one after the other
};

struct DumpCase {
  Case one;
  ScalePlacing placing = ScalePlacing::kLogical;
};

using DumpedRoles = std::map<std::string, DumpedTensor>;

/// The case that the tensors are an instance of. `parameters` and `layout` override what is derived.
///
/// m and n come from x; the group size is the one of the contract's that makes the scale tensor's shape, the layout the one of
/// the contract's whose type, shape, strides or storage it has. Throws std::out_of_range for an unknown contract, UsageError
/// naming the tensor and what was expected: no x, a parameter that is missing or unknown, a scale tensor that fits no group size
/// or several.
DumpCase case_of_dump(const std::string& contract, const DumpedRoles& roles, std::map<std::string, std::string> parameters,
                      const std::string& layout);

/// The op whose cases can have this contract.
const Op& op_of_contract(const std::string& contract);

}  // namespace assay
