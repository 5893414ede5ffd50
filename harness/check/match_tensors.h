// Finds the contracts that a user's tensors obey, and the algorithm that made a GEMM.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "harness/check/dumped_call.h"
#include "harness/compare/verdict.h"
#include "harness/core/op.h"

namespace assay {

/// A contract that the tensors fit.
struct MatchedContract {
  const Op* op;
  std::string contract;
  DumpedCall call;
  Verdict verdict;
  int64_t outside = 0;

  bool obeys() const { return verdict.outcome == Outcome::kPass; }
};

/// Reasons why contracts were not tried, each with the contracts it applies to.
using ReasonsByContract = std::map<std::string, std::vector<std::string>>;

struct MatchedContracts {
  std::vector<MatchedContract> asked;  ///< obeyed contracts first, then those with the fewest wrong elements
  ReasonsByContract reasons;           ///< for the other contracts
};

/// Compares the tensors with every contract of these ops that they can be an instance of.
MatchedContracts match_tensors(const std::vector<const Op*>& ops, const DumpedRoles& roles,
                               const std::map<std::string, std::string>& parameters, const std::string& layout);

/// One line per contract, the algorithms that may have computed the outputs, and why contracts were not tried.
std::string match_text(const MatchedContracts& matched);

}  // namespace assay
