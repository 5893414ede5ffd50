#include "kernels/ops/call.h"

#include <cstring>

namespace assay_kernels {
namespace {

std::string named(const assay_tensor& tensor) { return std::string("tensor '") + tensor.role + "'"; }

}  // namespace

Call::Call(const assay_call& call) : call_(call) {
  if (call.size < sizeof(assay_call)) wrong("assay_call is older than this library: size " + std::to_string(call.size));
  if (!call.contract) wrong("the call names no contract");
  contract_ = call.contract;
}

const assay_tensor& Call::tensor(const char* role, int is_output) const {
  for (int32_t i = 0; i < call_.n_tensors; ++i) {
    const assay_tensor& t = call_.tensors[i];
    if (std::strcmp(t.role, role) != 0) continue;
    if (t.size < sizeof(assay_tensor)) wrong(named(t) + ": assay_tensor is older than this library");
    if (t.is_output != is_output) wrong(named(t) + (is_output ? " must be an output" : " must be an input"));
    if (t.type_bits < 8 || reinterpret_cast<uintptr_t>(t.data) % (t.type_bits / 8) != 0)
      wrong(named(t) + " is not aligned to its elements");
    return t;
  }
  wrong(std::string("the call has no tensor '") + role + "'");
}

const assay_param* Call::find(const char* parameter) const {
  for (int32_t i = 0; i < call_.n_params; ++i)
    if (std::strcmp(call_.params[i].name, parameter) == 0) return &call_.params[i];
  return nullptr;
}

double Call::number(const char* parameter) const {
  if (const assay_param* p = find(parameter)) return p->value;
  wrong(std::string("the call has no parameter '") + parameter + "'");
}

double Call::number_or(const char* parameter, double fallback) const {
  const assay_param* p = find(parameter);
  return p ? p->value : fallback;
}

simt::Launch Call::grid(int64_t blocks, int threads) const {
  if (blocks > 0x7fffffff) unsupported("more than 2^31 - 1 blocks");
  return {blocks, threads, warp(), call_.stream, uint64_t(number_or("schedule_seed", 1))};
}

void expect_aligned(const assay_tensor& tensor) {
  if (reinterpret_cast<uintptr_t>(tensor.data) % 16 != 0) unsupported(named(tensor) + " is not aligned to 16 bytes");
}

bool has_type(const assay_tensor& tensor, int code, int bits) { return tensor.type_code == code && tensor.type_bits == bits; }

void expect_matrix(const assay_tensor& tensor, Shape shape) {
  if (tensor.ndim != 2) wrong(named(tensor) + " must have two dimensions");
  if (tensor.shape[0] != shape.rows || tensor.shape[1] != shape.columns)
    wrong(named(tensor) + " has shape [" + std::to_string(tensor.shape[0]) + ", " + std::to_string(tensor.shape[1]) +
          "], expected [" + std::to_string(shape.rows) + ", " + std::to_string(shape.columns) + "]");
  if (shape.rows == 0 || shape.columns == 0) return;
  if (tensor.strides[0] < 0 || tensor.strides[1] < 0) unsupported(named(tensor) + " has a negative stride");
  const int64_t last = (shape.rows - 1) * tensor.strides[0] + (shape.columns - 1) * tensor.strides[1];
  if (uint64_t(last + 1) * tensor.type_bits / 8 > tensor.bytes)
    wrong(named(tensor) + ": its last element lies beyond its storage");
}

Shape matrix_of_rows(const assay_tensor& tensor) {
  if (tensor.ndim != 2) wrong(named(tensor) + " must have two dimensions");
  const Shape shape{tensor.shape[0], tensor.shape[1]};
  if (shape.rows < 0 || shape.columns <= 0) wrong(named(tensor) + " has no columns or a negative shape");
  expect_matrix(tensor, shape);
  if (shape.columns > 1 && tensor.strides[1] != 1) unsupported(named(tensor) + " must be row-major");
  return shape;
}

Shape dense_matrix(const assay_tensor& tensor) {
  const Shape shape = matrix_of_rows(tensor);
  if (shape.rows > 1 && tensor.strides[0] != shape.columns)
    unsupported(named(tensor) + ": rows must follow each other without a gap");
  return shape;
}

void expect_vector(const assay_tensor& tensor, int64_t length, const assay_tensor& like) {
  if (tensor.ndim != 1 || tensor.shape[0] != length) wrong(named(tensor) + " must be a vector of " + std::to_string(length));
  if (length > 1 && tensor.strides[0] != 1) unsupported(named(tensor) + " must be dense");
  if (!has_type(tensor, like.type_code, like.type_bits)) unsupported(named(tensor) + " must have the type of " + named(like));
  if (uint64_t(length) * tensor.type_bits / 8 > tensor.bytes) wrong(named(tensor) + ": its last element lies beyond its storage");
}

}  // namespace assay_kernels
