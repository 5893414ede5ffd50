// Which contracts do a user's tensors obey, and which program made a GEMM.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "harness/check/dumped_call.h"
#include "harness/compare/verdict.h"
#include "harness/core/op.h"

namespace assay {

/// A contract that the tensors can be an instance of.
struct MatchedContract {
  const Op* op;
  std::string contract;
  DumpedCall call;
  Verdict verdict;
  int64_t outside = 0;

  bool obeys() const { return verdict.outcome == Outcome::kPass; }
};

/// Why contracts were not asked: the words, and one of them.
using ReasonsByContract = std::map<std::string, std::vector<std::string>>;

struct MatchedContracts {
  std::vector<MatchedContract> asked;  ///< those that the tensors obey come first, then those with the fewest wrong elements
  ReasonsByContract reasons;           ///< of the others
};

/// Compares the tensors with every contract of these ops that they can be an instance of.
MatchedContracts match_tensors(const std::vector<const Op*>& ops, const DumpedRoles& roles,
                               const std::map<std::string, std::string>& parameters, const std::string& layout);

/// A line a contract, the programs that may have computed the outputs, and why contracts were not asked.
std::string match_text(const MatchedContracts& matched);

}  // namespace assay
