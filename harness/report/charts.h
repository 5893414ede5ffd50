// How far the wrong elements of a tensor err, as tables with bars.
#pragma once

#include <string>

#include "harness/core/verdict.h"

namespace assay::html {

/// Elements outside by their distance in ulp.
std::string distance_chart(const TensorFinding& finding);

/// Share outside and distances by the exponent of the accepted value.
std::string magnitude_chart(const TensorFinding& finding);

/// Elements by the share of their budget that they use; empty where every element has one code.
std::string budget_chart(const TensorFinding& finding);

/// The worst element with its neighbours: codes, values, accepted sets.
std::string neighbours_table(const TensorFinding& finding);

}  // namespace assay::html
