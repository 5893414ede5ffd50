#include "kernels/ops/qk_norm_rope/run.h"

namespace assay_kernels {

HeadCall::HeadCall(const Call& call, const assay_tensor& heads_in, const assay_tensor& heads_out, int64_t q, int64_t read,
                   int64_t in_row, int64_t out_row)
    : in(heads_in),
      out(heads_out),
      cache(call.input("cos_sin_cache")),
      positions(call.input("positions")),
      q_heads(q),
      live(read),
      in_heads(in_row),
      out_heads(out_row),
      eps(float(call.number("eps"))) {
  const Shape shape = dense_matrix(in), result = dense_matrix(out), angles = dense_matrix(cache);
  if (in_row < 1 || shape.columns % in_row != 0) failed("the columns are no whole heads");
  tokens = shape.rows, n = shape.columns / in_row, rotary = angles.columns;
  if (result.rows != tokens || result.columns != out_row * n || out_row < read) failed("the result has another shape");
  if (!has_type(out, in.type_code, in.type_bits)) unsupported("the result must have the type of the heads");
  if (rotary > n || rotary % 2 != 0) failed("cos_sin_cache has more columns than a head, or an odd number");
  if (!has_type(positions, ASSAY_INT, 64) || positions.ndim != 1 || positions.shape[0] != tokens)
    unsupported("positions must be a vector of int64, one for each token");
  for (const assay_tensor* tensor : {&in, &out, &cache}) expect_aligned(*tensor);
}

}  // namespace assay_kernels
