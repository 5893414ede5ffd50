// diagnosis ROOT LIBRARIES [--list | --check FILE | --write FILE | --mislead | --sample N FILE]: how often the cause of a fault
// is named first, on cases and kernels that no other test has: other shapes and seeds, other contracts, two mistakes at once,
// healthy kernels, and outputs that nothing explains.
// --list prints each case whose cause is not. --sample looks at one kernel in N, and each must have the line that FILE has of it,
// or none. --mislead demands of the mistakes in other contracts the cause of the next row, and must find every kernel missed.
// --findings looks at the kernels in plain loops that have a bug of suites/FINDINGS.md, and their section alone.
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>

#include "harness/backend/library.h"
#include "harness/backend/worker.h"
#include "harness/core/cases.h"
#include "harness/diagnosis/run_hooks.h"
#include "harness/text/section.h"
#include "suites/catches/measuring.h"
#include "suites/catches/sample.h"
#include "suites/registry.h"
#include "suites/rulebook.h"

namespace {

using namespace assay;

constexpr const char* kSection = "diagnosis measured";
constexpr const char* kSectionOfFindings = "diagnosis findings";
constexpr const char* kHead =
    "| kernels | cases | fail | first | tied | one of two | later | another | unknown | right "
    "|\n|---|---|---|---|---|---|---|---|---|---|\n";
constexpr const char* kKinds[][2] = {{"changed", "faults of `faults.csv`, other shapes and seeds"},
                                     {"elsewhere", "the same mistakes in other contracts"},
                                     {"two", "two mistakes at once"},
                                     {"outside", "mistakes that are no edit of a contract: right is to name none"},
                                     {"healthy", "healthy, using the freedom of their contracts"}};

std::string line(const std::string& name, const Score& score) {
  std::string text = "| " + name + " | " + std::to_string(score.cases) + " | " + std::to_string(score.failing());
  for (const int64_t count : score.said) text += " | " + std::to_string(count);
  char share[16];
  std::snprintf(share, sizeof share, "%.1f %%", 100 * double(score.right) / double(score.failing()));
  return text + " | " + (score.failing() == 0 ? "" : share) + " |\n";
}

/// What a race gives depends on which thread ran which block before: its numbers change from run to run.
bool is_race(const Subject& subject) { return subject.causes == std::vector<std::string>{"race"}; }

/// The measured tables, what is wrong with the measurement, and every miss.
struct Outcomes {
  std::string kinds, kernels, races, list;
  std::vector<std::string> complaints;

