// What is known of one data set while the kernels that are called on it are judged one after the other. Cases that differ in warp
// alone share their data, and right kernels mostly return the same bits: neither is worked out again.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/compare/verdict.h"
#include "harness/core/call.h"
#include "harness/core/op.h"
#include "harness/core/sample.h"

namespace assay {

/// For one thread, case after case; forgets when the data change. Large data are not kept.
class DataMemory {
 public:
  /// The case as its op reads it, until another case is asked for.
  const BoundCase& bound(const Op& op, const Case& one);
  /// The problem of a case, with its own warp.
  const Problem& problem(const BoundCase& bound, const Case& one);

  /// What outputs that agreed were found to be, if these are the same to the byte, written and unwritten alike.
  const std::vector<TensorFinding>* findings_of(const CallResult& result) const;
  void remember(const CallResult& result, const std::vector<TensorFinding>& findings);

 private:
  struct Agreed {
    std::vector<std::vector<std::byte>> bytes;  ///< of each output
    std::vector<std::vector<ByteRange>> untouched;
    std::vector<TensorFinding> findings;
  };
  std::string case_;  ///< id of the bound case
  std::unique_ptr<const BoundCase> bound_;
  std::string data_;  ///< id of the data
  std::optional<Problem> problem_;
  std::vector<Agreed> agreed_;
};

}  // namespace assay
