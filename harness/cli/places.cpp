#include "harness/cli/places.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>
#include <span>
#include <string>
#include <utility>

#include "harness/backend/library.h"
#include "harness/backend/worker.h"
#include "harness/core/op.h"
#include "harness/diagnosis/diagnose.h"
#include "harness/text/messages.h"
#include "reference/formats/catalogue.h"
#include "reference/table/near.h"
#include "reference/table/table.h"
#include "suites/registry.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

fs::path program_folder() { return fs::read_symlink("/proc/self/exe").parent_path(); }

constexpr std::string_view kPrefix = "libassay_", kSuffix = ".so", kPython = "python:";

bool is_path(const std::string& backend) { return backend.find('/') != std::string::npos || backend.ends_with(kSuffix); }

/// Opens kernels in Python: starts `python3 -m assay.worker`, or the interpreter that ASSAY_PYTHON names, as the worker.
Backend open_python(const BackendRequest& request) {
  const char* const named = std::getenv("ASSAY_PYTHON");
  const std::string python = named != nullptr && *named != '\0' ? named : "python3";
  WorkerOptions options{
      .timeout_seconds = request.timeout_seconds, .program = python, .ended = request.ended, .before = {"-m", "assay.worker"}};
  try {
    return open_in_worker(request.backend.substr(kPython.size()), request.backend, options);
  } catch (const LibraryError& error) {
    throw LibraryError(std::string(error.what()) + "; interpreter: " + python +
                       (named == nullptr ? "; set ASSAY_PYTHON to use another" : ", from ASSAY_PYTHON"));
  }
}

/// Folders with kernel libraries: the program's own folder, then the installed folder.
std::vector<fs::path> library_folders() { return {program_folder(), program_folder() / ASSAY_INSTALLED_KERNELS}; }

/// Kernel libraries by name.
std::map<std::string, fs::path> named_backends() {
  std::map<std::string, fs::path> found;
  for (const fs::path& folder : library_folders()) {
    std::error_code missing;
    for (const auto& entry : fs::directory_iterator(folder, missing)) {
      const std::string file = entry.path().filename().string();
      if (!file.starts_with(kPrefix) || !file.ends_with(kSuffix)) continue;
      found.try_emplace(file.substr(kPrefix.size(), file.size() - kPrefix.size() - kSuffix.size()), entry.path());
    }
  }
  return found;
}

/// Says how to build the library cpu, faulty, cuda or hip if it is missing; empty for other names.
std::string how_to_build(const std::string& name) {
  if (name == "cuda")
    return "; to build it where nvcc is installed: ci/build release assay_kernels_cuda; for a machine without the sources: "
           "ci/bundle";
  if (name == "hip")
    return "; to build it where ROCm's hipcc is installed: cmake --preset release -DWITH_HIP=ON, then ci/build release "
           "assay_kernels_hip";
  for (const char* ours : {"cpu", "faulty"})
    if (name == ours) return "; to build it: ci/build release assay_kernels_" + name;
  return "";
}

/// Returns `backend`. Throws LibraryError if its library advertises something that no case can match.
Backend checked(const OpRegistry& ops, Backend backend) {
  require_known_offers(ops, backend.library);
  return backend;
}

}  // namespace

std::string data_root() {
  const char* from_environment = std::getenv("ASSAY_DATA");
  const fs::path installed = (program_folder() / ASSAY_INSTALLED_DATA).lexically_normal();
  const std::string root = from_environment != nullptr && *from_environment != '\0' ? from_environment
                           : fs::is_directory(installed)                            ? installed.string()
                                                                                    : ASSAY_SOURCE_DIR;
  if (!fs::is_directory(fs::path(root) / "suites"))
    throw UsageError(root + " has no folder 'suites'; set ASSAY_DATA to the folder that contains it");
  return root;
}

