// Tests all file reports: text from a library is escaped, and --report rejects unknown kinds.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <pugixml.hpp>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <utility>

#include "harness/report/console.h"
#include "harness/report/provenance.h"
#include "harness/report/report.h"
#include "harness/report/verdict_text.h"
#include "harness/testing/sample_verdicts.h"
#include "harness/text/messages.h"
#include "reference/table/table.h"

namespace assay {
namespace {

using ::testing::HasSubstr;
using testing::verdict;

TEST(Reports, BytesOfALibraryCannotSteerTheTerminalOrBreakALine) {
  RunResult result;
  result.verdicts = {verdict(Outcome::kBroken)};
  result.verdicts[0].message = std::string("\x1b[2J\xff\0\nALL AS EXPECTED", 22);
  const std::string words = "\\x1b[2J\\xff\\x00\\nALL AS EXPECTED";
  EXPECT_THAT(failure_text(result.verdicts[0]), HasSubstr("  reason    " + words + "\n"));
  EXPECT_THAT(csv_text(result, {}, {}), HasSubstr("," + words + ","));
  EXPECT_THAT(junit_text(result, {}, {}), HasSubstr("\\x1b[2J\\xff\\x00"));
}

TEST(ReportOption, UnknownKindsListWhatThereIs) {
  EXPECT_EQ(parse_report("console").kind, ReportKind::kConsole);
  EXPECT_EQ(parse_report("csv:out:1.csv").file, "out:1.csv");
  EXPECT_EQ(parse_report("junit:x.xml").kind, ReportKind::kJunit);
  EXPECT_EQ(parse_report("json:x").kind, ReportKind::kJson);
  EXPECT_EQ(parse_report("html:x").kind, ReportKind::kHtml);
  const auto error_of = [](const std::string& text) -> std::string {
    try {
      parse_report(text);
    } catch (const UsageError& error) {
      return error.what();
    }
    return "no error";
  };
  const std::string known = "; reports: console, github, csv:FILE, junit:FILE, json:FILE, html:FILE, md:FILE, sarif:FILE";
  EXPECT_EQ(error_of("pdf:x"), "--report pdf:x: unknown report 'pdf'" + known);
  EXPECT_EQ(error_of("csv"), "--report csv: a file name is missing" + known);
  EXPECT_EQ(error_of("html:"), "--report html:: a file name is missing" + known);
  EXPECT_EQ(parse_report("md:x").kind, ReportKind::kMarkdown);
  EXPECT_EQ(parse_report("sarif:x").kind, ReportKind::kSarif);
  EXPECT_EQ(parse_report("github").kind, ReportKind::kGithub);
  EXPECT_EQ(error_of("github:x"), "--report github:x: github takes no file" + known);
  EXPECT_EQ(error_of("console:x"), "--report console:x: console takes no file" + known);
}

}  // namespace

// The CSV report can be parsed again, and every column has the value that was written.
namespace {

using testing::one_of_each;
using testing::truncating_kernel;

TEST(Csv, IsReadBackByTheTableReader) {
  const Table table = parse_table(csv_text(one_of_each(), {}, {}), "report.csv");
  ASSERT_EQ(table.rows.size(), 6u) << "a row for each tensor, one for a verdict without";
  EXPECT_EQ(table.text(table.rows[1], "tensor"), "q");
  EXPECT_EQ(table.integer(table.rows[1], "outside"), 223);
  EXPECT_EQ(table.text(table.rows[2], "tensor"), "scale");
  EXPECT_EQ(table.text(table.rows[2], "budget_use"), "0.5000");
  EXPECT_EQ(table.text(table.rows[3], "message"), one_of_each().verdicts[2].message);
  EXPECT_EQ(table.text(table.rows[3], "as_expected"), "no");
  EXPECT_EQ(table.text(table.rows[4], "as_expected"), "yes");
  EXPECT_EQ(table.text(table.rows[0], "faults_seen"), "") << "not computed";
}

TEST(Csv, ProgramsStandBesideTheirVerdict) {
  RunResult result;
  result.verdicts = {truncating_kernel()};
  result.verdicts[0].program = "split-K 2", result.verdicts[0].program_said = "split-K 3";
  const Table table = parse_table(csv_text(result, {}, {}), "report.csv");
  EXPECT_EQ(table.text(table.rows[0], "program"), "split-K 2");
  EXPECT_EQ(table.text(table.rows[0], "program_said"), "split-K 3");
  EXPECT_EQ(program_text(result.verdicts[0]), "split-K 2; the library said split-K 3");
}

TEST(Csv, PowerStandsInItsLastColumns) {
  RunResult result;
  result.verdicts = {truncating_kernel()};
  DataPower q{"q", "e4m3fn", 512, {}, 3, 2, 1};
  q.codes.set(0x38).set(0xb8);
  result.verdicts[0].power = {7, {"scale dropped"}, {q}};
  const Table table = parse_table(csv_text(result, {}, {}), "report.csv");
  for (const auto& [column, cell] : {std::pair("faults_seen", "6"), std::pair("faults", "7"), std::pair("codes_visited", "2"),
                                     std::pair("power_elements", "512"), std::pair("power_subnormal", "3"),
                                     std::pair("power_saturated", "2"), std::pair("power_nan", "1")}) {
    EXPECT_EQ(table.text(table.rows[0], column), cell) << column;
  }
  EXPECT_EQ(table.text(table.rows[1], "faults_seen"), "6") << "of the case";
  EXPECT_EQ(table.text(table.rows[1], "codes_visited"), "") << "of a tensor that was not looked at";
}

}  // namespace

// Approval test of the JUnit report; known failures are not failures in it.
namespace {

using ::testing::HasSubstr;
using testing::one_of_each;
using testing::truncating_kernel;

TEST(Junit, IsApproved) {
  LibraryInfo library;
  library.name = "assay <cpu>";
  library.arch = "cpu";
  RunResult result = one_of_each();
  result.verdicts.erase(result.verdicts.begin() + 1);
  EXPECT_EQ(junit_text(result, library, {}), R"(<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="assay" tests="4" failures="1" errors="1" skipped="1" time="1.000000">
  <testsuite name="quant_group" tests="3" failures="0" errors="1" skipped="1" time="0.750000">
    <properties>
      <property name="library" value="assay &lt;cpu>" />
      <property name="arch" value="cpu" />
    </properties>
    <testcase classname="quant_group" name="quant_group/a [group_fp8]" time="0.250000" />
    <testcase classname="quant_group" name="quant_group/b [group_fp8]" time="0.250000">
      <error type="broken" message="wrote outside 'q': 1 byte behind its end &lt;&amp;&quot;'>, first 0 bytes behind it">BROKEN  quant_group/b
  reason    wrote outside 'q': 1 byte behind its end &lt;&amp;"'&gt;, first 0 bytes behind it
  kernel    group_fp8 of back end cpu
  row       suites/quant_group/cases/quick.csv:3  every quotient lies halfway between two codes
  repro     assay run --backend cpu --case 'quant_group/b'
  next      assay explain quant_group/b --backend cpu --kernel group_fp8 --minimize finds the smallest case that still breaks
</error>
    </testcase>
    <testcase classname="quant_group" name="quant_group/c" time="0.250000">
      <skipped message="no kernel for contract vllm.group_fp8" />
    </testcase>
  </testsuite>
  <testsuite name="rms_norm" tests="1" failures="1" errors="0" skipped="0" time="0.250000">
    <properties>
      <property name="library" value="assay &lt;cpu>" />
      <property name="arch" value="cpu" />
    </properties>
    <testcase classname="rms_norm" name="rms_norm/d [group_fp8]" time="0.250000">
      <failure type="untrusted" message="blind to scale dropped">UNTRUSTED  rms_norm/d
  reason    blind to scale dropped
  kernel    group_fp8 of back end cpu
  row       suites/quant_group/cases/quick.csv:3  every quotient lies halfway between two codes
  repro     assay run --backend cpu --case 'rms_norm/d'
</failure>
    </testcase>
  </testsuite>
</testsuites>
)");
}

TEST(Junit, AnExpectedDeviationIsNoFailure) {
  RunResult result;
  result.verdicts = {truncating_kernel()};
  result.verdicts[0].expected = "fail";
  result.verdicts[0].deviation = "expects fail: truncates (#7)";
  const std::string text = junit_text(result, {}, {});
  EXPECT_THAT(text, HasSubstr("failures=\"0\""));
  EXPECT_THAT(
      text,
      HasSubstr("<skipped message=\"expects fail: truncates (#7); q: 223 of 512 elements outside, worst 1 ulp at [1, 7]\" />"));
}

}  // namespace

// Every report states its provenance; without provenance, reports of two runs are equal.

namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using testing::one_of_each;

Provenance known(const std::string& begun, const std::string& host) {
  Provenance p;
  p.version = "1.2.3";
  p.commit = "0123abc+edited";
  p.begun = begun;
  p.ended = begun;
  p.ended_early = "SIGINT";
  p.host = host;
  p.command = "assay run --case '*/w32'";
  p.options = {{"repeat", "1"}, {"suite", "a b"}};
  p.share = "2/4 (--shard)";
  p.library = {"build/libmine.so", "xxh3:00000000000000ff"};
  p.ledger = {"known.csv", "xxh3:000000000000000a"};
  p.tables = {{"mine.csv", "xxh3:000000000000000b"}};
  p.evidence = "of 3 contracts checked: 2 ran";
  return p;
}

LibraryInfo library() {
  LibraryInfo info;
  info.name = "mine";
  info.device = "H200";
  info.notes = {"no watch works", "rounds upward"};
  return info;
}

std::string without(const std::string& text, const std::string& line_of) {
  return std::regex_replace(text, std::regex("(^|\n)" + line_of + "[^\n]*"), "");
}

TEST(Provenance, StandsInEveryReport) {
  const Provenance p = known("2026-11-23T02:50:53Z", "here");
  const RunResult result = one_of_each();
  for (const std::string& text :
       {json_text(result, library(), p), csv_text(result, library(), p), html_text(result, library(), p),
        junit_text(result, library(), p), provenance_text(p, library())}) {
    for (const char* fact : {"1.2.3", "0123abc+edited", "2026-11-23T02:50:53Z", "SIGINT", "here", "*/w32", "2/4 (--shard)",
                             "H200", "build/libmine.so", "xxh3:00000000000000ff", "known.csv", "xxh3:000000000000000a",
                             "mine.csv", "of 3 contracts checked: 2 ran", "no watch works", "rounds upward"})
      EXPECT_THAT(text, HasSubstr(fact)) << text.substr(0, 40);
  }
  const Table table = parse_table(csv_text(result, library(), p), "report.csv");
  EXPECT_EQ(table.text(table.rows[0], "run_options"), "repeat=1 suite='a b'");
  ASSERT_GT(table.rows.size(), 1u);
  const std::string id = table.text(table.rows[0], "run_id");
  EXPECT_EQ(id.size(), 8u);
  for (size_t row = 1; row < table.rows.size(); ++row) {
    EXPECT_EQ(table.text(table.rows[row], "run_id"), id);
    for (const std::string& column : table.columns)
      if (column.starts_with("run_") && column != "run_id") {
        EXPECT_EQ(table.text(table.rows[row], column), "") << column << ": it stands in the first row";
      }
  }
  EXPECT_NE(run_id(facts_of(p, library())), run_id(facts_of(known("2026-11-23T02:50:54Z", "here"), library())));
  pugi::xml_document xml;
  ASSERT_TRUE(xml.load_string(junit_text(result, library(), p).c_str()));
  const pugi::xml_node suite = xml.child("testsuites").child("testsuite");
  EXPECT_STREQ(suite.attribute("timestamp").value(), "2026-11-23T02:50:53Z");
  EXPECT_STREQ(suite.attribute("hostname").value(), "here");
}

TEST(Provenance, CanBeTakenOutOfAReportAndTheRestIsTheSame) {
  const Provenance one = known("2026-11-23T02:50:53Z", "here"), other = known("2027-01-01T00:00:00Z", "there");
  const RunResult result = one_of_each();
  const std::string line = "\"provenance\"";
  EXPECT_NE(json_text(result, library(), one), json_text(result, library(), other));
  EXPECT_EQ(without(json_text(result, library(), one), line), without(json_text(result, library(), other), line));
  EXPECT_EQ(without(provenance_text(one, library()), "run_"), without(provenance_text(other, library()), "run_"));
  const Table a = parse_table(csv_text(result, library(), one), "a"), b = parse_table(csv_text(result, library(), other), "b");
  ASSERT_EQ(a.columns, b.columns);
  for (size_t row = 0; row < a.rows.size(); ++row)
    for (const std::string& column : a.columns)
      if (!column.starts_with("run_")) {
        EXPECT_EQ(a.text(a.rows[row], column), b.text(b.rows[row], column)) << column;
      }
}

TEST(Provenance, AFileIsKnownByItsBytes) {
  const std::string path = std::filesystem::temp_directory_path() / ("assay_stamp_" + std::to_string(::getpid()));
  std::ofstream(path) << "abc";
  EXPECT_EQ(stamp_of(path).digest, "xxh3:78af5f94892f3950") << "as xxhsum -H3 prints it";
  EXPECT_EQ(stamp_of(path).text(), path + " (xxh3:78af5f94892f3950)");
  std::filesystem::remove(path);
  EXPECT_EQ(stamp_of(path).digest, "") << "it is gone";
  EXPECT_EQ(stamp_of("").text(), "");
  EXPECT_EQ(stamp_of("/").text(), "/") << "a folder has no bytes";
}

TEST(Provenance, TheCommandCanBePastedIntoAShell) {
  EXPECT_EQ(begin_provenance("1", "unknown", {"build/assay", "run", "--case", "*/w32", "it's"}).command,
            "build/assay run --case '*/w32' 'it'\\''s'");
  EXPECT_THAT(begin_provenance("1", "unknown", {}).begun, ::testing::MatchesRegex("20..-..-..T..:..:..Z"));
}

TEST(Junit, TheMessageOfAFailureHoldsItsCause) {
  RunResult result;
  result.verdicts = {testing::one_wrong_row()};
  pugi::xml_document xml;
  ASSERT_TRUE(xml.load_string(junit_text(result, {}, {}).c_str()));
  const pugi::xml_node failure = xml.child("testsuites").child("testsuite").child("testcase").child("failure");
  EXPECT_STREQ(failure.attribute("message").value(),
               "q: 1024 of 5120 elements outside, worst 8 ulp at [3, 0]; cause: explains 1024 of 1024 failing elements: scale: "
               "<doubled>");
}

}  // namespace

// Every value of a verdict appears in its JSON.

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

/// Paths of all keys. Skips objects whose keys are data, and objects that json_fields() lists as one field.
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
