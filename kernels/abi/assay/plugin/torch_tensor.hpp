// Presents the tensors of a call as torch::stable::Tensor. Implements the torch functions that the host code of kernels calls;
// assay/torch_stable.hpp exports these functions under the names of libtorch's stable C ABI. Needs C++20 and torch's headers.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/csrc/inductor/aoti_torch/c/shim.h>
#include <torch/csrc/stable/c/shim.h>
#include <torch/csrc/stable/tensor.h>
#include <torch/headeronly/core/ScalarType.h>

#include <utility>
#include <vector>

#include "assay/cuda_plugin.hpp"

namespace assay::torch_stable {

using torch::headeronly::ScalarType;
using Sizes = std::vector<int64_t>;

/// The object behind a tensor handle. It does not own the memory.
struct Handle {
  void* data;
  ScalarType type;
  Sizes sizes, strides;

  bool dense() const {
    int64_t stride = 1;
    for (size_t d = sizes.size(); d-- > 0; stride *= sizes[d])
      if (sizes[d] != 1 && strides[d] != stride) return false;
    return true;
  }
  int64_t elements() const {
    int64_t product = 1;
    for (const int64_t size : sizes) product *= size;
    return product;
  }
};
inline Handle& of(AtenTensorHandle tensor) { return *reinterpret_cast<Handle*>(tensor); }

inline Sizes dense_strides(const Sizes& sizes) {
  Sizes strides(sizes.size(), 1);
  for (size_t d = sizes.size(); d-- > 1;) strides[d - 1] = strides[d] * sizes[d];
  return strides;
}

/// Wraps device memory in the tensor type that a host function takes.
inline torch::stable::Tensor tensor(void* data, ScalarType type, Sizes sizes, Sizes strides) {
  auto* const made = new Handle{data, type, std::move(sizes), std::move(strides)};
  return torch::stable::Tensor(reinterpret_cast<AtenTensorHandle>(made));
}
inline torch::stable::Tensor tensor(void* data, ScalarType type, Sizes sizes) {
  Sizes strides = dense_strides(sizes);
  return tensor(data, type, std::move(sizes), std::move(strides));
}

inline ScalarType type_of(const assay_tensor& t) {
  static const struct {
    int code, bits;
    ScalarType type;
  } kTypes[] = {{ASSAY_INT, 8, ScalarType::Char},
                {ASSAY_INT, 32, ScalarType::Int},
                {ASSAY_INT, 64, ScalarType::Long},
                {ASSAY_UINT, 8, ScalarType::Byte},
                {ASSAY_UINT, 32, ScalarType::UInt32},
                {ASSAY_FLOAT, 16, ScalarType::Half},
                {ASSAY_FLOAT, 32, ScalarType::Float},
                {ASSAY_BFLOAT, 16, ScalarType::BFloat16},
                {ASSAY_FLOAT8_E4M3FN, 8, ScalarType::Float8_e4m3fn},
                {ASSAY_FLOAT8_E4M3FNUZ, 8, ScalarType::Float8_e4m3fnuz},
                {ASSAY_FLOAT8_E5M2, 8, ScalarType::Float8_e5m2},
                {ASSAY_FLOAT8_E5M2FNUZ, 8, ScalarType::Float8_e5m2fnuz},
                {ASSAY_FLOAT8_E8M0FNU, 8, ScalarType::Float8_e8m0fnu}};
  for (const auto& known : kTypes)
    if (plugin::has_type(t, known.code, known.bits)) return known.type;
  plugin::unsupported(plugin::named(t) + " is " + plugin::type_name(t) + ", for which torch has no type");
}
inline torch::stable::Tensor tensor(const assay_tensor& t) {
  return tensor(t.data, type_of(t), Sizes(t.shape, t.shape + t.ndim), Sizes(t.strides, t.strides + t.ndim));
}

inline size_t bytes_of(ScalarType type) {
  switch (type) {
    case ScalarType::ComplexDouble:
      return 16;
    case ScalarType::Long:
    case ScalarType::UInt64:
    case ScalarType::Double:
    case ScalarType::ComplexFloat:
      return 8;
    case ScalarType::Int:
    case ScalarType::UInt32:
    case ScalarType::Float:
    case ScalarType::ComplexHalf:
      return 4;
    case ScalarType::Short:
    case ScalarType::UInt16:
    case ScalarType::Half:
    case ScalarType::BFloat16:
      return 2;
    default:
      return 1;
  }
}

/// State of the call that runs in this thread: its stream, and memory for the tensors that the host function allocates and
/// returns. Allocations receive this memory in order. If no memory is left, an allocation with elements ends the call.
class Running {
 public:
  explicit Running(const cuda::Call& call, std::vector<void*> memory_of_new = {})
      : stream_(call.stream()), memory_(std::move(memory_of_new)), before_(current()) {
    current() = this;
  }
  ~Running() { current() = before_; }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  static cudaStream_t stream() { return current() ? current()->stream_ : nullptr; }
  /// Returns the next memory for an allocation, or nullptr if none is left.
  static void* take() {
    Running* const running = current();
    return running && running->taken_ < running->memory_.size() ? running->memory_[running->taken_++] : nullptr;
  }