void open_contracts(const Suites& suites) {
  open_rulebook(data_root(), suites.tables.contracts);
  // The worker processes of kernels in Python read the tables that this variable names.
  std::string own;
  for (const std::string& file : suites.tables.contracts) own += (own.empty() ? "" : ":") + fs::absolute(file).string();
  if (!own.empty()) ::setenv("ASSAY_CONTRACTS", own.c_str(), 1);
}

std::vector<Case> open_cases(const Suites& suites) { return open_cases_of(suites, suites.ops->all()); }

std::vector<Case> open_selected_cases(const Suites& suites, const Selection& selection) {
  return selected_of(open_cases_for(suites, selection), selection);
}

/// A note about the undocumented tensor core instructions of an architecture; empty if it has none.
static std::string unknown_units(const std::string& arch) {
  std::string judged;
  int unknown = 0, all = 0;
  for (const UnitRow& row : rulebook().units.rows()) {
    if (chip_of_unit(row.id) != arch) continue;
    ++all, unknown += !row.unit.known();
    if (!rulebook().units.candidates_of(row).empty()) judged += (judged.empty() ? "" : ", ") + row.id;
  }
  if (unknown == 0) return "";
  const std::string of = std::to_string(unknown) + " of " + std::to_string(all) + " tensor core instructions of " + arch +
                         " accumulate in an undocumented way (assay arch list)";
  if (judged.empty()) return of + ", so their GEMMs are not predicted";
  return of + ": GEMMs on " + judged + " are checked against all candidate models, GEMMs on the others are not checked";
}

/// Throws UsageError for an unknown architecture. Prints which of its tensor cores are undocumented.
static void check_arch(const std::vector<Case>& all, const std::string& arch) {
  if (arch.empty()) return;
  std::set<std::string> known;
  for (const Case& one : all)
    if (const auto found = one.parameters.find("arch"); found != one.parameters.end()) known.insert(found->second);
  for (const UnitRow& row : rulebook().units.rows()) known.insert(chip_of_unit(row.id));
  if (!known.contains(arch))
    throw UsageError("no case and no tensor core instruction is for '" + arch + "'" +
                     did_you_mean(arch, std::vector<std::string>(known.begin(), known.end())));
  if (const std::string note = unknown_units(arch); !note.empty()) std::fprintf(stderr, "assay: %s\n", note.c_str());
}

std::vector<Case> selected_of(const std::vector<Case>& all, const Selection& selection) {
  check_arch(all, selection.arch);
  std::vector<Case> selected = select_cases(all, selection);
  if (!selected.empty()) return selected;
  std::vector<std::string> ids;
  for (const Case& one : all) ids.push_back(one.id);
  const std::string glob = selection.cases.empty() ? "" : selection.cases.front();
  const std::vector<std::string> near = glob.empty() ? ids : near_matches(glob, ids);
  throw UsageError("no case is selected" +
                   (glob.empty() || near.empty() ? std::string("; see assay list") : did_you_mean(glob, near)));
}

namespace {

constexpr std::array kTiers = {"quick", "full", "far"};

/// Index of the tier in kTiers. 0 also for "own", the tier of cases of a user's table, so that these always run.
size_t rank_of_tier(const std::string& tier) {
  const auto found = std::find(kTiers.begin(), kTiers.end(), tier);
  return found == kTiers.end() ? 0 : size_t(found - kTiers.begin());
}

bool names_tier(const std::string& suite) {
  return suite.find('/') != std::string::npos || std::find(kTiers.begin(), kTiers.end(), suite) != kTiers.end();
}

}  // namespace

