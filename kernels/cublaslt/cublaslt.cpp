// The products of codes that cuBLASLt makes on this machine, behind the C ABI: libassay_cublaslt.so. Not ours and not judged by
// ours: which way it cuts k is its heuristic's, under a workspace of 1 MiB, which the contracts name.
#include <cublasLt.h>

#include <assay/cuda_plugin.hpp>

namespace {

using assay::cuda::Call;
using assay::plugin::failed;
using assay::plugin::has_type;
using assay::plugin::named;
using assay::plugin::unsupported;

constexpr size_t kWorkspace = size_t{1} << 20;

void good(cublasStatus_t status, const char* what) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  const std::string words = std::string(what) + ": " + cublasLtGetStatusName(status);
  if (status == CUBLAS_STATUS_NOT_SUPPORTED || status == CUBLAS_STATUS_INVALID_VALUE) unsupported(words);
  failed(words);
}

/// Made once, before a call can be captured in a graph.
struct Library {
  cublasLtHandle_t handle{};
  void* workspace = nullptr;

  Library() {
    good(cublasLtCreate(&handle), "cublasLtCreate");
    assay::cuda::good(cudaMalloc(&workspace, kWorkspace));
  }
  static Library& one() {
    static Library library;
    return library;
  }
};

cudaDataType_t type_of(const assay_tensor& t) {
  if (has_type(t, ASSAY_FLOAT8_E4M3FN, 8)) return CUDA_R_8F_E4M3;
  if (has_type(t, ASSAY_FLOAT8_E5M2, 8)) return CUDA_R_8F_E5M2;
  if (has_type(t, ASSAY_FLOAT, 32)) return CUDA_R_32F;
  if (has_type(t, ASSAY_BFLOAT, 16)) return CUDA_R_16BF;
  if (has_type(t, ASSAY_FLOAT, 16)) return CUDA_R_16F;
  unsupported(named(t) + " has a type that is not multiplied here: " + assay::plugin::type_name(t));
}

/// A matrix whose rows are runs, as cuBLAS sees it: the transposition, column-major.
class Layout {
 public:
  explicit Layout(const assay_tensor& t) {
    if (t.ndim != 2 || (t.shape[1] > 1 && t.strides[1] != 1)) unsupported(named(t) + " must be a matrix of rows");
    const int64_t pitch = t.shape[0] > 1 ? t.strides[0] : t.shape[1];
    good(cublasLtMatrixLayoutCreate(&layout_, type_of(t), uint64_t(t.shape[1]), uint64_t(t.shape[0]), pitch), "layout");
  }
  ~Layout() { (void)cublasLtMatrixLayoutDestroy(layout_); }
  Layout(const Layout&) = delete;
  Layout& operator=(const Layout&) = delete;
  operator cublasLtMatrixLayout_t() const { return layout_; }

 private:
  cublasLtMatrixLayout_t layout_{};
};

class Description {
 public:
  Description() { good(cublasLtMatmulDescCreate(&description_, CUBLAS_COMPUTE_32F, CUDA_R_32F), "description"); }
  ~Description() { (void)cublasLtMatmulDescDestroy(description_); }
  Description(const Description&) = delete;
  Description& operator=(const Description&) = delete;
  operator cublasLtMatmulDesc_t() const { return description_; }

  template <class T>
  void set(cublasLtMatmulDescAttributes_t attribute, const T& value) {
    good(cublasLtMatmulDescSetAttribute(description_, attribute, &value, sizeof value), "attribute");
  }

 private:
  cublasLtMatmulDesc_t description_{};
};

/// The first algorithm of the heuristic.
cublasLtMatmulAlgo_t algorithm(const Description& description, const Layout& b, const Layout& a, const Layout& d) {
  cublasLtMatmulPreference_t preference{};
  good(cublasLtMatmulPreferenceCreate(&preference), "preference");
  (void)cublasLtMatmulPreferenceSetAttribute(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &kWorkspace, sizeof kWorkspace);
  cublasLtMatmulHeuristicResult_t found{};
  int count = 0;
  const cublasStatus_t status =
      cublasLtMatmulAlgoGetHeuristic(Library::one().handle, description, b, a, d, d, preference, 1, &found, &count);
  (void)cublasLtMatmulPreferenceDestroy(preference);
  good(status, "heuristic");
  if (count == 0) unsupported("the heuristic has no algorithm for this product");
  return found.algo;
}

const float* scale(const Call& call, const char* role, int64_t many) {
  const auto scales = call.in<float>(role).dense();
  if (scales.elements() != many) unsupported(std::string(role) + " is not that of this contract");
  return scales.data;
}

/// d^T [n, m] = b [n, k] * a^T, column-major.
template <bool kFast, bool kRows>
void run(const Call& call) {
  const assay_tensor &a = call.at("a"), &b = call.at("b"), &d = call.at("d");
  const Layout of_a(a), of_b(b), of_d(d);
  Description description;
  description.set(CUBLASLT_MATMUL_DESC_TRANSA, CUBLAS_OP_T);
  description.set(CUBLASLT_MATMUL_DESC_FAST_ACCUM, int8_t(kFast));
  description.set(CUBLASLT_MATMUL_DESC_A_SCALE_POINTER, scale(call, "scale_b", kRows ? b.shape[0] : 1));
  description.set(CUBLASLT_MATMUL_DESC_B_SCALE_POINTER, scale(call, "scale_a", kRows ? a.shape[0] : 1));
  if (kRows) {
    description.set(CUBLASLT_MATMUL_DESC_A_SCALE_MODE, CUBLASLT_MATMUL_MATRIX_SCALE_OUTER_VEC_32F);
    description.set(CUBLASLT_MATMUL_DESC_B_SCALE_MODE, CUBLASLT_MATMUL_MATRIX_SCALE_OUTER_VEC_32F);
  }
  if (const assay_tensor* bias = call.find("bias")) {
    description.set(CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_BIAS);
    description.set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, static_cast<const void*>(bias->data));
    description.set(CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, type_of(*bias));
  }
  const cublasLtMatmulAlgo_t algo = algorithm(description, of_b, of_a, of_d);
  const float one = 1, zero = 0;
  good(cublasLtMatmul(Library::one().handle, description, &one, b.data, of_b, a.data, of_a, &zero, d.data, of_d, d.data, of_d, &algo,
                      Library::one().workspace, kWorkspace, call.stream()),
       "cublasLtMatmul");
}

}  // namespace

extern "C" __attribute__((visibility("default"))) const assay_library* assay_get_library(void) {
  const assay::plugin::Accepts any = {};
  return assay::cuda::library(
      "cublaslt",
      {{"cublaslt_tensor_fast", "gemm_scaled", {"torch.scaled_mm_tensor_fast.sm_90", "torch.scaled_mm_tensor_fast_e5m2_e4m3.sm_90"}, any, {}, run<true, false>},
       {"cublaslt_tensor", "gemm_scaled", {"torch.scaled_mm_tensor.sm_90", "torch.scaled_mm_tensor_e4m3_e5m2.sm_90"}, any, {}, run<false, false>},
       {"cublaslt_row_fast", "gemm_scaled", {"torch.scaled_mm_row_fast.sm_90"}, any, {}, run<true, true>},
       {"cublaslt_row", "gemm_scaled", {"torch.scaled_mm_row.sm_90"}, any, {}, run<false, true>}});
}