 private:
  cudaStream_t stream_;
  std::vector<void*> memory_;
  size_t taken_ = 0;
  Running* before_;
  static Running*& current() {
    thread_local Running* running = nullptr;
    return running;
  }
};

/// Creates a dense tensor on the next memory of Running, and stores its handle in `*ret`.
inline AOTITorchError made(Sizes sizes, ScalarType type, AtenTensorHandle* ret) {
  Handle h{nullptr, type, sizes, dense_strides(sizes)};
  if (h.elements() > 0 && (h.data = Running::take()) == nullptr) return TORCH_FAILURE;
  *ret = reinterpret_cast<AtenTensorHandle>(new Handle(std::move(h)));
  return TORCH_SUCCESS;
}

/// Answers a query about a tensor: stores `value` in `*ret`.
template <class T>
AOTITorchError answer(T value, T* ret) {
  *ret = value;
  return TORCH_SUCCESS;
}
/// Stores element d of `from` in `*ret`. A negative d counts from the end.
inline AOTITorchError picked(const Sizes& from, int64_t d, int64_t* ret) {
  if (d < 0) d += int64_t(from.size());
  return d >= 0 && d < int64_t(from.size()) ? answer(from[size_t(d)], ret) : TORCH_FAILURE;
}

using List = std::vector<StableIValue>;
inline List& of(StableListHandle list) { return *reinterpret_cast<List*>(list); }

/// Implements view() of a tensor that is dense or already has the requested shape (one size may be -1), contiguous() of a
/// contiguous tensor, copy_() between dense tensors of equal type, empty() and new_empty().
inline AOTITorchError dispatched(const std::string& op, StableIValue* stack) {
  using torch::stable::detail::from;
  using torch::stable::detail::to;
  if (op == "aten::empty") {
    AtenTensorHandle handle{};
    if (made(to<Sizes>(stack[0]), to<std::optional<ScalarType>>(stack[1]).value_or(ScalarType::Float), &handle) != TORCH_SUCCESS)
      return TORCH_FAILURE;
    stack[0] = from(torch::stable::Tensor(handle));
    return TORCH_SUCCESS;
  }
  const auto self = to<torch::stable::Tensor>(stack[0]);
  const Handle& h = of(self.get());
  if (op == "aten::contiguous") {
    if (!h.dense()) return TORCH_FAILURE;
    stack[0] = from(self);
    return TORCH_SUCCESS;
  }
  if (op == "aten::copy_") {
    const auto source = to<torch::stable::Tensor>(stack[1]);
    const Handle& s = of(source.get());
    if (!h.dense() || !s.dense() || h.type != s.type || h.elements() != s.elements()) return TORCH_FAILURE;
    cuda::good(cudaMemcpyAsync(h.data, s.data, size_t(h.elements()) * bytes_of(h.type), cudaMemcpyDeviceToDevice, Running::stream()));
    stack[0] = from(self);
    return TORCH_SUCCESS;
  }
  if (op != "aten::view" && op != "aten::new_empty") return TORCH_FAILURE;
  auto sizes = to<Sizes>(stack[1]);
  if (op == "aten::new_empty") {
    const auto type = to<std::optional<ScalarType>>(stack[2]).value_or(h.type);
    AtenTensorHandle handle{};
    if (made(std::move(sizes), type, &handle) != TORCH_SUCCESS) return TORCH_FAILURE;
    stack[0] = from(torch::stable::Tensor(handle));
    return TORCH_SUCCESS;
  }
  int64_t known = 1, *free = nullptr;
  for (int64_t& size : sizes) (size < 0 ? free = &size, known : known *= size);
  if (free) *free = known > 0 ? h.elements() / known : 0;
  if (sizes != h.sizes && (!h.dense() || known * (free ? *free : 1) != h.elements())) return TORCH_FAILURE;
  stack[0] = from(sizes == h.sizes ? self : tensor(h.data, h.type, sizes));
  return TORCH_SUCCESS;
}

}  // namespace assay::torch_stable
