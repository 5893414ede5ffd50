#include "harness/check/case_files.h"

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "harness/dump/dump.h"
#include "harness/dump/safetensors.h"
#include "harness/dump/strided.h"
#include "harness/text/atomic_file.h"
#include "harness/text/guarded_json.h"
#include "reference/table/table.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

constexpr int kVersion = 1;

std::string in_case(const std::string& folder, const std::string& id, const char* file) {
  return (fs::path(folder) / id / file).string();
}

}  // namespace

bool has_case_inputs(const std::string& folder) {
  std::error_code error;
  return fs::is_regular_file(fs::path(folder) / "inputs.json", error);
}

void write_case_inputs(const std::string& folder, const SuiteCase& one) {
  std::vector<TensorBytes> tensors;
  std::map<std::string, std::string> metadata = {{"assay.case", one.one().id}, {"assay.op", one.one().op}};
  for (const HostTensor& tensor : one.problem().tensors) {
    if (tensor.bytes.empty()) continue;
    const TensorSpec& spec = tensor.spec;
    const std::string key = key_of(spec);
    const bool plain = spec.strides == dense("", spec.role, *spec.format, spec.shape).strides && spec.storage == spec.elements();
    tensors.push_back({key, spec.format, plain ? spec.shape : std::vector<int64_t>{spec.storage}, tensor.bytes, spec.packed});
    if (plain) continue;
    metadata[key + ".shape"] = extents_text(spec.shape);
    metadata[key + ".strides"] = extents_text(spec.strides);
    if (spec.offset > 0) metadata[key + ".offset"] = extents_text({spec.offset});
  }
  for (const auto& [name, cell] : one.one().parameters) metadata["parameter." + name] = cell;
  write_atomically(in_case(folder, one.one().id, "inputs.safetensors"), safetensors_text(tensors, metadata));
  write_atomically(in_case(folder, one.one().id, "call.json"), call_json(one) + "\n");
}

void write_case_list(const std::string& folder, const std::vector<std::string>& ids) {
  const nlohmann::ordered_json list = {{"assay_inputs", kVersion}, {"cases", ids}};
  write_atomically((fs::path(folder) / "inputs.json").string(), list.dump(1) + "\n");
}

std::vector<std::string> read_case_list(const std::string& folder) {
  const std::string path = (fs::path(folder) / "inputs.json").string();
  constexpr size_t kLevels = 2;  // the object, its cases
  try {
    const nlohmann::json j = read_json(path, {.levels = kLevels});
    if (!j.is_object() || !j.contains("assay_inputs")) throw std::runtime_error("expected an object with assay_inputs");
    if (j.at("assay_inputs") != kVersion)
      throw std::runtime_error("has version " + j.at("assay_inputs").dump() + "; expected " + std::to_string(kVersion));
    return j.at("cases").get<std::vector<std::string>>();
  } catch (const TableError& error) {
    throw DumpError(path,
                    error.line() > 0 ? "line " + std::to_string(error.line()) + ", column " + std::to_string(error.column()) : "",
                    error.problem());
  } catch (const std::exception& error) {
    throw DumpError(path, "", error.what());
  }
}

std::string outputs_file(const std::string& folder, const std::string& id) { return in_case(folder, id, "outputs.safetensors"); }

DumpedRoles read_case_outputs(const std::string& folder, const std::string& id) {
  const Dump dump = open_dump(outputs_file(folder, id));
  DumpedRoles roles;
  for (const StoredTensor& stored : dump.tensors)
    roles.emplace(stored.name, DumpedTensor{{storage_spec(dump, stored), read_bytes(dump, stored)},
                                            dump.file,
                                            stored.name,
                                            stored.dtype,
                                            stored.format == nullptr});
  return roles;
}

}  // namespace assay
