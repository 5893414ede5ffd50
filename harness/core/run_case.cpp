#include "harness/core/run_case.h"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <optional>

#include "harness/core/compare.h"
#include "harness/core/error.h"
#include "harness/core/glob.h"
#include "harness/core/ladder.h"
#include "harness/core/printable.h"
#include "harness/core/tensor_of_part.h"

namespace assay {
namespace {

std::string parameter_or_empty(const Case& one, const char* name) {
  const auto found = one.parameters.find(name);
  return found == one.parameters.end() ? "" : found->second;
}

/// For a shell, and in quotes even where it needs none: what stands between them is the id.
std::string quoted(const std::string& id) {
  std::string word = shell_word(id);
  return word == id ? "'" + id + "'" : word;
}

size_t output_index(const std::vector<HostTensor>& outputs, const Part& part) {
  return size_t(&tensor_of(outputs, part) - outputs.data());
}

/// Books a call that gave no outputs. True if it did give them.
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

/// All calls of a case. Empty, and the verdict says why, if one of them gave no outputs or other bits.
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
    verdict.outcome = Outcome::kFail;
    return std::nullopt;
  }
  return first;
}

/// Faults that the case cannot see and whose names its row does not declare.
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

/// True of a failure that only the ladder found.
bool agreed_with_the_contract(const Verdict& verdict) { return verdict.climb && !verdict.climb->broken.empty(); }

/// The calls of a sweep; remembers the last answer, and whether one of them ended it.
class SweepAnswers {
 public:
  SweepAnswers(const Case& one, const KernelOffer& kernel, const Backend& backend, uint64_t schedule_seed, Verdict& verdict)
      : backend_(backend),
        verdict_(verdict),
        request_{one.op, parameter_or_empty(one, "contract"), kernel.name, nullptr, schedule_seed} {}

  SweepCalls calls() {
    SweepCalls calls{[this](const Problem& problem) { return outputs(problem); }};
    if (!backend_.watched_call) return calls;
    calls.wrong = [this](const Problem& problem, uint32_t first, const std::vector<CodeStep>& steps) {
      return wrong(problem, first, steps);
    };
    return calls;
  }
  bool gave_up() const { return gave_up_; }

