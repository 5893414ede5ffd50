#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <stdexcept>

#include "harness/golden/golden.h"
#include "harness/text/guarded_json.h"
#include "harness/text/messages.h"
#include "harness/text/text_file.h"

namespace assay {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr int kVersion = 2;

/// A list of distinct values in the order of their first use, and the index of each in that list.
template <class Value>
struct Listed {
  std::vector<Value> values;
  std::map<Value, size_t> position;

  size_t add(const Value& value) {
    const auto [entry, is_new] = position.try_emplace(value, values.size());
    if (is_new) values.push_back(value);
    return entry->second;
  }
};

/// Values that many records of a file share. The file lists each once, and records hold its index. This halves the files.
struct Shared {
  Listed<std::vector<std::string>> outputs;  ///< name, format, name, format, ... of a record's tensors
  Listed<std::string> steps;                 ///< steps_text() of each ObservedTensor::steps
  Listed<std::string> codes;                 ///< digits_of() of each DataPower::codes
};

/// The list entry at a position that a record refers to. Throws std::runtime_error if the list is shorter.
template <class Entry>
const Entry& entry_of(const std::vector<Entry>& entries, const json& position, const char* list) {
  const auto at = json_integer<int64_t>(position);
  if (at < 0 || at >= int64_t(entries.size()))
    throw std::runtime_error("position " + std::to_string(at) + " of '" + list + "', which has " +
                             std::to_string(entries.size()) + " entries");
  return entries[size_t(at)];
}

/// "71 3656:-2": for each element, its index minus the index of the previous element, then its step unless the step is 1.
std::string steps_text(const std::map<int64_t, int32_t>& steps) {
  std::string text;
  int64_t last = 0;
  for (const auto& [element, step] : steps) {
    text += (text.empty() ? "" : " ") + std::to_string(element - last) + (step == 1 ? "" : ":" + std::to_string(step));
    last = element;
  }
  return text;
}

/// Inverse of steps_text(). Throws std::runtime_error for other text.
std::map<int64_t, int32_t> steps_from(const std::string& text) {
  std::map<int64_t, int32_t> steps;
  std::istringstream words(text);
  int64_t element = 0;
  for (std::string word; words >> word;) {
    int64_t distance = 0;
    int32_t step = 1;
    const char* const end = word.data() + word.size();
    std::from_chars_result read = std::from_chars(word.data(), end, distance);
    if (read.ec == std::errc() && read.ptr != end && *read.ptr == ':') read = std::from_chars(read.ptr + 1, end, step);
    if (read.ec != std::errc() || read.ptr != end || distance < 0)
      throw std::runtime_error("'" + word + "' is not a distance and step of an element");
    steps[element += distance] = step;
  }
  return steps;
}

/// The set of 256 codes, four per hex digit, code 0 first; "" if it is empty, as for formats wider than 8 bits.
std::string digits_of(const std::bitset<256>& codes) {
  if (codes.none()) return "";
  std::string digits;
  for (size_t code = 0; code < 256; code += 4)
    digits += "0123456789abcdef"[codes[code] + 2 * codes[code + 1] + 4 * codes[code + 2] + 8 * codes[code + 3]];
  return digits;
}

std::bitset<256> codes_from(const std::string& digits) {
  std::bitset<256> codes;
  if (digits.empty()) return codes;
  if (digits.size() != 64 || digits.find_first_not_of("0123456789abcdef") != std::string::npos)
    throw std::runtime_error("'" + digits + "' is not a set of 256 codes");
  for (size_t code = 0; code < 256; ++code) {
    const char digit = digits[code / 4];
    codes[code] = (digit <= '9' ? digit - '0' : digit - 'a' + 10) >> code % 4 & 1;
  }
  return codes;
}

/// The integer at index `place` of an entry; 0 if the entry is shorter.
int64_t count_at(const json& entry, size_t place) {
  return place < entry.size() ? json_integer<int64_t>(entry.at(place)) : 0;
}

// JSON of tensors. Entries of records. For a shared value, an entry holds the index in the value's list ("position").

/// The entry [elements, low], followed by single_code unless it equals elements, and by high unless it equals low.
ordered_json entry_from(const PredictedTensor& t, Shared&) {
  ordered_json entry = {t.elements, t.low};
  if (t.single_code != t.elements || t.high != t.low) entry.push_back(t.single_code);
  if (t.high != t.low) entry.push_back(t.high);
  return entry;
}

/// The digest alone, or [digest, position in steps] if some element is not the lowest accepted code.
ordered_json entry_from(const ObservedTensor& t, Shared& shared) {
  if (t.steps.empty()) return t.digest;
  return {t.digest, shared.steps.add(steps_text(t.steps))};
}

/// The entry [elements, position in codes, subnormal, saturated, nan], without trailing zeros.
ordered_json entry_from(const DataPower& data, Shared& shared) {
  ordered_json entry = {data.elements, shared.codes.add(digits_of(data.codes)), data.subnormal, data.saturated,
                        data.not_a_number};
  while (entry.size() > 1 && entry.back() == 0) entry.erase(entry.size() - 1);
  return entry;
}

void fill(PredictedTensor& t, const json& entry, const Shared&) {
  t.elements = json_integer<int64_t>(entry.at(0));
  entry.at(1).get_to(t.low);
  t.single_code = entry.size() > 2 ? json_integer<int64_t>(entry.at(2)) : t.elements;
  t.high = entry.size() > 3 ? entry.at(3).get<std::string>() : t.low;
}

void fill(ObservedTensor& t, const json& entry, const Shared& shared) {
  (entry.is_array() ? entry.at(0) : entry).get_to(t.digest);
  if (entry.is_array()) t.steps = steps_from(entry_of(shared.steps.values, entry.at(1), "steps"));
}

void fill(DataPower& data, const json& entry, const Shared& shared) {
  data.elements = json_integer<int64_t>(entry.at(0));
  if (entry.size() > 1) data.codes = codes_from(entry_of(shared.codes.values, entry.at(1), "codes"));
  data.subnormal = count_at(entry, 2), data.saturated = count_at(entry, 3), data.not_a_number = count_at(entry, 4);
}

template <class Tensor>
std::string& name_of(Tensor& tensor) {
  return tensor.name;
}
std::string& name_of(DataPower& data) { return data.tensor; }

/// The entry [position in outputs, entry of each tensor]. An entry that equals an earlier entry of the record is replaced by the
/// index of the earlier tensor, since ranks often return the same bits.
template <class Tensor>
ordered_json record_from(std::vector<Tensor> tensors, Shared& shared) {
  std::vector<std::string> outputs;
  std::vector<ordered_json> entries;
  ordered_json record = {0};
  for (Tensor& tensor : tensors) {
    outputs.push_back(name_of(tensor)), outputs.push_back(tensor.format);
    ordered_json entry = entry_from(tensor, shared);
    const auto earlier = std::find(entries.begin(), entries.end(), entry);
    record.push_back(earlier == entries.end() ? entry : ordered_json(earlier - entries.begin()));
    entries.push_back(std::move(entry));
  }
  record[0] = shared.outputs.add(outputs);
  return record;
}

template <class Tensor>
std::vector<Tensor> tensors_from(const json& record, const Shared& shared) {
  const std::vector<std::string>& outputs = entry_of(shared.outputs.values, record.at(0), "outputs");
  if (outputs.size() != 2 * (record.size() - 1))
    throw std::runtime_error("a record has " + std::to_string(record.size() - 1) + " tensors, its 'outputs' " +
                             std::to_string(outputs.size() / 2));
  std::vector<Tensor> tensors;
  for (size_t i = 0; i + 1 < record.size(); ++i) {
    const json& entry = record.at(i + 1);
    Tensor tensor = entry.is_number() ? entry_of(tensors, entry, "earlier tensors") : Tensor();
    if (!entry.is_number()) fill(tensor, entry, shared);
    name_of(tensor) = outputs[2 * i], tensor.format = outputs[2 * i + 1];
    tensors.push_back(std::move(tensor));
  }
  return tensors;
}

/// The text of a mutation score from which the seal is computed. It has no references to shared lists.
ordered_json to_json(const Power& power) {
  ordered_json j = {{"faults", power.faults}};
  if (!power.blind_to.empty()) j["blind_to"] = power.blind_to;
  if (!power.seen_later.empty()) j["seen_later"] = power.seen_later;
  for (const DataPower& data : power.data) {
    ordered_json sealed = {{"tensor", data.tensor}, {"format", data.format}, {"elements", data.elements}};
    if (data.codes.any()) sealed["codes"] = digits_of(data.codes);
    if (data.subnormal > 0) sealed["subnormal"] = data.subnormal;
    if (data.saturated > 0) sealed["saturated"] = data.saturated;
    if (data.not_a_number > 0) sealed["nan"] = data.not_a_number;
    j["data"].push_back(std::move(sealed));
  }
  return j;
}

/// All mutants that records of a file name, each once. Records hold positions in this list, which halves the size of the files.
std::vector<std::string> mutants_of(const std::map<std::string, RecordedPower>& records) {
  std::set<std::string> names;
  for (const auto& [id, recorded] : records) {
    names.insert(recorded.power.blind_to.begin(), recorded.power.blind_to.end());
    names.insert(recorded.power.seen_later.begin(), recorded.power.seen_later.end());
  }
  return {names.begin(), names.end()};
}

ordered_json record_from(const RecordedPower& recorded, const std::vector<std::string>& mutants, Shared& shared) {
  ordered_json j = to_json(recorded.power);
  if (j.contains("data")) j["data"] = record_from(recorded.power.data, shared);
  for (const char* const list : {"blind_to", "seen_later"})
    if (j.contains(list))
      for (ordered_json& name : j[list])
        name = std::lower_bound(mutants.begin(), mutants.end(), name.get_ref<const std::string&>()) - mutants.begin();
  j["seal"] = recorded.seal;
  return j;
}

RecordedPower power_from(const json& j, const std::vector<std::string>& mutants, const Shared& shared) {
  const auto names = [&](const char* list) {
    std::vector<std::string> named;
    if (!j.contains(list)) return named;
    for (const json& position : j.at(list)) named.push_back(entry_of(mutants, position, "mutants"));
    return named;
  };
  RecordedPower recorded{{json_integer<int64_t>(j.at("faults"))}, j.at("seal")};
  recorded.power.blind_to = names("blind_to");
  recorded.power.seen_later = names("seen_later");
  if (j.contains("data")) recorded.power.data = tensors_from<DataPower>(j.at("data"), shared);
  return recorded;
}

Golden from_json(const json& j) {
  Golden golden{j.at("kind"), j.at("op"), {}, {}, {}};
  if (golden.kind == "observed")
    golden.provenance = {j.at("arch"), j.at("device"), j.at("driver"), j.at("toolkit"), j.at("date")};
  std::vector<std::string> mutants;
  if (golden.kind == "power") j.at("mutants").get_to(mutants);
  Shared shared;
  if (j.contains("outputs")) j.at("outputs").get_to(shared.outputs.values);
  if (j.contains("steps")) j.at("steps").get_to(shared.steps.values);
  if (j.contains("codes")) j.at("codes").get_to(shared.codes.values);
  for (const auto& [id, value] : j.at("cases").items()) {
    if (golden.kind == "power")
      golden.power[id] = power_from(value, mutants, shared);
    else if (golden.kind == "predicted")
      golden.predicted[id] = tensors_from<PredictedTensor>(value, shared);
    else
      for (const auto& [kernel, record] : value.items())
        golden.observed[id][kernel] = tensors_from<ObservedTensor>(record, shared);
  }
  if (golden.kind == "power") return golden;  // the file has no count of records: each record has a seal, and git may merge lines
                                              // of two branches
  const auto stated = json_integer<int64_t>(j.at("count"));
  const size_t count = golden.cases();
  if (int64_t(count) != stated)
    throw std::runtime_error("its header states " + std::to_string(stated) + " cases and it has " + std::to_string(count));
  return golden;
}

}  // namespace

