// Flow: what the record of one token in a paged cache holds.
#pragma once

#include "reference/flow/row.h"

namespace assay {

/// Accepted reals of one token. Which of them a record has, and where, says records.csv.
struct RecordValues {
  Spans values;  ///< the token's numbers as the links before the last leave them
  Spans codes;   ///< of the first `coded` of them
  Spans scales;  ///< of the groups of those; empty if the scale is an input
};

/// `stored_scale`: what the kernel stored, decoded; empty: nothing to narrow by.
RecordValues record_values(const Contract& contract, const RowInputs& inputs, int64_t coded,
                           const std::vector<double>& stored_scale);

}  // namespace assay
