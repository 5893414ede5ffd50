// Tensors of a call as tiles of a tensor core.
#pragma once

#include "kernels/ops/call.h"

namespace assay_kernels {

struct TileShape {
  int64_t tiles, rows, columns;
};

/// Data of a dense tensor of that shape and of so many bits an element. Refuses any other.
const uint8_t* tiles_of(const Call& call, const char* role, bool is_output, const TileShape& shape, int bits);
/// Tiles of the call, from c [tiles, m, n].
int64_t tile_count(const Call& call);
/// Columns of a [tiles, m, k].
int64_t products_of(const Call& call);

}  // namespace assay_kernels
