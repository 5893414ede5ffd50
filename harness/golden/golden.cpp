#include "harness/golden/golden.h"

#include <stdexcept>

#include "harness/compare/element.h"
#include "harness/core/blocks.h"
#include "harness/core/tensor_of_part.h"
#include "harness/text/digest.h"

namespace assay {
namespace {

void add(Digest& digest, const std::vector<int32_t>& ordinals) {
  digest.add(ordinals.data(), ordinals.size() * sizeof ordinals[0]);
}

std::vector<int32_t> stored_ordinals(const Part& part, const HostTensor& tensor, const AcceptedRows& rows) {
  std::vector<int32_t> ordinals;
  ordinals.reserve(rows.low.size());
  for (int64_t row = rows.first; row < rows.end; ++row)
    for (int64_t column = 0; column < part.columns(); ++column)
      ordinals.push_back(ordinal(*part.format, load_code(part, tensor, part.offset(row, column))));
  return ordinals;
}

/// Label of a part; includes the variant if there are several answers.
std::string label_of(const Answer& answer, const Part& part) {
  return answer.program.empty() ? part.label() : part.label() + ", " + answer.program;
}

std::vector<PredictedTensor> predicted(const Answer& answer) {
  std::vector<PredictedTensor> tensors;
  for (const Part& part : answer.parts)
    tensors.push_back({label_of(answer, part), std::string(part.format->name), part.elements(), 0, "", ""});
  std::vector<Digest> low(tensors.size()), high(tensors.size());
  for_each_block_in_order(answer, block_ranges(answer), [&](const AcceptedBlock& block) {
    for (size_t p = 0; p < tensors.size(); ++p) {
      const AcceptedRows& rows = block.parts[p];
      add(low[p], rows.low);
      add(high[p], rows.high.empty() ? rows.low : rows.high);
      for (size_t i = 0; i < rows.low.size(); ++i) tensors[p].single_code += rows.at(i).single();
    }
  });
  for (size_t p = 0; p < tensors.size(); ++p) tensors[p].low = low[p].text(), tensors[p].high = high[p].text();
  return tensors;
}

std::vector<ObservedTensor> observed_as(const Answer& answer, const std::vector<HostTensor>& outputs) {
  std::vector<ObservedTensor> tensors;
  for (const Part& part : answer.parts) tensors.push_back({label_of(answer, part), std::string(part.format->name), "", {}});
  std::vector<Digest> digests(tensors.size());
  for_each_block_in_order(answer, block_ranges(answer), [&](const AcceptedBlock& block) {
    for (size_t p = 0; p < tensors.size(); ++p) {
      const Part& part = answer.parts[p];
      const AcceptedRows& rows = block.parts[p];
      const std::vector<int32_t> ordinals = stored_ordinals(part, tensor_of(outputs, part), rows);
      add(digests[p], ordinals);
      for (size_t i = 0; i < ordinals.size(); ++i)
        if (ordinals[i] != rows.low[i]) tensors[p].steps[rows.first * part.columns() + int64_t(i)] = ordinals[i] - rows.low[i];
    }
  });
  for (size_t p = 0; p < tensors.size(); ++p) tensors[p].digest = digests[p].text();
  return tensors;
}

size_t steps_of(const std::vector<ObservedTensor>& tensors) {
  size_t steps = 0;
  for (const ObservedTensor& tensor : tensors) steps += tensor.steps.size();
  return steps;
}

std::string disagreement(const std::vector<ObservedTensor>& observed, const Answer& answer) {
  if (observed.size() != answer.parts.size()) return "another number of tensors";
  for (size_t p = 0; p < observed.size(); ++p) {
    const Part& part = answer.parts[p];
    if (observed[p].name != label_of(answer, part) || observed[p].format != part.format->name)
      return "tensor " + observed[p].name + " " + observed[p].format + " where " + label_of(answer, part) + " " +
             std::string(part.format->name) + " is expected";
    for (const auto& [element, step] : observed[p].steps)
      if (element < 0 || element >= part.elements())
        return part.label() + ": element " + std::to_string(element) + " does not exist";
  }
  std::vector<Digest> digests(observed.size());
  std::vector<int64_t> outside(observed.size(), -1);  // per part: the first observed element outside its accepted interval
  for_each_block_in_order(answer, block_ranges(answer), [&](const AcceptedBlock& block) {
    for (size_t p = 0; p < observed.size(); ++p) {
      const AcceptedRows& rows = block.parts[p];
      const int64_t first = rows.first * answer.parts[p].columns();
      std::vector<int32_t> ordinals = rows.low;
      const auto end = observed[p].steps.lower_bound(first + int64_t(ordinals.size()));
      for (auto step = observed[p].steps.lower_bound(first); step != end; ++step) {
        const auto i = size_t(step->first - first);
        ordinals[i] += step->second;
        if (outside[p] < 0 && (ordinals[i] < rows.low[i] || ordinals[i] > rows.at(i).high)) outside[p] = step->first;
      }
      add(digests[p], ordinals);
    }
  });
  for (size_t p = 0; p < observed.size(); ++p) {
    const std::string label = answer.parts[p].label();
    if (digests[p].text() != observed[p].digest)
      return label + ": the digest does not fit: the accepted sets are no longer those of the recording";
    if (outside[p] >= 0) return label + ": element " + std::to_string(outside[p]) + " was seen outside its accepted set";
  }
  return {};
}

}  // namespace

std::string prediction_key(const Case& one) { return one.data_id(); }

std::vector<PredictedTensor> predict(const Expectation& expectation) {
  std::vector<PredictedTensor> tensors;
  for (const Answer& answer : expectation.any_of)
    for (PredictedTensor& tensor : predicted(answer)) tensors.push_back(std::move(tensor));
  return tensors;
}

std::vector<ObservedTensor> observe(const Expectation& expectation, const std::vector<HostTensor>& outputs) {
  std::vector<ObservedTensor> nearest = observed_as(expectation.any_of.front(), outputs);
  for (size_t i = 1; i < expectation.any_of.size(); ++i) {
    std::vector<ObservedTensor> other = observed_as(expectation.any_of[i], outputs);
    if (steps_of(other) < steps_of(nearest)) nearest = std::move(other);
  }
  return nearest;
}

std::string disagreement(const std::vector<ObservedTensor>& observed, const Expectation& expectation) {
  std::string why;
  for (const Answer& answer : expectation.any_of) {
    why = disagreement(observed, answer);
    if (why.empty() || observed.empty() || observed.front().name == label_of(answer, answer.parts.front())) return why;
  }
  return why;
}

}  // namespace assay
