// The registry of ops: it creates them, finds the op of a contract, and prints contracts as formulas.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/core/op.h"

namespace assay {

// The registry of ops.

/// A set of ops, with look-up by name and by contract.
class OpRegistry {
 public:
  explicit OpRegistry(std::vector<Op> ops) : ops_(std::move(ops)) {}

  std::span<const Op> all() const { return ops_; }
  /// Throws std::out_of_range with similar names.
  const Op& find(std::string_view name) const;
  /// The op of a dump: among the ops that accept the contract and have all of `parameters`, the op with the most of `tensors`; of
  /// several such ops, the first. If no op has all parameters: the first op that accepts the contract. Throws std::out_of_range
  /// for an unknown contract, and UsageError if no op accepts it.
  const Op& of_contract(const std::string& contract, const std::map<std::string, std::string>& parameters = {},
                        const DumpedRoles& tensors = {}) const;
  /// All ops that accept the contract.
  std::vector<const Op*> all_of_contract(const std::string& contract) const;

 private:
  std::vector<Op> ops_;
};

/// The ops of ops.inc. Main functions, the C API and tests call this.
const OpRegistry& shipped_ops();

// Declares the function that creates each op; ops.inc is the list.

#define ASSAY_OP(op) Op op##_op();
#include "suites/ops.inc"
#undef ASSAY_OP

struct OtherContract;

/// The contracts of the case's op under which a kernel receives the same call as in this case; for look_for_causes(). Contracts
/// with the fewest different cells come first. Needs an open contract registry.
std::vector<OtherContract> other_contracts(const Case& one, const Problem& problem);

// A contract as formulas; its op kind determines how they are written.

/// The contract as formulas, a line per cell; text that depends on the format of x is for bf16. Throws std::out_of_range for an
/// unknown id.
std::vector<std::string> contract_lines(const std::string& id);

// The formulas of two op kinds. The functions are defined in the folders of their ops: pack_scales/ and dsv4_qnorm_kv_insert/.

struct Format;
struct Packing;
std::vector<std::string> pack_lines(const Packing& packing);
std::vector<std::string> launch_lines(const std::string& contract, const Format& x);  ///< of a contract with cells heads, insert

}  // namespace assay
