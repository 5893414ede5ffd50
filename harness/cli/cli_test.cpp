// The program as its users meet it: arguments in, text and exit code out.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "reference/table/table.h"

namespace assay {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

struct Answer {
  int exit_code;
  std::string text;  ///< standard output and error
};

Answer assay(const std::string& arguments, const std::string& environment = "") {
  FILE* pipe = ::popen((environment + " '" ASSAY_PROGRAM "' " + arguments + " 2>&1").c_str(), "r");
  std::string text;
  char chunk[4096];
  for (size_t got; (got = std::fread(chunk, 1, sizeof chunk, pipe)) > 0;) text.append(chunk, got);
  const int status = ::pclose(pipe);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, text};
}

std::string library(const std::string& name) { return ASSAY_TESTING_FOLDER "/libassay_testing_" + name + ".so"; }

constexpr const char* kFewCases = "--case 'quant_group/vllm.group_fp8/*/ties.s1/w32' ";

class Cli : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("assay_cli_" + std::to_string(::getpid()));
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::string file(const std::string& name) const { return (folder_ / name).string(); }
  fs::path folder_;
};

TEST_F(Cli, HelpNamesTheVerbsButNotTheWorker) {
  const Answer help = assay("--help");
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_THAT(help.text, HasSubstr("run "));
  EXPECT_THAT(help.text, HasSubstr("list "));
  EXPECT_THAT(help.text, Not(HasSubstr("worker")));
  EXPECT_EQ(assay("--version").exit_code, 0);
}

TEST_F(Cli, WrongCommandLinesAreExitCode2) {
  EXPECT_EQ(assay("").exit_code, 2);
  EXPECT_EQ(assay("rnu").exit_code, 2);
  EXPECT_EQ(assay("run --seed 3").exit_code, 2) << "the command line selects, it sets no parameter";
  EXPECT_EQ(assay("run --warp 16").exit_code, 2);
  EXPECT_EQ(assay("run --repeat 0").exit_code, 2);
  const Answer suite = assay("run --suite quant_gruop");
  EXPECT_EQ(suite.exit_code, 2);
  EXPECT_THAT(suite.text, HasSubstr("no suite 'quant_gruop'; did you mean 'quant_group'"));
  const Answer report = assay("run --report pdf:x");
  EXPECT_EQ(report.exit_code, 2);
  EXPECT_THAT(report.text, HasSubstr("reports: console, csv:FILE"));
  const Answer backend = assay("run --backend cpuu");
  EXPECT_EQ(backend.exit_code, 2);
  EXPECT_THAT(backend.text, HasSubstr("no back end 'cpuu' beside the program; did you mean 'cpu'"));
  const Answer nothing = assay("run --case no/such/case");
  EXPECT_EQ(nothing.exit_code, 2);
  EXPECT_THAT(nothing.text, HasSubstr("no case is selected"));
}

TEST_F(Cli, ListPrintsOneIdALine) {
  const Answer all = assay("list"), few = assay(std::string("list ") + kFewCases);
  EXPECT_EQ(all.exit_code, 0);
  EXPECT_EQ(few.exit_code, 0);
  EXPECT_THAT(all.text, HasSubstr(few.text.substr(0, few.text.find('\n') + 1)));
  EXPECT_LT(few.text.size(), all.text.size());
}

TEST_F(Cli, ARunOnTheCpuWritesItsReports) {
  const Answer run = assay(std::string("run ") + kFewCases + "--report console --report csv:" + file("r.csv") +
                           " --report junit:" + file("r.xml"));
  EXPECT_EQ(run.exit_code, 0) << run.text;
  EXPECT_THAT(run.text, HasSubstr("ALL AS EXPECTED"));
  EXPECT_GT(read_table(file("r.csv")).rows.size(), 0u);
  EXPECT_THAT(read_text(file("r.xml")), HasSubstr("<testsuite name=\"quant_group\""));
}

TEST_F(Cli, AReportThatCannotBeWrittenIsNoSuccess) {
  const Answer run = assay(std::string("run ") + kFewCases + "--report csv:/dev/null/r.csv");
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_THAT(run.text, HasSubstr("cannot write /dev/null/r.csv"));
}

/// Without the lines that say which run it was.
std::string without_provenance(const std::string& text) {
  std::istringstream lines(text);
  std::string kept;
  for (std::string line; std::getline(lines, line);)
    if (!line.starts_with("run_")) kept += line + "\n";
  return kept;
}

TEST_F(Cli, ALibraryGivenByPathRunsInAWorkerWithTheSameVerdicts) {
  const std::string path = fs::path(ASSAY_PROGRAM).parent_path() / "libassay_cpu.so";
  const Answer named = assay(std::string("run ") + kFewCases),
               worker = assay(std::string("run ") + kFewCases + "--backend " + path);
  EXPECT_EQ(worker.exit_code, 0) << worker.text;
  EXPECT_EQ(without_provenance(worker.text), without_provenance(named.text));
  EXPECT_EQ(without_provenance(assay(std::string("run --in-process ") + kFewCases + "--backend " + path).text),
            without_provenance(named.text));
}

TEST_F(Cli, LibrariesThatCannotBeUsed) {
  EXPECT_EQ(assay("run --backend " + library("no_symbol")).exit_code, 2);
  EXPECT_EQ(assay("run --backend " + library("dies_on_load")).exit_code, 2);
  EXPECT_EQ(assay("run --backend no/such.so").exit_code, 2);
  EXPECT_EQ(assay("run --backend " + library("no_device")).exit_code, 77);
  const Answer toy = assay(std::string("run ") + kFewCases + "--backend " + library("toy_library"));
  EXPECT_EQ(toy.exit_code, 2) << "it offers no op of ours, so nothing ran";
  EXPECT_THAT(toy.text, HasSubstr("no kernel for op quant_group"));
  EXPECT_THAT(toy.text, HasSubstr("NOTHING RAN"));
}

TEST_F(Cli, AWrongCellOfATableIsNamedBeforeAnythingRuns) {
  fs::copy(fs::path(ASSAY_DATA_FOLDER) / "suites", folder_ / "suites", fs::copy_options::recursive);
  fs::create_directories(folder_ / "reference");
  fs::copy(fs::path(ASSAY_DATA_FOLDER) / "reference/contracts", folder_ / "reference/contracts", fs::copy_options::recursive);
  const std::string environment = "ASSAY_DATA=" + folder_.string();
  EXPECT_EQ(assay("list", environment).exit_code, 0);

  std::ofstream(folder_ / "suites/quant_group/cases/quick.csv", std::ios::app) << "vllm.group_fp8,bf16,1\n";
  const Answer ragged = assay("run", environment);
  EXPECT_EQ(ragged.exit_code, 2);
  EXPECT_THAT(ragged.text, HasSubstr("suites/quant_group/cases/quick.csv:"));
  EXPECT_THAT(ragged.text, HasSubstr("row has 3 cells"));
  const Answer missing = assay("list", "ASSAY_DATA=/nowhere");
  EXPECT_EQ(missing.exit_code, 2);
  EXPECT_THAT(missing.text, HasSubstr("set ASSAY_DATA"));
}

}  // namespace
}  // namespace assay