std::string read_golden_text(const std::string& path) { return read_text(path); }

Golden read_golden(const std::string& path) { return parse_golden(read_golden_text(path), path); }

Golden parse_golden(const std::string& text, const std::string& path) {
  try {
    const json j = guarded_json(text, path);
    if (!j.contains("assay_golden")) throw std::runtime_error("is not a golden file: it lacks assay_golden");
    if (j.at("assay_golden") != kVersion)
      throw std::runtime_error("has version " + j.at("assay_golden").dump() + " and this program reads version " +
                               std::to_string(kVersion));
    return from_json(j);
  } catch (const JsonError&) {
    throw;
  } catch (const std::exception& error) {
    throw std::runtime_error(path + ": " + message_text(error.what()));
  }
}

std::string golden_text(const Golden& golden) {
  ordered_json head = {{"assay_golden", kVersion}, {"kind", golden.kind}, {"op", golden.op}};
  if (golden.kind == "observed") {
    head["arch"] = golden.provenance.arch;
    head["device"] = golden.provenance.device;
    head["driver"] = golden.provenance.driver;
    head["toolkit"] = golden.provenance.toolkit;
    head["date"] = golden.provenance.date;
  }
  const std::vector<std::string> mutants = mutants_of(golden.power);
  if (golden.kind == "power")
    head["mutants"] = mutants;
  else
    head["count"] = golden.cases();
  std::string lines, separator;
  Shared shared;
  shared.codes.add("");  // position 0 is for formats wider than 8 bits
  const auto line = [&](const std::string& id, const ordered_json& value) {
    lines += separator + ordered_json(id).dump() + ":" + value.dump();
    separator = ",\n";
  };
  for (const auto& [id, tensors] : golden.predicted) line(id, record_from(tensors, shared));
  for (const auto& [id, recorded] : golden.power) line(id, record_from(recorded, mutants, shared));
  for (const auto& [id, kernels] : golden.observed) {
    ordered_json value;
    for (const auto& [kernel, tensors] : kernels) value[kernel] = record_from(tensors, shared);
    line(id, value);
  }
  std::string text = head.dump();
  text.back() = ',';
  const auto list = [&](const char* name, const auto& values) {
    text += std::string("\n\"") + name + "\":[";
    for (const auto& each : values) text += (text.back() == '[' ? "\n" : ",\n") + ordered_json(each).dump();
    text += "],";
  };
  list("outputs", shared.outputs.values);
  if (!shared.steps.values.empty()) list("steps", shared.steps.values);
  if (golden.kind == "power") list("codes", shared.codes.values);
  return text + "\n\"cases\":{\n" + lines + "\n}}\n";
}

std::string power_text(const Power& power) { return to_json(power).dump(); }

void write_golden(const std::string& path, const Golden& golden) { write_atomically(path, golden_text(golden)); }

}  // namespace assay
