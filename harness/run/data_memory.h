// Cache for one data set while several kernels are called on it. Cases that differ only in warp size share their data, and
// correct kernels mostly return identical bits, so neither the problem nor the findings are computed again.
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

/// Single-threaded. Forgets everything when the data change. Large outputs are not kept.
class DataMemory {
 public:
  /// The bound case; kept until another case is requested.
  const BoundCase& bound(const Op& op, const Case& one);
  /// The problem of a case, with the warp size of that case.
  const Problem& problem(const BoundCase& bound, const Case& one);

  /// The findings of an earlier call whose outputs agreed and were byte for byte the same, including which bytes were written.
  /// Nullptr if there is none.
  const std::vector<TensorFinding>* findings_of(const CallResult& result) const;
  void remember(const CallResult& result, const std::vector<TensorFinding>& findings);

 private:
  struct Agreed {
    std::vector<std::vector<std::byte>> bytes;  ///< one entry per output
    std::vector<std::vector<ByteRange>> untouched;
    std::vector<TensorFinding> findings;
  };
  std::string case_;  ///< id of bound_
  std::unique_ptr<const BoundCase> bound_;
  std::string data_;  ///< id of the data of problem_
  std::optional<Problem> problem_;
  std::vector<Agreed> agreed_;
};

}  // namespace assay
