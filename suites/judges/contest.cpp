#include "suites/judges/contest.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string_view>

#include "harness/diagnosis/run_hooks.h"
#include "harness/run/judge_outputs.h"
#include "harness/run/match.h"
#include "harness/run/run_case.h"
#include "reference/table/near.h"
#include "suites/registry.h"

namespace assay::judges {
namespace {

/// includes one quick case in which a 16-bit offset wraps
constexpr int64_t kMostElements = 1 << 17;

std::string kind_of(const Problem& problem) {
  bool quantizes = false, normalises = false;
  for (const HostTensor& tensor : problem.tensors) {
    quantizes = quantizes || tensor.spec.name == "q";
    normalises = normalises || tensor.spec.name == "gamma";
  }
  if (std::any_of(problem.tensors.begin(), problem.tensors.end(), [](const HostTensor& t) { return t.spec.name == "scale_a"; }))
    return "gemm";
  if (problem.ranks > 1) return normalises ? "reduce_norm" : "reduce";
  return !quantizes ? "norm" : normalises ? "norm_quant" : "quant";
}

/// Outputs of both sides and Assay's verdict. Without outputs there was nothing to compare, which any test would notice.
struct Heard {
  std::optional<Answer> kernel, reference;
  bool assay_refuses = false;
};

/// Cache key; empty for calls that leave state behind.
std::string key_of(const CallRequest& request, const Case& one) {
  if (request.problem->ranks > 1 || !request.problem->before.empty()) return "";
  std::string key = request.kernel + " " + request.contract + " " + one.id;
  for (const HostTensor& tensor : request.problem->tensors) {
    const std::string_view bytes(reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size());
    key += " " + std::to_string(bytes.size()) + ":" + std::to_string(std::hash<std::string_view>{}(bytes));
  }
  return key;
}

std::vector<HostTensor> outputs_of_healthy(const Field& field, const CallRequest& request, const Case& one) {
  const std::string key = key_of(request, one);
  if (const std::vector<HostTensor>* known = key.empty() ? nullptr : field.before->find(key)) return *known;
  CallResult result = field.healthy->call(request);
  if (result.status != CallStatus::kOk) throw std::runtime_error(one.id + ": the healthy kernel says " + result.message);
  if (!key.empty()) field.before->keep(key, result.outputs);
  return std::move(result.outputs);
}

/// Outputs of a healthy kernel on the same tensors.
std::vector<HostTensor> reference_of(const Field& field, const Contestant& contestant, const Trial& trial) {
  Case one = trial.one;
  if (!contestant.reference_contract.empty()) one.parameters["contract"] = contestant.reference_contract;
  for (const KernelOffer& offer : field.healthy->library.kernels) {
    if (!why_not_offered(offer, one).empty() || (!contestant.twin.empty() && contestant.twin != offer.name)) continue;
    return outputs_of_healthy(field, {one.op, one.text("contract"), offer.name, &trial.problem, 1}, one);
  }
  throw std::runtime_error("no healthy kernel for " + one.id);
}

Heard hear(const Field& field, const Contestant& contestant, const Trial& trial) {
  const std::vector<HostTensor> healthy = reference_of(field, contestant, trial);
  const CallResult result =
      contestant.backend->call({trial.one.op, trial.one.text("contract"), contestant.kernel.name, &trial.problem, 1});
  Heard heard;
  heard.assay_refuses = result.status != CallStatus::kOk;
  if (heard.assay_refuses) return heard;
  Verdict verdict = blank_verdict(trial.one, contestant.kernel.name, contestant.backend->name);
  verdict.outcome = Outcome::kPass;
  judge_outputs(*shipped_ops().find(trial.one.op).bind(trial.one), trial.problem, result, verdict);
  heard.assay_refuses = verdict.outcome != Outcome::kPass;
  heard.kernel = answer_of(trial.one, trial.problem, result.outputs);
  heard.reference = answer_of(trial.one, trial.problem, healthy);
  return heard;
}

Tally tally(const Rule& rule, const Heard& heard) {
  if (!heard.kernel) return {.cases = 1, .refused = 1};
  const Judgement own = judge(rule, *heard.reference, *heard.reference);
  if (own == Judgement::kCannot) return {.cannot = 1};
  if (own == Judgement::kRefuses) return {.cases = 1, .own_refused = 1};
  return {.cases = 1, .refused = judge(rule, *heard.kernel, *heard.reference) == Judgement::kRefuses};
}

Judgement judgement_of(const Tally& tally) {
  return tally.cannot > 0 ? Judgement::kCannot : tally.refused > 0 ? Judgement::kRefuses : Judgement::kAccepts;
}

bool is_small(const Case& one) { return one.integer("m") * one.integer("n") <= kMostElements; }

class Contest {
 public:
  Contest(const Field& field, const Contestant& contestant, const Listener& listener)
      : field_(field), contestant_(contestant), listener_(listener) {}

