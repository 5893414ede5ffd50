#include "kernels/ops/catalogue.h"
#include "kernels/ops/dsv4_kv_insert/insert.h"

namespace assay_kernels {
namespace {

template <class Rules>
Kernel kv_insert_row() {
  const char* const op = Rules::kNorm ? "dsv4_kv_norm_insert" : "dsv4_kv_insert";
  return {op, op, {Rules::kContract}, {{"x", kHalf}, {"warp", simt::kWarpSizes}}, {}, run_dsv4_kv_insert<Rules>};
}

}  // namespace

std::vector<Kernel> dsv4_kv_insert_kernels() {
  return {kv_insert_row<VllmDsv4Kv>(), kv_insert_row<VllmDsv4KvFnuz>(), kv_insert_row<VllmDsv4KvNorm>(),
          kv_insert_row<VllmDsv4KvNormFnuz>()};
}

}  // namespace assay_kernels
