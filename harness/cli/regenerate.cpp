#include "harness/cli/regenerate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <set>
#include <utility>

#include "harness/cli/places.h"
#include "harness/cli/power.h"
#include "harness/cli/verbs.h"
#include "harness/core/expectation.h"
#include "harness/diagnosis/visibility.h"
#include "harness/report/progress_report.h"
#include "harness/text/messages.h"
#include "harness/text/text_file.h"
#include "reference/table/table.h"
#include "suites/registry.h"
#include "suites/rows/row_text.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

/// The first case of each data set.
std::vector<const Case*> data_sets(const std::vector<Case>& cases) {
  std::vector<const Case*> first;
  std::set<std::string> seen;
  for (const Case& one : cases)
    if (seen.insert(one.data_id()).second) first.push_back(&one);
  return first;
}

std::map<std::string, std::string> texts(const std::string& folder, const std::map<std::string, Golden>& by_op) {
  std::map<std::string, std::string> files;
  for (const auto& [op, golden] : by_op) files[folder + "/" + op + ".json"] = golden_text(golden);
  return files;
}

std::map<std::string, std::string> section(const std::string& file, const std::string& name, const std::string& text) {
  const std::string path = data_root() + "/" + file;
  return {{path, with_section(path, name, text)}};
}

}  // namespace

std::span<const DerivedPart> derived_parts() {
  static const std::vector<DerivedPart> parts = {{"predicted", "predicted"}, {"power", "power"},  {"casts", "casts"},
                                                 {"specials", ""},           {"power_table", ""}, {"sharpness", ""},
                                                 {"witness_table", ""},      {"docs", ""}};
  return parts;
}

std::map<std::string, Golden> predicted_now(const OpRegistry& ops, const std::vector<Case>& cases) {
  const std::vector<const Case*> data = data_sets(cases);
  std::vector<std::vector<PredictedTensor>> predicted(data.size());
  ProgressReport progress(data.size(), "data sets");
  for_each_in_parallel(int64_t(data.size()), [&](int64_t i) {
    const Case& one = *data[size_t(i)];
    const std::unique_ptr<const BoundCase> bound = ops.find(one.op).bind(one);
    predicted[size_t(i)] = predict(bound->expect(bound->problem(), nullptr));
    progress.step(one.data_id());
  });
  std::map<std::string, Golden> by_op;
  for (size_t i = 0; i < data.size(); ++i) {
    Golden& golden = by_op.try_emplace(data[i]->op, Golden{"predicted", data[i]->op, {}, {}, {}}).first->second;
    golden.predicted[prediction_key(*data[i])] = std::move(predicted[i]);
  }
  return by_op;
}

Derivation::Derivation(const Suites& suites, std::string golden, bool believe, MakeDocs docs)
    : ops_(suites.ops),
      golden_(std::move(golden)),
      all_cases_(open_cases(suites)),
      cases_(selected_of(all_cases_, {.suites = {"quick"}, .cases = {}, .arch = {}, .warp = {}})),
      records_(recorded_power(cases_, golden_ + "/power")),
      believe_(believe),
      docs_(std::move(docs)) {}

const std::map<std::string, Power>& Derivation::powers() {
  if (powers_.empty()) powers_ = powers_of(*ops_, cases_, believe_ ? records_ : PowerRecords(), computed_);
  return powers_;
}

std::map<std::string, std::string> Derivation::files(const DerivedPart& part) {
  const std::string folder = golden_ + "/" + part.folder;
  if (part.name == "predicted") return texts(folder, predicted_now(*ops_, cases_));
  if (part.name == "power") {
    std::map<std::string, Golden> by_op;
    for (const Case* one : data_sets(cases_)) {
      Golden& golden = by_op.try_emplace(one->op, Golden{"power", one->op, {}, {}, {}}).first->second;
      const Power& power = powers().at(one->data_id());
      golden.power[one->data_id()] = {power, power_seal(*one, power, rows_read_by(*one))};
    }
    return texts(folder, by_op);
  }
  if (part.name == "casts") return cast_runs(golden_);
  if (part.name == "specials") return section("reference/contracts/SPECIALS.md", "assay contracts specials", special_table());
  if (part.name == "power_table")
    return section("suites/POWER.md", "assay power",
                   power_table(ops_->all(), cases_, [&](const Case& one) { return powers().at(one.data_id()); }));
  if (part.name == "sharpness")
    return section("suites/SHARPNESS.md", "assay sharpness", sharpness_now(*ops_, all_cases_));
  if (part.name == "docs") return docs_ ? docs_() : std::map<std::string, std::string>();
  return section("golden/witness/TABLES.md", "assay witness check", witness_table_now(*ops_));
}

std::vector<std::string> Derivation::strays(const DerivedPart& part, const std::map<std::string, std::string>& files) const {
  std::vector<std::string> strays;
  const std::string folder = golden_ + "/" + part.folder;
  if (part.folder.empty() || !fs::is_directory(folder)) return strays;
  for (const auto& entry : fs::directory_iterator(folder))
    if (!files.contains(entry.path())) strays.push_back(entry.path());
  return strays;
}

