#include "harness/check/suite_case.h"

#include <algorithm>
#include <mutex>
#include <nlohmann/json.hpp>
#include <utility>

#include "harness/core/cases.h"
#include "harness/core/missing_role.h"
#include "harness/diagnosis/run_hooks.h"
#include "harness/run/run_case.h"
#include "harness/text/error.h"
#include "reference/table/near.h"
#include "suites/registry.h"
#include "suites/rows_read.h"

namespace assay {

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
    throw UsageError("case " + one.id + " is a sweep over all inputs: it needs a kernel library, see assay run");
  if (!problem_.before.empty())
    throw UsageError("case " + one.id + " is one of calls in a row: it needs a kernel library, see assay run");
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
      judged.notes.push_back("'" + key + "' came without its padding, so padding was not checked");
    result.outputs.push_back(std::move(placed.tensor));
    result.untouched.emplace_back();
    result.in_place.push_back(true);
  }
  for (const auto& [role, tensor] : outputs)
    if (std::find(known.begin(), known.end(), role) == known.end())
      throw UsageError(tensor.place() + ": is no output of op " + op_.name + did_you_mean(role, known));

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

}  // namespace assay
