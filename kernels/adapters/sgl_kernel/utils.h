// Replaces torch and sgl-kernel's own utils.h for sgl-kernel's host functions. Each tensor wraps a tensor of the call.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_fp8.h>

#include <cassert>

#include "assay/plugin/torch_tensor.hpp"

namespace torch {
using Tensor = stable::Tensor;
}
namespace at {
using torch::headeronly::ScalarType;
}

#define CHECK_EQ(a, b) \
  if ((a) != (b)) assay::cuda::unsupported(#a " must be " #b)
#define CHECK_INPUT(x) \
  if (!(x).is_contiguous()) assay::cuda::unsupported(#x " must be contiguous")

/// Calls the lambda with c_type defined as the element type. The lambda returns true if it launched a kernel.
#define DISPATCH_PYTORCH_DTYPE_TO_CTYPE_FLOAT_FP16(type, c_type, ...)                    \
  [&](at::ScalarType given) {                                                            \
    const auto with = [&](auto of) {                                                     \
      using c_type = decltype(of);                                                       \
      return __VA_ARGS__();                                                              \
    };                                                                                   \
    const bool launched = given == at::ScalarType::Float      ? with(float{})            \
                          : given == at::ScalarType::Half     ? with(__half{})           \
                          : given == at::ScalarType::BFloat16 ? with(__nv_bfloat16{})    \
                                                              : false;                   \
    if (!launched) assay::cuda::unsupported("sgl-kernel has no kernel for these types");         \
  }(type)
