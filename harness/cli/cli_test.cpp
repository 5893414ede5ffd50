// The command line accepts correct arguments, libraries and tables. If one is wrong, the error message names it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
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
using testing::shell;
using ::testing::Not;

TEST_F(Cli, HelpNamesTheVerbsButNotTheWorker) {
  const Answer help = assay("--help");
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_THAT(help.text, HasSubstr("run "));
  EXPECT_THAT(help.text, HasSubstr("list "));
  EXPECT_THAT(help.text, Not(HasSubstr("worker")));
  EXPECT_EQ(assay("--version").exit_code, 0);
}

TEST_F(Cli, WrongCommandLinesAreExitCode2) {
  const Answer alone = assay("");
  EXPECT_EQ(alone.exit_code, 2);
  EXPECT_THAT(alone.text, HasSubstr("First steps:\n  assay list"));
  const Answer verb = assay("rnu");
  EXPECT_EQ(verb.exit_code, 2);
  EXPECT_THAT(verb.text, HasSubstr("no verb 'rnu'; did you mean 'run'?"));
  EXPECT_THAT(assay("run --bakend cpu").text, HasSubstr("run: unknown option '--bakend'; did you mean '--backend'?"));
  EXPECT_THAT(assay("run cpu").text, HasSubstr("run: unexpected argument 'cpu'; see: assay help run"));
  EXPECT_EQ(assay("run --seed 3").exit_code, 2) << "the command line selects, it sets no parameter";
  EXPECT_EQ(assay("run --warp 16").exit_code, 2);
  EXPECT_EQ(assay("run --repeat 0").exit_code, 2);
  for (const char* seconds : {"nan", "inf", "-1", "0", "1e400", "soon"})
    EXPECT_EQ(assay(std::string("run --timeout ") + seconds + " --backend no.so").exit_code, 2) << seconds;
  EXPECT_THAT(assay("run --timeout nan").text, HasSubstr("expected a number of seconds above 0, got 'nan'"));
  for (const char* verb : {"hunt --op rms_norm", "probe", "arch verify", "regenerate --check"})
    EXPECT_THAT(assay(std::string(verb) + " --seed -1").text, HasSubstr("expected a whole number from 0 to 2^64 - 1, got '-1'"))
        << verb;
  if (!std::filesystem::exists(std::filesystem::path(ASSAY_PROGRAM).parent_path() / "libassay_cuda.so")) {
    EXPECT_THAT(assay("run --backend cuda").text, HasSubstr("ci/build release assay_kernels_cuda"));
  }
  EXPECT_THAT(assay("explain quant_group/no/such").text,
              HasSubstr("no case 'quant_group/no/such'; see: assay list 'quant_group/*', which prints "));
  EXPECT_THAT(assay("contracts diff vllm.rms_norm@2026-06-18 cuda.e4m3fn_sat").text,
              HasSubstr("no case of one can be checked under the other"));
  const Answer suite = assay("run --suite quant_gruop");
  EXPECT_EQ(suite.exit_code, 2);
  EXPECT_THAT(suite.text, HasSubstr("no suite 'quant_gruop'; did you mean 'quant_group'"));
  const Answer report = assay("run --report pdf:x");
  EXPECT_EQ(report.exit_code, 2);
  EXPECT_THAT(report.text, HasSubstr("reports: console, github, csv:FILE"));
  const Answer backend = assay("run --backend cpuu");
  EXPECT_EQ(backend.exit_code, 2);
  EXPECT_THAT(backend.text, HasSubstr("no back end 'cpuu' beside the program; did you mean 'cpu'"));
  const Answer nothing = assay("run --case no/such/case");
  EXPECT_EQ(nothing.exit_code, 2);
  EXPECT_THAT(nothing.text, HasSubstr("no case is selected"));
}

