// The ops that fill a paged cache: parsed case, mutants, and text about their contracts.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "harness/core/case.h"
#include "harness/core/op.h"
#include "reference/flow/flow.h"
#include "suites/cache_insert/cache_case.h"

namespace assay {

// The parsed case of these ops, and how an Op is made.

/// What differs between the ops that fill a paged cache.
struct CacheOpParts {
  std::string name;
  std::vector<RoleSpec> roles;  ///< all except slot_mapping and the cache
  std::vector<ParameterSpec> parameters{};
  std::vector<std::string> columns;
  /// Creates the inputs of a call, tensors of tokens first. After them come slot_mapping, a scale if there is one, and the cache.
  std::vector<HostTensor> (*inputs)(const CacheCase&);
  /// Whether the op accepts contracts with this first stage and this record.
  bool (*takes)(const Flow& first, const Record&);
  /// Throws TableError unless the op accepts this contract.
  void (*require)(const Cells& cells, const ContractRow& contract);
  void (*require_case)(const Cells& cells, const CacheCase&) = nullptr;  ///< throws TableError if the op refuses the case
  /// Columns of each tensor of tokens. Null: a single tensor has all elements of a token.
  std::vector<int64_t> (*widths)(const CacheCase&) = nullptr;
};

Op cache_op(CacheOpParts parts);

// The ops dsv4_kv_insert and dsv4_kv_norm_insert.

/// Whether the op normalizes a token before it rotates it.
enum class KvNorm { kNone, kBefore };
Op dsv4_insert_op(const char* name, KvNorm norm, std::vector<std::string> columns);

// Text about a contract for a paged cache: its formulas, its record, and the trace of one element of a token.

/// A line for each cell and for each part of the record. `x`: format of the inputs.
std::vector<std::string> cache_lines(const std::string& contract, const Format& x);

/// Lines with the offset of each part of a token's record.
std::vector<std::string> record_lines(const CacheCase& c);

/// For element `column` of a row: where it is stored, and the result of each step.
std::vector<std::string> trace_number(const CacheCase& c, const Problem& problem, int64_t row, int64_t column);

// Mutants: the contents of a paged cache after a kernel with one mistake.

/// Mutants of the contract, the record, the distance between blocks and the computation of slots, with the bytes they accept.
std::vector<Hypothesis> cache_hypotheses(const CacheCase& c);

}  // namespace assay
