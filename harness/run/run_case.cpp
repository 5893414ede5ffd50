#include "harness/run/run_case.h"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <new>
#include <optional>
#include <string>
#include <vector>

#include "harness/compare/compare.h"
#include "harness/compare/verdict.h"
#include "harness/core/call.h"
#include "harness/core/expectation.h"
#include "harness/core/op.h"
#include "harness/core/tensor.h"
#include "harness/text/messages.h"
#include "reference/table/near.h"

namespace assay {
namespace {

// Two reasons of a refusal: the kernel does not support the call, or the kernel misspells a name.

/// The name that a kernel did not find in a call: "weight", if its message is "the call has no tensor 'weight'; it has x, y"
/// (assay/plugin/call.hpp). `what`: "tensor" or "parameter". Empty for other messages.
std::string lacking_in(const std::string& message, const std::string& what) {
  const std::string before = "the call has no " + what + " '";
  size_t at = message.find(before);
  if (at == std::string::npos || (at > 0 && !message.starts_with("rank "))) return "";  // messages of groups begin with the rank
  at += before.size();
  return message.substr(at, message.find('\'', at) - at);
}

template <class Specs>
std::string wrong_name(const Op& op, const Specs& specs, const std::string& name, const std::string& what,
                       const std::string& plural) {
  std::vector<std::string> names;
  for (const auto& spec : specs) names.push_back(spec.name);
  const std::string stem =
      name.ends_with("_out") ? name.substr(0, name.size() - 4) : name;  // NAME_out is the result of an in-place tensor NAME
  if (name.empty() || names.empty() || std::find(names.begin(), names.end(), stem) != names.end()) return "";
  std::string all;
  for (const std::string& one : names) all += (all.empty() ? "" : ", ") + one;
  return "the kernel asks for " + what + " '" + name + "', which no call of op " + op.name + " has" + did_you_mean(name, names) +
         "; its " + plural + ": " + all;
}

/// If a kernel refuses a call because it lacks a tensor or parameter that no call of its op has, the name is misspelled: the case
/// is broken. If other calls of the op have it, the case is skipped. Returns whether the case is broken.
bool blame_wrong_names(const Op& op, Verdict& verdict) {
  if (verdict.outcome != Outcome::kSkip) return false;
  std::string wrong = wrong_name(op, op.roles, lacking_in(verdict.message, "tensor"), "tensor", "tensors");
  if (wrong.empty()) wrong = wrong_name(op, op.parameters, lacking_in(verdict.message, "parameter"), "parameter", "parameters");
  if (wrong.empty()) return false;
  verdict.outcome = Outcome::kBroken;
  verdict.message = wrong;
  return true;
}

// The calls of a sweep (BoundCase::judge_sweep), and their record in its verdict.

/// Makes the calls of a sweep. Keeps the last result, and whether a call ended the sweep.
class SweepAnswers {
 public:
  /// `request` is used for every call, each with its own problem. `backend` and `verdict` must outlive this object.
  SweepAnswers(CallRequest request, const Backend& backend, Verdict& verdict)
      : backend_(backend), verdict_(verdict), request_(std::move(request)) {}

  SweepCalls calls();
  bool gave_up() const { return gave_up_; }

 private:
  const std::vector<HostTensor>* outputs(const Problem& problem);
  std::vector<int32_t> wrong(const Problem& problem, uint32_t first, const std::vector<CodeStep>& steps);

