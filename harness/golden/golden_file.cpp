#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>

#include "harness/golden/golden.h"
#include "harness/text/atomic_file.h"
#include "harness/text/json_integer.h"

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

ordered_json to_json(const ObservedTensor& t) {
  ordered_json j = {{"name", t.name}, {"format", t.format}, {"digest", t.digest}};
  if (t.steps.empty()) return j;
  ordered_json steps = ordered_json::array();
  for (const auto& [element, step] : t.steps) steps.push_back({element, step});
  j["steps"] = std::move(steps);
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

ObservedTensor observed_from(const json& j) {
  ObservedTensor tensor{j.at("name"), j.at("format"), j.at("digest"), {}};
  if (j.contains("steps"))
    for (const json& step : j.at("steps")) tensor.steps[json_integer<int64_t>(step.at(0))] = json_integer<int32_t>(step.at(1));
  return tensor;
}

template <class Tensor>
ordered_json list(const std::vector<Tensor>& tensors) {
  ordered_json j = ordered_json::array();
  for (const Tensor& tensor : tensors) j.push_back(to_json(tensor));
  return j;
}

Golden from_json(const json& j) {
  Golden golden{j.at("kind"), j.at("op"), {}, {}, {}};
  if (golden.kind == "observed")
    golden.provenance = {j.at("arch"), j.at("device"), j.at("driver"), j.at("toolkit"), j.at("date")};
  for (const auto& [id, value] : j.at("cases").items()) {
    if (golden.kind == "predicted")
      for (const json& tensor : value) golden.predicted[id].push_back(predicted_from(tensor));
    else
      for (const auto& [kernel, tensors] : value.items())
        for (const json& tensor : tensors) golden.observed[id][kernel].push_back(observed_from(tensor));
  }
  const auto stated = json_integer<int64_t>(j.at("count"));
  const size_t count = golden.predicted.size() + golden.observed.size();
  if (int64_t(count) != stated)
    throw std::runtime_error("its head counts " + std::to_string(stated) + " cases and it holds " + std::to_string(count));
  return golden;
}

}  // namespace

Golden read_golden(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error(path + ": cannot be read");
  std::stringstream text;
  text << file.rdbuf();
  try {
    const json j = json::parse(text.str());
    if (!j.contains("assay_golden")) throw std::runtime_error("is no golden file: it lacks assay_golden");
    if (j.at("assay_golden") != kVersion)
      throw std::runtime_error("has version " + j.at("assay_golden").dump() + " and this program reads version " +
                               std::to_string(kVersion));
    return from_json(j);
  } catch (const json::parse_error& error) {
    throw std::runtime_error(path + ": is truncated or damaged at byte " + std::to_string(error.byte));
  } catch (const std::exception& error) {
    throw std::runtime_error(path + ": " + error.what());
  }
}

void write_golden(const std::string& path, const Golden& golden) {
  ordered_json head = {{"assay_golden", kVersion}, {"kind", golden.kind}, {"op", golden.op}};
  if (golden.kind == "observed") {
    head["arch"] = golden.provenance.arch;
    head["device"] = golden.provenance.device;
    head["driver"] = golden.provenance.driver;
    head["toolkit"] = golden.provenance.toolkit;
    head["date"] = golden.provenance.date;
  }
  head["count"] = golden.predicted.size() + golden.observed.size();
  std::string text = head.dump();
  text.back() = ',';
  text += "\n\"cases\":{\n";
  std::string separator;
  const auto line = [&](const std::string& id, const ordered_json& value) {
    text += separator + ordered_json(id).dump() + ":" + value.dump();
    separator = ",\n";
  };
  for (const auto& [id, tensors] : golden.predicted) line(id, list(tensors));
  for (const auto& [id, kernels] : golden.observed) {
    ordered_json value;
    for (const auto& [kernel, tensors] : kernels) value[kernel] = list(tensors);
    line(id, value);
  }
  write_atomically(path, text + "\n}}\n");
}

}  // namespace assay
