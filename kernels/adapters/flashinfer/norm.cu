// libassay_flashinfer.so: the CUDA norms of one FlashInfer release as a plug-in. include/flashinfer/norm.cuh is unchanged.
#include <flashinfer/norm.cuh>

#include "assay/cuda_plugin.hpp"

namespace {

using assay::cuda::Call;
using assay::cuda::good;
namespace norm = flashinfer::norm;

/// The rows of a call with elements of type T. FlashInfer requires that elements of a row are contiguous, and that weights have
/// the type of x.
template <class T>
struct Rows {
  explicit Rows(const Call& call)
      : x(call.in<T>("x").dense_rows()),
        gamma(call.in<T>("gamma").dense()),
        m(uint32_t(x.rows())),
        n(uint32_t(x.columns())),
        eps(float(call.number("eps"))),
        stream(call.stream()) {}
  assay::cuda::View<const T> x, gamma;
  uint32_t m, n;
  float eps;
  cudaStream_t stream;
  T* in() const { return const_cast<T*>(x.data); }
  T* weight() const { return const_cast<T*>(gamma.data); }
  uint32_t stride() const { return uint32_t(x.stride(0)); }
};

template <class F>
void with_rows(const Call& call, F f) {
  assay::cuda::with_type<__nv_bfloat16, __half>(call.at("x"), [&](auto of) { f(Rows<typename decltype(of)::type>(call)); });
}

/// Releases before 0.6.7 take the scale by value; later ones take a device pointer.
template <class F>
void with_scale(const Call& call, F f) {
  float* const scale = const_cast<float*>(call.in<float>("scale").data);
  if constexpr (requires { f(scale); }) {
    f(scale);
  } else {
    float number = 0;
    good(cudaStreamSynchronize(call.stream()));
    good(cudaMemcpy(&number, scale, sizeof number, cudaMemcpyDeviceToHost));
    f(number);
  }
}

void rms_norm(const Call& call) {
  with_rows(call, [&]<class T>(const Rows<T>& r) {
    const auto y = call.out<T>("y").dense_rows();
    good(norm::RMSNorm(r.in(), r.weight(), y.data, r.m, r.n, r.stride(), uint32_t(y.stride(0)), r.eps, false, r.stream));
  });
}
void gemma_rms_norm(const Call& call) {
  with_rows(call, [&]<class T>(const Rows<T>& r) {
    const auto y = call.out<T>("y").dense_rows();
    good(norm::GemmaRMSNorm(r.in(), r.weight(), y.data, r.m, r.n, r.stride(), uint32_t(y.stride(0)), r.eps, false, r.stream));
  });
}
/// The kernels normalize in place, so y is initialized with x.
void add_rms_norm(const Call& call) {
  with_rows(call, [&]<class T>(const Rows<T>& r) {
    const auto y = call.out<T>("y").dense_rows(), residual = call.out<T>("residual").dense_rows();
    call.copy_rows(call.at("y"), call.at("x"));
    good(norm::FusedAddRMSNorm(y.data, residual.data, r.weight(), r.m, r.n, uint32_t(y.stride(0)), uint32_t(residual.stride(0)),
                               r.eps, false, r.stream));
  });
}
void gemma_add_rms_norm(const Call& call) {
  with_rows(call, [&]<class T>(const Rows<T>& r) {
    const auto y = call.out<T>("y").dense_rows(), residual = call.out<T>("residual").dense_rows();
    call.copy_rows(call.at("y"), call.at("x"));
    good(norm::GemmaFusedAddRMSNorm(y.data, residual.data, r.weight(), r.m, r.n, uint32_t(y.stride(0)),
                                    uint32_t(residual.stride(0)), r.eps, false, r.stream));
  });
}
void rms_norm_quant(const Call& call) {
  with_rows(call, [&]<class T>(const Rows<T>& r) {
    const auto q = call.out<__nv_fp8_e4m3>("q").dense_rows();
    with_scale(
        call,
        [&](auto scale) -> decltype(norm::RMSNormQuant(r.in(), r.weight(), q.data, r.m, r.n, r.stride(), uint32_t{}, scale),
                                    void()) {
          good(norm::RMSNormQuant(r.in(), r.weight(), q.data, r.m, r.n, r.stride(), uint32_t(q.stride(0)), scale, r.eps, false,
                                  r.stream));
        });
  });
}
void add_rms_norm_quant(const Call& call) {
  with_rows(call, [&]<class T>(const Rows<T>& r) {
    const auto q = call.out<__nv_fp8_e4m3>("q").dense_rows();
    const auto residual = call.out<T>("residual").dense_rows();
    with_scale(
        call,
        [&](auto scale) -> decltype(norm::FusedAddRMSNormQuant(r.in(), residual.data, r.weight(), q.data, r.m, r.n, r.stride(),
                                                               uint32_t{}, uint32_t{}, scale),
                                    void()) {
          good(norm::FusedAddRMSNormQuant(r.in(), residual.data, r.weight(), q.data, r.m, r.n, r.stride(),
                                          uint32_t(residual.stride(0)), uint32_t(q.stride(0)), scale, r.eps, false, r.stream));
        });
  });
}
template <class T, class W>
void layer_norm_of(const Call& call) {
  const auto x = call.in<T>("x").dense();
  const auto y = call.out<T>("y").dense();
  W* const gamma = const_cast<W*>(call.in<W>("gamma").dense().data);
  W* const beta = const_cast<W*>(call.in<W>("beta").dense().data);
  good(norm::LayerNorm(const_cast<T*>(x.data), gamma, beta, y.data, uint32_t(x.rows()), uint32_t(x.columns()),
                       float(call.number("eps")), call.stream()));
}
/// FlashInfer's bindings use fp32 weights; the kernel itself also accepts weights of the type of x.
void layer_norm(const Call& call) {
  assay::cuda::with_type<__nv_bfloat16, __half>(call.at("x"), [&](auto of) {
    using T = typename decltype(of)::type;
    call.at("gamma").type_bits == 32 ? layer_norm_of<T, float>(call) : layer_norm_of<T, T>(call);
  });
}

}  // namespace

extern "C" __attribute__((visibility("default"))) const assay_library* assay_get_library(void) {
  return assay::cuda::library(
      ASSAY_FLASHINFER_NAME,
      {
          {"RMSNorm", "rms_norm", {"flashinfer.rms_norm"}, {}, {}, rms_norm},
          {"GemmaRMSNorm", "rms_norm", {"flashinfer.gemma_rms_norm"}, {}, {}, gemma_rms_norm},
          {"FusedAddRMSNorm", "fused_add_rms_norm", {"flashinfer.fused_add_rms_norm"}, {}, {}, add_rms_norm},
          {"GemmaFusedAddRMSNorm", "fused_add_rms_norm", {"flashinfer.gemma_fused_add_rms_norm"}, {}, {}, gemma_add_rms_norm},
          {"RMSNormQuant", "rms_norm_quant_static", {"flashinfer.rmsnorm_quant"}, {}, {}, rms_norm_quant},
          {"FusedAddRMSNormQuant", "rms_norm_quant_static", {"flashinfer.fused_add_rmsnorm_quant"}, {}, {}, add_rms_norm_quant},
          {"LayerNorm", "layer_norm", {"trtllm.layer_norm"}, {}, {}, layer_norm},
      });
}
