#include "harness/golden/power_records.h"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "harness/text/atomic_file.h"
#include "harness/text/digest.h"

namespace assay {
namespace {

using nlohmann::ordered_json;

std::string index_of(const std::string& folder) { return folder + "/index.json"; }
std::string file_of(const std::string& folder, const std::string& op) { return folder + "/" + op + ".json"; }

/// The digest of each op's file, by op; empty if the index is of other sources or tables, or there is none.
std::map<std::string, std::string> files_made_of(const std::string& folder, const std::string& made_of) {
  const std::string path = index_of(folder);
  if (!std::filesystem::exists(path)) return {};
  try {
    const ordered_json index = ordered_json::parse(read_golden_text(path));
    if (index.at("made_of") != made_of) return {};
    return index.at("files").get<std::map<std::string, std::string>>();
  } catch (const ordered_json::exception& error) {
    throw std::runtime_error(path + ": is truncated or damaged: " + error.what());
  }
}

}  // namespace

PowerRecords PowerRecords::read(const std::string& folder, const std::string& made_of, const std::set<std::string>& ops) {
  PowerRecords records;
  for (const auto& [op, digest] : files_made_of(folder, made_of)) {
    if (!ops.contains(op)) continue;
    const std::string path = file_of(folder, op), text = read_golden_text(path);
    if (digest_text(text) != digest)
      throw std::runtime_error(path + ": is not the file that " + index_of(folder) + " was written with");
    records.by_data_.merge(parse_golden(text, path).power);
  }
  return records;
}

const Power* PowerRecords::find(const Case& one) const {
  const auto found = by_data_.find(one.data_id());
  return found == by_data_.end() || found->second.declared != declared_by(one) ? nullptr : &found->second.power;
}

void write_power_records(const std::string& folder, const std::string& made_of, const std::map<std::string, Golden>& by_op) {
  std::filesystem::remove(index_of(folder));
  ordered_json files = ordered_json::object();
  for (const auto& [op, golden] : by_op) {
    const std::string text = golden_text(golden);
    write_atomically(file_of(folder, op), text);
    files[op] = digest_text(text);
  }
  write_atomically(index_of(folder), ordered_json{{"made_of", made_of}, {"files", files}}.dump(1) + "\n");
}

}  // namespace assay
