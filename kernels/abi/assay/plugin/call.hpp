// What a plug-in's kernel sees of a call: tensors by role, parameters by name, and exceptions that reject the call with a
// reason. Needs C++17 and abi.h only.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <string>

#include "assay/abi.h"

namespace assay::plugin {

/// Thrown to reject a call; what() is the reason.
struct Refusal : std::runtime_error {
  Refusal(assay_status s, const std::string& why) : std::runtime_error(why), status(s) {}
  assay_status status;
};
/// The library does not support the call. The case is skipped.
[[noreturn]] inline void unsupported(const std::string& why) { throw Refusal(ASSAY_UNSUPPORTED, why); }
/// The call itself is invalid. The case fails.
[[noreturn]] inline void failed(const std::string& why) { throw Refusal(ASSAY_FAILED, why); }
/// The device or its driver failed, and the kernel is not to blame.
struct DeviceLost : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The ABI element type of a C++ type. cuda_plugin.hpp adds CUDA's types; plug-ins may add their own.
template <class T>
struct Element;
template <int kCode, int kBits>
struct ElementOf {
  static constexpr int code = kCode, bits = kBits;
};
template <>
struct Element<float> : ElementOf<ASSAY_FLOAT, 32> {};
template <>
struct Element<int8_t> : ElementOf<ASSAY_INT, 8> {};
template <>
struct Element<int32_t> : ElementOf<ASSAY_INT, 32> {};
template <>
struct Element<int64_t> : ElementOf<ASSAY_INT, 64> {};
template <>
struct Element<uint8_t> : ElementOf<ASSAY_UINT, 8> {};
template <>
struct Element<uint32_t> : ElementOf<ASSAY_UINT, 32> {};

/// Name of the type as case tables write it: "bf16", "f32", "i8", "e4m3fn".
inline std::string type_name(int code, int bits) {
  switch (code) {
    case ASSAY_INT:
      return "i" + std::to_string(bits);
    case ASSAY_UINT:
      return "u" + std::to_string(bits);
    case ASSAY_FLOAT:
      return "f" + std::to_string(bits);
    case ASSAY_BFLOAT:
      return "bf" + std::to_string(bits);
    case ASSAY_FLOAT8_E4M3FN:
      return "e4m3fn";
    case ASSAY_FLOAT8_E4M3FNUZ:
      return "e4m3fnuz";
    case ASSAY_FLOAT8_E5M2:
      return "e5m2";
    case ASSAY_FLOAT8_E5M2FNUZ:
      return "e5m2fnuz";
    case ASSAY_FLOAT8_E8M0FNU:
      return "e8m0";
    case ASSAY_FLOAT4_E2M1FN:
      return "e2m1";
    default:
      return "type " + std::to_string(code) + " of " + std::to_string(bits) + " bits";
  }
}
inline std::string type_name(const assay_tensor& t) { return type_name(t.type_code, t.type_bits); }
inline bool has_type(const assay_tensor& t, int code, int bits) { return t.type_code == code && t.type_bits == bits; }
inline std::string named(const assay_tensor& t) { return std::string("tensor '") + t.role + "'"; }

/// A tensor with elements of type T. Its checks name the tensor when they reject a call.
template <class T>
class View {
 public:
  explicit View(const assay_tensor& t) : data(static_cast<T*>(t.data)), tensor_(&t) {}
  T* const data;

  int dimensions() const { return tensor_->ndim; }
  int64_t size(int d) const { return d < tensor_->ndim ? tensor_->shape[d] : refused("has no dimension " + std::to_string(d)); }
  int64_t stride(int d) const {
    return d < tensor_->ndim ? tensor_->strides[d] : refused("has no dimension " + std::to_string(d));
  }
  int64_t rows() const { return size(0); }
  int64_t columns() const { return size(1); }
  int64_t elements() const {
    int64_t product = 1;
    for (int d = 0; d < dimensions(); ++d) product *= size(d);
    return product;
  }

  /// Rejects the call unless the elements are contiguous, with the last dimension fastest.
  const View& dense() const {
    for (int64_t d = dimensions() - 1, stride = 1; d >= 0; stride *= size(int(d)), --d)
      if (size(int(d)) > 1 && this->stride(int(d)) != stride) refused("must be dense");
    return *this;
  }
  /// Rejects the call unless the elements within a row are contiguous. Rows may have any stride.
  const View& dense_rows() const {
    if (dimensions() < 1 || (size(dimensions() - 1) > 1 && stride(dimensions() - 1) != 1))
      refused("must have contiguous elements in each row");
    return *this;
  }
  /// Rejects the call unless the data and every row start at a multiple of `bytes`.
  const View& aligned(int64_t bytes) const {
    bool fits = reinterpret_cast<uintptr_t>(data) % uint64_t(bytes) == 0;
    for (int d = 0; d + 1 < dimensions(); ++d) fits = fits && (size(d) <= 1 || stride(d) * int64_t{sizeof(T)} % bytes == 0);
    if (!fits) refused("must be aligned to " + std::to_string(bytes) + " bytes, and so must each row");
    return *this;
  }

