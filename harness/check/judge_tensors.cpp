#include "harness/check/judge_tensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "harness/core/forwarded_case.h"
#include "harness/diagnosis/diagnose.h"
#include "harness/diagnosis/visibility.h"
#include "harness/report/console.h"
#include "harness/run/judge_outputs.h"
#include "harness/text/error.h"

namespace assay {
namespace {

/// The mutation score is computed on at most this many elements of the first input, and on at most this many rows of a larger
/// one.
constexpr int64_t kMostElementsOfPower = int64_t{1} << 14, kMostRowsOfPower = 8;

/// A case whose data are the user's.
class WithData : public ForwardedCase {
 public:
  WithData(std::shared_ptr<const BoundCase> to, const Problem& problem) : ForwardedCase(std::move(to)), problem_(problem) {}
  Problem problem() const override { return problem_; }
  std::unique_ptr<const BoundCase> excerpt() const override { return nullptr; }

 private:
  const Problem& problem_;
};

Power power_of_problem(std::shared_ptr<const BoundCase> bound, const Problem& problem) {
  return power_of(WithData(std::move(bound), problem), {}, &problem);
}

/// Evenly spread rows of a large problem.
std::vector<int64_t> rows_of_power(int64_t rows, int64_t elements) {
  const int64_t few =
      std::clamp(kMostElementsOfPower / std::max<int64_t>(1, elements / rows), int64_t{1}, std::min(rows, kMostRowsOfPower));
  std::vector<int64_t> chosen;
  for (int64_t i = 0; i < few; ++i) chosen.push_back(i * rows / few);
  return chosen;
}

void add_power(const DumpedCall& call, TensorsVerdict& judged) {
  const Problem& problem = call.problem;
  const int64_t elements = problem.tensors.front().spec.elements(), rows = call.dump.bound->independent_rows();
  if (elements <= kMostElementsOfPower) {
    judged.verdict.power = power_of_problem(call.judging, problem);
    return;
  }
  if (rows <= 0) {
    judged.notes.push_back("the mutation score was not computed: the inputs are large and their rows depend on each other");
    return;
  }
  const std::vector<int64_t> chosen = rows_of_power(rows, elements);
  CaseOfRows some = call.dump.bound->with_rows(problem, chosen);
  judged.verdict.power =
      power_of_problem(without_unseen_padding(std::shared_ptr<const BoundCase>(std::move(some.bound)), {}), some.problem);
  judged.notes.push_back(fmt::format("the mutation score is that of {} of {} rows", chosen.size(), rows));
}

std::string power_note(const Power& power) {
  if (power.faults == 0) return "";
  std::string text = fmt::format("these inputs expose {} of {} mutants", power.seen(), power.faults);
  constexpr size_t kMostNamed = 4;
  for (size_t i = 0; i < std::min(kMostNamed, power.blind_to.size()); ++i)
    text += (i == 0 ? "; not: " : "; ") + power.blind_to[i];
  if (power.blind_to.size() > kMostNamed) text += fmt::format("; and {} more", power.blind_to.size() - kMostNamed);
  return text;
}

std::array<int64_t, 2> matrix_of(const TensorSpec& spec) {
  const int64_t columns = spec.shape.size() > 1 ? spec.shape.back() : 1;
  return {spec.elements() / std::max<int64_t>(1, columns), columns};
}

/// The worst wrong element as an element of the first tensor. For a scale, the first element of its group.
std::array<int64_t, 2> worst_element(const Verdict& verdict, const std::array<int64_t, 2>& shape) {
  for (const TensorFinding& finding : verdict.tensors) {
    if (finding.outside == 0 || finding.worst.at[0] >= shape[0]) continue;
    const int64_t apart = std::max<int64_t>(1, shape[1] / std::max<int64_t>(1, finding.shape[1]));
    return {finding.worst.at[0], std::min(shape[1] - 1, finding.worst.at[1] * apart)};
  }
  return {0, 0};
}

}  // namespace

TensorsVerdict judge_tensors(const DumpedCall& call, const std::string& repro, WithPower with_power) {
  const DumpCase& dump = call.dump;
  TensorsVerdict judged{blank_verdict(dump.one, "", ""), {}};
  Verdict& verdict = judged.verdict;
  verdict.kernel = "unknown kernel";
  verdict.backend = "dump";
  verdict.origin = dump.one.origin.file;
  verdict.repro = repro;
  const Sample sample = judge_outputs(*call.judging, call.problem, call.result, verdict);
  const bool elements_wrong =
      std::any_of(verdict.tensors.begin(), verdict.tensors.end(), [](const TensorFinding& f) { return f.outside > 0; });
  if (verdict.outcome == Outcome::kFail && elements_wrong)
    verdict.causes = causes_in_words(diagnose(*call.judging, call.problem, call.result.outputs, &sample));
  const auto placing = dump.placings.find("scale");
  if (placing != dump.placings.end() && placing->second == ScalePlacing::kLogical)
    judged.notes.push_back("the dump has no padding of the scales, so padding was not checked");
  if (with_power == WithPower::kYes) add_power(call, judged);
  return judged;
}

std::string tensors_text(const TensorsVerdict& judged) {
  std::string text = failure_text(judged.verdict);
  for (const std::string& note : judged.notes) text += fmt::format("  note      {}\n", note);
  const std::string power = power_note(judged.verdict.power);
  return power.empty() ? text : text + fmt::format("  power     {}\n", power);
}

std::string explain_tensors(const DumpedCall& call, int64_t row, int64_t column) {
  const TensorsVerdict judged = judge_tensors(call, "", WithPower::kNo);
  std::string text = tensors_text(judged) + fmt::format("\ncontract {}\n", judged.verdict.contract);
  for (const std::string& line : call.dump.bound->formulas()) text += fmt::format("  {}\n", line);
  const std::array<int64_t, 2> shape = matrix_of(call.problem.tensors.front().spec);
  const std::array<int64_t, 2> at = row < 0 ? worst_element(judged.verdict, shape) : std::array<int64_t, 2>{row, column};
  if (at[0] >= shape[0] || at[1] < 0 || at[1] >= shape[1])
    throw UsageError(fmt::format("element [{}, {}]: expected one of [{}, {}]", at[0], at[1], shape[0], shape[1]));
  text += fmt::format("\ntrace of element [{}, {}]\n", at[0], at[1]);
  for (const std::string& line : call.dump.bound->trace(call.problem, at[0], at[1])) text += fmt::format("  {}\n", line);
  return text;
}

}  // namespace assay
