// The registry of ops: the functions that create them, the op of a contract, and any contract as formulas.
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

/// A set of ops. Programs create their own registry and pass it on.
class OpRegistry {
 public:
  explicit OpRegistry(std::vector<Op> ops) : ops_(std::move(ops)) {}

  std::span<const Op> all() const { return ops_; }
  /// Throws std::out_of_range with near matches.
  const Op& find(std::string_view name) const;
  /// The op that takes the contract, has all of these parameters and the most of these tensors; the first of equals. If none has
  /// all parameters, the first that takes the contract. Throws std::out_of_range for an unknown contract, UsageError for one that
  /// no op takes.
  const Op& of_contract(const std::string& contract, const std::map<std::string, std::string>& parameters = {},
                        const DumpedRoles& tensors = {}) const;
  /// Every op that takes the contract.
  std::vector<const Op*> all_of_contract(const std::string& contract) const;

 private:
  std::vector<Op> ops_;
};

/// The ops of ops.inc: for main functions, the C API and tests.
const OpRegistry& shipped_ops();

// Declares the function that creates each op; ops.inc is the list.

#define ASSAY_OP(op) Op op##_op();
#include "suites/ops.inc"
#undef ASSAY_OP

// Prints any contract as formulas, by its op kind.

/// One line per cell; uses bf16 where the text depends on the format. Throws std::out_of_range with similar ids.
std::vector<std::string> contract_lines(const std::string& id);

// The formulas of two op kinds, defined beside their ops.

struct Format;
struct Packing;
std::vector<std::string> pack_lines(const Packing& packing);
std::vector<std::string> launch_lines(const std::string& contract, const Format& x);  ///< of the two contracts of a launch

}  // namespace assay
