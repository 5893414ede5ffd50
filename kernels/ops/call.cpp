#include "kernels/ops/call.h"

namespace assay_kernels {

Call::Call(const assay_call& call) : assay::plugin::Call(call) {
  if (!call.contract) failed("the call names no contract");
  contract_ = call.contract;
}

const assay_tensor& Call::tensor(const char* role, int is_output) const {
  const assay_tensor* const t = find(role);
  if (!t) failed(std::string("the call has no tensor '") + role + "'");
  if (t->size < sizeof(assay_tensor)) failed(named(*t) + ": the caller's assay_tensor is older than this library's");
  if (t->is_output != is_output) failed(named(*t) + (is_output ? " must be an output" : " must be an input"));
  if (t->type_bits < 4 || (t->type_bits >= 8 && reinterpret_cast<uintptr_t>(t->data) % (t->type_bits / 8) != 0))
    failed(named(*t) + " is not aligned to the size of its elements");
  return *t;
}

double Call::number(const char* parameter) const {
  if (const assay_param* p = find_parameter(parameter)) return p->value;
  failed(std::string("the call has no parameter '") + parameter + "'");
}

simt::Launch Call::grid(int64_t blocks, int threads) const {
  if (blocks > 0x7fffffff) unsupported("the launch needs more than 2^31 - 1 thread blocks");
  return {blocks, threads, warp(), raw().stream,
          uint64_t(number("schedule_seed", 1)) | uint64_t(number("stack_fill", 0)) << simt::Launch::kSeedBits};
}

void expect_aligned(const assay_tensor& tensor) {
  if (reinterpret_cast<uintptr_t>(tensor.data) % 16 != 0) unsupported(named(tensor) + " is not aligned to 16 bytes");
}

void expect_matrix(const assay_tensor& tensor, Shape shape) {
  if (tensor.ndim != 2) failed(named(tensor) + " must have two dimensions");
  if (tensor.shape[0] != shape.rows || tensor.shape[1] != shape.columns)
    failed(named(tensor) + " has shape [" + std::to_string(tensor.shape[0]) + ", " + std::to_string(tensor.shape[1]) +
           "], expected [" + std::to_string(shape.rows) + ", " + std::to_string(shape.columns) + "]");
  if (shape.rows == 0 || shape.columns == 0) return;
  if (tensor.strides[0] < 0 || tensor.strides[1] < 0) unsupported(named(tensor) + " has a negative stride");
  const int64_t last = (shape.rows - 1) * tensor.strides[0] + (shape.columns - 1) * tensor.strides[1];
  if (uint64_t(last + 1) * tensor.type_bits / 8 > tensor.bytes)
    failed(named(tensor) + ": its last element lies beyond its storage");
}

Shape matrix_of_rows(const assay_tensor& tensor) {
  if (tensor.ndim != 2) failed(named(tensor) + " must have two dimensions");
  const Shape shape{tensor.shape[0], tensor.shape[1]};
  if (shape.rows < 0 || shape.columns <= 0) failed(named(tensor) + " has no columns, or a negative number of rows");
  expect_matrix(tensor, shape);
  if (shape.columns > 1 && tensor.strides[1] != 1) unsupported(named(tensor) + " must be row-major");
  return shape;
}

Shape dense_matrix(const assay_tensor& tensor) {
  const Shape shape = matrix_of_rows(tensor);
  if (shape.rows > 1 && tensor.strides[0] != shape.columns)
    unsupported(named(tensor) + ": each row must begin where the previous row ends");
  return shape;
}

void expect_vector(const assay_tensor& tensor, int64_t length, const assay_tensor& like) {
  if (tensor.ndim != 1 || tensor.shape[0] != length)
    failed(named(tensor) + " must be a vector of " + std::to_string(length) + " elements");
  if (length > 1 && tensor.strides[0] != 1) unsupported(named(tensor) + " must be dense");
  if (!has_type(tensor, like.type_code, like.type_bits)) unsupported(named(tensor) + " must have the type of " + named(like));
  if (uint64_t(length) * tensor.type_bits / 8 > tensor.bytes)
    failed(named(tensor) + ": its last element lies beyond its storage");
}

}  // namespace assay_kernels
