// Tests the gate's states in every report, and the reports for CI: Markdown, annotations of GitHub Actions, SARIF.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <pugixml.hpp>
#include <string>

#include "harness/report/console.h"
#include "harness/report/failure_groups.h"
#include "harness/report/report.h"
#include "harness/report/verdict_text.h"
#include "harness/testing/sample_verdicts.h"
#include "reference/table/table.h"

namespace assay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::gate_of_each_state;
using testing::truncating_kernel;
using Json = nlohmann::json;

constexpr const char* kStates =
    "1 new, 1 gone, 1 known, 1 fixed, 1 changed within the budget, 1 same bits, 1 not in the baseline";

/// The same verdicts without the gate, as in a report of any other verb.
RunResult without_gate() {
  RunResult result = gate_of_each_state();
  result.gate.reset();
  for (Verdict& v : result.verdicts) v.gate.reset();
  return result;
}

/// An open gate: only verdicts that let the gate pass.
RunResult open_gate() {
  RunResult result = gate_of_each_state();
  std::erase_if(result.verdicts, [](const Verdict& v) { return !v.gate->passes; });
  return result;
}

TEST(GateReports, TheConsoleCountsAllStatesAndNamesTheirCases) {
  const RunResult closed = gate_of_each_state();
  EXPECT_EQ(outcome_line(closed), std::string("GATE CLOSED: ") + kStates + "\n");
  EXPECT_EQ(outcome_line(open_gate()),
            "GATE OPEN: 0 new, 0 gone, 1 known, 1 fixed, 1 changed within the budget, 1 same bits, 1 not in the baseline\n");
  const std::string lists = gate_lists_text(closed, {});
  EXPECT_THAT(lists, HasSubstr("known:\ntoy/2 group_fp8: broken in the baseline too\n"));
  EXPECT_THAT(lists, HasSubstr("fixed:\ntoy/3 group_fp8: fail in the baseline\n"));
  EXPECT_THAT(lists, HasSubstr("changed within the budget:\ntoy/4 group_fp8\n  q [2, 256] e4m3fn: 3 of 512 elements changed\n"));
  EXPECT_THAT(lists, Not(HasSubstr("same bits:")));
  EXPECT_THAT(failures_text(closed, {.all = true}, false), HasSubstr("  gate      new: pass in the baseline\n"));
  EXPECT_EQ(gate_lists_text(without_gate(), {}), "");
}

TEST(GateReports, StatesThatClosedTheGateAreNotHidden) {
  RunResult strict = open_gate();
  strict.gate->strict = strict.gate->same_bits = true;
  for (Verdict& v : strict.verdicts)
    if (v.gate->state == GateState::kFixed || v.gate->state == GateState::kChanged) v.gate->passes = false;
  EXPECT_EQ(ending_text(strict), "GATE CLOSED");
  EXPECT_EQ(strict.unexpected(), 2);
  EXPECT_STREQ(gate_effect(GateState::kFixed, *strict.gate), "fails (--strict)");
  EXPECT_STREQ(gate_effect(GateState::kChanged, *strict.gate), "fails (--same-bits)");
  EXPECT_STREQ(gate_effect(GateState::kFixed, *open_gate().gate), "passes, with a note");
  EXPECT_STREQ(gate_effect(GateState::kChanged, *open_gate().gate), "passes");
}

TEST(GateReports, CsvHasAColumnForTheState) {
  const Table table = parse_table(csv_text(gate_of_each_state(), {}, {}), "report.csv");
  ASSERT_EQ(table.rows.size(), 8u) << "the first verdict has two tensors";
  EXPECT_EQ(table.text(table.rows[0], "gate"), "new");
  EXPECT_EQ(table.text(table.rows[5], "gate"), "changed within the budget");
  EXPECT_EQ(table.text(table.rows[5], "gate_note"), "q [2, 256] e4m3fn: 3 of 512 elements changed");
  EXPECT_EQ(table.text(table.rows[2], "as_expected"), "no") << "gone";
  EXPECT_EQ(table.text(table.rows[3], "as_expected"), "yes") << "known";
  EXPECT_EQ(table.text(table.rows[0], "run_schema"), "1");
  EXPECT_EQ(parse_table(csv_text(without_gate(), {}, {}), "report.csv").rows[0].cells.size(), table.rows[0].cells.size())
      << "columns do not depend on the verb";
}

