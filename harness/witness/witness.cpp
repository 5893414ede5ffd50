#include "harness/witness/witness.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "harness/dump/dump.h"
#include "harness/dump/safetensors.h"
#include "harness/text/error.h"
#include "harness/text/guarded_json.h"

namespace assay {
namespace {

using nlohmann::json;

constexpr const char* kKey = "assay.witness";

/// Name of a tensor within its problem, with its rank if there are several.
std::string name_in(const Problem& problem, const TensorSpec& spec) {
  return spec.name + (problem.ranks > 1 ? ".r" + std::to_string(spec.rank) : "");
}

/// Name of a tensor in the file. An in-place tensor is stored twice: before the call, and with suffix _out after it.
std::string key_of(size_t call, const std::string& name, bool left) {
  return "c" + std::to_string(call) + "." + name + (left ? "_out" : "");
}
/// Name of an input of a warm-up call.
std::string key_before(size_t call, size_t before, const std::string& name) {
  return "c" + std::to_string(call) + ".before" + std::to_string(before) + "." + name;
}

/// The whole storage, padding included: a flat tensor unless it is dense and row-major.
TensorBytes stored(std::string key, const HostTensor& tensor) {
  const TensorSpec& spec = tensor.spec;
  const bool plain = spec.strides == dense("", spec.role, *spec.format, spec.shape).strides && spec.storage == spec.elements();
  return {std::move(key), spec.format, plain ? spec.shape : std::vector<int64_t>{spec.storage}, tensor.bytes, spec.packed};
}

json layout_of(const HostTensor& tensor) {
  const TensorSpec& spec = tensor.spec;
  return {{"access", name(access_of(tensor))},
          {"format", std::string(spec.format->name)},
          {"shape", spec.shape},
          {"strides", spec.strides},
          {"storage", spec.storage},
          {"offset", spec.offset}};
}

/// Deduplicates inputs. Equal bytes, such as a table of cosines, are stored once per role.
class Inputs {
 public:
  explicit Inputs(std::vector<TensorBytes>& tensors) : tensors_(tensors) {}

  /// Layout of a tensor as JSON, with the key of an earlier input that has the same bytes.
  json add(const std::string& key, const HostTensor& tensor) {
    json layout = layout_of(tensor);
    if (access_of(tensor) == Access::kOut) return layout;
    const auto [known, is_new] = keys_.try_emplace({tensor.spec.name, tensor.bytes}, key);
    if (is_new)
      tensors_.push_back(stored(key, tensor));
    else
      layout["as"] = known->second;
    return layout;
  }

 private:
  std::vector<TensorBytes>& tensors_;
  std::map<std::pair<std::string, std::vector<std::byte>>, std::string> keys_;
};

json ranges_of(const std::vector<ByteRange>& ranges) {
  json list = json::array();
  for (const ByteRange& range : ranges) list.push_back({range.begin, range.end});
  return list;
}

class Reader {
 public:
  explicit Reader(const std::string& file) : dump_(open_dump(file)) {
    const auto found = dump_.metadata.find(kKey);
    if (found == dump_.metadata.end()) throw DumpError(file, "__metadata__", std::string("has no ") + kKey);
    try {
      about_ = guarded_json(found->second, file);
    } catch (const JsonError& error) {
      throw DumpError(file, "__metadata__", std::string(kKey) + " " + error.problem());
    }
  }

  Witness read(const OpNamed& op_named) const {
    const json& origin = about_.at("origin");
    Witness witness{dump_.file, about_.at("op"), about_.at("contract"), {}, {}};
    witness.origin = {origin.at("package"), origin.at("kernel"), origin.at("flags"), origin.at("on"), origin.at("date")};
    const Op& op = op_named(witness.op);
    for (const json& call : about_.at("calls")) witness.calls.push_back(read_call(op, witness.calls.size(), call));
    return witness;
  }

