#include "kernels/ops/catalogue.h"
#include "kernels/ops/dsv4_kv_insert/insert.h"

namespace assay_kernels {
namespace {

template <class Rules>
Kernel of() {
  return {"dsv4_kv_insert", "dsv4_kv_insert", {Rules::kContract}, {{"x", R"(["bf16", "f16"])"}, {"warp", simt::kWarpSizes}}, {},
          run_dsv4_kv_insert<Rules>};
}

}  // namespace

std::vector<Kernel> dsv4_kv_insert_kernels() { return {of<VllmDsv4Kv>(), of<VllmDsv4KvFnuz>()}; }

}  // namespace assay_kernels