CasesOfTiers cases_of_tiers(std::vector<Case> selected, const Selection& selection, const std::string& tier,
                            const std::function<bool(const Case&)>& counts) {
  const bool named = !selection.cases.empty() || std::any_of(selection.suites.begin(), selection.suites.end(), names_tier);
  const auto below = [&](const std::string& suite) {
    return names_tier(suite) &&
           rank_of_tier(suite.substr(suite.find('/') == std::string::npos ? 0 : suite.find('/') + 1)) < rank_of_tier(tier);
  };
  if (!selection.suites.empty() && std::all_of(selection.suites.begin(), selection.suites.end(), below)) {
    const std::string& suite = selection.suites.front();
    const size_t slash = suite.find('/');
    throw UsageError(
        "--suite " + suite + " already names a tier, so --tier " + tier + " has no effect; try " +
        (slash == std::string::npos ? "--tier " + tier + " alone" : "--suite " + suite.substr(0, slash) + " --tier " + tier));
  }
  const size_t last = !tier.empty() ? rank_of_tier(tier) : named ? kTiers.size() : 0;
  CasesOfTiers tiers;
  for (Case& one : selected) {
    if (rank_of_tier(one.tier) <= last)
      tiers.chosen.push_back(std::move(one));
    else
      tiers.left[one.tier] += counts(one);
  }
  std::erase_if(tiers.left, [](const auto& entry) { return entry.second == 0; });
  if (tiers.chosen.empty())
    throw UsageError("no selected case is in tier " + std::string(kTiers[std::min(last, kTiers.size() - 1)]) + "; " +
                     tiers_not_run_text(tiers.left));
  std::stable_sort(tiers.chosen.begin(), tiers.chosen.end(),
                   [](const Case& a, const Case& b) { return rank_of_tier(a.tier) < rank_of_tier(b.tier); });
  return tiers;
}

std::string tiers_not_run_text(const std::map<std::string, size_t>& left) {
  std::string text;
  for (const char* tier : kTiers)
    if (const auto found = left.find(tier); found != left.end())
      text += (text.empty() ? "" : ", ") + found->first + " tier not run (" + std::to_string(found->second) + " case" +
              (found->second == 1 ? "" : "s") + "; --tier " + found->first + ")";
  return text;
}

const Case& case_named(const std::vector<Case>& cases, const std::string& id_or_glob) {
  std::vector<const Case*> found;
  for (const Case& one : cases) {
    if (one.id == id_or_glob) return one;
    if (glob_match(id_or_glob, one.id)) found.push_back(&one);
  }
  const auto same_data = [&](const Case* one) { return one->data_id() == found.front()->data_id(); };
  if (!found.empty() && std::all_of(found.begin(), found.end(), same_data)) return *found.front();
  if (!found.empty()) {
    constexpr size_t kMostShown = 8;
    std::string text = "'" + id_or_glob + "' matches " + std::to_string(found.size()) + " cases; name one:";
    for (size_t i = 0; i < std::min(found.size(), kMostShown); ++i) text += "\n  " + found[i]->id;
    throw UsageError(text + (found.size() > kMostShown ? "\n  ..." : ""));
  }
  std::vector<std::string> ids, of_op;
  const std::string op = id_or_glob.substr(0, id_or_glob.find('/') + 1);
  for (const Case& one : cases) {
    ids.push_back(one.id);
    if (!op.empty() && one.id.starts_with(op)) of_op.push_back(one.id);
  }
  if (const std::vector<std::string> near = near_matches(id_or_glob, of_op.empty() ? ids : of_op); !near.empty())
    throw UsageError("no case '" + id_or_glob + "'" + did_you_mean(id_or_glob, near));
  throw UsageError("no case '" + id_or_glob + "'; " +
                   (of_op.empty() ? "see: assay list"
                                  : "see: assay list '" + op + "*', which prints " + std::to_string(of_op.size()) + " ids"));
}

int64_t diagnosis_budget(const std::string& diagnose) {
  return diagnose == "none" ? 0 : diagnose == "long" ? WorkBudget::kLong : WorkBudget::kShort;
}

bool is_in_worker(const BackendRequest& request) {
  return request.backend.starts_with(kPython) || (is_path(request.backend) && !request.in_process);
}

