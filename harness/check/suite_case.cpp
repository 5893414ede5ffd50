#include "harness/check/suite_case.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

#include "harness/core/cases.h"
#include "harness/core/op.h"
#include "harness/diagnosis/diagnose.h"
#include "harness/dump/dump.h"
#include "harness/run/run_case.h"
#include "harness/text/guarded_json.h"
#include "harness/text/messages.h"
#include "harness/text/text_file.h"
#include "reference/table/near.h"
#include "reference/table/table.h"
#include "suites/registry.h"
#include "suites/rulebook.h"

namespace assay {

// Suite cases without a kernel library: the user gets a case's inputs and computes the outputs, which are then checked.

const OpCases& cases_of_op(const Op& op, const std::string& root) {
  static std::mutex mutex;
  static std::map<std::string, OpCases> by_op;
  const std::lock_guard lock(mutex);
  const auto found = by_op.find(op.name);
  if (found != by_op.end()) return found->second;
  OpCases read;
  read.cases = load_cases(std::span<const Op>(&op, 1), root);
  read.power = PowerRecords::read(root + "/golden/power", read.cases, rows_read_by);
  return by_op.emplace(op.name, std::move(read)).first->second;
}

SuiteCase::SuiteCase(const Op& op, const Case& one, const Power* power)
    : op_(op), one_(one), power_(power), bound_(op.bind(one)), problem_(bound_->problem()) {
  if (bound_->is_sweep())
    throw UsageError("case " + one.id + " is a sweep over all inputs: it needs a kernel library; call assay run");
  if (!problem_.before.empty())
    throw UsageError("case " + one.id + " makes several calls: it needs a kernel library; call assay run");
}

TensorsVerdict SuiteCase::judge(const DumpedRoles& outputs, const std::string& kernel, const std::string& backend) const {
  CallResult result;
  std::map<std::string, ScalePlacing> placings;
  std::vector<std::string> known;
  TensorsVerdict judged;
  for (const HostTensor& tensor : problem_.tensors) {
    if (tensor.spec.role == Role::kInput) continue;
    const std::string key = key_of(tensor.spec), left = key_of(tensor.spec.name + "_out", tensor.spec.rank);
    known.insert(known.end(), {key, left});
    auto from = outputs.find(key);
    if (from == outputs.end()) from = outputs.find(left);
    if (from == outputs.end()) throw MissingRole(key);
    PlacedOutput placed = placed_output(from->second, tensor.spec);
    placings.emplace(tensor.spec.name, placed.placing);
    if (placed.placing == ScalePlacing::kLogical && tensor.spec.storage > tensor.spec.elements())
      judged.notes.push_back("'" + key + "' has no padding in this dump, so its padding was not checked");
    result.outputs.push_back(std::move(placed.tensor));
    result.untouched.emplace_back();
    result.in_place.push_back(true);
  }
  for (const auto& [role, tensor] : outputs)
    if (std::find(known.begin(), known.end(), role) == known.end())
      throw UsageError(tensor.place() + ": is not an output of op " + op_.name + did_you_mean(role, known));

  Op op = op_;
  op.bind = [&](const Case&) { return without_unseen_padding(bound_, placings); };
  const Backend replaying{backend, {}, [&](const CallRequest&) { return result; }};
  CaseOptions options;
  options.power = power_of_data([&](const Case&) { return power_; });
  options.diagnose = look_for_causes(replaying);
  KernelOffer offer;
  offer.name = kernel;
  judged.verdict = run_case(op, one_, offer, replaying, options);
  judged.verdict.repro = "assay inputs --case '" + one_.id + "' --output DIR";
  return judged;
}

std::string call_json(const SuiteCase& opened) {
  using Json = nlohmann::ordered_json;
  const Case& one = opened.one();
  Json tensors = Json::array(), parameters = Json::object();
  for (const HostTensor& tensor : opened.problem().tensors) {
    const TensorSpec& spec = tensor.spec;
    tensors.push_back({{"role", key_of(spec)},
                       {"access", name(access_of(tensor))},
                       {"dtype", std::string(spec.format->name) + (spec.packed ? "x2" : "")},
                       {"shape", spec.shape},
                       {"strides", spec.strides},
                       {"storage", spec.storage},
                       {"offset", spec.offset},
                       {"bytes", spec.bytes()}});
  }
  for (const auto& [parameter, value] : opened.problem().parameters) parameters[parameter] = value;
  const auto contract = one.parameters.find("contract");
  const Json call = {{"case", one.id},
                     {"op", one.op},
                     {"contract", contract == one.parameters.end() ? "" : contract->second},
                     {"why", one.why},
                     {"ranks", opened.problem().ranks},
                     {"kernel_parameters", parameters},
                     {"cell", one.parameters},
                     {"tensors", tensors}};
  return call.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::unique_ptr<const SuiteCase> open_suite_case(const std::string& id, const std::string& root) {
  const Op& op = shipped_ops().find(id.substr(0, id.find('/')));
  const OpCases& all = cases_of_op(op, root);
  std::vector<std::string> ids;
  for (const Case& one : all.cases) {
    if (one.id == id) return std::make_unique<const SuiteCase>(op, one, all.power.find(one));
    ids.push_back(one.id);
  }
  throw UsageError("no case '" + id + "'" + did_you_mean(id, ids));
}

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
  constexpr size_t kLevels = 2;  // levels of JSON nesting: an object that contains a list of cases
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
