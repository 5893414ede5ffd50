// Evaluates a row through all stages of its contract, and traces the computation of one element.
#include <cmath>
#include <optional>

#include "reference/flow/row_norm/row_norm.h"
#include "reference/flow/row_run.h"
#include "reference/flow/row_run.h"

namespace assay {
namespace {

/// Rounds of narrow_centered(). More rounds would hardly narrow further.
constexpr int kRounds = 2;

/// Narrows the row's mean and r to the values for which all outputs together are accepted, then narrows each output. Mean and r
/// are narrowed in turns: the mean with the last interval of r, then r with the new interval of the mean.
void narrow_centered(const Contract& contract, RowRun& run) {
  const RowNorm& norm = *contract.row_norm();
  const RowInputs& inputs = run.inputs;
  RowOutputs& out = run.out;
  NormRow& row = run.norm;
  std::string contradiction;
  for (int round = 0; round < kRounds && !out.y.pinned(); ++round) {
    const std::optional<Span> mu = means_of_outputs(norm, inputs, row.mu, *run.stored, out, contradiction);
    if (!mu) return out.joint_violations.push_back(contradiction);
    row.mu = *mu;
    const Span r = norm_factor(norm, row, inputs.eps, run.listener);
    out.r = {std::fmax(out.r.low, r.low), std::fmin(out.r.high, r.high)};
    if (out.r.low > out.r.high) return out.joint_violations.push_back("no single mean and r explain the row");
    const std::optional<Span> factors = factors_of_outputs(contract, inputs, row, *run.stored, out, contradiction);
    if (!factors) return out.joint_violations.push_back(contradiction);
    out.r = *factors;
    out.y = norm_outputs(norm, Spans(row.normalized), {Spans(inputs.gamma), Spans(inputs.beta)}, {out.r, row.mu}, run.listener);
  }
}

/// Evaluates the remaining stages of a row, and checks that one r and one mean explain all outputs.
RowOutputs finish(const Contract& contract, size_t links, RowRun row) {
  for (size_t i = links; i < contract.links.size(); ++i) std::visit([&](const auto& one) { run(one, row); }, contract.links[i]);
  RowOutputs& out = row.out;
  if (!contract.group_quant()) out.y = std::move(row.values);
  const RowNorm* norm = contract.row_norm();
  if (!row.stored || !norm || out.r.pinned() || out.r.any() || std::isnan(out.r.low)) return std::move(out);
  if (norm->centers() && contract.links.size() == 1 && !row.norm.mu.pinned() && !row.norm.mu.any()) {
    narrow_centered(contract, row);
    return std::move(out);
  }
  std::string contradiction;
  if (!factors_of_outputs(contract, row.inputs, row.norm, *row.stored, out, contradiction))
    out.joint_violations.push_back(contradiction);
  return std::move(out);
}

}  // namespace

RowOutputs evaluate_row(const Contract& contract, const RowInputs& inputs, const StoredRow* stored, const Format& x_format,
                        RowListener* listener) {
  return finish(contract, 0, {inputs, stored, x_format, listener, Spans(inputs.x), {}, {}, 0});
}

RowBehind row_behind(const Contract& contract, size_t links, const RowInputs& inputs, const Format& x_format) {
  RowRun row{inputs, nullptr, x_format, nullptr, Spans(inputs.x), {}, {}, 0};
  for (size_t i = 0; i < links; ++i) std::visit([&](const auto& one) { run(one, row); }, contract.links[i]);
  return {links, std::move(row.values), std::move(row.out), std::move(row.norm)};
}

RowOutputs evaluate_first(const Contract& contract, const RowInputs& inputs, const Format& x_format, size_t count) {
  return finish(contract, 0, {inputs, nullptr, x_format, nullptr, Spans(inputs.x), {}, {}, count});
}

RowBehind first_numbers(const RowBehind& behind, size_t count) {
  RowBehind first{behind.links, {}, {}, {}};
  const auto end = std::ptrdiff_t(count);
  first.values.low.assign(behind.values.low.begin(), behind.values.low.begin() + end);
  if (!behind.values.pinned()) first.values.high.assign(behind.values.high.begin(), behind.values.high.begin() + end);
  return first;
}

RowOutputs evaluate_behind(const RowBehind& behind, const Contract& contract, const RowInputs& inputs, const StoredRow* stored,
                           const Format& x_format) {
  return finish(contract, behind.links, {inputs, stored, x_format, nullptr, behind.values, behind.out, behind.norm, 0});
}

const TracedCell* Trace::find(const std::string& name) const {
  const TracedCell* found = nullptr;
  for (const TracedCell& cell : cells_)
    if (cell.name == name) found = &cell;
  return found;
}

void Trace::quantity(const std::string& name, const Spans& numbers, const CellPlaces& places) {
  at_ = {};
  if (const std::optional<size_t> at = places(column_); at && *at < numbers.size())
    cells_.push_back({name, false, numbers[*at], {}});
}

void Trace::cell(const std::string& name, const Spans& from, const CellPlaces& places) {
  at_ = places(column_);
  if (at_ && *at_ >= from.size()) at_ = {};
  if (at_) cells_.push_back({name, true, from[*at_], {}});
}

void Trace::step(const Step& step, const RowPart& after) {
  if (at_ && *at_ >= after.first && *at_ < after.first + after.size)
    cells_.back().steps.push_back({step.text, after[*at_ - after.first]});
}

}  // namespace assay