  Marks run() {
    for (const Case& one : field_.quick) {
      if (one.parameters.contains("warp") && one.text("warp") == "64" && why_not_offered(contestant_.kernel, one).empty() &&
          is_small(one))
        quick({one, shipped_ops().find(one.op).bind(one)->problem()});
    }
    if (!comparable_) return {};
    if (marks_.kind.empty()) throw std::runtime_error(contestant_.name + " has no quick case");
    for (const Recipe& recipe : field_.recipes) own(recipe);
    return marks_;
  }

 private:
  void quick(const Trial& trial) {
    comparable_ = is_comparable(trial.problem);
    if (!comparable_) return;
    marks_.kind = kind_of(trial.problem);
    const Heard heard = hear(field_, contestant_, trial);
    for (const Rule& rule : field_.rules)
      if (judges(rule)) book(marks_.on_quick[rule.id], tally(rule, heard), rule.id, "quick", trial);
    book(marks_.assay, {.cases = 1, .refused = heard.assay_refuses}, "assay", "quick", trial);
  }

  void own(const Recipe& recipe) {
    const auto uses = [&](const Rule& rule) { return rule.recipe == recipe.id && judges(rule); };
    if (std::none_of(field_.rules.begin(), field_.rules.end(), uses)) return;
    for (const Trial& trial : trials(recipe, contestant_.kernel, field_.quick)) {
      const Heard heard = hear(field_, contestant_, trial);
      const std::string data = recipe.id + " " + std::to_string(trial.scale);
      for (const Rule& rule : field_.rules)
        if (uses(rule)) book(marks_.on_recipe[rule.id][trial.scale], tally(rule, heard), rule.id, data, trial);
      book(marks_.assay_on_recipe[recipe.id][trial.scale], {.cases = 1, .refused = heard.assay_refuses}, "assay", data, trial);
    }
  }

  bool judges(const Rule& rule) const {
    const std::string& reference = contestant_.reference_contract;
    return rule.is_for(marks_.kind) && (reference.empty() || rule.compares(contestant_.kernel.contracts.at(0), reference));
  }

  void book(Tally& sum, const Tally& one, const std::string& judge, const std::string& data, const Trial& trial) {
    sum.add(one);
    if (listener_.said) listener_.said(judge, data, trial.one.id, judgement_of(one));
  }

  const Field& field_;
  const Contestant& contestant_;
  const Listener& listener_;
  Marks marks_;
  bool comparable_ = true;
};

}  // namespace

const std::vector<HostTensor>* HealthyOutputs::find(const std::string& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = all_.find(key);
  return found == all_.end() ? nullptr : &found->second;
}

void HealthyOutputs::keep(const std::string& key, const std::vector<HostTensor>& outputs) {
  size_t bytes = key.size();
  for (const HostTensor& tensor : outputs) bytes += tensor.bytes.size();
  const std::lock_guard lock(mutex_);
  if (bytes_ + bytes <= kMostBytes && all_.emplace(key, outputs).second) bytes_ += bytes;
}

void Tally::add(const Tally& other) {
  cases += other.cases;
  refused += other.refused;
  cannot += other.cannot;
  own_refused += other.own_refused;
}

const Recipe& Field::recipe(const std::string& id) const {
  std::vector<std::string> known;
  for (const Recipe& recipe : recipes) {
    if (recipe.id == id) return recipe;
    known.push_back(recipe.id);
  }
  throw std::runtime_error("suites/judges/rules.csv: unknown recipe '" + id + "'" + did_you_mean(id, known));
}

Marks contest(const Field& field, const Contestant& contestant, const Listener& listener) {
  return Contest(field, contestant, listener).run();
}

Backend all_zero(Backend backend) {
  backend.call = [call = backend.call](const CallRequest& request) {
    CallResult result = call(request);
    for (HostTensor& tensor : result.outputs)
      if (tensor.spec.name == "q" || tensor.spec.name == "d" || tensor.spec.name.starts_with("y"))
        std::fill(tensor.bytes.begin(), tensor.bytes.end(), std::byte{0});
    return result;
  };
  return shared_between_threads(std::move(backend));
}

}  // namespace assay::judges
