#include "kernels/ops/catalogue.h"
#include "kernels/ops/dsv4_kv_insert/insert.h"

namespace assay_kernels {
namespace {

template <class Rules>
Kernel of() {
  const char* const op = Rules::kNorm ? "dsv4_kv_norm_insert" : "dsv4_kv_insert";
  return {op, op, {Rules::kContract}, {{"x", kHalf}, {"warp", simt::kWarpSizes}}, {}, run_dsv4_kv_insert<Rules>};
}

}  // namespace

std::vector<Kernel> dsv4_kv_insert_kernels() {
  return {of<VllmDsv4Kv>(), of<VllmDsv4KvFnuz>(), of<VllmDsv4KvNorm>(), of<VllmDsv4KvNormFnuz>()};
}

}  // namespace assay_kernels
