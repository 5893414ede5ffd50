// assay_diagnosis ROOT LIBRARIES: measures how often the diagnosis names the right cause first. Its kernels and cases are in no
// other test: other shapes, seeds and contracts, two mistakes at once, healthy kernels, and wrong outputs without a cause.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "harness/backend/library.h"
#include "harness/backend/worker.h"
#include "harness/core/cases.h"
#include "harness/core/expectation.h"
#include "harness/diagnosis/diagnose.h"
#include "harness/text/text_file.h"
#include "suites/catches/diagnosis_scores.h"
#include "suites/registry.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

// The measurement: tables, requirements that are not met, and misses (failing cases whose cause is not named).

constexpr const char* kSectionOfDiagnosis = "diagnosis measured";

/// Head of the tables; line_of() makes their lines.
constexpr const char* kHeadOfDiagnosis =
    "| kernels | cases | fail | first | tied | one of two | later | another | unknown | right "
    "|\n|---|---|---|---|---|---|---|---|---|---|\n";
std::string line_of(const std::string& name, const Score& score);

/// Whether the fault is a race between threads, whose results change from run to run.
bool is_race(const Subject& subject);

/// The tables, all requirements that are not met, and all misses.
struct Outcomes {
  std::string kinds, kernels, races, list;
  std::vector<std::string> complaints;

  void complain(const std::string& name, const Subject& subject, const Score& score);
};

/// Measures the kernels of the libraries in a folder, kind by kind, and a healthy library whose outputs get random wrong bytes.
Outcomes measured(const std::string& folder, const std::vector<Subject>& all, const std::vector<Case>& cases);

/// For the kernels in `sample`: lines of the file's table of misses that differ from what was measured.
std::vector<std::string> differences(const Outcomes& outcomes, const std::vector<Subject>& sample, const std::string& file);

constexpr const char* kKinds[][2] = {{"changed", "faults of `faults.csv`, with other shapes and seeds"},
                                     {"elsewhere", "these faults in other contracts"},
                                     {"two", "two mistakes at once"},
                                     {"outside", "mistakes that no mutant describes (right: no cause named)"},
                                     {"healthy", "correct kernels, with results anywhere in the accepted intervals"}};

/// Random wrong bytes in healthy outputs have no cause, so every named cause is an error.
void measure_noise(const Backend& cpu, const std::vector<Case>& cases, Outcomes& out) {
  Score sum;
  for (const char* kernel : {"quant_group.register", "rms_norm"}) {
    for (const int64_t every : {2, 300}) {
      const Score score = measure(corrupted(cpu, every), {kernel, "noise", {}, {"NaN*where a number is expected"}}, cases);
      const std::string name = std::string(kernel) + " with 1 byte in " + std::to_string(every) + " wrong";
      if (score.failing() == 0) out.complaints.push_back(name + ": no case fails");
      for (const std::string& missed : score.missed)
        out.complaints.push_back(name + ": expected no cause, because the wrong bytes are random: " + missed);
      sum.add(score);
    }
  }
  out.kinds += line_of("correct kernels, with random wrong bytes (right: no cause named)", sum);
}

std::string line_of(const std::string& name, const Score& score) {
  std::string text = "| " + name + " | " + std::to_string(score.cases) + " | " + std::to_string(score.failing());
  for (const int64_t count : score.said) text += " | " + std::to_string(count);
  char share[16];
  std::snprintf(share, sizeof share, "%.1f %%", 100 * double(score.right) / double(score.failing()));
  return text + " | " + (score.failing() == 0 ? "" : share) + " |\n";
}

bool is_race(const Subject& subject) { return subject.causes == std::vector<std::string>{"race"}; }

void Outcomes::complain(const std::string& name, const Subject& subject, const Score& score) {
  if (score.cases == 0) complaints.push_back(name + " has no case");
  const bool healthy = subject.kind == "healthy";
  if (healthy && score.failing() > 0) complaints.push_back(name + " is correct, but fails");
  if (!healthy && score.failing() == 0) complaints.push_back(name + ": no case fails");
  if (2 * score.right < score.failing()) complaints.push_back(name + ": most diagnoses are wrong");
  list += name + ": " + std::to_string(score.missed.size()) + " of " + std::to_string(score.failing()) + " missed\n";
  for (const std::string& missed : score.missed) list += "   " + missed + "\n";
}

