#include "harness/cli/places.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>

#include "harness/backend/library.h"
#include "harness/backend/worker.h"
#include "harness/cli/cases_of_ops.h"
#include "harness/cli/offers.h"
#include "harness/text/error.h"
#include "harness/text/glob.h"
#include "harness/text/printable.h"
#include "reference/table/near.h"
#include "reference/table/table.h"
#include "suites/chip_of_unit.h"
#include "suites/registry.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

fs::path program_folder() { return fs::read_symlink("/proc/self/exe").parent_path(); }

constexpr std::string_view kPrefix = "libassay_", kSuffix = ".so", kPython = "python:";

bool is_path(const std::string& backend) { return backend.find('/') != std::string::npos || backend.ends_with(kSuffix); }

/// Kernels in Python: `python3 -m assay.worker`, or the interpreter that ASSAY_PYTHON names, holds them.
Backend open_python(const BackendRequest& request) {
  const char* const named = std::getenv("ASSAY_PYTHON");
  const std::string python = named != nullptr && *named != '\0' ? named : "python3";
  WorkerOptions options{.timeout_seconds = request.timeout_seconds, .program = python, .ended = request.ended, .before = {"-m", "assay.worker"}};
  return open_in_worker(request.backend.substr(kPython.size()), request.backend, options);
}

/// Folders with kernel libraries: beside the program, then the installed one.
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

/// How to build one of our libraries that is missing.
std::string how_to_build(const std::string& name) {
  if (name == "cuda")
    return "; it is built where nvcc is found: ci/build release assay_kernels_cuda, or ci/bundle for a machine without the sources";
  if (name == "hip") return "; it is built with -DWITH_HIP=ON and ROCm's hipcc: ci/build release assay_kernels_hip";
  for (const char* ours : {"cpu", "faulty"})
    if (name == ours) return "; ci/build release assay_kernels_" + name + " builds it";
  return "";
}

/// A library whose every offer some case can meet.
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
    throw UsageError(root + " has no folder suites; set ASSAY_DATA to the folder that has");
  return root;
}

void open_contracts(const Suites& suites) { open_rulebook(data_root(), suites.tables.contracts); }

std::vector<Case> open_cases(const Suites& suites) { return open_cases_of(suites, suites.ops->all()); }

std::vector<Case> open_selected_cases(const Suites& suites, const Selection& selection) {
  return selected_of(open_cases_for(suites, selection), selection);
}

/// What a run says of an architecture some of whose tensor cores nobody knows; empty of others.
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
  return of + ": GEMMs on " + judged + " are checked against all its candidate models, GEMMs on the others are not checked";
}

/// Throws UsageError for an unknown architecture. Prints which of its tensor cores are undocumented.
static void check_arch(const std::vector<Case>& all, const std::string& arch) {
  if (arch.empty()) return;
  std::set<std::string> known;
  for (const Case& one : all)
    if (const auto found = one.parameters.find("arch"); found != one.parameters.end()) known.insert(found->second);
  for (const UnitRow& row : rulebook().units.rows()) known.insert(chip_of_unit(row.id));
  if (!known.contains(arch))
    throw UsageError("no case and no tensor core instruction is for '" + arch + "'" + did_you_mean(arch, std::vector<std::string>(known.begin(), known.end())));
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
  throw UsageError("no case '" + id_or_glob + "'" + did_you_mean(id_or_glob, of_op.empty() ? ids : of_op));
}

bool is_in_worker(const BackendRequest& request) {
  return request.backend.starts_with(kPython) || (is_path(request.backend) && !request.in_process);
}

Backend open_backend(const OpRegistry& ops, const BackendRequest& request) {
  if (request.backend.starts_with(kPython)) return checked(ops, open_python(request));
  if (is_path(request.backend) && request.in_process) return checked(ops, open_in_process(request.backend, request.backend, library_folders()));
  if (is_path(request.backend)) return checked(ops, open_in_worker(request.backend, request.backend, {.timeout_seconds = request.timeout_seconds, .ended = request.ended}));
  const std::map<std::string, fs::path> backends = named_backends();
  if (const auto found = backends.find(request.backend); found != backends.end())
    return checked(ops, open_in_process(found->second.lexically_normal().string(), request.backend, library_folders()));
  std::vector<std::string> names;
  for (const auto& [name, file] : backends) names.push_back(name);
  const std::string built = how_to_build(request.backend);
  throw UsageError("no back end '" + request.backend + "' beside the program" +
                   (built.empty() ? did_you_mean(request.backend, names) : built));
}

}  // namespace assay
