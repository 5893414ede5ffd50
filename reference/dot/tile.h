// One tile of a matrix product: packed, summed in double, certified, rounded.
#pragma once

#include "reference/dot/exact_dot.h"

namespace assay {

/// What the tiles of a product share.
struct DotTask {
  const DecodedOperand& a;
  const DecodedOperand& b;
  const DotRange& range;  ///< that the outputs are of
  const DotOutputs& outputs;
  const DotKernels& kernels;
};

/// Computes the outputs of a part of the range: rows and columns of y.
void compute_tile(const DotTask& task, const DotRange& part);

}  // namespace assay
