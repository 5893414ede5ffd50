// Outputs of real libraries on an H200 match a variant of the contract and no mutant. Uses the folder `gemm` of
// ASSAY_HARDWARE_VECTORS; its README describes the inputs.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <set>

#include "harness/compare/compare.h"
#include "reference/formats/catalogue.h"
#include "suites/gemm/recordings.h"
#include "suites/registry.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

using namespace testing;

struct Recorded {
  const char *name, *contract, *a_table, *b_table, *scales, *y;
  int64_t m, n, k;
  const char* program;
  uint64_t a_seed = 1, b_seed = 2;
};

/// as in index.json; 'unit' scales are 1
constexpr Recorded kRecorded[] = {
    {"torch_fast_bf16", "torch.scaled_mm_tensor_fast.sm_90", "e4m3_normal", "e4m3_normal", "tensor", "bf16", 64, 128, 1024,
     "split-K 1"},
    {"torch_slow_bf16", "torch.scaled_mm_tensor.sm_90", "e4m3_normal", "e4m3_normal", "tensor", "bf16", 64, 128, 1024,
     "split-K 1"},
    {"torch_fast_f32_split6", "torch.scaled_mm_tensor_fast.sm_90", "e4m3_sub", "e4m3_sub", "unit", "f32", 64, 64, 16384,
     "split-K 6"},
    {"torch_slow_f32_tail", "torch.scaled_mm_tensor.sm_90", "e4m3_sub", "e4m3_sub", "tensor", "f32", 33, 144, 2064, "split-K 1"},
    {"torch_row_fast_bf16", "torch.scaled_mm_row_fast.sm_90", "e4m3_normal", "e4m3_normal", "token_channel", "bf16", 200, 128,
     7168, ""},
    {"torch_slow_f16", "torch.scaled_mm_tensor.sm_90", "e4m3_normal", "e4m3_normal", "tensor", "f16", 17, 64, 7168, "split-K 1"},
    {"torch_fast_f32_positive", "torch.scaled_mm_tensor_fast.sm_90", "e4m3_positive", "e4m3_positive", "unit", "f32", 64, 64,
     4096, "split-K 1"},
    {"torch_e5m2_e4m3_f32", "torch.scaled_mm_tensor_fast_e5m2_e4m3.sm_90", "e5m2_wide", "e4m3_wide", "unit", "f32", 17, 128, 8192,
     "split-K 3", 3, 4},
    {"torch_k32_f32", "torch.scaled_mm_tensor_fast.sm_90", "e4m3_sub", "e4m3_sub", "unit", "f32", 128, 128, 32, ""},
    {"vllm_scaled_mm_fast_row", "vllm.cutlass_scaled_mm.sm_90", "e4m3_normal", "e4m3_normal", "token_channel", "bf16", 200, 256,
     7168, ""},
    {"triton_plain_f32", "vllm.triton_scaled_mm.sm_90", "e4m3_wide", "e4m3_wide", "unit", "f32", 64, 64, 4096, ""},
    {"triton_imprecise0_mma_sync_f32", "triton.dot_imprecise_0.sm_90", "e4m3_sub", "e4m3_sub", "unit", "f32", 64, 64, 1024, ""},
    {"cutlass_slow_row_f32", "cutlass.fp8_gemm_row.sm_90", "e4m3_wide", "e4m3_wide", "token_channel", "f32", 128, 128, 4096, ""},
};

Case case_of(const Recorded& r) {
  Case one;
  one.op = "gemm_scaled";
  one.parameters = {{"contract", r.contract},
                    {"m", std::to_string(r.m)},
                    {"n", std::to_string(r.n)},
                    {"k", std::to_string(r.k)},
                    {"fill", "zeros"},
                    {"b", "zeros"},
                    {"scales", std::string(r.scales) == "unit" ? "tensor" : r.scales},
                    {"scale", "ones"},
                    {"y", r.y},
                    {"bias", ""},
                    {"seed", "1"},
                    {"warp", "32"}};
  return checked_case(shipped_ops().find(one.op), one);
}

