#include "harness/cli/golden_casts.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "harness/core/atomic_file.h"
#include "reference/casts/runs.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

std::string runs_text(const CastProfile& profile) {
  const int digits = profile.from->bits / 4, code_digits = (profile.format->bits + 3) / 4;
  std::string text = "first,last,code\n";
  for (const CodeRun& run : runs_of(profile))
    text += fmt::format("{:0{}x},{:0{}x},{:0{}x}\n", run.first, digits, run.last, digits, run.code, code_digits);
  return text;
}

/// The text of each file by its path.
std::map<std::string, std::string> files_now(const std::string& root) {
  std::map<std::string, std::string> files;
  for (const ContractRow& row : rulebook().contracts.rows())
    if (row.flow == "cast") files[root + "/casts/" + row.id + ".csv"] = runs_text(read_cast(row));
  return files;
}

std::string first_difference(const std::string& written, const std::string& now) {
  std::istringstream was(written), is(now);
  for (int line = 1;; ++line) {
    std::string a, b;
    const bool more_a = bool(std::getline(was, a)), more_b = bool(std::getline(is, b));
    if (more_a && more_b && a == b) continue;
    return fmt::format("line {}: has '{}', the reference gives '{}'", line, a, b);
  }
}

}  // namespace

int write_cast_runs(const std::string& root) {
  const std::map<std::string, std::string> files = files_now(root);
  fs::create_directories(root + "/casts");
  for (const auto& [file, text] : files) write_atomically(file, text);
  return int(files.size());
}

void check_cast_runs(const std::string& root, const std::function<void(const std::string&, const std::string&)>& say) {
  const std::map<std::string, std::string> files = files_now(root);
  for (const auto& [file, now] : files) {
    std::ifstream in(file);
    std::stringstream written;
    written << in.rdbuf();
    if (!in)
      say(file, "cannot be read");
    else if (written.str() != now)
      say(file, first_difference(written.str(), now));
  }
  if (!fs::is_directory(root + "/casts")) return;
  for (const auto& entry : fs::directory_iterator(root + "/casts"))
    if (const std::string file = root + "/casts/" + entry.path().filename().string(); !files.contains(file))
      say(file, "belongs to no cast");
}

}  // namespace assay
