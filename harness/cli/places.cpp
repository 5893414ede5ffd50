#include "harness/cli/places.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

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

/// Names of the libraries beside the program.
std::vector<std::string> backend_names() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(program_folder())) {
    const std::string file = entry.path().filename().string();
    if (!file.starts_with(kPrefix) || !file.ends_with(kSuffix)) continue;
    names.push_back(file.substr(kPrefix.size(), file.size() - kPrefix.size() - kSuffix.size()));
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

std::string data_root() {
  const char* from_environment = std::getenv("ASSAY_DATA");
  const std::string root = from_environment != nullptr && *from_environment != '\0' ? from_environment : ASSAY_SOURCE_DIR;
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
  if (is_path && request.in_process) return open_in_process(request.backend, request.backend);
  if (is_path) return open_in_worker(request.backend, request.backend, {.timeout_seconds = request.timeout_seconds});
  const std::vector<std::string> names = backend_names();
  if (std::find(names.begin(), names.end(), request.backend) == names.end()) {
    throw UsageError("no back end '" + request.backend + "' beside the program" + did_you_mean(request.backend, names));
  }
  const fs::path file = program_folder() / (std::string(kPrefix) + request.backend + std::string(kSuffix));
  return open_in_process(file.string(), request.backend);
}

}  // namespace assay
