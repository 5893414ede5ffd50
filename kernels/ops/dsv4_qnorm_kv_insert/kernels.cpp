#include "kernels/ops/catalogue.h"
#include "kernels/ops/dsv4_qnorm_kv_insert/both.h"

namespace assay_kernels {
namespace {

template <class Rules>
Kernel qnorm_kv_insert_row() {
  const char* const op = "dsv4_qnorm_kv_insert";
  return {op, op, {Rules::kContract}, {{"x", kHalf}, {"warp", simt::kWarpSizes}}, {}, run_dsv4_qnorm_kv_insert<Rules>};
}

}  // namespace

std::vector<Kernel> dsv4_qnorm_kv_insert_kernels() {
  return {qnorm_kv_insert_row<VllmDsv4Both>(), qnorm_kv_insert_row<VllmDsv4BothFnuz>()};
}

}  // namespace assay_kernels