 private:
  WitnessCall read_call(const Op& op, size_t number, const json& from) const {
    WitnessCall call{from.at("from"), {}, {}, {}};
    call.one.op = op.name;
    call.one.tier = "witness";
    call.one.parameters = from.at("parameters").get<std::map<std::string, std::string>>();
    call.one.id = dump_.file + ", call " + std::to_string(number);
    call.problem = op.bind(call.one)->problem();
    call.problem.parameters.clear();
    for (const auto& [parameter, value] : from.at("numbers").items())
      call.problem.parameters.emplace_back(parameter,
                                           value.is_string() ? std::stod(value.get<std::string>()) : value.get<double>());
    for (size_t before = 0; before < call.problem.before.size(); ++before) {
      Problem& problem = call.problem.before[before];
      for (HostTensor& tensor : problem.tensors) {
        const std::string name = name_in(problem, tensor.spec);
        const json& layout = from.at("before").at(before).at(name);
        if (access_of(tensor) != Access::kOut)
          tensor.bytes = bytes_of(layout.value("as", key_before(number, before, name)), tensor);
      }
    }
    const bool answered = from.contains("untouched");
    for (HostTensor& tensor : call.problem.tensors) {
      const Access access = access_of(tensor);
      HostTensor output = tensor;
      const std::string name = name_in(call.problem, tensor.spec);
      const json& layout = from.at("tensors").at(name);
      if (access != Access::kOut) tensor.bytes = bytes_of(layout.value("as", key_of(number, name, false)), tensor);
      if (access == Access::kIn || !answered) continue;
      output.bytes = bytes_of(key_of(number, name, access == Access::kInOut), tensor);
      std::vector<ByteRange>& untouched = call.result.untouched.emplace_back();
      for (const json& range : from.at("untouched").at(name)) untouched.push_back({range.at(0), range.at(1)});
      call.result.in_place.push_back(access == Access::kInOut);
      call.result.outputs.push_back(std::move(output));
    }
    return call;
  }

  std::vector<std::byte> bytes_of(const std::string& key, const HostTensor& tensor) const {
    std::vector<std::byte> bytes = read_bytes(dump_, dump_.find(key));
    if (bytes.size() != tensor.spec.bytes())
      throw DumpError(
          dump_.file, "tensor '" + key + "'",
          "has " + std::to_string(bytes.size()) + " bytes; the op's tensor now has " + std::to_string(tensor.spec.bytes()));
    return bytes;
  }

  Dump dump_;
  json about_;
};

}  // namespace

bool Witness::has_outputs() const {
  return !calls.empty() &&
         std::all_of(calls.begin(), calls.end(), [](const WitnessCall& call) { return !call.result.outputs.empty(); });
}

int64_t Witness::output_elements() const {
  int64_t count = 0;
  for (const WitnessCall& call : calls)
    for (const HostTensor& output : call.result.outputs) count += output.spec.elements();
  return count;
}

std::string witness_text(const Witness& witness) {
  const WitnessOrigin& o = witness.origin;
  json about = {{"op", witness.op}, {"contract", witness.contract}, {"calls", json::array()}};
  about["origin"] = {{"package", o.package}, {"kernel", o.kernel}, {"flags", o.flags}, {"on", o.on}, {"date", o.date}};
  std::vector<TensorBytes> tensors;
  Inputs inputs(tensors);
  for (const WitnessCall& call : witness.calls) {
    const size_t number = about["calls"].size();
    json said = {
        {"from", call.from}, {"parameters", call.one.parameters}, {"numbers", json::object()}, {"tensors", json::object()}};
    for (const auto& [parameter, value] : call.problem.parameters) {
      if (std::isfinite(value))
        said["numbers"][parameter] = value;
      else
        said["numbers"][parameter] = std::to_string(value);  // JSON has no infinity
    }
    for (size_t before = 0; before < call.problem.before.size(); ++before)
      for (const Problem& problem = call.problem.before[before]; const HostTensor& tensor : problem.tensors) {
        const std::string name = name_in(problem, tensor.spec);
        said["before"][before][name] = inputs.add(key_before(number, before, name), tensor);
      }
    for (const HostTensor& tensor : call.problem.tensors) {
      const std::string name = name_in(call.problem, tensor.spec);
      said["tensors"][name] = inputs.add(key_of(number, name, false), tensor);
    }
    for (size_t i = 0; i < call.result.outputs.size(); ++i) {
      const HostTensor& output = call.result.outputs[i];
      const std::string name = name_in(call.problem, output.spec);
      tensors.push_back(stored(key_of(number, name, call.result.in_place[i]), output));
      said["untouched"][name] = ranges_of(call.result.untouched[i]);
    }
    about["calls"].push_back(std::move(said));
  }
  return safetensors_text(tensors, {{kKey, about.dump()}});
}

Witness read_witness(const std::string& file, const OpNamed& op_named) {
  try {
    return Reader(file).read(op_named);
  } catch (const json::exception& error) {
    throw DumpError(file, "__metadata__", std::string(kKey) + ": " + error.what());
  } catch (const std::out_of_range& error) {
    throw DumpError(file, "__metadata__", error.what());
  }
}

std::vector<std::string> witness_files(const std::string& folder) {
  std::vector<std::string> files;
  if (std::filesystem::is_directory(folder))
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
      if (entry.path().extension() == ".safetensors") files.push_back(entry.path().string());
  if (files.empty()) throw UsageError(folder + " holds no witness (*.safetensors)");
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace assay