Outcomes measured(const std::string& folder, const std::vector<Subject>& all, const std::vector<Case>& cases) {
  const Backend faulty = open_in_process(folder + "/libassay_faulty.so", "x");
  const Backend varied = open_in_process(folder + "/libassay_varied.so", "x");
  Outcomes out;
  out.kinds = kHeadOfDiagnosis;
  const auto home_of = [&](const Subject& subject) -> const Backend& { return subject.kind == "changed" ? faulty : varied; };
  const auto is_measured = [&](const Subject& subject) {
    const bool is_of_kind =
        std::any_of(std::begin(kKinds), std::end(kKinds), [&](const auto& kind) { return subject.kind == kind[0]; });
    return is_of_kind && has_shapes(home_of(subject), subject);
  };
  std::vector<Score> scores(all.size());
  for_each_in_parallel(int64_t(all.size()), [&](int64_t i) {
    const Subject& subject = all[size_t(i)];
    if (is_measured(subject)) scores[size_t(i)] = measure(home_of(subject), subject, cases);
  });
  for (const auto& [kind, title] : kKinds) {
    Score sum;
    for (const Subject& subject : all) {
      if (subject.kind != kind || !is_measured(subject)) continue;
      const Score& score = scores[size_t(&subject - all.data())];
      out.complain(subject.kernel, subject, score);
      if (is_race(subject)) {
        out.races += line_of(subject.kernel, score);
        continue;
      }
      sum.add(score);
      if (score.right < score.failing()) out.kernels += line_of(subject.kernel, score);
    }
    out.kinds += line_of(title, sum);
  }
  measure_noise(open_in_process(folder + "/libassay_cpu.so", "x"), cases, out);
  return out;
}

std::vector<std::string> differences(const Outcomes& outcomes, const std::vector<Subject>& sample, const std::string& file) {
  std::ifstream in(file);
  std::string table((std::istreambuf_iterator<char>(in)), {});
  if (table.find(kSectionOfDiagnosis) == std::string::npos) return {file + " has no section '" + kSectionOfDiagnosis + "'"};
  std::vector<std::string> found;
  for (const Subject& subject : sample) {
    if (is_race(subject)) continue;
    const auto line_in = [&](const std::string& text) {
      const size_t at = text.find("| " + subject.kernel + " |");
      return at == std::string::npos ? "" : text.substr(at, text.find('\n', at) - at);
    };
    const std::string now = line_in(outcomes.kernels), written = line_in(table);
    if (now != written) found.push_back(subject.kernel + ": is '" + now + "', " + file + " has '" + written + "'");
  }
  return found;
}

}  // namespace
}  // namespace assay

