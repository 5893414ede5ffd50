// Tests golden/power: which table rows a record depends on, and that CI's 5 % sample detects a changed mutation analysis.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

#include "harness/core/case.h"
#include "harness/core/cases.h"
#include "harness/diagnosis/visibility.h"
#include "harness/golden/golden.h"
#include "suites/registry.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<Case> shipped_quick_cases() {
  open_rulebook(ASSAY_SOURCE_DIR);
  return select_cases(load_cases(shipped_ops().all(), ASSAY_SOURCE_DIR),
                      {.suites = {"quick"}, .cases = {}, .arch = {}, .warp = {}});
}

TEST(RecordedPower, ASampleHasEveryOp) {
  const std::vector<Case> cases = shipped_quick_cases();
  for (const uint64_t seed : {1, 2}) {
    std::set<std::string> sampled;
    const std::vector<Case> sample = sample_of_data(cases, 5, seed);
    for (const Case& one : sample) sampled.insert(one.op);
    EXPECT_EQ(sampled.size(), shipped_ops().all().size());
    EXPECT_LT(sample.size(), cases.size() / 20);  // two cases that differ only in warp size share a data set
  }
}

/// A case that omits its last mutant.
struct CaseWithoutAMutant : ForwardedCase {
  using ForwardedCase::ForwardedCase;
  std::vector<Hypothesis> mutants() const override {
    std::vector<Hypothesis> all = other().mutants();
    all.pop_back();
    return all;
  }
};

TEST(RecordedPower, ADroppedMutantIsNoticed) {
  std::vector<Case> cases = shipped_quick_cases();
  std::erase_if(cases, [](const Case& one) { return one.op != "rms_norm"; });
  const PowerRecords records = PowerRecords::read(ASSAY_SOURCE_DIR "/golden/power", cases, rows_read_by);
  const std::vector<Case> sample = {sample_of_data(cases, 5, 1).front()};
  const auto bound = [](const Case& one) { return shipped_ops().find("rms_norm").bind(one); };
  EXPECT_THAT(changed_power(records, sample, [&](const Case& one) { return power_to_record(*bound(one), one.blind_to); }),
              IsEmpty());
  const auto dropped = [&](const Case& one) { return power_to_record(CaseWithoutAMutant(bound(one)), one.blind_to); };
  EXPECT_THAT(changed_power(records, sample, dropped), ElementsAre(HasSubstr(" mutants, computed ")));
}

/// Edits contract tables; opens the shipped ones again at the end.
class RowsReadBy : public testing::Test {
 protected:
  fs::path root = testing::TempDir() + "assay_rows_read";

  void SetUp() override {
    fs::remove_all(root);
    fs::create_directories(root / "reference");
    fs::create_directories(root / "suites");
    fs::copy(ASSAY_SOURCE_DIR "/reference/contracts", root / "reference/contracts");
    fs::copy(ASSAY_SOURCE_DIR "/suites/equivalent.csv", root / "suites/equivalent.csv");
  }
  void TearDown() override {
    fs::remove_all(root);
    open_rulebook(ASSAY_SOURCE_DIR);
  }

  void edit(const std::string& file, const std::string& from, const std::string& to) const {
    std::ifstream in(root / file);
    std::string text{std::istreambuf_iterator<char>(in), {}};
    ASSERT_NE(text.find(from), std::string::npos) << file << ": " << from;
    text.replace(text.find(from), from.size(), to);
    std::ofstream(root / file) << text;
  }

  std::string rows(const std::string& contract) const {
    open_rulebook(root);
    Case one;
    one.parameters["contract"] = contract;
    return rows_read_by(one);
  }
  /// Whether the edit changes the text that a contract's records depend on.
  bool changes(const std::string& contract, const std::string& file, const std::string& from, const std::string& to) const {
    const std::string before = rows(contract);
    edit(file, from, to);
    return rows(contract) != before;
  }
};

TEST_F(RowsReadBy, AContractAreItsOwnCells) {
  EXPECT_TRUE(changes("vllm.group_fp8", "reference/contracts/quant.csv", "448,absmax max(1e-10)", "448,absmax max(1e-9)"));
  EXPECT_FALSE(changes("vllm.rms_norm_dynamic", "reference/contracts/quant.csv", "448,absmax max(1e-9)", "448,absmax max(1e-8)"));
}

TEST_F(RowsReadBy, AContractAreNotWordsAboutIt) {
  EXPECT_FALSE(changes("vllm.group_fp8", "reference/contracts/quant.csv", "fp32 scales of the CUDA op", "scales"));
}

TEST_F(RowsReadBy, AChainAreTheRowsOfItsStages) {
  EXPECT_TRUE(changes("vllm.rms_norm_per_block_quant", "reference/contracts/quant_norm.csv", "vllm.norm_block,e4m3fn,448",
                      "vllm.norm_block,e4m3fn,447"));
}

TEST_F(RowsReadBy, AGemmAreItsInstructionAndSiblings) {
  const std::string gemm = "torch.scaled_mm_tensor_fast.sm_90", units = "reference/contracts/units.csv";
  const auto edit_of = [&](const std::string& unit) {
    return changes(gemm, units, unit + ",32,take(32),ea+eb,align(13)", unit + ",32,take(32),ea+eb,align(12)");
  };
  EXPECT_TRUE(edit_of("sm_90.wgmma.e4m3.f32,e4m3fn,e4m3fn,f32"));
  EXPECT_TRUE(edit_of("sm_90.wgmma.e4m3.f16,e4m3fn,e4m3fn,f16"));
  EXPECT_FALSE(edit_of("sm_90.wgmma.e4m3_e5m2.f32,e4m3fn,e5m2,f32"));
}

TEST_F(RowsReadBy, AContractAreItsEquivalences) {
  EXPECT_TRUE(changes("vllm.group_fp8", "suites/equivalent.csv", "*,*,\"amax: max(1e-10) -> max(1e-10,keep)\"",
                      "*,bf16,\"amax: max(1e-10) -> max(1e-10,keep)\""));
}

TEST_F(RowsReadBy, EveryContractAreLayouts) {
  EXPECT_TRUE(changes("vllm.group_fp8", "reference/contracts/layouts.csv", ",c*m+r,", ",r+c*m,"));
}

}  // namespace
}  // namespace assay
