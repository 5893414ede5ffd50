// Outputs of real libraries on an H200: the contract's programs make them, and its mistakes do not. The folder `gemm` of
// ASSAY_HARDWARE_VECTORS; its README says how inputs are made.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <set>

#include "harness/core/compare.h"
#include "harness/core/element.h"
#include "harness/core/tensor_of_part.h"
#include "reference/formats/catalogue.h"
#include "reference/table/table.h"
#include "reference/testing/gemm_recordings.h"
#include "suites/gemm_scaled/expect.h"
#include "suites/registry.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

using testing::mix, testing::npy;

struct Recorded {
  const char *name, *contract, *a_table, *b_table, *scales, *y;
  int64_t m, n, k;
  const char* program;
  uint64_t a_seed = 1, b_seed = 2;
};

/// index.json; scales of 'unit' are 1.
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
    {"cutlass_slow_row_f32", "cutlass.fp8_gemm_row.sm_90", "e4m3_wide", "e4m3_wide", "token_channel", "f32", 128, 128, 4096, ""},
};

constexpr uint64_t kStep = 0x9e3779b97f4a7c15, kOfSeed = 0xd1342543de82ef95;

void put(HostTensor& tensor, const std::string& bytes) {
  ASSERT_EQ(tensor.spec.bytes(), bytes.size()) << tensor.spec.name;
  tensor.bytes.resize(bytes.size());
  std::memcpy(tensor.bytes.data(), bytes.data(), bytes.size());
}

std::string codes(const std::string& table, uint64_t seed, int64_t rows, int64_t k) {
  std::string all;
  for (uint64_t row = 0; row < uint64_t(rows); ++row)
    for (uint64_t i = 0; i < uint64_t(k); ++i) all.push_back(table[mix((row * 16384 + i + 1) * kStep + seed * kOfSeed) & 4095]);
  return all;
}

void put_scales(HostTensor& tensor, uint64_t seed, bool unit) {
  constexpr int kLow = -14, kHigh = -9;
  tensor.bytes.resize(tensor.spec.bytes());
  for (int64_t i = 0; i < tensor.spec.elements(); ++i) {
    const uint64_t h = mix((uint64_t(i) + 1) * kStep + seed * kOfSeed) & 0xffffff;
    const double value = (1 + double(h >> 4) * 0x1p-20) * std::ldexp(1.0, int(h & 15) * (kHigh - kLow) / 16 + kLow);
    tensor.set_code(i, code_of(kF32, unit ? 1.0 : value));
  }
}

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
  return find_op(one.op).validate(one);
}

/// Whether rows of the recording are those of a program.
bool agrees(const Answer& answer, const HostTensor& d, int64_t first, int64_t end) {
  const Part& part = answer.parts.front();
  const AcceptedBlock block = answer.accepted(first, end);
  const AcceptedRows& rows = block.parts.front();
  for (size_t i = 0; i < rows.low.size(); ++i)
    if (!rows.at(i).holds(*part.format, ordinal(*part.format, d.code(first * part.columns() + int64_t(i))))) return false;
  return true;
}

/// The first rows tell most programs apart.
bool agrees(const Expectation& expectation, const HostTensor& d) {
  constexpr int64_t kFew = 3;
  return std::any_of(expectation.any_of.begin(), expectation.any_of.end(), [&](const Answer& answer) {
    const int64_t few = std::min(kFew, answer.steps);
    return agrees(answer, d, 0, few) && agrees(answer, d, few, answer.steps);
  });
}

/// Edits that no recording of these contracts shows.
const std::map<std::string, std::set<std::string>>& not_seen() {
  const std::string zeros = "unit exponent: nothing -> zeros",
                    flush = "unit special: nothing -> flush";  // no such codes are in them
  static const std::map<std::string, std::set<std::string>> known = {
      // f32 outputs have scales of 1, and 16 bits hide the order of scales.
      {"torch.scaled_mm_tensor_fast.sm_90", {"y: mul(sa*sb) -> mul(sa) mul(sb)", "y: mul(sa*sb) -> mul(sb) mul(sa)"}},
      {"torch.scaled_mm_tensor_fast_e5m2_e4m3.sm_90",
       {zeros, "y: mul(sa*sb) -> mul(sa) mul(sb)", "y: mul(sa*sb) -> mul(sb) mul(sa)", "y: sa is left out", "y: sb is left out"}},
      {"torch.scaled_mm_row_fast.sm_90",
       {zeros, flush, "y: mul(sb) mul(sa) -> mul(sa) mul(sb)", "y: mul(sb) mul(sa) -> mul(sa*sb)"}},
      {"vllm.cutlass_scaled_mm.sm_90",
       {zeros, flush, "y: mul(sb) mul(sa) -> mul(sa) mul(sb)", "y: mul(sb) mul(sa) -> mul(sa*sb)"}},
      {"cutlass.fp8_gemm_row.sm_90", {zeros}},
  };
  return known;
}

TEST(GemmScaledRecordings, OfLibrariesOnAnH200AreMadeByOneProgramAndByNoMistake) {
  const char* const vectors = std::getenv("ASSAY_HARDWARE_VECTORS");
  const std::filesystem::path folder = vectors ? std::filesystem::path(vectors) / "gemm" : std::filesystem::path();
  if (!vectors || !std::filesystem::exists(folder)) GTEST_SKIP() << "ASSAY_HARDWARE_VECTORS names no folder with gemm/";
  open_rulebook(ASSAY_SOURCE_DIR);
  const Op& op = find_op("gemm_scaled");
  std::map<std::string, std::set<std::string>> all, failing;
  for (const Recorded& r : kRecorded) {
    const Case one = case_of(r);
    Problem problem = op.problem(one);
    const auto table = [&](const char* name) { return npy(folder / ("table_" + std::string(name) + ".npy")); };
    put(find(problem.tensors, "a"), codes(table(r.a_table), r.a_seed, r.m, r.k));
    put(find(problem.tensors, "b"), codes(table(r.b_table), r.b_seed, r.n, r.k));
    const bool unit = std::string(r.scales) == "unit";
    put_scales(find(problem.tensors, "scale_a"), 5, unit);
    put_scales(find(problem.tensors, "scale_b"), 6, unit);
    std::vector<HostTensor> outputs = {find(problem.tensors, "d")};
    put(outputs[0], npy(folder / (std::string(r.name) + ".npy")));

    const Finding finding = compare(op.expect(one, problem, nullptr), outputs, {{}});
    EXPECT_TRUE(finding.agrees()) << r.name << ": " << finding.parts.front().outside << " elements";
    EXPECT_EQ(finding.program, r.program) << r.name;
    for (const Hypothesis& wrong : op.neighbours(one)) {
      if (!wrong.equivalent.empty()) continue;
      all[r.contract].insert(wrong.name);
      if (!agrees(wrong.expect(problem, nullptr), outputs[0])) failing[r.contract].insert(wrong.name);
    }
  }
  for (const auto& [contract, names] : all) {
    const auto known = not_seen().find(contract);
    for (const std::string& name : names) {
      const bool expected = known != not_seen().end() && known->second.contains(name);
      EXPECT_EQ(failing[contract].contains(name), !expected) << contract << ": " << name;
    }
  }
}

}  // namespace
}  // namespace assay
