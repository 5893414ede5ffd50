// The ops that fill a paged cache: bound case, mutants, and text about their contracts.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "harness/core/case.h"
#include "harness/core/op.h"
#include "reference/flow/flow.h"
#include "suites/cache_insert/cache_case.h"

namespace assay {

// The bound case of ops that fill a paged cache, and such an op.

/// The parts that differ between ops.
struct CacheOpParts {
  std::string name;
  std::vector<RoleSpec> roles;  ///< besides the slots and the buffer
  std::vector<ParameterSpec> parameters{};
  std::vector<std::string> columns;
  /// The input tensors of the op, those with token data first. The slots, a scale if present, and the buffer follow them.
  std::vector<HostTensor> (*inputs)(const CacheCase&);
  /// Whether the op has a contract with this first stage and this record.
  bool (*takes)(const Flow& first, const Record&);
  /// Throws TableError unless the op has the contract of the case.
  void (*require)(const Cells& cells, const ContractRow& contract);
  void (*require_case)(const Cells& cells, const CacheCase&) = nullptr;  ///< the same for a parsed case; may be null
  /// Columns of the inputs with token data; null: one input has all numbers of a token.
  std::vector<int64_t> (*widths)(const CacheCase&) = nullptr;
};

Op cache_op(CacheOpParts parts);

// The KV half of DeepSeek-V4's insertion, with and without a norm.

/// Whether a norm precedes the rotation.
enum class KvNorm { kNone, kBefore };
Op dsv4_insert_op(const char* name, KvNorm norm, std::vector<std::string> columns);

// Text about a paged-cache contract: its formulas and record, and the trace of one number of a token.

/// One line per cell and per part of the record. `x`: format of the inputs.
std::vector<std::string> cache_lines(const std::string& contract, const Format& x);

/// The offsets of the parts of a token's record.
std::vector<std::string> record_lines(const CacheCase& c);

/// Where number `column` of a row is stored, and the result of every step.
std::vector<std::string> trace_number(const CacheCase& c, const Problem& problem, int64_t row, int64_t column);

// Contents of a paged cache after a kernel with one mistake.

/// Mutants of the contract, the record, the distance between blocks and the slot computation, each with its own answer.
std::vector<Hypothesis> cache_hypotheses(const CacheCase& c);

}  // namespace assay
