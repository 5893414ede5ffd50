#include "harness/golden/golden.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>
#include <stdexcept>

#include "harness/compare/verdict.h"
#include "harness/core/expectation.h"
#include "harness/text/text_file.h"

namespace assay {
namespace {

// Golden files: the reference's predictions, and results observed on real GPUs.

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

/// Label of a part, with the algorithm variant if the answer has several: "d, split-K 2".
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
  if (observed.size() != answer.parts.size()) return "the recording has another number of tensors than the case";
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
  std::vector<int64_t> outside(observed.size(), -1);  // for each part: the first observed element outside its accepted interval
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
      return label + ": the digest differs: the accepted sets have changed since the recording";
    if (outside[p] >= 0) return label + ": element " + std::to_string(outside[p]) + " was observed outside its accepted set";
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

namespace {

// Recorded mutation scores of data sets (golden/power).

std::string file_of(const std::string& folder, const std::string& op) { return folder + "/" + op + ".json"; }

/// The first case of each data set, by op.
std::map<std::string, std::map<std::string, const Case*>> data_of_ops(const std::vector<Case>& cases) {
  std::map<std::string, std::map<std::string, const Case*>> ops;
  for (const Case& one : cases) ops[one.op].try_emplace(one.data_id(), &one);
  return ops;
}

/// Describes the first difference between two records.
std::string difference(const Power& recorded, const Power& now) {
  if (recorded.faults != now.faults)
    return "recorded " + std::to_string(recorded.faults) + " mutants, computed " + std::to_string(now.faults);
  for (const auto& [one, other, says] : {std::tuple(&recorded.blind_to, &now.blind_to, "now kills '"),
                                         std::tuple(&now.blind_to, &recorded.blind_to, "no longer kills '")})
    for (const std::string& fault : *one)
      if (std::find(other->begin(), other->end(), fault) == other->end()) return says + fault + "'";
  return "the codes of its outputs changed";
}

}  // namespace

std::string power_seal(const Case& one, const Power& power, const std::string& rows, int evaluator) {
  std::string text = std::to_string(evaluator) + "\n" + one.data_id() + "\n" + rows + "\n" + power_text(power);
  for (const std::string& glob : one.blind_to) text += "\n" + glob;
  return digest_text(text);
}

PowerRecords PowerRecords::read(const std::string& folder, const std::vector<Case>& cases, const RowsRead& rows, int evaluator) {
  PowerRecords records;
  for (const auto& [op, data] : data_of_ops(cases)) {
    const std::string path = file_of(folder, op);
    if (!std::filesystem::exists(path)) continue;
    Golden golden = read_golden(path);
    for (auto& [id, recorded] : golden.power) {
      const auto of = data.find(id);
      if (of == data.end()) {
        records.strays_.push_back(path + ": " + id);
        continue;
      }
      const Case& one = *of->second;
      if (recorded.seal == power_seal(one, recorded.power, rows(one), evaluator))
        records.by_data_[id] = {std::move(recorded.power), one.blind_to};
    }
  }
  return records;
}

const Power* PowerRecords::find(const Case& one) const {
  const auto found = by_data_.find(one.data_id());
  return found == by_data_.end() || found->second.declared != one.blind_to ? nullptr : &found->second.power;
}

void write_power_records(const std::string& folder, const std::map<std::string, Golden>& by_op) {
  for (const auto& [op, golden] : by_op) write_golden(file_of(folder, op), golden);
}

std::vector<Case> sample_of_data(const std::vector<Case>& cases, double percent, uint64_t seed) {
  std::vector<Case> sample;
  for (const auto& [op, data] : data_of_ops(cases)) {
    std::map<std::string, const Case*> shuffled;
    for (const auto& [id, one] : data) shuffled[digest_text(std::to_string(seed) + id) + id] = one;
    size_t left = size_t(std::ceil(double(data.size()) * percent / 100));
    for (auto at = shuffled.begin(); at != shuffled.end() && left > 0; ++at, --left) sample.push_back(*at->second);
  }
  return sample;
}

std::vector<std::string> changed_power(const PowerRecords& records, const std::vector<Case>& cases,
                                       const std::function<Power(const Case&)>& compute) {
  std::vector<std::string> changes;
  for (const Case& one : cases) {
    const Power* const recorded = records.find(one);
    if (recorded == nullptr) continue;
    if (const Power now = compute(one); now != *recorded) changes.push_back(one.id + ": " + difference(*recorded, now));
  }
  return changes;
}

}  // namespace assay
