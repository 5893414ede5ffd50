// Interprets a user's tensors as one call: finds the role and the layout of each tensor.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "harness/core/op.h"
#include "harness/run/run_case.h"

namespace assay {

/// Splits "x@12" into name and rank; rank 0 if there is no such suffix.
std::pair<std::string, int> name_and_rank(const std::string& key);

/// The case without checks of padding that the dump does not contain: of tensors placed by shape alone, or missing in `placings`.
std::unique_ptr<const BoundCase> without_unseen_padding(std::shared_ptr<const BoundCase> whole, std::map<std::string, ScalePlacing> placings);

/// An output of a known call. kMemory: the storage is known, padding included.
struct PlacedOutput {
  HostTensor tensor;
  ScalePlacing placing;
};
/// Converts the tensor to `spec`. Throws UsageError for another format or shape.
PlacedOutput placed_output(const DumpedTensor& from, const TensorSpec& spec);

/// A dump as a problem, and the outputs that a kernel produced.
struct DumpedCall {
  DumpCase dump;
  std::shared_ptr<const BoundCase> judging;  ///< the bound case, without padding that the dump does not contain
  Problem problem;
  CallResult result;
};

/// Throws UsageError or MissingRole if the tensors do not fit the contract.
DumpedCall dumped_call(const Op& op, const DumpRequest& request);

}  // namespace assay