TEST(GateReports, JsonCountsStatesAndStatesEachVerdict) {
  const Json json = Json::parse(json_text(gate_of_each_state(), {}, {}));
  EXPECT_EQ(json.at("gate").at("counts").at("same bits"), 1);
  EXPECT_EQ(json.at("gate").at("baseline"), "before");
  EXPECT_EQ(json.at("ending"), "GATE CLOSED");
  EXPECT_EQ(json.at("verdicts")[0].at("gate").at("state"), "new");
  EXPECT_EQ(json.at("verdicts")[3].at("gate").at("passes"), true);
  EXPECT_EQ(json.at("verdicts")[4].at("gate").at("changes").size(), 1u);
  const Json plain = Json::parse(json_text(without_gate(), {}, {}));
  EXPECT_TRUE(plain.at("gate").is_null());
  EXPECT_TRUE(plain.at("verdicts")[0].at("gate").is_null());
}

TEST(GateReports, JunitFailsNewAndGoneOnly) {
  pugi::xml_document document;
  ASSERT_TRUE(document.load_string(junit_text(gate_of_each_state(), {}, {}).c_str()));
  const pugi::xml_node suite = document.child("testsuites").child("testsuite");
  EXPECT_STREQ(suite.attribute("tests").value(), "7");
  EXPECT_STREQ(suite.attribute("failures").value(), "1") << "new";
  EXPECT_STREQ(suite.attribute("errors").value(), "1") << "gone: it has no verdict";
  EXPECT_STREQ(suite.attribute("skipped").value(), "1") << "known";
  std::vector<std::string> states;
  for (const pugi::xml_node testcase : suite.children("testcase")) {
    const pugi::xml_node state = testcase.child("properties").find_child_by_attribute("name", "gate");
    states.push_back(state.attribute("value").value());
  }
  EXPECT_THAT(states,
              ElementsAre("new", "gone", "known", "fixed", "changed within the budget", "same bits", "not in the baseline"));
  const pugi::xml_node failed = suite.child("testcase").child("failure");
  EXPECT_STREQ(failed.attribute("type").value(), "new");
  EXPECT_THAT(failed.attribute("message").value(), HasSubstr("new: pass in the baseline; q: 223 of 512"));
  EXPECT_THAT(junit_text(without_gate(), {}, {}), HasSubstr("failures=\"1\" errors=\"2\""));
}

TEST(GateReports, HtmlHasASectionWithAllStates) {
  const std::string page = html_text(gate_of_each_state(), {}, {});
  EXPECT_THAT(page, HasSubstr("<h2>Since the baseline</h2>"));
  EXPECT_THAT(page, HasSubstr("<td>changed within the budget</td><td>1</td><td>passes</td>"));
  EXPECT_THAT(page, HasSubstr("<td>new</td><td>1</td><td>fails</td>"));
  EXPECT_THAT(page, HasSubstr("GATE CLOSED"));
  EXPECT_THAT(html_text(without_gate(), {}, {}), Not(HasSubstr("Since the baseline")));
}

