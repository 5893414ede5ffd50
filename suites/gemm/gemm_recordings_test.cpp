// Compares recorded outputs of GEMM libraries with contracts. The recordings, and a README about their inputs, are in the folder
// `gemm` of ASSAY_HARDWARE_VECTORS.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "harness/compare/compare.h"
#include "harness/compare/verdict.h"
#include "harness/core/expectation.h"
#include "harness/core/op.h"
#include "reference/contracts/tensor_layouts.h"
#include "reference/formats/catalogue.h"
#include "reference/testing/unit_data.h"
#include "suites/gemm/gemm_case.h"
#include "suites/registry.h"
#include "suites/rulebook.h"

namespace assay::testing {

using recorded::mix;
using recorded::npy;

/// The folder with recordings; an empty path if there is none.
inline std::filesystem::path recordings_folder() {
  const char* const vectors = std::getenv("ASSAY_HARDWARE_VECTORS");
  const std::filesystem::path folder = vectors ? std::filesystem::path(vectors) / "gemm" : std::filesystem::path();
  return std::filesystem::exists(folder) ? folder : std::filesystem::path();
}

/// Names of all recorded outputs with block scales (`of_blocks`) or with other scales. Tables of codes and scales are left out.
inline std::set<std::string> recordings_of(const std::filesystem::path& folder, bool of_blocks) {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().stem().string();
    const auto begins = [&](const std::string& with) { return name.starts_with(with); };
    if (entry.path().extension() != ".npy" || begins("table_") || begins("scales_") || name.ends_with("_head")) continue;
    const bool blocks = begins("deepgemm_") || begins("cublaslt_1x128") || begins("cutlass_blockwise") || begins("triton_block");
    if (blocks == of_blocks) names.insert(name);
  }
  return names;
}

template <class Recorded, size_t kCount>
std::set<std::string> names_of(const Recorded (&all)[kCount]) {
  std::set<std::string> names;
  for (const Recorded& one : all) names.insert(one.name);
  return names;
}

inline constexpr uint64_t kStepOfRecordings = 0x9e3779b97f4a7c15, kSeedOfRecordings = 0xd1342543de82ef95;

inline void put(HostTensor& tensor, const std::string& bytes) {
  ASSERT_EQ(tensor.spec.bytes(), bytes.size()) << tensor.spec.name;
  tensor.bytes.resize(bytes.size());
  std::memcpy(tensor.bytes.data(), bytes.data(), bytes.size());
}

/// Codes of a factor [rows, k], chosen from a table of 4096 codes.
inline std::string recorded_codes(const std::string& table, uint64_t seed, int64_t rows, int64_t k) {
  std::string all;
  for (uint64_t row = 0; row < uint64_t(rows); ++row)
    for (uint64_t i = 0; i < uint64_t(k); ++i)
      all.push_back(table[mix((row * 16384 + i + 1) * kStepOfRecordings + seed * kSeedOfRecordings) & 4095]);
  return all;
}

/// The scale with index `number`, between 2^low and 2^high.
inline double recorded_scale(int64_t number, uint64_t seed, int low, int high) {
  const uint64_t h = mix((uint64_t(number) + 1) * kStepOfRecordings + seed * kSeedOfRecordings) & 0xffffff;
  return (1 + double(h >> 4) * 0x1p-20) * std::ldexp(1.0, int(h & 15) * (high - low) / 16 + low);
}

/// Whether rows [first, end) of a recording agree with a variant.
inline bool agrees(const Answer& answer, const HostTensor& d, int64_t first, int64_t end) {
  const Part& part = answer.parts.front();
  const AcceptedBlock block = answer.accepted(first, end);
  const AcceptedRows& rows = block.parts.front();
  for (size_t i = 0; i < rows.low.size(); ++i)
    if (!rows.at(i).holds(*part.format, ordinal(*part.format, d.code(first * part.columns() + int64_t(i))))) return false;
  return true;
}

/// Whether a recording agrees with some variant. Compares the first rows first, because they rule out most variants.
inline bool agrees(const Expectation& expectation, const HostTensor& d) {
  constexpr int64_t kFew = 3;
  return std::any_of(expectation.any_of.begin(), expectation.any_of.end(), [&](const Answer& answer) {
    const int64_t few = std::min(kFew, answer.steps);
    return agrees(answer, d, 0, few) && agrees(answer, d, few, answer.steps);
  });
}

/// Collects the mutants of a contract with which some recording disagrees.
class SeenEdits {
 public:
  void look(const std::string& contract, const std::vector<Hypothesis>& edits, const Problem& problem, const HostTensor& d) {
    for (const Hypothesis& wrong : edits) {
      if (!wrong.equivalent.empty()) continue;
      all_[contract].insert(wrong.name);
      if (!agrees(wrong.expect(problem, nullptr), d)) failing_[contract].insert(wrong.name);
    }
  }
  void expect_all_but(const std::map<std::string, std::set<std::string>>& unseen) {
    for (const auto& [contract, names] : all_) {
      const auto known = unseen.find(contract);
      for (const std::string& name : names) {
        const bool expected = known != unseen.end() && known->second.contains(name);
        EXPECT_EQ(failing_[contract].contains(name), !expected) << contract << ": " << name;
      }
    }
  }