TEST_F(Cli, WhatAVerbDoesNotUseIsRefused) {
  const std::vector<std::pair<std::string, std::string>> refused = {
      {"run --op rms_norm", "to select shipped cases: --suite rms_norm"},
      {"contracts list --kernel k", "contracts list does not use --kernel; only contracts match --op does"},
      {"contracts match x.safetensors --kernel k", "contracts match FILE does not use --kernel"},
      {"contracts specials vllm.group_fp8", "contracts specials takes no ids"},
      {"arch show x --seed 3", "arch show does not use --seed; only arch verify --backend does"},
      {"golden check --observed cpu", "golden check does not use --observed; only golden write does"},
      {"explain x --call --kernel k", "explain --call does not use --kernel"},
      {"witness check --package p", "witness check does not use --package; only witness run does"},
      {"list --op rms_norm --all", "list --op describes an op and does not use --all"},
      {"judge x.npy --as scale --tensor x=y", "judge --as does not use --tensor"},
      {"judge x.safetensors --contract vllm.group_fp8 --ledger known.csv", "judge --contract does not use --ledger"},
      {"sharpness --op cast", "has no case with n = 7168"}};
  for (const auto& [line, words] : refused) {
    const Answer answer = assay(line);
    EXPECT_EQ(answer.exit_code, 2) << line;
    EXPECT_THAT(answer.text, HasSubstr(words)) << line;
  }
}

TEST_F(Cli, EveryHelpHasExamplesOfOptionsThatItLists) {
  const std::string all = assay("help").text;
  EXPECT_EQ(all, assay("--help").text);
  for (const char* verb : {"run", "list", "new", "inputs", "judge", "gate", "golden", "explain", "contracts", "arch", "hunt",
                           "probe", "witness", "regenerate", "power", "sharpness", "docs"}) {
    EXPECT_THAT(all, HasSubstr(std::string("\n  ") + verb + " "));
    const Answer help = assay(std::string("help ") + verb);
    EXPECT_EQ(help.exit_code, 0) << verb;
    const size_t at = help.text.find("Examples:\n");
    ASSERT_NE(at, std::string::npos) << verb;
    std::istringstream lines(help.text.substr(at + 10));
    for (std::string line; std::getline(lines, line);) {
      EXPECT_THAT(line, ::testing::StartsWith(std::string("  assay ") + verb));
      for (const char* quick :
           {"contracts list", "contracts show", "contracts diff", "arch list", "arch show", "arch diff", "list", "explain"})
        if (line.starts_with(std::string("  assay ") + quick)) {
          const std::string ids =
              std::string(quick) == "explain" ? line.substr(8, line.rfind('\'') - 7) + " --call" : line.substr(8);
          EXPECT_EQ(assay(ids).exit_code, 0) << "the ids of: " << line;
        }
      std::istringstream words(line);
      for (std::string word; words >> word;) {
        const bool listed = !word.starts_with("--") || help.text.substr(0, at).find(word) != std::string::npos;
        EXPECT_TRUE(listed) << verb << ": " << word;
      }
    }
  }
}

TEST_F(Cli, QuickIsTheDefaultTierAndRunsFirst) {
  const Answer quick = assay("run --suite act_and_mul --kernel 'act_and_mul' --warp 32");
  EXPECT_THAT(quick.text, HasSubstr("full tier not run ("));
  EXPECT_THAT(quick.text, HasSubstr(" cases; --tier full)"));
  const Answer named = assay(std::string("run ") + kFewCases);
  EXPECT_THAT(named.text, Not(HasSubstr("not run ("))) << "the selection names its tier";
  const std::string both = file("both.csv");
  // This kernel belongs to another op, so every case is skipped; the test only needs the order of the cases.
  const Answer full =
      assay("run --tier full --suite pack_scales --kernel act_and_mul --warp 32 --report console --report csv:" + both);
  EXPECT_THAT(full.text, HasSubstr("NOTHING RAN"));
  EXPECT_THAT(full.text, Not(HasSubstr("full tier not run")));
  const Table rows = read_table(both);
  const auto is_quick = [&](const TableRow& row) { return rows.text(row, "row").find("/quick") != std::string::npos; };
  EXPECT_TRUE(std::is_partitioned(rows.rows.begin(), rows.rows.end(), is_quick)) << "quick cases come first";
  EXPECT_FALSE(std::all_of(rows.rows.begin(), rows.rows.end(), is_quick)) << "the full tier ran, too";
}

