#include "harness/run/run_case.h"

#include <algorithm>
#include <exception>
#include <optional>

#include "harness/run/judge_outputs.h"
#include "harness/run/ladder.h"
#include "harness/run/repeated_call.h"
#include "harness/run/sweep_calls.h"
#include "harness/text/error.h"
#include "harness/text/glob.h"
#include "harness/text/printable.h"

namespace assay {
namespace {

std::string parameter_or_empty(const Case& one, const char* name) {
  const auto found = one.parameters.find(name);
  return found == one.parameters.end() ? "" : found->second;
}

/// Quotes an id for a shell, even if it needs no quotes: scripts read the id between the quotes.
std::string quoted(const std::string& id) {
  std::string word = shell_word(id);
  return word == id ? "'" + id + "'" : word;
}

/// Mutants that the case does not kill and that its row does not declare.
std::vector<std::string> undeclared(std::vector<std::string> faults, const std::vector<std::string>& declared) {
  std::erase_if(faults, [&](const std::string& fault) {
    return std::any_of(declared.begin(), declared.end(), [&](const std::string& glob) { return glob_match(glob, fault); });
  });
  return faults;
}

void judge_power(const CaseOptions& options, const Evidence& evidence, Verdict& verdict) {
  if (!options.power) return;
  verdict.power = options.power(evidence);
  const std::vector<std::string> faults = undeclared(verdict.power.blind_to, evidence.one.blind_to);
  if (verdict.outcome != Outcome::kPass || faults.empty()) return;
  verdict.outcome = Outcome::kUntrusted;
  verdict.message = "blind to";
  for (const std::string& fault : faults) verdict.message.append(&fault == &faults.front() ? " " : "; ").append(fault);
}

/// True for a failure that only the invariance tests found.
bool agreed_with_the_contract(const Verdict& verdict) { return verdict.climb && !verdict.climb->broken.empty(); }

/// Runs a case that its op checks with calls of its own. Returns false for an ordinary case.
bool run_sweep(const BoundCase& bound, const Case& one, const KernelOffer& kernel, const Backend& backend, const CaseOptions& options,
               Verdict& verdict) {
  if (!bound.is_sweep()) return false;
  SweepAnswers answers({one.op, parameter_or_empty(one, "contract"), kernel.name, nullptr, options.schedule_seed}, backend,
                       verdict);
  bound.judge_sweep(answers.calls(), verdict);
  if (answers.gave_up()) verdict.tensors.clear();
  const auto disagrees = [](const TensorFinding& tensor) { return !tensor.agrees(); };
  if (std::any_of(verdict.tensors.begin(), verdict.tensors.end(), disagrees)) verdict.outcome = Outcome::kFail;
  if (verdict.outcome == Outcome::kNotJudged && !answers.gave_up() && !verdict.tensors.empty()) verdict.outcome = Outcome::kPass;
  const Problem excerpt = bound.problem();
  if (!answers.gave_up()) judge_power(options, {bound, one, excerpt, nullptr}, verdict);
  return true;
}

void record(const CaseOptions& options, const Evidence& evidence, const Verdict& verdict) {
  if (!options.record) return;
  try {
    options.record(evidence, verdict);
  } catch (const std::exception& error) {
    throw HarnessError(std::string("cannot record ") + verdict.case_id + ": " + error.what());
  }
}

/// judge_outputs(), or the cached findings of identical outputs.
Sample judge_once(const BoundCase& bound, const Problem& problem, const CallResult& result, DataMemory& memory, Verdict& verdict) {
  if (const std::vector<TensorFinding>* known = result.said.empty() ? memory.findings_of(result) : nullptr) {
    verdict.outcome = Outcome::kPass;
    verdict.tensors = *known;
    return {};
  }
  Sample sample = judge_outputs(bound, problem, result, verdict);
  if (verdict.outcome == Outcome::kPass && verdict.program.empty()) memory.remember(result, verdict.tensors);
  return sample;
}

void run_problem(const Op& op, const Case& one, const KernelOffer& kernel, const Backend& backend, const CaseOptions& options,
                 DataMemory& memory, Verdict& verdict) {
  const BoundCase& bound = memory.bound(op, one);
  if (run_sweep(bound, one, kernel, backend, options, verdict)) return;
  const Problem& problem = memory.problem(bound, one);
  const CallRequest request{one.op, parameter_or_empty(one, "contract"), kernel.name, &problem, options.schedule_seed};
  const std::optional<CallResult> result = call_repeatedly(request, backend, options.repeat, verdict);
  Sample sample;
  if (result) sample = judge_once(bound, problem, *result, memory, verdict);
  if (result && options.ladder && verdict.outcome == Outcome::kPass) {
    verdict.climb = climb(bound, one, kernel, backend, request, *result);
    if (!verdict.climb->broken.empty()) {
      verdict.outcome = Outcome::kFail;
      verdict.message = "invariance test '" + verdict.climb->broken + "' failed: " + verdict.climb->message;
    }
  }
  const Evidence evidence{bound, one, problem, result ? &result->outputs : nullptr, result ? &*result : nullptr, &sample};
  if (result) judge_power(options, evidence, verdict);
  const bool is_bad = verdict.outcome != Outcome::kPass && verdict.outcome != Outcome::kSkip;
  if (is_bad && agreed_with_the_contract(verdict))
    verdict.causes.push_back("none in the contract's steps: the plain call is correct");
  else if (is_bad && options.diagnose)
    options.diagnose(evidence, verdict);
  record(options, evidence, verdict);
}

}  // namespace

Verdict blank_verdict(const Case& one, const std::string& kernel, const std::string& backend) {
  Verdict verdict;
  verdict.case_id = one.id;
  verdict.kernel = kernel;
  verdict.backend = backend;
  verdict.why = one.why;
  verdict.origin = one.origin.text();
  verdict.repro = "assay run" + one.run_options + " --backend " + shell_word(backend) + " --case " + quoted(one.id) +
                  (kernel.empty() ? "" : " --kernel " + shell_word(kernel));
  verdict.op = one.op;
  verdict.contract = parameter_or_empty(one, "contract");
  verdict.arch = parameter_or_empty(one, "arch");
  verdict.warp = parameter_or_empty(one, "warp");
  return verdict;
}

Verdict run_case(const Op& op, const Case& one, const KernelOffer& kernel, const Backend& backend, const CaseOptions& options,
                 DataMemory* memory) {
  DataMemory of_one_case;
  Verdict verdict = blank_verdict(one, kernel.name, backend.name);
  try {
    run_problem(op, one, kernel, backend, options, memory ? *memory : of_one_case, verdict);
  } catch (const HarnessError&) {
    throw;
  } catch (const std::exception& error) {
    verdict.outcome = Outcome::kNotJudged;
    verdict.message = std::string("no verdict: ") + error.what();
  }
  if (verdict.outcome == Outcome::kNotJudged && verdict.message.empty()) verdict.message = "no verdict: the op judged no output";
  return verdict;
}

}  // namespace assay
