// Every value of a verdict appears in its JSON.
#include "harness/report/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "harness/testing/sample_verdicts.h"

namespace assay {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using testing::one_of_each;
using testing::one_wrong_row;

LibraryInfo toy_library() {
  LibraryInfo info;
  info.name = "mine";
  info.arch = "sm_90";
  info.device = "H200";
  info.driver = "570.1";
  info.toolkit = "13.0";
  return info;
}

json report(const RunResult& result) { return json::parse(json_text(result, toy_library(), {})); }

json report(const Verdict& verdict) {
  RunResult result;
  result.verdicts = {verdict};
  return report(result).at("verdicts").at(0);
}

TEST(Json, SaysWhichVersionLibraryAndEnding) {
  const json j = report(one_of_each());
  EXPECT_EQ(j.at("version"), kJsonVersion);
  EXPECT_EQ(j.at("library"), json({{"name", "mine"},
                                   {"arch", "sm_90"},
                                   {"device", "H200"},
                                   {"driver", "570.1"},
                                   {"toolkit", "13.0"},
                                   {"notes", json::array()}}));
  EXPECT_EQ(j.at("ending"), "NOT AS EXPECTED");
  EXPECT_EQ(j.at("counts"), json({{"pass", 1}, {"fail", 1}, {"skip", 1}, {"untrusted", 1}, {"broken", 1}}));
  EXPECT_EQ(j.at("verdicts").size(), 5u);
}

TEST(Json, HoldsEveryFieldOfAVerdict) {
  Verdict v = testing::truncating_kernel();
  v.arch = "sm_90";
  v.causes = {"one", "two"};
  v.message = "said so";
  const json j = report(v);
  EXPECT_EQ(j.at("case"), v.case_id);
  EXPECT_EQ(j.at("kernel"), "group_fp8");
  EXPECT_EQ(j.at("backend"), "cpu");
  EXPECT_EQ(j.at("outcome"), "fail");
  EXPECT_EQ(j.at("expected"), "pass");
  EXPECT_EQ(j.at("as_expected"), false);
  EXPECT_EQ(j.at("message"), "said so");
  EXPECT_EQ(j.at("causes"), json({"one", "two"}));
  EXPECT_EQ(j.at("why"), v.why);
  EXPECT_EQ(j.at("row"), v.origin);
  EXPECT_EQ(j.at("repro"), v.repro);
  EXPECT_EQ(j.at("arch"), "sm_90");
  EXPECT_EQ(j.at("seconds"), 0.25);
  const json& q = j.at("tensors").at(0);
  EXPECT_EQ(q.at("name"), "q");
  EXPECT_EQ(q.at("shape"), json({2, 256}));
  EXPECT_EQ(q.at("outside"), 223);
  EXPECT_EQ(q.at("toward_zero"), 223);
  EXPECT_EQ(q.at("reason"), "pinned: one code");
  EXPECT_EQ(q.at("notes").size(), 1u);
  const json& worst = q.at("worst");
  EXPECT_EQ(worst.at("at"), json({1, 7}));
  EXPECT_EQ(worst.at("code"), "0x55");
  EXPECT_EQ(worst.at("value"), 13);
  EXPECT_EQ(worst.at("low_code"), "0x56");
  EXPECT_EQ(worst.at("high"), 15);
  EXPECT_EQ(worst.at("ulps"), -1);
  EXPECT_FALSE(j.at("tensors").at(1).contains("worst")) << "all agree";
  EXPECT_EQ(j.at("tensors").at(1).at("budget_use"), 0.5);
}

TEST(Json, HoldsPictureAndPower) {
  const json j = report(one_wrong_row());
  EXPECT_EQ(j.at("power").at("faults"), 7);
  EXPECT_EQ(j.at("power").at("seen"), 6);
  EXPECT_EQ(j.at("power").at("blind_to"), json({"scale dropped"}));
  EXPECT_EQ(j.at("power").at("data").at(0).at("codes"), 1);
  const json& picture = j.at("tensors").at(0).at("picture");
  EXPECT_EQ(picture.at("cells"), json({5, 64}));
  EXPECT_EQ(picture.at("cell"), json({1, 16}));
  for (size_t i = 0; i < 5 * 64; ++i) EXPECT_EQ(picture.at("outside").at(i), i / 64 == 3 ? 16 : 0) << i;
  EXPECT_EQ(picture.at("distances"), json::parse(R"([{"bin": 4, "elements": 1024}])"));
  EXPECT_EQ(picture.at("magnitudes").at(0).at("worst_ulps"), 8);
  EXPECT_EQ(picture.at("around").size(), 5u);
}

TEST(Json, HoldsViolationsBetweenElementsAndWhereCausesWereSought) {
  Verdict v = testing::truncating_kernel();
  v.program = "split-K 2";
  v.looked_at = "100 of 4096 rows";
  v.violations = {{"one r for a row", "row 3: no single r explains it", 3, {{"y", 3, Place::kWholeRow}, {"q", 3, 7}}}};
  const json j = report(v);
  EXPECT_EQ(j.at("program"), "split-K 2");
  EXPECT_EQ(j.at("looked_at"), "100 of 4096 rows");
  EXPECT_EQ(j.at("violations"), json::parse(R"([{"rule": "one r for a row", "words": "row 3: no single r explains it",
    "places": [{"tensor": "y", "row": 3, "column": null}, {"tensor": "q", "row": 3, "column": 7}]}])"));
}

