// The passes over rows of 64 lanes and the table of vector instructions, once for each instruction set of the host.
#pragma once

#include <cstddef>

#include "kernels/gcn_executor/wave.h"

namespace assay_gcn {

struct LaneTable {
  LaneCode code;
  const VectorEntry* entries;
  size_t count;
};

const LaneTable& portable_lanes();
#if defined(__x86_64__)
const LaneTable& avx2_lanes();
const LaneTable& avx512_lanes();
#endif

}  // namespace assay_gcn
