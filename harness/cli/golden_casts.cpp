#include "harness/cli/golden_casts.h"

#include <fmt/format.h>

#include <filesystem>

#include "harness/text/first_difference.h"
#include "reference/casts/cast_profile.h"
#include "reference/casts/cast_runs.h"
#include "reference/flow/flow.h"
#include "reference/table/table.h"
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

/// How a file differs from the expected text; empty if it does not.
std::string flaw_of_file(const std::string& file, const std::string& now) {
  try {
    const std::optional<LineDifference> found = first_difference(read_text(file), now);
    return found ? fmt::format("line {}: has '{}', the reference gives '{}'", found->line, found->a, found->b) : "";
  } catch (const TableError& error) {
    return error.problem();
  }
}

}  // namespace

std::map<std::string, std::string> cast_runs(const std::string& root) {
  std::map<std::string, std::string> files;
  for (const ContractRow& row : rulebook().contracts.rows())
    if (row.flow == &cast_flow()) files[root + "/casts/" + row.id + ".csv"] = runs_text(read_cast(row));
  return files;
}

void check_cast_runs(const std::string& root, const std::function<void(const std::string&, const std::string&)>& say) {
  const std::map<std::string, std::string> files = cast_runs(root);
  for (const auto& [file, now] : files)
    if (const std::string flaw = flaw_of_file(file, now); !flaw.empty()) say(file, flaw);
  if (!fs::is_directory(root + "/casts")) return;
  for (const auto& entry : fs::directory_iterator(root + "/casts")) {
    if (entry.path().extension() != ".csv") continue;  // e.g. the temporary file of a writer that was killed
    if (const std::string file = root + "/casts/" + entry.path().filename().string(); !files.contains(file))
      say(file, "belongs to no cast");
  }
}

}  // namespace assay
