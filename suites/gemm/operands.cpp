#include "suites/gemm/operands.h"

#include "reference/formats/catalogue.h"

namespace assay {
namespace {

/// Codes with their scales, read from the scales' layout.
DotOperand operand(const UnitFactor& codes, const HostTensor& tensor, const HostTensor& scale, const LevelGrid& shape, const Layout* layout) {
  const int64_t rows = tensor.spec.shape[0], k = tensor.spec.shape[1];
  DotOperand one{codes.codes, tensor.spec.format, rows, codes.pitch, 1, {}};
  const int64_t of_row = layout ? scale.spec.strides[0] : 1, of_block = layout ? scale.spec.strides[1] : 0;
  one.scales = {scale.bytes.data(), &kF32,
                shape.row_block > 0 ? shape.row_block : rows, shape.column_block > 0 ? shape.column_block : k,
                shape.row_block > 0 ? of_row : 0, of_block};
  return one;
}

/// Packed scales, as bytes in row-major order.
DotOperand with_bytes(DotOperand one, const std::shared_ptr<const std::vector<std::byte>>& codes, const LevelGrid& shape,
                      const Layout* layout) {
  if (!codes) return one;
  one.scales.codes = codes->data(), one.scales.format = layout->element;
  one.scales.rows_per_scale = 1, one.scales.row_stride = shape.columns, one.scales.k_stride = 1;
  return one;
}

}  // namespace

DotOperand operand_a(const GemmCase& c, const Problem& problem, const DotInputs& inputs) {
  return with_bytes(operand(inputs.product.a, find(problem.tensors, "a"), find(problem.tensors, "scale_a"), c.shape_of_scale_a(), c.layout_a()),
                    inputs.scale_codes_a, c.shape_of_scale_a(), c.layout_a());
}
DotOperand operand_b(const GemmCase& c, const Problem& problem, const DotInputs& inputs) {
  return with_bytes(operand(inputs.product.b, find(problem.tensors, "b"), find(problem.tensors, "scale_b"), c.shape_of_scale_b(), c.layout_b()),
                    inputs.scale_codes_b, c.shape_of_scale_b(), c.layout_b());
}

double outer_scale(const DotInputs& inputs, int64_t row, int64_t column) {
  const auto of = [](const ScaleValues& outer, int64_t at) { return outer.values.empty() ? 1 : outer.at(at, 0); };
  return of(inputs.outer_a, row) * of(inputs.outer_b, column);
}

/// Terms added to the exact product: bias, c, zero points.
double beside_product(const GemmCase& c, const DotInputs& inputs, int64_t row, int64_t column) {
  const double zeros = inputs.azp_adj.empty() ? 0 : (inputs.azp.empty() ? 1 : inputs.azp[size_t(row)]) * inputs.azp_adj[size_t(column)];
  return -zeros * inputs.scale_a.at(row, 0) * inputs.scale_b.at(column, 0) + (inputs.bias.empty() ? 0 : inputs.bias[size_t(column)]) + (inputs.c.empty() ? 0 : inputs.c[size_t(row * c.n + column)]);
}

}  // namespace assay