/// Paths of all keys. Skips objects whose keys are data, and leaves that the list describes as a whole.
void collect_paths(const json& value, const std::string& path, std::set<std::string>& paths) {
  const std::set<std::string> whole = {"counts",
                                       "gate.counts",
                                       "provenance.options",
                                       "provenance.library_file",
                                       "provenance.ledger",
                                       "provenance.tables[]",
                                       "verdicts[].ladder.absent",
                                       "verdicts[].power.data[]",
                                       "verdicts[].violations[].places[]",
                                       "verdicts[].tensors[].first",
                                       "verdicts[].tensors[].worst",
                                       "verdicts[].tensors[].picture.distances[]",
                                       "verdicts[].tensors[].picture.magnitudes[]",
                                       "verdicts[].tensors[].picture.around[]"};
  const std::set<std::string> arrays_of_numbers = {"verdicts[].tensors[].shape", "verdicts[].tensors[].picture.cell",
                                                   "verdicts[].tensors[].picture.cells", "verdicts[].tensors[].picture.outside",
                                                   "verdicts[].tensors[].picture.joint", "verdicts[].tensors[].picture.budget"};
  if (value.is_array() && !arrays_of_numbers.contains(path)) {
    paths.erase(path);
    paths.insert(path + "[]");
    for (const json& item : value) collect_paths(item, path + "[]", paths);
  }
  if (!value.is_object() || whole.contains(path)) return;
  for (const auto& [key, item] : value.items()) {
    const std::string at = path.empty() ? key : path + "." + key;
    paths.insert(at);
    collect_paths(item, at, paths);
  }
}

TEST(Json, EveryFieldIsDescribedAndNoOther) {
  RunResult result;
  result.verdicts = {one_wrong_row()};
  result.verdicts[0].climb.emplace();
  result.verdicts[0].violations = {{"one r for a row", "row 3", 3, {{"y", 3, 7}}}};
  result.verdicts[0].gate = GateFinding{.changes = {"y: 3 elements"}};
  result.gate = GateRun{.baseline = "before", .gaps = {"share 2/3"}};
  std::set<std::string> written, described;
  collect_paths(report(result), "", written);
  for (const ReportField& field : json_fields()) described.insert(field.name);
  EXPECT_EQ(written, described);
}

TEST(Json, NumbersThatJsonLacksAreStrings) {
  Verdict v = testing::truncating_kernel();
  v.tensors[0].worst.value = std::nan("");
  v.tensors[0].worst.low = -HUGE_VAL;
  v.tensors[0].worst.high = HUGE_VAL;
  const json worst = report(v).at("tensors").at(0).at("worst");
  EXPECT_EQ(worst.at("value"), "nan");
  EXPECT_EQ(worst.at("low"), "-inf");
  EXPECT_EQ(worst.at("high"), "inf");
}

TEST(Json, TextThatIsNoUtf8DoesNotEndTheReport) {
  Verdict v = testing::verdict(Outcome::kBroken);
  v.message = "bytes \xff\xc3 \"quoted\"\n";
  EXPECT_EQ(report(v).at("message"), "bytes \xEF\xBF\xBD\xEF\xBF\xBD \"quoted\"\n");
}

TEST(Json, EachVerdictStandsOnALineInTheOrderOfTheRun) {
  std::istringstream text(json_text(one_of_each(), toy_library(), {}));
  std::vector<std::string> ids;
  for (std::string line; std::getline(text, line);) {
    if (line.starts_with("{\"case\":")) ids.push_back(json::parse(line.substr(0, line.rfind('}') + 1)).at("case"));
  }
  EXPECT_THAT(ids, ::testing::ElementsAre("quant_group/a", "quant_group/e4m3fn.m2.n256.g128.ties.s17", "quant_group/b",
                                          "quant_group/c", "rms_norm/d"));
}

TEST(Json, AnEmptyRunIsApproved) {
  EXPECT_EQ(json_text({}, toy_library(), {}), R"({"version":1,
"library":{"name":"mine","arch":"sm_90","device":"H200","driver":"570.1","toolkit":"13.0","notes":[]},
"provenance":{"version":"","commit":"","begun":"","ended":"","ended_early":"","host":"","command":"","options":{},"share":"","library_file":null,"ledger":null,"tables":[],"evidence":"","power":""},
"ending":"NOTHING RAN",
"counts":{"pass":0,"fail":0,"skip":0,"untrusted":0,"broken":0},
"gate":null,
"verdicts":[
]}
)");
}

}  // namespace
}  // namespace assay