namespace {

using namespace assay;

constexpr const char* kSectionOfFindings = "diagnosis findings";

struct Arguments {
  std::string root, libraries, check, write;
  bool findings = false, list = false, mislead = false;
  unsigned one_in = 1;
};

int report(const Outcomes& outcomes, const Arguments& arguments) {
  const std::string table = outcomes.kinds + "\nMissed:" +
                            (outcomes.kernels.empty() ? " none.\n" : std::string("\n\n") + kHeadOfDiagnosis + outcomes.kernels);
  if (!arguments.write.empty()) write_section(arguments.write, kSectionOfDiagnosis, table);
  std::printf("%s%s\nRaces, whose results vary from run to run:\n%s", arguments.list ? outcomes.list.c_str() : "", table.c_str(),
              outcomes.races.c_str());
  for (const std::string& complaint : outcomes.complaints) std::printf("COMPLAINT: %s\n", complaint.c_str());
  const std::string difference = arguments.check.empty() ? "" : section_difference(arguments.check, kSectionOfDiagnosis, table);
  if (!difference.empty()) std::printf("%s\nto rewrite the table: assay_diagnosis ROOT LIBRARIES --write FILE.md\n", difference.c_str());
  return outcomes.complaints.empty() && difference.empty() ? 0 : 1;
}

int report_sample(const Outcomes& outcomes, const std::vector<Subject>& sample, const std::string& file) {
  std::vector<std::string> all = outcomes.complaints;
  for (const std::string& difference : differences(outcomes, sample, file)) all.push_back(difference);
  std::printf("%zu kernels\n%s", sample.size(), outcomes.list.c_str());
  for (const std::string& complaint : all) std::printf("COMPLAINT: %s\n", complaint.c_str());
  return all.empty() && !sample.empty() ? 0 : 1;
}

/// Prints a line for each kernel of kind "finding". They run in a worker, because some end the process, as the original bug does.
int findings(const Arguments& arguments, const std::vector<Subject>& all) {
  const std::string& folder = arguments.libraries;
  const Backend strangers = open_in_worker(folder + "/libassay_strangers.so", "strangers", {.program = folder + "/assay"});
  const std::vector<Case> cases =
      select_cases(load_cases(shipped_ops().all(), arguments.root), {.suites = {"quick"}, .cases = {}, .arch = {}, .warp = "32"});
  Outcomes out;
  std::string table = kHeadOfDiagnosis;
  for (const Subject& subject : all) {
    if (subject.kind != "finding") continue;
    const Score score = measure(strangers, subject, cases);
    out.complain(subject.kernel, subject, score);
    table += line_of(subject.kernel, score);
  }
  if (!arguments.write.empty()) write_section(arguments.write, kSectionOfFindings, table);
  std::printf("%s%s", out.list.c_str(), table.c_str());
  if (const std::string difference =
          arguments.check.empty() ? "" : section_difference(arguments.check, kSectionOfFindings, table);
      !difference.empty())
    out.complaints.push_back(difference + "\nto rewrite the table: assay_diagnosis ROOT LIBRARIES --findings --write FILE.md");
  for (const std::string& complaint : out.complaints) std::printf("COMPLAINT: %s\n", complaint.c_str());
  return out.complaints.empty() ? 0 : 1;
}

/// Requires of each kernel the cause of the next kernel. Returns 0 if all kernels then count as missed, as they must.
int mislead(const std::string& folder, const std::vector<Subject>& all, const std::vector<Case>& cases) {
  std::vector<Subject> chosen;
  for (const Subject& subject : all)
    if (subject.kind == "elsewhere") chosen.push_back(subject);
  const Backend varied = open_in_process(folder + "/libassay_varied.so", "x");
  size_t missed = 0;
  for (size_t i = 0; i < chosen.size(); ++i) {
    const Subject wrong{chosen[i].kernel, "misled", chosen[(i + 1) % chosen.size()].causes};
    const Score score = measure(varied, wrong, cases);
    const bool is_missed = 2 * score.right < score.failing();
    missed += is_missed;
    std::printf("%s: %s\n", wrong.kernel.c_str(), is_missed ? "missed" : "NOT MISSED: the diagnosis names a wrong cause");
  }
  const bool all_missed = !chosen.empty() && missed == chosen.size();
  std::printf("%zu of %zu kernels count as missed: %s\n", missed, chosen.size(), all_missed ? "all" : "not all");
  return all_missed ? 0 : 1;
}

int run(const Arguments& arguments) {
  open_rulebook(arguments.root);
  std::vector<Subject> all = subjects(arguments.root);
  if (arguments.findings) return findings(arguments, all);
  const std::vector<Case> cases =
      select_cases(load_cases(shipped_ops().all(), arguments.root), {.suites = {"quick"}, .cases = {}, .arch = {}, .warp = {}});
  if (arguments.mislead) return mislead(arguments.libraries, all, cases);
  if (arguments.one_in == 1) return report(measured(arguments.libraries, all, cases), arguments);
  std::erase_if(all, [&](const Subject& subject) { return !in_sample(subject.kernel, arguments.one_in); });
  return report_sample(measured(arguments.libraries, all, cases), all, arguments.check);
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  CLI::App program{
      "measures how often the diagnosis names the cause of a fault first, on cases and kernels that no other "
      "test uses"};
  program.add_option("ROOT", arguments.root, "the source tree")->required()->check(CLI::ExistingDirectory);
  program.add_option("LIBRARIES", arguments.libraries, "the folder of kernel libraries")
      ->required()
      ->check(CLI::ExistingDirectory);
  CLI::Option* const findings =
      program.add_flag("--findings", arguments.findings,
                       "measure only the kernels in kernels/strangers that have a bug of suites/FINDINGS.md, and print only their table");
  CLI::Option* const list = program.add_flag("--list", arguments.list, "print each case whose cause is not named first");
  CLI::Option* const check =
      program.add_option("--check", arguments.check, "compare the measured tables with FILE.md and fail if they differ")
          ->option_text("FILE.md")
          ->check(CLI::ExistingFile);
  CLI::Option* const write =
      program.add_option("--write", arguments.write, "write the tables into FILE.md")->option_text("FILE.md")->excludes(check);
  CLI::Option* const sample =
      program
          .add_option("--sample", arguments.one_in,
                      "measure only one kernel in N, and compare its line with its line in the FILE.md of --check, if it has one")
          ->option_text("N")
          ->check(CLI::Range(2, 1000))
          ->needs(check)
          ->excludes(findings);
  program
      .add_flag("--mislead", arguments.mislead,
                "self-test: expect of each kernel the cause of the next kernel, which is wrong, and fail unless each kernel then counts as missed")
      ->excludes(findings)
      ->excludes(list)
      ->excludes(check)
      ->excludes(write)
      ->excludes(sample);
  try {
    program.parse(argc, argv);
    return run(arguments);
  } catch (const CLI::ParseError& error) {
    return program.exit(error) == 0 ? 0 : 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "assay_diagnosis: %s\n", error.what());
    return 2;
  }
}
