// assay_judges ROOT LIBRARIES [--list | --check FILE | --write FILE | --sample N] [--keep FILE.json]: what the acceptance rules
// of other projects find, and Assay, on the same faulty and healthy kernels.
// --list prints every judgement: kernel, judge, data, case. --sample has one kernel in N judged, and Assay must be right about
// each.
// --keep writes what was found of each kernel into a file and takes from it what stands there, so that a fault more is measured
// alone. Nobody looks whether kernels, cases or rules have changed since: take out of it what has.
#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <deque>
#include <mutex>
#include <set>
#include <thread>

#include "harness/backend/library.h"
#include "harness/backend/worker.h"
#include "harness/core/cases.h"
#include "harness/diagnosis/run_hooks.h"
#include "harness/text/section.h"
#include "reference/table/table.h"
#include "suites/catches/measuring.h"
#include "suites/catches/sample.h"
#include "suites/judges/kept.h"
#include "suites/judges/tables.h"
#include "suites/registry.h"
#include "suites/rulebook.h"

namespace {

using namespace assay;
using namespace assay::judges;

constexpr const char* kSection = "judges";

/// The libraries that kernels come from.
struct Libraries {
  std::string faulty_path;
  Backend cpu, faulty, varied, zero;
  std::deque<Backend> of_ranks;

  explicit Libraries(const std::string& folder)
      : faulty_path(folder + "/libassay_faulty.so"),
        cpu(open(folder + "/libassay_cpu.so")),
        faulty(open(faulty_path)),
        varied(open(folder + "/libassay_varied.so")),
        zero(all_zero(cpu)) {}

  /// What a kernel of ranks leaves in the flags of its group, no other finds.
  const Backend* with_groups_of_its_own() { return &of_ranks.emplace_back(open(faulty_path)); }

  static Backend open(const std::string& path) { return shared_between_threads(open_in_process(path, path)); }
};

constexpr std::array kShape = {"m", "n"};

bool has_column(const KernelOffer& kernel, const char* name) {
  const std::vector<std::string>& columns = find_op(kernel.op).columns;
  return std::find(columns.begin(), columns.end(), name) != columns.end();
}

/// Ops of casts have no rows of numbers, and those of caches have records.
bool has_rows(const KernelOffer& kernel) {
  return std::all_of(kShape.begin(), kShape.end(), [&](const char* name) { return has_column(kernel, name); });
}

/// The healthy kernel of one contract with the outputs of another for reference, as the projects' tests have it.
void add_pairs(const Libraries& libraries, const std::vector<Rule>& rules, std::vector<Contestant>& all) {
  std::set<std::array<std::string, 2>> pairs;
  for (const Rule& rule : rules) pairs.insert(rule.pairs.begin(), rule.pairs.end());
  for (const auto& [contract, reference] : pairs) {
    const auto does = [&, c = contract](const KernelOffer& k) {
      return std::count(k.contracts.begin(), k.contracts.end(), c) > 0;
    };
    const auto found = std::find_if(libraries.cpu.library.kernels.begin(), libraries.cpu.library.kernels.end(), does);
    if (found == libraries.cpu.library.kernels.end()) throw std::runtime_error("rules.csv: no kernel does " + contract);
    KernelOffer kernel = *found;
    kernel.contracts = {contract};
    all.push_back({contract + " with " + reference, true, &libraries.cpu, kernel, "", reference});
  }
}

/// Faults of libassay_faulty.so but races, whose numbers change; mistakes that are no edit of a contract; outputs of zeros;
/// healthy kernels that use the freedom of their contracts.
std::vector<Contestant> contestants(Libraries& libraries, const std::string& root, const std::vector<Rule>& rules) {
  std::map<std::string, Subject> known;
  for (Subject& subject : subjects(root)) known.emplace(subject.kernel, subject);
  std::vector<Contestant> all;
  for (const KernelOffer& kernel : libraries.faulty.library.kernels) {
    const auto subject = known.find(kernel.name);
    const bool race = subject != known.end() && subject->second.causes == std::vector<std::string>{"race"};
    const Backend* from = has_column(kernel, "ranks") ? libraries.with_groups_of_its_own() : &libraries.faulty;
    if (has_rows(kernel) && !race) all.push_back({kernel.name, false, from, kernel, kernel.twin});
  }
  for (const KernelOffer& kernel : libraries.varied.library.kernels) {
    const std::string& kind = known.at(kernel.name).kind;
    if (kind == "outside" || kind == "healthy")
      all.push_back({kernel.name, kind == "healthy", &libraries.varied, kernel, kernel.twin});
  }
  std::set<std::string> ops;
  for (KernelOffer kernel : libraries.cpu.library.kernels) {
    if (!has_rows(kernel) || !ops.insert(kernel.op).second) continue;
    kernel.contracts.resize(1);
    all.push_back({"all zero (" + kernel.op + ")", false, &libraries.zero, kernel, kernel.name});
  }
  add_pairs(libraries, rules, all);
  return all;
}

/// What was found of contestants before, and what is found now.
class Kept {
 public:
  explicit Kept(std::string file) : file_(std::move(file)) {
    if (!file_.empty()) marks_ = read_kept(file_);
  }
  const Marks* of(const std::string& name) const {
    const std::lock_guard lock(mutex_);
    const auto found = marks_.find(name);
    return found == marks_.end() ? nullptr : &found->second;
  }
  void add(const std::string& name, const Marks& marks) {
    const std::lock_guard lock(mutex_);
    marks_[name] = marks;
    if (!file_.empty()) write_kept(file_, marks_);
  }

