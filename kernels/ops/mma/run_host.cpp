// Tensors of a call as tiles of a tensor core.
#include "kernels/ops/mma/run.h"

namespace assay_kernels {
namespace {

const assay_tensor& three_dimensions(const assay_tensor& t) {
  if (t.ndim != 3) failed(named(t) + " must have three dimensions");
  return t;
}

}  // namespace

int64_t tile_count(const Call& call) { return three_dimensions(call.input("c")).shape[0]; }

int64_t products_of(const Call& call) { return three_dimensions(call.input("a")).shape[2]; }

const uint8_t* tiles_of(const Call& call, const char* role, bool is_output, const TileShape& shape, int bits) {
  const assay_tensor& t = three_dimensions(is_output ? call.output(role) : call.input(role));
  const int64_t extents[] = {shape.tiles, shape.rows, shape.columns};
  int64_t stride = 1;
  for (int d = 2; d >= 0; --d) {
    if (t.shape[d] != extents[d])
      unsupported(named(t) + " must be [" + std::to_string(extents[0]) + ", " + std::to_string(extents[1]) + ", " +
                  std::to_string(extents[2]) + "]: tiles of the instruction");
    if (t.shape[d] > 1 && t.strides[d] != stride) unsupported(named(t) + " must be dense");
    stride *= t.shape[d];
  }
  if (t.type_bits != bits) unsupported(named(t) + " must have elements of " + std::to_string(bits) + " bits");
  if (uint64_t(stride) * uint64_t(bits) > t.bytes * 8) failed(named(t) + " has less storage than elements");
  return static_cast<const uint8_t*>(t.data);
}

}  // namespace assay_kernels
