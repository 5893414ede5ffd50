// The rows that offer rules with an instruction here.
#pragma once

#include "kernels/ops/gemm_block_scaled/gemm.h"

namespace assay_kernels {

template <class Rules, int kParts>
void run_block_gemm_by_contract(const Call& call) {
  Rules::for_each([&](auto rules) {
    using R = decltype(rules);
    if (call.contract() == R::kContract) run_block_gemm<R, kParts>(call);
  });
}

/// Rules may be offered in parts of k too, where the contract lets a library choose.
template <class Rules, int kParts = 1>
std::vector<Kernel> block_gemm_rows(const std::string& name) {
  const std::vector<std::string> contracts = gemm_contracts<Rules>();
  if (contracts.empty()) return {};
  return {{name, "gemm_block_scaled", contracts, {{"y", kAny}, {"warp", simt::kWarpSizes}}, {}, run_block_gemm_by_contract<Rules, kParts>}};
}

}  // namespace assay_kernels