TEST(Markdown, HasAStateTableCausesAndLists) {
  LibraryInfo library;
  library.name = "mine";
  const std::string page = markdown_text(gate_of_each_state(), library, {});
  EXPECT_THAT(page, HasSubstr(std::string("## Assay: GATE CLOSED\n\n") + kStates + ".\n"));
  EXPECT_THAT(page, HasSubstr("| fixed | 1 | passes, with a note |\n"));
  EXPECT_THAT(page,
              HasSubstr("| 1 | fail | `q: 223 of 512 elements outside, worst 1 ulp at [1, 7]` | `group_fp8` | `toy/0` |\n"));
  EXPECT_THAT(page, HasSubstr("<details><summary>changed within the budget: 1</summary>\n\n- `toy/4` `group_fp8`: `q [2, 256] "
                              "e4m3fn: 3 of 512 elements changed`\n"));
  EXPECT_THAT(page, HasSubstr("  - row: `suites/quant_group/cases/quick.csv:3`\n"));
  EXPECT_THAT(page, Not(HasSubstr("`toy/2` | \n"))) << "a known failure is in no table of failures";
  EXPECT_THAT(markdown_text(open_gate(), library, {}), Not(HasSubstr("### Failed")));
  EXPECT_THAT(markdown_text(without_gate(), library, {}),
              HasSubstr("3 of 7 verdicts are not as expected (4 pass, 1 fail, 1 broken, 1 unjudged)"));
}

TEST(Markdown, TextOfALibraryIsNoMarkup) {
  RunResult result;
  result.verdicts = {truncating_kernel()};
  result.verdicts[0].kernel = "a`b|<script>\n# @team";
  EXPECT_THAT(markdown_text(result, {}, {}), HasSubstr("`a'b\\|<script>\\n# @team`"));
}

TEST(Markdown, FitsIntoAComment) {
  RunResult result = gate_of_each_state();
  for (int i = 0; i < 3000; ++i) {
    result.verdicts.push_back(truncating_kernel());
    result.verdicts.back().case_id = std::string(200, 'c') + std::to_string(i);
    result.verdicts.back().causes = {"cause " + std::string(400, char('a' + i % 26)) + std::string(1, char('a' + i / 26 % 26))};
    result.verdicts.back().gate = GateFinding{
        .state = i % 2 == 0 ? GateState::kKnown : GateState::kNew, .passes = i % 2 == 0, .note = std::string(500, 'n')};
  }
  const std::string page = markdown_text(result, {}, {});
  EXPECT_LE(page.size(), 60000u);
  EXPECT_THAT(page, HasSubstr("more causes.\n"));
  EXPECT_THAT(page, HasSubstr("- and 1481 more\n"));
}

TEST(Github, AnErrorForEachCauseAndANoticeForWhatIsFixed) {
  EXPECT_EQ(github_annotations(gate_of_each_state(), "/nowhere"),
            "::error title=Assay%3A new%2C fail::toy/0 group_fp8%0Aq: 223 of 512 elements outside, worst 1 ulp at [1, "
            "7]%0Aassay run --backend cpu --case 'quant_group/e4m3fn.m2.n256.g128.ties.s17'\n"
            "::error title=Assay%3A gone%2C unjudged::toy/1 group_fp8%0Agone: pass in the baseline; no recording has it "
            "now%0Aassay run --backend cpu --case 'quant_group/e4m3fn.m2.n256.g128.ties.s17'\n"
            "::notice title=Assay%3A fixed::toy/3 group_fp8%0Afail in the baseline\n");
  RunResult passes;
  passes.verdicts = {testing::verdict(Outcome::kPass)};
  EXPECT_EQ(github_annotations(passes, "/nowhere"), "");
}

TEST(Github, TextOfALibraryStartsNoCommand) {
  RunResult result;
  result.verdicts = {testing::verdict(Outcome::kBroken)};
  result.verdicts[0].message = "100%\n::set-env name=x::y\r";
  const std::string text = github_annotations(result, "");
  EXPECT_THAT(text, HasSubstr("100%25%0A::set-env"));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
}

