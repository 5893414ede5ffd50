// A GoogleTest matcher that uses assay/check.h, installed as assay/conforms.hpp. C++17. SPDX-License-Identifier: Apache-2.0
//
//   assay::Tensors call;
//   call.add("x", "bf16", {m, n}, x.data()).add("q", "e4m3fn", {m, n}, q.data()).add("scale", "f32", {m, n / 128}, scale.data());
//   EXPECT_THAT(call.set("group_size", "128"), assay::ConformsTo("vllm.group_fp8"));
#pragma once

#include <assay/check.h>
#include <gmock/gmock.h>

#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

namespace assay {

/// The inputs, outputs and parameters of one call. Keeps pointers to the tensor data and copies everything else.
class Tensors {
 public:
  /// Adds a tensor in host memory. dtype and strides are as in assay/check.h; without strides it is row-major.
  Tensors& add(std::string role, std::string dtype, std::vector<int64_t> shape, const void* data,
               std::vector<int64_t> strides = {}) {
    tensors_.push_back({std::move(role), std::move(dtype), std::move(shape), std::move(strides), data});
    return *this;
  }
  Tensors& set(std::string parameter, std::string value) {
    parameters_.emplace_back(std::move(parameter), std::move(value));
    return *this;
  }
  /// Sets the layout of the scales; needed if their shape does not determine it.
  Tensors& layout(std::string name) {
    layout_ = std::move(name);
    return *this;
  }

  /// True if the outputs conform to the contract; `report` receives Assay's report, or the reason why there is no verdict.
  bool conform_to(const std::string& contract, std::string& report) const {
    std::vector<assay_check_tensor> tensors;
    for (const Tensor& one : tensors_)
      tensors.push_back({sizeof(assay_check_tensor), int32_t(one.shape.size()), one.role.c_str(), one.dtype.c_str(),
                         one.shape.data(), one.strides.empty() ? nullptr : one.strides.data(), one.data, 0});
    std::vector<assay_check_parameter> parameters;
    for (const auto& [name, value] : parameters_) parameters.push_back({name.c_str(), value.c_str()});
    assay_check_request request{};
    request.size = sizeof request;
    request.contract = contract.c_str();
    request.tensors = tensors.data(), request.n_tensors = int32_t(tensors.size());
    request.parameters = parameters.data(), request.n_parameters = int32_t(parameters.size());
    request.layout = layout_.empty() ? nullptr : layout_.c_str();
    assay_check_report* answer = nullptr;
    const assay_check_status status = assay_check_judge(&request, &answer);
    const std::unique_ptr<assay_check_report, void (*)(assay_check_report*)> owner(answer, assay_check_free);
    report = assay_check_text(answer);
    return status == ASSAY_CHECK_OK && assay_check_conforms(answer) == 1;
  }

  friend void PrintTo(const Tensors& tensors, std::ostream* out) {
    *out << tensors.tensors_.size() << " tensors:";
    for (const Tensor& one : tensors.tensors_) *out << " " << one.role << " " << one.dtype;
  }

 private:
  struct Tensor {
    std::string role, dtype;
    std::vector<int64_t> shape, strides;
    const void* data;
  };
  std::vector<Tensor> tensors_;
  std::vector<std::pair<std::string, std::string>> parameters_;
  std::string layout_;
};

/// EXPECT_THAT(tensors, ConformsTo("vllm.group_fp8")): a failure prints Assay's report with the cause.
class ConformsTo {
 public:
  using is_gtest_matcher = void;

  explicit ConformsTo(std::string contract) : contract_(std::move(contract)) {}

  bool MatchAndExplain(const Tensors& tensors, std::ostream* out) const {
    std::string report;
    const bool conforms = tensors.conform_to(contract_, report);
    if (out != nullptr) *out << "\n" << report;
    return conforms;
  }
  void DescribeTo(std::ostream* out) const { *out << "conform to contract " << contract_; }
  void DescribeNegationTo(std::ostream* out) const { *out << "violate contract " << contract_; }

 private:
  std::string contract_;
};

}  // namespace assay