 private:
  const std::vector<HostTensor>* outputs(const Problem& problem) {
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

  std::vector<int32_t> wrong(const Problem& problem, uint32_t first, const std::vector<CodeStep>& steps) {
    if (gave_up_) return {};
    request_.problem = &problem;
    WatchedResult seen = backend_.watched_call(request_, first, steps);
    verdict_.seconds += seen.call.seconds;
    if (seen.call.status == CallStatus::kUnsupported)
      return {};  // no room on the device, or the kernel's own word: outputs() tells
    gave_up_ = seen.call.status != CallStatus::kOk && !answered(seen.call, verdict_);
    return gave_up_ ? std::vector<int32_t>{} : std::move(seen.wrong);
  }

  const Backend& backend_;
  Verdict& verdict_;
  CallRequest request_;
  CallResult result_;
  bool gave_up_ = false;
};

/// A case that its op judges by calls of its own. False if it is an ordinary one.
bool run_sweep(const Op& op, const Case& one, const KernelOffer& kernel, const Backend& backend, const CaseOptions& options,
               Verdict& verdict) {
  if (!op.sweep || !op.sweep->takes(one)) return false;
  SweepAnswers answers(one, kernel, backend, options.schedule_seed, verdict);
  op.sweep->judge(one, answers.calls(), verdict);
  if (answers.gave_up()) verdict.tensors.clear();
  const auto disagrees = [](const TensorFinding& tensor) { return !tensor.agrees(); };
  if (std::any_of(verdict.tensors.begin(), verdict.tensors.end(), disagrees)) verdict.outcome = Outcome::kFail;
  if (verdict.outcome == Outcome::kNotJudged && !answers.gave_up() && !verdict.tensors.empty()) verdict.outcome = Outcome::kPass;
  const Problem excerpt = op.problem(one);
  if (!answers.gave_up()) judge_power(options, {op, one, excerpt, nullptr}, verdict);
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

/// judge_outputs(), or what the memory knows of the same outputs.
Sample judge_once(const Op& op, const Case& one, const Problem& problem, const CallResult& result, DataMemory& memory,
                  Verdict& verdict) {
  if (const std::vector<TensorFinding>* known = result.program.empty() ? memory.findings_of(result) : nullptr) {
    verdict.outcome = Outcome::kPass;
    verdict.tensors = *known;
    return {};
  }
  Sample sample = judge_outputs(op, one, problem, result, verdict);
  if (verdict.outcome == Outcome::kPass && verdict.program.empty()) memory.remember(result, verdict.tensors);
  return sample;
}

void run_problem(const Op& op, const Case& one, const KernelOffer& kernel, const Backend& backend, const CaseOptions& options,
                 DataMemory& memory, Verdict& verdict) {
  if (run_sweep(op, one, kernel, backend, options, verdict)) return;
  const Problem& problem = memory.problem(op, one);
  const CallRequest request{one.op, parameter_or_empty(one, "contract"), kernel.name, &problem, options.schedule_seed};
  const std::optional<CallResult> result = call_repeatedly(request, backend, options.repeat, verdict);
  Sample sample;
  if (result) sample = judge_once(op, one, problem, *result, memory, verdict);
  if (result && options.ladder && verdict.outcome == Outcome::kPass) {
    verdict.climb = climb(op, one, kernel, backend, request, *result);
    if (!verdict.climb->broken.empty()) {
      verdict.outcome = Outcome::kFail;
      verdict.message = "rung '" + verdict.climb->broken + "' of the ladder breaks: " + verdict.climb->message;
    }
  }
  const Evidence evidence{op, one, problem, result ? &result->outputs : nullptr, result ? &*result : nullptr, &sample};
  if (result) judge_power(options, evidence, verdict);
  const bool is_bad = verdict.outcome != Outcome::kPass && verdict.outcome != Outcome::kSkip;
  if (is_bad && agreed_with_the_contract(verdict))
    verdict.causes.push_back("none in the contract: the first answer agrees with it");
  else if (is_bad && options.diagnose)
    options.diagnose(evidence, verdict);
  record(options, evidence, verdict);
}

}  // namespace

std::string call_difference(const CallResult& first, const CallResult& again, int call) {
  for (size_t i = 0; i < first.outputs.size(); ++i) {
    const HostTensor &a = first.outputs[i], &b = again.outputs[i];
    // Bytes that nobody writes hold whatever the sentinel of the last call was.
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

std::string& options_of_repro() {
  static std::string options;
  return options;
}

Verdict blank_verdict(const Case& one, const std::string& kernel, const std::string& backend) {
  Verdict verdict;
  verdict.case_id = one.id;
  verdict.kernel = kernel;
  verdict.backend = backend;
  verdict.why = one.why;
  verdict.origin = one.origin.text();
  verdict.repro = "assay run" + options_of_repro() + " --backend " + shell_word(backend) + " --case " + quoted(one.id) +
                  (kernel.empty() ? "" : " --kernel " + shell_word(kernel));
  verdict.op = one.op;
  verdict.contract = parameter_or_empty(one, "contract");
  verdict.arch = parameter_or_empty(one, "arch");
  verdict.warp = parameter_or_empty(one, "warp");
  return verdict;
}

/// An output element that was never written, if there is one: the verdict then says so.
static bool leaves_unwritten(const Expectation& expectation, const CallResult& result, Verdict& verdict) {
  for (const Part& part : expectation.parts()) {
    const size_t i = output_index(result.outputs, part);
    const Unwritten unwritten =
        result.in_place[i] ? Unwritten{} : unwritten_elements(part, result.outputs[i].spec, result.untouched[i]);
    if (unwritten.elements == 0) continue;
    verdict.outcome = Outcome::kBroken;
    verdict.message = "output '" + part.label() + "': " + std::to_string(unwritten.elements) + " of " +
                      std::to_string(part.elements()) + " elements were never written, first [" +
                      std::to_string(unwritten.first[0]) + ", " + std::to_string(unwritten.first[1]) + "]";
    return true;
  }
  return false;
}

/// The first violations in words, and how many more there are.
static std::string words_of(const Finding& finding) {
  constexpr size_t kMostWords = 8;
  std::string text;
  for (size_t i = 0; i < std::min(kMostWords, finding.violations.size()); ++i)
    text += (text.empty() ? "" : "; ") + finding.violations[i].words;
  const int64_t more = finding.all_violations - int64_t(std::min(kMostWords, finding.violations.size()));
  return more > 0 ? text + "; and " + std::to_string(more) + " more" : text;
}

/// Of a library that says by which program its outputs are made that one alone is right. Where it names none of the contract's,
/// all are compared, and the verdict is a failure.
static bool keep_what_was_said(const Op& op, const Case& one, const std::string& said, Expectation& expectation) {
  if (said.empty()) return true;
  const std::string meant = op.program_meant ? op.program_meant(one, said) : said;
  const auto is_meant = [&](const Answer& answer) { return answer.program == meant; };
  if (std::none_of(expectation.any_of.begin(), expectation.any_of.end(), is_meant)) return false;
  std::erase_if(expectation.any_of, [&](const Answer& answer) { return !is_meant(answer); });
  return true;
}

/// "by split-K 1 and not by split-K 2, which the library says": if another program made the outputs.
static std::string other_program(const Op& op, const Case& one, const Problem& problem, const CallResult& result) {
  const Finding all = compare(op.expect(one, problem, &result.outputs), result.outputs, result.untouched);
  if (!all.agrees()) return "";
  return "made by " + (all.program.empty() ? "the contract's one program" : all.program) + " and not by " + result.program +
         ", as the library says";
}

Sample judge_outputs(const Op& op, const Case& one, const Problem& problem, const CallResult& result, Verdict& verdict) {
  Expectation expectation = op.expect(one, problem, &result.outputs);
  if (leaves_unwritten(expectation, result, verdict)) return all_steps(expectation.any_of.front());
  const bool known = keep_what_was_said(op, one, result.program, expectation);
  Finding finding = compare(expectation, result.outputs, result.untouched);
  const bool agrees = known && finding.agrees();
  verdict.program_said = result.program;
  verdict.program = finding.program;
  verdict.tensors = std::move(finding.parts);
  verdict.outcome = agrees ? Outcome::kPass : Outcome::kFail;
  if (agrees) {
    if (op.remarks) verdict.tensors.front().notes = op.remarks(one, problem, result.outputs);
    return std::move(finding.sample);
  }
  verdict.message = words_of(finding);
  if (!known)
    verdict.message = "the library says that it made this by " + result.program + ", which is no program of the contract";
  if (const std::string other = known && !result.program.empty() ? other_program(op, one, problem, result) : ""; !other.empty())
    verdict.message = other;
  verdict.looked_at = finding.sample.words();
  verdict.violations = std::move(finding.violations);
  const auto wrong = std::find_if(verdict.tensors.begin(), verdict.tensors.end(), [](const auto& t) { return !t.agrees(); });
  if (op.remarks && wrong != verdict.tensors.end()) wrong->notes = op.remarks(one, problem, result.outputs);
  return std::move(finding.sample);
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
