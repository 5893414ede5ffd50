// Reports, recordings and standard output are complete however a run ends, or the program reports what is lost.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <utility>

#include "harness/testing/program.h"
#include "reference/table/table.h"

namespace assay {
namespace {

namespace fs = std::filesystem;
using testing::Answer;
using testing::assay;
using testing::Cli;
using ::testing::HasSubstr;
using testing::kFewCases;
using ::testing::Not;
using testing::shell;

TEST_F(Cli, ARunOnTheCpuWritesItsReports) {
  const Answer run = assay(std::string("run ") + kFewCases + "--report console --report csv:" + file("r.csv") +
                           " --report junit:" + file("r.xml"));
  EXPECT_EQ(run.exit_code, 0) << run.text;
  EXPECT_THAT(run.text, HasSubstr("ALL AS EXPECTED"));
  EXPECT_GT(read_table(file("r.csv")).rows.size(), 0u);
  EXPECT_THAT(read_text(file("r.xml")), HasSubstr("<testsuite name=\"quant_group\""));
}

TEST_F(Cli, AReportThatCannotBeWrittenIsRefusedBeforeTheRun) {
  const Answer run = assay(std::string("run ") + kFewCases + "--report csv:" + file("r.csv") + " --report junit:/dev/null/r.xml");
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_EQ(run.text, "assay: --report junit:/dev/null/r.xml: cannot write /dev/null/r.xml: Not a directory\n");
  const std::string twice = "--report csv:" + file("r.csv") + " --report html:" + file("./r.csv");
  EXPECT_THAT(assay(std::string("run ") + kFewCases + twice).text, HasSubstr("goes to the file of --report csv:"));
}

TEST_F(Cli, AReportThatIsLostAtTheEndLosesNoOther) {
  const Answer run = assay(std::string("run ") + kFewCases + "--report csv:/dev/full --report junit:" + file("r.xml"));
  EXPECT_EQ(run.exit_code, 3);
  EXPECT_THAT(run.text, HasSubstr("cannot write /dev/full: No space left on device"));
  EXPECT_THAT(run.text, HasSubstr("ALL AS EXPECTED"));
  EXPECT_THAT(read_text(file("r.xml")), HasSubstr("<testsuite name=\"quant_group\""));
  EXPECT_TRUE(fs::is_character_file("/dev/full"));
}

TEST_F(Cli, ALostStandardOutputIsNoSuccess) {
  for (const std::string verb : {"list", "contracts list", "--help", "run --case 'quant_group/vllm.group_fp8/*/ties.s1/w32'"}) {
    const std::string command = "'" ASSAY_PROGRAM "' " + verb;
    EXPECT_EQ(shell(command + " >/dev/full").exit_code, 3) << verb;
    EXPECT_THAT(shell(command + " 2>&1 >/dev/full").text, HasSubstr("standard output was lost")) << verb;
    EXPECT_EQ(shell(command + " >&-").exit_code, 3) << verb;
  }
  const Answer piped =
      shell("set -o pipefail; '" ASSAY_PROGRAM "' run " + std::string(kFewCases) + "--report csv:" + file("p.csv") + " | true");
  EXPECT_NE(piped.exit_code, 0);
  EXPECT_GT(read_table(file("p.csv")).rows.size(), 0u) << "the reports are written though nobody reads the console";
}

TEST_F(Cli, AnInterruptedRunWritesWhatItHas) {
  for (const auto& [signal, code] : {std::pair("INT", 130), {"TERM", 143}}) {
    const Answer run = shell("'" ASSAY_PROGRAM "' run --suite quick --report junit:" + file("i.xml") + " --record " +
                             file(signal) + " & for i in {1..600}; do find " + file(signal) +
                             " -name \"*.safetensors\" 2>/dev/null | grep -q . && break; sleep 0.1; done;" +
                             " kill -" + signal + " $!; wait $!");
    EXPECT_EQ(run.exit_code, code) << run.text;
    EXPECT_THAT(run.text, HasSubstr(std::string("ENDED EARLY by SIG") + signal));
    EXPECT_THAT(read_text(file("i.xml")), HasSubstr(std::string("message=\"ENDED EARLY by SIG") + signal));
    EXPECT_THAT(assay("judge " + file(signal)).text,
                HasSubstr("BUT INCOMPLETE: " + file(signal) + ": its run was ended early by SIG"));
  }
}

TEST_F(Cli, SharesOfARunAreOneRecordingAndAMissingOneIsSeen) {
  const std::string run =
      std::string("run ") + "--case 'quant_group/vllm.group_fp8/*/ties.s1/*' --record " + file("n1") + " --shard ";
  EXPECT_EQ(assay(run + "1/3").exit_code, 0);
  EXPECT_EQ(assay(run + "3/3").exit_code, 0);
  const Answer two = assay("judge " + file("n1"));
  EXPECT_EQ(two.exit_code, 1);
  EXPECT_THAT(two.text, HasSubstr("BUT INCOMPLETE: 1 of 3 shares of the run on assay_cpu are missing: 2/3"));
  EXPECT_THAT(assay(run + "1/3").text, HasSubstr("holds a recording already (index.1of3.json)"));
  EXPECT_THAT(assay(run + "1/2").text, HasSubstr("holds a recording already"));
  EXPECT_EQ(assay(run + "2/3").exit_code, 0);
  const Answer all = assay("judge " + file("n1"));
  EXPECT_EQ(all.exit_code, 0) << all.text;
  EXPECT_THAT(all.text, Not(HasSubstr("INCOMPLETE")));
}

TEST_F(Cli, ARecordingThatCannotBeWrittenIsRefusedBeforeTheRun) {
  const Answer run = assay(std::string("run ") + kFewCases + "--record /dev/null/n1");
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_EQ(run.text, "assay: --record /dev/null/n1: cannot write /dev/null/n1/index.json: Not a directory\n");
}

}  // namespace
}  // namespace assay
