// Finds out whether wrong outputs obey another contract of the same op, as if the kernel had chosen a wrong contract.
#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "harness/core/expectation.h"
#include "harness/diagnosis/diagnose.h"

namespace assay {
namespace {

/// Binding a case under another contract makes its inputs anew, so other contracts are only tried for calls of moderate size.
constexpr int64_t kMostOfCall = int64_t{1} << 20;
constexpr size_t kMostContracts = 48;

int64_t elements_of(const Problem& problem) {
  int64_t all = 0;
  for (const HostTensor& tensor : problem.tensors) all += tensor.spec.elements();
  return all;
}

bool same_parts(const Answer& a, const Answer& b) {
  if (a.parts.size() != b.parts.size() || a.steps != b.steps) return false;
  for (size_t p = 0; p < a.parts.size(); ++p)
    if (a.parts[p].label() != b.parts[p].label() || a.parts[p].shape != b.parts[p].shape) return false;
  return true;
}

}  // namespace

std::vector<Cause> obeyed_instead(const Evidence& evidence, const OtherContracts& others, WorkBudget& budget) {
  std::vector<Cause> causes;
  if (!others || !evidence.outputs || elements_of(evidence.problem) > kMostOfCall) return causes;
  const std::vector<HostTensor>& outputs = *evidence.outputs;
  const Expectation right = evidence.bound.expect(evidence.problem, &outputs);
  if (right.any_of.empty()) return causes;
  const Sample sample = evidence.sample ? *evidence.sample : all_steps(right.any_of.front());
  const Memberships contract = memberships(right, outputs, sample);
  size_t tried = 0;
  for (const OtherContract& other : others(evidence.one, evidence.problem)) {
    if (++tried > kMostContracts) break;
    const Expectation expected = other.bound->expect(evidence.problem, &outputs);
    if (expected.any_of.empty() || !same_parts(right.any_of.front(), expected.any_of.front())) continue;
    const int64_t variants = int64_t(expected.any_of.size());
    if (!budget.take(elements_of(evidence.problem) +
                     variants * (1 + contract.elements()) * work_of_element(expected.any_of.front())))
      break;
    const MembershipCounts result = tally(contract, memberships(expected, outputs, sample));
    if (result.failing == 0 || result.explained == 0 || result.open > 0 || result.left() > 0) continue;
    const std::string name =
        fmt::format("obeys {} instead{}", other.id, other.differs.empty() ? "" : fmt::format(" ({})", other.differs));
    causes.push_back({{{name, name, result.explained}}, result.failing, result.explained, 0, 0});
  }
  return causes;
}

}  // namespace assay
