#include "kernels/ops/quant_group/problem.h"

namespace assay_kernels {

int64_t group_size_of(const Call& call, Shape x) {
  const auto size = int64_t(call.number("group_size"));
  if (size <= 0 || x.columns % size != 0)
    failed("group_size " + std::to_string(size) + " does not divide the row of " + std::to_string(x.columns));
  return size;
}

GroupOutputs group_outputs(const Call& call, Shape x, int64_t group_size, int code_type, bool packed) {
  const assay_tensor& q = call.output("q");
  const assay_tensor& scale = call.output("scale");
  if (!has_type(q, code_type, 8))
    unsupported("contract " + call.contract() + " writes " +
                (code_type == ASSAY_FLOAT8_E4M3FN ? "e4m3fn"
                 : code_type == ASSAY_INT         ? "int8"
                                                  : "e4m3fnuz"));
  const Shape dense = dense_matrix(q);
  if (dense.rows != x.rows || dense.columns != x.columns) failed("q must have the shape of x");
  const int64_t groups = x.columns / group_size;
  // Places in the kernels are 32-bit, packed rows rounded up to four groups.
  if (x.rows * ((groups + 3) / 4 * 4) > 0x7fffffff - 1024) unsupported("more than 2^31 groups");

  ScalesOut out{};
  out.data = scale.data;
  out.rows = x.rows;
  out.groups = int32_t(groups);
  out.by_groups = Divider::by(uint32_t(groups));
  if (packed) {
    const int64_t padded = (x.rows + 3) / 4 * 4;
    if (!has_type(scale, ASSAY_INT, 32)) unsupported("contract " + call.contract() + " writes packed scales: int32 words");
    expect_matrix(scale, {x.rows, (groups + 3) / 4});
    if (scale.strides[0] != 1 || scale.strides[1] != padded)
      unsupported("packed scales lie column-major, columns " + std::to_string(padded) + " words apart");
    out.padded_rows = padded;
  } else {
    if (!has_type(scale, ASSAY_FLOAT, 32)) unsupported("contract " + call.contract() + " writes fp32 scales");
    expect_matrix(scale, {x.rows, groups});
    out.row_stride = scale.strides[0];
    out.group_stride = scale.strides[1];
  }
  return {static_cast<uint8_t*>(q.data), out};
}

}  // namespace assay_kernels
