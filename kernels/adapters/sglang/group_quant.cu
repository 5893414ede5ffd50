// libassay_sglang.so: the JIT-compiled group quantization of one SGLang release, as a plug-in. Kernels and host functions are
// SGLang's; this file chooses types and layouts, as SGLang's Python code does.
#include <tvm/ffi/extra/c_env_api.h>

#if __has_include(<gemm/per_token_group_quant.cuh>)
#include <gemm/per_token_group_quant.cuh>
#elif __has_include(<gemm/per_token_group_quant_8bit_v2.cuh>)
#define ASSAY_SECOND_GENERATION
#include <gemm/per_token_group_quant_8bit_v2.cuh>
#else
#define ASSAY_FIRST_GENERATION
#include <gemm/per_token_group_quant_8bit.cuh>
#endif

#include "assay/cuda_plugin.hpp"

namespace sglang {}  // namespace sglang

namespace {

using namespace sglang;
using assay::cuda::Call;
using assay::cuda::unsupported;

/// A tensor of a call, in the form that SGLang takes.
struct Seen {
  Seen(const assay_tensor& t, DLDataType type) {
    seen.data = t.data;
    seen.device = {kDLCUDA, 0};
    seen.ndim = t.ndim;
    seen.dtype = type;
    seen.shape = const_cast<int64_t*>(t.shape);
    seen.strides = const_cast<int64_t*>(t.strides);
  }
  DLTensor seen{};
  tvm::ffi::TensorView view() { return tvm::ffi::TensorView(&seen); }
};

constexpr DLDataType kFloat32{kDLFloat, 32, 1}, kE4m3{kDLFloat8_e4m3fn, 8, 1}, kInt8{kDLInt, 8, 1}, kWords{kDLInt, 32, 1};

template <class T>
constexpr DLDataType kTypeOf = std::is_same_v<T, __half> ? DLDataType{kDLFloat, 16, 1} : DLDataType{kDLBfloat, 16, 1};

/// True if the scales are column-major, by the same test as in SGLang's Python code.
[[maybe_unused]] bool by_columns(tvm::ffi::TensorView scale) { return scale.stride(0) < scale.stride(1); }

#if defined ASSAY_FIRST_GENERATION
template <class T, class Q, bool kPacked, bool kPowers>
void quantize(tvm::ffi::TensorView x, tvm::ffi::TensorView q, tvm::ffi::TensorView scale, int64_t group) {
  constexpr bool kFp8 = std::is_same_v<Q, fp8_e4m3_t>;
  if (kPowers) unsupported("the quantization function of this SGLang release does not support power-of-two scales");
  per_token_group_quant_8bit<T, Q>(x, q, scale, group, 1e-10, kFp8 ? -448 : -128, kFp8 ? 448 : 127, false);
}
#elif defined ASSAY_SECOND_GENERATION
template <class T, class Q, bool kPacked, bool kPowers>
void quantize(tvm::ffi::TensorView x, tvm::ffi::TensorView q, tvm::ffi::TensorView scale, int64_t group) {
  const int64_t tokens = q.size(0), groups = q.size(1) / group;
  PerTokenGroupQuant8bitV2Kernel<T, Q, false>::run(x, q, scale, x, group, kPowers, false, false, tokens * groups, 1,
                                                   by_columns(scale), groups, tokens, 0, scale.stride(1));
}
#else
template <class T, class Q, uint32_t kGroup>
void quantize_groups(tvm::ffi::TensorView x, tvm::ffi::TensorView q, tvm::ffi::TensorView scale) {
  if (scale.stride(1) == 1)
    PerTokenGroupQuantFlatKernel<T, Q, kGroup, false, true, true, false, false>::run(x, q, scale);
  else
    PerTokenGroupQuantFlatKernel<T, Q, kGroup, false, false, true, false, false>::run(x, q, scale);
}
template <class T, class Q, bool kPacked, bool kPowers>
void quantize(tvm::ffi::TensorView x, tvm::ffi::TensorView q, tvm::ffi::TensorView scale, int64_t group) {
  if (kPowers && !kPacked) unsupported("power-of-two fp32 scales need SGLang's PerTokenGroupQuant8bitV2Kernel, and this library contains another kernel");
  if constexpr (kPacked) {
    if (group != 128) unsupported("with packed scales, group_size must be 128");
    if (q.size(1) / group % 4 == 0)
      PerTokenGroupQuantFlatKernel<T, Q, 128, true, false, true, false, false>::run(x, q, scale);
    else
      PerTokenGroupQuantFlatKernel<T, Q, 128, true, false, false, false, false>::run(x, q, scale);
    return;
  }
  if (group == 32) return quantize_groups<T, Q, 32>(x, q, scale);
  if (group == 64) return quantize_groups<T, Q, 64>(x, q, scale);
  if (group == 128) return quantize_groups<T, Q, 128>(x, q, scale);
  unsupported("expected a group size of 32, 64 or 128");
}
#endif

/// kPowers: scales are powers of two. kPacked: scales are stored as exponent bytes, four per int32.
template <class Q, bool kPacked, bool kPowers = kPacked>
void group_quant(const Call& call) {
  if (TVMFFIEnvSetStream(kDLCUDA, 0, call.stream(), nullptr) != 0) assay::cuda::failed("TVMFFIEnvSetStream");
  assay::cuda::with_type<__nv_bfloat16, __half>(call.at("x"), [&](auto of) {
    using T = typename decltype(of)::type;
    Seen x(call.at("x"), kTypeOf<T>), q(call.at("q"), std::is_same_v<Q, int8_t> ? kInt8 : kE4m3),
        scale(call.at("scale"), kPacked ? kWords : kFloat32);
    quantize<T, Q, kPacked, kPowers>(x.view(), q.view(), scale.view(), call.integer("group_size"));
  });
}

/// The contiguity check of SGLang's all-reduce: TensorView::is_contiguous(), which reads only shape and strides.
void is_contiguous(const Call& call) {
  Seen x(call.at("x"), DLDataType{kDLBfloat, uint8_t(call.at("x").type_bits), 1});
  const int32_t accepted = x.view().IsContiguous() ? 1 : 0;
  assay::cuda::good(
      cudaMemcpyAsync(call.out<int32_t>("accepted").data, &accepted, sizeof accepted, cudaMemcpyHostToDevice, call.stream()));
}

}  // namespace

extern "C" __attribute__((visibility("default"))) const assay_library* assay_get_library(void) {
  return assay::cuda::library(
      ASSAY_SGLANG_NAME,
      {
          {"per_token_group_quant",
           "quant_group",
           {"sglang.group_8bit_jit", "sglang.group_8bit_v2", "sglang.group_8bit@v0.5.17", "sglang.group_8bit@v0.5.23"},
           {},
           {},
           group_quant<fp8_e4m3_t, false>},
          {"per_token_group_quant_ue8m0",
           "quant_group",
           {"sglang.group_8bit_v2_ue8m0", "sglang.group_8bit_ue8m0@v0.5.17", "sglang.group_8bit_ue8m0@v0.5.23",
            "sglang.group_8bit_ue8m0_f16"},
           {},
           {},
           group_quant<fp8_e4m3_t, true>},
          {"per_token_group_quant_powers", "quant_group", {"sglang.group_8bit_v2_ue8m0_f32"}, {}, {}, group_quant<fp8_e4m3_t, false, true>},
          {"is_contiguous", "weak_contiguity", {"sglang.contiguous"}, {}, {}, is_contiguous},
      },
      ASSAY_UNSUPPORTED);
}
