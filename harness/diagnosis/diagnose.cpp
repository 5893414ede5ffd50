#include "harness/diagnosis/diagnose.h"

#include <algorithm>
#include <cstring>

namespace assay {
namespace {

constexpr size_t kWorthNaming = 3;

/// Which elements of the outputs an expectation allows, tensor after tensor in logical order.
std::vector<bool> allowed(const Expectation& expectation, const std::vector<HostTensor>& outputs) {
  std::vector<bool> result;
  for (const ExpectedTensor& expected : expectation.tensors) {
    const HostTensor& tensor = find(outputs, expected.name);
    const auto width = size_t(expected.format->bytes());
    for (int64_t i = 0; i < expected.elements(); ++i) {
      uint32_t code = 0;
      std::memcpy(&code, tensor.bytes.data() + size_t(expected.offset_at(i)) * width, width);
      const int32_t o = ordinal(*expected.format, code);
      result.push_back(expected.low[size_t(i)] <= o && o <= expected.high_at(i));
    }
  }
  return result;
}

Cause held_against(const std::string& name, const std::vector<bool>& contract, const std::vector<bool>& hypothesis) {
  Cause cause{name, 0, 0, 0};
  for (size_t i = 0; i < contract.size(); ++i) {
    cause.failing += !contract[i];
    cause.explained += !contract[i] && hypothesis[i];
    cause.contradicted += contract[i] && !hypothesis[i];
  }
  return cause;
}

}  // namespace

std::vector<Cause> diagnose(const Op& op, const Case& one, const Problem& problem, const std::vector<HostTensor>& outputs) {
  const std::vector<bool> contract = allowed(op.expect(one, problem, &outputs), outputs);
  std::vector<Cause> causes;
  for (const Hypothesis& hypothesis : op.neighbours(one)) {
    if (!hypothesis.equivalent.empty()) continue;
    const std::vector<bool> edited = allowed(hypothesis.expect(problem, &outputs), outputs);
    Cause cause = held_against(hypothesis.name, contract, edited);
    if (cause.explained > cause.contradicted) causes.push_back(std::move(cause));
  }
  std::stable_sort(causes.begin(), causes.end(),
                   [](const Cause& a, const Cause& b) { return a.explained - a.contradicted > b.explained - b.contradicted; });
  return causes;
}

std::vector<std::string> causes_in_words(const std::vector<Cause>& causes) {
  if (causes.empty()) return {"no known cause"};
  const int64_t best = causes.front().explained - causes.front().contradicted;
  std::vector<std::string> words;
  for (const Cause& cause : causes) {
    // A hypothesis that explains less than half of what the best one does is noise beside it.
    if (words.size() == kWorthNaming || 2 * (cause.explained - cause.contradicted) < best) break;
    if (causes.front().complete() && !cause.complete()) break;
    std::string line =
        "explains " + std::to_string(cause.explained) + " of " + std::to_string(cause.failing) + " failing elements";
    if (cause.contradicted > 0) line += " and contradicts " + std::to_string(cause.contradicted) + " good ones";
    words.push_back(line + ": " + cause.hypothesis);
  }
  return words;
}

}  // namespace assay
