// Compares the reference with results that other sources state: a test for each row of special_facts.csv.
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <set>

#include "reference/flow/flow.h"
#include "reference/table/table.h"
#include "suites/rows/row_text.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

struct SpecialFact {
  std::string contract, x, scale, codes, source;
  int line;
};
void PrintTo(const SpecialFact& fact, std::ostream* out) { *out << fact.contract << " of " << fact.x; }

std::vector<SpecialFact> facts() {
  const Table table = read_table(ASSAY_SOURCE_DIR "/suites/special_facts.csv");
  table.require_columns(std::vector<std::string>{"contract", "x", "scale", "codes", "source"});
  std::vector<SpecialFact> all;
  for (const TableRow& row : table.rows)
    all.push_back({table.text(row, "contract"), table.text(row, "x"), table.text(row, "scale"), table.text(row, "codes"),
                   table.text(row, "source"), row.line});
  return all;
}

const ContractRow& contract(const std::string& id) {
  static const bool open = (open_rulebook(ASSAY_SOURCE_DIR), true);
  EXPECT_TRUE(open);
  return rulebook().contracts.find(id);
}

/// The reference's scale and codes for a fact; each is empty if the fact does not state it.
std::pair<std::string, std::string> answer_to(const SpecialFact& fact) {
  const SpecialAnswer answer = special_answer(contract(fact.contract), special_group(fact.x));
  return {fact.scale.empty() ? "" : answer.scale, fact.codes.empty() ? "" : fmt::format("{}", fmt::join(answer.codes, " "))};
}

class SpecialFacts : public testing::TestWithParam<SpecialFact> {};
TEST_P(SpecialFacts, IsWhatTheReferenceSays) {
  EXPECT_EQ(answer_to(GetParam()), std::pair(GetParam().scale, GetParam().codes)) << GetParam().source;
}
INSTANTIATE_TEST_SUITE_P(Facts, SpecialFacts, testing::ValuesIn(facts()),
                         [](const auto& info) { return "line_" + std::to_string(info.param.line); });

TEST(SpecialFacts, AFactOfAnotherContractIsSeenToDiffer) {
  SpecialFact zeros{"vllm.group_fp8_packed", "0", "55", "00", "byte 85 is that of the Triton fallback", 0};
  EXPECT_NE(answer_to(zeros), std::pair(zeros.scale, zeros.codes));
  zeros.contract = "vllm.per_tensor", zeros.scale = "00000000";
  EXPECT_NE(answer_to(zeros), std::pair(zeros.scale, zeros.codes)) << "0 / 0 is not a zero there";
}

TEST(SpecialTable, HasEveryContractAndTellsSome) {
  contract("vllm.group_fp8");
  const std::string table = special_table();
  std::set<std::string> answers;
  for (const ContractRow& row : rulebook().contracts.rows()) {
    if (!is_quantization(row)) continue;
    const size_t at = table.find("| " + row.id + " |");
    ASSERT_NE(at, std::string::npos) << row.id;
    answers.insert(table.substr(at + row.id.size() + 4, table.find('\n', at) - at));
  }
  EXPECT_GT(answers.size(), 20u) << "most contracts differ in some special value";
}

}  // namespace
}  // namespace assay