TEST_F(Cli, NewWritesAPlugInThatBuildsAndPasses) {
  const std::string folder = folder_ / "mine", root = ASSAY_DATA_FOLDER;
  const Answer made = assay("new plugin mine --output " + folder);
  EXPECT_EQ(made.exit_code, 0);
  EXPECT_THAT(made.text, HasSubstr("cmake -G Ninja -S " + folder + " -B " + folder + "/build -DASSAY_ABI_DIR=" + root));
  EXPECT_EQ(assay("new plugin mine --output " + folder).exit_code, 2) << "it is there";
  EXPECT_THAT(assay("new plugin 1x").text, HasSubstr("expected a name of letters"));
  const auto passes = [&](const std::string& source) {
    const Answer built = shell("c++ -std=c++17 -O1 -Wall -Wextra -Werror -fPIC -shared -ffp-contract=off -pthread -I" + root +
                               "/kernels/abi " + source + " -o " + folder + "/libmine.so");
    EXPECT_EQ(built.exit_code, 0) << built.text;
    return assay("run --backend " + folder + "/libmine.so --suite rms_norm --warp 32 --case '*n1024*normal.gamma.s1*'");
  };
  EXPECT_THAT(passes(folder + "/mine.cpp").text, HasSubstr("ALL AS EXPECTED: "));
  shell("sed 's/(bits + 0x7fffu + (bits >> 16 & 1u)) >> 16/bits >> 16/' " + folder + "/mine.cpp >" + folder + "/wrong.cpp");
  EXPECT_THAT(passes(folder + "/wrong.cpp").text, HasSubstr("cause     explains"));
}

TEST_F(Cli, AFailureThatDoesNotComeBackAloneNamesTheCallBefore) {
  const std::string example = std::string(ASSAY_DATA_FOLDER) + "/kernels/example_plugin/my_rms_norm.c";
  const std::string source = folder_ / "kept.c", library = folder_ / "libkept.so";
  const auto run = [&](const std::string& edit) {
    const Answer built =
        shell("sed '" + edit + "' " + example + " >" + source + " && cc -std=c99 -O2 -ffp-contract=off -fPIC -shared -I" +
              ASSAY_DATA_FOLDER + "/kernels/abi " + source + " -lm -o " + library);
    EXPECT_EQ(built.exit_code, 0) << built.text;
    return assay("run --backend " + library +
                 " --case 'rms_norm/vllm.rms_norm@2026-06-18/bf16.m4.n1024.eps1e-6/normal.gamma.s1/w32'"
                 " --case 'rms_norm/vllm.rms_norm@2026-06-18/bf16.m3.n64.eps1e-6/normal.gamma.s2/w32'")
        .text;
  };
  const std::string keeps =
      run("s/  const float eps = /  static int64_t kept; if (kept == 0) kept = n;\\n&/; s/(double)n)/(double)kept)/");
  EXPECT_THAT(keeps, HasSubstr("passes alone in a new process and fails after rms_norm/vllm.rms_norm@2026-06-18/bf16.m"));
  EXPECT_THAT(keeps, HasSubstr(": the kernel keeps state between calls"));
  EXPECT_THAT(run("s/(double)n)/(double)(n + 64))/"), Not(HasSubstr("passes alone"))) << "it fails alone, too";
}

TEST_F(Cli, ARunNamesTheDeterminismTestsThatItDidNotTry) {
  const std::string one =
      "run --case 'rms_norm/vllm.rms_norm@2026-06-18/bf16.m4.n1024.eps1e-6/normal.gamma.s1/w32' --kernel rms_norm";
  EXPECT_THAT(assay(one).text,
              HasSubstr("not tried: determinism tests (repeat, batch, neighbours, stream, graph); --ladder runs them\nALL"));
  const std::string climbed = assay(one + " --ladder").text;
  EXPECT_THAT(climbed, HasSubstr("not tried: graph in 1 of 1 verdicts ("));
  EXPECT_THAT(climbed, Not(HasSubstr("determinism tests (")));
}

