// Outputs of real libraries with block scales on an H200: they match a variant of the contract and no mutant.
#include <gtest/gtest.h>

#include "harness/compare/compare.h"
#include "reference/contracts/tensor_layouts.h"
#include "reference/formats/catalogue.h"
#include "suites/gemm/gemm_case.h"
#include "suites/gemm/recordings.h"
#include "suites/registry.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

using namespace testing;

struct Recorded {
  const char *name, *contract, *table, *scales, *y;
  int64_t m, n, k;
};

/// as in index.json
constexpr Recorded kRecorded[] = {
    {"deepgemm_1d2d_tail", "deepgemm.fp8_gemm_1d2d.sm_90", "e4m3_sub", "1x128_128x128", "bf16", 33, 136, 192},
    {"deepgemm_1d2d_bn112", "deepgemm.fp8_gemm_1d2d.sm_90", "e4m3_positive", "1x128_128x128", "bf16", 100, 336, 2048},
    {"deepgemm_1d1d_f32", "deepgemm.fp8_gemm_1d1d.sm_90", "e4m3_normal", "1x128_1x128", "f32", 64, 128, 1040},
    {"cutlass_blockwise_bf16", "vllm.cutlass_scaled_mm_blockwise.sm_90", "e4m3_normal", "1x128_128x128", "bf16", 128, 256, 2048},
    {"cutlass_blockwise_swap_bf16", "vllm.cutlass_scaled_mm_blockwise.sm_90", "e4m3_sub", "1x128_128x128", "bf16", 17, 128, 1040},
    {"cublaslt_1x128_128x128_f32", "torch.scaled_mm_1x128_128x128.sm_90", "e4m3_normal", "1x128_128x128", "f32", 64, 128, 512},
    {"cublaslt_1x128_1x128_f32", "torch.scaled_mm_1x128_1x128.sm_90", "e4m3_sub", "1x128_1x128", "f32", 64, 128, 512},
    {"triton_block_bk128_f32", "vllm.triton_w8a8_block.sm_90", "e4m3_normal", "1x128_128x128", "f32", 64, 128, 1040},
};

Case case_of(const Recorded& r) {
  Case one;
  one.op = "gemm_block_scaled";
  const bool adds_c = std::string(r.contract) == "deepgemm.fp8_gemm_1d1d.sm_90";
  one.parameters = {{"contract", r.contract},
                    {"m", std::to_string(r.m)},
                    {"n", std::to_string(r.n)},
                    {"k", std::to_string(r.k)},
                    {"fill", "zeros"},
                    {"b", "zeros"},
                    {"scales", r.scales},
                    {"scale", "ones"},
                    {"layout_a", std::string(r.contract).starts_with("deepgemm") ? "tma" : "col"},
                    {"layout_b", "row"},
                    {"y", r.y},
                    {"c", adds_c ? "zeros" : ""},
                    {"seed", "1"},
                    {"warp", "32"}};
  return checked_case(shipped_ops().find(one.op), one);
}

/// Values follow the row-major index of the logical shape, in any layout.
void put_scales(HostTensor& tensor, uint64_t seed) {
  tensor.bytes.resize(tensor.spec.bytes());
  const int64_t columns = tensor.spec.shape[1];
  for (int64_t i = 0; i < tensor.spec.elements(); ++i)
    tensor.set_code(i / columns * tensor.spec.strides[0] + i % columns * tensor.spec.strides[1],
                    code_of(kF32, recorded_scale(i, seed, -12, -6)));
}

/// Mutants that no recording of these contracts kills.
const std::map<std::string, std::set<std::string>>& not_seen() {
  const std::string zeros = "unit exponent: nothing -> zeros", unpacked = "unit exponent: nothing -> in(f16)",
                    flush = "unit special: nothing -> flush";  // the data contain no such codes
  static const std::map<std::string, std::set<std::string>> known = {
      {"deepgemm.fp8_gemm_1d1d.sm_90", {zeros, unpacked, flush, "y: c is left out"}},  // c was zero
      // in 16 bits the order of roundings does not show
      {"deepgemm.fp8_gemm_1d2d.sm_90",
       {"join: fma(sa*sb,acc) -> mul(sa) fma(sb,acc)", "join: fma(sa*sb,acc) -> mul(sb) fma(sa,acc)",
        "join: fma(sa*sb,acc) -> mul(sb) mul(sa) add(acc)", "split: none -> parts(2) of(128)"}},
      {"vllm.cutlass_scaled_mm_blockwise.sm_90",
       {"join: fma(sa*sb,acc) -> mul(sa) mul(sb) add(acc)", "split: none -> parts(2) of(128)"}},
      {"torch.scaled_mm_1x128_128x128.sm_90", {zeros, unpacked, flush}},
      {"vllm.triton_w8a8_block.sm_90", {zeros, unpacked, flush}},
  };
  return known;
}

TEST(GemmBlockScaledRecordings, OfLibrariesOnAnH200AreMadeByOneProgramAndByNoMistake) {
  const std::filesystem::path folder = recordings_folder();
  if (folder.empty()) GTEST_SKIP() << "ASSAY_HARDWARE_VECTORS names no folder with gemm/";
  open_rulebook(ASSAY_SOURCE_DIR);
  const Op& op = shipped_ops().find("gemm_block_scaled");
  SeenEdits seen;
  EXPECT_EQ(recordings_of(folder, true), names_of(kRecorded)) << "every recording is looked at";
  for (const Recorded& r : kRecorded) {
    const Case one = case_of(r);
    Problem problem = op.bind(one)->problem();
    const std::string table = npy(folder / ("table_" + std::string(r.table) + ".npy"));
    put(find(problem.tensors, "a"), recorded_codes(table, 1, r.m, r.k));
    put(find(problem.tensors, "b"), recorded_codes(table, 2, r.n, r.k));
    put_scales(find(problem.tensors, "scale_a"), 7);
    put_scales(find(problem.tensors, "scale_b"), std::string(r.scales) == "1x128_1x128" ? 9 : 8);
    std::vector<HostTensor> outputs = {find(problem.tensors, "d")};
    put(outputs[0], npy(folder / (std::string(r.name) + ".npy")));

    const Finding finding = compare(op.bind(one)->expect(problem, nullptr), outputs, {{}});
    EXPECT_TRUE(finding.agrees()) << r.name << ": " << finding.parts.front().outside << " elements";
    seen.look(r.contract, op.bind(one)->mutants(), problem, outputs[0]);
  }
  seen.expect_all_but(not_seen());
}

}  // namespace
}  // namespace assay