 private:
  std::map<std::string, std::set<std::string>> all_, failing_;
};

}  // namespace assay::testing

namespace assay::gemm_scaled_recordings_test {

// Outputs that libraries returned on an H200 agree with a variant of the contract, and with no mutant.

namespace {

using namespace testing;

struct Recorded {
  const char *name, *contract, *a_table, *b_table, *scales, *y;
  int64_t m, n, k;
  const char* program;
  uint64_t a_seed = 1, b_seed = 2;
};

/// entries of index.json; 'unit': all scales are 1
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

/// Mutants that agree with all recordings of a contract.
const std::map<std::string, std::set<std::string>>& not_seen() {
  const std::string zeros = "unit exponent: nothing -> zeros", unpacked = "unit exponent: nothing -> in(f16)",
                    flush = "unit special: nothing -> flush",  // the codes that this mutant changes do not occur in the data
                    signed_zero = "unsplit: fma(0) -> nothing";  // no sum of these data is -0
  static const std::map<std::string, std::set<std::string>> known = {
      {"torch.scaled_mm_tensor.sm_90", {signed_zero}},
      // recordings with fp32 outputs have scales of 1; 16-bit outputs hide the order of the scales
      {"torch.scaled_mm_tensor_fast.sm_90",
       {signed_zero, "y: mul(sa*sb) -> mul(sa) mul(sb)", "y: mul(sa*sb) -> mul(sb) mul(sa)"}},
      {"torch.scaled_mm_tensor_fast_e5m2_e4m3.sm_90",
       {zeros, unpacked, "y: mul(sa*sb) -> mul(sa) mul(sb)", "y: mul(sa*sb) -> mul(sb) mul(sa)", "y: sa is left out",
        "y: sb is left out"}},
      {"torch.scaled_mm_row_fast.sm_90",
       {zeros, unpacked, flush, "y: mul(sb) mul(sa) -> mul(sa) mul(sb)", "y: mul(sb) mul(sa) -> mul(sa*sb)"}},
      {"vllm.cutlass_scaled_mm.sm_90",
       {zeros, unpacked, flush, "y: mul(sb) mul(sa) -> mul(sa) mul(sb)", "y: mul(sb) mul(sa) -> mul(sa*sb)"}},
      {"cutlass.fp8_gemm_row.sm_90", {zeros, unpacked}},
      // Triton kernels without scales: mutants of the scales change nothing
      {"vllm.triton_scaled_mm.sm_90",
       {zeros, unpacked, "y: mul(sa) mul(sb) -> mul(sa*sb)", "y: mul(sa) mul(sb) -> mul(sb) mul(sa)", "y: sa is left out",
        "y: sb is left out", "y: mul(sa) -> div(sa)", "y: mul(sb) -> div(sb)"}},
      {"triton.dot_imprecise_0.sm_90",
       {zeros, "unit exponent: ea+eb in(f16) -> normalized", "unit exponent: in(f16) -> missing", "y: mul(sa) mul(sb) -> mul(sa*sb)",
        "y: mul(sa) mul(sb) -> mul(sb) mul(sa)", "y: sa is left out", "y: sb is left out", "y: mul(sa) -> div(sa)",
        "y: mul(sb) -> div(sb)"}},
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

}  // namespace assay::gemm_scaled_recordings_test

namespace assay::gemm_block_scaled_recordings_test {

// Outputs that libraries with block scales returned on an H200 agree with a variant of the contract, and with no mutant.

namespace {

using namespace testing;

struct Recorded {
  const char *name, *contract, *table, *scales, *y;
  int64_t m, n, k;
};

/// entries of index.json
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

/// Sets the scales by their row-major index in the logical shape, whatever the layout.
void put_scales(HostTensor& tensor, uint64_t seed) {
  tensor.bytes.resize(tensor.spec.bytes());
  const int64_t columns = tensor.spec.shape[1];
  for (int64_t i = 0; i < tensor.spec.elements(); ++i)
    tensor.set_code(i / columns * tensor.spec.strides[0] + i % columns * tensor.spec.strides[1],
                    code_of(kF32, recorded_scale(i, seed, -12, -6)));
}

/// Mutants that agree with all recordings of a contract.
const std::map<std::string, std::set<std::string>>& not_seen() {
  const std::string zeros = "unit exponent: nothing -> zeros", unpacked = "unit exponent: nothing -> in(f16)",
                    flush = "unit special: nothing -> flush";  // the codes that this mutant changes do not occur in the data
  static const std::map<std::string, std::set<std::string>> known = {
      {"deepgemm.fp8_gemm_1d1d.sm_90", {zeros, unpacked, flush, "y: c is left out", "y: add(c) -> sub(c)"}},  // c was zero
      // 16-bit outputs hide in which order values are rounded
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

}  // namespace assay::gemm_block_scaled_recordings_test
