// Error distributions of a tensor's wrong elements, as tables with bars.
#pragma once

#include "harness/compare/verdict.h"
#include "harness/report/html/parts.h"

namespace assay::html {

/// Elements outside, by ulp distance.
void distance_chart(Node parent, const TensorFinding& finding);

/// Share outside and distances, by exponent of the accepted value.
void magnitude_chart(Node parent, const TensorFinding& finding);

/// Elements by the share of the budget used; nothing if every element has one accepted code.
void budget_chart(Node parent, const TensorFinding& finding);

/// The worst element and its neighbours: codes, values, accepted intervals.
void neighbours_table(Node parent, const TensorFinding& finding);

}  // namespace assay::html
