#include "kernels/ops/catalogue.h"
#include "kernels/ops/dsv4_qnorm_kv_insert/both.h"

namespace assay_kernels {
namespace {

template <class Rules>
Kernel of() {
  return {"dsv4_qnorm_kv_insert",
          "dsv4_qnorm_kv_insert",
          {Rules::kContract},
          {{"x", R"(["bf16", "f16"])"}, {"warp", simt::kWarpSizes}},
          {},
          run_dsv4_qnorm_kv_insert<Rules>};
}

}  // namespace

std::vector<Kernel> dsv4_qnorm_kv_insert_kernels() { return {of<VllmDsv4Both>(), of<VllmDsv4BothFnuz>()}; }

}  // namespace assay_kernels
