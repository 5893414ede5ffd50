#include "harness/core/expectation.h"

#include <algorithm>
#include <iterator>
#include <memory>

#include "harness/core/blocks.h"

namespace assay {

std::pair<int64_t, int64_t> Part::rows_of_steps(int64_t first, int64_t end) const {
  const auto row = [&](int64_t step) { return std::min(shape[0], (step + steps_per_row - 1) / steps_per_row); };
  return {row(first), row(end)};
}

int64_t Answer::elements() const {
  int64_t sum = 0;
  for (const Part& part : parts) sum += part.elements();
  return sum;
}

std::vector<WholePart> computed(const Answer& answer) {
  std::vector<WholePart> whole;
  for (const Part& part : answer.parts) whole.push_back({part, std::vector<int32_t>(size_t(part.elements())), {}});
  for (WholePart& part : whole) part.high.resize(part.low.size());
  for_each_block(answer, block_ranges(answer), [&](size_t, const AcceptedBlock& block) {
    for (size_t p = 0; p < whole.size(); ++p) {
      const AcceptedRows& rows = block.parts[p];
      const auto at = std::ptrdiff_t(rows.first * whole[p].part.columns());
      std::copy(rows.low.begin(), rows.low.end(), whole[p].low.begin() + at);
      const std::vector<int32_t>& high = rows.high.empty() ? rows.low : rows.high;
      std::copy(high.begin(), high.end(), whole[p].high.begin() + at);
    }
  });
  for (WholePart& part : whole)
    if (part.low == part.high) part.high.clear();
  return whole;
}

Answer side_by_side(Answer first, Answer second) {
  Answer all = first;
  all.parts.insert(all.parts.end(), second.parts.begin(), second.parts.end());
  all.steps = std::max(first.steps, second.steps);
  const auto joined = [](AcceptedBlock block, AcceptedBlock more) {
    std::move(more.parts.begin(), more.parts.end(), std::back_inserter(block.parts));
    std::move(more.violations.begin(), more.violations.end(), std::back_inserter(block.violations));
    return block;
  };
  all.of_columns = nullptr;
  all.glimpse = nullptr;
  if (first.glimpse && second.glimpse)
    all.glimpse = [joined, first = first.glimpse, second = second.glimpse] { return joined(first(), second()); };
  all.accepted = [joined, first = std::move(first), second = std::move(second)](int64_t begin, int64_t end) {
    const auto of = [&](const Answer& answer) {
      return answer.accepted(std::min(begin, answer.steps), std::min(end, answer.steps));
    };
    return joined(of(first), of(second));
  };
  return all;
}

Expectation expectation_of(std::vector<WholePart> parts, std::vector<Violation> violations) {
  struct Known {
    std::vector<WholePart> parts;
    std::vector<Violation> violations;
  };
  Answer answer;
  answer.ready = true;
  for (const WholePart& whole : parts) {
    answer.parts.push_back(whole.part);
    answer.steps = std::max(answer.steps, whole.part.rows() * whole.part.steps_per_row);
  }
  answer.accepted = [known = std::make_shared<const Known>(Known{std::move(parts), std::move(violations)})](int64_t first, int64_t end) {
    AcceptedBlock block;
    for (const WholePart& whole : known->parts) {
      const auto [begin, behind] = whole.part.rows_of_steps(first, end);
      const auto slice = [&, begin = begin, behind = behind](const std::vector<int32_t>& all) {
        const int64_t columns = whole.part.columns();
        return all.empty() ? all : std::vector<int32_t>(all.begin() + std::ptrdiff_t(begin * columns), all.begin() + std::ptrdiff_t(behind * columns));
      };
      block.parts.push_back({begin, behind, slice(whole.low), slice(whole.high)});
    }
    for (const Violation& violation : known->violations)
      if (first <= violation.step && violation.step < end) block.violations.push_back(violation);
    return block;
  };
  return {{std::move(answer)}};
}

}  // namespace assay
