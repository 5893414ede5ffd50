// An answer of the host, where a kernel's results are looked for.
#pragma once

#include "kernels/ops/catalogue.h"
#include "kernels/ops/weak_contiguity/rules.h"
#include "kernels/simt/simt.h"

namespace assay_kernels {

template <class Rules>
SIMT_KERNEL void put_answer(int32_t answer, int32_t* to) {
  if (simt::thread() == 0) *to = answer;
}

template <class Rules>
void run_contiguity(const Call& call) {
  const auto accepted = call.out<int32_t>("accepted");
  simt::launch(put_answer<Rules>, call.grid(1, 64), int32_t(Rules::accepts(call.at("x"))), accepted.data);
}

/// A row of such a kernel.
template <class Rules>
Kernel contiguity_row(const char* name, std::vector<std::string> contracts) {
  return {name, "weak_contiguity", std::move(contracts), {{"x", kAny}, {"warp", simt::kWarpSizes}}, {}, run_contiguity<Rules>};
}

}  // namespace assay_kernels
