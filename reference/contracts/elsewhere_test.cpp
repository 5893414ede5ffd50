// Contracts that only other machines can run are identified by name, and none of them has a recorded run.
#include "reference/contracts/elsewhere.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "reference/contracts/evidence.h"

namespace assay {
namespace {

using ::testing::HasSubstr;

const ContractTables& elsewhere_tables() {
  static const ContractTables all = ContractTables::load("reference/contracts");
  return all;
}

TEST(Elsewhere, NoRowOfItHasARunOfItsImplementation) {
  const ElsewhereTable elsewhere = ElsewhereTable::load("reference/contracts/elsewhere.csv", elsewhere_tables());
  const EvidenceTable evidence = EvidenceTable::load("reference/contracts/evidence.csv", elsewhere_tables());
  for (const ContractRow& row : elsewhere_tables().rows())
    if (!elsewhere.needs(row.id).empty()) {
      EXPECT_NE(evidence.of(row).front().kind, EvidenceKind::kRan)
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
  EXPECT_THAT(problem_of_need("vllm.statik,gfx942,why"), HasSubstr("elsewhere.csv:2:1: contract: no contract is 'vllm.statik'"));
  EXPECT_THAT(problem_of_need("*_nowhere,gfx942,why"), HasSubstr("no contract is '*_nowhere'"));
  EXPECT_THAT(problem_of_need("vllm.static,,why"), HasSubstr("needs: is empty: expected what the contract needs, and why"));
}

}  // namespace
}  // namespace assay
