// libassay_cublaslt.so: low-precision GEMMs of the machine's cuBLASLt, as a plug-in. cuBLASLt's heuristic chooses the number of
// split-K parts, given the 1 MiB workspace that the contracts state. The plug-in reports that number before the GEMM runs, so
// outputs of another algorithm count as wrong.
#include <cublasLt.h>

#include <assay/cuda_plugin.hpp>

namespace {

using assay::cuda::Call;
using assay::plugin::failed;
using assay::plugin::has_type;
using assay::plugin::named;
using assay::plugin::unsupported;

constexpr size_t kWorkspace = size_t{1} << 20;
constexpr size_t kMostScales = size_t{1} << 20;  ///< most scales of b that can be copied into the layout that cuBLASLt requires

void good(cublasStatus_t status, const char* what) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  const std::string words = std::string(what) + ": " + cublasLtGetStatusName(status);
  if (status == CUBLAS_STATUS_NOT_SUPPORTED || status == CUBLAS_STATUS_INVALID_VALUE) unsupported(words);
  failed(words);
}

/// cuBLASLt's handle and device memory. Created once, before a call can be captured into a graph.
struct Library {
  cublasLtHandle_t handle{};
  void* workspace = nullptr;
  float* scales = nullptr;

  Library() {
    good(cublasLtCreate(&handle), "cublasLtCreate");
    assay::cuda::good(cudaMalloc(&workspace, kWorkspace));
    assay::cuda::good(cudaMalloc(reinterpret_cast<void**>(&scales), kMostScales * sizeof(float)));
    assay::cuda::good(cudaMemset(scales, 0, kMostScales * sizeof(float)));
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
  unsupported(named(t) + " has a type that this library does not support: " + assay::plugin::type_name(t));
}

/// How cuBLAS sees a row-major matrix: as its transpose, in column-major order.
class Layout {
 public:
  explicit Layout(const assay_tensor& t) {
    if (t.ndim != 2 || (t.shape[1] > 1 && t.strides[1] != 1)) unsupported(named(t) + " must be a row-major matrix");
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

/// The first algorithm that the heuristic returns.
cublasLtMatmulAlgo_t algorithm(const Description& description, const Layout& b, const Layout& a, const Layout& d) {
  cublasLtMatmulPreference_t preference{};
  good(cublasLtMatmulPreferenceCreate(&preference), "preference");
  (void)cublasLtMatmulPreferenceSetAttribute(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &kWorkspace,
                                             sizeof kWorkspace);
  cublasLtMatmulHeuristicResult_t found{};
  int count = 0;
  const cublasStatus_t status =
      cublasLtMatmulAlgoGetHeuristic(Library::one().handle, description, b, a, d, d, preference, 1, &found, &count);
  (void)cublasLtMatmulPreferenceDestroy(preference);
  good(status, "heuristic");
  if (count == 0) unsupported("cuBLASLt's heuristic returned no algorithm for this GEMM");
  return found.algo;
}

/// Number of split-K parts of an algorithm.
int parts_of(const cublasLtMatmulAlgo_t& algorithm) {
  int32_t parts = 0;
  size_t written = 0;
  good(cublasLtMatmulAlgoConfigGetAttribute(&algorithm, CUBLASLT_ALGO_CONFIG_SPLITK_NUM, &parts, sizeof parts, &written),
       "split-K");
  return parts > 1 ? parts : 1;
}

/// Scales of one operand: one per tensor, one per row, one per 128 elements of a row, or one per 128 x 128 block.
enum class Scales { kTensor, kRows, kVectors, kBlocks };

cublasLtMatmulMatrixScale_t mode_of(Scales scales) {
  switch (scales) {
    case Scales::kTensor:
      return CUBLASLT_MATMUL_MATRIX_SCALE_SCALAR_32F;
    case Scales::kRows:
      return CUBLASLT_MATMUL_MATRIX_SCALE_OUTER_VEC_32F;
    case Scales::kVectors:
      return CUBLASLT_MATMUL_MATRIX_SCALE_VEC128_32F;
    case Scales::kBlocks:
      return CUBLASLT_MATMUL_MATRIX_SCALE_BLK128x128_32F;
  }
  return CUBLASLT_MATMUL_MATRIX_SCALE_SCALAR_32F;
}

int64_t blocks_of(int64_t count, int64_t size = 128) { return (count + size - 1) / size; }

/// Checks that the scales are [rows, blocks of 128 along k], column-major.
const float* vectors(const Call& call, const char* role, int64_t rows, int64_t k) {
  const auto scales = call.in<float>(role);
  if (scales.dimensions() != 2 || scales.size(0) != rows || scales.size(1) != blocks_of(k))
    unsupported(std::string(role) + " must have the shape [rows, blocks of 128 along k]");
  if ((rows > 1 && scales.stride(0) != 1) || (scales.size(1) > 1 && scales.stride(1) != rows))
    unsupported(std::string(role) + " must be column-major");
  return scales.data;
}

/// Copies the scales of 128 x 128 blocks into rows whose length is a multiple of four, as cuBLASLt requires.
const float* blocks(const Call& call, const char* role, int64_t rows, int64_t k) {
  const auto scales = call.in<float>(role).dense();
  const size_t across = size_t(blocks_of(k)), pitch = size_t(blocks_of(k, 512)) * 4, down = size_t(blocks_of(rows));
  if (scales.elements() != int64_t(across * down) || pitch * down > kMostScales)
    unsupported(std::string(role) + " must have the shape [blocks of 128 rows, blocks of 128 along k]");
  float* const copy = Library::one().scales;
  assay::cuda::good(cudaMemcpy2DAsync(copy, pitch * sizeof(float), scales.data, across * sizeof(float), across * sizeof(float),
                                      down, cudaMemcpyDeviceToDevice, call.stream()));
  return copy;
}

const float* scales_of(const Call& call, const char* role, const assay_tensor& factor, Scales kind) {
  if (kind == Scales::kVectors) return vectors(call, role, factor.shape[0], factor.shape[1]);
  if (kind == Scales::kBlocks) return blocks(call, role, factor.shape[0], factor.shape[1]);
  const auto scales = call.in<float>(role).dense();
  if (scales.elements() != (kind == Scales::kRows ? factor.shape[0] : 1))
    unsupported(std::string(role) + (kind == Scales::kRows ? " must have one scale for each row" : " must have one scale"));
  return scales.data;
}

/// Computes d^T [n, m] = b [n, k] * a^T in column-major order.
template <bool kFast, Scales kOfA, Scales kOfB>
void run(const Call& call) {
  const assay_tensor &a = call.at("a"), &b = call.at("b"), &d = call.at("d");
  const Layout of_a(a), of_b(b), of_d(d);
  Description description;
  description.set(CUBLASLT_MATMUL_DESC_TRANSA, CUBLAS_OP_T);
  description.set(CUBLASLT_MATMUL_DESC_FAST_ACCUM, int8_t(kFast));
  description.set(CUBLASLT_MATMUL_DESC_A_SCALE_POINTER, scales_of(call, "scale_b", b, kOfB));
  description.set(CUBLASLT_MATMUL_DESC_B_SCALE_POINTER, scales_of(call, "scale_a", a, kOfA));
  description.set(CUBLASLT_MATMUL_DESC_A_SCALE_MODE, mode_of(kOfB));
  description.set(CUBLASLT_MATMUL_DESC_B_SCALE_MODE, mode_of(kOfA));
  if (const assay_tensor* bias = call.find("bias")) {
    description.set(CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_BIAS);
    description.set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, static_cast<const void*>(bias->data));
    description.set(CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, type_of(*bias));
  }
  const cublasLtMatmulAlgo_t algo = algorithm(description, of_b, of_a, of_d);
  Call::Algorithm used;
  used.split_k = int32_t(parts_of(algo));
  call.say_algorithm(used);
  const float one = 1, zero = 0;
  good(cublasLtMatmul(Library::one().handle, description, &one, b.data, of_b, a.data, of_a, &zero, d.data, of_d, d.data, of_d,
                      &algo, Library::one().workspace, kWorkspace, call.stream()),
       "cublasLtMatmul");
}

}  // namespace

extern "C" __attribute__((visibility("default"))) const assay_library* assay_get_library(void) {
  const assay::plugin::Accepts any = {};
  return assay::cuda::library(
      "cublaslt",
      {{"cublaslt_tensor_fast",
        "gemm_scaled",
        {"torch.scaled_mm_tensor_fast.sm_90", "torch.scaled_mm_tensor_fast_e5m2_e4m3.sm_90"},
        any,
        {},
        run<true, Scales::kTensor, Scales::kTensor>},
       {"cublaslt_tensor",
        "gemm_scaled",
        {"torch.scaled_mm_tensor.sm_90", "torch.scaled_mm_tensor_e4m3_e5m2.sm_90"},
        any,
        {},
        run<false, Scales::kTensor, Scales::kTensor>},
       {"cublaslt_row_fast", "gemm_scaled", {"torch.scaled_mm_row_fast.sm_90"}, any, {}, run<true, Scales::kRows, Scales::kRows>},
       {"cublaslt_row", "gemm_scaled", {"torch.scaled_mm_row.sm_90"}, any, {}, run<false, Scales::kRows, Scales::kRows>},
       {"cublaslt_1x128_128x128",
        "gemm_block_scaled",
        {"torch.scaled_mm_1x128_128x128.sm_90"},
        any,
        {},
        run<false, Scales::kVectors, Scales::kBlocks>},
       {"cublaslt_1x128_1x128",
        "gemm_block_scaled",
        {"torch.scaled_mm_1x128_1x128.sm_90"},
        any,
        {},
        run<false, Scales::kVectors, Scales::kVectors>}});
}