// assay regenerate: rewrites every derived file, or checks which are out of date.
namespace {

namespace fs = std::filesystem;

/// A file and its expected text.
struct Wanted {
  std::string path, text;
  bool is_right() const { return fs::exists(path) && read_text(path) == text; }
};

/// Shows both lines around the first character in which they differ.
std::string words_of(const LineDifference& found) {
  constexpr size_t kBefore = 40, kShown = 100;
  const auto [a, b] = std::mismatch(found.a.begin(), found.a.end(), found.b.begin(), found.b.end());
  const size_t at = size_t(a - found.a.begin()), from = at < kBefore ? 0 : at - kBefore;
  const auto part = [&](const std::string& line) {
    return (from > 0 ? "..." : "") + line.substr(std::min(from, line.size()), kShown);
  };
  return fmt::format("has '{}' and should have '{}'", part(found.a), part(found.b));
}

std::string flaw_of(const Wanted& wanted) {
  if (!fs::exists(wanted.path)) return wanted.path + ": is missing";
  const auto found = first_difference(read_text(wanted.path), wanted.text);
  return found ? fmt::format("{}:{}: {}", wanted.path, found->line, words_of(*found)) : "";
}

/// Recomputes recorded mutation scores for a sample of the quick cases. Returns a message for each score that changed.
std::vector<std::string> changes_of_power(const OpRegistry& ops, const Derivation& derivation, uint64_t seed) {
  constexpr double kPercent = 5;
  const std::vector<Case> sample = sample_of_data(derivation.quick_cases(), kPercent, seed);
  ProgressReport progress(sample.size(), "data sets");
  const auto compute = [&](const Case& one) {
    progress.step(one.data_id());
    return power_to_record(*ops.find(one.op).bind(one), one.blind_to);
  };
  std::vector<std::string> changes = changed_power(derivation.records(), sample, compute);
  for (std::string& change : changes)
    change = "golden/power: " + change +
             "; if that is intended, raise kPowerEvaluator (harness/golden/golden.h), build, and run assay regenerate";
  return changes;
}

/// A table that another program of the build tree measures by running kernels, with that program and its options.
struct Measured {
  const char *file, *program, *options;
};
constexpr Measured kMeasured[] = {{"suites/DIAGNOSIS.md", "suites/assay_diagnosis", ""},
                                  {"suites/DIAGNOSIS.md", "suites/assay_diagnosis", "--findings "},
                                  {"suites/judges/TABLES.md", "suites/assay_judges", ""}};

/// Runs these programs, which write the tables. Returns false if one of them failed.
bool write_measured() {
  bool all = true;
  const fs::path build = fs::read_symlink("/proc/self/exe").parent_path();
  for (const Measured& one : kMeasured) {
    const fs::path program = build / one.program;
    if (!fs::exists(program)) {
      fmt::print("{}: not regenerated, because the program {} that writes it is not built\n", one.file, program.string());
      continue;
    }
    const std::string command = fmt::format("{} {} {} {}--write {}", shell_word(program.string()), shell_word(data_root()),
                                            shell_word(build.string()), one.options, shell_word(data_root() + "/" + one.file));
    fmt::print("{}: measured by {}\n", one.file, command);
    std::fflush(stdout);
    all = std::system(command.c_str()) == 0 && all;
  }
  return all;
}

}  // namespace

int regenerate_verb(const RegenerateArguments& arguments) {
  const std::string golden = arguments.golden.empty() ? data_root() + "/golden" : arguments.golden;
  Derivation derivation(arguments.suites, golden, !arguments.recompute, arguments.docs);
  std::vector<Wanted> wanted;
  std::vector<std::string> strays;
  for (const DerivedPart& part : derived_parts()) {
    if (!arguments.parts.empty() && std::find(arguments.parts.begin(), arguments.parts.end(), part.name) == arguments.parts.end())
      continue;
    const auto files = derivation.files(part);
    for (const auto& [path, text] : files) wanted.push_back({path, text});
    for (std::string& stray : derivation.strays(part, files)) strays.push_back(std::move(stray));
  }
  const bool has_power =
      arguments.parts.empty() || std::find(arguments.parts.begin(), arguments.parts.end(), "power") != arguments.parts.end();
  if (arguments.check) {
    std::vector<std::string> flaws;
    if (has_power && !arguments.recompute) flaws = changes_of_power(*arguments.suites.ops, derivation, arguments.seed);
    for (const Wanted& one : wanted)
      if (const std::string flaw = flaw_of(one); !flaw.empty()) flaws.push_back(flaw);
    for (const std::string& stray : strays) flaws.push_back(stray + ": belongs to no op or contract any more");
    for (const std::string& flaw : flaws) fmt::print("{}\n", flaw);
    if (flaws.empty())
      fmt::print("{} generated files are up to date\n", wanted.size());
    else
      fmt::print("the files above are out of date; try assay regenerate\n");
    return flaws.empty() ? kAllAsExpected : kUnexpected;
  }
  size_t written = 0;
  for (const Wanted& one : wanted) {
    if (one.is_right()) continue;
    write_atomically(one.path, one.text);
    fmt::print("wrote {}\n", one.path);
    ++written;
  }
  for (const std::string& stray : strays) {
    fs::remove(stray);
    fmt::print("removed {}\n", stray);
  }
  fmt::print("{} generated files: {} written, {} removed; mutation scores of {} data sets computed\n", wanted.size(), written,
             strays.size(), derivation.computed());
  return arguments.parts.empty() && arguments.measured && !write_measured() ? kUnexpected : kAllAsExpected;
}

}  // namespace assay
