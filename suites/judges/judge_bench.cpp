// assay_judges ROOT LIBRARIES: compares what the acceptance rules of other projects detect with what Assay detects, on the same
// faulty and healthy kernels.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>

#include "harness/core/cases.h"
#include "harness/text/text_file.h"
#include "suites/catches/diagnosis_scores.h"
#include "suites/judges/contest.h"
#include "suites/registry.h"
#include "suites/rulebook.h"

namespace {

using namespace assay;
using namespace assay::judges;

constexpr const char* kSection = "judges";

struct Arguments {
  std::string root, libraries, check, write, keep;
  bool list = false;
  unsigned one_in = 1;
};

std::vector<Entry> judged(const Field& field, const std::vector<Contestant>& all, bool list, Kept& kept) {
  std::vector<Entry> entries(all.size());
  std::vector<std::string> lines(all.size());
  std::atomic<size_t> next{0};
  std::exception_ptr error;
  std::mutex mutex;
  const auto work = [&] {
    for (size_t i; (i = next++) < all.size();) {
      const auto note = [&](const std::string& judge, const std::string& data, const std::string& id, Judgement judgement) {
        const char* word = judgement == Judgement::kRefuses  ? "refuses"
                           : judgement == Judgement::kCannot ? "cannot judge"
                                                             : "accepts";
        lines[i].append(judge).append(" ").append(word).append(" ").append(all[i].name).append(": ");
        lines[i].append(data).append(", ").append(id).append("\n");
      };
      try {
        if (const std::optional<Marks> before = kept.of(all[i])) {
          entries[i] = {all[i], *before};
          continue;
        }
        entries[i] = {all[i], contest(field, all[i], {list ? note : decltype(Listener::said){}})};
        kept.add(all[i], entries[i].marks);
      } catch (...) {
        const std::lock_guard lock(mutex);
        error = std::current_exception();
      }
    }
  };
  std::vector<std::thread> helpers;
  for (unsigned i = 1; i < std::thread::hardware_concurrency(); ++i) helpers.emplace_back(work);
  work();
  for (std::thread& helper : helpers) helper.join();
  if (error) std::rethrow_exception(error);
  for (const std::string& text : lines) std::fputs(text.c_str(), stdout);
  std::erase_if(entries, [](const Entry& entry) { return entry.marks.kind.empty(); });
  return entries;
}

int run(const Arguments& arguments) {
  const std::string& root = arguments.root;
  open_rulebook(root);
  Libraries libraries(arguments.libraries);
  const Field field{
      load_rules(root + "/suites/judges/rules.csv"), load_recipes(root + "/suites/judges/recipes.csv"),
      select_cases(load_cases(shipped_ops().all(), root), {.suites = {"quick"}, .cases = {}, .arch = {}, .warp = {}}),
      &libraries.cpu};
  for (const Rule& rule : field.rules) field.recipe(rule.recipe);
  std::vector<Contestant> all = contestants(libraries, root, field.rules);
  std::erase_if(all, [&](const Contestant& one) { return !in_sample(one.name, arguments.one_in); });
  Kept kept(arguments.keep, field, what_marks_depend_on(root, healthy_library(arguments.libraries)));
  const std::vector<Entry> entries = judged(field, all, arguments.list, kept);
  const std::string table = tables(field.rules, entries);
  if (!arguments.write.empty()) write_section(arguments.write, kSection, table);
  std::fputs(table.c_str(), stdout);
  if (kept.stale() > 0)
    std::printf(
        "%d of %zu kernels were measured again, because the code or data behind their stored results "
        "has changed\n",
        kept.stale(), all.size());
  const std::vector<std::string> wrong = complaints(arguments.one_in > 1 ? std::vector<Rule>{} : field.rules, entries);
  for (const std::string& complaint : wrong) std::printf("COMPLAINT: %s\n", complaint.c_str());
  const std::string difference = arguments.check.empty() ? "" : section_difference(arguments.check, kSection, table);
  if (!difference.empty()) std::printf("%s\nto rewrite the table: assay_judges ROOT LIBRARIES --write FILE.md\n", difference.c_str());
  return wrong.empty() && difference.empty() && !entries.empty() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  CLI::App program{"compares the acceptance rules of other projects with Assay on the same faulty and correct kernels"};
  program.add_option("ROOT", arguments.root, "the source tree")->required()->check(CLI::ExistingDirectory);
  program.add_option("LIBRARIES", arguments.libraries, "the folder of kernel libraries")
      ->required()
      ->check(CLI::ExistingDirectory);
  program.add_flag("--list", arguments.list, "print every judgement: kernel, judge, data, case");
  CLI::Option* check =
      program.add_option("--check", arguments.check, "compare the measured tables with FILE.md and fail if they differ")
          ->option_text("FILE.md")
          ->check(CLI::ExistingFile);
  CLI::Option* write =
      program.add_option("--write", arguments.write, "write the tables into FILE.md")->option_text("FILE.md")->excludes(check);
  program.add_option("--sample", arguments.one_in, "measure only one kernel in N, and require that Assay is right about each")
      ->option_text("N")
      ->check(CLI::Range(1, 1000))
      ->excludes(check)
      ->excludes(write);
  program
      .add_option("--keep", arguments.keep,
                  "read earlier results of a kernel from FILE.json unless the code or data behind them has changed, and store new "
                  "results there")
      ->option_text("FILE.json");
  try {
    program.parse(argc, argv);
    return run(arguments);
  } catch (const CLI::ParseError& error) {
    return program.exit(error) == 0 ? 0 : 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "assay_judges: %s\n", error.what());
    return 2;
  }
}
