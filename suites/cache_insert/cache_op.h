// The bound case of every op that fills a paged cache, and such an op.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "harness/core/op.h"
#include "reference/flow/flow.h"
#include "suites/cache_insert/cache_case.h"

namespace assay {

/// What is an op's own.
struct CacheOpParts {
  std::string name;
  std::vector<RoleSpec> roles;  ///< besides the slots and the buffer
  std::vector<ParameterSpec> parameters{};
  std::vector<std::string> columns;
  /// The tensors that it reads, those with the tokens' numbers first. The slots, a scale if there is one, and the buffer are put behind
  /// them.
  std::vector<HostTensor> (*inputs)(const CacheCase&);
  /// Whether the op has a contract with this first link and this record.
  bool (*takes)(const Flow& first, const Record&);
  /// Throws TableError unless the op has the contract of the case.
  void (*require)(const Cells& cells, const ContractRow& contract);
  void (*require_case)(const Cells& cells, const CacheCase&) = nullptr;  ///< likewise with the case that was read; or null
};

Op cache_op(CacheOpParts parts);

}  // namespace assay
