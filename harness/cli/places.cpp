#include "harness/cli/places.h"

#include <cstdlib>
#include <filesystem>
#include <map>

#include "harness/backend/library.h"
#include "harness/backend/worker.h"
#include "harness/core/error.h"
#include "reference/table/near.h"
#include "suites/registry.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

fs::path program_folder() { return fs::read_symlink("/proc/self/exe").parent_path(); }

constexpr std::string_view kPrefix = "libassay_", kSuffix = ".so";

/// Where libraries are looked for: beside the program, then where they are installed with it.
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

std::vector<std::string>& more_contracts() {
  static std::vector<std::string> files;
  return files;
}

std::vector<Case> open_cases() {
  const std::string root = data_root();
  open_rulebook(root, more_contracts());
  return load_cases(all_ops(), root);
}

std::vector<Case> open_selected_cases(const Selection& selection) {
  const std::vector<Case> all = open_cases();
  std::vector<Case> selected = select_cases(all, selection);
  if (!selected.empty()) return selected;
  std::vector<std::string> ids;
  for (const Case& one : all) ids.push_back(one.id);
  const std::string glob = selection.cases.empty() ? "" : selection.cases.front();
  const std::vector<std::string> near = glob.empty() ? ids : near_matches(glob, ids);
  throw UsageError("no case is selected" +
                   (glob.empty() || near.empty() ? std::string("; see assay list") : did_you_mean(glob, near)));
}

Backend open_backend(const BackendRequest& request) {
  const bool is_path = request.backend.find('/') != std::string::npos || request.backend.ends_with(kSuffix);
  if (is_path && request.in_process) return open_in_process(request.backend, request.backend, library_folders());
  if (is_path) return open_in_worker(request.backend, request.backend, {.timeout_seconds = request.timeout_seconds});
  const std::map<std::string, fs::path> backends = named_backends();
  if (const auto found = backends.find(request.backend); found != backends.end())
    return open_in_process(found->second.lexically_normal().string(), request.backend, library_folders());
  std::vector<std::string> names;
  for (const auto& [name, file] : backends) names.push_back(name);
  throw UsageError("no back end '" + request.backend + "' beside the program" + did_you_mean(request.backend, names));
}

}  // namespace assay
