#include "harness/diagnosis/membership.h"

#include <algorithm>
#include <mutex>

#include "harness/compare/element.h"
#include "harness/core/blocks.h"
#include "harness/core/tensor_of_part.h"

namespace assay {
namespace {

Membership membership(const Part& part, const HostTensor& tensor, int64_t stored, int64_t offset, Interval accepted) {
  if (accepted.any()) return Membership::kAnything;
  const bool there = 0 <= offset && offset < stored;
  const bool holds = there && accepted.holds(*part.format, ordinal(*part.format, load_code(part, tensor, offset)));
  return holds ? Membership::kInside : Membership::kOutside;
}

Memberships with_answer(const Answer& answer, const std::vector<HostTensor>& outputs, const Sample& sample) {
  const std::vector<SampleBlock> blocks = blocks_of(sample, answer);
  Memberships all;
  std::vector<std::vector<size_t>> begins;  // per part: the index of the first element of each block
  for (const Part& part : answer.parts) {
    size_t at = 0;
    std::vector<size_t>& begin = begins.emplace_back();
    for (const SampleBlock& block : blocks) {
      begin.push_back(at);
      const auto [first, end] = part.rows_of_steps(block.steps.first, block.steps.end);
      at += size_t((end - first) * (block.has_all_columns() ? part.columns() : block.columns.end - block.columns.first));
    }
    all.parts.emplace_back(at);
  }
  std::mutex mutex;
  for_each_in_parallel(int64_t(blocks.size()), [&](int64_t i) {
    const SampleBlock& at = blocks[size_t(i)];
    const AcceptedBlock block = accepted_in(at, answer);
    std::set<int64_t> outside;
    for (size_t p = 0; p < answer.parts.size(); ++p) {
      const Part& part = answer.parts[p];
      const AcceptedRows& rows = block.parts[p];
      const HostTensor& tensor = tensor_of(outputs, part);
      Membership* found = all.parts[p].data() + begins[p][size_t(i)];
      const int64_t stored = stored_elements(part, tensor);
      for_each_element(at, part, rows, [&](int64_t row, int64_t column, Interval accepted) {
        *found = membership(part, tensor, stored, part.offset(row, column), accepted);
        if (*found++ == Membership::kOutside) outside.insert(row * part.steps_per_row);
      });
    }
    const std::lock_guard lock(mutex);
    all.outside_steps.merge(outside);
    for (const Violation& violation : block.violations) all.violated_steps.insert(violation.step);
  });
  return all;
}

int64_t outside(const Memberships& found) {
  int64_t count = 0;
  for (const std::vector<Membership>& part : found.parts) count += std::count(part.begin(), part.end(), Membership::kOutside);
  return count;
}

}  // namespace

int64_t Memberships::elements() const {
  int64_t sum = 0;
  for (const std::vector<Membership>& part : parts) sum += int64_t(part.size());
  return sum;
}

Memberships memberships(const Expectation& expectation, const std::vector<HostTensor>& outputs, const Sample& sample) {
  Memberships best = with_answer(expectation.any_of.front(), outputs, sample);
  for (size_t i = 1; i < expectation.any_of.size(); ++i) {
    Memberships other = with_answer(expectation.any_of[i], outputs, sample);
    if (outside(other) < outside(best)) best = std::move(other);
  }
  return best;
}

Tally tally(const Memberships& contract, const Memberships& hypothesis) {
  Tally sum;
  const auto count = [&](int64_t failing, int64_t explained) {
    sum.failing += failing;
    sum.explained += explained;
    sum.most_of_a_part = sum.most_of_a_part || (failing > 0 && 4 * explained >= 3 * failing);
  };
  for (size_t p = 0; p < contract.parts.size(); ++p) {
    int64_t failing = 0, explained = 0;
    for (size_t i = 0; i < contract.parts[p].size(); ++i) {
      const bool fails = contract.parts[p][i] == Membership::kOutside;
      failing += fails;
      explained += fails && hypothesis.parts[p][i] == Membership::kInside;
      sum.contradicted += !fails && hypothesis.parts[p][i] == Membership::kOutside;
    }
    count(failing, explained);
  }
  int64_t violated = 0, explained = 0;
  for (const int64_t step : contract.violated_steps) {
    if (contract.outside_steps.contains(step)) continue;
    ++violated;
    explained += !hypothesis.violated_steps.contains(step) && !hypothesis.outside_steps.contains(step);
  }
  count(violated, explained);
  for (const int64_t step : hypothesis.violated_steps)
    sum.contradicted += !contract.violated_steps.contains(step) && !contract.outside_steps.contains(step) && !hypothesis.outside_steps.contains(step);
  return sum;
}

int64_t explained_by_one_alone(const Memberships& contract, const Memberships& one, const Memberships& other) {
  int64_t count = 0;
  for (size_t p = 0; p < contract.parts.size(); ++p)
    for (size_t i = 0; i < contract.parts[p].size(); ++i)
      count += contract.parts[p][i] == Membership::kOutside && one.parts[p][i] == Membership::kInside &&
               other.parts[p][i] != Membership::kInside;
  return count;
}

}  // namespace assay
