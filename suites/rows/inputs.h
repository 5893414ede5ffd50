// What the reference is given for each row of a case.
#pragma once

#include <vector>

#include "harness/core/op.h"
#include "reference/flow/row.h"
#include "suites/rows/places.h"
#include "suites/rows/row_case.h"

namespace assay {

/// The numbers of one row of a dense tensor.
std::vector<double> decoded_row(const HostTensor& tensor, int64_t row, int64_t columns);

/// The scales of one row of groups, in the layout's own element format, as the values they stand for.
std::vector<double> decoded_scales(const HostTensor& tensor, const ScalePlaces& places, int64_t row, int64_t groups);

/// Row by row; groups that span rows are looked through once, at the beginning.
class CaseInputs {
 public:
  CaseInputs(const Contract& contract, const RowCase& c, const Problem& problem);

  RowInputs of_row(int64_t row) const;

 private:
  const Contract& contract_;
  const RowCase& case_;
  const Problem& problem_;
  std::vector<Spans> maxima_;  ///< of each row of groups, if a group spans rows
};

}  // namespace assay
