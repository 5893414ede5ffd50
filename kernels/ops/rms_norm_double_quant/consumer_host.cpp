#include "kernels/ops/rms_norm_double_quant/consumer.h"

namespace assay_kernels {
namespace {

/// [a, b, n] as [a b, n]; refuses rows that do not follow each other across the first dimension.
std::array<int64_t, 4> flattened(const assay_tensor& tensor) {
  if (tensor.shape[0] > 1 && tensor.strides[0] != tensor.shape[1] * tensor.strides[1])
    unsupported(std::string("tensor '") + tensor.role + "': no view as a matrix");
  return {tensor.shape[0] * tensor.shape[1], tensor.shape[2], tensor.strides[1], tensor.strides[2]};
}

}  // namespace

ConsumerCall::ConsumerCall(const Call& both, const std::string& codes, const std::string& scales) : raw_(both.raw()) {
  extents_.reserve(size_t(raw_.n_tensors));
  for (int32_t i = 0; i < raw_.n_tensors; ++i) {
    assay_tensor tensor = raw_.tensors[i];
    const std::string role = tensor.role;
    if (role == codes)
      tensor.role = "q";
    else if (role == scales)
      tensor.role = "scale";
    else if (tensor.is_output != 0)
      continue;
    if (tensor.ndim == 3) {
      extents_.push_back(flattened(tensor));
      tensor.ndim = 2, tensor.shape = extents_.back().data(), tensor.strides = extents_.back().data() + 2;
    }
    tensors_.push_back(tensor);
  }
  raw_.tensors = tensors_.data();
  raw_.n_tensors = int32_t(tensors_.size());
  checked_.emplace(raw_);
}

}  // namespace assay_kernels
