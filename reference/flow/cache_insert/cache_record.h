// Flow: what the record of one token in a paged cache holds.
#pragma once

#include "reference/flow/row.h"

namespace assay {

/// The row of the registry.
const Flow& cache_insert_flow();

/// Accepted reals of one token. Which of them a record has, and where, says records.csv.
struct RecordValues {
  Spans values;                               ///< the token's numbers as the links before the last leave them
  Spans codes;                                ///< of the first `coded` of them
  Spans scales;                               ///< of the groups of those; empty if the scale is an input
  std::vector<std::string> joint_violations;  ///< each element passes alone, but not with the others
};

/// `inputs.coded` must say how many. `stored`: what the kernel put into the record, decoded; its y holds a number for each of the
/// token, NaN where the record has a code in its place. Null: from the inputs alone.
RecordValues record_values(const Contract& contract, const RowInputs& inputs, const StoredRow* stored, const Format& x_format,
                           RowListener* listener = nullptr);

}  // namespace assay
