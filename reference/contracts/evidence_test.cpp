// Every row of every table has evidence. Incomplete or excessive evidence is rejected with its position.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "reference/contracts/evidence.h"

namespace assay {
namespace {

using ::testing::HasSubstr;

const ContractTables& evidence_tables() {
  static const ContractTables all = ContractTables::load("reference/contracts");
  return all;
}

const EvidenceTable& evidence() {
  static const EvidenceTable all = EvidenceTable::load("reference/contracts/evidence.csv", evidence_tables());
  return all;
}

TEST(Evidence, NoRowIsWithout) {
  for (const ContractRow& row : evidence_tables().rows())
    EXPECT_FALSE(evidence().of(row).empty()) << row.file << ":" << row.line << ": " << row.id;
}

TEST(Evidence, TheStrongestComesFirst) {
  const std::vector<RowEvidence> found = evidence().of(evidence_tables().find("vllm.fp8_ds_mla"));
  ASSERT_GE(found.size(), 3u) << "two releases were run, and the source was read";
  EXPECT_EQ(found.front().kind, EvidenceKind::kRan);
  EXPECT_EQ(found.back().kind, EvidenceKind::kRead);
  EXPECT_THAT(found.front().text(), HasSubstr("ran: vllm 0."));
}

TEST(Evidence, ARowOfAUserHasNone) {
  ContractRow row = evidence_tables().find("torch.silu_mul");
  row.id = "mine.silu";
  row.cells["source"].text = "my kernel";
  EXPECT_TRUE(evidence().of(row).empty());
  row.cells["source"].text = "vllm csrc/activation_kernels.cu 00ccbd42";
  ASSERT_EQ(evidence().of(row).size(), 1u) << "a source with a commit was read";
  EXPECT_EQ(evidence().of(row).front().kind, EvidenceKind::kRead);
  row.cells["source"].text = "a talk in February";
  EXPECT_TRUE(evidence().of(row).empty()) << "letters of a word are not a commit";
}

std::string problem_of_run(const std::string& row) {
  const std::string file = testing::TempDir() + "evidence.csv";
  std::ofstream(file) << "contract,kind,of,flags,on,elements,date,result\n" << row << "\n";
  try {
    EvidenceTable::load(file, evidence_tables());
  } catch (const TableError& error) {
    return error.what();
  }
  return "";
}

TEST(Evidence, SaysWhatItRestsOn) {
  EXPECT_EQ(problem_of_run("vllm.static,ran,vllm 0.32.0,nvcc -O3,H200,12,2026-11-23,agrees"), "");
  EXPECT_THAT(problem_of_run("vllm.statik,ran,vllm 0.32.0,nvcc -O3,H200,12,2026-11-23,agrees"),
              HasSubstr("evidence.csv:2:1: contract: unknown contract"));
  EXPECT_THAT(problem_of_run("vllm.static,seen,vllm 0.32.0,,,,,"),
              HasSubstr("'seen' is not one of: ran, executed, read, inferred"));
  EXPECT_THAT(problem_of_run("vllm.static,read,,,,,,"), HasSubstr("of: "));
  EXPECT_THAT(problem_of_run("vllm.static,ran,vllm 0.32.0,nvcc -O3,,12,2026-11-23,agrees"),
              HasSubstr("on: is empty: a run needs"));
  EXPECT_THAT(problem_of_run("vllm.static,ran,vllm 0.32.0,nvcc -O3,H200,0,2026-11-23,agrees"),
              HasSubstr("elements: expected the number of compared elements"));
  EXPECT_THAT(problem_of_run("vllm.static,ran,vllm 0.32.0,nvcc -O3,H200,12,2026-11-23,"),
              HasSubstr("result: is empty: a run needs"));
  EXPECT_THAT(problem_of_run("vllm.static,ran,vllm 0.32.0,,H200,12,2026-11-23,agrees"),
              HasSubstr("flags: is empty: expected the flags of the build"));
  EXPECT_EQ(problem_of_run("torch.silu_mul,ran,torch 2.11.0,,H200,12,2026-11-23,agrees"), "");
  EXPECT_THAT(problem_of_run("vllm.static,read,vllm 0.32.0,,H200,,,"), HasSubstr("on: must be empty: the code was not run"));
}

TEST(Evidence, AnExecutionNamesCommitCompilerExecutorAndApproximations) {
  const std::string on = "gfx942 by assay_gcn 1; approximate: v_rcp_f32";
  EXPECT_EQ(problem_of_run("vllm.static,executed,vllm 0.33.0,clang 22.1.8 -O3," + on + ",12,2026-11-25,agrees"), "");
  EXPECT_THAT(problem_of_run("vllm.static,executed,vllm,clang 22.1.8 -O3," + on + ",12,2026-11-25,agrees"),
              HasSubstr("of: expected the version"));
  EXPECT_THAT(problem_of_run("vllm.static,executed,vllm 0.33.0,-O3," + on + ",12,2026-11-25,agrees"),
              HasSubstr("flags: expected compiler"));
  EXPECT_THAT(problem_of_run("vllm.static,executed,vllm 0.33.0,clang 22.1.8 -O3,gfx942,12,2026-11-25,agrees"),
              HasSubstr("on: expected architecture"));
  EXPECT_THAT(problem_of_run("vllm.static,executed,vllm 0.33.0,clang 22.1.8 -O3," + on + ",0,2026-11-25,agrees"),
              HasSubstr("elements: expected the number of compared elements"));
}

// Contracts that need other hardware are listed by name in elsewhere.csv, and none of them has a recorded run.

using ::testing::HasSubstr;

const ContractTables& elsewhere_tables() {
  static const ContractTables all = ContractTables::load("reference/contracts");
  return all;
}

/// Whether the unmodified code ran. Code that ran with substitutes for some instructions does not count.
bool ran_unchanged(const RowEvidence& evidence) {
  return evidence.kind == EvidenceKind::kRan && !evidence.flags.starts_with("with substitutes: ");
}

TEST(Elsewhere, NoRowOfItHasARunOfItsImplementation) {
  const ElsewhereTable elsewhere = ElsewhereTable::load("reference/contracts/elsewhere.csv", elsewhere_tables());
  const EvidenceTable evidence = EvidenceTable::load("reference/contracts/evidence.csv", elsewhere_tables());
  for (const ContractRow& row : elsewhere_tables().rows())
    if (!elsewhere.needs(row.id).empty()) {
      EXPECT_FALSE(ran_unchanged(evidence.of(row).front()))
          << row.id << " ran, and the table says that it needs " << elsewhere.needs(row.id);
    }
}

TEST(Elsewhere, NeedsAreOfWholeNames) {
  const ElsewhereTable elsewhere = ElsewhereTable::load("reference/contracts/elsewhere.csv", elsewhere_tables());
  EXPECT_EQ(elsewhere.needs("vllm.static_fnuz"), "gfx942");
  EXPECT_EQ(elsewhere.needs("vllm.static"), "");
  EXPECT_EQ(elsewhere.needs("ml_dtypes.e4m3fnuz"), "");
  EXPECT_EQ(elsewhere.needs("torch.scaled_mm_row.sm_100"), "sm_100");
  EXPECT_EQ(elsewhere.needs("torch.scaled_mm_row.sm_90"), "");
}

std::string problem_of_need(const std::string& row) {
  const std::string file = testing::TempDir() + "elsewhere.csv";
  std::ofstream(file) << "contract,needs,why\n" << row << "\n";
  try {
    ElsewhereTable::load(file, elsewhere_tables());
  } catch (const TableError& error) {
    return error.what();
  }
  return "";
}

TEST(Elsewhere, APatternStandsForARow) {
  EXPECT_EQ(problem_of_need("*_fnuz|vllm.static,gfx942,why"), "");
  EXPECT_THAT(problem_of_need("vllm.statik,gfx942,why"),
              HasSubstr("elsewhere.csv:2:1: contract: no contract matches 'vllm.statik'"));
  EXPECT_THAT(problem_of_need("*_nowhere,gfx942,why"), HasSubstr("no contract matches '*_nowhere'"));
  EXPECT_THAT(problem_of_need("vllm.static,,why"), HasSubstr("needs: is empty: expected what the contract needs, and why"));
}

}  // namespace

}  // namespace assay
