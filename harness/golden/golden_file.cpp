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

constexpr int kVersion = 1;

ordered_json to_json(const PredictedTensor& t) {
  ordered_json j = {
      {"name", t.name}, {"format", t.format}, {"elements", t.elements}, {"single_code", t.single_code}, {"low", t.low}};
  if (t.high != t.low) j["high"] = t.high;
  return j;
}

/// "71 3656:-2": for each element, the distance from the previous one, and the step unless it is 1.
std::string steps_text(const std::map<int64_t, int32_t>& steps) {
  std::string text;
  int64_t last = 0;
  for (const auto& [element, step] : steps) {
    text += (text.empty() ? "" : " ") + std::to_string(element - last) + (step == 1 ? "" : ":" + std::to_string(step));
    last = element;
  }
  return text;
}

/// The entry of a list of the file that a record names by its position. Throws std::runtime_error if the list is shorter.
const std::string& entry_of(const std::vector<std::string>& entries, const json& position, const char* list) {
  const auto at = json_integer<int64_t>(position);
  if (at < 0 || at >= int64_t(entries.size()))
    throw std::runtime_error("position " + std::to_string(at) + " of '" + list + "', which has " +
                             std::to_string(entries.size()) + " entries");
  return entries[size_t(at)];
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

/// The different texts of steps in a file, in order of first use. Contracts that return the same bits have the same steps, so
/// records hold positions in this list, which shortens the files by a quarter.
struct StepTexts {
  std::vector<std::string> texts;
  std::map<std::string, size_t> position;

  size_t add(const std::string& text) {
    const auto [entry, is_new] = position.try_emplace(text, texts.size());
    if (is_new) texts.push_back(text);
    return entry->second;
  }
};

ordered_json to_json(const ObservedTensor& t, StepTexts& steps) {
  ordered_json j = {{"name", t.name}, {"format", t.format}, {"digest", t.digest}};
  if (!t.steps.empty()) j["steps"] = steps.add(steps_text(t.steps));
  return j;
}

PredictedTensor predicted_from(const json& j) {
  return {j.at("name"),
          j.at("format"),
          json_integer<int64_t>(j.at("elements")),
          json_integer<int64_t>(j.at("single_code")),
          j.at("low"),
          j.value("high", j.at("low").get<std::string>())};
}

ObservedTensor observed_from(const json& j, const std::vector<std::string>& steps) {
  ObservedTensor tensor{j.at("name"), j.at("format"), j.at("digest"), {}};
  if (j.contains("steps")) tensor.steps = steps_from(entry_of(steps, j.at("steps"), "steps"));
  return tensor;
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

ordered_json to_json(const DataPower& data) {
  ordered_json j = {{"tensor", data.tensor}, {"format", data.format}, {"elements", data.elements}};
  if (data.codes.any()) j["codes"] = digits_of(data.codes);
  if (data.subnormal > 0) j["subnormal"] = data.subnormal;
  if (data.saturated > 0) j["saturated"] = data.saturated;
  if (data.not_a_number > 0) j["nan"] = data.not_a_number;
  return j;
}

DataPower data_from(const json& j) {
  const auto count = [&](const char* name) { return j.contains(name) ? json_integer<int64_t>(j.at(name)) : 0; };
  return {j.at("tensor"),     j.at("format"),     count("elements"), codes_from(j.value("codes", "")),
          count("subnormal"), count("saturated"), count("nan")};
}

ordered_json to_json(const Power& power) {
  ordered_json j = {{"faults", power.faults}};
  if (!power.blind_to.empty()) j["blind_to"] = power.blind_to;
  if (!power.seen_later.empty()) j["seen_later"] = power.seen_later;
  for (const DataPower& data : power.data) j["data"].push_back(to_json(data));
  return j;
}

/// The mutants that the records of a file name, each once: records hold positions in this list, which halves the files.
std::vector<std::string> mutants_of(const std::map<std::string, RecordedPower>& records) {
  std::set<std::string> names;
  for (const auto& [id, recorded] : records) {
    names.insert(recorded.power.blind_to.begin(), recorded.power.blind_to.end());
    names.insert(recorded.power.seen_later.begin(), recorded.power.seen_later.end());
  }
  return {names.begin(), names.end()};
}

ordered_json to_json(const RecordedPower& recorded, const std::vector<std::string>& mutants) {
  ordered_json j = to_json(recorded.power);
  for (const char* const list : {"blind_to", "seen_later"})
    if (j.contains(list))
      for (ordered_json& name : j[list])
        name = std::lower_bound(mutants.begin(), mutants.end(), name.get_ref<const std::string&>()) - mutants.begin();
  j["seal"] = recorded.seal;
  return j;
}

RecordedPower power_from(const json& j, const std::vector<std::string>& mutants) {
  const auto names = [&](const char* list) {
    std::vector<std::string> named;
    if (!j.contains(list)) return named;
    for (const json& position : j.at(list)) named.push_back(entry_of(mutants, position, "mutants"));
    return named;
  };
  RecordedPower recorded{{json_integer<int64_t>(j.at("faults"))}, j.at("seal")};
  recorded.power.blind_to = names("blind_to");
  recorded.power.seen_later = names("seen_later");
  if (j.contains("data"))
    for (const json& data : j.at("data")) recorded.power.data.push_back(data_from(data));
  return recorded;
}

template <class Tensor, class... Lists>
ordered_json list(const std::vector<Tensor>& tensors, Lists&... lists) {
  ordered_json j = ordered_json::array();
  for (const Tensor& tensor : tensors) j.push_back(to_json(tensor, lists...));
  return j;
}

Golden from_json(const json& j) {
  Golden golden{j.at("kind"), j.at("op"), {}, {}, {}};
  if (golden.kind == "observed")
    golden.provenance = {j.at("arch"), j.at("device"), j.at("driver"), j.at("toolkit"), j.at("date")};
  std::vector<std::string> mutants, steps;
  if (golden.kind == "power") j.at("mutants").get_to(mutants);
  if (golden.kind == "observed" && j.contains("steps")) j.at("steps").get_to(steps);
  for (const auto& [id, value] : j.at("cases").items()) {
    if (golden.kind == "power")
      golden.power[id] = power_from(value, mutants);
    else if (golden.kind == "predicted")
      for (const json& tensor : value) golden.predicted[id].push_back(predicted_from(tensor));
    else
      for (const auto& [kernel, tensors] : value.items())
        for (const json& tensor : tensors) golden.observed[id][kernel].push_back(observed_from(tensor, steps));
  }
  if (golden.kind == "power") return golden;  // no count to check: each record has a seal, and git may merge lines of two
                                              // branches
  const auto stated = json_integer<int64_t>(j.at("count"));
  const size_t count = golden.cases();
  if (int64_t(count) != stated)
    throw std::runtime_error("its head counts " + std::to_string(stated) + " cases and it holds " + std::to_string(count));
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
  StepTexts steps;
  const auto line = [&](const std::string& id, const ordered_json& value) {
    lines += separator + ordered_json(id).dump() + ":" + value.dump();
    separator = ",\n";
  };
  for (const auto& [id, tensors] : golden.predicted) line(id, list(tensors));
  for (const auto& [id, recorded] : golden.power) line(id, to_json(recorded, mutants));
  for (const auto& [id, kernels] : golden.observed) {
    ordered_json value;
    for (const auto& [kernel, tensors] : kernels) value[kernel] = list(tensors, steps);
    line(id, value);
  }
  std::string text = head.dump();
  text.back() = ',';
  if (!steps.texts.empty()) {
    text += "\n\"steps\":[";
    for (const std::string& each : steps.texts) text += (text.back() == '[' ? "\n" : ",\n") + ordered_json(each).dump();
    text += "],";
  }
  return text + "\n\"cases\":{\n" + lines + "\n}}\n";
}

std::string power_text(const Power& power) { return to_json(power).dump(); }

void write_golden(const std::string& path, const Golden& golden) { write_atomically(path, golden_text(golden)); }

}  // namespace assay
