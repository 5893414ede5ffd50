// Shared by the adapters of vLLM's host functions: wraps the tensors and parameters of a call in torch tensors. vLLM's
// sources are compiled unchanged (ci/witness), against the headers of one release. C++20.
#pragma once

#include <optional>
#include <string>

#include "assay/plugin/torch_tensor.hpp"
#include "ops.h"

namespace assay::vllm {

using Tensor = torch::stable::Tensor;
using cuda::Call;
using cuda::Kernel;
using torch_stable::ScalarType;
using torch_stable::tensor;

inline Tensor at(const Call& call, const char* role) { return tensor(call.at(role)); }
inline std::optional<Tensor> found(const Call& call, const char* role) {
  const assay_tensor* const t = call.find(role);
  return t ? std::optional<Tensor>(tensor(*t)) : std::nullopt;
}

/// A parameter that vLLM reads as a device tensor with one float. A call without it gets the value `otherwise`.
inline Tensor number(const Call& call, const char* name, double otherwise) {
  const float* const place =
      call.find_parameter(name) ? call.device_number<float>(name) : cuda::DeviceNumbers::of(float(otherwise), call.stream());
  return tensor(const_cast<float*>(place), ScalarType::Float, {1});
}
inline std::optional<Tensor> found_number(const Call& call, const char* name) {
  return call.find_parameter(name) ? std::optional<Tensor>(number(call, name, 0)) : std::nullopt;
}

/// True if the scales are column-major, which vLLM's kernels call transposed.
inline bool by_columns(const assay_tensor& scale) {
  return scale.shape[1] > 1 ? scale.strides[1] != 1 : scale.shape[0] > 1 && scale.strides[0] == 1;
}

/// Calls a vLLM function with as many arguments as it has in this release; later releases append arguments.
template <class F, class Fewer, class More>
void call_either(F* function, Fewer fewer, More more) {
  if constexpr (requires { fewer(function); })
    fewer(function);
  else
    more(function);
}

/// Wraps the function of a table row. vLLM launches on torch's current stream, which is the call's stream here.
template <auto kRun>
void on_stream(const Call& call) {
  const torch_stable::Running running(call);
  kRun(call);
}

std::vector<Kernel> quant_kernels();
std::vector<Kernel> norm_kernels();
std::vector<Kernel> activation_kernels();
std::vector<Kernel> cache_kernels();
std::vector<Kernel> rope_kernels();

}  // namespace assay::vllm
