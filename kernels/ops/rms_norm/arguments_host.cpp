#include "kernels/ops/rms_norm/arguments.h"

namespace assay_kernels {

bool lies_in_sixteens(const assay_tensor& tensor, int64_t pitch) {
  return reinterpret_cast<uintptr_t>(tensor.data) % 16 == 0 && pitch * tensor.type_bits / 8 % 16 == 0;
}

NormInputs::NormInputs(const Call& call, bool adds, bool gates)
    : x(call.input("x")),
      gamma(call.input("gamma")),
      residual(adds ? &call.output("residual") : nullptr),
      gate(gates ? &call.input("gate") : nullptr),
      shape(matrix_of_rows(x)),
      eps(float(call.number("eps"))),
      in_sixteens(lies_in_sixteens(x, x.strides[0]) && lies_in_sixteens(gamma, shape.columns)) {
  expect_vector(gamma, shape.columns, x);
  if (shape.columns > 0x7fffffff) unsupported("rows of more than 2^31 - 1 elements");
  for (const assay_tensor* beside : {residual, gate}) {
    if (!beside) continue;
    if (!has_type(*beside, x.type_code, x.type_bits)) unsupported(std::string(beside->role) + " must have the type of x");
    in_sixteens = expect_rows_of(*beside, *this) && in_sixteens;
  }
}

bool expect_rows_of(const assay_tensor& tensor, const NormInputs& inputs) {
  const Shape own = dense_matrix(tensor);
  if (own.rows != inputs.shape.rows || own.columns != inputs.shape.columns)
    failed(std::string(tensor.role) + " must have the shape of x");
  return lies_in_sixteens(tensor, own.columns);
}

}  // namespace assay_kernels