Backend open_backend(const OpRegistry& ops, const BackendRequest& request) {
  if (request.backend.starts_with(kPython)) return checked(ops, open_python(request));
  if (is_path(request.backend) && request.in_process)
    return checked(ops, open_in_process(request.backend, request.backend, library_folders()));
  if (is_path(request.backend))
    return checked(ops, open_in_worker(request.backend, request.backend,
                                       {.timeout_seconds = request.timeout_seconds, .ended = request.ended}));
  const std::map<std::string, fs::path> backends = named_backends();
  if (const auto found = backends.find(request.backend); found != backends.end())
    return checked(ops, open_in_process(found->second.lexically_normal().string(), request.backend, library_folders()));
  std::vector<std::string> names;
  for (const auto& [name, file] : backends) names.push_back(name);
  const std::string built = how_to_build(request.backend);
  throw UsageError("no back end '" + request.backend + "' beside the program" +
                   (built.empty() ? did_you_mean(request.backend, names) : built));
}

namespace {

/// True if one of these selections may contain cases of that op, or if there are no selections.
bool may_name(const OpRegistry& ops, const std::vector<std::string>& names, const std::string& op) {
  const auto may = [&](const std::string& name) {
    const std::string begin = name.substr(0, name.find('/'));
    return begin == op || std::none_of(ops.all().begin(), ops.all().end(), [&](const Op& one) { return one.name == begin; });
  };
  return names.empty() || std::any_of(names.begin(), names.end(), may);
}

/// The text of Case::run_options: the command-line options that name the user's tables.
std::string options_of(const UserTables& tables) {
  std::string options;
  for (const std::string& file : tables.contracts) options += " --contracts " + shell_word(file);
  for (const std::string& file : tables.cases) options += " --cases " + shell_word(file);
  if (!tables.op.empty()) options += " --op " + shell_word(tables.op);
  return options;
}

}  // namespace

std::vector<Case> open_cases_of(const Suites& suites, std::span<const Op> ops) {
  open_contracts(suites);
  const UserTables& tables = suites.tables;
  std::vector<Case> cases;
  for (const std::string& file : tables.cases)
    for (Case& one : load_own_cases(suites.ops->all(), read_text(file), file, tables.op)) cases.push_back(std::move(one));
  if (tables.cases.empty()) cases = load_cases(ops, data_root());
  if (const std::string options = options_of(tables); !options.empty())
    for (Case& one : cases) one.run_options = options;
  return cases;
}

std::vector<Case> open_cases_for(const Suites& suites, const Selection& selection) {
  std::vector<Op> ops;
  for (const Op& op : suites.ops->all())
    if (may_name(*suites.ops, selection.suites, op.name) && may_name(*suites.ops, selection.cases, op.name)) ops.push_back(op);
  // Loads the cases of all ops if an error message may need the list of all names: for an unknown name, and for --arch.
  if (ops.empty() || ops.size() == suites.ops->all().size() || !selection.arch.empty() || !suites.tables.cases.empty())
    return open_cases(suites);
  return open_cases_of(suites, ops);
}

