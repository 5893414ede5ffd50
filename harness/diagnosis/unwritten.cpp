// Finds two mistakes: a call that writes nothing, and an input that the kernel reads after it has overwritten it.
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

const HostTensor* held_before(const Problem& problem, const TensorSpec& output) {
  for (const HostTensor& before : problem.tensors)
    if (before.spec.rank == output.rank && !before.bytes.empty() &&
        (before.spec.name == output.name || (!output.shares.empty() && before.spec.name == output.shares)))
      return &before;
  return nullptr;
}

namespace {

/// A suspected mistake: the kernel reads an input, or a sum of inputs, from memory in which it has already stored an output.
struct ReadAgain {
  Problem problem;             ///< the inputs as the kernel reads them
  std::string words, input;    ///< text of the cause, and name of the input
  std::vector<size_t> stored;  ///< the outputs that are read
};

std::vector<ReadAgain> readings(const Problem& problem, const std::vector<HostTensor>& outputs) {
  std::vector<ReadAgain> all;
  for (const HostTensor& first : problem.tensors) {
    const TensorSpec& spec = first.spec;
    if (spec.rank != 0 || first.bytes.empty() || spec.format->is_integer() || spec.packed || !has_rows(spec)) continue;
    // The input was overwritten in place.
    ReadAgain in_place{problem, spec.name + ": read again after the kernel has overwritten it in place", spec.name, {}};
    for (HostTensor& input : in_place.problem.tensors)
      for (size_t o = 0; o < outputs.size(); ++o) {
        const HostTensor* const before = held_before(problem, outputs[o].spec);
        if (input.spec.name == spec.name && outputs[o].spec.rank == input.spec.rank && before != nullptr &&
            before->spec.name == spec.name && outputs[o].bytes.size() == input.bytes.size() && outputs[o].bytes != input.bytes)
          input.bytes = outputs[o].bytes, in_place.stored.push_back(o);
      }
    if (!in_place.stored.empty()) all.push_back(std::move(in_place));
    // An output first held the input, or the sum of the inputs of all ranks, and then a result.
    for (size_t o = 0; o < outputs.size(); ++o) {
      const HostTensor& output = outputs[o];
      if (output.spec.rank != 0 || output.spec.format != spec.format || output.spec.shape != spec.shape ||
          !has_rows(output.spec) || held_before(problem, output.spec) != nullptr)
        continue;
      const std::string what = problem.ranks > 1 ? "the sum of " + spec.name : spec.name;
      ReadAgain later{
          problem,
          fmt::format("{}: read from {} after the final {} has been stored there", what, output.spec.name, output.spec.name),
          spec.name,
          {o}};
      for (HostTensor& input : later.problem.tensors)
        if (input.spec.name == spec.name && input.spec.shape == spec.shape)
          for (int64_t i = 0; i < spec.elements(); ++i)
            input.set_code(input.spec.place(i), input.spec.rank == 0 ? output.code(output.spec.place(i)) : 0);
      all.push_back(std::move(later));
    }
  }
  return all;
}

}  // namespace

bool changes_nothing(const Problem& problem, const CallResult& result) {
  if (result.outputs.empty() || result.in_place.size() != result.outputs.size()) return false;
  for (size_t i = 0; i < result.outputs.size(); ++i) {
    const HostTensor* const before = result.in_place[i] ? held_before(problem, result.outputs[i].spec) : nullptr;
    if (before == nullptr || before->bytes != result.outputs[i].bytes) return false;
  }
  return true;
}

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
  const auto fails = [&](const HostTensor& tensor) {
    for (size_t p = 0; p < answer.parts.size(); ++p)
      if (&tensor_of(outputs, answer.parts[p]) == &tensor &&
          std::find(contract.parts[p].begin(), contract.parts[p].end(), Membership::kOutside) != contract.parts[p].end())
        return true;
    return false;
  };
  for (const ReadAgain& reading : readings(problem, outputs)) {
    if (std::any_of(reading.stored.begin(), reading.stored.end(), [&](size_t output) { return fails(outputs[output]); }))
      continue;
    if (!budget.take(answer.elements())) return std::nullopt;
    const Problem& changed = reading.problem;
    try {
      const Expectation expected = bound.expect(changed, &outputs);
      if (expected.any_of.size() != 1 || expected.any_of.front().parts.size() != answer.parts.size()) continue;
      const Memberships held = memberships(expected, outputs, everything);
      // Outputs that are right were stored before the memory was overwritten, so only wrong outputs are compared.
      int64_t failing = 0, explained = 0;
      std::set<uint32_t> codes;
      for (size_t p = 0; p < answer.parts.size(); ++p) {
        const Part& part = answer.parts[p];
        const HostTensor& tensor = tensor_of(outputs, part);
        if (!fails(tensor)) continue;
        if (contract.parts[p].size() != size_t(part.elements()) || held.parts[p].size() != contract.parts[p].size())
          return std::nullopt;
        for (size_t i = 0; i < contract.parts[p].size(); ++i) {
          const bool outside = contract.parts[p][i] == Membership::kOutside;
          failing += outside || held.parts[p][i] == Membership::kOutside;
          explained += outside && held.parts[p][i] == Membership::kInside;
          const int64_t offset = part.offset(int64_t(i) / part.columns(), int64_t(i) % part.columns());
          if (outside && codes.size() < kFewestCodes && 0 <= offset && offset < stored_elements(part, tensor))
            codes.insert(load_code(part, tensor, offset));
        }
      }
      if (explained != failing || explained < kFewestElements || codes.size() < kFewestCodes) continue;
      return Cause{{{reading.words, reading.words, explained, reading.input}}, failing, explained};
    } catch (const std::exception&) {  // the op refuses such an input
      continue;
    }
  }
  return std::nullopt;
}

}  // namespace assay
