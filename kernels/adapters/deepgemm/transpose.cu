// transpose_fp32 of smxx_layout.cuh, launched as in smxx_layout.hpp.
#include "layout.h"

void assay::deepgemm::transpose(const Call& call) {
  const auto x = call.in<float>("x");
  const auto scale = call.out<float>("scale");
  if (!is_contiguous(call.at("x"))) unsupported("DeepGEMM uses torch's copy for this call");
  with_number(x.columns(), Columns(), [&](auto k) {
    constexpr uint32_t kSf = decltype(k)::value;
    deep_gemm::transpose_fp32<512, 64, kSf>
        <<<dim3(blocks(x.rows(), 64), 1), 512, 64 * (kSf + (1 - kSf % 2)) * 4, call.stream()>>>(x.data, scale.data,
                                                                                                uint32_t(x.rows()));
  });
}