namespace {

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_number(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

/// All values that a column may have; empty for columns whose values are numbers, or words that only the op knows.
std::vector<std::string> words_of(const std::string& column) {
  std::vector<std::string> words;
  if (column == "x" || column == "y" || column == "weights")
    for (const Format& format : all_formats()) words.emplace_back(format.name);
  if (column == "layout")
    for (const Layout& layout : rulebook().layouts) words.push_back(layout.id);
  if (column == "contract") words = rulebook().contract_ids();
  if (column == "warp") words = {"32", "64"};
  return words;
}

bool is_numeric(const std::string& column) {
  return contains({"m", "n", "row_stride", "offset", "seed", "eps", "scale_ub", "room", "q_heads", "k_heads", "v_heads", "rotary",
                   "padded_heads", "max_position", "tiles", "steps", "k"},
                  column);
}

class Checker {
 public:
  Checker(const OpRegistry& ops, const LibraryInfo& library) : registry_(ops), library_(library) {
    for (const Op& op : ops.all()) ops_.push_back(op.name);
  }

  void check(const KernelOffer& kernel) const {
    if (!contains(ops_, kernel.op)) refuse(kernel, "unknown op '" + kernel.op + "'" + did_you_mean(kernel.op, ops_));
    for (const std::string& contract : kernel.contracts)
      if (!contains(contracts_, contract))
        refuse(kernel, "unknown contract '" + contract + "'" + did_you_mean(contract, contracts_));
    const std::vector<std::string>& columns = registry_.find(kernel.op).columns;
    for (const auto& [column, cells] : kernel.accepts) {
      require_column(kernel, "accepts", column, columns);
      for (const std::string& cell : cells) check_cell(kernel, column, cell);
    }
    for (const auto& [column, divisor] : kernel.multiple_of) require_column(kernel, "multiple_of", column, columns);
  }

 private:
  [[noreturn]] void refuse(const KernelOffer& kernel, const std::string& what) const {
    throw LibraryError(library_.path + ": describe(): kernel '" + kernel.name + "': " + what);
  }

  void require_column(const KernelOffer& kernel, const char* field, const std::string& column,
                      const std::vector<std::string>& columns) const {
    if (!contains(columns, column))
      refuse(kernel, std::string(field) + ": op " + kernel.op + " has no case parameter '" + column + "'" +
                         did_you_mean(column, columns));
  }

  void check_cell(const KernelOffer& kernel, const std::string& column, const std::string& cell) const {
    const std::string where = "accepts." + column + ": ";
    const std::vector<std::string> words = words_of(column);
    if (!words.empty() && !contains(words, cell))
      refuse(kernel, where + "no case can have '" + cell + "'" + did_you_mean(cell, words));
    if (is_numeric(column) && !is_number(cell)) refuse(kernel, where + "'" + cell + "' is not a number");
  }

  const OpRegistry& registry_;
  const LibraryInfo& library_;
  std::vector<std::string> ops_;
  std::vector<std::string> contracts_ = rulebook().contract_ids();
};

}  // namespace

void require_known_offers(const OpRegistry& ops, const LibraryInfo& library) {
  const Checker checker(ops, library);
  for (const KernelOffer& kernel : library.kernels) checker.check(kernel);
}

std::string offers_without_cases(const LibraryInfo& library, const std::vector<Case>& cases) {
  std::set<std::pair<std::string, std::string>> there;
  std::set<std::string> ops;
  for (const Case& one : cases) {
    ops.insert(one.op);
    if (const auto contract = one.parameters.find("contract"); contract != one.parameters.end())
      there.emplace(one.op, contract->second);
  }
  std::set<std::pair<std::string, std::string>> without;
  std::string first;
  for (const KernelOffer& kernel : library.kernels)
    for (const std::string& contract : kernel.contracts)
      if (ops.contains(kernel.op) && !there.contains({kernel.op, contract}) && without.emplace(kernel.op, contract).second &&
          first.empty())
        first = "contract " + contract + " of op " + kernel.op + " (kernel '" + kernel.name + "')";
  if (without.empty()) return "";
  return (without.size() == 1 ? "no case for the offered "
                              : std::to_string(without.size()) + " offered contracts have no case, such as ") +
         first + "; --cases FILE.csv runs cases of your own";
}

bool ignores_warp(const LibraryInfo& library) {
  return library.arch == "cpu" && std::none_of(library.kernels.begin(), library.kernels.end(),
                                               [](const KernelOffer& kernel) { return kernel.accepts.contains("warp"); });
}

std::vector<Case> each_data_once(std::vector<Case> cases) {
  std::set<std::string> seen;
  std::erase_if(cases, [&](const Case& one) { return one.parameters.contains("warp") && !seen.insert(one.data_id()).second; });
  return cases;
}

}  // namespace assay
