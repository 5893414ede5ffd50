// DeepGEMM GEMMs for sm_90, at commits that have the psum layout.
#pragma once

#include "assay/cuda_plugin.hpp"

namespace assay::deepgemm {

void product_1d2d(const cuda::Call& call);
void product_1d1d(const cuda::Call& call);
void grouped_contiguous(const cuda::Call& call);
void grouped_masked(const cuda::Call& call);
void grouped_psum(const cuda::Call& call);
void grouped_along_k(const cuda::Call& call);

}  // namespace assay::deepgemm
