#include <cmath>
#include <optional>

#include "reference/flow/gated/gated.h"
#include "reference/flow/group_quant/group_quant.h"
#include "reference/flow/row_norm/joint.h"
#include "reference/flow/quant_azp/quant_azp.h"
#include "reference/flow/rope/rope.h"
#include "reference/flow/row.h"
#include "reference/flow/row_norm/row_norm.h"

namespace assay {
namespace {

Spans first_of(const Spans& row, int64_t count) {
  Spans first(std::vector<double>(size_t(count), 0.0));
  for (size_t i = 0; i < first.size(); ++i) first.set(i, row[i]);
  return first;
}

/// Of narrow_centered(): more leave little less.
constexpr int kRounds = 2;

/// What all outputs of a row together allow as its mean and its r, and what that leaves of each output. Each of the two is
/// narrowed by what is left of the other.
void narrow_centered(const Contract& contract, const RowInputs& inputs, const StoredRow& stored, NormRow& row, RowOutputs& out) {
  const RowNorm& norm = *contract.row_norm();
  std::string contradiction;
  for (int round = 0; round < kRounds && !out.y.pinned(); ++round) {
    const std::optional<Span> mu = means_of_outputs(norm, inputs, row.mu, stored, out, contradiction);
    if (!mu) return out.joint_violations.push_back(contradiction);
    row.mu = *mu;
    const Span r = norm_factor(norm, row, inputs.eps);
    out.r = {std::fmax(out.r.low, r.low), std::fmin(out.r.high, r.high)};
    if (out.r.low > out.r.high) return out.joint_violations.push_back("no r of the means that explain the row explains it");
    const std::optional<Span> factors = factors_of_outputs(contract, inputs, row, stored, out, contradiction);
    if (!factors) return out.joint_violations.push_back(contradiction);
    out.r = *factors;
    out.y = norm_outputs(norm, Spans(row.normalized), {Spans(inputs.gamma), Spans(inputs.beta)}, {out.r, row.mu});
  }
}

}  // namespace

RowOutputs evaluate_row(const Contract& contract, const RowInputs& inputs, const StoredRow* stored, const Format& x_format) {
  RowOutputs out;
  Spans values(inputs.x);
  NormRow row;
  for (const Link& link : contract.links) {
    if (const auto* norm = std::get_if<RowNorm>(&link)) {
      row = norm_row(*norm, inputs.x, inputs.residual, x_format);
      out.r = norm_factor(*norm, row, inputs.eps);
      values = norm_outputs(*norm, Spans(row.normalized), {Spans(inputs.gamma), Spans(inputs.beta)}, {out.r, row.mu});
      out.residual = Spans(std::move(row.residual));
    } else if (const auto* gated = std::get_if<Gated>(&link)) {
      values = gated_values(*gated, inputs.x);
    } else if (const auto* rope = std::get_if<Rope>(&link)) {
      values = rope_outputs(*rope, values, {inputs.cos, inputs.sin});
    } else {
      const GroupQuant& quant = std::get<GroupQuant>(link);
      if (inputs.coded > 0) {
        out.y = values;
        values = first_of(values, inputs.coded);
      }
      GroupScales scales = quant.has_zero ? zero_point_scales(quant, values, inputs, stored)
                                          : group_scales(quant, group_sources(quant, values, inputs), inputs.scale_ub,
                                                         stored ? stored->scale : std::vector<double>());
      out.q = group_codes(quant, values, inputs.group_size, scales);
      if (quant.scale_given) continue;
      out.scale = std::move(scales.scale);
      out.zero = std::move(scales.zero);
    }
  }
  if (!contract.group_quant()) out.y = std::move(values);
  const RowNorm* norm = contract.row_norm();
  if (!stored || !norm || out.r.pinned() || out.r.any() || std::isnan(out.r.low)) return out;
  if (norm->centers() && contract.links.size() == 1 && !row.mu.pinned() && !row.mu.any()) {
    narrow_centered(contract, inputs, *stored, row, out);
    return out;
  }
  std::string contradiction;
  if (!factors_of_outputs(contract, inputs, row, *stored, out, contradiction)) out.joint_violations.push_back(contradiction);
  return out;
}

}  // namespace assay