/// Mutants that no recording of these contracts kills.
const std::map<std::string, std::set<std::string>>& not_seen() {
  const std::string zeros = "unit exponent: nothing -> zeros", unpacked = "unit exponent: nothing -> in(f16)",
                    flush = "unit special: nothing -> flush";  // the data contain no such codes
  static const std::map<std::string, std::set<std::string>> known = {
      // fp32 outputs have scales of 1, and in 16 bits the order of scales does not show
      {"torch.scaled_mm_tensor_fast.sm_90", {"y: mul(sa*sb) -> mul(sa) mul(sb)", "y: mul(sa*sb) -> mul(sb) mul(sa)"}},
      {"torch.scaled_mm_tensor_fast_e5m2_e4m3.sm_90",
       {zeros, unpacked, "y: mul(sa*sb) -> mul(sa) mul(sb)", "y: mul(sa*sb) -> mul(sb) mul(sa)", "y: sa is left out",
        "y: sb is left out"}},
      {"torch.scaled_mm_row_fast.sm_90",
       {zeros, unpacked, flush, "y: mul(sb) mul(sa) -> mul(sa) mul(sb)", "y: mul(sb) mul(sa) -> mul(sa*sb)"}},
      {"vllm.cutlass_scaled_mm.sm_90",
       {zeros, unpacked, flush, "y: mul(sb) mul(sa) -> mul(sa) mul(sb)", "y: mul(sb) mul(sa) -> mul(sa*sb)"}},
      {"cutlass.fp8_gemm_row.sm_90", {zeros, unpacked}},
      // Triton kernels without scales
      {"vllm.triton_scaled_mm.sm_90",
       {zeros, unpacked, "y: mul(sa) mul(sb) -> mul(sa*sb)", "y: mul(sa) mul(sb) -> mul(sb) mul(sa)", "y: sa is left out", "y: sb is left out"}},
      {"triton.dot_imprecise_0.sm_90",
       {zeros, "unit exponent: ea+eb in(f16) -> normalized", "unit exponent: in(f16) -> missing", "y: mul(sa) mul(sb) -> mul(sa*sb)",
        "y: mul(sa) mul(sb) -> mul(sb) mul(sa)", "y: sa is left out", "y: sb is left out"}},
  };
  return known;
}

TEST(GemmScaledRecordings, OfLibrariesOnAnH200AreMadeByOneProgramAndByNoMistake) {
  const std::filesystem::path folder = recordings_folder();
  if (folder.empty()) GTEST_SKIP() << "ASSAY_HARDWARE_VECTORS names no folder with gemm/";
  open_rulebook(ASSAY_SOURCE_DIR);
  const Op& op = shipped_ops().find("gemm_scaled");
  SeenEdits seen;
  EXPECT_EQ(recordings_of(folder, false), names_of(kRecorded)) << "every recording is looked at";
  for (const Recorded& r : kRecorded) {
    const Case one = case_of(r);
    Problem problem = op.bind(one)->problem();
    const auto table = [&](const char* name) { return npy(folder / ("table_" + std::string(name) + ".npy")); };
    put(find(problem.tensors, "a"), recorded_codes(table(r.a_table), r.a_seed, r.m, r.k));
    put(find(problem.tensors, "b"), recorded_codes(table(r.b_table), r.b_seed, r.n, r.k));
    const bool unit = std::string(r.scales) == "unit";
    const auto scale = [&](const char* role, uint64_t seed) {
      HostTensor& tensor = find(problem.tensors, role);
      tensor.bytes.resize(tensor.spec.bytes());
      for (int64_t i = 0; i < tensor.spec.elements(); ++i)
        tensor.set_code(i, code_of(kF32, unit ? 1.0 : recorded_scale(i, seed, -14, -9)));
    };
    scale("scale_a", 5);
    scale("scale_b", 6);
    std::vector<HostTensor> outputs = {find(problem.tensors, "d")};
    put(outputs[0], npy(folder / (std::string(r.name) + ".npy")));

    const Finding finding = compare(op.bind(one)->expect(problem, nullptr), outputs, {{}});
    EXPECT_TRUE(finding.agrees()) << r.name << ": " << finding.parts.front().outside << " elements";
    EXPECT_EQ(finding.program, r.program) << r.name;
    seen.look(r.contract, op.bind(one)->mutants(), problem, outputs[0]);
  }
  seen.expect_all_but(not_seen());
}

}  // namespace
}  // namespace assay
