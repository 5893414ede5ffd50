// Every contract has evidence, and incomplete or excessive evidence is rejected with its position.
#include "reference/contracts/evidence.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

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
  for (const ContractRow& row : evidence_tables().rows()) EXPECT_FALSE(evidence().of(row).empty()) << row.file << ":" << row.line << ": " << row.id;
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
  EXPECT_TRUE(evidence().of(row).empty()) << "letters of a word are no commit";
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
  EXPECT_THAT(problem_of_run("vllm.statik,ran,vllm 0.32.0,nvcc -O3,H200,12,2026-11-23,agrees"), HasSubstr("evidence.csv:2:1: contract: unknown contract"));
  EXPECT_THAT(problem_of_run("vllm.static,seen,vllm 0.32.0,,,,,"), HasSubstr("'seen' is not one of: ran, executed, read, inferred"));
  EXPECT_THAT(problem_of_run("vllm.static,read,,,,,,"), HasSubstr("of: "));
  EXPECT_THAT(problem_of_run("vllm.static,ran,vllm 0.32.0,nvcc -O3,,12,2026-11-23,agrees"), HasSubstr("on: is empty: a run needs"));
  EXPECT_THAT(problem_of_run("vllm.static,ran,vllm 0.32.0,nvcc -O3,H200,0,2026-11-23,agrees"), HasSubstr("elements: a run compares"));
  EXPECT_THAT(problem_of_run("vllm.static,ran,vllm 0.32.0,nvcc -O3,H200,12,2026-11-23,"), HasSubstr("result: is empty: a run needs"));
  EXPECT_THAT(problem_of_run("vllm.static,ran,vllm 0.32.0,,H200,12,2026-11-23,agrees"), HasSubstr("flags: is empty: expected the flags of the build"));
  EXPECT_EQ(problem_of_run("torch.silu_mul,ran,torch 2.11.0,,H200,12,2026-11-23,agrees"), "");
  EXPECT_THAT(problem_of_run("vllm.static,read,vllm 0.32.0,,H200,,,"), HasSubstr("on: must be empty: the code was not run"));
}

TEST(Evidence, AnExecutionNamesCommitCompilerExecutorAndApproximations) {
  const std::string on = "gfx942 by assay_gcn 1; approximate: v_rcp_f32";
  EXPECT_EQ(problem_of_run("vllm.static,executed,vllm 0.33.0,clang 22.1.8 -O3," + on + ",12,2026-11-25,agrees"), "");
  EXPECT_THAT(problem_of_run("vllm.static,executed,vllm,clang 22.1.8 -O3," + on + ",12,2026-11-25,agrees"), HasSubstr("of: expected the version"));
  EXPECT_THAT(problem_of_run("vllm.static,executed,vllm 0.33.0,-O3," + on + ",12,2026-11-25,agrees"), HasSubstr("flags: expected compiler"));
  EXPECT_THAT(problem_of_run("vllm.static,executed,vllm 0.33.0,clang 22.1.8 -O3,gfx942,12,2026-11-25,agrees"), HasSubstr("on: expected architecture"));
  EXPECT_THAT(problem_of_run("vllm.static,executed,vllm 0.33.0,clang 22.1.8 -O3," + on + ",0,2026-11-25,agrees"), HasSubstr("elements: a run compares"));
}

}  // namespace
}  // namespace assay
