#include "harness/run/judge_outputs.h"

#include <algorithm>
#include <string>

#include "harness/compare/compare.h"
#include "harness/core/tensor_of_part.h"

namespace assay {
namespace {

size_t output_index(const std::vector<HostTensor>& outputs, const Part& part) {
  return size_t(&tensor_of(outputs, part) - outputs.data());
}

/// Whether an output element was never written. The verdict then names it.
bool leaves_unwritten(const Expectation& expectation, const CallResult& result, Verdict& verdict) {
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

/// The first violations as text, and how many more there are.
std::string words_of(const Finding& finding) {
  constexpr size_t kMostWords = 8;
  std::string text;
  for (size_t i = 0; i < std::min(kMostWords, finding.violations.size()); ++i)
    text += (text.empty() ? "" : "; ") + finding.violations[i].words;
  const int64_t more = finding.all_violations - int64_t(std::min(kMostWords, finding.violations.size()));
  return more > 0 ? text + "; and " + std::to_string(more) + " more" : text;
}

/// If a library reports its algorithm, only that variant of the contract is accepted. Returns false if the contract has no such
/// variant; the outputs are then compared with all variants, and the verdict is a failure.
bool keep_what_was_said(const BoundCase& bound, const SaidAlgorithm& said, Expectation& expectation) {
  if (said.empty()) return true;
  const auto is_meant = [&](const Answer& answer) { return bound.is_meant(said, answer.program); };
  if (std::none_of(expectation.any_of.begin(), expectation.any_of.end(), is_meant)) return false;
  std::erase_if(expectation.any_of, [&](const Answer& answer) { return !is_meant(answer); });
  return true;
}

/// "made by split-K 1 and not by split-K 2, as the library says", if a variant other than the reported one matches the outputs;
/// otherwise "".
std::string other_program(const BoundCase& bound, const Problem& problem, const CallResult& result) {
  const Finding all = compare(bound.expect(problem, &result.outputs), result.outputs, result.untouched);
  if (!all.agrees()) return "";
  return "made by " + (all.program.empty() ? "the contract's one program" : all.program) + " and not by " + result.said.text() +
         ", as the library says";
}

}  // namespace

Sample judge_outputs(const BoundCase& bound, const Problem& problem, const CallResult& result, Verdict& verdict) {
  Expectation expectation = bound.expect(problem, &result.outputs);
  if (leaves_unwritten(expectation, result, verdict)) return all_steps(expectation.any_of.front());
  const bool known = keep_what_was_said(bound, result.said, expectation);
  Finding finding = compare(expectation, result.outputs, result.untouched);
  const bool agrees = known && finding.agrees();
  verdict.program_said = result.said.text();
  verdict.program = finding.program;
  verdict.tensors = std::move(finding.parts);
  verdict.outcome = agrees ? Outcome::kPass : Outcome::kFail;
  if (agrees) {
    verdict.tensors.front().notes = bound.remarks(problem, result.outputs);
    return std::move(finding.sample);
  }
  verdict.message.clear();
  if (!known)
    verdict.message = "the library says that it used " + result.said.text() + ", which the contract does not admit";
  else if (!result.said.empty())
    verdict.message = other_program(bound, problem, result);
  if (verdict.message.empty()) verdict.message = words_of(finding);
  verdict.looked_at = finding.sample.words();
  verdict.violations = std::move(finding.violations);
  const auto wrong = std::find_if(verdict.tensors.begin(), verdict.tensors.end(), [](const auto& t) { return !t.agrees(); });
  if (wrong != verdict.tensors.end()) wrong->notes = bound.remarks(problem, result.outputs);
  return std::move(finding.sample);
}

}  // namespace assay