 private:
  std::string file_;
  std::map<std::string, Marks> marks_;
  mutable std::mutex mutex_;
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
        if (const Marks* before = kept.of(all[i].name)) {
          entries[i] = {all[i], *before};
          continue;
        }
        entries[i] = {all[i], contest(field, all[i], {list ? note : decltype(Listener::said){}})};
        kept.add(all[i].name, entries[i].marks);
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

int run(const std::string& root, const std::string& folder, const std::string& option, const std::string& file,
        const std::string& keep) {
  open_rulebook(root);
  Libraries libraries(folder);
  const Field field{load_rules(root + "/suites/judges/rules.csv"), load_recipes(root + "/suites/judges/recipes.csv"),
                    select_cases(load_cases(all_ops(), root), {.suites = {"quick"}, .cases = {}, .arch = {}, .warp = {}}),
                    &libraries.cpu};
  for (const Rule& rule : field.rules) field.recipe(rule.recipe);
  std::vector<Contestant> all = contestants(libraries, root, field.rules);
  if (option == "--sample") std::erase_if(all, [n = one_in(file)](const Contestant& one) { return !in_sample(one.name, n); });
  Kept kept(keep);
  const std::vector<Entry> entries = judged(field, all, option == "--list", kept);
  const std::string table = tables(field.rules, entries);
  if (option == "--write") write_section(file, kSection, table);
  std::fputs(table.c_str(), stdout);
  const std::vector<std::string> wrong = complaints(option == "--sample" ? std::vector<Rule>{} : field.rules, entries);
  for (const std::string& complaint : wrong) std::printf("COMPLAINT: %s\n", complaint.c_str());
  const std::string difference = option == "--check" ? section_difference(file, kSection, table) : "";
  if (!difference.empty()) std::printf("%s\nrewrite it: assay_judges ROOT LIBRARIES --write FILE\n", difference.c_str());
  return wrong.empty() && difference.empty() && !entries.empty() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  std::string keep;
  if (const auto at = std::find(words.begin(), words.end(), "--keep"); at != words.end() && at + 1 != words.end()) {
    keep = at[1];
    words.erase(at, at + 2);
  }
  const std::string option = words.size() > 2 ? words[2] : "", file = words.size() > 3 ? words[3] : "";
  const bool wants_file = option == "--check" || option == "--write" || option == "--sample";
  if (words.size() < 2 || words.size() > 4 || (!option.empty() && !wants_file && option != "--list") ||
      wants_file == file.empty()) {
    std::fprintf(stderr,
                 "usage: assay_judges ROOT FOLDER_OF_LIBRARIES [--list | --check FILE.md | --write FILE.md | --sample N] [--keep "
                 "FILE.json]\n");
    return 2;
  }
  try {
    return run(words[0], words[1], option, file, keep);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "assay_judges: %s\n", error.what());
    return 2;
  }
}
