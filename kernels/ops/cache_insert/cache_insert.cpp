// The kernel table of all ops that write or read a paged cache, which describe() of the C ABI lists.
#include "kernels/ops/cache_insert/cache_insert_kernels.h"
#include "kernels/ops/cache_insert/dsv4_kv_insert_kernel.h"
#include "kernels/ops/call.h"
#include "kernels/ops/gather_cache/gather_cache_kernel.h"

namespace assay_kernels {
namespace {

Kernel mla_cache_row(const char* name, const char* contract, void (*run)(const Call&)) {
  return {name, "concat_and_cache_mla", {contract}, {{"x", kHalf}, {"warp", simt::kWarpSizes}}, {}, run};
}

}  // namespace

std::vector<Kernel> concat_and_cache_mla_kernels() {
  return {
      mla_cache_row("concat_and_cache_mla", VllmFp8DsMla::kContract, run_concat_and_cache_tiles<VllmFp8DsMla>),
      mla_cache_row("concat_and_cache_mla", VllmFp8DsMlaFnuz::kContract, run_concat_and_cache_tiles<VllmFp8DsMlaFnuz>),
      mla_cache_row("concat_and_cache_mla", VllmFp8DsMlaV0310::kContract, run_concat_and_cache_tiles<VllmFp8DsMlaV0310>),
      mla_cache_row("concat_and_cache_mla", VllmFp8DsMlaFnuzV0310::kContract, run_concat_and_cache_tiles<VllmFp8DsMlaFnuzV0310>),
      mla_cache_row("concat_and_cache_mla.given", VllmMlaFp8::kContract, run_concat_and_cache_given<VllmMlaFp8>)};
}

namespace {

template <class Rules, int kScales>
Kernel flash_cache_row() {
  return {"reshape_and_cache_flash",
          "reshape_and_cache_flash",
          {Rules::kContract},
          {{"x", kHalf}, {"warp", simt::kWarpSizes}},
          {},
          run_reshape_and_cache_flash<Rules, kScales>};
}

}  // namespace

std::vector<Kernel> reshape_and_cache_flash_kernels() {
  return {flash_cache_row<VllmFlashFp8, 1>(), flash_cache_row<VllmFlashFp8Heads, kHeads>(), flash_cache_row<VllmFlashFp8Hnd, 1>(),
          flash_cache_row<VllmFlashFp8HndHeads, kHeads>()};
}

namespace {

template <class Rules>
Kernel indexer_row(const Values& x) {
  return {"indexer_k_quant_and_cache",
          "indexer_k_quant_and_cache",
          {Rules::kContract},
          {{"x", x}, {"warp", simt::kWarpSizes}},
          {},
          run_indexer_k_quant_and_cache<Rules>};
}

}  // namespace

std::vector<Kernel> indexer_k_quant_and_cache_kernels() {
  const Values bf16{"bf16"};  // bf16 only, because gfx942 rounds an fp16 quotient twice
  return {indexer_row<VllmIndexerK>(kHalf), indexer_row<VllmIndexerKUe8m0>(kHalf), indexer_row<VllmIndexerKMx>(kHalf), indexer_row<VllmIndexerKFnuz>(bf16),
          indexer_row<VllmIndexerKUe8m0Fnuz>(bf16)};
}

namespace {

template <class Rules>
Kernel kv_insert_row() {
  const char* const op = Rules::kNorm ? "dsv4_kv_norm_insert" : "dsv4_kv_insert";
  return {op, op, {Rules::kContract}, {{"x", kHalf}, {"warp", simt::kWarpSizes}}, {}, run_dsv4_kv_insert<Rules>};
}

}  // namespace

std::vector<Kernel> dsv4_kv_insert_kernels() {
  return {kv_insert_row<VllmDsv4Kv>(), kv_insert_row<VllmDsv41Kv>(), kv_insert_row<VllmDsv4KvFnuz>(), kv_insert_row<VllmDsv4KvNorm>(),
          kv_insert_row<VllmDsv4KvNormFnuz>()};
}

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

// Kernels that read a paged cache.

namespace {

void gather_by_contract(const Call& call) {
  GatherList::with(call.contract(), [&](auto rules) { run_gather_cache<decltype(rules)>(call); });
}

Kernel of_contracts(const char* name, const std::vector<std::string>& contracts, const Accepts& accepts) {
  return {name, "gather_cache", contracts, accepts, {}, gather_by_contract};
}
/// What a kernel accepts. `y`: formats of the output.
Accepts numbers(const Values& y) { return {{"y", y}, {"warp", simt::kWarpSizes}}; }

}  // namespace

std::vector<Kernel> gather_cache_kernels() {
  return {of_contracts("gather_cache.dequantize",
                       {VllmGatherMlaFp8::kContract, VllmGatherMlaFp8V0120::kContract, VllmGatherMlaFp8Fnuz::kContract,
                        VllmGatherMlaE5m2::kContract, VllmConvertFp8::kContract},
                       numbers(kAny)),
          of_contracts("gather_cache.copy", {VllmGatherCache::kContract, VllmCpGatherCache::kContract}, numbers(kHalf)),
          of_contracts("gather_cache.upconvert",
                       {VllmGatherDsMla::kContract, VllmGatherDsMlaFnuz::kContract, VllmGatherDsv4K::kContract, VllmGatherDsv41K::kContract},
                       numbers({"bf16"})),
          of_contracts("gather_cache.parts", {VllmGatherIndexerK::kContract, VllmGatherIndexerKV0200::kContract},
                       {{"warp", simt::kWarpSizes}})};
}

}  // namespace assay_kernels
