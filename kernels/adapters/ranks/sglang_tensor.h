// Wraps memory of a call in the tensor types that SGLang's host functions take and create. Does not use SGLang's from_blob(),
// because from_blob() keeps the address of a local variable.
#pragma once

#include <tvm/ffi/container/tensor.h>
#include <tvm/ffi/extra/c_env_api.h>

#include <vector>

#include "together.h"

namespace assay::ranks {

template <class T>
constexpr DLDataType kTypeOf = std::is_same_v<T, float>    ? DLDataType{kDLFloat, 32, 1}
                               : std::is_same_v<T, __half> ? DLDataType{kDLFloat, 16, 1}
                                                           : DLDataType{kDLBfloat, 16, 1};
inline constexpr DLDevice kDevice{kDLCUDA, 0};

/// A dense tensor that does not own its data: its deleter frees only the DLPack struct.
inline DLManagedTensorVersioned* managed(void* data, DLDataType type, const int64_t* shape, int32_t dimensions) {
  struct Kept {
    DLManagedTensorVersioned tensor{};
    std::vector<int64_t> shape, strides;
  };
  auto* const kept = new Kept;
  kept->shape.assign(shape, shape + dimensions);
  kept->strides.assign(size_t(dimensions), 1);
  for (size_t d = size_t(dimensions); d-- > 1;) kept->strides[d - 1] = kept->strides[d] * kept->shape[d];
  kept->tensor.version = {DLPACK_MAJOR_VERSION, DLPACK_MINOR_VERSION};
  kept->tensor.manager_ctx = kept;
  kept->tensor.deleter = [](DLManagedTensorVersioned* self) { delete static_cast<Kept*>(self->manager_ctx); };
  kept->tensor.dl_tensor = {data, kDevice, dimensions, type, kept->shape.data(), kept->strides.data(), 0};
  return &kept->tensor;
}

inline tvm::ffi::Tensor tensor_at(void* data, DLDataType type, const std::vector<int64_t>& shape) {
  return tvm::ffi::Tensor::FromDLPackVersioned(managed(data, type, shape.data(), int32_t(shape.size())));
}

inline void use_stream(cudaStream_t stream) {
  if (TVMFFIEnvSetStream(kDLCUDA, 0, stream, nullptr) != 0) plugin::failed("TVMFFIEnvSetStream");
}

}  // namespace assay::ranks