TEST_F(Cli, NewWritesSkeletonsIntoATree) {
  const std::string tree = folder_ / "tree", root = ASSAY_DATA_FOLDER;
  shell("mkdir -p " + tree + "/harness " + tree + "/golden && cp -r " + root + "/suites " + root + "/reference " + tree);
  const auto in_tree = [&](const std::string& arguments) { return assay(arguments, "ASSAY_DATA=" + tree); };
  EXPECT_THAT(in_tree("new contract acme.group_fp8 --from vllm.group_fp8").text,
              HasSubstr("reference/contracts/quant.csv:3: a copy of vllm.group_fp8\nleft to do:\n"));
  EXPECT_THAT(in_tree("contracts diff acme.group_fp8 vllm.group_fp8").text,
              HasSubstr("equal: the rows differ at most in id, since, until, source and why"));
  EXPECT_THAT(in_tree("new case acme.group_fp8 --from vllm.group_fp8").text, HasSubstr("assay list --suite quant_group/quick\n"));
  EXPECT_THAT(in_tree("list 'quant_group/acme.group_fp8/*'").text, HasSubstr("quant_group/acme.group_fp8/bf16."));
  EXPECT_EQ(in_tree("new op my_norm --from layer_norm").exit_code, 0);
  EXPECT_THAT(shell("cat " + tree + "/suites/my_norm/my_norm_op.cpp").text,
              HasSubstr("Op my_norm_op() {\n  return row_op({.name = \"my_norm\""));
  EXPECT_THAT(shell("tail -n 1 " + tree + "/suites/ops.inc").text, HasSubstr("ASSAY_OP(my_norm)"));
  EXPECT_EQ(in_tree("new format e5m3").exit_code, 0);
  EXPECT_THAT(shell("grep -h kE5M3 " + tree + "/reference/formats/*").text,
              HasSubstr("kE5M3{\"e5m3\", 9, 5, 3, 15, Specials::kFinite, "));
  const std::vector<std::pair<std::string, std::string>> refused = {
      {"new contract acme --from vllm.group_fp8", "expected VENDOR.NAME"},
      {"new contract acme.group_fp8 --from vllm.group_fp8", "a contract 'acme.group_fp8' already exists"},
      {"new contract acme.x", "expected --from ID"},
      {"new op rms_norm", "an op 'rms_norm' already exists"},
      {"new format e4m3fn", "expected eXmY"},
      {"new format e2m1", "a format 'e2m1' already exists"},
      {"new plugin p --from x", "new plugin does not use --from"}};
  for (const auto& [line, words] : refused) {
    const Answer answer = in_tree(line);
    EXPECT_EQ(answer.exit_code, 2) << line;
    EXPECT_THAT(answer.text, HasSubstr(words)) << line;
  }
}

TEST_F(Cli, AMessageNamesEachThingOnceAndAsItWasGiven) {
  const std::string kernels = assay("run --kernel nosuch --suite cast/quick").text, first = "there are: ";
  const size_t at = kernels.find(first);
  ASSERT_NE(at, std::string::npos) << kernels;
  const std::string listed = kernels.substr(at + first.size()), name = listed.substr(0, listed.find(','));
  EXPECT_EQ(listed.find(", " + name + ","), std::string::npos) << "a name for each contract: " << listed;
  std::ofstream(file("acme.csv"))
      << shell("head -n 2 " ASSAY_DATA_FOLDER "/reference/contracts/quant.csv | sed '2s/^[^,]*/acme.group/'").text;
  EXPECT_THAT(assay("contracts show acme.group vllm.group_fp8 --contracts " + file("acme.csv")).text,
              ::testing::AllOf(HasSubstr("acme.group   " + file("acme.csv") + ":2\n"),
                               HasSubstr("vllm.group_fp8   reference/contracts/quant.csv:2\n")));
  EXPECT_THAT(assay("contracts list 'acme.*' --contracts " + file("acme.csv")).text, ::testing::StartsWith("acme.group  -  "));
  const std::string norms = assay("contracts list flashinfer --op layer_norm").text;
  EXPECT_EQ(norms.substr(0, norms.find(' ')), "flashinfer.layer_norm");
  EXPECT_EQ(std::count(norms.begin(), norms.end(), '\n'), 1) << norms;
}

