// The registry of ops.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/core/op.h"

namespace assay {

/// A set of ops. Programs make theirs and pass it on.
class OpRegistry {
 public:
  explicit OpRegistry(std::vector<Op> ops) : ops_(std::move(ops)) {}

  std::span<const Op> all() const { return ops_; }
  /// Throws std::out_of_range with near matches.
  const Op& find(std::string_view name) const;
  /// The first op that takes the contract and has all of these parameters; if none has, the first that takes it. Throws
  /// std::out_of_range for an unknown contract, UsageError for one that no op takes.
  const Op& of_contract(const std::string& contract, const std::map<std::string, std::string>& parameters = {}) const;

 private:
  std::vector<Op> ops_;
};

/// The ops of ops.inc: for main functions, the C API and tests.
const OpRegistry& shipped_ops();

}  // namespace assay
