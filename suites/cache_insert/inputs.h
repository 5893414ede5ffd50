// What the reference is given for each token of a case.
#pragma once

#include <vector>

#include "harness/core/op.h"
#include "reference/flow/row.h"
#include "suites/cache_insert/cache_case.h"

namespace assay {

class CacheInputs {
 public:
  CacheInputs(const Contract& contract, const CacheCase& c, const Problem& problem);

  RowInputs of_row(int64_t row) const;
  /// Codes of the numbers of a token, its row of the leading inputs behind each other.
  std::vector<uint32_t> codes_of_row(int64_t row) const;
  /// The scales that a kernel stored for a row; empty if the contract takes them.
  std::vector<double> stored_scales(const std::vector<HostTensor>& outputs, int64_t row) const;

 private:
  const CacheCase& case_;
  const Problem& problem_;
  bool scale_given_;
};

}  // namespace assay
