// Every report states its provenance; without provenance, reports of two runs are equal.
#include "harness/report/provenance.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <pugixml.hpp>
#include <regex>

#include "harness/report/console.h"
#include "harness/report/report.h"
#include "harness/testing/sample_verdicts.h"
#include "reference/table/table.h"

namespace assay {
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
  p.evidence = "of 3 contracts judged: 2 ran";
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
                             "mine.csv", "of 3 contracts judged: 2 ran", "no watch works", "rounds upward"})
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
}  // namespace assay
