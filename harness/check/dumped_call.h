// A user's tensors as a call that was made: which tensor has which role, and where its elements lie.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "harness/core/op.h"
#include "harness/run/run_case.h"

namespace assay {

/// "x@12" in parts; rank 0 if there is no such ending.
std::pair<std::string, int> name_and_rank(const std::string& key);

/// The case without padding that nobody has seen: that of tensors which are placed by their shape alone, or are not in `placings`.
std::unique_ptr<const BoundCase> without_unseen_padding(std::shared_ptr<const BoundCase> whole, std::map<std::string, ScalePlacing> placings);

/// An output of a known call. kMemory: it came with its storage, so its padding is known.
struct PlacedOutput {
  HostTensor tensor;
  ScalePlacing placing;
};
/// The tensor as `spec` wants it. Throws UsageError for another format or shape.
PlacedOutput placed_output(const DumpedTensor& from, const TensorSpec& spec);

/// A dump as a problem and what some kernel made of it.
struct DumpedCall {
  DumpCase dump;
  std::shared_ptr<const BoundCase> judging;  ///< the bound case, without padding that the dump does not hold
  Problem problem;
  CallResult result;
};

/// Throws UsageError, or MissingRole: tensors that are no instance of the contract.
DumpedCall dumped_call(const Op& op, const DumpRequest& request);

}  // namespace assay
