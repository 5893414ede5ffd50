// For authors of CUDA plug-ins whose kernels take torch::stable::Tensor. Implements the C functions of libtorch's stable ABI on
// the tensors of a call. Kernel sources compile unchanged, and no libtorch is linked. Include it in one file of the plug-in.
// Requires C++20 and the headers of torch 2.11 or newer, with TORCH_TARGET_VERSION and USE_CUDA set as the sources expect. A
// function that is implemented only in part throws; the call then ends with the status Library::other_exceptions, such as
// ASSAY_UNSUPPORTED. A function that is missing altogether is a link error (-Wl,-z,defs).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstring>

#include "assay/plugin/torch_tensor.hpp"

extern "C" {

uint64_t aoti_torch_abi_version() { return TORCH_ABI_VERSION; }

// Tensors. There is one CUDA device, and tensors have no storage object.
AOTITorchError aoti_torch_new_uninitialized_tensor(AtenTensorHandle* ret) {
  return assay::torch_stable::made({0}, assay::torch_stable::ScalarType::Byte, ret);
}
AOTITorchError aoti_torch_new_tensor_handle(AtenTensorHandle tensor, AtenTensorHandle* ret) {
  *ret = reinterpret_cast<AtenTensorHandle>(new assay::torch_stable::Handle(assay::torch_stable::of(tensor)));
  return TORCH_SUCCESS;
}
AOTITorchError aoti_torch_delete_tensor_object(AtenTensorHandle tensor) {
  delete &assay::torch_stable::of(tensor);
  return TORCH_SUCCESS;
}
AOTITorchError aoti_torch_get_data_ptr(AtenTensorHandle tensor, void** ret) {
  return assay::torch_stable::answer(assay::torch_stable::of(tensor).data, ret);
}
AOTITorchError torch_get_mutable_data_ptr(AtenTensorHandle tensor, void** ret) { return aoti_torch_get_data_ptr(tensor, ret); }
AOTITorchError torch_get_const_data_ptr(AtenTensorHandle tensor, const void** ret) {
  return assay::torch_stable::answer(static_cast<const void*>(assay::torch_stable::of(tensor).data), ret);
}
AOTITorchError aoti_torch_get_dim(AtenTensorHandle tensor, int64_t* ret) {
  return assay::torch_stable::answer(int64_t(assay::torch_stable::of(tensor).sizes.size()), ret);
}
AOTITorchError aoti_torch_get_numel(AtenTensorHandle tensor, int64_t* ret) {
  return assay::torch_stable::answer(assay::torch_stable::of(tensor).elements(), ret);
}
AOTITorchError aoti_torch_get_sizes(AtenTensorHandle tensor, int64_t** ret) {
  return assay::torch_stable::answer(assay::torch_stable::of(tensor).sizes.data(), ret);
}
AOTITorchError aoti_torch_get_strides(AtenTensorHandle tensor, int64_t** ret) {
  return assay::torch_stable::answer(assay::torch_stable::of(tensor).strides.data(), ret);
}
AOTITorchError aoti_torch_get_size(AtenTensorHandle tensor, int64_t d, int64_t* ret) {
  return assay::torch_stable::picked(assay::torch_stable::of(tensor).sizes, d, ret);
}
AOTITorchError aoti_torch_get_stride(AtenTensorHandle tensor, int64_t d, int64_t* ret) {
  return assay::torch_stable::picked(assay::torch_stable::of(tensor).strides, d, ret);
}
AOTITorchError aoti_torch_get_dtype(AtenTensorHandle tensor, int32_t* ret) {
  return assay::torch_stable::answer(int32_t(assay::torch_stable::of(tensor).type), ret);
}
AOTITorchError aoti_torch_get_layout(AtenTensorHandle, int32_t* ret) {
  return assay::torch_stable::answer(aoti_torch_layout_strided(), ret);
}
AOTITorchError aoti_torch_get_storage_offset(AtenTensorHandle, int64_t* ret) {
  return assay::torch_stable::answer(int64_t{0}, ret);
}
AOTITorchError aoti_torch_is_contiguous(AtenTensorHandle tensor, bool* ret) {
  return assay::torch_stable::answer(assay::torch_stable::of(tensor).dense(), ret);
}
AOTITorchError aoti_torch_is_defined(AtenTensorHandle tensor, bool* ret) {
  return assay::torch_stable::answer(assay::torch_stable::of(tensor).data != nullptr, ret);
}
AOTITorchError aoti_torch_get_device_index(AtenTensorHandle, int32_t* ret) { return assay::torch_stable::answer(0, ret); }
AOTITorchError aoti_torch_get_device_type(AtenTensorHandle, int32_t* ret) {
  return assay::torch_stable::answer(aoti_torch_device_type_cuda(), ret);
}
AOTITorchError torch_call_dispatcher(const char* op, const char* overload, StableIValue* stack, uint64_t) {
  return *overload && std::strcmp(overload, "memory_format") != 0 ? TORCH_FAILURE : assay::torch_stable::dispatched(op, stack);
}
/// A view of the elements start to start + length - 1 of dimension d, in the same memory.
AOTITorchError aoti_torch_aten_narrow(AtenTensorHandle self, int64_t d, int64_t start, int64_t length, AtenTensorHandle* ret) {
  assay::torch_stable::Handle part = assay::torch_stable::of(self);
  if (d < 0 || d >= int64_t(part.sizes.size()) || start < 0 || start + length > part.sizes[size_t(d)]) return TORCH_FAILURE;
  part.data = static_cast<char*>(part.data) + start * part.strides[size_t(d)] * int64_t(assay::torch_stable::bytes_of(part.type));
  part.sizes[size_t(d)] = length;
  return assay::torch_stable::answer(reinterpret_cast<AtenTensorHandle>(new assay::torch_stable::Handle(std::move(part))), ret);
}

// Argument lists.
AOTITorchError torch_new_list_reserve_size(size_t, StableListHandle* ret) {
  *ret = reinterpret_cast<StableListHandle>(new assay::torch_stable::List());
  return TORCH_SUCCESS;
}
AOTITorchError torch_list_push_back(StableListHandle list, StableIValue element) {
  assay::torch_stable::of(list).push_back(element);
  return TORCH_SUCCESS;
}
AOTITorchError torch_list_size(StableListHandle list, size_t* ret) {
  return assay::torch_stable::answer(assay::torch_stable::of(list).size(), ret);
}
AOTITorchError torch_list_get_item(StableListHandle list, size_t i, StableIValue* ret) {
  return assay::torch_stable::answer(assay::torch_stable::of(list).at(i), ret);
}
AOTITorchError torch_list_set_item(StableListHandle list, size_t i, StableIValue element) {
  return assay::torch_stable::answer(element, &assay::torch_stable::of(list).at(i));
}
AOTITorchError torch_delete_list(StableListHandle list) {
  delete &assay::torch_stable::of(list);
  return TORCH_SUCCESS;
}

// The device; its current stream is the stream of the call.
AOTITorchError aoti_torch_create_device_guard(int32_t, DeviceGuardHandle* ret) {
  return assay::torch_stable::answer(DeviceGuardHandle{}, ret);
}
AOTITorchError aoti_torch_delete_device_guard(DeviceGuardHandle) { return TORCH_SUCCESS; }
AOTITorchError aoti_torch_device_guard_set_index(DeviceGuardHandle, int32_t) { return TORCH_SUCCESS; }
AOTITorchError aoti_torch_get_current_cuda_stream(int32_t, void** ret) {
  return assay::torch_stable::answer(static_cast<void*>(assay::torch_stable::Running::stream()), ret);
}
AOTITorchError aoti_torch_get_current_device_index(int32_t* ret) { return assay::torch_stable::answer(0, ret); }
AOTITorchError torch_get_current_cuda_blas_handle(void**) { return TORCH_FAILURE; }
AOTITorchError torch_c10_cuda_check_msg(int32_t error, const char*, const char*, uint32_t, bool, char** ret) {
  return assay::torch_stable::answer(error == cudaSuccess ? nullptr : strdup(cudaGetErrorString(cudaError_t(error))), ret);
}
void torch_c10_cuda_free_error_msg(char* message) { std::free(message); }

size_t aoti_torch_dtype_element_size(int32_t dtype) {
  return assay::torch_stable::bytes_of(assay::torch_stable::ScalarType(dtype));
}

// Codes of types, devices and layouts. Types that no tensor here has get values that torch's headers do not use.
#define ASSAY_TORCH_TYPE(name, type) \
  int32_t name() { return int32_t(torch::headeronly::ScalarType::type); }
ASSAY_TORCH_TYPE(aoti_torch_dtype_uint8, Byte)
ASSAY_TORCH_TYPE(aoti_torch_dtype_int8, Char)
ASSAY_TORCH_TYPE(aoti_torch_dtype_int16, Short)
ASSAY_TORCH_TYPE(aoti_torch_dtype_int32, Int)
ASSAY_TORCH_TYPE(aoti_torch_dtype_int64, Long)
ASSAY_TORCH_TYPE(aoti_torch_dtype_uint16, UInt16)
ASSAY_TORCH_TYPE(aoti_torch_dtype_uint32, UInt32)
ASSAY_TORCH_TYPE(aoti_torch_dtype_uint64, UInt64)
ASSAY_TORCH_TYPE(aoti_torch_dtype_float16, Half)
ASSAY_TORCH_TYPE(aoti_torch_dtype_bfloat16, BFloat16)
ASSAY_TORCH_TYPE(aoti_torch_dtype_float32, Float)
ASSAY_TORCH_TYPE(aoti_torch_dtype_float64, Double)
ASSAY_TORCH_TYPE(aoti_torch_dtype_bool, Bool)
ASSAY_TORCH_TYPE(aoti_torch_dtype_complex32, ComplexHalf)
ASSAY_TORCH_TYPE(aoti_torch_dtype_complex64, ComplexFloat)
ASSAY_TORCH_TYPE(aoti_torch_dtype_complex128, ComplexDouble)
ASSAY_TORCH_TYPE(aoti_torch_dtype_float8_e4m3fn, Float8_e4m3fn)
ASSAY_TORCH_TYPE(aoti_torch_dtype_float8_e4m3fnuz, Float8_e4m3fnuz)
ASSAY_TORCH_TYPE(aoti_torch_dtype_float8_e5m2, Float8_e5m2)
ASSAY_TORCH_TYPE(aoti_torch_dtype_float8_e5m2fnuz, Float8_e5m2fnuz)
ASSAY_TORCH_TYPE(torch_dtype_float8_e8m0fnu, Float8_e8m0fnu)
ASSAY_TORCH_TYPE(torch_dtype_float4_e2m1fn_x2, Float4_e2m1fn_x2)
#undef ASSAY_TORCH_TYPE
#define ASSAY_TORCH_NUMBER(name, number) \
  int32_t name() { return number; }
ASSAY_TORCH_NUMBER(aoti_torch_device_type_cpu, int32_t(torch::headeronly::DeviceType::CPU))
ASSAY_TORCH_NUMBER(aoti_torch_device_type_cuda, int32_t(torch::headeronly::DeviceType::CUDA))
ASSAY_TORCH_NUMBER(aoti_torch_device_type_meta, int32_t(torch::headeronly::DeviceType::Meta))
ASSAY_TORCH_NUMBER(aoti_torch_device_type_mps, int32_t(torch::headeronly::DeviceType::MPS))
ASSAY_TORCH_NUMBER(aoti_torch_device_type_xpu, int32_t(torch::headeronly::DeviceType::XPU))
ASSAY_TORCH_NUMBER(aoti_torch_device_type_privateuse1, int32_t(torch::headeronly::DeviceType::PrivateUse1))
ASSAY_TORCH_NUMBER(aoti_torch_layout_strided, int32_t(torch::headeronly::Layout::Strided))
ASSAY_TORCH_NUMBER(aoti_torch_layout_sparse_coo, int32_t(torch::headeronly::Layout::Sparse))
ASSAY_TORCH_NUMBER(aoti_torch_layout_sparse_csr, int32_t(torch::headeronly::Layout::SparseCsr))
ASSAY_TORCH_NUMBER(aoti_torch_layout_sparse_csc, int32_t(torch::headeronly::Layout::SparseCsc))
ASSAY_TORCH_NUMBER(aoti_torch_layout_sparse_bsr, int32_t(torch::headeronly::Layout::SparseBsr))
ASSAY_TORCH_NUMBER(aoti_torch_layout_sparse_bsc, int32_t(torch::headeronly::Layout::SparseBsc))
ASSAY_TORCH_NUMBER(aoti_torch_layout__mkldnn, int32_t(torch::headeronly::Layout::Mkldnn))
ASSAY_TORCH_NUMBER(aoti_torch_layout_jagged, int32_t(torch::headeronly::Layout::Jagged))
ASSAY_TORCH_NUMBER(aoti_torch_memory_format_contiguous_format, int32_t(torch::headeronly::MemoryFormat::Contiguous))
ASSAY_TORCH_NUMBER(aoti_torch_memory_format_preserve_format, int32_t(torch::headeronly::MemoryFormat::Preserve))
ASSAY_TORCH_NUMBER(aoti_torch_memory_format_channels_last, int32_t(torch::headeronly::MemoryFormat::ChannelsLast))
ASSAY_TORCH_NUMBER(aoti_torch_memory_format_channels_last_3d, int32_t(torch::headeronly::MemoryFormat::ChannelsLast3d))
#undef ASSAY_TORCH_NUMBER

}  // extern "C"
