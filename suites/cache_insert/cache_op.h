// The bound case of ops that fill a paged cache, and such an op.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "harness/core/op.h"
#include "reference/flow/flow.h"
#include "suites/cache_insert/cache_case.h"

namespace assay {

/// The parts that differ between ops.
struct CacheOpParts {
  std::string name;
  std::vector<RoleSpec> roles;  ///< besides the slots and the buffer
  std::vector<ParameterSpec> parameters{};
  std::vector<std::string> columns;
  /// The tensors that it reads, those with token data first. Slots, a scale if present, and the buffer follow.
  std::vector<HostTensor> (*inputs)(const CacheCase&);
  /// Whether the op has a contract with this first stage and this record.
  bool (*takes)(const Flow& first, const Record&);
  /// Throws TableError unless the op has the contract of the case.
  void (*require)(const Cells& cells, const ContractRow& contract);
  void (*require_case)(const Cells& cells, const CacheCase&) = nullptr;  ///< the same for the parsed case; may be null
};

Op cache_op(CacheOpParts parts);

}  // namespace assay