TEST_F(Cli, TheFileOfAShardsReportIsNamed) {
  const Answer shard = assay(std::string("run --shard 1/2 --report csv:") + file("s.csv") + " " + kFewCases);
  EXPECT_THAT(shard.text, HasSubstr("share 1/2: reports are written to " + file("s.1of2.csv")));
  EXPECT_TRUE(fs::exists(file("s.1of2.csv")));
  EXPECT_THAT(assay(std::string("run --report csv:") + file("w.csv") + " " + kFewCases).text, Not(HasSubstr("written to")));
}

TEST_F(Cli, AnArchitectureSelectsTheProductsOfItsUnits) {
  const Answer amd = assay("list --all --suite gemm_block_scaled/quick --arch gfx942");
  EXPECT_EQ(amd.exit_code, 0);
  EXPECT_THAT(amd.text, HasSubstr("aiter.ck_gemm_a8w8_blockscale_bpreshuffle.gfx942"));
  EXPECT_THAT(amd.text, Not(HasSubstr(".sm_90/")));
  EXPECT_THAT(assay("list --all --suite mma/quick --arch sm_89").text, Not(HasSubstr("mma/sm_90")));
  const Answer unknown = assay("list --all --arch gfx950");
  EXPECT_THAT(unknown.text,
              HasSubstr("6 of 7 tensor core instructions of gfx950 accumulate in an undocumented way (assay arch list): GEMMs on "
                        "gfx950.mfma.e4m3.f32, gfx950.mfma.mxf4.f32 are checked against all candidate models"));
  EXPECT_THAT(unknown.text, HasSubstr("gemm_scaled/aiter.ck_gemm_a8w8_bpreshuffle.gfx950/"));
  EXPECT_THAT(unknown.text, HasSubstr("\nquant_group/")) << "which names no architecture";
  EXPECT_THAT(assay("list --all --arch gfx942").text, Not(HasSubstr("undocumented")));
  const Answer none = assay("list --arch gfx9420");
  EXPECT_EQ(none.exit_code, 2);
  EXPECT_THAT(none.text, HasSubstr("no case and no tensor core instruction is for 'gfx9420'; did you mean 'gfx942'"));
}

TEST_F(Cli, ListPrintsOneIdALine) {
  const Answer all = assay("list --all"), few = assay(std::string("list ") + kFewCases), summary = assay("list");
  EXPECT_EQ(all.exit_code, 0);
  EXPECT_EQ(few.exit_code, 0);
  EXPECT_THAT(all.text, HasSubstr(few.text.substr(0, few.text.find('\n') + 1)));
  EXPECT_LT(few.text.size(), all.text.size());
  EXPECT_EQ(summary.exit_code, 0);
  EXPECT_THAT(summary.text, HasSubstr("\nquant_group "));
  EXPECT_LT(std::count(summary.text.begin(), summary.text.end(), '\n'), 60) << "a line for each op";
}

/// The text without the lines that identify the run.
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
  EXPECT_EQ(assay("run --backend " + testing::path_of_library("no_symbol")).exit_code, 2);
  EXPECT_EQ(assay("run --backend " + testing::path_of_library("dies_on_load")).exit_code, 2);
  EXPECT_EQ(assay("run --backend no/such.so").exit_code, 2);
  EXPECT_EQ(assay("run --backend " + testing::path_of_library("no_device")).exit_code, 77);
  const Answer toy = assay(std::string("run ") + kFewCases + "--backend " + testing::path_of_library("toy_library"));
  EXPECT_EQ(toy.exit_code, 2);
  EXPECT_THAT(toy.text, HasSubstr("describe(): kernel 'aborts': unknown op 'toy'"));
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

// However a run ends, reports, recordings and standard output are complete, or the program reports the loss.
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
  EXPECT_THAT(assay(std::string("run ") + kFewCases + twice).text, HasSubstr("writes the same file as --report csv:"));
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