  const Backend& backend_;
  Verdict& verdict_;
  CallRequest request_;
  CallResult result_;
  bool gave_up_ = false;
};

SweepCalls SweepAnswers::calls() {
  SweepCalls calls{[this](const Problem& problem) { return outputs(problem); }};
  if (!backend_.watched_call) return calls;
  calls.wrong = [this](const Problem& problem, uint32_t first, const std::vector<CodeStep>& steps) {
    return wrong(problem, first, steps);
  };
  return calls;
}

const std::vector<HostTensor>* SweepAnswers::outputs(const Problem& problem) {
  if (gave_up_) return nullptr;
  request_.problem = &problem;
  result_ = backend_.call(request_);
  verdict_.seconds += result_.seconds;
  gave_up_ = result_.status != CallStatus::kOk && !answered(result_, verdict_);
  for (size_t i = 0; i < result_.outputs.size() && !gave_up_; ++i) {
    if (result_.untouched[i].empty()) continue;
    gave_up_ = true;
    verdict_.outcome = Outcome::kBroken;
    verdict_.message = "output '" + result_.outputs[i].spec.name + "': some elements were never written";
  }
  return gave_up_ ? nullptr : &result_.outputs;
}

std::vector<int32_t> SweepAnswers::wrong(const Problem& problem, uint32_t first, const std::vector<CodeStep>& steps) {
  if (gave_up_) return {};
  request_.problem = &problem;
  WatchedResult seen = backend_.watched_call(request_, first, steps);
  verdict_.seconds += seen.call.seconds;
  if (seen.call.status == CallStatus::kUnsupported)
    return {};  // the device is out of memory, or the kernel refused: the next call of outputs() reports it
  gave_up_ = seen.call.status != CallStatus::kOk && !answered(seen.call, verdict_);
  return gave_up_ ? std::vector<int32_t>{} : std::move(seen.wrong);
}

}  // namespace

// The calls of one case, and the record of failed calls in the verdict.

bool answered(const CallResult& result, Verdict& verdict) {
  verdict.message = result.message;
  switch (result.status) {
    case CallStatus::kOk:
      return true;
    case CallStatus::kUnsupported:
      verdict.outcome = Outcome::kSkip;
      break;
    case CallStatus::kFailed:
      verdict.outcome = Outcome::kFail;
      verdict.message = "the library refused the call: " + result.message;
      break;
    case CallStatus::kDeviceLost:
      verdict.outcome = Outcome::kSkip;
      verdict.device_lost = true;
      verdict.message = "device lost: " + result.message;
      break;
    case CallStatus::kBroken:
      verdict.outcome = Outcome::kBroken;
      break;
    case CallStatus::kNotCalled:
      verdict.outcome = Outcome::kNotJudged;
      break;
  }
  return false;
}

std::string call_difference(const CallResult& first, const CallResult& again, int call) {
  for (size_t i = 0; i < first.outputs.size(); ++i) {
    const HostTensor &a = first.outputs[i], &b = again.outputs[i];
    // Unwritten bytes are not compared: they hold the sentinel of the last call.
    const std::vector<std::byte>&x = a.bytes, &y = b.bytes;
    std::vector<ByteRange> skip = first.untouched[i];
    for (size_t k = 0, range = 0; k < x.size(); ++k) {
      while (range < skip.size() && skip[range].end <= int64_t(k)) ++range;
      if (range < skip.size() && skip[range].begin <= int64_t(k)) {
        k = size_t(skip[range].end) - 1;
        continue;
      }
      if (x[k] == y[k]) continue;
      const int64_t element = a.spec.element_of(k);
      char text[192];
      std::snprintf(text, sizeof text, "not deterministic: call %d gives other bits: %s at storage element %lld: 0x%x, then 0x%x",
                    call, a.spec.name.c_str(), static_cast<long long>(element), a.code(element), b.code(element));
      return text;
    }
  }
  return "";
}

std::optional<CallResult> call_repeatedly(const CallRequest& request, const Backend& backend, int repeat, Verdict& verdict) {
  CallResult first = backend.call(request);
  verdict.seconds = first.seconds;
  if (!answered(first, verdict)) return std::nullopt;
  for (int call = 2; call <= repeat; ++call) {
    CallRequest next = request;
    next.schedule_seed = request.schedule_seed + uint64_t(call) - 1;
    const CallResult again = backend.call(next);
    if (!answered(again, verdict)) return std::nullopt;
    verdict.message = call_difference(first, again, call);
    if (verdict.message.empty()) continue;
    verdict.outcome = Outcome::kFlaky;
    return std::nullopt;
  }
  return first;
}

namespace {

/// The outcome of a single call, without mutation analysis and diagnosis.
Outcome outcome_of_call(const BoundCase& bound, const CallRequest& request, const Backend& backend,
                        std::optional<CallResult>& result) {
  Verdict verdict;
  result = backend.call(request);
  if (!answered(*result, verdict)) {
    result.reset();
    return verdict.device_lost ? Outcome::kNotJudged : verdict.outcome;
  }
  judge_outputs(bound, *request.problem, *result, verdict);
  return verdict.outcome;
}

/// Repeats a failed call `calls` times. If a repetition has another outcome or other bits, the failure becomes kFlaky, never a
/// pass. Stops at a repetition without a verdict: the device is lost, or the harness did not call the kernel.
void classify_by_calls(const BoundCase& bound, const CallRequest& request, const Backend& backend, int calls,
                       const std::optional<CallResult>& first, Verdict& verdict) {
  const Outcome failed = verdict.outcome;
  int made = 1, as_first = 1, passed = 0;
  std::string difference;
  for (int call = 2; call <= calls + 1; ++call, ++made) {
    CallRequest next = request;
    next.schedule_seed = request.schedule_seed + uint64_t(call) - 1;
    std::optional<CallResult> again;
    const Outcome outcome = outcome_of_call(bound, next, backend, again);
    if (outcome == Outcome::kNotJudged) break;
    as_first += int(outcome == failed), passed += int(outcome == Outcome::kPass);
    if (difference.empty() && outcome == failed && first && again) difference = call_difference(*first, *again, call);
  }
  if (as_first == made && difference.empty()) return;
  const std::string counts = std::to_string(as_first) + " of " + std::to_string(made) + " calls with the same inputs " +
                             (failed == Outcome::kBroken ? "were broken" : "failed") + ", " + std::to_string(passed) + " passed";
  verdict.outcome = Outcome::kFlaky;
  verdict.message = counts + (difference.empty() ? "" : "; " + difference) +
                    (verdict.message.empty() ? "" : "; first call: " + verdict.message);
}

}  // namespace

namespace {

// The verdict on the outputs of a finished call.

size_t output_index(const std::vector<HostTensor>& outputs, const Part& part) {
  return size_t(&tensor_of(outputs, part) - outputs.data());
}

/// Whether an output element was never written. If one was not, the verdict becomes kBroken, and its message names that element.
bool leaves_unwritten(const Expectation& expectation, const CallResult& result, Verdict& verdict) {
  for (const Part& part : expectation.parts()) {
    const size_t i = output_index(result.outputs, part);
    const Unwritten unwritten =
        result.in_place[i] ? Unwritten{} : unwritten_elements(part, result.outputs[i].spec, result.untouched[i]);
    if (unwritten.elements == 0) continue;
    verdict.outcome = Outcome::kBroken;
    verdict.message = "output '" + part.label() + "': " + std::to_string(unwritten.elements) + " of " +
                      std::to_string(part.elements()) + " elements were never written, first [" +
                      std::to_string(unwritten.first[0]) + ", " + std::to_string(unwritten.first[1]) + "]" +
                      unwritten.places(part);
    return true;
  }
  return false;
}

/// The first kMostWords violations as text, followed by the number of the others.
std::string words_of(const Finding& finding) {
  constexpr size_t kMostWords = 8;
  std::string text;
  for (size_t i = 0; i < std::min(kMostWords, finding.violations.size()); ++i)
    text += (text.empty() ? "" : "; ") + finding.violations[i].words;
  const int64_t more = finding.all_violations - int64_t(std::min(kMostWords, finding.violations.size()));
  return more > 0 ? text + "; and " + std::to_string(more) + " more" : text;
}

/// If the library reports its algorithm, the expectation keeps only that variant of the contract. Returns false if the contract
/// has no such variant; the outputs are then compared with all variants, and the verdict is a failure.
bool keep_what_was_said(const BoundCase& bound, const SaidAlgorithm& said, Expectation& expectation) {
  if (said.empty()) return true;
  const auto is_meant = [&](const Answer& answer) { return bound.is_meant(said, answer.program); };
  if (std::none_of(expectation.any_of.begin(), expectation.any_of.end(), is_meant)) return false;
  std::erase_if(expectation.any_of, [&](const Answer& answer) { return !is_meant(answer); });
  return true;
}

/// "made by split-K 1, although the library reported split-K 2", if the outputs match a variant that the library did not report;
/// otherwise "".
std::string other_program(const BoundCase& bound, const Problem& problem, const CallResult& result) {
  const Finding all = compare(bound.expect(problem, &result.outputs), result.outputs, result.untouched);
  if (!all.agrees()) return "";
  return "made by " + (all.program.empty() ? "the contract's one program" : all.program) + ", although the library reported " + result.said.text();
}

}  // namespace

Sample judge_outputs(const BoundCase& bound, const Problem& problem, const CallResult& result, Verdict& verdict,
                     Remarks remarks) {
  Expectation expectation = bound.expect(problem, &result.outputs);
  if (leaves_unwritten(expectation, result, verdict)) return all_steps(expectation.any_of.front());
  const bool known = keep_what_was_said(bound, result.said, expectation);
  Finding finding = (remarks == Remarks::kNone ? count_wrong : compare)(expectation, result.outputs, result.untouched);
  const bool agrees = known && finding.agrees();
  verdict.program_said = result.said.text();
  verdict.program = finding.program;
  verdict.tensors = std::move(finding.parts);
  verdict.outcome = agrees ? Outcome::kPass : Outcome::kFail;
  if (agrees) {
    if (remarks == Remarks::kOfAll) verdict.tensors.front().notes = bound.remarks(problem, result.outputs);
    return std::move(finding.sample);
  }
  verdict.message.clear();
  if (!known)
    verdict.message = "the library reports that it used " + result.said.text() + ", which the contract does not allow";
  else if (!result.said.empty())
    verdict.message = other_program(bound, problem, result);
  if (verdict.message.empty()) verdict.message = words_of(finding);
  verdict.looked_at = finding.sample.words();
  verdict.violations = std::move(finding.violations);
  const auto wrong = std::find_if(verdict.tensors.begin(), verdict.tensors.end(), [](const auto& t) { return !t.agrees(); });
  if (wrong != verdict.tensors.end() && remarks != Remarks::kNone) wrong->notes = bound.remarks(problem, result.outputs);
  return std::move(finding.sample);
}

namespace {

// Cache for one data set while several kernels are called on it.

constexpr size_t kMostAgreed = 8;                    ///< limit on the number of remembered calls
constexpr size_t kMostBytes = size_t{16} << 20;      ///< limit on the stored output bytes

size_t bytes_of(const std::vector<HostTensor>& tensors) {
  size_t bytes = 0;
  for (const HostTensor& tensor : tensors) bytes += tensor.bytes.size();
  return bytes;
}

void set_warp(const Case& one, Problem& problem) {
  const auto warp =
      std::find_if(problem.parameters.begin(), problem.parameters.end(), [](const auto& p) { return p.first == "warp"; });
  if (warp != problem.parameters.end()) warp->second = double(one.name.warp);
}

}  // namespace

const BoundCase& DataMemory::bound(const Op& op, const Case& one) {
  if (!bound_ || case_ != one.id) {
    bound_ = op.bind(one);
    case_ = one.id;
  }
  return *bound_;
}

const Problem& DataMemory::problem(const BoundCase& bound, const Case& one) {
  if (!problem_ || data_ != one.data_id()) {
    agreed_.clear();
    problem_.reset();  // frees the old problem before the new one is made
    problem_ = bound.problem();
    data_ = one.data_id();
  } else {
    set_warp(one, *problem_);
  }
  return *problem_;
}

const DataMemory::Agreed* DataMemory::agreed_as(const CallResult& result) const {
  for (const Agreed& agreed : agreed_) {
    if (!(agreed.said == result.said)) continue;
    const auto same = [&](size_t i) {
      return agreed.bytes[i] == result.outputs[i].bytes && agreed.untouched[i] == result.untouched[i];
    };
    size_t i = 0;
    while (i < result.outputs.size() && same(i)) ++i;
    if (i == result.outputs.size()) return &agreed;
  }
  return nullptr;
}

void DataMemory::remember(const CallResult& result, const std::vector<TensorFinding>& findings, const std::string& program) {
  if (agreed_.size() == kMostAgreed || bytes_of(result.outputs) > kMostBytes) return;
  Agreed& agreed = agreed_.emplace_back();
  for (const HostTensor& output : result.outputs) agreed.bytes.push_back(output.bytes);
  agreed.untouched = result.untouched;
  agreed.said = result.said;
  agreed.findings = findings;
  agreed.program = program;
}

namespace {

// One case on one kernel: problem, call, expectation, comparison, verdict.

std::string parameter_or_empty(const Case& one, const char* name) {
  const auto found = one.parameters.find(name);
  return found == one.parameters.end() ? "" : found->second;
}

/// Quotes an id for a shell, even if it needs no quotes, since scripts read the id between the quotes.
std::string quoted(const std::string& id) {
  std::string word = shell_word(id);
  return word == id ? "'" + id + "'" : word;
}

/// The mutants of `faults` that no glob of `declared`, the row's `blind_to`, matches.
std::vector<std::string> undeclared(std::vector<std::string> faults, const std::vector<std::string>& declared) {
  std::erase_if(faults, [&](const std::string& fault) {
    return std::any_of(declared.begin(), declared.end(), [&](const std::string& glob) { return glob_match(glob, fault); });
  });
  return faults;
}

void judge_power(const CaseOptions& options, const Evidence& evidence, Verdict& verdict) {
  if (!options.power) return;
  verdict.power = options.power(evidence);
  if (evidence.one.tier == "own") return;  // a user's table is checked as a whole, see diagnosis/visibility.h
  const std::vector<std::string> faults = undeclared(verdict.power.blind_to, evidence.one.blind_to);
  if (verdict.outcome != Outcome::kPass || faults.empty()) return;
  verdict.outcome = Outcome::kUntrusted;
  verdict.message = "blind to";
  for (const std::string& fault : faults) verdict.message.append(&fault == &faults.front() ? " " : "; ").append(fault);
}

/// True if an invariance test failed. Then the plain call conformed to the contract, since the tests run only after such a call.
bool agreed_with_the_contract(const Verdict& verdict) { return verdict.climb && !verdict.climb->broken.empty(); }

/// Runs a sweep: a case that makes and checks its own calls. Returns false for other cases.
bool run_sweep(const BoundCase& bound, const Case& one, const KernelOffer& kernel, const Backend& backend,
               const CaseOptions& options, Verdict& verdict) {
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

/// Calls judge_outputs(), or returns the cached findings of identical outputs.
Sample judge_once(const BoundCase& bound, const Problem& problem, const CallResult& result, DataMemory& memory, Remarks remarks,
                  Verdict& verdict) {
  if (const DataMemory::Agreed* const known = memory.agreed_as(result)) {
    verdict.outcome = Outcome::kPass;
    verdict.tensors = known->findings;
    verdict.program = known->program;
    verdict.program_said = result.said.text();
    return {};
  }
  Sample sample = judge_outputs(bound, problem, result, verdict, remarks);
  if (verdict.outcome == Outcome::kPass) memory.remember(result, verdict.tensors, verdict.program);
  return sample;
}

/// The largest tensor with its size, for messages.
std::string largest_tensor(const Problem& problem) {
  const auto largest = std::max_element(problem.tensors.begin(), problem.tensors.end(),
                                        [](const HostTensor& a, const HostTensor& b) { return a.spec.bytes() < b.spec.bytes(); });
  return largest == problem.tensors.end() ? std::string("a case without tensors") : tensor_size_in_words(largest->spec);
}

/// Calls options.in_a_row() and adds its result to the verdict of a case whose plain call conformed to the contract.
void add_calls_in_a_row(const CaseOptions& options, Verdict& verdict) {
  Climb row = options.in_a_row();
  if (row.broken.empty()) {
    if (!options.ladder || !verdict.climb) return;
    verdict.climb->held.insert(verdict.climb->held.end(), row.held.begin(), row.held.end());
    verdict.climb->absent.insert(verdict.climb->absent.end(), row.absent.begin(), row.absent.end());
    return;
  }
  if (verdict.climb) row.held.insert(row.held.begin(), verdict.climb->held.begin(), verdict.climb->held.end());
  verdict.outcome = Outcome::kFail;
  verdict.message = "invariance test '" + row.broken + "' failed: " + row.message;
  for (const std::string& id : row.with) verdict.repro += " --case " + quoted(id);
  verdict.climb = std::move(row);
}

void judge_problem(const Op& op, const BoundCase& bound, const Case& one, const Problem& problem, const KernelOffer& kernel,
                   const Backend& backend, const CaseOptions& options, DataMemory& memory, Verdict& verdict) {
  const CallRequest request{one.op, parameter_or_empty(one, "contract"), kernel.name, &problem, options.schedule_seed};
  const std::optional<CallResult> result = call_repeatedly(request, backend, options.repeat, verdict);
  const bool misnames = blame_wrong_names(op, verdict);
  Sample sample;
  if (result) sample = judge_once(bound, problem, *result, memory, options.remarks, verdict);
  if (result && options.ladder && verdict.outcome == Outcome::kPass) {
    verdict.climb = climb(bound, one, kernel, backend, request, *result);
    if (!verdict.climb->broken.empty()) {
      verdict.outcome = Outcome::kFail;
      verdict.message = "invariance test '" + verdict.climb->broken + "' failed: " + verdict.climb->message;
    }
  }
  if (result && options.in_a_row && verdict.outcome == Outcome::kPass) add_calls_in_a_row(options, verdict);
  const Evidence evidence{bound, one, problem, result ? &result->outputs : nullptr, result ? &*result : nullptr, &sample};
  if (result) judge_power(options, evidence, verdict);
  const bool is_bad = verdict.outcome != Outcome::kPass && verdict.outcome != Outcome::kSkip;
  if (is_bad && agreed_with_the_contract(verdict))
    verdict.causes.push_back("no cause in the contract: the plain call is correct, only the invariance test fails");
  else if (is_bad && options.diagnose) {
    if (options.judged) options.judged(verdict);
    try {
      options.diagnose(evidence, verdict);
    } catch (const HarnessError&) {
      throw;
    } catch (const std::exception& error) {  // an error in the search for a cause must not hide the failure
      verdict.causes = {std::string("no known cause: the search for it ended with an error: ") + error.what()};
    }
  }
  if (options.rerun_failed > 0 && !misnames && !agreed_with_the_contract(verdict) &&
      (verdict.outcome == Outcome::kFail || verdict.outcome == Outcome::kBroken))
    classify_by_calls(bound, request, backend, options.rerun_failed, result, verdict);
  record(options, evidence, verdict);
}

void run_problem(const Op& op, const Case& one, const KernelOffer& kernel, const Backend& backend, const CaseOptions& options,
                 DataMemory& memory, Verdict& verdict) {
  const BoundCase& bound = memory.bound(op, one);
  if (run_sweep(bound, one, kernel, backend, options, verdict)) {
    (void)blame_wrong_names(op, verdict);
    return;
  }
  const Problem& problem = memory.problem(bound, one);
  try {
    judge_problem(op, bound, one, problem, kernel, backend, options, memory, verdict);
  } catch (const std::bad_alloc&) {
    throw TooLargeError(largest_tensor(problem) + ", and no memory is left for the check");
  }
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
  verdict.repro = options.repro_environment + verdict.repro + options.repro_options;
  try {
    run_problem(op, one, kernel, backend, options, memory ? *memory : of_one_case, verdict);
  } catch (const HarnessError&) {
    throw;
  } catch (const std::exception& error) {
    verdict.outcome = Outcome::kNotJudged;
    verdict.message = std::string("no verdict: ") + error.what();
  }
  if (verdict.outcome == Outcome::kNotJudged && verdict.message.empty()) verdict.message = "no verdict: the op checked no output";
  return verdict;
}

}  // namespace assay