 private:
  int64_t refused(const std::string& why) const { unsupported(named(*tensor_) + " " + why); }
  const assay_tensor* tensor_;
};

class Call {
 public:
  using DeviceError = DeviceLost;  ///< if a kernel throws it, the call returns ASSAY_DEVICE_LOST

  explicit Call(const assay_call& call) : call_(call) {
    if (call.size < offsetof(assay_call, message_bytes) + sizeof(size_t)) failed("assay_call is older than this library");
  }
  const assay_call& raw() const { return call_; }
  /// assay_algorithm without the field `size`.
  struct Algorithm {
    int32_t split_k = 0, promote = 0, order = ASSAY_ORDER_NOT_SAID;
  };
  /// Reports which algorithm will produce the outputs. Call it before the kernel runs; outputs of another algorithm then count as
  /// wrong. Harnesses compiled against an older ABI read only split_k.
  void say_algorithm(const Algorithm& used) const {
    if (call_.size >= offsetof(assay_call, algorithm) + sizeof call_.algorithm && call_.algorithm != nullptr) {
      call_.algorithm->split_k = used.split_k, call_.algorithm->promote = used.promote, call_.algorithm->order = used.order;
    } else if (used.split_k > 0 && call_.message != nullptr && call_.message_bytes > 0) {
      std::snprintf(call_.message, call_.message_bytes, "program: split-K %d", int(used.split_k));
    }
  }

  /// Returns nullptr if the call has no tensor with that role.
  const assay_tensor* find(const char* role) const {
    for (int32_t i = 0; i < call_.n_tensors; ++i)
      if (std::strcmp(call_.tensors[i].role, role) == 0) return &call_.tensors[i];
    return nullptr;
  }
  const assay_tensor& at(const char* role) const {
    if (const assay_tensor* t = find(role)) return *t;
    std::string has;
    for (int32_t i = 0; i < call_.n_tensors; ++i) has += (i ? ", " : "") + std::string(call_.tensors[i].role);
    unsupported(std::string("the call has no tensor '") + role + "'; it has " + (has.empty() ? "none" : has));
  }

  /// Rejects the call unless the elements have type T.
  template <class T>
  View<const T> in(const char* role) const {
    return View<const T>(typed<T>(at(role)));
  }
  /// An output tensor. An in-place tensor is read and written through this view.
  template <class T>
  View<T> out(const char* role) const {
    const assay_tensor& t = typed<T>(at(role));
    if (!t.is_output) unsupported(named(t) + " is not an output of this call");
    return View<T>(t);
  }

  /// Returns nullptr if the call has no parameter with that name.
  const assay_param* find_parameter(const char* name) const {
    for (int32_t i = 0; i < call_.n_params; ++i)
      if (std::strcmp(call_.params[i].name, name) == 0) return &call_.params[i];
    return nullptr;
  }
  double number(const char* name) const {
    if (const assay_param* p = find_parameter(name)) return p->value;
    unsupported(std::string("the call has no parameter '") + name + "'");
  }
  double number(const char* name, double otherwise) const {
    const assay_param* p = find_parameter(name);
    return p ? p->value : otherwise;
  }
  int64_t integer(const char* name) const { return whole(name, number(name)); }
  int64_t integer(const char* name, int64_t otherwise) const { return whole(name, number(name, double(otherwise))); }

 private:
  template <class T>
  static const assay_tensor& typed(const assay_tensor& t) {
    if (has_type(t, Element<T>::code, Element<T>::bits)) return t;
    unsupported(named(t) + " is " + type_name(t) + ", this kernel takes " + type_name(Element<T>::code, Element<T>::bits));
  }
  static int64_t whole(const char* name, double value) {
    if (!(std::fabs(value) <= 0x1p53 && value == std::floor(value)))
      failed(std::string("parameter '") + name + "' is not an integer");
    return int64_t(value);
  }
  const assay_call& call_;
};

template <class T>
struct Type {
  using type = T;
};

/// Calls f with the first of the listed types that matches the tensor: with_type<float, int8_t>(call.at("x"), [&](auto of) {
/// using T = typename decltype(of)::type; ... }).
template <class... Ts, class F>
void with_type(const assay_tensor& t, F f) {
  const bool found = ((has_type(t, Element<Ts>::code, Element<Ts>::bits) && (f(Type<Ts>{}), true)) || ...);
  if (found) return;
  std::string takes;
  ((takes += (takes.empty() ? "" : ", ") + type_name(Element<Ts>::code, Element<Ts>::bits)), ...);
  unsupported(named(t) + " is " + type_name(t) + ", this kernel takes " + takes);
}

}  // namespace assay::plugin
