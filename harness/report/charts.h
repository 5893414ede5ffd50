// How far the wrong elements of a tensor err, as tables with bars.
#pragma once

#include "harness/compare/verdict.h"
#include "harness/report/html/parts.h"

namespace assay::html {

/// Elements outside by their distance in ulp.
void distance_chart(Node parent, const TensorFinding& finding);

/// Share outside and distances by the exponent of the accepted value.
void magnitude_chart(Node parent, const TensorFinding& finding);

/// Elements by the share of their budget that they use; nothing where every element has one code.
void budget_chart(Node parent, const TensorFinding& finding);

/// The worst element with its neighbours: codes, values, accepted sets.
void neighbours_table(Node parent, const TensorFinding& finding);

}  // namespace assay::html
