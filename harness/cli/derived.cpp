#include "harness/cli/derived.h"

#include <filesystem>
#include <memory>
#include <set>
#include <utility>

#include "harness/cli/golden_casts.h"
#include "harness/cli/places.h"
#include "harness/cli/recorded_power.h"
#include "harness/core/blocks.h"
#include "harness/diagnosis/power_table.h"
#include "harness/text/section.h"
#include "suites/registry.h"
#include "suites/rows/special_values.h"
#include "suites/rows_read.h"

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
  for_each_in_parallel(int64_t(data.size()), [&](int64_t i) {
    const Case& one = *data[size_t(i)];
    const std::unique_ptr<const BoundCase> bound = ops.find(one.op).bind(one);
    predicted[size_t(i)] = predict(bound->expect(bound->problem(), nullptr));
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

}  // namespace assay
