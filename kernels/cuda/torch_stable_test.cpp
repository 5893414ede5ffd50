// Tests how a host function with torch::stable::Tensor arguments sees the tensors of a call. Needs neither a device nor libtorch.
#include <gtest/gtest.h>

#include "assay/torch_stable.hpp"

#include <torch/csrc/stable/ops.h>

namespace {

using assay::torch_stable::Running;
using assay::torch_stable::ScalarType;
using assay::torch_stable::tensor;
using torch::stable::Tensor;

/// A call without tensors, whose stream is a made-up address.
class TorchStable : public testing::Test {
 protected:
  TorchStable() { call_.size = sizeof call_, call_.stream = reinterpret_cast<void*>(0x1234); }
  assay::cuda::Call call() const { return assay::cuda::Call(call_); }
  float numbers_[24] = {};

 private:
  assay_call call_{};
};

assay_tensor matrix(void* data, int code, int bits) {
  static int64_t shape[] = {3, 4}, strides[] = {8, 1};
  assay_tensor t{};
  t.role = "x", t.data = data, t.type_code = decltype(t.type_code)(code), t.type_bits = decltype(t.type_bits)(bits);
  t.ndim = 2, t.shape = shape, t.strides = strides;
  return t;
}

TEST_F(TorchStable, ATensorIsThatOfTheCall) {
  const Tensor x = tensor(matrix(numbers_, ASSAY_BFLOAT, 16));
  EXPECT_EQ(x.scalar_type(), ScalarType::BFloat16);
  EXPECT_EQ(x.element_size(), 2u);
  EXPECT_EQ(x.dim(), 2);
  EXPECT_EQ(x.size(-1), 4);
  EXPECT_EQ(x.stride(0), 8);
  EXPECT_EQ(x.numel(), 12);
  EXPECT_EQ(x.data_ptr(), numbers_);
  EXPECT_TRUE(x.is_cuda());
  EXPECT_FALSE(x.is_contiguous());
  EXPECT_TRUE(tensor(numbers_, ScalarType::Float, {3, 8}).is_contiguous());
}

TEST_F(TorchStable, TypesAreThoseOfTorch) {
  EXPECT_EQ(tensor(matrix(numbers_, ASSAY_INT, 32)).scalar_type(), ScalarType::Int);
  EXPECT_EQ(tensor(matrix(numbers_, ASSAY_FLOAT8_E4M3FN, 8)).scalar_type(), ScalarType::Float8_e4m3fn);
  EXPECT_EQ(tensor(matrix(numbers_, ASSAY_FLOAT8_E8M0FNU, 8)).scalar_type(), ScalarType::Float8_e8m0fnu);
  EXPECT_THROW(tensor(matrix(numbers_, ASSAY_INT, 4)), assay::plugin::Refusal);
}

TEST_F(TorchStable, CopiesOutliveTheirOriginal) {
  std::optional<Tensor> x = tensor(numbers_, ScalarType::Float, {3, 8});
  const Tensor copy = *x;
  x.reset();
  EXPECT_EQ(copy.size(1), 8);
}

TEST_F(TorchStable, AViewNeedsADenseTensorOrItsOwnShape) {
  const Tensor dense = tensor(numbers_, ScalarType::Float, {2, 3, 4}), strided = tensor(matrix(numbers_, ASSAY_FLOAT, 32));
  const Tensor rows = torch::stable::view(dense, {-1, 4});
  EXPECT_EQ(rows.size(0), 6);
  EXPECT_EQ(rows.stride(0), 4);
  EXPECT_EQ(torch::stable::view(strided, {-1, 4}).stride(0), 8);
  EXPECT_THROW(torch::stable::view(strided, {12}), std::runtime_error);
  EXPECT_THROW(torch::stable::view(dense, {-1, 5}), std::runtime_error);
  EXPECT_EQ(torch::stable::contiguous(dense).data_ptr(), numbers_);
  EXPECT_THROW(torch::stable::contiguous(strided), std::runtime_error);
}

TEST_F(TorchStable, ANewTensorTakesTheCallsMemory) {
  const Tensor like = tensor(numbers_, ScalarType::Float, {2, 3});
  EXPECT_THROW(torch::stable::new_empty(like, {2}), std::runtime_error) << "no call runs";
  const auto running = call();
  const Running scope(running, {numbers_ + 8});
  EXPECT_EQ(torch::stable::new_empty(like, {0}).numel(), 0);
  const Tensor made = torch::stable::new_empty(like, {2, 2}, ScalarType::BFloat16);
  EXPECT_EQ(made.data_ptr(), numbers_ + 8);
  EXPECT_EQ(made.scalar_type(), ScalarType::BFloat16);
  EXPECT_THROW(torch::stable::new_empty(like, {2}), std::runtime_error) << "no memory is left";
}

TEST_F(TorchStable, TheStreamIsTheCalls) {
  const auto current = [] {
    void* stream = nullptr;
    EXPECT_EQ(aoti_torch_get_current_cuda_stream(0, &stream), TORCH_SUCCESS);
    return stream;
  };
  EXPECT_EQ(current(), nullptr);
  {
    const auto running = call();
    const Running scope(running);
    EXPECT_EQ(current(), reinterpret_cast<void*>(0x1234));
  }
  EXPECT_EQ(current(), nullptr);
}

TEST_F(TorchStable, OpsOfTorchItselfAreRefused) {
  EXPECT_THROW(torch::stable::flatten(tensor(numbers_, ScalarType::Float, {2, 3})), std::runtime_error);
}

}  // namespace
