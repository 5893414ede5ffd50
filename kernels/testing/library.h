// Calls through the C ABI in a few words, for tests and benchmarks of this room.
#pragma once

#include <dlfcn.h>

#include <array>
#include <cstdint>
#include <deque>
#include <stdexcept>
#include <string>
#include <vector>

#include "assay/abi.h"

namespace assay_kernels {

/// The library of a file. Never closed: kernels may hold on to it until exit.
inline const assay_library& open_library(const char* path) {
  void* handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!handle) throw std::runtime_error(dlerror());
  const auto get = reinterpret_cast<assay_get_library_fn>(dlsym(handle, "assay_get_library"));
  if (!get) throw std::runtime_error(std::string(path) + " has no assay_get_library");
  return *get();
}

struct Type {
  uint8_t code, bits;
};
inline constexpr Type kBf16{ASSAY_BFLOAT, 16}, kF16{ASSAY_FLOAT, 16}, kF32{ASSAY_FLOAT, 32}, kInt32{ASSAY_INT, 32},
    kInt8{ASSAY_INT, 8};
inline constexpr Type kE4m3fn{ASSAY_FLOAT8_E4M3FN, 8}, kE4m3fnuz{ASSAY_FLOAT8_E4M3FNUZ, 8}, kE8m0{ASSAY_FLOAT8_E8M0FNU, 8};

/// One call under construction. Data stays with the caller.
class CallBuilder {
 public:
  CallBuilder& tensor(const char* role, Type type, bool output, std::vector<int64_t> shape, std::vector<int64_t> strides,
                      const void* data, size_t bytes) {
    numbers_.push_back(std::move(shape));
    const auto& kept_shape = numbers_.back();
    numbers_.push_back(std::move(strides));
    tensors_.push_back({sizeof(assay_tensor), type.code, type.bits, uint8_t(output), uint8_t(kept_shape.size()), role,
                        kept_shape.data(), numbers_.back().data(), const_cast<void*>(data), bytes});
    return *this;
  }
  CallBuilder& matrix(const char* role, Type type, bool output, int64_t m, int64_t n, const void* data) {
    return tensor(role, type, output, {m, n}, {n, 1}, data, size_t(m * n * type.bits / 8));
  }
  CallBuilder& parameter(const char* name, double value) {
    parameters_.push_back({name, value});
    return *this;
  }
  assay_status run(const assay_library& library, const char* op, const char* contract, const char* kernel,
                   void* stream = nullptr) {
    message_[0] = '\0';
    const assay_call call{sizeof(assay_call),
                          op,
                          contract,
                          kernel,
                          tensors_.data(),
                          int32_t(tensors_.size()),
                          parameters_.data(),
                          int32_t(parameters_.size()),
                          stream,
                          nullptr,
                          0,
                          message_.data(),
                          message_.size(),
                          0,
                          1,
                          nullptr};
    return library.run(&call);
  }
  const char* message() const { return message_.data(); }

 private:
  std::deque<std::vector<int64_t>> numbers_;
  std::vector<assay_tensor> tensors_;
  std::vector<assay_param> parameters_;
  std::array<char, 512> message_{};
};

}  // namespace assay_kernels
