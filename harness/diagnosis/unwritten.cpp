// Calls that write nothing, and inputs that are read after the kernel has overwritten them.
#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "harness/compare/compare.h"
#include "harness/diagnosis/diagnose.h"
#include "harness/diagnosis/wrong_part.h"
#include "harness/run/run_case.h"

namespace assay {
namespace {

/// The input whose memory an output uses, or the data that an in-place tensor held before the call; nullptr if there is none.
const HostTensor* held_before(const Problem& problem, const TensorSpec& output) {
  for (const HostTensor& before : problem.tensors)
    if (before.spec.rank == output.rank && !before.bytes.empty() &&
        (before.spec.name == output.name || (!output.shares.empty() && before.spec.name == output.shares)))
      return &before;
  return nullptr;
}

}  // namespace

bool writes_nothing(const Problem& problem, const CallResult& result) {
  if (result.outputs.empty() || result.untouched.size() != result.outputs.size()) return false;
  bool has_elements = false;
  for (size_t i = 0; i < result.outputs.size(); ++i) {
    const HostTensor& output = result.outputs[i];
    if (output.bytes.empty()) continue;
    if (result.in_place[i]) {
      const HostTensor* const before = held_before(problem, output.spec);
      if (before == nullptr || before->bytes != output.bytes) return false;
      continue;
    }
    has_elements = true;
    int64_t untouched = 0;
    for (const ByteRange& range : result.untouched[i]) untouched += range.end - range.begin;
    if (untouched < int64_t(output.bytes.size())) return false;
  }
  return has_elements;  // a kernel whose in-place tensors alone stay as they were may have computed the same values
}

std::optional<Cause> overwritten_input(const BoundCase& bound, const Problem& problem, const std::vector<HostTensor>& outputs,
                                       WorkBudget& budget) {
  constexpr int64_t kFewestElements = 16;
  constexpr size_t kFewestCodes = 4;
  const Expectation right = bound.expect(problem, &outputs);
  const Answer& answer = right.any_of.front();
  const Sample everything = all_steps(answer);
  if (answer.products > 1 || !budget.take(answer.elements())) return std::nullopt;
  const Memberships contract = memberships(right, outputs, everything);
  for (size_t t = 0; t < problem.tensors.size(); ++t) {
    const TensorSpec& spec = problem.tensors[t].spec;
    if (spec.rank != 0 || problem.tensors[t].bytes.empty()) continue;
    // Replaces the input of all ranks by what its memory held after the call.
    Problem changed = problem;
    bool has_changed = false;
    for (HostTensor& input : changed.tensors)
      for (const HostTensor& output : outputs)
        if (input.spec.name == spec.name && output.spec.rank == input.spec.rank && &output != &input &&
            held_before(problem, output.spec) != nullptr && held_before(problem, output.spec)->spec.name == spec.name &&
            output.bytes.size() == input.bytes.size() && output.bytes != input.bytes)
          input.bytes = output.bytes, has_changed = true;
    if (!has_changed || !budget.take(answer.elements())) continue;
    try {
      const Expectation expected = bound.expect(changed, &outputs);
      if (expected.any_of.size() != 1 || expected.any_of.front().parts.size() != answer.parts.size()) continue;
      const Memberships held = memberships(expected, outputs, everything);
      // Outputs that are right were stored before the memory was overwritten, so only wrong outputs are compared.
      int64_t failing = 0, explained = 0;
      std::set<uint32_t> codes;
      bool writes_wrong = false;
      for (size_t p = 0; p < answer.parts.size(); ++p) {
        const Part& part = answer.parts[p];
        const HostTensor& tensor = tensor_of(outputs, part);
        const HostTensor* const before = held_before(problem, tensor.spec);
        const bool fails = std::find(contract.parts[p].begin(), contract.parts[p].end(), Membership::kOutside) != contract.parts[p].end();
        if (!fails) continue;
        writes_wrong = writes_wrong || (before != nullptr && before->spec.name == spec.name);
        if (contract.parts[p].size() != size_t(part.elements()) || held.parts[p].size() != contract.parts[p].size()) return std::nullopt;
        for (size_t i = 0; i < contract.parts[p].size(); ++i) {
          const bool outside = contract.parts[p][i] == Membership::kOutside;
          failing += outside || held.parts[p][i] == Membership::kOutside;
          explained += outside && held.parts[p][i] == Membership::kInside;
          const int64_t offset = part.offset(int64_t(i) / part.columns(), int64_t(i) % part.columns());
          if (outside && codes.size() < kFewestCodes && 0 <= offset && offset < stored_elements(part, tensor))
            codes.insert(load_code(part, tensor, offset));
        }
      }
      if (writes_wrong || explained != failing || explained < kFewestElements || codes.size() < kFewestCodes) continue;
      const std::string name = fmt::format("{}: read again after the kernel has overwritten it in place", spec.name);
      return Cause{{{name, name, explained, spec.name}}, failing, explained};
    } catch (const std::exception&) {  // the op refuses such an input
      continue;
    }
  }
  return std::nullopt;
}

}  // namespace assay
