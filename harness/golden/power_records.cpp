#include "harness/golden/power_records.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>

#include "harness/text/atomic_file.h"
#include "harness/text/digest.h"

namespace assay {
namespace {

std::string file_of(const std::string& folder, const std::string& op) { return folder + "/" + op + ".json"; }

/// The first case of each data set, by op.
std::map<std::string, std::map<std::string, const Case*>> data_of_ops(const std::vector<Case>& cases) {
  std::map<std::string, std::map<std::string, const Case*>> ops;
  for (const Case& one : cases) ops[one.op].try_emplace(one.data_id(), &one);
  return ops;
}

/// Describes the first difference between two records.
std::string difference(const Power& recorded, const Power& now) {
  if (recorded.faults != now.faults)
    return "recorded " + std::to_string(recorded.faults) + " mutants, computed " + std::to_string(now.faults);
  for (const auto& [one, other, says] : {std::tuple(&recorded.blind_to, &now.blind_to, "now shows '"),
                                         std::tuple(&now.blind_to, &recorded.blind_to, "no longer shows '")})
    for (const std::string& fault : *one)
      if (std::find(other->begin(), other->end(), fault) == other->end()) return says + fault + "'";
  return "its outputs now hold other codes";
}

}  // namespace

std::string power_seal(const Case& one, const Power& power, const std::string& rows, int evaluator) {
  std::string text = std::to_string(evaluator) + "\n" + one.data_id() + "\n" + rows + "\n" + power_text(power);
  for (const std::string& glob : one.blind_to) text += "\n" + glob;
  return digest_text(text);
}

PowerRecords PowerRecords::read(const std::string& folder, const std::vector<Case>& cases, const RowsRead& rows, int evaluator) {
  PowerRecords records;
  for (const auto& [op, data] : data_of_ops(cases)) {
    const std::string path = file_of(folder, op);
    if (!std::filesystem::exists(path)) continue;
    Golden golden = read_golden(path);
    for (auto& [id, recorded] : golden.power) {
      const auto of = data.find(id);
      if (of == data.end()) {
        records.strays_.push_back(path + ": " + id);
        continue;
      }
      const Case& one = *of->second;
      if (recorded.seal == power_seal(one, recorded.power, rows(one), evaluator))
        records.by_data_[id] = {std::move(recorded.power), one.blind_to};
    }
  }
  return records;
}

const Power* PowerRecords::find(const Case& one) const {
  const auto found = by_data_.find(one.data_id());
  return found == by_data_.end() || found->second.declared != one.blind_to ? nullptr : &found->second.power;
}

void write_power_records(const std::string& folder, const std::map<std::string, Golden>& by_op) {
  for (const auto& [op, golden] : by_op) write_golden(file_of(folder, op), golden);
}

std::vector<Case> sample_of_data(const std::vector<Case>& cases, double percent, uint64_t seed) {
  std::vector<Case> sample;
  for (const auto& [op, data] : data_of_ops(cases)) {
    std::map<std::string, const Case*> shuffled;
    for (const auto& [id, one] : data) shuffled[digest_text(std::to_string(seed) + id) + id] = one;
    size_t left = size_t(std::ceil(double(data.size()) * percent / 100));
    for (auto at = shuffled.begin(); at != shuffled.end() && left > 0; ++at, --left) sample.push_back(*at->second);
  }
  return sample;
}

std::vector<std::string> changed_power(const PowerRecords& records, const std::vector<Case>& cases,
                                       const std::function<Power(const Case&)>& compute) {
  std::vector<std::string> changes;
  for (const Case& one : cases) {
    const Power* const recorded = records.find(one);
    if (recorded == nullptr) continue;
    if (const Power now = compute(one); now != *recorded) changes.push_back(one.id + ": " + difference(*recorded, now));
  }
  return changes;
}

}  // namespace assay