TEST(CaseRows, AreRelativeToTheCheckoutThatHasThem) {
  const std::filesystem::path folder = std::filesystem::temp_directory_path() / ("assay_case_rows_" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder / "mine");
  std::ofstream(folder / "mine" / "own.csv") << "id\n";
  Verdict v = testing::verdict(Outcome::kFail);
  v.origin = (folder / "mine" / "own.csv").string() + ":7";
  EXPECT_EQ(row_of(v, folder.string()).file, "mine/own.csv");
  EXPECT_EQ(row_of(v, folder.string() + "/").file, "mine/own.csv");
  EXPECT_EQ(row_of(v, folder.string()).line, 7);
  EXPECT_EQ(row_of(v, "/elsewhere").file, (folder / "mine" / "own.csv").string());
  RunResult result;
  result.verdicts = {v};
  EXPECT_THAT(github_annotations(result, folder.string()), HasSubstr("::error file=mine/own.csv,line=7,title="))
      << "GitHub shows files of the checkout";
  EXPECT_THAT(github_annotations(result, "/elsewhere"), Not(HasSubstr("file=")));
  v.origin = "suites/none/cases/quick.csv:3";
  EXPECT_EQ(row_of(v, folder.string()).file, "suites/none/cases/quick.csv") << "a shipped table is in no checkout of the user";
  v.origin = "";
  EXPECT_EQ(row_of(v, folder.string()).file, "");
  std::filesystem::remove_all(folder);
}

TEST(Sarif, HasARuleForEachContractAndAResultForEachFailure) {
  RunResult gate = gate_of_each_state();
  gate.verdicts[2].deviation = "expects broken: crashes (#7)";
  const Json log = Json::parse(sarif_text(gate, {}, {}, "/nowhere"));
  EXPECT_EQ(log.at("version"), "2.1.0");
  const Json& run = log.at("runs").at(0);
  ASSERT_EQ(run.at("tool").at("driver").at("rules").size(), 1u);
  EXPECT_EQ(run.at("tool").at("driver").at("rules")[0].at("id"), "vllm.group_fp8");
  const Json& results = run.at("results");
  ASSERT_EQ(results.size(), 4u) << "new, gone, known and fixed";
  EXPECT_EQ(results[0].at("level"), "error");
  EXPECT_EQ(results[0].at("baselineState"), "new");
  EXPECT_EQ(results[0].at("locations")[0].at("physicalLocation").at("artifactLocation").at("uri"),
            "suites/quant_group/cases/quick.csv");
  EXPECT_EQ(results[0].at("locations")[0].at("physicalLocation").at("region").at("startLine"), 3);
  EXPECT_EQ(results[1].at("level"), "error");
  EXPECT_EQ(results[2].at("baselineState"), "unchanged");
  EXPECT_EQ(results[2].at("suppressions")[0].at("justification"), "expects broken: crashes (#7)");
  EXPECT_FALSE(results[0].contains("suppressions"));
  EXPECT_EQ(results[3].at("baselineState"), "absent");
  EXPECT_EQ(results[3].at("kind"), "informational");
  EXPECT_EQ(run.at("invocations")[0].at("exitCode"), 1);
  EXPECT_EQ(run.at("invocations")[0].at("executionSuccessful"), true);
  gate.ended_by = "SIGINT";
  EXPECT_EQ(Json::parse(sarif_text(gate, {}, {}, "")).at("runs").at(0).at("invocations")[0].at("executionSuccessful"), false);
}

TEST(Sarif, PathsBecomeUris) {
  RunResult result;
  result.verdicts = {truncating_kernel()};
  result.verdicts[0].origin = "own tables/é.csv:2";
  const Json log = Json::parse(sarif_text(result, {}, {}, "/nowhere"));
  const Json& found = log.at("runs").at(0).at("results").at(0);
  EXPECT_EQ(found.at("locations")[0].at("physicalLocation").at("artifactLocation").at("uri"), "own%20tables/%C3%A9.csv");
  EXPECT_FALSE(found.contains("baselineState")) << "nothing was compared";
}

}  // namespace
}  // namespace assay
