// Complaints: an invalid row of a rules table with its place, a fault that Assay misses, a healthy kernel that it rejects, a rule
// that was never applied.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "reference/table/table.h"
#include "suites/judges/edited_answers.h"
#include "suites/judges/tables.h"

namespace assay::judges {
namespace {

/// The error of load_rules for a table.
std::string complaint_about(const std::string& rows) {
  const std::string file = testing::TempDir() + "judges_rules.csv";
  std::ofstream(file) << "rule,ops,recipe,pairs,part,what,measure,bounds,source,status,why\n" << rows;
  try {
    load_rules(file);
  } catch (const TableError& error) {
    return std::to_string(error.line()) + ":" + std::to_string(error.column()) + " " + error.name() + ": " + error.problem();
  }
  return "";
}

TEST(Rules, AWrongRowIsNamedWithItsPlace) {
  using testing::HasSubstr;
  EXPECT_EQ(complaint_about("a,quant,r,,1,codes,bits,,s,read,w\n"), "");
  EXPECT_THAT(complaint_about("a,quant,r,,1,codes,clos,atol=1,s,read,w\n"),
              HasSubstr("2:20 measure: unknown 'clos'; did you mean 'close'"));
  EXPECT_THAT(complaint_about("a,quant,r,,1,codes,close,rtol=1,s,read,w\n"), HasSubstr("2:26 bounds: close needs atol"));
  EXPECT_THAT(complaint_about("a,quant,r,,1,codes,close,atol=x,s,read,w\n"),
              HasSubstr("bounds: 'atol=x' is not a name, '=' and a number"));
  EXPECT_THAT(complaint_about("a,quant,r,,1,codes,bits,atol=1,s,read,w\n"), HasSubstr("bounds: unknown 'atol'"));
  EXPECT_THAT(complaint_about("a,quant,r,,2,codes,bits,,s,read,w\n"), HasSubstr("part: part 2 after 0"));
  EXPECT_THAT(complaint_about("a,quant,r,,1,codes,bits,only=int9,s,read,w\n"), HasSubstr("bounds: 'int9' is no format"));
  EXPECT_THAT(complaint_about("a,quant,r,a.b,1,codes,bits,,s,read,w\n"),
              HasSubstr("pairs: 'a.b' is not two contracts with '~' between"));
  EXPECT_THAT(complaint_about("a,quants,r,,1,codes,bits,,s,read,w\n"), HasSubstr("ops: unknown 'quants'; did you mean 'quant'"));
  EXPECT_THAT(complaint_about("a,quant,r,,1,codes,bits,,,read,w\n"), HasSubstr("source: the first row of a rule must say it"));
}

Entry entry(const std::string& name, bool healthy, int64_t refused) {
  Entry made{{name, healthy, nullptr, {}}, {}};
  made.marks.kind = "quant";
  made.marks.assay = {.cases = 3, .refused = refused};
  for (const Rule& r : rules()) made.marks.on_recipe[r.id][1] = {.cases = 1};
  return made;
}

TEST(Complaints, AMissedFaultAndARefusedHealthyKernel) {
  std::vector<Rule> quant_rules = rules();
  std::erase_if(quant_rules, [](const Rule& r) { return !r.is_for("quant"); });
  EXPECT_TRUE(complaints(quant_rules, {entry("seen", false, 1), entry("well", true, 0)}).empty());
  EXPECT_THAT(complaints(quant_rules, {entry("unseen", false, 0)}), testing::ElementsAre("Assay does not see unseen"));
  EXPECT_THAT(complaints(quant_rules, {entry("well", true, 1)}), testing::ElementsAre("Assay refuses well, which is healthy"));
  EXPECT_EQ(complaints(quant_rules, {}).size(), quant_rules.size());
}

}  // namespace
}  // namespace assay::judges