  void complain(const std::string& name, const Subject& subject, const Score& score) {
    if (score.cases == 0) complaints.push_back(name + " has no case");
    const bool healthy = subject.kind == "healthy";
    if (healthy && score.failing() > 0) complaints.push_back(name + " is healthy and fails");
    if (!healthy && score.failing() == 0) complaints.push_back(name + " is not seen");
    if (2 * score.right < score.failing()) complaints.push_back(name + ": most diagnoses are wrong");
    list += name + ": " + std::to_string(score.missed.size()) + " of " + std::to_string(score.failing()) + " missed\n";
    for (const std::string& missed : score.missed) list += "   " + missed + "\n";
  }
};

/// What comes out of a healthy library with wrong bytes has no cause: one that is named is made up.
void measure_noise(const Backend& cpu, const std::vector<Case>& cases, Outcomes& out) {
  Score sum;
  for (const char* kernel : {"quant_group.register", "rms_norm"}) {
    for (const int64_t every : {2, 300}) {
      const Score score = measure(corrupted(cpu, every), {kernel, "noise", {}}, cases);
      const std::string name = std::string(kernel) + " with 1 byte in " + std::to_string(every) + " wrong";
      if (score.failing() == 0) out.complaints.push_back(name + " is not seen");
      for (const std::string& missed : score.missed) out.complaints.push_back(name + ": a cause is made up: " + missed);
      sum.add(score);
    }
  }
  out.kinds += line("healthy, with wrong bytes at random: right is to name none", sum);
}

Outcomes measured(const std::string& folder, const std::vector<Subject>& all, const std::vector<Case>& cases) {
  const Backend faulty = shared_between_threads(open_in_process(folder + "/libassay_faulty.so", "x"));
  const Backend varied = shared_between_threads(open_in_process(folder + "/libassay_varied.so", "x"));
  Outcomes out;
  out.kinds = kHead;
  for (const auto& [kind, title] : kKinds) {
    Score sum;
    for (const Subject& subject : all) {
      const Backend& home = subject.kind == "changed" ? faulty : varied;
      if (subject.kind != kind || !has_shapes(home, subject)) continue;
      const Score score = measure(home, subject, cases);
      out.complain(subject.kernel, subject, score);
      if (is_race(subject)) {
        out.races += line(subject.kernel, score);
        continue;
      }
      sum.add(score);
      if (score.right < score.failing()) out.kernels += line(subject.kernel, score);
    }
    out.kinds += line(title, sum);
  }
  measure_noise(open_in_process(folder + "/libassay_cpu.so", "x"), cases, out);
  return out;
}

int report(const Outcomes& outcomes, const std::string& option, const std::string& file) {
  const std::string table =
      outcomes.kinds + "\nMissed:" + (outcomes.kernels.empty() ? " none.\n" : std::string("\n\n") + kHead + outcomes.kernels);
  if (option == "--write") write_section(file, kSection, table);
  std::printf("%s%s\nRaces, another time otherwise:\n%s", option == "--list" ? outcomes.list.c_str() : "", table.c_str(),
              outcomes.races.c_str());
  for (const std::string& complaint : outcomes.complaints) std::printf("COMPLAINT: %s\n", complaint.c_str());
  const std::string difference = option == "--check" ? section_difference(file, kSection, table) : "";
  if (!difference.empty()) std::printf("%s\nrewrite it: assay_diagnosis ROOT LIBRARIES --write FILE\n", difference.c_str());
  return outcomes.complaints.empty() && difference.empty() ? 0 : 1;
}

/// What these kernels' lines in the table of misses would have to be and are not.
std::vector<std::string> differences(const Outcomes& outcomes, const std::vector<Subject>& sample, const std::string& file) {
  std::ifstream in(file);
  std::string table((std::istreambuf_iterator<char>(in)), {});
  if (table.find(kSection) == std::string::npos) return {file + " has no section '" + kSection + "'"};
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

int report_sample(const Outcomes& outcomes, const std::vector<Subject>& sample, const std::string& file) {
  std::vector<std::string> all = outcomes.complaints;
  for (const std::string& difference : differences(outcomes, sample, file)) all.push_back(difference);
  std::printf("%zu kernels\n%s", sample.size(), outcomes.list.c_str());
  for (const std::string& complaint : all) std::printf("COMPLAINT: %s\n", complaint.c_str());
  return all.empty() && !sample.empty() ? 0 : 1;
}

/// A line for each kernel of kind "finding". In a worker: some end the program, as the bug does.
int findings(const std::string& root, const std::string& folder, const std::vector<Subject>& all, const std::string& option,
             const std::string& file) {
  const Backend strangers = open_in_worker(folder + "/libassay_strangers.so", "strangers", {.program = folder + "/assay"});
  const std::vector<Case> cases =
      select_cases(load_cases(all_ops(), root), {.suites = {"quick"}, .cases = {}, .arch = {}, .warp = "32"});
  Outcomes out;
  std::string table = kHead;
  for (const Subject& subject : all) {
    if (subject.kind != "finding") continue;
    const Score score = measure(strangers, subject, cases);
    out.complain(subject.kernel, subject, score);
    table += line(subject.kernel, score);
  }
  if (option == "--write") write_section(file, kSectionOfFindings, table);
  std::printf("%s%s", out.list.c_str(), table.c_str());
  if (const std::string difference = option == "--check" ? section_difference(file, kSectionOfFindings, table) : "";
      !difference.empty())
    out.complaints.push_back(difference + "\nrewrite it: assay_diagnosis ROOT LIBRARIES --findings --write FILE");
  for (const std::string& complaint : out.complaints) std::printf("COMPLAINT: %s\n", complaint.c_str());
  return out.complaints.empty() ? 0 : 1;
}

/// 0 if each of these kernels is missed once it is held against the cause of the next one, as it must be.
int mislead(const std::string& folder, const std::vector<Subject>& all, const std::vector<Case>& cases) {
  std::vector<Subject> chosen;
  for (const Subject& subject : all)
    if (subject.kind == "elsewhere") chosen.push_back(subject);
  const Backend varied = shared_between_threads(open_in_process(folder + "/libassay_varied.so", "x"));
  size_t missed = 0;
  for (size_t i = 0; i < chosen.size(); ++i) {
    const Subject wrong{chosen[i].kernel, "misled", chosen[(i + 1) % chosen.size()].causes};
    const Score score = measure(varied, wrong, cases);
    const bool is_missed = 2 * score.right < score.failing();
    missed += is_missed;
    std::printf("%s: %s\n", wrong.kernel.c_str(), is_missed ? "missed" : "NAMED THOUGH IT IS NOT THE CAUSE");
  }
  const bool all_missed = !chosen.empty() && missed == chosen.size();
  std::printf("%zu of %zu kernels are missed: %s\n", missed, chosen.size(), all_missed ? "all" : "not all");
  return all_missed ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const bool of_findings = argc > 3 && std::string(argv[3]) == "--findings";
  if (of_findings) {  // what follows is read as without it
    std::move(argv + 4, argv + argc, argv + 3);
    --argc;
  }
  const std::string option = argc > 3 ? argv[3] : "", file = argc > 4 ? argv[4] : "";
  if (argc < 3 || ((option == "--check" || option == "--write") && file.empty()) || (option == "--sample" && argc < 6)) {
    std::fprintf(stderr,
                 "usage: diagnosis ROOT FOLDER_OF_LIBRARIES [--findings] [--list | --check FILE.md | --write FILE.md | --mislead "
                 "| --sample N FILE.md]\n");
    return 2;
  }
  const std::string root = argv[1];
  try {
    open_rulebook(root);
    std::vector<Subject> all = subjects(root);
    if (of_findings) return findings(root, argv[2], all, option, file);
    const std::vector<Case> cases =
        select_cases(load_cases(all_ops(), root), {.suites = {"quick"}, .cases = {}, .arch = {}, .warp = {}});
    if (option == "--sample") {
      std::erase_if(all, [n = one_in(file)](const Subject& subject) { return !in_sample(subject.kernel, n); });
      return report_sample(measured(argv[2], all, cases), all, argv[5]);
    }
    if (option == "--mislead") return mislead(argv[2], all, cases);
    return report(measured(argv[2], all, cases), option, file);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "diagnosis: %s\n", error.what());
    return 2;
  }
}
